package report

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"plumbline/finding"
)

// jsonReport is the JSON report. Its names are a contract, which
// docs/report.schema.json publishes; the doc tags are what that says of them.
type jsonReport struct {
	SchemaVersion string         `json:"schemaVersion" doc:"version of this shape: a field that is added leaves it, one that goes or changes its meaning moves it"`
	Provenance    jsonProvenance `json:"provenance" doc:"what made the report, so that it can be made again"`
	Summary       jsonSummary    `json:"summary"`
	// Frameworks stand in stored reports: evidence over a period is summed up from them.
	Frameworks []jsonFramework `json:"frameworks,omitempty" doc:"what was found for each requirement that a rule looks at; in reports that are kept only"`
	Findings   []jsonFinding   `json:"findings" doc:"what --show lists, by template, then place, rule and resource"`
}

type jsonFramework struct {
	ID           string            `json:"id"`
	Requirements []jsonRequirement `json:"requirements" doc:"those for which something was judged"`
}

type jsonRequirement struct {
	ID         string   `json:"id"`
	Checks     []string `json:"checks" doc:"rules that judged something"`
	Resources  int      `json:"resources" doc:"how many resources they judged"`
	Violations int      `json:"violations,omitempty"`
	Open       int      `json:"open,omitempty" doc:"verdicts that are unknown or error"`
	Suppressed int      `json:"suppressed,omitempty"`
}

type jsonProvenance struct {
	Tool      jsonTool          `json:"tool"`
	Rules     jsonRules         `json:"rules"`
	Policy    *jsonPolicy       `json:"policy" doc:"the policy file, null where none was used"`
	Started   time.Time         `json:"started"`
	Finished  time.Time         `json:"finished"`
	Inputs    map[string]string `json:"inputs,omitempty" doc:"template parameters given, by name; those with NoEcho are left out"`
	Templates []jsonTemplate    `json:"templates" doc:"everything that was scanned"`
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonRules struct {
	Count  int           `json:"count" doc:"rules in force"`
	SHA256 string        `json:"sha256" doc:"over the text of every rule"`
	Off    []jsonRuleOff `json:"off,omitempty" doc:"rules that the policy turns off, by id; absent where it turns none off"`
}

type jsonRuleOff struct {
	Rule   string `json:"rule" doc:"id of the rule"`
	Reason string `json:"reason" doc:"as the policy gives it"`
}

type jsonPolicy struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

type jsonTemplate struct {
	Path    string   `json:"path" doc:"as it was found from the paths given; - is standard input"`
	Stack   string   `json:"stack,omitempty"`
	SHA256  string   `json:"sha256,omitempty" doc:"of the template's text; absent where it could not be read"`
	Scope   string   `json:"scope,omitempty" doc:"in PCI DSS by the policy, of the strictest of its resources: cde, connected or out; absent where the policy says nothing of scope"`
	Partial []string `json:"partial,omitempty" doc:"domains whose rules could not be run on it" enum:"domain"`
	Gone    bool     `json:"gone,omitempty" doc:"it is not there any more: what was known of it is resolved; with --data only"`
}

type jsonSummary struct {
	Templates  int            `json:"templates"`
	Statuses   finding.Counts `json:"statuses" doc:"all verdicts by status, listed or not; with --framework or --baseline only those that it leaves" keys:"status"`
	Severities map[string]int `json:"severities" doc:"listed violations by severity" keys:"severity"`
	Partial    []string       `json:"partial" doc:"domains whose rules could not be run on some template: nothing is said about them" enum:"domain"`
	Skipped    []jsonSkipped  `json:"skipped" doc:"files that were found and are no templates"`
	Warnings   []string       `json:"warnings,omitempty" doc:"suppressions of the policy or in templates that do not count or select nothing, and what of the scan is incomplete, with their places; absent where there is nothing to tell"`
	New        int            `json:"new,omitempty" doc:"findings first seen by this scan; with --data only"`
	Resolved   int            `json:"resolved,omitempty" doc:"findings open before and gone now; with --data only"`
}

type jsonSkipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

type jsonFinding struct {
	Rule        string           `json:"rule" doc:"id of the rule"`
	Status      string           `json:"status" enum:"status" doc:"unknown: something that the template does not say would settle it, see needs; error: could not be judged"`
	Severity    finding.Severity `json:"severity" enum:"severity"`
	Domain      finding.Domain   `json:"domain,omitempty" enum:"domain"`
	Template    string           `json:"template" doc:"path of the template"`
	Line        int              `json:"line,omitempty" doc:"1-based; absent where there is no place"`
	Column      int              `json:"column,omitempty" doc:"1-based, in characters"`
	Resource    *jsonResource    `json:"resource,omitempty" doc:"absent where the finding is about the template"`
	Message     string           `json:"message,omitempty" doc:"the value found"`
	Remediation string           `json:"remediation,omitempty" doc:"what to do"`
	Fix         string           `json:"fix,omitempty" doc:"whether plumbline knows the change: available, needs-value or none"`
	Controls    []Control        `json:"controls,omitempty" doc:"requirements that the rule looks at"`
	Needs       []string         `json:"needs,omitempty" doc:"what would settle an unknown"`
	Assuming    []string         `json:"assuming,omitempty" doc:"the choices of parameters and conditions under which it is so; absent: under all"`
	Scope       string           `json:"scope,omitempty" enum:"scope" doc:"of the resource in PCI DSS by the policy, its tags included; absent where the policy says nothing of scope"`
	Suppression *jsonSuppression `json:"suppression,omitempty" doc:"why a suppressed violation does not count"`
	Fingerprint string           `json:"fingerprint,omitempty" doc:"the same for the same finding in every scan; absent for pass and skip"`
}

type jsonResource struct {
	LogicalID     string `json:"logicalId"`
	Type          string `json:"type"`
	ConstructPath string `json:"constructPath,omitempty" doc:"of the CDK construct"`
	Stack         string `json:"stack,omitempty"`
	Account       string `json:"account,omitempty"`
	Region        string `json:"region,omitempty"`
}

type jsonSuppression struct {
	Reason   string `json:"reason"`
	Approver string `json:"approver,omitempty"`
	Until    string `json:"until,omitempty" doc:"last day on which it counts, YYYY-MM-DD"`
	Control  string `json:"compensatingControl,omitempty"`
	Source   string `json:"source,omitempty" doc:"where it is written"`
}

// writeJSON streams the report: one finding a line, so that the text diffs
// well and no second copy of all findings is held in memory.
func writeJSON(w io.Writer, d *Document) error {
	b := bufio.NewWriterSize(w, 16<<10)
	r := d.Report
	p := jsonProvenance{
		Tool:     jsonTool{r.Provenance.Tool, r.Provenance.Version},
		Rules:    jsonRules{Count: r.Provenance.Rules, SHA256: r.Provenance.RulesHash},
		Started:  r.Provenance.Started.UTC(),
		Finished: r.Provenance.Finished.UTC(),
		Inputs:   r.Provenance.Inputs,
	}
	for _, x := range r.Provenance.RulesOff {
		p.Rules.Off = append(p.Rules.Off, jsonRuleOff(x))
	}
	if r.Provenance.PolicyPath != "" {
		p.Policy = &jsonPolicy{r.Provenance.PolicyPath, r.Provenance.PolicyHash}
	}
	p.Templates = make([]jsonTemplate, len(r.Assessments))
	s := jsonSummary{Templates: judgedTemplates(r), Statuses: d.counts(), Severities: map[string]int{}, Partial: partial(r), Skipped: []jsonSkipped{}, Warnings: r.Warnings}
	for i, a := range r.Assessments {
		p.Templates[i] = jsonTemplate{Path: a.Target.Path, Stack: a.Target.Stack, SHA256: a.Hash, Scope: a.Scope, Partial: domainNames(a.Partial), Gone: a.Gone}
		s.New += len(a.New)
		s.Resolved += len(a.Resolved)
	}
	for sev, n := range d.severityCounts() {
		s.Severities[string(sev)] = n
	}
	if s.Partial == nil {
		s.Partial = []string{}
	}
	for _, k := range r.Skipped {
		s.Skipped = append(s.Skipped, jsonSkipped(k))
	}
	enc := func(v any) error {
		t, err := json.Marshal(v)
		if err == nil {
			_, err = b.Write(t)
		}
		return err
	}
	b.WriteString("{\"schemaVersion\":\"" + SchemaVersion + "\",\n\"provenance\":")
	if err := enc(p); err != nil {
		return err
	}
	b.WriteString(",\n\"summary\":")
	if err := enc(s); err != nil {
		return err
	}
	if d.ByRequirement {
		b.WriteString(",\n\"frameworks\":")
		if err := enc(d.byRequirement()); err != nil {
			return err
		}
	}
	b.WriteString(",\n\"findings\":[")
	sep := "\n"
	line := make([]byte, 0, 2<<10)
	for a, f := range d.listed {
		b.WriteString(sep)
		sep = ",\n"
		line = d.appendFinding(line[:0], a, f)
		b.Write(line)
	}
	b.WriteString("\n]}\n")
	return b.Flush()
}

// byRequirement is what was found for each requirement that something was
// judged for. It counts passes only where they were kept as findings.
func (d *Document) byRequirement() []jsonFramework {
	t := tally{}
	for i := range d.Report.Assessments {
		a := &d.Report.Assessments[i]
		for j := range a.Findings {
			if d.Only == nil || d.Only(a.Findings[j]) {
				t.count(i, &a.Findings[j])
			}
		}
	}
	out := []jsonFramework{}
	for _, fw := range d.Frameworks {
		x := jsonFramework{ID: fw.ID, Requirements: []jsonRequirement{}}
		for _, q := range fw.Requirements {
			if s := t.sum(q.Rules); len(s.checks) > 0 {
				x.Requirements = append(x.Requirements, jsonRequirement{q.ID, s.checks, s.resources, s.fails, s.open, s.suppressed})
			}
		}
		out = append(out, x)
	}
	return out
}

func domainNames(ds []finding.Domain) []string {
	if len(ds) == 0 {
		return nil
	}
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = string(d)
	}
	return out
}
