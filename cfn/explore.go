package cfn

import (
	"slices"
	"strconv"
)

// explorer finds the worlds that a template is judged in.
type explorer struct {
	r        *resolver
	most     int
	sets     []conditionSet
	relevant []int // variables that some resource depends on, sorted
	trials   int
	scratch  *world
	vector   []byte
}

// conditionSet is the conditions that some resource mentions.
type conditionSet struct {
	conditions []int          // sorted
	seen       map[string]int // each truth that they can take, by number; 0 is the base world's
}

// need is a truth of a set of conditions that some world must show.
type need struct {
	set, truth int
	changes    []change
}

func (e *explorer) worlds() []*world {
	base := e.r.world
	worlds := []*world{base}
	if len(e.r.conditions) == 0 {
		return worlds
	}
	e.gather()
	e.scratch = e.r.newWorld()
	base.shows = make([]int, len(e.sets))
	var needs []need
	for i := range e.sets {
		needs = e.explore(i, needs)
	}
	slices.SortStableFunc(needs, func(a, b need) int { return len(a.changes) - len(b.changes) })
	var left []need
	for _, n := range needs {
		if anyShows(worlds, n.set, n.truth) {
			continue
		}
		if len(worlds) == e.most {
			left = append(left, n)
			continue
		}
		w := e.r.newWorld()
		w.set(n.changes)
		w.shows = make([]int, len(e.sets))
		e.show(w)
		worlds = append(worlds, w)
	}
	for _, n := range left {
		if !anyShows(worlds, n.set, n.truth) {
			e.merge(worlds, n)
		}
	}
	return worlds
}

// gather finds which sets of conditions the resources mention.
func (e *explorer) gather() {
	known := make(map[string]bool)
	var set []int
	var key []byte
	for _, d := range e.r.declared {
		set = set[:0]
		if i, ok := e.r.conditionOf[d.Condition]; ok {
			set = append(set, i)
		}
		for _, name := range e.r.anyOf[d.LogicalID] {
			if i, ok := e.r.conditionOf[name]; ok {
				set = append(set, i)
			}
		}
		set = e.mentions(d.Body, set)
		if len(set) == 0 {
			continue
		}
		slices.Sort(set)
		set = slices.Compact(set)
		key = key[:0]
		for _, i := range set {
			key = strconv.AppendInt(key, int64(i), 36)
			key = append(key, ',')
		}
		if known[string(key)] {
			continue
		}
		known[string(key)] = true
		e.sets = append(e.sets, conditionSet{conditions: slices.Clone(set)})
		for _, c := range set {
			for _, v := range e.r.conditions[c].variables {
				if at, ok := slices.BinarySearch(e.relevant, v); !ok {
					e.relevant = slices.Insert(e.relevant, at, v)
				}
			}
		}
	}
}

// mentions appends the conditions of each Fn::If within v.
func (e *explorer) mentions(v *Value, set []int) []int {
	if v == nil || !v.dynamic {
		return set
	}
	for _, item := range v.Items {
		set = e.mentions(item, set)
	}
	for i := range v.Fields {
		f := &v.Fields[i]
		if f.Key == "Fn::If" && f.Value.IsKind(List) && len(f.Value.Items) > 0 {
			if c, ok := e.r.conditionOf[f.Value.Items[0].text()]; ok {
				set = append(set, c)
			}
		}
		set = e.mentions(f.Value, set)
	}
	return set
}

// explore tries assignments of a set's variables, those nearest to the base
// world first, and appends a need for each new truth of the set.
func (e *explorer) explore(set int, needs []need) []need {
	s := &e.sets[set]
	var vars []int
	for _, c := range s.conditions {
		vars = append(vars, e.r.conditions[c].variables...)
	}
	slices.Sort(vars)
	vars = slices.Compact(vars)
	all := 1 << min(len(s.conditions), 30)
	e.scratch.set(nil)
	s.seen = map[string]int{string(e.truths(e.scratch, s)): 0}
	level := [][]change{nil}
	trials := 0
	for len(level) > 0 {
		var next [][]change
		for _, before := range level {
			from := 0
			if len(before) > 0 {
				from, _ = slices.BinarySearch(vars, before[len(before)-1].variable)
				from++
			}
			for _, v := range vars[from:] {
				for c := 1; c < len(e.r.variables[v].choices); c++ {
					if trials++; trials > maxTrials || e.trials >= maxAllTrials || len(s.seen) >= all {
						return needs
					}
					e.trials++
					changes := append(slices.Clip(before), change{v, c})
					next = append(next, changes)
					e.scratch.set(changes)
					truths := e.truths(e.scratch, s)
					if _, ok := s.seen[string(truths)]; !ok {
						n := len(s.seen)
						s.seen[string(truths)] = n
						needs = append(needs, need{set, n, changes})
					}
				}
			}
		}
		level = next
	}
	return needs
}

// truths writes the truth of a set's conditions in a world; it is valid until
// the next call.
func (e *explorer) truths(w *world, s *conditionSet) []byte {
	e.r.world = w
	e.vector = e.vector[:0]
	for _, c := range s.conditions {
		e.vector = append(e.vector, byte(e.r.condition(c)))
	}
	return e.vector
}

// show notes which truth of each set a world shows; -1 is one that was not found
// by exploring.
func (e *explorer) show(w *world) {
	for i := range e.sets {
		w.shows[i] = -1
		if n, ok := e.sets[i].seen[string(e.truths(w, &e.sets[i]))]; ok {
			w.shows[i] = n
		}
	}
}

// anyShows reports whether one of the worlds shows a truth of a set.
func anyShows(worlds []*world, set, truth int) bool {
	for _, w := range worlds {
		if w.shows[set] == truth {
			return true
		}
	}
	return false
}

// merge puts what the bound left over into a world that it does not contradict,
// as long as nothing that was shown is lost. A truth that finds no place stays
// out: the bound is a bound.
func (e *explorer) merge(worlds []*world, n need) {
	if e.scratch.shows == nil {
		e.scratch.shows = make([]int, len(e.sets))
	}
	for i, old := range worlds[1:] {
		w := e.scratch
		w.set(nil)
		if !w.adopt(old.choices, n.changes) {
			continue
		}
		e.show(w)
		if w.shows[n.set] != n.truth || !keeps(worlds, i+1, w) {
			continue
		}
		worlds[i+1], e.scratch = w, old
		return
	}
}

// adopt makes the choices of w those of another world and some changes; false
// where the changes contradict them.
func (w *world) adopt(choices []int, changes []change) bool {
	copy(w.choices, choices)
	for _, c := range changes {
		if w.choices[c.variable] != 0 && w.choices[c.variable] != c.choice {
			return false
		}
		w.choices[c.variable] = c.choice
	}
	return true
}

// keeps reports whether no truth is lost with w in place of world i.
func keeps(worlds []*world, i int, w *world) bool {
	for set, truth := range worlds[i].shows {
		if truth < 0 || w.shows[set] == truth {
			continue
		}
		if !anyShows(worlds[:i], set, truth) && !anyShows(worlds[i+1:], set, truth) {
			return false
		}
	}
	return true
}

// determined reports whether the conditions that resources mention follow from
// given values and defaults alone.
func (e *explorer) determined() bool {
	if len(e.sets) == 0 {
		return true
	}
	w := e.r.newWorld()
	w.strict = true
	e.r.world = w
	for _, set := range e.sets {
		for _, c := range set.conditions {
			if e.r.condition(c) == unsure {
				return false
			}
		}
	}
	return true
}
