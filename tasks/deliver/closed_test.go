package deliver_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"plumbline/alert"
	"plumbline/scan"
	"plumbline/tasks/deliver"
)

type closedSender struct{ calls int }

func (s *closedSender) Deliver(context.Context, scan.Notice) error {
	s.calls++
	return &alert.LaterError{Closed: true, Err: errors.New("401")}
}

// Credentials that are refused once are not tried with each message.
func TestChannelThatCloses(t *testing.T) {
	s := &closedSender{}
	h := deliver.New(deliver.Options{Sender: func(context.Context, string) (deliver.Sender, error) { return s, nil }})
	var in deliver.In
	for _, id := range []string{"a", "b", "c"} {
		d := alert.Delivery{Channel: "tickets", Notice: scan.Notice{ID: id, Kind: scan.NoticeFindings, Ticket: id}}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		r := deliver.Record{MessageID: id, Body: string(b)}
		r.Attributes.Group = d.Order()
		in.Records = append(in.Records, r)
	}
	out, err := h.Handle(t.Context(), in)
	if err != nil || s.calls != 1 || len(out.Failures) != 3 {
		t.Errorf("%d calls, %d stay, %v: want one call, and all three stay", s.calls, len(out.Failures), err)
	}
}
