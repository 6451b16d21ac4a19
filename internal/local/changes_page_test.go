package local

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/internal/approvalpage"
	"plumbline/remedy/change"
)

// TestDecidedOnThePage: people follow the address in the message, see the plan,
// and decide by its form over HTTP; the workflow goes on by what the ledger says.
func TestDecidedOnThePage(t *testing.T) {
	for _, row := range []struct {
		decision string
		state    string
		model    string
	}{{"approve", "ChangeDone", ""}, {"deny", "DenialDone", groupBefore}} {
		t.Run(row.decision, func(t *testing.T) {
			now := begin
			a := newAccount(t, groupRequest, groupBefore, func() time.Time { return now })
			server := httptest.NewServer(approvalpage.Handler(approvalpage.Config{
				Desk: a.Desk(), Plans: &a.blobs, Now: a.Now,
				Identify: func(*http.Request) (approvalpage.Visitor, error) {
					return approvalpage.Visitor{Person: approval.Person{Name: "bob"}, Secret: []byte("0123456789abcdef")}, nil
				},
			}))
			defer server.Close()
			a.Link = func(id string) string { return server.URL + "/approvals/" + id }
			planned, err := a.Plan(t.Context(), groupRequest)
			if err != nil {
				t.Fatal(err)
			}
			r := change.Request{Change: groupRequest.Change, Plan: planned.Plan}
			if end, err := a.Carry(t.Context(), r, nil); err != nil || !end.Waiting {
				t.Fatalf("%+v %v", end, err)
			}
			at := ""
			for _, n := range a.box.sent {
				at = regexp.MustCompile(`http://\S+`).FindString(n.Body)
			}
			shown, err := server.Client().Get(at)
			if err != nil {
				t.Fatal(err)
			}
			page, err := io.ReadAll(shown.Body)
			if err != nil || shown.StatusCode != http.StatusOK {
				t.Fatalf("status %d, %v", shown.StatusCode, err)
			}
			_ = shown.Body.Close()
			form := url.Values{"decision": {row.decision}, "reason": {"nobody uses RDP"}}
			for _, m := range regexp.MustCompile(`type="hidden" name="(\w+)" value="([^"]+)"`).FindAllStringSubmatch(string(page), 2) {
				form.Set(m[1], m[2])
			}
			after, err := server.Client().PostForm(at, form)
			if err != nil {
				t.Fatal(err)
			}
			_ = after.Body.Close()
			if after.StatusCode != http.StatusOK || after.Request.Method != http.MethodGet {
				t.Errorf("the decision is answered with %d", after.StatusCode)
			}
			end, err := a.Carry(t.Context(), r, nil)
			if err != nil || end.State != row.state {
				t.Errorf("%+v %v", end, err)
			}
			if changed := a.model() != groupBefore; changed != (row.model == "") {
				t.Errorf("the resource is %s", a.model())
			}
		})
	}
}
