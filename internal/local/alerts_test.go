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

	"plumbline/alert"
	"plumbline/asl/asltest"
	"plumbline/asl/engine"
	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks/deliver"
)

// fifo is the queue of deliveries as SQS keeps it: what is put twice within
// five minutes is there once, and in a group nothing overtakes.
type fifo struct {
	kind    alert.Kind
	clock   func() time.Time
	records []deliver.Record
	put     map[string]time.Time
}

func (q *fifo) Send(_ context.Context, n scan.Notice) error {
	c := alert.Channel{Name: "tickets", Kind: q.kind}
	if !c.Takes(n) {
		return nil
	}
	if at, ok := q.put[n.ID]; ok && q.clock().Sub(at) < 5*time.Minute {
		return nil
	}
	if q.put == nil {
		q.put = map[string]time.Time{}
	}
	q.put[n.ID] = q.clock()
	d := alert.Delivery{Channel: c.Name, Notice: n}
	r := deliver.Record{MessageID: fmt.Sprint("m", len(q.records)), Body: text(d)}
	r.Attributes.Group = d.Order()
	q.records = append(q.records, r)
	return nil
}

// board is a ticketing system with what internal/webhook holds ticketing
// systems to: a message that comes again is not shown again. It is down until a
// time, and loses every third answer.
type board struct {
	clock   *hands
	up      time.Time
	calls   int
	shown   map[string][]scan.Notice // by ticket
	skipped int
}

func (b *board) Deliver(_ context.Context, n scan.Notice) error {
	if b.clock.Now().Before(b.up) {
		return &alert.LaterError{Err: errors.New("503")}
	}
	if b.shown == nil {
		b.shown = map[string][]scan.Notice{}
	}
	if slices.ContainsFunc(b.shown[n.Ticket], func(x scan.Notice) bool { return x.ID == n.ID }) {
		b.skipped++
		return nil
	}
	b.shown[n.Ticket] = append(b.shown[n.Ticket], n)
	if b.calls++; b.calls%3 == 0 {
		return &alert.LaterError{Err: errors.New("the answer is lost")}
	}
	return nil
}

// hands are a clock that is set by hand.
type hands struct{ now time.Time }

func (h *hands) Now() time.Time          { return h.now }
func (h *hands) Advance(d time.Duration) { h.now = h.now.Add(d) }

// drain delivers what is in the queue, as Lambda and SQS do: in batches of ten,
// and what is not taken comes again after two minutes. It returns how often.
func (q *fifo) drain(ctx context.Context, b *board) (rounds int, err error) {
	h := deliver.New(deliver.Options{
		Sender:  func(context.Context, string) (deliver.Sender, error) { return b, nil },
		Parking: nobody{}, Now: b.clock.Now,
		Wait: func(_ context.Context, d time.Duration) error { b.clock.Advance(d); return nil },
	})
	for left := q.records; len(left) > 0; rounds++ {
		if rounds > 1000 {
			return rounds, fmt.Errorf("%d messages are never taken", len(left))
		}
		var next []deliver.Record
		blocked := map[string]bool{}
		for chunk := range slices.Chunk(left, 10) {
			chunk = slices.DeleteFunc(slices.Clone(chunk), func(r deliver.Record) bool {
				if blocked[r.Attributes.Group] {
					next = append(next, r)
				}
				return blocked[r.Attributes.Group]
			})
			out, err := h.Handle(ctx, deliver.In{Records: chunk})
			if err != nil {
				return rounds, err
			}
			for _, r := range chunk {
				if slices.Contains(out.Failures, deliver.Failure{ID: r.MessageID}) {
					blocked[r.Attributes.Group] = true
					next = append(next, r)
				}
			}
		}
		left = next
		b.clock.Advance(2 * time.Minute)
	}
	return rounds, nil
}

type nobody struct{}

func (nobody) Park(context.Context, alert.Delivery) error {
	return errors.New("nothing is refused for good here")
}

// told counts how often the board shows each violation as new.
func (b *board) told() map[string]int {
	out := map[string]int{}
	for _, ns := range b.shown {
		for _, n := range ns {
			for _, it := range n.Items {
				out[it.Where+"/"+it.Resource+"/"+it.Rule]++
			}
		}
	}
	return out
}

// TestTicketsThroughFaults: scan-stack through every fault and pair, with the
// ticketing system down for an hour afterwards and losing answers: whatever the
// scan has put into the table as new is on a ticket once, unless the scan
// failed and said so.
func TestTicketsThroughFaults(t *testing.T) {
	lazily(t)
	rules, list, known := open(t), []source.Template{{Path: "t.yaml", Source: []byte(after)}}, seen(t, before)
	target := scan.Target{Path: "t.yaml"}
	asltest.Explore(t, asltest.Exploration{
		New: func(clock engine.Clock) asltest.World {
			s := newSuite(t, rules, list, clock, known)
			q := &fifo{kind: alert.KindJira, clock: clock.Now}
			s.backends.channel = q
			s.functions = s.register()
			w := s.world("scan-stack", scanInput{"scan-1", begin, &target}, nil)
			w.Ended, w.Effects = nil, nil
			w.Check = func(trial *asltest.Trial) error {
				later := &hands{clock.Now()}
				b := &board{clock: later, up: later.Now().Add(time.Hour)}
				if _, err := q.drain(t.Context(), b); err != nil {
					return err
				}
				told := b.told()
				for what, n := range told {
					if n != 1 {
						return fmt.Errorf("%s is told %d times", what, n)
					}
				}
				if trial.Execution.Result().Status != engine.Succeeded {
					return nil
				}
				return s.each(func(r row) error {
					if what := r.Where + "/" + r.Resource + "/" + r.Rule; r.New && told[what] != 1 {
						return fmt.Errorf("%s is new in the table and on no ticket", what)
					}
					return nil
				})
			}
			return w
		},
		Skip: func(p asltest.Plan) bool {
			return len(p) > 1 && !allPairs() && slices.ContainsFunc(p, func(f asltest.Fault) bool { return strings.HasPrefix(f.State, "Evaluate") })
		},
	})
}

// row is a row of the table as far as the test above looks at it.
type row struct {
	Where, Resource, Rule string
	New                   bool
}

// each calls f for the rows that the scan itself found.
func (s *suite) each(f func(row) error) error {
	for _, text := range s.rows() {
		var r struct {
			Rule     string
			State    string
			Resource struct{ LogicalID string }
			Place    struct{ Path string }
			LastSeen time.Time
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err
		}
		if err := f(row{r.Place.Path, r.Resource.LogicalID, r.Rule, r.State == "new" && r.LastSeen.Equal(begin)}); err != nil {
			return err
		}
	}
	return nil
}

// TestFiveThousandAtOnce: a hundred targets of fifty violations each, composed
// twice, delivered to a system that is down for an hour and loses answers: each
// violation is told once, and the messages of a ticket stay in their order.
func TestFiveThousandAtOnce(t *testing.T) {
	for _, kind := range []alert.Kind{alert.KindJira, alert.KindServiceNow, alert.KindWebhook} {
		t.Run(string(kind), func(t *testing.T) { fiveThousand(t, kind) })
	}
}

func fiveThousand(t *testing.T, kind alert.Kind) {
	t.Helper()
	clock := &hands{begin}
	q := &fifo{kind: kind, clock: clock.Now}
	b := &board{clock: clock, up: begin.Add(time.Hour)}
	for n := range 2 { // scans, of which the second ends what the first found
		at := begin.Add(time.Duration(n) * time.Hour)
		for i := range 100 {
			target := scan.Target{Path: fmt.Sprintf("t%d.yaml", i)}
			c := manyChanges(target, 50, at, n == 1)
			for range 2 { // the function was called twice
				for _, m := range alert.OfTarget(alert.Scanned{ID: fmt.Sprint("scan-", n), Target: target, Changes: c}, severities, severities, at) {
					if err := q.Send(t.Context(), m); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	rounds, err := q.drain(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	told := b.told()
	for what, n := range told {
		if n != 1 {
			t.Errorf("%s is told %d times", what, n)
		}
	}
	if len(told) != 5000 || len(b.shown) != 100 || b.skipped == 0 || rounds < 3 {
		t.Errorf("%d violations on %d tickets after %d rounds, %d repetitions", len(told), len(b.shown), rounds, b.skipped)
	}
	// All about one resource is of one ticket, so its order is kept as well.
	for ticket, ns := range b.shown {
		if len(ns) != 2 || ns[0].Kind != scan.NoticeFindings || ns[1].Kind != scan.NoticeUpdate || ns[1].Remaining != 0 {
			t.Errorf("ticket %s: %d messages", ticket, len(ns))
		}
	}
}

var severities = finding.Severities

// manyChanges are n violations of a target, new or ended.
func manyChanges(target scan.Target, n int, at time.Time, ended bool) *scan.Changes {
	c := &scan.Changes{}
	for i := range n {
		r := finding.Record{
			Finding: finding.Finding{Rule: "r", Severity: finding.High, Verdict: finding.Fail, Place: finding.Place{Path: target.Path, Line: i + 1}, Resource: finding.Resource{LogicalID: fmt.Sprint("B", i)}},
			State:   finding.New, FirstSeen: begin, LastSeen: at,
		}
		if ended {
			r.State = finding.Resolved
		}
		c.Records = append(c.Records, r)
	}
	return c
}
