package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/internal/sqlite"
	"plumbline/scan"
)

// History is what a data folder remembers.
type History struct {
	Scans    []scan.Summary   // oldest first
	Failures []scan.Failure   // every failure that was recorded, by scan; those of a scan without a summary too
	New      []finding.Record // first seen by the last scan
	Reopened []finding.Record // back in the last scan
	Resolved []finding.Record // resolved by the last scan
	Open     []finding.Record // what wants attention now, most severe first, then oldest
}

// ReadHistory reads a data folder. A folder that holds no data is an error
// which says how to make some.
func ReadHistory(ctx context.Context, dir string) (*History, error) {
	db, err := openData(ctx, dir)
	if err != nil {
		return nil, err
	}
	h, err := readHistory(ctx, dir, db)
	return h, errors.Join(err, db.Close())
}

func readHistory(ctx context.Context, dir string, db *sqlite.DB) (*History, error) {
	h := new(History)
	stores, err := published(ctx, dir, db)
	if err != nil {
		return nil, err
	}
	if h.Scans, err = collect[scan.Summary](ctx, stores, scan.ScansPrefix); err != nil {
		return nil, err
	}
	// Keys carry whole seconds: two scans of the same second stand in any order.
	slices.SortStableFunc(h.Scans, func(a, b scan.Summary) int { return a.Started.Compare(b.Started) })
	if h.Failures, err = collect[scan.Failure](ctx, stores, scan.FailuresPrefix); err != nil {
		return nil, err
	}
	for r, err := range db.All(ctx) {
		if err != nil {
			return nil, err
		}
		if r.State.Active() {
			h.Open = append(h.Open, r)
		}
		if len(h.Scans) == 0 || !r.LastSeen.Equal(h.Scans[len(h.Scans)-1].Started) {
			continue
		}
		switch r.State {
		case finding.New:
			h.New = append(h.New, r)
		case finding.Reopened:
			h.Reopened = append(h.Reopened, r)
		case finding.Resolved:
			h.Resolved = append(h.Resolved, r)
		}
	}
	slices.SortStableFunc(h.Open, func(a, b finding.Record) int {
		if c := a.Severity.Rank() - b.Severity.Rank(); c != 0 {
			return c
		}
		return a.FirstSeen.Compare(b.FirstSeen)
	})
	return h, nil
}

// openData opens the table of a data folder that exists, for reading.
func openData(ctx context.Context, dir string) (*sqlite.DB, error) {
	path := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%q holds no history: there is no %s. make one with plumbline scan --data %s PATH", dir, databaseFile, dir)
		}
		return nil, fmt.Errorf("read history: %w", err)
	}
	return sqlite.View(ctx, path)
}

// published is where the objects of a data folder lie: in the bucket, and in
// the stage of a scan that was kept but could not put its own in place.
func published(ctx context.Context, dir string, db *sqlite.DB) ([]*files.Store, error) {
	bucket := files.View(filepath.Join(dir, bucketFolder))
	stores := []*files.Store{bucket}
	names, err := bucket.Stages()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		kept, err := db.Committed(ctx, name)
		if err != nil {
			return nil, err
		}
		if kept {
			stores = append(stores, bucket.Stage(name).View())
		}
	}
	return stores, nil
}

// collect reads every object below a prefix, in the order of their keys.
func collect[T any](ctx context.Context, stores []*files.Store, prefix string) ([]T, error) {
	var out []T
	for _, store := range stores {
		for key, err := range store.Keys(ctx, prefix[:len(prefix)-1]) {
			if err != nil {
				return nil, err
			}
			v, err := blob.Get[T](ctx, store, blob.Ref{Key: key})
			if err != nil {
				return nil, err
			}
			out = append(out, *v)
		}
	}
	return out, nil
}
