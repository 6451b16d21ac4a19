package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumbline/internal/cli"
)

// TestInterrupt sends SIGINT to the program in the middle of a long scan:
// it exits with 130 and leaves nothing half-written, neither the report nor in
// the data folder.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	program, err := exec.LookPath("plumbline") // TestMain put it there: this binary, as a process of its own
	if err != nil {
		t.Fatal(err)
	}
	templates := filepath.Join(dir, "templates")
	if err := os.Mkdir(templates, 0o755); err != nil {
		t.Fatal(err)
	}
	var body strings.Builder
	body.WriteString("Resources:\n")
	for i := range 40 {
		fmt.Fprintf(&body, "  Vault%d:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: vault-%d}\n", i, i)
	}
	for i := range 300 {
		if err := os.WriteFile(filepath.Join(templates, fmt.Sprintf("t%03d.yaml", i)), []byte(body.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, page := filepath.Join(dir, "data"), filepath.Join(dir, "page.html")
	var errs bytes.Buffer
	c := exec.Command(program, "scan", templates, "--data", data, "--format", "html", "--output", page)
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// The first object beside the data folder's own shows that the scan is under way.
	begun := false
	for range 2000 {
		if m, _ := filepath.Glob(filepath.Join(data, "bucket", ".staging", "*", "reports", "*")); len(m) > 0 {
			begun = true
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if !begun {
		t.Error("the scan did not begin in time")
	}
	start := time.Now()
	var failed *exec.ExitError
	if err := c.Wait(); !errors.As(err, &failed) || failed.ExitCode() != cli.ExitInterrupted {
		t.Fatalf("ended with %v, want exit code %d\n%s", err, cli.ExitInterrupted, &errs)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if got := errs.String(); got != "plumbline: interrupted\n" {
		t.Errorf("stderr = %q", got)
	}
	if _, err := os.Stat(page); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a report of a scan that did not end: %v", err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(d.Name(), ".plumbline-"), strings.HasSuffix(d.Name(), ".tmp"), strings.HasSuffix(d.Name(), "-journal"),
			d.Name() == ".staging", strings.HasPrefix(d.Name(), "report."), d.Name() == "notices.jsonl":
			t.Errorf("left behind: %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// What is there can be read, and a further scan goes on from it.
	if out, err := exec.Command(program, "history", "--data", data).CombinedOutput(); err != nil || strings.Contains(string(out), "open (") {
		t.Errorf("history: %v\n%s", err, out)
	}
}

func TestInterruptWhileWaitingForInput(t *testing.T) {
	c := exec.Command("plumbline", "scan", "-")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("Resources:\n")); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	deadline := time.After(10 * time.Second)
	again := time.NewTicker(200 * time.Millisecond) // the first may come before the program listens
	defer again.Stop()
	for {
		select {
		case err := <-ended:
			var failed *exec.ExitError
			if !errors.As(err, &failed) || failed.ExitCode() != cli.ExitInterrupted && failed.ExitCode() != -1 {
				t.Errorf("ended with %v, want exit code %d", err, cli.ExitInterrupted)
			}
			return
		case <-again.C:
			if err := c.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		case <-deadline:
			_ = c.Process.Kill()
			t.Fatal("it does not end")
		}
	}
}
