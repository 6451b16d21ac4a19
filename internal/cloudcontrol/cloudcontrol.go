// Package cloudcontrol reads and changes live resources of one account and
// region through AWS Cloud Control API.
package cloudcontrol

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"
	"github.com/aws/smithy-go"

	"plumbline/internal/throttle"
	"plumbline/remedy/live"
)

// Client is what Resources call of Cloud Control; *cloudcontrol.Client is one.
type Client interface {
	GetResource(ctx context.Context, in *cloudcontrol.GetResourceInput, opts ...func(*cloudcontrol.Options)) (*cloudcontrol.GetResourceOutput, error)
	UpdateResource(ctx context.Context, in *cloudcontrol.UpdateResourceInput, opts ...func(*cloudcontrol.Options)) (*cloudcontrol.UpdateResourceOutput, error)
	GetResourceRequestStatus(ctx context.Context, in *cloudcontrol.GetResourceRequestStatusInput, opts ...func(*cloudcontrol.Options)) (*cloudcontrol.GetResourceRequestStatusOutput, error)
	ListResourceRequests(ctx context.Context, in *cloudcontrol.ListResourceRequestsInput, opts ...func(*cloudcontrol.Options)) (*cloudcontrol.ListResourceRequestsOutput, error)
}

// Resources are the live resources that the client sees. Safe for concurrent use.
type Resources struct{ client Client }

// New returns them.
func New(c Client) *Resources { return &Resources{c} }

// Get is live.Resources'.
func (r *Resources) Get(ctx context.Context, typ, identifier string) ([]byte, error) {
	out, err := r.client.GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &typ, Identifier: &identifier})
	if err != nil {
		return nil, fmt.Errorf("get %s %q: %w", typ, identifier, named(err))
	}
	if out.ResourceDescription == nil {
		return nil, fmt.Errorf("get %s %q: the answer has no properties", typ, identifier)
	}
	return []byte(aws.ToString(out.ResourceDescription.Properties)), nil
}

// Update is live.Resources'. A client token is good for 36 hours; after that
// the patch's own tests keep it from being made a second time. Source: Cloud
// Control API Reference, UpdateResource, "ClientToken".
func (r *Resources) Update(ctx context.Context, typ, identifier string, patch []byte, token string) (live.Progress, error) {
	out, err := r.client.UpdateResource(ctx, &cloudcontrol.UpdateResourceInput{
		TypeName: &typ, Identifier: &identifier, PatchDocument: aws.String(string(patch)), ClientToken: &token,
	})
	if err != nil {
		return live.Progress{}, fmt.Errorf("update %s %q: %w", typ, identifier, named(err))
	}
	event := out.ProgressEvent
	if event == nil {
		return live.Progress{}, fmt.Errorf("update %s %q: the answer has no progress", typ, identifier)
	}
	if !ended(event.OperationStatus) && aws.ToString(event.RequestToken) != "" {
		// What is answered to a repeated request is how it stood; ask how it stands.
		now, err := r.client.GetResourceRequestStatus(ctx, &cloudcontrol.GetResourceRequestStatusInput{RequestToken: event.RequestToken})
		if err != nil {
			return live.Progress{}, fmt.Errorf("ask for request %s: %w", aws.ToString(event.RequestToken), named(err))
		}
		if now.ProgressEvent != nil {
			event = now.ProgressEvent
		}
	}
	p := live.Progress{Request: aws.ToString(event.RequestToken), State: live.Pending, Code: string(event.ErrorCode), Message: aws.ToString(event.StatusMessage)}
	switch event.OperationStatus {
	case types.OperationStatusSuccess:
		p.State = live.Succeeded
	case types.OperationStatusFailed, types.OperationStatusCancelComplete:
		p.State = live.Failed
	}
	return p, nil
}

func ended(s types.OperationStatus) bool {
	return s == types.OperationStatusSuccess || s == types.OperationStatusFailed || s == types.OperationStatusCancelComplete
}

// Busy is live.Resources'. Cloud Control lists the requests of the account and
// region that were made through it, not those made past it.
func (r *Resources) Busy(ctx context.Context, typ, identifier string) (bool, error) {
	in := &cloudcontrol.ListResourceRequestsInput{ResourceRequestStatusFilter: &types.ResourceRequestStatusFilter{
		OperationStatuses: []types.OperationStatus{types.OperationStatusPending, types.OperationStatusInProgress, types.OperationStatusCancelInProgress},
	}}
	for {
		page, err := r.client.ListResourceRequests(ctx, in)
		if err != nil {
			return false, fmt.Errorf("list requests: %w", named(err))
		}
		for _, e := range page.ResourceRequestStatusSummaries {
			if aws.ToString(e.TypeName) == typ && aws.ToString(e.Identifier) == identifier {
				return true, nil
			}
		}
		if aws.ToString(page.NextToken) == "" {
			return false, nil
		}
		in.NextToken = page.NextToken
	}
}

// refusals are the errors by which Cloud Control says that it will not make a
// request, however often it is asked. Source: Cloud Control API Reference,
// UpdateResource, "Errors"; AccessDeniedException is common to all APIs.
var refusals = map[string]string{
	"NotUpdatableException": "NotUpdatable", "UnsupportedActionException": "UnsupportedAction", "InvalidRequestException": "InvalidRequest",
	"TypeNotFoundException": "TypeNotFound", "PrivateTypeException": "PrivateType", "ClientTokenConflictException": "ClientTokenConflict",
	"InvalidCredentialsException": "InvalidCredentials", "AccessDeniedException": "AccessDenied", "AlreadyExistsException": "AlreadyExists",
	"ServiceLimitExceededException": "ServiceLimitExceeded",
}

// named gives an error of the service the meaning that live.Resources has for it.
func named(err error) error {
	var api smithy.APIError
	switch {
	case throttle.Is(err):
		return throttle.Wrap(err, live.ErrThrottled)
	case !errors.As(err, &api):
		return err
	}
	switch code := api.ErrorCode(); code {
	case "ResourceNotFoundException":
		return fmt.Errorf("%w: %w", live.ErrGone, err)
	case "ConcurrentOperationException", "ConcurrentModificationException", "ResourceConflictException":
		return fmt.Errorf("%w: %w", live.ErrBusy, err)
	default:
		if word := refusals[code]; word != "" {
			return &live.Refused{Code: word, Message: api.ErrorMessage()}
		}
	}
	return err
}
