package ruleset

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/parser"

	"plumbline/cfn"
	"plumbline/finding"
)

// Explanation is how a rule came to its verdict on one resource.
type Explanation struct {
	Rule    *Rule
	Finding finding.Finding // the verdict, worlds merged
	Worlds  []WorldVerdict  // per world that differs for the resource, the base world first
	Reads   []Read          // values that were read in the world that decided, in order
	Steps   []Step          // expressions and their parts in that world, outermost first
	Related []RelatedSet    // what the rule's relations found
}

// WorldVerdict is the verdict in one world.
type WorldVerdict struct {
	Assuming []string // "Environment=dev", everything that the world takes for granted
	Verdict  finding.Verdict
	Needs    []string
	Message  string // Error: what went wrong
}

// Read is one value that the evaluation looked at.
type Read struct {
	Resource string // logical id
	Path     string // VersioningConfiguration.Status
	Value    string // as people write it; "not set", or "****" for what must not be shown
	Place    finding.Place
}

// Step is one expression, or a part of one, and what it came to.
type Step struct {
	Of     string // "let open", "when", "pass"
	Depth  int    // 0: the whole expression
	Text   string
	Result string // "true", "false", "unknown: parameter X", "error: …", or a value
}

// RelatedSet is one relation's resources.
type RelatedSet struct {
	Name    string
	Members []string // logical ids; "? (import X)" for one that is not known, "Id? (parameter Y)" for one that may belong
}

// Explain judges one resource by one rule and tells how. The error is a
// *UnknownRuleError, that of a rule that does not compile, or says which
// resources there are.
func (s *Set) Explain(ctx context.Context, ruleID, logicalID string, models []*cfn.Model) (*Explanation, error) {
	r, err := s.Rule(ruleID)
	if err != nil {
		return nil, err
	}
	if r.Reserved {
		return nil, fmt.Errorf("rule %s is about templates, not about a resource", r.ID)
	}
	j := s.judgement(ctx, models)
	var sub *subject
	for x := range j.subjects() {
		if x.logicalID == logicalID {
			sub = x
			break
		}
	}
	if sub == nil {
		return nil, fmt.Errorf("the template has no resource %q", logicalID)
	}
	typ := sub.base().Type
	applies := false
	for _, e := range s.rulesFor(r.Domain, typ) {
		applies = applies || e.ID == r.ID
	}
	if !applies {
		return nil, fmt.Errorf("rule %s is not for resources of type %s", r.ID, typ)
	}
	c, err := s.entry(r.ID).compile(typ)
	if err != nil {
		return nil, err
	}
	o := j.judge(c, sub)
	out := &Explanation{Rule: r}
	if out.Finding, err = j.finding(&active{c, s.policy.SeverityOf(r.ID, r.Severity)}, sub, o); err != nil {
		return nil, err
	}
	worlds, resources := slices.Clone(sub.worlds), slices.Clone(sub.resources)
	if !slices.Contains(worlds, o.world) { // one that a parameter's other value makes
		worlds, resources = append(worlds, o.world), append(resources, o.resource)
	}
	for k, world := range worlds {
		members := j.related(r, world, resources[k])
		w := j.inWorld(c, world, resources[k], members)
		verdict := WorldVerdict{Verdict: w.verdict, Needs: w.needs, Message: w.message}
		assumed := j.models[world].Assumed
		if world >= j.given {
			assumed = o.assumed
		}
		for _, x := range assumed {
			verdict.Assuming = append(verdict.Assuming, x.Name+"="+x.Value)
		}
		out.Worlds = append(out.Worlds, verdict)
		if world == o.world {
			out.Related = describeRelated(r, members)
			own := &owner{model: j.models[world], resource: resources[k], trace: newTrace()}
			e := j.prepare(c, world, own, members, o.include)
			e.verdict(world, o.include)
			out.Reads = own.trace.describe()
			secrets := own.trace.secrets()
			own = &owner{model: j.models[world], resource: resources[k]}
			if out.Steps, err = j.steps(j.prepare(c, world, own, members, o.include), secrets); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func describeRelated(r *Rule, members [][]member) []RelatedSet {
	var out []RelatedSet
	for i := range r.Relations {
		set := RelatedSet{Name: r.Relations[i].Name}
		for _, m := range members[i] {
			switch {
			case m.resource == nil:
				set.Members = append(set.Members, "? ("+joinWords(m.needs)+")")
			case m.unsure:
				set.Members = append(set.Members, m.resource.LogicalID+"? ("+joinWords(m.needs)+")")
			default:
				set.Members = append(set.Members, m.resource.LogicalID)
			}
		}
		out = append(out, set)
	}
	return out
}

// describe lists the reads, each path once.
func (t *trace) describe() []Read {
	var out []Read
	type key struct {
		owner *cfn.Resource
		path  string
	}
	seen := map[key]bool{}
	for i := range t.reads {
		x := &t.reads[i]
		if x.path == "" || seen[key{x.owner.resource, x.path}] {
			continue
		}
		seen[key{x.owner.resource, x.path}] = true
		r := Read{Path: x.path, Value: describeRead(x.path, x.value)}
		if x.owner.resource != nil {
			r.Resource = x.owner.resource.LogicalID
		}
		if x.value != nil && !x.value.Pos.IsZero() {
			r.Place = finding.Place{Line: x.value.Pos.Line, Column: x.value.Pos.Column}
			if x.owner.model != nil && x.owner.model.Template != nil {
				r.Place.Path = x.owner.model.Template.Path
			}
		}
		out = append(out, r)
	}
	return out
}

// secrets are the texts that were read and must not be shown.
func (t *trace) secrets() []string {
	var out []string
	for i := range t.reads {
		x := &t.reads[i]
		if x.value.IsKind(cfn.String) && x.value.Text != "" && confidential(x.path[strings.LastIndexByte(x.path, '.')+1:], x.value) {
			out = append(out, x.value.Text)
		}
	}
	return out
}

func describeRead(path string, v *cfn.Value) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case v == nil || v.Kind == cfn.Null:
		return "not set"
	case v.Kind == cfn.Unknown:
		return renderUnknown(v.Unknown)
	case v.Kind == cfn.String && confidential(name, v):
		return masked
	case v.Kind == cfn.String:
		return strconv.Quote(v.Text)
	case v.Kind == cfn.List:
		return fmt.Sprintf("list of %d", len(v.Items))
	case v.Kind == cfn.Map:
		return fmt.Sprintf("mapping of %d", len(v.Fields))
	}
	return v.Text
}

// maxStepDepth bounds how deep an expression is taken apart.
const maxStepDepth = 6

// steps evaluates the rule's expressions and the parts that && || ! and ?: join.
func (j *judgement) steps(e *evaluation, secrets []string) ([]Step, error) {
	shared, err := sharedEnvironment()
	if err != nil {
		return nil, err
	}
	env, err := e.c.environment()
	if err != nil {
		return nil, err
	}
	tracking, err := env.Extend(cel.EnableMacroCallTracking())
	if err != nil {
		return nil, err
	}
	var out []Step
	for i := range e.c.rule.Let {
		let := &e.c.rule.Let[i]
		v, _ := e.ResolveName(let.Name)
		out = append(out, Step{Of: "let " + let.Name, Text: let.Text, Result: describeResult(v.(ref.Val), secrets)})
	}
	for _, x := range []struct {
		of string
		e  Expression
		p  *program
	}{{"when", e.c.rule.When, e.c.when}, {"pass", e.c.rule.Pass, e.c.pass}} {
		if x.p == nil {
			continue
		}
		out = append(out, Step{Of: x.of, Text: x.e.Text, Result: describeResult(x.p.run(e.ctx, e), secrets)})
		parsed, issues := tracking.Parse(x.e.Text)
		if issues.Err() != nil {
			continue
		}
		info := parsed.NativeRep().SourceInfo()
		var walk func(ast.Expr, int)
		walk = func(part ast.Expr, depth int) {
			if depth > 0 {
				text, err := parser.Unparse(part, info)
				if err != nil {
					return
				}
				at := Expression{Text: text, Line: x.e.Line, Column: x.e.Column}
				tree, err := shared.check(env, e.c.rule, x.of, at, nil)
				if err != nil {
					return
				}
				p, err := shared.plan(e.c.rule, x.of, at, tree.NativeRep(), nestedComprehension(tree))
				if err != nil {
					return
				}
				out = append(out, Step{Of: x.of, Depth: depth, Text: text, Result: describeResult(p.run(e.ctx, e), secrets)})
			}
			if depth >= maxStepDepth || part.Kind() != ast.CallKind {
				return
			}
			switch call := part.AsCall(); call.FunctionName() {
			case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional,
				operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In:
				for _, arg := range call.Args() {
					if arg.Kind() != ast.LiteralKind && arg.Kind() != ast.ListKind {
						walk(arg, depth+1)
					}
				}
			}
		}
		walk(parsed.NativeRep().Expr(), 0)
	}
	return out, nil
}

// describeResult words a result; a text that holds one of the secrets is masked.
func describeResult(v ref.Val, secrets []string) string {
	switch v := v.(type) {
	case *types.Unknown:
		return "unknown: " + joinWords(needsOf(v))
	case *types.Err:
		return "error: " + v.Error()
	case types.String:
		for _, secret := range secrets {
			if strings.Contains(string(v), secret) {
				return masked
			}
		}
		return strconv.Quote(string(v))
	case *symbolic:
		return strconv.Quote(v.String())
	case types.Bool, types.Int, types.Double:
		return fmt.Sprint(v.Value())
	case absent, types.Null:
		return "null"
	case *view:
		if v.value == nil {
			return v.typ.Name + ", not set"
		}
		return v.typ.Name
	case traits.Lister:
		least, most := sizeBounds(v)
		if least != most {
			return fmt.Sprintf("list of %d to %d", least, most)
		}
		return fmt.Sprintf("list of %d", most)
	}
	if m := keysOf(v); m != nil {
		return fmt.Sprintf("mapping of %d", len(m.keys))
	}
	return v.Type().TypeName()
}
