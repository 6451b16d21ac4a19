package persistfindings_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/persistfindings"
)

type store func([]finding.Record) error

func (f store) Put(_ context.Context, r []finding.Record) error { return f(r) }

func TestHandle(t *testing.T) {
	blobs := new(blob.Memory)
	ref, err := blobs.Put(t.Context(), "changes", &scan.Changes{Records: make([]finding.Record, 3)})
	if err != nil {
		t.Fatal(err)
	}
	none := blob.Ref{Key: "changes"}
	lost := blob.Ref{Key: "nothing", Count: 1}
	for _, tc := range []struct {
		name    string
		store   persistfindings.Store
		changes blob.Ref
		written int
		errName string
	}{
		{"writes", store(func(r []finding.Record) error { return nil }), ref, 3, ""},
		{"nothing changed", store(func([]finding.Record) error { return errors.New("called") }), none, 0, ""},
		{"nothing is remembered", nil, ref, 0, ""},
		{"another process holds the database", store(func([]finding.Record) error { return fmt.Errorf("busy: %w", finding.ErrThrottled) }), ref, 0, catalog.Throttled},
		{"disk full", store(func([]finding.Record) error { return errors.New("disk full") }), ref, 0, catalog.StoreFailed},
		{"lost", store(func([]finding.Record) error { return nil }), lost, 0, catalog.ObjectLost},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := persistfindings.New(tc.store, blobs).Handle(t.Context(), persistfindings.In{Changes: tc.changes})
			var named *tasks.Error
			if errors.As(err, &named); (named != nil) != (tc.errName != "") || named != nil && named.Name != tc.errName {
				t.Errorf("error = %v, want the name %q", err, tc.errName)
			}
			if out.Written != tc.written {
				t.Errorf("written = %d, want %d", out.Written, tc.written)
			}
		})
	}
}
