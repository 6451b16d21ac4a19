package ruleset

import (
	"time"

	"plumbline/finding"
)

// Term is how long a violation of this severity may stay open. A nil policy has
// the default terms; a severity that does not exist has the term of Low.
func (p *Policy) Term(s finding.Severity) time.Duration {
	terms := DefaultPolicy().SLA
	if p != nil {
		for _, x := range []struct{ to, from *int }{
			{&terms.Critical, &p.SLA.Critical}, {&terms.High, &p.SLA.High}, {&terms.Medium, &p.SLA.Medium}, {&terms.Low, &p.SLA.Low},
		} {
			if *x.from != 0 {
				*x.to = *x.from
			}
		}
	}
	days := terms.Low
	switch s {
	case finding.Critical:
		days = terms.Critical
	case finding.High:
		days = terms.High
	case finding.Medium:
		days = terms.Medium
	}
	return time.Duration(days) * 24 * time.Hour
}

// Due is when a violation that was first seen at a time is due.
func (p *Policy) Due(s finding.Severity, firstSeen time.Time) time.Time {
	return firstSeen.Add(p.Term(s))
}

// OwnerOf is who answers for a resource with these tags: the value of the first
// of the policy's tags that has one, else the default owner. p may be nil.
func (p *Policy) OwnerOf(tags map[string]string) string {
	if p == nil {
		return ""
	}
	for _, key := range p.Owner.Tags {
		if tags[key] != "" {
			return tags[key]
		}
	}
	return p.Owner.Default
}
