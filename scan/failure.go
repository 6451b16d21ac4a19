package scan

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumbline/finding"
)

// ErrThrottled is wrapped by what reads stacks, starts executions or sends
// messages when its service asks to slow down; trying again later may help.
var ErrThrottled = errors.New("service asks to slow down")

// FailureInput is what the workflow report-failure is started with, in either
// of two forms: what a workflow of ours says when it gives up, or EventBridge's
// "Step Functions Execution Status Change", which tells of an execution that
// could not say anything itself because it was timed out or aborted.
type FailureInput struct {
	Workflow string `json:"workflow,omitempty"`
	ScanID   string `json:"scanId,omitempty"`
	Target   Target `json:"target,omitzero"`
	Error    struct {
		Error string `json:"Error"`
		Cause string `json:"Cause"`
	} `json:"error,omitzero"`

	// Request is what a workflow that changes or checks a live resource was asked.
	Request *resourceRequest `json:"request,omitempty"`

	Detail *StatusChange `json:"detail,omitempty"`
}

// resourceRequest is as much of such a request as tells what it was about.
type resourceRequest struct {
	Resource finding.Resource `json:"resource"`
}

func (r *resourceRequest) target() Target {
	return Target{Stack: r.Resource.Stack, Account: r.Resource.Account, Region: r.Resource.Region}
}

// StatusChange is the detail of EventBridge's event, as far as it is read.
// Source: Step Functions Developer Guide, "Execution status change events".
type StatusChange struct {
	ExecutionArn    string `json:"executionArn"`
	StateMachineArn string `json:"stateMachineArn"`
	Status          string `json:"status"`
	Input           string `json:"input"` // JSON text; empty where EventBridge left it out for its size
	Error           string `json:"error"`
	Cause           string `json:"cause"`
}

// Failure reads either form. now is the time that the failure carries.
func (in FailureInput) Failure(now time.Time) (Failure, error) {
	f := Failure{ScanID: in.ScanID, Workflow: in.Workflow, Target: in.Target, Error: in.Error.Error, Cause: Cause(in.Error.Cause), Time: now.UTC()}
	if in.Request != nil {
		f.Target = in.Request.target()
	}
	if d := in.Detail; d != nil {
		f.Workflow = d.StateMachineArn[strings.LastIndexByte(d.StateMachineArn, ':')+1:]
		f.Error, f.Cause = d.Error, Cause(d.Cause)
		if f.Error == "" { // AWS gives none for an aborted execution
			f.Error = d.Status
		}
		var started struct {
			ScanID string `json:"scanId"`
			Target Target `json:"target"`
			Change string `json:"change"`
			resourceRequest
		}
		if d.Input != "" {
			if err := json.Unmarshal([]byte(d.Input), &started); err != nil {
				return Failure{}, fmt.Errorf("decode the input of execution %q: %w", d.ExecutionArn, err)
			}
		}
		f.ScanID, f.Target = started.ScanID, started.Target
		if started.Change != "" {
			f.ScanID, f.Target = started.Change, started.target()
		}
		if f.ScanID == "" {
			f.ScanID = d.ExecutionArn[strings.LastIndexByte(d.ExecutionArn, ':')+1:]
		}
	}
	switch {
	case f.Error == "":
		return Failure{}, fmt.Errorf("a failure without an error name. give error.Error, or detail of an execution status change")
	case f.ScanID == "":
		return Failure{}, fmt.Errorf("a failure without scanId")
	}
	return f, nil
}

// Cause is the message in the cause that a Catch keeps: Lambda wraps it in JSON
// with the type and the stack; any other text is returned as it is.
func Cause(text string) string {
	if !strings.HasPrefix(text, "{") {
		return text
	}
	var wrapped struct {
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal([]byte(text), &wrapped); err != nil || wrapped.Message == "" {
		return text
	}
	return wrapped.Message
}
