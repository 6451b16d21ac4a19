package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is what a command writes while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) holds(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

func TestRulesTestWatch(t *testing.T) {
	dir := t.TempDir()
	rule := filepath.Join(dir, "acme", "named.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const right = "id: acme-named\ntitle: Topics have names\nseverity: low\ndomain: configuration\ntypes: [AWS::SNS::Topic]\npass: has(resource.TopicName)\n"
	write(rule, right)
	write(filepath.Join(dir, "acme", "named_test.yaml"), "- {name: named, properties: {TopicName: a}, want: pass}\n- {name: absent, properties: {}, want: fail}\n")

	var out lockedBuffer
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- (&casesRun{dir: dir, watch: true}).follow(ctx, &Streams{Out: &out, Err: &out})
	}()
	wait := func(text string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !out.holds(text); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%q is never said; what was:\n%s", text, out.b.String())
			}
		}
	}
	wait("1 rule, 2 cases, 0 failed\n")
	write(rule, strings.Replace(right, "severity: low", "severity: lwo", 1))
	wait(`severity "lwo" is none of`)
	write(rule, strings.Replace(right, "TopicName", "KmsMasterKeyId", 1))
	wait("1 rule, 2 cases, 1 failed\n")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
