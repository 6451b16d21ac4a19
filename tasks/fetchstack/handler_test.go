package fetchstack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"plumbline/blob"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/fetchstack"
)

type source func(scan.Target) (*scan.Snapshot, error)

func (f source) Fetch(_ context.Context, t scan.Target) (*scan.Snapshot, error) { return f(t) }

func TestHandle(t *testing.T) {
	snap := &scan.Snapshot{Target: scan.Target{Path: "a.yaml"}}
	store := new(blob.Memory)
	h := fetchstack.New(source(func(scan.Target) (*scan.Snapshot, error) { return snap, nil }), store)
	out, err := h.Handle(t.Context(), fetchstack.In{ScanID: "s1", Target: snap.Target})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := blob.Get[scan.Snapshot](t.Context(), store, out.Snapshot); err != nil || got != snap {
		t.Errorf("the snapshot is not the one that was fetched: %v", err)
	}
}

func TestErrors(t *testing.T) {
	slow := source(func(scan.Target) (*scan.Snapshot, error) { return nil, fmt.Errorf("rate: %w", blob.ErrThrottled) })
	for _, tc := range []struct {
		in   fetchstack.In
		want string
		text string
	}{
		{fetchstack.In{Target: scan.Target{Path: "a"}}, catalog.BadInput, "scanId is missing"},
		{fetchstack.In{ScanID: "s1"}, catalog.BadInput, "neither a path nor a stack"},
		{fetchstack.In{ScanID: "s1", Target: scan.Target{Stack: "P", Region: "eu-west-1"}}, catalog.Throttled, "fetch stack P in eu-west-1"},
	} {
		_, err := fetchstack.New(slow, new(blob.Memory)).Handle(t.Context(), tc.in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != tc.want || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%+v: %v, want %s: …%s…", tc.in, err, tc.want, tc.text)
		}
	}
}
