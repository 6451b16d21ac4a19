package asl_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// traced is a machine with a retry, a catch, a Parallel, Maps of both kinds and
// states that are never entered.
const traced = `{"StartAt":"Fetch","States":{
	"Fetch":{"Type":"Task","Resource":"fetch","Retry":[{"ErrorEquals":["Again"],"IntervalSeconds":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Lost"}],"Next":"All"},
	"All":{"Type":"Parallel","ResultPath":null,"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":null,"Next":"Each"}],"Next":"Each","Branches":[
		{"StartAt":"Left","States":{"Left":{"Type":"Task","Resource":"left","Catch":[{"ErrorEquals":["Soft"],"Next":"SetLeft"}],"End":true},"SetLeft":{"Type":"Pass","End":true}}},
		{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":60,"Next":"Right"},"Right":{"Type":"Pass","End":true}}}]},
	"Each":{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"ItemProcessor":{"StartAt":"One","States":{"One":{"Type":"Task","Resource":"one","Retry":[{"ErrorEquals":["Again"]}],"End":true}}},"ResultPath":null,"Next":"Many"},
	"Many":{"Type":"Map","ItemsPath":"$.items","ToleratedFailureCount":1,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
		"StartAt":"Child","States":{"Child":{"Type":"Task","Resource":"child","End":true}}},"ResultPath":null,"Next":"Again"},
	"Again":{"Type":"Choice","Choices":[{"Variable":"$.items[9]","IsPresent":true,"Next":"Fetch"}],"Default":"Done"},
	"Done":{"Type":"Succeed"},"Lost":{"Type":"Fail","Error":"Lost"}}}`

// run traces a run in which tasks answer with the errors listed, in order, and
// then well.
func run(t *testing.T, src string, answers map[string][]string, stop time.Duration) (*asl.Definition, *asl.Trace, engine.Result) {
	t.Helper()
	d, err := asl.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	trace := asl.NewTrace(d)
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		if list := answers[c.Resource]; len(list) > 0 {
			answers[c.Resource] = list[1:]
			if list[0] == "never" {
				return nil, &engine.Later{After: -1}
			}
			if list[0] != "" {
				return nil, &engine.Error{Name: list[0]}
			}
		}
		return c.Input, nil
	})
	clock := engine.NewVirtualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if stop > 0 {
		clock.Hold()
	}
	e := engine.New(engine.Options{Tasks: tasks, Clock: clock, Workers: 1, Watch: func(ev engine.Event) { trace.Add(ev.Trace()) }})
	x, err := e.Start(m, "", json.RawMessage(`{"items":[1,2,3]}`))
	if err != nil {
		t.Fatal(err)
	}
	if stop > 0 {
		e.Advance(stop)
	} else if _, err := x.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, trace, x.Result()
}

// told is what the trace says of each state that was entered.
func told(d *asl.Definition, trace *asl.Trace) map[string]string {
	out := map[string]string{}
	for _, s := range d.All() {
		n := trace.State(s.Name)
		if n.Entered == 0 {
			continue
		}
		text := string(n.Outcome())
		if n.Entered > 1 {
			text += fmt.Sprintf(" ×%d", n.Entered)
		}
		if n.Retries > 0 {
			text += fmt.Sprintf(" ↻%d", n.Retries)
		}
		if s.Type == "Map" {
			text += fmt.Sprintf(" %d/%d", n.ItemsSucceeded, n.Items)
			if n.ItemsFailed > 0 {
				text += fmt.Sprintf(" ✕%d", n.ItemsFailed)
			}
		}
		out[s.Name] = text
	}
	return out
}

func TestTrace(t *testing.T) {
	for name, tc := range map[string]struct {
		answers map[string][]string
		stop    time.Duration
		want    map[string]string
	}{
		"all goes well": {nil, 0, map[string]string{
			"Fetch": "succeeded", "All": "succeeded", "Left": "succeeded", "Wait": "succeeded", "Right": "succeeded",
			"Each": "succeeded 3/3", "One": "succeeded ×3", "Many": "succeeded 3/3", "Child": "succeeded ×3", "Again": "succeeded", "Done": "succeeded",
		}},
		"retries, a catch in a branch, a child that fails": {map[string][]string{"fetch": {"Again", "Again"}, "left": {"Soft"}, "one": {"", "Again"}, "child": {"Bad"}}, 0, map[string]string{
			"Fetch": "succeeded ↻2", "All": "succeeded", "Left": "caught", "SetLeft": "succeeded", "Wait": "succeeded", "Right": "succeeded",
			"Each": "succeeded 3/3", "One": "succeeded ×3 ↻1", "Many": "succeeded 2/3 ✕1", "Child": "failed ×3", "Again": "succeeded", "Done": "succeeded",
		}},
		"a branch fails the Parallel, which catches it": {map[string][]string{"left": {"Hard"}}, 0, map[string]string{
			"Fetch": "succeeded", "All": "caught", "Left": "failed", "Wait": "stopped",
			"Each": "succeeded 3/3", "One": "succeeded ×3", "Many": "succeeded 3/3", "Child": "succeeded ×3", "Again": "succeeded", "Done": "succeeded",
		}},
		"an iteration fails the execution": {map[string][]string{"one": {"", "Bad"}}, 0, map[string]string{
			"Fetch": "succeeded", "All": "succeeded", "Left": "succeeded", "Wait": "succeeded", "Right": "succeeded", "Each": "failed 1/3 ✕1", "One": "failed ×3",
		}},
		"too many children fail": {map[string][]string{"child": {"Bad", "Bad"}}, 0, map[string]string{
			"Fetch": "succeeded", "All": "succeeded", "Left": "succeeded", "Wait": "succeeded", "Right": "succeeded", "Each": "succeeded 3/3", "One": "succeeded ×3",
			"Many": "failed 0/3 ✕2", "Child": "failed ×3",
		}},
		"a catch that leads to a Fail": {map[string][]string{"fetch": {"Bad"}}, 0, map[string]string{"Fetch": "caught", "Lost": "failed"}},
		"still at work":                {map[string][]string{"left": {"never"}}, time.Second, map[string]string{"Fetch": "succeeded", "All": "running", "Left": "running", "Wait": "running"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, trace, r := run(t, traced, tc.answers, tc.stop)
			if diff := cmp.Diff(tc.want, told(d, trace)); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", r.Status, r.Error, diff)
			}
			wellFormed(t, d.Draw(asl.Drawing{Trace: trace}))
		})
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
	}
}

func TestDrawMarksAnExecution(t *testing.T) {
	d, trace, _ := run(t, traced, map[string][]string{"fetch": {"Again"}, "left": {"Soft"}, "child": {"Bad"}}, 0)
	svg := string(d.Draw(asl.Drawing{Title: "Run <1>", Trace: trace}))
	for _, want := range []string{
		`class="state task entered succeeded" data-state="Fetch"><title>succeeded, 1 retry</title>`,
		`class="state task entered caught" data-state="Left"`,
		`class="state fail" data-state="Lost"><title>not entered</title>`,
		`<title>succeeded, items 2/3, 1 failed</title>`, `<title>failed, entered 3 times, 2 succeeded, 1 failed</title>`,
		`>↻1</text>`, `>2/3, 1 failed</text>`, `>×3</text>`, `aria-label="Run &lt;1&gt;"`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("%s is missing", want)
		}
	}
	// Five starts; Fetch-All, All-Each, Each-Many, Many-Again, Again-Done, Left-SetLeft, Wait-Right.
	if n := strings.Count(svg, `walked"`); n != 12 {
		t.Errorf("%d ways are marked, want 12", n)
	}
	if n := strings.Count(svg, `edge catch walked"`); n != 1 {
		t.Errorf("%d catches are marked, want 1", n)
	}
	mermaid := d.DrawMermaid(asl.Drawing{Trace: trace})
	for _, want := range []string{`["✓ Fetch ↻1<br/>`, `["! Left<br/>`, `subgraph s7["✓ Each 3/3 · `, "classDef caught ", "classDef missed opacity:0.45", "linkStyle 0,1,"} {
		if !strings.Contains(mermaid, want) {
			t.Errorf("%s is missing in\n%s", want, mermaid)
		}
	}
	if strings.Contains(d.Mermaid(), "✓") {
		t.Error("a run is marked where none was given")
	}
}

// TestAParallelThatIsTriedAgain counts what its branches did in the attempt
// before as retries, not as failures.
func TestAParallelThatIsTriedAgain(t *testing.T) {
	d, trace, _ := run(t, `{"StartAt":"All","States":{"All":{"Type":"Parallel","Retry":[{"ErrorEquals":["States.ALL"]}],"End":true,"Branches":[
		{"StartAt":"Inner","States":{"Inner":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"Left","States":{"Left":{"Type":"Task","Resource":"left","End":true}}}]}}},
		{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":60,"End":true}}}]}}}`, map[string][]string{"left": {"Bad"}}, 0)
	want := map[string]string{"All": "succeeded ↻1", "Inner": "succeeded ↻1", "Left": "succeeded ↻1", "Wait": "succeeded ↻1"}
	if diff := cmp.Diff(want, told(d, trace)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestParseHistory: a history as the service prints it gives the same trace, in
// either order.
func TestParseHistory(t *testing.T) {
	d, err := asl.Parse([]byte(traced))
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		if c.Resource == "one" {
			return nil, &engine.Error{Name: "Bad"}
		}
		return c.Input, nil
	})
	x, err := engine.Run(t.Context(), m, json.RawMessage(`{"items":[1,2,3]}`), engine.Options{
		Tasks: tasks, History: true, Clock: engine.NewVirtualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	events := x.History()
	slices.Reverse(events)
	text, err := json.Marshal(map[string]any{"events": events})
	if err != nil {
		t.Fatal(err)
	}
	read, err := asl.ParseHistory(text)
	if err != nil {
		t.Fatal(err)
	}
	trace := asl.NewTrace(d)
	for _, e := range read {
		trace.Add(e)
	}
	if diff := cmp.Diff(told(d, x.Trace()), told(d, trace)); diff != "" {
		t.Errorf("(-engine +read):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Again", "Child", "Done", "Lost", "Many", "SetLeft"}, trace.Missed()); diff != "" {
		t.Errorf("not entered (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"{", "{}", `[]`, `{"events":[]}`} {
		if _, err := asl.ParseHistory([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func FuzzParseHistory(f *testing.F) {
	f.Add([]byte(`{"events":[{"id":1,"type":"ExecutionStarted"},{"id":2,"previousEventId":1,"type":"TaskStateEntered","stateEnteredEventDetails":{"name":"Fetch"}},{"id":3,"previousEventId":2,"type":"ParallelStateFailed"}]}`))
	d, err := asl.Parse([]byte(traced))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := asl.ParseHistory(text)
		if err != nil {
			return
		}
		trace := asl.NewTrace(d)
		for _, e := range events {
			trace.Add(e)
		}
		d.Draw(asl.Drawing{Trace: trace})
	})
}
