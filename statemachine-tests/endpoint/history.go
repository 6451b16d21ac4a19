package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"plumbline/asl/asltest"
)

// History is the events of the execution and of its Distributed Maps' Standard
// children, child after child.
func (e *Endpoint) History(ctx context.Context, execution string) ([]asltest.Event, error) {
	events, err := e.events(ctx, execution)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	shown := e.follow[execution]
	e.mu.Unlock()
	if !shown {
		return events, nil
	}
	runs := sfn.NewListMapRunsPaginator(e.client, &sfn.ListMapRunsInput{ExecutionArn: &execution})
	for runs.HasMorePages() {
		page, err := runs.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the map runs: %w", err)
		}
		for _, run := range page.MapRuns {
			children, err := e.children(ctx, *run.MapRunArn)
			if err != nil {
				return nil, err
			}
			events = append(events, children...)
		}
	}
	return events, nil
}

func (e *Endpoint) children(ctx context.Context, run string) ([]asltest.Event, error) {
	var events []asltest.Event
	pages := sfn.NewListExecutionsPaginator(e.client, &sfn.ListExecutionsInput{MapRunArn: &run})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the executions of a map run: %w", err)
		}
		for _, x := range page.Executions {
			more, err := e.events(ctx, *x.ExecutionArn)
			if err != nil {
				return nil, err
			}
			events = append(events, more...)
		}
	}
	return events, nil
}

func (e *Endpoint) events(ctx context.Context, execution string) ([]asltest.Event, error) {
	var events []asltest.Event
	pages := sfn.NewGetExecutionHistoryPaginator(e.client, &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, MaxResults: 1000})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		for i := range page.Events {
			text, err := onTheWire(&page.Events[i])
			if err != nil {
				return nil, err
			}
			ev, err := asltest.ParseEvent(execution, json.RawMessage(e.back.Replace(string(text))))
			if err != nil {
				return nil, err
			}
			events = append(events, ev)
		}
	}
	return events, nil
}

// onTheWire writes an event as the API does: names begin in lower case, and
// what is not there is left out. The SDK's types carry no names for JSON.
func onTheWire(event *types.HistoryEvent) ([]byte, error) {
	text, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	return json.Marshal(lower(fields))
}

func lower(fields map[string]any) map[string]any {
	out := make(map[string]any, len(fields))
	for name, value := range fields {
		if inner, ok := value.(map[string]any); ok {
			value = lower(inner)
		}
		if value != nil {
			out[strings.ToLower(name[:1])+name[1:]] = value
		}
	}
	return out
}
