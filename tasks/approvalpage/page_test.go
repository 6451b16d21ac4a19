package approvalpage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"plumbline/approval"
	"plumbline/approval/identity"
	"plumbline/blob"
	"plumbline/finding"
	page "plumbline/internal/approvalpage"
	"plumbline/internal/gateway"
	"plumbline/internal/signin/session"
	"plumbline/ledger"
	"plumbline/tasks"
	"plumbline/tasks/approvalpage"
)

type callback struct{ tokens []string }

func (c *callback) Decided(_ context.Context, token string) error {
	c.tokens = append(c.tokens, token)
	return nil
}

// function is the function as its main puts it together, on stores in memory.
type function struct {
	t        *testing.T
	call     tasks.Func
	desk     *approval.Desk
	told     *callback
	sessions *identity.Memory
	id, plan string
}

func newFunction(t *testing.T) *function {
	clock := func() time.Time { return now }
	f := &function{t: t, told: &callback{}, sessions: &identity.Memory{}}
	f.desk = &approval.Desk{Store: &approval.Memory{}, Ledger: &ledger.Ledger{Store: &ledger.Memory{}, Now: clock}, Callback: f.told, Now: clock}
	plans := &blob.Memory{}
	src := blob.Raw(`{"Plan":{"Rule":"r","Message":"it is open","Diff":["+ A: 1"],"Before":{},"After":{}},"Why":["it cuts traffic"]}`)
	sum := sha256.Sum256(src)
	f.plan = hex.EncodeToString(sum[:])
	if _, err := plans.Put(t.Context(), "changes/"+f.plan+".json", src); err != nil {
		t.Fatal(err)
	}
	var err error
	if f.id, err = f.desk.Ask(t.Context(), approval.Request{Plan: f.plan, Rule: "r", Resource: finding.Resource{LogicalID: "Group"}, Requester: "ann@example.com", Groups: []string{"staff", "aws:Approvers"}, Expires: now.Add(time.Hour), Token: "task-token"}, nil); err != nil {
		t.Fatal(err)
	}
	byCookie := session.ByCookie(f.sessions, "", clock)
	h := page.Handler(page.Config{
		Desk: f.desk, Plans: plans, SignIn: session.InPath, SignOut: session.OutPath, Now: clock,
		Identify: func(r *http.Request) (page.Visitor, error) {
			if who, ok := gateway.Caller(r.Context()); ok {
				return page.Visitor{Person: who, Explicit: true}, nil
			}
			return byCookie(r)
		},
	})
	f.call = tasks.Of(approvalpage.New(func(ctx context.Context, in events.APIGatewayV2HTTPRequest, who *approval.Person) (events.APIGatewayV2HTTPResponse, error) {
		return gateway.Serve(ctx, h, in, who)
	}, identity.Expected{Issuer: "https://id.example", ClientID: "plumbline"}, clock).Handle)
	return f
}

// send calls the function with an event as API Gateway writes it.
func (f *function) send(event map[string]any) events.APIGatewayV2HTTPResponse {
	f.t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		f.t.Fatal(err)
	}
	answer, err := f.call(f.t.Context(), payload)
	if err != nil {
		f.t.Fatal(err)
	}
	var out events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &out); err != nil {
		f.t.Fatal(err)
	}
	if strings.Contains(string(answer), "task-token") {
		f.t.Error("the workflow's token is in an answer")
	}
	return out
}

// event is one of API Gateway's. Source: API Gateway Developer Guide, "Working
// with AWS Lambda proxy integrations for HTTP APIs", payload format version 2.0.
func event(method, path, body string, authorizer map[string]any) map[string]any {
	context := map[string]any{
		"accountId": "111122223333", "apiId": "api-id", "domainName": "api-id.execute-api.us-east-1.amazonaws.com", "domainPrefix": "api-id", "requestId": "r", "stage": "$default", "timeEpoch": 1583348638390,
		"http": map[string]any{"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "agent"},
	}
	if authorizer != nil {
		context["authorizer"] = authorizer
	}
	return map[string]any{"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": map[string]any{"sec-fetch-site": "same-origin"}, "requestContext": context, "body": body, "isBase64Encoded": false}
}

func set(e map[string]any, name, value string) map[string]any {
	e["headers"].(map[string]any)[name] = value
	return e
}

func (f *function) decided(want bool) {
	f.t.Helper()
	r, err := f.desk.Show(f.t.Context(), f.id)
	if err != nil || (r.State == approval.Approved) != want || (len(f.told.tokens) == 1) != want {
		f.t.Errorf("the request is %s, the workflow told %d times: %v", r.State, len(f.told.tokens), err)
	}
}

// TestABrowserDecides by the session that SignIn opened, and not without.
func TestABrowserDecides(t *testing.T) {
	f := newFunction(t)
	at := "/approvals/" + f.id
	if out := f.send(event("GET", at, "", nil)); out.StatusCode != http.StatusSeeOther || out.Headers["location"] != "/sign-in" || len(out.Cookies) != 1 {
		t.Errorf("signed out: %+v", out)
	}
	cookie := strings.Repeat("c", 43)
	if err := f.sessions.Open(t.Context(), identity.Session{ID: identity.SessionID(cookie), Person: approval.Person{Name: "bob@example.com", Groups: []string{"staff"}}, Expires: now.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	with := func(e map[string]any) map[string]any {
		e["cookies"] = []string{session.Cookie + "=" + cookie}
		return e
	}
	shown := f.send(with(event("GET", at, "", nil)))
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(shown.Body)
	if shown.StatusCode != http.StatusOK || token == nil || !strings.Contains(shown.Body, "it cuts traffic") {
		t.Fatalf("shown: %d %s", shown.StatusCode, shown.Body)
	}
	form := url.Values{"plan": {f.plan}, "decision": {"approve"}, "reason": {"agreed"}, "token": {token[1]}}.Encode()
	f.send(set(with(event("POST", at, form, nil)), "content-type", "text/plain"))
	f.send(set(set(with(event("POST", at, form, nil)), "content-type", "application/x-www-form-urlencoded"), "sec-fetch-site", "cross-site"))
	f.send(set(event("POST", at, form, nil), "content-type", "application/x-www-form-urlencoded"))
	f.decided(false)
	if out := f.send(set(with(event("POST", at, form, nil)), "content-type", "application/x-www-form-urlencoded")); out.StatusCode != http.StatusSeeOther {
		t.Errorf("%+v", out)
	}
	f.decided(true)
}

// TestAProgramDecides by a token that the gateway has checked, or as a principal
// that IAM has found; the body may come in base64.
func TestAProgramDecides(t *testing.T) {
	for name, row := range map[string]struct {
		path       string
		header     string
		authorizer map[string]any
		status     int
	}{
		"a token":                 {"/api", "Bearer " + token(nil), map[string]any{"jwt": map[string]any{"claims": map[string]string{"iss": "https://id.example", "sub": "42"}, "scopes": nil}}, http.StatusOK},
		"a token of who asked":    {"/api", "Bearer " + token(func(c map[string]any) { c["email"] = "ann@example.com" }), map[string]any{"jwt": map[string]any{"claims": map[string]string{"sub": "42"}}}, http.StatusForbidden},
		"a token, unchecked":      {"/api", "Bearer " + token(nil), nil, http.StatusUnauthorized},
		"a token elsewhere":       {"", "Bearer " + token(nil), map[string]any{"jwt": map[string]any{"claims": map[string]string{"sub": "42"}}}, http.StatusUnauthorized},
		"a principal":             {"/aws", "", map[string]any{"iam": map[string]any{"userArn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_0123456789abcdef/bob@example.com"}}, http.StatusOK},
		"the principal who asked": {"/aws", "", map[string]any{"iam": map[string]any{"userArn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_0123456789abcdef/ann@example.com"}}, http.StatusForbidden},
		"a principal of no group": {"/aws", "", map[string]any{"iam": map[string]any{"userArn": "arn:aws:iam::111122223333:user/bob"}}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFunction(t)
			body := `{"plan":"` + f.plan + `","decision":"approve","reason":"agreed"}`
			e := set(event("POST", row.path+"/approvals/"+f.id, body, row.authorizer), "content-type", "application/json")
			set(e, "authorization", row.header)
			set(e, "accept", "application/json")
			if out := f.send(e); out.StatusCode != row.status || strings.Contains(out.Body, "e30.") {
				t.Errorf("status %d, want %d: %s", out.StatusCode, row.status, out.Body)
			}
			f.decided(row.status == http.StatusOK)
		})
	}
}

// FuzzEvents: whatever the gateway may be made to send, nothing is decided, and
// nothing panics.
func FuzzEvents(f *testing.F) {
	for _, path := range []string{"/approvals/x", "/api/approvals/x", "/aws/approvals/x", "/aws//approvals", "/api/../approvals", "", "%"} {
		f.Add("POST", path, `{"plan":"p"}`, "Bearer "+token(nil), "a=b", true)
	}
	f.Fuzz(func(t *testing.T, method, path, body, authorization, cookie string, base64 bool) {
		fn := newFunction(t)
		e := set(set(event(method, path, body, nil), "authorization", authorization), "content-type", "application/json")
		e["cookies"], e["isBase64Encoded"] = []string{cookie}, base64
		fn.send(e)
		fn.decided(false)
	})
}
