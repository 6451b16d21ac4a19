package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"plumbline/remedy/live"
)

// stopKey is where the stop of all changes stands, among the leases: its owner
// is who said so, as JSON, and it does not expire. No lease has the key, as
// leases are of a finding, a plan, a resource or a limit.
const stopKey = "stop"

// Stopped is live.Switch's.
func (c *Changes) Stopped(ctx context.Context) (*live.Stop, error) {
	var src string
	switch err := c.db.QueryRowContext(ctx, "SELECT owner FROM leases WHERE key = ?", stopKey).Scan(&src); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, explain("read", c.path, err)
	}
	s := &live.Stop{}
	if err := json.Unmarshal([]byte(src), s); err != nil {
		return nil, fmt.Errorf("read %q: the stop of all changes: %w", c.path, err)
	}
	return s, nil
}

// Stop is live.Brake's.
func (c *Changes) Stop(ctx context.Context, s live.Stop) error {
	src, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = c.db.ExecContext(ctx, "INSERT INTO leases (key, owner, until) VALUES (?, ?, 0) ON CONFLICT (key) DO NOTHING", stopKey, string(src))
	return explain("write to", c.path, err)
}

// Resume is live.Brake's.
func (c *Changes) Resume(ctx context.Context) error {
	_, err := c.db.ExecContext(ctx, "DELETE FROM leases WHERE key = ?", stopKey)
	return explain("write to", c.path, err)
}
