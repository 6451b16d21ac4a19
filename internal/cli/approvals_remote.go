package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/internal/account"
	"plumbline/internal/approvalpage"
	"plumbline/internal/report"
)

// remoteFlags say where the approval page on AWS is, and as whom to call it.
type remoteFlags struct {
	url, plan string
	as        liveFlags
}

func (f *remoteFlags) register(c *cobra.Command, decides bool) {
	c.Flags().StringVar(&f.url, "url", "", "the `ADDRESS` of the approval page on AWS, instead of --data")
	f.as.registerIdentity(c)
	if decides {
		c.Flags().StringVar(&f.plan, "plan", "", "with --url: the first digits of the `HASH` of the plan that was shown, twelve or more")
	}
}

// page is the approval page on AWS, called with AWS's credentials.
type remotePage struct {
	site   *url.URL
	region string
	signer account.Signer
	client *http.Client
}

// executeAPI is an address that API Gateway gives, with its region.
var executeAPI = regexp.MustCompile(`\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

// remoteTimeOut is how long the page may take.
const remoteTimeOut = 30 * time.Second

func (f *remoteFlags) open(ctx context.Context, s *Streams) (*remotePage, error) {
	u, err := url.Parse(f.url)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, usagef("--url %q is no https address, such as https://abc123.execute-api.eu-west-1.amazonaws.com", f.url)
	}
	u.Path, u.RawQuery, u.Fragment = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), approvalpage.Path), "", ""
	a, err := s.openAccount(ctx, account.Options{Profile: f.as.profile, Role: f.as.role})
	if err != nil {
		return nil, usageError{err}
	}
	signer, ok := a.(account.Signer)
	if !ok {
		return nil, errors.New("this account signs no requests")
	}
	p := &remotePage{site: u, region: a.Regions()[0], signer: signer, client: &http.Client{
		Timeout: remoteTimeOut, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if m := executeAPI.FindStringSubmatch(u.Hostname()); m != nil {
		p.region = m[1]
	}
	return p, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// longestAnswer is how much of an answer is read, in bytes.
const longestAnswer = 4 << 20

// call sends a signed request and decodes the answer. What the page refuses is
// a usageError.
func (p *remotePage) call(ctx context.Context, method, path string, body, into any) error {
	var src []byte
	if body != nil {
		var err error
		if src, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, p.site.String()+"/aws"+approvalpage.Path+path, bytes.NewReader(src))
	if err != nil {
		return usageError{err}
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	if err := p.signer.Sign(ctx, r, src, p.region); err != nil {
		return usageError{err}
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return fmt.Errorf("call the approval page: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return fmt.Errorf("read the approval page's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		var said struct{ Error, Message string } // the page's own, or API Gateway's
		_ = json.Unmarshal(text, &said)          // what is no JSON says nothing
		err := fmt.Errorf("the approval page answers %d: %s", answer.StatusCode, report.Plain(cmp.Or(said.Error, said.Message, http.StatusText(answer.StatusCode))))
		if answer.StatusCode < 500 {
			return usageError{err}
		}
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the approval page's answer cannot be read: %w", err)
	}
	return nil
}

// list prints what waits.
func (f *remoteFlags) list(ctx context.Context, s *Streams) error {
	p, err := f.open(ctx, s)
	if err != nil {
		return err
	}
	var out approvalpage.List
	if err := p.call(ctx, http.MethodGet, "", nil, &out); err != nil {
		return err
	}
	t := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, r := range out.Requests {
		fmt.Fprintln(t, report.Plain(fmt.Sprintf("%.12s", r.Plan))+"\t"+report.Plain(string(r.Severity))+"\t"+report.Plain(r.Rule)+"\t"+report.Plain(r.Resource.LogicalID)+"\t"+report.Plain(r.Resource.Stack)+"\tuntil "+r.Expires.Local().Format("2006-01-02 15:04"))
	}
	return t.Flush()
}

// show prints a request with its plan.
func (f *remoteFlags) show(ctx context.Context, s *Streams, id string) error {
	p, err := f.open(ctx, s)
	if err != nil {
		return err
	}
	var x approvalpage.Shown
	if err := p.call(ctx, http.MethodGet, "/"+url.PathEscape(id), nil, &x); err != nil {
		return err
	}
	line := func(format string, args ...any) { fmt.Fprintln(s.Out, report.Plain(fmt.Sprintf(format, args...))) }
	line("plan %s  %s", x.Plan, x.State)
	line("  %s of %s (%s)", x.Rule, x.Resource.Type, x.Resource.LogicalID)
	if x.Requirements != "" {
		line("  requirement: %s", x.Requirements)
	}
	if x.Resource.Account != "" {
		line("  account %s %s, %s, stack %s", x.Resource.Account, x.Alias, x.Resource.Region, x.Resource.Stack)
	}
	line("  %s", x.Message)
	for _, d := range x.Diff {
		line("  %s", d)
	}
	for _, group := range []struct {
		name  string
		texts []string
	}{{"needs approval", x.Why}, {"destructive", x.Destructive}, {"cannot be undone", x.Irreversible}, {"referred to by", x.ReferredBy}} {
		for _, text := range group.texts {
			line("  %s: %s", group.name, text)
		}
	}
	if x.Breaks != "" {
		line("  may break: %s", x.Breaks)
	}
	for text := range strings.Lines(x.Template) {
		line("  template: %s", strings.TrimRight(text, "\n"))
	}
	line("asked by %s; %d more must approve; until %s", cmp.Or(x.Requester, "nobody who is known"), x.Missing, x.Expires.Local().Format(time.RFC3339))
	for _, d := range x.Decisions {
		line("%s  %s: %s", d.At.Format(time.RFC3339), d.By, d.Reason)
	}
	return nil
}

// decide sends a decision on the plan that the person names: the one that was
// shown before.
func (f *remoteFlags) decide(ctx context.Context, s *Streams, id, word, until, reason string) error {
	if len(f.plan) < 12 {
		return usagef("--plan HASH is missing: the first digits, twelve or more, of the plan that \"plumbline approvals show --url\" has shown")
	}
	p, err := f.open(ctx, s)
	if err != nil {
		return err
	}
	var x approvalpage.Shown
	if err := p.call(ctx, http.MethodGet, "/"+url.PathEscape(id), nil, &x); err != nil {
		return err
	}
	if !strings.HasPrefix(x.Plan, strings.ToLower(f.plan)) {
		return usagef("the request is about plan %.12s, not %s. show it again", report.Plain(x.Plan), f.plan)
	}
	said := map[string]string{"plan": x.Plan, "decision": word, "reason": reason}
	if until != "" {
		said["until"] = until
	}
	var now approvalpage.Summary
	if err := p.call(ctx, http.MethodPost, "/"+url.PathEscape(id), said, &now); err != nil {
		return err
	}
	state := string(now.State)
	if now.Missing > 0 {
		state = fmt.Sprintf("%s: %d more must approve", now.State, now.Missing)
	}
	fmt.Fprintln(s.Out, report.Plain(fmt.Sprintf("%.12s  %s", now.Plan, state)))
	return nil
}
