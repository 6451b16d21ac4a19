package sfn

import (
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// retention is for how long an execution that has ended is kept over restarts.
// Source: Step Functions quotas, "Execution history retention time".
const retention = 90 * 24 * time.Hour

// Resume lets the executions of a journal go on. It is for a new server whose
// Store has their state machines. The error joins what of the journal could not
// be followed; everything else goes on in spite of it.
func (s *Server) Resume(entries []engine.Entry) error {
	list, err := s.engine.Resume(entries, func(arn string) *engine.Machine {
		m, _ := s.resolve(arn)
		return m
	})
	for _, x := range list {
		if stopped := x.Stopped(); !stopped.IsZero() && (x.Machine().Express || s.clock().Sub(stopped) > retention) {
			s.forget(x.ARN)
			continue
		}
		s.describeAgain(x)
		s.admit(x)
	}
	return err
}

// describeAgain has the revision that a resumed execution runs: of the machine as
// it stands if that has not changed, and else of the execution's own text.
func (s *Server) describeAgain(x *engine.Execution) {
	m := x.Machine()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revisions[m.Definition()] != nil {
		return
	}
	text := string(m.Definition().Source())
	if now := s.machines[m.ARN]; now != nil && now.Definition == text && now.RoleARN == m.RoleARN {
		s.revisions[m.Definition()] = now.revision
		return
	}
	r := &revision{Name: m.Name, RoleARN: m.RoleARN, Definition: text, Type: asl.Standard, Updated: x.Started, arn: m.ARN, compiled: m}
	if m.Express {
		r.Type = asl.Express
	}
	s.revisions[m.Definition()] = r
}

// admit has an execution among those that may be asked for, as long as they may.
func (s *Server) admit(x *engine.Execution) {
	if !x.Machine().Express {
		s.prune()
		return
	}
	go func() { // which cannot be asked for, so nothing needs it once it has ended
		<-x.Done()
		s.forget(x.ARN)
	}()
}

// forgetful is a Journal that can drop an execution.
type forgetful interface {
	Forget(arn string) error
}

// forget drops an execution that has ended.
func (s *Server) forget(arn string) {
	s.engine.Forget(arn)
	if j, ok := s.config.Journal.(forgetful); ok {
		if err := j.Forget(arn); err != nil {
			s.logf("forget %s: %v", arn, err)
		}
	}
}
