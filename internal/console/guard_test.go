package console

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"plumbline/finding"
)

func TestWhoMayAsk(t *testing.T) {
	s := serve(t, folder(t, records(5)), nil)
	named := serve(t, folder(t, records(5)), func(o *Options) { o.Hosts = []string{"console.example.com"} })
	for _, tc := range []struct {
		name   string
		s      *Server
		method string
		host   string
		header http.Header
		want   int
	}{
		{"this machine by name", s, "GET", "localhost:8084", nil, 200},
		{"this machine by address", s, "GET", "127.0.0.1:8084", nil, 200},
		{"by another address of it", s, "GET", "127.8.8.8", nil, 200},
		{"by its address of version 6", s, "GET", "[::1]:8084", nil, 200},
		{"a name that leads here", s, "GET", "evil.example:8084", nil, 421},
		{"a name that looks like this machine's", s, "GET", "localhost.evil.example", nil, 421},
		{"a name that begins like its address", s, "GET", "127.0.0.1.evil.example:8084", nil, 421},
		{"no name", s, "GET", "", nil, 421},
		{"a port that is none", s, "GET", "localhost:x@evil.example", nil, 421},
		{"every address", s, "GET", "0.0.0.0:8084", nil, 421},
		{"a name that was given", named, "GET", "Console.Example.com", nil, 200},
		{"this machine, where a name was given", named, "GET", "localhost", nil, 421},
		{"a form of another site", s, "POST", "localhost", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"a form of another site, in an old browser", s, "POST", "localhost", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"a form of another port", s, "POST", "localhost", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"what no page takes", s, "POST", "localhost", nil, 404},
		{"a removal", s, "DELETE", "localhost", nil, 404},
		{"only the head", s, "HEAD", "localhost", nil, 200},
		{"a link of another site", s, "GET", "localhost", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "http://x/findings", nil)
			r.Host = tc.host
			for k, v := range tc.header {
				r.Header[k] = v
			}
			w := httptest.NewRecorder()
			tc.s.ServeHTTP(w, r)
			if w.Code != tc.want {
				t.Errorf("status %d, want %d: %s", w.Code, tc.want, w.Body)
			}
			h := w.Result().Header
			if got := h.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
				t.Errorf("content security policy %q", got)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Errorf("headers %v", h)
			}
		})
	}
}

// hostile is text that would act if any page took it for more than text.
const hostile = `"'></title></script><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}` + "\u202e\x1b[31m\x00" + `javascript:alert(1)`

// fieldValue is what a form field holds, which has to be the very text.
var fieldValue = regexp.MustCompile(` value="[^"]*"`)

// acts says what of a page would act, by its elements and attributes; "" for nothing.
func acts(body string) string {
	d := xml.NewDecoder(strings.NewReader(fieldValue.ReplaceAllString(body, "")))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	inScript := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return ""
		}
		if err != nil {
			return err.Error()
		}
		switch x := token.(type) {
		case xml.StartElement:
			inScript = x.Name.Local == "script"
			if x.Name.Local == "img" || x.Name.Local == "style" || x.Name.Local == "iframe" {
				return "<" + x.Name.Local + ">"
			}
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || strings.HasPrefix(strings.ToLower(a.Value), "javascript:") {
					return a.Name.Local + "=" + a.Value
				}
			}
		case xml.CharData:
			if text := string(x); inScript && strings.TrimSpace(text) != "" || strings.ContainsAny(text, "\x1b\u202e") {
				return text
			}
		case xml.EndElement:
			inScript = false
		}
	}
}

func TestHostileTextIsText(t *testing.T) {
	r := records(1)[0]
	r.Rule, r.Message, r.Remediation, r.Owner, r.Scope = "rule"+hostile, hostile, hostile, hostile, hostile
	r.Resource = finding.Resource{Account: hostile, Region: hostile, Stack: hostile, LogicalID: hostile, Type: hostile, ConstructPath: hostile}
	r.Place = finding.Place{Path: hostile, Name: hostile, Line: 1, Column: 1}
	r.Needs, r.Assuming = []string{hostile}, []string{hostile}
	r.Suppressed = &finding.Suppression{Reason: hostile, Approver: hostile, Until: hostile, Control: hostile, Source: hostile}
	r.State = finding.New
	beside := r
	beside.Rule = "another" + hostile
	s := serve(t, folder(t, []finding.Record{r, beside}), nil)
	q := "?q=" + escapeQuery(hostile)
	for _, path := range []string{
		"/", "/findings", "/findings" + q, "/findings?group=stack", "/findings?group=rule", "/findings?stack=" + escapeQuery(hostile), "/findings?framework=" + escapeQuery(hostile) + "&control=" + escapeQuery(hostile),
		"/findings/" + r.Fingerprint(), "/findings/" + escapeQuery(hostile), "/rules" + q, "/rules/" + escapeQuery(hostile), "/frameworks/" + escapeQuery(hostile), "/executions/" + escapeQuery(hostile), "/" + escapeQuery(hostile),
	} {
		_, body := get(t, s, path)
		if at := acts(body); at != "" {
			t.Errorf("%.60s: %q stands in the page:\n%s", path, at, body)
		}
		if strings.HasPrefix(path, "/findings/"+r.Fingerprint()) && !strings.Contains(body, "&lt;script&gt;alert(1)") {
			t.Errorf("%s does not show the text", path)
		}
	}
}

func escapeQuery(s string) string {
	var b strings.Builder
	for i := range len(s) {
		const hex = "0123456789ABCDEF"
		b.WriteString("%" + string(hex[s[i]>>4]) + string(hex[s[i]&15]))
	}
	return b.String()
}

func TestPagesAreWellFormed(t *testing.T) {
	s := serve(t, folder(t, records(120)), nil)
	for _, path := range []string{"/", "/findings", "/findings?group=type", "/findings/" + records(1)[0].Fingerprint(), "/rules", "/rules/s3-bucket-versioning", "/frameworks/pci-dss-4.0.1", "/executions", "/approvals", "/nothing"} {
		_, body := get(t, s, path)
		d := xml.NewDecoder(strings.NewReader(body))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		open := []string{}
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			switch x := token.(type) {
			case xml.StartElement:
				open = append(open, x.Name.Local)
			case xml.EndElement:
				if len(open) == 0 || open[len(open)-1] != x.Name.Local {
					t.Fatalf("%s: </%s> closes %v", path, x.Name.Local, open)
				}
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %v stay open", path, open)
		}
	}
}

func TestAPanicCostsOnePage(t *testing.T) {
	var said bytes.Buffer
	s := serve(t, folder(t, records(5)), func(o *Options) {
		o.Approvals = func() http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { var m map[string]int; m["x"]++ })
		}
		o.Log = log.New(&said, "", 0)
	})
	if status, body := get(t, s, "/approvals"); status != 500 || strings.Contains(body, "goroutine") {
		t.Errorf("status %d: %s", status, body)
	}
	if !strings.Contains(said.String(), "nil map") {
		t.Errorf("the log has %q", said.String())
	}
	if status, _ := get(t, s, "/findings"); status != 200 {
		t.Errorf("status %d afterwards", status)
	}
}
