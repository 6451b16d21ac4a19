package engine

import (
	"encoding/json"
	"errors"
	"fmt"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// flow is what a query language makes of a state's data fields. JSONPath is
// the one implementation; a second language is a second one, and nothing else
// of the engine knows which it has. Errors are *Error.
type flow interface {
	// input is the state's effective input, made of the raw one.
	input(f *frame) (any, error)
	// arguments is what the state works on: Parameters, or the effective input.
	arguments(f *frame, effective any) (any, error)
	// output is the state's output, and the variables it assigns, nil for none.
	output(f *frame, result any) (any, *value.Object, error)
	// caught is the output and the variables of a state whose catcher takes e.
	caught(f *frame, c *catcher, e *value.Object) (any, *value.Object, error)
	// choose is where a Choice state goes, nil for nowhere, with its output and variables.
	choose(f *frame, effective any) (*state, any, *value.Object, error)
	// wait is the moment at which a Wait state ends.
	wait(f *frame, effective any) (moment, error)
	// failure is the error and cause of a Fail state.
	failure(f *frame, effective any) (*Error, error)
	// limits are a Task's time-out and heartbeat in seconds, 0 for none.
	limits(f *frame, effective any) (timeout, heartbeat int64, err error)
}

// jsonpathFlow is the flow of a state in JSONPath.
type jsonpathFlow struct {
	inputPath, resultPath, outputPath  pathField
	parameters, resultSelector, assign *jsonpath.Template
	isPass                             bool
	hasResult                          bool
	result                             any // Pass

	waits   waitSpec
	fails   failSpec
	timeout numberField
	beat    numberField
}

// pathField is InputPath, ResultPath or OutputPath.
type pathField struct {
	null bool
	path *jsonpath.Path // nil: $
}

// numberField is a number that may come from a path.
type numberField struct {
	set   bool
	value float64
	path  *jsonpath.Path
}

func (c *compiler) pathField(s *asl.State, field string, raw json.RawMessage) pathField {
	if raw == nil {
		return pathField{}
	}
	if string(raw) == "null" {
		return pathField{null: true}
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		c.problem(s.Pos, "%s of state %q must be a path or null", field, s.Name)
		return pathField{}
	}
	p := c.path(s, field, text)
	if p != nil && p.Whole() && p.Root() == jsonpath.Input {
		p = nil
	}
	return pathField{path: p}
}

func (c *compiler) path(s *asl.State, field, text string) *jsonpath.Path {
	p, err := jsonpath.Parse(text)
	if err != nil {
		c.problem(s.Pos, "%s of state %q is no path: %v", field, s.Name, err)
		return nil
	}
	return p
}

func (c *compiler) template(s *asl.State, field string, raw json.RawMessage) *jsonpath.Template {
	if raw == nil {
		return nil
	}
	v, err := value.Decode(raw)
	if err == nil {
		var t *jsonpath.Template
		if t, err = jsonpath.ParseTemplate(v); err == nil {
			return t
		}
	}
	c.problem(s.Pos, "%s of state %q: %v", field, s.Name, err)
	return nil
}

func (c *compiler) number(s *asl.State, field string, raw json.RawMessage, path string) numberField {
	n := numberField{set: raw != nil || path != ""}
	if path != "" {
		n.path = c.path(s, field+"Path", path)
	} else if raw != nil {
		if err := json.Unmarshal(raw, &n.value); err != nil {
			c.problem(s.Pos, "%s of state %q must be a number", field, s.Name)
		}
	}
	return n
}

func (c *compiler) jsonpathFlow(s *asl.State) *jsonpathFlow {
	fl := &jsonpathFlow{
		inputPath:      c.pathField(s, "InputPath", s.InputPath),
		outputPath:     c.pathField(s, "OutputPath", s.OutputPath),
		resultPath:     c.pathField(s, "ResultPath", s.ResultPath),
		resultSelector: c.template(s, "ResultSelector", s.ResultSelector),
		assign:         c.template(s, "Assign", s.Assign),
		isPass:         s.Type == "Pass",
	}
	if s.Type != "Map" {
		fl.parameters = c.template(s, "Parameters", s.Parameters)
	}
	if p := fl.resultPath.path; p != nil && !p.Reference() {
		c.problem(s.Pos, "ResultPath of state %q is %q. it must be a reference path, such as $.result", s.Name, p)
	}
	if s.Result != nil {
		v, err := value.Decode(s.Result)
		if err != nil {
			c.problem(s.Pos, "Result of state %q: %v", s.Name, err)
		}
		fl.hasResult, fl.result = true, v
	}
	switch s.Type {
	case "Wait":
		fl.waits = c.waitSpec(s)
	case "Fail":
		fl.fails = c.failSpec(s)
	case "Task":
		fl.timeout = c.number(s, "TimeoutSeconds", s.TimeoutSeconds, s.TimeoutSecondsPath)
		fl.beat = c.number(s, "HeartbeatSeconds", s.HeartbeatSeconds, s.HeartbeatSecondsPath)
	}
	return fl
}

func (fl *jsonpathFlow) input(f *frame) (any, error) {
	return f.pick(fl.inputPath, f.input)
}

// pick applies InputPath or OutputPath to data.
func (f *frame) pick(p pathField, data any) (any, error) {
	if p.null {
		return &value.Object{}, nil
	}
	if p.path == nil {
		return data, nil
	}
	v, err := f.scope(data).Find(p.path)
	if err != nil {
		return nil, f.wrong(err)
	}
	return v, nil
}

func (fl *jsonpathFlow) arguments(f *frame, effective any) (any, error) {
	v, err := f.fill(fl.parameters, effective)
	if err == nil && fl.parameters != nil && value.Exceeds(v, maxPayload) {
		return nil, f.tooLarge()
	}
	return v, err
}

// fill evaluates a template; without one, the data themselves.
func (f *frame) fill(t *jsonpath.Template, data any) (any, error) {
	if t == nil {
		return data, nil
	}
	v, err := t.Eval(f.scope(data))
	if err != nil {
		return nil, f.wrong(err)
	}
	return v, nil
}

func (fl *jsonpathFlow) output(f *frame, result any) (any, *value.Object, error) {
	if fl.hasResult {
		result = fl.result
	}
	result, err := f.fill(fl.resultSelector, result)
	if err != nil {
		return nil, nil, err
	}
	vars, err := f.assign(fl.assign, result)
	if err != nil {
		return nil, nil, err
	}
	out, err := f.place(fl.resultPath, result)
	if err != nil {
		return nil, nil, err
	}
	out, err = f.pick(fl.outputPath, out)
	return out, vars, err
}

func (fl *jsonpathFlow) caught(f *frame, c *catcher, e *value.Object) (any, *value.Object, error) {
	vars, err := f.assign(c.assign, e)
	if err != nil {
		return nil, nil, err
	}
	out, err := f.place(c.resultPath, e)
	return out, vars, err
}

// place applies ResultPath: where the result goes in the state's raw input.
func (f *frame) place(p pathField, result any) (any, error) {
	switch {
	case p.null:
		return f.input, nil
	case p.path == nil:
		return result, nil
	}
	out, err := p.path.Set(f.input, result)
	if err != nil {
		return nil, &Error{Name: ErrReferencePathConflict, Cause: err.Error()}
	}
	return out, nil
}

// assign evaluates an Assign field; nil where there is nothing to assign.
func (f *frame) assign(t *jsonpath.Template, data any) (*value.Object, error) {
	if t == nil {
		return nil, nil
	}
	v, err := f.fill(t, data)
	if err != nil {
		return nil, err
	}
	o, _ := v.(*value.Object)
	if o.Len() == 0 {
		return nil, nil
	}
	left := maxAssign
	for _, field := range o.Fields() {
		if left = value.Spend(field.Value, left); left < 0 {
			return nil, f.tooLarge()
		}
	}
	return o, nil
}

// wrong words an error of an expression as AWS does.
func (f *frame) wrong(err error) *Error {
	var field *jsonpath.FieldError
	var call *jsonpath.IntrinsicError
	var size *jsonpath.SizeError
	text := err.Error()
	switch {
	case errors.As(err, &size):
		return f.tooLarge()
	case errors.As(err, &call):
		text = call.Error()
	case errors.As(err, &field):
		text = fmt.Sprintf("The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
			field.Expr, field.Field, value.Text(field.In))
	}
	return &Error{Name: ErrRuntime, Cause: f.runtimeCause(text)}
}

// runtimeCause is the cause of an error that the state itself makes.
func (f *frame) runtimeCause(text string) string {
	return fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). %s", f.state.name, f.entered, text)
}

func (f *frame) runtime(format string, args ...any) *Error {
	return &Error{Name: ErrRuntime, Cause: f.runtimeCause(fmt.Sprintf(format, args...))}
}
