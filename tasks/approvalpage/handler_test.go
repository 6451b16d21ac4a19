package approvalpage_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/approval/identity"
	"plumbline/tasks/approvalpage"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func token(change func(map[string]any)) string {
	c := map[string]any{
		"iss": "https://id.example", "aud": "plumbline", "sub": "42", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
		"email": "bob@example.com", "email_verified": true, "groups": []string{"not security", "staff"},
	}
	if change != nil {
		change(c)
	}
	src, _ := json.Marshal(c)
	return "e30." + base64.RawURLEncoding.EncodeToString(src) + ".c2ln"
}

// call is what the gateway calls the function with once it has checked a token.
func call(path, raw string) events.APIGatewayV2HTTPRequest {
	in := events.APIGatewayV2HTTPRequest{RawPath: path, Headers: map[string]string{"authorization": "Bearer " + raw, "accept": "text/html"}, Cookies: []string{"__Host-plumbline-session=x"}}
	in.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: map[string]string{
		"iss": "https://id.example", "aud": "plumbline", "sub": "42", "exp": fmt.Sprint(now.Add(time.Minute).Unix()), "iat": "1.7723556e+09", "email": "bob@example.com", "groups": "[not security staff]",
	}}}
	return in
}

func signed(arn string) events.APIGatewayV2HTTPRequest {
	in := events.APIGatewayV2HTTPRequest{RawPath: "/aws/approvals/x"}
	in.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: arn}}
	return in
}

// TestWhoCalls: whom the page is told of, and by which path; or how a call is
// refused that must not reach the page.
func TestWhoCalls(t *testing.T) {
	without := func(in events.APIGatewayV2HTTPRequest, path string) events.APIGatewayV2HTTPRequest {
		in.RequestContext.Authorizer = nil
		in.RawPath = path
		return in
	}
	bob := &approval.Person{Name: "bob@example.com", Groups: []string{"not security", "staff"}}
	for name, row := range map[string]struct {
		in     events.APIGatewayV2HTTPRequest
		who    *approval.Person
		path   string // "": refused
		status int
	}{
		"a token":                                  {call("/api/approvals/x", token(nil)), bob, "/approvals/x", 0},
		"a browser":                                {without(call("", ""), "/approvals/x"), nil, "/approvals/x", 0},
		"a browser with somebody's token":          {without(call("", token(nil)), "/approvals/x"), nil, "/approvals/x", 0},
		"a token on a browser's route":             {call("/approvals/x", token(nil)), nil, "/approvals/x", 0},
		"a token that nobody has checked":          {without(call("", token(nil)), "/api/approvals/x"), nil, "", 401},
		"a checked token, and another":             {call("/api/approvals/x", token(func(c map[string]any) { c["sub"] = "43" })), nil, "", 401},
		"a checked token, and another's email":     {call("/api/approvals/x", token(func(c map[string]any) { c["email"] = "eve@example.com" })), nil, "", 401},
		"an expired token":                         {call("/api/approvals/x", token(func(c map[string]any) { c["exp"] = now.Unix() })), nil, "", 401},
		"a token for another client":               {call("/api/approvals/x", token(func(c map[string]any) { c["aud"] = "other" })), nil, "", 401},
		"a token of another issuer":                {call("/api/approvals/x", token(func(c map[string]any) { c["iss"] = "https://evil.example" })), nil, "", 401},
		"a token of an email that is not verified": {call("/api/approvals/x", token(func(c map[string]any) { c["email_verified"] = false })), nil, "", 401},
		"no token":                                 {call("/api/approvals/x", ""), nil, "", 401},
		"IAM for a token's route": {func() events.APIGatewayV2HTTPRequest {
			in := signed("arn:aws:iam::111122223333:user/ann")
			in.RawPath = "/api/approvals/x"
			return in
		}(), nil, "", 401},
		"a token for IAM's route":      {call("/aws/approvals/x", token(nil)), nil, "", 401},
		"a user of IAM":                {signed("arn:aws:iam::111122223333:user/ann"), &approval.Person{Name: "arn:aws:iam::111122223333:user/ann"}, "/approvals/x", 0},
		"a session of Identity Center": {signed("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_0123456789abcdef/ann@example.com"), &approval.Person{Name: "ann@example.com", Groups: []string{"aws:Approvers"}}, "/approvals/x", 0},
		"a session that names itself":  {signed("arn:aws:sts::111122223333:assumed-role/Deploy/ann@example.com"), nil, "", 403},
		"a request that is not signed": {signed(""), nil, "", 401},
		"a route beside the prefix":    {call("/apis/approvals/x", token(nil)), nil, "/apis/approvals/x", 0},
	} {
		t.Run(name, func(t *testing.T) {
			called := false
			h := approvalpage.New(func(_ context.Context, in events.APIGatewayV2HTTPRequest, who *approval.Person) (events.APIGatewayV2HTTPResponse, error) {
				called = true
				if diff := cmp.Diff(row.who, who); diff != "" || in.RawPath != row.path {
					t.Errorf("path %q (-want +got)\n%s", in.RawPath, diff)
				}
				if who != nil && (len(in.Cookies) > 0 || in.Headers["Accept"] != "application/json" || strings.Contains(fmt.Sprint(in.Headers), "Bearer")) {
					t.Errorf("a program's call has cookies %v, headers %v", in.Cookies, in.Headers)
				}
				return events.APIGatewayV2HTTPResponse{StatusCode: 200}, nil
			}, identity.Expected{Issuer: "https://id.example", ClientID: "plumbline"}, func() time.Time { return now })
			out, err := h.Handle(t.Context(), row.in)
			if err != nil || called != (row.path != "") {
				t.Fatalf("the page is called: %v, %v", called, err)
			}
			if !called && (out.StatusCode != row.status || !strings.Contains(out.Body, "nothing was decided") || strings.Contains(out.Body, "e30.")) {
				t.Errorf("status %d, want %d: %s", out.StatusCode, row.status, out.Body)
			}
		})
	}
}
