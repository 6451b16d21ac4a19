package local

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"plumbline/alert"
	"plumbline/scan"
)

// counting counts what it is sent.
type counting struct {
	mu  sync.Mutex
	ids map[string]int
}

func (c *counting) Deliver(_ context.Context, n scan.Notice) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids[n.ID]++
	return nil
}

func TestDeliverOnceAndPastATornLine(t *testing.T) {
	dir := t.TempDir()
	torn := `{"id":"cut o`
	if err := os.WriteFile(filepath.Join(dir, noticesFile), []byte(`{"id":"a","kind":"findings"}`+"\n"+torn), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := appendTo(filepath.Join(dir, noticesFile), []byte(`{"id":"b","kind":"findings"}`+"\n")); err != nil {
		t.Fatal(err)
	}
	to := &counting{ids: map[string]int{}}
	c := alert.Channel{Name: "w", Kind: alert.KindWebhook}
	for _, n := range []string{"a", "b"} {
		if !c.Takes(scan.Notice{ID: n, Kind: scan.NoticeFindings}) {
			t.Fatal("the channel takes no findings")
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := Deliver(t.Context(), dir, c, to, nil); err == nil || !strings.Contains(err.Error(), noticesFile+":2") {
				t.Errorf("the torn line is not told of: %v", err)
			}
		})
	}
	wg.Wait()
	if to.ids["a"] != 1 || to.ids["b"] != 1 {
		t.Errorf("sent %v, want each once", to.ids)
	}
}
