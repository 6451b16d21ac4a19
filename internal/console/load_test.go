package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/finding"
	"plumbline/internal/sqlite"
)

// quietly asks for a page and returns its status.
func quietly(h http.Handler, path string) (int, int) {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.Len()
}

func TestAScanThatEndsIsShown(t *testing.T) {
	all := records(300)
	dir := folder(t, all[:100])
	s := serve(t, dir, nil)
	if _, body := get(t, s, "/findings?q=thing150"); !strings.Contains(body, "0 findings") {
		t.Fatal("it is shown before it was found")
	}
	db := database(t, dir)
	session, err := db.Begin(t.Context(), time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Put(t.Context(), all[100:]); err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, s, "/findings?q=thing150"); !strings.Contains(body, "0 findings") {
		t.Error("it is shown before the scan came to its end")
	}
	if err := session.Commit(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	// A page that the reading takes too long for shows what was there before, and says so.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, body := get(t, s, "/findings?q=thing150")
		if strings.Contains(body, "1 finding<") {
			break
		}
		if !strings.Contains(body, "A scan has just been kept") {
			t.Fatal("the page is old and does not say so")
		}
		if time.Now().After(deadline) {
			t.Fatal("it is never shown")
		}
	}
}

// asks are addresses as people follow them.
func someAddresses(all []finding.Record) []string {
	out := []string{"/", "/findings", "/rules", "/frameworks/pci-dss-4.0.1", "/findings?group=stack", "/executions"}
	for i := range 40 {
		r := &all[(i*7919)%len(all)]
		out = append(out,
			"/findings?severity="+string(r.Severity)+"&state="+string(r.State),
			"/findings?q="+r.Resource.LogicalID, "/findings?q=value+"+strconv.Itoa(i)+"&sort=newest", "/findings?stack="+r.Resource.Stack+"&rule="+r.Rule,
			"/findings?framework=pci-dss-4.0.1&owner=payments&sort=due", "/findings?overdue=1&group=rule", "/findings/"+r.Fingerprint())
	}
	return out
}

// readers has many ask at once, for as long as it takes to write rounds of
// records, and fails on any answer but a page.
func readers(t *testing.T, n int, atLeast time.Duration, all []finding.Record) (asked int64, rounds int) {
	t.Helper()
	dir := folder(t, all)
	s := serve(t, dir, nil)
	if err := s.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	addresses := someAddresses(all)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	var count, bad atomic.Int64
	direct, err := sqlite.View(ctx, dir+"/findings.db")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = direct.Close() }()
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := i; ctx.Err() == nil; k++ {
				if k%10 == 0 { // one in ten asks SQLite itself
					r := &all[k%len(all)]
					found := 0
					for _, err := range direct.History(context.WithoutCancel(ctx), r.ResourceID()) {
						if err != nil {
							bad.Add(1)
							t.Errorf("history of %s: %v", r.ResourceID(), err)
							return
						}
						found++
					}
					if found == 0 {
						t.Errorf("%s has no history", r.ResourceID())
						return
					}
				} else if status, _ := quietly(s, addresses[k%len(addresses)]); status != http.StatusOK {
					bad.Add(1)
					t.Errorf("%s: status %d", addresses[k%len(addresses)], status)
					return
				}
				count.Add(1)
			}
		}()
	}
	db := database(t, dir)
	for began := time.Now(); bad.Load() == 0 && (rounds < 5 || time.Since(began) < atLeast); rounds++ {
		some := slices.Clone(all[(rounds*97)%(len(all)-97):][:97])
		for i := range some {
			some[i].LastSeen = some[i].LastSeen.Add(time.Duration(rounds+1) * time.Hour)
		}
		session, err := db.Begin(ctx, time.Minute, nil)
		if err == nil {
			if err = session.Put(ctx, some); err == nil {
				err = session.Commit(ctx, fmt.Sprint("scan", rounds))
			}
		}
		if err != nil {
			t.Fatalf("round %d of the writer: %v", rounds, err)
		}
	}
	stop()
	wg.Wait()
	return count.Load(), rounds
}

func TestManyReadersAndAWriter(t *testing.T) {
	if asked, rounds := readers(t, 200, 300*time.Millisecond, records(500)); asked < 200 || rounds < 5 {
		t.Errorf("%d pages and %d writes", asked, rounds)
	}
}

// TestLoad is run by make console-load: PLUMBLINE_CONSOLE_LOAD is for how long.
func TestLoad(t *testing.T) {
	text := os.Getenv("PLUMBLINE_CONSOLE_LOAD")
	if text == "" {
		t.Skip("PLUMBLINE_CONSOLE_LOAD=1m runs 1,000 readers and a writer for a minute")
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	asked, rounds := readers(t, 1000, d, records(10_000))
	t.Logf("1,000 readers got %d pages and a writer committed %d times in %s, without an error", asked, rounds, d)
}
