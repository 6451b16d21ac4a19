//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// region is AWS's API in one region.
type region struct {
	name      string
	cfn       *cloudformation.Client
	dynamodb  *dynamodb.Client
	events    *eventbridge.Client
	functions *lambda.Client
	s3        *s3.Client
	sfn       *sfn.Client
	sns       *sns.Client
	sqs       *sqs.Client
}

func regionConfig(url, name string) aws.Config {
	return aws.Config{
		Region: name, BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func newRegion(url, name string) *region {
	c := regionConfig(url, name)
	return &region{
		name: name,
		cfn:  cloudformation.NewFromConfig(c), dynamodb: dynamodb.NewFromConfig(c), events: eventbridge.NewFromConfig(c),
		functions: lambda.NewFromConfig(c), s3: s3.NewFromConfig(c), sfn: sfn.NewFromConfig(c), sns: sns.NewFromConfig(c), sqs: sqs.NewFromConfig(c),
	}
}

// in returns a region of the shared emulator.
func in(name string) *region { return newRegion(suite.stack.url, name) }

// outputs are those of a stack.
func (r *region) outputs(ctx context.Context, stack string) (map[string]string, error) {
	d, err := r.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, o := range d.Stacks[0].Outputs {
		out[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return out, nil
}

// machine is the ARN of a deployed state machine.
func (r *region) machine(name string) string {
	return "arn:aws:states:" + r.name + ":" + account + ":stateMachine:Plumbline" + name
}

// until waits for something that comes about by itself; what it waits for is
// told by the error of the last attempt.
func until(t *testing.T, limit time.Duration, attempt func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = attempt(); err == nil {
			return
		}
	}
	t.Fatalf("not within %s: %v", limit, err)
}

// put creates a stack, or updates it to the template, and returns its id.
func (r *region) put(t *testing.T, name, body string) string {
	t.Helper()
	var id string
	out, err := r.cfn.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &body})
	if errors.As(err, new(*cfntypes.AlreadyExistsException)) {
		updated, err := r.cfn.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &body})
		if err != nil {
			t.Fatal(err)
		}
		id = aws.ToString(updated.StackId)
	} else if err != nil {
		t.Fatal(err)
	} else {
		id = aws.ToString(out.StackId)
	}
	until(t, 20*time.Second, func() error {
		d, err := r.cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			return err
		}
		if s := d.Stacks[0]; s.StackStatus != cfntypes.StackStatusCreateComplete && s.StackStatus != cfntypes.StackStatusUpdateComplete {
			return fmt.Errorf("stack %s is %s: %s", name, s.StackStatus, aws.ToString(s.StackStatusReason))
		}
		return nil
	})
	return id
}

// answer is what a function answered.
type answer struct {
	Started   bool   `json:"started"`
	Execution string `json:"execution"`
	Reason    string `json:"reason"`

	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

// invoke calls a function and waits.
func (r *region) invoke(ctx context.Context, function string, payload any) (answer, error) {
	b, err := json.Marshal(payload)
	if err != nil {
		return answer{}, err
	}
	out, err := r.functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("Plumbline" + function), Payload: b})
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(out.Payload, &a); err != nil {
		return answer{}, fmt.Errorf("%s answered %s: %w", function, out.Payload, err)
	}
	if (out.FunctionError != nil) != (a.ErrorType != "") {
		return a, fmt.Errorf("%s ended with %q and answered %s", function, aws.ToString(out.FunctionError), out.Payload)
	}
	return a, nil
}

// deliver hands an event to Intake as a rule does: nobody waits for the answer.
func (r *region) deliver(ctx context.Context, event any) error {
	b, err := json.Marshal(event)
	if err != nil {
		return err
	}
	_, err = r.functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("PlumblineIntake"), Payload: b, InvocationType: lambdatypes.InvocationTypeEvent})
	return err
}

// scan hands an event to Intake and waits until the execution that it starts has ended.
func (r *region) scan(t *testing.T, machine string, event any) *sfn.DescribeExecutionOutput {
	t.Helper()
	a, err := r.invoke(t.Context(), "Intake", event)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Started {
		t.Fatalf("nothing was started: %+v", a)
	}
	return r.await(t, machine, a.Execution)
}

// await waits for the end of an execution.
func (r *region) await(t *testing.T, machine, name string) *sfn.DescribeExecutionOutput {
	t.Helper()
	arn := strings.Replace(r.machine(machine), ":stateMachine:", ":execution:", 1) + ":" + name
	var out *sfn.DescribeExecutionOutput
	until(t, 60*time.Second, func() (err error) {
		out, err = r.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err == nil && out.Status == sfntypes.ExecutionStatusRunning {
			err = fmt.Errorf("%s is running", arn)
		}
		return err
	})
	return out
}

// executions are those of a state machine, by name.
func (r *region) executions(t *testing.T, machine string) map[string]sfntypes.ExecutionStatus {
	t.Helper()
	out := map[string]sfntypes.ExecutionStatus{}
	pages := sfn.NewListExecutionsPaginator(r.sfn, &sfn.ListExecutionsInput{StateMachineArn: aws.String(r.machine(machine))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Executions {
			out[aws.ToString(e.Name)] = e.Status
		}
	}
	return out
}

// row is a row of the findings table.
type row map[string]ddbtypes.AttributeValue

// text is an attribute of type string; "": there is none.
func (r row) text(name string) string {
	if s, ok := r[name].(*ddbtypes.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// number is an attribute of type number; "": there is none.
func (r row) number(name string) string {
	if n, ok := r[name].(*ddbtypes.AttributeValueMemberN); ok {
		return n.Value
	}
	return ""
}

// rows are the findings of a stack.
func (r *region) rows(t *testing.T, stack string) []row {
	t.Helper()
	outputs, err := r.outputs(t.Context(), "PlumblineData")
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	pages := dynamodb.NewQueryPaginator(r.dynamodb, &dynamodb.QueryInput{
		TableName: aws.String(outputs["FindingsTable"]), IndexName: aws.String("by-stack"),
		KeyConditionExpression:   aws.String("#s = :s"),
		ExpressionAttributeNames: map[string]string{"#s": "stack"}, ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":s": &ddbtypes.AttributeValueMemberS{Value: stack}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			out = append(out, i)
		}
	}
	return out
}

// of returns the row of a rule and a resource's logical id; nil where there is none.
func of(rows []row, rule, id string) row {
	for _, r := range rows {
		if r.text("violationType") == rule && strings.HasSuffix(r.text("resourceId"), "/"+id) {
			return r
		}
	}
	return nil
}

// bucket is the name of the bucket of reports.
func (r *region) bucket(t *testing.T) string {
	t.Helper()
	outputs, err := r.outputs(t.Context(), "PlumblineData")
	if err != nil {
		t.Fatal(err)
	}
	return outputs["ReportBucket"]
}

// objects are the keys below a prefix of the bucket of reports.
func (r *region) objects(t *testing.T, prefix string) []string {
	t.Helper()
	var out []string
	pages := s3.NewListObjectsV2Paginator(r.s3, &s3.ListObjectsV2Input{Bucket: aws.String(r.bucket(t)), Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			out = append(out, aws.ToString(o.Key))
		}
	}
	return out
}

// read reads an object of the bucket of reports.
func (r *region) read(t *testing.T, key string) []byte {
	t.Helper()
	o, err := r.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(r.bucket(t)), Key: &key})
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	defer o.Body.Close()
	b, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
