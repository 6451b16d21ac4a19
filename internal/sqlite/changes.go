package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"time"

	"plumbline/approval"
	"plumbline/ledger"
)

// Changes keeps what is known of changes of live resources in a file of its
// own: the ledger, requests for approval, and leases. A scan, which holds the
// findings for as long as it takes, keeps nobody from it. Its methods are safe
// for concurrent use, also by several processes.
type Changes struct {
	path string
	db   *sql.DB
}

// changesVersion is the version of the schema, kept in user_version.
const changesVersion = 1

// changesSchema lets nothing change or delete an entry of the ledger, whoever
// has the file open in a program that knows triggers. Who writes the file by
// other means breaks the chain, which Verify finds.
const changesSchema = `
CREATE TABLE ledger (
	seq   INTEGER PRIMARY KEY,
	plan  TEXT NOT NULL,
	entry TEXT NOT NULL
);
CREATE INDEX ledger_by_plan ON ledger (plan, seq);
CREATE TRIGGER ledger_keeps BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_holds BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE approvals (
	id      TEXT PRIMARY KEY,
	plan    TEXT NOT NULL,
	open    INTEGER NOT NULL, -- it waits, or its workflow has not been told
	version INTEGER NOT NULL,
	token   TEXT NOT NULL,
	request TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE waiting ( -- the one request of a plan that waits
	plan TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE leases (
	key   TEXT PRIMARY KEY,
	owner TEXT NOT NULL,
	until INTEGER NOT NULL -- Unix milliseconds
) WITHOUT ROWID;
`

// OpenChanges opens the file, which is made where it does not exist; its folder must.
func OpenChanges(ctx context.Context, path string) (*Changes, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, err)
	}
	db, err := connect(abs, "", 1, "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return nil, explain("open", path, err)
	}
	c := &Changes{path, db}
	err = c.write(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		switch have {
		case changesVersion:
			return nil
		case 0:
			_, err := tx.ExecContext(ctx, changesSchema+fmt.Sprintf("PRAGMA user_version = %d", changesVersion))
			return err
		}
		return fmt.Errorf("it was written by a newer plumbline (schema %d, this one knows %d). update plumbline, or give --data another folder", have, changesVersion)
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

// Close closes the file. The Changes must not be used afterwards.
func (c *Changes) Close() error { return explain("close", c.path, c.db.Close()) }

// write runs f in one transaction: all of it is kept, or nothing.
func (c *Changes) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return explain("write to", c.path, err)
	}
	if err := f(tx); err != nil {
		if errors.Is(err, ledger.ErrMoved) || errors.Is(err, approval.ErrConflict) {
			return errors.Join(err, undone(tx.Rollback()))
		}
		return explain("write to", c.path, errors.Join(err, undone(tx.Rollback())))
	}
	return explain("write to", c.path, tx.Commit())
}

// Append is ledger.Store's.
func (c *Changes) Append(ctx context.Context, e ledger.Entry) error {
	src, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode entry %d: %w", e.Seq, err)
	}
	return c.write(ctx, func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM ledger").Scan(&last); err != nil {
			return err
		}
		if e.Seq != last+1 {
			return ledger.ErrMoved
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO ledger (seq, plan, entry) VALUES (?, ?, ?)", e.Seq, e.Plan, string(src))
		return err
	})
}

// Last is ledger.Store's.
func (c *Changes) Last(ctx context.Context) (ledger.Entry, error) {
	for e, err := range c.entries(ctx, "SELECT seq, plan, entry FROM ledger ORDER BY seq DESC LIMIT 1") {
		return e, err
	}
	return ledger.Entry{}, ctx.Err()
}

// Entries is ledger.Store's. From the first on it gives every row, also one whose
// number no entry has: that is no entry of the chain, and an error.
func (c *Changes) Entries(ctx context.Context, from int64) iter.Seq2[ledger.Entry, error] {
	if from <= 1 {
		from = math.MinInt64
	}
	return c.entries(ctx, "SELECT seq, plan, entry FROM ledger WHERE seq >= ? ORDER BY seq", from)
}

// OfPlan is ledger.Store's.
func (c *Changes) OfPlan(ctx context.Context, plan string) iter.Seq2[ledger.Entry, error] {
	return c.entries(ctx, "SELECT seq, plan, entry FROM ledger WHERE plan = ? ORDER BY seq", plan)
}

func (c *Changes) entries(ctx context.Context, statement string, args ...any) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		all, err := readAll(ctx, c, statement, args, func(row *sql.Rows) (e ledger.Entry, err error) {
			var seq int64
			var plan string
			var src []byte
			if err = row.Scan(&seq, &plan, &src); err != nil {
				return e, err
			}
			if seq < 1 {
				return e, &ledger.Break{Seq: seq, Reason: "no entry has this number: the first is 1"}
			}
			e, err = ledger.Read(src)
			// Rows are found by these two, and the hash covers the entry alone.
			if err == nil && (e.Seq != seq || e.Plan != plan) {
				err = &ledger.Break{Seq: seq, Reason: "its row names another number or plan than the entry"}
			}
			return e, err
		})
		handOut(all, err, yield)
	}
}

// readAll reads all rows before the first is handed out: there is one connection,
// and who reads may write meanwhile.
func readAll[T any](ctx context.Context, c *Changes, statement string, args []any, scan func(*sql.Rows) (T, error)) (out []T, err error) {
	rows, err := c.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, explain("read", c.path, err)
	}
	defer func() { err = explain("read", c.path, errors.Join(err, rows.Close())) }()
	for rows.Next() {
		x, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

func handOut[T any](all []T, err error, yield func(T, error) bool) {
	for _, x := range all {
		if !yield(x, nil) {
			return
		}
	}
	if err != nil {
		var zero T
		yield(zero, err)
	}
}

// Take is live.Leases'.
func (c *Changes) Take(ctx context.Context, key, owner string, now, until time.Time) (holder string, err error) {
	err = c.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO leases (key, owner, until) VALUES (?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until <= ?`,
			key, owner, until.UnixMilli(), now.UnixMilli())
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT owner FROM leases WHERE key = ?", key).Scan(&holder)
	})
	return holder, err
}

// Drop is live.Leases'.
func (c *Changes) Drop(ctx context.Context, key, owner string) error {
	_, err := c.db.ExecContext(ctx, "DELETE FROM leases WHERE key = ? AND owner = ?", key, owner)
	return explain("write to", c.path, err)
}
