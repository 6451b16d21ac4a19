// Package sharedtest finds test data that lies outside the repository. Tests
// that need it are skipped where it is absent.
package sharedtest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir is the folder sub of the shared data: below $PLUMBLINE_SHARED, by
// default ../shared beside the repository. The test is skipped where there is none.
func Dir(t testing.TB, sub string) string {
	t.Helper()
	root := os.Getenv("PLUMBLINE_SHARED")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared")
	}
	dir := filepath.Join(root, sub)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Skipf("no shared data at %s. set PLUMBLINE_SHARED to run this test", dir)
	}
	return dir
}
