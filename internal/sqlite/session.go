package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"plumbline/finding"
)

// Session is a scan's use of the database: one transaction, of which all is
// kept at Commit, or nothing. Others see what was there before, and no other
// session begins until it has ended; a process that dies leaves nothing of it.
// Its methods are safe for concurrent use.
type Session struct {
	path string

	mu                         sync.Mutex
	tx                         *sql.Tx
	read, life, write, ofStack *sql.Stmt
}

// retryBegin is how often a session that waits for another asks again.
const retryBegin = 100 * time.Millisecond

// Begin begins a session. Where another process has one, it waits up to the
// given time, and calls waiting, which may be nil, once. The DB writes nothing
// outside of the session until that has ended.
func (d *DB) Begin(ctx context.Context, wait time.Duration, waiting func()) (*Session, error) {
	if _, err := d.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", retryBegin.Milliseconds())); err != nil {
		return nil, explain("open", d.path, err)
	}
	until := time.Now().Add(wait)
	for {
		// The session outlives a cancelled scan until that rolls it back.
		tx, err := d.writer.BeginTx(context.WithoutCancel(ctx), nil)
		err = explain("write to", d.path, err)
		switch {
		case err == nil:
			return d.session(ctx, tx)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(err, finding.ErrThrottled) || time.Now().After(until):
			return nil, err
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
	}
}

func (d *DB) session(ctx context.Context, tx *sql.Tx) (*Session, error) {
	s := &Session{path: d.path, tx: tx}
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{{&s.read, readRecord}, {&s.life, readLife}, {&s.write, writeRecord}, {&s.ofStack, recordsOfStack}} {
		var err error
		if *p.to, err = tx.PrepareContext(context.WithoutCancel(ctx), p.text); err != nil {
			return nil, errors.Join(explain("read", d.path, err), tx.Rollback())
		}
	}
	return s, nil
}

// Put writes the records, as finding.Merge says.
func (s *Session) Put(ctx context.Context, records []finding.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range records {
		if err := put(ctx, s.read, s.life, s.write, records[i]); err != nil {
			return explain("write to", s.path, err)
		}
	}
	return ctx.Err()
}

// OfStack yields the records of a stack, or of a template's name without one,
// those that the session wrote included, by resource and first seen.
func (s *Session) OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		records, err := s.records(ctx, stack)
		if err != nil {
			yield(finding.Record{}, explain("read", s.path, err))
			return
		}
		for i := range records {
			if !yield(records[i], nil) {
				return
			}
		}
	}
}

// records reads all of a stack before the first is handed out: the connection
// has one statement at a time.
func (s *Session) records(ctx context.Context, stack string) (out []finding.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.ofStack.QueryContext(ctx, stack)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		out = append(out, finding.Record{})
		if err := json.Unmarshal(b, &out[len(out)-1]); err != nil {
			return nil, fmt.Errorf("decode record: %w", err)
		}
	}
	return out, rows.Err()
}

// Target is what a finding that wants attention was found in.
type Target struct{ Stack, Template, Account, Region string }

// Targets lists what findings that want attention were found in, each once.
// Stack is empty where the template belongs to none.
func (s *Session) Targets(ctx context.Context) (out []Target, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err = targets(ctx, s.tx)
	return out, explain("read", s.path, err)
}

// Targets lists them outside of a session.
func (d *DB) Targets(ctx context.Context) ([]Target, error) {
	db, err := d.reader()
	if err != nil {
		return nil, explain("read", d.path, err)
	}
	out, err := targets(ctx, db)
	return out, explain("read", d.path, err)
}

func targets(ctx context.Context, from interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}) (out []Target, err error) {
	rows, err := from.QueryContext(ctx, "SELECT DISTINCT stack, template, account, region FROM findings WHERE active = 1 ORDER BY template, stack, account, region")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t Target
		if err := rows.Scan(&t.Stack, &t.Template, &t.Account, &t.Region); err != nil {
			return nil, err
		}
		if t.Stack == t.Template {
			t.Stack = ""
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// Commit keeps all that was written, and that the scan came to its end. The
// session must not be used afterwards.
func (s *Session) Commit(ctx context.Context, scanID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.tx.ExecContext(ctx, "INSERT OR IGNORE INTO scans (id) VALUES (?)", scanID); err != nil {
		return errors.Join(explain("write to", s.path, err), s.end(s.undo))
	}
	return explain("write to", s.path, s.end(s.tx.Commit))
}

// Rollback forgets all that was written. The session must not be used afterwards.
func (s *Session) Rollback() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(s.undo)
}

func (s *Session) undo() error { return undone(s.tx.Rollback()) }

func (s *Session) end(how func() error) error {
	err := errors.Join(s.read.Close(), s.write.Close(), s.ofStack.Close())
	return errors.Join(err, how())
}

// Committed reports whether a session with this scan's id was committed.
func (d *DB) Committed(ctx context.Context, scanID string) (bool, error) {
	db, err := d.reader()
	if err != nil {
		return false, explain("read", d.path, err)
	}
	var n int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM scans WHERE id = ?", scanID).Scan(&n)
	return n > 0, explain("read", d.path, err)
}
