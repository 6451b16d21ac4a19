package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumbline/finding"
	"plumbline/finding/findingtest"
	"plumbline/tasks/intake"
	"plumbline/tasks/intake/intaketest"
)

func open(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func inTemp(t *testing.T) *DB { return open(t, filepath.Join(t.TempDir(), "findings.db")) }

func TestConformance(t *testing.T) {
	findingtest.Run(t, func(t *testing.T) findingtest.Store { return inTemp(t) })
	intaketest.Run(t, func(t *testing.T) intake.Events { return inTemp(t) })
}

func record(id string) finding.Record {
	at := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	return finding.Record{Finding: finding.Finding{Rule: "r1", Severity: finding.High, Resource: finding.Resource{Stack: "P", LogicalID: id}}, State: finding.New, FirstSeen: at, LastSeen: at}
}

func count(t *testing.T, d *DB) int {
	t.Helper()
	n := 0
	for _, err := range d.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestItIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name ?%23&.db")
	d, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), []finding.Record{record("A")}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file is elsewhere: %v", err)
	}
	if n := count(t, open(t, path)); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings.db")
	a, b := open(t, path), open(t, path)
	for i, d := range []*DB{a, b, a, b} {
		if err := d.Put(t.Context(), []finding.Record{record(string(rune('A' + i)))}); err != nil {
			t.Fatal(err)
		}
	}
	if count(t, a) != 4 || count(t, b) != 4 {
		t.Errorf("a sees %d, b %d records, want 4", count(t, a), count(t, b))
	}
}

func TestABatchIsAllOrNothing(t *testing.T) {
	d := inTemp(t)
	if _, err := d.writer.ExecContext(t.Context(), "CREATE TRIGGER refuse BEFORE INSERT ON findings WHEN NEW.resource_id LIKE '%Bad' BEGIN SELECT RAISE(ABORT, 'refused'); END"); err != nil {
		t.Fatal(err)
	}
	err := d.Put(t.Context(), []finding.Record{record("Good"), record("Bad"), record("Fine")})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error = %v", err)
	}
	if n := count(t, d); n != 0 {
		t.Errorf("%d records of a refused batch were kept", n)
	}
}

func TestOpenSaysWhatStandsInTheWay(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	d, err := Open(t.Context(), newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.writer.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		garbage:                                  "the file is damaged or no database",
		newer:                                    "written by a newer plumbline (schema 99",
		filepath.Join(dir, "nowhere", "f.db"):    "give --data a folder that exists",
		dir:                                      "give --data a folder",
		filepath.Join(garbage, "below", "it.db"): "give --data a folder",
	} {
		if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want …%s…", path, err, want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	batch := make([]finding.Record, 400)
	for i := range batch {
		batch[i] = record(strings.Repeat("x", i))
	}
	for _, tc := range []struct {
		name, pragma, want string
	}{
		{"a full disk", "PRAGMA max_page_count = 20", "the disk is full"},
		{"read-only", "PRAGMA query_only = 1", "it cannot be written"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := inTemp(t)
			if _, err := d.writer.ExecContext(t.Context(), tc.pragma); err != nil {
				t.Fatal(err)
			}
			err := d.Put(t.Context(), batch)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want …%s…", err, tc.want)
			}
			if n := count(t, d); n != 0 {
				t.Errorf("%d records of a failed batch were kept", n)
			}
		})
	}
}

func TestADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings.db")
	d, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	batch := make([]finding.Record, 200)
	for i := range batch {
		batch[i] = record(strings.Repeat("x", i))
	}
	if err := errors.Join(d.Put(t.Context(), batch), d.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(b); i++ {
		b[i] = 0xa5
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	d = open(t, path)
	var failed error
	for _, err := range d.All(t.Context()) {
		failed = errors.Join(failed, err)
	}
	if failed == nil || !strings.Contains(failed.Error(), "damaged") {
		t.Errorf("error = %v, want one that says the file is damaged", failed)
	}
}

func TestABusyDatabaseIsWorthARetry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings.db")
	a, b := open(t, path), open(t, path)
	if _, err := b.writer.ExecContext(t.Context(), "PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	err := a.write(t.Context(), func(*sql.Tx) error {
		return b.Put(context.WithoutCancel(t.Context()), []finding.Record{record("A")})
	})
	if !errors.Is(err, finding.ErrThrottled) || !strings.Contains(err.Error(), "another process writes to it") {
		t.Errorf("error = %v, want ErrThrottled", err)
	}
}

func TestASessionIsAllOrNothing(t *testing.T) {
	d := inTemp(t)
	for _, keep := range []bool{false, true} {
		s, err := d.Begin(t.Context(), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), []finding.Record{record("A"), record("B")}); err != nil {
			t.Fatal(err)
		}
		mine := 0
		for _, err := range s.OfStack(t.Context(), "P") {
			if err != nil {
				t.Fatal(err)
			}
			mine++
		}
		if others := count(t, d); mine != 2 || others != 0 {
			t.Errorf("the session sees %d records, others %d", mine, others)
		}
		targets, err := s.Targets(t.Context())
		if err != nil || len(targets) != 1 || targets[0] != (Target{Stack: "P"}) {
			t.Errorf("targets %+v, %v", targets, err)
		}
		if keep {
			err = s.Commit(t.Context(), "s1")
		} else {
			err = s.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
		kept, err := d.Committed(t.Context(), "s1")
		if n := count(t, d); err != nil || kept != keep || (n == 2) != keep {
			t.Errorf("kept: %v, %d records, committed %v, %v", keep, n, kept, err)
		}
	}
}

func TestOneSessionAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings.db")
	a, b := open(t, path), open(t, path)
	first, err := a.Begin(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Begin(t.Context(), 0, nil); !errors.Is(err, finding.ErrThrottled) {
		t.Errorf("error = %v, want that another process writes", err)
	}
	waited := 0
	second, err := b.Begin(t.Context(), 10*time.Second, func() {
		waited++
		if err := first.Rollback(); err != nil {
			t.Error(err)
		}
	})
	if err != nil || waited != 1 {
		t.Fatalf("waited %d times, %v", waited, err)
	}
	if err := second.Rollback(); err != nil {
		t.Error(err)
	}
}

func TestAFileOfTheFirstVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings.db")
	db, err := connect(path, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"CREATE TABLE findings (resource_id TEXT NOT NULL, timestamp TEXT NOT NULL, stack TEXT NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL, active INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (resource_id, timestamp)) WITHOUT ROWID",
		"CREATE INDEX findings_by_stack ON findings (stack, resource_id, timestamp)",
		"CREATE INDEX findings_open ON findings (severity, timestamp) WHERE active = 1",
		"CREATE INDEX findings_by_rule ON findings (rule, timestamp)",
		"CREATE TABLE events (id TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID",
		`INSERT INTO findings VALUES ('1/r/P/A', 'x#r1', 'P', 'r1', 'high', 1, '{"Rule":"r1","Resource":{"Account":"1","Region":"r","Stack":"P","LogicalID":"A"},"Place":{"Path":"a.yaml"},"State":"open"}')`,
		"PRAGMA user_version = 1",
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := View(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, old); n != 1 {
		t.Errorf("%d records are read as they are", n)
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
	d := open(t, path)
	s, err := d.Begin(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := s.Targets(t.Context())
	if want := (Target{"P", "a.yaml", "1", "r"}); err != nil || len(targets) != 1 || targets[0] != want || count(t, d) != 1 {
		t.Errorf("targets %+v, %v", targets, err)
	}
	if err := s.Rollback(); err != nil {
		t.Error(err)
	}
}

func TestViewOfAFolderThatCannotBeWritten(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "findings.db")
	d, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Put(t.Context(), []finding.Record{record("A")}), d.Close(), os.Chmod(path, 0o400), os.Chmod(dir, 0o500)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	view, err := View(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, view); n != 1 {
		t.Errorf("%d records", n)
	}
	if err := view.Put(t.Context(), []finding.Record{record("B")}); err == nil {
		t.Error("a view can be written to")
	}
	if err := view.Close(); err != nil {
		t.Error(err)
	}
}
