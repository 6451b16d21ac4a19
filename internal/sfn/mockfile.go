package sfn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"plumbline/asl/engine"
	"plumbline/internal/nearest"
)

// Mocks are what a mock file answers in place of services. The format is Step
// Functions Local's, with the answers Hang and Echo, a Throw without a name, and
// S3Objects added.
type Mocks struct {
	file     string
	machines map[string]map[string]map[string]*response // machine, test case, state
	s3       []s3Object
}

// response is one of MockedResponses: what a state's calls are answered with, in order.
type response struct {
	name    string
	answers []answer // by where they begin
}

// answer is for the calls from first to last, counted from 0.
type answer struct {
	first, last int
	reply       json.RawMessage // Return
	throw       *engine.Error
	hang, echo  bool
}

type s3Object struct {
	bucket, key string
	body        []byte
}

// ReadMocks reads a mock file. The error names each problem with its place.
func ReadMocks(file string) (*Mocks, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ParseMocks(file, src)
}

// ParseMocks is ReadMocks of a text; file stands in messages.
func ParseMocks(file string, src []byte) (*Mocks, error) {
	p := &mockParser{file: file, src: src, mocks: &Mocks{file: file, machines: map[string]map[string]map[string]*response{}}}
	root, err := parseNode(src)
	if err != nil {
		p.problem(err.at, "%s", err.message)
	} else {
		p.root(root)
	}
	if len(p.problems) == 0 {
		return p.mocks, nil
	}
	slices.SortStableFunc(p.problems, func(a, b mockProblem) int { return a.at - b.at })
	var all []error
	for _, problem := range p.problems {
		all = append(all, problem.err)
	}
	return nil, errors.Join(all...)
}

// File is where the mocks were read from.
func (m *Mocks) File() string { return m.file }

// mockParser makes Mocks of the file's nodes and gathers what is wrong.
type mockParser struct {
	file      string
	src       []byte
	mocks     *Mocks
	responses map[string]*response
	problems  []mockProblem
}

type mockProblem struct {
	at  int
	err error
}

func (p *mockParser) problem(at int, format string, args ...any) {
	before := p.src[:min(at, len(p.src))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	p.problems = append(p.problems, mockProblem{at, fmt.Errorf("%s:%d:%d: %s", p.file, line, column, fmt.Sprintf(format, args...))})
}

// fields checks that n is an object with some of these fields.
func (p *mockParser) fields(n *node, what string, allowed ...string) bool {
	if n.kind != '{' {
		p.problem(n.at, "%s is %s. write an object with %s", what, n.what(), strings.Join(allowed, ", "))
		return false
	}
	for _, m := range n.members {
		if slices.Contains(allowed, m.key) {
			continue
		}
		hint := ""
		if near := nearest.Of(m.key, allowed); near != "" {
			hint = fmt.Sprintf(". did you mean %q?", near)
		}
		p.problem(m.at, "%s has no field %q: there are %s%s", what, m.key, strings.Join(allowed, ", "), hint)
	}
	return true
}

// object checks that n is an object, of any fields.
func (p *mockParser) object(n *node, what string) []member {
	if n == nil {
		return nil
	}
	if n.kind != '{' {
		p.problem(n.at, "%s is %s. write an object", what, n.what())
		return nil
	}
	return n.members
}

func (p *mockParser) root(n *node) {
	if !p.fields(n, "the mock file", "StateMachines", "MockedResponses", "S3Objects") {
		return
	}
	p.responses = map[string]*response{}
	for _, m := range p.object(n.get("MockedResponses"), "MockedResponses") {
		p.responses[m.key] = p.response(m)
	}
	machines := n.get("StateMachines")
	if machines == nil {
		p.problem(n.at, "the mock file has no StateMachines. add them, with their TestCases")
	}
	for _, m := range p.object(machines, "StateMachines") {
		p.machine(m)
	}
	p.objects(n.get("S3Objects"))
}

func (p *mockParser) machine(m member) {
	what := fmt.Sprintf("state machine %q", m.key)
	cases := map[string]map[string]*response{}
	p.mocks.machines[m.key] = cases
	if !p.fields(m.value, what, "TestCases") {
		return
	}
	for _, test := range p.object(m.value.get("TestCases"), "TestCases of "+what) {
		states := map[string]*response{}
		cases[test.key] = states
		for _, state := range p.object(test.value, fmt.Sprintf("test case %q of %s", test.key, what)) {
			if state.value.kind != '"' {
				p.problem(state.value.at, "state %q of test case %q is %s. write the name of one of MockedResponses", state.key, test.key, state.value.what())
				continue
			}
			r := p.responses[state.value.text]
			if r == nil {
				p.problem(state.value.at, "state %q of test case %q names %q, which MockedResponses does not have%s", state.key, test.key, state.value.text, didYouMean(state.value.text, p.responses))
				continue
			}
			states[state.key] = r
		}
	}
}

func didYouMean[T any](got string, among map[string]T) string {
	names := make([]string, 0, len(among))
	for name := range among {
		names = append(names, name)
	}
	slices.Sort(names)
	if n := nearest.Of(got, names); n != "" {
		return fmt.Sprintf(". did you mean %q?", n)
	}
	const few = 8
	if len(names) > few {
		names = append(names[:few:few], "…")
	}
	if len(names) == 0 {
		return ": it has none"
	}
	return ": it has " + strings.Join(names, ", ")
}

func (p *mockParser) response(m member) *response {
	r := &response{name: m.key}
	what := fmt.Sprintf("response %q", m.key)
	calls := p.object(m.value, what)
	if m.value.kind == '{' && len(calls) == 0 {
		p.problem(m.value.at, `%s has no answer. add one, as "0": {"Return": {}}`, what)
	}
	for _, call := range calls {
		a := p.answer(call, what)
		first, last, ok := callRange(call.key)
		if !ok {
			p.problem(call.at, `%s has the calls %q. write one as "0", or more as "1-3"`, what, call.key)
			continue
		}
		a.first, a.last = first, last
		for _, other := range r.answers {
			if a.first <= other.last && other.first <= a.last {
				p.problem(call.at, "%s answers call %d twice. give each call one answer", what, max(a.first, other.first))
			}
		}
		r.answers = append(r.answers, a)
	}
	slices.SortFunc(r.answers, func(a, b answer) int { return a.first - b.first })
	return r
}

// callRange reads "0" or "1-3".
func callRange(key string) (first, last int, ok bool) {
	from, to, isRange := strings.Cut(key, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	return first, last, err1 == nil && err2 == nil && 0 <= first && first <= last
}

func (p *mockParser) answer(call member, what string) answer {
	what = fmt.Sprintf("call %s of %s", call.key, what)
	var a answer
	if !p.fields(call.value, what, "Return", "Throw", "Hang", "Echo") {
		return a
	}
	if len(call.value.members) != 1 {
		p.problem(call.value.at, "%s has %d answers. give one of Return, Throw, Hang, Echo", what, len(call.value.members))
		return a
	}
	m := call.value.members[0]
	switch m.key {
	case "Return":
		a.reply = m.value.raw(p.src)
	case "Throw":
		a.throw = &engine.Error{}
		if !p.fields(m.value, "Throw of "+what, "Error", "Cause") {
			return a
		}
		a.throw.Name, a.throw.Cause = p.string(m.value, "Error", what), p.string(m.value, "Cause", what)
	case "Hang", "Echo":
		if string(m.value.raw(p.src)) != "true" {
			p.problem(m.value.at, "%s of %s is %s. write true, or leave it out", m.key, what, m.value.raw(p.src))
		}
		a.hang, a.echo = m.key == "Hang", m.key == "Echo"
	}
	return a
}

// string is a field that may be absent and else is text.
func (p *mockParser) string(n *node, key, what string) string {
	v := n.get(key)
	if v == nil {
		return ""
	}
	if v.kind != '"' {
		p.problem(v.at, "%s of %s is %s. write text", key, what, v.what())
	}
	return v.text
}

func (p *mockParser) objects(n *node) {
	if n == nil {
		return
	}
	if n.kind != '[' {
		p.problem(n.at, "S3Objects is %s. write a list of objects with Bucket, Key, Body", n.what())
		return
	}
	for _, item := range n.items {
		if !p.fields(item, "an entry of S3Objects", "Bucket", "Key", "Body") {
			continue
		}
		o := s3Object{bucket: p.string(item, "Bucket", "S3Objects"), key: p.string(item, "Key", "S3Objects")}
		if o.bucket == "" || o.key == "" {
			p.problem(item.at, "an entry of S3Objects lacks its Bucket or Key. add both")
		}
		if body := item.get("Body"); body != nil {
			if o.body = body.raw(p.src); body.kind == '"' {
				o.body = []byte(body.text)
			}
		}
		p.mocks.s3 = append(p.mocks.s3, o)
	}
}

// has reports, as an error, that there is no such test case.
func (m *Mocks) has(machine, test string) error {
	if m == nil {
		return faultf("ValidationException", "there is no test case %q: the server runs without a mock file. start it with --mock-config FILE, or leave \"#%s\" off the ARN", test, test)
	}
	cases, ok := m.machines[machine]
	if !ok {
		return faultf("ValidationException", "%s has no state machine %q, whose test case %q was asked for%s", m.file, machine, test, didYouMean(machine, m.machines))
	}
	if _, ok := cases[test]; !ok {
		return faultf("ValidationException", "%s has no test case %q of state machine %q%s", m.file, test, machine, didYouMean(test, cases))
	}
	return nil
}

// response is what answers a state in a test case, nil for nothing.
func (m *Mocks) response(machine, test, state string) *response {
	if m == nil {
		return nil
	}
	return m.machines[machine][test][state]
}

// objects is memory with the file's S3Objects.
func (m *Mocks) objects() *engine.MemoryObjects {
	objects := &engine.MemoryObjects{}
	if m != nil {
		for _, o := range m.s3 {
			_ = objects.Put(context.Background(), o.bucket, o.key, o.body) // memory takes everything
		}
	}
	return objects
}
