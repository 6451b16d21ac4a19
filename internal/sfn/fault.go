package sfn

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// fault is an error of the API: the name is AWS's, and clients branch on it.
type fault struct {
	name, message string
}

func (f *fault) Error() string { return f.name + ": " + f.message }

func faultf(name, format string, args ...any) *fault {
	return &fault{name, fmt.Sprintf(format, args...)}
}

func noMachine(arn string) *fault {
	return faultf("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
}

func noExecution(arn string) *fault {
	return faultf("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
}

func noActivity(arn string) *fault {
	return faultf("ActivityDoesNotExist", "Activity Does Not Exist: '%s'", arn)
}

func noResource(arn string) *fault {
	return faultf("ResourceNotFound", "Resource not found: '%s'", arn)
}

func invalidARN(arn string) *fault {
	return faultf("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: %s'", arn)
}

func wrongKind(kind string) *fault {
	return faultf("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", kind)
}

func invalidToken() *fault { return faultf("InvalidToken", "Invalid Token: 'Invalid token'") }

func wrongType() *fault {
	return faultf("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
}

// limits gathers what a request's members do not satisfy, in AWS's words.
type limits struct {
	problems []string
}

func (l *limits) add(value, member, format string, args ...any) {
	const shown = 200
	if len(value) > shown {
		value = strings.ToValidUTF8(value[:shown], "") + "…"
	}
	if value != "null" {
		value = "'" + value + "'"
	}
	l.problems = append(l.problems, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, member, fmt.Sprintf(format, args...)))
}

// required asks for a member; most is how many characters it may have.
func (l *limits) required(member, value string, most int) {
	if value == "" {
		l.add("null", member, "Member must not be null")
		return
	}
	l.atMost(member, value, most)
}

// atMost limits the characters of a member that may be absent.
func (l *limits) atMost(member, value string, most int) {
	if len(value) > most && utf8.RuneCountInString(value) > most {
		l.add(value, member, "Member must have length less than or equal to %d", most)
	}
}

// among limits a member that may be absent to some words.
func (l *limits) among(member, value string, words ...string) {
	for _, w := range words {
		if value == w {
			return
		}
	}
	if value != "" {
		l.add(value, member, "Member must satisfy enum value set: [%s]", strings.Join(words, ", "))
	}
}

// between limits a number.
func (l *limits) between(member string, n, low, high int) {
	switch {
	case n < low:
		l.add(fmt.Sprint(n), member, "Member must have value greater than or equal to %d", low)
	case n > high:
		l.add(fmt.Sprint(n), member, "Member must have value less than or equal to %d", high)
	}
}

// err is the ValidationException of all that was found, nil for nothing.
func (l *limits) err() error {
	if n := len(l.problems); n > 0 {
		s := ""
		if n > 1 {
			s = "s"
		}
		return faultf("ValidationException", "%d validation error%s detected: %s", n, s, strings.Join(l.problems, "; "))
	}
	return nil
}
