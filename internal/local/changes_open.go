package local

import (
	"context"
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
	"time"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/internal/sqlite"
	chain "plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks/readdecision"
	"plumbline/tasks/recordchange"
	"plumbline/tasks/selectreviews"
	"plumbline/tasks/settlefinding"
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

// Brake stops all changes of this folder, and lets them go on.
func (d *ChangesData) Brake() live.Brake { return d.db }

// accepted records that people have left the violation of a plan as it is, and
// writes it where the next scan of this folder reads it. The ledger decides
// whether they have.
func (d *ChangesData) accepted(ctx context.Context, plan string) error {
	result := change.Result{Outcome: change.Accepted}
	l := &chain.Ledger{Store: d.Ledger}
	decided, err := readdecision.New(l, d.Blobs, time.Now).Handle(ctx, readdecision.In{Plan: plan})
	if err != nil || decided.Outcome != change.Accepted {
		return err
	}
	result.Reason = decided.Reason
	if _, err := recordchange.New(l, d.Blobs).Handle(ctx, recordchange.In{Plan: plan, Result: result}); err != nil {
		return err
	}
	_, err = settlefinding.New(keptFindings{d.dir}, d.Ledger, d.Blobs, time.Now).Handle(ctx, settlefinding.In{Plan: plan, Result: result})
	return err
}

// keptFindings is the findings table of a data folder, opened for each use: a
// change takes longer than others should be kept from it.
type keptFindings struct{ dir string }

// OfStack is settlefinding.Table's.
func (k keptFindings) OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		path := filepath.Join(k.dir, databaseFile)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return // nothing was scanned yet
		}
		db, err := sqlite.Open(ctx, path)
		if err != nil {
			yield(finding.Record{}, err)
			return
		}
		more := true
		for r, err := range db.OfStack(ctx, stack) {
			if more = yield(r, err); !more {
				break
			}
		}
		if err := db.Close(); err != nil && more {
			yield(finding.Record{}, err)
		}
	}
}

// Put is settlefinding.Table's.
func (k keptFindings) Put(ctx context.Context, records []finding.Record) error {
	db, err := sqlite.Open(ctx, filepath.Join(k.dir, databaseFile))
	if err != nil {
		return err
	}
	return errors.Join(db.Put(ctx, records), db.Close())
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

// Desk is where people decide. No workflow waits in another process: what was
// approved goes on when it is run again, and what was accepted is settled here.
func (d *ChangesData) Desk() *approval.Desk {
	c := Changes{Ledger: d.Ledger, Approvals: d.Approvals}
	desk := c.Desk()
	desk.Callback = settling{d}
	return desk
}

// settling settles what people have accepted, in the place of a workflow that waits.
type settling struct{ d *ChangesData }

// Decided is approval.Callback's. Whose token it is does not matter: every
// acceptance is settled that has not been.
func (s settling) Decided(ctx context.Context, _ string) error {
	var plans []string
	for r, err := range s.d.Approvals.Open(ctx) {
		if err != nil {
			return err
		}
		if r.State == approval.Accepted {
			plans = append(plans, r.Plan)
		}
	}
	for _, plan := range plans {
		if err := s.d.accepted(ctx, plan); err != nil {
			return fmt.Errorf("the acceptance stands in the ledger, and the finding does not know of it: %w", err)
		}
	}
	return nil
}

// Changes are those of the resources of a folder, kept here; tell gets each
// message to people and may be nil.
func (d *ChangesData) Changes(set *ruleset.Set, resources Folder, tell func(scan.Notice)) *Changes {
	return &Changes{
		Rules: set, Resources: resources.Live, Around: resources, Blobs: d.Blobs, Ledger: d.Ledger, Approvals: d.Approvals, Leases: d.db,
		Findings: keptFindings{d.dir},
		Channel:  &changeNotices{path: filepath.Join(d.dir, noticesFile), tell: tell},
	}
}

// Dry are changes of the resources of a folder that nothing is kept of: they
// can be planned, and no more.
func Dry(set *ruleset.Set, resources Folder) *Changes {
	return &Changes{Rules: set, Resources: resources.Live, Around: resources, Blobs: new(blob.Memory), Ledger: new(chain.Memory), Approvals: new(approval.Memory)}
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
type Folder struct {
	Live *files.Live
	// Source is the template that its stacks were deployed from, with the values of
	// its parameters; nil: not known.
	Source *cfn.Template
	Inputs cfn.Inputs
}

// Template is change.Templates'.
func (f Folder) Template(_ context.Context, r finding.Resource) (*cfn.Template, cfn.Inputs, error) {
	if f.Source == nil || !slices.ContainsFunc(f.Source.Resources, func(x *cfn.Declared) bool { return x.LogicalID == r.LogicalID }) {
		return nil, cfn.Inputs{}, nil
	}
	in := f.Inputs
	in.Account, in.Region, in.Stack = r.Account, r.Region, r.Stack
	return f.Source, in, nil
}

// Locate finds the resource of a finding in a template: the one of its logical
// id and type, of the stack, account and region that the template says, where it
// says so. Of several, none is meant.
func (f Folder) Locate(_ context.Context, r finding.Resource) (l selectreviews.Live, known bool, err error) {
	all, err := f.Live.All()
	if err != nil {
		return l, false, err
	}
	same := func(want, have string) bool { return want == "" || want == have }
	for _, x := range all {
		if x.LogicalID != r.LogicalID || x.Type != r.Type || !same(r.Stack, x.Stack) || !same(r.Account, x.Account) || !same(r.Region, x.Region) {
			continue
		}
		if known {
			return selectreviews.Live{}, false, nil
		}
		known = true
		l = selectreviews.Live{Identifier: x.Identifier, Model: x.Model, Resource: finding.Resource{
			Account: x.Account, Region: x.Region, Stack: x.Stack, LogicalID: x.LogicalID, Type: x.Type, ConstructPath: r.ConstructPath,
		}}
	}
	return l, known, nil
}

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
