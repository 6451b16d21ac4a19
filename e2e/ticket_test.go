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
					if strings.Contains(l, ": "+severity) || strings.Contains(l, `"severity":"`+severity+`"`) || strings.Contains(l, " "+severity+" ") {
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
