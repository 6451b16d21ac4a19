package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/internal/webhook"
	"plumbline/internal/webhook/webhooktest"
	"plumbline/scan"
)

var (
	begin  = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	target = scan.Target{Stack: "Payments", Account: "111122223333", Region: "eu-west-1"}
	secret = webhook.Secret{User: "bot@example.com", Token: "s3cr3t-token", Project: "SEC", Key: strings.Repeat("k", 32)}
)

func now() time.Time { return begin }

// message is of the scan n hours after the first: what is new, what ended, what remains.
func message(n, fresh, ended, remaining int) scan.Notice {
	m := scan.Notice{
		Kind: scan.NoticeFindings, ScanID: fmt.Sprint("s", n), Target: target, Severity: finding.High, Time: begin,
		Ticket: alert.Ticket(target, finding.High, ""), Seen: begin.Add(time.Duration(n) * time.Hour),
		Count: fresh, EndedAll: ended, Remaining: remaining,
	}
	for i := range fresh {
		m.Items = append(m.Items, scan.Item{Rule: "r", Resource: fmt.Sprint("New", i), State: finding.New})
	}
	for i := range ended {
		m.Ended = append(m.Ended, scan.Item{Rule: "r", Resource: fmt.Sprint("Old", i), State: finding.Resolved})
	}
	if fresh == 0 {
		m.Kind = scan.NoticeUpdate
	}
	return alert.Complete(m)
}

// system is a ticketing system, seen from outside: each ticket's state and how
// often it was spoken on.
type system struct {
	kind    alert.Kind
	handler http.Handler
	tickets func() []string
}

func systems(t *testing.T) map[string]*system {
	j := &webhooktest.Jira{T: t}
	s := &webhooktest.ServiceNow{T: t}
	return map[string]*system{
		"jira": {alert.KindJira, j, func() (out []string) {
			for _, i := range j.Issues {
				out = append(out, fmt.Sprintf("%d %v", len(i.Comments), i.Status != "done"))
			}
			return out
		}},
		"servicenow": {alert.KindServiceNow, s, func() (out []string) {
			for i, x := range s.Incidents {
				out = append(out, fmt.Sprintf("%d %v", len(s.Notes[i]), x["state"] != "6" && x["state"] != "7"))
			}
			return out
		}},
	}
}

func serve(t *testing.T, h http.Handler) string {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func sender(t *testing.T, k alert.Kind, url string) *webhook.Sender {
	t.Helper()
	x := secret
	x.URL = url
	s, err := webhook.New(k, x, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTickets(t *testing.T) {
	for name, tc := range map[string]struct {
		messages []scan.Notice
		want     []string // comments, open
	}{
		"a first violation makes a ticket":          {[]scan.Notice{message(1, 2, 0, 2)}, []string{"1 true"}},
		"a change is a comment":                     {[]scan.Notice{message(1, 2, 0, 2), message(2, 1, 1, 2)}, []string{"2 true"}},
		"the last that ends closes it":              {[]scan.Notice{message(1, 2, 0, 2), message(2, 0, 2, 0)}, []string{"2 false"}},
		"one that ends of two does not":             {[]scan.Notice{message(1, 2, 0, 2), message(2, 0, 1, 1)}, []string{"2 true"}},
		"a new one opens it again":                  {[]scan.Notice{message(1, 1, 0, 1), message(2, 0, 1, 0), message(3, 1, 0, 1)}, []string{"3 true"}},
		"a repetition is silent":                    {[]scan.Notice{message(1, 1, 0, 1), message(1, 1, 0, 1), message(2, 0, 1, 0), message(2, 0, 1, 0)}, []string{"2 false"}},
		"what ended where no ticket was makes none": {[]scan.Notice{message(1, 0, 2, 0)}, nil},
		"a late message does not open it again":     {[]scan.Notice{message(1, 1, 0, 1), message(3, 0, 2, 0), message(2, 1, 0, 2)}, []string{"3 false"}},
		"a late repetition after newer ones":        {[]scan.Notice{message(1, 1, 0, 1), message(2, 0, 1, 0), message(1, 1, 0, 1)}, []string{"2 false"}},
	} {
		for system, x := range systems(t) {
			t.Run(system+"/"+name, func(t *testing.T) {
				s := sender(t, x.kind, serve(t, x.handler))
				for _, m := range tc.messages {
					if err := s.Deliver(t.Context(), m); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(tc.want, x.tickets()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// TestLostAnswers loses the answer of each call in turn: sent again, the
// message is there once, and the ticket is closed.
func TestLostAnswers(t *testing.T) {
	for name := range systems(t) {
		for lost := range 8 {
			x := systems(t)[name]
			f := &faulty{service: x.handler, faults: make([]func(http.ResponseWriter, *http.Request, http.Handler), lost+1)}
			f.faults[lost] = lostAnswer
			s := sender(t, x.kind, serve(t, f))
			for _, m := range []scan.Notice{message(1, 1, 0, 1), message(2, 0, 1, 0)} {
				for try := 0; s.Deliver(t.Context(), m) != nil; try++ {
					if try == 3 {
						t.Fatalf("%s, call %d lost: %v is never taken", name, lost, m.ID)
					}
				}
			}
			f.mu.Lock() // the handler whose answer was lost has ended
			tickets := x.tickets()
			f.mu.Unlock()
			if diff := cmp.Diff([]string{"2 false"}, tickets); diff != "" {
				t.Errorf("%s, call %d lost of %v (-want +got)\n%s", name, lost, f.called(), diff)
			}
		}
	}
}

// TestSearchBehind: Jira's index may not show an issue that was just made. A
// second one is then made, and closed when it is met.
func TestSearchBehind(t *testing.T) {
	j := &webhooktest.Jira{T: t}
	s := sender(t, alert.KindJira, serve(t, j))
	if err := s.Deliver(t.Context(), message(1, 1, 0, 1)); err != nil {
		t.Fatal(err)
	}
	j.Blind = 1
	for _, m := range []scan.Notice{message(1, 1, 0, 1), message(2, 1, 0, 2)} {
		if err := s.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if len(j.Issues) != 2 || j.Issues[0].Status == "done" || len(j.Issues[0].Comments) != 2 || j.Issues[1].Status != "done" {
		t.Errorf("%+v, %+v", j.Issues[0], j.Issues[1])
	}
}

// TestNarrowWorkflow: where no transition leads to a closed status the ticket
// is commented and left.
func TestNarrowWorkflow(t *testing.T) {
	j := &webhooktest.Jira{T: t, Narrow: true}
	s := sender(t, alert.KindJira, serve(t, j))
	for _, m := range []scan.Notice{message(1, 1, 0, 1), message(2, 0, 1, 0)} {
		if err := s.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if len(j.Issues[0].Comments) != 2 {
		t.Errorf("%d comments", len(j.Issues[0].Comments))
	}
}

func TestServiceNowClosedForGood(t *testing.T) {
	x := &webhooktest.ServiceNow{T: t}
	s := sender(t, alert.KindServiceNow, serve(t, x))
	for i, m := range []scan.Notice{message(1, 1, 0, 1), message(2, 1, 0, 1)} {
		if i == 1 {
			x.Incidents[0]["state"] = "7"
		}
		if err := s.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if len(x.Incidents) != 2 || x.Incidents[1]["correlation_id"] != x.Incidents[0]["correlation_id"] {
		t.Errorf("a closed incident takes nothing any more: want a second one, got %v", x.Incidents)
	}
}

// TestFailures: what each answer means, in whichever call it comes.
func TestFailures(t *testing.T) {
	type verdict struct {
		later bool
		after time.Duration
		says  string
	}
	endless := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusOK)
		junk := make([]byte, 1<<20)
		for range 100 {
			if _, err := w.Write(junk); err != nil {
				return
			}
		}
	}
	for name, tc := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request, http.Handler)
		want  verdict
	}{
		"unauthorized":               {status(401, `{"errorMessages":["no"]}`), verdict{true, 0, "401"}},
		"forbidden":                  {status(403, ""), verdict{true, 0, "403"}},
		"too many, in seconds":       {status(429, "", "Retry-After", "120"), verdict{true, 2 * time.Minute, "429"}},
		"too many, by date":          {status(429, "", "Retry-After", begin.Add(time.Minute).Format(http.TimeFormat)), verdict{true, time.Minute, "429"}},
		"too many, in words":         {status(429, "", "Retry-After", "soon"), verdict{true, 0, "429"}},
		"too many, for ever":         {status(429, "", "Retry-After", "99999999999999999999"), verdict{true, 0, "429"}},
		"too many, a day":            {status(429, "", "Retry-After", "86400"), verdict{true, 12 * time.Hour, "429"}},
		"too many, in the past":      {status(429, "", "Retry-After", "-5"), verdict{true, 0, "429"}},
		"an error of the server":     {status(500, "oops"), verdict{true, 0, "500"}},
		"in maintenance":             {status(503, "", "Retry-After", "3600"), verdict{true, time.Hour, "503"}},
		"a bad request":              {status(400, `{"errors":{"project":"valid project is required"}}`), verdict{false, 0, "400"}},
		"gone":                       {status(410, ""), verdict{false, 0, "410"}},
		"a redirect":                 {status(302, "", "Location", "https://evil.example/steal"), verdict{false, 0, "evil.example"}},
		"a redirect that keeps POST": {status(307, "", "Location", "https://evil.example/steal"), verdict{false, 0, "not followed"}},
		"a broken connection":        {lostAnswer, verdict{true, 0, "EOF"}},
	} {
		for _, k := range alert.Kinds {
			t.Run(string(k)+"/"+name, func(t *testing.T) {
				t.Parallel()
				f := &faulty{service: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), faults: []func(http.ResponseWriter, *http.Request, http.Handler){tc.fault}}
				err := sender(t, k, serve(t, f)+"/hook/T0K3N").Deliver(t.Context(), message(1, 1, 0, 1))
				check(t, err, tc.want.later, tc.want.after, tc.want.says)
				if calls := f.called(); len(calls) != 1 {
					t.Errorf("calls %v", calls)
				}
			})
		}
	}
	for _, k := range []alert.Kind{alert.KindJira, alert.KindServiceNow} {
		f := &faulty{faults: []func(http.ResponseWriter, *http.Request, http.Handler){endless}}
		start := time.Now()
		check(t, sender(t, k, serve(t, f)).Deliver(t.Context(), message(1, 1, 0, 1)), false, 0, "more than 1048576 bytes")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: 100 MB held it up for %s", k, took)
		}
	}
	for _, k := range []alert.Kind{alert.KindSlack, alert.KindWebhook} { // taken; how much it says does not matter
		f := &faulty{faults: []func(http.ResponseWriter, *http.Request, http.Handler){endless}}
		if err := sender(t, k, serve(t, f)).Deliver(t.Context(), message(1, 1, 0, 1)); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
}

func check(t *testing.T, err error, later bool, after time.Duration, says string) {
	t.Helper()
	var l *alert.LaterError
	var r *alert.RefusedError
	switch {
	case later && !errors.As(err, &l), !later && !errors.As(err, &r):
		t.Fatalf("error = %v", err)
	case later && l.After != after:
		t.Errorf("after %s, want %s", l.After, after)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error %q does not say %q", err, says)
	}
	for _, x := range []string{"s3cr3t", "T0K3N", "kkkk", "/steal"} {
		if strings.Contains(err.Error(), x) {
			t.Errorf("error %q gives away %q", err, x)
		}
	}
}

// TestSlow: a receiver that does not answer holds nobody up longer than the caller allows.
func TestSlow(t *testing.T) {
	gone := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-gone:
		}
	}))
	t.Cleanup(func() { close(gone) }) // before the server waits for its handlers
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	check(t, sender(t, alert.KindSlack, url).Deliver(ctx, message(1, 1, 0, 1)), true, 0, "deadline")
}

func TestSignature(t *testing.T) {
	var got http.Header
	var body []byte
	url := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	m := message(1, 1, 0, 1)
	if err := sender(t, alert.KindWebhook, url).Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got.Get(alert.HeaderSignature) != alert.Sign([]byte(secret.Key), begin, body) || got.Get(alert.HeaderTime) != strconv.FormatInt(begin.Unix(), 10) || got.Get(alert.HeaderKey) != alert.Key(m) {
		t.Errorf("headers %v", got)
	}
	var doc struct {
		SchemaVersion, ID string
		Items             []scan.Item
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.SchemaVersion != alert.WebhookVersion || doc.ID != m.ID || len(doc.Items) != 1 {
		t.Errorf("%v in %s", err, body)
	}
}

func TestNewRefuses(t *testing.T) {
	ok := func(url string) webhook.Secret { x := secret; x.URL = url; return x }
	for name, tc := range map[string]struct {
		kind   alert.Kind
		secret webhook.Secret
		want   string
	}{
		"no address":              {alert.KindSlack, ok(""), "not an address"},
		"a broken one":            {alert.KindSlack, ok("https://a b/T0K3N\x7f"), "not an address"},
		"no TLS":                  {alert.KindSlack, ok("http://hooks.example/T0K3N"), "not https"},
		"a file":                  {alert.KindWebhook, ok("file:///etc/T0K3N"), "not an address"},
		"a kind that is none":     {"mail", ok("https://a.example"), "allowed are"},
		"no project":              {alert.KindJira, webhook.Secret{URL: "https://a.example", User: "u", Token: "t"}, "project"},
		"no token":                {alert.KindServiceNow, webhook.Secret{URL: "https://a.example", User: "u"}, "token"},
		"no key":                  {alert.KindWebhook, webhook.Secret{URL: "https://a.example"}, "key is missing"},
		"a key that can be found": {alert.KindWebhook, webhook.Secret{URL: "https://a.example", Key: "T0K3N"}, "32 are needed"},
	} {
		_, err := webhook.New(tc.kind, tc.secret, now)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "T0K3N") {
			t.Errorf("%s: error = %v, want one that says %q", name, err, tc.want)
		}
	}
}
