package cloudcontrol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"

	"plumbline/remedy/live"
)

// ListClient is what a Reader calls of Cloud Control; *cloudcontrol.Client is one.
type ListClient interface {
	Client
	ListResources(ctx context.Context, in *cloudcontrol.ListResourcesInput, opts ...func(*cloudcontrol.Options)) (*cloudcontrol.ListResourcesOutput, error)
}

// Reader reads many resources, at most so many a second. Safe for concurrent use.
type Reader struct {
	client    ListClient
	resources *Resources
	pace      *pace
}

// NewReader returns a reader that makes at most perSecond calls a second; 0 is
// DefaultRate.
func NewReader(c ListClient, perSecond int) *Reader {
	if perSecond <= 0 {
		perSecond = DefaultRate
	}
	return &Reader{client: c, resources: New(c), pace: newPace(perSecond)}
}

// DefaultRate is a little less than the 25 calls a second that an account has
// in a region, so that others of the account are not starved.
const DefaultRate = 20

// Get gives the properties of a resource as JSON. The error is that of live.Resources.
func (r *Reader) Get(ctx context.Context, typ, identifier string) (model []byte, err error) {
	err = r.call(ctx, func() error {
		model, err = r.resources.Get(ctx, typ, identifier)
		return err
	})
	return model, err
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
			if page, err = r.client.ListResources(ctx, in); err != nil {
				return named(err)
			}
			return nil
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

// attempts is how often a call is made that is asked to slow down, each time at
// a slower pace; what the client tries by itself comes on top.
const attempts = 6

// call makes a call when its turn has come, and again while the service asks
// to slow down.
func (r *Reader) call(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		if err := r.pace.wait(ctx); err != nil {
			return err
		}
		err := do()
		if !errors.Is(err, live.ErrThrottled) {
			if err == nil {
				r.pace.good()
			}
			return err
		}
		if attempt == attempts {
			return err
		}
		r.pace.slow()
	}
}
