package files_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/internal/files"
	"plumbline/ledger"
	"plumbline/ledger/ledgertest"
)

func TestAnchors(t *testing.T) {
	ledgertest.Anchors(t, files.Anchors(filepath.Join(t.TempDir(), "a", "b")))
}

// TestAnchorsAreNotWrittenAnew: what a file of the name says stays.
func TestAnchorsAreNotWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	a := ledger.Anchor{Seq: 1, Hash: strings.Repeat("a", 64)}
	path := filepath.Join(dir, a.Name())
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := files.Anchors(dir).Keep(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); string(got) != "mine" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, err := range files.Anchors(path).All(t.Context()) {
		if err == nil {
			t.Error("a file is read as a folder")
		}
	}
}
