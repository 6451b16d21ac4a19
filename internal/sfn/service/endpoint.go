package service

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumbline/asl/engine"
)

// backend is a service to be called, and what its errors are called.
type backend struct {
	local   string // Step Functions Local's variable; "" where it has none
	sdk     string // what follows AWS_ENDPOINT_URL_ in the SDKs' variable
	signing string // the service's name in signatures
	prefix  string // of error names: SQS
	general string // the error that stands for those without a class: AmazonSQSException
	named   string // the service as causes name it: AmazonSQS
	short   bool   // causes have the short form of the AWS SDK integrations
}

// variables are the names that may hold the endpoint, first come first.
func (b *backend) variables() []string {
	var list []string
	if b.local != "" {
		list = append(list, b.local)
	}
	return append(list, "AWS_ENDPOINT_URL_"+b.sdk, "AWS_ENDPOINT_URL")
}

// endpoint is where the service is, without a slash at the end.
func (s *Services) endpoint(b *backend, resource string) (string, error) {
	for _, name := range b.variables() {
		text := s.env(name)
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", runtime("%s is %q, which is no endpoint. set it to one such as http://127.0.0.1:4566.", name, text)
		}
		return strings.TrimSuffix(text, "/"), nil
	}
	if b.signing == statesBackend.signing && s.self != "" {
		return s.self, nil
	}
	return "", runtime("'%s' has no endpoint to go to. start plumbline sfn with %s set to one such as http://127.0.0.1:4566, or mock the state.", resource, strings.Join(b.variables(), " or "))
}

// answer is what a service has said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// maxAnswer is how much of an answer is read, in bytes: Lambda's most is 6 MB,
// and what is over 256 KiB the engine refuses.
const maxAnswer = 8 << 20

// send makes one request. The error is what the task fails with.
func (s *Services) send(c *call, b *backend, path string, header http.Header, body []byte) (*answer, error) {
	base, err := s.endpoint(b, c.Resource)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(c.ctx, http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, runtime("the request of %s: %v", c.Resource, err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	r.Header.Set("Amz-Sdk-Invocation-Id", c.id)
	r.Header.Set("User-Agent", "plumbline-sfn")
	s.sign(r, b.signing, body)
	res, err := s.client.Do(r)
	if err != nil {
		if c.ctx.Err() != nil { // the state has ended
			return nil, c.ctx.Err()
		}
		var in *url.Error
		if errors.As(err, &in) {
			err = in.Err
		}
		return nil, &engine.Error{Name: b.prefix + ".SdkClientException", Cause: "Unable to execute HTTP request: " + err.Error()}
	}
	a := &answer{status: res.StatusCode, header: res.Header}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if closed := res.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, &engine.Error{Name: b.prefix + ".SdkClientException", Cause: "Unable to read the response: " + err.Error()}
	}
	return a, nil
}

// sign signs a request with the environment's credentials, or with some of its
// own where there are none: emulators check none, but read region and service
// from the signature. Source: Signature Version 4, "Create a signed AWS API request".
func (s *Services) sign(r *http.Request, service string, body []byte) {
	key, secret := s.env("AWS_ACCESS_KEY_ID"), s.env("AWS_SECRET_ACCESS_KEY")
	if key == "" || secret == "" {
		key, secret = "plumbline", "plumbline"
	} else if token := s.env("AWS_SESSION_TOKEN"); token != "" {
		r.Header.Set("X-Amz-Security-Token", token)
	}
	now := s.now().UTC()
	r.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	names := []string{"host"}
	for name := range r.Header {
		if n := strings.ToLower(name); n != "user-agent" && n != "amz-sdk-invocation-id" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var headers strings.Builder
	for _, n := range names {
		v := r.URL.Host
		if n != "host" {
			v = strings.Join(r.Header.Values(n), ",")
		}
		fmt.Fprintf(&headers, "%s:%s\n", n, strings.TrimSpace(v))
	}
	path := strings.ReplaceAll(r.URL.EscapedPath(), "%", "%25") // it is escaped twice, except for S3
	if path == "" {
		path = "/"
	}
	signed := strings.Join(names, ";")
	canonical := strings.Join([]string{r.Method, path, strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"), headers.String(), signed, sum(body)}, "\n")
	day := now.Format("20060102")
	scope := day + "/" + s.region + "/" + service + "/aws4_request"
	text := strings.Join([]string{"AWS4-HMAC-SHA256", now.Format("20060102T150405Z"), scope, sum([]byte(canonical))}, "\n")
	k := []byte("AWS4" + secret)
	for _, part := range []string{day, s.region, service, "aws4_request", text} {
		h := hmac.New(sha256.New, k)
		h.Write([]byte(part))
		k = h.Sum(nil)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", key, scope, signed, hex.EncodeToString(k)))
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// date is a time as HTTP has it.
func date(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
