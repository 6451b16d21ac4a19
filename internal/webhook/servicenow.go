package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumbline/alert"
	"plumbline/scan"
)

// States of an incident. Source: ServiceNow, "Incident state", base system.
const (
	stateProgress = "2"
	stateResolved = "6"
	stateClosed   = "7" // cannot be opened again
)

// incident is an incident as far as it is read. ServiceNow writes all values as text.
type incident struct {
	ID      string `json:"sys_id"`
	State   string `json:"state"`
	Display string `json:"correlation_display"` // what it has seen: see marks
}

// servicenow brings the incident of a message up to date. The work note and
// what the incident remembers are written by one request, so a message is never
// shown twice. Source of the calls: ServiceNow REST API reference, "Table API".
func (s *Sender) servicenow(ctx context.Context, n scan.Notice) error {
	path := "/api/now/table/" + url.PathEscape(or(s.secret.Table, "incident"))
	fresh := alert.ServiceNow(n)
	var page struct{ Result []incident }
	err := s.api(ctx, http.MethodGet, path, url.Values{
		"sysparm_query":  {"correlation_id=" + fresh.CorrelationID + "^ORDERBYDESCsys_created_on"},
		"sysparm_fields": {"sys_id,state,correlation_display"},
		"sysparm_limit":  {"1"},
	}, nil, &page)
	if err != nil {
		return err
	}
	var at incident
	if len(page.Result) > 0 {
		at = page.Result[0]
	}
	kept := marks(at.Display)
	switch {
	case at.ID == "" || at.State == stateClosed:
		if n.Count == 0 || kept.knows(n) {
			return nil
		}
		body := fieldsOf(fresh)
		body["correlation_display"] = progress{}.with(n).marks()
		if s.secret.Group != "" {
			body["assignment_group"] = s.secret.Group
		}
		return s.api(ctx, http.MethodPost, path, nil, body, nil)
	}
	change := fields{}
	if !kept.knows(n) {
		change["work_notes"], change["correlation_display"] = alert.WorkNotes(n), kept.with(n).marks()
	}
	if !kept.stale(n) {
		switch {
		case n.Remaining == 0 && at.State != stateResolved:
			change["state"], change["close_code"] = stateResolved, or(s.secret.CloseCode, "Solution provided")
			change["close_notes"] = "No violation of this severity is open any more: scan " + alert.Text(n.ScanID, 100)
		case n.Remaining > 0 && at.State == stateResolved:
			change["state"] = stateProgress
		}
	}
	if len(change) == 0 {
		return nil
	}
	return s.api(ctx, http.MethodPatch, path+"/"+url.PathEscape(at.ID), nil, change, nil)
}

// fieldsOf is an incident's fields as a request has them.
func fieldsOf(i alert.Incident) fields {
	out := fields{}
	b, err := json.Marshal(i)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil { // texts always encode
		return fields{}
	}
	return out
}

// maxMarks is how much correlation_display takes, in characters.
const maxMarks = 100

// marks is a progress as correlation_display keeps it: the time, then as many
// of the latest messages as there is room for.
func (p progress) marks() string {
	s := p.Seen.UTC().Format(time.RFC3339)
	var ids string
	for i := len(p.IDs) - 1; i >= 0 && len(s)+len(ids)+1+len(p.IDs[i]) <= maxMarks; i-- {
		ids = " " + p.IDs[i] + ids
	}
	return s + ids
}

// marks reads what progress.marks has written; what it cannot read is none.
func marks(s string) progress {
	words := strings.Fields(s)
	if len(words) == 0 {
		return progress{}
	}
	at, err := time.Parse(time.RFC3339, words[0])
	if err != nil {
		return progress{}
	}
	return progress{Seen: at, IDs: words[1:]}
}
