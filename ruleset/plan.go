package ruleset

import (
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"

	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// planner replaces CEL's nodes for calls by ours, which know symbolic strings
// and lists with unknown elements. CEL's own would answer false for
// `symbolic == "x"`, which may be true after deployment.
type planner struct {
	// overloads are the environment's implementations by overload id and by
	// function name.
	overloads map[string]*functions.Overload
}

// decorate is the planner's decorator: CEL calls it for each node, leaves first.
// What it returns for calls is no interpreter.InterpretableCall on purpose, so
// that CEL's later optimizations leave it alone.
func (p *planner) decorate(n interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch n := n.(type) {
	case interpreter.InterpretableCall:
		return p.call(n)
	case interpreter.InterpretableConstructor:
		if n.Type() == types.MapType {
			for _, v := range n.InitVals() {
				if _, constant := v.(interpreter.InterpretableConst); !constant {
					return &mapNode{n}, nil
				}
			}
		}
	}
	return n, nil
}

func (p *planner) call(n interpreter.InterpretableCall) (interpreter.InterpretableV2, error) {
	args := n.Args()
	switch n.Function() {
	case operators.LogicalNot, operators.Negate, operators.NotStrictlyFalse:
		return n, nil // their operand is never a text
	case operators.Equals, operators.NotEquals:
		equals := &equalNode{id: n.ID(), a: args[0], b: args[1], negate: n.Function() == operators.NotEquals}
		if bound, ok := sizeBound(&callNode{id: n.ID(), function: n.Function(), args: args, impl: equals.overload()}); ok {
			return bound, nil
		}
		return equals, nil
	case operators.In, operators.OldIn:
		return &inNode{id: n.ID(), x: args[0], in: args[1]}, nil
	}
	if ask := propertyNodes[n.Function()]; ask != nil {
		return &propertyNode{id: n.ID(), operand: args[0], name: args[1], ask: ask, presentOnly: n.Function() == hasFunction}, nil
	}
	if n.Function() == collectFunction {
		return &collectNode{n.ID(), args[0], args[1], args[2], args[3]}, nil
	}
	if ask := setOps[n.Function()]; ask != nil && len(args) == 2 {
		return &setNode{n.ID(), args[0], args[1], ask}, nil
	}
	c := &callNode{id: n.ID(), function: n.Function(), args: args}
	if c.impl = p.overloads[n.OverloadID()]; c.impl == nil {
		c.impl = p.overloads[n.Function()]
	}
	if c.impl == nil {
		c.impl = &functions.Overload{} // dispatched by the receiver, as CEL does
	}
	c.symbolic = symbolicOps[n.Function()]
	c.whole = wholeFunctions()[n.Function()]
	c.lifts = c.whole || lifting[n.Function()]
	if n.Function() == "matches" && len(args) == 2 {
		match := &matchNode{callNode: c}
		if pattern, ok := args[1].(interpreter.InterpretableConst); ok {
			text, _ := pattern.Value().(types.String)
			re, err := regexp.Compile(string(text))
			if err != nil {
				return nil, fmt.Errorf("pattern %q: %w", string(text), err)
			}
			match.constant = re
		}
		return match, nil
	}
	if bound, ok := sizeBound(c); ok {
		return bound, nil
	}
	return c, nil
}

// callNode calls a function.
type callNode struct {
	id       int64
	function string
	args     []interpreter.InterpretableV2
	impl     *functions.Overload
	symbolic symbolicOp // nil: a symbolic operand makes the result unknown
	lifts    bool       // the function handles lists and maps with unknown elements
	whole    bool       // the function handles symbolic strings itself
}

func (c *callNode) ID() int64 { return c.id }
func (c *callNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, c.Exec)
}

func (c *callNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	// Most calls have one or two plain operands: no list of them is made.
	switch {
	case len(c.args) == 1 && c.impl.Unary != nil:
		a := c.args[0].Exec(frame)
		if plain(a) && c.takes(a) {
			return types.LabelErrNode(c.id, c.impl.Unary(a))
		}
		return c.apply([]ref.Val{a})
	case len(c.args) == 2 && c.impl.Binary != nil:
		a, b := c.args[0].Exec(frame), c.args[1].Exec(frame)
		if plain(a) && plain(b) && c.takes(a) {
			return types.LabelErrNode(c.id, c.impl.Binary(a, b))
		}
		return c.apply([]ref.Val{a, b})
	}
	vals := make([]ref.Val, len(c.args))
	for i, arg := range c.args {
		vals[i] = arg.Exec(frame)
	}
	return c.apply(vals)
}

// plain reports whether nothing of v can be unknown.
func plain(v ref.Val) bool {
	switch v.(type) {
	case types.String, types.Int, types.Bool, types.Double:
		return true
	}
	return false
}

// takes reports whether the implementation takes the first operand; CEL lets
// the operand itself answer otherwise.
func (c *callNode) takes(a ref.Val) bool {
	return c.impl.OperandTrait == 0 || a.Type().HasTrait(c.impl.OperandTrait)
}

// apply calls the function with values that may be unknown.
func (c *callNode) apply(vals []ref.Val) ref.Val {
	var unknown *types.Unknown
	var symbol bool
	for _, v := range vals {
		switch v := v.(type) {
		case types.String, types.Int, types.Bool, types.Double:
		case *types.Err:
			if !c.impl.NonStrict {
				return v
			}
		case *types.Unknown:
			unknown = types.MergeUnknowns(unknown, v)
		case *symbolic:
			symbol = true
		case refList:
			if !c.lifts {
				unknown = types.MergeUnknowns(unknown, unknownIn(v, 0))
			} else if !c.whole && !counting[c.function] {
				unknown = types.MergeUnknowns(unknown, unsureIn(v))
			}
		case traits.Lister, traits.Mapper, *mapView:
			if !c.lifts {
				unknown = types.MergeUnknowns(unknown, unknownIn(v, 0))
			}
		}
	}
	if unknown != nil && !c.impl.NonStrict {
		return unknown
	}
	if symbol && !c.whole && !c.impl.NonStrict {
		if c.symbolic != nil {
			if v := c.symbolic(vals); v != nil {
				return v
			}
		}
		return symbolsIn(vals)
	}
	return c.invoke(vals)
}

func (c *callNode) invoke(vals []ref.Val) ref.Val {
	o := c.impl
	if c.function == "size" && len(vals) == 1 && vals[0] == (absent{}) {
		return types.IntZero // CEL's null has no size
	}
	if c.function == operators.Add {
		// A list of CEL's own would not know that elements of the other are unsure.
		a, isList := vals[0].(traits.Lister)
		b, ours := vals[1].(refList)
		if isList && ours {
			return concat(a, b)
		}
	}
	if len(vals) > 0 && !types.IsUnknownOrError(vals[0]) && !c.takes(vals[0]) {
		o = &functions.Overload{}
	}
	var out ref.Val
	switch {
	case len(vals) == 1 && o.Unary != nil:
		out = o.Unary(vals[0])
	case len(vals) == 2 && o.Binary != nil:
		out = o.Binary(vals[0], vals[1])
	case o.Function != nil:
		out = o.Function(vals...)
	default:
		out = c.receive(vals)
	}
	return types.LabelErrNode(c.id, out)
}

// receive lets the first operand answer, as CEL does for methods of values.
func (c *callNode) receive(vals []ref.Val) ref.Val {
	if len(vals) > 0 {
		if r, ok := vals[0].(traits.Receiver); ok {
			return r.Receive(c.function, "", vals[1:])
		}
	}
	return types.NewErr("no such overload: %s", c.function)
}

// equalNode is == and !=.
type equalNode struct {
	id     int64
	a, b   interpreter.InterpretableV2
	negate bool
}

func (n *equalNode) ID() int64 { return n.id }
func (n *equalNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}
func (n *equalNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return n.compare(n.a.Exec(frame), n.b.Exec(frame))
}

func (n *equalNode) compare(a, b ref.Val) ref.Val {
	if n.negate {
		return not(equal(a, b))
	}
	return equal(a, b)
}

// overload is the comparison for a node that evaluates the operands itself.
func (n *equalNode) overload() *functions.Overload { return &functions.Overload{Binary: n.compare} }

// inNode is `x in list` and `key in map`.
type inNode struct {
	id    int64
	x, in interpreter.InterpretableV2
}

func (n *inNode) ID() int64 { return n.id }
func (n *inNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}
func (n *inNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	x, in := n.x.Exec(frame), n.in.Exec(frame)
	if v := strict(x, in); v != nil {
		return v
	}
	if l, ok := in.(traits.Lister); ok {
		return contains(l, x)
	}
	return inMap(in, x)
}

// matchNode is text.matches(pattern). A pattern is compiled once: a constant
// with the rule, one that a let or the policy file gives when it is first seen.
type matchNode struct {
	*callNode
	constant *regexp.Regexp // nil: the pattern is computed
	seen     sync.Map       // pattern → *regexp.Regexp

	answers sync.Map     // short text → bool, of the constant or the one pattern that was seen
	known   atomic.Int32 // how many
	one     atomic.Pointer[regexp.Regexp]
}

// Answers are kept for short texts, such as the actions of policies, of which a
// scan asks for the same few over and over; a long one is hardly met twice.
const (
	longestKept = 64
	mostKept    = 4096
)

// match is re.MatchString(text).
func (n *matchNode) match(re *regexp.Regexp, text string) bool {
	if len(text) > longestKept || re != n.constant && re != n.one.Load() {
		return re.MatchString(text)
	}
	if answer, ok := n.answers.Load(text); ok {
		return answer.(bool)
	}
	answer := re.MatchString(text)
	if n.known.Load() < mostKept {
		n.known.Add(1)
		n.answers.Store(text, answer)
	}
	return answer
}

func (n *matchNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}
func (n *matchNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	text := n.args[0].Exec(frame)
	re := n.constant
	if re == nil {
		pattern := n.args[1].Exec(frame)
		plain, ok := pattern.(types.String)
		if !ok {
			return n.apply([]ref.Val{text, pattern})
		}
		var err error
		if re, err = n.compile(string(plain)); err != nil {
			return types.LabelErrNode(n.id, types.WrapErr(err))
		}
	}
	switch text := text.(type) {
	case types.String:
		return types.Bool(n.match(re, string(text)))
	case *symbolic:
		return text.answer(text.matches(re))
	case *types.Unknown:
		return text
	case *types.Err:
		return text
	default:
		return types.MaybeNoSuchOverloadErr(text)
	}
}

// compile compiles a pattern once. Patterns stand in rules and in the policy
// file, so there are few.
func (n *matchNode) compile(pattern string) (*regexp.Regexp, error) {
	if re, ok := n.seen.Load(pattern); ok {
		return re.(*regexp.Regexp), nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	n.one.CompareAndSwap(nil, re)
	if kept, loaded := n.seen.LoadOrStore(pattern, re); loaded {
		return kept.(*regexp.Regexp), nil
	}
	return re, nil
}

// mapNode builds a map; a key that is not known makes the whole map unknown.
type mapNode struct {
	interpreter.InterpretableConstructor
}

func (n *mapNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}
func (n *mapNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	m := n.InterpretableConstructor.Exec(frame)
	if mapper, ok := m.(traits.Mapper); ok {
		for it := mapper.Iterator(); it.HasNext() == types.True; {
			if s, ok := it.Next().(*symbolic); ok {
				return s.unknown()
			}
		}
	}
	return m
}

// unknownIn merges what is unknown inside a list or map; nil: nothing is.
func unknownIn(v ref.Val, depth int) *types.Unknown {
	var out *types.Unknown
	switch v := v.(type) {
	case *types.Unknown:
		return v
	case *symbolic:
		return v.unknown()
	case traits.Lister:
		if depth < 4 {
			for _, x := range elements(v) {
				out = types.MergeUnknowns(out, unknownIn(x, depth+1))
			}
		}
	case types.String, types.Int, types.Bool, types.Double:
	default:
		if m := keysOf(v); m != nil && depth < 4 {
			out = types.MergeUnknowns(out, m.more)
			for _, k := range m.keys {
				out = types.MergeUnknowns(out, unknownIn(m.get(k), depth+1))
			}
		}
	}
	return out
}

func symbolsIn(vals []ref.Val) ref.Val {
	var needs []string
	for _, v := range vals {
		if s, ok := v.(*symbolic); ok {
			needs = mergeNeeds(needs, s.needs)
		}
	}
	return unknownOf(needs)
}
