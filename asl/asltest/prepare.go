package asltest

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/asl"
	"plumbline/internal/nearest"
)

// finish finds the definition, fits the lines to its states, and reports what
// fits nothing.
func (p *parser) finish(workflow func(string) ([]byte, error)) {
	s := p.s
	s.source = p.source(workflow)
	if s.source == nil {
		return
	}
	d, err := asl.Parse(s.source)
	if err != nil {
		p.problem(s.file, "the definition: %v", err)
		return
	}
	s.definition = d
	p.data()
	p.assign()
	p.checkNames()
	queue := slices.Clone(s.queued)
	for _, st := range s.steps {
		if st.kind == stepReply {
			queue = append(queue, st.reply)
		}
	}
	s.script = newScript(d, queue, p.always)
	switch {
	case s.status != "":
	case s.error != "":
		s.status = "FAILED"
	default:
		s.status = "SUCCEEDED"
	}
}

func (p *parser) source(workflow func(string) ([]byte, error)) []byte {
	s := p.s
	if text, ok := p.sections["definition.json"]; ok {
		p.used["definition.json"] = true
		if s.workflow == "" {
			s.workflow = s.name
		}
		return text
	}
	if s.workflow == "" {
		p.problem(s.file, "no definition. add a line: workflow NAME, or a section definition.json")
		return nil
	}
	file := filepath.Join(p.dir, s.workflow+".asl.json")
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) && workflow != nil {
		text, err = workflow(s.workflow)
	}
	if err != nil {
		p.problem(s.file, "workflow %q: %v", s.workflow, err)
		return nil
	}
	return text
}

// data reads the sections that stand for lines, and refuses those that nothing reads.
func (p *parser) data() {
	s := p.s
	if _, ok := p.sections["input.json"]; ok {
		if s.input != nil {
			p.problem(s.file, "the input stands in a line and in the section input.json. keep one")
		}
		s.input = p.section(s.file, "input.json")
	}
	if s.input == nil {
		s.input = json.RawMessage("{}")
	}
	if _, ok := p.sections["output.json"]; ok {
		if s.output != nil {
			p.problem(s.file, "the output stands in a line and in the section output.json. keep one")
		}
		s.output = p.section(s.file, "output.json")
	}
	var names []string
	for name, text := range p.sections {
		if object, ok := strings.CutPrefix(name, "s3/"); ok {
			s.objects[object] = text
			continue
		}
		if !p.used[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.problem(s.file, "nothing reads the section %q. there are input.json, output.json, definition.json, s3/BUCKET/KEY, and those named with @", name)
	}
}

// assign tells replies to tasks from those to states that wait for a token,
// which are steps.
func (p *parser) assign() {
	callback := map[string]bool{}
	for _, st := range p.s.definition.All() {
		if st.Callback() {
			callback[st.Name] = true
		}
	}
	for _, st := range p.order {
		if st.kind != stepReply || !callback[st.state] {
			if st.kind == stepReply {
				p.s.queued = append(p.s.queued, st.reply)
				continue
			}
			p.s.steps = append(p.s.steps, st)
			continue
		}
		if r := st.reply; r.After > 0 || r.Echo || r.Silent || r.throttle {
			p.problem(st.line, "state %q waits for a token: it takes JSON or an error. let time pass with: advance DURATION", st.state)
			continue
		}
		p.s.steps = append(p.s.steps, st)
	}
}

// checkNames reports states that the definition does not have.
func (p *parser) checkNames() {
	types := map[string]string{}
	for _, st := range p.s.definition.All() {
		types[st.Name] = st.Type
	}
	know := func(line, state string, want ...string) {
		typ, ok := types[state]
		switch {
		case !ok:
			hint := ""
			var names []string
			for _, st := range p.s.definition.All() {
				names = append(names, st.Name)
			}
			if near := nearest.Of(state, names); near != "" {
				hint = ". did you mean " + near + "?"
			}
			p.problem(line, "workflow %s has no state %q%s", p.s.workflow, state, hint)
		case len(want) > 0 && !slices.Contains(want, typ):
			p.problem(line, "state %q is a %s; wanted is a %s", state, typ, strings.Join(want, " or a "))
		}
	}
	for _, r := range slices.Concat(p.s.queued, p.always) {
		know(r.Line, r.State, "Task")
	}
	for _, st := range p.s.steps {
		if st.kind == stepReply || st.kind == stepHeartbeat {
			know(st.line, st.state, "Task")
		}
	}
	for _, w := range p.s.paths {
		if w.owner != "" {
			know(w.line, w.owner, "Map", "Parallel")
		}
		for _, name := range w.states {
			know(w.line, name)
		}
	}
	for _, w := range p.s.events {
		if w.state != "" {
			know(w.line, w.state)
		}
	}
	for _, w := range p.s.calls {
		know(w.line, w.state, "Task")
	}
}
