package cli_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/internal/account"
	"plumbline/internal/awsaccount"
	"plumbline/internal/awsfake"
	"plumbline/internal/cli"
	"plumbline/internal/files"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
)

// kept is an account with books alone.
type kept struct {
	account.Account
	books account.Books
}

func (k kept) Books(context.Context) (account.Books, error) { return k.books, nil }

// auditing runs plumbline audit on an account.
func auditing(t *testing.T, open account.Opener, want int, says string, args ...string) {
	t.Helper()
	var out, said bytes.Buffer
	code := cli.Main(append([]string{"audit"}, args...), cli.Streams{Accounts: open, In: strings.NewReader(""), Out: &out, Err: &said, Env: func(string) string { return "" }})
	if text := out.String() + said.String(); code != want || !strings.Contains(text, says) {
		t.Errorf("%v: exit code %d, want %d with %q:\n%s", args, code, want, says, text)
	}
}

// TestAuditOnAWS: the ledger of an account is verified against what is anchored
// there, and exported.
func TestAuditOnAWS(t *testing.T) {
	books := account.Books{Ledger: &ledger.Memory{}, Anchors: files.Anchors(t.TempDir()), Plans: &blob.Memory{}}
	anchors, l := books.Anchors, &ledger.Ledger{Store: books.Ledger}
	for kind, detail := range map[ledger.Kind]any{
		ledger.Asked: change.Planned{Change: "change-1", Requester: "ann", Plan: remedy.Plan{Rule: "r", Before: []byte("{}"), After: []byte("{}")}},
	} {
		if _, err := l.Append(t.Context(), kind, strings.Repeat("a", 64), "ann", detail); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(t.Context(), ledger.Decided, strings.Repeat("a", 64), "bob", approval.Decision{By: "bob", Approve: true, Reason: "agreed", At: time.Unix(0, 0)}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Anchor(t.Context(), books.Anchors, "schedule"); err != nil {
		t.Fatal(err)
	}
	open := func(context.Context, account.Options) (account.Account, error) { return kept{books: books}, nil }
	auditing(t, open, 0, "3 entries, all as recorded\n1 entry of them as anchored", "verify", "--aws")
	auditing(t, open, 0, `"Reason": "agreed"`, "export", "--aws")
	auditing(t, open, 2, "give one of the two", "verify", "--aws", "--data", "x")
	auditing(t, open, 1, "anchored with two hashes", "verify", "--aws", "--anchor", "2:"+strings.Repeat("b", 64))
	auditing(t, open, 2, "is no NUMBER:HASH", "export", "--aws", "--anchor", "2")
	books.Anchors = nil
	open = func(context.Context, account.Options) (account.Account, error) { return kept{books: books}, nil }
	auditing(t, open, 0, "it was held to no anchor", "verify", "--aws")
	auditing(t, open, 0, "it was held to no anchor", "export", "--aws")
	auditing(t, open, 3, "the ledger does not hold: entry 4: it is missing", "export", "--aws", "--anchor", "9:"+strings.Repeat("b", 64))
	books.Anchors = anchors
	books.Ledger = &ledger.Memory{} // somebody has emptied it
	open = func(context.Context, account.Options) (account.Account, error) { return kept{books: books}, nil }
	auditing(t, open, 1, "the ledger does not hold: entry 1: it is missing", "verify", "--aws")
	auditing(t, open, 3, "the ledger does not hold: entry 1: it is missing", "export", "--aws")
}

// TestTheBooksOfAnAccount are found by the deployed stack, and read where it
// says that they are.
func TestTheBooksOfAnAccount(t *testing.T) {
	a := deployedSuite()
	signIn(t, a)
	auditing(t, awsaccount.Open, cli.ExitUnjudged, "find the ledger by stack PlumblineData", "verify", "--aws")
	a.Stacks = append(a.Stacks, &awsfake.Stack{Name: "PlumblineData", Resources: []awsfake.StackResource{{LogicalID: "Ledger", Physical: "ledger-table"}, {LogicalID: "Reports", Physical: "reports-bucket"}}})
	auditing(t, awsaccount.Open, cli.ExitUnjudged, "has no resource LedgerAnchor", "verify", "--aws")
	data := a.Stacks[len(a.Stacks)-1]
	data.Resources = append(data.Resources, awsfake.StackResource{LogicalID: "LedgerAnchor", Physical: "anchors-bucket"})

	asked := ""
	table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = r.Header.Get("X-Amz-Target") + " " + string(body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Items":[],"Count":0}`)
	}))
	defer table.Close()
	backend := s3mem.New()
	if err := backend.CreateBucket("anchors-bucket"); err != nil {
		t.Fatal(err)
	}
	objects := httptest.NewServer(gofakes3.New(backend).Server())
	defer objects.Close()
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", table.URL)
	t.Setenv("AWS_ENDPOINT_URL_S3", objects.URL)
	auditing(t, awsaccount.Open, 0, "0 entries, all as recorded", "verify", "--aws", "--region", a.Region)
	if !strings.Contains(asked, "Query") || !strings.Contains(asked, `"ledger-table"`) {
		t.Errorf("asked %s", asked)
	}
	name := ledger.Anchor{Seq: 1, Hash: strings.Repeat("a", 64)}.Name()
	if _, err := backend.PutObject("anchors-bucket", "anchors/"+name, nil, strings.NewReader("x"), 1, nil); err != nil {
		t.Fatal(err)
	}
	auditing(t, awsaccount.Open, 1, "the ledger does not hold: entry 1: it is missing", "verify", "--aws")
}
