package gateway_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/internal/gateway"
)

func call(method, path string, change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	in := events.APIGatewayV2HTTPRequest{RawPath: path, Headers: map[string]string{}}
	in.RequestContext.HTTP.Method, in.RequestContext.HTTP.SourceIP, in.RequestContext.DomainName = method, "203.0.113.7", "approve.example"
	if change != nil {
		change(&in)
	}
	return in
}

// echo answers with what it got.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	who, found := gateway.Caller(r.Context())
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Add("Set-Cookie", "a=1")
	w.Header().Add("Set-Cookie", "b=2")
	w.WriteHeader(http.StatusTeapot)
	w.WriteHeader(http.StatusOK) // too late, as over a network
	c, _ := r.Cookie("session")
	fmt.Fprintf(w, "%s %s %s %s q=%s id=%s accept=%s %q %v %v %v %v", r.Method, r.Host, r.RemoteAddr, r.URL.Path, r.URL.Query().Get("q"), r.PathValue("id"), r.Header.Get("Accept"), body, err, who.Name, found, c)
}

func TestServe(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/approvals/{id}", echo)
	for _, row := range []struct {
		name   string
		method string
		path   string
		change func(*events.APIGatewayV2HTTPRequest)
		who    *approval.Person
		want   string
	}{
		{"plain", "GET", "/approvals/x", nil, nil, `GET approve.example 203.0.113.7 /approvals/x q= id=x accept= "" <nil>  false `},
		{"everything", "POST", "/approvals/a%2Fb", func(in *events.APIGatewayV2HTTPRequest) {
			in.RawQueryString, in.Body, in.IsBase64Encoded = "q=1%202", base64.StdEncoding.EncodeToString([]byte("\xff=1")), true
			in.Headers["accept"], in.Cookies = "text/html,application/json", []string{"x=y", "session=s"}
		}, &approval.Person{Name: "ann"}, `POST approve.example 203.0.113.7 /approvals/a/b q=1 2 id=a/b accept=text/html,application/json "\xff=1" <nil> ann true session=s`},
		{"who it is stands in no header", "GET", "/approvals/x", func(in *events.APIGatewayV2HTTPRequest) {
			in.Headers["caller"], in.Headers["cookie"], in.Headers["host"] = "ann", "session=forged", "evil.example"
		}, nil, `GET approve.example 203.0.113.7 /approvals/x q= id=x accept= "" <nil>  false `},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := gateway.Serve(t.Context(), mux, call(row.method, row.path, row.change), row.who)
			want := events.APIGatewayV2HTTPResponse{StatusCode: http.StatusTeapot, Headers: map[string]string{"content-type": "text/plain"}, Cookies: []string{"a=1", "b=2"}, Body: row.want}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it is handed on") })
	for name, in := range map[string]events.APIGatewayV2HTTPRequest{
		"nothing": {}, "a path that does not decode": call("GET", "/%zz", nil), "a path without a slash": call("GET", "approvals", nil), "a method that is none": call("G ET", "/", nil),
		"a body that does not decode": call("POST", "/", func(in *events.APIGatewayV2HTTPRequest) { in.Body, in.IsBase64Encoded = "%%%", true }),
	} {
		if got, err := gateway.Serve(t.Context(), h, in, nil); got.StatusCode != http.StatusBadRequest || err != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff}) })
	got, err := gateway.Serve(t.Context(), h, call("GET", "/", nil), nil)
	if !got.IsBase64Encoded || got.Body != "/w==" || got.StatusCode != http.StatusOK || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
