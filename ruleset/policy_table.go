package ruleset

import (
	"fmt"
	"reflect"
	"strings"
)

// PolicyTable is the policy file's keys with their meaning and defaults as a
// Markdown table, for docs/policy.md.
func PolicyTable() []byte {
	var b strings.Builder
	b.WriteString("| key | meaning | default |\n|---|---|---|\n")
	tableRows(&b, "", reflect.TypeFor[Policy](), reflect.ValueOf(*DefaultPolicy()))
	return []byte(b.String())
}

func tableRows(b *strings.Builder, prefix string, t reflect.Type, value reflect.Value) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		var v reflect.Value
		if value.IsValid() {
			v = value.Field(i)
		}
		doc := f.Tag.Get("doc")
		if f.Tag.Get("need") == "true" {
			doc += " (must be given)"
		}
		inner := f.Type
		key := prefix + name
		switch f.Type {
		case reflect.TypeFor[RuleSettings]():
			inner, key = reflect.TypeFor[RuleSetting](), key+".RULE"
		case reflect.TypeFor[Values]():
			inner, key = reflect.TypeFor[string](), key+".NAME"
		}
		if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
			inner, v, key = inner.Elem(), reflect.Value{}, key+"[]"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", key, strings.ReplaceAll(doc, "|", `\|`), defaultText(v))
		if inner.Kind() == reflect.Struct {
			if inner != f.Type {
				v = reflect.Value{}
			}
			tableRows(b, key+".", inner, v)
		}
	}
}

// defaultText is a default as a reader of the table sees it, "" for none.
func defaultText(v reflect.Value) string {
	if !v.IsValid() || v.IsZero() || v.Kind() == reflect.Struct {
		return ""
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprintf("`%v`", v.Interface())
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = fmt.Sprintf("`%v`", v.Index(i).Interface())
	}
	return strings.Join(items, ", ")
}
