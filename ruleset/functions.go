package ruleset

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"
)

// Function is one function or macro that rules have beside CEL's own. The
// table of them is what docs/rules.md lists.
type Function struct {
	Name      string
	Group     string   // heading in the documentation
	Doc       string   // one or two sentences
	Examples  []string // expressions with their result
	Signature []string // "isWorld(cidr string) bool"; for a member function "s.allows(action string) bool"

	overloads []overload
	// whole functions see symbolic strings and unknown elements of lists; the
	// others are not called then: their result is unknown.
	whole bool
}

type overload struct {
	member bool
	args   []*cel.Type
	result *cel.Type
	call   func(args ...ref.Val) ref.Val
}

// Functions lists the functions and macros in the order of the documentation.
// The list is shared and not to be changed.
func Functions() []Function { return functionTable() }

var functionTable = sync.OnceValue(func() []Function {
	var all []Function
	for _, group := range []func() []Function{presenceFunctions, tagFunctions, iamFunctions, networkFunctions, textFunctions, credentialFunctions, resourceFunctions, schemaFunctions, referenceFunctions} {
		all = append(all, group()...)
	}
	return all
})

// wholeFunctions are the functions that are called with symbolic operands.
var wholeFunctions = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, f := range Functions() {
		if f.whole {
			out[f.Name] = true
		}
	}
	return out
})

// declaration declares f to CEL; a macro has no overloads and declares nothing.
func (f *Function) declaration() cel.EnvOption {
	if len(f.overloads) == 0 {
		return func(e *cel.Env) (*cel.Env, error) { return e, nil }
	}
	// Guards choose between overloads at run time where an operand is dyn.
	options := []cel.FunctionOpt{decls.DisableTypeGuards(len(f.overloads) == 1)}
	for i, o := range f.overloads {
		id := fmt.Sprintf("plumbline_%s_%d", f.Name, i)
		declare := cel.Overload
		if o.member {
			declare = cel.MemberOverload
		}
		options = append(options, declare(id, o.args, o.result, cel.FunctionBinding(o.call)))
	}
	return cel.Function(f.Name, options...)
}

// Internal functions that macros expand to. The planner replaces each by its
// own node; the last argument is there for the type checker and never read.
const (
	hasFunction       = "@has"
	sourceFunction    = "@source"
	plaintextFunction = "@plaintext"
	writtenFunction   = "@written"
)

// macros are has, source and plaintext: what they ask about is the property
// itself, which a function, given only its value, could not see.
func macros() []cel.Macro {
	return append(collectMacros(),
		cel.GlobalMacro("has", 1, propertyMacro("has", hasFunction)),
		cel.GlobalMacro("source", 1, propertyMacro("source", sourceFunction)),
		cel.GlobalMacro("plaintext", 1, propertyMacro("plaintext", plaintextFunction)),
		cel.GlobalMacro("written", 1, propertyMacro("written", writtenFunction)),
	)
}

// propertyMacro expands name(a.b) to function(a, "b", a.b) and name(a[k]) to
// function(a, k, a[k]). has() of a call asks whether it gave null.
func propertyMacro(name, function string) cel.MacroFactory {
	return func(h parser.ExprHelper, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		arg := args[0]
		if arg.Kind() == ast.SelectKind {
			s := arg.AsSelect()
			return h.NewCall(function, h.Copy(s.Operand()), h.NewLiteral(types.String(s.FieldName())), arg), nil
		}
		if arg.Kind() == ast.CallKind && arg.AsCall().FunctionName() == operators.Index {
			a := arg.AsCall().Args()
			return h.NewCall(function, h.Copy(a[0]), h.Copy(a[1]), arg), nil
		}
		if name == "has" && arg.Kind() == ast.CallKind {
			return h.NewCall(operators.NotEquals, h.NewCall("dyn", arg), h.NewLiteral(types.NullValue)), nil
		}
		if arg.Kind() == ast.IdentKind {
			x := arg.AsIdent()
			return nil, h.NewError(arg.ID(), name+" takes a property or an element, and "+x+" is a value without its place. ask "+
				name+"("+x+".Name) of an object, "+name+"(map["+x+"]) of a map's key, or "+name+"(list[0]) of an item")
		}
		return nil, h.NewError(arg.ID(), name+" takes a property or an element, such as "+name+"(resource.Name)")
	}
}

// internalFunctions declare what macros expand to.
func internalFunctions() []cel.EnvOption {
	a, b := cel.TypeParamType("A"), cel.TypeParamType("B")
	args := []*cel.Type{a, cel.DynType, b}
	declare := func(name string, result *cel.Type) cel.EnvOption {
		return cel.Function(name, cel.Overload("plumbline_"+name, args, result))
	}
	return []cel.EnvOption{
		declare(hasFunction, cel.BoolType),
		declare(sourceFunction, cel.StringType),
		declare(plaintextFunction, cel.BoolType),
		declare(writtenFunction, cel.StringType),
		cel.Function(collectFunction, cel.Overload("plumbline_"+collectFunction, []*cel.Type{cel.ListType(a), cel.BoolType, a, b}, cel.ListType(a))),
	}
}
