package scan

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"plumbline/blob"
)

// Render writes a report in a format of internal/report.
type Render func(w io.Writer, format string, r *Report) error

// StoredFormats are the formats in which reports are kept: one for machines, one for people.
var StoredFormats = []string{"json", "html"}

// RenderError says that a report could not be written in a format.
type RenderError struct {
	Format string
	Err    error
}

func (e *RenderError) Error() string { return fmt.Sprintf("render report as %s: %v", e.Format, e.Err) }
func (e *RenderError) Unwrap() error { return e.Err }

// StoreReport renders r in each of StoredFormats and stores it in a folder of
// keys, as report.json and report.html. It returns a *RenderError, or the store's error.
func StoreReport(ctx context.Context, blobs blob.Store, render Render, folder string, r *Report) error {
	for _, format := range StoredFormats {
		if err := ctx.Err(); err != nil {
			return err
		}
		var failed error
		_, err := blob.Stream(ctx, blobs, folder+"/report."+format, func(w io.Writer) error {
			failed = render(w, format, r)
			return failed
		})
		switch {
		case err != nil && err == failed: //nolint:errorlint // the very error: one of the store's may wrap it
			return &RenderError{format, err}
		case err != nil:
			return fmt.Errorf("store report: %w", err)
		}
	}
	return nil
}

// stamp is how a time stands in a key: sorting keys sorts by time.
const stamp = "20060102T150405Z"

// ReportFolder is the folder of one scan's report of a target, or of all of them
// for the zero target. The templates of one cdk.out may deploy one name of a
// stack to several regions and accounts: theirs are told apart.
func ReportFolder(scanID string, started time.Time, t Target) string {
	where := t.Where()
	switch {
	case t == Target{}:
		where = "estate"
	case t.Path != "" && t.Stack != "":
		for _, part := range []string{t.Account, t.Region} {
			if part != "" {
				where += "-" + part
			}
		}
	}
	return ReportsPrefix + blob.Segment(where) + "/" + started.UTC().Format(stamp) + "-" + blob.Segment(scanID)
}

// SummaryKey is where the summary of a scan is kept.
func SummaryKey(scanID string, started time.Time) string {
	return ScansPrefix + started.UTC().Format(stamp) + "-" + blob.Segment(scanID) + ".json"
}

// SLAKey is where a report of terms is kept.
func SLAKey(id string, at time.Time) string {
	return SLAPrefix + at.UTC().Format(stamp) + "-" + blob.Segment(id) + ".json"
}

// CompareTargets orders targets by path, account, region and stack.
func CompareTargets(a, b Target) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Stack, b.Stack))
}
