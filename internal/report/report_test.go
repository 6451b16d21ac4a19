package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/internal/report"
	"plumbline/scan"
)

var update = flag.Bool("update", false, "write the golden files")

const vault = `Resources:
  CardVault:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: <cards>
  Doorman:
    Type: AWS::EC2::SecurityGroup
`

// sample is a document with one finding of each status.
func sample() *report.Document {
	at := func(line int) finding.Place {
		return finding.Place{Path: "cdk.out/Data.template.json", Line: line, Column: 3}
	}
	bucket := finding.Resource{LogicalID: "CardVault", Type: "AWS::S3::Bucket", ConstructPath: "Data/CardVault/Resource"}
	group := finding.Resource{LogicalID: "Doorman", Type: "AWS::EC2::SecurityGroup"}
	a := scan.Assessment{
		Target: scan.Target{Path: "cdk.out/Data.template.json", Stack: "Data"},
		Hash:   "ab12",
		Scope:  "cde",
		Findings: []finding.Finding{
			{Rule: "s3-tls", Severity: finding.High, Domain: finding.Encryption, Verdict: finding.Fail, Resource: bucket, Place: at(2), Message: "no policy refuses plain HTTP", Remediation: "Deny requests without TLS in the bucket's policy.", Fix: finding.FixAvailable},
			{Rule: "s3-kms", Severity: finding.Medium, Domain: finding.Encryption, Verdict: finding.Unknown, Resource: bucket, Place: at(4), Message: "the key is not known", Needs: []string{"parameter KmsKey"}},
			{Rule: "s3-versions", Severity: finding.Medium, Domain: finding.Protection, Verdict: finding.Pass, Resource: bucket, Place: at(2)},
			{Rule: "sg-ssh", Severity: finding.Critical, Domain: finding.Network, Verdict: finding.Fail, Resource: group, Place: at(6), Message: "port 22 is open to 0.0.0.0/0, and this message goes on for long enough to be broken on a narrow terminal", Assuming: []string{"Environment=dev"}},
			{Rule: "sg-described", Severity: finding.Low, Domain: finding.Configuration, Verdict: finding.Fail, Resource: group, Place: at(6), Message: "no description", Suppressed: &finding.Suppression{Reason: "made by another team", Approver: "ciso", Until: "2027-01-31"}},
		},
		Counts: finding.Counts{"fail": 2, "unknown": 1, "pass": 1, "suppressed": 1, "skip": 4},
		New:    []string{"x"},
	}
	broken := scan.Assessment{
		Target:   scan.Target{Path: "broken.yaml"},
		Findings: []finding.Finding{{Rule: finding.TemplateReadable, Severity: finding.High, Domain: finding.Configuration, Verdict: finding.Error, Place: finding.Place{Path: "broken.yaml", Line: 7, Column: 1}, Message: "a tab cannot indent YAML"}},
		Counts:   finding.Counts{"error": 1},
		Partial:  []finding.Domain{finding.Logging},
	}
	total := finding.Counts{}
	total.Add(a.Counts)
	total.Add(broken.Counts)
	when := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	return &report.Document{
		Report: &scan.Report{
			Provenance:  scan.Provenance{Tool: "plumbline", Version: "v1", RulesHash: "cd34", Rules: 6, RulesOff: []scan.RuleOff{{Rule: "lambda-dead-letter", Reason: "failures go to the event bus"}}, PolicyPath: "plumbline.yaml", PolicyHash: "ef56", Started: when, Finished: when.Add(time.Second)},
			Assessments: []scan.Assessment{broken, a},
			Skipped:     []scan.Skipped{{Path: "notes.yaml", Reason: "no Resources section"}},
			Counts:      total,
		},
		Rules: map[string]report.Rule{
			"s3-tls":                 {ID: "s3-tls", Title: "Bucket refuses plain HTTP", Severity: finding.High, Domain: finding.Encryption, Controls: []report.Control{{Framework: "pci-dss-4.0.1", ID: "4.2.1", Fit: "direct"}}},
			"sg-ssh":                 {ID: "sg-ssh", Title: "SSH is not open to the world", Severity: finding.Critical, Domain: finding.Network},
			finding.TemplateReadable: {ID: finding.TemplateReadable, Title: "Template can be read", Severity: finding.High},
		},
		Frameworks: []report.Framework{{ID: "pci-dss-4.0.1", Title: "PCI DSS v4.0.1", Requirements: []report.Requirement{
			{ID: "1.3.1", Title: "Inbound traffic is restricted", Rules: []string{"sg-ssh"}, NotCovered: "firewalls outside AWS"},
			{ID: "4.2.1", Title: "Strong cryptography in transit", Rules: []string{"s3-tls"}},
			{ID: "3.5.1", Title: "Stored account data is unreadable", Rules: []string{"s3-kms"}},
			{ID: "10.5.1", Title: "Audit logs are kept", Rules: []string{"s3-versions"}},
			{ID: "12.1.1", Title: "A policy is written"},
			{ID: "8.3.1", Title: "Users are authenticated", Rules: []string{"iam-none"}},
		}}},
		Source: func(path string) []byte {
			if path == "cdk.out/Data.template.json" {
				return []byte(vault)
			}
			return nil
		},
		Show: report.DefaultShow(),
	}
}

func TestFormatsMatchGoldenFiles(t *testing.T) {
	for _, format := range report.Formats {
		t.Run(format, func(t *testing.T) {
			var got bytes.Buffer
			if err := report.Write(&got, format, sample()); err != nil {
				t.Fatal(err)
			}
			golden(t, "sample."+format, got.Bytes())
		})
	}
	t.Run("narrow", func(t *testing.T) {
		d := sample()
		d.Width = 44
		var got bytes.Buffer
		if err := report.Write(&got, "table", d); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(got.String(), "\n") {
			if len([]rune(line)) > 44 && !strings.HasPrefix(line, "partial:") && !strings.HasPrefix(line, "  notes.yaml:") {
				t.Errorf("line is %d columns wide, the terminal 44: %q", len([]rune(line)), line)
			}
		}
	})
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; look, then run go test ./internal/report -update (-want +got)\n%s", path, diff)
	}
}

func TestJSONContract(t *testing.T) {
	d := sample()
	d.Show = map[string]bool{"fail": true, "pass": true, "suppressed": true, "error": true, "unknown": true, "skip": true}
	var out bytes.Buffer
	if err := report.Write(&out, "json", d); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		SchemaVersion string
		Summary       struct{ Statuses map[string]int }
		Findings      []struct {
			Rule, Status, Severity, Template, Message string
			Line, Column                              int
			Resource                                  *struct{ LogicalID, Type, ConstructPath string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range doc.Findings {
		got = append(got, f.Rule+" "+f.Status)
	}
	want := []string{"template-readable error", "s3-tls fail", "s3-kms unknown", "s3-versions pass", "sg-ssh fail", "sg-described suppressed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got)\n%s", diff)
	}
	if doc.Findings[0].Resource != nil {
		t.Error("a finding about a template names a resource")
	}
	if diff := cmp.Diff(map[string]int{"fail": 2, "unknown": 1, "pass": 1, "suppressed": 1, "skip": 4, "error": 1}, doc.Summary.Statuses); diff != "" {
		t.Errorf("statuses (-want +got)\n%s", diff)
	}
}

func TestHTMLIsSelfContainedAndEscaped(t *testing.T) {
	var out bytes.Buffer
	if err := report.Write(&out, "html", sample()); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, bad := range []string{"<script", "http://", "https://", "BucketName: <cards>", ">met<", "is met"} {
		if strings.Contains(page, bad) {
			t.Errorf("page holds %q", bad)
		}
	}
	for _, good := range []string{"BucketName: &lt;cards&gt;", "2 violations in 2 templates", "1 violation found by 1 check over 1 resource", "no violation found by 1 check over 1 resource", "Not everything could be judged", "not automatable from templates: to be checked by hand", "nothing in these templates to check", "This scan is partial", "made by another team"} {
		if !strings.Contains(page, good) {
			t.Errorf("page lacks %q", good)
		}
	}
}

func TestJUnitIsXML(t *testing.T) {
	var out bytes.Buffer
	if err := report.Write(&out, "junit", sample()); err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(&out)
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCountsTowardsTheExitCode(t *testing.T) {
	d := sample()
	for floor, want := range map[finding.Severity]int{finding.Critical: 1, finding.High: 2, finding.Low: 2} {
		if got := d.Failing(floor); got != want {
			t.Errorf("Failing(%s) = %d, want %d", floor, got, want)
		}
	}
	if !d.Unjudged() {
		t.Error("a broken template and a lost domain count as judged")
	}
	d.Only = func(f finding.Finding) bool { return f.Rule == "s3-tls" }
	if got := d.Failing(finding.Low); got != 1 {
		t.Errorf("with Only, Failing = %d, want 1", got)
	}
}

func TestUnknownFormatNamesTheAllowed(t *testing.T) {
	err := report.Write(io.Discard, "xml", sample())
	if err == nil || !strings.Contains(err.Error(), "table, json, sarif, junit, html, csv, github") {
		t.Errorf("error %v does not name the formats", err)
	}
}

func TestTableKeepsATemplateFromDrivingTheTerminal(t *testing.T) {
	d := sample()
	f := &d.Report.Assessments[1].Findings[0]
	f.Message = "name is \x1b]0;owned\a\x1b[2J, and \u202egnirts"
	f.Resource.LogicalID = "A\x1b[31m"
	d.Report.Skipped[0].Path = "a\rb.yaml"
	var out bytes.Buffer
	if err := report.Write(&out, "table", d); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\a", "\r", "\u202e"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("table holds %q", bad)
		}
	}
}

func TestTableColoursAndBreaksLines(t *testing.T) {
	d := sample()
	d.Color, d.Width = true, 40
	d.Report.Assessments[1].Findings[0].Message = strings.Repeat("w", 60) + " and more that has to be broken into lines"
	var out bytes.Buffer
	if err := report.Write(&out, "table", d); err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, line := range strings.Split(out.String(), "\n") {
		if n := strings.Count(line, "\x1b["); n%2 != 0 {
			t.Errorf("a colour runs over the end of %q", line)
		}
		text := codes.ReplaceAllString(line, "")
		if strings.HasPrefix(text, "           ") && len([]rune(text)) > 40 && strings.ContainsRune(strings.TrimSpace(text), ' ') {
			t.Errorf("line is %d columns wide, the terminal 40: %q", len([]rune(text)), text)
		}
	}
	if !strings.Contains(out.String(), "\x1b[1;35mcritical") {
		t.Error("a critical finding has no colour")
	}
}

func TestSARIFNamesFilesByURI(t *testing.T) {
	d := sample()
	a := &d.Report.Assessments[1]
	a.Findings[0].Place.Path = "my stacks/100%.yaml"
	a.Findings[1].Place.Path = "/srv/a.yaml"
	a.Findings[3].Place.Path = ""
	a.Findings[2].Place.Path, a.Findings[2].Place.Name = "/repo/in/b.yaml", "in/b.yaml"
	d.Show["pass"] = true
	var out bytes.Buffer
	if err := report.Write(&out, "sarif", d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"uri": "my%20stacks/100%25.yaml"`, `"uri": "file:///srv/a.yaml"`, `"uri": "in/b.yaml"`, `"uri": "cdk.out/Data.template.json"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("SARIF lacks %s", want)
		}
	}
}

func TestCountsFollowWhatAReportSpeaksOf(t *testing.T) {
	d := sample()
	d.InForce = 2
	d.Only = func(f finding.Finding) bool { return f.Rule == "s3-tls" || f.Rule == "s3-versions" }
	var table, page bytes.Buffer
	if err := report.Write(&table, "table", d); err != nil {
		t.Fatal(err)
	}
	if want := "2 templates, 2 rules: 1 violation (1 high), 1 check passed\n"; !strings.Contains(table.String(), want) {
		t.Errorf("table\n%s\nlacks %q", &table, want)
	}
	if err := report.Write(&page, "html", d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h1>1 violation in 2 templates</h1>", "<b>1</b> checks passed", "<b>0</b> undecided"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("page lacks %q", want)
		}
	}
}

func TestHeadlineOfAPageWithoutViolations(t *testing.T) {
	for name, tc := range map[string]struct {
		assessment scan.Assessment
		want       string
	}{
		"all judged": {scan.Assessment{Target: scan.Target{Path: "a.yaml"}}, "<h1>No violation found in 1 template</h1>"},
		"partial":    {scan.Assessment{Target: scan.Target{Path: "a.yaml"}, Partial: []finding.Domain{finding.Logging}}, "<h1>No violation found in 1 template, but not everything could be judged</h1>"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Write(&out, "html", &report.Document{Report: &scan.Report{Assessments: []scan.Assessment{tc.assessment}}}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), tc.want) {
				t.Errorf("page lacks %q", tc.want)
			}
		})
	}
}

func TestAReportOfNothing(t *testing.T) {
	for _, format := range report.Formats {
		if err := report.Write(io.Discard, format, &report.Document{Report: &scan.Report{}}); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// full is a disk without room after n bytes.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestEveryFormatTellsThatItCouldNotBeWritten(t *testing.T) {
	for _, format := range report.Formats {
		if err := report.Write(&full{n: 100}, format, sample()); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: error = %v, want no space left", format, err)
		}
	}
}

func TestPageMasksSecretsOfTheTemplate(t *testing.T) {
	d := sample()
	d.Source = func(string) []byte {
		return []byte("Resources:\n  Cards:\n    Environment:\n      - Value: hunter2\n      - DbPassword: hunter3\n      - Plain: text\n")
	}
	d.Rules["env-secrets"] = report.Rule{ID: "env-secrets", Controls: []report.Control{{Framework: "pci-dss-4.0.1", ID: "8.6.2", Fit: "direct"}}}
	a := &d.Report.Assessments[1]
	a.Findings = append(a.Findings, finding.Finding{Rule: "env-secrets", Severity: finding.High, Verdict: finding.Fail, Place: finding.Place{Path: a.Target.Path, Line: 4, Column: 16}})
	var out bytes.Buffer
	if err := report.Write(&out, "html", d); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"hunter2", "hunter3"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("page holds %s", bad)
		}
	}
	for _, good := range []string{"- Value: ****", "DbPassword: ****", "Plain: text"} {
		if !strings.Contains(out.String(), good) {
			t.Errorf("page lacks %q", good)
		}
	}
}

func TestFloorShortensTheListOnly(t *testing.T) {
	d := sample()
	d.Floor = finding.Critical
	var out bytes.Buffer
	if err := report.Write(&out, "table", d); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"sg-ssh", "s3-kms", "2 violations (1 critical, 1 high)", "1 violation below critical not listed"} {
		if !strings.Contains(text, want) {
			t.Errorf("table lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "s3-tls") {
		t.Errorf("table lists a violation below the floor:\n%s", text)
	}
	if d.Failing(finding.High) != 2 {
		t.Error("the floor of the list changes what counts")
	}
}
