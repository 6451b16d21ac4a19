package report

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"plumbline/finding"
	"plumbline/scan"
)

// The JSON report. Field names are a contract: docs/report.schema.json describes them.
type jsonProvenance struct {
	Tool      jsonTool          `json:"tool"`
	Rules     jsonRules         `json:"rules"`
	Policy    *jsonPolicy       `json:"policy"`
	Started   time.Time         `json:"started"`
	Finished  time.Time         `json:"finished"`
	Inputs    map[string]string `json:"inputs,omitempty"`
	Templates []jsonTemplate    `json:"templates"`
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonRules struct {
	Count  int    `json:"count"`
	SHA256 string `json:"sha256"`
}

type jsonPolicy struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

type jsonTemplate struct {
	Path    string   `json:"path"`
	Stack   string   `json:"stack,omitempty"`
	SHA256  string   `json:"sha256,omitempty"`
	Partial []string `json:"partial,omitempty"`
}

type jsonSummary struct {
	Templates  int            `json:"templates"`
	Statuses   finding.Counts `json:"statuses"`
	Severities map[string]int `json:"severities"` // of listed failures
	Partial    []string       `json:"partial"`
	Skipped    []jsonSkipped  `json:"skipped"`
	New        int            `json:"new,omitempty"`
	Resolved   int            `json:"resolved,omitempty"`
}

type jsonSkipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

type jsonFinding struct {
	Rule        string           `json:"rule"`
	Status      string           `json:"status"`
	Severity    finding.Severity `json:"severity"`
	Domain      finding.Domain   `json:"domain,omitempty"`
	Template    string           `json:"template"`
	Line        int              `json:"line,omitempty"`
	Column      int              `json:"column,omitempty"`
	Resource    *jsonResource    `json:"resource,omitempty"`
	Message     string           `json:"message,omitempty"`
	Remediation string           `json:"remediation,omitempty"`
	Fix         string           `json:"fix,omitempty"`
	Controls    []Control        `json:"controls,omitempty"`
	Needs       []string         `json:"needs,omitempty"`
	Assuming    []string         `json:"assuming,omitempty"`
	Suppression *jsonSuppression `json:"suppression,omitempty"`
	Fingerprint string           `json:"fingerprint,omitempty"`
}

type jsonResource struct {
	LogicalID     string `json:"logicalId"`
	Type          string `json:"type"`
	ConstructPath string `json:"constructPath,omitempty"`
	Stack         string `json:"stack,omitempty"`
	Account       string `json:"account,omitempty"`
	Region        string `json:"region,omitempty"`
}

type jsonSuppression struct {
	Reason   string `json:"reason"`
	Approver string `json:"approver,omitempty"`
	Until    string `json:"until,omitempty"`
	Control  string `json:"compensatingControl,omitempty"`
	Source   string `json:"source,omitempty"`
}

// writeJSON streams the report: one finding a line, so that the text diffs
// well and no second copy of all findings is held in memory.
func writeJSON(w io.Writer, d *Document) error {
	b := bufio.NewWriterSize(w, 64<<10)
	r := d.Report
	p := jsonProvenance{
		Tool:     jsonTool{r.Provenance.Tool, r.Provenance.Version},
		Rules:    jsonRules{r.Provenance.Rules, r.Provenance.RulesHash},
		Started:  r.Provenance.Started.UTC(),
		Finished: r.Provenance.Finished.UTC(),
		Inputs:   r.Provenance.Inputs,
	}
	if r.Provenance.PolicyPath != "" {
		p.Policy = &jsonPolicy{r.Provenance.PolicyPath, r.Provenance.PolicyHash}
	}
	p.Templates = make([]jsonTemplate, len(r.Assessments))
	s := jsonSummary{Templates: judgedTemplates(r), Statuses: d.counts(), Severities: map[string]int{}, Partial: partial(r), Skipped: []jsonSkipped{}}
	for i, a := range r.Assessments {
		p.Templates[i] = jsonTemplate{Path: a.Target.Path, Stack: a.Target.Stack, SHA256: a.Hash, Partial: domainNames(a.Partial)}
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
	b.WriteString(",\n\"findings\":[")
	sep := "\n"
	for a, f := range d.listed {
		b.WriteString(sep)
		sep = ",\n"
		if err := enc(d.jsonFinding(a, f)); err != nil {
			return err
		}
	}
	b.WriteString("\n]}\n")
	return b.Flush()
}

func (d *Document) jsonFinding(a *scan.Assessment, f *finding.Finding) *jsonFinding {
	j := &jsonFinding{
		Rule: f.Rule, Status: f.Status(), Severity: f.Severity, Domain: f.Domain,
		Template: f.Place.Path, Line: f.Place.Line, Column: f.Place.Column,
		Message: f.Message, Needs: f.Needs, Assuming: f.Assuming,
		Controls: d.Rules[f.Rule].Controls,
	}
	if j.Template == "" {
		j.Template = a.Target.Path
	}
	if f.Resource.LogicalID != "" {
		j.Resource = &jsonResource{f.Resource.LogicalID, f.Resource.Type, f.Resource.ConstructPath, f.Resource.Stack, f.Resource.Account, f.Resource.Region}
	}
	if f.Verdict != finding.Pass && f.Verdict != finding.Skip {
		j.Remediation, j.Fix, j.Fingerprint = f.Remediation, f.Fix, f.Fingerprint()
	}
	if s := f.Suppressed; s != nil {
		j.Suppression = &jsonSuppression{s.Reason, s.Approver, s.Until, s.Control, s.Source}
	}
	return j
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
