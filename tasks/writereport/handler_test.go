package writereport_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/writereport"
)

var now = time.Date(2026, 3, 1, 6, 0, 5, 0, time.UTC)

func TestHandle(t *testing.T) {
	store := new(blob.Memory)
	assessment := &scan.Assessment{Target: scan.Target{Stack: "Payments"}, Counts: finding.Counts{"fail": 2}}
	ref, err := store.Put(t.Context(), "assessment", assessment)
	if err != nil {
		t.Fatal(err)
	}
	render := func(w io.Writer, format string, r *scan.Report) error {
		_, err := fmt.Fprintf(w, "%s %s %d failing, %s to %s", format, r.Assessments[0].Target, r.Counts["fail"], r.Provenance.Started.Format(time.TimeOnly), r.Provenance.Finished.Format(time.TimeOnly))
		return err
	}
	h := writereport.New(store, render, scan.Provenance{Tool: "plumbline"}, func() time.Time { return now })
	in := writereport.In{ScanID: "s1", Started: now.Add(-5 * time.Second), Assessment: ref}
	for range 2 { // called again it writes the same
		out, err := h.Handle(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(writereport.Out{Report: "reports/Payments/20260301T060000Z-s1"}, out); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for _, format := range scan.StoredFormats {
		got, err := blob.Get[blob.Raw](t.Context(), store, blob.Ref{Key: "reports/Payments/20260301T060000Z-s1/report." + format})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(format+" stack Payments 2 failing, 06:00:00 to 06:00:05", string(*got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

func TestNobodyRenders(t *testing.T) {
	out, err := writereport.New(new(blob.Memory), nil, scan.Provenance{}, nil).Handle(t.Context(), writereport.In{})
	if err != nil || out.Report != "" {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestErrors(t *testing.T) {
	store := new(blob.Memory)
	ref, err := store.Put(t.Context(), "assessment", &scan.Assessment{})
	if err != nil {
		t.Fatal(err)
	}
	broken := func(io.Writer, string, *scan.Report) error { return errors.New("template: no field") }
	h := writereport.New(store, broken, scan.Provenance{}, func() time.Time { return now })
	for want, in := range map[string]writereport.In{
		catalog.RenderFailed: {ScanID: "s1", Assessment: ref},
		catalog.ObjectLost:   {ScanID: "s1", Assessment: blob.Ref{Key: "nothing"}},
	} {
		_, err := h.Handle(t.Context(), in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
}
