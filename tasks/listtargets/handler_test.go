package listtargets_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/listtargets"
)

type lister func() ([]scan.Target, error)

func (f lister) Targets(context.Context) ([]scan.Target, error) { return f() }

var now = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

func TestHandle(t *testing.T) {
	a, b, c := scan.Target{Path: "a.yaml"}, scan.Target{Path: "b.yaml"}, scan.Target{Path: "b.yaml", Region: "eu-west-1"}
	store := new(blob.Memory)
	h := listtargets.New(lister(func() ([]scan.Target, error) { return []scan.Target{c, a, b, a}, nil }), store, 0, func() time.Time { return now })
	out, err := h.Handle(t.Context(), listtargets.In{ScanID: "s1"})
	if err != nil {
		t.Fatal(err)
	}
	want := listtargets.Out{Key: scan.TargetsKey("s1"), Count: 3, Concurrency: listtargets.DefaultConcurrency, Started: now}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err := blob.Get[scan.Targets](t.Context(), store, blob.Ref{Key: out.Key})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(scan.Targets{a, b, c}, *got); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
}

func TestTheScansStartIsKept(t *testing.T) {
	h := listtargets.New(lister(func() ([]scan.Target, error) { return nil, nil }), new(blob.Memory), 3, func() time.Time { return now })
	at := now.Add(-time.Hour)
	out, err := h.Handle(t.Context(), listtargets.In{ScanID: "s1", Started: at})
	if err != nil || !out.Started.Equal(at) || out.Concurrency != 3 || out.Count != 0 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestErrors(t *testing.T) {
	broken := lister(func() ([]scan.Target, error) { return nil, errors.New("access denied") })
	h := listtargets.New(broken, new(blob.Memory), 0, func() time.Time { return now })
	for id, want := range map[string]string{"": catalog.BadInput, "s1": catalog.StoreFailed} {
		_, err := h.Handle(t.Context(), listtargets.In{ScanID: id})
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != want {
			t.Errorf("scan %q: %v, want %s", id, err, want)
		}
	}
}
