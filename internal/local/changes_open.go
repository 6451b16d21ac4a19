package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/internal/sqlite"
	chain "plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
)

// changesFile is the ledger, the approvals and the leases in a data folder.
const changesFile = "changes.db"

// ChangesData is the part of a data folder that changes are kept in.
type ChangesData struct {
	Blobs     *files.Store
	Ledger    chain.Store
	Approvals sqlite.Approvals
	db        *sqlite.Changes
	dir       string
}

// OpenChangesData opens a data folder; make says that it is made where it does
// not exist.
func OpenChangesData(ctx context.Context, dir string, make bool) (*ChangesData, error) {
	path := filepath.Join(dir, changesFile)
	if _, err := os.Stat(path); err != nil && !make {
		return nil, fmt.Errorf("%q holds no changes. plan one with plumbline remediate plan --live LIVE --data %s", dir, dir)
	}
	store, err := files.Open(filepath.Join(dir, bucketFolder))
	if err != nil {
		return nil, err
	}
	db, err := sqlite.OpenChanges(ctx, path)
	if err != nil {
		return nil, err
	}
	return &ChangesData{store, db, db.Approvals(), db, dir}, nil
}

// Close closes it.
func (d *ChangesData) Close() error { return d.db.Close() }

// Plans lists the hashes of the plans that are kept.
func (d *ChangesData) Plans(ctx context.Context) ([]string, error) {
	var out []string
	for key, err := range d.Blobs.Keys(ctx, strings.TrimSuffix(change.Prefix, "/")) {
		if err != nil {
			return nil, err
		}
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(key, change.Prefix), ".json"))
	}
	return out, nil
}

// Desk is where people decide; workflows of other processes read the ledger.
func (d *ChangesData) Desk() *approval.Desk {
	c := Changes{Ledger: d.Ledger, Approvals: d.Approvals}
	return c.Desk()
}

// Changes are those of the resources of a folder, kept here; tell gets each
// message to people and may be nil.
func (d *ChangesData) Changes(set *ruleset.Set, live *files.Live, tell func(scan.Notice)) *Changes {
	return &Changes{
		Rules: set, Resources: live, Around: Folder{live}, Blobs: d.Blobs, Ledger: d.Ledger, Approvals: d.Approvals, Leases: d.db,
		Channel: &changeNotices{path: filepath.Join(d.dir, noticesFile), tell: tell},
	}
}

// Dry are changes of the resources of a folder that nothing is kept of: they
// can be planned, and no more.
func Dry(set *ruleset.Set, live *files.Live) *Changes {
	return &Changes{Rules: set, Resources: live, Around: Folder{live}, Blobs: new(blob.Memory), Ledger: new(chain.Memory), Approvals: new(approval.Memory)}
}

// changeNotices keeps each message to people in the data folder, and hands it on.
type changeNotices struct {
	path string
	tell func(scan.Notice)
	mu   sync.Mutex
}

// Send is notify.Channel's.
func (n *changeNotices) Send(_ context.Context, m scan.Notice) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(n.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Close()); err == nil && n.tell != nil {
		n.tell(m)
	}
	return err
}

// Folder is what stands around the resources of a folder: the others of the
// same stack, or those that no stack owns.
type Folder struct{ Live *files.Live }

// Around is change.Surroundings'.
func (f Folder) Around(_ context.Context, r finding.Resource) (*cfn.Model, error) {
	all, err := f.Live.All()
	if err != nil {
		return nil, err
	}
	m := &cfn.Model{}
	for _, x := range all {
		if x.Stack != r.Stack || x.Account != r.Account || x.Region != r.Region {
			continue
		}
		res, err := cfn.Live(x.Type, x.LogicalID, x.Model)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.File, err)
		}
		m.Resources = append(m.Resources, res)
	}
	return m, nil
}

// Updating is change.Surroundings'.
func (f Folder) Updating(_ context.Context, r finding.Resource) (string, error) {
	all, err := f.Live.All()
	if err != nil {
		return "", err
	}
	for _, x := range all {
		if r.Stack != "" && x.Stack == r.Stack && strings.HasSuffix(x.StackState, "_IN_PROGRESS") {
			return x.StackState, nil
		}
	}
	return "", nil
}
