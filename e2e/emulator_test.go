//go:build e2e

package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// account is what ministack takes callers for.
const account = "000000000000"

// suite is what all tests share: one emulator, and the suite in two regions of it.
var suite struct {
	folder string // where run.sh left the emulators, the stacks and the functions
	stack  *emulator
	faults *proxy
	people *receivers
}

func TestMain(m *testing.M) {
	suite.folder = os.Getenv("E2E_DIR")
	if suite.folder == "" {
		log.Fatal("e2e: E2E_DIR is not set. run make e2e, which installs the emulators and synthesizes the stacks")
	}
	if err := run(m); err != nil {
		log.Fatal("e2e: ", err)
	}
}

// run deploys and runs the tests; how they ended is with m.
func run(m *testing.M) (err error) {
	if suite.faults, err = newProxy(); err != nil {
		return err
	}
	defer suite.faults.Close()
	if suite.people, err = newReceivers(); err != nil {
		return err
	}
	defer suite.people.server.Close()
	if suite.stack, err = startMinistack("ministack", suite.faults, "PERSIST_STATE=0", "S3_PERSIST=0"); err != nil {
		return err
	}
	defer suite.stack.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	begun := time.Now()
	if err := deploy(ctx, suite.stack, regions...); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "e2e: deployed to %s in %.0f s\n", strings.Join(regions, " and "), time.Since(begun).Seconds())
	m.Run()
	checked, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	err = errors.Join(checkCalls(checked, suite.stack, &suite.faults.calls), suite.people.check())
	if whole() {
		err = errors.Join(err, destroy(checked, suite.stack))
	}
	return err
}

// whole reports whether all tests were run.
func whole() bool {
	f := flag.Lookup("test.run")
	return f == nil || f.Value.String() == ""
}

// emulator is a process that answers AWS's API.
type emulator struct {
	url     string
	process *exec.Cmd
	log     string // file
	ended   chan error
}

// startMinistack starts ministack on a free port. The functions that it runs
// call AWS by way of the proxy.
func startMinistack(name string, faults *proxy, settings ...string) (*emulator, error) {
	if err := os.RemoveAll(filepath.Join(suite.folder, name)); err != nil {
		return nil, err
	}
	return resumeMinistack(name, faults, settings...)
}

// resumeMinistack is startMinistack with what one of this name has left, where it was told to.
func resumeMinistack(name string, faults *proxy, settings ...string) (*emulator, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	url, home := "http://127.0.0.1:"+port, filepath.Join(suite.folder, name)
	faults.to(url)
	// Every function's process inherits this environment: it holds what they need and no more.
	return start(home, url, url+"/_ministack/health", append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(),
		"AWS_ENDPOINT_URL=" + faults.url, "BIND_HOST=127.0.0.1", "GATEWAY_PORT=" + port, "MINISTACK_REGION=" + regions[0],
		// Waits between retries are a tenth of what the workflows say.
		"SFN_WAIT_SCALE=0.1",
		"LAMBDA_ASYNC_RETRY_BASE_SECONDS=0.05", "LAMBDA_ASYNC_RETRY_MAX_SECONDS=0.1",
		"STATE_DIR=" + filepath.Join(home, "state"), "S3_DATA_DIR=" + filepath.Join(home, "s3"),
	}, settings...), "ministack.venv/bin/ministack")
}

// start starts a program, below suite.folder, in a folder and waits until it is healthy.
func start(home, url, health string, environment []string, program string, args ...string) (*emulator, error) {
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	e := &emulator{url: url, log: filepath.Join(home, "log"), ended: make(chan error, 1)}
	out, err := os.Create(e.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	e.process = exec.Command(filepath.Join(suite.folder, program), args...)
	e.process.Env, e.process.Dir, e.process.Stdout, e.process.Stderr = environment, home, out, out
	// A group of its own, so that its end is the end of the functions as well.
	e.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := e.process.Start(); err != nil {
		return nil, err
	}
	// Should this process die, run.sh ends what it has started.
	if err := os.WriteFile(filepath.Join(home, "pid"), fmt.Append(nil, e.process.Process.Pid), 0o644); err != nil {
		e.stop()
		return nil, err
	}
	go func() { e.ended <- e.process.Wait() }()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case err := <-e.ended:
			return nil, fmt.Errorf("%s ended at its start: %w. its log is %s", program, err, e.log)
		default:
		}
		if answer, err := http.Get(health); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return e, nil
			}
		}
	}
	e.stop()
	return nil, fmt.Errorf("%s does not answer within a minute. its log is %s", program, e.log)
}

// stop ends the emulator and what it has started.
func (e *emulator) stop() {
	pid := e.process.Process.Pid
	_ = e.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-e.ended:
	case <-time.After(20 * time.Second):
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL) // functions that outlived it
	_ = os.Remove(filepath.Join(filepath.Dir(e.log), "pid"))
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
