package identity_test

import (
	"testing"
	"time"

	"plumbline/approval/approvaltest"
	"plumbline/approval/identity"
)

func TestMemory(t *testing.T) {
	approvaltest.Sessions(t, func(*testing.T) identity.Sessions { return &identity.Memory{} })
}

// TestMemoryForgets what expired before a session begins.
func TestMemoryForgets(t *testing.T) {
	m := &identity.Memory{}
	for i, id := range []string{"old", "new"} {
		if err := m.Open(t.Context(), identity.Session{ID: id, Expires: now.Add(time.Duration(i) * (identity.Lifetime + time.Second))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Session(t.Context(), "old"); err == nil {
		t.Error("a session that has expired stays for ever")
	}
	if _, err := m.Session(t.Context(), "new"); err != nil {
		t.Error(err)
	}
}
