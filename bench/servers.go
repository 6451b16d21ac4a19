package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	serverRuns    = 5 // of each load; the least counts
	mapItems      = 1_000
	parallelCount = 200
	clients       = 20 // that start the parallel executions
)

// A load is one machine and how many executions of it run beside each other.
type load struct {
	name, definition, input string
	executions              int
	check                   func(output string) bool
}

var loads = []load{
	{"a loop of 2,003 transitions", string(loopDefinition), loopInput, 1,
		func(out string) bool { return strings.Contains(out, "1001") }},
	{"a Map of 1,000 items", `{"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemsPath": "$.items", "End": true,
		"ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Take", "States": {"Take": {"Type": "Pass", "End": true}}}}}}`,
		`{"items": [` + strings.Repeat(`{"id": "item"}, `, mapItems-1) + `{"id": "item"}]}`, 1,
		func(out string) bool { return strings.Count(out, `"item"`) == mapItems }},
	{"200 parallel executions of 21 transitions", strings.Replace(string(loopDefinition), "1001", "10", 1), loopInput, parallelCount,
		func(out string) bool { return strings.Contains(out, "10") }},
}

// servers compares Step Functions APIs over HTTP, each a process of its own as
// it comes, with its full history: from the first StartExecution until
// DescribeExecution says of the last that it succeeded.
func servers(w io.Writer, bin, ministack string) error {
	ours, err := startServer(func(port int) *exec.Cmd { return exec.Command(bin, "sfn", "--port", strconv.Itoa(port)) })
	if err != nil {
		return fmt.Errorf("plumbline sfn: %w", err)
	}
	defer ours.stop()
	peer, err := startServer(func(port int) *exec.Cmd {
		cmd := exec.Command(ministack)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "BIND_HOST=127.0.0.1", "GATEWAY_PORT=" + strconv.Itoa(port), "PERSIST_STATE=0", "S3_PERSIST=0"}
		return cmd
	})
	if err != nil {
		return fmt.Errorf("ministack: %w", err)
	}
	defer peer.stop()
	fmt.Fprintf(w, "## Step Functions APIs over HTTP\n\nMade by `make bench-peers`: from the first call until the last execution is seen to have succeeded, the least of %d runs, both servers in the same minute.\n\n", serverRuns)
	fmt.Fprintf(w, "| load | plumbline sfn | events kept of one | ministack 1.5.33 | events kept of one | plumbline is faster by |\n|---|---:|---:|---:|---:|---:|\n")
	for i, l := range loads {
		var took [2][]time.Duration
		var events [2]int
		for j, s := range []*server{ours, peer} {
			arn, err := s.create("load-"+strconv.Itoa(i), l.definition)
			if err != nil {
				return fmt.Errorf("%s: %w", s.url, err)
			}
			for run := range serverRuns {
				d, err := s.run(arn, l, run)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", s.url, l.name, err)
				}
				took[j] = append(took[j], d)
			}
			if events[j], err = s.events(executionOf(arn, "run-0-0")); err != nil {
				return fmt.Errorf("%s: %w", s.url, err)
			}
		}
		a, b := slices.Min(took[0]), slices.Min(took[1])
		fmt.Fprintf(w, "| %s | %.1f ms | %d | %.1f ms | %d | %.1f |\n", l.name, float64(a.Microseconds())/1000, events[0], float64(b.Microseconds())/1000, events[1], ratio(b, a))
	}
	return nil
}

// server is a process that has the API.
type server struct {
	url  string
	cmd  *exec.Cmd
	said bytes.Buffer
}

// startServer starts a server on a free port and waits until it answers.
func startServer(command func(port int) *exec.Cmd) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	s := &server{url: "http://127.0.0.1:" + strconv.Itoa(port), cmd: command(port)}
	s.cmd.Stdout, s.cmd.Stderr = &s.said, &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		if err = s.call("ListStateMachines", map[string]any{}, nil); err == nil {
			return s, nil
		}
	}
	s.stop()
	return nil, fmt.Errorf("%w\n%s", err, s.said.String())
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-done
	}
}

// connections keeps one a client.
var connections = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}

func (s *server) call(action string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := connections.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", action, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

func (s *server) create(name, definition string) (arn string, err error) {
	var out struct{ StateMachineArn string }
	err = s.call("CreateStateMachine", map[string]any{"name": name, "definition": definition, "roleArn": "arn:aws:iam::123456789012:role/bench"}, &out)
	return out.StateMachineArn, err
}

// run starts a load's executions from some clients and waits for them all.
func (s *server) run(arn string, l load, run int) (time.Duration, error) {
	start := time.Now()
	var wg sync.WaitGroup
	problems := make([]error, min(clients, l.executions))
	for c := range problems {
		wg.Go(func() {
			for i := c; i < l.executions; i += len(problems) {
				if err := s.start(arn, l, fmt.Sprintf("run-%d-%d", run, i)); err != nil {
					problems[c] = err
					return
				}
			}
			for i := c; i < l.executions; i += len(problems) {
				if err := s.wait(arn, l, fmt.Sprintf("run-%d-%d", run, i)); err != nil {
					problems[c] = err
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start), errors.Join(problems...)
}

func (s *server) start(arn string, l load, name string) error {
	return s.call("StartExecution", map[string]any{"stateMachineArn": arn, "name": name, "input": l.input}, nil)
}

func (s *server) wait(arn string, l load, name string) error {
	execution := executionOf(arn, name)
	for start := time.Now(); ; {
		var out struct{ Status, Output, Cause string }
		if err := s.call("DescribeExecution", map[string]any{"executionArn": execution}, &out); err != nil {
			return err
		}
		if out.Status == "SUCCEEDED" && l.check(out.Output) {
			return nil
		}
		if out.Status != "RUNNING" {
			return fmt.Errorf("the execution ended as %s: %s%s", out.Status, out.Cause, out.Output)
		}
		// Asking must not cost the slower server more: every 5 % of what has passed.
		time.Sleep(max(time.Since(start)/20, 500*time.Microsecond))
	}
}

func executionOf(machine, name string) string {
	return strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
}

// events is how many events the history of an execution has.
func (s *server) events(execution string) (int, error) {
	const page = 1_000
	in := map[string]any{"executionArn": execution, "maxResults": page}
	for n := 0; ; {
		var out struct {
			Events    []struct{}
			NextToken string
		}
		if err := s.call("GetExecutionHistory", in, &out); err != nil {
			return 0, err
		}
		if n += len(out.Events); out.NextToken == "" {
			return n, nil
		}
		in["nextToken"] = out.NextToken
	}
}
