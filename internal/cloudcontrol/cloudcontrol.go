// Package cloudcontrol reads live resources of one account and region by AWS
// Cloud Control: what a live scan judges, and what remediation changes.
package cloudcontrol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/smithy-go"

	"plumbline/internal/throttle"
	"plumbline/remedy/live"
)

// Client is what Resources calls of Cloud Control; *cloudcontrol.Client is one.
type Client interface {
	GetResource(ctx context.Context, in *cloudcontrol.GetResourceInput, opts ...func(*cloudcontrol.Options)) (*cloudcontrol.GetResourceOutput, error)
	ListResources(ctx context.Context, in *cloudcontrol.ListResourcesInput, opts ...func(*cloudcontrol.Options)) (*cloudcontrol.ListResourcesOutput, error)
}

// Reader reads the resources of the account and region that its client asks,
// at most so many a second. Safe for concurrent use.
type Reader struct {
	client Client
	pace   *pace
}

// NewReader returns a reader that makes at most perSecond calls a second; 0 is
// DefaultRate.
func NewReader(c Client, perSecond int) *Reader {
	if perSecond <= 0 {
		perSecond = DefaultRate
	}
	return &Reader{client: c, pace: newPace(perSecond)}
}

// DefaultRate is a little less than the 25 calls a second that an account has
// in a region, so that others of the account are not starved.
const DefaultRate = 20

// Get gives the properties of a resource as JSON. The error is live.ErrGone,
// live.ErrThrottled or a *live.Refused, or the client's own where the service
// could not be reached.
func (r *Reader) Get(ctx context.Context, typ, identifier string) ([]byte, error) {
	var out *cloudcontrol.GetResourceOutput
	err := r.call(ctx, func() (err error) {
		out, err = r.client.GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &typ, Identifier: &identifier})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get %s %q: %w", typ, identifier, err)
	}
	if out.ResourceDescription == nil || out.ResourceDescription.Properties == nil {
		return nil, fmt.Errorf("get %s %q: the answer has no properties", typ, identifier)
	}
	return []byte(*out.ResourceDescription.Properties), nil
}

// List gives the identifiers of all resources of a type. within names the
// parent of a type that is listed below one only, by its property. What else the
// answer says of a resource is often a part of its model, so it is not used.
func (r *Reader) List(ctx context.Context, typ string, within map[string]string) ([]string, error) {
	in := &cloudcontrol.ListResourcesInput{TypeName: &typ}
	if within != nil {
		model, err := json.Marshal(within)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", typ, err)
		}
		in.ResourceModel = aws.String(string(model))
	}
	var ids []string
	for {
		var page *cloudcontrol.ListResourcesOutput
		err := r.call(ctx, func() (err error) {
			page, err = r.client.ListResources(ctx, in)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list %s after %d: %w", typ, len(ids), err)
		}
		for _, d := range page.ResourceDescriptions {
			ids = append(ids, aws.ToString(d.Identifier))
		}
		if aws.ToString(page.NextToken) == "" {
			return ids, nil
		}
		in.NextToken = page.NextToken
	}
}

// call makes a call when its turn has come. After the attempts that the client
// makes by itself it is made again, later and later, while the service asks to
// slow down; and then all calls are.
func (r *Reader) call(ctx context.Context, do func() error) error {
	for attempt := 0; ; attempt++ {
		if err := r.pace.wait(ctx); err != nil {
			return err
		}
		err := do()
		switch {
		case err == nil:
			r.pace.good()
			return nil
		case !throttle.Is(err):
			return fault(err)
		case attempt == attempts-1:
			return fmt.Errorf("%w: %w", live.ErrThrottled, err)
		}
		r.pace.slow()
	}
}

// attempts is how often a call is made that is asked to slow down; each waits
// for its turn at the slower pace.
const attempts = 6

// fault says an error in the words of package live.
func fault(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case "ResourceNotFoundException":
		return fmt.Errorf("%w: %s", live.ErrGone, api.ErrorMessage())
	case "ServiceInternalErrorException", "HandlerInternalFailureException", "NetworkFailureException":
		return err
	}
	return &live.Refused{Code: api.ErrorCode(), Message: api.ErrorMessage()}
}
