package jsonpath

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"sync"

	"plumbline/asl/value"
)

// Limits of the intrinsic functions. Source: Step Functions developer guide,
// "Intrinsic functions for JSONPath states".
const (
	maxRange = 1000   // items States.ArrayRange makes
	maxText  = 10_000 // characters for Base64Encode, Base64Decode and Hash
)

// functions is made when first asked for: a process that runs no workflow pays nothing.
var functions = sync.OnceValue(func() map[string]*function {
	return map[string]*function{
		"States.Array":          {0, -1, array},
		"States.ArrayPartition": {2, 2, arrayPartition},
		"States.ArrayContains":  {2, 2, arrayContains},
		"States.ArrayRange":     {3, 3, arrayRange},
		"States.ArrayGetItem":   {2, 2, arrayGetItem},
		"States.ArrayLength":    {1, 1, arrayLength},
		"States.ArrayUnique":    {1, 1, arrayUnique},
		"States.Base64Encode":   {1, 1, base64Encode},
		"States.Base64Decode":   {1, 1, base64Decode},
		"States.Hash":           {2, 2, hash},
		"States.JsonMerge":      {3, 3, jsonMerge},
		"States.StringToJson":   {1, 1, stringToJSON},
		"States.JsonToString":   {1, 1, jsonToString},
		"States.MathRandom":     {2, 3, mathRandom},
		"States.MathAdd":        {2, 2, mathAdd},
		"States.StringSplit":    {2, 2, stringSplit},
		"States.UUID":           {0, 0, uuid},
		"States.Format":         {1, -1, format},
	}
})

func array(c *Call, s *Scope, args []any) (any, error) {
	return append([]any{}, args...), nil
}

func (c *Call) list(v any) ([]any, error) {
	items, ok := v.([]any)
	if !ok {
		return nil, c.fail("Invalid arguments in %s: an array is expected, not %s", c.name, value.Kind(v))
	}
	return items, nil
}

func (c *Call) text(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", c.fail("Invalid arguments in %s: a string is expected, not %s", c.name, value.Kind(v))
	}
	return s, nil
}

// whole is a number without its fraction, as all functions but MathAdd take it.
func (c *Call) whole(v any) (int64, error) { return c.integer(v, math.Trunc) }

// rounded is a number rounded as Java's Math.round does, half up.
func (c *Call) rounded(v any) (int64, error) {
	return c.integer(v, func(f float64) float64 { return math.Floor(f + 0.5) })
}

func (c *Call) integer(v any, round func(float64) float64) (int64, error) {
	if n, ok := v.(int64); ok {
		return n, nil
	}
	f, ok := value.Float(v)
	if !ok {
		return 0, c.fail("Invalid arguments in %s: a number is expected, not %s", c.name, value.Kind(v))
	}
	f = round(f)
	if f >= 1<<63 || f < -1<<63 {
		return 0, c.fail("Invalid arguments in %s: the number is out of range", c.name)
	}
	return int64(f), nil
}

func arrayPartition(c *Call, s *Scope, args []any) (any, error) {
	items, err := c.list(args[0])
	if err != nil {
		return nil, err
	}
	size, err := c.whole(args[1])
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, c.fail("Invalid arguments in %s: the chunk size must be a positive integer", c.name)
	}
	chunks := []any{}
	for len(items) > 0 {
		n := int(min(size, int64(len(items))))
		chunks = append(chunks, items[:n:n])
		items = items[n:]
	}
	return chunks, nil
}

func arrayContains(c *Call, s *Scope, args []any) (any, error) {
	items, err := c.list(args[0])
	if err != nil {
		return nil, err
	}
	return member(args[1], items), nil
}

func arrayRange(c *Call, s *Scope, args []any) (any, error) {
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = c.whole(args[i]); err != nil {
			return nil, err
		}
	}
	first, last, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, c.fail("Invalid arguments in %s: the step must not be 0", c.name)
	}
	items := []any{}
	for v := first; step > 0 && v <= last || step < 0 && v >= last; v += step {
		if len(items) == maxRange {
			return nil, c.fail("Invalid arguments in %s: more than %d items", c.name, maxRange)
		}
		items = append(items, v)
		if step > 0 && v > math.MaxInt64-step || step < 0 && v < math.MinInt64-step {
			break
		}
	}
	return items, nil
}

func arrayGetItem(c *Call, s *Scope, args []any) (any, error) {
	items, err := c.list(args[0])
	if err != nil {
		return nil, err
	}
	i, ok := args[1].(int64)
	if ok && len(items) == 0 && i >= 0 {
		return nil, nil // as recorded, although no other index beyond the end is
	}
	if !ok || i < 0 || i >= int64(len(items)) {
		return nil, c.fail("Invalid arguments in %s: the index must be a whole number from 0 to %d", c.name, len(items)-1)
	}
	return items[i], nil
}

func arrayLength(c *Call, s *Scope, args []any) (any, error) {
	items, err := c.list(args[0])
	return int64(len(items)), err
}

func arrayUnique(c *Call, s *Scope, args []any) (any, error) {
	items, err := c.list(args[0])
	if err != nil {
		return nil, err
	}
	unique := []any{}
	for _, item := range items {
		if !member(item, unique) {
			unique = append(unique, item)
		}
	}
	return unique, nil
}

func (c *Call) short(v any) (string, error) {
	s, err := c.text(v)
	if err == nil && len([]rune(s)) > maxText {
		return "", c.fail("Invalid arguments in %s: the text is longer than %d characters", c.name, maxText)
	}
	return s, err
}

func base64Encode(c *Call, s *Scope, args []any) (any, error) {
	t, err := c.short(args[0])
	return base64.StdEncoding.EncodeToString([]byte(t)), err
}

func base64Decode(c *Call, s *Scope, args []any) (any, error) {
	t, err := c.short(args[0])
	if err != nil {
		return nil, err
	}
	// What is not of Base64's alphabet is skipped, and an end that is no whole
	// byte is dropped: the service decodes so.
	t = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '+' || r == '/' {
			return r
		}
		return -1
	}, t)
	if len(t)%4 == 1 {
		t = t[:len(t)-1]
	}
	b, err := base64.RawStdEncoding.DecodeString(t)
	if err != nil {
		return nil, c.fail("Invalid arguments in %s: not Base64", c.name)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), nil
}

func hash(c *Call, s *Scope, args []any) (any, error) {
	data, isText := args[0].(string)
	if !isText {
		var err error
		if data, err = c.encoded(args[0]); err != nil {
			return nil, err
		}
	}
	if len([]rune(data)) > maxText {
		return nil, c.fail("Invalid arguments in %s: the data is longer than %d characters", c.name, maxText)
	}
	b := []byte(data)
	var sum []byte
	switch args[1] {
	case "MD5":
		h := md5.Sum(b)
		sum = h[:]
	case "SHA-1":
		h := sha1.Sum(b)
		sum = h[:]
	case "SHA-256":
		h := sha256.Sum256(b)
		sum = h[:]
	case "SHA-384":
		h := sha512.Sum384(b)
		sum = h[:]
	case "SHA-512":
		h := sha512.Sum512(b)
		sum = h[:]
	default:
		return nil, c.fail("Invalid arguments in %s: the algorithm is one of MD5, SHA-1, SHA-256, SHA-384, SHA-512", c.name)
	}
	return hex.EncodeToString(sum), nil
}

func jsonMerge(c *Call, s *Scope, args []any) (any, error) {
	a, okA := args[0].(*value.Object)
	b, okB := args[1].(*value.Object)
	if !okA || !okB {
		return nil, c.fail("Invalid arguments in %s: two objects are expected", c.name)
	}
	if args[2] != false {
		return nil, c.fail("Invalid arguments in %s: only shallow merging is supported, so the third argument must be false", c.name)
	}
	return a.Merge(b), nil
}

func stringToJSON(c *Call, s *Scope, args []any) (any, error) {
	t, err := c.text(args[0])
	if err != nil {
		return nil, err
	}
	v, err := value.DecodeString(t)
	if err != nil {
		return nil, c.fail("Invalid arguments in %s: the text is not JSON: %v", c.name, err)
	}
	return v, nil
}

func jsonToString(c *Call, s *Scope, args []any) (any, error) {
	return c.encoded(args[0])
}

func (s *Scope) random() uint64 {
	if s.Random == nil {
		return 0
	}
	return s.Random()
}

func mathRandom(c *Call, s *Scope, args []any) (any, error) {
	from, err := c.whole(args[0])
	if err != nil {
		return nil, err
	}
	to, err := c.whole(args[1])
	if err != nil {
		return nil, err
	}
	if to <= from {
		return nil, c.fail("Invalid arguments in %s: the end must be greater than the start", c.name)
	}
	n := s.random()
	if len(args) == 3 {
		seed, err := c.whole(args[2])
		if err != nil {
			return nil, err
		}
		n = mix(uint64(seed))
	}
	return from + int64(n%uint64(to-from)), nil
}

// mix is the finalizer of SplitMix64: one number from a seed, always the same.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func mathAdd(c *Call, s *Scope, args []any) (any, error) {
	a, err := c.rounded(args[0])
	if err != nil {
		return nil, err
	}
	b, err := c.rounded(args[1])
	if err != nil {
		return nil, err
	}
	return a + b, nil
}

func stringSplit(c *Call, s *Scope, args []any) (any, error) {
	t, err := c.text(args[0])
	if err != nil {
		return nil, err
	}
	by, err := c.text(args[1])
	if err != nil {
		return nil, err
	}
	parts := []any{}
	for _, part := range strings.FieldsFunc(t, func(r rune) bool { return strings.ContainsRune(by, r) }) {
		parts = append(parts, part)
	}
	return parts, nil
}

func uuid(c *Call, s *Scope, args []any) (any, error) {
	a, b := s.random(), s.random()
	a = a&^0xf000 | 0x4000 // version 4
	b = b&^(3<<62) | 2<<62 // variant
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff), nil
}

func format(c *Call, s *Scope, args []any) (any, error) {
	t, err := c.text(args[0])
	if err != nil {
		return nil, err
	}
	if c.args[0].expr == nil {
		t = c.args[0].raw
	}
	var b strings.Builder
	rest := args[1:]
	for i := 0; i < len(t); i++ {
		switch {
		case t[i] == '\\' && i+1 < len(t) && strings.IndexByte(`'{}\`, t[i+1]) >= 0:
			i++
			b.WriteByte(t[i])
		case t[i] == '{' && i+1 < len(t) && t[i+1] == '}':
			i++
			if len(rest) == 0 {
				return nil, c.fail("Invalid arguments in %s: there are more {} than values", c.name)
			}
			part, isText := rest[0].(string)
			if !isText {
				if part, err = c.encoded(rest[0]); err != nil {
					return nil, err
				}
			}
			if b.Len()+len(part) > maxResult {
				return nil, &SizeError{c.src}
			}
			b.WriteString(part)
			rest = rest[1:]
		case t[i] == '{' || t[i] == '}':
			return nil, c.fail("Invalid arguments in %s: a brace that stands for itself must be escaped", c.name)
		default:
			b.WriteByte(t[i])
		}
	}
	if len(rest) > 0 {
		return nil, c.fail("Invalid arguments in %s: there are more values than {}", c.name)
	}
	return b.String(), nil
}
