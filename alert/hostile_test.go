package alert_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/scan"
)

// hostile is what a template may hold to reach those who read of it.
var hostile = []string{
	"<!channel> <https://evil.example|click> <@U123>", "*bold* `code` ~x~ :bomb:", "[link](https://evil.example)", "{{constructor}} ${jndi:ldap://evil}",
	"<script>alert(1)</script>", "a\r\nBcc: all@example.com\r\n\r\nbody", "\u202egnp.exe", "[code]<img src=x onerror=alert(1)>[/code]", "[CODE]<b>[/Code]",
	"h1. {color:red}x{color} [~accountid:1]", "\x00\x1b[2J\u2028\u2029", "www.evil.example MAILTO:a@b", strings.Repeat("A", 100_000), "\xff\xfe", "",
}

func notices(s string) []scan.Notice {
	r := record(s, s, finding.Critical, finding.New, s)
	r.Message, r.Resource.Type, r.Place.Path = s, s, s
	gone := record(s, s+"2", finding.Critical, finding.Resolved, s)
	at := scan.Target{Path: s, Stack: s, Region: s}
	out := alert.OfTarget(alert.Scanned{ID: s, Target: at, Report: "reports/x", Changes: &scan.Changes{Records: []finding.Record{r, gone}}}, finding.Severities, finding.Severities, now)
	f := alert.Failure(scan.Failure{ScanID: s, Target: at, Workflow: s, Error: s, Cause: s, Time: now})
	p := alert.Complete(scan.Notice{Kind: scan.NoticePartial, ScanID: s, Target: at, Domains: []finding.Domain{finding.Domain(s)}, Severity: finding.High})
	return append(out, f, p)
}

func FuzzRenderers(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range notices(s) {
			harmless(t, n)
		}
	})
}

// harmless holds every rendering of a message to what its channel reads as more
// than text.
func harmless(t *testing.T, n scan.Notice) {
	t.Helper()
	if len(n.Subject) > 100 || strings.ContainsFunc(n.Subject, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("subject %q", n.Subject)
	}
	texts := map[string]string{"mail": n.Body, "work notes": alert.WorkNotes(n), "short description": alert.ServiceNow(n).ShortDescription}
	slack, err := alert.Slack(n)
	if err != nil {
		t.Fatal(err)
	}
	var message struct {
		Text   string
		Mrkdwn bool
		Blocks []any
	}
	if err := json.Unmarshal(slack, &message); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(message.Text, "<>") || message.Mrkdwn {
		t.Errorf("slack's line for notifications: %q", message.Text)
	}
	for i, leaf := range leaves(t, message.Blocks, []string{"plain_text", "text"}) {
		texts["slack "+string(rune('a'+i%26))] = leaf
	}
	ticket := alert.Jira(n)
	b, err := json.Marshal(ticket.Description)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for i, leaf := range leaves(t, []any{doc}, []string{"text"}) {
		if leaf == "" {
			t.Error("ADF has no empty text")
		}
		texts["jira "+string(rune('a'+i%26))] = leaf
	}
	texts["summary"] = ticket.Summary
	for where, text := range texts {
		if strings.ContainsFunc(text, func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
		}) {
			t.Errorf("%s holds what does not print: %q", where, text)
		}
		low := strings.ToLower(text)
		for _, link := range []string{"://", "mailto:", "www.", "javascript:"} {
			if _, rest, ok := strings.Cut(low, link); ok && rest != "" && !unicode.IsSpace(rune(rest[0])) {
				t.Errorf("%s holds the beginning of an address, %s: %q", where, link, text)
			}
		}
	}
	for _, where := range []string{"work notes", "short description"} {
		if strings.Contains(strings.ToLower(texts[where]), "code]") {
			t.Errorf("%s holds what ServiceNow reads as HTML: %q", where, texts[where])
		}
	}
	if strings.Contains(n.Body, "\nBcc:") || strings.Contains(ticket.Summary, "\n") {
		t.Errorf("a line is forged:\n%s", n.Body)
	}
	if len([]rune(ticket.Summary)) > 255 || len(b) > 200_000 || len([]rune(texts["work notes"])) > 4000 || len([]rune(texts["short description"])) > 160 {
		t.Error("a text is too long for its channel")
	}
	if _, err := alert.Webhook(n); err != nil {
		t.Error(err)
	}
}

// leaves collects the texts of a tree, and holds its nodes to those without
// markup, links and mentions.
func leaves(t *testing.T, nodes []any, texts []string) []string {
	t.Helper()
	var out []string
	for _, v := range nodes {
		n, ok := v.(map[string]any)
		if !ok {
			continue
		}
		kind, _ := n["type"].(string)
		switch kind {
		case "header":
			out = append(out, leaves(t, []any{n["text"]}, texts)...)
		case "text", "plain_text":
			s, _ := n["text"].(string)
			out = append(out, s)
			if n["marks"] != nil {
				t.Errorf("marked text %v", n)
			}
		case "rich_text", "rich_text_section", "rich_text_list":
			list, _ := n["elements"].([]any)
			out = append(out, leaves(t, list, texts)...)
		case "doc", "paragraph", "bulletList", "listItem":
			list, _ := n["content"].([]any)
			out = append(out, leaves(t, list, texts)...)
		default:
			t.Errorf("a node of type %q", kind)
		}
	}
	return out
}
