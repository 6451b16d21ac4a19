package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"plumbline/asl/engine"
)

func TestErrorMatching(t *testing.T) {
	task := func(catch string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","TimeoutSeconds":5,"Catch":[` + catch + `],"End":true},"Caught":{"Type":"Pass","End":true}}}`
	}
	on := func(names string) string { return `{"ErrorEquals":[` + names + `],"Next":"Caught"}` }
	boom, hang := &engine.Error{Name: "Boom", Cause: "why"}, &engine.Later{After: -1}
	tests := []struct {
		name, catch string
		fault       error
		want        string
	}{
		{"by name", on(`"X","Boom"`), boom, `{"Error":"Boom","Cause":"why"}`},
		{"all", on(`"States.ALL"`), boom, `{"Error":"Boom","Cause":"why"}`},
		{"task failed takes any name", on(`"States.TaskFailed"`), boom, `{"Error":"Boom","Cause":"why"}`},
		{"another name", on(`"Bang"`), boom, ``},
		{"time-out by name", on(`"States.Timeout"`), hang, `{"Error":"States.Timeout","Cause":""}`},
		{"time-out by all", on(`"States.ALL"`), hang, `{"Error":"States.Timeout","Cause":""}`},
		{"task failed leaves time-outs out", on(`"States.TaskFailed"`), hang, ``},
		{"a time-out is no missed heartbeat", on(`"States.HeartbeatTimeout"`), hang, ``},
		{"runtime is never caught", on(`"States.Runtime","States.ALL"`), &engine.Error{Name: "States.Runtime"}, ``},
		{"data limit by all", on(`"States.ALL","States.TaskFailed"`), &engine.Error{Name: "States.DataLimitExceeded"}, ``},
		{"any other error", on(`"States.TaskFailed"`), fmt.Errorf("plain: %w", context.Canceled), `{"Error":"States.TaskFailed","Cause":"plain: context canceled"}`},
		{"wrapped", on(`"Boom"`), fmt.Errorf("deep: %w", boom), `{"Error":"Boom","Cause":"why"}`},
		{"neither name nor cause", on(`"States.ALL"`), &engine.Error{}, `{"Error":null,"Cause":null}`},
		{"first that matches", `{"ErrorEquals":["Boom"],"ResultPath":"$.e","Assign":{"v.$":"$.Cause"},"Next":"Caught"},` + on(`"States.ALL"`), boom, `{"in":1,"e":{"Error":"Boom","Cause":"why"}}`},
		{"null result path", `{"ErrorEquals":["Boom"],"ResultPath":null,"Next":"Caught"}`, boom, `{"in":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := run(t, task(tt.catch), `{"in":1}`, engine.Options{Tasks: script{"A": {tt.fault}}})
			if d := cmp.Diff(tt.want, string(x.Result().Output)); d != "" {
				t.Errorf("%s (%v)", d, x.Result())
			}
			if tt.want == "" && x.Result().Status != engine.Failed {
				t.Error("it did not fail")
			}
		})
	}
}

func TestCatchThatFails(t *testing.T) {
	for _, c := range []string{`"ResultPath":"$.a.b"`, `"Assign":{"x.$":"$.nope"}`} {
		src := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Catch":[{"ErrorEquals":["States.ALL"],` + c + `,"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}}}`
		x := run(t, src, `{"a":5}`, engine.Options{Tasks: script{"A": {&engine.Error{Name: "Boom"}}}})
		if r := x.Result(); r.Status != engine.Failed || r.Error == "Boom" {
			t.Errorf("%s: %v", c, r)
		}
	}
}

// Retriers count for themselves, the first that matches decides, and when it
// is used up the error goes to Catch, not to the next retrier.
func TestRetriers(t *testing.T) {
	src := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Retry":[
		{"ErrorEquals":["One"],"IntervalSeconds":1,"MaxAttempts":1},
		{"ErrorEquals":["Two"],"IntervalSeconds":10,"MaxAttempts":2,"BackoffRate":3},
		{"ErrorEquals":["States.ALL"],"IntervalSeconds":100}],
		"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}}}`
	one, two := &engine.Error{Name: "One"}, &engine.Error{Name: "Two"}
	tests := []struct {
		name   string
		faults []any
		want   string
		after  time.Duration
	}{
		{"each its own", []any{one, two, two, `"ok"`}, `"ok"`, 41 * time.Second},
		{"used up", []any{one, two, one}, `{"Error":"One","Cause":null}`, 11 * time.Second},
		{"zero attempts left", []any{two, two, two}, `{"Error":"Two","Cause":null}`, 40 * time.Second},
		{"the last one takes the rest", []any{&engine.Error{Name: "X"}, `1`}, `1`, 100 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := run(t, src, `{}`, engine.Options{Tasks: script{"A": tt.faults}})
			if d := cmp.Diff(tt.want, string(x.Result().Output)); d != "" {
				t.Error(d)
			}
			if got := x.Stopped().Sub(x.Started); got != tt.after {
				t.Errorf("it took %s, want %s", got, tt.after)
			}
		})
	}
}

func TestRetryZero(t *testing.T) {
	src := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Retry":[{"ErrorEquals":["One"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}],"End":true}}}`
	x := run(t, src, `{}`, engine.Options{Tasks: script{"A": {&engine.Error{Name: "One"}, `1`}}})
	if r := x.Result(); r.Error != "One" {
		t.Errorf("%v", r)
	}
}

// The wait before each attempt lies within what the retrier says: exactly, or
// with full jitter from nothing up to it.
func TestRetrySchedule(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		interval := rapid.IntRange(1, 1000).Draw(rt, "interval")
		backoff := rapid.Float64Range(1, 4).Draw(rt, "backoff")
		most := rapid.IntRange(1, 8).Draw(rt, "attempts")
		limit := rapid.IntRange(0, 5000).Draw(rt, "max delay")
		full := rapid.Bool().Draw(rt, "full jitter")
		retry := map[string]any{"ErrorEquals": []string{"States.ALL"}, "IntervalSeconds": interval, "BackoffRate": backoff, "MaxAttempts": most}
		if limit > 0 {
			retry["MaxDelaySeconds"] = limit
		}
		if full {
			retry["JitterStrategy"] = "FULL"
		}
		b, _ := json.Marshal(retry)
		var times []time.Time
		clock := engine.NewVirtualClock(start)
		tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
			if c.Attempt != len(times) {
				rt.Fatalf("attempt %d is numbered %d", len(times), c.Attempt)
			}
			times = append(times, clock.Now())
			return nil, &engine.Error{Name: "Boom"}
		})
		x := run(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Retry":[`+string(b)+`],"End":true}}}`, `{}`,
			engine.Options{Tasks: tasks, Clock: clock, Seed: rapid.Uint64Min(1).Draw(rt, "seed")})
		if x.Result().Error != "Boom" || len(times) != most+1 {
			rt.Fatalf("%v after %d attempts, want %d", x.Result(), len(times), most+1)
		}
		for i := 1; i < len(times); i++ {
			want := float64(interval) * math.Pow(backoff, float64(i-1))
			if limit > 0 {
				want = min(want, float64(limit))
			}
			got := times[i].Sub(times[i-1]).Seconds()
			if got > want+1e-6 || !full && math.Abs(got-want) > 1e-6 {
				rt.Fatalf("retry %d after %g s, at most %g allowed", i, got, want)
			}
		}
	})
}
