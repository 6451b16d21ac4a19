package signin_test

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"plumbline/tasks/signin"
)

// TestHandle: whoever an authorizer found is nobody to who signs people in.
func TestHandle(t *testing.T) {
	h := signin.New(func(_ context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if in.RequestContext.Authorizer != nil || in.RawPath != "/sign-in" {
			t.Errorf("handed on: %+v", in)
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: 303}, nil
	})
	in := events.APIGatewayV2HTTPRequest{RawPath: "/sign-in"}
	in.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{}
	if out, err := h.Handle(t.Context(), in); out.StatusCode != 303 || err != nil {
		t.Errorf("%+v, %v", out, err)
	}
}
