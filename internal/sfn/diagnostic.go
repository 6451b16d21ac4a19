package sfn

import (
	"context"
	"fmt"
	"strings"

	"plumbline/asl"
)

// invalidDefinition is the error that a definition is refused with: AWS's words
// for each problem, and then where it stands and what to do.
func invalidDefinition(ds []asl.Diagnostic) error {
	var all, hints []string
	for _, d := range ds {
		if d.Severity != asl.SeverityError {
			continue
		}
		text := d.Code + ": " + d.Message
		if d.Location != "" && d.Code != "INVALID_JSON_DESCRIPTION" {
			text += " at " + d.Location
		}
		all, hints = append(all, text), append(hints, place(d))
	}
	return faultf("InvalidDefinition", "Invalid State Machine Definition: '%s' (%s)", strings.Join(all, ", "), strings.Join(hints, "; "))
}

// place is where a problem stands in the text, and what to do about it.
func place(d asl.Diagnostic) string {
	text := fmt.Sprintf("line %d, column %d", d.Pos.Line, d.Pos.Column)
	if d.Hint != "" {
		text += ": " + d.Hint
	}
	return text
}

type validateInput struct {
	Definition, Type, Severity string
	MaxResults                 int
}

func (s *Server) validateStateMachineDefinition(_ context.Context, in *validateInput) ([]byte, error) {
	const most = 100 // diagnostics. Source: ValidateStateMachineDefinition in the API reference
	var l limits
	l.required("definition", in.Definition, maxDefinition)
	l.among("type", in.Type, asl.Standard, asl.Express)
	l.among("severity", in.Severity, asl.SeverityError, asl.SeverityWarning)
	l.between("maxResults", in.MaxResults, 0, most)
	if err := l.err(); err != nil {
		return nil, err
	}
	ds := asl.Check([]byte(in.Definition), in.Type)
	size := in.MaxResults
	if size == 0 {
		size = most
	}
	o, shown, truncated := newObject(), 0, false
	o.text("result", map[bool]string{true: "FAIL", false: "OK"}[asl.HasErrors(ds)])
	o.key("diagnostics")
	o.b = append(o.b, '[')
	for _, d := range ds {
		if in.Severity != asl.SeverityWarning && d.Severity == asl.SeverityWarning {
			continue // warnings are told to who asks for them
		}
		if shown == size {
			truncated = true
			break
		}
		if shown++; shown > 1 {
			o.b = append(o.b, ',')
		}
		one := open(o.b)
		one.text("severity", d.Severity)
		one.text("code", d.Code)
		one.text("message", d.Message+" ("+place(d)+")")
		one.optional("location", d.Location)
		o.b = one.close()
	}
	o.b = append(o.b, ']')
	o.bool("truncated", truncated)
	return o.close(), nil
}
