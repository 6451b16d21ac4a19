// Package webhook delivers messages to people's systems over HTTPS: Slack,
// Jira, ServiceNow, and webhooks that anyone may write. It makes one attempt a
// call and says whether another one may help; who calls decides when.
//
// A message that comes again changes nothing in a ticketing system, since the
// ticket keeps which messages it has seen; a webhook gets the same idempotency
// key; Slack has no such means, and shows a message twice whose answer was lost.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"plumbline/alert"
	"plumbline/scan"
)

// Secret is what a channel needs to be called. It is kept in Secrets Manager,
// or in a file of a laptop, as JSON, and is never written to a log or an error.
type Secret struct {
	URL string `json:"url"` // of the webhook; of the site for Jira and ServiceNow: https://example.atlassian.net

	User  string `json:"user,omitempty"`  // Jira: the account's mail address; ServiceNow: its user name
	Token string `json:"token,omitempty"` // Jira: API token; ServiceNow: password, or with no User an OAuth token
	Key   string `json:"key,omitempty"`   // webhook: what signs requests, at least 32 characters

	Project   string `json:"project,omitempty"`   // Jira: key of the project
	IssueType string `json:"issueType,omitempty"` // Jira: default Task
	Table     string `json:"table,omitempty"`     // ServiceNow: default incident
	Group     string `json:"group,omitempty"`     // ServiceNow: assignment group, may be empty
	CloseCode string `json:"closeCode,omitempty"` // ServiceNow: default Solution provided
}

// Sender delivers messages to one channel. Safe for concurrent use.
type Sender struct {
	kind   alert.Kind
	secret Secret
	base   *url.URL
	client *http.Client
	now    func() time.Time
}

// Limits of one call.
const (
	timeout   = 10 * time.Second // for the whole answer
	maxAnswer = 1 << 20          // bytes that are read of it
	minKey    = 32               // characters of a key that signs; shorter ones can be guessed
)

// New returns the sender of a channel. The error says what is missing in the
// secret, and never what is in it.
func New(k alert.Kind, s Secret, now func() time.Time) (*Sender, error) {
	base, err := url.Parse(s.URL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("secret of a channel of kind %s: url is not an address. give https://HOST/…", k)
	}
	if base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())) {
		return nil, fmt.Errorf("secret of a channel of kind %s: url is not https. only this machine is called without", k)
	}
	need := map[alert.Kind]map[string]string{
		alert.KindSlack: {}, alert.KindWebhook: {"key": s.Key},
		alert.KindJira:       {"user": s.User, "token": s.Token, "project": s.Project},
		alert.KindServiceNow: {"token": s.Token},
	}
	fields, ok := need[k]
	if !ok {
		return nil, fmt.Errorf("channel of kind %q: allowed are slack, jira, servicenow, webhook", k)
	}
	for _, name := range []string{"user", "token", "project", "key"} {
		if value, asked := fields[name]; asked && value == "" {
			return nil, fmt.Errorf("secret of a channel of kind %s: %s is missing", k, name)
		}
	}
	if k == alert.KindWebhook && len(s.Key) < minKey {
		return nil, fmt.Errorf("secret of a channel of kind %s: key has %d characters, %d are needed", k, len(s.Key), minKey)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = timeout
	return &Sender{kind: k, secret: s, base: base, now: now, client: &http.Client{
		Timeout: timeout, Transport: transport,
		// What is sent is for the address that was given: another one would get the
		// findings, and with some redirects the credentials.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Deliver delivers one message: it makes, comments, closes or opens again the
// ticket, or posts. The error is an *alert.RefusedError where no repetition can
// help, else an *alert.LaterError.
func (s *Sender) Deliver(ctx context.Context, n scan.Notice) error {
	switch s.kind {
	case alert.KindJira:
		return s.jira(ctx, n)
	case alert.KindServiceNow:
		return s.servicenow(ctx, n)
	case alert.KindSlack:
		body, err := alert.Slack(n)
		if err != nil {
			return &alert.RefusedError{Err: err}
		}
		return s.post(ctx, n, body)
	}
	body, err := alert.Webhook(n)
	if err != nil {
		return &alert.RefusedError{Err: err}
	}
	return s.post(ctx, n, body)
}

// post sends a body to the address itself.
func (s *Sender) post(ctx context.Context, n scan.Notice, body []byte) error {
	headers := map[string]string{alert.HeaderKey: alert.Key(n)}
	if s.secret.Key != "" {
		at := s.now()
		headers[alert.HeaderTime] = strconv.FormatInt(at.Unix(), 10)
		headers[alert.HeaderSignature] = alert.Sign([]byte(s.secret.Key), at, body)
	}
	_, err := s.call(ctx, http.MethodPost, s.base, headers, body)
	return err
}

// api calls a path of a ticketing system with JSON and reads the answer into
// out, which may be nil.
func (s *Sender) api(ctx context.Context, method, path string, query url.Values, in, out any) error {
	at := s.base.JoinPath(path)
	at.RawQuery = query.Encode()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return &alert.RefusedError{Err: err}
		}
	}
	answer, err := s.call(ctx, method, at, nil, body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &alert.LaterError{Err: fmt.Errorf("%s %s: the answer is not what is documented: %w", method, path, err)}
	}
	return nil
}

// call makes one request. Its errors name no address beside the host and, of a
// ticketing system, the path: a webhook's address is a secret in itself.
func (s *Sender) call(ctx context.Context, method string, at *url.URL, headers map[string]string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &alert.RefusedError{Err: errors.New("the address cannot be called")}
	}
	req.Header.Set("User-Agent", "plumbline")
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	switch {
	case s.secret.User != "":
		req.SetBasicAuth(s.secret.User, s.secret.Token)
	case s.secret.Token != "":
		req.Header.Set("Authorization", "Bearer "+s.secret.Token)
	}
	what := method + " " + at.Host
	if s.kind == alert.KindJira || s.kind == alert.KindServiceNow {
		what += strings.TrimPrefix(at.Path, s.base.Path)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		var u *url.Error // its text has the whole address
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, &alert.LaterError{Err: fmt.Errorf("%s: %w", what, err)}
	}
	// Closed without being read to its end: a connection costs less than an
	// answer without one.
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if failed := s.judge(what, resp, answer); failed != nil {
		return nil, failed
	}
	switch {
	case s.kind == alert.KindSlack || s.kind == alert.KindWebhook: // taken, whatever the answer says
		return nil, nil
	case err != nil:
		return nil, &alert.LaterError{Err: fmt.Errorf("%s: read the answer: %w", what, err)}
	case len(answer) > maxAnswer:
		return nil, &alert.RefusedError{Err: fmt.Errorf("%s: the answer has more than %d bytes", what, maxAnswer)}
	}
	return answer, nil
}

// judge says what a status means for a message.
func (s *Sender) judge(what string, resp *http.Response, answer []byte) error {
	code := resp.StatusCode
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		to := "elsewhere"
		if at, err := resp.Location(); err == nil {
			to = "host " + at.Host
		}
		return &alert.RefusedError{Err: fmt.Errorf("%s answers %d, a redirect to %s, which is not followed. give the final address", what, code, to)}
	}
	err := error(&statusError{code, fmt.Errorf("%s answers %d %s%s", what, code, http.StatusText(code), s.excerpt(answer))})
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable, code >= 500,
		code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusConflict, code == http.StatusLocked:
		return &alert.LaterError{After: retryAfter(resp.Header.Get("Retry-After"), s.now()), Closed: code == http.StatusTooManyRequests, Err: err}
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		// A person renews the secret or the rights; what waits is delivered then.
		return &alert.LaterError{Closed: true, Err: fmt.Errorf("%w. the secret's user or token is not (or no longer) allowed to do this", err)}
	}
	return &alert.RefusedError{Err: err}
}

// excerpt is the beginning of an answer for an error, if it is one of a
// ticketing system's: that names the field that it refuses. What is secret is taken out.
func (s *Sender) excerpt(answer []byte) string {
	if len(answer) == 0 || s.kind == alert.KindSlack || s.kind == alert.KindWebhook {
		return ""
	}
	text := alert.Text(string(answer[:min(len(answer), 2000)]), 300)
	for _, secret := range []string{s.secret.Token, s.secret.Key} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return ": " + text
}

// maxRetryAfter bounds what a receiver may ask us to wait.
const maxRetryAfter = 12 * time.Hour

// retryAfter reads the header Retry-After: seconds, or a date. 0: it says nothing.
// Source: RFC 9110, section 10.2.3.
func retryAfter(header string, now time.Time) time.Duration {
	if header == "" {
		return 0
	}
	if n, err := strconv.Atoi(strings.TrimSpace(header)); err == nil {
		return min(max(time.Duration(min(n, 1<<20))*time.Second, 0), maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// statusError keeps the status of an answer that is an error.
type statusError struct {
	code int
	err  error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// notFound reports whether an error is the answer 404.
func notFound(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.code == http.StatusNotFound
}
