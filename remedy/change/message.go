package change

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/remedy"
	"plumbline/ruleset"
)

// Message is what every message about the plan begins with: the rule, the
// requirements that ask for it, the resource, its account, what was found and
// what would be, or was, changed.
func (p *Planned) Message() string {
	x := p.Plan
	var b strings.Builder
	fmt.Fprintf(&b, "Rule %s: %s\n", x.Rule, x.Title)
	if asked := requirements(p.Controls); asked != "" {
		fmt.Fprintf(&b, "Requirement: %s\n", asked)
	}
	fmt.Fprintf(&b, "Resource: %s of %s, %s\n", x.Resource.LogicalID, x.Resource.Type, x.Identifier)
	if where := p.where(); where != "" {
		label := "Account"
		if x.Resource.Account == "" {
			label = "Where"
		}
		fmt.Fprintf(&b, "%s: %s\n", label, where)
	}
	fmt.Fprintf(&b, "Found: %s\n\n", x.Message)
	for _, line := range x.Diff {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

// where is the account by its alias, the region and the stack.
func (p *Planned) where() string {
	r := p.Plan.Resource
	account := r.Account
	if p.Alias != "" {
		account = fmt.Sprintf("%s (%s)", p.Alias, r.Account)
	}
	stack := ""
	if r.Stack != "" {
		stack = "stack " + r.Stack
	}
	return strings.Join(slices.DeleteFunc([]string{account, r.Region, stack}, func(s string) bool { return s == "" }), ", ")
}

// requirements lists controls by framework: "pci-dss-4.0.1 1.3.1, 1.4.2; aws-fsbp EC2.14".
func requirements(controls []ruleset.Control) string {
	var order []string
	of := map[string][]string{}
	for _, c := range controls {
		if of[c.Framework] == nil {
			order = append(order, c.Framework)
		}
		of[c.Framework] = append(of[c.Framework], c.ID)
	}
	// PCI DSS first: it is what messages are read for.
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Compare(rank(a), rank(b))
	})
	var out []string
	for _, f := range order {
		out = append(out, f+" "+strings.Join(of[f], ", "))
	}
	return strings.Join(out, "; ")
}

func rank(framework string) int {
	if strings.HasPrefix(framework, "pci-dss") {
		return 0
	}
	return 1
}

// Message says what to change in the template, for its owners; "" where there is
// nothing to say.
func (s *Source) Message() string {
	if s == nil {
		return ""
	}
	var b strings.Builder
	if s.ConstructPath != "" {
		fmt.Fprintf(&b, "Construct: %s\n", s.ConstructPath)
	}
	switch {
	case s.Diff != "":
		for line := range strings.Lines(s.Diff) {
			if !strings.HasPrefix(line, "diff ") {
				b.WriteString(line)
			}
		}
	default:
		for _, op := range s.Ops {
			fmt.Fprintln(&b, remedy.Words(cfn.Op(op)))
		}
		if s.Why != "" {
			fmt.Fprintf(&b, "(%s)\n", s.Why)
		}
	}
	return b.String()
}
