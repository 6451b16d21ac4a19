package value

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// AppendNumber appends f as AWS prints it, which is Java's Double.toString:
// 1.0, 0.001, 1.0E7, and null for what JSON cannot say.
func AppendNumber(dst []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(dst, "null"...)
	}
	abs := math.Abs(f)
	if abs == 0 || (abs >= 1e-3 && abs < 1e7) {
		n := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[n:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, '.', '0')
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exp, _ := strings.Cut(s, "e")
	dst = append(dst, mantissa...)
	if !strings.Contains(mantissa, ".") {
		dst = append(dst, '.', '0')
	}
	dst = append(dst, 'E')
	exp = strings.TrimPrefix(exp, "+")
	if strings.HasPrefix(exp, "-") {
		dst = append(dst, '-')
		exp = exp[1:]
	}
	return append(dst, strings.TrimLeft(exp, "0")...)
}

// Float returns the number v as a float64; false where v is no number.
func Float(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	case Big:
		f, err := strconv.ParseFloat(string(n), 64)
		return f, err == nil
	}
	return 0, false
}

// Int returns the number v where it is whole, 3 and 3.0 alike.
func Int(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<63 {
			return int64(n), true
		}
	}
	return 0, false
}

// Compare orders two numbers, -1, 0 or 1; false where one is no number.
func Compare(a, b any) (int, bool) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			switch {
			case x < y:
				return -1, true
			case x > y:
				return 1, true
			}
			return 0, true
		}
	}
	_, bigA := a.(Big)
	_, bigB := b.(Big)
	if bigA || bigB {
		x, okX := exact(a)
		y, okY := exact(b)
		if !okX || !okY {
			return 0, false
		}
		return x.Cmp(y), true
	}
	x, okX := Float(a)
	y, okY := Float(b)
	if !okX || !okY {
		return 0, false
	}
	switch {
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	}
	return 0, true
}

func exact(v any) (*big.Rat, bool) {
	switch n := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(n), true
	case float64:
		r := new(big.Rat).SetFloat64(n)
		return r, r != nil
	case Big:
		return new(big.Rat).SetString(string(n))
	}
	return nil, false
}

// Equal reports whether a and b are the same JSON: fields in any order,
// numbers by their amount (1 equals 1.0).
func Equal(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case string:
		y, ok := b.(string)
		return ok && x == y
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case *Object:
		y, ok := b.(*Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for _, f := range x.Fields() {
			v, ok := y.Get(f.Key)
			if !ok || !Equal(f.Value, v) {
				return false
			}
		}
		return true
	}
	c, ok := Compare(a, b)
	return ok && c == 0
}
