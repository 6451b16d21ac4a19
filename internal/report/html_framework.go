package report

import (
	"slices"
	"strings"

	"plumbline/finding"
)

type htmlFramework struct {
	ID, Title string
	Sections  []htmlSection
	size      int // requirements
}

type htmlSection struct {
	ID, Title     string
	Class, Result string
	Violations    int
	Requirements  []htmlRequirement
}

type htmlRequirement struct {
	Requirement
	Class, Result string
	Where         []htmlWhere
}

// htmlWhere leads from a requirement to a violation of it, or to a stack with several.
type htmlWhere struct{ Anchor, Name, Text string }

// whereEach is up to how many violations a requirement names each; of more, it
// names the stacks.
const whereEach = 25

// judged is a resource of one target.
type judged struct {
	target   int
	resource string
}

// verdicts counts one rule's verdicts over all targets.
type verdicts struct {
	fail, pass, open, suppressed int
	resources                    map[judged]bool
}

// tally is each rule's verdicts, by its id.
type tally map[string]*verdicts

func (t tally) count(target int, f *finding.Finding) {
	v := t[f.Rule]
	if v == nil {
		v = &verdicts{resources: map[judged]bool{}}
		t[f.Rule] = v
	}
	switch f.Status() {
	case string(finding.Fail):
		v.fail++
	case string(finding.Pass):
		v.pass++
	case string(finding.Unknown), string(finding.Error):
		v.open++
	case finding.StatusSuppressed:
		v.suppressed++
	default:
		return // a skip judges nothing
	}
	v.resources[judged{target, f.Resource.LogicalID}] = true
}

// framework says what was found for each requirement, under its section's heading.
func (t tally) framework(fw Framework, stacks []htmlStack) htmlFramework {
	out := htmlFramework{ID: fw.ID, Title: fw.Title, size: len(fw.Requirements)}
	at := map[string]int{}
	for _, q := range fw.Requirements {
		i, ok := at[q.Section]
		if !ok {
			i = len(out.Sections)
			at[q.Section] = i
			s := htmlSection{Title: fw.Title}
			if strings.ContainsAny(q.Section, "0123456789") { // 1, A3; a word would only repeat the heading
				s.ID = q.Section
			}
			if j := slices.IndexFunc(fw.Sections, func(x Section) bool { return x.ID == q.Section }); j >= 0 {
				s.Title = fw.Sections[j].Title
			}
			out.Sections = append(out.Sections, s)
		}
		out.Sections[i].Requirements = append(out.Sections[i].Requirements, t.requirement(q, stacks))
	}
	for i := range out.Sections {
		out.Sections[i].sum(t)
	}
	return out
}

// sum says in a few words what was found for a section as a whole. A rule that
// serves several of its requirements counts once.
func (s *htmlSection) sum(t tally) {
	var rules []string
	for i := range s.Requirements {
		rules = append(rules, s.Requirements[i].Rules...)
	}
	slices.Sort(rules)
	s.Class, s.Result, s.Violations = t.result(slices.Compact(rules))
}

func (t tally) requirement(q Requirement, stacks []htmlStack) htmlRequirement {
	r := htmlRequirement{Requirement: q}
	r.Class, r.Result, _ = t.result(q.Rules)
	total := 0
	for i := range stacks {
		for _, id := range q.Rules {
			total += stacks[i].fails[id]
		}
	}
	for i := range stacks {
		r.Where = append(r.Where, stacks[i].violations(q.Rules, total <= whereEach)...)
	}
	return r
}

// violations leads to a stack's listed violations of some rules.
func (s *htmlStack) violations(rules []string, each bool) []htmlWhere {
	n := 0
	for _, id := range rules {
		n += s.fails[id]
	}
	switch {
	case n == 0:
		return nil
	case !each:
		return []htmlWhere{{s.Anchor, s.Name, plural(n, "violation", "violations")}}
	}
	var out []htmlWhere
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Verdict == finding.Fail && slices.Contains(rules, f.Rule) {
			out = append(out, htmlWhere{f.Anchor, where(f.Finding), f.Title})
		}
	}
	return out
}

// sums is what some rules found together: which of them judged something, over
// how many resources, and with what result.
type sums struct {
	checks                             []string // rules that judged something, in the order they were asked for
	resources, fails, open, suppressed int
}

// sum adds up the verdicts of some rules; each is to be named once.
func (t tally) sum(rules []string) sums {
	var out sums
	over := map[judged]bool{}
	for _, id := range rules {
		v := t[id]
		if v == nil || len(v.resources) == 0 {
			continue
		}
		out.checks = append(out.checks, id)
		out.fails += v.fail
		out.open += v.open
		out.suppressed += v.suppressed
		for r := range v.resources {
			over[r] = true
		}
	}
	out.resources = len(over)
	return out
}

func (t tally) result(rules []string) (class, text string, fails int) {
	s := t.sum(rules)
	class, text = s.words(len(rules))
	return class, text, s.fails
}

// words says what was found by a number of rules. Rules look at a part of a
// requirement at most, so the best result is that no violation was found by so
// many checks over so many resources; a requirement is never called met.
func (s *sums) words(rules int) (class, text string) {
	by := " by " + plural(len(s.checks), "check", "checks") + " over " + plural(s.resources, "resource", "resources")
	switch {
	case rules == 0:
		return "skip", "not automatable from templates: to be checked by hand"
	case len(s.checks) == 0:
		return "skip", "nothing in these templates to check"
	case s.fails > 0:
		class, text = "fail", plural(s.fails, "violation", "violations")+" found"+by
	case s.open > 0:
		class, text = "unknown", "no violation found"+by
	default:
		class, text = "pass", "no violation found"+by
	}
	if s.open > 0 {
		text += ", " + plural(s.open, "verdict", "verdicts") + " open"
	}
	if s.suppressed > 0 {
		text += ", " + plural(s.suppressed, "violation", "violations") + " suppressed"
	}
	return class, text
}
