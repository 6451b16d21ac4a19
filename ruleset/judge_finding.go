package ruleset

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"

	"plumbline/cfn"
	"plumbline/finding"
)

// finding tells an outcome: with message, place and the world it was found in.
func (j *judgement) finding(a *active, s *subject, o outcome) (finding.Finding, error) {
	r := a.compiled.rule
	resource := o.resource
	if resource == nil {
		resource = s.base()
	}
	f := finding.Finding{
		Rule: r.ID, Severity: a.severity, Domain: r.Domain, Verdict: o.verdict,
		Resource:    finding.Resource{LogicalID: s.logicalID, Type: resource.Type, ConstructPath: resource.ConstructPath},
		Place:       finding.Place{Line: resource.Pos.Line, Column: resource.Pos.Column},
		Message:     r.Title,
		Remediation: r.Remediation,
		Fix:         finding.FixNone,
		Needs:       o.needs,
	}
	if t := j.models[o.world].Template; t != nil {
		f.Place.Path = t.Path
	}
	f.Assuming = j.worldOf(s, o, resource)
	switch o.verdict {
	case finding.Fail:
		f.Fix = r.FixStatus(j.set.policy, j.models[o.world].Inputs.Region, resource.Type)
		if err := j.fail(&f, a.compiled, s, o, resource); err != nil {
			return f, err
		}
	case finding.Unknown:
		f.Message = "depends on " + joinWords(o.needs)
		if o.message != "" {
			f.Message = o.message
		}
		f.Message = r.Title + ": " + f.Message
	case finding.Error:
		f.Message = r.Title + ": " + o.message
	}
	return f, nil
}

// worldOf is what a finding says it assumed: nothing where the base world says
// so and no value was chosen for it.
func (j *judgement) worldOf(s *subject, o outcome, resource *cfn.Resource) []string {
	switch {
	case o.witness:
		return listed(o.assumed)
	case s.worlds[0] != 0 && o.verdict != finding.Unknown: // absent in the base world
		return listed(j.models[o.world].Because(j.models[:1], []string{s.logicalID}))
	case o.agreed || len(s.worlds) == j.given && sameResource(s):
		return nil
	}
	var out []cfn.Assumption
	for _, x := range j.models[o.world].AssumedFor(resource) {
		if !x.Default {
			out = append(out, x)
		}
	}
	return listed(out)
}

// sameResource reports whether a subject is one resource in every world.
func sameResource(s *subject) bool {
	return !slices.ContainsFunc(s.resources, func(r *cfn.Resource) bool { return r != s.resources[0] })
}

// fail finds the place of a failure, and its message by evaluating once more
// with unknown texts worded for people.
func (j *judgement) fail(f *finding.Finding, c *compiled, s *subject, o outcome, resource *cfn.Resource) error {
	if err := c.rest(); err != nil {
		return err
	}
	members := j.related(c.rule, o.world, resource)
	pos := o.place
	switch {
	case c.rule.At != "":
		pos = placeAt(c.rule.At, resource)
	case c.when != nil && len(c.lets) > 0:
		// When may have read what pass reads by the name of a let, which is
		// evaluated once: only pass by itself tells what pass depends on.
		own := &owner{model: j.models[o.world], resource: resource, statements: j.statements, compared: j.compared}
		own.trace = &trace{only: own}
		c.pass.run(j.ctx, j.prepare(c, o.world, own, members, o.include))
		pos = own.trace.place
	}
	if !pos.IsZero() {
		f.Place.Line, f.Place.Column = pos.Line, pos.Column
	}
	if c.message != nil {
		telling := &owner{model: j.models[o.world], resource: resource, render: true, statements: j.statements, compared: j.compared}
		e := j.prepare(c, o.world, telling, members, o.include)
		if text, ok := c.message.run(j.ctx, e).(types.String); ok && text != "" {
			f.Message = string(text)
		}
	}
	if o.witness {
		if words := worded(o.assumed); len(words) > 0 {
			f.Message += " when " + strings.Join(words, " and ")
		}
	}
	return nil
}

// placeAt is the place of the property that the rule names, or of the last of
// its parents that is there.
func placeAt(at string, resource *cfn.Resource) cfn.Pos {
	var pos cfn.Pos
	v := resource.Properties
	for name := range strings.SplitSeq(at, ".") {
		if v = v.Get(name); v == nil {
			break
		}
		pos = v.Pos
	}
	return pos
}

// joinWords is "a", "a and b", "a, b and c".
func joinWords(words []string) string {
	switch len(words) {
	case 0:
		return "what is not known yet"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
