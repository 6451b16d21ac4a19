package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"plumbline/asl"
)

// Machine is a compiled state machine. It is immutable: any number of
// executions, in any number of engines, may share one.
type Machine struct {
	Identity
	root       *program
	timeout    time.Duration // of an execution; 0: none
	definition *asl.Definition
}

// maxExpress is how long an Express execution may run. Source: Step Functions
// quotas, "Maximum execution time" of an Express workflow.
const maxExpress = 5 * time.Minute

// limit is how long an execution of the machine may run; 0: as long as it likes.
func (m *Machine) limit() time.Duration {
	if m.Express && (m.timeout == 0 || m.timeout > maxExpress) {
		return maxExpress
	}
	return m.timeout
}

// Definition is what the machine was compiled from.
func (m *Machine) Definition() *asl.Definition { return m.definition }

// Identity is what a state machine is called where it runs.
type Identity struct {
	Name    string // of the state machine; "" is StateMachine
	ARN     string // "" : made of the engine's region and account and Name
	RoleARN string // $$.Execution.RoleArn; "" : a role of the engine's account
	Express bool   // type EXPRESS, else STANDARD
	// Variant is told to the invoker with each call and means nothing to the
	// engine: the test case that answers, say.
	Variant string
}

// same reports whether n is this machine by the same text, or the same compiled.
func (m *Machine) same(n *Machine) bool {
	if m.root == n.root {
		return true
	}
	return m.root.text != "" && m.root.text == n.root.text
}

// qualifiedARN is the ARN, with "#" and the variant where there is one.
func (m *Machine) qualifiedARN() string {
	if m.Variant == "" {
		return m.ARN
	}
	return m.ARN + "#" + m.Variant
}

// As returns the same machine under another identity.
func (m *Machine) As(id Identity) *Machine {
	n := *m
	n.Identity = id
	return &n
}

// program is one level of states: the machine, a branch or an item processor.
type program struct {
	start  *state
	states map[string]*state
	text   string // of the whole machine; "" in a branch, or where there is none
}

type kind uint8

const (
	kindTask kind = iota
	kindPass
	kindChoice
	kindWait
	kindSucceed
	kindFail
	kindParallel
	kindMap
)

var kinds = map[string]kind{
	"Task": kindTask, "Pass": kindPass, "Choice": kindChoice, "Wait": kindWait,
	"Succeed": kindSucceed, "Fail": kindFail, "Parallel": kindParallel, "Map": kindMap,
}

var kindNames = [...]string{"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}

// state is a compiled state.
type state struct {
	name  string
	kind  kind
	next  *state // nil: the end
	flow  flow   // how data go through it, which is what a query language says
	retry []retrier
	catch []catcher

	task     *taskSpec   // Task
	branches []*program  // Parallel
	mapping  *mapSpec    // Map
	choices  []choice    // Choice
	fallback *state      // Choice: Default
	nested   *nestedSpec // Task that starts an execution
}

// compiler gathers all problems of a definition.
type compiler struct {
	problems []error
}

func (c *compiler) problem(pos asl.Pos, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%d:%d: %s", pos.Line, pos.Column, fmt.Sprintf(format, args...)))
}

// Compile makes a machine of a definition. The definition need not have been
// validated: what the engine cannot run is reported here, all problems joined,
// each with its place. Text such as ${FetchArn} stays as it is.
func Compile(d *asl.Definition) (*Machine, error) {
	c := &compiler{}
	m := &Machine{root: c.program(d), definition: d}
	m.root.text = string(d.Source())
	if d.TimeoutSeconds != nil {
		m.timeout = seconds(*d.TimeoutSeconds)
	}
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	return m, nil
}

// maxSeconds is the longest wait or time-out. Source: Step Functions developer
// guide, "Wait workflow state".
const maxSeconds = 99_999_999

func seconds(n float64) time.Duration {
	return time.Duration(min(n, maxSeconds) * float64(time.Second))
}

func (c *compiler) program(d *asl.Definition) *program {
	p := &program{states: make(map[string]*state, len(d.States))}
	for _, s := range d.States {
		k, ok := kinds[s.Type]
		if !ok {
			c.problem(s.Pos, "state %q has the type %q. use one of Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map", s.Name, s.Type)
			continue
		}
		p.states[s.Name] = &state{name: s.Name, kind: k}
	}
	if p.start = p.states[d.StartAt]; p.start == nil {
		c.problem(d.Pos, "StartAt names %q, which is no state here. name one of %s", d.StartAt, names(d))
	}
	for _, s := range d.States {
		if st := p.states[s.Name]; st != nil {
			c.state(p, st, s, d)
		}
	}
	return p
}

func names(d *asl.Definition) string {
	var list []string
	for _, s := range d.States {
		list = append(list, s.Name)
	}
	return strings.Join(list, ", ")
}

func (c *compiler) state(p *program, st *state, s *asl.State, d *asl.Definition) {
	if s.Language() == asl.JSONata {
		c.problem(s.Pos, "state %q has the query language JSONata: this engine runs JSONPath. rewrite the state's fields with JSONPath", s.Name)
		return
	}
	st.flow = c.jsonpathFlow(s)
	switch st.kind {
	case kindSucceed, kindFail:
	case kindChoice:
		c.choice(p, st, s, d)
	default:
		if s.Next != "" {
			st.next = c.target(p, d, s.Pos, s.Name, "Next", s.Next)
		} else if !s.End {
			c.problem(s.Pos, "state %q has neither Next nor End. add one", s.Name)
		}
	}
	for _, r := range s.Retry {
		st.retry = append(st.retry, newRetrier(r))
	}
	for _, k := range s.Catch {
		st.catch = append(st.catch, c.catcher(p, d, s, k))
	}
	switch st.kind {
	case kindTask:
		st.task = c.taskSpec(s)
		st.nested = newNestedSpec(s.Resource)
		if s.Resource == "" {
			c.problem(s.Pos, "state %q has no Resource. name what it calls", s.Name)
		}
	case kindParallel:
		for _, b := range s.Branches {
			st.branches = append(st.branches, c.program(b))
		}
		if len(s.Branches) == 0 {
			c.problem(s.Pos, "state %q has no Branches. add one or more", s.Name)
		}
	case kindMap:
		if s.ItemProcessor == nil {
			c.problem(s.Pos, "state %q has no ItemProcessor. add the states that handle an item", s.Name)
			return
		}
		st.branches = []*program{c.program(s.ItemProcessor)}
		st.mapping = c.mapSpec(s)
	}
}

func (c *compiler) target(p *program, d *asl.Definition, pos asl.Pos, from, field, name string) *state {
	to := p.states[name]
	if to == nil {
		c.problem(pos, "%s of state %q names %q, which is no state here. name one of %s", field, from, name, names(d))
	}
	return to
}

func (c *compiler) catcher(p *program, d *asl.Definition, s *asl.State, k *asl.Catcher) catcher {
	out := catcher{errors: k.ErrorEquals, next: c.target(p, d, k.Pos, s.Name, "Catch", k.Next)}
	out.resultPath = c.pathField(s, "ResultPath of a catcher", k.ResultPath)
	out.assign = c.template(s, "Assign of a catcher", k.Assign)
	return out
}
