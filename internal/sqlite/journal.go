package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
)

// Journal is a file of entries, each of a subject, in the order in which they
// were appended, and of documents that are replaced whole. Its methods are safe
// for concurrent use by one process; no other can open the file meanwhile.
//
// What Commit, Put and Delete have returned from survives the end of the
// process, however it ends. When the whole machine fails, the last moments may be
// lost, and the file stays whole: it waits for the disk only now and then.
type Journal struct {
	path string
	db   *sql.DB

	mu       sync.Mutex
	subjects map[string]*subject
	lastID   int64      // of a subject
	open     []appended // since the last Commit
	commit   struct{ subject, entry *sql.Stmt }
}

// subject is what entries are about.
type subject struct {
	id      int64
	entries int64 // how many there are
	isNew   bool  // not in the file yet
}

type appended struct {
	subject *subject
	name    string
	number  int64
	body    []byte
}

// journalVersion is the version of the schema, kept in user_version.
const journalVersion = 1

// The entries lie in one order, so that a commit writes at the end of the file.
// Each has its number within its subject and a checksum, by which what is lost or
// altered is noticed: SQLite has none.
const journalSchema = `
CREATE TABLE subjects (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL
);
CREATE TABLE entries (
	position INTEGER PRIMARY KEY,
	subject  INTEGER NOT NULL,
	number   INTEGER NOT NULL, -- from 1, within the subject
	checksum INTEGER NOT NULL, -- see checksum
	body     BLOB NOT NULL
);
CREATE INDEX entries_of_subject ON entries (subject, number);
CREATE TABLE documents (
	kind     TEXT NOT NULL,
	name     TEXT NOT NULL,
	checksum INTEGER NOT NULL,
	body     BLOB NOT NULL,
	PRIMARY KEY (kind, name)
) WITHOUT ROWID;
`

// Kept is what a journal has when it is opened.
type Kept struct {
	Entries   []KeptEntry // in the order in which they were appended
	Documents []Document
	Damaged   []Damage // subjects whose entries end before their end
	Losses    []string // what else cannot be read, each with its place
}

// KeptEntry is an entry that was found whole.
type KeptEntry struct {
	Name   string // of its subject
	Number int64  // from 1
	Body   []byte
}

// Document is a document of a journal.
type Document struct {
	Kind, Name string
	Body       []byte
}

// Damage says that the entries of a subject are lost from a number on.
type Damage struct {
	Name   string
	Number int64  // of the first that is lost
	After  int    // how many are there behind it, of no use without it
	Reason string // with the place in the file
}

// OpenJournal opens the journal in a file, which is made where it does not
// exist; its folder must; an empty file beside it, which ends with -begun, marks it
// as made. A file that is damaged, or empty though it was not before, is moved aside, and all that can
// still be read of it goes to a new one. The error says what stands in the way and
// what to do; damage is none.
func OpenJournal(ctx context.Context, path string) (*Journal, *Kept, error) {
	err := isStump(path)
	if err == nil {
		j, kept, failed := openJournal(ctx, path)
		if failed == nil || !isDamage(failed) {
			return j, kept, failed
		}
		err = failed
	}
	loss, err := salvage(ctx, path, err)
	if err != nil {
		return nil, nil, err
	}
	j, kept, err := openJournal(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	kept.Losses = append(loss, kept.Losses...)
	return j, kept, nil
}

func openJournal(ctx context.Context, path string) (*Journal, *Kept, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal %q: %w", path, err)
	}
	// The lock is held until the process ends: two servers that go on with the
	// same executions would do everything twice.
	db, err := connect(abs, "", 1)
	if err != nil {
		return nil, nil, explain("open", path, err)
	}
	// Who holds the lock holds it for long: there is no use in waiting for it.
	if _, err := db.ExecContext(ctx, "PRAGMA busy_timeout = 300; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"); err != nil {
		return nil, nil, inUse(path, errors.Join(explain("open", path, err), db.Close()))
	}
	j := &Journal{path: path, db: db, subjects: map[string]*subject{}}
	if err := j.prepare(ctx); err != nil {
		return nil, nil, inUse(path, errors.Join(explain("open", path, err), db.Close()))
	}
	kept, err := j.read(ctx)
	if err != nil {
		return nil, nil, errors.Join(explain("read", path, err), db.Close())
	}
	if err := mark(path); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return j, kept, nil
}

// inUse is err, or that another process has the file.
func inUse(path string, err error) error {
	var coded *sqlite.Error
	if errors.As(err, &coded) && (coded.Code()&0xff == codeBusy || coded.Code()&0xff == codeLocked) {
		return fmt.Errorf("the journal %q is in use by another process: two that go on with the same executions would do everything twice. end it, or give --data another folder", path)
	}
	return err
}

// prepare makes the schema, or checks that it is one this program knows, and
// takes the lock.
func (j *Journal) prepare(ctx context.Context) error {
	err := j.write(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		switch {
		case have > journalVersion:
			return fmt.Errorf("it was written by a newer plumbline (schema %d, this one knows %d). update plumbline, or give --data another folder", have, journalVersion)
		case have == 0:
			if _, err := tx.ExecContext(ctx, journalSchema); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", journalVersion))
		return err
	})
	if err != nil {
		return err
	}
	if j.commit.subject, err = j.db.PrepareContext(ctx, "INSERT INTO subjects (id, name) VALUES (?, ?)"); err != nil {
		return err
	}
	j.commit.entry, err = j.db.PrepareContext(ctx, "INSERT INTO entries (subject, number, checksum, body) VALUES (?, ?, ?, ?)")
	return err
}

func (j *Journal) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, undone(tx.Rollback()))
	}
	return tx.Commit()
}

// castagnoli is the polynomial that processors compute.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// checksum is of an entry: its subject's name, its number, its body.
func checksum(name string, number int64, body []byte) int64 {
	t := castagnoli()
	sum := crc32.Update(0, t, []byte(name))
	sum = crc32.Update(sum, t, binary.LittleEndian.AppendUint64(nil, uint64(number))) //nolint:gosec // the bits
	return int64(crc32.Update(sum, t, body))
}

// Append adds an entry to those that the next Commit keeps. It keeps body.
func (j *Journal) Append(name string, body []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.subjects[name]
	if s == nil {
		j.lastID++
		s = &subject{id: j.lastID, isNew: true}
		j.subjects[name] = s
	}
	s.entries++
	j.open = append(j.open, appended{s, name, s.entries, body})
}

// Commit keeps what was appended since the last, all of it or nothing. What
// could not be kept is forgotten.
func (j *Journal) Commit() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.open) == 0 {
		return nil
	}
	ctx := context.Background()
	err := j.write(ctx, func(tx *sql.Tx) error {
		subject, entry := tx.StmtContext(ctx, j.commit.subject), tx.StmtContext(ctx, j.commit.entry)
		for i := range j.open {
			a := &j.open[i]
			if a.number == 1 && a.subject.isNew {
				if _, err := subject.ExecContext(ctx, a.subject.id, a.name); err != nil {
					return err
				}
			}
			if _, err := entry.ExecContext(ctx, a.subject.id, a.number, checksum(a.name, a.number, a.body), a.body); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range j.open {
		a := &j.open[i]
		if err == nil {
			a.subject.isNew = false
		} else if a.subject.entries--; a.subject.isNew && a.subject.entries == 0 {
			delete(j.subjects, a.name)
		}
	}
	clear(j.open)
	j.open = j.open[:0]
	return explain("write", j.path, err)
}

// Cut removes the entries of a subject from this number on; from 1 on, the
// subject itself.
func (j *Journal) Cut(ctx context.Context, name string, from int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.subjects[name]
	if s == nil {
		return nil
	}
	err := j.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM entries WHERE subject = ? AND number >= ?", s.id, from); err != nil || from > 1 {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM subjects WHERE id = ?", s.id)
		return err
	})
	if err != nil {
		return explain("write", j.path, err)
	}
	s.entries = from - 1
	if s.entries == 0 {
		delete(j.subjects, name)
	}
	return nil
}

// Drop removes subjects and their entries. The number of a name that comes
// again begins at 1.
func (j *Journal) Drop(ctx context.Context, names []string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.write(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			s := j.subjects[name]
			if s == nil {
				continue
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM entries WHERE subject = ?", s.id); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM subjects WHERE id = ?", s.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return explain("write", j.path, err)
	}
	for _, name := range names {
		delete(j.subjects, name)
	}
	return nil
}

// Put keeps a document in the place of the one of its kind and name.
func (j *Journal) Put(ctx context.Context, kind, name string, body []byte) error {
	_, err := j.db.ExecContext(ctx, "INSERT OR REPLACE INTO documents (kind, name, checksum, body) VALUES (?, ?, ?, ?)", kind, name, checksum(kind+" "+name, 0, body), body)
	return explain("write", j.path, err)
}

// Delete removes a document; one that is not there is no error.
func (j *Journal) Delete(ctx context.Context, kind, name string) error {
	_, err := j.db.ExecContext(ctx, "DELETE FROM documents WHERE kind = ? AND name = ?", kind, name)
	return explain("write", j.path, err)
}

// Close closes the file. What was appended since the last Commit is lost.
func (j *Journal) Close() error {
	return explain("close", j.path, errors.Join(j.commit.subject.Close(), j.commit.entry.Close(), j.db.Close()))
}
