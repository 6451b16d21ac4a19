package engine

import (
	"encoding/json"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
)

// performFail ends the machine, or the branch, with the state's error.
func (f *frame) performFail(effective any) bool {
	e, err := f.state.flow.failure(f, effective)
	if err != nil {
		return f.failed(err)
	}
	return f.failed(e)
}

// failSpec is a Fail state's error and cause.
type failSpec struct {
	name, cause         string
	nameExpr, causeExpr *jsonpath.Expr
}

func (c *compiler) failSpec(s *asl.State) failSpec {
	var f failSpec
	if s.Error != nil {
		_ = json.Unmarshal(s.Error, &f.name)
	}
	if s.Cause != nil {
		_ = json.Unmarshal(s.Cause, &f.cause)
	}
	expr := func(field, text string) *jsonpath.Expr {
		if text == "" {
			return nil
		}
		e, err := jsonpath.ParseExpr(text)
		if err != nil {
			c.problem(s.Pos, "%s of state %q: %v", field, s.Name, err)
			return nil
		}
		return e
	}
	f.nameExpr = expr("ErrorPath", s.ErrorPath)
	f.causeExpr = expr("CausePath", s.CausePath)
	return f
}

func (fl *jsonpathFlow) failure(f *frame, effective any) (*Error, error) {
	e := &Error{Name: fl.fails.name, Cause: fl.fails.cause}
	for _, part := range []struct {
		field string
		expr  *jsonpath.Expr
		to    *string
	}{{"ErrorPath", fl.fails.nameExpr, &e.Name}, {"CausePath", fl.fails.causeExpr, &e.Cause}} {
		if part.expr == nil {
			continue
		}
		v, err := part.expr.Eval(f.scope(effective))
		if err != nil {
			return nil, f.wrong(err)
		}
		s, ok := v.(string)
		if !ok {
			return nil, f.runtime("The %s parameter does not reference a string: %s == %s", part.field, part.expr, bare(v))
		}
		*part.to = s
	}
	return e, nil
}
