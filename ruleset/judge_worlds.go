package ruleset

import (
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/finding"
)

// seen is what a rule said in one world, with what it depended on.
type seen struct {
	resource *cfn.Resource
	members  [][]member
	outcome  outcome
}

// judge is the verdict on a resource over all its worlds.
func (j *judgement) judge(c *compiled, s *subject) outcome {
	first := j.see(c, s, 0)
	if len(s.worlds) == 1 {
		return first.outcome
	}
	all := []seen{first}
	for k := 1; k < len(s.worlds); k++ {
		if len(c.rule.Relations) == 0 && slices.ContainsFunc(all, func(x seen) bool { return x.resource == s.resources[k] }) {
			continue
		}
		if len(c.rule.Relations) > 0 {
			members := j.related(c.rule, s.worlds[k], s.resources[k])
			if slices.ContainsFunc(all, func(x seen) bool { return x.resource == s.resources[k] && sameMembers(x.members, members) }) {
				continue
			}
		}
		all = append(all, j.see(c, s, k))
	}
	return j.merge(all)
}

func (j *judgement) see(c *compiled, s *subject, k int) seen {
	members := j.related(c.rule, s.worlds[k], s.resources[k])
	return seen{s.resources[k], members, j.inWorld(c, s.worlds[k], s.resources[k], members)}
}

func sameMembers(a, b [][]member) bool {
	for i := range a {
		if !slices.EqualFunc(a[i], b[i], func(x, y member) bool {
			return x.resource == y.resource && x.unsure == y.unsure && slices.Equal(x.needs, y.needs)
		}) {
			return false
		}
	}
	return true
}

// merge makes one verdict of those of different worlds; the first is the base
// world's, or that of the first world which has the resource.
//
// Where the base world follows from given values and defaults its verdict
// holds, except that a failure elsewhere is told: a deployment with that value
// is one that the template allows. Where the base world had to choose, only
// what all worlds say is decided.
func (j *judgement) merge(all []seen) outcome {
	base := all[0].outcome
	failed := slices.IndexFunc(all, func(x seen) bool { return x.outcome.verdict == finding.Fail })
	if j.determined(all[0]) && j.complete(all) {
		if failed > 0 && base.verdict != finding.Fail {
			out := all[failed].outcome
			out.witness = true
			return out
		}
		return base
	}
	count := map[finding.Verdict]int{}
	var needs []string
	for _, x := range all {
		count[x.outcome.verdict]++
		needs = mergeNeeds(needs, x.outcome.needs)
	}
	if len(count) == 1 {
		base.needs, base.agreed = sorted(needs), true
		return base
	}
	switch {
	case count[finding.Error] > 0:
		return all[slices.IndexFunc(all, func(x seen) bool { return x.outcome.verdict == finding.Error })].outcome
	case count[finding.Fail] == 0 && count[finding.Unknown] == 0:
		// Passes where it applies.
		return all[slices.IndexFunc(all, func(x seen) bool { return x.outcome.verdict == finding.Pass })].outcome
	}
	// Worlds that say different things: what they differ in would settle it.
	out := outcome{verdict: finding.Unknown, world: base.world, include: base.include}
	for _, x := range all[1:] {
		needs = mergeNeeds(needs, j.differences(base.world, x.outcome.world))
	}
	out.needs = sorted(needs)
	if failed >= 0 {
		out.message = "fails when " + strings.Join(j.assumed(all[failed].outcome.world, j.otherWorlds(all, failed)), " and ")
	}
	return out
}

// determined reports whether what a rule saw in a world follows from given
// values and defaults: the resource itself and all that its relations found.
func (j *judgement) determined(x seen) bool {
	m := j.models[x.outcome.world]
	if m.Determined {
		return true
	}
	if !m.DeterminedFor(x.resource) {
		return false
	}
	for _, list := range x.members {
		for _, y := range list {
			if y.resource != nil && !m.DeterminedFor(y.resource) {
				return false
			}
		}
	}
	return true
}

// complete reports whether no other world has a related resource that the base
// world lacks for a reason which nothing determines: a bucket without its
// policy is no failure yet where a parameter that nobody gave adds the policy.
func (j *judgement) complete(all []seen) bool {
	m := j.models[all[0].outcome.world]
	if m.Determined {
		return true
	}
	for _, x := range all[1:] {
		for _, list := range x.members {
			for _, y := range list {
				if y.resource != nil && m.Resource(y.resource.LogicalID) == nil {
					return false
				}
			}
		}
	}
	return true
}

// otherWorlds are the worlds whose outcome is not that of all[i].
func (j *judgement) otherWorlds(all []seen, i int) []int {
	var out []int
	for _, x := range all {
		if x.outcome.verdict != all[i].outcome.verdict {
			out = append(out, x.outcome.world)
		}
	}
	return out
}

// differences says what would settle in which of two worlds a deployment is.
func (j *judgement) differences(a, b int) []string {
	var out []string
	for _, x := range j.models[b].Assumed {
		if value, ok := assumption(j.models[a], x.Name); !ok || value != x.Value {
			out = append(out, j.need(x.Name))
		}
	}
	return out
}

// need is an assumption's name as a finding's needs have it.
func (j *judgement) need(name string) string {
	if strings.HasPrefix(name, "AWS::") {
		return name
	}
	if t := j.models[0].Template; t != nil && slices.ContainsFunc(t.Parameters, func(p *cfn.Parameter) bool { return p.Name == name }) {
		return "parameter " + name
	}
	return "condition " + name
}

func assumption(m *cfn.Model, name string) (string, bool) {
	for _, x := range m.Assumed {
		if x.Name == name {
			return x.Value, true
		}
	}
	return "", false
}

// assumed words what a world takes for granted, "Environment is dev", limited
// to what it does not share with all of the others.
func (j *judgement) assumed(world int, others []int) []string {
	var out []string
	for _, x := range j.models[world].Assumed {
		if j.distinguishes(x, others) {
			value := x.Value
			if value == "" {
				value = "empty"
			}
			out = append(out, x.Name+" is "+value)
		}
	}
	return out
}

// assuming is the same as a finding lists it: "Environment=dev".
func (j *judgement) assuming(world int, others []int) []string {
	var out []string
	for _, x := range j.models[world].Assumed {
		if j.distinguishes(x, others) {
			out = append(out, x.Name+"="+x.Value)
		}
	}
	return out
}

// distinguishes reports whether one of the other worlds assumes otherwise.
func (j *judgement) distinguishes(x cfn.Assumption, others []int) bool {
	return slices.ContainsFunc(others, func(w int) bool {
		value, ok := assumption(j.models[w], x.Name)
		return !ok || value != x.Value
	})
}
