package cfn

import (
	"slices"
	"strconv"
	"strings"
)

// ssmPrefix begins the types of parameters whose value is the name of an entry
// in the parameter store.
const ssmPrefix = "AWS::SSM::Parameter::Value<"

// enumerated are the values that the template allows a parameter: nil where it
// sets no such bound to the value that Ref gives. Those of a list bound its
// items, and those of an entry's name say nothing of what is stored.
func (p *Parameter) enumerated() []string {
	if holdsList(p.Type) || strings.HasPrefix(p.Type, ssmPrefix) {
		return nil
	}
	return p.AllowedValues
}

// free makes a variable of each parameter that may take several values and that
// no condition compares. The base world has its default, or does not know it;
// further values are seen in the models that Model.With makes.
func (r *resolver) free() {
	for _, p := range r.t.Parameters {
		x := r.params[p.Name]
		if x == nil || x.given || len(p.enumerated()) < 2 {
			continue
		}
		if _, known := r.variableOf[p.Name]; known {
			continue
		}
		if r.variableOf == nil {
			r.variableOf = make(map[string]int)
		}
		v := variable{name: p.Name, parameter: x, free: true, determined: x.value != nil}
		first := choice{parameter: x, name: p.Name}
		if v.determined {
			first.text, first.value, first.standard = plainText(x.value), x.value, true
		}
		v.choices = append(v.choices, first)
		r.variableOf[p.Name] = len(r.variables)
		r.variables = append(r.variables, v)
	}
}

// choiceFor is the index of a variable's choice of a value that its parameter
// allows, made when first asked for; -1 where there are too many already.
func (r *resolver) choiceFor(i int, text string) int {
	v := &r.variables[i]
	for k := range v.choices {
		if c := &v.choices[k]; c.value != nil && c.text == text {
			return k
		}
	}
	if len(v.choices) > maxChoices || !r.afford(len(text)*valueBytes/2) {
		return -1
	}
	v.choices = append(v.choices, choice{
		text: text, parameter: v.parameter, name: v.name, value: parameterValue(v.parameter.declared, text),
	})
	return len(v.choices) - 1
}

// choosing is a resource that reads parameters which have several allowed values.
type choosing struct {
	variant *variant
	varying map[*Value]Variation // nil: not asked for yet
}

// Variation says which parameters the values in a map of a resource's
// properties are taken from, by key; key "" stands for every key of the map.
type Variation map[string][]string

// Varying says which parameters a resource of the model takes values from, of
// those that may take several values by their AllowedValues and were not given:
// for its properties, and for each map within them that is written as one.
// Conditions are not meant: their outcomes are worlds already. It is nil for
// most resources. It is safe for concurrent use; what it returns must not be
// changed.
func (m *Model) Varying(res *Resource) map[*Value]Variation {
	r := m.resolver
	if r == nil || !r.varies {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.choosing[res]
	if c == nil || c.varying != nil {
		return c.asked()
	}
	out := make(map[*Value]Variation)
	var read []string
	for _, x := range c.variant.reads {
		if !x.condition && r.enumerates(x.which) {
			read = append(read, r.variables[x.which].name)
		}
	}
	if at, ok := r.index[res.LogicalID]; ok && res.Expanded == "" {
		r.varying(out, read, r.declared[at].Body.Get("Properties"), res.Properties)
	} else {
		out[res.Properties] = Variation{"": read}
	}
	c.varying = out
	return out
}

// asked is what Varying found out before, nil for a resource that varies in nothing.
func (c *choosing) asked() map[*Value]Variation {
	if c == nil {
		return nil
	}
	return c.varying
}

// varying notes which of the parameters read the values in the map source are
// taken from; value is what it was resolved to.
func (r *resolver) varying(out map[*Value]Variation, read []string, source, value *Value) {
	if !source.IsKind(Map) || !value.IsKind(Map) || !source.dynamic {
		return
	}
	here := make(Variation)
	for i := range source.Fields {
		f := &source.Fields[i]
		key := f.Key
		if strings.HasPrefix(key, "Fn::") || key == "Ref" {
			key = "" // what keys it makes is not asked
		}
		r.mentioned(f.Value, 0, func(name string, _ *Value, _ bool) {
			if slices.Contains(read, name) && !slices.Contains(here[key], name) {
				here[key] = append(here[key], name)
			}
		})
		if key != "" && here[key] != nil {
			r.varying(out, read, f.Value, value.Get(key))
		}
	}
	if len(here) > 0 {
		out[value] = here
	}
}

// enumerates reports whether the values of a variable are those that a
// parameter allows.
func (r *resolver) enumerates(i int) bool {
	v := &r.variables[i]
	return v.parameter != nil && !v.parameter.given && len(v.parameter.declared.enumerated()) > 1
}

// Values are the values that a parameter may take in place of the one it has in
// this model, in the template's order; known is false where the model has none.
// It is nil for a parameter that Varying does not name. It is safe for
// concurrent use.
func (m *Model) Values(parameter string) (others []string, known bool) {
	r := m.resolver
	if r == nil {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.variableOf[parameter]
	if !ok || !r.enumerates(i) {
		return nil, false
	}
	now := &r.variables[i].choices[m.world.choices[i]]
	for _, text := range r.variables[i].parameter.declared.AllowedValues {
		if (now.value == nil || now.text != text) && !slices.Contains(others, text) {
			others = append(others, text)
		}
	}
	return others, now.value != nil
}

// With is the model of the world that differs from this one's in one parameter,
// which Varying must name: resources that do not read it, or a condition on it,
// are the same pointers. Asked twice it is the same model. It is nil where the
// bounds on what one template may ask for are reached. It is safe for
// concurrent use.
func (m *Model) With(parameter, value string) *Model {
	r := m.resolver
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.variableOf[parameter]
	if !ok || !r.enumerates(i) {
		return nil
	}
	c := r.choiceFor(i, value)
	if c < 0 {
		return nil
	}
	if c == m.world.choices[i] {
		return m
	}
	w := r.newWorld()
	copy(w.choices, m.world.choices)
	w.choices[i] = c
	key := make([]byte, 0, 4*len(w.choices))
	for _, c := range w.choices {
		key = append(strconv.AppendInt(key, int64(c), 36), ',')
	}
	if known := r.varied[string(key)]; known != nil {
		return known
	}
	if !r.afford(len(r.declared) * modelBytes) {
		return nil
	}
	var out *Model
	if r.variables[i].free && !r.sam {
		out = r.altered(m, w, i)
	} else {
		out = r.model(w, r.variants)
	}
	if r.varied == nil {
		r.varied = make(map[string]*Model)
	}
	r.varied[string(key)] = out
	return out
}

// altered is the model of a world that differs from m's in a variable on which
// no condition depends: the same resources, most of them as they are.
func (r *resolver) altered(m *Model, w *world, variable int) *Model {
	r.world = w
	out := &Model{Template: m.Template, Inputs: m.Inputs, resolver: r, world: w, Resources: slices.Clone(m.Resources), variants: slices.Clone(m.variants)}
	for k, old := range m.variants {
		if !slices.ContainsFunc(old.reads, func(x read) bool { return !x.condition && x.which == variable }) {
			continue
		}
		at := r.index[m.Resources[k].LogicalID]
		v := r.find(r.variants[at])
		if v == nil {
			v = r.resolve(r.declared[at])
			r.variants[at] = append(r.variants[at], v)
		}
		out.Resources[k], out.variants[k] = v.resources[0], v
	}
	return out
}

// Because lists what this model takes for granted that makes some resources
// look other than in the other models: of each condition whose outcome differs
// there, values that suffice for its outcome here, and each parameter that has
// another value. ids are the resources' logical ids; one may be absent from
// some of the models. It is empty where they look the same. It is safe for
// concurrent use.
func (m *Model) Because(others []*Model, ids []string) []Assumption {
	r := m.resolver
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var variables []int
	seen := make(map[int]bool) // conditions
	condition := func(c int) {
		if seen[c] {
			return
		}
		seen[c] = true
		here := r.truthIn(m.world, c)
		if slices.ContainsFunc(others, func(o *Model) bool { return r.truthIn(o.world, c) != here }) {
			for _, v := range r.sufficient(m.world, c) {
				insert(&variables, v)
			}
		}
	}
	reads := func(of *Model, id string) {
		k, ok := of.index()[id]
		if !ok {
			return
		}
		for _, x := range of.variants[k].reads {
			switch {
			case x.condition:
				condition(x.which)
			case slices.ContainsFunc(others, func(o *Model) bool { return o.world.choices[x.which] != m.world.choices[x.which] }):
				insert(&variables, x.which)
			}
		}
	}
	for _, id := range ids {
		if i, ok := r.index[id]; ok {
			if names := r.anyOf[id]; names != nil {
				for _, name := range names {
					if c, ok := r.conditionOf[name]; ok {
						condition(c)
					}
				}
			} else if c, ok := r.conditionOf[r.declared[i].Condition]; ok {
				condition(c)
			}
		}
		reads(m, id)
		for _, o := range others {
			reads(o, id)
		}
	}
	return r.assumptions(m.world, variables)
}

func (r *resolver) truthIn(w *world, condition int) truth {
	r.world = w
	return r.condition(condition)
}

// maxSuffices bounds the worlds that are tried to tell that some variables of a
// condition do not matter.
const maxSuffices = 1024

// sufficient are variables whose values in a world make a condition what it is,
// whatever its other variables are; none of them can be left out alone.
func (r *resolver) sufficient(w *world, condition int) []int {
	variables := r.conditions[condition].variables
	if len(variables) < 2 {
		return variables
	}
	here := r.truthIn(w, condition)
	other := r.newWorld()
	// same reports whether the outcome stays for all values of the variables.
	left := maxSuffices
	var same func(dropped []int) bool
	same = func(dropped []int) bool {
		if len(dropped) == 0 {
			left--
			other.forget()
			return left >= 0 && r.truthIn(other, condition) == here
		}
		v := dropped[0]
		before := other.choices[v]
		defer func() { other.choices[v] = before }()
		for c := range r.variables[v].choices {
			other.choices[v] = c
			if !same(dropped[1:]) {
				return false
			}
		}
		return true
	}
	copy(other.choices, w.choices)
	var dropped, kept []int
	for _, v := range variables {
		if same(append(slices.Clip(dropped), v)) {
			dropped = append(dropped, v)
		} else {
			kept = append(kept, v)
		}
	}
	return kept
}
