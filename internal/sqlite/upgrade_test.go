package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fileOf makes a database by statements, as another program would.
func fileOf(t *testing.T, statements string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "findings.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADatabaseOfAnotherProgramIsNotTouched(t *testing.T) {
	for name, statements := range map[string]string{
		"without a version":     "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')",
		"with a version of its": "CREATE TABLE findings (x TEXT); PRAGMA user_version = 7",
		"with ours":             "CREATE TABLE songs (title TEXT); PRAGMA user_version = 2",
	} {
		t.Run(name, func(t *testing.T) {
			path := fileOf(t, statements)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			open := func(ctx context.Context, path string) error {
				d, err := Open(ctx, path)
				if err == nil {
					err = d.Close()
				}
				return err
			}
			view := func(ctx context.Context, path string) error {
				d, err := View(ctx, path)
				if err == nil {
					err = d.Close()
				}
				return err
			}
			for what, f := range map[string]func(context.Context, string) error{"Open": open, "View": view, "Upgrade": Upgrade} {
				err := f(t.Context(), path)
				if err == nil || !strings.Contains(err.Error(), "another program") || !strings.Contains(err.Error(), "exports it") {
					t.Errorf("%s: error %v", what, err)
				}
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(before) != string(after) {
				t.Error("the file is not as it was")
			}
		})
	}
}

func TestUpgradeKeepsACopy(t *testing.T) {
	const first = `
CREATE TABLE findings (resource_id TEXT NOT NULL, timestamp TEXT NOT NULL, stack TEXT NOT NULL, severity TEXT NOT NULL, rule TEXT NOT NULL, active INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (resource_id, timestamp)) WITHOUT ROWID;
CREATE INDEX findings_by_stack ON findings (stack); CREATE INDEX findings_open ON findings (severity, timestamp) WHERE active = 1; CREATE INDEX findings_by_rule ON findings (rule);
CREATE TABLE events (id TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO findings VALUES ('a//s/B', '2026-03-01T06:00:00.000000000Z#r', 's', 'high', 'r', 1, '{"Rule":"r","Severity":"high","State":"open","Resource":{"Account":"a","Region":"","Stack":"s","LogicalID":"B"},"Place":{"Path":""}}');
PRAGMA user_version = 1`
	path := fileOf(t, first)
	for range 2 { // the second time there is nothing to do
		if err := Upgrade(t.Context(), path); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, open(t, path)); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
	copies, err := filepath.Glob(path + ".schema-1-*.backup")
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies %q, %v: want one", copies, err)
	}
	db, err := sql.Open("sqlite", copies[0])
	if err != nil {
		t.Fatal(err)
	}
	var version, records int
	if err := db.QueryRowContext(t.Context(), "SELECT (SELECT user_version FROM pragma_user_version), count(*) FROM findings").Scan(&version, &records); err != nil || version != 1 || records != 1 {
		t.Errorf("the copy has schema %d and %d records: %v", version, records, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestChangedMovesWithEachCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "findings.db")
	writer, reader := open(t, path), open(t, path)
	changed := func() int64 {
		n, err := reader.Changed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changed()
	if again := changed(); again != before {
		t.Errorf("it moved from %d to %d, and nothing was written", before, again)
	}
	if _, err := writer.Claim(t.Context(), "e", record("a").FirstSeen); err != nil {
		t.Fatal(err)
	}
	if changed() == before {
		t.Error("it did not move with a commit")
	}
}
