//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// TestThrottledTable: a table that is too busy for a while costs a scan time; one
// that stays too busy costs the scan, which is recorded and told.
func TestThrottledTable(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Busy", flawed)
	for _, tc := range []struct {
		name  string
		times int64 // the SDK tries a call 3 times before the function fails and is tried again
		want  sfntypes.ExecutionStatus
	}{
		// Failing comes first: what it could not write, the next scan writes.
		{"for good", 0, sfntypes.ExecutionStatusFailed},
		{"for a while", 12, sfntypes.ExecutionStatusSucceeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			boxes := subscribe(t, r)
			f := suite.faults.inject(t, throttledTable("UpdateItem", "/Busy/Bastion", tc.times))
			end := r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", time.Now()))
			if end.Status != tc.want {
				t.Errorf("the execution ended as %s, want %s: %s", end.Status, tc.want, aws.ToString(end.Cause))
			}
			if n := f.met.Load(); n <= tc.times || n <= 3 {
				t.Errorf("the table was called %d times, want more than the %d that it refuses", n, tc.times)
			}
			open := of(r.rows(t, "Busy"), "ec2-security-group-open-ssh", "Bastion")
			failures := func() []letter {
				return slices.DeleteFunc(boxes.letters(t, "Busy"), func(l letter) bool { return l.attributes["kind"] != "failure" })
			}
			if tc.want == sfntypes.ExecutionStatusSucceeded {
				if open == nil || len(failures()) > 0 {
					t.Errorf("the row is %v, and people were told of failures: %+v", open, failures())
				}
				return
			}
			if got := aws.ToString(end.Error); got != "Throttled" {
				t.Errorf("the execution's error is %q, want Throttled", got)
			}
			if open != nil {
				t.Errorf("a table that takes nothing has %v", open)
			}
			wantFailure(t, r, end, "Throttled")
			until(t, 20*time.Second, func() error {
				if len(failures()) == 0 {
					return fmt.Errorf("nobody was told that the scan failed")
				}
				return nil
			})
		})
	}
}

// wantFailure waits for the record of a failed execution and holds it to an error's name.
func wantFailure(t *testing.T, r *region, end *sfn.DescribeExecutionOutput, name string) {
	t.Helper()
	until(t, 20*time.Second, func() error {
		keys := r.objects(t, "failures/"+aws.ToString(end.Name)+"/")
		if len(keys) != 1 {
			return fmt.Errorf("failures of %s = %q, want one", aws.ToString(end.Name), keys)
		}
		var failure struct{ Error, Cause string }
		if err := json.Unmarshal(r.read(t, keys[0]), &failure); err != nil {
			return err
		}
		if failure.Error != name {
			return fmt.Errorf("the failure is %+v, want %s", failure, name)
		}
		return nil
	})
}

// without takes a variable from a function's environment, so that its process
// ends at its start, and returns what gives it back.
func (r *region) without(t *testing.T, function, variable string) (restore func()) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	name := aws.String("Plumbline" + function)
	was, err := r.functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name})
	if err != nil {
		t.Fatal(err)
	}
	set := func(variables map[string]string) {
		if _, err := r.functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: name, Environment: &lambdatypes.Environment{Variables: variables},
		}); err != nil {
			t.Error(err)
		}
	}
	less := map[string]string{}
	for k, v := range was.Environment.Variables {
		if k != variable {
			less[k] = v
		}
	}
	if len(less) == len(was.Environment.Variables) {
		t.Fatalf("%s has no variable %s", function, variable)
	}
	set(less)
	restore = sync.OnceFunc(func() { set(was.Environment.Variables) })
	t.Cleanup(restore)
	return restore
}

// TestDeadFunction: a domain whose function dies is lost to one scan, which says
// so and takes nothing for resolved; the others are judged. It changes a
// function that all share, and so runs by itself.
func TestDeadFunction(t *testing.T) {
	r := in(regions[0])
	id := r.put(t, "Wounded", flawed)
	at := time.Now().Truncate(time.Second)
	first := r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", at))
	checkDomains(t, r, aws.ToString(first.Name))

	boxes := subscribe(t, r)
	restore := r.without(t, "EvaluateNetwork", "REPORT_BUCKET")
	end := r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", at.Add(time.Minute)))
	if end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	checkDomains(t, r, aws.ToString(end.Name), "network")
	rows := r.rows(t, "Wounded")
	if got := of(rows, "ec2-security-group-open-ssh", "Bastion"); got.text("status") != "new" {
		t.Errorf("what the lost domain had found is %s now", got.text("status"))
	}
	if got := of(rows, "s3-bucket-logging", "Cards"); got.text("status") != "open" {
		t.Errorf("what another domain found is %s, want open", got.text("status"))
	}
	partial := slices.DeleteFunc(boxes.letters(t, "Wounded"), func(l letter) bool { return l.attributes["kind"] != "partial" })
	if len(partial) == 0 || !strings.Contains(partial[0].Body, "network") {
		t.Errorf("messages of the lost domain: %+v", partial)
	}

	restore()
	again := r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", at.Add(2*time.Minute)))
	checkDomains(t, r, aws.ToString(again.Name))
	if got := of(r.rows(t, "Wounded"), "ec2-security-group-open-ssh", "Bastion"); got.text("status") != "open" {
		t.Errorf("with the function alive again the violation is %s, want open", got.text("status"))
	}
}

// TestDeadStore: a scan whose findings cannot be stored fails, and is recorded
// and told of by another workflow.
func TestDeadStore(t *testing.T) {
	r := in(regions[1])
	id := r.put(t, "Unstored", flawed)
	boxes := subscribe(t, r)
	r.without(t, "PersistFindings", "FINDINGS_TABLE")
	end := r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", time.Now()))
	if end.Status != sfntypes.ExecutionStatusFailed || !strings.HasPrefix(aws.ToString(end.Error), "Runtime.") {
		t.Errorf("the execution ended as %s of %s, want a failure of Runtime.…", end.Status, aws.ToString(end.Error))
	}
	wantFailure(t, r, end, aws.ToString(end.Error))
	if rows := r.rows(t, "Unstored"); len(rows) > 0 {
		t.Errorf("there are %d rows of what could not be stored", len(rows))
	}
	until(t, 20*time.Second, func() error {
		for _, l := range boxes.letters(t, "Unstored") {
			if l.attributes["kind"] == "failure" {
				return nil
			}
		}
		return fmt.Errorf("nobody was told that the scan failed")
	})
}

// TestPoisonedEvents: what no event of ours looks like starts nothing, and lies
// in the queue of lost calls once it has failed three times.
func TestPoisonedEvents(t *testing.T) {
	r := in(regions[0])
	c, err := r.functions.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("PlumblineIntake")})
	if err != nil {
		t.Fatal(err)
	}
	arn := aws.ToString(c.DeadLetterConfig.TargetArn)
	queue, err := r.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(arn[strings.LastIndex(arn, ":")+1:])})
	if err != nil {
		t.Fatal(err)
	}
	before := len(r.executions(t, "ScanStack")) + len(r.executions(t, "ScanEstate"))
	at := time.Now()
	hostile := stackChanged(r, "arn:aws:cloudformation:us-east-1:000000000000:stack/"+strings.Repeat("A", 300_000)+"/../../x", "", at)
	number := stackChanged(r, "", "CREATE_COMPLETE", at)
	number["detail"] = 7
	nobody := stackChanged(r, "arn:aws:cloudformation:us-east-1:000000000000:stack/a/b", "CREATE_COMPLETE", at)
	delete(nobody, "id")
	sent := map[string]event{
		"no stack's id": stackChanged(r, "Payments", "CREATE_COMPLETE", at), "huge, without a status": hostile,
		"a detail that is a number": number, "no id": nobody, "of another service": newEvent(r, "aws.ec2", "EC2 Instance State-change Notification", at, map[string]any{}),
	}
	for name, e := range sent {
		a, err := r.invoke(t.Context(), "Intake", e)
		if err != nil || a.ErrorType != "BadInput" {
			t.Errorf("%s: answered by %.300v, %v, want BadInput", name, a, err)
		}
		if name == "huge, without a status" {
			continue // an asynchronous call takes 256 KB
		}
		if err := r.deliver(t.Context(), e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	kept := map[string]bool{}
	until(t, 30*time.Second, func() error {
		out, err := r.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600})
		if err != nil {
			return err
		}
		for _, m := range out.Messages {
			kept[aws.ToString(m.Body)] = true
		}
		if len(kept) < len(sent)-1 {
			return fmt.Errorf("%d events lie in the queue, want %d", len(kept), len(sent)-1)
		}
		return nil
	})
	if after := len(r.executions(t, "ScanStack")) + len(r.executions(t, "ScanEstate")); after != before {
		t.Errorf("%d executions were started", after-before)
	}
}

// TestAbortedScan: an execution that is ended from outside cannot say so itself.
// The rule for that has it recorded and people told.
func TestAbortedScan(t *testing.T) {
	r := in(regions[1])
	id := r.put(t, "Cut", flawed)
	boxes := subscribe(t, r)
	// The table is busy for so long that there is something to abort.
	suite.faults.inject(t, throttledTable("UpdateItem", "/Cut/", 0))
	a, err := r.invoke(t.Context(), "Intake", stackChanged(r, id, "CREATE_COMPLETE", time.Now()))
	if err != nil || !a.Started {
		t.Fatalf("nothing was started: %+v, %v", a, err)
	}
	arn := strings.Replace(r.machine("ScanStack"), ":stateMachine:", ":execution:", 1) + ":" + a.Execution
	if _, err := r.sfn.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &arn}); err != nil {
		t.Fatal(err)
	}
	end := r.await(t, "ScanStack", a.Execution)
	if end.Status != sfntypes.ExecutionStatusAborted {
		t.Fatalf("the execution ended as %s", end.Status)
	}
	wantFailure(t, r, end, "ABORTED")
	until(t, 20*time.Second, func() error {
		for _, l := range boxes.letters(t, "Cut") {
			if l.attributes["kind"] == "failure" {
				return nil
			}
		}
		return fmt.Errorf("nobody was told that the scan was aborted")
	})
}

// TestDuplicates: an event that is delivered ten times at once is scanned once.
func TestDuplicates(t *testing.T) {
	r := in(regions[1])
	id := r.put(t, "Twice", closed)
	e := stackChanged(r, id, "CREATE_COMPLETE", time.Now())
	before := len(r.executions(t, "ScanStack"))
	var group sync.WaitGroup
	var mu sync.Mutex
	var name string
	started := 0
	for range 10 {
		group.Go(func() {
			a, err := r.invoke(t.Context(), "Intake", e)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case a.Started:
				started, name = started+1, a.Execution
			case !strings.Contains(a.Reason, "was delivered before"):
				t.Errorf("answered by %+v", a)
			}
		})
	}
	group.Wait()
	if started != 1 {
		t.Errorf("%d of the ten started a scan, want 1", started)
	}
	if after := len(r.executions(t, "ScanStack")); after != before+1 {
		t.Errorf("%d executions were started, want 1", after-before)
	}
	if end := r.await(t, "ScanStack", name); end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Errorf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
}

// TestOutOfOrder: the event of an earlier change that comes after that of a
// later one moves nothing back.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	at := time.Now().Truncate(time.Second)
	id := r.put(t, "Late", flawed)
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", at))
	r.put(t, "Late", closed)
	r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", at.Add(10*time.Minute)))
	before := r.rows(t, "Late")
	if got := of(before, "ec2-security-group-open-ssh", "Bastion").text("status"); got != "resolved" {
		t.Fatalf("the mended violation is %s", got)
	}
	boxes := subscribe(t, r)
	if end := r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_ROLLBACK_COMPLETE", at.Add(5*time.Minute))); end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Errorf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	after := r.rows(t, "Late")
	if len(after) != len(before) {
		t.Errorf("there are %d rows, and were %d", len(after), len(before))
	}
	for _, was := range before {
		i := slices.IndexFunc(after, func(is row) bool {
			return is.text("resourceId") == was.text("resourceId") && is.text("timestamp") == was.text("timestamp")
		})
		if i < 0 {
			t.Errorf("the row %s of %s is gone", was.text("timestamp"), was.text("resourceId"))
		} else if is := after[i]; is.text("status") != was.text("status") || is.text("lastSeen") != was.text("lastSeen") {
			t.Errorf("%s of %s went from %s at %s to %s at %s", was.text("violationType"), was.text("resourceId"), was.text("status"), was.text("lastSeen"), is.text("status"), is.text("lastSeen"))
		}
	}
	if told := boxes.letters(t, "Late"); len(told) > 0 {
		t.Errorf("people were told: %+v", told)
	}
}
