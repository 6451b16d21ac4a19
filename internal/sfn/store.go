package sfn

import (
	"encoding/json"
	"fmt"
	"time"
)

// Store keeps what clients create beside executions, so that a server has it
// again after a restart. Implementations are safe for concurrent use.
type Store interface {
	// Put keeps a record in the place of the one of its Kind and ARN.
	Put(Record) error
	// Delete removes a record; one that is not there is no error.
	Delete(kind, arn string) error
	// Records returns all there are, in any order.
	Records() ([]Record, error)
}

// Record is a state machine or an activity as a Store keeps it.
type Record struct {
	Kind string // stateMachine, activity
	ARN  string
	Body json.RawMessage
}

// The kinds of records.
const (
	recordMachine  = kindMachine
	recordActivity = kindActivity
)

// kept is the body of a record.
type kept struct {
	Name     string    `json:"name,omitempty"` // of an activity
	Created  time.Time `json:"created"`
	Tags     tags      `json:"tags,omitempty"`
	Revision *revision `json:"revision,omitempty"` // of a state machine
}

func (m *machine) record() (Record, error) {
	b, err := json.Marshal(kept{Created: m.created, Tags: m.tags, Revision: m.revision})
	return Record{recordMachine, m.arn, b}, err
}

func (a *activity) record() (Record, error) {
	b, err := json.Marshal(kept{Name: a.name, Created: a.created, Tags: a.tags})
	return Record{recordActivity, a.arn, b}, err
}

// save hands a record to the store, where there is one.
func (s *Server) save(r Record, err error) error {
	if err == nil && s.config.Store != nil {
		err = s.config.Store.Put(r)
	}
	return s.storeFault(err)
}

func (s *Server) drop(kind, arn string) error {
	if s.config.Store == nil {
		return nil
	}
	return s.storeFault(s.config.Store.Delete(kind, arn))
}

// unavailable is the one fault that is the server's: clients try again.
const unavailable = "ServiceUnavailable"

// storeFault is a store's failure as the client hears of it.
func (s *Server) storeFault(err error) error {
	if err == nil {
		return nil
	}
	s.logf("the store: %v", err)
	return faultf(unavailable, "the server could not keep it: %v", err)
}

// load takes over what the store has.
func (s *Server) load() error {
	if s.config.Store == nil {
		return nil
	}
	records, err := s.config.Store.Records()
	if err != nil {
		return fmt.Errorf("read what the server knew: %w", err)
	}
	for _, r := range records {
		var k kept
		if err := json.Unmarshal(r.Body, &k); err != nil {
			return fmt.Errorf("read the record of %s: %w", r.ARN, err)
		}
		switch r.Kind {
		case recordActivity:
			s.activities[r.ARN] = &activity{arn: r.ARN, name: k.Name, created: k.Created, tags: k.Tags}
		case recordMachine:
			if k.Revision == nil {
				return fmt.Errorf("the record of %s has no revision", r.ARN)
			}
			if err := s.compile(k.Revision); err != nil {
				return fmt.Errorf("compile %s again: %w", r.ARN, err)
			}
			s.machines[r.ARN] = &machine{arn: r.ARN, created: k.Created, tags: k.Tags, revision: k.Revision}
			s.revisions[k.Revision.compiled.Definition()] = k.Revision
		}
	}
	return nil
}
