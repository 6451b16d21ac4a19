//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"plumbline/internal/awsfake"
	"plumbline/internal/awsfake/mirror"
)

// proxy lies between the functions and the emulator, and answers some of their
// calls as AWS does where it is in trouble, which emulators never are.
type proxy struct {
	url    string
	server *http.Server
	target atomic.Pointer[url.URL]

	calls calls // of functions

	mu     sync.Mutex
	cloud  map[string]*awsfake.Account // by region: answers for the services that the emulator has not
	faults []*fault
}

// call is a call of a function to AWS.
type call struct {
	method, path string
	action       string // of services that name it in a header: DynamoDB_20120810.UpdateItem
	body         string
}

// fault answers the calls that it is about.
type fault struct {
	about  func(call) bool
	status int
	body   string
	times  int64        // how often; 0: always
	met    atomic.Int64 // how often it was met
}

func newProxy() (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{url: "http://" + l.Addr().String()}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(p.target.Load())
			r.Out.Host = r.In.Host // which is signed
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		// Functions that outlive their emulator by a moment call in vain.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.calls.record(r, body)
		if f := p.fault(r, body); f != nil {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(f.status)
			_, _ = io.WriteString(w, f.body)
		} else if a, err := p.instead(r, body); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		} else if a != nil {
			a.ServeHTTP(w, r)
		} else {
			forward.ServeHTTP(w, r)
		}
	})}
	go func() { _ = p.server.Serve(l) }()
	return p, nil
}

// to sets the emulator that calls go to. Cloud Control shows its resources.
func (p *proxy) to(target string) {
	u, err := url.Parse(target)
	if err != nil {
		panic(err) // made here of a port
	}
	p.target.Store(u)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cloud = map[string]*awsfake.Account{}
	for _, name := range regions {
		p.cloud[name] = &awsfake.Account{ID: account, Region: name, PageSize: 50, Source: mirror.New(regionConfig(target, name))}
	}
}

// in is what answers for Cloud Control and AWS Config in a region.
func (p *proxy) in(region string) *awsfake.Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cloud[region]
}

// instead is what answers a call that the emulator cannot; nil: it can.
func (p *proxy) instead(r *http.Request, body []byte) (*awsfake.Account, error) {
	signed := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	switch {
	case signed == nil:
		return nil, nil
	case signed[2] == "cloudcontrolapi" || signed[2] == "config":
		return p.in(signed[1]), nil
	case signed[2] == "cloudformation" && bytes.Contains(body, []byte("PhysicalResourceId=")):
		// The emulator finds no stack by one of its resources.
		a := &awsfake.Account{ID: account, Region: signed[1]}
		var err error
		a.Stacks, err = stacksOf(r.Context(), newRegion(p.target.Load().String(), signed[1]))
		return a, err
	}
	return nil, nil
}

// stacksOf are the stacks of a region with their resources.
func stacksOf(ctx context.Context, r *region) ([]*awsfake.Stack, error) {
	d, err := r.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	if err != nil {
		return nil, err
	}
	var all []*awsfake.Stack
	for _, s := range d.Stacks {
		one := &awsfake.Stack{Name: aws.ToString(s.StackName), ID: aws.ToString(s.StackId), Status: string(s.StackStatus)}
		l, err := r.cfn.ListStackResources(ctx, &cloudformation.ListStackResourcesInput{StackName: s.StackName})
		if err != nil {
			return nil, err
		}
		for _, x := range l.StackResourceSummaries {
			one.Resources = append(one.Resources, awsfake.StackResource{LogicalID: aws.ToString(x.LogicalResourceId), Type: aws.ToString(x.ResourceType), Physical: aws.ToString(x.PhysicalResourceId)})
		}
		all = append(all, one)
	}
	return all, nil
}

func (p *proxy) Close() { _ = p.server.Close() }

// fault returns what a call is answered with; nil: nothing in particular.
func (p *proxy) fault(r *http.Request, body []byte) *fault {
	p.mu.Lock()
	faults := p.faults
	p.mu.Unlock()
	c := call{method: r.Method, path: r.URL.Path, action: r.Header.Get("X-Amz-Target"), body: string(body)}
	for _, f := range faults {
		if !f.about(c) {
			continue
		}
		if n := f.met.Add(1); f.times == 0 || n <= f.times {
			return f
		}
	}
	return nil
}

// inject has calls fail until the test ends.
func (p *proxy) inject(t *testing.T, f *fault) *fault {
	t.Helper()
	p.mu.Lock()
	p.faults = append(p.faults[:len(p.faults):len(p.faults)], f)
	p.mu.Unlock()
	t.Cleanup(func() { p.remove(f) })
	return f
}

func (p *proxy) remove(f *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var left []*fault
	for _, other := range p.faults {
		if other != f {
			left = append(left, other)
		}
	}
	p.faults = left
}

// throttledTable is DynamoDB's answer to a call that is too much for a table.
func throttledTable(operation, item string, times int64) *fault {
	return &fault{
		about: func(c call) bool {
			return strings.HasSuffix(c.action, "."+operation) && strings.Contains(c.body, item)
		},
		status: http.StatusBadRequest, times: times,
		body: `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"The level of configured provisioned throughput for the table was exceeded"}`,
	}
}
