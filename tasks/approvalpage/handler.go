// Package approvalpage is the page on which people decide on changes as a
// function behind API Gateway: it tells who calls, by what the gateway has
// checked and once more by itself, and hands the call on to the page.
package approvalpage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"plumbline/approval"
	"plumbline/approval/identity"
)

// Prefixes of the routes that programs call. The gateway's authorizer of each
// checks the signature; all other routes are a browser's, which has a session.
const (
	TokenPrefix = "/api" // a token of the organisation's issuer, which the gateway verifies
	AWSPrefix   = "/aws" // a request signed with credentials of AWS, which IAM verifies
)

// Pages answers a call; who is whom the gateway vouches for, nil for a browser.
type Pages func(ctx context.Context, in events.APIGatewayV2HTTPRequest, who *approval.Person) (events.APIGatewayV2HTTPResponse, error)

// Handler is the function. It mutates where the page does.
type Handler struct {
	pages Pages
	want  identity.Expected
	now   func() time.Time
}

// New returns the function.
func New(p Pages, want identity.Expected, now func() time.Time) *Handler {
	return &Handler{pages: p, want: want, now: now}
}

// Handle answers one call. Whom it cannot tell it answers itself, so that no
// page is reached by a route whose authorizer is missing.
func (h *Handler) Handle(ctx context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	for _, route := range []struct {
		prefix string
		caller func(*events.APIGatewayV2HTTPRequest) (approval.Person, error)
	}{{TokenPrefix, h.byToken}, {AWSPrefix, byAWS}} {
		rest, ok := strings.CutPrefix(in.RawPath, route.prefix+"/")
		if !ok {
			continue
		}
		who, err := route.caller(&in)
		if err != nil {
			return refuse(err), nil
		}
		in.RawPath = "/" + rest
		headers := map[string]string{}
		for name, value := range in.Headers {
			headers[textproto.CanonicalMIMEHeaderKey(name)] = value
		}
		headers["Accept"] = "application/json"
		delete(headers, "Authorization") // nothing behind here needs it
		in.Headers, in.Cookies = headers, nil
		return h.pages(ctx, in, &who)
	}
	return h.pages(ctx, in, nil)
}

var (
	errUnsigned = errors.New("the call is not signed")
	errStatus   = map[error]int{errUnsigned: 401, identity.ErrToken: 401, identity.ErrPrincipal: 403}
)

func refuse(err error) events.APIGatewayV2HTTPResponse {
	status := 401
	for kind, s := range errStatus {
		if errors.Is(err, kind) {
			status = s
		}
	}
	body, _ := json.Marshal(map[string]string{"error": err.Error() + ". nothing was decided"}) // a text
	return events.APIGatewayV2HTTPResponse{StatusCode: status, Headers: map[string]string{"content-type": "application/json", "cache-control": "no-store"}, Body: string(body)}
}

// byToken tells whom the token is of whose signature the gateway has checked.
// The gateway hands claims on as texts, in which lists cannot be told from texts
// with spaces, so they are read from the token itself: it must be the one that
// the gateway has read.
func (h *Handler) byToken(in *events.APIGatewayV2HTTPRequest) (approval.Person, error) {
	a := in.RequestContext.Authorizer
	if a == nil || a.JWT == nil || len(a.JWT.Claims) == 0 {
		return approval.Person{}, errUnsigned
	}
	raw := ""
	for name, value := range in.Headers {
		if strings.EqualFold(name, "Authorization") {
			raw = value
		}
	}
	if scheme, rest, ok := strings.Cut(raw, " "); ok && strings.EqualFold(scheme, "Bearer") {
		raw = rest
	}
	claims, err := identity.Parse(strings.TrimSpace(raw))
	if err != nil {
		return approval.Person{}, err
	}
	for _, name := range []string{"iss", "sub", "exp", "iat", "jti", "email"} {
		if seen, ok := a.JWT.Claims[name]; ok && !same(claims[name], seen) {
			return approval.Person{}, fmt.Errorf("%w: it is not the one that the gateway has checked", identity.ErrToken)
		}
	}
	return claims.Person(h.want, h.now())
}

// same reports whether a claim is what the gateway writes of it.
func same(claim any, text string) bool {
	switch v := claim.(type) {
	case string:
		return v == text
	case float64: // seconds; the gateway may write them as 1.7e+09
		var seen float64
		return json.Unmarshal([]byte(text), &seen) == nil && seen == v
	}
	return false
}

// byAWS tells which principal of AWS IAM has found behind the signature.
func byAWS(in *events.APIGatewayV2HTTPRequest) (approval.Person, error) {
	a := in.RequestContext.Authorizer
	if a == nil || a.IAM == nil || a.IAM.UserARN == "" {
		return approval.Person{}, errUnsigned
	}
	return identity.OfPrincipal(a.IAM.UserARN)
}
