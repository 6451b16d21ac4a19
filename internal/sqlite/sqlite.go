// Package sqlite keeps the findings table and the ids of events in one SQLite
// file, under the keys that they have in DynamoDB: resource id and timestamp.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

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
}

// version is the version of the schema, kept in user_version. It moves when
// the schema changes, and migrate then brings older files up to it.
const version = 1

// schema holds the whole record as JSON beside the columns that are searched.
// The primary key is that of the table on AWS; the indexes are its indexes.
const schema = `
CREATE TABLE findings (
	resource_id TEXT NOT NULL,
	timestamp   TEXT NOT NULL, -- first seen, RFC 3339 with nanoseconds, "#", rule
	stack       TEXT NOT NULL, -- or the template's path
	rule        TEXT NOT NULL,
	severity    TEXT NOT NULL,
	active      INTEGER NOT NULL,
	record      TEXT NOT NULL,
	PRIMARY KEY (resource_id, timestamp)
) WITHOUT ROWID;
CREATE INDEX findings_by_stack ON findings (stack, resource_id, timestamp);
CREATE INDEX findings_open ON findings (severity, timestamp) WHERE active = 1;
CREATE INDEX findings_by_rule ON findings (rule, timestamp);
CREATE TABLE events (
	id TEXT PRIMARY KEY,
	at TEXT NOT NULL
) WITHOUT ROWID;
`

// Open opens the database in a file, which is made where it does not exist;
// its folder must. The error says what stands in the way and what to do.
func Open(ctx context.Context, path string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, err)
	}
	writer, err := connect(abs, 1, "journal_mode(WAL)", "synchronous(NORMAL)")
	if err != nil {
		return nil, explain("open", path, err)
	}
	d := &DB{path: path, writer: writer}
	d.reader = sync.OnceValues(func() (*sql.DB, error) { return connect(abs, 4, "query_only(1)") })
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(explain("open", path, err), writer.Close())
	}
	return d, nil
}

// connect opens a pool of connections. A transaction that may write takes the
// lock when it begins, so that two never wait for each other.
func connect(path string, connections int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	return db, nil
}

// migrate makes the schema, or checks that it is one this program knows.
func (d *DB) migrate(ctx context.Context) error {
	var have int
	if err := d.writer.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	switch {
	case have == version:
		return nil
	case have > version:
		return fmt.Errorf("it was written by a newer plumbline (schema %d, this one knows %d). update plumbline, or give --data another folder", have, version)
	}
	return d.write(ctx, func(tx *sql.Tx) error {
		// Another process may have made the schema since we looked.
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil || have == version {
			return err
		}
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}

// write runs f in one transaction: all of it is kept, or nothing.
func (d *DB) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}

// Close closes the database. The DB must not be used afterwards.
func (d *DB) Close() error {
	err := d.writer.Close()
	if r, failed := d.reader(); failed == nil { // opening a pool connects to nothing
		err = errors.Join(err, r.Close())
	}
	return explain("close", d.path, err)
}

// Primary result codes of SQLite. Source: sqlite.org, "Result and Error Codes".
const (
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
			advice = ". the disk is full: free some space, or give --data a folder on another disk"
		case codeReadonly, codePerm:
			advice = ". it cannot be written: give --data a folder that may be written"
		case codeCantOpen:
			advice = ". it cannot be opened: give --data a folder that exists and may be written"
		case codeCorrupt, codeNotADB:
			advice = ". the file is damaged or no database: restore it from a copy, or move it away to start a new history"
		case codeIO:
			advice = ". the disk cannot be read or written here"
		}
	}
	return fmt.Errorf("%s database %q: %w%s", what, path, err, advice)
}
