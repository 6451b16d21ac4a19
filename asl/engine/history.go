package engine

import (
	"encoding/json"
	"strconv"
	"strings"
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
	switch {
	case strings.HasSuffix(typ, "StateEntered"):
		return "stateEnteredEventDetails"
	case strings.HasSuffix(typ, "StateExited"):
		return "stateExitedEventDetails"
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
func (e Event) MarshalJSON() ([]byte, error) { return e.Append(nil, true), nil }

// Append appends the event as GetExecutionHistory shows it; with data false
// without what states were given and gave back.
func (e *Event) Append(b []byte, data bool) []byte {
	b = append(b, `{"timestamp":`...)
	b = appendTime(b, e.Time)
	b = append(b, `,"type":"`...)
	b = append(b, e.Type...)
	b = append(b, `","id":`...)
	b = strconv.AppendInt(b, e.ID, 10)
	b = append(b, `,"previousEventId":`...)
	b = strconv.AppendInt(b, e.PreviousID, 10)
	if key := detailsKey(e.Type); key != "" {
		b = append(b, ',', '"')
		b = append(b, key...)
		b = append(b, '"', ':')
		b = e.Details.append(b, data)
	}
	return append(b, '}')
}

// appendTime appends a time as the API writes it: seconds, to the millisecond.
func appendTime(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		return strconv.AppendFloat(b, float64(ms)/1000, 'f', -1, 64)
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if rest := ms % 1000; rest != 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return b
}

// append appends the details as the API shows them: data are JSON text in strings.
func (d *Details) append(b []byte, data bool) []byte {
	w := detailsWriter{b: append(b, '{'), data: data}
	w.text("name", d.Name)
	w.text("resourceType", d.ResourceType)
	w.text("resource", d.Resource)
	w.text("region", d.Region)
	if d.HasParameters && data {
		w.value("parameters", d.Parameters)
	}
	if d.HasInput {
		w.payload("input", d.Input)
	}
	if d.HasOutput {
		w.payload("output", d.Output)
	}
	w.text("roleArn", d.RoleARN)
	if d.HasError {
		w.key("error")
		w.b = value.AppendString(w.b, d.Error)
	}
	if d.HasCause {
		w.key("cause")
		w.b = value.AppendString(w.b, d.Cause)
	}
	w.number("timeoutInSeconds", d.TimeoutSeconds, d.TimeoutSeconds > 0)
	w.number("heartbeatInSeconds", d.HeartbeatSeconds, d.HeartbeatSeconds > 0)
	w.number("index", int64(d.Index), d.HasIndex)
	w.number("length", int64(d.Length), d.HasLength)
	if d.CredentialsARN != "" {
		w.key("taskCredentials")
		w.b = append(w.b, `{"roleArn":`...)
		w.b = append(value.AppendString(w.b, d.CredentialsARN), '}')
	}
	w.text("mapRunArn", d.MapRunARN)
	w.text("workerName", d.WorkerName)
	if d.Variables != nil && data {
		w.key("assignedVariables")
		vars := detailsWriter{b: append(w.b, '{')}
		for _, f := range d.Variables.Fields() {
			vars.value(f.Key, f.Value)
		}
		w.b = append(vars.b, `},"assignedVariablesDetails":{"truncated":false}`...)
	}
	return append(w.b, '}')
}

// detailsWriter appends the fields of one JSON object.
type detailsWriter struct {
	b    []byte
	data bool
	more bool // there is a field already
}

func (w *detailsWriter) key(k string) {
	if w.more {
		w.b = append(w.b, ',')
	}
	w.more = true
	w.b = append(value.AppendString(w.b, k), ':')
}

func (w *detailsWriter) text(k, s string) {
	if s != "" {
		w.key(k)
		w.b = value.AppendString(w.b, s)
	}
}

func (w *detailsWriter) number(k string, n int64, set bool) {
	if set {
		w.key(k)
		w.b = strconv.AppendInt(w.b, n, 10)
	}
}

func (w *detailsWriter) value(k string, v any) {
	w.key(k)
	w.b = value.AppendString(w.b, value.Text(v))
}

func (w *detailsWriter) payload(k string, v any) {
	if !w.data {
		return
	}
	w.value(k, v)
	w.b = append(w.b, `,"`...)
	w.b = append(w.b, k...)
	w.b = append(w.b, `Details":{"truncated":false}`...)
}

// setError fills in error and cause; what is empty is left out, as AWS does.
func (d *Details) setError(e *Error) {
	d.Error, d.HasError = e.Name, e.Name != ""
	d.Cause, d.HasCause = e.Cause, e.Cause != ""
}

var _ json.Marshaler = Event{}
