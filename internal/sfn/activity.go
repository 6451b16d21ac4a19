package sfn

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"plumbline/asl/engine"
)

// activity is a place where workers ask for tasks.
type activity struct {
	arn, name string
	created   time.Time
	tags      tags
}

type createActivityInput struct {
	Name string
	Tags []tag
}

func (s *Server) createActivity(_ context.Context, in *createActivityInput) ([]byte, error) {
	var l limits
	l.required("name", in.Name, maxName)
	if err := l.err(); err != nil {
		return nil, err
	}
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	t, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	arn := s.arn(kindActivity, in.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.activities[arn]
	if a == nil { // else the same request again
		a = &activity{arn: arn, name: in.Name, created: s.clock(), tags: t}
		if err := s.save(a.record()); err != nil {
			return nil, err
		}
		s.activities[arn] = a
	}
	o := newObject()
	o.text("activityArn", arn)
	o.time("creationDate", a.created)
	return o.close(), nil
}

type activityInput struct {
	ActivityARN, WorkerName string
}

func (in *activityInput) check() error {
	var l limits
	l.required("activityArn", in.ActivityARN, maxARN)
	l.atMost("workerName", in.WorkerName, maxName)
	if err := l.err(); err != nil {
		return err
	}
	return arnOf(in.ActivityARN, kindActivity)
}

// activity finds the one a request names.
func (s *Server) activity(in *activityInput) (*activity, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.activities[in.ActivityARN]
	if a == nil {
		return nil, noActivity(in.ActivityARN)
	}
	return a, nil
}

func (s *Server) deleteActivity(_ context.Context, in *activityInput) ([]byte, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.activities[in.ActivityARN] != nil {
		if err := s.drop(recordActivity, in.ActivityARN); err != nil {
			return nil, err
		}
		delete(s.activities, in.ActivityARN)
	}
	return []byte("{}"), nil
}

func (s *Server) describeActivity(_ context.Context, in *activityInput) ([]byte, error) {
	a, err := s.activity(in)
	if err != nil {
		return nil, err
	}
	o := newObject()
	a.describe(o)
	return o.close(), nil
}

func (a *activity) describe(o *object) {
	o.text("activityArn", a.arn)
	o.text("name", a.name)
	o.time("creationDate", a.created)
}

func (s *Server) listActivities(_ context.Context, in *pageInput) ([]byte, error) {
	p, err := in.page("activities")
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	list := make([]*activity, 0, len(s.activities))
	for _, a := range s.activities {
		list = append(list, a)
	}
	s.mu.RUnlock()
	slices.SortFunc(list, func(a, b *activity) int { return strings.Compare(a.name, b.name) })
	return p.list("activities", len(list), func(i int) string { return list[i].name }, func(o *object, i int) { list[i].describe(o) }), nil
}

// longPoll is how long a worker waits for a task. Source: GetActivityTask in the
// API reference.
const longPoll = 60 * time.Second

func (s *Server) getActivityTask(ctx context.Context, in *activityInput) ([]byte, error) {
	if _, err := s.activity(in); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, longPoll)
	defer cancel()
	task, err := s.engine.Poll(ctx, in.ActivityARN, in.WorkerName)
	if err != nil { // there was none
		return []byte("{}"), nil //nolint:nilerr // which is an answer like any other
	}
	o := newObject()
	o.text("taskToken", task.Token)
	o.text("input", string(task.Input))
	return o.close(), nil
}

type sendTaskInput struct {
	TaskToken, Output, Error, Cause string
}

func (in *sendTaskInput) check(output bool) error {
	var l limits
	l.required("taskToken", in.TaskToken, maxToken)
	if output && in.Output == "" {
		l.add("null", "output", "Member must not be null")
	}
	l.atMost("error", in.Error, maxError)
	l.atMost("cause", in.Cause, maxCause)
	return l.err()
}

func (s *Server) sendTaskSuccess(_ context.Context, in *sendTaskInput) ([]byte, error) {
	if err := in.check(true); err != nil {
		return nil, err
	}
	if err := checkOutput(in.Output); err != nil {
		return nil, err
	}
	return answered(s.engine.Succeed(in.TaskToken, json.RawMessage(in.Output)))
}

func (s *Server) sendTaskFailure(_ context.Context, in *sendTaskInput) ([]byte, error) {
	if err := in.check(false); err != nil {
		return nil, err
	}
	return answered(s.engine.Fail(in.TaskToken, in.Error, in.Cause))
}

func (s *Server) sendTaskHeartbeat(_ context.Context, in *sendTaskInput) ([]byte, error) {
	if err := in.check(false); err != nil {
		return nil, err
	}
	return answered(s.engine.Heartbeat(in.TaskToken))
}

// answered is the answer to who has used a token.
func answered(err error) ([]byte, error) {
	switch {
	case errors.Is(err, engine.ErrTaskTimedOut): // answered before, or its task or execution has ended
		return nil, faultf("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
	case errors.Is(err, engine.ErrTaskDoesNotExist):
		return nil, invalidToken()
	case err != nil:
		return nil, err
	}
	return []byte("{}"), nil
}
