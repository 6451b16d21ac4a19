package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/asl/asltest"
	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/selectreviews"
)

// answer is what people say when they are asked.
type answer string

const (
	approves answer = "approves"
	accepts  answer = "accepts"
	denies   answer = "denies"
	silent   answer = "nobody answers"
)

// say lets two people answer whatever waits.
func (a *account) say(how answer) {
	ctx, desk := context.Background(), a.Desk()
	for r, err := range a.approvals.Open(ctx) {
		if err != nil || r.State != approval.Waiting {
			continue
		}
		for _, name := range []string{"bob", "cleo"} { // who decided before, or too late, is refused
			who := approval.Person{Name: name}
			switch how {
			case approves:
				_, _ = desk.DecideListed(ctx, r.ID, r.Plan, who, true, "seen")
			case accepts:
				_, _ = desk.AcceptListed(ctx, r.ID, r.Plan, who, begin.AddDate(0, 2, 0), "an old group")
			case denies:
				_, _ = desk.DecideListed(ctx, r.ID, r.Plan, who, false, "not now")
			}
		}
	}
}

// depth is how many faults a plan has: pairs only where they are asked for.
func depth() int {
	if allPairs() {
		return 2
	}
	return 1
}

// TestFaultsOfAReview: review-violation and the change that it starts, through
// every fault of either, for each way in which people answer. Nobody is known to
// have asked for it, so two must agree.
func TestFaultsOfAReview(t *testing.T) {
	for _, how := range []answer{approves, accepts, denies, silent} {
		t.Run(string(how), func(t *testing.T) {
			lazily(t)
			request := groupRequest
			request.Requester = ""
			asltest.Explore(t, asltest.Exploration{Depth: depth(), New: func(clock engine.Clock) asltest.World {
				a := newAccount(t, request, groupBefore, clock.Now)
				var table memory.Findings
				row := finding.Record{
					Finding: finding.Finding{Rule: request.Rule, Severity: finding.Critical, Verdict: finding.Fail, Resource: request.Resource},
					State:   finding.New, FirstSeen: begin, LastSeen: begin,
				}
				if err := table.Put(t.Context(), []finding.Record{row}); err != nil {
					t.Fatal(err)
				}
				a.Findings = &table
				w, err := a.world("review-violation", nil, func(x *asltest.Trial, l left) error {
					return errors.Join(a.reviewed(x, l, how), a.rowHolds(x, &table, how))
				})
				if err != nil {
					t.Fatal(err)
				}
				w.Worker = func(engine.Call) asltest.Answer {
					a.say(how)
					if how == silent {
						return asltest.Answer{After: 40 * 24 * time.Hour, Output: json.RawMessage("{}")}
					}
					return asltest.Answer{After: time.Hour, Output: json.RawMessage("{}")}
				}
				return w
			}})
		})
	}
}

// reviewed holds a review to what people said.
func (a *account) reviewed(x *asltest.Trial, l left, how answer) error {
	var errs []error
	if how != approves && (l.started || l.updates > 0 || l.model != a.before) {
		errs = append(errs, errors.New("made without an approval"))
	}
	if l.started && !a.twoAgreed() {
		errs = append(errs, errors.New("started without two approvals"))
	}
	want := map[answer]change.Outcome{approves: change.Applied, accepts: change.Accepted, denies: change.Denied, silent: change.Expired}[how]
	if len(x.Plan) == 0 && (l.end == nil || l.end.Outcome != want) {
		errs = append(errs, fmt.Errorf("nothing goes wrong, and it ended as %+v, not as %s", l.end, want))
	}
	// Where even the report of a failure is lost, the execution that failed tells.
	if len(l.notices) == 0 && !l.failed && !(reporting(x.Plan) && x.Execution.Result().Status == engine.Failed) {
		errs = append(errs, errors.New("nobody was told of anything"))
	}
	return errors.Join(errs...)
}

func (a *account) twoAgreed() bool {
	entries, err := a.entries()
	if err != nil {
		return false
	}
	for _, e := range entries {
		if ok, err := approval.Granted(context.Background(), &a.ledger, e.Plan, 2, ""); e.Plan != "" && err == nil && ok {
			return true
		}
	}
	return false
}

// rowHolds holds the finding's row to the ledger: it is suppressed only where
// people have accepted, and where they have, it is, or that is reported.
func (a *account) rowHolds(x *asltest.Trial, table *memory.Findings, how answer) error {
	var errs []error
	for r, err := range table.OfStack(context.Background(), a.request.Resource.Stack) {
		if err != nil {
			return err
		}
		switch {
		case r.State == finding.Suppressed && how != accepts:
			errs = append(errs, errors.New("the finding is suppressed, and nobody has accepted it"))
		case r.State == finding.InRemediation && how != approves:
			errs = append(errs, errors.New("the finding is in remediation, and nothing was approved"))
		case r.State == finding.Suppressed && (r.Suppressed == nil || r.Suppressed.Approver != "bob, cleo" || r.Suppressed.Until == ""):
			errs = append(errs, fmt.Errorf("the finding is suppressed by %+v", r.Suppressed))
		case how == accepts && r.State != finding.Suppressed && x.Execution.Result().Status == engine.Succeeded && a.ended(change.Accepted):
			errs = append(errs, errors.New("it ended well as accepted, and the finding counts"))
		}
	}
	return errors.Join(errs...)
}

// ended reports whether the ledger has an end of this kind.
func (a *account) ended(o change.Outcome) bool {
	l, _ := a.effects().(left)
	return l.end != nil && l.end.Outcome == o
}

// TestFaultsOfAStop: all changes are stopped before each call of a
// change in turn, and before each with every fault. After that nothing more is
// asked of the service.
func TestFaultsOfAStop(t *testing.T) {
	lazily(t)
	for _, tc := range []struct {
		name string
		half int // operations after which the service fails; 0: it does not
	}{{"a change", 0}, {"a change that fails half way", 1}} {
		for at := range 16 {
			if tc.half > 0 && at > 12 || tc.half == 0 && at > 11 {
				break // it has no more calls
			}
			t.Run(fmt.Sprintf("%s, before call %d", tc.name, at+1), func(t *testing.T) {
				asltest.Explore(t, asltest.Exploration{Depth: 1, Skip: func(p asltest.Plan) bool { return !allPairs() && len(p) > 0 }, New: func(clock engine.Clock) asltest.World {
					a := newAccount(t, queueRequest, queueBefore, clock.Now)
					a.resources.Delay, a.resources.Half = 1, tc.half
					guarded := &guard{Resources: &a.resources, leases: &a.leases}
					a.Resources = guarded
					w, err := a.world("remediate-finding", nil, func(_ *asltest.Trial, l left) error {
						if guarded.late > 0 {
							return fmt.Errorf("%d requests after all changes were stopped", guarded.late)
						}
						if l.end != nil && l.end.Outcome == change.Stopped && l.model != a.before {
							return errors.New("it ended as stopped, and something was changed")
						}
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					calls := 0
					fs := a.Functions()
					for name, f := range fs {
						fs[name] = func(ctx context.Context, payload []byte) ([]byte, error) {
							if calls == at {
								_ = a.leases.Stop(ctx, live.Stop{By: "ann", Reason: "too much", At: clock.Now()})
							}
							calls++
							return f(ctx, payload)
						}
					}
					w.Tasks = fs
					check := w.Check
					w.Check = func(x *asltest.Trial) error {
						// What one application leaves is no measure where the first run stops as well.
						l, _ := x.Clean.(left)
						if l.model == a.before || l.model == canonicalModel(a.before) {
							l.model = `{"QueueName":"jobs","SqsManagedSseEnabled":true}`
						}
						x.Clean = l
						return check(x)
					}
					return w
				}})
			})
		}
	}
}

// guard counts what is asked of the service for the first time once all is stopped.
type guard struct {
	*memory.Resources
	leases *memory.Leases
	seen   []string
	late   int
}

func (g *guard) Update(ctx context.Context, typ, identifier string, patch []byte, token string) (live.Progress, error) {
	if s, err := g.leases.Stopped(ctx); err == nil && s != nil {
		g.late++
	}
	g.seen = append(g.seen, token)
	return g.Resources.Update(ctx, typ, identifier, patch, token)
}

// liveQueue finds the one resource that is deployed.
type liveQueue struct{ request change.Request }

func (l liveQueue) Locate(_ context.Context, r finding.Resource) (selectreviews.Live, bool, error) {
	if r.LogicalID != l.request.Resource.LogicalID {
		return selectreviews.Live{}, false, nil
	}
	return selectreviews.Live{Resource: l.request.Resource, Identifier: l.request.Identifier, Model: []byte(queueBefore)}, true, nil
}

// TestFaultsOfAScanThatReviews: scan-stack finds a violation, starts its review,
// which starts its change: through every fault of any of the three.
func TestFaultsOfAScanThatReviews(t *testing.T) {
	lazily(t)
	const template = "Resources:\n  Jobs:\n    Type: AWS::SQS::Queue\n    Properties: {SqsManagedSseEnabled: false}\n"
	set, err := openRules()
	if err != nil {
		t.Fatal(err)
	}
	list := []source.Template{{Path: "t.yaml", Source: []byte(template)}}
	// Pairs within the scan are TestFaultsOfAScan's, those within the review and the
	// change TestFaultsOfAReview's; here are those that strike on both sides.
	scanning := func(f asltest.Fault) bool { return f.Machine == "" || strings.HasPrefix(f.Machine, "ScanStack") }
	within := func(p asltest.Plan) bool {
		return len(p) > 1 && scanning(p[0]) == scanning(p[1]) && !slices.ContainsFunc(p, func(f asltest.Fault) bool {
			return f.State == "SelectReviews" || f.State == "ReviewViolation" || f.State == "ReportUnreviewed"
		})
	}
	asltest.Explore(t, asltest.Exploration{Depth: depth(), Skip: within, New: func(clock engine.Clock) asltest.World {
		s := newSuite(t, set, list, clock, nil)
		a := newAccount(t, queueRequest, queueBefore, clock.Now)
		a.Blobs, a.Channel, a.Findings = s.backends.blobs, &s.box, &s.table
		w := s.world("scan-stack", scanInput{"scan-1", begin, &scan.Target{Path: "t.yaml"}}, truthOfScan)
		fs := a.Functions()
		for name, f := range s.functions {
			fs[name] = f
		}
		fs["${SelectReviewsArn}"] = tasks.Of(selectreviews.New(s.backends.blobs, nil, liveQueue{queueRequest}, true).Handle)
		w.Tasks = fs
		w.Effects = func() any { return a.started(s) }
		w.Check = func(x *asltest.Trial) error { return a.scanned(x) }
		return w
	}})
}

// begun is what a scan with its reviews has left behind.
type begun struct {
	model     string
	updates   int
	started   int
	broken    error
	row       finding.State
	told      bool // of the change, of a failure, or of what was not judged
	failures  []string
	scanEnded bool
}

func (a *account) started(s *suite) begun {
	l, _ := a.effects().(left)
	out := begun{model: l.model, updates: l.updates, broken: l.broken}
	entries, _ := a.entries()
	for _, e := range entries {
		if e.Kind == "started" {
			out.started++
		}
	}
	for r, err := range s.table.OfStack(context.Background(), "t.yaml") {
		if err == nil && r.Rule == queueRequest.Rule {
			out.row = r.State
		}
	}
	for id := range s.box.sent {
		failure := strings.Contains(id, "/"+scan.NoticeFailure+"/")
		// A domain that was not judged has found nothing, and that is told as well.
		out.told = out.told || failure || strings.Contains(id, "/"+scan.NoticePartial+"/") || strings.Contains(id, "/"+scan.NoticeChange+"/")
		if failure {
			out.failures = append(out.failures, id)
		}
	}
	slices.Sort(out.failures)
	_, err := blob.Get[scan.Assessment](context.Background(), s.backends.blobs, blob.Ref{Key: scan.AssessmentKey("scan-1", s.targets()[1])})
	out.scanEnded = err == nil
	return out
}

// scanned holds a scan with its reviews to one change, of which people know.
func (a *account) scanned(x *asltest.Trial) error {
	got, clean := x.Effects.(begun), x.Clean.(begun)
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if got.broken != nil {
		bad("the ledger does not hold: %w", got.broken)
	}
	if len(x.Plan) == 0 && (got.model == a.before || got.updates != 1 || got.row != finding.InRemediation) {
		bad("nothing goes wrong, and after %d updates it is %s, its row %q", got.updates, got.model, got.row)
	}
	if got.model != a.before && got.model != canonicalModel(a.before) && got.model != clean.model {
		bad("the resource is neither as before nor as after one application: %s", got.model)
	}
	if got.started > 1 || got.updates > 2 {
		bad("begun %d times, with %d updates", got.started, got.updates)
	}
	// Where even the report of a failure is lost, the executions that failed tell,
	// and a scan that reviews nothing shows its findings as open.
	if got.model != clean.model && !got.told && !reporting(x.Plan) {
		bad("the change was not made, and nobody was told")
	}
	if got.updates > 0 && !got.told {
		bad("something was changed, and nobody was told")
	}
	if got.row == finding.InRemediation && got.model != clean.model {
		bad("the finding is in remediation, and nothing was changed")
	}
	r := x.Execution.Result()
	if r.Status == engine.Succeeded && !got.scanEnded {
		bad("the scan succeeded without an assessment")
	}
	return errors.Join(errs...)
}
