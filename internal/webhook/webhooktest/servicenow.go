package webhooktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// ServiceNow is ServiceNow's Table API on the table incident.
type ServiceNow struct {
	T         testing.TB // told of calls that ServiceNow has not
	Incidents []map[string]string
	Notes     [][]string // of each incident, the description first
}

// ServeHTTP answers the calls of the Table API that are made.
func (s *ServiceNow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(code int, text string) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"message": text, "detail": ""}, "status": "failure"})
	}
	if user, token, ok := r.BasicAuth(); !ok || user != User || token != Token {
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
		s.T.Errorf("a field is too long: %v", in)
	}
	const table = "/api/now/table/incident"
	switch {
	case r.Method == "GET" && r.URL.Path == table:
		id, ok := strings.CutPrefix(r.URL.Query().Get("sysparm_query"), "correlation_id=")
		id, order, _ := strings.Cut(id, "^")
		if !ok || order != "ORDERBYDESCsys_created_on" || r.URL.Query().Get("sysparm_limit") != "1" {
			s.T.Errorf("query %s", r.URL.RawQuery)
		}
		found := []any{}
		for i := len(s.Incidents) - 1; i >= 0 && len(found) == 0; i-- {
			if s.Incidents[i]["correlation_id"] == id {
				found = append(found, s.Incidents[i])
			}
		}
		answer(200, found)
	case r.Method == "POST" && r.URL.Path == table:
		in["sys_id"], in["state"] = fmt.Sprintf("%032d", len(s.Incidents)), "1"
		s.Incidents, s.Notes = append(s.Incidents, in), append(s.Notes, []string{in["description"]})
		answer(201, in)
	case r.Method == "PATCH" && strings.HasPrefix(r.URL.Path, table+"/"):
		at := slices.IndexFunc(s.Incidents, func(i map[string]string) bool { return i["sys_id"] == strings.TrimPrefix(r.URL.Path, table+"/") })
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
				s.Notes[at] = append(s.Notes[at], v)
				continue
			}
			s.Incidents[at][k] = v
		}
		answer(200, s.Incidents[at])
	default:
		s.T.Errorf("ServiceNow has no %s %s", r.Method, r.URL.Path)
	}
}
