package approvalpage_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
)

// TestDecide: the form as it is shown decides, by the id and from the list.
func TestDecide(t *testing.T) {
	for _, row := range []struct {
		name, decision string
		fromList       bool
		want           approval.State
	}{
		{"approved by the id", "approve", false, approval.Approved},
		{"denied by the id", "deny", false, approval.Denied},
		{"approved from the list", "approve", true, approval.Approved},
		{"denied from the list", "deny", true, approval.Denied},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			id, plan := s.ask(bucket("Cards"))
			at := id
			if row.fromList {
				at = address(t, s.get("bob", "/approvals").Body.String())
			}
			w := s.post("bob", "/approvals/"+at, s.form("bob", at, plan, row.decision))
			if w.Code != http.StatusSeeOther {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if state, _ := s.state(id); state != row.want {
				t.Errorf("the request is %s", state)
			}
			page := s.get("bob", w.Header().Get("Location")).Body.String()
			if !strings.Contains(page, "<strong>"+string(row.want)) || !strings.Contains(page, "as agreed") || strings.Contains(page, "<form method=\"post\" action=\"/approvals") {
				t.Errorf("the page after it:\n%s", page)
			}
			if diff := cmp.Diff([]string{token}, s.flow.tokens); diff != "" {
				t.Errorf("tokens told (-want +got)\n%s", diff)
			}
		})
	}
}

var link = regexp.MustCompile(`<th scope="row"><a href="/approvals/([^"]+)">`)

func address(t *testing.T, list string) string {
	t.Helper()
	m := link.FindStringSubmatch(list)
	if m == nil {
		t.Fatalf("the list has no address:\n%s", list)
	}
	return m[1]
}

// TestShown: the page has all that a decision rests on.
func TestShown(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	page := s.get("bob", "/approvals/"+id).Body.String()
	for _, want := range []string{
		"Cards", "AWS::S3::Bucket", "payments", "111122223333", "eu-west-1", "s3-bucket-public-access", "Bucket blocks public access", "public access is not blocked",
		"A.B: 1", "A.B: 2", "Public readers lose access.", "2 resources of the stack refer", "Policy", "Trail", "public readers and writers lose access", "the change is destructive",
		"4 March 2026, 09:00 UTC", "3 days left", "ann", "members of security", plan, "You are <strong><bdi>bob", "The test says so.", "1 person must approve",
		"shop-production", "pci-dss-4.0.1 1.3.1, 1.4.4; aws-fsbp S3.8", "Shop/Cards/Resource", "within 14 days", "Old: line</del>", "New: line</ins>", "@@ -1 ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "diff a b") || strings.Contains(page, "--- a") {
		t.Error("the heads of the template's difference are shown")
	}
	if t.Failed() {
		t.Log(page)
	}
}

// TestList: who may decide, who asked, and who has nothing to do with it.
func TestList(t *testing.T) {
	s := newSite(t)
	s.ask(bucket("Cards"))
	for _, row := range []struct{ who, want, without string }{
		{"bob", "You may decide on 1 change", "Others decide"},
		{"ann", "Others decide on 1 change", "You may decide"},
		{"stranger", "Nothing waits for you", "Cards"},
	} {
		page := s.get(row.who, "/approvals").Body.String()
		if !strings.Contains(page, row.want) || strings.Contains(page, row.without) {
			t.Errorf("%s: want %q and not %q in\n%s", row.who, row.want, row.without, page)
		}
	}
	s.clock = s.clock.Add(73 * time.Hour)
	if page := s.get("bob", "/approvals").Body.String(); strings.Contains(page, "Cards") {
		t.Errorf("an expired request is listed:\n%s", page)
	}
}

// TestProblems: what a person is told, and that what was typed stays.
func TestProblems(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*site, url.Values)
		status int
		want   string
	}{
		{"no reason", func(_ *site, f url.Values) { f.Set("reason", " ") }, http.StatusUnprocessableEntity, "A decision needs a reason."},
		{"another plan", func(_ *site, f url.Values) { f.Set("plan", strings.Repeat("0", 64)) }, http.StatusConflict, "look at it again"},
		{"too late", func(s *site, _ url.Values) { s.clock = s.clock.Add(73 * time.Hour) }, http.StatusGone, "which means no"},
		{"neither yes nor no", func(_ *site, f url.Values) { f.Set("decision", "maybe") }, http.StatusBadRequest, "Nothing was decided."},
		{"both", func(_ *site, f url.Values) { f.Add("decision", "deny") }, http.StatusBadRequest, "Nothing was decided."},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			id, plan := s.ask(bucket("Cards"))
			f := s.form("bob", id, plan, "approve")
			f.Set("reason", "typed text")
			row.change(s, f)
			w := s.post("bob", "/approvals/"+id, f)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.want) {
				t.Errorf("status %d, want %d with %q:\n%s", w.Code, row.status, row.want, w.Body)
			}
			if row.name == "another plan" && !strings.Contains(w.Body.String(), ">typed text</textarea>") {
				t.Error("what was typed is lost")
			}
			if state, n := s.state(id); state == approval.Approved || n != 0 {
				t.Errorf("the request is %s with %d decisions", state, n)
			}
		})
	}
}

// TestPrograms: JSON in and out, without a form's token, and without any id.
func TestPrograms(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	do := func(method, path, body string) (int, map[string]any) {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Visitor", "program:bob")
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		w := s.send(r)
		var out map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
		if strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), approval.Hashed(id)) {
			t.Error("an answer has the id")
		}
		return w.Code, out
	}
	if status, out := do(http.MethodGet, "/approvals", ""); status != http.StatusOK || len(out["requests"].([]any)) != 1 {
		t.Errorf("list: %d %v", status, out)
	}
	if status, out := do(http.MethodGet, "/approvals/"+id, ""); status != http.StatusOK || out["plan"] != plan || len(out["diff"].([]any)) != 2 || out["alias"] != "shop-production" || !strings.Contains(out["template"].(string), "+New: line") {
		t.Errorf("show: %d %v", status, out)
	}
	for body, want := range map[string]int{
		`{"plan":"x","reason":"r","decision":"approve"}`:                              http.StatusConflict,
		`{"plan":"` + plan + `","reason":"","decision":"approve"}`:                    http.StatusUnprocessableEntity,
		`{"plan":"` + plan + `","reason":"r"}`:                                        http.StatusBadRequest,
		`{"plan":"` + plan + `","reason":"r","decision":true}`:                        http.StatusBadRequest,
		`{"plan":"` + plan + `","reason":"r","decision":"approve"`:                    http.StatusBadRequest,
		`{"decision":"deny","plan":"` + plan + `","reason":"r","decision":"approve"}`: http.StatusBadRequest,
		`[]`: http.StatusBadRequest, ``: http.StatusBadRequest,
	} {
		if status, out := do(http.MethodPost, "/approvals/"+id, body); status != want || out["error"] == "" {
			t.Errorf("%s: status %d, want %d: %v", body, status, want, out)
		}
	}
	s.undecided(id)
	if status, out := do(http.MethodPost, "/approvals/"+id, `{"plan":"`+plan+`","reason":"r","decision":"approve"}`); status != http.StatusOK || out["state"] != "approved" {
		t.Errorf("decide: %d %v", status, out)
	}
}

// TestLostCallback: the decision is kept though the workflow could not be told,
// says so, and a second POST finishes it.
func TestLostCallback(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	f := s.form("bob", id, plan, "approve")
	s.flow.down = true
	if w := s.post("bob", "/approvals/"+id, f); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "may be kept already") {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
	s.flow.down = false
	if w := s.post("bob", "/approvals/"+id, f); w.Code != http.StatusSeeOther {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
	if diff := cmp.Diff([]string{token}, s.flow.tokens); diff != "" {
		t.Errorf("tokens told (-want +got)\n%s", diff)
	}
}

// TestSignedOut: a browser is led to the page that signs people in, and back.
func TestSignedOut(t *testing.T) {
	s := newSite(t)
	id, plan := s.ask(bucket("Cards"))
	w := s.get("", "/approvals/"+id)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in" {
		t.Errorf("status %d to %s", w.Code, w.Header().Get("Location"))
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Value != "/approvals/"+id || !c[0].HttpOnly || !c[0].Secure || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", c)
	}
	if w := s.post("", "/approvals/"+id, s.form("bob", id, plan, "approve")); w.Code != http.StatusUnauthorized {
		t.Errorf("POST: status %d", w.Code)
	}
	s.broken = errors.New("the issuer's keys cannot be read")
	if w := s.get("bob", "/approvals/"+id); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "issuer") {
		t.Errorf("status %d\n%s", w.Code, w.Body)
	}
	s.undecided(id)
}

// TestAccept: a violation may be left as it is until a day, by its own form.
func TestAccept(t *testing.T) {
	for _, row := range []struct {
		name, until string
		status      int
		want        approval.State
	}{
		{"until a day", "2026-09-30", http.StatusSeeOther, approval.Accepted},
		{"until today", "2026-03-01", http.StatusSeeOther, approval.Accepted},
		{"until yesterday", "2026-02-28", http.StatusUnprocessableEntity, approval.Waiting},
		{"for more than a year", "2027-04-01", http.StatusUnprocessableEntity, approval.Waiting},
		{"until no day", "soon", http.StatusBadRequest, approval.Waiting},
		{"for ever", "", http.StatusBadRequest, approval.Waiting},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			id, plan := s.ask(bucket("Cards"))
			f := s.form("bob", id, plan, "accept")
			f.Set("until", row.until)
			if w := s.post("bob", "/approvals/"+id, f); w.Code != row.status {
				t.Errorf("status %d, want %d\n%s", w.Code, row.status, w.Body)
			}
			if state, _ := s.state(id); state != row.want {
				t.Errorf("the request is %s, want %s", state, row.want)
			}
			if page := s.get("bob", "/approvals/"+id).Body.String(); (row.want == approval.Accepted) != strings.Contains(page, "leave it until "+row.until+"</strong>. as agreed") {
				t.Errorf("the page after it:\n%s", page)
			}
		})
	}
}
