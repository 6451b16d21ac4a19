package bundle

import (
	"slices"

	"plumbline/ruleset"
)

// FrameworksOf lists the frameworks that ask for a rule, sorted. The index
// answers for the built-in ones; whole, which may be nil, is asked where it
// names none, since an organisation's own framework is not in the index.
func FrameworksOf(index *ruleset.Index, whole func() ruleset.Frameworks, rule string) []string {
	var controls []ruleset.Control
	if e := index.Entry(rule); e != nil {
		if d, err := e.Details(); err == nil { // the index is generated and tested; a name less is no reason to lose a scan
			controls = d.Controls
		}
	}
	if len(controls) == 0 && whole != nil {
		controls = whole().Controls(rule)
	}
	var out []string
	for _, c := range controls {
		if !slices.Contains(out, c.Framework) {
			out = append(out, c.Framework)
		}
	}
	slices.Sort(out)
	return out
}

// FrameworksOf lists the frameworks that ask for a rule, sorted.
func (b *Bundle) FrameworksOf(rule string) []string {
	var whole func() ruleset.Frameworks
	if b.own != nil {
		whole = b.Set.Frameworks
	}
	return FrameworksOf(b.Set.Index(), whole, rule)
}
