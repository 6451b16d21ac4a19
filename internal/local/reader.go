package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/internal/sqlite"
	"plumbline/remedy/change"
	"plumbline/scan"
)

// Reader is a data folder that stays open for reading, as long as a console
// shows it. Scans may write to the folder meanwhile. It is safe for concurrent use.
type Reader struct {
	dir    string
	db     *sqlite.DB
	bucket *files.Store
	names  *names

	mu        sync.Mutex
	summaries map[string]scan.Summary // by key; one that is there never changes
	failures  map[string]scan.Failure
}

// OpenReader opens a data folder. A database that an older plumbline wrote is
// brought up to date first, and a copy of it is kept beside it. The error says
// why the folder cannot be shown and what to do.
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the data folder %q does not exist. make one with plumbline scan --data %s PATH", dir, dir)
	case err != nil:
		return nil, fmt.Errorf("open data folder: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("%q is a file. give the folder that plumbline scan --data DIR wrote to", dir)
	}
	path := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q holds no findings: there is no %s. scan something first: plumbline scan --data %s PATH", dir, databaseFile, dir)
	}
	if err := sqlite.Upgrade(ctx, path); err != nil {
		return nil, err
	}
	db, err := sqlite.View(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Reader{
		dir: dir, db: db, bucket: files.View(filepath.Join(dir, bucketFolder)), names: newNames(dir),
		summaries: map[string]scan.Summary{}, failures: map[string]scan.Failure{},
	}, nil
}

// Close closes the folder. The Reader must not be used afterwards.
func (r *Reader) Close() error { return r.db.Close() }

// Dir is the folder, as it was given.
func (r *Reader) Dir() string { return r.dir }

// Changed returns a number that moves whenever a scan has been kept.
func (r *Reader) Changed(ctx context.Context) (int64, error) { return r.db.Changed(ctx) }

// Records yields every record as lists show it: see sqlite.DB's Brief.
func (r *Reader) Records(ctx context.Context) iter.Seq2[finding.Record, error] {
	return r.db.Brief(ctx)
}

// OfResource yields every record of a resource, oldest first.
func (r *Reader) OfResource(ctx context.Context, resourceID string) iter.Seq2[finding.Record, error] {
	return r.db.History(ctx, resourceID)
}

// Scans lists the scans that came to their end, oldest first.
func (r *Reader) Scans(ctx context.Context) ([]scan.Summary, error) {
	out, err := keptObjects(ctx, r, scan.ScansPrefix, r.summaries)
	slices.SortStableFunc(out, func(a, b scan.Summary) int { return a.Started.Compare(b.Started) })
	return out, err
}

// Failures lists every failure of a workflow that was recorded, oldest first.
func (r *Reader) Failures(ctx context.Context) ([]scan.Failure, error) {
	out, err := keptObjects(ctx, r, scan.FailuresPrefix, r.failures)
	slices.SortStableFunc(out, func(a, b scan.Failure) int { return a.Time.Compare(b.Time) })
	return out, err
}

// keptObjects reads the objects below a prefix, each once: they do not change.
func keptObjects[T any](ctx context.Context, r *Reader, prefix string, known map[string]T) ([]T, error) {
	stores, err := published(ctx, r.dir, r.db)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []T
	for _, store := range stores {
		for key, err := range store.Keys(ctx, prefix[:len(prefix)-1]) {
			if err != nil {
				return nil, err
			}
			v, ok := known[key]
			if !ok {
				read, err := blob.Get[T](ctx, store, blob.Ref{Key: key})
				if err != nil {
					return nil, err
				}
				v = *read
				known[key] = v
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// Template returns the text of the template that a finding was found in, nil
// where it is not there any more as it was scanned: an excerpt of a changed file
// would show the wrong lines, and a file that no scan has read is nobody's to show.
func (r *Reader) Template(ctx context.Context, f *finding.Finding) []byte {
	name := f.Place.Template()
	if name == "" || f.Place.Line == 0 {
		return nil
	}
	want := r.scannedHashes(ctx, f.Where())
	if len(want) == 0 {
		return nil
	}
	path := r.names.path(name)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > cfn.MaxSize {
		return nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(src)
	if !want[hex.EncodeToString(sum[:])] {
		return nil
	}
	return src
}

// scannedHashes are the SHA-256 of the templates in the latest report of a stack
// or a template.
func (r *Reader) scannedHashes(ctx context.Context, where string) map[string]bool {
	latest := ""
	for key, err := range r.bucket.Keys(ctx, scan.ReportsPrefix+blob.Segment(where)) {
		if err != nil {
			return nil
		}
		if strings.HasSuffix(key, "/report.json") && key > latest {
			latest = key
		}
	}
	if latest == "" {
		return nil
	}
	src, err := os.ReadFile(r.bucket.Path(latest))
	if err != nil {
		return nil
	}
	var report struct {
		Provenance struct {
			Templates []struct {
				SHA256 string `json:"sha256"`
			} `json:"templates"`
		} `json:"provenance"`
	}
	if json.Unmarshal(src, &report) != nil {
		return nil
	}
	out := map[string]bool{}
	for _, t := range report.Provenance.Templates {
		out[t.SHA256] = true
	}
	return out
}

// Plan is a planned change with its hash and what the ledger says of it.
type Plan struct {
	Hash string
	*change.Planned
	Story *change.Story
}

// Plans lists the changes that were planned for a rule and a resource, the latest last.
func (r *Reader) Plans(ctx context.Context, rule string, of finding.Resource) ([]Plan, error) {
	if _, err := os.Stat(filepath.Join(r.dir, changesFile)); err != nil {
		return nil, nil //nolint:nilerr // a folder without changes has no plans
	}
	d, err := OpenChangesData(ctx, r.dir, false)
	if err != nil {
		return nil, err
	}
	out, err := d.plansOf(ctx, rule, of)
	return out, errors.Join(err, d.Close())
}

func (d *ChangesData) plansOf(ctx context.Context, rule string, of finding.Resource) ([]Plan, error) {
	hashes, err := d.Plans(ctx)
	if err != nil {
		return nil, err
	}
	var out []Plan
	for _, hash := range hashes {
		p, err := change.Load(ctx, d.Blobs, hash)
		if err != nil {
			return nil, err
		}
		have := p.Plan.Resource
		if p.Plan.Rule != rule || have.LogicalID != of.LogicalID || have.Stack != of.Stack || have.Account != of.Account || have.Region != of.Region {
			continue
		}
		story, err := change.Tell(ctx, d.Ledger, hash)
		if err != nil {
			return nil, err
		}
		out = append(out, Plan{hash, p, story})
	}
	slices.SortStableFunc(out, func(a, b Plan) int { return a.Story.Asked.Compare(b.Story.Asked) })
	return out, nil
}
