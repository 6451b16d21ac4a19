package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"plumbline/finding"
)

// Statements that both a DB and a Session run.
const (
	readRecord  = "SELECT record FROM findings WHERE resource_id = ? AND timestamp = ?"
	writeRecord = `INSERT INTO findings (resource_id, timestamp, stack, template, account, region, severity, active, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (resource_id, timestamp) DO UPDATE SET stack = excluded.stack, template = excluded.template, severity = excluded.severity, active = excluded.active, record = excluded.record`
	// A key of the table is a time of 30 bytes, "#" and the rule. The row of the key
	// comes first, then the latest of the violation's lives.
	readLife       = "SELECT record FROM findings WHERE resource_id = ?1 AND (timestamp = ?2 OR substr(timestamp, 32) = ?3) ORDER BY timestamp = ?2 DESC, timestamp DESC LIMIT 1"
	recordsOfStack = "SELECT record FROM findings WHERE stack = ? ORDER BY resource_id, timestamp"
)

// Put writes the records in one transaction, as finding.Merge says.
func (d *DB) Put(ctx context.Context, records []finding.Record) error {
	if len(records) == 0 {
		return ctx.Err()
	}
	err := d.write(ctx, func(tx *sql.Tx) error {
		read, err := tx.PrepareContext(ctx, readRecord)
		if err != nil {
			return err
		}
		life, err := tx.PrepareContext(ctx, readLife)
		if err != nil {
			return errors.Join(err, read.Close())
		}
		write, err := tx.PrepareContext(ctx, writeRecord)
		if err != nil {
			return errors.Join(err, read.Close(), life.Close())
		}
		for i := range records {
			if err = put(ctx, read, life, write, records[i]); err != nil {
				break
			}
		}
		return errors.Join(err, read.Close(), life.Close(), write.Close())
	})
	return explain("write to", d.path, err)
}

// put writes one record: under its key, or under that of the same life which
// another scan has begun meanwhile.
func put(ctx context.Context, read, life, write *sql.Stmt, r finding.Record) error {
	var old *finding.Record
	var err error
	id := r.ResourceID()
	if r.First() {
		if old, err = kept(life.QueryRowContext(ctx, id, r.SortKey(), r.Rule)); old != nil && !r.Joins(old.FirstSeen) {
			old = nil
		}
	} else {
		old, err = kept(read.QueryRowContext(ctx, id, r.SortKey()))
	}
	switch {
	case err != nil:
		return fmt.Errorf("record %q of %q: %w", r.SortKey(), id, err)
	case old == nil:
		r = r.Clean()
	default:
		r = finding.Merge(*old, r.Since(old.FirstSeen))
	}
	key := r.SortKey()
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record %q of %q: %w", key, id, err)
	}
	active := 0
	if r.State.Active() {
		active = 1
	}
	_, err = write.ExecContext(ctx, id, key, r.Where(), r.Place.Template(), r.Resource.Account, r.Resource.Region, string(r.Severity), active, string(b))
	return err
}

// kept reads the record of a row; nil where there is none.
func kept(row *sql.Row) (*finding.Record, error) {
	var b []byte
	if err := row.Scan(&b); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	r := new(finding.Record)
	return r, json.Unmarshal(b, r)
}

// OfStack yields the records of a stack, or of a template path without one, by resource and first seen.
func (d *DB) OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error] {
	return d.query(ctx, recordsOfStack, stack)
}

// Open yields the active records of a severity, "" for all, oldest first.
func (d *DB) Open(ctx context.Context, severity finding.Severity) iter.Seq2[finding.Record, error] {
	if severity == "" {
		return d.query(ctx, "SELECT record FROM findings WHERE active = 1 ORDER BY timestamp, resource_id")
	}
	return d.query(ctx, "SELECT record FROM findings WHERE active = 1 AND severity = ? ORDER BY timestamp, resource_id", string(severity))
}

// History yields every record of a resource, oldest first.
func (d *DB) History(ctx context.Context, resourceID string) iter.Seq2[finding.Record, error] {
	return d.query(ctx, "SELECT record FROM findings WHERE resource_id = ? ORDER BY timestamp", resourceID)
}

// All yields every record, by stack, resource and first seen.
func (d *DB) All(ctx context.Context) iter.Seq2[finding.Record, error] {
	return d.query(ctx, "SELECT record FROM findings ORDER BY stack, resource_id, timestamp")
}

// query yields the records of a statement's rows.
func (d *DB) query(ctx context.Context, statement string, args ...any) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		for b, err := range d.raw(ctx, statement, args...) {
			var r finding.Record
			if err == nil {
				if err = json.Unmarshal(b, &r); err != nil {
					err = explain("read", d.path, fmt.Errorf("decode record: %w", err))
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// raw yields the first column of a statement's rows, valid until the next.
// Readers have connections of their own, so one may write while it reads.
func (d *DB) raw(ctx context.Context, statement string, args ...any) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		fail := func(err error) { yield(nil, explain("read", d.path, err)) }
		db, err := d.reader()
		if err != nil {
			fail(err)
			return
		}
		rows, err := db.QueryContext(ctx, statement, args...)
		if err != nil {
			fail(err)
			return
		}
		defer func() { _ = rows.Close() }() // what it could say, rows.Err says below
		for rows.Next() {
			var b sql.RawBytes
			if err := rows.Scan(&b); err != nil {
				fail(err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}

// Claim records the id of an event and reports whether it was new.
func (d *DB) Claim(ctx context.Context, id string, at time.Time) (bool, error) {
	res, err := d.writer.ExecContext(ctx, "INSERT OR IGNORE INTO events (id, at) VALUES (?, ?)", id, at.UTC().Format(time.RFC3339Nano))
	if err != nil {
		return false, explain("write to", d.path, err)
	}
	n, err := res.RowsAffected()
	return n == 1, explain("write to", d.path, err)
}

// Release forgets the id of an event.
func (d *DB) Release(ctx context.Context, id string) error {
	_, err := d.writer.ExecContext(ctx, "DELETE FROM events WHERE id = ?", id)
	return explain("write to", d.path, err)
}

// CountLike counts the records whose text is like a pattern of SQL: SQLite looks
// through all of them. It is what lists are measured against.
func (d *DB) CountLike(ctx context.Context, pattern string) (n int, err error) {
	db, err := d.reader()
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM findings WHERE record LIKE ?", pattern).Scan(&n)
	}
	return n, explain("read", d.path, err)
}
