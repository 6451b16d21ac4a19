package approvalpage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/approvalpage"
	"plumbline/internal/signin/session"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/ruleset"
)

// token is what the workflow waits with. It must be nowhere.
const token = "AQCsecretTaskTokenOfTheWorkflow"

// flow is a workflow that notes what it was told, and may not be there.
type flow struct {
	mu     sync.Mutex
	tokens []string
	down   bool
}

func (f *flow) Decided(_ context.Context, token string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return errors.New("no connection")
	}
	f.tokens = append(f.tokens, token)
	return nil
}

// site is the page with everything behind it. Who sends a request stands in its
// header Visitor; "program:NAME" carries its proof itself.
type site struct {
	t       *testing.T
	desk    *approval.Desk
	store   *approval.Memory
	ledger  *ledger.Memory
	blobs   *blob.Memory
	flow    *flow
	clock   time.Time
	log     *bytes.Buffer
	broken  error // of who tells who it is
	config  approvalpage.Config
	handler http.Handler
}

func newSite(t *testing.T) *site {
	s := &site{t: t, store: &approval.Memory{}, ledger: &ledger.Memory{}, blobs: &blob.Memory{}, flow: &flow{}, log: &bytes.Buffer{}, clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return s.clock }
	s.desk = &approval.Desk{Store: s.store, Ledger: &ledger.Ledger{Store: s.ledger, Now: now}, Callback: s.flow, Now: now}
	s.config = approvalpage.Config{Desk: s.desk, Plans: s.blobs, Identify: s.identify, SignIn: "/sign-in", SignOut: "/sign-out", Now: now, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	s.handler = approvalpage.Handler(s.config)
	return s
}

func (s *site) identify(r *http.Request) (approvalpage.Visitor, error) {
	if s.broken != nil {
		return approvalpage.Visitor{}, s.broken
	}
	name := r.Header.Get("Visitor")
	if name == "" {
		return approvalpage.Visitor{}, session.ErrNone
	}
	name, program := strings.CutPrefix(name, "program:")
	secret := sha256.Sum256([]byte("session of " + name))
	v := approvalpage.Visitor{Person: approval.Person{Name: name, Groups: []string{"staff", "security"}}, Secret: secret[:], Explicit: program, Vouched: "The test says so."}
	if strings.HasPrefix(name, "stranger") {
		v.Groups = []string{"staff"}
	}
	return v, nil
}

func bucket(name string) *change.Planned {
	return &change.Planned{Change: "change-" + name, Plan: remedy.Plan{
		Rule: "s3-bucket-public-access", Title: "Bucket blocks public access", Severity: finding.High, Message: "public access is not blocked",
		Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "payments", LogicalID: name, Type: "AWS::S3::Bucket"}, Identifier: "payments-" + strings.ToLower(name),
		Before: json.RawMessage(`{"BucketName":"b"}`), After: json.RawMessage(`{"BucketName":"b","PublicAccessBlockConfiguration":{"BlockPublicAcls":true}}`),
		Diff: []string{"- A.B: 1", "+ A.B: 2"}, Breaks: "Public readers lose access.", ReferredBy: []string{"Policy", "Trail"},
		Destructive: []string{"public readers and writers lose access"},
	}, Why: []string{"the change is destructive"}, Requester: "ann", Groups: []string{"security"}, Seconds: 3600,
		Alias: "shop-production", FollowIn: 14 * 24 * 3600, Controls: []ruleset.Control{{Framework: "aws-fsbp", ID: "S3.8"}, {Framework: "pci-dss-4.0.1", ID: "1.3.1"}, {Framework: "pci-dss-4.0.1", ID: "1.4.4"}},
		Template: &change.Source{ConstructPath: "Shop/Cards/Resource", Diff: "diff a b\n--- a\n+++ b\n@@ -1 +1 @@\n-Old: line\n+New: line\n"},
	}
}

// ask keeps a plan and asks about it.
func (s *site) ask(p *change.Planned) (id, plan string) {
	s.t.Helper()
	plan, err := change.Keep(s.t.Context(), s.blobs, p)
	if err != nil {
		s.t.Fatal(err)
	}
	id, err = s.desk.Ask(s.t.Context(), approval.Request{
		Plan: plan, Rule: p.Plan.Rule, Severity: p.Plan.Severity, Resource: p.Plan.Resource, Execution: p.Change,
		Requester: p.Requester, Groups: p.Groups, Expires: s.clock.Add(72 * time.Hour), Token: token,
	}, p)
	if err != nil {
		s.t.Fatal(err)
	}
	return id, plan
}

// send sends a request and checks what holds of every answer.
func (s *site) send(r *http.Request) *httptest.ResponseRecorder {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code >= 500 && s.broken == nil && !s.flow.down {
		s.t.Errorf("%s %s: status %d\n%s", r.Method, r.URL, w.Code, s.log)
	}
	if !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none';") || w.Header().Get("Cache-Control") != "no-store" {
		s.t.Errorf("%s %s: an answer without its headers: %v", r.Method, r.URL, w.Header())
	}
	for where, text := range map[string]string{"page": w.Body.String(), "address": w.Header().Get("Location"), "log": s.log.String()} {
		if strings.Contains(text, token) {
			s.t.Errorf("the workflow's token is in the %s", where)
		}
	}
	return w
}

func (s *site) get(who, path string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Visitor", who)
	return s.send(r)
}

// post sends a form as a browser would from this site.
func (s *site) post(who, path string, form url.Values) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.send(formRequest(who, path, form))
}

func formRequest(who, path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Visitor", who)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

var formToken = regexp.MustCompile(`name="token" value="([^"]+)"`)

// form is what a person sends who fills in the form of a request.
func (s *site) form(who, id, plan, decision string) url.Values {
	s.t.Helper()
	out := url.Values{"plan": {plan}, "decision": {decision}, "reason": {"as agreed"}}
	if m := formToken.FindStringSubmatch(s.get(who, "/approvals/"+id).Body.String()); m != nil {
		out.Set("token", m[1])
	}
	return out
}

// state is how a request stands, and how many decisions it has.
func (s *site) state(id string) (approval.State, int) {
	s.t.Helper()
	r, err := s.desk.Show(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.State, len(r.Decisions)
}

// undecided fails the test where anything was decided.
func (s *site) undecided(id string) {
	s.t.Helper()
	if state, n := s.state(id); state != approval.Waiting || n != 0 {
		s.t.Errorf("the request is %s, with %d decisions", state, n)
	}
	if n, err := ledger.Verify(s.ledger.Entries(s.t.Context(), 1), nil); err != nil || n != 1 {
		s.t.Errorf("the ledger has %d entries, want 1 of the question: %v", n, err)
	}
	if len(s.flow.tokens) != 0 {
		s.t.Error("the workflow was told to go on")
	}
}
