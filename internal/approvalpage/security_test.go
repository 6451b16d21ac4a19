package approvalpage_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/ruleset"
)

// attack sends something that must not decide, or not once more.
type attack struct {
	who    string
	at     string // "": the request's id
	plan   string // "": the request's plan
	change func(*http.Request, url.Values)
	want   int
}

// TestNothingDecides: what must not decide does not, and says so by its status.
func TestNothingDecides(t *testing.T) {
	header := func(name, value string) func(*http.Request, url.Values) {
		return func(r *http.Request, _ url.Values) { r.Header.Set(name, value) }
	}
	field := func(name, value string) func(*http.Request, url.Values) {
		return func(_ *http.Request, f url.Values) { f.Set(name, value) }
	}
	for name, a := range map[string]attack{
		"guessed id":                          {who: "bob", at: strings.Repeat("A", 43), want: http.StatusForbidden}, // its form is of another request
		"guessed id by a program":             {who: "program:bob", at: strings.Repeat("A", 43), want: http.StatusNotFound},
		"hash of the id, as the store has it": {who: "program:bob", at: "hash", want: http.StatusNotFound},
		"id without its last character":       {who: "program:bob", at: "short", want: http.StatusNotFound},
		"address from another's list":         {who: "bob", at: "sealed for cleo", want: http.StatusNotFound},
		"requester approves himself":          {who: "ann", want: http.StatusForbidden},
		"requester under his session's name":  {who: "arn:aws:sts::111122223333:assumed-role/Ops/ann", want: http.StatusForbidden},
		"requester as a program":              {who: "program:ann", want: http.StatusForbidden},
		"not of the group":                    {who: "stranger", want: http.StatusForbidden},
		"not signed in":                       {who: "", want: http.StatusUnauthorized},
		"another plan's hash":                 {who: "bob", plan: strings.Repeat("a", 64), want: http.StatusConflict},
		"cross-site POST":                     {who: "bob", change: header("Sec-Fetch-Site", "cross-site"), want: http.StatusForbidden},
		"POST from a sibling domain":          {who: "bob", change: header("Sec-Fetch-Site", "same-site"), want: http.StatusForbidden},
		"cross-site POST, browser without Sec-Fetch": {who: "bob", change: func(r *http.Request, _ url.Values) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "https://evil.example")
		}, want: http.StatusForbidden},
		"no form token":            {who: "bob", change: func(_ *http.Request, f url.Values) { f.Del("token") }, want: http.StatusForbidden},
		"empty form token":         {who: "bob", change: field("token", ""), want: http.StatusForbidden},
		"another visitor's token":  {who: "bob", change: field("token", "of cleo"), want: http.StatusForbidden},
		"token of another request": {who: "bob", change: field("token", "of another request"), want: http.StatusForbidden},
		"fields in the address":    {who: "bob", change: field("", ""), want: http.StatusBadRequest},
		"plain text":               {who: "bob", change: header("Content-Type", "text/plain"), want: http.StatusBadRequest},
		"PUT":                      {who: "bob", change: func(r *http.Request, _ url.Values) { r.Method = http.MethodPut }, want: http.StatusMethodNotAllowed},
		"GET with a form":          {who: "bob", change: func(r *http.Request, _ url.Values) { r.Method = http.MethodGet }, want: http.StatusOK},
		"HEAD with a form":         {who: "bob", change: func(r *http.Request, _ url.Values) { r.Method = http.MethodHead }, want: http.StatusOK},
		"GET that claims to be a POST": {who: "bob", change: func(r *http.Request, _ url.Values) {
			r.Method = http.MethodGet
			r.Header.Set("X-HTTP-Method-Override", "POST")
		}, want: http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			id, plan := s.ask(bucket("Cards"))
			other, _ := s.ask(bucket("Other"))
			f := s.form(strings.TrimPrefix(a.who, "program:"), id, plan, "approve")
			if a.plan != "" {
				f.Set("plan", a.plan)
			}
			at := id
			switch a.at {
			case "":
			case "hash":
				at = approval.Hashed(id)
			case "short":
				at = id[:len(id)-1]
			case "sealed for cleo":
				at = address(t, s.get("cleo", "/approvals").Body.String())
			default:
				at = a.at
			}
			r := formRequest(a.who, "/approvals/"+at, f)
			if a.change != nil {
				a.change(r, f)
				switch f.Get("token") {
				case "of cleo":
					f.Set("token", s.form("cleo", id, plan, "approve").Get("token"))
				case "of another request":
					f.Set("token", s.form("bob", other, plan, "approve").Get("token"))
				}
				path, body := r.URL.Path, f
				if f.Has("") {
					path, body = path+"?"+f.Encode(), url.Values{}
				}
				changed := httptest.NewRequest(r.Method, path, strings.NewReader(body.Encode()))
				changed.Header = r.Header
				r = changed
			}
			if w := s.send(r); w.Code != a.want {
				t.Errorf("status %d, want %d\n%s", w.Code, a.want, w.Body)
			}
			for _, id := range []string{id, other} {
				if state, n := s.state(id); state != approval.Waiting || n != 0 {
					t.Errorf("the request is %s with %d decisions", state, n)
				}
			}
			if len(s.flow.tokens) != 0 {
				t.Error("a workflow was told to go on")
			}
		})
	}
}

// TestReplayed: the same POST once more is answered alike and changes nothing.
func TestReplayed(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	f := s.form("bob", id, plan, "approve")
	for range 3 {
		if w := s.post("bob", "/approvals/"+id, f); w.Code != http.StatusSeeOther {
			t.Errorf("status %d", w.Code)
		}
	}
	s.decidedOnce(id)
}

// TestUsedTwice: an id decides once: neither another person, nor the same one
// in the other way, can use it again.
func TestUsedTwice(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	late := s.form("cleo", id, plan, "deny")
	back := s.form("bob", id, plan, "deny")
	if w := s.post("bob", "/approvals/"+id, s.form("bob", id, plan, "approve")); w.Code != http.StatusSeeOther {
		t.Fatalf("status %d", w.Code)
	}
	for who, f := range map[string]url.Values{"cleo": late, "bob": back} {
		if w := s.post(who, "/approvals/"+id, f); w.Code != http.StatusConflict {
			t.Errorf("%s: status %d", who, w.Code)
		}
	}
	s.decidedOnce(id)
}

func (s *site) decidedOnce(id string) {
	s.t.Helper()
	if state, n := s.state(id); state != approval.Approved || n != 1 {
		s.t.Errorf("the request is %s with %d decisions", state, n)
	}
	if n, err := ledger.Verify(s.ledger.Entries(s.t.Context(), 1), nil); err != nil || n != 2 {
		s.t.Errorf("the ledger has %d entries: %v", n, err)
	}
	if len(s.flow.tokens) != 1 {
		s.t.Errorf("the workflow was told %d times", len(s.flow.tokens))
	}
}

// TestExpired: what is decided after its time is no, whenever the form was shown.
func TestExpired(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	f := s.form("bob", id, plan, "approve")
	s.clock = s.clock.Add(72 * time.Hour)
	for range 2 {
		if w := s.post("bob", "/approvals/"+id, f); w.Code != http.StatusGone {
			t.Errorf("status %d", w.Code)
		}
	}
	if state, n := s.state(id); state != approval.Expired || n != 0 {
		t.Errorf("the request is %s with %d decisions", state, n)
	}
	if strings.Contains(s.get("bob", "/approvals/"+id).Body.String(), "name=\"decision\"") {
		t.Error("the page still offers to decide")
	}
}

// TestAnotherPlansID: an id with the plan of another request decides on neither.
func TestAnotherPlansID(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	other, otherPlan := s.ask(bucket("Other"))
	if w := s.post("bob", "/approvals/"+id, s.form("bob", id, otherPlan, "approve")); w.Code != http.StatusConflict {
		t.Errorf("status %d", w.Code)
	}
	if w := s.post("bob", "/approvals/"+other, s.form("bob", other, plan, "approve")); w.Code != http.StatusConflict {
		t.Errorf("status %d", w.Code)
	}
	for _, id := range []string{id, other} {
		if state, n := s.state(id); state != approval.Waiting || n != 0 {
			t.Errorf("the request is %s with %d decisions", state, n)
		}
	}
}

// TestAPlanThatWasSwapped: what the store of plans holds under the hash is not
// what was asked about, so it is not shown.
func TestAPlanThatWasSwapped(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	if _, err := s.blobs.Put(t.Context(), "changes/"+plan+".json", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/approvals/"+id, nil)
	r.Header.Set("Visitor", "bob")
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusBadGateway || strings.Contains(w.Body.String(), "name=\"decision\"") {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
	s.undecided(id)
}

// hostile are texts as a resource or a tag may have them.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><svg onload=alert(1)>`, `</textarea><form action="https://evil.example">`,
	"javascript:alert(1)", `{{.Visitor.Secret}}`, "a\u202egnp.exe", "a\x00b", "<!--", `' onmouseover='alert(1)`, "]]><script>x</script>",
}

// TestHTMLThroughANameOrTag: text of a resource is text on every page.
func TestHTMLThroughANameOrTag(t *testing.T) {
	for _, evil := range hostile {
		s := newSite(t)
		p := bucket("Cards")
		x := &p.Plan
		x.Resource.LogicalID, x.Resource.Stack, x.Identifier, x.Message, x.Breaks, x.Title = evil, evil, evil, evil, evil, evil
		x.Diff = []string{"- Tags." + evil + ": 1", "+ " + evil, evil}
		x.ReferredBy, x.Destructive, x.Irreversible, p.Why = []string{evil}, []string{evil}, []string{evil}, []string{evil}
		x.Before, x.After = []byte(`{"Tags":[{"Key":"`+"<script>x</script>"+`"}]}`), []byte(`{}`)
		p.Requester, p.Alias = "ann"+evil, evil
		p.Template = &change.Source{ConstructPath: evil, Diff: "-" + evil + "\n+" + evil + "\n" + evil, Why: evil}
		p.Controls = []ruleset.Control{{Framework: evil, ID: evil}}
		id, plan := s.ask(p)
		f := s.form("bob", id, plan, "approve")
		f.Set("reason", evil)
		f.Set("plan", "other")
		pages := []string{
			s.get("bob", "/approvals").Body.String(), s.get("bob", "/approvals/"+id).Body.String(),
			s.post("bob", "/approvals/"+id, f).Body.String(), s.get("bob"+evil, "/approvals").Body.String(),
		}
		f.Set("plan", plan)
		s.post("bob", "/approvals/"+id, f)
		pages = append(pages, s.get("bob", "/approvals/"+id).Body.String())
		for i, page := range pages {
			for _, bad := range []string{"<script", "<img", "<svg", "<form action=\"https", "href=\"javascript", "\u202e", "\x00", "onmouseover='", "<!--"} {
				if strings.Contains(page, bad) {
					t.Errorf("%q is on page %d as %q", evil, i, bad)
				}
			}
			for _, needed := range []string{"</html>", "<main id=\"main\">"} {
				if strings.Count(page, needed) != 1 {
					t.Errorf("%q breaks page %d", evil, i)
				}
			}
		}
	}
}

// TestNothingSecretLeaves: the workflow's token, the visitor's secret and the
// hash that the store has are in no page, address, log or message.
func TestNothingSecretLeaves(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	v, err := s.identify(&http.Request{Header: http.Header{"Visitor": {"bob"}}})
	if err != nil {
		t.Fatal(err)
	}
	list := s.get("bob", "/approvals")
	f := s.form("bob", id, plan, "approve")
	answers := []*httptest.ResponseRecorder{list, s.get("bob", "/approvals/"+id), s.get("bob", "/approvals/"+address(t, list.Body.String())), s.get("", "/approvals/"+id), s.post("bob", "/approvals/"+id, f)}
	s.flow.down = true
	id2, plan2 := s.ask(bucket("Other"))
	answers = append(answers, s.post("bob", "/approvals/"+id2, s.form("bob", id2, plan2, "deny")))
	for i, w := range answers {
		texts := []string{w.Body.String(), w.Header().Get("Location"), s.log.String()}
		for _, secret := range []string{token, string(v.Secret), approval.Hashed(id)} {
			if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, secret) }) {
				t.Errorf("answer %d, its address or the log has %q", i, secret)
			}
		}
	}
	for _, kept := range []string{id, id2, f.Get("token")} {
		if strings.Contains(s.log.String(), kept) {
			t.Errorf("the log has %q:\n%s", kept, s.log)
		}
	}
	if w := answers[4]; w.Header().Get("Location") != "/approvals/"+id {
		t.Errorf("the way on is %q", w.Header().Get("Location"))
	}
	if got := list.Header().Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy %q", got)
	}
	if !strings.Contains(s.log.String(), "plan="+plan) || !strings.Contains(s.log.String(), "by=bob") {
		t.Errorf("the log does not say who decided on what:\n%s", s.log)
	}
}

// TestAPanicDecidesNothing and costs one request.
func TestAPanicDecidesNothing(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	f := s.form("bob", id, plan, "approve")
	s.desk.Store = nil
	w := httptest.NewRecorder()
	r := formRequest("bob", "/approvals/"+id, f)
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "Nothing was decided") {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
	s.desk.Store = s.store
	s.undecided(id)
}
