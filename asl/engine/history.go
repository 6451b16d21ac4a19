package engine

import (
	"encoding/json"
	"strconv"
	"time"

	"plumbline/asl/value"
)

// Event is one entry of an execution's history, of AWS's types and details.
type Event struct {
	Execution  string // ARN
	ID         int64  // from 1
	PreviousID int64
	Time       time.Time
	Type       string
	Details    Details
}

// Details are an event's details; which fields a type has is AWS's. Values are
// those of package value, and an absent one is unset.
type Details struct {
	Name, Resource, ResourceType, Region string
	Input, Output, Parameters            any
	HasInput, HasOutput, HasParameters   bool
	Error, Cause                         string
	HasError, HasCause                   bool
	TimeoutSeconds, HeartbeatSeconds     int64
	Index, Length                        int
	HasIndex, HasLength                  bool
	MapRunARN, WorkerName                string
	RoleARN                              string
	CredentialsARN                       string // of a task that assumes a role
	Variables                            *value.Object
}

// eventLog numbers the events of one run, and keeps them where asked to.
type eventLog struct {
	next   int64
	full   bool // it has the most events but one, for the end
	events chunks
}

// chunks is a list of events that grows without moving what it has: an event is
// large, and a history long.
type chunks [][]Event

// chunk sizes double from the first to the last, in events.
const firstChunk, lastChunk = 4, 256

func (c *chunks) append(e *Event) {
	n := len(*c)
	if n == 0 || len((*c)[n-1]) == cap((*c)[n-1]) {
		size := firstChunk
		if n > 0 {
			size = min(2*cap((*c)[n-1]), lastChunk)
		}
		*c = append(*c, make([]Event, 0, size))
		n++
	}
	(*c)[n-1] = append((*c)[n-1], *e)
}

// maxEvents is how long a history may become. Source: Step Functions quotas,
// "Maximum execution history size" of a Standard workflow.
const maxEvents = 25_000

// emit makes the frame's next event, following its last. fill is called only
// where someone keeps or watches events.
func (f *frame) emit(typ string, fill func(*Details)) int64 {
	f.last = f.x.emit(f.run, typ, f.last, fill)
	return f.last
}

// emit makes an event of a run, following the event prev.
func (x *Execution) emit(r *run, typ string, prev int64, fill func(*Details)) int64 {
	if r.log.full && x.live() {
		return r.log.next
	}
	r.log.next++
	r.log.full = !x.machine.Express && r.log.next >= maxEvents-1
	if !x.recording {
		return r.log.next
	}
	e := Event{Execution: r.arn, ID: r.log.next, PreviousID: prev, Time: x.now, Type: typ}
	if fill != nil {
		fill(&e.Details)
	}
	if x.keep {
		x.mu.Lock()
		r.log.events.append(&e)
		x.mu.Unlock()
	}
	if x.watch != nil {
		x.watch(e)
	}
	return r.log.next
}

// detailsKey is the field of the API that holds a type's details; "" : none.
func detailsKey(typ string) string {
	for _, k := range kindNames {
		switch typ {
		case k + "StateEntered":
			return "stateEnteredEventDetails"
		case k + "StateExited":
			return "stateExitedEventDetails"
		}
	}
	switch typ {
	case "ParallelStateStarted", "ParallelStateSucceeded", "ParallelStateFailed", "ParallelStateAborted",
		"MapStateSucceeded", "MapStateFailed", "MapStateAborted", "TaskStateAborted", "WaitStateAborted",
		"PassStateAborted", "ChoiceStateAborted", "SucceedStateAborted", "FailStateAborted",
		"MapRunSucceeded", "MapRunAborted", "LambdaFunctionStarted":
		return ""
	}
	return string(typ[0]|0x20) + typ[1:] + "EventDetails"
}

// MarshalJSON writes the event as GetExecutionHistory does; the timestamp is
// seconds since 1970.
func (e Event) MarshalJSON() ([]byte, error) {
	b := append([]byte(nil), `{"timestamp":`...)
	b = strconv.AppendFloat(b, float64(e.Time.UnixMilli())/1000, 'f', -1, 64)
	b = append(b, `,"type":`...)
	b = value.AppendString(b, e.Type)
	b = append(b, `,"id":`...)
	b = strconv.AppendInt(b, e.ID, 10)
	b = append(b, `,"previousEventId":`...)
	b = strconv.AppendInt(b, e.PreviousID, 10)
	if key := detailsKey(e.Type); key != "" {
		b = append(b, ',')
		b = value.AppendString(b, key)
		b = append(b, ':')
		b = value.Append(b, e.Details.object(e.Type))
	}
	return append(b, '}'), nil
}

// object is the details as the API shows them: data are JSON text in strings.
func (d *Details) object(typ string) *value.Object {
	var fields []value.Field
	add := func(key string, v any) { fields = append(fields, value.Field{Key: key, Value: v}) }
	text := func(key, s string) {
		if s != "" {
			add(key, s)
		}
	}
	full := value.Of("truncated", false)
	text("name", d.Name)
	text("resourceType", d.ResourceType)
	text("resource", d.Resource)
	text("region", d.Region)
	if d.HasParameters {
		add("parameters", value.Text(d.Parameters))
	}
	if d.HasInput {
		add("input", value.Text(d.Input))
		add("inputDetails", full)
	}
	if d.HasOutput {
		add("output", value.Text(d.Output))
		add("outputDetails", full)
	}
	text("roleArn", d.RoleARN)
	if d.HasError {
		add("error", d.Error)
	}
	if d.HasCause {
		add("cause", d.Cause)
	}
	if d.TimeoutSeconds > 0 {
		add("timeoutInSeconds", d.TimeoutSeconds)
	}
	if d.HeartbeatSeconds > 0 {
		add("heartbeatInSeconds", d.HeartbeatSeconds)
	}
	if d.HasIndex {
		add("index", int64(d.Index))
	}
	if d.HasLength {
		add("length", int64(d.Length))
	}
	if d.CredentialsARN != "" {
		add("taskCredentials", value.Of("roleArn", d.CredentialsARN))
	}
	text("mapRunArn", d.MapRunARN)
	text("workerName", d.WorkerName)
	if d.Variables != nil {
		vars := make([]value.Field, 0, d.Variables.Len())
		for _, f := range d.Variables.Fields() {
			vars = append(vars, value.Field{Key: f.Key, Value: value.Text(f.Value)})
		}
		add("assignedVariables", value.NewObject(vars...))
		add("assignedVariablesDetails", full)
	}
	return value.NewObject(fields...)
}

// setError fills in error and cause; what is empty is left out, as AWS does.
func (d *Details) setError(e *Error) {
	d.Error, d.HasError = e.Name, e.Name != ""
	d.Cause, d.HasCause = e.Cause, e.Cause != ""
}

var _ json.Marshaler = Event{}
