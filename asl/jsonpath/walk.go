package jsonpath

import (
	"math"
	"strings"

	"plumbline/asl/value"
)

// maxVisits bounds how many places one evaluation may look at: paths such as
// $..*..*..* would otherwise visit the third power of the data's size.
const maxVisits = 1_000_000

// walker collects what a path finds, in document order.
type walker struct {
	root   any // what $ means inside filters
	found  []any
	visits int
}

func (w *walker) walk(cur any, rest []segment) {
	if w.visits++; w.visits > maxVisits {
		return
	}
	if len(rest) == 0 {
		w.found = append(w.found, cur)
		return
	}
	s := &rest[0]
	w.step(cur, s, rest[1:])
	if s.scan {
		w.scan(cur, s, rest[1:])
	}
}

// scan applies s to everything below cur.
func (w *walker) scan(cur any, s *segment, rest []segment) {
	if w.visits++; w.visits > maxVisits {
		return
	}
	switch x := cur.(type) {
	case []any:
		for _, item := range x {
			w.step(item, s, rest)
			w.scan(item, s, rest)
		}
	case *value.Object:
		for _, f := range x.Fields() {
			w.step(f.Value, s, rest)
			w.scan(f.Value, s, rest)
		}
	}
}

func (w *walker) step(cur any, s *segment, rest []segment) {
	switch x := cur.(type) {
	case *value.Object:
		w.stepObject(x, s, rest)
	case []any:
		w.stepArray(x, s, rest)
	}
}

func (w *walker) stepObject(o *value.Object, s *segment, rest []segment) {
	switch s.kind {
	case byName:
		if v, ok := o.Get(s.name); ok {
			w.walk(v, rest)
		}
	case byNames:
		if len(rest) == 0 {
			fields := make([]value.Field, 0, len(s.names))
			for _, n := range s.names {
				if v, ok := o.Get(n); ok {
					fields = append(fields, value.Field{Key: n, Value: v})
				}
			}
			w.found = append(w.found, value.NewObject(fields...))
			return
		}
		for _, n := range s.names {
			if v, ok := o.Get(n); ok {
				w.walk(v, rest)
			}
		}
	case byWildcard:
		for _, f := range o.Fields() {
			w.walk(f.Value, rest)
		}
	case byFilter:
		if s.filter.match(o, w.root) {
			w.walk(o, rest)
		}
	}
}

func (w *walker) stepArray(items []any, s *segment, rest []segment) {
	switch s.kind {
	case byIndex:
		w.item(items, s.index, rest)
	case byIndexes:
		for _, i := range s.indexes {
			w.item(items, i, rest)
		}
	case bySlice:
		from, to := bounds(s, len(items))
		for i := from; i < to; i++ {
			w.walk(items[i], rest)
		}
	case byWildcard:
		for _, item := range items {
			w.walk(item, rest)
		}
	case byFilter:
		for _, item := range items {
			if s.filter.match(item, w.root) {
				w.walk(item, rest)
			}
		}
	}
}

func (w *walker) item(items []any, i int, rest []segment) {
	if i < 0 {
		i += len(items)
	}
	if i >= 0 && i < len(items) {
		w.walk(items[i], rest)
	}
}

// bounds of a slice over n items; a negative end counts from the back.
func bounds(s *segment, n int) (from, to int) {
	to = n
	if s.from != nil {
		from = *s.from
		if from < 0 {
			from = max(0, n+from)
		}
	}
	if s.to != nil {
		to = *s.to
		if to < 0 {
			to += n
		}
	}
	return min(from, n), min(to, n)
}

// pathFunction is a function at the end of a path, such as $.items.length().
type pathFunction struct {
	name string
	eval func(v any) (any, bool)
}

func (f *pathFunction) apply(p *Path, v any) (any, error) {
	got, ok := f.eval(v)
	if !ok {
		return nil, &NotFoundError{Path: p.src, Problem: "Aggregation function attempted to calculate value using empty array", rooted: p.Rooted()}
	}
	return got, nil
}

func (p *parser) pathCall(name string) (*pathFunction, error) {
	p.at++
	p.space()
	if !p.eat(')') {
		return nil, p.fail("%s() takes no argument here", name)
	}
	f := &pathFunction{name: name}
	switch name {
	case "length", "size":
		f.eval = func(v any) (any, bool) {
			switch x := v.(type) {
			case []any:
				return int64(len(x)), true
			case *value.Object:
				return int64(x.Len()), true
			}
			return nil, true
		}
	case "keys":
		f.eval = func(v any) (any, bool) {
			o, ok := v.(*value.Object)
			if !ok {
				return nil, true
			}
			keys := make([]any, 0, o.Len())
			for _, f := range o.Fields() {
				keys = append(keys, f.Key)
			}
			return keys, true
		}
	case "first":
		f.eval = func(v any) (any, bool) { return end(v, 0) }
	case "last":
		f.eval = func(v any) (any, bool) { return end(v, -1) }
	case "min":
		f.eval = aggregate(func(sum, least, most, squares float64, n int) float64 { return least })
	case "max":
		f.eval = aggregate(func(sum, least, most, squares float64, n int) float64 { return most })
	case "sum":
		f.eval = aggregate(func(sum, least, most, squares float64, n int) float64 { return sum })
	case "avg":
		f.eval = aggregate(func(sum, least, most, squares float64, n int) float64 { return sum / float64(n) })
	case "stddev":
		f.eval = aggregate(func(sum, least, most, squares float64, n int) float64 {
			mean := sum / float64(n)
			return math.Sqrt(squares/float64(n) - mean*mean)
		})
	default:
		names := []string{"avg", "first", "keys", "last", "length", "max", "min", "size", "stddev", "sum"}
		return nil, p.fail("%s() is no function; there are %s", name, strings.Join(names, ", "))
	}
	return f, nil
}

func end(v any, i int) (any, bool) {
	items, _ := v.([]any)
	if len(items) == 0 {
		return nil, false
	}
	if i < 0 {
		i += len(items)
	}
	return items[i], true
}

func aggregate(result func(sum, least, most, squares float64, n int) float64) func(any) (any, bool) {
	return func(v any) (any, bool) {
		items, _ := v.([]any)
		sum, squares, n := 0.0, 0.0, 0
		least, most := math.Inf(1), math.Inf(-1)
		for _, item := range items {
			if f, ok := value.Float(item); ok {
				sum += f
				squares += f * f
				least, most = min(least, f), max(most, f)
				n++
			}
		}
		if n == 0 {
			return nil, false
		}
		return result(sum, least, most, squares, n), true
	}
}
