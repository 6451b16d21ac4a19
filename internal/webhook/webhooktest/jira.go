// Package webhooktest is Jira and ServiceNow for tests, as far as plumbline calls
// them, by their documented APIs. They are not safe for concurrent use: what
// serves them takes one call at a time.
package webhooktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The account that both of them know.
const (
	User  = "bot@example.com"
	Token = "s3cr3t-token"
)

// Jira is Jira Cloud as far as its REST API v3 documents what is called here.
type Jira struct {
	T      testing.TB // told of calls that Jira has not
	Issues []*Issue
	Blind  int  // searches that do not see the latest issue: the index is behind
	Narrow bool // its workflow has no transitions
}

// Issue is one issue.
type Issue struct {
	ID, Project, Summary string
	Labels               []string
	Comments             []any
	Status               string // category: new, indeterminate, done
	Property             json.RawMessage
}

func refuse(w http.ResponseWriter, code int, text string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"errorMessages": []string{text}, "errors": map[string]string{}})
}

var jqlForm = regexp.MustCompile(`^project = "([^"]+)" AND labels = "([^"]+)" ORDER BY created ASC$`)

// ServeHTTP answers the calls of REST API v3 that are made.
func (j *Jira) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, token, ok := r.BasicAuth(); !ok || user != User || token != Token {
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
		seen := j.Issues
		if j.Blind > 0 && len(seen) > 0 {
			j.Blind--
			seen = seen[:len(seen)-1]
		}
		found := []any{}
		for _, i := range seen {
			if i.Project == m[1] && slices.Contains(i.Labels, m[2]) {
				found = append(found, map[string]any{"id": i.ID, "fields": map[string]any{"status": map[string]any{"statusCategory": map[string]any{"key": i.Status}}}})
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
		i := &Issue{ID: fmt.Sprint(10000 + len(j.Issues)), Project: f.Project.Key, Summary: f.Summary, Labels: f.Labels, Comments: []any{f.Description}, Status: "new", Property: in.Properties[0].Value}
		j.Issues = append(j.Issues, i)
		answer(201, map[string]any{"id": i.ID, "key": "SEC-" + i.ID})
	case path[0] == "issue" && len(path) >= 2:
		at := slices.IndexFunc(j.Issues, func(i *Issue) bool { return i.ID == path[1] })
		if at < 0 {
			refuse(w, http.StatusNotFound, "Issue does not exist or you do not have permission to see it.")
			return
		}
		i := j.Issues[at]
		switch what := strings.Join(append([]string{r.Method}, path[2:]...), " "); what {
		case "GET properties plumbline":
			if i.Property == nil {
				refuse(w, http.StatusNotFound, "The property plumbline does not exist.")
				return
			}
			answer(200, map[string]any{"key": "plumbline", "value": i.Property})
		case "PUT":
			for _, c := range in.Update.Comment {
				if c.Add.Body["type"] != "doc" {
					refuse(w, http.StatusBadRequest, "Comment body is not valid!")
					return
				}
				i.Comments = append(i.Comments, c.Add.Body)
			}
			i.Property = in.Properties[0].Value
			answer(204, nil)
		case "GET transitions":
			to := func(id, category string) any {
				return map[string]any{"id": id, "to": map[string]any{"statusCategory": map[string]any{"key": category}}}
			}
			list := []any{to("11", "indeterminate"), to("31", "done")}
			if j.Narrow {
				list = []any{}
			}
			answer(200, map[string]any{"transitions": list})
		case "POST transitions":
			i.Status = map[string]string{"11": "indeterminate", "31": "done"}[in.Transition.ID]
			answer(204, nil)
		default:
			j.T.Errorf("Jira has no %s %s", r.Method, r.URL.Path)
		}
	default:
		j.T.Errorf("Jira has no %s %s", r.Method, r.URL.Path)
	}
}
