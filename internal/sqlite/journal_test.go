package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openTestJournal(t *testing.T, path string) (*Journal, *Kept) {
	t.Helper()
	j, kept, err := OpenJournal(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return j, kept
}

// fill writes n entries of three subjects, one commit for every two.
func fill(t *testing.T, path string, n int) {
	t.Helper()
	j, _ := openTestJournal(t, path)
	for i := range n {
		j.Append(string(rune('a'+i%3)), fmt.Appendf(nil, "entry %d %s", i, strings.Repeat("x", i%200)))
		if i%2 == 1 {
			if err := j.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := j.Put(context.Background(), "machine", "m", []byte("text")); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func names(k *Kept) []string {
	var list []string
	for _, e := range k.Entries {
		list = append(list, fmt.Sprintf("%s%d", e.Name, e.Number))
	}
	return list
}

func TestJournal(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "executions.db")
	fill(t, path, 7)
	j, kept := openTestJournal(t, path)
	if d := cmp.Diff([]string{"a1", "b1", "c1", "a2", "b2", "c2", "a3"}, names(kept)); d != "" {
		t.Error(d)
	}
	if got := string(kept.Entries[4].Body); got != "entry 4 xxxx" {
		t.Errorf("got %q", got)
	}
	if d := cmp.Diff([]Document{{"machine", "m", []byte("text")}}, kept.Documents); d != "" {
		t.Error(d)
	}
	j.Append("d", []byte("1"))
	j.Append("a", []byte("4"))
	if err := j.Commit(); err != nil {
		t.Fatal(err)
	}
	j.Append("a", []byte("never committed"))
	if err := j.Cut(ctx, "b", 1); err != nil {
		t.Fatal(err)
	}
	if err := j.Cut(ctx, "c", 2); err != nil {
		t.Fatal(err)
	}
	if err := j.Delete(ctx, "machine", "m"); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, kept = openTestJournal(t, path)
	if d := cmp.Diff([]string{"a1", "c1", "a2", "a3", "d1", "a4"}, names(kept)); d != "" {
		t.Error(d)
	}
	if len(kept.Documents)+len(kept.Damaged)+len(kept.Losses) > 0 {
		t.Errorf("got %+v", kept)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// Rows that were altered or are missing end their subject, and no other.
func TestJournalDamagedRows(t *testing.T) {
	tests := []struct {
		name, sql string
		entries   []string
		damaged   []Damage
		losses    int
	}{
		{"body", "UPDATE entries SET body = 'other' WHERE position = 4", []string{"a1", "b1", "c1", "b2", "c2", "b3"},
			[]Damage{{"a", 2, 1, "position 4: entry 2 does not match its checksum"}}, 0},
		{"missing", "DELETE FROM entries WHERE position = 5", []string{"a1", "b1", "c1", "a2", "c2", "a3"},
			[]Damage{{"b", 2, 0, "position 8: entry 3 follows entry 1"}}, 0},
		{"start", "DELETE FROM entries WHERE position = 1", []string{"b1", "c1", "b2", "c2", "b3"},
			[]Damage{{"a", 1, 1, "position 4: entry 2 follows entry 0"}}, 0},
		{"name", "UPDATE subjects SET name = 'z' WHERE name = 'c'", []string{"a1", "b1", "a2", "b2", "a3", "b3"},
			[]Damage{{"z", 1, 1, "position 3: entry 1 does not match its checksum"}}, 0},
		{"no name", "DELETE FROM subjects WHERE name = 'c'", []string{"a1", "b1", "a2", "b2", "a3", "b3"}, nil, 1},
		{"nothing but a name", "DELETE FROM entries WHERE subject = 3", []string{"a1", "b1", "a2", "b2", "a3", "b3"},
			[]Damage{{"c", 1, 0, "the file has no entry of it"}}, 0},
		{"document", "UPDATE documents SET body = 'other'", []string{"a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3"}, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "executions.db")
			fill(t, path, 8)
			j, _ := openTestJournal(t, path)
			if _, err := j.db.ExecContext(context.Background(), tt.sql); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j, kept := openTestJournal(t, path)
			defer j.Close()
			if d := cmp.Diff(tt.entries, names(kept)); d != "" {
				t.Error(d)
			}
			for i := range kept.Damaged {
				kept.Damaged[i].Reason = strings.TrimPrefix(kept.Damaged[i].Reason, path+", ")
			}
			if d := cmp.Diff(tt.damaged, kept.Damaged); d != "" {
				t.Error(d)
			}
			if len(kept.Losses) != tt.losses {
				t.Errorf("losses %q", kept.Losses)
			}
		})
	}
}

// A file that SQLite cannot read is moved aside, and what is whole in it stays.
func TestJournalSalvage(t *testing.T) {
	tests := []struct {
		name   string
		damage func([]byte) []byte
		least  int // entries that are still there, of 600
		losses string
	}{
		{"no database", func([]byte) []byte { return bytes.Repeat([]byte("rubbish "), 1000) }, 0, "was moved to"},
		{"cut in half", func(b []byte) []byte { return b[:len(b)/2/4096*4096] }, 100, "table entries cannot be read"},
		{"a page in the middle", func(b []byte) []byte {
			copy(b[len(b)/2/4096*4096:], bytes.Repeat([]byte{0xff}, 4096))
			return b
		}, 250, "table entries cannot be read between its rows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "executions.db")
			fill(t, path, 600)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			j, kept := openTestJournal(t, path)
			t.Logf("%d entries, damaged %+v, losses %q", len(kept.Entries), kept.Damaged, kept.Losses)
			if len(kept.Entries) < tt.least || len(kept.Entries) == 600 {
				t.Errorf("%d of 600 entries are there, want %d or more", len(kept.Entries), tt.least)
			}
			if !strings.Contains(strings.Join(kept.Losses, "\n"), tt.losses) {
				t.Errorf("losses %q do not say %q", kept.Losses, tt.losses)
			}
			j.Append("new", []byte("1"))
			if err := j.Commit(); err != nil {
				t.Error(err)
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			if aside, _ := filepath.Glob(path + ".damaged-*"); len(aside) == 0 {
				t.Error("the damaged file is gone")
			}
		})
	}
}

// An empty file is a new journal only where there has been none before.
func TestJournalEmpty(t *testing.T) {
	tests := []struct {
		name      string
		log, mark bool
		entries   int // that there were
		kept      int // that are there
		damaged   bool
	}{
		{"new", false, false, 100, 0, false},
		{"closed before", false, true, 100, 0, true},
		{"beside its log", true, true, 100, 100, true},
		{"beside its log, of an older version", true, false, 100, 100, true},
		{"beside a log whose beginning is in the file already", true, true, 600, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "executions.db")
			j, _ := openTestJournal(t, path)
			for i := range tt.entries {
				j.Append("a", fmt.Append(nil, i))
				if err := j.Commit(); err != nil {
					t.Fatal(err)
				}
			}
			var log []byte
			if tt.log { // as a process that is killed leaves it
				var err error
				if log, err = os.ReadFile(path + "-wal"); err != nil || len(log) == 0 {
					t.Fatalf("no log: %v", err)
				}
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			if tt.log {
				if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !tt.mark {
				if err := os.Remove(path + begun); err != nil {
					t.Fatal(err)
				}
			}
			j, kept := openTestJournal(t, path)
			if len(kept.Entries) != tt.kept {
				t.Errorf("%d entries are there, want %d: %q", len(kept.Entries), tt.kept, kept.Losses)
			}
			aside, err := filepath.Glob(path + ".damaged-*")
			if err != nil || (len(aside) > 0) != tt.damaged || strings.Contains(strings.Join(kept.Losses, "\n"), "was moved to") != tt.damaged {
				t.Errorf("kept aside %q, losses %q, %v", aside, kept.Losses, err)
			}
			size := int64(0)
			for _, file := range aside {
				if info, err := os.Stat(file); err == nil {
					size += info.Size()
				}
			}
			if tt.log && size <= page {
				t.Errorf("of the log nothing is kept aside in %q", aside)
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			j, kept = openTestJournal(t, path)
			if len(kept.Losses) > 0 {
				t.Errorf("the next opening loses %q", kept.Losses)
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestJournalOpenErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "executions.db")
	j, _ := openTestJournal(t, path)
	if _, _, err := OpenJournal(context.Background(), path); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("the file was opened twice: %v", err)
	}
	if _, err := j.db.ExecContext(context.Background(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		path:                               "written by a newer plumbline",
		filepath.Join(dir, "none", "j.db"): "give --data a folder that exists",
	} {
		if _, _, err := OpenJournal(context.Background(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}

func BenchmarkJournalCommit(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			j, _, err := OpenJournal(context.Background(), filepath.Join(b.TempDir(), "executions.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			body := bytes.Repeat([]byte("x"), 300)
			for b.Loop() {
				for i := range size {
					j.Append(fmt.Sprint("subject", i), body)
				}
				if err := j.Commit(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(size), "µs/entry")
		})
	}
}
