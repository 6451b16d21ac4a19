// Package gateway serves an http.Handler behind an HTTP API of API Gateway:
// what the API calls a function with becomes a request, and the answer what the
// API sends on.
package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"plumbline/approval"
)

type callerKey struct{}

// Caller is who an authorizer of the API has found behind a request, if any.
// It comes from the gateway and from no header.
func Caller(ctx context.Context) (approval.Person, bool) {
	p, ok := ctx.Value(callerKey{}).(approval.Person)
	return p, ok
}

// Serve hands a call of API Gateway, in its payload format 2.0, to a handler.
// who is whom an authorizer vouches for; nil: nobody has looked.
func Serve(ctx context.Context, h http.Handler, in events.APIGatewayV2HTTPRequest, who *approval.Person) (events.APIGatewayV2HTTPResponse, error) {
	if who != nil {
		ctx = context.WithValue(ctx, callerKey{}, *who)
	}
	r, err := request(ctx, in)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusBadRequest, Headers: map[string]string{"content-type": "text/plain; charset=utf-8"}, Body: "this is no request that can be read\n"}, nil
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(w, r)
	return w.response(), nil
}

func request(ctx context.Context, in events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(in.Body)
	if in.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(in.Body); err != nil {
			return nil, fmt.Errorf("decode the body: %w", err)
		}
	}
	path, err := url.PathUnescape(in.RawPath)
	if err != nil || !strings.HasPrefix(in.RawPath, "/") {
		return nil, fmt.Errorf("path %q is none", in.RawPath)
	}
	at := &url.URL{Path: path, RawPath: in.RawPath, RawQuery: in.RawQueryString}
	r, err := http.NewRequestWithContext(ctx, in.RequestContext.HTTP.Method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.URL, r.RequestURI = at, at.RequestURI()
	for name, value := range in.Headers { // the gateway joins several of a name by commas
		r.Header.Set(name, value)
	}
	r.Header.Del("Cookie")
	if len(in.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(in.Cookies, "; "))
	}
	r.Host, r.RemoteAddr = in.RequestContext.DomainName, in.RequestContext.HTTP.SourceIP
	return r, nil
}

// answer collects what a handler writes.
type answer struct {
	header http.Header
	status int
	sent   bool
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.sent {
		a.status, a.sent = status, true
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.sent = true
	return a.body.Write(b)
}

func (a *answer) response() events.APIGatewayV2HTTPResponse {
	out := events.APIGatewayV2HTTPResponse{StatusCode: a.status, Headers: map[string]string{}}
	for name, values := range a.header {
		if name == "Set-Cookie" {
			out.Cookies = values
			continue
		}
		out.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	delete(out.Headers, "content-length") // the gateway counts itself
	if utf8.Valid(a.body.Bytes()) {
		out.Body = a.body.String()
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(a.body.Bytes()), true
	}
	return out
}
