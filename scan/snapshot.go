package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"plumbline/cfn"
)

// Snapshot is a target at one moment: the template's source, the parameters
// it is deployed with, and what is deployed. It parses and resolves its
// template once, when first asked; all methods are safe for concurrent use.
// It must not be copied after a method was called.
type Snapshot struct {
	Target     Target
	Source     []byte
	Parameters map[string]string
	Live       *Live // what is deployed; nil when only the template is judged
	// Failed is why the source could not be read ("permission denied"); such a
	// snapshot is assessed as one template-readable error. Empty: it was read.
	Failed string
	// Gone is set where the stack does not exist any more: nothing is judged,
	// and what was known of it is resolved.
	Gone bool
	// Observe, where not nil, is told what processor time the parse and the resolution of
	// this snapshot took, each once. It may be called from any goroutine.
	Observe func(Phase, time.Duration) `json:"-"`

	parse, resolve sync.Once
	template       *cfn.Template
	problem        error // of parse
	models         []*cfn.Model
	defect         error // of resolve

	deploy   sync.Once
	deployed *cfn.Model
}

// Phase is a part of a scan whose cost is measured.
type Phase string

// The phases of a scan. Orchestrate is all that is not one of the others.
const (
	PhaseRead        Phase = "read"        // sources from disk
	PhaseLoad        Phase = "load"        // cfn.Parse
	PhaseResolve     Phase = "resolve"     // Template.Worlds
	PhaseCompile     Phase = "compile"     // reading and compiling rules
	PhaseJudge       Phase = "judge"       // applying rules; where it is observed by itself, their compilation included
	PhaseOrchestrate Phase = "orchestrate" // workflow, tasks, persistence
)

// Template returns the parsed template, the same one each time. The error is a
// *cfn.Problem with a place where the template cannot be read.
func (s *Snapshot) Template() (*cfn.Template, error) {
	s.parse.Do(func() {
		s.problem = &cfn.Problem{Path: s.Target.Path, Pos: cfn.Pos{Line: 1, Column: 1}, Message: s.Failed}
		if s.Failed != "" {
			return
		}
		defer s.caught(&s.problem, "parse")
		defer s.observe(PhaseLoad)()
		s.template, s.problem = cfn.Parse(s.Target.Path, s.Source)
	})
	return s.template, s.problem
}

// Models returns the resources of the template in each world that is explored,
// the base world first. The error is Template's, or says that the template
// could not be resolved, which is a defect of plumbline.
func (s *Snapshot) Models() ([]*cfn.Model, error) { return s.ModelsIn(nil) }

// ModelsIn is Models for stacks that are meant to be in these regions, see
// cfn.Inputs. Who asks first decides.
func (s *Snapshot) ModelsIn(regions []string) ([]*cfn.Model, error) {
	t, err := s.Template()
	if err != nil {
		return nil, err
	}
	s.resolve.Do(func() {
		defer s.caught(&s.defect, "resolve")
		defer s.observe(PhaseResolve)()
		s.models = t.Worlds(cfn.Inputs{
			Parameters: s.Parameters,
			Account:    s.Target.Account,
			Region:     s.Target.Region,
			Stack:      s.Target.Stack,
			Regions:    regions,
		})
	})
	return s.models, s.defect
}

// caught turns a panic into an error that every reader of the snapshot sees,
// not only the one that ran into it.
func (s *Snapshot) caught(into *error, what string) {
	if p := recover(); p != nil {
		*into = &cfn.Problem{Path: s.Target.Path, Pos: cfn.Pos{Line: 1, Column: 1}, Message: fmt.Sprintf("a defect of plumbline: %s: %v. please report it with this template", what, p)}
	}
}

// observe measures a phase until the function it returns is called.
func (s *Snapshot) observe(p Phase) func() {
	if s.Observe == nil {
		return func() {}
	}
	took := Measure()
	return func() { s.Observe(p, took()) }
}

// Hash is the SHA-256 of the source, hex; "" where there is none.
func (s *Snapshot) Hash() string {
	if len(s.Source) == 0 {
		return ""
	}
	sum := sha256.Sum256(s.Source)
	return hex.EncodeToString(sum[:])
}
