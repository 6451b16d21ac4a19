package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPageIsCurrent: a transition more in a workflow is a price more in the page.
func TestPageIsCurrent(t *testing.T) {
	want, err := page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/cost.md is not what is counted. run make cost (-want +got):\n%s", diff)
	}
}

// TestTargets holds what was promised.
func TestTargets(t *testing.T) {
	event, err := count(t.Context(), 1, resources, byEvent)
	if err != nil {
		t.Fatal(err)
	}
	if got := float64(event["ScanStack"].transitions) * transition; got >= 0.0005 || got == 0 {
		t.Errorf("a stack after an event costs $%f. $0.0005 is the most", got)
	}
	sweep, err := count(t.Context(), targets, resources, bySweep)
	if err != nil {
		t.Fatal(err)
	}
	executions := sweep["ScanStackSweep"].executions + sweep["ScanEstate/ForEachTarget"].executions
	if got := transition + float64(executions)/targets*(request+sweepSeconds*expressGB*gbSecond); got >= 0.0001 || executions != 2*targets {
		t.Errorf("a stack in the sweep costs $%f in %d executions. $0.0001 is the most", got, executions)
	}
}

// TestRemediation: the path of a change is the one that the page counts.
func TestRemediation(t *testing.T) {
	scenario, err := os.ReadFile("../../statemachine-tests/remediate-finding/live.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(scenario)) {
		if path, ok := strings.CutPrefix(line, "path "); ok {
			if n := len(strings.Fields(path)); n != remediation {
				t.Errorf("a change goes through %d states, and the page says %d", n, remediation)
			}
			return
		}
	}
	t.Error("the scenario has no path")
}
