package workflows_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
	"plumbline/tasks/catalog"
	"plumbline/workflows"
)

// definitions parses every workflow.
func definitions(t *testing.T) map[string]*asl.Definition {
	t.Helper()
	out := map[string]*asl.Definition{}
	for _, name := range workflows.Names() {
		src, err := workflows.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := asl.Parse(src)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = d
	}
	return out
}

// each calls f for every state of every workflow, in a subtest a workflow.
func each(t *testing.T, f func(t *testing.T, workflow string, s *asl.State)) {
	t.Helper()
	for name, d := range definitions(t) {
		t.Run(name, func(t *testing.T) {
			for _, s := range d.All() {
				f(t, name, s)
			}
		})
	}
}

// function returns the catalogue's task that a state calls.
func function(t *testing.T, s *asl.State) (catalog.Task, bool) {
	t.Helper()
	if s.Type != "Task" || !strings.HasPrefix(s.Resource, "arn:aws:states:::lambda:invoke") {
		return catalog.Task{}, false
	}
	var p struct {
		FunctionName string
		Payload      json.RawMessage
		PayloadPath  json.RawMessage `json:"Payload.$"`
	}
	d := json.NewDecoder(bytes.NewReader(s.Parameters))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%s: a task is called with FunctionName and Payload: %v", s.Name, err)
	}
	for _, task := range catalog.All() {
		if task.Placeholder() == p.FunctionName {
			return task, true
		}
	}
	t.Errorf("%s calls %s, which is not in the catalogue", s.Name, p.FunctionName)
	return catalog.Task{}, false
}

func TestWorkflowsAreValidAndLinted(t *testing.T) {
	for name, d := range definitions(t) {
		for _, m := range workflows.All() {
			if m.File != name {
				continue
			}
			machineType := asl.Standard
			if m.Express {
				machineType = asl.Express
			}
			for _, diag := range d.ValidateAs(machineType) {
				t.Errorf("%s.asl.json:%d:%d: %s [%s, as %s]", name, diag.Pos.Line, diag.Pos.Column, diag.Message, diag.Code, m.Name)
			}
		}
		for _, diag := range d.Lint() {
			t.Errorf("%s.asl.json:%d:%d: %s [%s]", name, diag.Pos.Line, diag.Pos.Column, diag.Message, diag.Rule)
		}
	}
}

func TestMachinesAreTheFiles(t *testing.T) {
	files := map[string]bool{}
	for _, m := range workflows.All() {
		files[m.File] = true
		if m.Why == "" {
			t.Errorf("%s: no reason for its type", m.Name)
		}
	}
	if diff := cmp.Diff(workflows.Names(), slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files (-) and machines (+) differ:\n%s", diff)
	}
	if _, err := workflows.Source("scan-stock"); err == nil || !strings.Contains(err.Error(), "scan-stack") {
		t.Errorf("an unknown workflow: %v", err)
	}
}

func TestTasksNamedAreTheCatalogue(t *testing.T) {
	named := map[string]bool{}
	for _, d := range definitions(t) {
		for _, s := range d.All() {
			if task, ok := function(t, s); ok {
				named[task.Name] = true
			}
		}
	}
	named["Intake"] = true          // the one that starts workflows
	named["CheckCompliance"] = true // which AWS Config calls
	named["CheckHook"] = true       // which CloudFormation calls
	named["Deliver"] = true         // which a queue calls
	named["SweepApprovals"] = true  // which a schedule calls
	named["AnchorLedger"] = true    // which a schedule calls
	named["ApprovalPage"] = true    // which API Gateway calls
	named["SignIn"] = true          // which API Gateway calls
	var listed []string
	for _, task := range catalog.All() {
		listed = append(listed, task.Name)
	}
	slices.Sort(listed)
	if diff := cmp.Diff(listed, slices.Sorted(maps.Keys(named))); diff != "" {
		t.Errorf("catalogue (-) and tasks called by workflows (+) differ:\n%s", diff)
	}
}

func TestPlaceholdersAreKnown(t *testing.T) {
	known := map[string]bool{workflows.BucketPlaceholder: true}
	for _, task := range catalog.All() {
		known[task.Placeholder()] = true
	}
	for _, m := range workflows.All() {
		known[m.Placeholder()] = true
	}
	placeholder := regexp.MustCompile(`\$\{[^}]*\}`)
	for _, name := range workflows.Names() {
		src, err := workflows.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(src) {
			t.Errorf("%s does not parse as it lies", name)
		}
		for _, p := range placeholder.FindAllString(string(src), -1) {
			if !known[p] {
				t.Errorf("%s: placeholder %s is no task, workflow or bucket", name, p)
			}
		}
	}
}

// integrations are what workflows may call: portable to the emulators, and
// testable on the engine.
var integrations = map[string]string{
	"arn:aws:states:::lambda:invoke":                  "our tasks",
	"arn:aws:states:::lambda:invoke.waitForTaskToken": "a person decides",
	"arn:aws:states:::states:startExecution":          "start and go on",
	"arn:aws:states:::aws-sdk:sfn:startSyncExecution": "an Express child, waited for",
}

func TestIntegrationsAreAllowed(t *testing.T) {
	each(t, func(t *testing.T, _ string, s *asl.State) {
		if s.Type == "Task" && integrations[s.Resource] == "" {
			t.Errorf("%s: %s is not one of %v", s.Name, s.Resource, slices.Sorted(maps.Keys(integrations)))
		}
		if s.ItemReader != nil && !strings.Contains(string(s.ItemReader), "arn:aws:states:::s3:") {
			t.Errorf("%s reads items from elsewhere than S3: %s", s.Name, s.ItemReader)
		}
	})
}

// lambdaErrors are the Lambda service's own errors, which every call of a task retries.
var lambdaErrors = []string{
	"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
	"Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException",
}

func TestRetriesHaveTheHousesShape(t *testing.T) {
	retryable := map[string]bool{}
	for _, e := range catalog.Errors {
		retryable[e.Name] = e.Retry
	}
	each(t, func(t *testing.T, _ string, s *asl.State) {
		task, ok := function(t, s)
		if !ok {
			return
		}
		if len(s.Retry) != 2 {
			t.Errorf("%s has %d retriers, want one for Lambda's errors and one for the task's", s.Name, len(s.Retry))
			return
		}
		if diff := cmp.Diff(lambdaErrors, s.Retry[0].ErrorEquals); diff != "" {
			t.Errorf("%s: first retrier (-want +got):\n%s", s.Name, diff)
		}
		var want []string
		for _, e := range catalog.Errors {
			if e.Retry && slices.Contains(task.Errors, e.Name) {
				want = append(want, e.Name)
			}
		}
		if diff := cmp.Diff(want, s.Retry[1].ErrorEquals); diff != "" {
			t.Errorf("%s: second retrier, the errors of %s that are worth a retry (-want +got):\n%s", s.Name, task.Name, diff)
		}
		for _, r := range s.Retry {
			if r.JitterStrategy != "FULL" || r.MaxDelaySeconds == nil {
				t.Errorf("%s: a retrier without full jitter or without a longest delay", s.Name)
			}
			if task.Mutates && (slices.Contains(r.ErrorEquals, "States.ALL") || slices.Contains(r.ErrorEquals, "States.Timeout")) {
				t.Errorf("%s: %s changes something, and is retried on %v", s.Name, task.Name, r.ErrorEquals)
			}
		}
		if s.Callback() && s.Has("TimeoutSecondsPath") {
			return // it waits for people, as long as the plan says
		}
		var seconds float64
		if err := json.Unmarshal(s.TimeoutSeconds, &seconds); err != nil || seconds <= task.Timeout.Seconds() {
			t.Errorf("%s waits %s s, not longer than the %v of %s", s.Name, s.TimeoutSeconds, task.Timeout, task.Name)
		}
	})
}

// fallbacks are the catches that lead elsewhere than the house's rule says, with the reason.
var fallbacks = map[string]string{
	"report-failure/RecordFailure": "a failure that cannot be kept is told all the more",
	"scan-estate/RecordLostTarget": "report-failure keeps the failure too",
	"report-failure/NotifyFailure": "this is where failures end: nobody is left to report to",

	"remediate-finding/WaitForApproval": "whatever ended the wait, the ledger says what was decided",
	"remediate-finding/ApplyChange":     "asked again under the same token, it answers whether it was made",
	"remediate-finding/ApplyAgain":      "what may have been made is taken back first",
	"remediate-finding/VerifyChange":    "a change that cannot be verified is taken back first",
	"remediate-finding/UndoChange":      "asked again, it looks what is left",
	"remediate-finding/UndoAgain":       "it is recorded and told as half done",
	"remediate-finding/RecordChange":    "the ledger takes the same entry once",
	"remediate-finding/TellChange":      "rather twice, under the same ID, than never",
	"remediate-finding/ReleaseLeases":   "leases expire by themselves",
	"remediate-finding/DropLeases":      "leases expire by themselves, and the failure is reported already",
	"review-violation/RemediateFinding": "a change that is not begun is reported",
	"review-violation/WaitForReview":    "whatever ended the wait, the ledger says what was decided",
	"review-violation/RecordChange":     "the ledger takes the same entry once",
	"review-violation/TellChange":       "rather twice, under the same ID, than never",
	"review-violation/ReleaseLeases":    "leases expire by themselves",
	"review-violation/DropLeases":       "leases expire by themselves, and the failure is reported already",
	"scan-stack/SelectReviews":          "the scan has its result all the same: that nobody reviews is reported apart",
	"scan-stack/ForEachReview":          "the scan has its result all the same: that nobody reviews is reported apart",
	"scan-stack/ReviewViolation":        "the review is what it starts: one that is not begun ends the Map, which is reported",
	"check-resource/ReviewViolation":    "the review is what it starts: one that is not begun fails the check, which is reported",
}

func TestCatchesKeepTheErrorAndReportIt(t *testing.T) {
	used := map[string]bool{}
	for name, d := range definitions(t) {
		for m, s := range d.All() {
			for _, c := range s.Catch {
				want := []string{"States.ALL"}
				if s.Type == "Parallel" {
					// Its branches catch all that States.ALL means, so what is left is the error that has to be named.
					want = []string{"States.DataLimitExceeded"}
				}
				if diff := cmp.Diff(want, c.ErrorEquals); diff != "" {
					t.Errorf("%s/%s: a catch of %v (-want +got):\n%s", name, s.Name, c.ErrorEquals, diff)
				}
				if path := string(c.ResultPath); path == "" || path == "null" || path == `"$"` {
					t.Errorf("%s/%s: a catch loses the error or the input", name, s.Name)
				}
				next := m.State(c.Next)
				switch {
				case fallbacks[name+"/"+s.Name] != "":
					used[name+"/"+s.Name] = true
				case strings.HasSuffix(s.Resource, "states:startExecution"):
					// What cannot even be reported goes where it would have gone.
					if c.Next != s.Next {
						t.Errorf("%s/%s: the catch leads to %s, not on to %s", name, s.Name, c.Next, s.Next)
					}
				case m.Owner() == nil:
					if c.Next != "RecordFailure" {
						t.Errorf("%s/%s: the catch leads to %s, not to RecordFailure", name, s.Name, c.Next)
					}
				case next.Type != "Pass" || !strings.HasPrefix(c.Next, "Set") || !strings.HasSuffix(c.Next, "Failed"):
					t.Errorf("%s/%s: within a branch the catch leads to %s, not to a Pass Set…Failed", name, s.Name, c.Next)
				}
			}
			if calls := s.Type == "Task" || s.Type == "Parallel" || s.Type == "Map"; calls && len(s.Catch) != 1 {
				t.Errorf("%s/%s has %d catches, want 1", name, s.Name, len(s.Catch))
			}
		}
	}
	for f := range fallbacks {
		if !used[f] {
			t.Errorf("fallback %s is not used", f)
		}
	}
}

func TestErrorNamesAreTheCatalogues(t *testing.T) {
	foreign := regexp.MustCompile(`^(States|Lambda|StepFunctions|Sfn)\.`)
	named := map[string]bool{}
	each(t, func(t *testing.T, _ string, s *asl.State) {
		for _, r := range s.Retry {
			for _, e := range r.ErrorEquals {
				named[e] = true
			}
		}
		for _, c := range s.Catch {
			for _, e := range c.ErrorEquals {
				named[e] = true
			}
		}
	})
	retry := map[string]bool{}
	for _, e := range catalog.Errors {
		retry[e.Name] = e.Retry
	}
	for e := range named {
		if _, ok := retry[e]; !ok && !foreign.MatchString(e) {
			t.Errorf("a workflow handles %q, which no task reports", e)
		}
	}
	for e, worth := range retry {
		if named[e] != worth {
			t.Errorf("error %q: named in a workflow: %v; worth a retry: %v", e, named[e], worth)
		}
	}
}

func TestEvaluationsDifferInTheirDomainOnly(t *testing.T) {
	all := definitions(t)["scan-stack"].State("AllRuleSets")
	var first string
	for i, b := range all.Branches {
		task, ok := function(t, b.States[0])
		if !ok {
			t.Fatalf("branch %d calls no task", i)
		}
		domain := task.Env[catalog.DomainVar]
		var p struct {
			Domain string `json:"domain"`
		}
		if err := json.Unmarshal(b.States[1].Parameters, &p); err != nil || p.Domain != domain {
			t.Errorf("branch %d judges %q and reports the loss of %q (%v)", i, domain, p.Domain, err)
		}
		shape, err := json.Marshal([]any{b.States[0].Retry, b.States[0].ResultSelector, b.States[0].TimeoutSeconds})
		if err != nil {
			t.Fatal(err)
		}
		shape = regexp.MustCompile(`"Pos":\{[^}]*\}`).ReplaceAll(shape, nil)
		if i == 0 {
			first = string(shape)
		} else if diff := cmp.Diff(first, string(shape)); diff != "" {
			t.Errorf("branch %d differs from the first:\n%s", i, diff)
		}
	}
}
