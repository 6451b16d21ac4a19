package approvalpage_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/approval"
)

// hostileRequests is how many are sent, by hostileWorkers at once.
const hostileRequests, hostileWorkers = 10_000, 8

// enemy makes requests of what there is to know short of one right decision:
// ids, plans, tokens and visitors are all real ones at times, and never all
// together.
type enemy struct {
	*rand.Rand
	id, other, plan, sealed string
	tokens                  []string // of forms of other visitors and requests
	right                   string   // the token of who may decide, for the request
}

func pick[T any](e *enemy, from ...T) T { return from[e.IntN(len(from))] }

func (e *enemy) noise(n int) string {
	b := make([]byte, e.IntN(n))
	for i := range b {
		b[i] = byte(e.Uint32())
	}
	return string(b)
}

func (e *enemy) path() string {
	return pick(e, "/approvals", "/approvals/"+e.id, "/approvals/"+e.id, "/approvals/"+e.sealed, "/approvals/"+approval.Hashed(e.id), "/approvals/"+e.other,
		"/approvals/"+e.id+"/", "/approvals/../approvals/"+e.id, "/approvals/%2e%2e/"+e.id, "//approvals/"+e.id, "/approvals/"+e.id+"%00", "/approvals/"+e.id[:20],
		"/approvals/style.css", "/approvals/"+url.PathEscape(e.noise(200)), "/"+url.PathEscape(e.noise(30)), "/approvals/"+strings.Repeat("A", e.IntN(9000)),
		"/approvals/"+e.id+"?decision=approve&reason=x&plan="+e.plan, "*")
}

func (e *enemy) body(who string) (kind, text string) {
	plan := pick(e, e.plan, e.plan, e.other, "", e.noise(80))
	if strings.HasPrefix(who, "program:") { // it needs no token, so it may not have the plan
		plan = pick(e, e.other, "", e.noise(80), strings.ToUpper(e.plan), e.plan[:63])
	}
	f := url.Values{"plan": {plan}, "decision": {pick(e, "approve", "deny", "accept", "yes", "", e.noise(10))}, "until": {pick(e, "2026-06-01", "", e.noise(10))}, "reason": {pick(e, "x", "", e.noise(100), strings.Repeat("r", 5000))}}
	if e.IntN(2) == 0 {
		f.Set("token", pick(e, append(e.tokens, "", e.noise(60))...))
	}
	if e.IntN(5) == 0 {
		f.Add(pick(e, "plan", "decision", "reason", "token", e.noise(20)), e.noise(40))
	}
	text = f.Encode()
	kind = pick(e, "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "", e.noise(20))
	switch e.IntN(8) {
	case 0:
		kind, text = "application/json", fmt.Sprintf(`{"plan":%q,"decision":"approve","reason":"x"}`, plan)
	case 1:
		text = e.noise(2000)
	case 2:
		text = strings.Repeat(text+"&", 1+e.IntN(200))
	}
	return kind, text
}

func (e *enemy) request(base string) (*http.Request, error) {
	who := pick(e, "bob", "cleo", "ann", "stranger", "", "program:bob", "program:ann", "root")
	kind, text := e.body(who)
	r, err := http.NewRequest(pick(e, "GET", "POST", "POST", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "X"), base+e.path(), strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	set := func(name, value string) {
		if value != "" && strings.IndexFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) < 0 {
			r.Header.Set(name, value)
		}
	}
	set("Visitor", who)
	set("Content-Type", kind)
	set("Sec-Fetch-Site", pick(e, "same-origin", "same-origin", "none", "cross-site", "same-site", "", "bogus"))
	set("Origin", pick(e, "", "", base, "null", "https://evil.example", e.noise(20)))
	set("Accept", pick(e, "", "text/html", "application/json", "*/*"))
	set("Cookie", pick(e, "", "__Host-plumbline-session=x", "a=b; "+e.noise(40)))
	set("X-HTTP-Method-Override", pick(e, "", "POST"))
	set("X-Forwarded-User", pick(e, "", "bob"))
	set("Transfer-Encoding", pick(e, "", "", "identity"))
	return r, nil
}

// near makes a request that is right but for one thing.
func (e *enemy) near(base string) (*http.Request, error) {
	f := url.Values{"token": {e.right}, "plan": {e.plan}, "decision": {pick(e, "approve", "deny")}, "reason": {"x"}}
	who, method, path, from, kind := "bob", http.MethodPost, "/approvals/"+pick(e, e.id, e.sealed), "same-origin", "application/x-www-form-urlencoded"
	if e.IntN(4) == 0 {
		f.Set("decision", "accept")
		f.Set("until", "2026-06-01")
	}
	switch e.IntN(9) {
	case 0:
		f.Set("plan", pick(e, e.other, "", e.plan[:63], e.plan+" ", strings.ToUpper(e.plan)))
	case 1:
		f.Set("reason", pick(e, "", " \n", strings.Repeat("r", approval.MaxReason+1), "\xff"))
	case 2:
		f.Set("decision", pick(e, "Approve", "approve ", "1", "true", ""))
	case 3:
		f.Set("token", pick(e, append(e.tokens, "", e.right[1:], e.noise(60))...))
	case 4:
		f.Add(pick(e, "plan", "decision", "reason"), pick(e, "", "approve", e.plan))
	case 5:
		who = pick(e, "cleo", "ann", "stranger", "", "root", "program:ann", "BOB")
	case 6:
		method = pick(e, http.MethodGet, http.MethodPut, http.MethodPatch, "post")
	case 7:
		from = pick(e, "cross-site", "same-site", "bogus")
	case 8:
		kind = pick(e, "text/plain", "", "multipart/form-data; boundary=x", "application/json")
	}
	r, err := http.NewRequest(method, base+path, strings.NewReader(f.Encode()))
	if err == nil {
		r.Header = http.Header{"Visitor": {who}, "Sec-Fetch-Site": {from}, "Content-Type": {kind}}
	}
	return r, err
}

// raw sends bytes that are hardly HTTP.
func (e *enemy) raw(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	text := pick(e,
		e.noise(400), "GET "+e.noise(50)+" HTTP/1.1\r\n\r\n", "POST /approvals/"+e.id+" HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST /approvals/"+e.id+" HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /approvals/"+e.id+" HTTP/1.1\r\n\r\n",
		"POST /approvals/"+e.id+" HTTP/1.0\r\nContent-Length: 4\r\n\r\nplan", strings.Repeat("A", 70_000)+"\r\n\r\n")
	_, _ = io.WriteString(c, text) // the server may hang up in the middle
	if closer, ok := c.(*net.TCPConn); ok {
		_ = closer.CloseWrite()
	}
	_, _ = bufio.NewReader(c).ReadByte()
	return nil
}

// TestHostileRequests sends thousands of hostile requests to the running
// server: none decides, none crashes it.
func TestHostileRequests(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	other, _ := s.ask(bucket("Other"))
	first := enemy{id: id, other: other, plan: plan, sealed: address(t, s.get("bob", "/approvals").Body.String())}
	for _, who := range []string{"cleo", "bob"} { // each of the other request
		first.tokens = append(first.tokens, s.form(who, other, plan, "approve").Get("token"))
	}
	first.right = s.form("bob", id, plan, "approve").Get("token")
	server := httptest.NewUnstartedServer(s.handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of what is no HTTP
	server.Start()
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = hostileWorkers

	start := time.Now()
	var statuses [600]atomic.Int64
	var unsent atomic.Int64
	var wg sync.WaitGroup
	for worker := range hostileWorkers {
		wg.Go(func() {
			e := first
			e.Rand = rand.New(rand.NewPCG(2026, uint64(worker)))
			for range hostileRequests / hostileWorkers {
				if e.IntN(20) == 0 {
					if err := e.raw(server.Listener.Addr().String()); err != nil {
						t.Errorf("the server does not answer: %v", err)
						return
					}
					continue
				}
				make := e.request
				if e.IntN(3) == 0 {
					make = e.near
				}
				r, err := make(server.URL)
				if err != nil { // Go's client will not send it
					unsent.Add(1)
					continue
				}
				w, err := client.Do(r)
				if err != nil { // it may have hung up on a body that is too long
					unsent.Add(1)
					continue
				}
				_, _ = io.Copy(io.Discard, w.Body)
				_ = w.Body.Close()
				statuses[w.StatusCode].Add(1)
			}
		})
	}
	wg.Wait()
	seen := ""
	for status := range statuses {
		n := statuses[status].Load()
		if n > 0 {
			seen += fmt.Sprintf(" %d×%d", n, status)
		}
		if n > 0 && status >= 500 && status != http.StatusNotImplemented {
			t.Errorf("%d answers of status %d\n%.4000s", n, status, s.log)
		}
	}
	t.Logf("%d requests in %v:%s, %d not sent by the client", hostileRequests, time.Since(start).Round(time.Millisecond), seen, unsent.Load())
	if unsent.Load() > hostileRequests/5 {
		t.Errorf("%d requests were not sent", unsent.Load())
	}
	for _, id := range []string{id, other} {
		if state, n := s.state(id); state != approval.Waiting || n != 0 {
			t.Errorf("a request is %s with %d decisions", state, n)
		}
	}
	if len(s.flow.tokens) != 0 {
		t.Error("a workflow was told to go on")
	}
	// After all that, one right decision still counts.
	if w := s.post("bob", "/approvals/"+id, s.form("bob", id, plan, "approve")); w.Code != http.StatusSeeOther {
		t.Errorf("a right decision is answered with %d", w.Code)
	}
}
