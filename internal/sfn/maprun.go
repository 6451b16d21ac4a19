package sfn

import (
	"context"
	"strconv"

	"plumbline/asl/engine"
)

type mapRunInput struct {
	MapRunARN                  string
	MaxConcurrency             *int
	ToleratedFailureCount      *int
	ToleratedFailurePercentage *float64
}

func (s *Server) mapRun(arn string) (*engine.MapRun, error) {
	var l limits
	l.required("mapRunArn", arn, maxLongARN)
	if err := l.err(); err != nil {
		return nil, err
	}
	if err := arnOf(arn, kindMapRun); err != nil {
		return nil, err
	}
	r := s.engine.MapRun(arn)
	if r == nil {
		return nil, noResource(arn)
	}
	return r, nil
}

func (s *Server) describeMapRun(_ context.Context, in *mapRunInput) ([]byte, error) {
	r, err := s.mapRun(in.MapRunARN)
	if err != nil {
		return nil, err
	}
	status, stopped := r.Status()
	limits := r.Limits()
	children, items := r.Counts()
	o := newObject()
	o.text("mapRunArn", r.ARN)
	o.text("executionArn", r.Execution.ARN)
	o.text("status", string(status))
	o.time("startDate", r.Started)
	o.time("stopDate", stopped)
	o.int("maxConcurrency", limits.MaxConcurrency)
	o.int("toleratedFailureCount", limits.ToleratedFailureCount)
	o.raw("toleratedFailurePercentage", strconv.AppendFloat(nil, limits.ToleratedFailurePercentage, 'f', -1, 64))
	writeCounts(o, "itemCounts", items)
	writeCounts(o, "executionCounts", children)
	o.int("redriveCount", 0)
	return o.close(), nil
}

func writeCounts(o *object, name string, c engine.MapCounts) {
	o.key(name)
	in := open(o.b)
	in.int("pending", c.Pending)
	in.int("running", c.Running)
	in.int("succeeded", c.Succeeded)
	in.int("failed", c.Failed)
	in.int("timedOut", 0)
	in.int("aborted", c.Aborted)
	in.int("total", c.Total)
	in.int("resultsWritten", c.ResultsWritten)
	in.int("failuresNotRedrivable", c.Failed+c.Aborted)
	in.int("pendingRedrive", 0)
	o.b = in.close()
}

type listMapRunsInput struct {
	ExecutionARN string
	pageInput
}

func (s *Server) listMapRuns(_ context.Context, in *listMapRunsInput) ([]byte, error) {
	p, err := in.page("map runs")
	if err != nil {
		return nil, err
	}
	e, err := s.execution(&executionInput{ExecutionARN: in.ExecutionARN})
	if err != nil {
		return nil, err
	}
	var runs []*engine.MapRun
	if x := s.engine.Execution(e.arn); x != nil {
		runs = x.MapRuns()
	}
	key := func(i int) string { return strconv.Itoa(1_000_000 + i) } // of one length, so that text orders them
	return p.list("mapRuns", len(runs), key, func(o *object, i int) {
		_, stopped := runs[i].Status()
		o.text("executionArn", e.arn)
		o.text("mapRunArn", runs[i].ARN)
		o.text("stateMachineArn", e.machine.ARN)
		o.time("startDate", runs[i].Started)
		o.time("stopDate", stopped)
	}), nil
}

func (s *Server) updateMapRun(_ context.Context, in *mapRunInput) ([]byte, error) {
	r, err := s.mapRun(in.MapRunARN)
	if err != nil {
		return nil, err
	}
	var l limits
	to := r.Limits()
	if in.MaxConcurrency != nil {
		l.between("maxConcurrency", *in.MaxConcurrency, 0, 10_000)
		to.MaxConcurrency = *in.MaxConcurrency
	}
	if in.ToleratedFailureCount != nil {
		l.between("toleratedFailureCount", *in.ToleratedFailureCount, 0, 100_000_000)
		to.ToleratedFailureCount = *in.ToleratedFailureCount
	}
	if in.ToleratedFailurePercentage != nil {
		if p := *in.ToleratedFailurePercentage; p < 0 || p > 100 {
			l.add(strconv.FormatFloat(p, 'f', -1, 64), "toleratedFailurePercentage", "Member must have value between 0 and 100")
		}
		to.ToleratedFailurePercentage = *in.ToleratedFailurePercentage
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	r.SetLimits(to)
	return []byte("{}"), nil
}
