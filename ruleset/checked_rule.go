package ruleset

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// ruleKey is what a rule's own record is found by, beside its expressions.
const ruleKey = "rule"

// codec writes a rule into the file of checked expressions, or reads it from
// there: one description of the fields serves both ways. Exactly one of w and
// r is set.
type codec struct {
	w   *checkedWriter
	out []byte
	r   *checkedReader
	err error
}

// rule is every field that a rule file says, and where.
func (c *codec) rule(r *Rule) {
	c.text(&r.ID)
	c.text(&r.Title)
	c.text((*string)(&r.Severity))
	c.text((*string)(&r.Domain))
	c.texts(&r.Types)
	match := int(r.Match)
	c.number(&match)
	r.Match = Match(match)
	list(c, &r.Relations, func(x *Relation) {
		for _, s := range []*string{&x.Name, &x.Type, &x.By, &x.From, &x.Of, &x.Live} {
			c.text(s)
		}
		c.flag(&x.Any)
		c.number(&x.Line)
	})
	list(c, &r.Let, func(x *Let) {
		c.text(&x.Name)
		c.expression(&x.Expression)
	})
	c.expression(&r.When)
	c.expression(&r.Pass)
	c.expression(&r.Message)
	c.text(&r.At)
	c.text(&r.Remediation)
	list(c, &r.Fix, func(x *FixStep) {
		c.text(&x.Do)
		c.texts(&x.Path)
		c.text(&x.On)
		c.expression(&x.Where)
		c.plain(&x.Value)
		c.expression(&x.CEL)
		c.text(&x.Policy)
		c.number(&x.Line)
	})
	c.text(&r.Breaks)
	c.flag(&r.CutsOff)
	c.text(&r.Permanent)
	tools := slices.Sorted(maps.Keys(r.Equivalents))
	c.texts(&tools)
	for _, tool := range tools {
		ids := r.Equivalents[tool]
		c.texts(&ids)
		if c.r != nil {
			if r.Equivalents == nil {
				r.Equivalents = make(map[string][]string, len(tools))
			}
			r.Equivalents[tool] = ids
		}
	}
	c.texts(&r.References)
	c.flag(&r.Deprecated)
	c.number(&r.Line)
}

func (c *codec) text(s *string) {
	if c.w != nil {
		c.out = c.w.string(c.out, *s)
		return
	}
	*s = c.r.string()
}

func (c *codec) number(n *int) {
	if c.w != nil {
		c.out = binary.AppendUvarint(c.out, uint64(*n))
		return
	}
	*n = int(c.r.uint())
}

func (c *codec) flag(b *bool) {
	n := 0
	if *b {
		n = 1
	}
	c.number(&n)
	*b = n == 1
}

func (c *codec) texts(s *[]string) { list(c, s, c.text) }

func (c *codec) expression(x *Expression) {
	c.text(&x.Text)
	if x.Text == "" {
		return
	}
	c.number(&x.Line)
	c.number(&x.Column)
	c.flag(&x.block)
	c.flag(&x.folded)
}

// list is a slice, nil where it is empty.
func list[T any](c *codec, s *[]T, each func(*T)) {
	n := len(*s)
	if c.w != nil {
		c.number(&n)
	} else if n = c.r.length(); n > 0 {
		*s = make([]T, n)
	}
	for i := range *s {
		each(&(*s)[i])
	}
}

// plain is a value of a fix step.
func (c *codec) plain(v *any) {
	if c.w != nil {
		c.out = c.put(c.out, *v)
		return
	}
	*v = c.get()
}

func (c *codec) put(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, nodeNull)
	case bool:
		if v {
			return append(b, nodeTrue)
		}
		return append(b, nodeFalse)
	case int:
		return binary.AppendVarint(append(b, nodeInt), int64(v))
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, nodeDouble), math.Float64bits(v))
	case string:
		return c.w.string(append(b, nodeString), v)
	case []any:
		b = binary.AppendUvarint(append(b, nodeList), uint64(len(v)))
		for _, x := range v {
			b = c.put(b, x)
		}
		return b
	case map[string]any:
		b = binary.AppendUvarint(append(b, nodeMap), uint64(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b = c.put(c.w.string(b, key), v[key])
		}
		return b
	}
	c.err = fmt.Errorf("a value of type %T has no form in the file", v)
	return b
}

func (c *codec) get() any {
	switch kind := c.r.byte(); kind {
	case nodeFalse, nodeTrue:
		return kind == nodeTrue
	case nodeInt:
		return int(c.r.int())
	case nodeDouble:
		return float64(c.r.double())
	case nodeString:
		return c.r.string()
	case nodeList:
		out := make([]any, c.r.length())
		for i := range out {
			out[i] = c.get()
		}
		return out
	case nodeMap:
		n := c.r.length()
		out := make(map[string]any, n)
		for range n {
			key := c.r.string()
			out[key] = c.get()
		}
		return out
	}
	return nil
}

// read reads a rule file, by its record where it is known.
func (c *checkedTexts) read(name string, src []byte) (*Rule, error) {
	source := sha256.Sum256(src)
	r := c.rule(checkedKey(source, "", ruleKey))
	if r == nil {
		var err error
		if r, err = ReadRule(name, src); err != nil {
			return nil, err
		}
	}
	r.File, r.checked, r.source = name, c, source
	return r, nil
}

// rule returns the rule of a file, nil where it is not known.
func (c *checkedTexts) rule(key [keySize]byte) *Rule {
	src := c.entry(key)
	if src == nil {
		return nil
	}
	r := new(Rule)
	k := codec{r: &checkedReader{texts: c, src: src}}
	if k.rule(r); k.r.broken {
		return nil
	}
	return r
}

// addRule adds a rule's own record.
func (w *checkedWriter) addRule(key [keySize]byte, r *Rule) error {
	c := codec{w: w}
	c.rule(r)
	w.put(key, c.out)
	return c.err
}
