package ruleset

import (
	"fmt"

	"plumbline/cfn"
	"plumbline/finding"
)

// Unmet lists the rules of a domain that found nothing to judge in a template,
// a finding with verdict skip and no resource for each: a full list of what was
// looked at shows them, so that a rule's silence is not taken for a pass. They
// are no judgements, so Judge does not count them.
func (s *Set) Unmet(domain finding.Domain, models []*cfn.Model) ([]finding.Finding, error) {
	present := map[string]bool{}
	for _, m := range models {
		for _, r := range m.Resources {
			present[r.Type] = true
		}
	}
	met := map[string]bool{}
	for typ := range present {
		for _, e := range s.rulesFor(domain, typ) {
			met[e.ID] = true
		}
	}
	var out []finding.Finding
	for _, e := range s.entries {
		if e.Domain != domain || met[e.ID] {
			continue
		}
		if _, off := s.policy.RuleOff(e.ID); off {
			continue
		}
		d, err := e.Details()
		if err != nil {
			return nil, fmt.Errorf("read index entry of rule %q: %w", e.ID, err)
		}
		if d.Deprecated {
			continue
		}
		out = append(out, finding.Finding{
			Rule: e.ID, Domain: domain, Severity: s.policy.SeverityOf(e.ID, d.Severity), Verdict: finding.Skip,
			Message: "nothing in this template is of a type that the rule looks at", Fix: finding.FixNone,
		})
	}
	return out, nil
}
