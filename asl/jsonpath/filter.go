package jsonpath

import (
	"regexp"
	"strings"

	"plumbline/asl/value"
)

// filter is the condition of [?(…)]: operands joined by && and ||, as in Jayway.
type filter struct {
	op          string // "&&", "||", "!", "exists", or a comparison
	left, right *filter
	a, b        operand
	re          *regexp.Regexp // =~
}

// operand is one side of a comparison: a path from @ or $, or a literal.
type operand struct {
	path    *Path
	current bool // from @
	literal any
}

func (o operand) eval(item, root any) (any, bool) {
	if o.path == nil {
		return o.literal, true
	}
	from := root
	if o.current {
		from = item
	}
	v, err := o.path.Eval(from)
	return v, err == nil
}

func (p *parser) filter() (*filter, error) {
	p.space()
	if !p.eat('(') {
		return nil, p.fail("a filter is written ?(…)")
	}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.eat(')') {
		return nil, p.fail("a ) is missing")
	}
	return f, nil
}

func (p *parser) or() (*filter, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		return nil, p.fail("nested deeper than %d", maxNesting)
	}
	left, err := p.and()
	for err == nil && p.word("||") {
		var right *filter
		right, err = p.and()
		left = &filter{op: "||", left: left, right: right}
	}
	return left, err
}

func (p *parser) and() (*filter, error) {
	left, err := p.not()
	for err == nil && p.word("&&") {
		var right *filter
		right, err = p.not()
		left = &filter{op: "&&", left: left, right: right}
	}
	return left, err
}

func (p *parser) word(w string) bool {
	p.space()
	if strings.HasPrefix(p.src[p.at:], w) {
		p.at += len(w)
		return true
	}
	return false
}

func (p *parser) not() (*filter, error) {
	p.space()
	if p.peek() == '!' {
		p.depth++
		defer func() { p.depth-- }()
		if p.depth > maxNesting {
			return nil, p.fail("nested deeper than %d", maxNesting)
		}
		p.at++
		f, err := p.not()
		return &filter{op: "!", left: f}, err
	}
	if p.eat('(') {
		f, err := p.or()
		if err != nil {
			return nil, err
		}
		p.space()
		if !p.eat(')') {
			return nil, p.fail("a ) is missing")
		}
		return f, nil
	}
	return p.comparison()
}

// operators, longest first where one begins another.
var operators = []string{"==", "!=", "<=", ">=", "=~", "<", ">", "in ", "nin ", "subsetof ", "anyof ", "noneof ", "contains ", "size ", "empty "}

func (p *parser) comparison() (*filter, error) {
	a, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.space()
	for _, op := range operators {
		if !strings.HasPrefix(p.src[p.at:], op) {
			continue
		}
		p.at += len(op)
		f := &filter{op: strings.TrimSpace(op), a: a}
		if f.op == "=~" {
			f.re, err = p.regexp()
			return f, err
		}
		f.b, err = p.operand()
		return f, err
	}
	if a.path == nil {
		return nil, p.fail("a comparison is wanted: one of ==, !=, <, <=, >, >=, =~, in, nin, contains, size, empty")
	}
	return &filter{op: "exists", a: a}, nil
}

func (p *parser) operand() (operand, error) {
	p.space()
	switch c := p.peek(); {
	case c == '@' || c == '$':
		p.depth++
		defer func() { p.depth-- }()
		if p.depth > maxNesting {
			return operand{}, p.fail("nested deeper than %d", maxNesting)
		}
		path, err := p.path(c)
		return operand{path: path, current: c == '@'}, err
	case c == '\'' || c == '"':
		s, err := p.quoted()
		return operand{literal: s}, err
	case c == '[':
		return p.list()
	}
	start := p.at
	for p.at < len(p.src) && !strings.ContainsRune(" )&|=<>!~,]\t\n\r", rune(p.src[p.at])) {
		p.at++
	}
	text := p.src[start:p.at]
	v, err := value.DecodeString(text)
	if err != nil {
		p.at = start
		return operand{}, p.fail("a path, a quoted string, a number, true, false or null is wanted")
	}
	return operand{literal: v}, nil
}

func (p *parser) list() (operand, error) {
	p.at++
	items := []any{}
	for {
		p.space()
		if p.eat(']') {
			return operand{literal: items}, nil
		}
		if len(items) > 0 && !p.eat(',') {
			return operand{}, p.fail("a comma or ] must follow an item")
		}
		p.space()
		if p.peek() == '[' || p.peek() == '@' || p.peek() == '$' {
			return operand{}, p.fail("a list holds literals only")
		}
		item, err := p.operand()
		if err != nil {
			return operand{}, err
		}
		items = append(items, item.literal)
	}
}

func (p *parser) regexp() (*regexp.Regexp, error) {
	p.space()
	if !p.eat('/') {
		return nil, p.fail("a pattern is written /…/")
	}
	start := p.at
	for p.at < len(p.src) && p.src[p.at] != '/' {
		if p.src[p.at] == '\\' {
			p.at++
		}
		p.at++
	}
	if p.at >= len(p.src) {
		p.at = len(p.src)
		return nil, p.fail("the pattern is not closed")
	}
	text := p.src[start:p.at]
	p.at++
	if p.eat('i') {
		text = "(?i)" + text
	}
	re, err := regexp.Compile("^(?:" + text + ")$")
	if err != nil {
		return nil, p.fail("%v", err)
	}
	return re, nil
}

func (f *filter) match(item, root any) bool {
	switch f.op {
	case "&&":
		return f.left.match(item, root) && f.right.match(item, root)
	case "||":
		return f.left.match(item, root) || f.right.match(item, root)
	case "!":
		return !f.left.match(item, root)
	}
	a, hasA := f.a.eval(item, root)
	switch f.op {
	case "exists":
		if items, ok := a.([]any); ok && !f.a.path.definite {
			return len(items) > 0
		}
		return hasA
	case "=~":
		s, ok := a.(string)
		return ok && f.re.MatchString(s)
	}
	b, hasB := f.b.eval(item, root)
	if f.op == "!=" {
		return hasA != hasB || hasA && !value.Equal(a, b)
	}
	if !hasA || !hasB {
		return f.op == "==" && hasA == hasB
	}
	switch f.op {
	case "==":
		return value.Equal(a, b)
	case "<", "<=", ">", ">=":
		c, ok := order(a, b)
		if !ok {
			return false
		}
		return f.op == "<" && c < 0 || f.op == "<=" && c <= 0 || f.op == ">" && c > 0 || f.op == ">=" && c >= 0
	case "in":
		return member(a, b)
	case "nin":
		return !member(a, b)
	case "contains":
		if s, ok := a.(string); ok {
			t, ok := b.(string)
			return ok && strings.Contains(s, t)
		}
		return member(b, a)
	}
	return sized(f.op, a, b)
}

// sized evaluates the operators that ask about a list as a whole.
func sized(op string, a, b any) bool {
	items, isList := a.([]any)
	text, isText := a.(string)
	n := len(items)
	if isText {
		n = len(text)
	}
	switch op {
	case "size":
		want, ok := value.Int(b)
		return ok && (isList || isText) && int64(n) == want
	case "empty":
		want, ok := b.(bool)
		return ok && (isList || isText) && (n == 0) == want
	}
	if !isList {
		return false
	}
	for _, item := range items {
		in := member(item, b)
		switch op {
		case "subsetof":
			if !in {
				return false
			}
		case "anyof":
			if in {
				return true
			}
		case "noneof":
			if in {
				return false
			}
		}
	}
	return op != "anyof"
}

func order(a, b any) (int, bool) {
	s, ok := a.(string)
	if !ok {
		return value.Compare(a, b)
	}
	t, ok := b.(string)
	return strings.Compare(s, t), ok
}

func member(v, list any) bool {
	items, ok := list.([]any)
	if !ok {
		return false
	}
	for _, item := range items {
		if value.Equal(v, item) {
			return true
		}
	}
	return false
}
