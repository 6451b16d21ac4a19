package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"plumbline/approval"
	"plumbline/approval/identity"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/approvalpage"
	"plumbline/internal/awsaccount"
	"plumbline/internal/cli"
	"plumbline/ledger"
)

type told struct{}

func (told) Decided(context.Context, string) error { return nil }

// gatewayOf stands in for API Gateway's route for AWS's principals: it lets a
// request through whose signature is right, as the principal of its key.
func gatewayOf(t *testing.T, page http.Handler) *httptest.Server {
	keys := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "session"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		again, _ := http.NewRequest(r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
		for _, name := range []string{"Accept", "Content-Type"} {
			again.Header.Set(name, r.Header.Get(name))
		}
		sum := sha256.Sum256(body)
		if err == nil {
			err = v4.NewSigner().SignHTTP(t.Context(), keys, again, hex.EncodeToString(sum[:]), "execute-api", "eu-west-1", at)
		}
		if err != nil || again.Header.Get("Authorization") != r.Header.Get("Authorization") || r.Header.Get("X-Amz-Security-Token") != "session" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"Forbidden"}`)
			return
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/aws")
		r.Body = io.NopCloser(bytes.NewReader(body))
		page.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestApprovalsOnAWS: list, show and decide by a signed request, as the principal
// that AWS finds behind it.
func TestApprovalsOnAWS(t *testing.T) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session", "AWS_REGION": "eu-west-1", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"} {
		t.Setenv(name, value)
	}
	principal := "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_0123456789abcdef/bob@example.com"
	plans := &blob.Memory{}
	src := blob.Raw(`{"Plan":{"Rule":"r","Message":"it is open","Diff":["- A: 1","+ A: 2"],"Before":{},"After":{},"ReferredBy":["Server"],"Breaks":"Clients."},"Why":["it cuts traffic"]}`)
	sum := sha256.Sum256(src)
	plan := hex.EncodeToString(sum[:])
	if _, err := plans.Put(t.Context(), "changes/"+plan+".json", src); err != nil {
		t.Fatal(err)
	}
	desk := &approval.Desk{Store: &approval.Memory{}, Ledger: &ledger.Ledger{Store: &ledger.Memory{}}, Callback: told{}}
	id, err := desk.Ask(t.Context(), approval.Request{Plan: plan, Rule: "r", Severity: finding.High, Resource: finding.Resource{LogicalID: "Group", Type: "AWS::EC2::SecurityGroup"}, Requester: "ann@example.com", Groups: []string{"aws:Approvers"}, Expires: time.Now().Add(time.Hour), Token: "task-token"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	site := gatewayOf(t, approvalpage.Handler(approvalpage.Config{Desk: desk, Plans: plans, Identify: func(*http.Request) (approvalpage.Visitor, error) {
		who, err := identity.OfPrincipal(principal)
		return approvalpage.Visitor{Person: who, Explicit: true}, err
	}}))
	run := func(want int, says string, args ...string) {
		t.Helper()
		var out, said bytes.Buffer
		code := cli.Main(append([]string{"approvals"}, args...), cli.Streams{Accounts: awsaccount.Open, In: strings.NewReader(""), Out: &out, Err: &said, Env: func(string) string { return "" }})
		if text := out.String() + said.String(); code != want || !strings.Contains(text, says) || strings.Contains(text, "task-token") {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s", args, code, want, says, text)
		}
	}
	at := []string{"--url", site.URL + "/approvals"}
	run(0, plan[:12]+"  high  r  Group", slices.Concat([]string{"list"}, at)...)
	run(0, "referred to by: Server", slices.Concat([]string{"show", id}, at)...)
	run(2, "the approval page answers 404", slices.Concat([]string{"show", strings.Repeat("A", 43)}, at)...)
	run(2, "--plan HASH is missing", slices.Concat([]string{"approve", id, "--reason", "x"}, at)...)
	run(2, "the request is about plan "+plan[:12], slices.Concat([]string{"approve", id, "--reason", "x", "--plan", "000000000000"}, at)...)
	principal = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_0123456789abcdef/ann@example.com"
	run(2, "somebody else must decide", slices.Concat([]string{"approve", id, "--reason", "x", "--plan", plan[:12]}, at)...)
	principal = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Approvers_0123456789abcdef/bob@example.com"
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	run(2, "403: Forbidden", slices.Concat([]string{"approve", id, "--reason", "x", "--plan", plan[:12]}, at)...)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	run(0, plan[:12]+"  approved", slices.Concat([]string{"approve", id, "--reason", "as agreed", "--plan", plan[:12]}, at)...)
	run(2, "request is approved already", slices.Concat([]string{"deny", id, "--reason", "x", "--plan", plan[:12]}, at)...)
	run(2, "no https address", "list", "--url", "http://example.com")
}
