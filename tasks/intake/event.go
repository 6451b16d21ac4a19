package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
)

// stack is a stack to scan, with the id that outlives its name.
type stack struct {
	scan.Target
	id      string // ARN, or the name where no ARN is known
	logical string // id of the resource in it that the event is about; "": it is about the stack
}

// read says what an event is about: a stack; nil for the whole estate; or a
// reason why nothing is to be done.
func (h *Handler) read(ctx context.Context, in In) (target *stack, reason string, err error) {
	switch {
	case in.Source == "aws.cloudformation" && in.DetailType == "CloudFormation Stack Status Change":
		return readStackEvent(in)
	case in.Source == "aws.config" && in.DetailType == "Config Rules Compliance Change":
		return h.readConfigEvent(ctx, in)
	case in.DetailType == "Scheduled Event" && (in.Source == "aws.events" || in.Source == "aws.scheduler"):
		return nil, "", nil
	}
	return nil, "", bad("event %q of source %q and type %q. allowed are CloudFormation Stack Status Change, Config Rules Compliance Change and Scheduled Event", in.ID, in.Source, in.DetailType)
}

// readStackEvent reads "CloudFormation Stack Status Change". Only a status that
// ends a change is scanned: also a deleted stack, whose findings are resolved,
// and a failed change, since nobody knows what it left behind.
func readStackEvent(in In) (*stack, string, error) {
	var d struct {
		StackID string `json:"stack-id"`
		Details struct {
			Status string `json:"status"`
		} `json:"status-details"`
	}
	if err := json.Unmarshal(in.Detail, &d); err != nil {
		return nil, "", bad("decode detail of event %q: %w", in.ID, err)
	}
	s, err := parseStackID(d.StackID)
	if err != nil {
		return nil, "", bad("event %q: %w", in.ID, err)
	}
	switch status := d.Details.Status; {
	case status == "":
		return nil, "", bad("event %q has no status", in.ID)
	case strings.HasSuffix(status, "_COMPLETE"), strings.HasSuffix(status, "_FAILED"):
		return s, "", nil
	default:
		return nil, fmt.Sprintf("stack %q is %s: its change has not ended", s.Stack, status), nil
	}
}

// readConfigEvent reads "Config Rules Compliance Change". The event only wakes
// a scan of the stack that owns the resource: what is compliant is decided by
// plumbline's own rules.
func (h *Handler) readConfigEvent(ctx context.Context, in In) (*stack, string, error) {
	var d struct {
		ResourceType string `json:"resourceType"`
		ResourceID   string `json:"resourceId"`
		Account      string `json:"awsAccountId"`
		Region       string `json:"awsRegion"`
		New          struct {
			Compliance string `json:"complianceType"`
		} `json:"newEvaluationResult"`
	}
	if err := json.Unmarshal(in.Detail, &d); err != nil {
		return nil, "", bad("decode detail of event %q: %w", in.ID, err)
	}
	if d.ResourceType == "" || d.ResourceID == "" {
		return nil, "", bad("event %q names no resource", in.ID)
	}
	if c := d.New.Compliance; c != "COMPLIANT" && c != "NON_COMPLIANT" {
		return nil, fmt.Sprintf("compliance of %s %q is now %q", d.ResourceType, d.ResourceID, c), nil
	}
	if d.ResourceType == "AWS::CloudFormation::Stack" {
		s, err := parseStackID(d.ResourceID)
		if err != nil {
			return nil, "", bad("event %q: %w", in.ID, err)
		}
		return s, "", nil
	}
	if h.owners == nil {
		return nil, fmt.Sprintf("the owner of %s %q is not looked up", d.ResourceType, d.ResourceID), nil
	}
	owner, owned, err := h.owners.OwnerOf(ctx, d.ResourceType, d.ResourceID)
	if err != nil {
		return nil, "", fmt.Errorf("find the stack of %s %q: %w", d.ResourceType, d.ResourceID, tasks.StoreError(err))
	}
	if !owned {
		return nil, fmt.Sprintf("%s %q belongs to no stack", d.ResourceType, d.ResourceID), nil
	}
	account, region := d.Account, d.Region
	if account == "" {
		account = in.Account
	}
	if region == "" {
		region = in.Region
	}
	return &stack{scan.Target{Stack: owner.Stack, Account: account, Region: region}, cmp.Or(owner.StackID, owner.Stack), owner.LogicalID}, "", nil
}

// check is the check of the resource that AWS Config says has left the rules;
// false for any other event, and where nothing checks resources by themselves.
// What AWS Config calls the resource is Cloud Control's identifier for most
// types; for others the check finds nothing there, and the scan remains.
func (h *Handler) check(in In, of *stack) (request, bool) {
	var d struct {
		ResourceType string `json:"resourceType"`
		ResourceID   string `json:"resourceId"`
		Account      string `json:"awsAccountId"`
		Region       string `json:"awsRegion"`
		New          struct {
			Compliance string `json:"complianceType"`
		} `json:"newEvaluationResult"`
	}
	if h.config.Check == "" || in.Source != "aws.config" || json.Unmarshal(in.Detail, &d) != nil ||
		d.New.Compliance != "NON_COMPLIANT" || d.ResourceType == "AWS::CloudFormation::Stack" || d.ResourceID == "" {
		return request{}, false
	}
	r := finding.Resource{Account: cmp.Or(d.Account, in.Account), Region: cmp.Or(d.Region, in.Region), Type: d.ResourceType, LogicalID: "Resource"}
	if of != nil { // the violation is that of the stack's scan, and its template has to follow
		r.Stack, r.LogicalID = of.Stack, of.logical
	}
	return request{h.config.Check, "check-" + d.ResourceID, d.ResourceType, checkInput{in.ID, r, d.ResourceID}}, true
}

// checkInput is the input of check-resource.
type checkInput struct {
	CheckID    string           `json:"checkId"`
	Resource   finding.Resource `json:"resource"`
	Identifier string           `json:"identifier"`
}

// parseStackID reads arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID.
func parseStackID(arn string) (*stack, error) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) == 6 && p[0] == "arn" && p[2] == "cloudformation" {
		if r := strings.Split(p[5], "/"); len(r) == 3 && r[0] == "stack" && r[1] != "" {
			return &stack{Target: scan.Target{Stack: r[1], Account: p[4], Region: p[3]}, id: arn}, nil
		}
	}
	return nil, fmt.Errorf("stack id %q is not arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID", arn)
}
