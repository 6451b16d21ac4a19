package engine_test

import (
	"context"
	"encoding/json"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/asl/engine"
)

// TestWaitingExecutionsAreSmall: what an execution holds while it waits for a
// token, history included, lets 100,000 of them wait in a gigabyte.
func TestWaitingExecutionsAreSmall(t *testing.T) {
	const n, most = 5_000, 10_000
	m := compile(t, approval)
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	fs := engine.Functions{"${AskArn}": func(context.Context, []byte) ([]byte, error) { return nil, nil }}
	e := engine.New(engine.Options{Clock: clock, Tasks: fs, Workers: 2, History: true})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range n {
		if _, err := e.Start(m, "", json.RawMessage(`{"findingId":"f-1","plan":{"hash":"0123456789abcdef"}}`)); err != nil {
			t.Fatal(err)
		}
	}
	e.Settle()
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n
	if waiting := len(e.Waiting()); waiting != n || each > most {
		t.Errorf("%d of %d wait, with %d bytes each, want at most %d", waiting, n, each, most)
	}
	t.Logf("%d bytes each", each)
}

// TestAMapGrowsInProportion: ten times the items take ten times the memory, and
// what is allocated by one does not depend on how many there are.
func TestAMapGrowsInProportion(t *testing.T) {
	for _, mode := range []string{"INLINE", "DISTRIBUTED"} {
		measure := func(n int) (allocs, bytes float64) {
			m, input := mapOf(t, mode, n)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			x, err := engine.Run(t.Context(), m, input, engine.Options{History: true})
			runtime.ReadMemStats(&after)
			if err != nil || x.Result().Status != engine.Succeeded {
				t.Fatal(err, x.Result())
			}
			return float64(after.Mallocs-before.Mallocs) / float64(n), float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
		}
		allocs, bytes := measure(2_000)
		moreAllocs, moreBytes := measure(20_000)
		if moreAllocs > 1.2*allocs || moreBytes > 1.2*bytes {
			t.Errorf("%s: an item of 2,000 takes %.1f allocations and %.0f bytes, one of 20,000 %.1f and %.0f", mode, allocs, bytes, moreAllocs, moreBytes)
		}
	}
}

// countingClock counts how often the engine moves it: a step of the loop each.
type countingClock struct {
	*engine.VirtualClock
	jumps atomic.Int64
}

func (c *countingClock) Jump() bool {
	c.jumps.Add(1)
	return c.VirtualClock.Jump()
}

// beating is a task that waits 72 hours for its token, whose worker says every
// few minutes that it is still there.
const (
	beating = `{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",
		"Parameters":{"FunctionName":"ask","Payload":{"token.$":"$$.Task.Token"}},"TimeoutSeconds":300000,"HeartbeatSeconds":300,"End":true}}}`
	beats = 1_000
)

// beat runs beating to its end and counts the steps of the clock.
func beat(tb testing.TB, m *engine.Machine, history bool) int {
	clock := &countingClock{VirtualClock: engine.NewVirtualClock(start)}
	var e *engine.Engine
	ask := func(_ context.Context, p []byte) ([]byte, error) {
		var in struct{ Token string }
		if err := json.Unmarshal(p, &in); err != nil {
			return nil, err
		}
		every := 72 * time.Hour / beats
		for i := 1; i < beats; i++ {
			clock.At(start.Add(time.Duration(i)*every), func() { _ = e.Heartbeat(in.Token) })
		}
		clock.At(start.Add(72*time.Hour), func() { _ = e.Succeed(in.Token, json.RawMessage(`"yes"`)) })
		return nil, nil
	}
	e = engine.New(engine.Options{Clock: clock, Tasks: engine.Functions{"ask": ask}, History: history})
	x, err := e.Start(m, "", nil)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := x.Wait(context.Background())
	if err != nil || r.Status != engine.Succeeded || x.Stopped().Sub(x.Started) != 72*time.Hour {
		tb.Fatal(err, r, x.Stopped())
	}
	return int(clock.jumps.Load())
}

// TestHeartbeatsCostAStepEach: 72 hours and 1,000 heartbeats are some 1,000 jumps
// of the clock, whatever the time between them.
func TestHeartbeatsCostAStepEach(t *testing.T) {
	if n := beat(t, compile(t, beating), true); n > 2*beats+10 {
		t.Errorf("%d jumps of the clock for %d heartbeats", n, beats)
	}
}

// BenchmarkHeartbeats is the same; the goal is under 50 ms.
func BenchmarkHeartbeats(b *testing.B) {
	m := compile(b, beating)
	for b.Loop() {
		beat(b, m, true)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/72h")
}
