package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumbline/finding"
	"plumbline/internal/bundle/description"
	"plumbline/internal/local"
	"plumbline/internal/sqlite"
	"plumbline/rules"
	"plumbline/ruleset"
)

var day1 = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// someRules are rules that records of tests name, with their severities.
var someRules = []struct {
	id       string
	severity finding.Severity
	domain   finding.Domain
	typ      string
}{
	{"s3-bucket-versioning", finding.Medium, finding.Protection, "AWS::S3::Bucket"},
	{"ec2-security-group-open-ssh", finding.Critical, finding.Network, "AWS::EC2::SecurityGroup"},
	{"iam-policy-admin", finding.High, finding.Identity, "AWS::IAM::Policy"},
	{"s3-bucket-block-public-policy", finding.High, finding.Network, "AWS::S3::Bucket"},
	{"template-readable", finding.Low, finding.Configuration, ""},
}

// records are n records of several stacks, in all states.
func records(n int) []finding.Record {
	out := make([]finding.Record, n)
	for i := range out {
		x := someRules[i%len(someRules)]
		at := day1.Add(time.Duration(i) * time.Second)
		out[i] = finding.Record{
			Finding: finding.Finding{
				Rule: x.id, Severity: x.severity, Domain: x.domain, Verdict: finding.Fail,
				Resource:    finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: fmt.Sprintf("Stack%d", i%97), LogicalID: fmt.Sprintf("Thing%d", i), Type: x.typ},
				Place:       finding.Place{Path: fmt.Sprintf("cdk.out/Stack%d.template.json", i%97), Line: 3, Column: 5},
				Message:     fmt.Sprintf("value %d is not what it should be", i),
				Remediation: "Set it as the rule asks, deploy the stack, and look at what depends on the old value before and after.",
				Fix:         finding.FixAvailable, Owner: []string{"", "payments", "platform"}[i%3],
			},
			State: states[i%len(states)], FirstSeen: at, LastSeen: at.Add(24 * time.Hour), Due: at.Add(30 * 24 * time.Hour),
		}
	}
	return out
}

// folder makes a data folder with records.
func folder(t testing.TB, all []finding.Record) string {
	t.Helper()
	dir := t.TempDir()
	db := database(t, dir)
	if err := db.Put(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	return dir
}

func database(t testing.TB, dir string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "findings.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// serve opens the console of a folder.
func serve(t testing.TB, dir string, change func(*Options)) *Server {
	t.Helper()
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := local.OpenReader(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	said := description.Of(set, nil, false)
	var policy *ruleset.Policy
	o := Options{Data: data, Rules: set, Describe: said.Rule, Frameworks: said.Frameworks(), Due: policy.Due, Version: "test", Now: func() time.Time { return day1.Add(60 * 24 * time.Hour) }}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks for a page and returns its status and text.
func get(t testing.TB, s http.Handler, path string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8084"+path, nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

func TestPages(t *testing.T) {
	all := records(700)
	s := serve(t, folder(t, all), nil)
	key := all[0].Fingerprint()
	for _, tc := range []struct {
		path   string
		status int
		want   []string
		not    []string
	}{
		{"/", 200, []string{"500 findings want attention", "PCI DSS v4.0.1", "/findings?severity=critical", "overdue"}, nil},
		{"/findings", 200, []string{"500 findings", "1 to 50 of 500", "Next page", "Thing1"}, []string{"First page"}},
		{"/findings?severity=high", 200, []string{"200 findings", "iam-policy-admin", "Severity: <bdi>high"}, nil},
		{"/findings?severity=high&state=resolved&q=Stack3", 200, []string{"findings", "Search: <bdi>Stack3"}, nil},
		{"/findings?state=suppressed", 200, []string{"100 findings"}, nil},
		{"/findings?q=%22value+42+is%22+stack42", 200, []string{"1 finding<", "Thing42"}, nil},
		{"/findings?q=no-such-thing", 200, []string{"0 findings", "Nothing is found"}, nil},
		{"/findings?group=rule", 200, []string{"Findings by rule", "ec2-security-group-open-ssh"}, []string{"Next page"}},
		{"/findings?framework=pci-dss-4.0.1&control=10.2.1", 200, []string{"Framework: <bdi>pci-dss-4.0.1"}, nil},
		{"/findings?severity=bogus&sort=bogus&group=bogus&after=bogus", 200, []string{"0 findings"}, nil},
		{"/findings/" + key, 200, []string{"Thing0", "value 0 is not what it should be", "overdue since 31 March 2026", "Set it as the rule asks", "Requirement", "First seen"}, nil},
		{"/findings/" + strings.Repeat("0", 32), 404, []string{"knows no finding"}, nil},
		{"/findings/..%2f..%2fetc%2fpasswd", 404, []string{"knows no finding"}, []string{"root:"}},
		{"/rules", 200, []string{"s3-bucket-versioning"}, nil},
		{"/rules?domain=network&severity=critical&q=ssh", 200, []string{"ec2-security-group-open-ssh"}, []string{"s3-bucket-versioning"}},
		{"/rules/s3-bucket-versioning", 200, []string{"Bucket keeps old object versions", "Passes if", "open findings"}, nil},
		{"/rules/no-such-rule", 404, []string{"There is no rule"}, nil},
		{"/frameworks/pci-dss-4.0.1", 200, []string{"PCI DSS v4.0.1", "Not covered:"}, nil},
		{"/frameworks/none", 404, []string{"There is no framework"}, nil},
		{"/executions", 200, []string{"No execution is kept in this folder yet"}, nil},
		{"/executions/none", 404, []string{"knows no execution"}, nil},
		{"/executions/..%2f..%2ffindings.db", 404, []string{"knows no execution"}, nil},
		{"/executions/none/graph.svg", 404, nil, nil},
		{"/charts/trend.svg", 404, nil, nil},
		{"/approvals", 200, []string{"nothing waits"}, nil},
		{"/approvals/123", 404, []string{"no such request"}, nil},
		{"/nothing", 404, []string{"no such page"}, nil},
		{"/static/page.css", 200, []string{"--paper"}, nil},
		{"/static/console.css", 200, []string{".items"}, nil},
		{"/static/console.js", 200, []string{"querySelectorAll"}, nil},
		{"/static/icon.svg", 200, []string{"<svg"}, nil},
		{"/static/frame.tmpl", 404, nil, []string{"doctype"}},
		{"/static/..%2fframe.tmpl", 404, nil, []string{"doctype"}},
	} {
		t.Run(tc.path, func(t *testing.T) {
			status, body := get(t, s, tc.path)
			if status != tc.status {
				t.Errorf("status %d, want %d: %s", status, tc.status, body)
			}
			for _, w := range tc.want {
				if !strings.Contains(body, w) {
					t.Errorf("%q is not in it:\n%s", w, body)
				}
			}
			for _, w := range tc.not {
				if strings.Contains(body, w) {
					t.Errorf("%q is in it", w)
				}
			}
		})
	}
}
