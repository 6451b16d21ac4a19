package ruleset

import (
	"plumbline/cfn"
	"plumbline/finding"
)

// Relations lists the relations by which rules in force look from resources of
// a type: one list a rule that has some, since a hop begins at an earlier
// relation of its own rule. The error is that of a rule that does not compile.
func (s *Set) Relations(typ string) ([][]Relation, error) {
	var out [][]Relation
	for _, d := range finding.Domains {
		list, err := s.active(d, typ)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			if rs := a.compiled.rule.Relations; len(rs) > 0 {
				out = append(out, rs)
			}
		}
	}
	return out, nil
}

// InForce is the severity of a reserved rule by the policy, and whether the
// policy leaves it on.
func (s *Set) InForce(id string) (finding.Severity, bool) {
	r := reserved(id)
	if r == nil {
		return "", false
	}
	_, off := s.policy.RuleOff(id)
	return s.policy.SeverityOf(id, r.Severity), !off
}

// Links are the texts by which a resource refers to others at a property path
// such as Rules[].TargetId; what is not known is left out.
func Links(r *cfn.Resource, path string) []string {
	var out []string
	for _, v := range valuesAt(r.Properties, path) {
		if _, literal, _ := linkTargets(v); literal != "" {
			out = append(out, literal)
		}
	}
	return out
}

// Named are the texts by which others refer to a resource: its identifier and,
// of one that is deployed, its ARN and ids.
func Named(r *cfn.Resource) []string {
	literals, _ := names(r)
	return literals
}
