package cfn

import (
	"slices"
	"strings"
)

// world is one assignment of values to the variables of a template.
type world struct {
	choices []int   // a variable's choice
	used    []bool  // outcomes that a condition asked for
	truth   []truth // conditions, as far as asked
	open    []bool  // conditions in work
	strict  bool    // what is not determined is unsure, instead of chosen
	shows   []int   // the truth of each set of conditions, while worlds are chosen
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
	w.forget()
	for _, c := range changes {
		w.choices[c.variable] = c.choice
	}
}

// forget drops what follows from the choices of w, which have changed.
func (w *world) forget() {
	clear(w.used)
	clear(w.truth)
	clear(w.open)
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
	r.free()
	for i := range r.variables {
		r.varies = r.varies || r.enumerates(i)
	}
	r.world = r.newWorld()
	r.declare()
	e := &explorer{r: r, most: in.MaxWorlds}
	worlds := e.worlds()
	r.variants = make([][]*variant, len(r.declared))
	models := make([]*Model, len(worlds))
	for i, w := range worlds {
		models[i] = r.model(w, r.variants)
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
	r.recording = len(r.variables) > 0 || len(r.conditions) > 0
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
	if r.varies && slices.ContainsFunc(v.reads, func(x read) bool { return !x.condition && r.enumerates(x.which) }) {
		if r.choosing == nil {
			r.choosing = make(map[*Resource]*choosing)
		}
		for _, res := range v.resources {
			r.choosing[res] = &choosing{variant: v}
		}
	}
	r.recording, r.reads = false, nil
	return v
}
