// Package identity tells whom a proof of identity is of, once its signature has
// been checked: the claims of an OpenID Connect token, or the principal that AWS
// has found behind a signed request.
package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/approval"
)

// ErrToken says that a token is not one of this issuer for this deployment, or
// that its time is not now.
var ErrToken = errors.New("the token is not valid here")

// MaxSkew is how far the clocks of issuer and server may be apart where a time
// must not lie in the future. A token that has expired is refused at once.
const MaxSkew = time.Minute

// Expected is what the tokens of a deployment must say.
type Expected struct {
	Issuer   string // https://…, as the tokens name it
	ClientID string // what tokens must be for
	// NameClaim has a person's name. "": email, which must be verified. Any other
	// claim must be one that people cannot set themselves; it must be the name that
	// they ask for changes under, since nobody decides on a change of their own.
	NameClaim   string
	GroupsClaim string // has a list of groups; "": groups, or cognito:groups
}

// Claims are the claims of a token whose signature was checked.
type Claims map[string]any

// Parse reads the claims of a signed token, and checks no signature: that is
// for who hands the token on. The error wraps ErrToken.
func Parse(raw string) (Claims, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%w: it is malformed", ErrToken)
	}
	src, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c Claims
	if err != nil || json.Unmarshal(src, &c) != nil || c == nil {
		return nil, fmt.Errorf("%w: it is malformed", ErrToken)
	}
	return c, nil
}

// Person checks the claims and tells whom they are of. The error wraps ErrToken.
func (c Claims) Person(want Expected, now time.Time) (approval.Person, error) {
	exp, ok := c.time("exp")
	switch {
	case want.Issuer == "" || c.text("iss") != want.Issuer:
		return approval.Person{}, fmt.Errorf("%w: another issuer has made it", ErrToken)
	case want.ClientID == "" || !slices.Contains(c.list("aud"), want.ClientID):
		return approval.Person{}, fmt.Errorf("%w: it is for another client", ErrToken)
	case !ok || !now.Before(exp):
		return approval.Person{}, fmt.Errorf("%w: its time is over", ErrToken)
	}
	for _, name := range []string{"nbf", "iat"} {
		if at, ok := c.time(name); ok && at.After(now.Add(MaxSkew)) {
			return approval.Person{}, fmt.Errorf("%w: its time has not come", ErrToken)
		}
	}
	// Source: OpenID Connect Core 1.0, 3.1.3.7, steps 4 and 5.
	if azp := c.text("azp"); azp == "" && len(c.list("aud")) > 1 || azp != "" && azp != want.ClientID {
		return approval.Person{}, fmt.Errorf("%w: it is for another client as well", ErrToken)
	}
	claim := want.NameClaim
	if claim == "" {
		claim = "email"
		if v := c["email_verified"]; v != true && v != "true" { // some issuers write it as a text
			return approval.Person{}, fmt.Errorf("%w: its email is not verified", ErrToken)
		}
	}
	p := approval.Person{Name: strings.TrimSpace(c.text(claim))}
	if p.Name == "" {
		return approval.Person{}, fmt.Errorf("%w: it has no claim %s", ErrToken, claim)
	}
	if want.GroupsClaim != "" {
		p.Groups = c.list(want.GroupsClaim)
	} else if p.Groups = c.list("groups"); p.Groups == nil {
		p.Groups = c.list("cognito:groups")
	}
	return p, nil
}

func (c Claims) text(name string) string {
	s, _ := c[name].(string)
	return s
}

// list reads a list of texts, or one text.
func (c Claims) list(name string) []string {
	switch v := c[name].(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// time reads seconds since 1970. Source: RFC 7519, NumericDate.
func (c Claims) time(name string) (time.Time, bool) {
	seconds, ok := c[name].(float64)
	if !ok || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// ErrPrincipal says that a principal of AWS is none that decides.
var ErrPrincipal = errors.New("this principal of AWS cannot decide")

// ssoRole begins the names of the roles that IAM Identity Center makes of
// permission sets, and that AWS lets nobody else change. Source: IAM Identity
// Center User Guide, "IAM roles created by IAM Identity Center".
const ssoRole = "AWSReservedSSO_"

// OfPrincipal tells whom a principal of AWS is, by the ARN that AWS found
// behind a signed request: a user of IAM, or a session of IAM Identity Center.
// Who assumes any other role chooses the session's name, and could be two
// people. A session's group is its permission set, as "aws:NAME", so that no
// group of the identity provider is taken for it. The error wraps ErrPrincipal.
func OfPrincipal(arn string) (approval.Person, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return approval.Person{}, fmt.Errorf("%w: it has no ARN", ErrPrincipal)
	}
	kind, rest, _ := strings.Cut(parts[5], "/")
	switch service := parts[2]; {
	case service == "iam" && kind == "user" && rest != "":
		return approval.Person{Name: arn}, nil
	case service == "sts" && kind == "assumed-role" && strings.HasPrefix(rest, ssoRole):
		role, session, _ := strings.Cut(strings.TrimPrefix(rest, ssoRole), "/")
		set := role
		if i := strings.LastIndexByte(role, '_'); i > 0 { // sixteen digits follow, which differ by account
			set = role[:i]
		}
		if session == "" || set == "" {
			break
		}
		return approval.Person{Name: session, Groups: []string{"aws:" + set}}, nil
	case service == "sts" && kind == "assumed-role":
		return approval.Person{}, fmt.Errorf("%w: who assumes a role names the session as he likes. use IAM Identity Center, or sign in to the page", ErrPrincipal)
	}
	return approval.Person{}, fmt.Errorf("%w: it is neither a user nor a session of IAM Identity Center", ErrPrincipal)
}
