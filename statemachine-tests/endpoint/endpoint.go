// Package endpoint drives a server that has the Step Functions API, by the AWS
// SDK, as an endpoint of asltest: plumbline sfn, an emulator, Step Functions
// Local. The server answers tasks from the mock file that asltest.MockConfig
// makes of the same scenarios.
package endpoint

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"plumbline/asl"
	"plumbline/asl/asltest"
)

// Config says what the server is.
type Config struct {
	Name string // how expected-failures.yaml calls it
	URL  string // such as http://127.0.0.1:8083

	// Substitutions are the values that definitions get for ${NAME}. Histories
	// are read with the placeholders put back.
	Substitutions map[string]string

	// Rewrites are what the server's parser does not take, and what it is told
	// instead, in pairs: text of the definition, other text of like meaning.
	Rewrites []string

	// Jumps: the server's time jumps and it reads the extended mock file, so
	// that tasks which never answer run into their time-outs.
	Jumps bool
	// PutObjects: objects that an ItemReader finds are put by S3's API at the
	// URL; otherwise the mock file has brought them.
	PutObjects bool
}

// Endpoint is a server. It is safe for concurrent use.
type Endpoint struct {
	config Config
	client *sfn.Client
	forth  *strings.Replacer // placeholders to values
	back   *strings.Replacer
	other  *strings.Replacer // of Rewrites
	run    string            // tells this run's executions from those of others

	mu       sync.Mutex
	machines map[string]string // by name: the ARN
	follow   map[string]bool   // by ARN, also of executions: whether a Distributed Map has children with histories
	objects  map[string]bool   // that were put
}

// New returns the endpoint of a server, which need not answer yet.
func New(c Config) *Endpoint {
	var forth, back []string
	for _, name := range slices.Sorted(maps.Keys(c.Substitutions)) {
		forth = append(forth, "${"+name+"}", c.Substitutions[name])
	}
	// A value may begin another: the longest goes first.
	byLength := slices.SortedFunc(maps.Keys(c.Substitutions), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(c.Substitutions[b]), len(c.Substitutions[a])), cmp.Compare(a, b))
	})
	for _, name := range byLength {
		back = append(back, c.Substitutions[name], "${"+name+"}")
	}
	return &Endpoint{
		config: c, forth: strings.NewReplacer(forth...), back: strings.NewReplacer(back...), other: strings.NewReplacer(c.Rewrites...),
		run: strconv.FormatInt(time.Now().UnixMilli(), 36), machines: map[string]string{}, follow: map[string]bool{}, objects: map[string]bool{},
		client: sfn.New(sfn.Options{
			HTTPClient: plainBodies{}, BaseEndpoint: &c.URL, Region: "us-east-1", RetryMaxAttempts: 1,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
			}),
		}),
	}
}

// plainBodies sends requests whose bodies can only be read. The SDK's body
// answers io.EOF to WriteTo once it is closed, which io.Copy takes for a
// failure: a server that answers within microseconds then loses its connection
// in the middle of the answer.
type plainBodies struct{}

func (plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return http.DefaultClient.Do(r)
}

// Name is how expected-failures.yaml calls the server.
func (e *Endpoint) Name() string { return e.config.Name }

// Skips is why a scenario cannot run over the API.
func (e *Endpoint) Skips(m asltest.Machine) string {
	if m.Type == asl.Express {
		return "the API keeps no history of Express executions"
	}
	late, silent := false, false
	for r := range replies(m.Script) {
		late, silent = late || r.After > 0, silent || r.Silent
	}
	switch {
	case late:
		return "a task answers late, which a mock file cannot say"
	case silent && !e.config.Jumps:
		return "a task never answers, and time cannot be moved to where that ends"
	}
	return ""
}

// replies are all those of a script.
func replies(s *asltest.Script) iter.Seq[asltest.Reply] {
	queue, always := s.All()
	return func(yield func(asltest.Reply) bool) {
		for _, list := range queue {
			for _, r := range list {
				if !yield(r) {
					return
				}
			}
		}
		for _, r := range always {
			if !yield(r) {
				return
			}
		}
	}
}

// Hides reports whether the iterations of a Distributed Map are Express
// executions, whose histories the API does not give.
func (e *Endpoint) Hides(m *asl.State) bool {
	p := m.ItemProcessor.Processor
	return p != nil && p.ExecutionType == asl.Express
}

// Create makes the state machine of the scenario's workflow, once for all
// scenarios, and puts its objects where the server wants them put.
func (e *Endpoint) Create(ctx context.Context, m asltest.Machine) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.config.PutObjects {
		for place, text := range m.Objects {
			if err := e.put(ctx, e.forth.Replace(place), []byte(e.forth.Replace(string(text)))); err != nil {
				return "", err
			}
		}
	}
	arn, ok := e.machines[m.Workflow]
	if !ok {
		var err error
		if arn, err = e.create(ctx, m.Workflow, e.forth.Replace(e.other.Replace(string(m.Definition))), m.Type); err != nil {
			return "", err
		}
		e.machines[m.Workflow] = arn
		d, err := asl.Parse(m.Definition)
		if err != nil {
			return "", err
		}
		for _, s := range d.All() {
			if p := s.ItemProcessor; p != nil && p.Processor != nil && p.Processor.Mode == "DISTRIBUTED" && !e.Hides(s) {
				e.follow[arn] = true
			}
		}
	}
	return arn + "#" + m.Case, nil
}

// create makes a state machine, or gives the one of that name this definition.
func (e *Endpoint) create(ctx context.Context, name, definition, typ string) (string, error) {
	out, err := e.client.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: &name, Definition: &definition, Type: types.StateMachineType(typ),
		RoleArn: aws.String("arn:aws:iam::123456789012:role/workflows"),
	})
	if err == nil {
		return *out.StateMachineArn, nil
	}
	if !errors.As(err, new(*types.StateMachineAlreadyExists)) {
		return "", err
	}
	pages := sfn.NewListStateMachinesPaginator(e.client, &sfn.ListStateMachinesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, m := range page.StateMachines {
			if *m.Name == name {
				_, err := e.client.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: m.StateMachineArn, Definition: &definition})
				return *m.StateMachineArn, err
			}
		}
	}
	return "", err
}

// put stores an object, BUCKET/KEY, at the server by S3's API.
func (e *Endpoint) put(ctx context.Context, place string, text []byte) error {
	bucket, _, _ := strings.Cut(place, "/")
	for _, path := range []string{bucket, place} {
		if e.objects[path] {
			continue
		}
		body := text
		if path == bucket {
			body = nil
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, e.config.URL+"/"+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		said, _ := io.ReadAll(resp.Body) // only for the message
		_ = resp.Body.Close()
		if resp.StatusCode >= 300 && resp.StatusCode != http.StatusConflict { // the bucket may be there
			return fmt.Errorf("put the object %s: %s: %s", path, resp.Status, said)
		}
		e.objects[path] = true
	}
	return nil
}

// Start starts an execution of a test case.
func (e *Endpoint) Start(ctx context.Context, machine, name string, input json.RawMessage) (string, error) {
	_, testCase, _ := strings.Cut(machine, "#")
	const most = 80 // characters of a name
	if name = name + "-" + e.run + "-" + testCase; len(name) > most {
		name = name[:most]
	}
	out, err := e.client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &machine, Name: &name, Input: aws.String(string(input))})
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	plain, _, _ := strings.Cut(machine, "#")
	e.follow[*out.ExecutionArn] = e.follow[plain]
	return *out.ExecutionArn, nil
}

// Describe says how an execution stands.
func (e *Endpoint) Describe(ctx context.Context, execution string) (asltest.Description, error) {
	out, err := e.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		return asltest.Description{}, err
	}
	d := asltest.Description{Status: string(out.Status), Error: aws.ToString(out.Error), Cause: e.back.Replace(aws.ToString(out.Cause))}
	if out.Output != nil {
		d.Output = json.RawMessage(e.back.Replace(*out.Output))
	}
	return d, nil
}
