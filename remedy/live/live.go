// Package live says what remediation works with: resources that can be read and
// changed where they are, and leases, so that one change is made at a time.
package live

import (
	"context"
	"errors"
	"time"
)

// Resources reads and changes live resources, as Cloud Control does: an update
// is asked for and goes on by itself. Safe for concurrent use.
type Resources interface {
	// Get gives the properties of a resource as JSON, or ErrGone.
	Get(ctx context.Context, typ, identifier string) ([]byte, error)
	// Update asks for a patch, RFC 6902, to be applied. The same token with the same patch
	// is the same request, however often it is asked: its progress is the answer.
	// The error is ErrGone, ErrThrottled, ErrBusy or a *Refused.
	Update(ctx context.Context, typ, identifier string, patch []byte, token string) (Progress, error)
	// Busy reports whether a request for the resource has not ended yet.
	Busy(ctx context.Context, typ, identifier string) (bool, error)
}

// Progress is how an update stands.
type Progress struct {
	Request string // the service's name of the request
	State   State
	Code    string // of a failure: the service's word, such as NotUpdatable
	Message string
}

// State is how far an update has come.
type State string

// The states of an update.
const (
	Pending   State = "pending"
	Succeeded State = "succeeded"
	Failed    State = "failed" // a part of it may have been made
)

// Errors of Resources.
var (
	ErrGone      = errors.New("there is no such resource")
	ErrThrottled = errors.New("the service asks to slow down")
	// ErrBusy: another request changes the resource now; asking again later may help.
	ErrBusy = errors.New("another request changes the resource")
)

// Refused says that the service will not make a change, however often it is asked.
type Refused struct{ Code, Message string }

func (r *Refused) Error() string { return r.Code + ": " + r.Message }

// Leases give a name to one owner at a time.
type Leases interface {
	// Take takes the lease of key until a time, or extends it for the owner that
	// has it. holder is who has it then: another, where it was not to be had.
	Take(ctx context.Context, key, owner string, now, until time.Time) (holder string, err error)
	// Drop gives back what owner holds of key; what it does not hold stays.
	Drop(ctx context.Context, key, owner string) error
}
