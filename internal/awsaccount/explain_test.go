package awsaccount_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumbline/internal/account"
	"plumbline/internal/awsaccount"
	"plumbline/internal/awsfake"
)

// TestRefusals: whatever AWS refuses a call with, a person is told what is
// missing and what to do, in the words of a scan and of the doctor.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name, role, code, message string
		want                      string
	}{
		{"expired", "", "ExpiredToken", "The security token included in the request is expired", "sign in again"},
		{"no such credentials", "", "InvalidClientTokenId", "The security token included in the request is invalid.", "or the region is not enabled"},
		{"a region that is not enabled", "", "OptInRequired", "You are not subscribed to this service", "the region is not enabled for this account"},
		{"another clock", "", "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z", "clock is wrong"},
		{"a permission", "", "AccessDenied", "User: arn:aws:iam::1:user/a is not authorized to perform: cloudformation:ListStacks on resource: *", "permission cloudformation:ListStacks is missing"},
		{"a role", "arn:aws:iam::444455556666:role/Audit", "AccessDenied", "User: a is not authorized to perform: sts:AssumeRole on resource: b", "trust policy"},
		{"something else", "", "ValidationError", "No such thing.", "ValidationError: No such thing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte("<ErrorResponse><Error><Type>Sender</Type><Code>" + tc.code + "</Code><Message>" + tc.message + "</Message></Error><RequestId>r</RequestId></ErrorResponse>"))
			}))
			defer server.Close()
			for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"} {
				t.Setenv(name, value)
			}
			a, err := awsaccount.Open(t.Context(), account.Options{Regions: []string{"eu-west-1"}, Role: tc.role})
			if err != nil {
				t.Fatal(err)
			}
			_, err = a.Targets(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "operation error") || !strings.Contains(err.Error(), "region eu-west-1: list stacks") {
				t.Errorf("a scan says: %v\nwant …%s…", err, tc.want)
			}
			checks := a.Diagnose(t.Context())
			if len(checks) != 1 || checks[0].Status != account.Problem || !strings.Contains(checks[0].Says, tc.want) {
				t.Errorf("the doctor says: %+v\nwant …%s…", checks, tc.want)
			}
		})
	}
}

// TestProfile: a profile that is not there is told by its name.
func TestProfile(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	_, err := awsaccount.Open(t.Context(), account.Options{Regions: []string{"eu-west-1"}, Profile: "audti"})
	if err == nil || !strings.Contains(err.Error(), `profile "audti" is in none of AWS's configuration files`) {
		t.Errorf("said: %v", err)
	}
}

// TestOneRegionOfTwo: a region that cannot be read costs its own stacks.
func TestOneRegionOfTwo(t *testing.T) {
	there := &awsfake.Account{ID: "111122223333", Region: "eu-west-1", Stacks: []*awsfake.Stack{{Name: "Shop", Template: "{}"}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
			there.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<ErrorResponse><Error><Type>Sender</Type><Code>OptInRequired</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"))
	}))
	defer server.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"} {
		t.Setenv(name, value)
	}
	a, err := awsaccount.Open(t.Context(), account.Options{Regions: []string{"ap-east-1", "eu-west-1"}})
	if err != nil {
		t.Fatal(err)
	}
	targets, err := a.Targets(t.Context())
	if len(targets) != 1 || targets[0].Stack != "Shop" || err == nil || !strings.Contains(err.Error(), "region ap-east-1: list stacks") {
		t.Errorf("targets are %+v, and the error %v", targets, err)
	}
}
