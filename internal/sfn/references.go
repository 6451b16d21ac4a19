package sfn

import (
	"slices"
	"strings"

	"plumbline/asl"
	"plumbline/asl/value"
)

// reference is a state and the variables it reads.
type reference struct {
	state     string
	variables []string // sorted
}

// referencesOf lists what DescribeStateMachine calls variableReferences: the
// states that read variables, in the order of the text.
func referencesOf(definition string) []reference {
	v, err := value.DecodeString(definition)
	if err != nil {
		return nil
	}
	o, _ := v.(*value.Object)
	var list []reference
	statesOf(&list, o, o.String("QueryLanguage"))
	return list
}

// statesOf adds the states of a machine and of those inside it; language is the
// whole definition's.
func statesOf(list *[]reference, machine *value.Object, language string) {
	states, _ := machine.Get("States")
	o, _ := states.(*value.Object)
	for _, f := range o.Fields() {
		s, _ := f.Value.(*value.Object)
		own := s.String("QueryLanguage")
		if own == "" {
			own = language
		}
		w := referenceWalk{jsonata: own == asl.JSONata}
		w.state(s)
		if len(w.names) > 0 {
			slices.Sort(w.names)
			*list = append(*list, reference{f.Key, slices.Compact(w.names)})
		}
		for _, key := range []string{"ItemProcessor", "Iterator"} {
			inner, _ := s.Get(key)
			if p, ok := inner.(*value.Object); ok {
				statesOf(list, p, language)
			}
		}
		inner, _ := s.Get("Branches")
		branches, _ := inner.([]any)
		for _, b := range branches {
			if p, ok := b.(*value.Object); ok {
				statesOf(list, p, language)
			}
		}
	}
}

type referenceWalk struct {
	jsonata bool
	names   []string
}

// state looks at a state without those inside it.
func (w *referenceWalk) state(o *value.Object) {
	for _, f := range o.Fields() {
		switch f.Key {
		case "ItemProcessor", "Iterator", "Branches", "States":
		default:
			w.field(f.Key, f.Value)
		}
	}
}

func (w *referenceWalk) field(key string, v any) {
	switch x := v.(type) {
	case *value.Object:
		for _, f := range x.Fields() {
			w.field(f.Key, f.Value)
		}
	case []any:
		for _, item := range x {
			w.field(key, item)
		}
	case string:
		if w.jsonata {
			if strings.HasPrefix(x, "{%") && strings.HasSuffix(x, "%}") {
				w.expression(x)
			}
		} else if strings.HasSuffix(key, ".$") || strings.HasSuffix(key, "Path") || key == "Variable" {
			w.expression(x)
		}
	}
}

// expression finds $name outside quotes; $. and $[ are the input, $$ the context.
func (w *referenceWalk) expression(s string) {
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '$':
			j := i + 1
			for j < len(s) && isNameByte(s[j]) {
				j++
			}
			if j < len(s) && j == i+1 && s[j] == '$' {
				i++
				for i+1 < len(s) && isNameByte(s[i+1]) {
					i++
				}
				continue
			}
			name := s[i+1 : j]
			if name != "" && (!w.jsonata || name != "states" && (j == len(s) || s[j] != '(')) {
				w.names = append(w.names, name)
			}
			i = j - 1
		}
	}
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}
