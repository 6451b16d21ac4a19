package sqlite_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"plumbline/internal/sqlite"
	"plumbline/ledger"
)

// TestTamperedRows: whatever of a row a reader goes by, a change of it shows.
func TestTamperedRows(t *testing.T) {
	for name, statement := range map[string]string{
		"another plan":   "UPDATE ledger SET plan = 'x' WHERE seq = 2",
		"a key more":     `UPDATE ledger SET entry = '{"more":1,' || substr(entry, 2) WHERE seq = 2`,
		"a key twice":    `UPDATE ledger SET entry = '{"Plan":"x",' || substr(entry, 2) WHERE seq = 2`,
		"number 0":       "INSERT INTO ledger SELECT 0, plan, entry FROM ledger WHERE seq = 1",
		"number below 0": "INSERT INTO ledger SELECT -5, plan, entry FROM ledger WHERE seq = 1",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "changes.db")
			c, err := sqlite.OpenChanges(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			l := ledger.Ledger{Store: c}
			for _, kind := range []ledger.Kind{ledger.Asked, ledger.Started, ledger.Applied} {
				if _, err := l.Append(t.Context(), kind, "p", "a", "<detail>"); err != nil {
					t.Fatal(err)
				}
			}
			if n, err := ledger.Verify(c.Entries(t.Context(), 1), nil); n != 3 || err != nil {
				t.Fatalf("before: %d entries, %v", n, err)
			}
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if _, err := db.ExecContext(t.Context(), "DROP TRIGGER ledger_keeps; "+statement); err != nil {
				t.Fatal(err)
			}
			if _, err := ledger.Verify(c.Entries(t.Context(), 1), nil); !errors.As(err, new(*ledger.Break)) {
				t.Errorf("verified with %v", err)
			}
		})
	}
}
