// Package signin signs people in to the approval page by the organisation's
// OpenID Connect issuer: authorization code with PKCE for browsers, and tokens
// that programs bring. It gives browsers a session of their own, so that no
// token of the issuer stays in a cookie or an address.
package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"plumbline/approval"
	"plumbline/approval/identity"
	"plumbline/internal/signin/session"
)

// Algs are the algorithms that an id token may be signed by: asymmetric ones
// alone, so that what is public cannot sign, and "none" does not.
var Algs = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// Issuer is an OpenID Connect issuer as this deployment uses it.
type Issuer struct {
	identity.Expected
	Client *http.Client     // nil: one with a time-out
	Now    func() time.Time // nil: time.Now

	mu       sync.Mutex
	provider *oidc.Provider
}

func (i *Issuer) now() time.Time {
	if i.Now != nil {
		return i.Now()
	}
	return time.Now()
}

// discover reads the issuer's configuration once; what failed is tried again at
// the next call.
func (i *Issuer) discover() (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.provider != nil {
		return i.provider, nil
	}
	// The provider reads keys later with this context, beyond any request's.
	p, err := oidc.NewProvider(i.context(context.Background()), i.Issuer)
	if err != nil {
		return nil, fmt.Errorf("read the configuration of issuer %s: %w", i.Issuer, err)
	}
	i.provider = p
	return p, nil
}

// timeOut is how long the issuer may take to answer.
const timeOut = 10 * time.Second

func (i *Issuer) context(ctx context.Context) context.Context {
	c := i.Client
	if c == nil {
		c = &http.Client{Timeout: timeOut}
	}
	return oidc.ClientContext(ctx, c)
}

// Verify tells whom an id token is of: one that the issuer has signed for this
// client and whose time is now. nonce is what was asked with; "": the token was
// not asked for here. The error wraps identity.ErrToken where the token is at fault, and
// never has the token.
func (i *Issuer) Verify(ctx context.Context, raw, nonce string) (approval.Person, error) {
	if _, err := identity.Parse(raw); err != nil { // the compact form alone: go-oidc takes the others as well
		return approval.Person{}, err
	}
	p, err := i.discover()
	if err != nil {
		return approval.Person{}, err
	}
	t, err := p.Verifier(&oidc.Config{ClientID: i.ClientID, SupportedSigningAlgs: Algs, Now: i.now}).Verify(i.context(ctx), raw)
	if err != nil {
		if strings.Contains(err.Error(), "fetching keys") { // the issuer does not answer, which is no fault of the token's
			return approval.Person{}, fmt.Errorf("read the keys of issuer %s: %w", i.Issuer, err)
		}
		return approval.Person{}, fmt.Errorf("%w: %s", identity.ErrToken, reason(err))
	}
	if nonce != "" && subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(nonce)) != 1 {
		return approval.Person{}, fmt.Errorf("%w: it answers another request", identity.ErrToken)
	}
	var claims identity.Claims
	if err := t.Claims(&claims); err != nil {
		return approval.Person{}, fmt.Errorf("%w: its claims cannot be read", identity.ErrToken)
	}
	return claims.Person(i.Expected, i.now())
}

// ByToken tells who sends a request by the id token that it brings as
// Authorization: Bearer. A request without one is session.ErrNone, and so is one
// whose token is not taken: the reason is for the log.
func ByToken(i *Issuer, vouched string, log *slog.Logger) func(*http.Request) (session.Visitor, error) {
	return func(r *http.Request) (session.Visitor, error) {
		scheme, raw, ok := strings.Cut(r.Header.Get("Authorization"), " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return session.Visitor{}, session.ErrNone
		}
		who, err := i.Verify(r.Context(), strings.TrimSpace(raw), "")
		if errors.Is(err, identity.ErrToken) {
			log.WarnContext(r.Context(), "a token was not taken", "error", err)
			return session.Visitor{}, session.ErrNone
		}
		return session.Visitor{Person: who, Explicit: true, Vouched: vouched}, err
	}
}

// reason is what go-oidc says of a token, without anything of the token's.
func reason(err error) string {
	var expired *oidc.TokenExpiredError
	text := err.Error()
	switch {
	case errors.As(err, &expired):
		return "its time is over"
	case strings.Contains(text, "issued by a different provider"):
		return "another issuer has made it"
	case strings.Contains(text, "expected audience"):
		return "it is for another client"
	case strings.Contains(text, "unexpected signature algorithm"), strings.Contains(text, "unsupported algorithm"):
		return "it is not signed by an algorithm that is allowed"
	case strings.Contains(text, "before the nbf"):
		return "its time has not come"
	}
	return "it is malformed, or its signature is not the issuer's"
}
