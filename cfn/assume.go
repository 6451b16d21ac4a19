package cfn

import "slices"

// assumptions lists what a world takes for granted of these variables.
func (r *resolver) assumptions(w *world, variables []int) []Assumption {
	if len(variables) == 0 {
		return nil
	}
	out := make([]Assumption, 0, len(variables))
	for _, i := range variables {
		v := &r.variables[i]
		if v.free && !v.determined && w.choices[i] == 0 {
			continue // nothing is taken for granted of it
		}
		if !v.outcome {
			out = append(out, v.assumption(w.choices[i]))
			continue
		}
		if !w.used[i] || slices.ContainsFunc(out, func(a Assumption) bool { return a.Name == v.name }) {
			continue
		}
		r.world = w
		value := "false"
		if r.condition(v.condition) == isTrue {
			value = "true"
		}
		out = append(out, Assumption{Name: v.name, Value: value})
	}
	return out
}

// assumption is what choosing a value of the variable takes for granted. The
// default of a NoEcho parameter is not shown.
func (v *variable) assumption(i int) Assumption {
	c := &v.choices[i]
	a := Assumption{Name: v.name, Value: c.text, Default: c.standard}
	if v.parameter != nil && v.parameter.declared.NoEcho && c.value != nil && c.text != "" {
		a.Value = "****"
	}
	return a
}

// AssumedFor is the part of Assumed that decides what this resource of the
// model looks like: of each condition that it depends on, the values that would
// change the condition's outcome if they were others. It is nil for a resource
// that is the same whatever is assumed. Where all are defaults, the resource
// follows from defaults. It is safe for concurrent use.
func (m *Model) AssumedFor(res *Resource) []Assumption {
	if m.resolver == nil {
		return m.Assumed
	}
	i, ok := m.index()[res.LogicalID]
	if !ok || m.Resources[i] != res {
		return nil
	}
	r := m.resolver
	r.mu.Lock()
	defer r.mu.Unlock()
	var variables []int
	for _, x := range m.variants[i].reads {
		if !x.condition {
			variables = append(variables, x.which)
			continue
		}
		variables = append(variables, r.deciding(m.world, x.which)...)
	}
	slices.Sort(variables)
	return r.assumptions(m.world, slices.Compact(variables))
}

// DeterminedFor reports whether this resource of the model looks as it does by
// given values and defaults alone, whatever the rest of the model takes for
// granted: in the base world of a template with one condition on an unknown
// region, the resources that do not turn on it are determined. It is false in
// further worlds for what they change. It is safe for concurrent use.
func (m *Model) DeterminedFor(res *Resource) bool {
	if m.resolver == nil {
		return m.Determined
	}
	i, ok := m.index()[res.LogicalID]
	if !ok || m.Resources[i] != res {
		return false
	}
	r := m.resolver
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sure == nil {
		r.sure = r.newWorld()
		r.sure.strict = true
	}
	r.world = r.sure
	for _, x := range m.variants[i].reads {
		switch {
		case x.condition && int(r.condition(x.which)) != x.value,
			!x.condition && (x.value != 0 || !r.variables[x.which].determined && !r.variables[x.which].free):
			return false
		}
	}
	return true
}

// FromDefaults says how far this resource of the model is from given values and
// defaults: in how many of the variables that it turns on the model takes others.
// It is false where one of them has neither. It is safe for concurrent use.
func (m *Model) FromDefaults(res *Resource) (changes int, ok bool) {
	if m.resolver == nil {
		return 0, m.Determined
	}
	i, ok := m.index()[res.LogicalID]
	if !ok || m.Resources[i] != res {
		return 0, false
	}
	r := m.resolver
	var variables []int
	for _, x := range m.variants[i].reads {
		switch {
		case x.condition:
			for _, v := range r.conditions[x.which].variables {
				insert(&variables, v)
			}
		case !r.variables[x.which].free:
			insert(&variables, x.which)
		}
	}
	for _, v := range variables {
		if !r.variables[v].determined {
			return 0, false
		}
		if m.world.choices[v] != 0 {
			changes++
		}
	}
	return changes, true
}

// deciding are the variables that a condition turns on in a world: a change of
// one of them alone changes the outcome. Where it takes two or more changes, all
// variables of the condition are meant.
func (r *resolver) deciding(w *world, condition int) []int {
	variables := r.conditions[condition].variables
	r.world = w
	before := r.condition(condition)
	other := r.newWorld()
	r.world = other
	var out []int
next:
	for _, v := range variables {
		for c := range r.variables[v].choices {
			if c == w.choices[v] {
				continue
			}
			other.set(nil)
			copy(other.choices, w.choices)
			other.choices[v] = c
			if r.condition(condition) != before {
				out = append(out, v)
				continue next
			}
		}
	}
	if out == nil {
		return variables
	}
	return out
}
