package sfn

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// machine is a state machine by name, as it stands.
type machine struct {
	arn     string
	created time.Time
	tags    tags
	*revision
}

// revision is what an update changes. It is immutable: executions that run keep theirs.
type revision struct {
	Name       string          `json:"name"`
	RoleARN    string          `json:"roleArn"`
	Definition string          `json:"definition"`
	Type       string          `json:"type"`
	Logging    json.RawMessage `json:"loggingConfiguration,omitempty"`
	Tracing    json.RawMessage `json:"tracingConfiguration,omitempty"`
	ID         string          `json:"revisionId,omitempty"` // "" until the first update
	Updated    time.Time       `json:"updated"`

	arn        string
	compiled   *engine.Machine
	references []reference
}

type createStateMachineInput struct {
	Name, RoleARN, Definition, Type            string
	LoggingConfiguration, TracingConfiguration json.RawMessage
	Publish                                    bool
	Tags                                       []tag
}

func (s *Server) createStateMachine(_ context.Context, in *createStateMachineInput) ([]byte, error) {
	var l limits
	l.required("name", in.Name, maxName)
	l.required("definition", in.Definition, maxDefinition)
	l.required("roleArn", in.RoleARN, maxARN)
	l.among("type", in.Type, asl.Standard, asl.Express)
	if err := l.err(); err != nil {
		return nil, err
	}
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	if in.Publish {
		return nil, noVersions()
	}
	if in.Type == "" {
		in.Type = asl.Standard
	}
	t, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	r := &revision{Name: in.Name, RoleARN: in.RoleARN, Definition: in.Definition, Type: in.Type, Logging: in.LoggingConfiguration, Tracing: in.TracingConfiguration}
	if err := s.compile(r); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.machines[r.arn]
	if m != nil {
		// The same request again is answered as the first was. Source: CreateStateMachine
		// in the API reference, which leaves role and tags out of the comparison.
		if m.Definition != r.Definition || m.Type != r.Type || string(m.Logging) != string(r.Logging) || string(m.Tracing) != string(r.Tracing) {
			return nil, faultf("StateMachineAlreadyExists", "State Machine Already Exists: '%s'", r.arn)
		}
	} else {
		m = &machine{arn: r.arn, created: s.clock(), tags: t, revision: r}
		r.Updated = m.created
		if err := s.save(m.record()); err != nil {
			return nil, err
		}
		s.machines[r.arn] = m
		s.revisions[r.compiled.Definition()] = r
	}
	o := newObject()
	o.text("stateMachineArn", m.arn)
	o.time("creationDate", m.created)
	return o.close(), nil
}

func noVersions() error {
	return faultf("ValidationException", "versions and aliases are not there in plumbline sfn. leave publish out")
}

// compile checks a revision and prepares it for the engine.
func (s *Server) compile(r *revision) error {
	if !strings.HasPrefix(r.RoleARN, "arn:") {
		return faultf("InvalidArn", "Invalid Role Arn: '%s'", r.RoleARN)
	}
	if err := checkLogging(r.Logging); err != nil {
		return err
	}
	if ds := asl.Check([]byte(r.Definition), r.Type); asl.HasErrors(ds) {
		return invalidDefinition(ds)
	}
	d, err := asl.Parse([]byte(r.Definition))
	if err != nil {
		return faultf("InvalidDefinition", "Invalid State Machine Definition: '%v'", err)
	}
	m, err := engine.Compile(d)
	if err != nil {
		return faultf("InvalidDefinition", "Invalid State Machine Definition: '%s'", strings.ReplaceAll(err.Error(), "\n", ", "))
	}
	r.arn = s.arn(kindMachine, r.Name)
	r.compiled = m.As(engine.Identity{Name: r.Name, ARN: r.arn, RoleARN: r.RoleARN, Express: r.Type == asl.Express})
	r.references = referencesOf(r.Definition)
	return nil
}

// checkLogging refuses what AWS refuses in a logging configuration.
func checkLogging(raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var c struct {
		Level        string
		Destinations []struct {
			CloudWatchLogsLogGroup struct{ LogGroupARN string }
		}
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return unreadable(err)
	}
	var l limits
	l.among("loggingConfiguration.level", c.Level, "ALL", "ERROR", "FATAL", "OFF")
	if err := l.err(); err != nil {
		return err
	}
	switch {
	case len(c.Destinations) > 1, len(c.Destinations) == 0 && c.Level != "" && c.Level != "OFF":
		return faultf("InvalidLoggingConfiguration", "Invalid Logging Configuration: Must specify exactly one Log Destination.")
	case len(c.Destinations) == 1 && !strings.HasPrefix(c.Destinations[0].CloudWatchLogsLogGroup.LogGroupARN, "arn:"):
		return faultf("InvalidLoggingConfiguration", "Invalid Logging Configuration: Log Destination not found.")
	}
	return nil
}

type updateStateMachineInput struct {
	StateMachineARN                            string
	Definition, RoleARN                        *string
	LoggingConfiguration, TracingConfiguration json.RawMessage
	Publish                                    bool
}

func (s *Server) updateStateMachine(_ context.Context, in *updateStateMachineInput) ([]byte, error) {
	var l limits
	l.required("stateMachineArn", in.StateMachineARN, maxARN)
	if in.Definition != nil {
		l.atMost("definition", *in.Definition, maxDefinition)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	if err := arnOf(in.StateMachineARN, kindMachine); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.machines[in.StateMachineARN]
	if m == nil {
		return nil, noMachine(in.StateMachineARN)
	}
	if in.Definition == nil && in.RoleARN == nil && in.LoggingConfiguration == nil && in.TracingConfiguration == nil {
		return nil, faultf("MissingRequiredParameter", "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified")
	}
	if in.Publish {
		return nil, noVersions()
	}
	r := *m.revision
	if in.Definition != nil {
		r.Definition = *in.Definition
	}
	if in.RoleARN != nil {
		r.RoleARN = *in.RoleARN
	}
	if in.LoggingConfiguration != nil {
		r.Logging = in.LoggingConfiguration
	}
	if in.TracingConfiguration != nil {
		r.Tracing = in.TracingConfiguration
	}
	if err := s.compile(&r); err != nil {
		return nil, err
	}
	r.ID, r.Updated = requestID(), s.clock()
	next := *m
	next.revision = &r
	if err := s.save(next.record()); err != nil {
		return nil, err
	}
	s.machines[m.arn] = &next
	s.revisions[r.compiled.Definition()] = &r
	o := newObject()
	o.time("updateDate", r.Updated)
	o.text("revisionId", r.ID)
	return o.close(), nil
}

type stateMachineInput struct {
	StateMachineARN, IncludedData string
}

func (in *stateMachineInput) check() error {
	var l limits
	l.required("stateMachineArn", in.StateMachineARN, maxARN)
	l.among("includedData", in.IncludedData, "ALL_DATA", "METADATA_ONLY")
	if err := l.err(); err != nil {
		return err
	}
	return arnOf(in.StateMachineARN, kindMachine)
}

// deleteStateMachine takes the name away at once: executions that run go on.
func (s *Server) deleteStateMachine(_ context.Context, in *stateMachineInput) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.machines[in.StateMachineARN] != nil {
		if err := s.drop(recordMachine, in.StateMachineARN); err != nil {
			return nil, err
		}
		delete(s.machines, in.StateMachineARN)
	}
	return []byte("{}"), nil
}

func (s *Server) describeStateMachine(_ context.Context, in *stateMachineInput) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	m := s.machines[in.StateMachineARN]
	s.mu.RUnlock()
	if m == nil {
		return nil, noMachine(in.StateMachineARN)
	}
	o := newObject()
	m.describe(o, in.IncludedData)
	o.text("status", "ACTIVE")
	o.text("type", m.Type)
	o.time("creationDate", m.created)
	return o.close(), nil
}

// describe writes what the descriptions of a machine and of an execution's have in common.
func (r *revision) describe(o *object, included string) {
	o.text("stateMachineArn", r.arn)
	o.text("name", r.Name)
	if included != "METADATA_ONLY" {
		o.text("definition", r.Definition)
	}
	o.text("roleArn", r.RoleARN)
	o.raw("loggingConfiguration", orElse(r.Logging, `{"level":"OFF","includeExecutionData":false}`))
	o.raw("tracingConfiguration", orElse(r.Tracing, `{"enabled":false}`))
	o.optional("revisionId", r.ID)
	if len(r.references) > 0 {
		refs := newObject()
		for _, ref := range r.references {
			refs.texts(ref.state, ref.variables)
		}
		o.raw("variableReferences", refs.close())
	}
}

func orElse(raw json.RawMessage, absent string) []byte {
	if len(raw) == 0 {
		return []byte(absent)
	}
	return raw
}

func (s *Server) describeStateMachineForExecution(_ context.Context, in *executionInput) ([]byte, error) {
	e, err := s.execution(in)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	r := s.revisions[e.machine.Definition()]
	s.mu.RUnlock()
	if r == nil {
		return nil, noExecution(in.ExecutionARN)
	}
	o := newObject()
	r.describe(o, in.IncludedData)
	o.time("updateDate", r.Updated)
	o.optional("mapRunArn", e.mapRun)
	return o.close(), nil
}

func (s *Server) listStateMachines(_ context.Context, in *pageInput) ([]byte, error) {
	p, err := in.page("machines")
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	list := make([]*machine, 0, len(s.machines))
	for _, m := range s.machines {
		list = append(list, m)
	}
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b *machine) int { return strings.Compare(a.Name, b.Name) })
	return p.list("stateMachines", len(list), func(i int) string { return list[i].Name }, func(o *object, i int) {
		o.text("stateMachineArn", list[i].arn)
		o.text("name", list[i].Name)
		o.text("type", list[i].Type)
		o.time("creationDate", list[i].created)
	}), nil
}

// resolve finds the compiled machine of an ARN that may end in "#TestName".
func (s *Server) resolve(arn string) (*engine.Machine, error) {
	plain, test, tested := strings.Cut(arn, "#")
	if err := arnOf(plain, kindMachine); err != nil {
		return nil, err
	}
	s.mu.RLock()
	m := s.machines[plain]
	s.mu.RUnlock()
	if m == nil {
		return nil, noMachine(plain)
	}
	if !tested {
		return m.compiled, nil
	}
	if err := s.config.Mocks.has(m.Name, test); err != nil {
		return nil, err
	}
	id := m.compiled.Identity
	id.Variant = test
	return m.compiled.As(id), nil
}
