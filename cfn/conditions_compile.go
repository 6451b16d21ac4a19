package cfn

import (
	"slices"
	"strings"
)

// Bounds on exploration. They are wide of what templates hold: of 300 public
// ones none has a parameter compared with more than 40 values.
const (
	maxChoices = 64  // values tried of one variable
	maxTrials  = 512 // assignments tried for one set of conditions
	maxMerges  = 64  // truths beyond the bound on worlds that are tried in those there are
)

// compiler makes nodes of condition expressions.
type compiler struct {
	r       *resolver
	current int  // the condition in work
	inline  bool // an expression outside Conditions: no variable may be added
	depth   int
	opaques []*Value // comparisons that have a variable, and the variable of each
	outcome []int
}

// compile reads the template's conditions: first what is compared with what,
// which gives the variables and their choices, then the expressions.
func (r *resolver) compile() {
	if len(r.t.Conditions) == 0 {
		return
	}
	fields := r.expandConditions()
	r.conditions = make([]condition, len(fields))
	r.conditionOf = make(map[string]int, len(fields))
	r.variableOf = make(map[string]int)
	for i, f := range fields {
		r.conditions[i].name = f.Key
		r.conditionOf[f.Key] = i
	}
	for _, f := range fields {
		r.gather(f.Value, 0)
	}
	for i := range r.variables {
		r.variables[i].makeChoices(r)
	}
	c := &compiler{r: r}
	for i, f := range fields {
		c.current = i
		r.conditions[i].expr = c.expr(f.Value)
	}
	for i := range r.conditions {
		r.conditions[i].variables = r.variablesOf(i, i+1, nil)
	}
}

// gather finds the comparisons in an expression.
func (r *resolver) gather(v *Value, depth int) {
	if v == nil || depth > 200 {
		return
	}
	if v.Kind == Map && len(v.Fields) == 1 && v.Fields[0].Key == "Fn::Equals" {
		if args := v.Fields[0].Value; args.IsKind(List) && len(args.Items) == 2 {
			r.compared(args.Items[0], args.Items[1])
			r.compared(args.Items[1], args.Items[0])
			return
		}
	}
	for i := range v.Fields {
		r.gather(v.Fields[i].Value, depth+1)
	}
	for _, item := range v.Items {
		r.gather(item, depth+1)
	}
}

// compared notes that what a mentions is compared with b.
func (r *resolver) compared(a, b *Value) {
	if a == nil || !a.dynamic {
		return
	}
	r.mentioned(a, 0, func(name string, table *Value, second bool) {
		i, ok := r.variable(name)
		if !ok {
			return
		}
		v := &r.variables[i]
		if table == nil {
			v.literalsOf(b, 0)
			return
		}
		v.keysOnly = true
		for i := range table.Fields {
			if !second {
				v.literal(table.Fields[i].Key)
				continue
			}
			for j := range table.Fields[i].Value.fields() {
				v.literal(table.Fields[i].Value.Fields[j].Key)
			}
		}
	})
}

func (v *Value) fields() []Field {
	if v == nil {
		return nil
	}
	return v.Fields
}

// mentioned calls f with each name that a value refers to, and with the
// mapping where the name is a key of one.
func (r *resolver) mentioned(v *Value, depth int, f func(name string, table *Value, second bool)) {
	if v == nil || !v.dynamic || depth > 200 {
		return
	}
	for _, item := range v.Items {
		r.mentioned(item, depth+1, f)
	}
	for i := range v.Fields {
		arg := v.Fields[i].Value
		switch v.Fields[i].Key {
		case "Ref":
			if arg.IsKind(String) {
				f(arg.Text, nil, false)
			}
			continue
		case "Fn::Sub":
			text := arg
			if arg.IsKind(List) && len(arg.Items) > 0 {
				text = arg.Items[0]
			}
			if text.IsKind(String) {
				subNames(text.Text, func(name string) { f(name, nil, false) })
			}
		case "Fn::FindInMap":
			if arg.IsKind(List) && len(arg.Items) == 3 && arg.Items[0].IsKind(String) {
				table := r.t.Mappings.Get(arg.Items[0].Text)
				for k, key := range arg.Items[1:] {
					if name := key.Get("Ref"); name.IsKind(String) {
						f(name.Text, table, k == 1)
					} else {
						r.mentioned(key, depth+1, f)
					}
				}
				continue
			}
		}
		r.mentioned(arg, depth+1, f)
	}
}

// subNames calls f with each name in the ${…} of a text.
func subNames(text string, f func(string)) {
	for {
		_, after, ok := strings.Cut(text, "${")
		if !ok {
			return
		}
		name, rest, ok := strings.Cut(after, "}")
		if !ok {
			return
		}
		if !strings.HasPrefix(name, "!") {
			f(strings.TrimSpace(name))
		}
		text = rest
	}
}

// variable is the variable of a name, made where the name is a parameter or
// pseudo parameter whose value is not settled by the inputs.
func (r *resolver) variable(name string) (int, bool) {
	if i, ok := r.variableOf[name]; ok {
		return i, true
	}
	v := variable{name: name}
	if p := r.params[name]; p != nil {
		if p.given && p.value != nil {
			return 0, false
		}
		v.parameter = p
	} else {
		switch name {
		case pseudoRegion, pseudoAccountID, pseudoStackName:
			if r.givenPseudo(name) != "" {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	r.variables = append(r.variables, v)
	r.variableOf[name] = len(r.variables) - 1
	return len(r.variables) - 1, true
}

// expr compiles an expression.
func (c *compiler) expr(v *Value) *node {
	if c.depth > 200 {
		return c.opaque(v)
	}
	c.depth++
	defer func() { c.depth-- }()
	if v.IsKind(Bool) || v.IsKind(String) {
		switch strings.ToLower(v.Text) {
		case "true":
			return &node{op: opTrue}
		case "false":
			return &node{op: opFalse}
		}
	}
	if !v.IsKind(Map) || len(v.Fields) != 1 {
		return c.opaque(v)
	}
	arg := v.Fields[0].Value
	switch v.Fields[0].Key {
	case "Condition":
		if i, ok := c.r.conditionOf[arg.text()]; ok {
			return &node{op: opCondition, cond: i}
		}
	case "Fn::Not":
		if arg.IsKind(Map) {
			return &node{op: opNot, kids: []*node{c.expr(arg)}}
		}
		if arg.IsKind(List) && len(arg.Items) == 1 {
			return &node{op: opNot, kids: []*node{c.expr(arg.Items[0])}}
		}
	case "Fn::And", "Fn::Or":
		if !arg.IsKind(List) || len(arg.Items) == 0 {
			break
		}
		n := &node{op: opAnd, kids: make([]*node, len(arg.Items))}
		if v.Fields[0].Key == "Fn::Or" {
			n.op = opOr
		}
		for i, item := range arg.Items {
			n.kids[i] = c.expr(item)
		}
		return n
	case "Fn::Equals":
		if arg.IsKind(List) && len(arg.Items) == 2 {
			return c.equals(v, arg.Items[0], arg.Items[1])
		}
	}
	return c.opaque(v)
}

func (c *compiler) equals(whole, a, b *Value) *node {
	if !a.dynamic && !b.dynamic {
		if equal(a, b) == isTrue {
			return &node{op: opTrue}
		}
		return &node{op: opFalse}
	}
	for range 2 {
		if name := a.Get("Ref"); name.IsKind(String) && isScalar(b) && !b.dynamic {
			if i, ok := c.r.variableOf[name.Text]; ok && !c.inline {
				if p := c.r.variables[i].parameter; p == nil || !holdsList(p.declared.Type) {
					return &node{op: opIs, v: i, text: b.Text}
				}
			}
		}
		a, b = b, a
	}
	n := c.opaque(whole)
	if n.op == opOpaque {
		n.op, n.a, n.b = opEquals, a, b
	}
	return n
}

// opaque makes a node whose outcome nothing decides but a variable of its own;
// equal comparisons share one.
func (c *compiler) opaque(v *Value) *node {
	if c.inline {
		return &node{op: opOpaque, v: -1}
	}
	const most = 256 // comparisons that are compared with each other
	for i, known := range c.opaques[:min(len(c.opaques), most)] {
		if sameSource(known, v, 0) {
			return &node{op: opOpaque, v: c.outcome[i]}
		}
	}
	r := c.r
	r.variables = append(r.variables, variable{
		name: r.conditions[c.current].name, outcome: true, condition: c.current,
		choices: []choice{{text: "false"}, {text: "true"}},
	})
	c.opaques = append(c.opaques, v)
	c.outcome = append(c.outcome, len(r.variables)-1)
	return &node{op: opOpaque, v: len(r.variables) - 1}
}

// sameSource reports whether two source trees say the same.
func sameSource(a, b *Value, depth int) bool {
	if a == nil || b == nil || a.Kind != b.Kind || a.Text != b.Text ||
		len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields) || depth > 200 {
		return a == b
	}
	for i := range a.Items {
		if !sameSource(a.Items[i], b.Items[i], depth+1) {
			return false
		}
	}
	for i := range a.Fields {
		if a.Fields[i].Key != b.Fields[i].Key || !sameSource(a.Fields[i].Value, b.Fields[i].Value, depth+1) {
			return false
		}
	}
	return true
}

// variablesOf gathers the variables of a condition and of those it names.
func (r *resolver) variablesOf(i, visit int, out []int) []int {
	if r.conditions[i].visited == visit || r.tried > maxTried {
		return out
	}
	r.conditions[i].visited = visit
	var walk func(n *node)
	add := func(v int) {
		r.tried += 1 + len(out)/16
		if at, ok := slices.BinarySearch(out, v); !ok {
			out = slices.Insert(out, at, v)
		}
	}
	walk = func(n *node) {
		r.tried++
		switch n.op {
		case opCondition:
			out = r.variablesOf(n.cond, visit, out)
		case opIs, opOpaque:
			add(n.v)
		case opEquals:
			add(n.v)
			for _, v := range []*Value{n.a, n.b} {
				r.mentioned(v, 0, func(name string, _ *Value, _ bool) {
					switch name {
					case pseudoPartition, pseudoURLSuffix, pseudoStackID:
						name = pseudoRegion
					}
					if j, ok := r.variableOf[name]; ok {
						add(j)
					}
				})
			}
		}
		for _, k := range n.kids {
			walk(k)
		}
	}
	walk(r.conditions[i].expr)
	return out
}
