package asl

import (
	"slices"
	"strings"
)

func lintUnreachable(l *linter) {
	l.machines(func(d *Definition) {
		if d.byName[d.StartAt] == nil {
			return // validation says so
		}
		reached := d.reachable()
		for _, s := range d.States {
			if !reached[s] {
				l.report(s.Pos, s.pointer, "state %q is reached from nowhere. lead a transition to it or remove it", s.Name)
			}
		}
	})
}

func lintNoWayOut(l *linter) {
	l.machines(func(d *Definition) {
		from := map[string][]*State{} // who leads to this state
		var queue []*State
		out := map[*State]bool{}
		for _, s := range d.States {
			ways := transitionsOf(s)
			ends := s.End || s.Type == "Succeed" || s.Type == "Fail" || len(ways) == 0
			for _, t := range ways {
				ends = ends || d.byName[t.target] == nil // validation says so
				from[t.target] = append(from[t.target], s)
			}
			if ends {
				queue = append(queue, s)
			}
		}
		for len(queue) > 0 {
			s := queue[0]
			queue = queue[1:]
			if !out[s] {
				out[s] = true
				queue = append(queue, from[s.Name]...)
			}
		}
		for _, s := range d.States {
			if !out[s] {
				l.report(s.Pos, s.pointer, "no way leads from state %q to an end. give the loop a Choice that leaves it", s.Name)
			}
		}
	})
}

func lintEndState(l *linter) {
	for _, s := range l.d.States {
		if s.End && s.Type != "Fail" && s.Type != "Succeed" {
			l.report(s.FieldPos("End"), child(s.pointer, "End"), "state %q ends the run itself. lead it with \"Next\" to a Succeed or Fail state that names the outcome", s.Name)
		}
	}
}

func lintChoiceDefault(l *linter) {
	l.states(func(s *State) {
		if s.Default == "" {
			l.report(s.Pos, s.pointer, "choice %q has no Default. add one: the state to go to when no rule matches", s.Name)
		}
	}, "Choice")
}

func lintTaskTimeout(l *linter) {
	l.states(func(s *State) {
		if !s.Callback() && !s.Has("TimeoutSeconds") && !s.Has("TimeoutSecondsPath") {
			l.report(s.Pos, s.pointer, "state %q has no TimeoutSeconds. add one of 1 to %d", s.Name, maxSeconds)
		}
	}, "Task")
}

func lintCallbackTimeout(l *linter) {
	l.states(func(s *State) {
		if s.Callback() && !s.Has("TimeoutSeconds") && !s.Has("TimeoutSecondsPath") && !s.Has("HeartbeatSeconds") && !s.Has("HeartbeatSecondsPath") {
			l.report(s.Pos, s.pointer, "state %q waits for an answer without HeartbeatSeconds or TimeoutSeconds. add one of 1 to %d", s.Name, maxSeconds)
		}
	}, "Task")
}

// never reports whether the retrier forbids retries, so that its schedule means nothing.
func (r *Retrier) never() bool { return r.MaxAttempts != nil && *r.MaxAttempts == 0 }

func (l *linter) retriers(each func(s *State, r *Retrier, at string)) {
	l.states(func(s *State) {
		for i, r := range s.Retry {
			if !r.never() {
				each(s, r, entry(child(s.pointer, "Retry"), i))
			}
		}
	})
}

func lintRetryShape(l *linter) {
	l.retriers(func(s *State, r *Retrier, at string) {
		var missing []string
		if r.IntervalSeconds == nil {
			missing = append(missing, "IntervalSeconds")
		}
		if r.BackoffRate == nil {
			missing = append(missing, "BackoffRate")
		}
		if r.MaxAttempts == nil {
			missing = append(missing, "MaxAttempts")
		}
		if len(missing) > 0 {
			l.report(r.Pos, at, "a retrier of state %q leaves %s to the default. write it out", s.Name, strings.Join(missing, ", "))
		}
	})
}

func lintRetryJitter(l *linter) {
	l.retriers(func(s *State, r *Retrier, at string) {
		if r.JitterStrategy != "FULL" {
			l.report(r.Pos, at, "a retrier of state %q has no jitter. add \"JitterStrategy\": \"FULL\"", s.Name)
		}
	})
}

// lambdaErrors are the errors of the Lambda service itself, which pass, after
// "Handle transient Lambda service exceptions" in the developer guide.
var lambdaErrors = []string{"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException"}

func lintLambdaRetry(l *linter) {
	l.states(func(s *State) {
		service, action, _, ok := Integration(s.Resource)
		if !ok || service != "lambda" || action != "invoke" {
			return
		}
		missing := slices.Clone(lambdaErrors)
		for _, r := range s.Retry {
			if slices.Contains(r.ErrorEquals, "States.ALL") || slices.Contains(r.ErrorEquals, "States.TaskFailed") {
				return
			}
			missing = slices.DeleteFunc(missing, func(e string) bool { return slices.Contains(r.ErrorEquals, e) })
		}
		if len(missing) > 0 {
			l.report(s.Pos, s.pointer, "state %q does not retry %s. add them to a retrier", s.Name, strings.Join(missing, ", "))
		}
	}, "Task")
}

func lintCatch(l *linter) {
	l.states(func(s *State) {
		for i, c := range s.Catch {
			at := entry(child(s.pointer, "Catch"), i)
			if s.Language() == JSONata {
				if !strings.Contains(string(c.Output)+string(c.Assign), "$states.errorOutput") {
					l.report(c.Pos, at, "a catcher of state %q loses the error. keep $states.errorOutput in its Output or Assign", s.Name)
				}
				continue
			}
			switch path := string(c.ResultPath); path {
			case "null":
				l.report(c.Pos, at, "a catcher of state %q drops the error with ResultPath null. keep it beside the input: \"ResultPath\": \"$.failure\"", s.Name)
			case "", `"$"`:
				l.report(c.Pos, at, "a catcher of state %q replaces the input with the error. keep both: \"ResultPath\": \"$.failure\"", s.Name)
			}
		}
	})
}
