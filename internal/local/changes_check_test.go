package local

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"plumbline/asl/asltest"
	"plumbline/asl/engine"
	chain "plumbline/ledger"
	"plumbline/scan"
	"plumbline/tasks/judgeresource"
)

// TestFaultsOfACheck: AWS Config wakes check-resource, which starts reviews,
// which start changes of one resource side by side: through every fault of any
// of them.
func TestFaultsOfACheck(t *testing.T) {
	lazily(t)
	in := judgeresource.In{CheckID: "event-1", Resource: queueRequest.Resource, Identifier: queueRequest.Identifier}
	asltest.Explore(t, asltest.Exploration{Depth: depth(), New: func(clock engine.Clock) asltest.World {
		a := newAccount(t, queueRequest, queueBefore, clock.Now)
		w, err := a.world("check-resource", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Input = []byte(text(in))
		w.Check = func(x *asltest.Trial) error {
			got, clean := x.Effects.(left), x.Clean.(left)
			var errs []error
			if got.broken != nil {
				errs = append(errs, got.broken)
			}
			if got.model != a.before && got.model != clean.model {
				errs = append(errs, fmt.Errorf("the resource is neither as before nor as after one application: %s", got.model))
			}
			if len(x.Plan) == 0 && (got.model == a.before || got.updates != 1) {
				errs = append(errs, fmt.Errorf("nothing goes wrong, and after %d updates it is %s", got.updates, got.model))
			}
			told := slices.ContainsFunc(got.notices, func(id string) bool {
				return strings.Contains(id, "/"+scan.NoticeChange+"/applied") || strings.Contains(id, "/"+scan.NoticeFailure+"/")
			})
			// Where even the report of a failure is lost, the executions that failed tell.
			failed := reporting(x.Plan) && slices.ContainsFunc(x.Executions, func(e *engine.Execution) bool { return e.Result().Status == engine.Failed })
			if got.model != clean.model && !told && !failed && !slices.ContainsFunc(got.notices, func(id string) bool { return strings.Contains(id, "/"+scan.NoticeChange+"/") }) {
				errs = append(errs, errors.New("the change was not made, and nobody was told"))
			}
			if got.updates > 0 && !told && !slices.ContainsFunc(got.notices, func(id string) bool { return strings.HasSuffix(id, "/undone") }) {
				errs = append(errs, errors.New("the change was made, and nobody was told"))
			}
			begun := map[string]int{}
			entries, err := a.entries()
			for _, e := range entries {
				if e.Kind == chain.Started {
					begun[e.Plan]++
				}
			}
			for plan, n := range begun {
				if n > 1 {
					errs = append(errs, fmt.Errorf("plan %s was begun %d times", plan, n))
				}
			}
			return errors.Join(append(errs, err)...)
		}
		return w
	}})
}
