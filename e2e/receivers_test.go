//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"plumbline/alert"
	"plumbline/internal/webhook/webhooktest"
)

// hookKey signs what the webhook gets.
const hookKey = "e2e-key-of-at-least-32-characters-0001"

// receivers stand in for Slack, Jira, ServiceNow, somebody's webhook, and the
// issuer that signs people in. They
// serve both regions, one call at a time.
type receivers struct {
	server *httptest.Server
	issuer *issuer

	mu         sync.Mutex
	jira       *webhooktest.Jira
	servicenow *webhooktest.ServiceNow
	slack      []string
	hook       []posted
	problems   problems
	refuse     []*refusal
}

// posted is what a webhook was called with.
type posted struct {
	key  string // of idempotency
	body string
}

// refusal answers calls of one receiver that are about a text.
type refusal struct {
	path, about string
	status      int
	times       int // how often; less than 0: always
	met         int
}

// problems are what no receiver understands. They outlive the test that caused them.
type problems struct {
	testing.TB
	list []string
}

func (p *problems) Errorf(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

func newReceivers() (*receivers, error) {
	id, err := newIssuer()
	if err != nil {
		return nil, err
	}
	r := &receivers{issuer: id}
	r.jira, r.servicenow = &webhooktest.Jira{T: &r.problems}, &webhooktest.ServiceNow{T: &r.problems}
	r.server = httptest.NewServer(http.HandlerFunc(r.serve))
	id.url = r.server.URL + "/issuer"
	return r, nil
}

func (r *receivers) serve(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	name, rest, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.refuse {
		if f.path == name && strings.Contains(string(body), f.about) && f.times != 0 {
			f.times--
			f.met++
			w.WriteHeader(f.status)
			return
		}
	}
	request.URL.Path = "/" + rest
	switch name {
	case "issuer":
		r.issuer.ServeHTTP(w, request)
	case "jira":
		r.jira.ServeHTTP(w, request)
	case "servicenow":
		r.servicenow.ServeHTTP(w, request)
	case "slack":
		r.slack = append(r.slack, string(body))
	case "hook":
		var at int64
		if _, err := fmt.Sscan(request.Header.Get(alert.HeaderTime), &at); err != nil || alert.Sign([]byte(hookKey), time.Unix(at, 0), body) != request.Header.Get(alert.HeaderSignature) {
			r.problems.Errorf("a webhook was called with the signature %q of %q", request.Header.Get(alert.HeaderSignature), request.Header.Get(alert.HeaderTime))
		}
		r.hook = append(r.hook, posted{request.Header.Get(alert.HeaderKey), string(body)})
	default:
		r.problems.Errorf("nobody is at %s", request.URL)
	}
}

// secrets puts into a region what the channels of deployment.json are called with.
func (r *receivers) secrets(ctx context.Context, url, region string) error {
	c := secretsmanager.NewFromConfig(regionConfig(url, region))
	var problems []error
	for name, more := range map[string]map[string]string{
		"slack": {}, "webhook": {"key": hookKey}, "servicenow": {"user": webhooktest.User, "token": webhooktest.Token},
		"jira": {"user": webhooktest.User, "token": webhooktest.Token, "project": "SEC"},
	} {
		path := name
		if name == "webhook" {
			path = "hook"
		}
		secret := map[string]string{"url": r.server.URL + "/" + path}
		for k, v := range more {
			secret[k] = v
		}
		b, err := json.Marshal(secret)
		if err != nil {
			return err
		}
		id, text := "plumbline/"+name, string(b)
		_, err = c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &id, SecretString: &text})
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// taken is what each receiver has of a stack, as lines.
func (r *receivers) taken(stack string) map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string][]string{}
	for _, i := range r.jira.Issues {
		if strings.Contains(i.Summary, stack) {
			out["jira"] = append(out["jira"], fmt.Sprintf("%s, %d comments: %s", i.Status, len(i.Comments)-1, i.Summary))
		}
	}
	for n, i := range r.servicenow.Incidents {
		if strings.Contains(i["short_description"], stack) {
			out["servicenow"] = append(out["servicenow"], fmt.Sprintf("state %s, %d notes: %s", i["state"], len(r.servicenow.Notes[n])-1, i["short_description"]))
		}
	}
	for _, s := range r.slack {
		if strings.Contains(s, stack) {
			out["slack"] = append(out["slack"], s)
		}
	}
	for _, h := range r.hook {
		if strings.Contains(h.body, `"`+stack+`"`) {
			out["hook"] = append(out["hook"], h.body)
		}
	}
	return out
}

// inject has a receiver refuse what is about a text, until the test ends.
func (r *receivers) inject(t *testing.T, f *refusal) *refusal {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = append(r.refuse, f)
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		f.times = 0
	})
	return f
}

// check tells what was wrong with the calls of all tests.
func (r *receivers) check() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []error
	for _, p := range r.problems.list {
		list = append(list, errors.New(p))
	}
	return errors.Join(list...)
}
