// Package configrules answers the custom rules of AWS Config.
package configrules

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Client is what Evaluations calls of AWS Config; *configservice.Client is one.
type Client interface {
	PutEvaluations(ctx context.Context, in *configservice.PutEvaluationsInput, opts ...func(*configservice.Options)) (*configservice.PutEvaluationsOutput, error)
}

// Evaluations are the answers to the rules. Safe for concurrent use.
type Evaluations struct{ client Client }

// New returns them.
func New(c Client) *Evaluations { return &Evaluations{c} }

// Put gives answers, at most 100. Those that Config does not take are an error;
// the others are given. scan.ErrThrottled asks to slow down.
func (e *Evaluations) Put(ctx context.Context, token string, list []scan.Evaluation) error {
	in := &configservice.PutEvaluationsInput{ResultToken: &token}
	for i := range list {
		a := &list[i]
		x := types.Evaluation{ComplianceResourceType: &a.Type, ComplianceResourceId: &a.ID, ComplianceType: types.ComplianceType(a.Compliance), OrderingTimestamp: &a.At}
		if a.Annotation != "" {
			x.Annotation = &a.Annotation
		}
		in.Evaluations = append(in.Evaluations, x)
	}
	out, err := e.client.PutEvaluations(ctx, in)
	if err != nil {
		return fmt.Errorf("put %d evaluations: %w", len(list), throttle.Wrap(err, scan.ErrThrottled))
	}
	if n := len(out.FailedEvaluations); n > 0 {
		return fmt.Errorf("put %d evaluations: AWS Config did not take %d of them", len(list), n)
	}
	return nil
}
