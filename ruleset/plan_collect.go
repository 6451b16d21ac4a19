package ruleset

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"
)

// CEL's own filter and map make the whole list unknown as soon as one element
// is. Ours keep the others: an element of which it is not known whether it
// belongs stays in the list as an Unknown with a mark, so that the list knows
// how many elements it has at least, and exists() can still be true.

const collectFunction = "@collect"

// unsureMark is the attribute trail that marks an element which may not be there.
const unsureMark = "\x00unsure"

var unsureTrail = types.NewAttributeTrail(unsureMark)

// unsureID is the id of the mark among an Unknown's trails; needs have positive ones.
const unsureID = -1

func markUnsure(u *types.Unknown) *types.Unknown {
	return types.MergeUnknowns(u, types.NewUnknown(unsureID, unsureTrail))
}

func isUnsure(v ref.Val) bool {
	u, ok := v.(*types.Unknown)
	if !ok {
		return false
	}
	_, marked := u.GetAttributeTrails(unsureID)
	return marked
}

// collectMacros replace CEL's filter and map.
func collectMacros() []cel.Macro {
	return []cel.Macro{
		cel.ReceiverMacro("filter", 2, filterMacro),
		cel.ReceiverMacro("map", 2, mapMacro),
		cel.ReceiverMacro("map", 3, mapMacro),
	}
}

// collectExpr expands to a loop whose step is @collect(list, keep, value, x).
func collectExpr(h parser.ExprHelper, target ast.Expr, x string, keep, value ast.Expr) ast.Expr {
	step := h.NewCall(collectFunction, h.NewAccuIdent(), keep, value, h.NewIdent(x))
	return h.NewComprehension(target, x, h.AccuIdentName(), h.NewList(), h.NewLiteral(types.True), step, h.NewAccuIdent())
}

func filterMacro(h parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	x, err := loopVariable(h, args[0])
	if err != nil {
		return nil, err
	}
	return collectExpr(h, target, x, args[1], h.NewIdent(x)), nil
}

func mapMacro(h parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	x, err := loopVariable(h, args[0])
	if err != nil {
		return nil, err
	}
	if len(args) == 3 {
		return collectExpr(h, target, x, args[1], args[2]), nil
	}
	return collectExpr(h, target, x, h.NewLiteral(types.True), args[1]), nil
}

func loopVariable(h parser.ExprHelper, e ast.Expr) (string, *cel.Error) {
	if e.Kind() != ast.IdentKind || e.AsIdent() == h.AccuIdentName() {
		return "", h.NewError(e.ID(), "the first argument is the name of the loop's variable, such as x")
	}
	return e.AsIdent(), nil
}

// collectNode is @collect(list, keep, value, x).
type collectNode struct {
	id                   int64
	list, keep, value, x interpreter.InterpretableV2
}

func (n *collectNode) ID() int64 { return n.id }
func (n *collectNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}

func (n *collectNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	accumulated := n.list.Exec(frame)
	lister, ok := accumulated.(traits.Lister)
	if !ok {
		return accumulated // an error or Unknown before
	}
	list, ours := lister.(refList)
	if !ours {
		list = refList{} // CEL's empty list, at the first element
	}
	var keep *types.Unknown
	switch k := n.keep.Exec(frame).(type) {
	case types.Bool:
		if !k {
			return list
		}
	case *types.Unknown:
		keep = k
	case *types.Err:
		return k
	default:
		return types.MaybeNoSuchOverloadErr(k)
	}
	x := n.x.Exec(frame)
	if keep != nil || isUnsure(x) {
		if telling, _ := frame.ResolveName(tellingName); telling == true {
			return list // a message tells what is known
		}
		if u, ok := x.(*types.Unknown); ok {
			keep = types.MergeUnknowns(keep, u)
		}
		return append(list, markUnsure(keep))
	}
	value := n.value.Exec(frame)
	if types.IsError(value) {
		return value
	}
	return append(list, value)
}

// tellingName is the hidden variable that is true while a message is made.
const tellingName = "@telling"

// unsureIn merges the unsure elements of a list; nil: there are none.
func unsureIn(l refList) *types.Unknown {
	var out *types.Unknown
	for _, x := range l {
		if isUnsure(x) {
			out = types.MergeUnknowns(out, x.(*types.Unknown))
		}
	}
	return out
}

// sizeBounds is the least and the largest size that a list can have.
func sizeBounds(l traits.Lister) (least, most int) {
	if r, ok := l.(refList); ok {
		for _, x := range r {
			if !isUnsure(x) {
				least++
			}
		}
		return least, len(r)
	}
	n, _ := l.Size().(types.Int)
	return int(n), int(n)
}

// setOps are CEL's set functions for lists with unknown and symbolic elements.
var setOps = map[string]func(a, b traits.Lister) ref.Val{
	"sets.contains":   holdsAll,
	"sets.intersects": func(a, b traits.Lister) ref.Val { return anyOf(b, func(x ref.Val) ref.Val { return contains(a, x) }) },
	"sets.equivalent": func(a, b traits.Lister) ref.Val { return and(holdsAll(a, b), holdsAll(b, a)) },
}

func holdsAll(a, b traits.Lister) ref.Val {
	return not(anyOf(b, func(x ref.Val) ref.Val { return not(contains(a, x)) }))
}

// setNode is one of the set functions.
type setNode struct {
	id   int64
	a, b interpreter.InterpretableV2
	ask  func(a, b traits.Lister) ref.Val
}

func (n *setNode) ID() int64 { return n.id }
func (n *setNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}
func (n *setNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	a, b := n.a.Exec(frame), n.b.Exec(frame)
	if v := strict(a, b); v != nil {
		return v
	}
	x, okX := a.(traits.Lister)
	y, okY := b.(traits.Lister)
	if !okX || !okY {
		return types.MaybeNoSuchOverloadErr(a)
	}
	return n.ask(x, y)
}
