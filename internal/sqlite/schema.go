package sqlite

import (
	"context"
	"database/sql"
	"fmt"
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

// migrate makes the schema, or brings an older one up to date, or says that
// this program does not know it.
func (d *DB) migrate(ctx context.Context) error {
	have, err := d.version(ctx, d.writer)
	if err != nil || have == version {
		return err
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

// version reads the version of the schema, 0 for a new file. One that a newer
// program wrote is an error.
func (d *DB) version(ctx context.Context, from interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (int, error) {
	var have int
	if err := from.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return 0, err
	}
	if have > version {
		return 0, fmt.Errorf("it was written by a newer plumbline (schema %d, this one knows %d). update plumbline, or give --data another folder", have, version)
	}
	return have, nil
}
