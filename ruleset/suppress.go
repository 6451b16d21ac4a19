package ruleset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
)

// Equivalents is what suppressing asks of a set of rules.
type Equivalents interface {
	// Equivalents is the same check's ids in other tools, by tool (see
	// EquivalentTools); nil for none.
	Equivalents(rule string) map[string][]string
	HasRule(id string) bool
	RuleIDs() []string
}

// Suppressed is what Suppress did to one template's findings.
type Suppressed struct {
	// Moved is the change of the counts: what was suppressed is taken from its
	// verdict and added to finding.StatusSuppressed.
	Moved finding.Counts
	// Matched counts the findings that each of the policy's suppressions
	// selected, in its order, expired ones included; nil where the policy has
	// none. Sum it over templates and give it to SuppressionWarnings.
	Matched []int
	// Warnings are suppressions in the template that do not count or name no
	// rule, with places.
	Warnings []*PlaceError
	// Stale is a finding of the reserved rule suppression-current for each of
	// our own suppressions in the template that has expired or that no finding
	// needs; none where the policy turns that rule off.
	Stale []finding.Finding
}

// Suppress marks the findings of one template that the policy file or the
// template's metadata suppresses. Only verdicts fail, unknown and error are
// marked; where several suppressions select a finding, the policy file's first
// one is named, then the template's own, then another tool's. models are the
// template's worlds (none for a template that cannot be read); p may be nil;
// now decides what has expired: a suppression holds through its last day in UTC.
func Suppress(p *Policy, rules Equivalents, models []*cfn.Model, findings []finding.Finding, now time.Time) Suppressed {
	out := Suppressed{Moved: finding.Counts{}}
	if p != nil && len(p.Suppressions) > 0 {
		out.Matched = make([]int, len(p.Suppressions))
	}
	m := metadata{models: models, rules: rules, today: now.UTC().Format(dateLayout)}
	m.readTemplate()
	for i := range findings {
		f := &findings[i]
		if f.Verdict != finding.Fail && f.Verdict != finding.Unknown && f.Verdict != finding.Error || f.Suppressed != nil {
			continue
		}
		f.Suppressed = p.suppression(f, m.today, out.Matched)
		if own := m.suppression(f); f.Suppressed == nil {
			f.Suppressed = own
		}
		if f.Suppressed != nil {
			out.Moved[string(f.Verdict)]--
			out.Moved[finding.StatusSuppressed]++
		}
	}
	m.readRest()
	out.Warnings = m.warnings
	if _, off := p.RuleOff(finding.SuppressionCurrent); !off {
		out.Stale = m.stale(p.SeverityOf(finding.SuppressionCurrent, SuppressionCurrent.Severity))
	}
	return out
}

// suppression is the policy's first suppression of f that holds; it counts
// every one that selects f.
func (p *Policy) suppression(f *finding.Finding, today string, matched []int) (found *finding.Suppression) {
	if p == nil {
		return nil
	}
	for i := range p.Suppressions {
		s := &p.Suppressions[i]
		if !s.selects(f) {
			continue
		}
		matched[i]++
		if found == nil && !expired(s.Until, today) {
			found = &finding.Suppression{
				Reason: s.Reason, Approver: s.Approver, Until: s.Until, Control: s.CompensatingControl,
				Source: p.Path + ":" + strconv.Itoa(s.Line),
			}
		}
	}
	return found
}

func (s *Suppression) selects(f *finding.Finding) bool {
	if !GlobAny(s.Rule, f.Rule) {
		return false
	}
	for _, x := range []struct {
		globs []string
		text  string
	}{
		{s.Resource, f.Resource.LogicalID},
		{s.Path, f.Resource.ConstructPath},
		{s.Stack, f.Resource.Stack},
		{s.Template, f.Place.Path},
		{s.Account, f.Resource.Account},
		{s.Region, f.Resource.Region},
	} {
		if len(x.globs) > 0 && (x.text == "" || !GlobAny(x.globs, x.text)) {
			return false
		}
	}
	return true
}

func expired(until, today string) bool { return until != "" && until < today }

// SuppressionWarnings tells which of the policy's suppressions have expired
// and which selected nothing. matched is Suppressed.Matched, summed over
// everything that was scanned; nil says that no finding was looked at, and
// then only expiry is told.
func (p *Policy) SuppressionWarnings(matched []int, now time.Time) []*PlaceError {
	if p == nil {
		return nil
	}
	var out []*PlaceError
	today := now.UTC().Format(dateLayout)
	for i := range p.Suppressions {
		s := &p.Suppressions[i]
		place := finding.Place{Path: p.Path, Line: s.Line, Column: 1}
		n := 0
		if i < len(matched) {
			n = matched[i]
		}
		switch {
		case expired(s.Until, today) && n > 0:
			out = append(out, &PlaceError{place, fmt.Sprintf("suppression expired on %s: %s again. settle it, or renew it with a reason", s.Until, plural(n, "finding counts", "findings count"))})
		case expired(s.Until, today):
			out = append(out, &PlaceError{place, fmt.Sprintf("suppression expired on %s. remove it", s.Until)})
		case n == 0 && matched != nil:
			out = append(out, &PlaceError{place, "suppression matches no finding. remove it, or look for a misspelt name"})
		}
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// metadata reads suppressions out of one template, each resource's when a
// finding of it is first met.
type metadata struct {
	models    []*cfn.Model
	rules     Equivalents
	today     string
	template  []note            // hold for every resource
	resources map[string][]note // by logical id
	warnings  []*PlaceError
}

// note is one suppression written in a template.
type note struct {
	tool    string   // key of Equivalents, "" for our own
	ids     []string // rule ids or globs of ours, or the tool's ids
	details finding.Suppression

	at   *cfn.Value // the entry; of our own only
	dead bool       // it has expired, and suppresses nothing
	used bool       // it selected a finding
}

func (m *metadata) readTemplate() {
	if len(m.models) > 0 && m.models[0].Template != nil {
		m.template = m.read(m.models[0].Template.Metadata)
	}
}

// readRest reads our own suppressions of the resources without a finding, for
// what is wrong in them: a misspelt one would never be told otherwise.
func (m *metadata) readRest() {
	for _, model := range m.models {
		for _, r := range model.Resources {
			if r.Metadata.IsKind(cfn.Map) && r.Metadata.Get("plumbline") != nil {
				m.of(r.LogicalID)
			}
		}
	}
}

// suppression is the first note that selects f, the resource's before the
// template's, our own before other tools'.
func (m *metadata) suppression(f *finding.Finding) *finding.Suppression {
	own := m.of(f.Resource.LogicalID)
	if len(own)+len(m.template) == 0 {
		return nil
	}
	var elsewhere map[string][]string
	asked := false
	for _, foreign := range []bool{false, true} {
		for _, notes := range [][]note{own, m.template} {
			for i := range notes {
				n := &notes[i]
				if foreign != (n.tool != "") {
					continue
				}
				if foreign && !asked {
					elsewhere, asked = m.rules.Equivalents(f.Rule), true
				}
				if n.selects(f.Rule, elsewhere) {
					n.used = true
					if n.dead {
						continue
					}
					details := n.details
					return &details
				}
			}
		}
	}
	return nil
}

// stale tells of our own suppressions that have expired, or that no finding needs.
func (m *metadata) stale(severity finding.Severity) []finding.Finding {
	var out []finding.Finding
	tell := func(notes []note, r *cfn.Resource) {
		for i := range notes {
			n := &notes[i]
			if n.tool != "" || n.used && !n.dead {
				continue
			}
			f := finding.Finding{Rule: finding.SuppressionCurrent, Severity: severity, Domain: finding.Configuration, Verdict: finding.Fail, Fix: finding.FixNone, Remediation: SuppressionCurrent.Remediation}
			if t := m.models[0].Template; t != nil {
				f.Place.Path = t.Path
			}
			f.Place.Line, f.Place.Column = n.at.Pos.Line, n.at.Pos.Column
			if r != nil {
				f.Resource = finding.Resource{LogicalID: r.LogicalID, Type: r.Type, ConstructPath: r.ConstructPath}
			}
			rules := strings.Join(n.ids, ", ")
			switch {
			case n.dead && n.used:
				f.Message = "the suppression of " + rules + " expired on " + n.details.Until + ", and what it suppressed counts again"
			case n.dead:
				f.Message = "the suppression of " + rules + " expired on " + n.details.Until
			default:
				f.Message = "no finding of " + rules + " is there to suppress"
			}
			out = append(out, f)
		}
	}
	tell(m.template, nil)
	told := map[string]bool{}
	for _, model := range m.models {
		for _, r := range model.Resources {
			if notes := m.resources[r.LogicalID]; len(notes) > 0 && !told[r.LogicalID] {
				told[r.LogicalID] = true
				tell(notes, r)
			}
		}
	}
	return out
}

// of is the notes of the resource with this logical id, in whichever world has it.
func (m *metadata) of(logicalID string) []note {
	if logicalID == "" {
		return nil
	}
	if notes, read := m.resources[logicalID]; read {
		return notes
	}
	var notes []note
	for _, model := range m.models {
		if r := model.Resource(logicalID); r != nil {
			notes = m.read(r.Metadata)
			break
		}
	}
	if m.resources == nil {
		m.resources = map[string][]note{}
	}
	m.resources[logicalID] = notes
	return notes
}

func (n *note) selects(rule string, elsewhere map[string][]string) bool {
	if n.tool == "" {
		return GlobAny(n.ids, rule)
	}
	for _, id := range n.ids {
		if n.tool == toolCDKNag && sameNagRule(id, elsewhere) || slices.Contains(elsewhere[n.tool], id) {
			return true
		}
	}
	return false
}
