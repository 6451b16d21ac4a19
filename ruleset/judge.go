package ruleset

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/finding"
)

// Judge gives one verdict for each rule of the domain and each resource of the
// rule's types, over all models of one template: the first is the base world,
// the others are further worlds (see cfn.Template.Worlds). Every verdict is
// counted by its status; a finding is made only where keep says so by status
// (nil keeps all), since a pass costs more to tell than to find. Findings are
// ordered by resource as the template has them, then rule id.
//
// Rules that the policy turns off and deprecated ones give no verdict. The
// error is that of a rule that does not compile, or ctx's.
func (s *Set) Judge(ctx context.Context, domain finding.Domain, models []*cfn.Model, keep func(status string) bool) ([]finding.Finding, finding.Counts, error) {
	counts := finding.Counts{}
	if len(models) == 0 {
		return nil, counts, nil
	}
	j := s.judgement(ctx, models)
	var out []finding.Finding
	for subject := range j.subjects() {
		list, err := s.active(domain, subject.base().Type)
		if err != nil {
			return nil, nil, err
		}
		if len(list) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		for _, a := range list {
			o := j.judge(a.compiled, subject)
			counts[string(o.verdict)]++
			if keep == nil || keep(string(o.verdict)) {
				f, err := j.finding(a, subject, o)
				if err != nil {
					return nil, nil, err
				}
				out = append(out, f)
			}
		}
	}
	return out, counts, ctx.Err()
}

// active is a rule that judges, with the policy's word on it.
type active struct {
	compiled *compiled
	severity finding.Severity
}

// domainType names the rules of a domain for a resource type.
type domainType struct {
	domain finding.Domain
	typ    string
}

// active are the rules that judge resources of a type, compiled once a set.
func (s *Set) active(domain finding.Domain, typ string) ([]*active, error) {
	key := domainType{domain, typ}
	if list, ok := s.judging.Load(key); ok {
		return list.([]*active), nil
	}
	list, err := s.compileRules(domain, typ)
	if err != nil {
		return nil, err
	}
	s.judging.Store(key, list)
	return list, nil
}

// compileRules compiles the rules of a domain for a type.
func (s *Set) compileRules(domain finding.Domain, typ string) ([]*active, error) {
	var out []*active
	for _, e := range s.rulesFor(domain, typ) {
		if _, off := s.policy.RuleOff(e.ID); off {
			continue
		}
		r, err := e.load()
		if err != nil {
			return nil, err
		}
		if r.Deprecated {
			continue
		}
		c, err := e.compile(typ)
		if err != nil {
			return nil, fmt.Errorf("compile rule %q: %w", e.ID, err)
		}
		out = append(out, &active{c, s.policy.SeverityOf(r.ID, r.Severity)})
	}
	return out, nil
}

// judgement is the work on one template's models. Not safe for concurrent use.
type judgement struct {
	set    *Set
	ctx    context.Context
	models []*cfn.Model // those given, then what vary adds
	given  int
	graphs []*graph // per model, made when a relation is asked for
	eval   evaluation
	own    owner // of the evaluation under way: its views do not outlive it
	read   trace // of own

	statements map[*cfn.Value]*cfn.Value // see owner
	compared   *comparisons              // see owner
}

func (s *Set) judgement(ctx context.Context, models []*cfn.Model) *judgement {
	return &judgement{set: s, ctx: ctx, models: models, given: len(models), graphs: make([]*graph, len(models)), statements: map[*cfn.Value]*cfn.Value{}, compared: &comparisons{}}
}

// subject is one resource in each of the worlds that have it.
type subject struct {
	logicalID string
	worlds    []int           // indexes of models, ascending
	resources []*cfn.Resource // per world
}

func (s *subject) base() *cfn.Resource { return s.resources[0] }

// subjects lists the resources: the base world's in its order, then those that
// only other worlds have. A subject is valid until the next one.
func (j *judgement) subjects() iter.Seq[*subject] {
	if len(j.models) == 1 {
		return func(yield func(*subject) bool) {
			s := &subject{worlds: []int{0}, resources: make([]*cfn.Resource, 1)}
			for _, r := range j.models[0].Resources {
				s.logicalID, s.resources[0] = r.LogicalID, r
				if !yield(s) {
					return
				}
			}
		}
	}
	// Many templates have several worlds of hundreds of resources, and each
	// domain asks anew: one allocation for all.
	n := 0
	for _, m := range j.models {
		n = max(n, len(m.Resources))
	}
	byID := make(map[string]int, n)
	all := make([]subject, 0, n)
	worlds := make([]int, 0, n*len(j.models))
	resources := make([]*cfn.Resource, 0, n*len(j.models))
	for i, m := range j.models {
		for _, r := range m.Resources {
			k, known := byID[r.LogicalID]
			if !known {
				k = len(all)
				byID[r.LogicalID] = k
				s := subject{logicalID: r.LogicalID}
				if at := len(worlds) + len(j.models); at <= cap(worlds) {
					s.worlds, s.resources = worlds[len(worlds):len(worlds):at], resources[len(worlds):len(worlds):at]
					worlds, resources = worlds[:at], resources[:at]
				}
				all = append(all, s)
			}
			s := &all[k]
			if n := len(s.resources); n > 0 && s.resources[n-1].Type != r.Type {
				continue // a logical id has one type; another world's other type is not judged as this one
			}
			s.worlds = append(s.worlds, i)
			s.resources = append(s.resources, r)
		}
	}
	return func(yield func(*subject) bool) {
		for i := range all {
			if !yield(&all[i]) {
				return
			}
		}
	}
}

// outcome is a verdict before it is told.
type outcome struct {
	verdict finding.Verdict
	needs   []string         // Unknown
	message string           // Error: what went wrong; Unknown: what is known already
	world   int              // the model that it was found in
	include int              // the unsure relations that were in
	witness bool             // the base world says otherwise: the finding names the world
	assumed []cfn.Assumption // witness: what sets the world apart
	agreed  bool             // all worlds say so, and nothing needs to be assumed
	place   cfn.Pos          // of the last value that pass read of the resource itself; zero: none

	resource *cfn.Resource // that was judged, as it is in the world
	varying  []string      // parameters that it was judged by and that may have other values, see judgement.vary
}

// graph of a model.
func (j *judgement) graph(world int) *graph {
	if j.graphs[world] == nil {
		j.graphs[world] = newGraph(j.models[world])
	}
	return j.graphs[world]
}

// related are the members of each of a rule's relations in one world.
func (j *judgement) related(r *Rule, world int, resource *cfn.Resource) [][]member {
	if len(r.Relations) == 0 {
		return nil
	}
	g := j.graph(world)
	out := make([][]member, len(r.Relations))
	for i := range r.Relations {
		rel := &r.Relations[i]
		var earlier []member
		for k := range i {
			if r.Relations[k].Name == rel.Of {
				earlier = out[k]
			}
		}
		out[i] = g.members(rel, resource, earlier)
	}
	return out
}

// prepare makes the evaluation ready for a rule and a resource.
func (j *judgement) prepare(c *compiled, world int, o *owner, members [][]member, include int) *evaluation {
	e := &j.eval
	e.ctx, e.policy = j.ctx, j.set.policyView()
	e.reset(c, o)
	e.relations = nil
	if len(members) > 0 {
		e.relations = func(i int) ref.Val {
			nth := 0
			for k := range i {
				for _, m := range members[k] {
					if m.unsure && m.resource != nil {
						nth++
					}
				}
			}
			return elementsOf(members[i], schema.Lookup(c.rule.Relations[i].Type).Type, o, &nth, include)
		}
	}
	return e
}

// inWorld judges one resource in one world. Where it is not known whether some
// resources are related, the rule is judged with and without each: only where
// all say the same it is decided.
func (j *judgement) inWorld(c *compiled, world int, resource *cfn.Resource, members [][]member) outcome {
	if j.models[world].Template == nil {
		for i := range c.rule.Relations {
			rel := &c.rule.Relations[i]
			if rel.Live == "" {
				return outcome{verdict: finding.Error, world: world, message: "relation " + rel.Name + " cannot be read from a live resource"}
			}
			if why := j.models[world].Unread[rel.Type]; why != "" {
				return outcome{verdict: finding.Error, world: world, message: "relation " + rel.Name + " could not be read: " + why}
			}
		}
	}
	unsure := 0
	var needs []string
	for _, list := range members {
		for _, m := range list {
			if m.unsure && m.resource != nil {
				unsure++
				needs = mergeNeeds(needs, m.needs)
			}
		}
	}
	var first outcome
	for include := range 1 << min(unsure, maxUnsure) {
		o := j.once(c, world, resource, members, include)
		if include == 0 {
			first = o
			continue
		}
		if o.verdict != first.verdict {
			return outcome{verdict: finding.Unknown, world: world, needs: sorted(mergeNeeds(mergeNeeds(needs, first.needs), o.needs)), resource: resource, varying: mergeNeeds(first.varying, o.varying)}
		}
	}
	return first
}

func (j *judgement) once(c *compiled, world int, resource *cfn.Resource, members [][]member, include int) outcome {
	j.read = trace{only: &j.own}
	j.own = owner{model: j.models[world], resource: resource, statements: j.statements, compared: j.compared, trace: &j.read, varying: j.models[world].Varying(resource)}
	e := j.prepare(c, world, &j.own, members, include)
	o := e.verdict(world, include)
	o.place, o.varying, o.resource = j.read.place, j.read.varying, resource
	return o
}

// verdict evaluates when and pass.
func (e *evaluation) verdict(world, include int) outcome {
	out := outcome{world: world, include: include}
	if e.owner.resource.Properties.IsKind(cfn.Unknown) {
		out.verdict, out.needs = finding.Unknown, e.owner.resource.Properties.Unknown.Needs
		return out
	}
	if e.c.when != nil {
		switch v := e.c.when.run(e.ctx, e).(type) {
		case types.Bool:
			if !v {
				out.verdict = finding.Skip
				return out
			}
		default:
			// Whether the rule applies is open: where it would hold anyway it
			// does not matter, so pass is asked, and only its pass is kept.
			out.settle("when", v)
			if e.c.pass.run(e.ctx, e) == types.True && out.verdict == finding.Unknown {
				out = outcome{verdict: finding.Pass, world: world, include: include}
			}
			return out
		}
	}
	if t := e.owner.trace; t != nil && t.only != nil {
		t.place = cfn.Pos{} // what pass reads decides, not what when read
	}
	switch v := e.c.pass.run(e.ctx, e).(type) {
	case types.Bool:
		out.verdict = finding.Fail
		if v {
			out.verdict = finding.Pass
		}
	default:
		out.settle("pass", v)
	}
	return out
}

// settle makes the verdict of a result that is no boolean.
func (o *outcome) settle(key string, v ref.Val) {
	switch v := v.(type) {
	case *types.Unknown:
		o.verdict, o.needs = finding.Unknown, needsOf(v)
	case *types.Err:
		if strings.Contains(v.Error(), "invalid qualifier type: *ruleset.symbolic") {
			// A map was asked for a key of which only a part is known.
			o.verdict, o.needs = finding.Unknown, noNeeds
			return
		}
		o.verdict, o.message = finding.Error, key+" could not be evaluated: "+v.Error()
	default:
		o.verdict, o.message = finding.Error, key+" gave no boolean"
	}
}

func sorted(s []string) []string {
	out := slices.Clone(s)
	slices.Sort(out)
	return out
}
