package local

import (
	"context"
	"errors"
	"syscall"

	"plumbline/alert"
	"plumbline/blob"
	"plumbline/scan"
	"plumbline/tasks/assess"
	"plumbline/tasks/measuresla"
	"plumbline/tasks/notify"
	"plumbline/tasks/persistfindings"
)

// backends are the stores of a scan. Without a data folder the table is nil
// (nothing is remembered) and all objects lie in memory.
type backends struct {
	memory  *blob.Memory
	blobs   blob.Store
	known   assess.Known
	store   persistfindings.Store
	render  scan.Render
	channel notify.Channel
	ledger  *ledger // nil without a data folder
	full    error   // why there is none, though one was asked for
}

func openBackends(ctx context.Context, o Options) (*backends, error) {
	b := &backends{memory: new(blob.Memory)}
	b.blobs = b.memory
	if o.Data != "" {
		l, err := openLedger(ctx, o.Data, o.ScanID, o.Waiting)
		switch {
		case err == nil:
			b.ledger = l
			b.blobs = blob.Split{Prefix: scan.WorkPrefix, Under: b.memory, Rest: l}
			b.known, b.store, b.render = ledgerRows{l}, ledgerRows{l}, o.Render
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			b.full = wrapData(err) // the scan can be told though it cannot be kept
		default:
			return nil, wrapData(err)
		}
	}
	b.channel = notices{b.ledger, o.Notice}
	return b, nil
}

// table is the findings table as a whole, as it was kept; nil without a data folder.
func (b *backends) table() measuresla.Table {
	if b.ledger == nil {
		return nil
	}
	return b.ledger.db
}

func (b *backends) close(how ending) error {
	if b.ledger == nil {
		return b.full
	}
	return b.ledger.close(how)
}

// notices is the channel of a laptop: it keeps each message in the data folder
// and hands it on.
type notices struct {
	ledger *ledger           // nil: none is kept
	tell   func(scan.Notice) // what people are told of; may be nil
}

// Send takes one message.
func (n notices) Send(_ context.Context, m scan.Notice) error {
	if n.ledger != nil {
		if err := n.ledger.notice(m); err != nil {
			return err
		}
	}
	if n.tell != nil && alert.Told(m) {
		n.tell(m)
	}
	return nil
}
