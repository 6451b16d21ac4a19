package asltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// outcome is what a run of a scenario gave.
type outcome struct {
	problems    []string
	skip        string // why the endpoint cannot run the scenario
	history     *history
	description Description
	took        time.Duration // of virtual time
	unseen      int           // lines that the endpoint's history says nothing about
}

func (o *outcome) problem(line, format string, args ...any) {
	o.problems = append(o.problems, line+": "+fmt.Sprintf(format, args...))
}

// play runs a scenario on an endpoint and compares what came out.
func play(ctx context.Context, e Endpoint, s *scenario) *outcome {
	o := &outcome{}
	timed, virtual := e.(Timed)
	holder, holds := e.(Holder)
	limited, limits := e.(Limited)
	for _, st := range s.steps {
		if (!virtual || !holds) && (st.kind != stepReply || !limits) {
			o.skip = "it moves time, or acts while the execution waits"
			return o
		}
	}
	m := Machine{Name: machineName(s.name), Definition: s.source, Type: s.typ, Seed: s.seed, Start: s.start, Script: s.script, Objects: s.objects}
	m.Workflow, m.Case = s.mocked()
	if limits {
		if o.skip = limited.Skips(m); o.skip != "" {
			return o
		}
	}
	machine, err := e.Create(ctx, m)
	if err != nil {
		o.problem(s.file, "create the state machine: %v", err)
		return o
	}
	execution, err := e.Start(ctx, machine, "scenario", s.input)
	if err != nil {
		o.problem(s.file, "start an execution: %v", err)
		return o
	}
	if virtual {
		d := &driver{ctx: ctx, e: e, timed: timed, holder: holder, s: s, o: o, execution: execution}
		err = d.drive()
		o.took = timed.Now(execution).Sub(s.start)
	} else {
		err = poll(ctx, e, execution)
	}
	if err != nil {
		o.problem(s.file, "%v", err)
	}
	if o.description, err = e.Describe(ctx, execution); err != nil {
		o.problem(s.file, "describe the execution: %v", err)
		return o
	}
	events, err := e.History(ctx, execution)
	if err != nil {
		o.problem(s.file, "read the history: %v", err)
		return o
	}
	o.history = newHistory(s.definition, execution, events)
	if limits {
		o.history.hides = limited.Hides
	}
	o.compare(s, virtual)
	return o
}

// machineName makes a name that AWS takes.
func machineName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, s)
	if len(s) > 80 {
		s = s[len(s)-80:]
	}
	return s
}

// poll waits for the end on an endpoint whose time passes by itself.
func poll(ctx context.Context, e Endpoint, execution string) error {
	pause := time.Millisecond
	for {
		d, err := e.Describe(ctx, execution)
		if err != nil {
			return err
		}
		if d.Status != "RUNNING" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the execution still runs: %w", ctx.Err())
		case <-time.After(pause):
		}
		pause = min(pause*2, time.Second)
	}
}

// driver takes an execution through the steps of its scenario, and time with it.
type driver struct {
	ctx       context.Context
	e         Endpoint
	timed     Timed
	holder    Holder
	s         *scenario
	o         *outcome
	execution string
}

func (d *driver) drive() error {
	steps := d.s.steps
	for {
		if err := d.timed.Settle(d.ctx, d.execution); err != nil {
			return fmt.Errorf("the execution does not come to rest: %w", err)
		}
		desc, err := d.e.Describe(d.ctx, d.execution)
		if err != nil {
			return err
		}
		if desc.Status != "RUNNING" {
			break
		}
		if d.standing(steps) {
			continue
		}
		if len(steps) > 0 {
			done, err := d.take(steps[0])
			if err != nil {
				return err
			}
			if done {
				steps = steps[1:]
				continue
			}
		}
		next, ok := d.timed.Next(d.execution)
		if !ok {
			d.stuck(steps)
			return nil
		}
		if err := d.timed.Advance(d.ctx, d.execution, next); err != nil {
			return err
		}
	}
	for _, st := range steps {
		d.o.problem(st.line, "%s: the execution had ended before", st)
	}
	d.leftovers()
	return nil
}

// standing answers states that wait for a token and have a standing reply,
// unless a step will.
func (d *driver) standing(steps []step) bool {
	if d.holder == nil || len(d.s.script.always) == 0 {
		return false
	}
	for _, w := range d.holder.Waiting(d.execution) {
		if w.Token == "" || slices.ContainsFunc(steps, func(s step) bool { return s.kind == stepReply && s.state == w.State }) {
			continue
		}
		if r, ok := d.s.script.take(w.State); ok {
			if err := d.holder.Answer(d.ctx, w.Token, r); err == nil {
				return true
			}
		}
	}
	return false
}

// take does a step; false where its time has not come.
func (d *driver) take(st step) (bool, error) {
	switch st.kind {
	case stepAdvance:
		return true, d.timed.Advance(d.ctx, d.execution, d.timed.Now(d.execution).Add(st.by))
	case stepStop:
		return true, d.holder.Stop(d.ctx, d.execution, st.error, st.cause)
	}
	for _, w := range d.holder.Waiting(d.execution) {
		if w.State != st.state || w.Token == "" {
			continue
		}
		if st.kind == stepHeartbeat {
			return true, d.holder.Heartbeat(d.ctx, w.Token)
		}
		return true, d.holder.Answer(d.ctx, w.Token, st.reply)
	}
	return false, nil
}

func (st step) String() string {
	switch st.kind {
	case stepAdvance:
		return "advance " + st.by.String()
	case stepReply:
		return "reply " + st.state
	case stepHeartbeat:
		return "heartbeat " + st.state
	}
	return "stop"
}

// stuck reports an execution that waits for what can no longer come.
func (d *driver) stuck(steps []step) {
	waits := d.waits()
	if len(steps) > 0 {
		d.o.problem(steps[0].line, "%s: nothing waits for it and no timer is left; %s", steps[0], waits)
		return
	}
	d.o.problem(d.s.file, "deadlock: no timer is left and no call is under way; %s. add a reply", waits)
}

// waits says who waits for what.
func (d *driver) waits() string {
	if d.holder == nil {
		return "the endpoint does not say who waits"
	}
	var parts []string
	for _, w := range d.holder.Waiting(d.execution) {
		what := w.For
		if w.Token != "" {
			what = "token"
		}
		parts = append(parts, fmt.Sprintf("state %q waits for its %s", w.State, what))
	}
	if len(parts) == 0 {
		return "no state waits"
	}
	return strings.Join(parts, ", ")
}

// leftovers reports timers that are left when the execution has ended: of
// something that it started and nobody ended.
func (d *driver) leftovers() {
	if at, ok := d.timed.Next(d.execution); ok {
		d.o.problem(d.s.file, "a timer is left for %s after the execution ended; %s", at.Format(time.RFC3339), d.waits())
	}
}
