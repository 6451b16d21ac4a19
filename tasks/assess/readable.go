package assess

import (
	"bytes"
	"errors"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/scan"
)

// readable holds the template to the reserved rule template-readable: one
// error where it cannot be read at all, one for each part that cannot, else a
// pass. It reports whether something could not be read.
func readable(a *scan.Assessment, snap *scan.Snapshot, keep func(string) bool) (broken bool) {
	if snap.Gone {
		return false
	}
	t, err := snap.Template()
	if err != nil {
		p := new(cfn.Problem)
		if !errors.As(err, &p) {
			p = &cfn.Problem{Path: snap.Target.Path, Message: err.Error()}
		}
		add(a, problem(snap.Target, p))
		return true
	}
	for _, p := range t.Problems {
		add(a, problem(snap.Target, p))
	}
	broken = len(t.Problems) > 0
	if bytes.Contains(t.Source, []byte("Fn::ForEach")) {
		if models, err := snap.Models(); err == nil && len(models) > 0 {
			for _, p := range models[0].Problems() {
				add(a, problem(snap.Target, p))
				broken = true
			}
		}
	}
	for _, u := range t.Unread() {
		add(a, unread(snap.Target, &u))
	}
	if broken {
		return true
	}
	a.Counts[string(finding.Pass)]++
	if keep != nil && keep(string(finding.Pass)) {
		f := about(snap.Target)
		f.Verdict, f.Message, f.Place.Line, f.Place.Column = finding.Pass, "the template is readable", 1, 1
		a.Findings = append(a.Findings, f)
	}
	return false
}

func add(a *scan.Assessment, f finding.Finding) {
	a.Counts[string(f.Verdict)]++
	a.Findings = append(a.Findings, f)
}

// problem is the finding that a part of the template cannot be read.
func problem(t scan.Target, p *cfn.Problem) finding.Finding {
	f := about(t)
	f.Verdict, f.Message = finding.Error, p.Message
	f.Remediation = "Correct the template at this place. Until then this part of it is not judged."
	f.Place.Line, f.Place.Column = max(p.Pos.Line, 1), max(p.Pos.Column, 1)
	return f
}

// unread is the finding that what a part of the template comes to is not known.
// It is no error: a newer type, or a macro, is nothing to correct.
func unread(t scan.Target, u *cfn.Unread) finding.Finding {
	f := about(t)
	f.Verdict, f.Message, f.Needs = finding.Unknown, u.Message, []string{u.Need}
	f.Resource.LogicalID, f.Resource.Type = u.LogicalID, u.Type
	f.Place.Line, f.Place.Column = max(u.Pos.Line, 1), max(u.Pos.Column, 1)
	return f
}

func about(t scan.Target) finding.Finding {
	return finding.Finding{
		Rule: finding.TemplateReadable, Severity: finding.High, Domain: finding.Configuration, Fix: finding.FixNone,
		Resource: finding.Resource{Account: t.Account, Region: t.Region, Stack: t.Stack},
		Place:    finding.Place{Path: t.Path},
	}
}
