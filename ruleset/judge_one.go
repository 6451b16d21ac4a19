package ruleset

import (
	"context"
	"fmt"

	"plumbline/cfn"
	"plumbline/finding"
)

// Verdict is what one rule says of one resource over all models of a template:
// how a change is held to the rule that asked for it. The error is that of an
// unknown rule or resource, or of a rule that does not compile.
func (s *Set) Verdict(ctx context.Context, ruleID, logicalID string, models []*cfn.Model) (finding.Finding, error) {
	r, err := s.Rule(ruleID)
	if err != nil {
		return finding.Finding{}, err
	}
	j := s.judgement(ctx, models)
	for subject := range j.subjects() {
		if subject.logicalID != logicalID {
			continue
		}
		c, err := s.entry(ruleID).compile(subject.base().Type)
		if err != nil {
			return finding.Finding{}, fmt.Errorf("compile rule %q: %w", ruleID, err)
		}
		return j.finding(&active{c, s.policy.SeverityOf(r.ID, r.Severity)}, subject, j.judge(c, subject))
	}
	return finding.Finding{}, fmt.Errorf("rule %s: the template has no resource %q", ruleID, logicalID)
}
