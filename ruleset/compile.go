package ruleset

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"plumbline/cfn/schema"
)

// compiled is a rule compiled for one resource type.
type compiled struct {
	rule     *Rule
	name     string       // of the resource type, "" for any
	typ      *schema.Type // of `resource`
	lets     []*program
	when     *program // nil: applies to all
	pass     *program
	messages sync.Once // message and fixes compile when first needed: most rules pass
	message  *program
	fixes    []*program // per step, nil where it has no CEL
	wheres   []*program // per step, nil where it has no where
	err      error      // of message and fixes

	variables sync.Once // env is made when something must be checked
	env       *cel.Env  // with the rule's own variables
	letTrees  []*cel.Ast
	envErr    error
}

// compile compiles what every evaluation needs.
func (r *Rule) compile(typ string) (*compiled, error) {
	e, err := sharedEnvironment()
	if err != nil {
		return nil, err
	}
	c := &compiled{rule: r, name: typ, typ: r.resourceType(typ)}
	if c.typ == nil {
		return nil, r.at("types", Expression{Line: r.Line, Column: 1, folded: true}, 1, 1,
			fmt.Sprintf("type %q is not known%s", typ, suggestType(typ)))
	}
	for i := range r.Let {
		p, err := c.let(e, i)
		if err != nil {
			return nil, err // what follows may use it
		}
		c.lets = append(c.lets, p)
	}
	var errs []error
	if r.When.Text != "" {
		c.when, err = c.program(e, "when", 0, r.When, nil, cel.BoolType)
		errs = append(errs, err)
	}
	c.pass, err = c.program(e, "pass", 0, r.Pass, nil, cel.BoolType)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// environment has the rule's own variables: resource, relations and lets. It
// is made only where an expression was not checked when the rules were generated.
func (c *compiled) environment() (*cel.Env, error) {
	c.variables.Do(func() { c.env, c.letTrees, c.envErr = c.rule.environment(c.typ) })
	return c.env, c.envErr
}

func (r *Rule) environment(typ *schema.Type) (*cel.Env, []*cel.Ast, error) {
	e, err := sharedEnvironment()
	if err != nil {
		return nil, nil, err
	}
	options := []cel.EnvOption{cel.Variable("resource", celType(typ))}
	for i := range r.Relations {
		rel := &r.Relations[i]
		s := schema.Lookup(rel.Type)
		if s == nil {
			return nil, nil, r.at("relation "+rel.Name, Expression{Line: rel.Line, Column: 3, folded: true}, 1, 1,
				fmt.Sprintf("type %q is not known%s", rel.Type, suggestType(rel.Type)))
		}
		options = append(options, cel.Variable(rel.Name, cel.ListType(celType(s.Type))))
		if err := r.checkRelation(rel, typ); err != nil {
			return nil, nil, err
		}
	}
	env, err := e.cel.Extend(options...)
	if err != nil {
		return nil, nil, r.at("relations", Expression{Line: r.Line, Column: 1, folded: true}, 1, 1, err.Error())
	}
	trees := make([]*cel.Ast, len(r.Let))
	for i := range r.Let {
		let := &r.Let[i]
		if trees[i], err = e.check(env, r, "let "+let.Name, let.Expression, nil); err != nil {
			return nil, nil, err
		}
		if env, err = env.Extend(cel.Variable(let.Name, trees[i].OutputType())); err != nil {
			return nil, nil, r.at("let "+let.Name, let.Expression, 1, 1, err.Error())
		}
	}
	return env, trees, nil
}

// let compiles a named sub-expression.
func (c *compiled) let(e *environment, i int) (*program, error) {
	let := &c.rule.Let[i]
	key := "let " + let.Name
	if tree, nested := c.known(key, 0); tree != nil {
		return e.plan(c.rule, key, let.Expression, tree, nested)
	}
	if _, err := c.environment(); err != nil {
		return nil, err
	}
	return c.checked(e, key, 0, let.Expression, c.letTrees[i])
}

// program compiles an expression. item is the type of the variable of that
// name, nil where there is none; nth tells several expressions of a key apart.
func (c *compiled) program(e *environment, key string, nth int, x Expression, item *schema.Type, want *cel.Type) (*program, error) {
	if tree, nested := c.known(key, nth); tree != nil {
		return e.plan(c.rule, key, x, tree, nested)
	}
	env, err := c.environment()
	if err != nil {
		return nil, err
	}
	if item != nil {
		if env, err = env.Extend(cel.Variable(itemName, celType(item))); err != nil {
			return nil, c.rule.at(key, x, 1, 1, err.Error())
		}
	}
	tree, err := e.check(env, c.rule, key, x, want)
	if err != nil {
		return nil, err
	}
	return c.checked(e, key, nth, x, tree)
}

// checked plans an expression that was checked just now.
func (c *compiled) checked(e *environment, key string, nth int, x Expression, tree *cel.Ast) (*program, error) {
	nested := nestedComprehension(tree)
	if c.rule.keep != nil {
		c.rule.keep(expressionKey(key, nth), tree.NativeRep(), nested)
	}
	return e.plan(c.rule, key, x, tree.NativeRep(), nested)
}

// known is an expression that was checked when the rules were generated.
func (c *compiled) known(key string, nth int) (*ast.AST, bool) {
	if c.rule.checked == nil {
		return nil, false
	}
	return c.rule.checked.find(checkedKey(c.rule.source, c.name, expressionKey(key, nth)))
}

func expressionKey(key string, nth int) string {
	if nth == 0 {
		return key
	}
	return key + " " + strconv.Itoa(nth)
}

// rest compiles message and fixes, once.
func (c *compiled) rest() error {
	c.messages.Do(func() {
		e, err := sharedEnvironment()
		if err != nil {
			c.err = err
			return
		}
		var errs []error
		if c.rule.Message.Text != "" {
			c.message, err = c.program(e, "message", 0, c.rule.Message, nil, cel.StringType)
			errs = append(errs, err)
		}
		c.fixes = make([]*program, len(c.rule.Fix))
		c.wheres = make([]*program, len(c.rule.Fix))
		for i := range c.rule.Fix {
			step := &c.rule.Fix[i]
			item, err := c.rule.fixTarget(step, c.typ)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if step.CEL.Text != "" {
				item := item
				if step.Policy != "" {
					item = &schema.Type{Kind: schema.String}
				}
				c.fixes[i], err = c.program(e, "fix", i, step.CEL, item, nil)
				errs = append(errs, err)
			}
			if step.Where.Text != "" {
				c.wheres[i], err = c.program(e, "where", i, step.Where, item, cel.BoolType)
				errs = append(errs, err)
			}
		}
		c.err = errors.Join(errs...)
	})
	return c.err
}

func suggestType(typ string) string {
	if near := schema.Nearest(typ); near != "" {
		return ". did you mean " + near + "?"
	}
	return ""
}

func joinErrors(errs []error) error { return errors.Join(errs...) }

// nestedComprehension reports whether a comprehension stands inside another's
// body: only then can the cost outgrow the template's size.
func nestedComprehension(a *cel.Ast) bool {
	nested := false
	var walk func(e ast.Expr, inside bool)
	walk = func(e ast.Expr, inside bool) {
		switch e.Kind() {
		case ast.ComprehensionKind:
			c := e.AsComprehension()
			if inside {
				nested = true
				return
			}
			walk(c.IterRange(), inside)
			walk(c.LoopStep(), true)
		case ast.CallKind:
			call := e.AsCall()
			if call.IsMemberFunction() {
				walk(call.Target(), inside)
			}
			for _, x := range call.Args() {
				walk(x, inside)
			}
		case ast.SelectKind:
			walk(e.AsSelect().Operand(), inside)
		case ast.ListKind:
			for _, x := range e.AsList().Elements() {
				walk(x, inside)
			}
		case ast.MapKind:
			for _, x := range e.AsMap().Entries() {
				walk(x.AsMapEntry().Key(), inside)
				walk(x.AsMapEntry().Value(), inside)
			}
		}
	}
	walk(a.NativeRep().Expr(), false)
	return nested
}

// evaluation is CEL's activation for one rule and one resource. It resolves
// names without a map, and evaluates relations and lets when they are asked for.
type evaluation struct {
	c         *compiled
	ctx       context.Context
	policy    *view
	template  *view
	owner     *owner
	resource  view
	relations func(i int) ref.Val // the i-th relation's elements
	related   []ref.Val
	lets      []ref.Val
	selfView  *view
	item      ref.Val // of a fix step's list
}

// reset makes e ready for another rule or resource.
func (e *evaluation) reset(c *compiled, o *owner) {
	e.c, e.owner = c, o
	e.resource = view{o.resource.Properties, c.typ, o}
	e.selfView, e.item = nil, nil
	e.lets = resized(e.lets, len(c.lets))
	e.related = resized(e.related, len(c.rule.Relations))
}

func resized(s []ref.Val, n int) []ref.Val {
	if cap(s) < n {
		return make([]ref.Val, n)
	}
	s = s[:n]
	clear(s)
	return s
}

func (e *evaluation) Parent() cel.Activation { return nil }

func (e *evaluation) ResolveName(name string) (any, bool) {
	switch name {
	case "resource":
		return &e.resource, true
	case "policy":
		return e.policy, true
	case "self":
		if e.selfView == nil {
			e.selfView = &view{selfValue(e.owner.resource), selfType(), e.owner}
		}
		return e.selfView, true
	case "template":
		if e.template == nil || e.template.owner.model != e.owner.model {
			e.template = &view{templateValue(e.owner.model), templateType(), &owner{model: e.owner.model}}
		}
		return e.template, true
	case itemName:
		return e.item, e.item != nil
	case tellingName:
		return e.owner.render, true
	}
	for i := range e.c.rule.Let {
		if e.c.rule.Let[i].Name == name {
			if e.lets[i] == nil {
				e.lets[i] = e.c.lets[i].run(e.ctx, e)
			}
			return e.lets[i], true
		}
	}
	for i := range e.c.rule.Relations {
		if e.c.rule.Relations[i].Name == name {
			if e.related[i] == nil {
				e.related[i] = e.relations(i)
			}
			return e.related[i], true
		}
	}
	return nil, false
}

// run evaluates p; an evaluation error is a CEL error value.
func (p *program) run(ctx context.Context, a cel.Activation) ref.Val {
	if p.direct != nil {
		if e, ok := a.(*evaluation); ok && (e.owner.trace == nil || e.owner.trace.only != nil) { // explain tells each step
			return p.direct.ask(&e.resource)
		}
	}
	var out ref.Val
	var err error
	if p.nested {
		out, _, err = p.cel.ContextEval(ctx, a)
	} else {
		out, _, err = p.cel.Eval(a)
	}
	if err != nil {
		return types.WrapErr(err)
	}
	return out
}
