package asl

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tidy is a machine with nothing to complain of.
const tidy = `{
  "Comment": "Runs once a day; safe to run twice.",
  "QueryLanguage": "JSONPath",
  "StartAt": "FetchBuckets",
  "States": {
    "FetchBuckets": {
      "Comment": "Read only.",
      "Type": "Task",
      "Resource": "arn:aws:states:::lambda:invoke",
      "TimeoutSeconds": 600,
      "Retry": [
        {"ErrorEquals": ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
           "Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException"],
         "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6, "JitterStrategy": "FULL"},
        {"ErrorEquals": ["NotFound"], "MaxAttempts": 0}],
      "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "FetchFailed"}],
      "Next": "HasBuckets"
    },
    "HasBuckets": {
      "Comment": "An empty account is done.",
      "Type": "Choice",
      "Choices": [{"Variable": "$.buckets[0]", "IsPresent": true, "Next": "ForEachBucket"}],
      "Default": "ScanDone"
    },
    "ForEachBucket": {
      "Comment": "Ten at a time.",
      "Type": "Map",
      "ItemProcessor": {"StartAt": "WaitForTurn", "States": {
        "WaitForTurn": {"Comment": "Spares the API.", "Type": "Wait", "Seconds": 1, "Next": "WaitForApproval"},
        "WaitForApproval": {"Comment": "A day.", "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "HeartbeatSeconds": 86400, "Next": "SetApproved"},
        "SetApproved": {"Comment": "Ends the branch.", "Type": "Pass", "End": true}
      }},
      "Next": "AllChecks"
    },
    "AllChecks": {
      "Comment": "One branch a domain.",
      "Type": "Parallel",
      "Branches": [{"StartAt": "SetDomain", "States": {"SetDomain": {"Comment": "For the report.", "Type": "Pass", "End": true}}}],
      "Next": "ScanDone"
    },
    "FetchFailed": {"Comment": "Dirty.", "Type": "Fail"},
    "ScanDone": {"Comment": "Clean.", "Type": "Succeed"}
  }
}`

func TestLintTidy(t *testing.T) {
	d := mustParse(t, tidy)
	if got := d.Lint(); len(got) > 0 {
		t.Errorf("a tidy machine: %v", got)
	}
	if got := d.Validate(); len(got) > 0 {
		t.Errorf("the tidy machine is not valid: %v", got)
	}
}

func TestLintRules(t *testing.T) {
	tests := []struct {
		rule, old, new string
		want           []string
	}{
		{"machine-comment", `"Comment": "Runs once a day; safe to run twice.",`, "", []string{"1:1: the state machine has no Comment. say what starts it, what it takes and gives, and whether it may run twice"}},
		{"state-comment", `"Comment": "Dirty.", `, "", []string{`41:5: state "FetchFailed" has no Comment. say why it is there or what it guarantees`}},
		{"state-comment", `"Dirty."`, `"Fetch failed!"`, []string{`41:21: the comment of state "FetchFailed" repeats its name. say why it is there or what it guarantees`}},
		{"query-language", `"QueryLanguage": "JSONPath",`, "", []string{`1:1: the state machine does not name its query language. add "QueryLanguage": "JSONPath" or "JSONata" at the top`}},
		{"query-language", `"Dirty."`, `"Dirty.", "QueryLanguage": "JSONata"`, []string{`41:42: state "FetchFailed" chooses a query language for itself. remove it: the language is chosen once, at the top`}},
		{"state-name-case", `FetchFailed`, `fetch buckets_FAILED`, []string{`41:5: state name "fetch buckets_FAILED" is not PascalCase. use letters and digits only, such as "FetchBucketsFailed"`}},
		{"state-name-case", `FetchFailed`, `A`, []string{`41:5: state name "A" has no lower-case letter. name it after what it does, in PascalCase, such as FetchBuckets`}},
		{"state-name-case", `FetchFailed`, `FAILED`, []string{`41:5: state name "FAILED" is not PascalCase. use letters and digits only, such as "Failed"`}},
		{"state-name-case", `FetchFailed`, strings.Repeat("Fetch", 17), []string{`41:5: state name "` + strings.Repeat("Fetch", 17) + `" is longer than 80 characters. shorten it`}},
		{"state-name-type", `FetchBuckets`, `Buckets`, []string{`6:5: the name of Task state "Buckets" is no verb and noun. name it after what it does to what, such as FetchBuckets`}},
		{"state-name-type", `HasBuckets`, `CheckBuckets`, []string{`19:5: the name of Choice state "CheckBuckets" does not tell its type. name it Is…, Has…, Needs…`}},
		{"state-name-type", `HasBuckets`, `Hasty`, []string{`19:5: the name of Choice state "Hasty" does not tell its type. name it Is…, Has…, Needs…`}},
		{"state-name-type", `ForEachBucket`, `MapBuckets`, []string{`25:5: the name of Map state "MapBuckets" does not tell its type. name it ForEach…`}},
		{"state-name-type", `WaitForTurn`, `Sleep`, []string{`29:9: the name of Wait state "Sleep" does not tell its type. name it WaitFor…`}},
		{"state-name-type", `WaitForApproval`, `AskApproval`, []string{`30:9: the name of callback state "AskApproval" does not tell its type. name it WaitFor…`}},
		{"state-name-type", `SetApproved`, `Approved`, []string{`31:9: the name of Pass state "Approved" does not tell its type. name it Set…`}},
		{"state-name-type", `AllChecks`, `Checks`, []string{`35:5: the name of Parallel state "Checks" does not tell its type. name it All…`}},
		{"state-name-type", `FetchFailed`, `Failed`, []string{`41:5: the name of Fail state "Failed" does not tell its type. name it …Failed`}},
		{"state-name-type", `ScanDone`, `Finish`, []string{`42:5: the name of Succeed state "Finish" does not tell its type. name it …Done`}},
		{"state-name-unique", `SetDomain`, `SetApproved`, []string{`38:58: state name "SetApproved" is used before, at 31:9. rename one of them`}},
		{"unreachable-state", `"Default": "ScanDone"`, `"Default": "HasBuckets"`, nil},
		{"unreachable-state", `"Next": "WaitForApproval"`, `"End": true`, []string{
			`30:9: state "WaitForApproval" is reached from nowhere. lead a transition to it or remove it`,
			`31:9: state "SetApproved" is reached from nowhere. lead a transition to it or remove it`,
		}},
		{"no-way-out", `"Type": "Pass", "End": true}`, `"Type": "Pass", "Next": "WaitForTurn"}`, []string{
			`29:9: no way leads from state "WaitForTurn" to an end. give the loop a Choice that leaves it`,
			`30:9: no way leads from state "WaitForApproval" to an end. give the loop a Choice that leaves it`,
			`31:9: no way leads from state "SetApproved" to an end. give the loop a Choice that leaves it`,
		}},
		{"end-state", `"Next": "HasBuckets"`, `"End": true`, []string{`17:7: state "FetchBuckets" ends the run itself. lead it with "Next" to a Succeed or Fail state that names the outcome`}},
		{"choice-default", `,
      "Default": "ScanDone"`, "", []string{`19:5: choice "HasBuckets" has no Default. add one: the state to go to when no rule matches`}},
		{"task-timeout", `"TimeoutSeconds": 600,`, "", []string{`6:5: state "FetchBuckets" has no TimeoutSeconds. add one of 1 to 99999999`}},
		{"callback-timeout", `"HeartbeatSeconds": 86400, `, "", []string{`30:9: state "WaitForApproval" waits for an answer without HeartbeatSeconds or TimeoutSeconds. add one of 1 to 99999999`}},
		{"retry-shape", `"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6, `, "", []string{`12:9: a retrier of state "FetchBuckets" leaves IntervalSeconds, BackoffRate, MaxAttempts to the default. write it out`}},
		{"retry-jitter", `"FULL"`, `"NONE"`, []string{`12:9: a retrier of state "FetchBuckets" has no jitter. add "JitterStrategy": "FULL"`}},
		{"lambda-retry", `"Lambda.ServiceException", `, "", []string{`6:5: state "FetchBuckets" does not retry Lambda.ServiceException. add them to a retrier`}},
		{"lambda-retry", `"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",`, `"States.TaskFailed",`, nil},
		{"catch-keeps-error", `"ResultPath": "$.failure", `, "", []string{`16:17: a catcher of state "FetchBuckets" replaces the input with the error. keep both: "ResultPath": "$.failure"`}},
		{"catch-keeps-error", `"$.failure"`, "null", []string{`16:17: a catcher of state "FetchBuckets" drops the error with ResultPath null. keep it beside the input: "ResultPath": "$.failure"`}},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		covered[tt.rule] = true
		t.Run(tt.rule, func(t *testing.T) {
			src := strings.ReplaceAll(tidy, tt.old, tt.new)
			if src == tidy {
				t.Fatalf("%q is not in the machine", tt.old)
			}
			var got []string
			for _, d := range mustParse(t, src).Lint() {
				if d.Rule == tt.rule {
					got = append(got, strings.TrimSuffix(d.String(), " ["+tt.rule+"]"))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, r := range LintRules {
		if !covered[r.Name] {
			t.Errorf("rule %s has no test", r.Name)
		}
		if r.Doc == "" || !strings.HasSuffix(r.Doc, ".") {
			t.Errorf("rule %s: documentation %q", r.Name, r.Doc)
		}
	}
}

func TestLintJSONataCatch(t *testing.T) {
	const src = `{"QueryLanguage":"JSONata","StartAt":"CallIt","States":{"CallIt":{"Type":"Task","Resource":"arn:aws:states:::sns:publish",
	  "Catch":[{"ErrorEquals":["a"],"Next":"ItFailed"},{"ErrorEquals":["b"],"Assign":{"e":"{% $states.errorOutput %}"},"Next":"ItFailed"}],"Next":"ItFailed"},"ItFailed":{"Type":"Fail"}}}`
	var got []string
	for _, d := range mustParse(t, src).Lint() {
		if d.Rule == "catch-keeps-error" {
			got = append(got, d.Location)
		}
	}
	if !slices.Equal(got, []string{"/States/CallIt/Catch[0]"}) {
		t.Errorf("got %v", got)
	}
}

func TestToPascal(t *testing.T) {
	for in, want := range map[string]string{"fetch buckets": "FetchBuckets", "2nd try": "NdTry", "??": "FetchBuckets", "AWS Batch Job": "AwsBatchJob", "été": "T"} {
		if got := toPascal(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
