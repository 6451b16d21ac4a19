package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"plumbline/cfn"
)

// Snapshot is a target at one moment: the template's source, the parameters
// it is deployed with, and the live model of each resource (Cloud Control's
// shape; nil when only the template is judged). It parses and resolves its
// template once, when first asked; all methods are safe for concurrent use.
// It must not be copied after a method was called.
type Snapshot struct {
	Target     Target
	Source     []byte
	Parameters map[string]string
	Live       []json.RawMessage
	// Failed is why the source could not be read ("permission denied"); such a
	// snapshot is assessed as one template-readable error. Empty: it was read.
	Failed string
	// Gone is set where the stack does not exist any more: nothing is judged,
	// and what was known of it is resolved.
	Gone bool
	// Observe, where not nil, is told how long the parse and the resolution of
	// this snapshot took, each once. It may be called from any goroutine.
	Observe func(Phase, time.Duration) `json:"-"`

	parse, resolve sync.Once
	template       *cfn.Template
	problem        error
	models         []*cfn.Model
}

// Phase is a part of a scan whose cost is measured.
type Phase string

// The phases of a scan. Orchestrate is all that is not one of the others.
const (
	PhaseRead        Phase = "read"        // sources from disk
	PhaseLoad        Phase = "load"        // cfn.Parse
	PhaseResolve     Phase = "resolve"     // Template.Worlds
	PhaseJudge       Phase = "judge"       // rules, their compilation included
	PhaseOrchestrate Phase = "orchestrate" // workflow, tasks, persistence
)

// Template returns the parsed template, the same one each time. The error is a
// *cfn.Problem with a place where the template cannot be read.
func (s *Snapshot) Template() (*cfn.Template, error) {
	s.parse.Do(func() {
		if s.Failed != "" {
			s.problem = &cfn.Problem{Path: s.Target.Path, Pos: cfn.Pos{Line: 1, Column: 1}, Message: s.Failed}
			return
		}
		start := s.start()
		s.template, s.problem = cfn.Parse(s.Target.Path, s.Source)
		s.observe(PhaseLoad, start)
	})
	return s.template, s.problem
}

// Models returns the resources of the template in each world that is explored,
// the base world first; nil where the template cannot be read or is gone.
func (s *Snapshot) Models() []*cfn.Model {
	if s.Gone {
		return nil
	}
	t, err := s.Template()
	if err != nil {
		return nil
	}
	s.resolve.Do(func() {
		start := s.start()
		s.models = t.Worlds(cfn.Inputs{
			Parameters: s.Parameters,
			Account:    s.Target.Account,
			Region:     s.Target.Region,
			Stack:      s.Target.Stack,
		})
		s.observe(PhaseResolve, start)
	})
	return s.models
}

func (s *Snapshot) start() time.Time {
	if s.Observe == nil {
		return time.Time{}
	}
	return time.Now()
}

func (s *Snapshot) observe(p Phase, start time.Time) {
	if s.Observe != nil {
		s.Observe(p, time.Since(start))
	}
}

// Hash is the SHA-256 of the source, hex; "" where there is none.
func (s *Snapshot) Hash() string {
	if len(s.Source) == 0 {
		return ""
	}
	sum := sha256.Sum256(s.Source)
	return hex.EncodeToString(sum[:])
}
