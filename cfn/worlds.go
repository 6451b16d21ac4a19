package cfn

import (
	"slices"
	"strconv"
	"strings"
)

// world is one assignment of values to the variables of a template.
type world struct {
	choices []int   // a variable's choice
	used    []bool  // outcomes that a condition asked for
	truth   []truth // conditions, as far as asked
	open    []bool  // conditions in work
	strict  bool    // what is not determined is unsure, instead of chosen
}

func (r *resolver) newWorld() *world {
	return &world{
		choices: make([]int, len(r.variables)),
		used:    make([]bool, len(r.variables)),
		truth:   make([]truth, len(r.conditions)),
		open:    make([]bool, len(r.conditions)),
	}
}

// set makes the choices of w those of the base world but for some.
func (w *world) set(changes []change) {
	clear(w.choices)
	clear(w.used)
	clear(w.truth)
	clear(w.open)
	for _, c := range changes {
		w.choices[c.variable] = c.choice
	}
}

// change is one choice that differs from the base world's.
type change struct{ variable, choice int }

// variant is a resource as resolved in the worlds that agree with reads.
type variant struct {
	reads     []read
	resources []*Resource // one; for a SAM resource what it is expanded to
}

// Worlds resolves the template: first in the base world, where given values
// hold, then defaults; then in further consistent worlds, chosen so that each
// resource is seen under every truth that its conditions can take, up to
// in.MaxWorlds models in all. The order depends on the template and the inputs
// only. A resource that is the same in two worlds is the same pointer. It never
// fails: what cannot be resolved is Unknown and says what it needs.
// It is safe for concurrent use.
func (t *Template) Worlds(in Inputs) []*Model {
	if in.MaxWorlds <= 0 {
		in.MaxWorlds = DefaultMaxWorlds
	}
	r := newResolver(t, in)
	r.compile()
	r.world = r.newWorld()
	r.declare()
	e := &explorer{r: r, most: in.MaxWorlds}
	worlds := e.worlds()
	variants := make([][]*variant, len(r.declared))
	models := make([]*Model, len(worlds))
	for i, w := range worlds {
		models[i] = r.model(w, variants)
	}
	models[0].Determined = e.determined()
	for i, w := range worlds {
		models[i].Assumed = r.assumptions(w, e.relevant)
	}
	return models
}

// declare lists the resources: those written, those that loops make and those
// that SAM implies.
func (r *resolver) declare() {
	r.declared = make([]*Declared, 0, len(r.t.Resources))
	for _, d := range r.t.Resources {
		if d.ForEach != nil {
			r.declared = r.expandResources(r.declared, d.ForEach)
			continue
		}
		r.declared = append(r.declared, d)
	}
	if r.sam {
		r.declareSAM()
	}
	r.index = make(map[string]int, len(r.declared))
	for i, d := range r.declared {
		r.index[d.LogicalID] = i
	}
}

// model builds the model of a world. Variants are shared with other worlds.
func (r *resolver) model(w *world, variants [][]*variant) *Model {
	r.world = w
	m := &Model{Template: r.t, Inputs: r.in, resolver: r, world: w}
	m.Resources = make([]*Resource, 0, len(r.declared))
	m.variants = make([]*variant, 0, len(r.declared))
	for i, d := range r.declared {
		if !r.present(d) {
			continue
		}
		v := r.find(variants[i])
		if v == nil {
			v = r.resolve(d)
			variants[i] = append(variants[i], v)
		}
		for _, res := range v.resources {
			m.Resources = append(m.Resources, res)
			m.variants = append(m.variants, v)
		}
	}
	return m
}

// present reports whether the world has a resource. A condition that the
// template does not declare is refused by CloudFormation; the resource stays to
// be judged.
func (r *resolver) present(d *Declared) bool {
	if d.Condition == "" {
		return true
	}
	for _, name := range r.anyOf[d.LogicalID] {
		if i, ok := r.conditionOf[name]; ok && r.condition(i) == isTrue {
			return true
		}
	}
	i, ok := r.conditionOf[d.Condition]
	return !ok || r.condition(i) == isTrue
}

// find returns the variant that agrees with the world, nil for none.
func (r *resolver) find(variants []*variant) *variant {
next:
	for _, v := range variants {
		for _, x := range v.reads {
			if x.condition && int(r.condition(x.which)) != x.value || !x.condition && r.world.choices[x.which] != x.value {
				continue next
			}
		}
		return v
	}
	return nil
}

// resolve resolves a resource, noting what it reads of the world.
func (r *resolver) resolve(d *Declared) *variant {
	v := &variant{}
	r.recording = len(r.conditions) > 0
	r.reads = nil
	if i, ok := r.conditionOf[d.Condition]; ok && r.anyOf[d.LogicalID] == nil {
		r.holds(i)
	}
	res := r.resource(d)
	if r.sam && strings.HasPrefix(d.Type, samPrefix) {
		v.resources = r.expandSAM(res)
	} else {
		v.resources = []*Resource{res}
	}
	v.reads = r.reads
	r.recording, r.reads = false, nil
	return v
}

// explorer finds the worlds that a template is judged in.
type explorer struct {
	r        *resolver
	most     int
	sets     [][]int // sets of conditions that resources mention, each sorted
	relevant []int   // variables that some resource depends on, sorted
	trials   int
	scratch  *world
}

// need is a truth of a set of conditions that some world must show.
type need struct {
	set     int
	vector  string
	changes []change
}

func (e *explorer) worlds() []*world {
	base := e.r.world
	worlds := []*world{base}
	if len(e.r.conditions) == 0 {
		return worlds
	}
	e.gather()
	e.scratch = e.r.newWorld()
	var needs []need
	for i := range e.sets {
		needs = e.explore(i, needs)
	}
	slices.SortStableFunc(needs, func(a, b need) int { return len(a.changes) - len(b.changes) })
	var left []need
	for _, n := range needs {
		if e.shown(worlds, n) {
			continue
		}
		if len(worlds) == e.most {
			left = append(left, n)
			continue
		}
		w := e.r.newWorld()
		w.set(n.changes)
		worlds = append(worlds, w)
	}
	e.merge(worlds, needs, left)
	return worlds
}

// gather finds which sets of conditions the resources mention.
func (e *explorer) gather() {
	known := make(map[string]bool)
	var set []int
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
		key := setKey(set)
		if known[key] {
			continue
		}
		known[key] = true
		e.sets = append(e.sets, slices.Clone(set))
		for _, c := range set {
			for _, v := range e.r.conditions[c].variables {
				if at, ok := slices.BinarySearch(e.relevant, v); !ok {
					e.relevant = slices.Insert(e.relevant, at, v)
				}
			}
		}
	}
}

func setKey(set []int) string {
	var b []byte
	for _, i := range set {
		b = strconv.AppendInt(b, int64(i), 36)
		b = append(b, ',')
	}
	return string(b)
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
	conds := e.sets[set]
	var vars []int
	for _, c := range conds {
		vars = append(vars, e.r.conditions[c].variables...)
	}
	slices.Sort(vars)
	vars = slices.Compact(vars)
	all := 1 << min(len(conds), 30)
	seen := map[string]bool{e.vector(conds, nil): true}
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
					if trials++; trials > maxTrials || e.trials >= maxAllTrials || len(seen) >= all {
						return needs
					}
					e.trials++
					changes := append(slices.Clip(before), change{v, c})
					next = append(next, changes)
					vector := e.vector(conds, changes)
					if !seen[vector] {
						seen[vector] = true
						needs = append(needs, need{set, vector, changes})
					}
				}
			}
		}
		level = next
	}
	return needs
}

// vector is the truth of conditions under changes to the base world.
func (e *explorer) vector(conds []int, changes []change) string {
	e.scratch.set(changes)
	return e.vectorIn(e.scratch, conds)
}

func (e *explorer) vectorIn(w *world, conds []int) string {
	e.r.world = w
	b := make([]byte, len(conds))
	for i, c := range conds {
		b[i] = byte('0' + e.r.condition(c))
	}
	return string(b)
}

// shown reports whether one of the worlds shows what is needed.
func (e *explorer) shown(worlds []*world, n need) bool {
	for _, w := range worlds {
		if e.vectorIn(w, e.sets[n.set]) == n.vector {
			return true
		}
	}
	return false
}

// merge puts what the bound left over into worlds that it does not contradict,
// as long as nothing that was shown is lost. Truths that find no place stay out:
// the bound is a bound.
func (e *explorer) merge(worlds []*world, needs, left []need) {
	const most = 64
	if len(left) > most {
		left = left[:most]
	}
	for _, n := range left {
		if e.shown(worlds, n) {
			continue
		}
		for i := 1; i < len(worlds); i++ {
			if w := e.merged(worlds, i, n, needs); w != nil {
				worlds[i] = w
				break
			}
		}
	}
}

// merged is world i with what n needs, nil where that contradicts it.
func (e *explorer) merged(worlds []*world, i int, n need, needs []need) *world {
	w := e.r.newWorld()
	copy(w.choices, worlds[i].choices)
	for _, c := range n.changes {
		if w.choices[c.variable] != 0 && w.choices[c.variable] != c.choice {
			return nil
		}
		w.choices[c.variable] = c.choice
	}
	if e.vectorIn(w, e.sets[n.set]) != n.vector {
		return nil
	}
	others := slices.Clone(worlds)
	others[i] = w
	for _, other := range needs {
		if e.shown(worlds[i:i+1], other) && !e.shown(others, other) {
			return nil
		}
	}
	return w
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
		for _, c := range set {
			if e.r.condition(c) == unsure {
				return false
			}
		}
	}
	return true
}

// assumptions lists what a world takes for granted of these variables.
func (r *resolver) assumptions(w *world, variables []int) []Assumption {
	var out []Assumption
	for _, i := range variables {
		v := &r.variables[i]
		if v.outcome {
			if w.used[i] && !slices.ContainsFunc(out, func(a Assumption) bool { return a.Name == v.name }) {
				r.world = w
				value := "false"
				if r.condition(v.condition) == isTrue {
					value = "true"
				}
				out = append(out, Assumption{Name: v.name, Value: value})
			}
			continue
		}
		c := &v.choices[w.choices[i]]
		a := Assumption{Name: v.name, Value: c.text, Default: c.standard}
		if v.parameter != nil && v.parameter.declared.NoEcho && c.standard {
			a.Value = "****"
		}
		out = append(out, a)
	}
	return out
}
