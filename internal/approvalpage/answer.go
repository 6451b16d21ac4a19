package approvalpage

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	htmltemplate "html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"plumbline/approval"
	"plumbline/finding"
	look "plumbline/internal/page" // the type of this package is a page
)

//go:embed page.html.tmpl style.css
var assets embed.FS

// templates are parsed when the first page is shown.
var templates = sync.OnceValues(func() (*htmltemplate.Template, error) {
	return htmltemplate.New("page.html.tmpl").Funcs(htmltemplate.FuncMap{
		"plain":   plain,
		"counted": counted,
		"when":    func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
		"line":    diffLine,
		"lines":   (*template).lines,
		"days":    func(seconds int) string { return counted(seconds/(24*3600), "day", "days") },
		"indent":  indented,
		"join":    strings.Join,
	}).ParseFS(assets, "page.html.tmpl")
})

// view is what every page shows.
type view struct {
	Title   string
	Visitor Visitor
	Nav     []Link
	Style   string
	SignOut string
	Path    string
	Body    string // name of the template of the page's own part
	Data    any
}

// listView is the list of requests.
type listView struct {
	Open  []row // that the visitor may decide on
	Other []row // that others decide on
	More  int   // how many are not listed
}

type row struct {
	approval.Request
	Address string // "": none
	Left    string
	Bar     string // why the visitor cannot decide
}

// requestView is one request.
type requestView struct {
	Request  *approval.Request
	Planned  *planned
	Controls string
	Left     string
	Action   string // where the form goes
	Token    string // of the form; "": there is no form
	Bar      string // why there is none
	Problem  string
	Reason   string
	Max      int
	Today    string // the days between which an acceptance may end
	Longest  string
}

func (p *page) answerList(w http.ResponseWriter, r *http.Request, v Visitor, requests []approval.Request) {
	if wantsJSON(r) {
		out := []Summary{}
		for i := range requests {
			out = append(out, summarized(&requests[i]))
		}
		sendJSON(w, http.StatusOK, List{out})
		return
	}
	var data listView
	for i, x := range requests {
		if i == listed {
			data.More = len(requests) - listed
			break
		}
		line := row{Request: x, Left: left(x.Expires, p.Now())}
		if sealed := seal(&v, x.ID); sealed != "" {
			line.Address = Path + "/" + sealed
		}
		if err := x.Bars(v.Person); err != nil {
			line.Bar = sentence(err.Error())
			data.Other = append(data.Other, line)
		} else {
			data.Open = append(data.Open, line)
		}
	}
	p.render(w, r, v, http.StatusOK, "Changes that wait for people", "list", data)
}

func (p *page) answer(w http.ResponseWriter, r *http.Request, v Visitor, x approval.Request, plan *planned, s said) {
	if wantsJSON(r) {
		y := plan.Plan
		out := Shown{summarized(&x), y.Title, y.Message, y.Diff, y.Breaks, y.ReferredBy, y.Destructive, y.Irreversible, plan.Why, requirements(plan.Controls), plan.Alias, ""}
		if plan.Template != nil {
			out.Template = plan.Template.Diff
		}
		sendJSON(w, http.StatusOK, out)
		return
	}
	data := requestView{Request: &x, Planned: plan, Controls: requirements(plan.Controls), Left: left(x.Expires, p.Now()), Action: Path + "/" + r.PathValue("id"), Problem: s.Problem, Reason: s.Reason, Max: approval.MaxReason}
	data.Today, data.Longest = p.Now().UTC().Format(time.DateOnly), p.Now().UTC().Add(approval.MaxAcceptance-24*time.Hour).Format(time.DateOnly)
	bar := x.Bars(v.Person)
	switch {
	case x.State != approval.Waiting: // the page says how it was decided
	case !p.Now().Before(x.Expires):
		data.Bar = "The time to decide is over, which means no."
	case bar != nil:
		data.Bar = sentence(bar.Error())
	case v.Explicit:
		data.Bar = "Programs decide by POST."
	default:
		if data.Token = formToken(&v, x.ID); data.Token == "" {
			data.Bar = "This page cannot take decisions here."
		}
	}
	p.render(w, r, v, s.status, "Change of "+x.Resource.LogicalID, "request", data)
}

// refuse answers with a sentence and nothing else.
func (p *page) refuse(w http.ResponseWriter, r *http.Request, v Visitor, status int, text string) {
	if wantsJSON(r) {
		sendJSON(w, status, map[string]string{"error": text})
		return
	}
	p.render(w, r, v, status, http.StatusText(status), "refusal", text)
}

func (p *page) render(w http.ResponseWriter, r *http.Request, v Visitor, status int, title, body string, data any) {
	t, err := templates()
	var b bytes.Buffer
	if err == nil {
		err = t.ExecuteTemplate(&b, "page", view{title, v, p.Nav, Path + "/style.css", p.SignOut, Path, body, data})
	}
	if err != nil {
		p.Log.ErrorContext(r.Context(), "the approval page cannot be rendered", "error", err)
		http.Error(w, "Something is wrong with this page. Nothing was decided.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who has gone away has gone away
}

func style(w http.ResponseWriter, _ *http.Request) {
	css, err := assets.ReadFile("style.css")
	if err != nil { // it is embedded
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = io.WriteString(w, look.Style)
	_, _ = w.Write(css) // who has gone away has gone away
}

// Summary is a request as programs are given it: without its id, which only who
// was given it has, and without the workflow's token.
type Summary struct {
	Plan      string              `json:"plan"` // hash; a decision names it
	State     approval.State      `json:"state"`
	Rule      string              `json:"rule"`
	Severity  finding.Severity    `json:"severity"`
	Resource  finding.Resource    `json:"resource"`
	Requester string              `json:"requester"` // "": not known
	Groups    []string            `json:"groups"`    // of which one may decide; empty: anyone but the requester
	Missing   int                 `json:"missing"`   // how many more must approve
	Asked     time.Time           `json:"asked"`
	Expires   time.Time           `json:"expires"`
	Decisions []approval.Decision `json:"decisions"`
}

// Shown is a request with its plan, as programs are given it.
type Shown struct {
	Summary
	Title        string   `json:"title"`
	Message      string   `json:"message"`
	Diff         []string `json:"diff"`
	Breaks       string   `json:"breaks"`
	ReferredBy   []string `json:"referredBy"`
	Destructive  []string `json:"destructive"`
	Irreversible []string `json:"irreversible"`
	Why          []string `json:"why"`
	Requirements string   `json:"requirements"` // that ask for the rule, by framework
	Alias        string   `json:"alias"`        // of the account; "": none is known
	Template     string   `json:"template"`     // what is to follow in the template, as a diff; "": nothing is known
}

// List is what waits, as programs are given it.
type List struct {
	Requests []Summary `json:"requests"`
}

func summarized(r *approval.Request) Summary {
	return Summary{r.Plan, r.State, r.Rule, r.Severity, r.Resource, r.Requester, r.Groups, r.Missing(), r.Asked, r.Expires, r.Decisions}
}

func (p *page) answerDecided(w http.ResponseWriter, _ *http.Request, now approval.Request) {
	sendJSON(w, http.StatusOK, summarized(&now))
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who has gone away has gone away
}

var errNoObject = errors.New("want one object of texts")

// readJSON reads one flat object of texts; a field that stands twice is none.
func readJSON(r io.Reader) (func(name string) (string, bool), error) {
	dec := json.NewDecoder(r)
	values, count := map[string]string{}, map[string]int{}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNoObject
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		value, err := dec.Token()
		text, ok := value.(string)
		if err != nil || !ok {
			return nil, errNoObject
		}
		key, _ := name.(string)
		values[key] = text
		count[key]++
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	return func(name string) (string, bool) { return values[name], count[name] == 1 }, nil
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

// plain is a text as people may be shown it: without what moves other text about.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// line is one line of a diff.
type line struct{ Sign, Text string }

func diffLine(s string) line {
	if sign, text, ok := strings.Cut(s, " "); ok && (sign == "-" || sign == "+") {
		return line{sign, text}
	}
	return line{"", s}
}

// longestModel is how much of a model is shown, in bytes.
const longestModel = 64 << 10

func indented(src json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, src, "", "  "); err != nil {
		return string(src)
	}
	if b.Len() > longestModel {
		b.Truncate(longestModel)
		return strings.ToValidUTF8(b.String(), "") + "\n… (the plan has all of it)"
	}
	return b.String()
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
