package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/asl/value"
	"plumbline/internal/sharedtest"
)

// recorded is one case: what was sent to AWS and what came back.
type recorded struct {
	Name, Group string
	Definition  json.RawMessage
	Input       json.RawMessage
	Type, API   string
	Clock       string
	Mocks       map[string][]mockEntry
	Objects     []struct{ Bucket, Key, Body string } `json:"s3_objects"`
	Notes       []string
	Order       string
	Wildcards   []string
	Expect      struct {
		Status           string
		Output           json.RawMessage
		OutputContains   json.RawMessage `json:"output_contains"`
		OutputUnasserted bool            `json:"output_unasserted"`
		Error            *string
		Cause            json.RawMessage
		Events           []string
		EventsFull       []json.RawMessage `json:"events_full"`
		EventCount       *int              `json:"event_count"`
	}

	id   string
	lost string // an event type that the recording has lost, as listed
}

type mockEntry struct {
	Match  struct{ Parameters, Input json.RawMessage }
	Return json.RawMessage
	Throw  *struct {
		Error *string
		Cause json.RawMessage
	}
	Timeout   json.RawMessage
	Echo      bool
	Submitted json.RawMessage
	Heartbeat int `json:"heartbeatInSeconds"`
}

// levels in the order in which a case climbs them.
var levels = []string{"compile", "status", "error", "output", "cause", "events", "history"}

// TestConformance runs every recorded execution whose definition is in
// JSONPath, in process and on a virtual clock. testdata/expected-failures.yaml
// lists the cases that do not pass yet; one that passes and is listed fails too.
func TestConformance(t *testing.T) {
	cases := loadCases(t, sharedtest.Dir(t, "asl-cases"))
	known := expectedFailures(t)
	reached := map[string]int{}
	for _, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			want, listed := known[c.id]
			c.lost = want.Lost
			level, problem := c.check()
			for _, l := range levels {
				if l == level {
					break
				}
				reached[l]++
			}
			delete(known, c.id)
			switch {
			case level == "" && want.Lost != "" && want.Level == "":
			case level == "" && listed:
				t.Errorf("passes now: take it off expected-failures.yaml (%s)", want.Reason)
			case level != "" && !listed:
				t.Errorf("%s: %s: %s", c.Name, level, problem)
			case level != want.Level:
				t.Errorf("%s: fails at %s, listed is %s: %s", c.Name, level, want.Level, problem)
			}
		})
	}
	for _, l := range levels {
		t.Logf("%-8s %d of %d", l, reached[l], len(cases))
	}
	for id := range known {
		t.Errorf("expected-failures.yaml lists %s, which is not among the cases: take it off", id)
	}
}

// failure is what is known of a case: the level at which it fails, or, where it
// passes without them, the type of the events that its recording has lost.
type failure struct {
	Level, Lost, Reason string
}

func expectedFailures(t *testing.T) map[string]failure {
	b, err := os.ReadFile("testdata/expected-failures.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]failure{}
	if err := yaml.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

var outside = []string{"validation", "test-state", "variable-references"}

func loadCases(t *testing.T, dir string) []*recorded {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []*recorded
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := &recorded{}
		if err := json.Unmarshal(b, c); err != nil {
			continue // a note, not a case
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		c.id = name[strings.LastIndex(name, "--")+2:]
		execution := c.API == "" || c.API == "StartExecution" || c.API == "StartSyncExecution"
		if !execution || slices.Contains(outside, c.Group) || strings.Contains(string(c.Definition), "JSONata") ||
			c.Expect.Status == "EXCEPTION" || c.Expect.Status == "VALID" || c.Expect.Status == "INVALID" {
			continue
		}
		c.mend()
		cases = append(cases, c)
	}
	return cases
}

var maskedTimestamp = regexp.MustCompile(`format string: (?:\S+ == )?(.*)$`)

// mend repairs what the recording masked although the case tells it.
func (c *recorded) mend() {
	var cause string
	if json.Unmarshal(c.Expect.Cause, &cause) == nil && value.Equal(decode(c.Input), value.Of("TimestampValue", "timestamp")) {
		if m := maskedTimestamp.FindStringSubmatch(cause); m != nil {
			c.Input = value.Encode(value.Of("TimestampValue", m[1]))
		}
	}
}

func (c *recorded) has(note string) bool {
	return slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, note) })
}

// check runs the case. level is the first at which it fails, "" for none.
func (c *recorded) check() (level, problem string) {
	d, err := asl.Parse(bytes.ReplaceAll(c.Definition, []byte(`"activity_arn"`), []byte(`"`+activity+`"`)))
	if err != nil {
		return "compile", err.Error()
	}
	m, err := engine.Compile(d)
	if err != nil {
		return "compile", err.Error()
	}
	x, err := c.execute(m.As(engine.Identity{Name: "c-" + c.id, Express: c.Type == "EXPRESS"}))
	if err != nil {
		return "status", err.Error()
	}
	return c.compare(x)
}

const activity = "arn:aws:states:us-east-1:111111111111:activity:a"

func (c *recorded) execute(m *engine.Machine) (*engine.Execution, error) {
	from := start
	if t, err := time.Parse(time.RFC3339Nano, c.Clock); err == nil {
		from = t
	}
	clock := engine.NewVirtualClock(from)
	objects := &engine.MemoryObjects{}
	for _, o := range c.Objects {
		_ = objects.Put(context.Background(), o.Bucket, o.Key, []byte(o.Body))
	}
	mocks := &mocks{c: c, used: map[string][]bool{}}
	e := engine.New(engine.Options{Tasks: mocks, Objects: objects, Clock: clock, History: true, Account: "111111111111"})
	mocks.engine = e
	if c.Group == "activity" || c.has("StopExecution") {
		clock.Hold()
	}
	x, err := e.Start(m, "e", c.Input)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	switch {
	case c.Group == "activity":
		c.work(ctx, e, x)
	case c.has("StopExecution"):
		e.Settle()
		e.Stop(x.ARN, "", "")
	}
	_, err = x.Wait(ctx)
	return x, err
}

// work is the worker of an activity.
func (c *recorded) work(ctx context.Context, e *engine.Engine, x *engine.Execution) {
	e.Settle()
	worker := ""
	for _, raw := range c.Expect.EventsFull {
		v, _ := value.Decode(raw)
		if d, ok := v.(*value.Object).Get("activityStartedEventDetails"); ok {
			worker = d.(*value.Object).String("workerName")
		}
	}
	for _, entries := range c.Mocks {
		for _, m := range entries {
			task, err := e.Poll(ctx, activity, worker)
			if err != nil {
				return
			}
			switch {
			case m.Timeout != nil:
			case m.Throw != nil:
				_ = e.Fail(task.Token, *m.Throw.Error, causeText(m.Throw.Cause))
			default:
				if m.Heartbeat > 0 {
					_ = e.Heartbeat(task.Token)
				}
				_ = e.Succeed(task.Token, m.Return)
			}
			e.Settle()
		}
	}
	e.Advance(24 * time.Hour)
}

func causeText(raw json.RawMessage) string {
	if raw == nil || string(raw) == "null" {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	v, _ := value.Decode(raw)
	return value.Text(v)
}

func decode(raw json.RawMessage) any {
	v, _ := value.Decode(raw)
	return v
}

func (c *recorded) compare(x *engine.Execution) (level, problem string) {
	r, m := x.Result(), matcher{wildcards: c.Wildcards}
	e := &c.Expect
	got := fmt.Sprintf("%s %s %s", r.Status, r.Error, r.Cause)
	if e.Status != string(r.Status) {
		return "status", fmt.Sprintf("want %s, got %s", e.Status, got)
	}
	if e.Error != nil && !m.match(*e.Error, r.Error, false) {
		return "error", fmt.Sprintf("want %s, got %s", *e.Error, got)
	}
	var want json.RawMessage
	switch {
	case e.OutputContains != nil:
		if !m.match(decode(e.OutputContains), decode(r.Output), true) {
			want = e.OutputContains
		}
	case !e.OutputUnasserted && e.Status == "SUCCEEDED":
		if !m.match(decode(e.Output), decode(r.Output), false) {
			want = e.Output
		}
	}
	if want != nil {
		return "output", fmt.Sprintf("\nwant %.600s\ngot  %.600s", want, r.Output)
	}
	if e.Cause != nil && string(e.Cause) != "null" && !m.match(decode(e.Cause), r.Cause, false) {
		return "cause", fmt.Sprintf("\nwant %s\ngot  %s", e.Cause, r.Cause)
	}
	return c.compareHistory(x, m)
}

func (c *recorded) compareHistory(x *engine.Execution, m matcher) (level, problem string) {
	e, events := &c.Expect, x.History()
	if c.Type == "EXPRESS" || c.API == "StartSyncExecution" {
		return "", ""
	}
	if c.has("reverseOrder") {
		slices.Reverse(events)
	}
	types := make([]string, len(events))
	for i, ev := range events {
		types[i] = ev.Type
	}
	if e.EventCount != nil && len(events) != *e.EventCount {
		return "events", fmt.Sprintf("want %d events, got %d", *e.EventCount, len(events))
	}
	if e.Events != nil {
		a, b := slices.Clone(e.Events), slices.Clone(types)
		if c.lost != "" {
			if slices.Contains(a, c.lost) || !slices.Contains(b, c.lost) {
				return "events", fmt.Sprintf("%s is listed as lost, and is not", c.lost)
			}
			b = slices.DeleteFunc(b, func(t string) bool { return t == c.lost })
		}
		if c.Order == "unordered" {
			slices.Sort(a)
			slices.Sort(b)
		}
		if !slices.Equal(a, b) {
			return "events", fmt.Sprintf("\nwant %v\ngot  %v", e.Events, types)
		}
	}
	m.texts = true
	if c.Order == "unordered" {
		return c.compareBranches(events, m, c.lost)
	}
	for i, want := range e.EventsFull {
		if i >= len(events) {
			return "history", "too few events"
		}
		b, err := json.Marshal(events[i])
		if err != nil {
			return "history", err.Error()
		}
		b = bytes.ReplaceAll(b, []byte(activity), []byte("activity_arn"))
		if !m.match(decode(want), decode(b), true) {
			return "history", fmt.Sprintf("\nwant %.600s\ngot  %.600s", want, b)
		}
	}
	return "", ""
}
