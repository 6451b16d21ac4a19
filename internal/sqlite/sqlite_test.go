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
