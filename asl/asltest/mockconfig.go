package asltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"plumbline/asl"
)

// standing is to how many calls of a state the mock file gives an answer that
// a scenario gives always: the file's format has no word for "always".
const standing = 100

// MockConfig is the scenarios of a folder in the format of Step Functions
// Local's MockConfigFile.json: a state machine a workflow, a test case a
// scenario, so that any emulator which reads that file can run the workflows
// (SFN_MOCK_CONFIG, and an execution of "ARN#CASE"). The text is the same for
// the same scenarios.
//
// The format knows results and errors only. A task that never answers is
// therefore a States.Timeout thrown at it, one that echoes must not occur, and
// one that answers late answers at once. With extended the file has what
// plumbline sfn reads beyond that: {"Hang": true}, {"Echo": true}. Objects that
// an ItemReader finds stand in "S3Objects" in both, which emulators that do
// not know it pass over.
func MockConfig(dir string, extended bool, opts ...Option) ([]byte, error) {
	o := choose(opts)
	files, err := scenarioFiles(dir)
	if err != nil {
		return nil, err
	}
	f := &mockFile{extended: extended, substitute: o.substitute, machines: map[string]map[string]map[string]string{}, objects: map[string][]byte{}, names: map[string]map[string]string{}}
	var problems []error
	for _, file := range files {
		s, err := parseScenario(dir, file, o.workflow)
		if err == nil {
			err = f.add(s)
		}
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return f.text()
}

// mocked is how the mock file calls the scenario's state machine and test case.
// An Express machine of a workflow is a machine of its own.
func (s *scenario) mocked() (machine, testCase string) {
	machine = machineName(s.workflow)
	if s.typ == asl.Express {
		machine += "-express"
	}
	if folder, base := path.Split(s.name); folder == s.workflow+"/" {
		return machine, machineName(base)
	}
	return machine, machineName(s.name)
}

// mockFile is a mock file as it grows.
type mockFile struct {
	extended   bool
	substitute func([]byte) []byte
	machines   map[string]map[string]map[string]string // machine, case, state: name of the responses
	bodies     []string                                // responses in order, each `"name": {…}`
	names      map[string]map[string]string            // machine/state, responses: their name
	objects    map[string][]byte
}

func (f *mockFile) add(s *scenario) error {
	machine, testCase := s.mocked()
	if _, twice := f.machines[machine][testCase]; twice {
		return fmt.Errorf("%s: another scenario is the test case %q of %q too. give one another name", s.file, testCase, machine)
	}
	if f.machines[machine] == nil {
		f.machines[machine] = map[string]map[string]string{}
	}
	states := map[string]string{}
	queue, always := s.script.All()
	for _, state := range slices.Sorted(maps.Keys(queue)) {
		states[state] = ""
	}
	for state := range always {
		states[state] = ""
	}
	for _, state := range slices.Sorted(maps.Keys(states)) {
		standing, stands := always[state]
		body, err := f.responses(queue[state], standing, stands)
		if err != nil {
			return fmt.Errorf("%s: state %q: %w", s.file, state, err)
		}
		states[state] = f.name(machine, state, body)
	}
	f.machines[machine][testCase] = states
	for key, text := range s.objects {
		key, text = string(f.substitute([]byte(key))), f.substitute(text)
		if other, ok := f.objects[key]; ok && !bytes.Equal(other, text) {
			return fmt.Errorf("%s: another scenario has the object %s with other contents, and the mock file has one for all. give it another key", s.file, key)
		}
		f.objects[key] = text
	}
	return nil
}

// name is what the responses are called: by machine and state, and a number
// where a state has several.
func (f *mockFile) name(machine, state, body string) string {
	place := machine + "." + state
	known := f.names[place]
	if known == nil {
		known = map[string]string{}
		f.names[place] = known
	}
	name, ok := known[body]
	if !ok {
		name = place + "." + strconv.Itoa(len(known)+1)
		known[body] = name
		f.bodies = append(f.bodies, fmt.Sprintf("%q: {\n      %s\n    }", name, body))
	}
	return name
}

// responses are the answers by the number of the call, from 0; equal
// neighbours share a range.
func (f *mockFile) responses(queue []Reply, always Reply, stands bool) (string, error) {
	var lines []string
	first, last := 0, ""
	flush := func(next int) {
		if last == "" {
			return
		}
		calls := strconv.Itoa(first)
		if next-1 > first {
			calls += "-" + strconv.Itoa(next-1)
		}
		lines = append(lines, fmt.Sprintf("%q: %s", calls, last))
	}
	if stands {
		queue = slices.Concat(queue, slices.Repeat([]Reply{always}, standing))
	}
	for i, r := range queue {
		text, err := f.response(r)
		if err != nil {
			return "", err
		}
		if text != last {
			flush(i)
			first, last = i, text
		}
	}
	flush(len(queue))
	return strings.Join(lines, ",\n      "), nil
}

func (f *mockFile) response(r Reply) (string, error) {
	switch {
	case r.Silent && f.extended:
		return `{"Hang": true}`, nil
	case r.Silent:
		r.Error, r.Cause = "States.Timeout", "no answer came in time"
	case r.Echo && f.extended:
		return `{"Echo": true}`, nil
	case r.Echo:
		return "", fmt.Errorf("%s: a mock file cannot say echo. write the result", r.Line)
	}
	var b bytes.Buffer
	if r.Error != "" {
		text, err := json.Marshal(struct{ Error, Cause string }{r.Error, r.Cause})
		return `{"Throw": ` + string(text) + "}", err
	}
	b.WriteString(`{"Return": `)
	if err := json.Compact(&b, f.substitute(r.Output)); err != nil {
		return "", err
	}
	b.WriteString("}")
	return b.String(), nil
}

func (f *mockFile) text() ([]byte, error) {
	type machine struct{ TestCases map[string]map[string]string }
	all := make(map[string]machine, len(f.machines))
	for name, cases := range f.machines {
		all[name] = machine{cases}
	}
	machines, err := json.MarshalIndent(all, "  ", "  ")
	if err != nil {
		return nil, err
	}
	type object struct{ Bucket, Key, Body string }
	objects := []object{}
	for _, place := range slices.Sorted(maps.Keys(f.objects)) {
		bucket, key, _ := strings.Cut(place, "/")
		objects = append(objects, object{bucket, key, string(f.objects[place])})
	}
	stored, err := json.MarshalIndent(objects, "  ", "  ")
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "{\n  \"StateMachines\": %s,\n  \"MockedResponses\": {\n    %s\n  },\n  \"S3Objects\": %s\n}\n", machines, strings.Join(f.bodies, ",\n    "), stored), nil
}
