package webhook_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// faulty answers requests by the next of its faults, then by the service
// behind it. A fault may do the work and lose the answer.
type faulty struct {
	mu      sync.Mutex
	service http.Handler
	faults  []func(http.ResponseWriter, *http.Request, http.Handler)
	calls   []string
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, r.Method+" "+r.URL.Path)
	if len(f.faults) > 0 {
		next := f.faults[0]
		f.faults = f.faults[1:]
		if next != nil {
			next(w, r, f.service)
			return
		}
	}
	f.service.ServeHTTP(w, r)
}

// called lists the calls so far.
func (f *faulty) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// status answers with a status, headers as pairs, and a body.
func status(code int, body string, headers ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// lostAnswer does what is asked and breaks the connection.
func lostAnswer(_ http.ResponseWriter, r *http.Request, service http.Handler) {
	service.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// jira is Jira Cloud as far as its REST API v3 documents what is called here.
type jira struct {
	t      *testing.T
	issues []*jiraIssue
	blind  int // searches that do not see the latest issue: the index is behind
	narrow bool
}

type jiraIssue struct {
	id, project, summary string
	labels               []string
	comments             []any
	status               string // category
	property             json.RawMessage
}

func refuse(w http.ResponseWriter, code int, text string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"errorMessages": []string{text}, "errors": map[string]string{}})
}

var jqlForm = regexp.MustCompile(`^project = "([^"]+)" AND labels = "([^"]+)" ORDER BY created ASC$`)

func (j *jira) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, token, ok := r.BasicAuth(); !ok || user != "bot@example.com" || token != "s3cr3t-token" {
		refuse(w, http.StatusUnauthorized, "Client must be authenticated to access this resource.")
		return
	}
	var in struct {
		JQL    string
		Fields struct {
			Project     struct{ Key string }
			IssueType   struct{ Name string }
			Summary     string
			Description map[string]any
			Labels      []string
		}
		Update struct {
			Comment []struct{ Add struct{ Body map[string]any } }
		}
		Properties []struct {
			Key   string
			Value json.RawMessage
		}
		Transition struct{ ID string }
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || len(b) > 0 && r.Header.Get("Content-Type") != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "")
		return
	}
	if len(b) > 0 {
		if r.URL.Path == "/rest/api/3/search/jql" { // whose fields are a list
			var q struct{ JQL string }
			_ = json.Unmarshal(b, &q)
			in.JQL = q.JQL
		} else if err := json.Unmarshal(b, &in); err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	answer := func(code int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		if v != nil {
			_ = json.NewEncoder(w).Encode(v)
		}
	}
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/rest/api/3/"), "/")
	switch {
	case r.Method == "POST" && r.URL.Path == "/rest/api/3/search/jql":
		m := jqlForm.FindStringSubmatch(in.JQL)
		if m == nil {
			refuse(w, http.StatusBadRequest, "Error in the JQL Query: "+in.JQL)
			return
		}
		seen := j.issues
		if j.blind > 0 && len(seen) > 0 {
			j.blind--
			seen = seen[:len(seen)-1]
		}
		found := []any{}
		for _, i := range seen {
			if i.project == m[1] && slices.Contains(i.labels, m[2]) {
				found = append(found, map[string]any{"id": i.id, "fields": map[string]any{"status": map[string]any{"statusCategory": map[string]any{"key": i.status}}}})
			}
		}
		answer(200, map[string]any{"issues": found, "isLast": true})
	case r.Method == "POST" && r.URL.Path == "/rest/api/3/issue":
		f := in.Fields
		if f.Project.Key == "" || f.IssueType.Name == "" || f.Summary == "" || len(f.Summary) > 255 || f.Description["type"] != "doc" || len(in.Properties) != 1 {
			refuse(w, http.StatusBadRequest, "a field is missing")
			return
		}
		for _, l := range f.Labels {
			if strings.Contains(l, " ") {
				refuse(w, http.StatusBadRequest, "The label '"+l+"' contains spaces which is invalid.")
				return
			}
		}
		i := &jiraIssue{id: fmt.Sprint(10000 + len(j.issues)), project: f.Project.Key, summary: f.Summary, labels: f.Labels, comments: []any{f.Description}, status: "new", property: in.Properties[0].Value}
		j.issues = append(j.issues, i)
		answer(201, map[string]any{"id": i.id, "key": "SEC-" + i.id})
	case path[0] == "issue" && len(path) >= 2:
		at := slices.IndexFunc(j.issues, func(i *jiraIssue) bool { return i.id == path[1] })
		if at < 0 {
			refuse(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
			return
		}
		i := j.issues[at]
		switch what := strings.Join(append([]string{r.Method}, path[2:]...), " "); what {
		case "GET properties plumbline":
			if i.property == nil {
				refuse(w, http.StatusNotFound, "The property plumbline does not exist.")
				return
			}
			answer(200, map[string]any{"key": "plumbline", "value": i.property})
		case "PUT":
			for _, c := range in.Update.Comment {
				if c.Add.Body["type"] != "doc" {
					refuse(w, http.StatusBadRequest, "Comment body is not valid!")
					return
				}
				i.comments = append(i.comments, c.Add.Body)
			}
			i.property = in.Properties[0].Value
			answer(204, nil)
		case "GET transitions":
			to := func(id, category string) any {
				return map[string]any{"id": id, "to": map[string]any{"statusCategory": map[string]any{"key": category}}}
			}
			list := []any{to("11", "indeterminate"), to("31", "done")}
			if j.narrow {
				list = []any{}
			}
			answer(200, map[string]any{"transitions": list})
		case "POST transitions":
			i.status = map[string]string{"11": "indeterminate", "31": "done"}[in.Transition.ID]
			answer(204, nil)
		default:
			j.t.Errorf("Jira has no %s %s", r.Method, r.URL.Path)
		}
	default:
		j.t.Errorf("Jira has no %s %s", r.Method, r.URL.Path)
	}
}

// serviceNow is ServiceNow's Table API on the table incident.
type serviceNow struct {
	t         *testing.T
	incidents []map[string]string
	notes     [][]string
}

func (s *serviceNow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(code int, text string) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"message": text, "detail": ""}, "status": "failure"})
	}
	if user, token, ok := r.BasicAuth(); !ok || user != "bot@example.com" || token != "s3cr3t-token" {
		refuse(http.StatusUnauthorized, "User Not Authenticated")
		return
	}
	answer := func(code int, v any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"result": v})
	}
	in := map[string]string{}
	if b, _ := io.ReadAll(r.Body); len(b) > 0 {
		if err := json.Unmarshal(b, &in); err != nil {
			refuse(http.StatusBadRequest, "Exception while reading request")
			return
		}
	}
	if len(in["correlation_display"]) > 100 || len(in["correlation_id"]) > 100 || len([]rune(in["short_description"])) > 160 {
		s.t.Errorf("a field is too long: %v", in)
	}
	const table = "/api/now/table/incident"
	switch {
	case r.Method == "GET" && r.URL.Path == table:
		id, ok := strings.CutPrefix(r.URL.Query().Get("sysparm_query"), "correlation_id=")
		id, order, _ := strings.Cut(id, "^")
		if !ok || order != "ORDERBYDESCsys_created_on" || r.URL.Query().Get("sysparm_limit") != "1" {
			s.t.Errorf("query %s", r.URL.RawQuery)
		}
		found := []any{}
		for i := len(s.incidents) - 1; i >= 0 && len(found) == 0; i-- {
			if s.incidents[i]["correlation_id"] == id {
				found = append(found, s.incidents[i])
			}
		}
		answer(200, found)
	case r.Method == "POST" && r.URL.Path == table:
		in["sys_id"], in["state"] = fmt.Sprintf("%032d", len(s.incidents)), "1"
		s.incidents, s.notes = append(s.incidents, in), append(s.notes, []string{in["description"]})
		answer(201, in)
	case r.Method == "PATCH" && strings.HasPrefix(r.URL.Path, table+"/"):
		at := slices.IndexFunc(s.incidents, func(i map[string]string) bool { return i["sys_id"] == strings.TrimPrefix(r.URL.Path, table+"/") })
		switch {
		case at < 0:
			refuse(http.StatusNotFound, "No Record found")
			return
		case in["state"] == "6" && (in["close_code"] == "" || in["close_notes"] == ""):
			refuse(http.StatusForbidden, "Data Policy Exception: The following fields are mandatory: Resolution code")
			return
		}
		for k, v := range in {
			if k == "work_notes" {
				s.notes[at] = append(s.notes[at], v)
				continue
			}
			s.incidents[at][k] = v
		}
		answer(200, s.incidents[at])
	default:
		s.t.Errorf("ServiceNow has no %s %s", r.Method, r.URL.Path)
	}
}
