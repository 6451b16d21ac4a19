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
	if len(s.worlds) == 1 && len(first.outcome.varying) == 0 {
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
	if slices.ContainsFunc(all, func(x seen) bool { return len(x.outcome.varying) > 0 }) {
		return j.vary(c, all)
	}
	if len(all) == 1 {
		return first.outcome
	}
	return j.merge(all, j.determined(first) || j.added(all))
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
func (j *judgement) merge(all []seen, determined bool) outcome {
	base := all[0].outcome
	failed := slices.IndexFunc(all, func(x seen) bool { return x.outcome.verdict == finding.Fail })
	if determined && j.complete(all) {
		if failed > 0 && base.verdict != finding.Fail {
			out := all[failed].outcome
			out.witness, out.assumed = true, j.because(all, failed, []int{0})
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
	out := outcome{verdict: finding.Unknown, world: base.world, include: base.include, resource: base.resource, agreed: true}
	for i, x := range all[1:] {
		if x.outcome.verdict == base.verdict {
			continue
		}
		for _, a := range j.because(all, i+1, []int{0}) {
			needs = mergeNeeds(needs, []string{j.need(a.Name)})
		}
		for _, a := range j.because(all, 0, []int{i + 1}) {
			needs = mergeNeeds(needs, []string{j.need(a.Name)})
		}
	}
	out.needs = sorted(needs)
	if failed >= 0 {
		out.message = "fails when " + strings.Join(worded(j.decides(all, failed)), " and ")
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

// added puts first what a rule saw of a resource that the base world lacks in
// the world that differs least from the defaults. It reports whether all that
// decides on the resource has a default: then the template allows a deployment
// that has it and differs in nothing else. Relations may turn on more, so a rule
// that has some is not answered.
func (j *judgement) added(all []seen) bool {
	nearest, least := -1, 0
	for i, x := range all {
		m := j.models[x.outcome.world]
		if j.models[0].Resource(x.resource.LogicalID) != nil || len(x.members) > 0 {
			return false
		}
		changes, ok := m.FromDefaults(x.resource)
		if !ok {
			return false
		}
		if nearest < 0 || changes < least {
			nearest, least = i, changes
		}
	}
	all[0], all[nearest] = all[nearest], all[0]
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

// because is what the world of all[i] takes for granted that sets it apart from
// those of the others, as far as the rule could see it.
func (j *judgement) because(all []seen, i int, others []int) []cfn.Assumption {
	var models []*cfn.Model
	var ids []string
	see := func(r *cfn.Resource) {
		if r != nil && !slices.Contains(ids, r.LogicalID) {
			ids = append(ids, r.LogicalID)
		}
	}
	for k, x := range all {
		if k != i && !slices.Contains(others, k) {
			continue
		}
		if k != i {
			models = append(models, j.models[x.outcome.world])
		}
		see(x.resource)
		for _, list := range x.members {
			for _, y := range list {
				see(y.resource)
			}
		}
	}
	return j.models[all[i].outcome.world].Because(models, ids)
}

// decides is what sets the world of all[i] apart from those that say otherwise:
// from the base world, or from those that differ in least.
func (j *judgement) decides(all []seen, i int) []cfn.Assumption {
	if all[0].outcome.verdict != all[i].outcome.verdict {
		return j.because(all, i, []int{0})
	}
	var least [][]cfn.Assumption
	for k, x := range all {
		if x.outcome.verdict == all[i].outcome.verdict {
			continue
		}
		set := j.because(all, i, []int{k})
		if slices.ContainsFunc(least, func(s []cfn.Assumption) bool { return within(s, set) }) {
			continue
		}
		least = append(slices.DeleteFunc(least, func(s []cfn.Assumption) bool { return within(set, s) }), set)
	}
	var out []cfn.Assumption
	for _, set := range least {
		for _, a := range set {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// within reports whether all of a is in b.
func within(a, b []cfn.Assumption) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
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

// worded is what is assumed for people, "Environment is dev".
func worded(assumed []cfn.Assumption) []string {
	var out []string
	for _, x := range assumed {
		value := x.Value
		if value == "" {
			value = "empty"
		}
		out = append(out, x.Name+" is "+value)
	}
	return out
}

// listed is the same as a finding lists it: "Environment=dev".
func listed(assumed []cfn.Assumption) []string {
	var out []string
	for _, x := range assumed {
		out = append(out, x.Name+"="+x.Value)
	}
	return out
}
