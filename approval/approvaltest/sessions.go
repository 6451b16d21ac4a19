package approvaltest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/approval/identity"
)

// Sessions runs the contract of identity.Sessions; open gives an empty store.
func Sessions(t *testing.T, open func(t *testing.T) identity.Sessions) {
	ctx := context.Background()
	want := identity.Session{ID: identity.SessionID("cookie"), Person: approval.Person{Name: "ann@example.com", Groups: []string{"a b", "ä"}}, Expires: time.Unix(1000, 5000).UTC()}
	s := open(t)
	if _, err := s.Session(ctx, want.ID); !errors.Is(err, identity.ErrNoSession) {
		t.Errorf("of an empty store: %v", err)
	}
	if err := s.Open(ctx, want); err != nil {
		t.Fatal(err)
	}
	got, err := s.Session(ctx, want.ID)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := s.Session(ctx, identity.SessionID("another")); !errors.Is(err, identity.ErrNoSession) {
		t.Errorf("of another id: %v", err)
	}
	for range 2 {
		if err := s.Close(ctx, want.ID); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := s.Session(ctx, want.ID); !errors.Is(err, identity.ErrNoSession) {
		t.Errorf("after it was closed: %v", err)
	}
}
