package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/intake"
)

const stackID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/Payments/0a1b"

var now = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// starter records what was started, as JSON, each name once, as the service does.
type starter struct {
	started []string
	names   map[string]bool
	err     error
}

func (s *starter) Start(_ context.Context, workflow, name string, input any) error {
	if s.err != nil {
		return s.err
	}
	b, err := json.Marshal(input)
	if err != nil {
		return err
	}
	if s.names[name] {
		return nil
	}
	if s.names == nil {
		s.names = map[string]bool{}
	}
	s.names[name] = true
	s.started = append(s.started, workflow+" "+name+" "+string(b))
	return nil
}

type owners func(typ, id string) (string, error)

func (f owners) OwnerOf(_ context.Context, typ, id string) (scan.Owner, bool, error) {
	name, err := f(typ, id)
	return scan.Owner{Stack: name, LogicalID: "Cards"}, name != "", err
}

func stackEvent(status string) intake.In {
	return intake.In{
		ID: "e-1", Source: "aws.cloudformation", DetailType: "CloudFormation Stack Status Change", Time: now,
		Detail: json.RawMessage(`{"stack-id":"` + stackID + `","status-details":{"status":"` + status + `"}}`),
	}
}

func configEvent(typ, id, compliance string) intake.In {
	return intake.In{
		ID: "e-1", Source: "aws.config", DetailType: "Config Rules Compliance Change", Account: "111122223333", Region: "eu-west-1", Time: now,
		Detail: json.RawMessage(`{"resourceType":"` + typ + `","resourceId":"` + id + `","newEvaluationResult":{"complianceType":"` + compliance + `"}}`),
	}
}

func TestHandle(t *testing.T) {
	name := intake.Name("Payments", stackID, "e-1")
	scanned := `scan ` + name + ` {"scanId":"` + name + `","started":"2026-03-01T06:00:00Z","target":{"stack":"Payments","account":"111122223333","region":"eu-west-1"}}`
	byName := intake.Name("Payments", "Payments", "e-1")
	sweep := intake.Name("sweep", "", "e-1")
	owner := owners(func(typ, id string) (string, error) {
		switch id {
		case "cards":
			return "Payments", nil
		case "slow":
			return "", fmt.Errorf("rate exceeded: %w", finding.ErrThrottled)
		}
		return "", nil
	})
	for _, tc := range []struct {
		name    string
		in      intake.In
		owners  intake.Owners
		want    string // what was started
		reason  string
		errName string
		err     string
	}{
		{name: "a created stack", in: stackEvent("CREATE_COMPLETE"), want: scanned},
		{name: "an updated stack", in: stackEvent("UPDATE_COMPLETE"), want: scanned},
		{name: "a deleted stack", in: stackEvent("DELETE_COMPLETE"), want: scanned},
		{name: "a roll-back that failed", in: stackEvent("UPDATE_ROLLBACK_FAILED"), want: scanned},
		{name: "a change under way", in: stackEvent("UPDATE_IN_PROGRESS"), reason: `stack "Payments" is UPDATE_IN_PROGRESS: its change has not ended`},
		{name: "clean-up under way", in: stackEvent("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), reason: `has not ended`},
		{name: "no status", in: stackEvent(""), errName: catalog.BadInput, err: "has no status"},
		{
			name:    "not a stack's id",
			in:      intake.In{ID: "e", Source: "aws.cloudformation", DetailType: "CloudFormation Stack Status Change", Detail: json.RawMessage(`{"stack-id":"Payments"}`)},
			errName: catalog.BadInput, err: `stack id "Payments" is not arn:aws:cloudformation`,
		},
		{
			name:    "a detail of another shape",
			in:      intake.In{ID: "e", Source: "aws.cloudformation", DetailType: "CloudFormation Stack Status Change", Detail: json.RawMessage(`[]`)},
			errName: catalog.BadInput, err: "decode detail",
		},
		{name: "Config on a stack", in: configEvent("AWS::CloudFormation::Stack", stackID, "NON_COMPLIANT"), want: scanned},
		{
			name: "Config on a stack's resource", in: configEvent("AWS::S3::Bucket", "cards", "COMPLIANT"), owners: owner,
			want: `scan ` + byName + ` {"scanId":"` + byName + `","started":"2026-03-01T06:00:00Z","target":{"stack":"Payments","account":"111122223333","region":"eu-west-1"}}`,
		},
		{name: "Config on nobody's resource", in: configEvent("AWS::S3::Bucket", "mine", "NON_COMPLIANT"), owners: owner, reason: "belongs to no stack"},
		{name: "Config without a look-up", in: configEvent("AWS::S3::Bucket", "cards", "NON_COMPLIANT"), reason: "is not looked up"},
		{name: "Config takes it back", in: configEvent("AWS::S3::Bucket", "cards", "NOT_APPLICABLE"), owners: owner, reason: `is now "NOT_APPLICABLE"`},
		{name: "the look-up is throttled", in: configEvent("AWS::S3::Bucket", "slow", "NON_COMPLIANT"), owners: owner, errName: catalog.Throttled, err: "rate exceeded"},
		{name: "Config names nothing", in: configEvent("", "", "NON_COMPLIANT"), errName: catalog.BadInput, err: "names no resource"},
		{
			name: "the daily sweep", in: intake.In{ID: "e-1", Source: "aws.events", DetailType: "Scheduled Event"},
			want: `estate ` + sweep + ` {"scanId":"` + sweep + `","started":"2026-03-01T06:00:00Z"}`,
		},
		{name: "another event", in: intake.In{ID: "e", Source: "aws.ec2", DetailType: "EC2 Instance State-change Notification"}, errName: catalog.BadInput, err: "allowed are CloudFormation Stack Status Change"},
		{name: "no id", in: intake.In{}, errName: catalog.BadInput, err: "without an id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := new(starter)
			h := intake.New(new(memory.Events), s, tc.owners, intake.Config{Scan: "scan", Estate: "estate"}, func() time.Time { return now })
			out, err := h.Handle(t.Context(), tc.in)
			if tc.errName != "" {
				var named *tasks.Error
				if !errors.As(err, &named) || named.Name != tc.errName || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error = %v, want %s: …%s…", err, tc.errName, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, strings.Join(s.started, "\n")); diff != "" {
				t.Errorf("started (-want +got):\n%s", diff)
			}
			if out.Started != (tc.want != "") || !strings.Contains(out.Reason, tc.reason) || (out.Reason == "") != (tc.reason == "") {
				t.Errorf("answer = %+v, want the reason %q", out, tc.reason)
			}
		})
	}
}

func TestADuplicateStartsNothing(t *testing.T) {
	s := new(starter)
	h := intake.New(new(memory.Events), s, nil, intake.Config{}, func() time.Time { return now })
	for i := range 3 {
		out, err := h.Handle(t.Context(), stackEvent("CREATE_COMPLETE"))
		if err != nil {
			t.Fatal(err)
		}
		if out.Started != (i == 0) {
			t.Errorf("delivery %d: %+v", i+1, out)
		}
	}
	if len(s.started) != 1 {
		t.Errorf("started %d executions, want 1", len(s.started))
	}
}

func TestAnEventThatCouldNotBeStartedMayComeAgain(t *testing.T) {
	s := &starter{err: errors.New("state machine is deleting")}
	h := intake.New(new(memory.Events), s, nil, intake.Config{}, func() time.Time { return now })
	if _, err := h.Handle(t.Context(), stackEvent("CREATE_COMPLETE")); err == nil {
		t.Fatal("no error")
	}
	s.err = nil
	if out, err := h.Handle(t.Context(), stackEvent("CREATE_COMPLETE")); err != nil || !out.Started {
		t.Errorf("second delivery: %+v, %v", out, err)
	}
}

// stops is a store of events, and what starts executions, of a process that dies
// at its n-th call, before or after the call has done its work.
type stops struct {
	intake.Events
	intake.Starter
	at    int
	after bool
	calls int
}

var errDied = errors.New("the process died")

func (s *stops) step(work func() error) error {
	s.calls++
	if s.calls > s.at || s.calls == s.at && !s.after {
		return errDied
	}
	err := work()
	if s.calls == s.at {
		return errDied
	}
	return err
}

func (s *stops) Claim(ctx context.Context, id string, at time.Time) (first bool, err error) {
	err = s.step(func() error {
		first, err = s.Events.Claim(ctx, id, at)
		return err
	})
	return first, err
}

func (s *stops) Release(ctx context.Context, id string) error {
	return s.step(func() error { return s.Events.Release(ctx, id) })
}

func (s *stops) Start(ctx context.Context, workflow, name string, input any) error {
	return s.step(func() error { return s.Starter.Start(ctx, workflow, name, input) })
}

// TestNoEventIsLost: the process dies at any of its calls, the event comes again,
// and however often it has come, there is one execution.
func TestNoEventIsLost(t *testing.T) {
	now := func() time.Time { return now }
	for at := 1; at <= 3; at++ {
		for _, after := range []bool{false, true} {
			events, started := new(memory.Events), new(starter)
			dying := &stops{Events: events, Starter: started, at: at, after: after}
			_, first := intake.New(dying, dying, nil, intake.Config{}, now).Handle(t.Context(), stackEvent("CREATE_COMPLETE"))
			if at < 3 && first == nil {
				t.Fatalf("dies at call %d: it lives", at)
			}
			well := intake.New(events, started, nil, intake.Config{}, now)
			for range 2 {
				if _, err := well.Handle(t.Context(), stackEvent("CREATE_COMPLETE")); err != nil {
					t.Fatal(err)
				}
			}
			if len(started.started) != 1 {
				t.Errorf("dies at call %d, after it: %v: %d executions, want 1", at, after, len(started.started))
			}
		}
	}
}

func TestName(t *testing.T) {
	valid := regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	seen := map[string]bool{}
	for _, args := range [][3]string{{"Payments", stackID, "e"}, {"Payments", stackID, "f"}, {"Payments", stackID + "x", "e"}, {strings.Repeat("long", 40), "", ""}, {"", "", ""}, {"a/b ü", "", ""}} {
		n := intake.Name(args[0], args[1], args[2])
		if !valid.MatchString(n) || seen[n] {
			t.Errorf("Name(%q) = %q is not valid or stands for two", args, n)
		}
		seen[n] = true
	}
}

func TestConfigFromEnv(t *testing.T) {
	env := map[string]string{catalog.ScanVar: "arn:scan", catalog.EstateVar: "arn:estate", catalog.EventsVar: "events"}
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	got, err := intake.ConfigFromEnv(lookup)
	if err != nil || got != (intake.Config{Scan: "arn:scan", Estate: "arn:estate", Table: "events"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	delete(env, catalog.ScanVar)
	env[catalog.EstateVar] = ""
	if _, err := intake.ConfigFromEnv(lookup); err == nil || !strings.Contains(err.Error(), catalog.ScanVar) || !strings.Contains(err.Error(), catalog.EstateVar) {
		t.Errorf("both names are wanted in %v", err)
	}
}

// TestConfigEventChecksTheResource: beside the scan of its stack, or alone
// where no stack owns it, and once however often the event comes.
func TestConfigEventChecksTheResource(t *testing.T) {
	for name, tc := range map[string]struct {
		stack string
		event intake.In
		want  []string // workflows
	}{
		"owned by a stack": {"Shop", configEvent("AWS::SQS::Queue", "jobs", "NON_COMPLIANT"), []string{"arn:check", "arn:scan"}},
		"owned by none":    {"", configEvent("AWS::SQS::Queue", "jobs", "NON_COMPLIANT"), []string{"arn:check"}},
		"right again":      {"Shop", configEvent("AWS::SQS::Queue", "jobs", "COMPLIANT"), []string{"arn:scan"}},
		"not judged":       {"Shop", configEvent("AWS::SQS::Queue", "jobs", "NOT_APPLICABLE"), nil},
		"a stack":          {"", configEvent("AWS::CloudFormation::Stack", stackID, "NON_COMPLIANT"), []string{"arn:scan"}},
		"not AWS Config's": {"", stackEvent("CREATE_COMPLETE"), []string{"arn:scan"}},
	} {
		t.Run(name, func(t *testing.T) {
			started := new(starter)
			h := intake.New(new(memory.Events), started, owners(func(string, string) (string, error) { return tc.stack, nil }),
				intake.Config{Scan: "arn:scan", Estate: "arn:estate", Check: "arn:check"}, func() time.Time { return now })
			for range 2 {
				if _, err := h.Handle(t.Context(), tc.event); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, s := range started.started {
				workflow, _, _ := strings.Cut(s, " ")
				got = append(got, workflow)
				if workflow == "arn:check" && !strings.Contains(s, `"checkId":"e-1"`) {
					t.Errorf("the check is not named after the event: %s", s)
				}
				if workflow == "arn:check" && (tc.stack != "") != strings.Contains(s, `"Stack":"Shop","LogicalID":"Cards"`) {
					t.Errorf("the check of what %q owns is %s", tc.stack, s)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("started (-want +got)\n%s", diff)
			}
		})
	}
}
