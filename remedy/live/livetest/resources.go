// Package livetest holds live resources to their contract, whichever backend
// they have.
package livetest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/remedy/live"
)

// The resource that open is to make.
const (
	Type       = "AWS::SQS::Queue"
	Identifier = "jobs"
	Model      = `{"QueueName":"jobs","Tags":[{"Key":"a","Value":"b"}],"VisibilityTimeout":30}`
)

// patch sets the time-out, on the condition that it is as it was.
const patch = `[{"op":"test","path":"/VisibilityTimeout","value":30},{"op":"replace","path":"/VisibilityTimeout","value":60}]`

// rest is how often an update may be pending before the test gives up.
const rest = 20

// Resources runs the contract of live.Resources; open gives an account with the
// resource above and no other.
func Resources(t *testing.T, open func(t *testing.T) live.Resources) {
	ctx := context.Background()
	settle := func(t *testing.T, r live.Resources, patch, token string) live.Progress {
		t.Helper()
		for range rest {
			p, err := r.Update(ctx, Type, Identifier, []byte(patch), token)
			if err != nil {
				t.Fatal(err)
			}
			if p.State != live.Pending {
				return p
			}
		}
		t.Fatal("the update never ends")
		return live.Progress{}
	}
	model := func(t *testing.T, r live.Resources) any {
		t.Helper()
		src, err := r.Get(ctx, Type, Identifier)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(src, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	of := func(src string) (v any) {
		_ = json.Unmarshal([]byte(src), &v) // the test's own text
		return v
	}
	t.Run("read", func(t *testing.T) {
		r := open(t)
		if diff := cmp.Diff(of(Model), model(t, r)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if _, err := r.Get(ctx, Type, "none"); !errors.Is(err, live.ErrGone) {
			t.Errorf("what is not there: %v", err)
		}
	})
	t.Run("a request is made once", func(t *testing.T) {
		r := open(t)
		first := settle(t, r, patch, "token-1")
		again := settle(t, r, patch, "token-1")
		if first.State != live.Succeeded || first != again || first.Request == "" {
			t.Errorf("%+v, then %+v", first, again)
		}
		want := of(`{"QueueName":"jobs","Tags":[{"Key":"a","Value":"b"}],"VisibilityTimeout":60}`)
		if diff := cmp.Diff(want, model(t, r)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if busy, err := r.Busy(ctx, Type, Identifier); err != nil || busy {
			t.Errorf("busy after the end: %v %v", busy, err)
		}
	})
	t.Run("a test that fails leaves all as it is", func(t *testing.T) {
		r := open(t)
		p := settle(t, r, `[{"op":"add","path":"/DelaySeconds","value":5},{"op":"test","path":"/VisibilityTimeout","value":31},{"op":"replace","path":"/VisibilityTimeout","value":60}]`, "token-1")
		if p.State != live.Failed || p.Code == "" {
			t.Errorf("%+v", p)
		}
		if diff := cmp.Diff(of(Model), model(t, r)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
	t.Run("one that is gone", func(t *testing.T) {
		r := open(t)
		if _, err := r.Update(ctx, Type, "none", []byte(patch), "token-1"); !errors.Is(err, live.ErrGone) {
			t.Errorf("%v", err)
		}
	})
}
