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
		write, err := tx.PrepareContext(ctx, writeRecord)
		if err != nil {
			return errors.Join(err, read.Close())
		}
		for i := range records {
			if err = put(ctx, read, write, records[i]); err != nil {
				break
			}
		}
		return errors.Join(err, read.Close(), write.Close())
	})
	return explain("write to", d.path, err)
}

func put(ctx context.Context, read, write *sql.Stmt, r finding.Record) error {
	id, key := r.ResourceID(), r.SortKey()
	var stored []byte
	switch err := read.QueryRowContext(ctx, id, key).Scan(&stored); {
	case errors.Is(err, sql.ErrNoRows):
		r = r.Clean()
	case err != nil:
		return err
	default:
		var old finding.Record
		if err := json.Unmarshal(stored, &old); err != nil {
			return fmt.Errorf("decode record %q of %q: %w", key, id, err)
		}
		r = finding.Merge(old, r)
	}
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

// query yields the records of a statement's rows. Readers have connections of
// their own, so one may write while it reads.
func (d *DB) query(ctx context.Context, statement string, args ...any) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		fail := func(err error) { yield(finding.Record{}, explain("read", d.path, err)) }
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
			var r finding.Record
			if err := json.Unmarshal(b, &r); err != nil {
				fail(fmt.Errorf("decode record: %w", err))
				return
			}
			if !yield(r, nil) {
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
