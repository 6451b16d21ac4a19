package statemachine_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"plumbline/asl/asltest"
	"plumbline/internal/cli"
	statemachine "plumbline/statemachine-tests"
	"plumbline/statemachine-tests/endpoint"
	"plumbline/workflows"
)

// asPlumbline makes the test binary be plumbline.
const asPlumbline = "STATEMACHINE_TEST_AS_PLUMBLINE"

func TestMain(m *testing.M) {
	if os.Getenv(asPlumbline) != "" {
		os.Exit(cli.Main(os.Args[1:], cli.System())) //nolint:forbidigo // it stands for main, in a process of its own
	}
	m.Run()
}

var serving = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// TestServer runs on plumbline sfn, a process of its own, by the AWS SDK.
func TestServer(t *testing.T) {
	mocks, err := statemachine.MockConfig(".", true)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), statemachine.MockFile)
	if err := os.WriteFile(file, mocks, 0o600); err != nil {
		t.Fatal(err)
	}
	values, err := statemachine.Substitutions()
	if err != nil {
		t.Fatal(err)
	}
	asltest.Run(t, endpoint.New(endpoint.Config{
		Name: "plumbline-sfn", URL: serve(t, "--mock-config", file, "--virtual-time", "--seed", "1"), Substitutions: values, Jumps: true,
	}), ".", asltest.Workflows(workflows.Source))
}

// serve starts plumbline sfn on a free port and returns its address.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"sfn", "--port", "0"}, args...)...)
	cmd.Env = append(os.Environ(), asPlumbline+"=1")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if url := serving.FindString(lines.Text()); url != "" {
				address <- url
				continue
			}
			t.Log(lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("plumbline sfn ended with %v", err)
		}
	})
	select {
	case url := <-address:
		return url
	case <-ended:
	}
	t.Fatal("plumbline sfn did not say where it listens")
	return ""
}
