package webhook

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"plumbline/alert"
	"plumbline/scan"
)

// property is the issue property in which a ticket keeps what it has seen.
const property = "plumbline"

// maxKept is how many messages a ticket remembers: a repetition comes soon, or never.
const maxKept = 50

// progress is what a ticket keeps of the messages that it has seen.
type progress struct {
	Seen time.Time `json:"seen"` // start of the latest scan that it was told of
	IDs  []string  `json:"ids"`  // of messages, the latest last
}

// knows reports whether a message was taken.
func (p progress) knows(n scan.Notice) bool { return slices.Contains(p.IDs, alert.Key(n)[:16]) }

// stale reports whether a later scan has spoken already: the message is kept,
// but does not decide whether the ticket is open.
func (p progress) stale(n scan.Notice) bool { return n.Seen.Before(p.Seen) }

// with is the progress after a message.
func (p progress) with(n scan.Notice) progress {
	if p.Seen.Before(n.Seen) {
		p.Seen = n.Seen
	}
	p.IDs = append(slices.Clone(p.IDs), alert.Key(n)[:16])
	p.IDs = p.IDs[max(0, len(p.IDs)-maxKept):]
	return p
}

// issue is an issue of Jira as far as it is read.
type issue struct {
	ID     string `json:"id"`
	Fields struct {
		Status struct {
			Category struct {
				Key string `json:"key"` // new, indeterminate, done
			} `json:"statusCategory"`
		} `json:"status"`
	} `json:"fields"`
}

func (i issue) done() bool { return i.Fields.Status.Category.Key == "done" }

// entity is an entity property in a request.
type entity struct {
	Key   string   `json:"key"`
	Value progress `json:"value"`
}

type fields = map[string]any

// jira brings the ticket of a message up to date. The comment and what the
// ticket remembers are written by one request, so a message is never shown
// twice, whichever answer is lost. Source of the calls: Jira Cloud REST API v3,
// "Issue search" (JQL), "Issues", "Issue properties".
func (s *Sender) jira(ctx context.Context, n scan.Notice) error {
	found, err := s.issues(ctx, n)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		if n.Count == 0 { // there never was a ticket: nothing to bring up to date
			return nil
		}
		ticket := alert.Jira(n)
		return s.api(ctx, http.MethodPost, "/rest/api/3/issue", nil, fields{
			"fields": fields{
				"project": fields{"key": s.secret.Project}, "issuetype": fields{"name": or(s.secret.IssueType, "Task")},
				"summary": ticket.Summary, "description": ticket.Description, "labels": []string{"plumbline", ticket.Label},
			},
			"properties": []entity{{property, progress{}.with(n)}},
		}, nil)
	}
	at := found[0]
	for _, double := range found[1:] { // the search is behind: a ticket was made twice
		if err := s.move(ctx, double, true); err != nil {
			return err
		}
	}
	var kept struct{ Value progress }
	err = s.api(ctx, http.MethodGet, "/rest/api/3/issue/"+at.ID+"/properties/"+property, nil, nil, &kept)
	if err != nil && !notFound(err) {
		return err
	}
	if !kept.Value.knows(n) {
		err := s.api(ctx, http.MethodPut, "/rest/api/3/issue/"+at.ID, nil, fields{
			"update":     fields{"comment": []any{fields{"add": fields{"body": alert.JiraComment(n)}}}},
			"properties": []entity{{property, kept.Value.with(n)}},
		}, nil)
		if err != nil {
			return err
		}
	}
	if kept.Value.stale(n) {
		return nil
	}
	return s.move(ctx, at, n.Remaining == 0)
}

// issues are those of the ticket's label, the oldest first.
func (s *Sender) issues(ctx context.Context, n scan.Notice) ([]issue, error) {
	var page struct {
		Issues []issue `json:"issues"`
	}
	jql := fmt.Sprintf("project = %s AND labels = %s ORDER BY created ASC", quoted(s.secret.Project), quoted(alert.JiraLabel(n)))
	err := s.api(ctx, http.MethodPost, "/rest/api/3/search/jql", nil, fields{"jql": jql, "fields": []string{"status"}, "maxResults": 10}, &page)
	return page.Issues, err
}

// quoted is a text in JQL.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// move closes an issue or opens it again, by the first transition that its
// workflow allows into such a status. Where there is none the ticket stays, and
// its comment says what is open.
func (s *Sender) move(ctx context.Context, at issue, closed bool) error {
	if at.done() == closed {
		return nil
	}
	var list struct {
		Transitions []struct {
			ID string `json:"id"`
			To struct {
				Category struct {
					Key string `json:"key"`
				} `json:"statusCategory"`
			} `json:"to"`
		} `json:"transitions"`
	}
	path := "/rest/api/3/issue/" + at.ID + "/transitions"
	if err := s.api(ctx, http.MethodGet, path, nil, nil, &list); err != nil {
		return err
	}
	for _, t := range list.Transitions {
		if (t.To.Category.Key == "done") == closed {
			return s.api(ctx, http.MethodPost, path, nil, fields{"transition": fields{"id": t.ID}}, nil)
		}
	}
	return nil
}

// or is a, or where it is empty b.
func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
