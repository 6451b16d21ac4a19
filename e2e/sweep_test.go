//go:build e2e

package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

// summary is what scan-estate answers.
type summary struct {
	Targets, Failing, Failed, Partial int
	Tell                              bool
}

// sweep has all stacks of a region scanned.
func (r *region) sweep(t *testing.T, at time.Time) summary {
	t.Helper()
	end := r.scan(t, "ScanEstate", scheduled(r, at))
	if end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the sweep ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	var s summary
	if err := json.Unmarshal([]byte(aws.ToString(end.Output)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSweep: a schedule has every stack of its region scanned, also our own.
// People are told once of all that is new, and of a critical violation by itself.
// It takes its time: each function reads five resources a second. So no test that
// runs beside it may make a stack in its region.
func TestSweep(t *testing.T) {
	t.Parallel() // with tests of the other region
	r := in(regions[1])
	r.put(t, "SweptOne", flawed)
	r.put(t, "SweptTwo", closed)
	stacks, err := r.cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	there := 0
	for _, s := range stacks.Stacks {
		if s.StackStatus != cfntypes.StackStatusDeleteComplete {
			there++
		}
	}
	boxes := subscribe(t, r)
	at := time.Now().Truncate(time.Second)
	s := r.sweep(t, at)
	if s.Targets != there || s.Failed != 0 || s.Partial != 0 || s.Failing == 0 {
		t.Errorf("of %d stacks the sweep tells %+v", there, s)
	}
	if got := of(r.rows(t, "SweptOne"), "ec2-security-group-open-ssh", "Bastion"); got == nil {
		t.Error("SweptOne has no row of its open group")
	}
	if got := of(r.rows(t, "SweptTwo"), "ec2-security-group-open-ssh", "Bastion"); got != nil {
		t.Errorf("SweptTwo has a row of a group that is closed: %v", got)
	}
	if rows := in(regions[0]).rows(t, "SweptOne"); len(rows) > 0 {
		t.Errorf("the other region has %d rows of this one's stack", len(rows))
	}
	if keys := r.objects(t, "scans/"); !slices.ContainsFunc(keys, func(k string) bool { return strings.Contains(k, at.UTC().Format("20060102T150405Z")) }) {
		t.Errorf("summaries = %q, want one of this sweep", keys)
	}

	var told []string
	for _, about := range []string{"SweptOne", "SweptTwo", ""} {
		for _, l := range boxes.letters(t, about) {
			told = append(told, l.To+": "+l.attributes["kind"]+" "+l.attributes["severity"]+" "+about)
		}
	}
	if diff := cmp.Diff([]string{
		"security@example.com of plumbline critical: findings critical SweptOne",
		"devops@example.com of plumbline warning: digest high ",
		"security@example.com of plumbline warning: digest high ",
	}, told); diff != "" {
		t.Errorf("who was told what (-want +got):\n%s", diff)
	}

	for _, stack := range []string{"PlumblineData", "PlumblineSuite"} {
		for _, f := range r.report(t, stack) {
			// Of what is deployed the emulator leaves out expiry, restoring, encryption,
			// tags and flow logs; and roles were given names for it.
			if f.Status == "fail" && !strings.HasPrefix(f.Message, "as deployed: ") && !slices.Contains([]string{"live-matches-template", "vpc-flow-logs", "cfn-explicit-names"}, f.Rule) {
				t.Errorf("our own stack breaks %s: %s: %s", f.Rule, f.Resource.LogicalID, f.Message)
			}
		}
	}

	// The next sweep finds nothing new, and tells nobody.
	if s := r.sweep(t, at.Add(time.Minute)); s.Tell || s.Targets != there {
		t.Errorf("the next sweep tells %+v", s)
	}
	again := 0
	for _, about := range []string{"SweptOne", "SweptTwo", ""} {
		again += len(boxes.letters(t, about))
	}
	if again != len(told) {
		t.Errorf("after the next sweep there are %d messages, want the %d of the first", again, len(told))
	}
}
