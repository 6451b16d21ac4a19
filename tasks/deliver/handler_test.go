package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/alert"
	"plumbline/scan"
	"plumbline/tasks/catalog"
	"plumbline/tasks/deliver"
)

var begin = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// world is the outside of one call: what each channel answers, by message, and
// what became of them.
type world struct {
	answers   map[string][]error // by message ID, in turn; then it is taken
	delivered []string
	parked    []alert.Delivery
	postponed []time.Duration
	waited    []time.Duration
	now       time.Time
}

func (w *world) Deliver(_ context.Context, n scan.Notice) error {
	if next := w.answers[n.ID]; len(next) > 0 {
		w.answers[n.ID] = next[1:]
		return next[0]
	}
	w.delivered = append(w.delivered, n.ID)
	return nil
}

func (w *world) Postpone(_ context.Context, _ string, d time.Duration) error {
	w.postponed = append(w.postponed, d)
	return nil
}

func (w *world) Park(_ context.Context, d alert.Delivery) error {
	w.parked = append(w.parked, d)
	return nil
}

func (w *world) handler() *deliver.Handler {
	w.now = begin
	return deliver.New(deliver.Options{
		Sender: func(_ context.Context, channel string) (deliver.Sender, error) {
			switch channel {
			case "locked":
				return nil, errors.New("the secret cannot be read")
			case "gone":
				return nil, &alert.RefusedError{Err: errors.New("not configured any more")}
			}
			return w, nil
		},
		Queue: w, Parking: w, Now: func() time.Time { return w.now },
		Wait: func(_ context.Context, d time.Duration) error {
			w.now = w.now.Add(d)
			w.waited = append(w.waited, d)
			return nil
		},
	})
}

func record(id, channel, group string) deliver.Record {
	b, _ := json.Marshal(alert.Delivery{Channel: channel, Notice: scan.Notice{ID: id}})
	r := deliver.Record{MessageID: "m-" + id, ReceiptHandle: "r-" + id, Body: string(b)}
	r.Attributes.Group = group
	return r
}

func later(after time.Duration) error {
	return &alert.LaterError{After: after, Err: errors.New("503")}
}

func TestHandle(t *testing.T) {
	refused := &alert.RefusedError{Err: errors.New("400")}
	all := func(err error) []error { return []error{err, err, err, err, err, err} }
	s := time.Second
	for name, tc := range map[string]struct {
		answers   map[string][]error
		records   []deliver.Record
		delivered []string
		kept      []string
		parked    int
		waited    []time.Duration
		postponed []time.Duration
	}{
		"in their order":                    {nil, []deliver.Record{record("a", "x", "1"), record("b", "x", "1")}, []string{"a", "b"}, nil, 0, nil, nil},
		"one more attempt, after a pause":   {map[string][]error{"a": {later(0)}}, []deliver.Record{record("a", "x", "1")}, []string{"a"}, nil, 0, []time.Duration{s}, nil},
		"longer pauses, then the queue's":   {map[string][]error{"a": all(later(0))}, []deliver.Record{record("a", "x", "1")}, nil, []string{"m-a"}, 0, []time.Duration{s, 2 * s, 4 * s}, nil},
		"as long as the receiver asks":      {map[string][]error{"a": {later(5 * s)}}, []deliver.Record{record("a", "x", "1")}, []string{"a"}, nil, 0, []time.Duration{5 * s}, nil},
		"an hour is the queue's to wait":    {map[string][]error{"a": {later(time.Hour)}}, []deliver.Record{record("a", "x", "1")}, nil, []string{"m-a"}, 0, nil, []time.Duration{time.Hour}},
		"those behind it wait too":          {map[string][]error{"a": all(later(time.Hour))}, []deliver.Record{record("a", "x", "1"), record("b", "x", "2"), record("c", "x", "1")}, []string{"b"}, []string{"m-a", "m-c"}, 0, nil, []time.Duration{time.Hour}},
		"refused for good is put aside":     {map[string][]error{"a": {refused}}, []deliver.Record{record("a", "x", "1"), record("b", "x", "1")}, []string{"b"}, nil, 1, nil, nil},
		"a channel that is gone":            {nil, []deliver.Record{record("a", "gone", "1")}, nil, nil, 1, nil, nil},
		"a secret that cannot be read":      {nil, []deliver.Record{record("a", "locked", "1")}, nil, []string{"m-a"}, 0, nil, nil},
		"what is no message":                {nil, []deliver.Record{{MessageID: "m-a", Body: "{"}, {MessageID: "m-b", Body: "{}"}}, nil, nil, 2, nil, nil},
		"an error that nobody has named":    {map[string][]error{"a": all(errors.New("odd"))}, []deliver.Record{record("a", "x", "1")}, nil, []string{"m-a"}, 0, nil, nil},
		"no message at all":                 {nil, nil, nil, nil, 0, nil, nil},
		"the third attempt finds it refuse": {map[string][]error{"a": {later(0), later(0), refused}}, []deliver.Record{record("a", "x", "1")}, nil, nil, 1, []time.Duration{s, 2 * s}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{answers: tc.answers}
			out, err := w.handler().Handle(t.Context(), deliver.In{Records: tc.records})
			if err != nil || out.Failures == nil { // Lambda takes null for a batch that failed whole
				t.Fatalf("%+v, %v", out, err)
			}
			var kept []string
			for _, f := range out.Failures {
				kept = append(kept, f.ID)
			}
			for what, diff := range map[string]string{
				"delivered": cmp.Diff(tc.delivered, w.delivered), "kept": cmp.Diff(tc.kept, kept),
				"waited": cmp.Diff(tc.waited, w.waited), "postponed": cmp.Diff(tc.postponed, w.postponed),
			} {
				if diff != "" {
					t.Errorf("%s (-want +got)\n%s", what, diff)
				}
			}
			if len(w.parked) != tc.parked {
				t.Errorf("%d messages are put aside, want %d", len(w.parked), tc.parked)
			}
			for _, d := range w.parked {
				if d.Reason == "" {
					t.Errorf("%+v is put aside without a reason", d)
				}
			}
		})
	}
}

// TestShortOfTime: an attempt that the function has no time for is the queue's.
func TestShortOfTime(t *testing.T) {
	w := &world{answers: map[string][]error{"a": {later(0)}}}
	h := w.handler()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer cancel()
	end, _ := ctx.Deadline()
	w.now = end.Add(-5 * time.Second)
	out, err := h.Handle(ctx, deliver.In{Records: []deliver.Record{record("a", "x", "1")}})
	if err != nil || len(out.Failures) != 1 || len(w.waited) != 0 {
		t.Errorf("%+v, %v, waited %v", out, err, w.waited)
	}
}

func TestConfig(t *testing.T) {
	env := map[string]string{catalog.QueueVar: "q", catalog.LettersVar: "l", catalog.ChannelsVar: `[{"name":"jira","kind":"jira"}]`, catalog.SecretsVar: `{"jira":"plumbline/jira"}`}
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	c, err := deliver.ConfigFromEnv(lookup)
	if err != nil || c.Channels[0].Kind != alert.KindJira || c.Secrets["jira"] != "plumbline/jira" {
		t.Errorf("%+v, %v", c, err)
	}
	for name := range env {
		old := env[name]
		for _, bad := range []string{"", "{"} {
			if bad != "" && (name == catalog.QueueVar || name == catalog.LettersVar) {
				continue
			}
			env[name] = bad
			if _, err := deliver.ConfigFromEnv(lookup); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%q: %v", name, bad, err)
			}
		}
		env[name] = old
	}
}
