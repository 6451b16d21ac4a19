package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/asl/asltest"
	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/memory"
	chain "plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/workflows"
)

// What is settled: a queue's encryption, live, and a security group's open port,
// which people approve since it cuts traffic off.
const (
	queueBefore = `{"QueueName":"jobs","SqsManagedSseEnabled":false}`
	groupBefore = `{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":3389,"ToPort":3389,"CidrIp":"0.0.0.0/0"}]}`
)

var (
	queueRequest = change.Request{Change: "change-1", Rule: "sqs-queue-encrypted", Identifier: "jobs", Requester: "ann",
		Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "s", LogicalID: "Jobs", Type: "AWS::SQS::Queue"}}
	groupRequest = change.Request{Change: "change-1", Rule: "ec2-security-group-open-rdp", Identifier: "sg-1", Requester: "ann",
		Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "s", LogicalID: "Group", Type: "AWS::EC2::SecurityGroup"}}
)

// alone is a resource with nothing around it, and the state of its stack.
type alone struct{ updating string }

func (alone) Around(context.Context, finding.Resource) (*cfn.Model, error) { return nil, nil }

func (a alone) Updating(context.Context, finding.Resource) (string, error) { return a.updating, nil }

// account is all that one change touches.
type account struct {
	Changes
	request   change.Request
	resources memory.Resources
	ledger    chain.Memory
	approvals approval.Memory
	leases    memory.Leases
	blobs     blob.Memory
	box       mailbox
	before    string
}

var openRules = sync.OnceValues(func() (*ruleset.Set, error) { return ruleset.Open(rules.FS, nil) })

func newAccount(t *testing.T, r change.Request, model string, now func() time.Time) *account {
	t.Helper()
	set, err := openRules()
	if err != nil {
		t.Fatal(err)
	}
	a := &account{request: r, before: model}
	a.resources.Put(r.Resource.Type, r.Identifier, []byte(model))
	a.Changes = Changes{Rules: set, Resources: &a.resources, Around: alone{}, Blobs: &a.blobs, Ledger: &a.ledger, Approvals: &a.approvals, Leases: &a.leases, Channel: &a.box, Now: now}
	return a
}

func (a *account) model() string {
	m, err := a.resources.Get(context.Background(), a.request.Resource.Type, a.request.Identifier)
	if err != nil {
		return err.Error()
	}
	return string(m)
}

// decide lets people decide on whatever waits.
func (a *account) decide(approve bool) {
	desk := a.Desk()
	for r, err := range a.approvals.Open(context.Background()) {
		if err == nil && r.State == approval.Waiting {
			_, _ = desk.DecideListed(context.Background(), r.ID, r.Plan, approval.Person{Name: "bob"}, approve, "seen") // who decided before is refused
		}
	}
}

// entries are what the ledger holds.
func (a *account) entries() (out []chain.Entry, err error) {
	for e, err := range a.ledger.Entries(context.Background(), 1) {
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// left is what a run left behind.
type left struct {
	model   string
	updates int
	notices []string
	failed  bool // report-failure keeps it
	end     *change.Note
	granted bool
	started bool
	broken  error // the chain of the ledger
}

func (a *account) effects() any {
	ctx := context.Background()
	l := left{model: a.model(), updates: len(a.resources.Updates())}
	entries, err := a.entries()
	l.broken = err
	for _, e := range entries {
		if e.Plan == "" {
			continue
		}
		s, err := change.Tell(ctx, &a.ledger, e.Plan)
		if err != nil {
			l.broken = err
			continue
		}
		l.started = l.started || s.Started
		if s.Ended != nil {
			l.end = s.Ended
		}
		l.granted, err = approval.Granted(ctx, &a.ledger, e.Plan, 1, a.request.Requester)
		l.broken = errors.Join(l.broken, err)
	}
	if _, err := chain.Verify(a.ledger.Entries(ctx, 1), nil); err != nil {
		l.broken = err
	}
	for id := range a.box.sent {
		l.notices = append(l.notices, id)
	}
	slices.Sort(l.notices)
	target := scan.Target{Stack: "s", Account: a.request.Resource.Account, Region: a.request.Resource.Region}
	if _, err := blob.Get[scan.Failure](ctx, &a.blobs, blob.Ref{Key: scan.FailureKey(a.request.Change, target)}); err == nil {
		l.failed = true
	}
	return l
}

func (a *account) world(file string, approve *bool, check func(*asltest.Trial, left) error) (asltest.World, error) {
	machines, err := compiled()
	if err != nil {
		return asltest.World{}, err
	}
	i := slices.IndexFunc(workflows.Remediation, func(m workflows.Machine) bool { return m.File == file })
	return asltest.World{
		Machine: machines[workflows.Remediation[i].Placeholder()], Input: []byte(text(a.request)), Tasks: a.Functions(), Machines: machines,
		Worker: func(engine.Call) asltest.Answer {
			if approve != nil {
				a.decide(*approve)
			}
			return asltest.Answer{After: time.Hour, Output: json.RawMessage("{}")}
		},
		Ended: func(x *engine.Execution) (*engine.Machine, json.RawMessage) {
			m, r := x.Machine(), x.Result()
			if m.Name == "ReportFailure" || r.Status != engine.TimedOut && r.Status != engine.Aborted {
				return nil, nil
			}
			return machines["${ReportFailureArn}"], []byte(text(map[string]any{"detail": scan.StatusChange{
				ExecutionArn: x.ARN, StateMachineArn: "arn:aws:states:us-east-1:123456789012:stateMachine:" + m.Name, Status: string(r.Status), Input: string(x.Input()),
			}}))
		},
		Effects: a.effects,
		Check:   func(t *asltest.Trial) error { return a.invariants(t, check) },
	}, nil
}

// invariants hold whatever goes wrong.
func (a *account) invariants(t *asltest.Trial, check func(*asltest.Trial, left) error) error {
	got, clean := t.Effects.(left), t.Clean.(left)
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if got.broken != nil {
		bad("the ledger does not hold: %w", got.broken)
	}
	changed := got.model != canonicalModel(a.before) && got.model != a.before
	partly := got.end != nil && got.end.Outcome == change.Partly
	if changed && clean.model != got.model && !partly {
		bad("the resource is neither as before nor as after one application: %s", got.model)
	}
	if got.updates > 2 {
		bad("%d updates: a change is made once, and taken back once", got.updates)
	}
	if got.updates > 0 && !got.started {
		bad("changed without an entry that it was started")
	}
	told := slices.ContainsFunc(got.notices, func(id string) bool {
		return strings.Contains(id, "/"+scan.NoticeChange+"/") || strings.Contains(id, "/"+scan.NoticeFailure+"/")
	})
	if changed && got.end == nil && !got.failed {
		bad("changed, and no record says how it ended")
	}
	if (changed || got.updates > 0) && !told {
		bad("something was made of it, and nobody was told")
	}
	switch r := t.Execution.Result(); r.Status {
	case engine.Succeeded, engine.Failed:
	default:
		bad("it ended as %s", r.Status)
	}
	if check != nil {
		errs = append(errs, check(t, got))
	}
	return errors.Join(errs...)
}

// canonicalModel is a model as the resources in memory write it.
func canonicalModel(src string) string {
	var v map[string]any
	if json.Unmarshal([]byte(src), &v) != nil {
		return src
	}
	return text(v)
}

func yes(b bool) *bool { return &b }

// explore runs remediate-finding through every fault, and through pairs.
func explore(t *testing.T, request change.Request, model string, approve *bool, prepare func(*account), check func(*account, *asltest.Trial, left) error) {
	lazily(t)
	depth := 1
	if allPairs() {
		depth = 2
	}
	asltest.Explore(t, asltest.Exploration{Depth: depth, New: func(clock engine.Clock) asltest.World {
		a := newAccount(t, request, model, clock.Now)
		if prepare != nil {
			prepare(a)
		}
		w, err := a.world("remediate-finding", approve, func(x *asltest.Trial, l left) error { return check(a, x, l) })
		if err != nil {
			t.Fatal(err)
		}
		return w
	}})
}

func TestFaultsOfALiveChange(t *testing.T) {
	explore(t, queueRequest, queueBefore, nil, nil, func(a *account, x *asltest.Trial, l left) error {
		if len(x.Plan) == 0 && (l.model == canonicalModel(a.before) || l.end == nil || l.end.Outcome != change.Applied) {
			return fmt.Errorf("nothing goes wrong, and it ended as %+v", l.end)
		}
		return nil
	})
}

func TestFaultsOfAnApprovedChange(t *testing.T) {
	explore(t, groupRequest, groupBefore, yes(true), nil, func(a *account, x *asltest.Trial, l left) error {
		switch {
		case l.started && !l.granted:
			return errors.New("started without an approval")
		case len(x.Plan) == 0 && (l.end == nil || l.end.Outcome != change.Applied):
			return fmt.Errorf("nothing goes wrong, and it ended as %+v", l.end)
		}
		return nil
	})
}

func TestFaultsOfADeniedChange(t *testing.T) {
	explore(t, groupRequest, groupBefore, yes(false), nil, neverMade)
}

func TestFaultsOfAnUndecidedChange(t *testing.T) {
	explore(t, groupRequest, groupBefore, nil, nil, neverMade)
}

func neverMade(a *account, _ *asltest.Trial, l left) error {
	if l.started || l.updates > 0 || l.model != a.before {
		return errors.New("made without an approval")
	}
	return nil
}

// TestFaultsOfAHalfDoneChange: the service fails half way, so what it made is
// taken back, or told as half done.
func TestFaultsOfAHalfDoneChange(t *testing.T) {
	explore(t, queueRequest, queueBefore, nil, func(a *account) { a.resources.Half = 1; a.resources.Delay = 1 }, func(a *account, _ *asltest.Trial, l left) error {
		if l.end != nil && l.end.Outcome == change.Applied {
			return errors.New("half done, and recorded as applied")
		}
		return nil
	})
}

// TestBrokenPromisesOfChangesAreFound: the invariants bite. Each case breaks
// what one task promises.
func TestBrokenPromisesOfChangesAreFound(t *testing.T) {
	lie := func(answer string) func(*account, engine.Functions, string) {
		return func(_ *account, fs engine.Functions, name string) {
			fs[name] = func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil }
		}
	}
	for name, tc := range map[string]struct {
		task    string
		approve *bool
		half    int
		wrong   func(a *account, fs engine.Functions, name string)
		want    string
	}{
		"an end that is not recorded": {"${RecordChangeArn}", yes(true), 0, lie("{}"), "no record says how it ended"},
		"an end that is not told":     {"${TellChangeArn}", yes(true), 0, lie(`{"sent":1}`), "nobody was told"},
		"an undo that does nothing":   {"${UndoChangeArn}", yes(true), 1, lie(`{"outcome":"undone","reason":"","proof":""}`), "neither as before nor as after"},
		"a change without an approval": {"${ApplyChangeArn}", yes(false), 0, func(a *account, fs engine.Functions, name string) {
			lie(`{"outcome":"granted","reason":"","proof":""}`)(a, fs, "${ReadDecisionArn}")
			fs[name] = func(context.Context, []byte) ([]byte, error) {
				a.resources.Put(a.request.Resource.Type, a.request.Identifier, []byte(`{"GroupDescription":"g","SecurityGroupIngress":[]}`))
				return []byte(`{"outcome":"applied","reason":"","proof":"","request":""}`), nil
			}
		}, "made without an approval"},
	} {
		t.Run(name, func(t *testing.T) {
			r := asltest.Exploration{Depth: 1, New: func(clock engine.Clock) asltest.World {
				a := newAccount(t, groupRequest, groupBefore, clock.Now)
				a.resources.Half = tc.half
				w, err := a.world("remediate-finding", tc.approve, func(x *asltest.Trial, l left) error {
					if !*tc.approve {
						return neverMade(a, x, l)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				fs := a.Functions()
				tc.wrong(a, fs, tc.task)
				w.Tasks = fs
				if tc.half > 0 { // what a run without faults leaves is no measure here
					w.Effects = func() any {
						l, _ := a.effects().(left)
						return l
					}
					check := w.Check
					w.Check = func(x *asltest.Trial) error {
						l, _ := x.Clean.(left)
						l.model = a.before
						x.Clean = l
						return check(x)
					}
				}
				return w
			}}.Walk(t.Context())
			for _, f := range r.Failures {
				if strings.Contains(f.Error(), tc.want) {
					return
				}
			}
			t.Errorf("%d schedules, and none shows it: %v", r.Schedules, r.Failures)
		})
	}
}

// TestCarryWaitsForPeople: a run ends where people have to decide, and another
// goes on from there.
func TestCarryWaitsForPeople(t *testing.T) {
	now := begin
	a := newAccount(t, groupRequest, groupBefore, func() time.Time { return now })
	ctx := t.Context()
	planned, err := a.Plan(ctx, groupRequest)
	if err != nil {
		t.Fatal(err)
	}
	r := change.Request{Change: groupRequest.Change, Plan: planned.Plan}
	for range 2 { // the second one asks nobody again
		end, err := a.Carry(ctx, r, nil)
		if err != nil || !end.Waiting || a.model() != groupBefore {
			t.Fatalf("%+v %v", end, err)
		}
	}
	if len(a.box.sent) != 1 {
		t.Errorf("%d messages", len(a.box.sent))
	}
	a.decide(true)
	end, err := a.Carry(ctx, r, nil)
	if err != nil || end.State != "ChangeDone" || end.Outcome != change.Applied {
		t.Fatalf("%+v %v", end, err)
	}
	if end, err = a.Carry(ctx, r, nil); err != nil || end.State != "UsedDone" {
		t.Errorf("carried out twice: %+v %v", end, err)
	}
	r.Undo = true
	if end, err = a.Carry(ctx, r, nil); err != nil || end.State != "UndoDone" || a.model() != canonicalModel(groupBefore) {
		t.Errorf("undo: %+v %v, %s", end, err, a.model())
	}
	if end, err = a.Carry(ctx, r, nil); err != nil || end.State != "UndoDone" {
		t.Errorf("undone twice: %+v %v", end, err)
	}
	if n := len(a.resources.Updates()); n != 2 {
		t.Errorf("%d updates", n)
	}
}

// TestEndsOfAChange: each way to end has a state of its own.
func TestEndsOfAChange(t *testing.T) {
	planned := func(t *testing.T, a *account) change.Request {
		t.Helper()
		out, err := a.Plan(t.Context(), a.request)
		if err != nil {
			t.Fatal(err)
		}
		return change.Request{Change: a.request.Change, Plan: out.Plan}
	}
	refuse := func(code string) func(*testing.T, *account) change.Request {
		return func(_ *testing.T, a *account) change.Request {
			a.resources.Refuse = func(string, string) (string, string) { return code, "no" }
			return a.request
		}
	}
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *account) change.Request
		want    string
	}{
		"gone before the plan": {func(_ *testing.T, a *account) change.Request {
			a.resources.Delete("AWS::SQS::Queue", "jobs")
			return a.request
		}, "GoneDone"},
		"gone after the plan": {func(t *testing.T, a *account) change.Request {
			r := planned(t, a)
			a.resources.Delete("AWS::SQS::Queue", "jobs")
			return r
		}, "GoneDone"},
		"right already": {func(_ *testing.T, a *account) change.Request {
			a.resources.Put("AWS::SQS::Queue", "jobs", []byte(`{"SqsManagedSseEnabled":true}`))
			return a.request
		}, "RightDone"},
		"right since the plan": {func(t *testing.T, a *account) change.Request {
			r := planned(t, a)
			a.resources.Put("AWS::SQS::Queue", "jobs", []byte(`{"SqsManagedSseEnabled":true}`))
			return r
		}, "RightDone"},
		"its stack in update": {func(_ *testing.T, a *account) change.Request {
			a.Around = alone{"UPDATE_IN_PROGRESS"}
			return a.request
		}, "StackBusyDone"},
		"stopped by a person": {func(t *testing.T, a *account) change.Request {
			if err := a.leases.Stop(t.Context(), live.Stop{By: "ann", Reason: "too much", At: begin}); err != nil {
				t.Fatal(err)
			}
			return a.request
		}, "StoppedDone"},
		"excluded by its tag since the plan": {func(t *testing.T, a *account) change.Request {
			r := planned(t, a)
			policy, err := ruleset.ReadPolicy("p.yaml", []byte(`remediation: {exclude: [{tags: [{key: remediation, value: "off"}], reason: they said so}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if a.Rules, err = ruleset.Open(rules.FS, policy); err != nil {
				t.Fatal(err)
			}
			a.resources.Put("AWS::SQS::Queue", "jobs", []byte(`{"QueueName":"jobs","SqsManagedSseEnabled":false,"Tags":[{"Key":"remediation","Value":"off"}]}`))
			return r
		}, "NeverDone"},
		"too many changes of the resource in a day": {func(t *testing.T, a *account) change.Request {
			r := planned(t, a)
			p, err := change.Load(t.Context(), a.Blobs, r.Plan)
			if err != nil {
				t.Fatal(err)
			}
			for i := range ruleset.DefaultPerResourcePerDay {
				if _, err := a.leases.Take(t.Context(), fmt.Sprintf("limit/day/%s/%d", p.ResourceKey(), i), fmt.Sprint("another ", i), a.now(), a.now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			return r
		}, "PostponedDone"},
		"not updatable": {refuse("NotUpdatable"), "RefusedFailed"},
		"access denied": {refuse("AccessDenied"), "RefusedFailed"},
		"half done and taken back": {func(_ *testing.T, a *account) change.Request {
			a.resources.Half = 1
			a.resources.Changed = func(string, string) { a.resources.Half = 0 }
			return a.request
		}, "UndoneFailed"},
		"half done": {func(_ *testing.T, a *account) change.Request {
			a.resources.Half = 1
			a.resources.Changed = func(string, string) {
				a.resources.Refuse = func(string, string) (string, string) { return "AccessDenied", "no" }
			}
			return a.request
		}, "HalfDoneFailed"},
		"a duplicate": {func(t *testing.T, a *account) change.Request {
			r := a.request
			if _, err := a.leases.Take(t.Context(), r.FindingKey(), "another", a.now(), a.now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			return r
		}, "DuplicateDone"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, queueRequest, queueBefore, nil)
			end, err := a.Carry(t.Context(), tc.prepare(t, a), nil)
			if err != nil || end.State != tc.want {
				t.Errorf("%+v %v, want %s", end, err, tc.want)
			}
		})
	}
}
