package signin_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/approval/identity"
	"plumbline/internal/signin"
)

const client = "plumbline"

// keys are made once: they are what costs time here.
var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var out [2]*rsa.PrivateKey
	for i := range out {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		out[i] = k
	}
	return out
})

// provider is an issuer of identities with one key. It gives the token for a
// code whose verifier is that of the challenge.
type provider struct {
	*httptest.Server
	clock     time.Time
	down      bool
	token     func(nonce string) string // what the token endpoint answers with
	nonce     string
	challenge string
	bodies    []url.Values
}

func newProvider(t *testing.T) *provider {
	p := &provider{clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	p.token = func(nonce string) string { return p.sign(p.claims(nonce)) }
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		send(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}, // what it supports is not what is taken
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		k := keys()[0].PublicKey
		send(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", "n": b64(k.N.Bytes()), "e": "AQAB"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p.bodies = append(p.bodies, r.PostForm)
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if r.PostFormValue("code") != "the-code" || b64(sum[:]) != p.challenge {
			w.WriteHeader(http.StatusBadRequest)
			send(w, map[string]any{"error": "invalid_grant"})
			return
		}
		send(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": p.token(p.nonce)})
	})
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) issuer() *signin.Issuer {
	return &signin.Issuer{Expected: identity.Expected{Issuer: p.URL, ClientID: client}, Client: p.Client(), Now: func() time.Time { return p.clock }}
}

func (p *provider) claims(nonce string) map[string]any {
	return map[string]any{
		"iss": p.URL, "aud": client, "sub": "42", "iat": p.clock.Unix(), "exp": p.clock.Add(5 * time.Minute).Unix(), "nonce": nonce,
		"email": "bob@example.com", "email_verified": true, "groups": []string{"security"},
	}
}

func send(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func b64(src []byte) string { return base64.RawURLEncoding.EncodeToString(src) }

func unsigned(header, claims map[string]any) string {
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	return b64(h) + "." + b64(c)
}

func (p *provider) sign(claims map[string]any) string {
	return signedBy(keys()[0], map[string]any{"alg": "RS256", "kid": "one", "typ": "JWT"}, claims)
}

func signedBy(k *rsa.PrivateKey, header, claims map[string]any) string {
	text := unsigned(header, claims)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + b64(sig)
}

func hmacSigned(key []byte, claims map[string]any) string {
	text := unsigned(map[string]any{"alg": "HS256", "kid": "one"}, claims)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return text + "." + b64(m.Sum(nil))
}

// TestForgedTokens: each is refused, with a reason that has nothing of the token.
func TestForgedTokens(t *testing.T) {
	p := newProvider(t)
	public := keys()[0].PublicKey
	pkix, err := x509.MarshalPKIXPublicKey(&public)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) map[string]any {
		c := p.claims("n")
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
		return c
	}
	right := p.sign(p.claims("n"))
	parts := strings.Split(right, ".")
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	es := func() string {
		text := unsigned(map[string]any{"alg": "ES256", "kid": "one", "jwk": map[string]any{"kty": "EC"}}, p.claims("n"))
		sum := sha256.Sum256([]byte(text))
		r, s, err := ecdsa.Sign(rand.Reader, elliptical, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	}
	for name, raw := range map[string]string{
		"algorithm none":                        unsigned(map[string]any{"alg": "none"}, p.claims("n")) + ".",
		"algorithm None":                        unsigned(map[string]any{"alg": "None"}, p.claims("n")) + ".",
		"none with the signature of another":    unsigned(map[string]any{"alg": "none"}, p.claims("n")) + "." + parts[2],
		"HS256 with the public key as PEM":      hmacSigned(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}), p.claims("n")),
		"HS256 with the public key as DER":      hmacSigned(pkix, p.claims("n")),
		"HS256 with the modulus":                hmacSigned(public.N.Bytes(), p.claims("n")),
		"HS256 with nothing":                    hmacSigned(nil, p.claims("n")),
		"signed by another key":                 signedBy(keys()[1], map[string]any{"alg": "RS256", "kid": "one"}, p.claims("n")),
		"signed by another key without a name":  signedBy(keys()[1], map[string]any{"alg": "RS256"}, p.claims("n")),
		"a key in its own header":               signedBy(keys()[1], map[string]any{"alg": "RS256", "kid": "two", "jwk": map[string]any{"kty": "RSA", "n": b64(keys()[1].N.Bytes()), "e": "AQAB"}}, p.claims("n")),
		"a key at its own address":              signedBy(keys()[1], map[string]any{"alg": "RS256", "kid": "two", "jku": "https://evil.example/keys"}, p.claims("n")),
		"an elliptic key for an RSA one":        es(),
		"other claims under a right signature":  parts[0] + "." + b64([]byte(`{"iss":"`+p.URL+`","aud":"plumbline","exp":9999999999,"email":"eve@example.com","email_verified":true}`)) + "." + parts[2],
		"without a signature":                   parts[0] + "." + parts[1] + ".",
		"half a signature":                      right[:len(right)-20],
		"expired":                               p.sign(with("exp", p.clock.Add(-time.Second).Unix())),
		"never expiring":                        p.sign(with("exp", nil)),
		"not yet valid":                         p.sign(with("nbf", p.clock.Add(2*time.Minute).Unix())),
		"not yet valid for long":                p.sign(with("nbf", p.clock.Add(time.Hour).Unix())),
		"for another client":                    p.sign(with("aud", "other")),
		"for no client":                         p.sign(with("aud", nil)),
		"for several clients":                   p.sign(with("aud", []string{client, "other"})),
		"of another issuer":                     p.sign(with("iss", "https://evil.example")),
		"of the issuer with a slash":            p.sign(with("iss", p.URL+"/")),
		"answering another request":             p.sign(with("nonce", "m")),
		"answering no request":                  p.sign(with("nonce", nil)),
		"of an email that is not verified":      p.sign(with("email_verified", false)),
		"of nobody":                             p.sign(with("email", nil)),
		"nothing":                               "",
		"one dot":                               ".",
		"noise":                                 "not.a.token",
		"five parts, as an encrypted token has": right + ".x.y",
		"a token as JSON":                       `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			who, err := p.issuer().Verify(t.Context(), raw, "n")
			if !errors.Is(err, identity.ErrToken) || who.Name != "" {
				t.Fatalf("taken as %q: %v", who.Name, err)
			}
			for _, part := range strings.Split(raw, ".") {
				if len(part) > 12 && strings.Contains(err.Error(), part) {
					t.Errorf("the error has a part of the token: %v", err)
				}
			}
		})
	}
	who, err := p.issuer().Verify(t.Context(), right, "n")
	if diff := cmp.Diff(approval.Person{Name: "bob@example.com", Groups: []string{"security"}}, who); diff != "" || err != nil {
		t.Errorf("the right one: %v (-want +got)\n%s", err, diff)
	}
}

// TestAnIssuerThatIsAway is told apart from a token that is wrong, and asked
// again the next time.
func TestAnIssuerThatIsAway(t *testing.T) {
	p := newProvider(t)
	i := p.issuer()
	raw := p.sign(p.claims(""))
	for _, down := range []bool{true, false} {
		p.down = down
		if _, err := i.Verify(t.Context(), raw, ""); (err != nil) != down || errors.Is(err, identity.ErrToken) {
			t.Errorf("away %v: %v", down, err)
		}
	}
	j := p.issuer() // it has read the configuration, and not the keys
	if _, err := j.Verify(t.Context(), unsigned(map[string]any{"alg": "none"}, p.claims(""))+".", ""); !errors.Is(err, identity.ErrToken) {
		t.Error(err)
	}
	p.down = true
	if _, err := j.Verify(t.Context(), raw, ""); err == nil || errors.Is(err, identity.ErrToken) {
		t.Errorf("keys away: %v", err)
	}
	impostor := signin.Issuer{Expected: identity.Expected{Issuer: p.URL + "/other", ClientID: client}, Client: p.Client()}
	p.down = false
	if _, err := impostor.Verify(context.Background(), raw, ""); err == nil {
		t.Error("an issuer whose configuration names another is taken")
	}
}
