package dynamo_test

import (
	"testing"

	"plumbline/approval/approvaltest"
	"plumbline/approval/identity"
	"plumbline/internal/dynamo"
)

func TestSessions(t *testing.T) {
	approvaltest.Sessions(t, func(*testing.T) identity.Sessions { return dynamo.NewSessions(newRows("id"), "changes") })
}
