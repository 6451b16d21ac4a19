package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"plumbline/cfn"
	"plumbline/internal/files"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/remedy/change"
	"plumbline/scan"
)

// reviews begins what a scan asks for: the reviews of new violations whose
// resources are in a folder. They begin when the scan is kept.
type reviews struct {
	folder string
	live   *files.Live

	mu     sync.Mutex
	wanted []change.Request
}

// openReviews checks the flags; nil where no review is wanted.
func (f *scanFlags) openReviews() (*reviews, error) {
	switch {
	case f.liveDir == "" && !f.remediate:
		return nil, nil
	case f.liveDir == "" || !f.remediate:
		return nil, usagef("--remediate and --live DIR go together: the folder holds the resources that are changed")
	case f.data == "":
		return nil, usagef("--remediate needs --data DIR: what is new is told by the scan before, and changes, approvals and the ledger are kept there")
	case f.live.asked():
		return nil, usagef("--remediate changes the resources of a folder. those of an account are changed by the deployed workflows")
	}
	l, err := files.OpenLive(f.liveDir)
	if err != nil {
		return nil, usageError{fmt.Errorf("--live: %w", err)}
	}
	return &reviews{folder: f.liveDir, live: l}, nil
}

// add takes what a target's scan asks for; from any goroutine.
func (r *reviews) add(list []change.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = append(r.wanted, list...)
}

// options lets a scan look for the resources of its findings.
func (r *reviews) options(o *local.Options) {
	if r != nil {
		o.Reviews, o.Locate = r.add, local.Folder{Live: r.live}
	}
}

// begin runs the reviews, one after the other. What one comes to is a line on
// standard error, as the report is on standard output; one that fails does not
// keep the others.
func (r *reviews) begin(ctx context.Context, s *Streams, j *judge, data string, rep *scan.Report) (err error) {
	if r == nil || len(r.wanted) == 0 {
		return nil
	}
	d, err := local.OpenChangesData(ctx, data, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	folder := local.Folder{Live: r.live}
	if len(rep.Assessments) == 1 && rep.Assessments[0].Target.Path != "" {
		path := rep.Assessments[0].Target.Path
		if folder.Source, err = cfn.Parse(path, j.source(path)); err != nil {
			folder.Source = nil // the report says so
		}
		folder.Inputs = cfn.Inputs{Parameters: j.params}
	}
	changes := d.Changes(j.set, folder, nil)
	var errs []error
	for _, q := range r.wanted {
		end, err := changes.Review(ctx, q, nil)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			errs = append(errs, fmt.Errorf("review rule %s of %s: %w", q.Rule, q.Resource.LogicalID, err))
			continue
		}
		fmt.Fprintln(s.Err, report.Plain(fmt.Sprintf("plumbline: %s of %s: %s", q.Rule, q.Resource.LogicalID, reviewWords(end))))
	}
	return errors.Join(errs...)
}

// reviewWords say what a review has come to.
func reviewWords(end local.Ending) string {
	if end.Waiting && len(end.Plan) > 12 {
		return fmt.Sprintf("plan %s waits for approval. see \"plumbline approvals show %s --data DIR\"", end.Plan[:12], end.Plan[:12])
	}
	return endingWords(end, false)
}
