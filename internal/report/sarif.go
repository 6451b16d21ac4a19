package report

import (
	"cmp"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"sort"
	"strings"

	"plumbline/finding"
)

// SARIF 2.1.0 (OASIS), as GitHub code scanning and editors read it. Only the
// parts that are used are modelled here: the whole standard as Go types is
// some thirty times the text of this file.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	Columns     string            `json:"columnKind"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID         string         `json:"id"`
	Short      sarifText      `json:"shortDescription"`
	Full       sarifText      `json:"fullDescription"` // GitHub asks for it and for help
	Help       sarifText      `json:"help"`
	HelpURI    string         `json:"helpUri,omitempty"`
	Config     sarifConfig    `json:"defaultConfiguration"`
	Properties map[string]any `json:"properties,omitempty"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Start         string              `json:"startTimeUtc,omitempty"`
	End           string              `json:"endTimeUtc,omitempty"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Kind         string             `json:"kind"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

// sarifSuppressionOf tells what stands in the template itself (SARIF 2.1.0
// §3.35.2: inSource) from what the policy file or a person says (external).
func sarifSuppressionOf(s *finding.Suppression) sarifSuppression {
	kind := "external"
	if strings.HasSuffix(s.Source, " metadata") {
		kind = "inSource"
	}
	return sarifSuppression{kind, suppressionText(s)}
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	Name          string `json:"name"`
	QualifiedName string `json:"fullyQualifiedName,omitempty"`
	Kind          string `json:"kind"`
}

// sarifLevel maps severities to SARIF's levels; the rank within "error" is kept in security-severity.
func sarifLevel(s finding.Severity) string {
	switch s {
	case finding.Critical, finding.High:
		return "error"
	case finding.Medium:
		return "warning"
	}
	return "note"
}

// securitySeverity is the CVSS-like figure that GitHub sorts by. Source:
// GitHub docs, "SARIF support for code scanning": over 9.0 is critical, 7.0
// to 8.9 high, 4.0 to 6.9 medium, below low.
var securitySeverity = map[finding.Severity]string{
	finding.Critical: "9.5", finding.High: "8.0", finding.Medium: "5.5", finding.Low: "2.0",
}

func writeSARIF(w io.Writer, d *Document) error {
	run := sarifRun{Columns: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "plumbline", Version: d.Report.Provenance.Version, Rules: []sarifRule{}}
	inv := sarifInvocation{
		Successful: !d.Unjudged(),
		Start:      d.Report.Provenance.Started.UTC().Format("2006-01-02T15:04:05.000Z"),
		End:        d.Report.Provenance.Finished.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	index := map[string]int{}
	var ids []string
	for _, f := range d.listed {
		if _, ok := index[f.Rule]; !ok {
			index[f.Rule] = 0
			ids = append(ids, f.Rule)
		}
	}
	sort.Strings(ids)
	for i, id := range ids {
		index[id] = i
		r := d.Rules[id]
		s := sarifRule{ID: id, Short: sarifText{d.title(id)}, Config: sarifConfig{sarifLevel(r.Severity)},
			Properties: map[string]any{"security-severity": securitySeverity[r.Severity], "tags": sarifTags(r)}}
		s.Full.Text = cmp.Or(r.Description, s.Short.Text)
		s.Help.Text = cmp.Or(r.Remediation, s.Full.Text)
		s.HelpURI = r.Page
		if s.HelpURI == "" && len(r.References) > 0 {
			s.HelpURI = r.References[0]
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, s)
	}
	for a, f := range d.listed {
		loc := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{sarifURI(f.Place.Path, f.Place.Name)}}}
		if f.Place.Path == "" {
			loc.Physical.Artifact.URI = sarifURI(a.Target.Path, a.Target.Name)
		}
		if f.Place.Line > 0 {
			loc.Physical.Region = &sarifRegion{f.Place.Line, f.Place.Column}
		}
		if f.Resource.LogicalID != "" {
			loc.Logical = []sarifLogical{{f.Resource.LogicalID, f.Resource.ConstructPath, "resource"}}
		}
		if f.Rule == finding.TemplateReadable && f.Verdict == finding.Error {
			inv.Notifications = append(inv.Notifications, sarifNotification{"error", sarifText{f.Message}, []sarifLocation{loc}})
		}
		res := sarifResult{
			RuleID: f.Rule, RuleIndex: index[f.Rule], Kind: "fail", Level: sarifLevel(f.Severity),
			Message: sarifText{sarifMessage(d, f)}, Locations: []sarifLocation{loc},
			Fingerprints: map[string]string{"plumbline/v1": f.Fingerprint()},
		}
		// SARIF 2.1.0 §3.27.9, 3.27.10: a kind other than fail has level none.
		switch f.Verdict {
		case finding.Pass:
			res.Kind, res.Level = "pass", "none"
		case finding.Skip:
			res.Kind, res.Level = "notApplicable", "none"
		case finding.Unknown:
			res.Kind, res.Level = "open", "none"
		}
		if s := f.Suppressed; s != nil {
			res.Suppressions = []sarifSuppression{sarifSuppressionOf(s)}
		}
		run.Results = append(run.Results, res)
	}
	run.Invocations = []sarifInvocation{inv}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifURI is a path as a URI reference, as SARIF 2.1.0 §3.4.3 asks: an
// absolute one with the scheme file, blanks and the like escaped. A template
// below the working folder goes by its name, which leads there from it: GitHub
// finds files by their path in the repository.
func sarifURI(path, name string) string {
	if name != "" && !filepath.IsAbs(name) {
		path = name
	}
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}

func sarifMessage(d *Document, f *finding.Finding) string {
	m := d.title(f.Rule)
	if f.Message != "" {
		m += ": " + f.Message
	}
	return m
}

func sarifTags(r Rule) []string {
	tags := []string{"security", string(r.Domain)}
	for _, c := range r.Controls {
		tags = append(tags, c.Framework+"/"+c.ID)
	}
	return tags
}
