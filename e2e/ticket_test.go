//go:build e2e

package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// TestTickets follows violations out of the account: each channel is told of
// the severities that it asked for and of no other, a ticket is made once and
// closed with its last violation, and a chat hears nothing twice.
func TestTickets(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Ticketed", flawed)
	at := time.Now().Truncate(time.Second)
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", at))
	// Severities by channel, whatever the words are.
	severities := func() map[string]string {
		out := map[string]string{}
		for channel, lines := range suite.people.taken("Ticketed") {
			for _, severity := range []string{"critical", "high", "medium", "low"} {
				for _, l := range lines {
					if strings.Contains(l, ": "+severity) || strings.Contains(l, `"severity":"`+severity+`"`) || strings.Contains(l, `"text":"`+severity+": ") {
						out[channel] += severity + " "
						break
					}
				}
			}
		}
		return out
	}
	want := map[string]string{"jira": "critical high ", "servicenow": "critical ", "slack": "critical high ", "hook": "critical high medium low "}
	until(t, 30*time.Second, func() error {
		if diff := cmp.Diff(want, severities()); diff != "" {
			return fmt.Errorf("who was told of which severities (-want +got):\n%s\n%v", diff, suite.people.taken("Ticketed"))
		}
		return nil
	})
	r.put(t, "Ticketed", closed)
	r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", at.Add(time.Minute)))
	until(t, 30*time.Second, func() error {
		taken := suite.people.taken("Ticketed")
		closed, open := 0, 0
		for _, l := range append(taken["jira"], taken["servicenow"]...) {
			if strings.HasPrefix(l, "done, ") || strings.HasPrefix(l, "state 6, ") {
				closed++
			} else {
				open++
			}
		}
		// The critical ones of both; what is high nobody has mended.
		if closed != 2 || open != 1 || len(taken["slack"]) != 2 {
			return fmt.Errorf("%d tickets are closed and %d open, want 2 and 1; the chat heard %d messages, want 2:\n%q", closed, open, len(taken["slack"]), taken)
		}
		return nil
	})
}

// TestReceiverDown: a receiver that is down for a while gets what it missed, once,
// and the others do not wait for it; what one will never take lies in the queue
// of dead letters.
func TestReceiverDown(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	down := suite.people.inject(t, &refusal{path: "hook", about: "Unheard", status: http.StatusServiceUnavailable, times: 3})
	never := suite.people.inject(t, &refusal{path: "slack", about: "Unheard", status: http.StatusNotFound, times: -1})
	id := r.put(t, "Unheard", flawed)
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", time.Now()))
	until(t, 60*time.Second, func() error {
		taken := suite.people.taken("Unheard")
		if len(taken["hook"]) < 4 || len(taken["jira"]) < 2 || len(taken["servicenow"]) < 1 {
			return fmt.Errorf("%d of 4 messages came after %d refusals, and tickets are %q, %q", len(taken["hook"]), down.met, taken["jira"], taken["servicenow"])
		}
		return nil
	})
	queue := r.physical(t, "PlumblineSuite", r.logical(t, "PlumblineSuite", "AWS::SQS::Queue", "Letters"))
	letters := map[string]bool{}
	until(t, 30*time.Second, func() error {
		out, err := r.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, VisibilityTimeout: 1})
		if err != nil {
			return err
		}
		for _, m := range out.Messages {
			letters[aws.ToString(m.Body)] = strings.Contains(aws.ToString(m.Body), "Unheard")
		}
		if never.met == 0 || !slices.Contains(slices.Collect(maps.Values(letters)), true) {
			return fmt.Errorf("the chat refused %d calls, and the dead letters are %v", never.met, letters)
		}
		return nil
	})
	if got := suite.people.taken("Unheard"); len(got["hook"]) != 4 || len(got["slack"]) > 0 {
		t.Errorf("%d messages came to the webhook, want 4 and none twice; the chat has %q", len(got["hook"]), got["slack"])
	}
}
