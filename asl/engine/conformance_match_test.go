package engine_test

import (
	"regexp"
	"slices"
	"strings"

	"plumbline/asl/value"
)

// matcher compares what was recorded on AWS with what the engine did. A
// recording has placeholders for what nobody can predict, and where it has an
// object the service had JSON text.
type matcher struct {
	wildcards []string
	texts     bool // JSON text may stand for any value: histories have it so
}

var (
	placeholder = regexp.MustCompile(`<[A-Za-z_][\w:.\- ]*>(?::\d+>)?|<<\w+>:\d+>|\w*Arn_?\w*Part\w*|\bresource-\d+`)
	account     = regexp.MustCompile(`:\d{12}:|:(?:secondary_)?test_aws_account_id:`)
	anyText     = []string{"snf_role_arn", "sfn_role_arn", "datetime", "timestamp", "start-date", "stop-date", "date"}
)

func sameAccount(s string) string { return account.ReplaceAllString(s, ":111111111111:") }

// match reports whether act is what exp says; subset: act may have more fields.
func (m matcher) match(exp, act any, subset bool) bool {
	if s, ok := exp.(string); ok {
		return m.text(s, act, subset)
	}
	if text, ok := act.(string); ok && (m.texts || value.Kind(exp) == "object" || value.Kind(exp) == "array") {
		v, err := value.DecodeString(text)
		if err != nil {
			return false
		}
		act = v
	}
	switch e := exp.(type) {
	case *value.Object:
		a, ok := act.(*value.Object)
		if !ok || !subset && e.Len() != a.Len() {
			return false
		}
		for _, f := range e.Fields() {
			if !subset && placeholder.FindString(f.Key) == f.Key && f.Key != "" {
				return e.Len() == a.Len()
			}
			v, ok := a.Get(f.Key)
			if !ok || !m.match(f.Value, v, subset) {
				return false
			}
		}
		return true
	case []any:
		a, ok := act.([]any)
		if !ok || len(a) != len(e) {
			return false
		}
		for i := range e {
			if !m.match(e[i], a[i], subset) {
				return false
			}
		}
		return true
	}
	if x, ok := value.Float(exp); ok {
		y, ok := value.Float(act)
		diff := x - y
		return ok && max(diff, -diff) <= 1e-12*max(x, -x, y, -y)
	}
	return value.Equal(exp, act)
}

func (m matcher) text(exp string, act any, subset bool) bool {
	if slices.Contains(m.wildcards, exp) || slices.Contains(anyText, exp) {
		return true
	}
	got, ok := act.(string)
	if !ok {
		return false
	}
	e, a := sameAccount(exp), sameAccount(got)
	if e == a {
		return true
	}
	if v, err := value.DecodeString(got); m.texts && err == nil && value.Kind(v) == "string" {
		return matcher{wildcards: m.wildcards}.text(exp, v, subset)
	}
	if re := m.pattern(e); re != nil && re.MatchString(a) {
		return true
	}
	if e == "" || a == "" || !strings.ContainsRune(`{["`, rune(e[0])) || !strings.ContainsRune(`{["`, rune(a[0])) {
		return false
	}
	x, errX := value.DecodeString(e)
	y, errY := value.DecodeString(a)
	return errX == nil && errY == nil && m.match(x, y, subset)
}

// pattern matches text in which placeholders stand for any text; nil: there are none.
func (m matcher) pattern(e string) *regexp.Regexp {
	found := placeholder.MatchString(e)
	p := regexp.QuoteMeta(e)
	if found {
		var b strings.Builder
		at := 0
		for _, loc := range placeholder.FindAllStringIndex(e, -1) {
			b.WriteString(regexp.QuoteMeta(e[at:loc[0]]) + ".*")
			at = loc[1]
		}
		p = b.String() + regexp.QuoteMeta(e[at:])
	}
	for _, w := range m.wildcards {
		if strings.HasPrefix(w, "<") && strings.Contains(e, w) {
			found = true
			p = strings.ReplaceAll(p, regexp.QuoteMeta(w), ".*")
		}
	}
	if !found {
		return nil
	}
	re, err := regexp.Compile("(?s)^(?:" + p + ")$")
	if err != nil {
		return nil
	}
	return re
}
