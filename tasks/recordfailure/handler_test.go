package recordfailure_test

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
	"plumbline/tasks/recordfailure"
)

type fullDisk struct{ blob.Memory }

func (*fullDisk) Put(context.Context, string, any) (blob.Ref, error) {
	return blob.Ref{}, errors.New("disk full")
}

func TestHandle(t *testing.T) {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	target := scan.Target{Stack: "Payments"}
	in := scan.FailureInput{Workflow: "scan-stack", ScanID: "s1", Target: target}
	in.Error.Error, in.Error.Cause = "States.Timeout", "70 s"
	store := new(blob.Memory)
	out, err := recordfailure.New(store, func() time.Time { return now }).Handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if want := scan.FailureKey("s1", target); out.Key != want {
		t.Errorf("key = %q, want %q", out.Key, want)
	}
	got, err := blob.Get[scan.Failure](t.Context(), store, blob.Ref{Key: out.Key})
	if err != nil {
		t.Fatal(err)
	}
	want := &scan.Failure{ScanID: "s1", Workflow: "scan-stack", Target: target, Error: "States.Timeout", Cause: "70 s", Time: now}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	var named *tasks.Error
	if _, err := recordfailure.New(store, func() time.Time { return now }).Handle(t.Context(), scan.FailureInput{}); !errors.As(err, &named) || named.Name != catalog.BadInput {
		t.Errorf("nothing said: %v", err)
	}
	if _, err := recordfailure.New(new(fullDisk), func() time.Time { return now }).Handle(t.Context(), in); !errors.As(err, &named) || named.Name != catalog.StoreFailed {
		t.Errorf("a full disk: %v", err)
	}
}
