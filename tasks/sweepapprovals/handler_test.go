package sweepapprovals_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/sweepapprovals"
)

// world is a desk with its workflow and its people.
type world struct {
	desk  *approval.Desk
	blobs blob.Memory
	plan  string
	clock time.Time
	told  []string
	sent  []scan.Notice
	down  error
}

func (w *world) Decided(_ context.Context, token string) error {
	if w.down == nil {
		w.told = append(w.told, token)
	}
	return w.down
}

func (w *world) Send(_ context.Context, n scan.Notice) error {
	if w.down == nil {
		w.sent = append(w.sent, n)
	}
	return w.down
}

func (w *world) sweep() error {
	_, err := sweepapprovals.New(w.desk, &w.blobs, w, "https://approve.example/approvals", func() time.Time { return w.clock }).Handle(context.Background(), sweepapprovals.In{})
	return err
}

func newWorld(t *testing.T) (*world, string) {
	w := &world{clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.clock }
	w.desk = &approval.Desk{Store: &approval.Memory{}, Ledger: &ledger.Ledger{Store: &ledger.Memory{}, Now: now}, Callback: w, Now: now}
	resource := finding.Resource{Stack: "payments", LogicalID: "Cards", Type: "AWS::S3::Bucket", Account: "111122223333", Region: "eu-west-1"}
	var err error
	w.plan, err = change.Keep(t.Context(), &w.blobs, &change.Planned{Alias: "shop-production", Controls: []ruleset.Control{{Framework: "pci-dss-4.0.1", ID: "1.3.1"}}, Plan: remedy.Plan{
		Rule: "s3-bucket-public-access", Resource: resource, Diff: []string{"+ A: 1"}, Before: json.RawMessage(`{}`), After: json.RawMessage(`{}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.desk.Ask(t.Context(), approval.Request{
		Plan: w.plan, Rule: "s3-bucket-public-access", Severity: finding.High, Execution: "change-1", Requester: "ann", Groups: []string{"security"}, Resource: resource,
		Expires: w.clock.Add(72 * time.Hour), Token: "secret-token",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w, id
}

// TestReminders: one at half time, and none that was not sent.
func TestReminders(t *testing.T) {
	w, id := newWorld(t)
	for _, step := range []struct {
		after time.Duration
		down  error
		sent  int
	}{{35 * time.Hour, nil, 0}, {2 * time.Hour, errors.New("no route"), 0}, {time.Minute, nil, 1}, {time.Minute, nil, 1}, {40 * time.Hour, nil, 1}} {
		w.clock, w.down = w.clock.Add(step.after), step.down
		err := w.sweep()
		if step.down != nil {
			var named *tasks.Error
			if !errors.As(err, &named) || named.Name != catalog.ChannelFailed {
				t.Errorf("after %v: %v", step.after, err)
			}
		} else if err != nil {
			t.Errorf("after %v: %v", step.after, err)
		}
		if len(w.sent) != step.sent {
			t.Errorf("after %v: %d reminders, want %d", step.after, len(w.sent), step.sent)
		}
	}
	n := w.sent[0]
	for _, want := range []string{"s3-bucket-public-access", "Cards", "AWS::S3::Bucket", "payments", "shop-production (111122223333)", "pci-dss-4.0.1 1.3.1", "+ A: 1", "1 more must approve", "security", "2026-03-04T09:00:00Z", "https://approve.example/approvals\n"} {
		if !strings.Contains(n.Body, want) {
			t.Errorf("the reminder lacks %q:\n%s", want, n.Body)
		}
	}
	if strings.Contains(n.Body+n.Subject+n.ID, id) || strings.Contains(n.Body, "secret-token") {
		t.Error("the reminder has the id or the token")
	}
	// All of the time is over now: no, once.
	if diff := cmp.Diff([]string{"secret-token"}, w.told); diff != "" {
		t.Errorf("told (-want +got)\n%s", diff)
	}
	if r, err := w.desk.Show(t.Context(), id); err != nil || r.State != approval.Expired {
		t.Errorf("%s, %v", r.State, err)
	}
}

// TestALostCallback: what was decided and did not reach its workflow does now.
func TestALostCallback(t *testing.T) {
	w, id := newWorld(t)
	w.down = errors.New("no connection")
	if _, err := w.desk.Decide(t.Context(), id, w.plan, approval.Person{Name: "bob", Groups: []string{"security"}}, true, "seen"); err == nil {
		t.Fatal("the callback is not lost")
	}
	var named *tasks.Error
	if err := w.sweep(); !errors.As(err, &named) || named.Name != catalog.StoreFailed {
		t.Errorf("the workflow cannot be told: %v", err)
	}
	w.down = nil
	for range 2 {
		if err := w.sweep(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"secret-token"}, w.told); diff != "" {
		t.Errorf("told (-want +got)\n%s", diff)
	}
}

// TestAPlanThatIsLost is told once, and not asked for by each sweep.
func TestAPlanThatIsLost(t *testing.T) {
	w, _ := newWorld(t)
	w.blobs.Drop("changes")
	w.clock = w.clock.Add(40 * time.Hour)
	var named *tasks.Error
	if err := w.sweep(); !errors.As(err, &named) || named.Name != catalog.ObjectLost {
		t.Errorf("the plan is lost: %v", err)
	}
	if err := w.sweep(); err != nil || len(w.sent) != 0 {
		t.Errorf("the next sweep: %v, %d messages", err, len(w.sent))
	}
}
