package asltest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
	"plumbline/asl/asltest"
	"plumbline/asl/engine"
)

func machine(name, text string) *engine.Machine {
	d, err := asl.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	m, err := engine.Compile(d)
	if err != nil {
		panic(err)
	}
	return m.As(engine.Identity{Name: name})
}

const charging = `{"StartAt":"Charge","States":{"Charge":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",
	"Parameters":{"FunctionName":"charge"},"TimeoutSeconds":30,"Retry":[{"ErrorEquals":["Lambda.TooManyRequestsException"]}],
	"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Failed"}],"End":true},"Failed":{"Type":"Fail","Error":"NotCharged"}}}`

// A workflow that charges a card, and what must hold of it: nobody pays twice.
func ExampleExploration_Walk() {
	r := asltest.Exploration{New: func(engine.Clock) asltest.World {
		charged := 0
		charge := func(_ context.Context, p []byte) ([]byte, error) { charged++; return p, nil }
		return asltest.World{Machine: machine("Pay", charging), Tasks: engine.Functions{"charge": charge},
			Check: func(*asltest.Trial) error {
				if charged > 1 {
					return fmt.Errorf("charged %d times", charged)
				}
				return nil
			}}
	}}.Walk(context.Background())
	fmt.Println(r.Schedules, "schedules,", len(r.Failures), "of them wrong, such as")
	fmt.Println(r.Failures[0])
	// Output:
	// 19 schedules, 4 of them wrong, such as
	// charged 2 times
	// seed 1, plan:
	// 	Charge attempt 0: crash Lambda.TooManyRequestsException
}

// shop is a world of named functions that note what they did.
type shop struct {
	did []string
}

func (s *shop) tasks() engine.Functions {
	do := func(name string) func(context.Context, []byte) ([]byte, error) {
		return func(context.Context, []byte) ([]byte, error) {
			s.did = append(s.did, name)
			return []byte(`{}`), nil
		}
	}
	return engine.Functions{"a": do("a"), "b": do("b"), "undo": do("undo"), "ask": do("ask")}
}

func task(function, rest string) string {
	return `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"` + function + `"},"ResultPath":null,` + rest + `}`
}

// TestEachFaultStrikesAsItSays runs single plans and looks at status, error and effects.
func TestEachFaultStrikesAsItSays(t *testing.T) {
	m := machine("Shop", `{"StartAt":"A","States":{"A":`+task("a", `"TimeoutSeconds":10,"Retry":[{"ErrorEquals":["Again"],"MaxAttempts":1},{"ErrorEquals":["Lambda.TooManyRequestsException"],"MaxAttempts":2}],"Next":"B"`)+
		`,"B":`+task("b", `"TimeoutSeconds":10,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Undo"}],"End":true`)+`,"Undo":`+task("undo", `"TimeoutSeconds":10,"End":true`)+`}}`)
	for _, tc := range []struct{ plan, status, did string }{
		{"", "SUCCEEDED", "a b"},
		{"A attempt 0: throttle", "SUCCEEDED", "a b"},
		{"A attempt 0: error Again; A attempt 1: crash Again", "FAILED Again", "a"},
		{"A attempt 0: crash Again", "SUCCEEDED", "a a b"},
		{"A attempt 0: timeout", "FAILED States.Timeout", ""},
		{"A attempt 0: duplicate", "SUCCEEDED", "a a b"},
		{"A attempt 0: slow 9s", "SUCCEEDED", "a b"},
		{"A attempt 0: slow 11s", "FAILED States.Timeout", "a"},
		{"B attempt 0: late 15s", "SUCCEEDED", "a undo b"},
		{"B attempt 0: error X; Undo attempt 0: error Y", "FAILED Y", "a"},
	} {
		plan, err := asltest.ParsePlan(tc.plan)
		if err != nil {
			t.Fatal(err)
		}
		var s *shop
		e := asltest.Exploration{New: func(engine.Clock) asltest.World {
			s = &shop{}
			return asltest.World{Machine: m, Tasks: s.tasks()}
		}}
		trial, err := e.Try(t.Context(), plan)
		if err != nil {
			t.Errorf("%q: %v", tc.plan, err)
			continue
		}
		r := trial.Execution.Result()
		if got := strings.TrimSpace(string(r.Status) + " " + r.Error); got != tc.status || strings.Join(s.did, " ") != tc.did {
			t.Errorf("%q: %s after %v, want %s after %s", tc.plan, got, s.did, tc.status, tc.did)
		}
	}
}

// TestTokens: what is lost between a state and the worker that has its token.
func TestTokens(t *testing.T) {
	m := machine("Ask", `{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",
		"Parameters":{"FunctionName":"ask"},"TimeoutSeconds":259200,"HeartbeatSeconds":600,"End":true}}}`)
	e := asltest.Exploration{New: func(engine.Clock) asltest.World {
		return asltest.World{Machine: m, Tasks: (&shop{}).tasks(), Worker: func(engine.Call) asltest.Answer {
			return asltest.Answer{After: 71 * time.Hour, Heartbeat: 5 * time.Minute, Output: json.RawMessage(`"yes"`)}
		}}
	}}
	for plan, want := range map[string]string{
		"":                                "SUCCEEDED",
		"Ask attempt 0: lost-heartbeat":   "FAILED States.Timeout",
		"Ask attempt 0: lost-callback":    "FAILED States.Timeout",
		"Ask attempt 0: slow 30m":         "SUCCEEDED",
		"Ask attempt 0: duplicate":        "SUCCEEDED",
		"Ask attempt 0: crash Gone":       "FAILED Gone",
		"Ask attempt 0: late 100h":        "FAILED States.Timeout",
		"Ask attempt 0: timeout":          "FAILED States.Timeout",
		"Ask attempt 0: throttle":         "FAILED Lambda.TooManyRequestsException",
		"Ask attempt 0: error a b c name": "FAILED a b c name",
	} {
		p, err := asltest.ParsePlan(plan)
		if err != nil {
			t.Fatal(err)
		}
		trial, err := e.Try(t.Context(), p)
		if err != nil {
			t.Errorf("%q: %v", plan, err)
			continue
		}
		r := trial.Execution.Result()
		if got := strings.TrimSpace(string(r.Status) + " " + r.Error); got != want {
			t.Errorf("%q: %s, want %s", plan, got, want)
		}
	}
}

// TestChildren: faults strike the start of another machine, and its own tasks.
func TestChildren(t *testing.T) {
	parent := machine("Parent", `{"StartAt":"Start","States":{"Start":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution",
		"Parameters":{"StateMachineArn":"child","Input":{}},"TimeoutSeconds":9,"Retry":[{"ErrorEquals":["StepFunctions.ThrottlingException"]}],"End":true}}}`)
	child := machine("Child", `{"StartAt":"A","States":{"A":`+task("a", `"TimeoutSeconds":9,"End":true`)+`}}`)
	for plan, want := range map[string]string{
		"":                            "SUCCEEDED, 1 of 1 children",
		"Start attempt 0: throttle":   "SUCCEEDED, 1 of 1 children",
		"Start attempt 0: crash Lost": "FAILED Lost, 1 of 1 children",
		"Start attempt 0: duplicate":  "SUCCEEDED, 2 of 2 children",
		"Start attempt 0: timeout":    "FAILED States.Timeout, 0 of 0 children",
		"Start attempt 0: slow 10s":   "FAILED States.Timeout, 1 of 1 children",
		"Child/A attempt 0: error No": "SUCCEEDED, 0 of 1 children",
	} {
		p, err := asltest.ParsePlan(plan)
		if err != nil {
			t.Fatal(err)
		}
		trial, err := asltest.Exploration{New: func(engine.Clock) asltest.World {
			return asltest.World{Machine: parent, Tasks: (&shop{}).tasks(), Machines: map[string]*engine.Machine{"child": child}}
		}}.Try(t.Context(), p)
		if err != nil {
			t.Errorf("%q: %v", plan, err)
			continue
		}
		well, all := 0, 0
		for _, x := range trial.Executions {
			if x.Machine().Name == "Child" {
				all++
				if x.Result().Status == engine.Succeeded {
					well++
				}
			}
		}
		r := trial.Execution.Result()
		if got := fmt.Sprintf("%s, %d of %d children", strings.TrimSpace(string(r.Status)+" "+r.Error), well, all); got != want {
			t.Errorf("%q: %s, want %s", plan, got, want)
		}
	}
}

// TestPairsReachWhatTheFirstFaultOpens: second attempts and what stands behind
// a Catch are explored, the same exploration gives the same report, and a plan
// that fails is not made longer.
func TestPairsReachWhatTheFirstFaultOpens(t *testing.T) {
	m := machine("Shop", `{"StartAt":"A","States":{"A":`+task("a", `"TimeoutSeconds":9,"Retry":[{"ErrorEquals":["Again"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Undo"}],"End":true`)+
		`,"Undo":`+task("undo", `"TimeoutSeconds":9,"End":true`)+`}}`)
	walk := func(wrong string) ([]string, asltest.Report) {
		seen := map[string]bool{}
		r := asltest.Exploration{Workers: 1, New: func(engine.Clock) asltest.World {
			return asltest.World{Machine: m, Tasks: (&shop{}).tasks(), Check: func(tr *asltest.Trial) error {
				plan := strings.ReplaceAll(tr.Plan.String(), "\n", "; ")
				seen[plan] = true
				if plan == wrong {
					return errors.New("wrong")
				}
				return nil
			}}
		}}.Walk(t.Context())
		var missing []string
		for _, p := range []string{"", "A attempt 0: error Again", "A attempt 0: error Again; A attempt 1: crash Again", "A attempt 0: timeout; Undo attempt 0: duplicate"} {
			if !seen[p] {
				missing = append(missing, p)
			}
		}
		if len(seen) != r.Schedules {
			t.Errorf("%d different plans in %d schedules", len(seen), r.Schedules)
		}
		return missing, r
	}
	missing, r := walk("none")
	if len(missing) > 0 || len(r.Failures) > 0 || r.Sites != 1 {
		t.Errorf("never run: %q; failures %v, %d sites", missing, r.Failures, r.Sites)
	}
	missing, again := walk("A attempt 0: error Again")
	if diff := cmp.Diff([]string{"A attempt 0: error Again; A attempt 1: crash Again"}, missing); diff != "" || len(again.Failures) != 1 || again.Schedules >= r.Schedules {
		t.Errorf("never run (-want +got):\n%s%v", diff, again.Failures)
	}
	if _, same := walk("none"); !cmp.Equal(r, same) {
		t.Errorf("the second time it is another exploration: %+v, %+v", r, same)
	}
}

// TestWhatNeverEndsIsAFailure names the state that waits.
func TestWhatNeverEndsIsAFailure(t *testing.T) {
	m := machine("Shop", `{"StartAt":"A","States":{"A":`+task("a", `"End":true`)+`}}`)
	r := asltest.Exploration{New: func(engine.Clock) asltest.World {
		return asltest.World{Machine: m, Tasks: (&shop{}).tasks()}
	}}.Walk(t.Context())
	if len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Error(), `state "A" of arn:aws:states:us-east-1:123456789012:execution:Shop:`) || !strings.Contains(r.Failures[0].Error(), "A attempt 0: timeout") {
		t.Errorf("%v", r.Failures)
	}
	e := asltest.Exploration{New: func(engine.Clock) asltest.World {
		return asltest.World{Machine: m, Tasks: (&shop{}).tasks()}
	}}
	if _, err := e.Try(t.Context(), asltest.Plan{{Site: asltest.Site{State: "B"}, Kind: asltest.TimeOut}}); err == nil || !strings.Contains(err.Error(), "A attempt 0") {
		t.Errorf("a fault without a call: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := e.Walk(ctx); len(r.Failures) == 0 {
		t.Error("a walk that was cancelled passes")
	}
}

func TestIterationsAreSites(t *testing.T) {
	m := machine("Each", `{"StartAt":"Each","States":{"Each":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{"A":`+
		task("a", `"TimeoutSeconds":9,"Retry":[{"ErrorEquals":["Again"]}],"End":true`)+`}},"End":true}}}`)
	trial, err := asltest.Exploration{New: func(engine.Clock) asltest.World {
		return asltest.World{Machine: m, Input: json.RawMessage(`[1,2]`), Tasks: (&shop{}).tasks()}
	}}.Try(t.Context(), asltest.Plan{{Site: asltest.Site{State: "A", Entry: 1}, Kind: asltest.NamedError, Error: "Again"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range trial.Sites {
		got = append(got, s.String())
	}
	if diff := cmp.Diff([]string{"A attempt 0", "A#1 attempt 0", "A#1 attempt 1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlansAreReadAsTheyAreWritten(t *testing.T) {
	for _, line := range []string{
		"Fetch attempt 0: throttle", "Fetch attempt 12: error Lambda.Unknown", "Fetch attempt 0: timeout",
		"ReportFailure/Notify Failure#3 attempt 1: crash My: error", "/a/b attempt 0: duplicate", "a#x#0 attempt 0: slow 1m11s",
		"A attempt 0: late 1s", "A attempt 0: lost-heartbeat", "A attempt 0: lost-callback",
	} {
		p, err := asltest.ParsePlan("\n" + line + "; \n" + line)
		if err != nil || p.String() != line+"\n"+line {
			t.Errorf("%q becomes %q: %v", line, p, err)
		}
	}
	for text, want := range map[string]string{
		"Fetch":                        "no attempt",
		"Fetch: throttle":              "no attempt",
		"Fetch attempt one: throttle":  "no attempt",
		" attempt 0: throttle":         "no attempt",
		"Fetch attempt 0: throtle":     "use throttle",
		"Fetch attempt 0: throttle 9s": "takes nothing",
		"Fetch attempt 0: error":       "needs the name",
		"Fetch attempt 0: slow":        "needs a duration",
		"Fetch attempt 0: late -1s":    "needs a duration",
	} {
		if _, err := asltest.ParsePlan(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…", text, err, want)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add("A attempt 0: slow 1m; B/C#2 attempt 1: crash X")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := asltest.ParsePlan(text)
		if err != nil {
			return
		}
		again, err := asltest.ParsePlan(p.String())
		if err != nil || !cmp.Equal(p, again) {
			t.Errorf("%q is read as %#v, written as %q and read as %#v, %v", text, p, p, again, err)
		}
	})
}
