package account

import (
	"context"

	"plumbline/blob"
	"plumbline/ledger"
)

// Books are what an account keeps of changes of its resources.
type Books struct {
	Ledger  ledger.Store
	Anchors ledger.Anchors
	Plans   blob.Store
}

// Bookkeeper opens the books of an account, of its first region. An Account may
// be one.
type Bookkeeper interface {
	Books(ctx context.Context) (Books, error)
}
