package assess_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/scan"
	"plumbline/tasks/assess"
	"plumbline/tasks/persistfindings"
)

// TestFirstScansAtOnce: scans of one stack that all look before any of them
// writes leave one row a violation, and the next scan resolves it.
func TestFirstScansAtOnce(t *testing.T) {
	const scans = 6
	ctx, blobs, table := t.Context(), new(blob.Memory), new(memory.Findings)
	put := func(key string, v any) blob.Ref {
		ref, err := blobs.Put(ctx, key, v)
		if err != nil {
			t.Error(err)
		}
		return ref
	}
	found := []finding.Finding{violation("r1", "Cards", finding.High, 3), violation("r2", "Cards", finding.Low, 3), violation("r1", "Logs", finding.Low, 4)}
	run := func(id string, at time.Time, found []finding.Finding, meet func()) {
		in := assess.In{ScanID: id, Started: at, Snapshot: put(id+"/snapshot", &scan.Snapshot{Target: target, Source: []byte(source)})}
		for _, d := range finding.Domains {
			v := &scan.Verdicts{Domain: d, Counts: finding.Counts{}}
			if d == finding.Protection {
				v.Findings = found
			}
			ref := put(id+"/"+string(d), v)
			in.RuleSets = append(in.RuleSets, assess.Branch{Domain: d, Verdicts: &ref})
		}
		out, err := assess.New(blobs, assess.Options{Known: table}).Handle(ctx, in)
		if err != nil {
			t.Error(err)
		}
		meet()
		if _, err := persistfindings.New(table, blobs).Handle(ctx, persistfindings.In{Changes: out.Changes}); err != nil {
			t.Error(err)
		}
	}
	var looked, ended sync.WaitGroup
	looked.Add(scans)
	for n := range scans {
		ended.Go(func() {
			run(fmt.Sprint("s", n), day1.Add(time.Duration(n)*time.Second), found, func() { looked.Done(); looked.Wait() })
		})
	}
	ended.Wait()
	rows := func() (n, active int) {
		for r, err := range table.OfStack(ctx, "P") {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if r.State.Active() {
				active++
			}
		}
		return n, active
	}
	if n, active := rows(); n != len(found) || active != n {
		t.Errorf("%d rows of %d violations, %d are open", n, len(found), active)
	}
	run("later", day1.AddDate(0, 0, 1), nil, func() {})
	if n, active := rows(); n != len(found) || active != 0 {
		t.Errorf("all are mended: %d rows, %d are open", n, active)
	}
}

// TestTwoRowsOfOneLife: what double rows there are is ended by the next scan,
// which keeps the day on which the violation was first seen.
func TestTwoRowsOfOneLife(t *testing.T) {
	b := newBench(t)
	row := func(days int) finding.Record {
		at := day1.AddDate(0, 0, -days)
		return finding.Record{Finding: violation("r1", "Cards", finding.High, 3), State: finding.Open, FirstSeen: at, LastSeen: at.AddDate(0, 0, 1)}
	}
	if err := b.table.Put(t.Context(), []finding.Record{row(9), row(10)}); err != nil {
		t.Fatal(err)
	}
	out := b.scan(nil, violation("r1", "Cards", finding.High, 3))
	if out.New != 0 || out.Open != 1 || out.Resolved != 0 {
		t.Errorf("%+v", out)
	}
	for r, err := range b.table.Open(t.Context(), "") {
		if err != nil || !r.FirstSeen.Equal(row(10).FirstSeen) {
			t.Errorf("open since %v, %v", r.FirstSeen, err)
		}
	}
	if out := b.scan(nil); out.Resolved != 1 || out.Open != 0 {
		t.Errorf("mended: %+v", out)
	}
}
