// Package signin is the function that signs people in to the approval page. It
// alone of the page's functions reaches the Internet, where the organisation's
// issuer is, and of the data it may write sessions and nothing else.
package signin

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
)

// Pages answers a call of API Gateway.
type Pages func(ctx context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Handler is the function. It mutates: it opens and closes sessions.
type Handler struct{ pages Pages }

// New returns the function.
func New(p Pages) *Handler { return &Handler{p} }

// Handle answers one call. What an authorizer or a header may say of the caller
// does not count here.
func (h *Handler) Handle(ctx context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	in.RequestContext.Authorizer = nil
	return h.pages(ctx, in)
}
