package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// read takes in all that the file has.
func (j *Journal) read(ctx context.Context) (*Kept, error) {
	kept := &Kept{}
	names := map[int64]string{}
	rows, err := j.db.QueryContext(ctx, "SELECT id, name FROM subjects")
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func() error {
		s := &subject{}
		var name string
		if err := rows.Scan(&s.id, &name); err != nil {
			return err
		}
		names[s.id] = name
		j.subjects[name] = s
		j.lastID = max(j.lastID, s.id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := reading{j: j, kept: kept, names: names, damaged: map[int64]int{}}
	if rows, err = j.db.QueryContext(ctx, "SELECT position, subject, number, checksum, body FROM entries ORDER BY position"); err != nil {
		return nil, err
	}
	if err := eachRow(rows, func() error { return r.entry(rows) }); err != nil {
		return nil, err
	}
	for id, name := range names {
		if s := j.subjects[name]; s.entries == 0 {
			if _, known := r.damaged[id]; !known {
				kept.Damaged = append(kept.Damaged, Damage{Name: name, Number: 1, Reason: "the file has no entry of it"})
			}
		}
	}
	if rows, err = j.db.QueryContext(ctx, "SELECT kind, name, checksum, body FROM documents ORDER BY kind, name"); err != nil {
		return nil, err
	}
	err = eachRow(rows, func() error {
		var d Document
		var sum int64
		if err := rows.Scan(&d.Kind, &d.Name, &sum, &d.Body); err != nil {
			return err
		}
		if sum != checksum(d.Kind+" "+d.Name, 0, d.Body) {
			kept.Losses = append(kept.Losses, fmt.Sprintf("%s: the %s %s does not match its checksum", j.path, d.Kind, d.Name))
			return nil
		}
		kept.Documents = append(kept.Documents, d)
		return nil
	})
	return kept, err
}

// reading is the entries of a file being read.
type reading struct {
	j       *Journal
	kept    *Kept
	names   map[int64]string
	damaged map[int64]int // index in kept.Damaged, by subject
	strays  map[int64]bool
}

func (r *reading) entry(rows *sql.Rows) error {
	var e KeptEntry
	var position, id, sum int64
	if err := rows.Scan(&position, &id, &e.Number, &sum, &e.Body); err != nil {
		return err
	}
	at := fmt.Sprintf("%s, position %d", r.j.path, position)
	name, known := r.names[id]
	if !known {
		if !r.strays[id] {
			if r.strays == nil {
				r.strays = map[int64]bool{}
			}
			r.strays[id] = true
			r.kept.Losses = append(r.kept.Losses, fmt.Sprintf("%s: the name of subject %d is lost, and its entries with it", at, id))
		}
		return nil
	}
	if i, known := r.damaged[id]; known {
		r.kept.Damaged[i].After++
		return nil
	}
	e.Name = name
	s := r.j.subjects[name]
	reason := ""
	switch next := s.entries + 1; {
	case e.Number != next:
		reason = fmt.Sprintf("%s: entry %d follows entry %d", at, e.Number, s.entries)
	case sum != checksum(name, e.Number, e.Body):
		reason = fmt.Sprintf("%s: entry %d does not match its checksum", at, e.Number)
	}
	if reason != "" {
		r.damaged[id] = len(r.kept.Damaged)
		r.kept.Damaged = append(r.kept.Damaged, Damage{Name: name, Number: s.entries + 1, Reason: reason})
		return nil
	}
	s.entries++
	r.kept.Entries = append(r.kept.Entries, e)
	return nil
}

// eachRow calls f for every row, and closes them.
func eachRow(rows *sql.Rows, f func() error) error {
	for rows.Next() {
		if err := f(); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// isDamage reports whether an error says that the file itself is damaged.
func isDamage(err error) bool {
	var coded *sqlite.Error
	return errors.As(err, &coded) && (coded.Code()&0xff == codeCorrupt || coded.Code()&0xff == codeNotADB)
}

// header is how long the header of a database file is, in bytes. SQLite takes
// what is shorter for a file that it has not begun yet.
const header = 100

// begun is what the name of the file that marks a journal ends with: it says
// that the journal has been made, so that one of 0 bytes is no new one.
const begun = "-begun"

// isStump is an error where the file is what is left of a longer one.
func isStump(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() >= header {
		return nil //nolint:nilerr // whether it can be opened shows when it is
	}
	if info.Size() > 0 {
		return fmt.Errorf("it is %d bytes long, and a database is longer than %d", info.Size(), header)
	}
	// SQLite takes it for new, and removes the log beside it. It may be new: the
	// process that was making it was killed.
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("it is empty, and its log %q is not", path+"-wal")
	}
	if _, err := os.Stat(path + begun); err == nil {
		return fmt.Errorf("it is empty, and was not before: %q says so", path+begun)
	}
	return nil
}

// mark notes that the journal in the file has been made.
func mark(path string) error {
	f, err := os.OpenFile(path+begun, os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // beside the journal
	if err != nil {
		return fmt.Errorf("mark the journal as begun: %w", err)
	}
	return f.Close()
}

// page is the size of a page of a journal, in bytes: SQLite's own.
const page = 4096

// revive makes of an empty file beside a log one that SQLite reads by the log: it
// removes the log of a file without a page. A log that has begun anew since its
// pages went to the file lacks the first, and then nothing can be read by it.
func revive(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return err
	}
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		return nil //nolint:nilerr // there is nothing to be read
	}
	return os.Truncate(path, page)
}

// salvage moves a damaged file aside and makes a new one of what can be read of
// it. The losses say where the old file lies and what could not be read.
func salvage(ctx context.Context, path string, damage error) (losses []string, err error) {
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000")
	for _, suffix := range []string{"", "-wal"} { // the log belongs to its file
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("move the damaged journal aside: %w", err)
		}
	}
	var coded *sqlite.Error // without the advice for other databases
	if errors.As(damage, &coded) {
		damage = coded
	}
	losses = []string{fmt.Sprintf("the journal is damaged and was moved to %q: %v", aside, damage)}
	fresh, _, err := openJournal(ctx, path)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(aside)
	if err != nil {
		return nil, errors.Join(err, fresh.Close())
	}
	if err := revive(aside); err != nil {
		return nil, errors.Join(fmt.Errorf("read the damaged journal: %w", err), fresh.Close())
	}
	// With writable_schema SQLite reads a file that is shorter than it says it is.
	old, err := connect(abs, "", 1, "writable_schema(1)")
	if err != nil {
		return nil, errors.Join(err, fresh.Close())
	}
	for _, t := range []salvaged{
		{"subjects", "id", "id, name", 2},
		{"entries", "position", "position, subject, number, checksum, body", 5},
		{"documents", "", "kind, name, checksum, body", 4},
	} {
		lost, copyErr := t.copy(ctx, old, fresh.db)
		if copyErr != nil {
			return nil, errors.Join(explain("write", path, copyErr), old.Close(), fresh.Close())
		}
		losses = append(losses, lost...)
	}
	_ = old.Close() // of a damaged file, which was read only
	return losses, fresh.Close()
}

// salvaged is a table that is copied as far as it can be read.
type salvaged struct {
	table, key, columns string // key "": it is read from its beginning only
	width               int
}

// copy copies row by row; behind rows that cannot be read it goes on with the
// next that can. The error is the new file's.
func (t *salvaged) copy(ctx context.Context, from, to *sql.DB) (losses []string, err error) {
	marks := "?"
	for range t.width - 1 {
		marks += ", ?"
	}
	insert := fmt.Sprintf("INSERT OR IGNORE INTO %s (%s) VALUES (%s)", t.table, t.columns, marks)
	row := make([]any, t.width)
	into := make([]any, t.width)
	for i := range row {
		into[i] = &row[i]
	}
	last := int64(0)
	for {
		before := last
		query := fmt.Sprintf("SELECT %s FROM %s", t.columns, t.table)
		if t.key != "" {
			query += fmt.Sprintf(" WHERE %s > %d ORDER BY %s", t.key, last, t.key)
		}
		rows, failed := from.QueryContext(ctx, query)
		if failed == nil {
			failed = eachRow(rows, func() error {
				if err := rows.Scan(into...); err != nil {
					return err
				}
				if k, ok := row[0].(int64); ok {
					last = k
				}
				if _, bad := to.ExecContext(ctx, insert, row...); bad != nil {
					err = bad
				}
				return err
			})
		}
		if err != nil || failed == nil {
			return losses, err
		}
		if last == before {
			last++ // it is the row behind that cannot be read, though its key may be
		}
		next, found := int64(0), false
		if t.key != "" {
			next, found = t.after(ctx, from, last)
		}
		if !found {
			return append(losses, fmt.Sprintf("table %s cannot be read behind its row %d: %v", t.table, last, failed)), nil
		}
		losses = append(losses, fmt.Sprintf("table %s cannot be read between its rows %d and %d: %v", t.table, last, next, failed))
		last = next - 1
	}
}

// salvageReach is how far behind the last readable row another is looked for.
const salvageReach = 1 << 20

// after finds the next row behind last that can be read: far steps first, and
// then back in smaller ones.
func (t *salvaged) after(ctx context.Context, from *sql.DB, last int64) (int64, bool) {
	readable := func(k int64) (int64, bool) {
		var at int64
		err := from.QueryRowContext(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s >= ? ORDER BY %s LIMIT 1", t.key, t.table, t.key, t.key), k).Scan(&at)
		return at, err == nil
	}
	for step := int64(1); step <= salvageReach; step *= 2 {
		at, ok := readable(last + 1 + step)
		if !ok {
			continue
		}
		low, high := last+1+step/2, last+1+step // low cannot be read, or was not tried
		for low < high {
			middle := (low + high) / 2
			if k, ok := readable(middle); ok {
				at, high = k, middle
			} else {
				low = middle + 1
			}
		}
		return at, true
	}
	return 0, false
}
