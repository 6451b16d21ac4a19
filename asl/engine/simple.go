package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

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

// bare is v as AWS puts it into messages: strings without quotes.
func bare(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return value.Text(v)
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

// failSpec is a Fail state's error and cause.
type failSpec struct {
	name, cause         string
	nameExpr, causeExpr *jsonpath.Expr
}

func (c *compiler) failSpec(s *asl.State) failSpec {
	var f failSpec
	if s.Error != nil {
		_ = json.Unmarshal(s.Error, &f.name)
	}
	if s.Cause != nil {
		_ = json.Unmarshal(s.Cause, &f.cause)
	}
	expr := func(field, text string) *jsonpath.Expr {
		if text == "" {
			return nil
		}
		e, err := jsonpath.ParseExpr(text)
		if err != nil {
			c.problem(s.Pos, "%s of state %q: %v", field, s.Name, err)
			return nil
		}
		return e
	}
	f.nameExpr = expr("ErrorPath", s.ErrorPath)
	f.causeExpr = expr("CausePath", s.CausePath)
	return f
}

func (fl *jsonpathFlow) failure(f *frame, effective any) (*Error, error) {
	e := &Error{Name: fl.fails.name, Cause: fl.fails.cause}
	for _, part := range []struct {
		field string
		expr  *jsonpath.Expr
		to    *string
	}{{"ErrorPath", fl.fails.nameExpr, &e.Name}, {"CausePath", fl.fails.causeExpr, &e.Cause}} {
		if part.expr == nil {
			continue
		}
		v, err := part.expr.Eval(f.scope(effective))
		if err != nil {
			return nil, f.wrong(err)
		}
		s, ok := v.(string)
		if !ok {
			return nil, f.runtime("The %s parameter does not reference a string: %s == %s", part.field, part.expr, bare(v))
		}
		*part.to = s
	}
	return e, nil
}

func (fl *jsonpathFlow) limits(f *frame, effective any) (timeout, heartbeat int64, err error) {
	if fl.timeout.set {
		if timeout, err = f.wholeNumber("TimeoutSeconds", fl.timeout, effective); err != nil {
			return 0, 0, err
		}
	}
	if fl.beat.set {
		heartbeat, err = f.wholeNumber("HeartbeatSeconds", fl.beat, effective)
	}
	return timeout, heartbeat, err
}

// wholeNumber reads a positive number of seconds.
func (f *frame) wholeNumber(field string, n numberField, data any) (int64, error) {
	if n.path == nil {
		return int64(n.value), nil
	}
	v, err := f.scope(data).Find(n.path)
	if err != nil {
		return 0, f.wrong(err)
	}
	i, ok := value.Int(v)
	if !ok {
		return 0, f.runtime("The %sPath field refers to value %s which is not a valid integer: %s", field, quotedText(v), n.path)
	}
	if i <= 0 || i > maxSeconds {
		return 0, f.runtime("The %sPath field refers to value \"%d\", which is not between 1 and %d: %s", field, i, maxSeconds, n.path)
	}
	return i, nil
}

// quotedText is v as AWS quotes it: "{}" and "text" alike.
func quotedText(v any) string { return fmt.Sprintf(`"%s"`, bare(v)) }
