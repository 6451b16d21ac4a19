package cli_test

import (
	"bufio"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sfnProcess is a "plumbline sfn" that runs.
type sfnProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	errs *bufio.Reader
}

func startSfn(t *testing.T, env []string, args ...string) *sfnProcess {
	t.Helper()
	p := &sfnProcess{t: t, cmd: exec.Command("plumbline", append([]string{"sfn", "--port", "0"}, args...)...)}
	p.cmd.Env = append(p.cmd.Environ(), env...)
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	p.errs = bufio.NewReader(errs)
	var all strings.Builder
	for p.url == "" {
		line, err := p.errs.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			t.Fatalf("it says %q", all.String())
		}
		if m := regexp.MustCompile(`^Step Functions API at (http://127\.0\.0\.1:\d+)`).FindStringSubmatch(line); m != nil {
			p.url = m[1]
		}
	}
	return p
}

func (p *sfnProcess) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *sfnProcess) call(action, body string) string {
	r, err := http.NewRequest(http.MethodPost, p.url, strings.NewReader(body))
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

// until calls until the answer has the text.
func (p *sfnProcess) until(text, action, body string) string {
	p.t.Helper()
	out := ""
	for range 2000 {
		if out = p.call(action, body); strings.Contains(out, text) {
			return out
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("%s answers %s, want %s", action, out, text)
	return ""
}

// TestSfnData kills a server that keeps its data, and starts another on them.
func TestSfnData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	activity := "arn:aws:states:us-east-1:123456789012:activity:A"
	machine := `{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:M","name":"x"}`
	x := `{"executionArn":"arn:aws:states:us-east-1:123456789012:execution:M:x"}`
	p := startSfn(t, nil, "--data", dir)
	p.call("CreateActivity", `{"name":"A"}`)
	p.call("CreateStateMachine", `{"name":"M","roleArn":"arn:aws:iam::1:role/r","definition":"{\"StartAt\":\"W\",\"States\":{\"W\":{\"Type\":\"Wait\",\"Seconds\":1,\"Next\":\"A\"},\"A\":{\"Type\":\"Task\",\"Resource\":\"`+activity+`\",\"End\":true}}}"}`)
	p.call("StartExecution", machine)
	p.kill()

	p = startSfn(t, nil, "--data", dir)
	out := p.until("taskToken", "GetActivityTask", `{"activityArn":"`+activity+`"}`)
	token := regexp.MustCompile(`"taskToken":"([^"]+)"`).FindStringSubmatch(out)[1]
	p.kill()

	p = startSfn(t, nil, "--data", dir)
	if out, err := exec.Command("plumbline", "sfn", "--port", "0", "--data", dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "is in use by another process: two") {
		t.Errorf("a second server on the folder: %v, %s", err, out)
	}
	if out := p.call("SendTaskSuccess", `{"taskToken":"`+token+`","output":"8"}`); out != "{}" {
		t.Error(out)
	}
	p.until("SUCCEEDED", "DescribeExecution", x)
	history := p.call("GetExecutionHistory", x)
	p.kill()

	p = startSfn(t, nil, "--data", dir)
	if out := p.call("GetExecutionHistory", x); out != history || !strings.Contains(out, "ActivitySucceeded") {
		t.Errorf("the history is %s, was %s", out, history)
	}
	p.kill()
}
