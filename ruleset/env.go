package ruleset

import (
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/ext"

	"plumbline/cfn/schema"
	"plumbline/finding"
	"plumbline/internal/nearest"
)

// environment is the CEL environment that all rules share: functions, macros,
// and the variables that every rule has. It is made at first use.
type environment struct {
	cel     *cel.Env
	planner *planner
}

var sharedEnvironment = sync.OnceValues(func() (*environment, error) {
	base, err := cel.NewEnv(
		// Optional types register themselves with CEL's own provider, so they come first.
		cel.OptionalTypes(cel.OptionalTypesVersion(2)), // later versions compare values where symbolic strings cannot be seen
		ext.Strings(ext.StringsVersion(4)),
		ext.Sets(),
		ext.Lists(ext.ListsVersion(2)),
		ext.Bindings(),
	)
	if err != nil {
		return nil, fmt.Errorf("make CEL environment: %w", err)
	}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(&provider{Provider: base.CELTypeProvider()}),
		cel.CustomTypeAdapter(adapter{base.CELTypeAdapter()}),
		cel.Variable("self", celType(selfType())),
		cel.Variable("template", celType(templateType())),
		cel.Variable("policy", celType(policyType())),
		cel.Macros(macros()...),
	}
	options = append(options, internalFunctions()...)
	for i := range Functions() {
		options = append(options, Functions()[i].declaration())
	}
	env, err := base.Extend(options...)
	if err != nil {
		return nil, fmt.Errorf("make CEL environment: %w", err)
	}
	p := &planner{overloads: map[string]*functions.Overload{}}
	for name, f := range env.Functions() {
		bindings, err := f.Bindings()
		if err != nil {
			return nil, fmt.Errorf("make CEL environment: function %q: %w", name, err)
		}
		for _, b := range bindings {
			p.overloads[b.Operator] = b
		}
	}
	return &environment{cel: env, planner: p}, nil
})

// check parses and checks text in env. want is the result that is asked for;
// nil takes any. key names the expression in messages.
func (e *environment) check(env *cel.Env, r *Rule, key string, x Expression, want *cel.Type) (*cel.Ast, error) {
	parsed, issues := env.Parse(x.Text)
	if issues.Err() != nil {
		return nil, r.issues(key, x, issues, nil)
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, r.issues(key, x, issues, e.missed(env, parsed))
	}
	if got := checked.OutputType(); want != nil && !got.IsExactType(want) {
		return nil, r.at(key, x, 1, 1, fmt.Sprintf("the result is %s, and %s is needed", got, want))
	}
	return checked, nil
}

// program is one compiled expression.
type program struct {
	cel    cel.Program
	nested bool // comprehension within comprehension: its cost is bounded
	direct *direct
}

// costLimit bounds the steps of one evaluation with nested comprehensions:
// some 50 ms. Others are linear in the template.
const costLimit = 2_000_000

// plan makes a checked expression ready to run. All share one environment:
// what is checked knows its variables by name.
func (e *environment) plan(r *Rule, key string, x Expression, tree *ast.AST, nested bool) (*program, error) {
	p := &program{nested: nested, direct: directOf(tree.Expr())}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(e.planner.decorate)}
	if p.nested {
		options = append(options, cel.CostLimit(costLimit), cel.InterruptCheckFrequency(1000))
	}
	var err error
	if p.cel, err = e.cel.PlanProgram(tree, options...); err != nil {
		return nil, r.at(key, x, 1, 1, err.Error())
	}
	return p, nil
}

// missed checks once more with a provider that notes the fields it does not
// find, so that the message can name the type and the nearest property.
func (e *environment) missed(env *cel.Env, parsed *cel.Ast) []missedField {
	var fields []missedField
	p, ok := env.CELTypeProvider().(*provider)
	if !ok {
		return nil
	}
	noting, err := env.Extend(cel.CustomTypeProvider(&provider{Provider: p.Provider, missed: &fields}))
	if err != nil {
		return nil
	}
	noting.Check(parsed)
	return fields
}

// issues is CEL's issues as errors with places.
func (r *Rule) issues(key string, x Expression, issues *cel.Issues, missed []missedField) error {
	var lines []error
	seen := map[string]bool{}
	for _, e := range issues.Errors() {
		message := e.Message
		if field, ok := strings.CutPrefix(message, "undefined field '"); ok {
			field = strings.TrimSuffix(field, "'")
			for _, m := range missed {
				if m.field == field {
					message = undefinedField(m)
					break
				}
			}
		}
		err := r.at(key, x, e.Location.Line(), e.Location.Column()+1, message)
		if !seen[err.Error()] {
			seen[err.Error()] = true
			lines = append(lines, err)
		}
	}
	return joinErrors(lines)
}

func undefinedField(m missedField) string {
	if m.typ == openType {
		return fmt.Sprintf("undefined field %q: a rule for types taggable or any reads resources by functions, such as tags(resource) and property(resource, %q)", m.field, m.field)
	}
	names := make([]string, len(m.typ.Properties))
	for i := range m.typ.Properties {
		names[i] = m.typ.Properties[i].Name
	}
	out := fmt.Sprintf("undefined field %q of %s.", m.field, m.typ.Name)
	if near := nearest.Of(m.field, names); near != "" {
		return out + " did you mean " + near + "?"
	}
	if len(names) > 12 {
		return strings.TrimSuffix(out, ".")
	}
	return out + " it has " + strings.Join(names, ", ")
}

// at is an error at a place inside an expression: the place in the file where
// it can be told, and always the expression's own line and column.
func (r *Rule) at(key string, x Expression, line, column int, message string) error {
	place := finding.Place{Path: r.File, Line: x.Line + line - 1, Column: column + x.Column - 1}
	if x.folded {
		place.Line, place.Column = x.Line, x.Column
	} else if line > 1 && !x.block {
		place.Column = column
	}
	return &PlaceError{place, fmt.Sprintf("%s: %d:%d: %s", key, line, column, message)}
}

// resourceType is the schema type that `resource` has in a rule for typ.
func (r *Rule) resourceType(typ string) *schema.Type {
	if r.Match != MatchTypes {
		return openType
	}
	if s := schema.Lookup(typ); s != nil {
		return s.Type
	}
	return nil
}
