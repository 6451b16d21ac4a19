package cli_test

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSfn starts the server as a process, has it run an execution, and ends it
// while a worker waits for a task.
func TestSfn(t *testing.T) {
	c := exec.Command("plumbline", "sfn", "--port", "0", "--virtual-time")
	errs, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill() }()
	lines := bufio.NewReader(errs)
	line, err := lines.ReadString('\n')
	m := regexp.MustCompile(`^Step Functions API at (http://127\.0\.0\.1:\d+) \(virtual time\)\. Ctrl-C ends it\n$`).FindStringSubmatch(line)
	if err != nil || m == nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	call := func(action, body string) string {
		r, err := http.NewRequest(http.MethodPost, m[1], strings.NewReader(body))
		if err != nil {
			return err.Error()
		}
		r.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	call("CreateStateMachine", `{"name":"E","type":"EXPRESS","roleArn":"arn:aws:iam::1:role/r","definition":"{\"StartAt\":\"W\",\"States\":{\"W\":{\"Type\":\"Wait\",\"Seconds\":250,\"End\":true}}}"}`)
	if out := call("StartSyncExecution", `{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:E","input":"7"}`); !strings.Contains(out, `"output":"7"`) {
		t.Error(out)
	}
	call("CreateActivity", `{"name":"A"}`)
	go call("GetActivityTask", `{"activityArn":"arn:aws:states:us-east-1:123456789012:activity:A"}`)
	time.Sleep(20 * time.Millisecond) // so that it waits
	start := time.Now()
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err := c.Wait(); err != nil || len(rest) > 0 {
		t.Errorf("ended with %v, and says %q", err, rest)
	}
	if took := time.Since(start); err != nil || took > 2*time.Second {
		t.Errorf("it took %v to end, %v", took, err)
	}
}

// TestSfnPortTaken starts a second server on the port of the first.
func TestSfnPortTaken(t *testing.T) {
	c := exec.Command("plumbline", "sfn", "--port", "0")
	errs, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}()
	line, err := bufio.NewReader(errs).ReadString('\n')
	m := regexp.MustCompile(`:(\d+)\. Ctrl-C`).FindStringSubmatch(line)
	if err != nil || m == nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	out, err := exec.Command("plumbline", "sfn", "--port", m[1]).CombinedOutput()
	if want := "plumbline: port " + m[1] + " is taken by another program. give another by --port, or 0 for a free one\n"; err == nil || string(out) != want {
		t.Errorf("%v: %q", err, out)
	}
}
