package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestApprovalPage: which routes there are, who checks who calls, and which
// function answers.
func TestApprovalPage(t *testing.T) {
	s := everything()[suiteStack]
	authorizers := s.of("AWS::ApiGatewayV2::Authorizer")
	if len(authorizers) != 1 {
		t.Fatalf("%d authorizers", len(authorizers))
	}
	for _, a := range authorizers {
		if got := text(a.Properties["JwtConfiguration"]); got != `{"Audience":["plumbline"],"Issuer":"https://id.example.com"}` || a.Properties["AuthorizerType"] != "JWT" || text(a.Properties["IdentitySource"]) != `["$request.header.Authorization"]` {
			t.Errorf("tokens are checked by %s", text(a.Properties))
		}
	}
	answers := map[string]string{} // by integration, the function
	for id, i := range s.of("AWS::ApiGatewayV2::Integration") {
		f, _ := items(at(i.Properties["IntegrationUri"], "Fn::GetAtt"))[0].(string)
		answers[id], _ = s.Resources[f].Properties["FunctionName"].(string)
		if i.Properties["PayloadFormatVersion"] != "2.0" {
			t.Errorf("%s: payload format %v", id, i.Properties["PayloadFormatVersion"])
		}
	}
	got := map[string]string{}
	for id, r := range s.of("AWS::ApiGatewayV2::Route") {
		key, _ := r.Properties["RouteKey"].(string)
		kind, _ := r.Properties["AuthorizationType"].(string)
		if authorizer, _ := at(r.Properties["AuthorizerId"], "Ref").(string); (kind == "JWT") != (authorizers[authorizer].Type != "") {
			t.Errorf("%s: authorizer %q of type %s", key, authorizer, kind)
		}
		function := ""
		for i, f := range answers {
			if strings.Contains(text(r.Properties["Target"]), `"`+i+`"`) {
				function = f
			}
		}
		if function == "" {
			t.Errorf("%s: %s leads nowhere: %s", id, key, text(r.Properties["Target"]))
		}
		got[key] = kind + " " + function
	}
	want := map[string]string{
		"GET /approvals": "NONE PlumblineApprovalPage", "GET /approvals/{id}": "NONE PlumblineApprovalPage", "POST /approvals/{id}": "NONE PlumblineApprovalPage",
		"GET /api/approvals": "JWT PlumblineApprovalPage", "GET /api/approvals/{id}": "JWT PlumblineApprovalPage", "POST /api/approvals/{id}": "JWT PlumblineApprovalPage",
		"GET /aws/approvals": "AWS_IAM PlumblineApprovalPage", "GET /aws/approvals/{id}": "AWS_IAM PlumblineApprovalPage", "POST /aws/approvals/{id}": "AWS_IAM PlumblineApprovalPage",
		"GET /sign-in": "NONE PlumblineSignIn", "GET /sign-in/callback": "NONE PlumblineSignIn", "POST /sign-out": "NONE PlumblineSignIn",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got)\n%s", diff)
	}
	for id, x := range s.of("AWS::ApiGatewayV2::Stage") {
		format, _ := at(x.Properties["AccessLogSettings"], "Format").(string)
		for _, kept := range []string{"$context.path", "$context.protocol", "rawPath", "query", "header", "claims", "userArn"} {
			if strings.Contains(format, kept) {
				t.Errorf("%s: the log has %s, which may have an id or a token", id, kept)
			}
		}
		for _, needed := range []string{"$context.requestId", "$context.routeKey", "$context.status", "$context.identity.sourceIp"} {
			if !strings.Contains(format, needed) {
				t.Errorf("%s: the log lacks %s", id, needed)
			}
		}
		if rate, _ := at(x.Properties["DefaultRouteSettings"], "ThrottlingRateLimit").(float64); rate < 1 || rate > 100 {
			t.Errorf("%s: %v calls a second", id, rate)
		}
	}
	if n := len(s.of("AWS::ApiGatewayV2::Stage")); n != 1 {
		t.Errorf("%d stages", n)
	}
	ask := functionNamed(t, s, "AskApproval")
	if url := text(at(ask.Properties["Environment"], "Variables", "APPROVAL_URL")); !strings.Contains(url, ".execute-api.us-east-1.") || !strings.Contains(url, `/approvals/"`) {
		t.Errorf("people are sent to %s", url)
	}
}

// TestSignInReachesNothing but sessions: it is where the Internet is.
func TestSignInReachesNothing(t *testing.T) {
	s := everything()[suiteStack]
	for a := range allowed(s, roleOf(functionNamed(t, s, "SignIn"), "Role")) {
		service, _, _ := strings.Cut(a, ":")
		if !slices.Contains([]string{"dynamodb", "kms", "logs", "sqs", "xray"}, service) || service == "dynamodb" && !strings.HasPrefix(a, "dynamodb:PutItem") && !strings.HasPrefix(a, "dynamodb:DeleteItem") {
			t.Errorf("SignIn may %s", a)
		}
	}
	limited := 0
	for _, p := range s.of("AWS::IAM::Policy") {
		if !strings.Contains(text(p.Properties["Roles"]), roleOf(functionNamed(t, s, "SignIn"), "Role")) {
			continue
		}
		for _, statement := range items(at(p.Properties["PolicyDocument"], "Statement")) {
			if !strings.Contains(text(at(statement, "Action")), "dynamodb:") {
				continue
			}
			limited++
			if got := text(at(statement, "Condition")); got != `{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"session#*"},"Null":{"dynamodb:LeadingKeys":"false"}}` {
				t.Errorf("SignIn writes rows under %s", got)
			}
		}
	}
	if limited != 2 {
		t.Errorf("%d statements on tables", limited)
	}
}

// TestWithoutAnIssuer there is no page; without changes there is nothing to
// look after.
func TestWithoutAnIssuer(t *testing.T) {
	for keys, want := range map[string][2]int{ // APIs, and functions that schedules call for approvals
		`"remediation":"on"`: {0, 2},
		`"oidc":{"issuer":"https://id.example.com","clientId":"p"}`: {0, 0},
	} {
		for name, s := range with(t, keys) {
			if !strings.HasPrefix(name, "PlumblineSuite") {
				continue
			}
			called := 0
			for _, f := range s.of("AWS::Lambda::Function") {
				if name := f.Properties["FunctionName"]; name == "PlumblineSweepApprovals" || name == "PlumblineAnchorLedger" {
					called++
				}
			}
			if got := [2]int{len(s.of("AWS::ApiGatewayV2::Api")), called}; got != want {
				t.Errorf("%s: %s has %v APIs and sweeps, want %v", keys, name, got, want)
			}
		}
	}
}

// TestSweeps: schedules call the functions that look after requests and the
// ledger, and may.
func TestSweeps(t *testing.T) {
	s := everything()[suiteStack]
	got := map[string]string{}
	for id, r := range s.of("AWS::Events::Rule") {
		for _, target := range items(r.Properties["Targets"]) {
			arn := items(at(target, "Arn", "Fn::GetAtt"))
			if len(arn) == 0 {
				continue
			}
			f, _ := arn[0].(string)
			name, _ := s.Resources[f].Properties["FunctionName"].(string)
			if name != "PlumblineSweepApprovals" && name != "PlumblineAnchorLedger" {
				continue
			}
			got[name], _ = r.Properties["ScheduleExpression"].(string)
			if at(target, "DeadLetterConfig", "Arn") == nil {
				t.Errorf("%s: what fails is lost", id)
			}
			may := false
			for _, p := range s.of("AWS::Lambda::Permission") {
				may = may || strings.Contains(text(p.Properties["FunctionName"]), `"`+f+`"`) && strings.Contains(text(p.Properties["SourceArn"]), `"`+id+`"`)
			}
			if !may {
				t.Errorf("%s may not call %s", id, name)
			}
		}
	}
	if diff := cmp.Diff(map[string]string{"PlumblineSweepApprovals": "rate(15 minutes)", "PlumblineAnchorLedger": "cron(30 2 * * ? *)"}, got); diff != "" {
		t.Errorf("schedules (-want +got)\n%s", diff)
	}
}
