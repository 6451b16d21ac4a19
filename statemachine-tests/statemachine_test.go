// Package statemachine_test runs the scenarios of this folder, one file a
// behaviour of one workflow, and holds them to visiting everything that a
// workflow can do.
package statemachine_test

import (
	"bytes"
	"os"
	"testing"

	"plumbline/asl"
	"plumbline/asl/asltest"
	statemachine "plumbline/statemachine-tests"
	"plumbline/workflows"
)

// TestScenarios runs on the engine in process, in virtual time.
func TestScenarios(t *testing.T) {
	var seen asltest.Coverage
	for _, name := range workflows.Names() {
		src, err := workflows.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := asl.Parse(src)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen.Know(name, d)
	}
	asltest.Run(t, asltest.Embedded(), ".", asltest.Workflows(workflows.Source), asltest.Cover(&seen))
	for _, missing := range seen.Missing() {
		t.Errorf("%s. add a scenario that goes there", missing)
	}
}

// TestMockFile holds the mock file to the scenarios that it is made of.
func TestMockFile(t *testing.T) {
	want, err := statemachine.MockConfig(".", false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(statemachine.MockFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the scenarios make. run: go generate ./statemachine-tests", statemachine.MockFile)
	}
}
