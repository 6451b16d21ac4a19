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
	scratch  *world
	vector   []byte
}

// conditionSet is the conditions that a resource turns on, as the tree in which
// it asks for them: what stands in the branch of a Fn::If that is not taken, or
// in a resource that is absent, is not asked for.
type conditionSet struct {
	tree      []*branch
	variables []int          // that the conditions depend on, sorted
	most      int            // bound on the number of truths
	seen      map[string]int // each truth that was found, by number; 0 is the base world's
}

// branch is a condition, and what is asked for where it is true and where it is false.
type branch struct {
	condition       int
	then, otherwise []*branch
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
	for _, n := range left[:min(len(left), maxMerges)] {
		if !anyShows(worlds, n.set, n.truth) {
			e.merge(worlds, n)
		}
	}
	return worlds
}

// gather finds the conditions that the resources turn on.
func (e *explorer) gather() {
	known := make(map[string]bool)
	var key []byte
	for _, d := range e.r.declared {
		tree := e.mentions(d.Body, nil)
		if names := e.r.anyOf[d.LogicalID]; names != nil {
			for _, name := range names {
				if i, ok := e.r.conditionOf[name]; ok {
					tree = append(tree, &branch{condition: i})
				}
			}
		} else if i, ok := e.r.conditionOf[d.Condition]; ok {
			tree = []*branch{{condition: i, then: tree}}
		}
		if len(tree) == 0 {
			continue
		}
		key = writeKey(key[:0], tree)
		if known[string(key)] {
			continue
		}
		known[string(key)] = true
		s := conditionSet{tree: tree}
		s.most = min(truthsOf(tree), 1<<min(len(e.variablesOf(tree, &s.variables)), 30))
		e.sets = append(e.sets, s)
		for _, v := range s.variables {
			insert(&e.relevant, v)
		}
	}
}

// insert keeps a sorted list of distinct numbers.
func insert(list *[]int, x int) {
	if at, ok := slices.BinarySearch(*list, x); !ok {
		*list = slices.Insert(*list, at, x)
	}
}

// writeKey appends a text that is the same for equal trees.
func writeKey(key []byte, tree []*branch) []byte {
	for _, b := range tree {
		key = strconv.AppendInt(key, int64(b.condition), 36)
		if b.then != nil || b.otherwise != nil {
			key = append(writeKey(append(key, '('), b.then), ':')
			key = append(writeKey(key, b.otherwise), ')')
		}
		key = append(key, ',')
	}
	return key
}

// variablesOf adds the variables of a tree's conditions, and returns the
// conditions, each once.
func (e *explorer) variablesOf(tree []*branch, variables *[]int) []int {
	var conditions []int
	var walk func([]*branch)
	walk = func(tree []*branch) {
		for _, b := range tree {
			insert(&conditions, b.condition)
			walk(b.then)
			walk(b.otherwise)
		}
	}
	walk(tree)
	for _, c := range conditions {
		for _, v := range e.r.conditions[c].variables {
			insert(variables, v)
		}
	}
	return conditions
}

// truthsOf is how many truths a tree can have if its conditions are independent,
// at most 2^30.
func truthsOf(tree []*branch) int {
	n := 1
	for _, b := range tree {
		n = min(n*(truthsOf(b.then)+truthsOf(b.otherwise)), 1<<30)
	}
	return n
}

// mentions appends the conditions of each Fn::If within v.
func (e *explorer) mentions(v *Value, tree []*branch) []*branch {
	if v == nil || !v.dynamic {
		return tree
	}
	for _, item := range v.Items {
		tree = e.mentions(item, tree)
	}
	for i := range v.Fields {
		f := &v.Fields[i]
		if f.Key == "Fn::If" && f.Value.IsKind(List) && len(f.Value.Items) == 3 {
			if c, ok := e.r.conditionOf[f.Value.Items[0].text()]; ok {
				b := &branch{c, e.mentions(f.Value.Items[1], nil), e.mentions(f.Value.Items[2], nil)}
				if b.then != nil || b.otherwise != nil || !slices.ContainsFunc(tree, func(a *branch) bool { return a.condition == c }) {
					tree = append(tree, b)
				}
				continue
			}
		}
		tree = e.mentions(f.Value, tree)
	}
	return tree
}

// explore tries assignments of a set's variables, those nearest to the base
// world first, and appends a need for each new truth of the set.
func (e *explorer) explore(set int, needs []need) []need {
	s := &e.sets[set]
	vars := s.variables
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
					if trials++; trials > maxTrials || e.r.tried > maxTried || len(s.seen) >= s.most {
						return needs
					}
					e.r.tried += len(e.r.variables) + len(e.r.conditions)
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

// truths writes the truth of the conditions that a set asks for in a world, in
// the order of asking; it is valid until the next call.
func (e *explorer) truths(w *world, s *conditionSet) []byte {
	e.r.world = w
	e.vector = e.vector[:0]
	e.ask(s.tree)
	return e.vector
}

func (e *explorer) ask(tree []*branch) {
	e.r.tried += len(tree)
	for _, b := range tree {
		t := e.r.condition(b.condition)
		e.vector = append(e.vector, byte(t))
		if t == isTrue {
			e.ask(b.then)
		} else {
			e.ask(b.otherwise)
		}
	}
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
		set := &e.sets[n.set]
		if found, ok := set.seen[string(e.truths(w, set))]; !ok || found != n.truth {
			continue
		}
		if e.show(w); !keeps(worlds, i+1, w) {
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

// determined reports whether the conditions that the base world's resources ask
// for follow from given values and defaults alone.
func (e *explorer) determined() bool {
	if len(e.sets) == 0 {
		return true
	}
	w := e.r.newWorld()
	w.strict = true
	e.r.world = w
	for i := range e.sets {
		e.vector = e.vector[:0]
		e.ask(e.sets[i].tree)
		if slices.Contains(e.vector, byte(unsure)) {
			return false
		}
	}
	return true
}
