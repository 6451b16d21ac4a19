// Package throttle tells whether an error of an AWS service means that it is
// asked too often, so that each adapter says so in its interface's own words.
package throttle

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Is reports whether err comes of being asked too often. The codes are those
// by which the SDK itself paces its attempts, which have been made by now, and
// SNS's, which the SDK's list lacks.
func Is(err error) bool {
	if retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary {
		return true
	}
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "Throttled"
}

// Wrap adds a sentinel to an error that Is reports; another one, and nil, it
// returns as it is.
func Wrap(err, sentinel error) error {
	if err == nil || !Is(err) {
		return err
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}
