package asl

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func lintMachineComment(l *linter) {
	if strings.TrimSpace(l.d.Comment) == "" {
		l.report(l.d.Pos, "/Comment", "the state machine has no Comment. say what starts it, what it takes and gives, and whether it may run twice")
	}
}

func lintStateComment(l *linter) {
	l.states(func(s *State) {
		switch letters := onlyLetters(s.Comment); {
		case letters == "":
			l.report(s.Pos, s.pointer, "state %q has no Comment. say why it is there or what it guarantees", s.Name)
		case letters == onlyLetters(s.Name):
			l.report(s.FieldPos("Comment"), child(s.pointer, "Comment"), "the comment of state %q repeats its name. say why it is there or what it guarantees", s.Name)
		}
	})
}

func onlyLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func lintQueryLanguage(l *linter) {
	if l.d.QueryLanguage == "" {
		l.report(l.d.Pos, "/QueryLanguage", "the state machine does not name its query language. add \"QueryLanguage\": \"JSONPath\" or \"JSONata\" at the top")
	}
	l.states(func(s *State) {
		if s.QueryLanguage != "" {
			l.report(s.FieldPos("QueryLanguage"), child(s.pointer, "QueryLanguage"), "state %q chooses a query language for itself. remove it: the language is chosen once, at the top", s.Name)
		}
	})
}

func lintNameCase(l *linter) {
	l.states(func(s *State) {
		switch {
		case !pascal(s.Name) && toPascal(s.Name) == s.Name: // in capitals only: there is no other way to write it
			l.report(s.Pos, s.pointer, "state name %q has no lower-case letter. name it after what it does, in PascalCase, such as FetchBuckets", s.Name)
		case !pascal(s.Name):
			l.report(s.Pos, s.pointer, "state name %q is not PascalCase. use letters and digits only, such as %q", s.Name, toPascal(s.Name))
		case utf8.RuneCountInString(s.Name) > maxStateName:
			l.report(s.Pos, s.pointer, "state name %q is longer than %d characters. shorten it", s.Name, maxStateName)
		}
	})
}

// pascal reports whether the name is ASCII letters and digits, begins upper
// case and has some lower case.
func pascal(name string) bool {
	lower := false
	for i, r := range name {
		switch {
		case 'a' <= r && r <= 'z':
			lower = true
			if i == 0 {
				return false
			}
		case 'A' <= r && r <= 'Z':
		case '0' <= r && r <= '9':
			if i == 0 {
				return false
			}
		default:
			return false
		}
	}
	return lower
}

// toPascal is the nearest PascalCase name, for a suggestion.
func toPascal(name string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(name, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if b.Len() == 0 {
			w = strings.TrimLeft(w, "0123456789") // a name begins with a letter
		}
		if w == "" {
			continue
		}
		if w == strings.ToUpper(w) {
			w = w[:1] + strings.ToLower(w[1:])
		}
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	if b.Len() == 0 {
		return "FetchBuckets"
	}
	return b.String()
}

// words is how many words a PascalCase name has.
func words(name string) int {
	n := 0
	wasUpper := false
	for _, r := range name {
		upper := 'A' <= r && r <= 'Z'
		if upper && !wasUpper {
			n++
		}
		wasUpper = upper
	}
	return n
}

// nameShape is what the name of a state of one type looks like.
type nameShape struct {
	prefixes []string
	suffix   string
}

// shapeOf is the shape for the state; false where its name is free but for
// having a verb and a noun.
func shapeOf(s *State) (nameShape, bool) {
	switch {
	case s.Callback(), s.Type == "Wait":
		return nameShape{prefixes: []string{"WaitFor"}}, true
	case s.Type == "Choice":
		return nameShape{prefixes: []string{"Is", "Has", "Needs"}}, true
	case s.Type == "Map":
		return nameShape{prefixes: []string{"ForEach"}}, true
	case s.Type == "Parallel":
		return nameShape{prefixes: []string{"All"}}, true
	case s.Type == "Pass":
		return nameShape{prefixes: []string{"Set"}}, true
	case s.Type == "Fail":
		return nameShape{suffix: "Failed"}, true
	case s.Type == "Succeed":
		return nameShape{suffix: "Done"}, true
	}
	return nameShape{}, false
}

// fits reports whether the name has the shape, with a word of its own beside it.
func (n nameShape) fits(name string) bool {
	if n.suffix != "" {
		return strings.HasSuffix(name, n.suffix) && len(name) > len(n.suffix)
	}
	return slices.ContainsFunc(n.prefixes, func(p string) bool {
		rest, ok := strings.CutPrefix(name, p)
		return ok && rest != "" && (rest[0] < 'a' || rest[0] > 'z')
	})
}

func (n nameShape) String() string {
	if n.suffix != "" {
		return "…" + n.suffix
	}
	return strings.Join(n.prefixes, "…, ") + "…"
}

func lintNameType(l *linter) {
	l.states(func(s *State) {
		shape, ok := shapeOf(s)
		switch {
		case ok && !shape.fits(s.Name):
			kind := s.Type
			if s.Callback() {
				kind = "callback"
			}
			l.report(s.Pos, s.pointer, "the name of %s state %q does not tell its type. name it %s", kind, s.Name, shape)
		case !ok && s.Type == "Task" && words(s.Name) < 2:
			l.report(s.Pos, s.pointer, "the name of Task state %q is no verb and noun. name it after what it does to what, such as FetchBuckets", s.Name)
		}
	})
}

func lintNameUnique(l *linter) {
	seen := map[string]Pos{}
	l.states(func(s *State) {
		if first, twice := seen[s.Name]; twice {
			l.report(s.Pos, s.pointer, "state name %q is used before, at %s. rename one of them", s.Name, first)
			return
		}
		seen[s.Name] = s.Pos
	})
}
