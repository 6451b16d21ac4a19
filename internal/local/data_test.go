package local

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// history reads a data folder, records as "rule resource".
func history(t *testing.T, dir string) (h *History, fresh, reopened, resolved, open []string) {
	t.Helper()
	h, err := ReadHistory(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	names := func(rs []finding.Record) (out []string) {
		for _, r := range rs {
			out = append(out, r.Rule+" "+r.Resource.LogicalID)
		}
		return out
	}
	return h, names(h.New), names(h.Reopened), names(h.Resolved), names(h.Open)
}

func TestScanAfterScan(t *testing.T) {
	data, now := t.TempDir(), clock()
	rules := open(t)
	path := filepath.Join(t.TempDir(), "cards.yaml")
	both := []string{"s3-versioned Cards", "sqs-encrypted Jobs"}
	for i, step := range []struct {
		template                        string
		fresh, reopened, resolved, open []string
	}{
		{bad, both, nil, nil, both},
		{bad, nil, nil, nil, both},
		{good, nil, nil, both, nil},
		{"Resources: [", nil, nil, nil, nil},
		{bad, nil, both, nil, both},
		{"Resources: [", nil, nil, nil, both}, // what cannot be read resolves nothing
	} {
		if err := os.WriteFile(path, []byte(step.template), 0o600); err != nil {
			t.Fatal(err)
		}
		r := mustScan(t, Options{Templates: []source.Template{{Path: path}}, Rules: rules, Data: data, Render: render, Now: now})
		h, fresh, reopened, resolved, open := history(t, data)
		got := [][]string{fresh, reopened, resolved, open}
		if diff := cmp.Diff([][]string{step.fresh, step.reopened, step.resolved, step.open}, got); diff != "" {
			t.Errorf("scan %d: new, reopened, resolved, open (-want +got):\n%s", i+1, diff)
		}
		if len(h.Scans) != i+1 {
			t.Fatalf("scan %d: the history has %d scans", i+1, len(h.Scans))
		}
		last := h.Scans[i]
		if last.Targets != 1 || last.New != len(step.fresh) || last.Resolved != len(step.resolved) || last.Open != len(step.open) {
			t.Errorf("scan %d: summary %+v", i+1, last)
		}
		if len(r.Assessments[0].New) != len(step.fresh) || len(r.Assessments[0].Resolved) != len(step.resolved) {
			t.Errorf("scan %d: the report says %d new, %d resolved", i+1, len(r.Assessments[0].New), len(r.Assessments[0].Resolved))
		}
		for _, file := range []string{"report.json", "report.html"} {
			if _, err := os.Stat(filepath.Join(data, bucketFolder, filepath.FromSlash(last.Report), file)); err != nil {
				t.Errorf("scan %d: %v", i+1, err)
			}
		}
	}
	notices, err := os.ReadFile(filepath.Join(data, noticesFile))
	if err != nil {
		t.Fatal(err)
	}
	// Two scans had something new or back, each of a critical and a low severity,
	// of which the low one is told by the digest; one scan ended both.
	want := []string{"findings critical", "findings low", "digest low", "update critical", "update low", "findings critical", "findings low", "digest low"}
	var got []string
	for line := range strings.Lines(string(notices)) {
		var n scan.Notice
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Fatal(err)
		}
		got = append(got, n.Kind+" "+string(n.Severity))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got)\n%s", diff)
	}
}

func TestFailuresAreInTheHistory(t *testing.T) {
	data := t.TempDir()
	r := mustScan(t, Options{
		Templates: folder(t, map[string]string{"a.yaml": bad}), Data: data,
		Tasks: map[string]tasks.Func{"${PersistFindingsArn}": failTask(catalog.StoreFailed)},
	})
	a := r.Assessments[0]
	if len(a.Findings) != 2 || len(a.Failures) != 1 || a.Failures[0].Error != catalog.StoreFailed {
		t.Errorf("what was found stands, and says that it was not stored: %+v", a)
	}
	h, _, _, _, _ := history(t, data)
	if len(h.Failures) != 1 || h.Failures[0].Workflow != "scan-stack" || len(h.Scans) != 1 || len(h.Scans[0].Failures) != 1 {
		t.Errorf("history: %+v", h)
	}
}

func TestAFailureThatCannotBeRecorded(t *testing.T) {
	data := t.TempDir()
	var told []scan.Notice
	r := mustScan(t, Options{
		Templates: folder(t, map[string]string{"a.yaml": bad}), Data: data,
		Tasks: map[string]tasks.Func{
			"${FetchStackArn}":    failTask(catalog.StoreFailed),
			"${RecordFailureArn}": failTask(catalog.StoreFailed),
		},
		Notice: func(n scan.Notice) { told = append(told, n) },
	})
	a := r.Assessments[0]
	if len(a.Partial) != len(finding.Domains) || len(a.Failures) != 1 {
		t.Errorf("silence reads as clean: %+v", a)
	}
	if len(told) != 1 || told[0].Kind != scan.NoticeFailure {
		t.Errorf("told: %+v", told)
	}
}

func TestDataFoldersThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	broken := filepath.Join(dir, "broken")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(broken, 0o700), os.WriteFile(filepath.Join(broken, databaseFile), []byte(strings.Repeat("no database ", 200)), 0o600)); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{file: "a file stands where a folder should be", broken: "the file is damaged or no database"} {
		_, err := Scan(t.Context(), Options{Templates: folder(t, map[string]string{"a.yaml": bad}), Rules: open(t), Data: data})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", data, err, want)
		}
	}
	if _, err := ReadHistory(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "make one with plumbline scan --data") {
		t.Errorf("an empty folder: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("looking for a history left something behind: %v, %v", entries, err)
	}
}

func TestWithoutDataNothingIsWritten(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	mustScan(t, Options{Templates: []source.Template{{Path: "a.yaml", Source: []byte(bad)}}, Render: render})
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestADamagedSummary(t *testing.T) {
	data := t.TempDir()
	mustScan(t, Options{Templates: folder(t, map[string]string{"a.yaml": bad}), Data: data})
	store, err := files.Open(filepath.Join(data, bucketFolder))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(store.Path(scan.SummaryKey("odd", time.Now())), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadHistory(t.Context(), data); err == nil || !strings.Contains(err.Error(), "decode object") {
		t.Errorf("error = %v", err)
	}
}
