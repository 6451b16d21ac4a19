package ruleset

import (
	"strings"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// symbolicOp answers a call of which at least one operand is symbolic; nil:
// it has no answer, and the result is unknown.
type symbolicOp func(vals []ref.Val) ref.Val

// symbolicOps are the functions that have an answer for symbolic strings.
// Every other function's result is Unknown when an operand is symbolic.
var symbolicOps = map[string]symbolicOp{
	operators.Add: func(v []ref.Val) ref.Val { return joined(v[0], v[1]) },
	"string":      func(v []ref.Val) ref.Val { return v[0] },
	"dyn":         func(v []ref.Val) ref.Val { return v[0] },
	"type":        func(v []ref.Val) ref.Val { return types.StringType },
	"optional.of": func(v []ref.Val) ref.Val { return types.OptionalOf(v[0]) },
	"startsWith":  partOp((*symbolic).startsWith, false, true),
	"endsWith":    partOp((*symbolic).endsWith, true, false),
	"contains":    partOp((*symbolic).contains, true, true),
	"lowerAscii":  func(v []ref.Val) ref.Val { return v[0].(*symbolic).mapped(asciiLower) },
	"upperAscii":  func(v []ref.Val) ref.Val { return v[0].(*symbolic).mapped(asciiUpper) },
}

// lifting are the functions that do not look into the elements of a list or
// map, or that handle unknown ones themselves.
var lifting = map[string]bool{
	operators.Add: true, operators.Index: true, operators.OptIndex: true, "size": true, "dyn": true, "type": true,
	"optional.of": true, "value": true, "hasValue": true, "first": true, "last": true, "slice": true, "reverse": true,
	"cel.@mapInsert": true,
}

// counting are those of lifting whose answer stays right where an element may
// not be there: a list answers its size itself.
var counting = map[string]bool{operators.Add: true, "size": true, "dyn": true, "type": true, "optional.of": true, "value": true}

// partOp makes startsWith, endsWith and contains: has decides for a symbolic
// text and a plain part; before and after say where the part may have
// neighbours when the part itself is symbolic.
func partOp(has func(*symbolic, string) tri, before, after bool) symbolicOp {
	return func(v []ref.Val) ref.Val {
		switch text := v[0].(type) {
		case *symbolic:
			if part, ok := v[1].(types.String); ok {
				return text.answer(has(text, string(part)))
			}
		case types.String:
			if part, ok := v[1].(*symbolic); ok {
				return part.answer(part.within(string(text), before, after))
			}
		}
		return nil
	}
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// sizeNode compares a size with a constant: a symbolic text has a least size
// though it has no size, and so has a list of which an element is unsure.
type sizeNode struct {
	*callNode           // the comparison
	size      *callNode // size(x)
	constant  types.Int
	left      bool // the size is the left operand
}

// sizeBound recognises size(x) > 3 and the like.
func sizeBound(c *callNode) (*sizeNode, bool) {
	switch c.function {
	case operators.Greater, operators.GreaterEquals, operators.Less, operators.LessEquals, operators.Equals, operators.NotEquals:
	default:
		return nil, false
	}
	for i := range 2 {
		size, isCall := c.args[i].(*callNode)
		other, isConst := c.args[1-i].(interpreter.InterpretableConst)
		if !isCall || !isConst || size.function != "size" || len(size.args) != 1 {
			continue
		}
		if n, ok := other.Value().(types.Int); ok {
			return &sizeNode{callNode: c, size: size, constant: n, left: i == 0}, true
		}
	}
	return nil, false
}

func (n *sizeNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}

func (n *sizeNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	v := n.size.args[0].Exec(frame)
	least, most := 0, unbounded
	var unknown *types.Unknown
	switch x := v.(type) {
	case *symbolic:
		least, unknown = x.minimum(), x.unknown()
	case refList:
		if unknown = unsureIn(x); unknown != nil {
			least, most = sizeBounds(x)
		}
	}
	if unknown == nil {
		size := n.size.apply([]ref.Val{v})
		if n.left {
			return n.apply([]ref.Val{size, n.constant})
		}
		return n.apply([]ref.Val{n.constant, size})
	}
	if v := compareBounds(n.operator(), least, most, int(n.constant)); v != nil {
		return v
	}
	return unknown
}

const unbounded = int(^uint(0) >> 1)

// operator is the comparison with the size on the left.
func (n *sizeNode) operator() string {
	if n.left {
		return n.function
	}
	switch n.function {
	case operators.Greater:
		return operators.Less
	case operators.GreaterEquals:
		return operators.LessEquals
	case operators.Less:
		return operators.Greater
	case operators.LessEquals:
		return operators.GreaterEquals
	}
	return n.function
}

// compareBounds compares a size between least and most with n; nil: some sizes
// say yes and some no.
func compareBounds(operator string, least, most, n int) ref.Val {
	all, none := false, false
	switch operator {
	case operators.Greater:
		all, none = least > n, most <= n
	case operators.GreaterEquals:
		all, none = least >= n, most < n
	case operators.Less:
		all, none = most < n, least >= n
	case operators.LessEquals:
		all, none = most <= n, least > n
	case operators.Equals:
		all, none = least == n && most == n, least > n || most < n
	case operators.NotEquals:
		all, none = least > n || most < n, least == n && most == n
	}
	switch {
	case all:
		return types.True
	case none:
		return types.False
	}
	return nil
}
