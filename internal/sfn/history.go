package sfn

import (
	"context"
	"strconv"
)

type historyInput struct {
	ExecutionARN         string
	ReverseOrder         bool
	IncludeExecutionData *bool
	pageInput
}

// getExecutionHistory answers with a page of events. A token says which event
// comes next, so that a page costs what it shows and not what stands before it.
func (s *Server) getExecutionHistory(_ context.Context, in *historyInput) ([]byte, error) {
	kind := "history"
	if in.ReverseOrder {
		kind = "reversed"
	}
	p, err := in.page(kind + " " + in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	e, err := s.execution(&executionInput{ExecutionARN: in.ExecutionARN})
	if err != nil {
		return nil, err
	}
	last := e.last()
	next := int64(1)
	if in.ReverseOrder {
		next = last
	}
	if p.after != "" {
		next, err = strconv.ParseInt(p.after, 10, 64)
		if err != nil || next < 1 || next > last {
			return nil, invalidToken()
		}
	}
	from, n := next, int64(p.size)
	if in.ReverseOrder {
		from = max(1, next-n+1)
		n = next - from + 1
	}
	events := e.events(from, int(n))
	data := in.IncludeExecutionData == nil || *in.IncludeExecutionData

	o := &object{b: append(make([]byte, 0, 320*len(events)+128), `{"events":[`...), more: true}
	for i := range events {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		at := i
		if in.ReverseOrder {
			at = len(events) - 1 - i
		}
		o.b = events[at].Append(o.b, data)
	}
	o.b = append(o.b, ']')
	switch {
	case in.ReverseOrder && from > 1:
		o.text("nextToken", p.token(strconv.FormatInt(from-1, 10)))
	case !in.ReverseOrder && from+int64(len(events)) <= last:
		o.text("nextToken", p.token(strconv.FormatInt(from+int64(len(events)), 10)))
	}
	return o.close(), nil
}
