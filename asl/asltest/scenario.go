package asltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"plumbline/asl"
	"plumbline/internal/nearest"
)

// stepKind is what a line makes happen.
type stepKind uint8

const (
	stepAdvance stepKind = iota
	stepReply            // to a state that waits for a token
	stepHeartbeat
	stepStop
)

type step struct {
	kind  stepKind
	line  string
	by    time.Duration
	reply Reply
	state string
	error string
	cause string
}

// wantPath is one line path.
type wantPath struct {
	line   string
	owner  string // "" : the machine itself
	index  int
	states []string
}

// wantEvent is one line expect event or expect no event.
type wantEvent struct {
	line, typ, state, text string
	none                   bool
	times                  int // 0: at least once
}

// wantCall is one line expect call.
type wantCall struct {
	line, state string
	parameters  any
}

// scenario is a parsed file.
type scenario struct {
	name     string
	file     string
	workflow string
	typ      string
	seed     uint64
	start    time.Time
	input    json.RawMessage
	objects  map[string][]byte

	definition *asl.Definition
	source     []byte
	script     *Script
	queued     []Reply // to ordinary tasks
	steps      []step

	status, error, cause string
	errorLine            string
	output               json.RawMessage
	paths                []wantPath
	events               []wantEvent
	calls                []wantCall
	tookLine             string
	took                 [2]time.Duration
}

// parser reads one scenario file.
type parser struct {
	s        *scenario
	dir      string
	sections map[string][]byte
	used     map[string]bool
	always   []Reply
	order    []step // replies and steps in the order of their lines
	problems []error
	included int
}

var verbs = []string{"workflow", "type", "seed", "at", "include", "input", "reply", "always", "advance", "heartbeat", "stop", "status", "error", "output", "path", "expect"}

// parseScenario reads a file of the folder dir. workflow finds definitions by
// name and may be nil. All problems are joined, each with its file and line.
func parseScenario(dir, file string, workflow func(string) ([]byte, error)) (*scenario, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return nil, err
	}
	s := &scenario{
		name: strings.TrimSuffix(filepath.ToSlash(rel), ".txtar"), file: filepath.ToSlash(rel), typ: asl.Standard, seed: 1,
		start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), objects: map[string][]byte{},
	}
	p := &parser{s: s, dir: filepath.Dir(file), sections: map[string][]byte{}, used: map[string]bool{}}
	archive := txtar.Parse(text)
	for _, f := range archive.Files {
		p.sections[f.Name] = f.Data
	}
	p.lines(s.file, string(archive.Comment))
	p.finish(workflow)
	return s, errors.Join(p.problems...)
}

func (p *parser) problem(line, format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf("%s: %s", line, fmt.Sprintf(format, args...)))
}

func (p *parser) lines(file, text string) {
	for i, raw := range strings.Split(text, "\n") {
		line := strings.TrimSpace(raw)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		p.line(file+":"+strconv.Itoa(i+1), verb, strings.TrimSpace(rest))
	}
}

func (p *parser) line(at, verb, rest string) {
	s := p.s
	if rest == "" && verb != "stop" && slices.Contains(verbs, verb) {
		p.problem(at, "%s is not complete. package asltest describes the lines", verb)
		return
	}
	switch verb {
	case "workflow":
		s.workflow = rest
	case "type":
		if rest != asl.Standard && rest != asl.Express {
			p.problem(at, "type %q does not exist. there are STANDARD and EXPRESS", rest)
		}
		s.typ = rest
	case "seed":
		n, err := strconv.ParseUint(rest, 10, 64)
		if err != nil || n == 0 {
			p.problem(at, "seed %q is no whole number from 1", rest)
		}
		s.seed = n
	case "at":
		t, err := time.Parse(time.RFC3339, rest)
		if err != nil {
			p.problem(at, "%q is no time. write it as 2026-01-01T00:00:00Z", rest)
		}
		s.start = t
	case "include":
		p.include(at, rest)
	case "input":
		s.input = p.json(at, rest)
	case "reply", "always":
		p.reply(at, verb, rest)
	case "advance":
		if d, ok := p.duration(at, rest); ok {
			p.order = append(p.order, step{kind: stepAdvance, line: at, by: d})
		}
	case "heartbeat":
		p.order = append(p.order, step{kind: stepHeartbeat, line: at, state: rest})
	case "stop":
		name, cause, _ := strings.Cut(rest, " ")
		p.order = append(p.order, step{kind: stepStop, line: at, error: name, cause: cause})
	case "status":
		if !slices.Contains([]string{"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}, rest) {
			p.problem(at, "status %q does not exist. there are SUCCEEDED, FAILED, TIMED_OUT, ABORTED", rest)
		}
		s.status = rest
	case "error":
		s.error, s.cause, _ = strings.Cut(rest, " ")
		s.errorLine = at
	case "output":
		s.output = p.json(at, rest)
	case "path":
		p.path(at, rest)
	case "expect":
		p.expect(at, rest)
	default:
		if near := nearest.Of(verb, verbs); near != "" {
			p.problem(at, "%q is no line of a scenario. did you mean %q?", verb, near)
			return
		}
		p.problem(at, "%q is no line of a scenario. there are %s", verb, strings.Join(verbs, ", "))
	}
}

func (p *parser) include(at, name string) {
	if p.included++; p.included > 20 {
		p.problem(at, "more than 20 files are included: perhaps one includes itself")
		return
	}
	if strings.HasSuffix(name, ".txtar") {
		p.problem(at, "%q would run as a scenario too. give shared lines another ending, such as .txt", name)
		return
	}
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.problem(at, "include %q: %v", name, err)
		return
	}
	p.lines(name, string(text))
}

func (p *parser) json(at, text string) json.RawMessage {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		return p.section(at, name)
	}
	if !json.Valid([]byte(text)) {
		p.problem(at, "%s is not JSON", clip(text))
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

func (p *parser) section(at, name string) json.RawMessage {
	text, ok := p.sections[name]
	p.used[name] = true
	switch {
	case !ok:
		p.problem(at, "the file has no section %q. add: -- %s --", name, name)
		return json.RawMessage("null")
	case !json.Valid(text):
		p.problem(at, "section %q is not JSON", name)
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

func (p *parser) duration(at, text string) (time.Duration, bool) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		p.problem(at, "%q is no duration. write it as 90s, 15m or 71h", text)
		return 0, false
	}
	return d, true
}

// reply reads STATE [Nx] [after D] ANSWER.
func (p *parser) reply(at, verb, text string) {
	state, rest, _ := strings.Cut(text, " ")
	r := Reply{Line: at, State: state}
	times := 1
	for {
		rest = strings.TrimSpace(rest)
		word, tail, _ := strings.Cut(rest, " ")
		if n, err := strconv.Atoi(strings.TrimSuffix(word, "x")); err == nil && strings.HasSuffix(word, "x") && n > 0 {
			times, rest = n, tail
			continue
		}
		if word == "after" {
			d, tail, _ := strings.Cut(strings.TrimSpace(tail), " ")
			after, ok := p.duration(at, d)
			if !ok {
				return
			}
			r.After, rest = after, tail
			continue
		}
		break
	}
	word, tail, _ := strings.Cut(rest, " ")
	tail = strings.TrimSpace(tail)
	switch word {
	case "":
		p.problem(at, "%s %s says no answer. write JSON, or error, throttle, timeout, echo, result", verb, state)
		return
	case "error":
		r.Error, r.Cause, _ = strings.Cut(tail, " ")
		if r.Error == "" {
			p.problem(at, "%s %s error wants the error's name", verb, state)
		}
	case "throttle":
		r.throttle = true
	case "timeout":
		r.Silent = true
	case "echo":
		r.Echo = true
	case "result":
		r.Output = p.json(at, tail)
	default:
		r.Output, r.function = p.json(at, rest), true
	}
	if verb == "always" {
		p.always = append(p.always, r)
		return
	}
	for range times {
		p.order = append(p.order, step{kind: stepReply, line: at, reply: r, state: state})
	}
}

func (p *parser) path(at, text string) {
	words := strings.Fields(text)
	w := wantPath{line: at, states: words}
	if open := strings.IndexByte(words[0], '['); open > 0 && strings.HasSuffix(words[0], "]") {
		n, err := strconv.Atoi(words[0][open+1 : len(words[0])-1])
		if err != nil || n < 0 {
			p.problem(at, "%q: a branch or iteration is a number from 0", words[0])
			return
		}
		w.owner, w.index, w.states = words[0][:open], n, words[1:]
	}
	p.s.paths = append(p.s.paths, w)
}

func (p *parser) expect(at, text string) {
	what, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	none := false
	if what == "no" {
		none = true
		what, rest, _ = strings.Cut(rest, " ")
	}
	switch {
	case what == "event":
		p.expectEvent(at, rest, none)
	case what == "call" && !none:
		state, parameters, _ := strings.Cut(rest, " ")
		v, _ := decode(p.json(at, strings.TrimSpace(parameters)))
		p.s.calls = append(p.s.calls, wantCall{at, state, v})
	case what == "took" && !none:
		p.s.tookLine = at
		low, high, both := strings.Cut(rest, " ")
		from, ok := p.duration(at, low)
		to := from
		if both && ok {
			to, ok = p.duration(at, strings.TrimSpace(high))
		}
		if ok {
			p.s.took = [2]time.Duration{from, to}
		}
	default:
		p.problem(at, "expect %s is not known. there are: event, no event, call, took", what)
	}
}

func (p *parser) expectEvent(at, text string, none bool) {
	typ, rest, _ := strings.Cut(text, " ")
	w := wantEvent{line: at, typ: typ, none: none}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		word, tail, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(strings.TrimSuffix(word, "x"))
		switch {
		case err == nil && strings.HasSuffix(word, "x") && !none:
			w.times, rest = n, tail
		case word == "in":
			w.state, rest, _ = strings.Cut(strings.TrimSpace(tail), " ")
		case word == "with":
			w.text, rest = strings.TrimSpace(tail), ""
		default:
			p.problem(at, "%q does not belong behind an event. write: expect event TYPE [Nx] [in STATE] [with TEXT]", word)
			return
		}
	}
	p.s.events = append(p.s.events, w)
}
