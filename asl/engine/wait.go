package engine

import (
	"encoding/json"
	"time"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// performWait begins a Wait state.
func (f *frame) performWait(effective any) bool {
	m, err := f.state.flow.wait(f, effective)
	if err != nil {
		return f.failed(err)
	}
	until := m.at
	if until.IsZero() {
		until = f.x.now.Add(m.after)
	}
	if !until.After(f.x.now) {
		return f.succeed(effective)
	}
	f.await(&wait{kind: waitTimer, until: until})
	return false
}

// moment is when a Wait state ends: after a number of seconds, or at a time.
type moment struct {
	after time.Duration
	at    time.Time // zero: after
}

// waitSpec is a Wait state's four ways to say how long.
type waitSpec struct {
	seconds       float64
	timestamp     time.Time
	secondsPath   *jsonpath.Path
	timestampPath *jsonpath.Path
}

func (c *compiler) waitSpec(s *asl.State) waitSpec {
	var w waitSpec
	switch {
	case s.SecondsPath != "":
		w.secondsPath = c.path(s, "SecondsPath", s.SecondsPath)
	case s.TimestampPath != "":
		w.timestampPath = c.path(s, "TimestampPath", s.TimestampPath)
	case s.Seconds != nil:
		if err := json.Unmarshal(s.Seconds, &w.seconds); err != nil || w.seconds < 0 {
			c.problem(s.Pos, "Seconds of state %q is %s. it must be a number of seconds from 0 to %d", s.Name, s.Seconds, maxSeconds)
		}
	case s.Timestamp != nil:
		var text string
		_ = json.Unmarshal(s.Timestamp, &text)
		t, ok := parseTimestamp(text)
		if !ok {
			c.problem(s.Pos, "Timestamp of state %q is %s. it must be like 2026-01-31T09:00:00Z", s.Name, s.Timestamp)
		}
		w.timestamp = t
	default:
		c.problem(s.Pos, "state %q does not say how long it waits. add one of Seconds, Timestamp, SecondsPath, TimestampPath", s.Name)
	}
	return w
}

func (fl *jsonpathFlow) wait(f *frame, effective any) (moment, error) {
	w := &fl.waits
	switch {
	case w.secondsPath != nil:
		return w.afterPath(f, effective)
	case w.timestampPath != nil:
		return w.atPath(f, effective)
	case !w.timestamp.IsZero():
		return moment{at: w.timestamp}, nil
	}
	return moment{after: seconds(w.seconds)}, nil
}

func (w *waitSpec) afterPath(f *frame, effective any) (moment, error) {
	v, err := f.scope(effective).Find(w.secondsPath)
	if err != nil {
		return moment{}, f.runtime("The SecondsPath parameter does not reference an input value: %s", w.secondsPath)
	}
	n, ok := v.(int64)
	if !ok {
		if whole, isInt := value.Int(v); isInt {
			n, ok = whole, true
		}
	}
	switch {
	case !ok:
		return moment{}, f.runtime("The SecondsPath parameter cannot be parsed as a long value: %s == %s", w.secondsPath, bare(v))
	case n < 0:
		return moment{}, f.runtime("The SecondsPath parameter references a negative value: %s == %d", w.secondsPath, n)
	case n > maxSeconds:
		return moment{}, f.runtime("The SecondsPath parameter references a value that exceeds the maximum of %d: %s == %d", maxSeconds, w.secondsPath, n)
	}
	return moment{after: time.Duration(n) * time.Second}, nil
}

func (w *waitSpec) atPath(f *frame, effective any) (moment, error) {
	v, err := f.scope(effective).Find(w.timestampPath)
	if err != nil {
		return moment{}, f.runtime("The TimestampPath parameter does not reference an input value: %s", w.timestampPath)
	}
	text, _ := v.(string)
	t, ok := parseTimestamp(text)
	if !ok {
		return moment{}, f.runtime("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s", w.timestampPath, bare(v))
	}
	return moment{at: t}, nil
}

// parseTimestamp reads ISO 8601's extended form with an offset, as Java's
// DateTimeFormatter.ISO_OFFSET_DATE_TIME does: seconds may be missing.
func parseTimestamp(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04Z") || s[10] != 'T' {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04Z07:00", s)
	}
	return t, err == nil
}
