// Package evidence puts together what was checked for the requirements of a
// framework over a period, for an assessor: from the reports that scans left,
// never by judging anew. It is written as JSON, as CSV and as a page.
package evidence

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"plumbline/internal/report"
	"plumbline/scan"
)

// SchemaVersion is the version of the shape of the JSON. A field that is added
// leaves it; one that is removed or changes its meaning moves it.
const SchemaVersion = "1.0"

// Evidence is what was found for one framework in one period.
type Evidence struct {
	SchemaVersion string        `json:"schemaVersion"`
	Framework     string        `json:"framework"`
	Title         string        `json:"title"`
	Period        Period        `json:"period"`
	Scans         Scans         `json:"scans"`
	Targets       []Target      `json:"targets"`      // what is in the scope of this evidence, by name
	Requirements  []Requirement `json:"requirements"` // every one of the framework, in its order
	Exceptions    []Exception   `json:"exceptions"`   // violations that somebody accepted
	Provenance    Provenance    `json:"provenance"`
}

// Period is the time that evidence is for. Both ends belong to it.
type Period struct {
	Since time.Time `json:"since,omitzero"` // zero: from the first scan on
	Until time.Time `json:"until"`
}

// holds reports whether a time lies in the period.
func (p Period) holds(t time.Time) bool {
	return !t.Before(p.Since) && (p.Until.IsZero() || !t.After(p.Until))
}

// Scans counts the scans of the period.
type Scans struct {
	Ended    int       `json:"ended"`
	Partial  int       `json:"partial"`  // of Ended: some domain or target was not judged
	Failures int       `json:"failures"` // targets and scans that came to no result
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
}

// Target is one template or stack, as the last scan in the period found it.
type Target struct {
	Name    string    `json:"name"`
	Stack   string    `json:"stack,omitempty"`
	SHA256  string    `json:"sha256,omitempty"` // of the template
	Scope   string    `json:"scope,omitempty"`  // in PCI DSS by the policy
	Scanned time.Time `json:"scanned"`
	Scans   int       `json:"scans"`             // in the period
	Partial []string  `json:"partial,omitempty"` // domains that were not judged
	Report  string    `json:"report"`            // folder of the stored report
}

// Requirement is what the last scans in the period found for one requirement.
type Requirement struct {
	ID         string      `json:"id"`
	Title      string      `json:"title"`
	Section    string      `json:"section,omitempty"`
	Result     string      `json:"result"` // violations, open, none-found, nothing-checked or by-hand
	Words      string      `json:"words"`  // the result for people
	Checks     []string    `json:"checks"` // rules that judged something
	Rules      int         `json:"rules"`  // rules that look at it
	Resources  int         `json:"resources"`
	Open       int         `json:"open"` // verdicts that are unknown or error
	Suppressed int         `json:"suppressed"`
	Violations []Violation `json:"violations"`
	NotCovered string      `json:"notCovered,omitempty"` // what must be checked by hand
}

// The results of a requirement. None says that it is met: rules look at a part.
const (
	ResultViolations     = "violations"
	ResultOpen           = "open"            // no violation was found, and not everything could be decided
	ResultNoneFound      = "none-found"      // no violation was found by the checks
	ResultNothingChecked = "nothing-checked" // rules look at it, and found nothing to judge
	ResultByHand         = "by-hand"         // no rule looks at it
)

// Violation is one that counts.
type Violation struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Target   string `json:"target"`
	Resource string `json:"resource,omitempty"`
	Message  string `json:"message,omitempty"`
}

// Exception is a violation that somebody accepted.
type Exception struct {
	Violation
	Requirements []string `json:"requirements"`
	Reason       string   `json:"reason"`
	Approver     string   `json:"approver,omitempty"`
	Until        string   `json:"until,omitempty"`
	Control      string   `json:"compensatingControl,omitempty"`
	Source       string   `json:"source,omitempty"`
}

// Provenance says what judged; several where they changed within the period.
type Provenance struct {
	Tools    []string `json:"tools"`              // name and version
	Rules    []string `json:"rules"`              // hashes over the text of all rules
	Policies []string `json:"policies"`           // hashes of the policy files
	RulesOff []string `json:"rulesOff,omitempty"` // rules that a policy turned off, with its reason
}

// Input is what evidence is made from.
type Input struct {
	Framework report.Framework
	Period    Period
	Scans     []scan.Summary
	Failures  []scan.Failure
	Reports   []Kept // of single targets, in any order
}

// New puts evidence together.
func New(in Input) *Evidence {
	e := &Evidence{
		SchemaVersion: SchemaVersion, Framework: in.Framework.ID, Title: in.Framework.Title, Period: in.Period,
		Targets: []Target{}, Requirements: []Requirement{}, Exceptions: []Exception{},
		Provenance: Provenance{Tools: []string{}, Rules: []string{}, Policies: []string{}},
	}
	for _, s := range in.Scans {
		if in.Period.holds(s.Finished) {
			e.Scans.add(s)
		}
	}
	for _, f := range in.Failures {
		if in.Period.holds(f.Time) {
			e.Scans.Failures++
		}
	}
	latest, count := in.latest()
	for _, k := range latest {
		e.Provenance.add(k)
		t := k.target()
		e.Targets = append(e.Targets, Target{
			Name: t.Path, Stack: t.Stack, SHA256: t.SHA256, Scope: t.Scope, Scanned: k.Provenance.Finished,
			Scans: count[k.where()], Partial: t.Partial, Report: k.Folder,
		})
	}
	asks := map[string][]string{} // requirements by rule
	for _, q := range in.Framework.Requirements {
		for _, r := range q.Rules {
			asks[r] = append(asks[r], q.ID)
		}
		e.Requirements = append(e.Requirements, requirement(in.Framework.ID, q, latest))
	}
	for _, k := range latest {
		for _, f := range k.Findings {
			if f.Suppression != nil && asks[f.Rule] != nil {
				s := f.Suppression
				e.Exceptions = append(e.Exceptions, Exception{k.violation(f), asks[f.Rule], s.Reason, s.Approver, s.Until, s.Control, s.Source})
			}
		}
	}
	return e
}

func (s *Scans) add(x scan.Summary) {
	s.Ended++
	if len(x.Partial) > 0 || len(x.Failures) > 0 {
		s.Partial++
	}
	if s.First.IsZero() || x.Finished.Before(s.First) {
		s.First = x.Finished
	}
	if x.Finished.After(s.Last) {
		s.Last = x.Finished
	}
}

// latest is the last report in the period of each target that was still there,
// by name, and how many scans each had.
func (in *Input) latest() ([]*Kept, map[string]int) {
	last, count := map[string]*Kept{}, map[string]int{}
	for i := range in.Reports {
		k := &in.Reports[i]
		if !in.Period.holds(k.Provenance.Finished) || len(k.Provenance.Templates) != 1 {
			continue // the report of an estate repeats those of its targets
		}
		where := k.where()
		count[where]++
		if old := last[where]; old == nil || k.Provenance.Finished.After(old.Provenance.Finished) {
			last[where] = k
		}
	}
	var out []*Kept
	for _, k := range last {
		if !k.target().Gone {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b *Kept) int {
		return cmp.Or(cmp.Compare(a.name(), b.name()), cmp.Compare(a.where(), b.where()))
	})
	return out, count
}

// requirement adds up what each target's report says of one requirement: the
// resources of two targets are never the same.
func requirement(framework string, q report.Requirement, latest []*Kept) Requirement {
	r := Requirement{ID: q.ID, Title: q.Title, Section: q.Section, Rules: len(q.Rules), NotCovered: q.NotCovered, Checks: []string{}, Violations: []Violation{}}
	for _, k := range latest {
		if found := k.found(framework, q.ID); found != nil {
			r.Checks = append(r.Checks, found.Checks...)
			r.Resources += found.Resources
			r.Open += found.Open
			r.Suppressed += found.Suppressed
		}
		for _, f := range k.Findings {
			if f.Status == "fail" && slices.Contains(q.Rules, f.Rule) {
				r.Violations = append(r.Violations, k.violation(f))
			}
		}
	}
	slices.Sort(r.Checks)
	r.Checks = slices.Compact(r.Checks)
	r.Result, r.Words = r.result()
	return r
}

func (r *Requirement) result() (code, words string) {
	by := " by " + plural(len(r.Checks), "check") + " over " + plural(r.Resources, "resource")
	switch {
	case r.Rules == 0:
		return ResultByHand, "no rule looks at this; it must be checked by hand"
	case len(r.Checks) == 0 && len(r.Violations) == 0:
		return ResultNothingChecked, "nothing to check was found by " + plural(r.Rules, "rule")
	case len(r.Violations) > 0:
		code, words = ResultViolations, plural(len(r.Violations), "violation")+" found"+by
	case r.Open > 0:
		code, words = ResultOpen, "no violation found"+by
	default:
		code, words = ResultNoneFound, "no violation found"+by
	}
	if r.Open > 0 {
		words += ", " + plural(r.Open, "verdict") + " open"
	}
	if r.Suppressed > 0 {
		words += ", " + plural(r.Suppressed, "violation") + " accepted"
	}
	return code, words
}

func (p *Provenance) add(k *Kept) {
	note := func(to *[]string, text string) {
		if text != "" && !slices.Contains(*to, text) {
			*to = append(*to, text)
		}
	}
	note(&p.Tools, k.Provenance.Tool.Name+" "+k.Provenance.Tool.Version)
	note(&p.Rules, k.Provenance.Rules.SHA256)
	if k.Provenance.Policy != nil {
		note(&p.Policies, k.Provenance.Policy.SHA256)
	}
	for _, off := range k.Provenance.Rules.Off {
		note(&p.RulesOff, off.Rule+": "+off.Reason)
	}
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
