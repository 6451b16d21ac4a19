package engine

import "plumbline/asl"

// Trace is the event as a graph of the execution reads it: see asl.Trace.
func (e *Event) Trace() asl.TraceEvent {
	return asl.TraceEvent{Execution: e.Execution, ID: e.ID, Previous: e.PreviousID, Type: e.Type, State: e.Details.Name, Length: e.Details.Length}
}

// Trace is what the execution has done so far, for asl.Definition.Draw. Where the
// engine keeps no events it is empty; children of Distributed Maps are executions
// of their own, whose events a Watch can add.
func (x *Execution) Trace() *asl.Trace {
	t := asl.NewTrace(x.machine.definition)
	for _, e := range x.History() {
		t.Add(e.Trace())
	}
	return t
}
