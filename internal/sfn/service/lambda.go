package service

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"plumbline/asl/engine"
	"plumbline/asl/value"
	"plumbline/internal/nearest"
)

// functionName is the name in what calls a function: a name, a partial or whole
// ARN, each maybe with a qualifier, or a placeholder ${NameArn}; "" for anything else.
func functionName(s string) string {
	if strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}") {
		return s[2 : len(s)-1]
	}
	if strings.HasPrefix(s, "arn:") {
		parts := strings.Split(s, ":")
		if len(parts) < 7 || parts[2] != "lambda" || parts[5] != "function" {
			return ""
		}
		return parts[6]
	}
	if _, rest, partial := strings.Cut(s, ":function:"); partial {
		s = rest
	}
	name, _, _ := strings.Cut(s, ":")
	return name
}

// local finds the function on this machine, by its name or that of a placeholder for its ARN.
func (s *Services) local(name string) (string, bool) {
	if s.functions == nil {
		return "", false
	}
	if s.functions.Has(name) {
		return name, true
	}
	if short, placeholder := strings.CutSuffix(name, "Arn"); placeholder && s.functions.Has(short) {
		return short, true
	}
	return "", false
}

// result is what a function has answered.
type result struct {
	payload any
	version string
	answer  *answer
}

// bareFunction is a Task whose Resource is the function.
func (s *Services) bareFunction(c *call) (json.RawMessage, error) {
	r, err := s.function(c, c.Resource, "", c.Input, http.Header{})
	if err != nil {
		return nil, err
	}
	return value.Encode(r.payload), nil
}

// invokeFunction is lambda:invoke.
func (s *Services) invokeFunction(c *call) (any, error) {
	name := c.input.String("FunctionName")
	if name == "" {
		return nil, runtime("The Parameters of '%s' have no FunctionName. add it.", c.Resource)
	}
	payload := []byte("{}")
	if v, ok := c.input.Get("Payload"); ok {
		payload = value.Encode(v)
	}
	header := http.Header{}
	if t := c.input.String("InvocationType"); t != "" {
		header.Set("X-Amz-Invocation-Type", t)
	}
	if t := c.input.String("ClientContext"); t != "" {
		header.Set("X-Amz-Client-Context", t)
	}
	r, err := s.function(c, name, c.input.String("Qualifier"), payload, header)
	if err != nil {
		return nil, err
	}
	o := value.Of("ExecutedVersion", r.version, "Payload", r.payload)
	return r.answer.withMetadata(o).With("StatusCode", int64(r.answer.status)), nil
}

// function calls a function on this machine or at the endpoint.
func (s *Services) function(c *call, name, qualifier string, payload []byte, header http.Header) (*result, error) {
	if local, ok := s.local(functionName(name)); ok {
		return s.localFunction(c, local, payload, header)
	}
	if s.functions != nil && s.env("LAMBDA_ENDPOINT")+s.env("AWS_ENDPOINT_URL_LAMBDA")+s.env("AWS_ENDPOINT_URL") == "" {
		if names := s.functions.Names(); len(names) > 0 {
			hint := "there are " + strings.Join(names, ", ")
			if near := nearest.Of(functionName(name), names); near != "" {
				hint = "did you mean " + near
			}
			return nil, &engine.Error{Name: "Lambda.ResourceNotFoundException", Cause: "Function not found: " + name + ". No --function has this name (" + hint + ") and LAMBDA_ENDPOINT is not set."}
		}
	}
	path := "/2015-03-31/functions/" + strings.ReplaceAll(url.PathEscape(name), ":", "%3A") + "/invocations"
	if qualifier != "" {
		path += "?Qualifier=" + url.QueryEscape(qualifier)
	}
	header.Set("Content-Type", "application/json")
	a, err := s.send(c, &lambdaBackend, path, header, payload)
	if err != nil {
		return nil, err
	}
	if a.status/100 != 2 {
		return nil, lambdaBackend.jsonFailure(a)
	}
	if a.header.Get("X-Amz-Function-Error") != "" {
		return nil, functionError(a.body)
	}
	version := a.header.Get("X-Amz-Executed-Version")
	if version == "" {
		version = "$LATEST"
	}
	return &result{payloadOf(a.body), version, a}, nil
}

func (s *Services) localFunction(c *call, name string, payload []byte, header http.Header) (*result, error) {
	a := &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}, "Date": {date(s.now())}, "X-Amzn-Requestid": {c.id}, "X-Amz-Executed-Version": {"$LATEST"}}}
	if header.Get("X-Amz-Invocation-Type") == "Event" { // nobody hears of its outcome
		background := context.WithoutCancel(c.ctx)
		go func() { _, _, _ = s.functions.Call(background, name, c.id, payload) }()
		a.status = http.StatusAccepted
		return &result{"", "$LATEST", a}, nil
	}
	out, failed, err := s.functions.Call(c.ctx, name, c.id, payload)
	switch {
	case err != nil && errors.Is(err, c.ctx.Err()):
		return nil, err
	case err != nil:
		return nil, &engine.Error{Name: "Lambda.ServiceException", Cause: err.Error()}
	case failed:
		return nil, functionError(out)
	}
	return &result{payloadOf(out), "$LATEST", a}, nil
}

// payloadOf is a function's answer: JSON, or as text what is none.
func payloadOf(b []byte) any {
	if len(b) == 0 {
		return ""
	}
	v, err := value.Decode(b)
	if err != nil {
		return string(b)
	}
	return v
}

// functionError is a function's own error, which fails the state by its type.
func functionError(payload []byte) error {
	v, err := value.Decode(payload)
	o, _ := v.(*value.Object)
	if name := o.String("errorType"); err == nil && name != "" {
		return &engine.Error{Name: name, Cause: string(payload)}
	}
	return &engine.Error{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not return an error type. Returned payload: " + string(payload)}
}
