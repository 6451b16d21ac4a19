package ruleset

import (
	"slices"

	"plumbline/cfn"
	"plumbline/finding"
)

// maxVaried bounds the further worlds that one rule sees of one resource.
// Parameters' AllowedValues that rules read are two to ten as a rule; instance
// classes are more.
const maxVaried = 64

// maxTogether bounds how many of them have more than one parameter at another
// value than its default: enough for four switches, of which few act together.
const maxTogether = 11

// vary is the verdict where parameters may have other values than those in the
// worlds at hand and the rule judges by them: only such a rule asks for the
// worlds with the other values that the template allows. What was seen without
// a value of a parameter gives way to what is seen with each of them. Of a
// parameter whose default is seen another value is told where it fails.
func (j *judgement) vary(c *compiled, all []seen) outcome {
	// What fails as it is needs no other value, and mostly nothing is split.
	steps := j.walk(c, all, true)
	base := j.mergeWith(all, steps, nil)
	if base.verdict == finding.Fail || base.verdict == finding.Error {
		return base
	}
	if steps = j.walk(c, all, false); len(steps) == len(all) {
		return base
	}
	var tried [][]setting
	for _, s := range steps {
		if len(s.set) == 0 || slices.ContainsFunc(tried, func(set []setting) bool { return slices.Equal(set, s.set) }) {
			continue
		}
		tried = append(tried, s.set)
		out := j.mergeWith(all, steps, s.set)
		if out.verdict != finding.Fail {
			continue
		}
		at := slices.IndexFunc(steps, func(x step) bool { return x.outcome.world == out.world })
		out.witness = true
		out.assumed = j.because([]seen{all[0], steps[at].seen}, 1, []int{0})
		return out
	}
	return base
}

// mergeWith is the verdict of the worlds in which parameters that have a
// default are set so, and at their defaults otherwise.
func (j *judgement) mergeWith(all []seen, steps []step, set []setting) outcome {
	var list []seen
	determined := true
	for i := range steps {
		s := &steps[i]
		if !s.fits(set) {
			continue
		}
		if list == nil {
			determined = !s.split && j.determined(all[s.from])
		}
		list = append(list, s.seen)
	}
	switch {
	case len(list) == 0:
		return all[0].outcome
	case len(list) == 1 && !steps[0].split:
		return list[0].outcome
	}
	return j.merge(list, determined)
}

// step is a world on the way through the values of parameters.
type step struct {
	seen
	from    int       // the world at hand that it differs from, by its place
	set     []setting // in which it differs, of parameters that have a value there
	split   bool      // it has a value of a parameter that has none there
	settled []string  // parameters whose values were gone through
}

// setting is a parameter at a value.
type setting struct{ parameter, value string }

// fits reports whether a world may stand for those with parameters set so: a
// parameter that was not read does not matter.
func (s *step) fits(set []setting) bool {
	for _, x := range s.set {
		if !slices.Contains(set, x) {
			return false
		}
	}
	for _, x := range set {
		if slices.Contains(s.settled, x.parameter) && !slices.Contains(s.set, x) {
			return false
		}
	}
	return true
}

// next is a parameter whose other values are still to be seen, "" for none.
func (s *step) next() string {
	for _, p := range s.outcome.varying {
		if !slices.Contains(s.settled, p) {
			return p
		}
	}
	return ""
}

// walk goes through the values of the parameters that the rule judges by, one
// after the other, fewest changes first. It returns the worlds in the order of
// those that they differ from. Only those that have no value where asked so.
func (j *judgement) walk(c *compiled, all []seen, unvalued bool) []step {
	queue := make([]step, len(all))
	for i, x := range all {
		queue[i] = step{seen: x, from: i}
	}
	var done []step
	budget, together := maxVaried, maxTogether
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		parameter := at.next()
		m := j.models[at.outcome.world]
		others, known := m.Values(parameter)
		if len(others) == 0 || len(others) > budget && !known {
			done = append(done, at)
			continue
		}
		if known && len(at.set) > 0 {
			if together -= len(others); together < 0 {
				others = nil
			}
		}
		if unvalued && known || len(others) == 0 {
			at.settled = append(slices.Clip(at.settled), parameter)
			queue = append(queue, at)
			continue
		}
		next := step{from: at.from, set: at.set, split: at.split || !known, settled: append(slices.Clip(at.settled), parameter)}
		missing := false
		for _, value := range others[:min(len(others), budget)] {
			budget--
			other := m.With(parameter, value)
			if other == nil {
				missing = true
				continue
			}
			resource := other.Resource(at.resource.LogicalID)
			if resource == nil || resource == at.resource && len(c.rule.Relations) == 0 {
				continue
			}
			world := j.add(other)
			members := j.related(c.rule, world, resource)
			next.seen = seen{resource, members, j.inWorld(c, world, resource, members)}
			if next.set = at.set; known {
				next.set = append(slices.Clip(at.set), setting{parameter, value})
			}
			queue = append(queue, next)
		}
		if at.settled = next.settled; known || missing {
			queue = append(queue, at)
		}
	}
	slices.SortStableFunc(done, func(a, b step) int { return a.from - b.from })
	return done
}

// add is the place of a model among the judgement's.
func (j *judgement) add(m *cfn.Model) int {
	if i := slices.Index(j.models, m); i >= 0 {
		return i
	}
	j.models = append(slices.Clip(j.models), m)
	j.graphs = append(j.graphs, nil)
	return len(j.models) - 1
}
