package ruleset

import (
	"context"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"plumbline/cfn"
	"plumbline/finding"
)

// Mutant is a rule with one boolean part of an expression changed. Cases that
// all hold of it as well do not show what the part is for.
type Mutant struct {
	Rule   string
	Key    string // the expression: pass, when, or let and its name
	Part   string // the part's text, as CEL has it after macros
	Change string // what became of it: true, false, negated
}

func (m Mutant) String() string {
	return fmt.Sprintf("%s: %s: %s, made %s", m.Rule, m.Key, m.Part, m.Change)
}

// MutationReport is what came of the mutants of some rules.
type MutationReport struct {
	Rules     int
	Mutants   int
	Survivors []Mutant // those of which every case holds, by rule, expression and part
}

// The changes that are tried on each boolean part. A part that may be true, and
// false, without a case failing is never seen that way; to drop a clause of
// && is to make it true, of || to make it false.
const (
	changeTrue    = "true"
	changeFalse   = "false"
	changeNegated = "negated"
)

// Mutate runs the cases of the rules with the given ids or globs, all without
// any, on each of their mutants; beside is as in RunCasesBeside. The error is that of rules and cases which
// cannot be read, of cases that do not hold as it is, or ctx's.
func Mutate(ctx context.Context, beside RuleNames, rules fs.FS, ids ...string) (*MutationReport, error) {
	var known []RuleNames
	if beside != nil {
		known = append(known, beside)
	}
	index, err := BuildIndex(rules, known...)
	if err != nil {
		return nil, err
	}
	if err := idsExist(index, ids); err != nil {
		return nil, err
	}
	report := &MutationReport{}
	for _, entry := range index.Entries {
		if len(ids) > 0 && !GlobAny(ids, entry.ID) {
			continue
		}
		m := &mutation{runner: caseRunner{ctx: ctx, rules: rules, file: entry.File, sets: map[string]*Set{}}}
		if err := m.run(report); err != nil {
			return nil, fmt.Errorf("mutants of %s: %w", entry.ID, err)
		}
	}
	return report, nil
}

// mutation is the work on one rule.
type mutation struct {
	runner caseRunner
	cases  []mutationCase
	bases  map[string]*mutationBase // by resource type
}

// mutationCase is a case made ready to be judged many times.
type mutationCase struct {
	*Case
	typ    string
	set    *Set
	tpl    *cfn.Template
	models []*cfn.Model
}

// mutationBase is the rule as it is, for one type, with what was checked.
type mutationBase struct {
	compiled *compiled
	trees    map[string]*ast.AST
	nested   map[string]bool
}

func (m *mutation) run(report *MutationReport) error {
	deprecated, err := m.prepare()
	if err != nil || deprecated {
		return err
	}
	report.Rules++
	for _, key := range m.keys() {
		for _, part := range booleanParts(m.tree(key)) {
			for _, change := range []string{changeTrue, changeFalse, changeNegated} {
				if err := m.runner.ctx.Err(); err != nil {
					return err
				}
				report.Mutants++
				lives, err := m.lives(key, part.id, change)
				if err != nil {
					return err
				}
				if lives {
					report.Survivors = append(report.Survivors, Mutant{m.runner.rule.ID, key, part.text, change})
				}
			}
		}
	}
	return nil
}

// prepare reads the rule and its cases, and compiles the one and parses the others.
func (m *mutation) prepare() (deprecated bool, err error) {
	r := &m.runner
	src, err := fs.ReadFile(r.rules, r.file)
	if err != nil {
		return false, err
	}
	if r.rule, err = ReadRule(r.file, src); err != nil || r.rule.Deprecated {
		return true, err
	}
	name := strings.TrimSuffix(r.file, ".yaml") + caseSuffix
	if src, err = fs.ReadFile(r.rules, name); err != nil {
		return false, err
	}
	cases, err := ReadCases(name, src)
	if err != nil {
		return false, err
	}
	m.bases = map[string]*mutationBase{}
	for i := range cases {
		k := mutationCase{Case: &cases[i], typ: cases[i].Type}
		if k.typ == "" && len(r.rule.Types) > 0 {
			k.typ = r.rule.Types[0]
		}
		if k.set, err = r.set(k.Case); err != nil {
			return false, err
		}
		if k.tpl, k.models, err = k.worlds(k.typ); err != nil {
			return false, err
		}
		if err := m.compile(k.typ); err != nil {
			return false, err
		}
		m.cases = append(m.cases, k)
	}
	for i := range m.cases {
		if ok, err := m.holds(&m.cases[i], m.bases[m.cases[i].typ].compiled); err != nil || !ok {
			return false, fmt.Errorf("case %q does not hold of the rule as it is: %w", m.cases[i].Name, err)
		}
	}
	return false, nil
}

func (m *mutation) compile(typ string) error {
	if m.bases[typ] != nil {
		return nil
	}
	b := &mutationBase{trees: map[string]*ast.AST{}, nested: map[string]bool{}}
	rule := *m.runner.rule
	rule.keep = func(key string, tree *ast.AST, nested bool) { b.trees[key], b.nested[key] = tree, nested }
	kind := typ
	if rule.Match != MatchTypes {
		kind = ""
	}
	c, err := rule.compile(kind)
	if err != nil {
		return err
	}
	if err := c.rest(); err != nil {
		return err
	}
	b.compiled = c
	m.bases[typ] = b
	return nil
}

// keys are the expressions that decide: when, pass and lets.
func (m *mutation) keys() []string {
	var out []string
	for i := range m.runner.rule.Let {
		out = append(out, "let "+m.runner.rule.Let[i].Name)
	}
	if m.runner.rule.When.Text != "" {
		out = append(out, "when")
	}
	return append(out, "pass")
}

// tree is an expression as it was checked for the first case's type; parts
// have the same ids for every type.
func (m *mutation) tree(key string) *ast.AST { return m.bases[m.cases[0].typ].trees[key] }

// lives reports that every case holds of the mutant as well.
func (m *mutation) lives(key string, id int64, change string) (bool, error) {
	mutants := map[string]*compiled{}
	for i := range m.cases {
		k := &m.cases[i]
		if mutants[k.typ] == nil {
			c, err := m.bases[k.typ].mutant(key, id, change)
			if err != nil {
				return false, err
			}
			mutants[k.typ] = c
		}
		if ok, err := m.holds(k, mutants[k.typ]); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// holds judges the case by c.
func (m *mutation) holds(k *mutationCase, c *compiled) (bool, error) {
	s := &Set{policy: k.set.policy, record: k.set.record, index: k.set.index, byType: map[string][]*entry{}}
	for _, model := range k.models {
		for _, r := range model.Resources {
			s.judging.Store(domainType{c.rule.Domain, r.Type}, []*active(nil))
		}
	}
	s.judging.Store(domainType{c.rule.Domain, k.typ}, []*active{{c, c.rule.Severity}})
	findings, _, err := s.Judge(m.runner.ctx, c.rule.Domain, k.models, nil)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(findings, func(f finding.Finding) bool { return f.Resource.LogicalID == caseSubject })
	return i >= 0 && len(k.differences(&findings[i], k.tpl)) == 0, nil
}

// mutant is the rule with one part of one expression changed.
func (b *mutationBase) mutant(key string, id int64, change string) (*compiled, error) {
	e, err := sharedEnvironment()
	if err != nil {
		return nil, err
	}
	tree := ast.Copy(b.trees[key])
	fac, next := ast.NewExprFactory(), ast.MaxID(tree)+1
	ast.PostOrderVisit(tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.ID() != id {
			return
		}
		switch change {
		case changeNegated:
			inner := fac.CopyExpr(x)
			// The outer node keeps the id, and so its type; the inner one gets another.
			moved := fac.NewUnspecifiedExpr(next)
			moved.SetKindCase(inner)
			tree.SetType(next, types.BoolType)
			if r, ok := tree.ReferenceMap()[id]; ok {
				tree.SetReference(next, r)
			}
			x.SetKindCase(fac.NewCall(id, operators.LogicalNot, moved))
			tree.SetReference(id, ast.NewFunctionReference("logical_not"))
		default:
			x.SetKindCase(fac.NewLiteral(id, types.Bool(change == changeTrue)))
			delete(tree.ReferenceMap(), id)
		}
	}))
	old := b.compiled
	c := &compiled{rule: old.rule, name: old.name, typ: old.typ, lets: slices.Clone(old.lets), when: old.when, pass: old.pass, message: old.message, fixes: old.fixes, wheres: old.wheres}
	c.messages.Do(func() {})
	p, err := e.plan(old.rule, key, Expression{}, tree, b.nested[key])
	if err != nil {
		return nil, err
	}
	switch key {
	case "when":
		c.when = p
	case "pass":
		c.pass = p
	default:
		i := slices.IndexFunc(old.rule.Let, func(l Let) bool { return "let "+l.Name == key })
		c.lets[i] = p
	}
	return c, nil
}

// booleanPart is a node of an expression whose value is true or false.
type booleanPart struct {
	id   int64
	text string
}

// booleanParts lists the boolean nodes that the rule's author wrote, outer
// ones first. Constants have one value, and so are none.
func booleanParts(tree *ast.AST) []booleanPart {
	var out []booleanPart
	var walk func(x ast.Expr)
	walk = func(x ast.Expr) {
		if x.Kind() != ast.LiteralKind && tree.GetType(x.ID()).IsExactType(types.BoolType) && !isLoopValue(x) {
			out = append(out, booleanPart{x.ID(), celText(x)})
		}
		switch x.Kind() {
		case ast.CallKind:
			call := x.AsCall()
			if call.IsMemberFunction() {
				walk(call.Target())
			}
			args := call.Args()
			if propertyNodes[call.FunctionName()] != nil {
				args = args[:1] // what follows names the property, and is checked but never evaluated
			}
			for _, a := range args {
				walk(a)
			}
		case ast.SelectKind:
			walk(x.AsSelect().Operand())
		case ast.ListKind:
			for _, a := range x.AsList().Elements() {
				walk(a)
			}
		case ast.MapKind:
			for _, a := range x.AsMap().Entries() {
				walk(a.AsMapEntry().Value())
			}
		case ast.ComprehensionKind:
			loop := x.AsComprehension()
			walk(loop.IterRange())
			step := loop.LoopStep()
			if step.Kind() != ast.CallKind {
				walk(step)
				return
			}
			for _, a := range step.AsCall().Args() { // the step itself is the macro's
				if !isLoopValue(a) {
					walk(a)
				}
			}
		}
	}
	walk(tree.Expr())
	return out
}

// isLoopValue reports that x is the result so far of a loop, which macros make.
func isLoopValue(x ast.Expr) bool {
	return x.Kind() == ast.IdentKind && strings.HasPrefix(x.AsIdent(), "@")
}

// celText is an expression's text for people: operators between their
// operands, and macros by their parts.
func celText(x ast.Expr) string {
	switch x.Kind() {
	case ast.LiteralKind:
		if s, ok := x.AsLiteral().(types.String); ok {
			return fmt.Sprintf("%q", string(s))
		}
		return fmt.Sprint(x.AsLiteral().Value())
	case ast.IdentKind:
		return x.AsIdent()
	case ast.SelectKind:
		s := x.AsSelect()
		if s.IsTestOnly() {
			return "has(" + celText(s.Operand()) + "." + s.FieldName() + ")"
		}
		return celText(s.Operand()) + "." + s.FieldName()
	case ast.ListKind:
		return "[" + celTexts(x.AsList().Elements()) + "]"
	case ast.MapKind:
		return "{…}"
	case ast.ComprehensionKind:
		loop := x.AsComprehension()
		step := loop.LoopStep()
		text := celText(step)
		if step.Kind() == ast.CallKind {
			own := slices.DeleteFunc(slices.Clone(step.AsCall().Args()), isLoopValue)
			text = step.AsCall().FunctionName() + " " + celTexts(own)
		}
		return celText(loop.IterRange()) + ".each(" + loop.IterVar() + ", " + text + ")"
	case ast.CallKind:
		call := x.AsCall()
		args := call.Args()
		if op, ok := operators.FindReverseBinaryOperator(call.FunctionName()); ok && len(args) == 2 {
			return "(" + celText(args[0]) + " " + op + " " + celText(args[1]) + ")"
		}
		switch call.FunctionName() {
		case operators.LogicalNot:
			return "!" + celText(args[0])
		case operators.Conditional:
			return "(" + celText(args[0]) + " ? " + celText(args[1]) + " : " + celText(args[2]) + ")"
		case operators.Index:
			return celText(args[0]) + "[" + celText(args[1]) + "]"
		}
		name := strings.Trim(call.FunctionName(), "@_")
		if call.IsMemberFunction() {
			return celText(call.Target()) + "." + name + "(" + celTexts(args) + ")"
		}
		return name + "(" + celTexts(args) + ")"
	}
	return reflect.TypeOf(x).String()
}

func celTexts(list []ast.Expr) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = celText(x)
	}
	return strings.Join(out, ", ")
}
