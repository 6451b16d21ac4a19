package asl

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ParseHistory reads a history as GetExecutionHistory and the AWS CLI print it,
// {"events": […]}, in either order. The events have no Execution: the history
// of a Distributed Map's child is another.
func ParseHistory(text []byte) ([]TraceEvent, error) {
	type named struct {
		Name   string `json:"name"`
		Length int    `json:"length"`
	}
	var in struct {
		Events []struct {
			ID                 int64  `json:"id"`
			Previous           int64  `json:"previousEventId"`
			Type               string `json:"type"`
			Entered            *named `json:"stateEnteredEventDetails"`
			Exited             *named `json:"stateExitedEventDetails"`
			MapStarted         *named `json:"mapStateStartedEventDetails"`
			IterationStarted   *named `json:"mapIterationStartedEventDetails"`
			IterationSucceeded *named `json:"mapIterationSucceededEventDetails"`
			IterationFailed    *named `json:"mapIterationFailedEventDetails"`
			IterationAborted   *named `json:"mapIterationAbortedEventDetails"`
		} `json:"events"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	if len(in.Events) == 0 {
		return nil, errors.New(`the history has no events. it must look like {"events": [{"id": 1, "type": "ExecutionStarted"}]}, as "aws stepfunctions get-execution-history" prints it`)
	}
	out := make([]TraceEvent, len(in.Events))
	for i, e := range in.Events {
		out[i] = TraceEvent{ID: e.ID, Previous: e.Previous, Type: e.Type}
		for _, d := range []*named{e.Entered, e.Exited, e.MapStarted, e.IterationStarted, e.IterationSucceeded, e.IterationFailed, e.IterationAborted} {
			if d != nil {
				out[i].State, out[i].Length = cmp.Or(out[i].State, d.Name), max(out[i].Length, d.Length)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b TraceEvent) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}
