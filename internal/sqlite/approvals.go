package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"plumbline/approval"
)

// Approvals is the approval.Store of a Changes.
type Approvals struct{ changes *Changes }

// Approvals are the requests for approval.
func (c *Changes) Approvals() Approvals { return Approvals{c} }

// Add is approval.Store's.
func (a Approvals) Add(ctx context.Context, r approval.Stored) error {
	src, err := json.Marshal(r.Request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return a.changes.write(ctx, func(tx *sql.Tx) error {
		var taken bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM approvals WHERE id = ?) OR EXISTS (SELECT 1 FROM waiting WHERE plan = ?)", r.ID, r.Plan).Scan(&taken); err != nil {
			return err
		}
		if taken {
			return approval.ErrConflict
		}
		if r.State == approval.Waiting {
			if _, err := tx.ExecContext(ctx, "INSERT INTO waiting (plan) VALUES (?)", r.Plan); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO approvals (id, plan, open, version, token, request) VALUES (?, ?, ?, ?, ?, ?)",
			r.ID, r.Plan, isOpen(r), r.Version, r.Token, string(src))
		return err
	})
}

func isOpen(r approval.Stored) int {
	if r.State == approval.Waiting || !r.Told {
		return 1
	}
	return 0
}

// Find is approval.Store's.
func (a Approvals) Find(ctx context.Context, id string) (approval.Stored, error) {
	all, err := readAll(ctx, a.changes, "SELECT version, token, request FROM approvals WHERE id = ?", []any{id}, stored)
	switch {
	case err != nil:
		return approval.Stored{}, err
	case len(all) == 0:
		return approval.Stored{}, &approval.Refusal{Kind: approval.ErrUnknown, Reason: "there is no such request"}
	}
	return all[0], nil
}

func stored(row *sql.Rows) (r approval.Stored, err error) {
	var src []byte
	var token string
	if err = row.Scan(&r.Version, &token, &src); err == nil {
		err = json.Unmarshal(src, &r.Request)
	}
	r.Token = token
	return r, err
}

// Save is approval.Store's.
func (a Approvals) Save(ctx context.Context, r approval.Stored) error {
	src, err := json.Marshal(r.Request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return a.changes.write(ctx, func(tx *sql.Tx) error {
		var version int64
		err := tx.QueryRowContext(ctx, "SELECT version FROM approvals WHERE id = ?", r.ID).Scan(&version)
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && version != r.Version:
			return approval.ErrConflict
		case err != nil:
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE approvals SET open = ?, version = ?, token = ?, request = ? WHERE id = ?", isOpen(r), r.Version+1, r.Token, string(src), r.ID); err != nil {
			return err
		}
		if r.State != approval.Waiting {
			_, err = tx.ExecContext(ctx, "DELETE FROM waiting WHERE plan = ? AND NOT EXISTS (SELECT 1 FROM approvals WHERE plan = ? AND id <> ? AND json_extract(request, '$.State') = 'waiting')", r.Plan, r.Plan, r.ID)
		}
		return err
	})
}

// Open is approval.Store's.
func (a Approvals) Open(ctx context.Context) iter.Seq2[approval.Stored, error] {
	return a.those(ctx, "SELECT version, token, request FROM approvals WHERE open = 1 ORDER BY id")
}

// All gives every request, also those that are over.
func (a Approvals) All(ctx context.Context) iter.Seq2[approval.Stored, error] {
	return a.those(ctx, "SELECT version, token, request FROM approvals ORDER BY json_extract(request, '$.Asked'), id")
}

func (a Approvals) those(ctx context.Context, statement string) iter.Seq2[approval.Stored, error] {
	return func(yield func(approval.Stored, error) bool) {
		all, err := readAll(ctx, a.changes, statement, nil, stored)
		handOut(all, err, yield)
	}
}
