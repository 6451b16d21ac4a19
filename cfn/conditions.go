package cfn

import (
	"slices"
	"strings"
)

// truth is what is known of a condition.
type truth int8

const (
	unsure truth = iota
	isTrue
	isFalse
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// condition is one entry of the template's Conditions.
type condition struct {
	name      string
	expr      *node
	variables []int // that it depends on, through other conditions too; sorted
	visited   int   // while variables are gathered
}

// node is a compiled condition expression.
type node struct {
	op   nodeOp
	kids []*node
	cond int    // opCondition
	v    int    // opIs: the variable; opEquals and opOpaque: the variable that decides where the values do not
	text string // opIs
	a, b *Value // opEquals
}

type nodeOp uint8

const (
	opOpaque nodeOp = iota // nothing is known: the variable decides
	opNot
	opAnd
	opOr
	opCondition
	opIs     // a variable's value is a text
	opEquals // two values, resolved in the world, are equal
	opTrue
	opFalse
)

// variable is something that conditions depend on and that is not given: a
// parameter, a pseudo parameter, or the outcome of a comparison that no
// enumeration of values decides.
type variable struct {
	name       string
	parameter  *parameter // nil: pseudo parameter or outcome
	outcome    bool       // of a comparison; choices are false, true
	condition  int        // outcome: the first condition that holds the comparison
	choices    []choice
	determined bool // choices[0] is the parameter's default
	free       bool // no condition depends on it; where it is not determined, choices[0] is not known

	literals []string // that it is compared with, before choices are made
	keysOnly bool     // it is a key of a mapping, so no other value deploys
}

// choice is one value of a variable.
type choice struct {
	text     string // as an assumption shows it
	value    *Value // nil: some other value than those compared with
	standard bool   // the parameter's default

	parameter *parameter
	name      string
	why       *Unknowing // of another value: what it is not
}

// chosen is a choice's value at a place.
func (r *resolver) chosen(c *choice, pos Pos, o Origin) *Value {
	switch {
	case c.value != nil:
		v := withOrigin(c.value, o)
		v.Pos = pos
		return v
	case c.why != nil:
		return r.unknownFrom(c.why, o)
	case c.parameter != nil:
		return r.unknown(c.parameter, o)
	}
	return r.pseudoUnknown(c.name, pos)
}

// choiceOf is the choice that the world makes for a variable, noted as read.
func (r *resolver) choiceOf(i int) *choice {
	v := &r.variables[i]
	if r.world.strict && !v.determined {
		return &choice{parameter: v.parameter, name: v.name}
	}
	c := r.world.choices[i]
	r.note(read{which: i, value: c})
	return &v.choices[c]
}

func (r *resolver) note(x read) {
	if r.recording && !slices.Contains(r.reads, x) {
		r.reads = append(r.reads, x)
	}
}

// holds reports whether a condition is true in the world, noted as read.
func (r *resolver) holds(i int) bool {
	t := r.condition(i)
	r.note(read{condition: true, which: i, value: int(t)})
	return t == isTrue
}

// condition is the truth of a condition in the world: decided in every world
// that is not strict.
func (r *resolver) condition(i int) truth {
	w := r.world
	if w.truth[i] != unsure || w.open[i] {
		return w.truth[i]
	}
	recording := r.recording
	r.recording = false
	w.open[i] = true
	t := r.eval(r.conditions[i].expr)
	w.open[i] = w.strict // asked once only; a cycle and an undecided condition stay unsure
	r.recording = recording
	if t == unsure && !w.strict {
		t = isFalse // a cycle
	}
	w.truth[i] = t
	return t
}

func (r *resolver) eval(n *node) truth {
	switch n.op {
	case opTrue:
		return isTrue
	case opFalse:
		return isFalse
	case opNot:
		switch r.eval(n.kids[0]) {
		case isTrue:
			return isFalse
		case isFalse:
			return isTrue
		}
		return unsure
	case opAnd, opOr:
		decides := isFalse // of And
		if n.op == opOr {
			decides = isTrue
		}
		all := true
		for _, k := range n.kids {
			switch r.eval(k) {
			case decides:
				return decides
			case unsure:
				all = false
			}
		}
		if !all {
			return unsure
		}
		return isTrue + isFalse - decides
	case opCondition:
		t := r.condition(n.cond)
		r.note(read{condition: true, which: n.cond, value: int(t)})
		return t
	case opIs:
		c := r.choiceOf(n.v)
		if c.value == nil {
			if r.world.strict && !r.variables[n.v].determined {
				return unsure
			}
			return isFalse
		}
		return truthOf(c.value.Text == n.text)
	case opEquals:
		if t := equal(r.value(n.a), r.value(n.b)); t != unsure {
			return t
		}
	}
	return r.outcome(n.v)
}

// outcome is what the world assumes of a comparison that values do not decide.
func (r *resolver) outcome(i int) truth {
	if r.world.strict || i < 0 {
		return unsure
	}
	r.world.used[i] = true
	return truthOf(r.world.choices[i] == 1)
}

// equal compares two resolved values as Fn::Equals does: as text.
func equal(a, b *Value) truth {
	if a == nil || b == nil {
		return truthOf(a == nil && b == nil)
	}
	if a == b {
		return isTrue
	}
	switch {
	case a.Kind == Unknown && b.Kind == Unknown:
		return equalUnknown(a.Unknown, b.Unknown)
	case b.Kind == Unknown:
		a, b = b, a
		fallthrough
	case a.Kind == Unknown:
		u := a.Unknown
		if isScalar(b) && (slices.Contains(u.unlike, b.Text) || !u.CanEqual(b.Text)) {
			return isFalse
		}
		if b.Kind == List && len(b.Items) == 0 && u.filled {
			return isFalse
		}
		return unsure
	case a.Kind == List && b.Kind == List:
		if len(a.Items) != len(b.Items) {
			return isFalse
		}
		all := isTrue
		for i := range a.Items {
			switch equal(a.Items[i], b.Items[i]) {
			case isFalse:
				return isFalse
			case unsure:
				all = unsure
			}
		}
		return all
	case a.Kind == Map && b.Kind == Map:
		if len(a.Fields) != len(b.Fields) {
			return isFalse
		}
		all := isTrue
		for i := range a.Fields {
			switch equal(a.Fields[i].Value, b.Get(a.Fields[i].Key)) {
			case isFalse:
				return isFalse
			case unsure:
				all = unsure
			}
		}
		return all
	case isScalar(a) && isScalar(b):
		return truthOf(a.Text == b.Text)
	}
	return truthOf(a.Kind == b.Kind)
}

// equalUnknown compares two unknowns: the same reference is equal to itself,
// texts that begin or end differently are not.
func equalUnknown(a, b *Unknowing) truth {
	if a == b && len(a.Shape) > 0 || a.Ref != nil && b.Ref != nil && *a.Ref == *b.Ref {
		return isTrue
	}
	if len(a.Shape) == 0 || len(b.Shape) == 0 {
		return unsure
	}
	if p, q := a.Shape[0].Literal, b.Shape[0].Literal; !strings.HasPrefix(p, q) && !strings.HasPrefix(q, p) {
		return isFalse
	}
	if p, q := a.Shape[len(a.Shape)-1].Literal, b.Shape[len(b.Shape)-1].Literal; !strings.HasSuffix(p, q) && !strings.HasSuffix(q, p) {
		return isFalse
	}
	return unsure
}

// truthOf is the truth of a condition function that stands in a place of values.
func (r *resolver) truthOf(v *Value) truth {
	recording := r.recording
	defer func() { r.recording = recording }()
	return r.eval((&compiler{r: r, inline: true}).expr(v))
}
