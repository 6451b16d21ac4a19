package engine

import (
	"errors"
	"time"
)

// maxRecursion is how many executions of state machines that are at work above
// them, started by each other, one engine begins for one execution that was
// started from outside. The service throttles StartExecution instead, and refuses
// 1,000,000 open executions with ExecutionLimitExceeded; a clock that jumps knows
// no throttling, and a machine that starts itself for ever would take all memory
// before. Executions that start others than themselves have no such bound.
const maxRecursion = 10_000

// maxDepth is how many of these may wait for each other: each that fails has what
// is left of the causes of all below it.
const maxDepth = 1000

var errTooManyExecutions = errors.New("executions that have started each other have started too many")

// calm is the age at which the starter of an execution nobody waits for counts no
// longer, where time passes by itself: a machine that begins itself anew each
// minute may do so for years.
const calm = time.Second

// lineage is where an execution comes from: those that have started it, and how
// many of its family are recursive. Only the engine's loop touches it.
type lineage struct {
	machine string // ARN
	starter *lineage
	family  *family
	depth   int // how many recursive ones wait for it, in a row
}

// family is all that one execution from outside has led to.
type family struct {
	recursive int
}

func newLineage(machine string) *lineage { return &lineage{machine: machine, family: &family{}} }

// below is the lineage of an execution of machine that x starts; nil: the family
// has as many recursive ones as it may.
func (x *Execution) below(machine string, waits bool, now time.Time) *lineage {
	if !waits && x.engine.jumper == nil && now.Sub(x.Started) >= calm {
		return newLineage(machine)
	}
	l := &lineage{machine: machine, starter: x.lineage, family: x.lineage.family}
	for a := l.starter; a != nil; a = a.starter {
		if a.machine != machine {
			continue
		}
		if waits {
			l.depth = l.starter.depth + 1
		}
		if l.family.recursive == maxRecursion || l.depth > maxDepth {
			return nil
		}
		l.family.recursive++
		break
	}
	return l
}

// maxCause is the longest cause, in characters. Source: Step Functions API
// reference, "ExecutionFailedEventDetails". A cause may hold the cause of another
// execution, with an escape for each of its quotes: without a bound it doubles
// with each execution above.
const maxCause = 32_768

// cut is the text up to the longest cause.
func cut(cause string) string {
	if len(cause) <= maxCause {
		return cause
	}
	n := 0
	for i := range cause {
		if n == maxCause {
			return cause[:i]
		}
		n++
	}
	return cause
}
