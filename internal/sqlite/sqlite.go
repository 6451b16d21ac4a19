// Package sqlite keeps the findings table and the ids of events in one SQLite
// file, under the keys that they have in DynamoDB: resource id and timestamp.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"modernc.org/sqlite"

	"plumbline/finding"
)

// DB is an open database. Its methods are safe for concurrent use, also by
// several processes: one writes at a time, and who waits longer than five
// seconds is told so (finding.ErrThrottled).
type DB struct {
	path   string
	writer *sql.DB // one connection
	reader func() (*sql.DB, error)

	watching sync.Mutex
	watch    *sql.Conn // of Changed; nil until it is asked
}

// Open opens the database in a file, which is made where it does not exist;
// its folder must. The error says what stands in the way and what to do.
func Open(ctx context.Context, path string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, err)
	}
	if err := foreign(ctx, abs); err != nil {
		return nil, explain("open", path, err)
	}
	writer, err := connect(abs, "", 1, "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return nil, explain("open", path, err)
	}
	d := &DB{path: path, writer: writer}
	d.reader = sync.OnceValues(func() (*sql.DB, error) { return connect(abs, "", 4, "query_only(1)") })
	if err := d.migrate(ctx, abs); err != nil {
		return nil, errors.Join(explain("open", path, err), writer.Close())
	}
	return d, nil
}

// View opens a database for reading only, also where its folder and file may
// not be written. What writes returns an error.
func View(ctx context.Context, path string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, err)
	}
	d := &DB{path: path}
	// Where it may, SQLite makes an index of its log to read, and takes it away
	// again. Where it may not, and there is no log, it is told that the file does
	// not change meanwhile.
	modes := []string{""}
	if info, err := os.Stat(abs + "-wal"); err != nil || info.Size() == 0 {
		modes = append(modes, immutable)
	}
	for _, mode := range modes {
		var db *sql.DB
		if db, err = connect(abs, mode, 4, "query_only(1)"); err != nil {
			break
		}
		var have int
		if have, err = d.version(ctx, db); err == nil && have == 0 {
			err = errors.New("it holds no findings")
		}
		if err == nil {
			d.writer, d.reader = db, func() (*sql.DB, error) { return db, nil }
			return d, nil
		}
		if closed := db.Close(); !cannotOpen(err) {
			err = errors.Join(err, closed)
			break
		}
	}
	return nil, explain("open", path, err)
}

// cannotOpen reports whether SQLite lacks the right to make what it needs beside the file.
func cannotOpen(err error) bool {
	var coded *sqlite.Error
	return errors.As(err, &coded) && (coded.Code()&0xff == codeCantOpen || coded.Code()&0xff == codeReadonly)
}

// immutable is the mode in which SQLite takes no locks and makes no file.
const immutable = "immutable"

// connect opens a pool of connections; mode is empty or immutable. A transaction that may write takes the lock when it begins, so that
// two never wait for each other.
func connect(path, mode string, connections int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	if mode == immutable {
		q.Set("mode", "ro")
		q.Set("immutable", "1")
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	return db, nil
}

// write runs f in one transaction: all of it is kept, or nothing.
func (d *DB) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, undone(tx.Rollback()))
	}
	return tx.Commit()
}

// undone is what a rollback says, nil where there was nothing left to undo:
// after some errors, a full disk's among them, SQLite has done it already.
func undone(err error) error {
	var coded *sqlite.Error
	if errors.Is(err, sql.ErrTxDone) || errors.As(err, &coded) && coded.Code() == codeError {
		return nil
	}
	return err
}

// Close closes the database. The DB must not be used afterwards.
func (d *DB) Close() error {
	err := errors.Join(d.endWatch(), d.writer.Close())
	if r, failed := d.reader(); failed == nil { // opening a pool connects to nothing
		err = errors.Join(err, r.Close())
	}
	return explain("close", d.path, err)
}

// Primary result codes of SQLite. Source: sqlite.org, "Result and Error Codes".
const (
	codeError    = 1
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeReadonly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// fullError is an error of a full disk. It is syscall.ENOSPC, as it is where a
// file is written without SQLite.
type fullError struct{ error }

func (e fullError) Unwrap() error        { return e.error }
func (e fullError) Is(target error) bool { return target == syscall.ENOSPC }

// explain adds to an error of the database which file it is about and what to
// do; a nil err stays nil. Extended codes carry the primary one in their low byte.
func explain(what, path string, err error) error {
	if err == nil {
		return nil
	}
	advice := ""
	var coded *sqlite.Error
	if errors.As(err, &coded) {
		switch coded.Code() & 0xff {
		case codeBusy, codeLocked:
			return fmt.Errorf("%s database %q: %w: %w. another process writes to it; wait for it, or give --data another folder", what, path, err, finding.ErrThrottled)
		case codeFull:
			err = fullError{err}
			advice = ". the disk is full: free some space, or give --data a folder on another disk"
		case codeReadonly, codePerm:
			advice = ". it cannot be written: give --data a folder that may be written"
		case codeCantOpen:
			advice = ". it cannot be opened: give --data a folder that exists and may be written"
		case codeCorrupt, codeNotADB:
			advice = ". the file is damaged or no database: restore it from a copy, or move it away to start a new history; \"sqlite3 FILE .recover\" exports what can still be read of it"
		case codeIO:
			advice = ". the disk cannot be read or written here"
		}
	}
	return fmt.Errorf("%s database %q: %w%s", what, path, err, advice)
}
