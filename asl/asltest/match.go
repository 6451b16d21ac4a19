package asltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// anyValue in expected data matches every value.
const anyValue = "<any>"

// decode reads JSON with numbers as written.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more follows the value")
	}
	return v, nil
}

// settled is want with each "<any>" replaced by what got has in its place, so
// that the two can be compared, and with numbers of one value written alike.
func settled(want, got any) any {
	switch w := want.(type) {
	case string:
		if w == anyValue {
			return got
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(w, g) {
			return got
		}
	case map[string]any:
		g, _ := got.(map[string]any)
		out := make(map[string]any, len(w))
		for k, v := range w {
			other, ok := g[k]
			if !ok {
				out[k] = v
				continue
			}
			out[k] = settled(v, other)
		}
		return out
	case []any:
		g, _ := got.([]any)
		out := make([]any, len(w))
		for i, v := range w {
			out[i] = v
			if i < len(g) {
				out[i] = settled(v, g[i])
			}
		}
		return out
	}
	return want
}

func sameNumber(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

// difference is how got differs from want, "" where it does not.
func difference(want, got any) string {
	diff := cmp.Diff(settled(want, got), got)
	return strings.ReplaceAll(diff, "\u00a0", " ") // cmp varies its spaces so that nobody parses them
}

// contains reports whether got has everything that want has: each field of an
// object, at any depth; arrays and plain values must be equal.
func contains(got, want any) bool {
	w, ok := want.(map[string]any)
	if !ok {
		return difference(want, got) == ""
	}
	g, ok := got.(map[string]any)
	if !ok {
		return false
	}
	for k, v := range w {
		other, ok := g[k]
		if !ok || !contains(other, v) {
			return false
		}
	}
	return true
}

// compact is a value as one line of JSON.
func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
