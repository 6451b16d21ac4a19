//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// exposed is a group through which anybody reaches a remote desktop, which the
// tests' policy has people decide on.
const exposed = `{"Resources": {"Desktop": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "remote desktop", "VpcId": "vpc-1",
  "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "CidrIp": "0.0.0.0/0"}]}}}}`

// remoteDesktop is the rule that exposed breaks.
const remoteDesktop = "ec2-security-group-open-rdp"

// site is the approval page of a region, as a program calls it.
type site struct {
	emulator, host string
}

func (r *region) site(t *testing.T) site {
	t.Helper()
	outputs, err := r.outputs(t.Context(), "PlumblineSuite")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range outputs {
		if u, err := url.Parse(address); err == nil && strings.HasSuffix(u.Path, "/approvals") {
			id, _, _ := strings.Cut(u.Host, ".")
			return site{suite.stack.url, id + ".execute-api.localhost"}
		}
	}
	t.Fatalf("no output of the suite is the page's address: %v", outputs)
	return site{}
}

// call calls the page; token "": without one.
func (s site) call(t *testing.T, method, path, token string, body any) (status int, answer string) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.emulator+path, strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = s.host
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	out, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return out.StatusCode, string(text)
}

// signed is a person's token.
func signed(t *testing.T, mail string, change func(map[string]any)) string {
	t.Helper()
	token, err := suite.people.issuer.token(mail, []string{"staff"}, change)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

var requestID = regexp.MustCompile(`/approvals/([A-Za-z0-9_-]{20,})`)

// asked waits for the message that asks about a stack, and gives the id in it.
func asked(t *testing.T, boxes *mailboxes, stack string) string {
	t.Helper()
	id := ""
	until(t, 60*time.Second, func() error {
		for _, about := range []string{stack, ""} {
			for _, l := range boxes.letters(t, about) {
				if m := requestID.FindStringSubmatch(l.Body); m != nil && strings.Contains(l.Subject+l.Body, stack) {
					id = m[1]
					return nil
				}
			}
		}
		return fmt.Errorf("nobody was asked about %s: %+v", stack, boxes.read)
	})
	return id
}

// shown is what the page says of a request.
type shown struct {
	Plan, State string
	Missing     int
	Diff        []string
}

func (s site) show(t *testing.T, id, token string) shown {
	t.Helper()
	status, body := s.call(t, http.MethodGet, "/api/approvals/"+id, token, nil)
	var out shown
	if err := json.Unmarshal([]byte(body), &out); status != http.StatusOK || err != nil || out.Plan == "" {
		t.Fatalf("the page answers %d %s", status, body)
	}
	return out
}

// open reports whether the group is open to everybody, by what the emulator says of it.
func (r *region) open(t *testing.T, group string) bool {
	t.Helper()
	b, err := query(t.Context(), suite.stack.url, "ec2", r.name, url.Values{"Action": {"DescribeSecurityGroups"}, "Version": {"2016-11-15"}, "GroupId.1": {group}})
	if err != nil {
		t.Fatal(err)
	}
	ingress, _, _ := strings.Cut(b, "<ipPermissionsEgress>")
	return strings.Contains(ingress, "0.0.0.0/0")
}

// ask has a scan find an exposed group, and people asked about it.
func ask(t *testing.T, r *region, stack string) (id, group string) {
	t.Helper()
	boxes := subscribe(t, r)
	arn := r.put(t, stack, exposed)
	r.scan(t, "ScanStack", stackChanged(r, arn, "CREATE_COMPLETE", time.Now()))
	return asked(t, boxes, stack), r.physical(t, stack, "Desktop")
}

// decide sends a person's decision.
func (s site) decide(t *testing.T, id, mail, plan, decision string) (int, string) {
	t.Helper()
	return s.call(t, http.MethodPost, "/api/approvals/"+id, signed(t, mail, nil), map[string]string{"plan": plan, "decision": decision, "reason": "as agreed on Tuesday"})
}

// TestApproval: a change that cuts somebody off waits until two people, as
// nobody knows who asked, have approved the plan that they were shown, over
// HTTP with tokens of the organisation's issuer. Nobody else's word moves it.
func TestApproval(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id, group := ask(t, r, "Desk")
	page := r.site(t)
	foreign, err := newIssuer()
	if err != nil {
		t.Fatal(err)
	}
	foreign.url = suite.people.issuer.url
	forged, err := foreign.token("mallory@example.com", []string{"staff"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ann := signed(t, "ann@example.com", nil)
	plan := page.show(t, id, ann)
	if plan.Missing != 2 || len(plan.Diff) == 0 {
		t.Errorf("the page shows %+v, want a difference, and two people missing", plan)
	}
	approve := map[string]string{"plan": plan.Plan, "decision": "approve", "reason": "because"}
	for name, tc := range map[string]struct {
		id, token string
		body      map[string]string
	}{
		"no token":         {id, "", approve},
		"a forged token":   {id, forged, approve},
		"an expired one":   {id, signed(t, "mallory@example.com", func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }), approve},
		"another client's": {id, signed(t, "mallory@example.com", func(c map[string]any) { c["aud"] = "payroll" }), approve},
		"a guessed id":     {strings.Repeat("A", len(id)), ann, approve},
		"another plan":     {id, ann, map[string]string{"plan": strings.Repeat("0", 64), "decision": "approve", "reason": "because"}},
		"no reason":        {id, ann, map[string]string{"plan": plan.Plan, "decision": "approve", "reason": " "}},
	} {
		if status, body := page.call(t, http.MethodPost, "/api/approvals/"+tc.id, tc.token, tc.body); status < 400 || status >= 500 {
			t.Errorf("%s: answered by %d %s, want a refusal", name, status, body)
		}
	}
	if status, body := page.decide(t, id, "ann@example.com", plan.Plan, "approve"); status != http.StatusOK {
		t.Errorf("the first approval was answered by %d %s", status, body)
	}
	if got := page.show(t, id, ann); got.Missing != 1 {
		t.Errorf("after one approval the page shows %+v, want one person missing", got)
	}
	if status, body := page.decide(t, id, "ann@example.com", plan.Plan, "approve"); page.show(t, id, ann).Missing != 1 {
		t.Errorf("one person's second approval counted: %d %s", status, body)
	}
	if !r.open(t, group) || len(r.changesOf(t, "RemediateFinding", group)) > 0 {
		t.Error("the group was changed before two people had approved")
	}
	if status, body := page.decide(t, id, "bob@example.com", plan.Plan, "approve"); status != http.StatusOK {
		t.Errorf("the second approval was answered by %d %s", status, body)
	}
	made := r.changes(t, "RemediateFinding", group, 1)[remoteDesktop]
	if ended, _ := outcome(t, made); ended != "applied" || r.open(t, group) {
		t.Errorf("the change ended as %q, and the group is open: %v: %s", ended, r.open(t, group), aws.ToString(made.Output))
	}
	if status, _ := page.decide(t, id, "carl@example.com", plan.Plan, "deny"); status < 400 {
		t.Errorf("a decision after the end was answered by %d", status)
	}
	if got := of(r.rows(t, "Desk"), remoteDesktop, "Desktop").text("status"); got != "in-remediation" {
		t.Errorf("the violation is %s", got)
	}
	checkLedger(t, r)
}

// checkLedger has the ledger verified, whose head is kept in a bucket of its own.
func checkLedger(t *testing.T, r *region) {
	t.Helper()
	var out struct {
		Anchored bool
		Seq      int
	}
	r.call(t, "AnchorLedger", scheduled(r, time.Now()), &out)
	bucket := r.physical(t, "PlumblineData", "LedgerAnchor")
	list, err := r.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("anchors/")})
	if err != nil || !out.Anchored || out.Seq == 0 || len(list.Contents) == 0 {
		t.Errorf("the ledger's head was kept as %+v, %v, %v", out, list, err)
	}
	var swept map[string]any
	r.call(t, "SweepApprovals", scheduled(r, time.Now()), &swept)
}

// TestDenial: one no is enough, and nothing is changed.
func TestDenial(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id, group := ask(t, r, "Refused")
	page := r.site(t)
	plan := page.show(t, id, signed(t, "ann@example.com", nil))
	if status, body := page.decide(t, id, "ann@example.com", plan.Plan, "deny"); status != http.StatusOK {
		t.Errorf("the denial was answered by %d %s", status, body)
	}
	d := r.changes(t, "ReviewViolation", group, 1)[remoteDesktop]
	if d.Status != sfntypes.ExecutionStatusSucceeded || !strings.Contains(aws.ToString(d.Output), `"denied"`) {
		t.Errorf("the review ended as %s: %s %s", d.Status, aws.ToString(d.Output), aws.ToString(d.Cause))
	}
	if !r.open(t, group) || len(r.changesOf(t, "RemediateFinding", group)) > 0 {
		t.Error("the group was changed though somebody said no")
	}
}
