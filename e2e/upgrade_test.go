//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

// nextVersion makes, in a folder of its own, an assembly that differs from the
// deployed one of a region as a release does: descriptions, a schedule, the code
// of Intake, and the definition of ReviewViolation.
func nextVersion(region string) (string, error) {
	made, next := filepath.Join(suite.folder, "cdk.out"), filepath.Join(suite.folder, "cdk.next")
	entries, err := os.ReadDir(made)
	if err := errors.Join(err, os.RemoveAll(next), os.MkdirAll(next, 0o755)); err != nil {
		return "", err
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(made, e.Name()), filepath.Join(next, e.Name())); err != nil {
			return "", err
		}
	}
	stack := "PlumblineSuite-" + region
	t, err := readTemplate(filepath.Join(made, stack+".template.json"))
	if err != nil {
		return "", err
	}
	intake, err := t.only("AWS::Lambda::Function", "IngestIntake")
	if err != nil {
		return "", err
	}
	code, _ := intake.Properties["Code"].(map[string]any)
	old := strings.TrimSuffix(fmt.Sprint(code["S3Key"]), ".zip")
	renamed := map[string]string{old: hash([]byte(old))} // hashes of what was uploaded, and of what is now
	if err := newCode(next, old, renamed[old]); err != nil {
		return "", err
	}
	for id, r := range t.Resources {
		switch {
		case r.Type == "AWS::Lambda::Function":
			r.Properties["Description"] = fmt.Sprint(r.Properties["Description"], " (next)")
		case r.Type == "AWS::Events::Rule" && strings.HasPrefix(id, "IngestDaily"):
			r.Properties["ScheduleExpression"] = "cron(0 4 * * ? *)"
		case r.Type == "AWS::StepFunctions::StateMachine" && strings.HasPrefix(id, "ProcessingReviewViolation"):
			r.Properties["DefinitionString"] = strings.Replace(fmt.Sprint(r.Properties["DefinitionString"]), `"Comment": "`, `"Comment": "Next. `, 1)
		}
	}
	body, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	body = bytes.ReplaceAll(body, []byte(old), []byte(renamed[old]))
	assets, err := os.ReadFile(filepath.Join(made, stack+".assets.json"))
	if err != nil {
		return "", err
	}
	template := regexp.MustCompile(`"([0-9a-f]{64})": \{\s*"displayName": "[^"]*",\s*"source": \{\s*"path": "` + stack + `\.template\.json"`).FindSubmatch(assets)
	if template == nil {
		return "", fmt.Errorf("%s.assets.json does not name the template", stack)
	}
	renamed[string(template[1])] = hash(body)
	manifest, err := os.ReadFile(filepath.Join(made, "manifest.json"))
	if err != nil {
		return "", err
	}
	for was, is := range renamed {
		assets, manifest = bytes.ReplaceAll(assets, []byte(was), []byte(is)), bytes.ReplaceAll(manifest, []byte(was), []byte(is))
	}
	for name, content := range map[string][]byte{stack + ".template.json": body, stack + ".assets.json": assets, "manifest.json": manifest} {
		if err := errors.Join(os.Remove(filepath.Join(next, name)), os.WriteFile(filepath.Join(next, name), content, 0o644)); err != nil {
			return "", err
		}
	}
	return next, nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// newCode makes a function's zip another one.
func newCode(folder, was, is string) error {
	to := filepath.Join(folder, "asset."+is)
	return errors.Join(os.CopyFS(to, os.DirFS(filepath.Join(folder, "asset."+was))), os.WriteFile(filepath.Join(to, "version"), []byte("next\n"), 0o644))
}

// TestUpgrade deploys the next version over this one while people decide on a
// change. Rows and reports are what they were, and what waited ends as it would
// have. All tests that run later see the next version.
func TestUpgrade(t *testing.T) {
	r := in(regions[0])
	at := time.Now().Truncate(time.Second)
	arn := r.put(t, "Outliving", flawed)
	r.scan(t, "ScanStack", stackChanged(r, arn, "CREATE_COMPLETE", at))
	id, group := ask(t, r, "Pending")
	rows, reports := r.rows(t, "Outliving"), r.objects(t, "reports/Outliving/")
	report := r.read(t, reports[0])
	before, err := r.outputs(t.Context(), "PlumblineData")
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	deployed, err := r.functions.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("PlumblineIntake")})
	if err != nil {
		t.Fatal(err)
	}

	next, err := nextVersion(r.name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := cdk(ctx, suite.stack, next, "deploy", "PlumblineData-"+r.name, "PlumblineSuite-"+r.name, "--require-approval", "never", "--exclusively"); err != nil {
		t.Fatal(err)
	}
	if err := keepLostCalls(ctx, r); err != nil {
		t.Fatal(err)
	}
	updated, err := r.functions.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("PlumblineIntake")})
	if err != nil || !strings.HasSuffix(aws.ToString(updated.Description), "(next)") || aws.ToString(updated.CodeSha256) == aws.ToString(deployed.CodeSha256) {
		t.Fatalf("Intake is %q with code %s as before: %v", aws.ToString(updated.Description), aws.ToString(updated.CodeSha256), err)
	}
	machine, err := r.sfn.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(r.machine("ReviewViolation"))})
	if err != nil || !strings.Contains(aws.ToString(machine.Definition), "Next. ") {
		t.Errorf("the definition of ReviewViolation is the former one: %v", err)
	}

	after, err := r.outputs(t.Context(), "PlumblineData")
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("what keeps data is another one: %v (-before +after):\n%s", err, diff)
	}
	key := func(x row) string { return x.text("resourceId") + " " + x.text("timestamp") + " " + x.text("status") }
	if diff := cmp.Diff(sorted(rows, key), sorted(r.rows(t, "Outliving"), key)); diff != "" {
		t.Errorf("rows (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(reports, r.objects(t, "reports/Outliving/")); diff != "" || !bytes.Equal(report, r.read(t, reports[0])) {
		t.Errorf("reports (-before +after):\n%s", diff)
	}

	// The new functions finish what the old definition began.
	page := r.site(t)
	plan := page.show(t, id, signed(t, "ann@example.com", nil))
	for _, who := range []string{"ann@example.com", "bob@example.com"} {
		if status, body := page.decide(t, id, who, plan.Plan, "approve"); status != http.StatusOK {
			t.Errorf("the approval of %s was answered by %d %s", who, status, body)
		}
	}
	if ended, _ := outcome(t, r.changes(t, "RemediateFinding", group, 1)[remoteDesktop]); ended != "applied" || r.open(t, group) {
		t.Errorf("the change that waited ended as %q, and the group is open: %v", ended, r.open(t, group))
	}
	for _, d := range r.changesOf(t, "ReviewViolation", group) {
		if d.Status != sfntypes.ExecutionStatusSucceeded {
			t.Errorf("the review that waited ended as %s: %s", d.Status, aws.ToString(d.Cause))
		}
	}
	r.scan(t, "ScanStack", stackChanged(r, arn, "UPDATE_COMPLETE", at.Add(time.Hour)))
	if got := of(r.rows(t, "Outliving"), "ec2-security-group-open-ssh", "Bastion"); got.text("status") != "open" || got.text("timestamp") != of(rows, "ec2-security-group-open-ssh", "Bastion").text("timestamp") {
		t.Errorf("the next version's scan makes %v of the violation", got)
	}
}

func sorted(rows []row, key func(row) string) []string {
	var out []string
	for _, r := range rows {
		out = append(out, key(r))
	}
	slices.Sort(out)
	return out
}

// destroy takes the suite away as `make destroy` does, and holds what stays to
// what docs/deploy.md says: the stack of what is kept, with its rows and reports.
func destroy(ctx context.Context, e *emulator) error {
	made := filepath.Join(suite.folder, "cdk.out")
	args := []string{"destroy", "--force", "--exclusively"}
	for _, name := range regions {
		args = append(args, "PlumblineSuite-"+name)
	}
	if err := cdk(ctx, e, made, args...); err != nil {
		return err
	}
	var problems []error
	for _, name := range regions {
		r := newRegion(e.url, name)
		functions, err := r.functions.ListFunctions(ctx, &lambda.ListFunctionsInput{})
		if err != nil {
			return err
		}
		machines, err := r.sfn.ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
		if err != nil {
			return err
		}
		if len(functions.Functions)+len(machines.StateMachines) > 0 {
			problems = append(problems, fmt.Errorf("%s: %d functions and %d state machines outlive the suite", name, len(functions.Functions), len(machines.StateMachines)))
		}
		d, err := r.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("PlumblineSuite")})
		if err == nil && !strings.HasPrefix(string(d.Stacks[0].StackStatus), "DELETE_COMPLETE") {
			problems = append(problems, fmt.Errorf("%s: PlumblineSuite is %s", name, d.Stacks[0].StackStatus))
		}
		outputs, err := r.outputs(ctx, "PlumblineData")
		if err != nil {
			return fmt.Errorf("%s: PlumblineData is gone with the suite: %w", name, err)
		}
		rows, err := r.dynamodb.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(outputs["FindingsTable"]), Limit: aws.Int32(1)})
		if err != nil || rows.Count == 0 {
			problems = append(problems, fmt.Errorf("%s: the findings did not outlive the suite: %w", name, err))
		}
		reports, err := r.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(outputs["ReportBucket"]), Prefix: aws.String("reports/"), MaxKeys: aws.Int32(1)})
		if err != nil || len(reports.Contents) == 0 {
			problems = append(problems, fmt.Errorf("%s: the reports did not outlive the suite: %w", name, err))
		}
	}
	return errors.Join(problems...)
}
