package local

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/alert"
	"plumbline/cfn/source"
	"plumbline/scan"
)

// TestAChannelThatIsSetUpLater: from a data folder it gets what was told before
// it was there, in order and once, so that what is open has its ticket; a
// ticket's name is the same wherever its target is scanned.
func TestAChannelThatIsSetUpLater(t *testing.T) {
	data, now := t.TempDir(), clock()
	path := filepath.Join(t.TempDir(), "cards.yaml")
	run := func(template string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(template), 0o600); err != nil {
			t.Fatal(err)
		}
		mustScan(t, Options{Templates: []source.Template{{Path: path, Stack: "Cards"}}, Account: "111122223333", Region: "eu-west-1", Rules: open(t), Data: data, Now: now})
	}
	deliverTo := func(b *board, c alert.Channel) Delivered {
		t.Helper()
		out, err := Deliver(t.Context(), data, c, b, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	run(bad)
	run(bad) // nothing is new
	hand := &hands{begin}
	for _, kind := range []alert.Kind{alert.KindJira, alert.KindWebhook} {
		b, c := &board{clock: hand, up: begin.Add(-time.Hour), calls: -100}, alert.Channel{Name: "late-" + string(kind), Kind: kind}
		if out := deliverTo(b, c); out.Sent == 0 || out.Waiting+out.Refused > 0 {
			t.Errorf("%s: %+v", kind, out)
		}
		want := map[string]int{"Cards/Cards/s3-versioned": 1, "Cards/Jobs/sqs-encrypted": 1}
		if diff := cmp.Diff(want, b.told()); diff != "" {
			t.Errorf("%s: told (-want +got):\n%s", kind, diff)
		}
		for ticket := range b.shown {
			found := false
			for _, s := range severities {
				found = found || ticket == alert.Ticket(scan.Target{Stack: "Cards", Account: "111122223333", Region: "eu-west-1", Path: path}, s, "")
			}
			if !found {
				t.Errorf("%s: ticket %s is of no severity of the stack", kind, ticket)
			}
		}
		if out := deliverTo(b, c); out.Sent != 0 {
			t.Errorf("%s: what was delivered is delivered again: %+v", kind, out)
		}
	}
}
