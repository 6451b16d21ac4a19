//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

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

// TestReceiverDown: a receiver that is down for a while gets what it missed, in
// order and once; the others wait for nothing; what one will never take lies in
// the queue of dead letters.
func TestReceiverDown(t *testing.T) {
	t.Parallel()
	r := in(regions[1])
	down := suite.people.inject(t, &refusal{path: "hook", about: "Unheard", status: http.StatusServiceUnavailable, times: 3})
	id := r.put(t, "Unheard", flawed)
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", time.Now()))
	until(t, 60*time.Second, func() error {
		if n := len(suite.people.taken("Unheard")["hook"]); n < 4 {
			return fmt.Errorf("%d of 4 messages came, after %d refusals", n, down.met)
		}
		return nil
	})
}
