package approval_test

import (
	"testing"

	"plumbline/approval"
	"plumbline/approval/approvaltest"
)

func TestMemory(t *testing.T) {
	approvaltest.Store(t, func(*testing.T) approval.Store { return new(approval.Memory) })
}
