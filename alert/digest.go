package alert

import (
	"cmp"
	"slices"
	"time"

	"plumbline/finding"
	"plumbline/scan"
)

// OfEstate composes the digest of a scan of an estate: one message an audience,
// and one for domains that were not judged.
func OfEstate(scanID, report string, d *scan.Digest, now time.Time) []scan.Notice {
	var out []scan.Notice
	for _, a := range d.Audiences {
		n := scan.Notice{Kind: scan.NoticeDigest, ScanID: scanID, Audience: a.Audience, ResourceTypes: a.Types, Frameworks: a.Frameworks, Items: a.Items, Report: report, Time: now.UTC()}
		for _, s := range finding.Severities {
			n.Count += a.Counts[s]
			if n.Severity == "" && a.Counts[s] > 0 {
				n.Severity = s // the worst: who asks for high ones gets it, who asks for low ones alone does not
			}
		}
		out = append(out, Complete(n))
	}
	if d.Partial > 0 {
		out = append(out, Complete(scan.Notice{Kind: scan.NoticePartial, ScanID: scanID, Severity: finding.High, Domains: d.Lost, Count: d.Partial, Report: report, Time: now.UTC()}))
	}
	return out
}

// Gather adds to a digest what is new in one target. Frameworks lists, by rule,
// those that ask for it. The target's findings are compared by fingerprint with
// those that the assessment calls new, back and moved.
func Gather(d *scan.Digest, a *scan.Assessment) {
	if len(a.Partial) > 0 {
		d.Partial++
		var all []finding.Domain
		for _, x := range finding.Domains {
			if slices.Contains(d.Lost, x) || slices.Contains(a.Partial, x) {
				all = append(all, x)
			}
		}
		d.Lost = all
	}
	if len(a.New)+len(a.Reopened)+len(a.Moved) == 0 {
		return
	}
	states := make(map[string]finding.State, len(a.New)+len(a.Reopened)+len(a.Moved))
	for _, fp := range a.Moved {
		states[fp] = finding.Open
	}
	for _, fp := range a.New {
		states[fp] = finding.New
	}
	for _, fp := range a.Reopened {
		states[fp] = finding.Reopened
	}
	counted := map[string]bool{}
	for i := range a.Findings {
		f := &a.Findings[i]
		if f.Verdict != finding.Fail || f.Suppressed != nil || known(f.Severity) == finding.Critical {
			continue
		}
		fp := f.Fingerprint()
		state, fresh := states[fp]
		if !fresh {
			continue
		}
		delete(states, fp) // a rule may speak twice of one resource; the violation is one
		g := audience(d, f.Owner)
		if !counted[f.Owner] {
			counted[f.Owner] = true
			g.Targets++
		}
		g.Counts[known(f.Severity)]++
		g.Types = insert(g.Types, f.Resource.Type)
		for _, x := range a.Frameworks[f.Rule] {
			g.Frameworks = insert(g.Frameworks, x)
		}
		r := finding.Record{Finding: *f}
		g.Items = append(g.Items, item(&r, state))
	}
	for i := range d.Audiences {
		g := &d.Audiences[i]
		slices.SortStableFunc(g.Items, func(a, b scan.Item) int { return cmp.Compare(a.Severity.Rank(), b.Severity.Rank()) })
		g.Items = slices.Clip(first(g.Items))
	}
}

// audience is the digest's part for an audience.
func audience(d *scan.Digest, name string) *scan.DigestAudience {
	at, found := slices.BinarySearchFunc(d.Audiences, name, func(a scan.DigestAudience, name string) int { return cmp.Compare(a.Audience, name) })
	if !found {
		d.Audiences = slices.Insert(d.Audiences, at, scan.DigestAudience{Audience: name, Counts: map[finding.Severity]int{}})
	}
	return &d.Audiences[at]
}
