package asltest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumbline/internal/nearest"
)

// Kind is a way in which one call of a task goes wrong.
type Kind string

// The kinds. "Effect" is the task's own work: what its Invoker does.
const (
	Throttle      Kind = "throttle"       // refused as its service refuses what is asked too often; no effect
	NamedError    Kind = "error"          // fails with Fault.Error; no effect
	TimeOut       Kind = "timeout"        // no answer ever, no effect: the state's time-out must end it
	Crash         Kind = "crash"          // the effect, then Fault.Error in place of the answer
	Duplicate     Kind = "duplicate"      // the effect twice, one after the other; the answer is the second
	Slow          Kind = "slow"           // the effect at once, the answer Fault.After later: too late where the state times out before
	Late          Kind = "late"           // the effect Fault.After later, when nobody may wait any more; no answer ever
	LostHeartbeat Kind = "lost-heartbeat" // with a token: the worker works on but no heartbeat arrives
	LostCallback  Kind = "lost-callback"  // with a token: the effect, but the token is never answered
)

// kinds are all of them, with what their text has behind the kind.
var kinds = []struct {
	kind         Kind
	error, after bool
}{
	{kind: Throttle}, {kind: NamedError, error: true}, {kind: TimeOut}, {kind: Crash, error: true}, {kind: Duplicate},
	{kind: Slow, after: true}, {kind: Late, after: true}, {kind: LostHeartbeat}, {kind: LostCallback},
}

// Site is one call that a run makes: an attempt of a task state.
type Site struct {
	Machine string // name of the state machine; "": the one that is explored
	State   string
	Entry   int // how often the state was entered before in the run, as by other iterations of a Map; from 0
	Attempt int // from 0, as $$.State.RetryCount
}

// String is the site as a plan writes it: FetchStack attempt 0, or with all its
// parts ReportFailure/NotifyFailure#2 attempt 1.
func (s Site) String() string {
	name := s.State
	if s.Machine != "" || strings.Contains(name, "/") {
		name = s.Machine + "/" + name
	}
	if s.Entry > 0 || strings.Contains(name, "#") {
		name += "#" + strconv.Itoa(s.Entry)
	}
	return name + " attempt " + strconv.Itoa(s.Attempt)
}

// Fault is one call that goes wrong.
type Fault struct {
	Site
	Kind  Kind
	Error string        // of NamedError and Crash
	After time.Duration // of Slow and Late, in virtual time
}

// String is the fault as a line of a plan: FetchStack attempt 0: slow 1m11s.
func (f Fault) String() string {
	text := f.Site.String() + ": " + string(f.Kind)
	if f.Error != "" {
		text += " " + f.Error
	}
	if f.After != 0 {
		text += " " + f.After.String()
	}
	return text
}

// Plan is the faults of one run. The empty plan is a run in which all goes well.
type Plan []Fault

// String is the plan as ParsePlan reads it, one fault a line.
func (p Plan) String() string {
	lines := make([]string, len(p))
	for i, f := range p {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// ParsePlan reads a plan: faults on lines of their own or between semicolons.
// Empty lines mean nothing.
func ParsePlan(text string) (Plan, error) {
	var p Plan
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		f, err := parseFault(line)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", line, err)
		}
		p = append(p, f)
	}
	return p, nil
}

const faultForm = "write STATE attempt N: KIND, such as FetchStack attempt 0: slow 90s"

func parseFault(line string) (Fault, error) {
	var f Fault
	site, what, err := f.cut(line)
	if err != nil {
		return f, err
	}
	f.State = site
	if hash := strings.LastIndexByte(f.State, '#'); hash >= 0 {
		if n, err := strconv.Atoi(f.State[hash+1:]); err == nil && n >= 0 {
			f.State, f.Entry = f.State[:hash], n
		}
	}
	if machine, state, ok := strings.Cut(f.State, "/"); ok {
		f.Machine, f.State = machine, state
	}
	if f.State == "" || len(what) == 0 {
		return f, fmt.Errorf("no state or kind. %s", faultForm)
	}
	return f, f.parseKind(what)
}

// cut finds the attempt, and what stands before and behind it.
func (f *Fault) cut(line string) (site string, what []string, err error) {
	const word = " attempt "
	for at := strings.Index(line, word); at >= 0; {
		number, rest, ok := strings.Cut(line[at+len(word):], ":")
		if n, err := strconv.Atoi(number); ok && err == nil && n >= 0 {
			f.Attempt = n
			return line[:at], strings.Fields(rest), nil
		}
		next := strings.Index(line[at+1:], word)
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return "", nil, fmt.Errorf("no attempt, a number from 0 on with a colon behind it. %s", faultForm)
}

// parseKind reads the kind and what it needs.
func (f *Fault) parseKind(what []string) error {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k.kind))
		if string(k.kind) != what[0] {
			continue
		}
		f.Kind = k.kind
		switch argument := strings.Join(what[1:], " "); {
		case !k.error && !k.after && argument != "":
			return fmt.Errorf("%s takes nothing behind it, not %q", k.kind, argument)
		case k.error && argument == "":
			return fmt.Errorf("%s needs the name of an error behind it", k.kind)
		case k.error:
			f.Error = argument
		case k.after:
			d, err := time.ParseDuration(argument)
			if err != nil || d <= 0 {
				return fmt.Errorf("%s needs a duration above 0 behind it, such as 90s, not %q", k.kind, argument)
			}
			f.After = d
		}
		return nil
	}
	hint := cmp.Or(nearest.Of(what[0], names), strings.Join(names, ", "))
	return fmt.Errorf("no kind of fault is called %q. use %s", what[0], hint)
}
