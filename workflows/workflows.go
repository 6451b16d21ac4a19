// Package workflows embeds the state machines of plumbline, as they run on AWS
// Step Functions and on the engine in the binary, byte for byte.
package workflows

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

// FS holds the definitions, NAME.asl.json.
//
//go:embed *.asl.json
var FS embed.FS

// Suffix is what a workflow's name has in FS.
const Suffix = ".asl.json"

// Machine is a state machine to deploy: one file may be two machines.
type Machine struct {
	Name    string // ScanStack; other workflows start it as "${ScanStackArn}"
	File    string // name of the workflow
	Express bool   // type EXPRESS: no tokens, five minutes at most, billed by duration; else STANDARD
	Why     string // why it has this type
}

// Placeholder is the text by which workflows name the machine.
func (m Machine) Placeholder() string { return "${" + m.Name + "Arn}" }

// Machines lists the state machines.
var Machines = []Machine{
	{Name: "ScanStack", File: "scan-stack", Why: "started by an event or a person: its history is kept, its name is used once"},
	{Name: "ScanStackSweep", File: "scan-stack", Express: true, Why: "started by scan-estate for each target: Standard costs for each of its twenty transitions"},
	{Name: "ScanEstate", File: "scan-estate", Why: "runs for hours, and only Standard has Distributed Map"},
	{Name: "SLAReport", File: "sla-report", Why: "runs once a day; its history shows that it did"},
	{Name: "ReportFailure", File: "report-failure", Why: "a failure is told once and its history kept"},
}

// Remediation lists the state machines that change live resources. They are
// apart from Machines as they are deployed apart: an account that is only
// scanned has none of them.
var Remediation = []Machine{
	{Name: "CheckResource", File: "check-resource", Why: "started by an event: its history is kept, its name is used once"},
	{Name: "ReviewViolation", File: "review-violation", Why: "started once by the name of its change"},
	{Name: "RemediateFinding", File: "remediate-finding", Why: "waits for people for days, by a token that only Standard has"},
}

// All lists the state machines of both.
func All() []Machine { return slices.Concat(Machines, Remediation) }

// BucketPlaceholder is the text by which workflows name the bucket of reports
// and of what states hand on.
const BucketPlaceholder = "${ReportBucket}"

// Names lists the workflows, sorted.
func Names() []string {
	entries, err := FS.ReadDir(".")
	if err != nil { // the embedded root is always there
		return nil
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), Suffix); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Source returns the definition of a workflow as it lies.
func Source(name string) ([]byte, error) {
	b, err := FS.ReadFile(name + Suffix)
	if err != nil {
		return nil, fmt.Errorf("no workflow %q. there are %s", name, strings.Join(Names(), ", "))
	}
	return b, nil
}
