package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"plumbline/internal/sfn/function"
)

// asFunction tells the test binary that it is a function.
const asFunction = "PLUMBLINE_TEST_FUNCTION"

type ThrottledError struct{}

func (ThrottledError) Error() string { return "slow down" }

// handle does what its input says.
func handle(ctx context.Context, in struct{ Do string }) (any, error) {
	switch in.Do {
	case "throttle":
		return nil, ThrottledError{}
	case "panic":
		panic("oh")
	case "exit":
		os.Exit(3) //nolint:forbidigo // it is a process that ends
	case "sleep":
		time.Sleep(time.Minute)
	case "nap":
		time.Sleep(100 * time.Millisecond)
	case "say":
		fmt.Println("to stdout") //nolint:forbidigo // it is what it writes
		fmt.Fprint(os.Stderr, "to stderr\nand half")
	}
	l, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{"pid": os.Getpid(), "request": l.AwsRequestID, "arn": l.InvokedFunctionArn, "name": lambdacontext.FunctionName,
		"region": os.Getenv("AWS_REGION"), "own": os.Getenv("OWN"), "left": time.Until(deadline) > 0}, nil
}

func TestMain(m *testing.M) {
	switch os.Getenv(asFunction) {
	case "":
		m.Run()
	case "broken":
		fmt.Fprintln(os.Stderr, "no configuration")
		os.Exit(1) //nolint:forbidigo // it is a process that ends
	default:
		lambda.Start(handle)
	}
}

// buffer is a log for several writers.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func functions(t *testing.T, o function.Options, kind string) *function.Functions {
	t.Helper()
	o.Environ = append(os.Environ(), asFunction+"="+kind, "OWN=mine")
	f := function.New(o)
	if err := f.Add("FetchStack", os.Args[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func call(t *testing.T, f *function.Functions, do string) (map[string]any, bool) {
	t.Helper()
	out, failed, err := f.Call(context.Background(), "FetchStack", "id-"+do, []byte(`{"Do":"`+do+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return m, failed
}

// One process does call after call; one that has ended is replaced, without a
// call being lost.
func TestCall(t *testing.T) {
	log := &buffer{}
	f := functions(t, function.Options{Region: "eu-west-1", Timeout: time.Minute, Log: log}, "handler")
	first, failed := call(t, f, "say")
	want := map[string]any{"pid": first["pid"], "request": "id-say", "arn": "arn:aws:lambda:eu-west-1:123456789012:function:FetchStack", "name": "FetchStack", "region": "eu-west-1", "own": "mine", "left": true}
	if d := cmp.Diff(want, first); d != "" || failed {
		t.Error(d)
	}
	second, _ := call(t, f, "")
	if second["pid"] != first["pid"] {
		t.Error("the process was not used again")
	}
	if got, failed := call(t, f, "throttle"); !failed || got["errorType"] != "ThrottledError" || got["errorMessage"] != "slow down" {
		t.Errorf("got %v", got)
	}
	if got, failed := call(t, f, "panic"); !failed || got["errorMessage"] != "oh" {
		t.Errorf("got %v", got)
	}
	third, failed := call(t, f, "") // the process ends after a panic
	if failed || third["pid"] == first["pid"] {
		t.Errorf("got %v", third)
	}
	if got, failed := call(t, f, "exit"); !failed || got["errorType"] != "Runtime.ExitError" || got["errorMessage"] != "RequestId: id-exit Error: Runtime exited with error: exit status 3" {
		t.Errorf("got %v", got)
	}
	if got, failed := call(t, f, ""); failed || got["pid"] == third["pid"] {
		t.Errorf("got %v", got)
	}
	for _, line := range []string{"FetchStack: to stdout\n", "FetchStack: to stderr\n", "FetchStack: and half"} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("the log has no %q: %q", line, log.String())
		}
	}
}

func TestCallTimesOut(t *testing.T) {
	f := functions(t, function.Options{Timeout: 300 * time.Millisecond}, "handler")
	began := time.Now()
	got, failed := call(t, f, "sleep")
	want := map[string]any{"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: id-sleep Error: Task timed out after 0.30 seconds"}
	if d := cmp.Diff(want, got); d != "" || !failed {
		t.Error(d)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, failed := call(t, f, ""); failed {
		t.Error("the next call fails, too")
	}
}

// A call whose state has ended leaves the process to be used again.
func TestCallGivenUp(t *testing.T) {
	f := functions(t, function.Options{Most: 1}, "handler")
	first, _ := call(t, f, "")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := f.Call(ctx, "FetchStack", "id", []byte(`{"Do":"nap"}`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if next, failed := call(t, f, ""); failed || next["pid"] != first["pid"] {
		t.Errorf("got %v", next)
	}
}

// Calls at once have processes of their own, up to the most there may be.
func TestCallsAtOnce(t *testing.T) {
	f := functions(t, function.Options{Most: 3}, "handler")
	pids := make(chan any, 12)
	var all sync.WaitGroup
	for range cap(pids) {
		all.Go(func() {
			out, _, err := f.Call(context.Background(), "fetch-stack", "id", []byte(`{"Do":"nap"}`))
			var m map[string]any
			if err == nil {
				err = json.Unmarshal(out, &m)
			}
			if err != nil {
				t.Error(err)
			}
			pids <- m["pid"]
		})
	}
	all.Wait()
	close(pids)
	seen := map[any]bool{}
	for pid := range pids {
		seen[pid] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d processes", len(seen))
	}
}

func TestCallCannotBegin(t *testing.T) {
	f := functions(t, function.Options{}, "broken")
	got, failed := call(t, f, "")
	want := map[string]any{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: id- Error: Runtime exited with error: exit status 1"}
	if d := cmp.Diff(want, got); d != "" || !failed {
		t.Error(d)
	}
	text := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(text, []byte("no program"), 0o700); err != nil { //nolint:gosec // it is to look like one
		t.Fatal(err)
	}
	g := function.New(function.Options{})
	if err := g.Add("FetchStack", text); err != nil {
		t.Fatal(err)
	}
	if got, failed := call(t, g, ""); !failed || got["errorType"] != "Runtime.InvalidEntrypoint" || !strings.Contains(fmt.Sprint(got["errorMessage"]), "exec format error") {
		t.Errorf("got %v", got)
	}
}

func TestAdd(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"notify", "fetchstack"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "bootstrap"), nil, 0o700); err != nil { //nolint:gosec // it is to look like a program
			t.Fatal(err)
		}
	}
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := function.New(function.Options{})
	if err := f.AddFolder(dir); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"fetchstack", "notify"}, f.Names()); d != "" || !f.Has("FetchStack") || f.Has("Fetch") {
		t.Error(d)
	}
	errs := map[string]error{
		"has no name":                   f.Add("", plain),
		"no such file":                  f.Add("x", filepath.Join(dir, "none")),
		"may not be executed":           f.Add("x", plain),
		"has no program called boot":    f.Add("x", dir),
		"there is fetchstack at":        f.Add("Fetch-Stack", filepath.Join(dir, "notify", "bootstrap")),
		"no folder with a program call": f.AddFolder(filepath.Join(dir, "notify")),
	}
	for _, want := range slices.Sorted(func(yield func(string) bool) {
		for k := range errs {
			if !yield(k) {
				return
			}
		}
	}) {
		if err := errs[want]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
