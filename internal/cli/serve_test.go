package cli

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestServeRefuses(t *testing.T) {
	empty, damaged := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "findings.db"), bytes.Repeat([]byte("no database "), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, data, port, want string }{
		{"no data", "", "0", "serve needs --data DIR"},
		{"no folder", filepath.Join(empty, "none"), "0", "does not exist. make one with plumbline scan"},
		{"no findings", empty, "0", "scan something first"},
		{"a file", filepath.Join(damaged, "findings.db"), "0", "is a file"},
		{"a damaged database", damaged, "0", "exports what can still be read"},
		{"no port", scanned(t), "70000", "allowed are 1 to 65535"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			args := []string{"serve", "--port", tc.port}
			if tc.data != "" {
				args = append(args, "--data", tc.data)
			}
			code := Main(args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }})
			if code != ExitUsage || !strings.Contains(errs.String(), tc.want) {
				t.Errorf("code %d: %s", code, errs.String())
			}
		})
	}
}

// scanned is a data folder that a scan was kept in.
func scanned(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	template := filepath.Join(dir, "a.yaml")
	if err := os.WriteFile(template, []byte("Resources:\n  Logs:\n    Type: AWS::S3::Bucket\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	data := filepath.Join(dir, "data")
	if code := Main([]string{"scan", "--quiet", "--exit-zero", "--data", data, template}, Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }}); code != ExitClean {
		t.Fatalf("code %d: %s", code, errs.String())
	}
	return data
}

func TestServe(t *testing.T) {
	data := scanned(t)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	var errs bytes.Buffer
	s := Streams{In: strings.NewReader(""), Out: new(bytes.Buffer), Err: &errs, Env: func(string) string { return "" }}
	if code := Main([]string{"serve", "--data", data, "--port", port}, s); code != ExitUsage || !strings.Contains(errs.String(), "port "+port+" is taken") {
		t.Errorf("code %d: %s", code, errs.String())
	}

	ctx, stop := context.WithCancel(t.Context())
	said := &lockedBuffer{}
	s.Err = said
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, &s, &serveFlags{data: data}) }()
	text := func() string {
		said.mu.Lock()
		defer said.mu.Unlock()
		return said.b.String()
	}
	address := ""
	for deadline := time.Now().Add(20 * time.Second); address == ""; time.Sleep(5 * time.Millisecond) {
		address = regexp.MustCompile(`http://[0-9.:]+/`).FindString(text())
		if time.Now().After(deadline) {
			t.Fatalf("it does not say where it is: %s", text())
		}
	}
	for path, want := range map[string]string{"": "want attention", "findings?q=logs": "Logs", "executions": "ScanEstate", "approvals": "nothing waits"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(answer.Body); err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || !strings.Contains(body.String(), want) {
			t.Errorf("/%s: status %d, %q is not in it:\n%s", path, answer.StatusCode, want, body.String())
		}
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not end")
	}
}
