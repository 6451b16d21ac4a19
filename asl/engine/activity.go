package engine

import (
	"context"
	"encoding/json"

	"plumbline/asl/value"
)

// ActivityTask is the work of an activity, as a worker gets it.
type ActivityTask struct {
	Token string
	Input json.RawMessage
}

// activities are the tasks of activities that wait for workers, and the
// workers that wait for tasks, by the activity's ARN. Guarded by Engine.mu.
type activities struct {
	tasks   map[string][]offered
	pollers map[string][]chan struct{}
}

type offered struct {
	holder tokenHolder
	token  string
	input  any
}

// offer makes an activity's task known to workers.
func (e *Engine) offer(ef *effect) {
	e.mu.Lock()
	defer e.mu.Unlock()
	arn := ef.wait.call.spec.resource
	if e.workers.tasks == nil {
		e.workers.tasks = map[string][]offered{}
	}
	e.workers.tasks[arn] = append(e.workers.tasks[arn], offered{tokenHolder{ef.frame, ef.gen}, ef.wait.token, ef.wait.call.input})
	for _, c := range e.workers.pollers[arn] {
		close(c)
	}
	delete(e.workers.pollers, arn)
}

// Poll gives a worker the next task of an activity, as GetActivityTask does;
// Succeed, Fail and Heartbeat take its token. It blocks until there is a task
// or ctx ends. worker may be "".
func (e *Engine) Poll(ctx context.Context, activityARN, worker string) (ActivityTask, error) {
	for {
		e.mu.Lock()
		for queue := e.workers.tasks[activityARN]; len(queue) > 0; {
			next := queue[0]
			queue = queue[1:]
			e.workers.tasks[activityARN] = queue
			if _, waits := e.tokens[next.token]; !waits {
				continue
			}
			e.waitForAnswersLocked()
			e.mu.Unlock()
			e.keep(happening{kind: onWorker, x: next.holder.frame.x, frame: next.holder.frame, gen: next.holder.gen, completion: completion{worker: worker}})
			return ActivityTask{Token: next.token, Input: value.Encode(next.input)}, nil
		}
		if e.workers.pollers == nil {
			e.workers.pollers = map[string][]chan struct{}{}
		}
		c := make(chan struct{})
		e.workers.pollers[activityARN] = append(e.workers.pollers[activityARN], c)
		e.mu.Unlock()
		select {
		case <-c:
		case <-ctx.Done():
			return ActivityTask{}, ctx.Err()
		}
	}
}
