package ruleset

import (
	"fmt"
	"strings"

	"plumbline/cfn/schema"
)

// FunctionTable is the functions that rules have beside CEL's own, as Markdown
// for docs/rules.md.
func FunctionTable() []byte {
	var b strings.Builder
	group := ""
	for _, f := range Functions() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n### %s\n\n", group)
		}
		for i, s := range f.Signature {
			if i > 0 {
				b.WriteString("<br>")
			}
			fmt.Fprintf(&b, "**`%s`**", s)
		}
		fmt.Fprintf(&b, "<br>%s", strings.NewReplacer("<", "&lt;", "*", `\*`).Replace(f.Doc))
		for i, e := range f.Examples {
			if i == 0 {
				b.WriteString("<br>Example: ")
			} else {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "`%s`", e)
		}
		b.WriteString("\n\n")
	}
	b.WriteString("\n### Types of variables\n\n| type | fields |\n|---|---|\n")
	for _, t := range []*schema.Type{selfType(), templateType(), statementType(), statementType().Property("Conditions").Type.Elem} {
		fmt.Fprintf(&b, "| `%s` | ", t.Name)
		for i := range t.Properties {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "`%s` %s", t.Properties[i].Name, celType(t.Properties[i].Type))
		}
		b.WriteString(" |\n")
	}
	return []byte(b.String() + "\n")
}
