package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"plumbline/ledger"
)

// Anchors are ledger.Anchors in a folder: one file each, which its name says all
// of. They prove something where the folder is out of reach of who can write the
// ledger. Safe for concurrent use.
type Anchors string

// Keep is ledger.Anchors'. It makes the folder where there is none, and changes
// no file that is there.
func (a Anchors) Keep(_ context.Context, x ledger.Anchor) error {
	if err := os.MkdirAll(string(a), 0o755); err != nil {
		return fmt.Errorf("keep an anchor: %w", err)
	}
	path := filepath.Join(string(a), x.Name())
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep an anchor: %w", err)
	}
	_, err = f.WriteString(x.String() + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("keep an anchor: %w", err)
	}
	return nil
}

// All is ledger.Anchors'. A folder that is not there has none.
func (a Anchors) All(context.Context) iter.Seq2[ledger.Anchor, error] {
	return func(yield func(ledger.Anchor, error) bool) {
		entries, err := os.ReadDir(string(a))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(ledger.Anchor{}, fmt.Errorf("read the anchors: %w", err))
			return
		}
		for _, e := range entries {
			if x, ok := ledger.ParseAnchor(e.Name()); ok && !yield(x, nil) {
				return
			}
		}
	}
}
