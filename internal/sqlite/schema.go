package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// version is the version of the schema, kept in user_version. It moves when
// the schema changes, and migrate then brings older files up to it.
const version = 2

// schema holds the whole record as JSON beside the columns that are searched.
// The key is that of the table on AWS; the indexes are its indexes. A table
// with row ids keeps a record of a kilobyte or two in a page with others, where
// one without would give each record pages of its own.
const schema = `
CREATE TABLE findings (
	resource_id TEXT NOT NULL,
	timestamp   TEXT NOT NULL, -- first seen, RFC 3339 with nanoseconds, "#", rule
	stack       TEXT NOT NULL, -- or the template's name
	template    TEXT NOT NULL, -- its name, "" for a deployed stack
	account     TEXT NOT NULL,
	region      TEXT NOT NULL,
	severity    TEXT NOT NULL,
	active      INTEGER NOT NULL,
	record      TEXT NOT NULL,
	UNIQUE (resource_id, timestamp)
);
CREATE INDEX findings_by_stack ON findings (stack);
CREATE INDEX findings_open ON findings (severity, timestamp) WHERE active = 1;
CREATE INDEX findings_targets ON findings (stack, template, account, region) WHERE active = 1;
CREATE TABLE IF NOT EXISTS events (
	id TEXT PRIMARY KEY,
	at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE scans ( -- those that came to their end
	id TEXT PRIMARY KEY
) WITHOUT ROWID;
`

// fromFirst brings a file of the first version to this one.
const fromFirst = `
ALTER TABLE findings RENAME TO findings_1;
DROP INDEX findings_by_stack;
DROP INDEX findings_open;
DROP INDEX findings_by_rule;
` + schema + `
INSERT INTO findings (resource_id, timestamp, stack, template, account, region, severity, active, record)
	SELECT resource_id, timestamp, stack, json_extract(record, '$.Place.Path'), json_extract(record, '$.Resource.Account'), json_extract(record, '$.Resource.Region'), severity, active, record
	FROM findings_1;
DROP TABLE findings_1;
`

// migrate makes the schema, or brings an older one up to date, of which a copy
// is kept beside it, or says that this program does not know it.
func (d *DB) migrate(ctx context.Context, path string) error {
	have, err := d.version(ctx, d.writer)
	if err != nil || have == version {
		return err
	}
	if have > 0 {
		if err := backup(ctx, d.writer, path, have); err != nil {
			return err
		}
	}
	return d.write(ctx, func(tx *sql.Tx) error {
		// Another process may have made the schema since we looked.
		have, err := d.version(ctx, tx)
		if err != nil || have == version {
			return err
		}
		change := schema
		if have == 1 {
			change = fromFirst
		}
		if _, err := tx.ExecContext(ctx, change); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}

// backup keeps a copy of a database before its schema changes, so that the
// older program can be gone back to. It is path with the schema's version and
// the time behind it.
func backup(ctx context.Context, db *sql.DB, path string, have int) error {
	to := fmt.Sprintf("%s.schema-%d-%s.backup", path, have, time.Now().UTC().Format("20060102T150405.000000"))
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copy it to %q before its schema changes: %w", to, err)
	}
	return nil
}

// querier is a database or a transaction of it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version reads the version of the schema, 0 for a new file. A database of
// another program, and one that a newer plumbline wrote, are errors.
func (d *DB) version(ctx context.Context, from querier) (int, error) {
	var have, tables, ours int
	err := from.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version), count(*), count(*) FILTER (WHERE name IN ('findings', 'events'))
		FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).Scan(&have, &tables, &ours)
	switch {
	case err != nil:
		return 0, err
	case tables > 0 && ours < 2:
		return 0, errors.New("it is a database of another program: it has no findings. give --data the folder that \"plumbline scan --data DIR\" wrote to; what is in this file stays as it is, and \"sqlite3 FILE .dump\" exports it")
	case have > version:
		return 0, fmt.Errorf("it was written by a newer plumbline (schema %d, this one knows %d). update plumbline, or give --data another folder", have, version)
	}
	return have, nil
}

// foreign is an error where a file that exists is no database of plumbline's,
// or one of a newer. It changes nothing in the file, not even its mode.
func foreign(ctx context.Context, abs string) error {
	if info, err := os.Stat(abs); err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // there is nothing that could be another's
	}
	db, err := connect(abs, "", 1, "query_only(1)")
	if err != nil {
		return err
	}
	_, err = new(DB).version(ctx, db)
	return errors.Join(err, db.Close())
}

// Upgrade brings a database that an older plumbline wrote up to date; one that
// is up to date, or may not be written and can be read as it is, stays as it is.
func Upgrade(ctx context.Context, path string) error {
	d, err := View(ctx, path)
	if err != nil {
		return err
	}
	have, err := d.version(ctx, d.writer)
	if err = errors.Join(explain("open", path, err), d.Close()); err != nil || have >= version {
		return err
	}
	if d, err = Open(ctx, path); err != nil {
		return err
	}
	return d.Close()
}
