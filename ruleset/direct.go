package ruleset

import (
	"sync"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// direct is an expression that asks one function of the schema about the
// resource: f(resource), or size(f(resource)) == 0. Rules that hold for every
// type ask so of each resource of a template, and the interpreter's way to the
// call would cost more than its answer.
type direct struct {
	call  func(...ref.Val) ref.Val
	empty bool // whether the list that the call gives is empty is asked
}

// ask answers as the interpreter would.
func (d *direct) ask(resource *view) ref.Val {
	out := d.call(resource)
	if list, ok := out.(traits.Sizer); ok && d.empty {
		return types.Bool(list.Size() == types.IntZero)
	}
	return out
}

// schemaCalls are the functions of the schema by name.
var schemaCalls = sync.OnceValue(func() map[string]func(...ref.Val) ref.Val {
	calls := map[string]func(...ref.Val) ref.Val{}
	for _, f := range schemaFunctions() {
		calls[f.Name] = f.overloads[0].call
	}
	return calls
})

// directOf is the direct form of a checked expression; nil for most.
func directOf(x ast.Expr) *direct {
	if call := ofResource(x); call != nil {
		return &direct{call: call}
	}
	if x.Kind() != ast.CallKind || x.AsCall().FunctionName() != operators.Equals {
		return nil
	}
	size, zero := x.AsCall().Args()[0], x.AsCall().Args()[1]
	if zero.Kind() != ast.LiteralKind || zero.AsLiteral() != types.IntZero || size.Kind() != ast.CallKind {
		return nil
	}
	s := size.AsCall()
	if s.FunctionName() != "size" || s.IsMemberFunction() || len(s.Args()) != 1 {
		return nil
	}
	if call := ofResource(s.Args()[0]); call != nil {
		return &direct{call, true}
	}
	return nil
}

// ofResource is f where x is f(resource) and f one of the schema's functions.
func ofResource(x ast.Expr) func(...ref.Val) ref.Val {
	if x.Kind() != ast.CallKind {
		return nil
	}
	c := x.AsCall()
	if c.IsMemberFunction() || len(c.Args()) != 1 || c.Args()[0].Kind() != ast.IdentKind || c.Args()[0].AsIdent() != "resource" {
		return nil
	}
	return schemaCalls()[c.FunctionName()]
}
