package local

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"plumbline/cfn/source"
	"plumbline/internal/sharedtest"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/scan"
)

// processor reports the processor time of an iteration beside the wall clock's,
// which says little on a machine that others use too.
func processor(b *testing.B) func() {
	used := func() time.Duration {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric(float64(used()-start)/1e6/float64(b.N), "cpu-ms/op") }
}

// BenchmarkOrchestration scans one tiny template many times over: what it costs
// beyond load, resolve and judge is the workflow, the tasks and the stores.
func BenchmarkOrchestration(b *testing.B) {
	for _, n := range []int{1, 300} {
		b.Run(fmt.Sprintf("%d templates", n), func(b *testing.B) {
			list := make([]source.Template, n)
			for i := range list {
				list[i] = source.Template{Path: fmt.Sprintf("t%d.yaml", i), Source: []byte(bad)}
			}
			set := open(b)
			b.ReportAllocs()
			defer processor(b)()
			for b.Loop() {
				if _, err := Scan(b.Context(), Options{Templates: list, Rules: set}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkData is the same with findings, reports and messages kept.
func BenchmarkData(b *testing.B) {
	list := make([]source.Template, 300)
	for i := range list {
		list[i] = source.Template{Path: fmt.Sprintf("t%d.yaml", i), Source: []byte(bad)}
	}
	set, data := open(b), b.TempDir()
	defer processor(b)()
	for b.Loop() {
		if _, err := Scan(b.Context(), Options{Templates: list, Rules: set, Data: data, Render: render}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRealWorld scans the templates at hand with the built-in rules and
// reports each phase, summed over the workers.
func BenchmarkRealWorld(b *testing.B) {
	found, err := source.Find([]string{sharedtest.Dir(b, "corpus/realworld-dev")}, nil)
	if err != nil {
		b.Fatal(err)
	}
	phases := map[scan.Phase]*atomic.Int64{}
	for _, p := range []scan.Phase{scan.PhaseRead, scan.PhaseLoad, scan.PhaseResolve, scan.PhaseJudge} {
		phases[p] = new(atomic.Int64)
	}
	var whole time.Duration
	defer processor(b)()
	for b.Loop() {
		set, err := ruleset.Open(rules.FS, nil)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		_, err = Scan(b.Context(), Options{
			Templates: found.Templates, Rules: set, Workers: 1,
			Observe: func(p scan.Phase, d time.Duration) { phases[p].Add(int64(d)) },
		})
		if err != nil {
			b.Fatal(err)
		}
		whole += time.Since(start)
	}
	rest := whole
	for p, n := range phases {
		rest -= time.Duration(n.Load())
		b.ReportMetric(float64(n.Load())/1e6/float64(b.N), "ms-"+string(p))
	}
	b.ReportMetric(float64(rest)/1e6/float64(b.N), "ms-"+string(scan.PhaseOrchestrate))
}
