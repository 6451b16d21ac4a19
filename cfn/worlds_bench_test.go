package cfn

import (
	"syscall"
	"testing"
	"time"
)

// BenchmarkWorlds compares resolving with parsing the same templates: resolving
// must cost less than 40 % of it.
func BenchmarkWorlds(b *testing.B) {
	yamls, jsons := corpusFiles(b, "realworld-dev")
	var templates []*Template
	size := 0
	for _, sources := range []map[string][]byte{yamls, jsons} {
		for path, src := range sources {
			if t, err := Parse(path, src); err == nil {
				templates = append(templates, t)
				size += len(src)
			}
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	start := processorTime()
	for range 3 {
		for _, sources := range []map[string][]byte{yamls, jsons} {
			for path, src := range sources {
				_, _ = Parse(path, src)
			}
		}
	}
	parsing := (processorTime() - start) / 3
	worlds, runs := 0, 0
	start = processorTime()
	for b.Loop() {
		runs++
		worlds = 0
		for _, t := range templates {
			worlds += len(t.Worlds(Inputs{}))
		}
	}
	b.ReportMetric(float64(worlds), "worlds")
	b.ReportMetric(100*float64(processorTime()-start)/float64(runs)/float64(parsing), "%-of-parsing")
}

// processorTime is what the process has used, the collector's part included.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
