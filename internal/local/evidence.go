package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"plumbline/internal/evidence"
	"plumbline/internal/files"
	"plumbline/scan"
)

// ReadEvidence reads the reports that scans left in a data folder; the caller
// adds framework and period. Of a folder without a database its bucket is read,
// so a copy of the bucket on AWS serves as well. Reports of an older shape lack
// what was found by requirement: an error names how many they are.
func ReadEvidence(ctx context.Context, dir string) (in evidence.Input, err error) {
	stores := []*files.Store{files.View(filepath.Join(dir, bucketFolder))}
	if _, missing := os.Stat(filepath.Join(dir, databaseFile)); missing == nil {
		db, err := openData(ctx, dir)
		if err != nil {
			return in, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		if stores, err = published(ctx, dir, db); err != nil {
			return in, err
		}
	} else if _, err := os.Stat(filepath.Join(dir, bucketFolder)); err != nil {
		_, err := openData(ctx, dir) // says what a data folder is
		return in, err
	}
	if in.Scans, err = collect[scan.Summary](ctx, stores, scan.ScansPrefix); err != nil {
		return in, err
	}
	if in.Failures, err = collect[scan.Failure](ctx, stores, scan.FailuresPrefix); err != nil {
		return in, err
	}
	estate := map[string]bool{}
	for _, s := range in.Scans {
		estate[s.Report] = true
	}
	for _, store := range stores {
		for key, err := range store.Keys(ctx, strings.TrimSuffix(scan.ReportsPrefix, "/")) {
			if err != nil {
				return in, err
			}
			folder, isReport := strings.CutSuffix(key, "/report.json")
			if !isReport || estate[folder] {
				continue
			}
			k, err := readKept(store.Path(key))
			if err != nil {
				return in, err
			}
			k.Folder = folder
			in.Reports = append(in.Reports, *k)
		}
	}
	return in, nil
}

// maxKept is the largest report that is read, in bytes: one of a target of
// 500 resources, CloudFormation's limit, has a few megabytes.
const maxKept = 256 << 20

func readKept(path string) (*evidence.Kept, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // a scan puts its reports in place meanwhile
			return nil, fmt.Errorf("%s is gone: a scan writes to the folder. try again", path)
		}
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	k := new(evidence.Kept)
	if err := json.NewDecoder(io.LimitReader(f, maxKept)).Decode(k); err != nil {
		return nil, fmt.Errorf("%s is no report that a scan kept: %w. move it away to go on without it", path, err)
	}
	return k, nil
}
