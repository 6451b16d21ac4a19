//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// regions are those of deployment.json, the primary first.
var regions = []string{"us-east-1", "eu-west-1"}

// unknown begin the types of resources that ministack refuses, with the whole stack that holds one.
var unknown = []string{
	"AWS::CloudFormation::LambdaHook", "AWS::CloudWatch::CompositeAlarm", "AWS::Config::", "AWS::EC2::FlowLog",
	"AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::Events::ApiDestination", "AWS::Events::Connection",
}

// deploy deploys the synthesized stacks as `make deploy` does: what is kept, the
// organisation's policy, then what runs.
func deploy(ctx context.Context, e *emulator, regions ...string) error {
	made := filepath.Join(suite.folder, "cdk.out")
	if err := strip(made); err != nil {
		return err
	}
	targets := []string{"bootstrap"}
	for _, r := range regions {
		targets = append(targets, "aws://"+account+"/"+r)
	}
	if err := cdk(ctx, e, made, targets...); err != nil {
		return err
	}
	always := []string{"--concurrency", "2", "--require-approval", "never", "--exclusively"}
	stacks := func(name string) []string {
		args := append([]string{"deploy"}, always...)
		for _, r := range regions {
			args = append(args, name+"-"+r)
		}
		return args
	}
	if err := cdk(ctx, e, made, stacks("PlumblineData")...); err != nil {
		return err
	}
	for _, r := range regions {
		if err := errors.Join(uploadPolicy(ctx, e, r), suite.people.secrets(ctx, e.url, r)); err != nil {
			return err
		}
	}
	if err := cdk(ctx, e, made, stacks("PlumblineSuite")...); err != nil {
		return err
	}
	for _, r := range regions {
		if err := keepLostCalls(ctx, newRegion(e.url, r)); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	return nil
}

// keepLostCalls gives Intake, which alone is called by events, the queue that
// its template names: the emulator's CloudFormation leaves it out.
func keepLostCalls(ctx context.Context, r *region) error {
	t, err := ofRegion("PlumblineSuite", r.name)
	if err != nil {
		return err
	}
	f, err := t.only("AWS::Lambda::Function", "IngestIntake")
	if err != nil {
		return err
	}
	config, _ := f.Properties["DeadLetterConfig"].(map[string]any)
	target, _ := config["TargetArn"].(map[string]any)
	id, _ := target["Fn::GetAtt"].([]any)
	if len(id) != 2 {
		return fmt.Errorf("the dead letters of Intake go to %v, want the ARN of a queue of the stack", config)
	}
	queue, err := r.cfn.DescribeStackResource(ctx, &cloudformation.DescribeStackResourceInput{StackName: aws.String("PlumblineSuite"), LogicalResourceId: aws.String(fmt.Sprint(id[0]))})
	if err != nil {
		return err
	}
	url := aws.ToString(queue.StackResourceDetail.PhysicalResourceId)
	_, err = r.functions.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("PlumblineIntake"), DeadLetterConfig: &lambdatypes.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:" + r.name + ":" + account + ":" + url[strings.LastIndex(url, "/")+1:])},
	})
	return err
}

// cdk runs CDK's command line against the emulator.
func cdk(ctx context.Context, e *emulator, assembly string, args ...string) error {
	c := exec.CommandContext(ctx, filepath.Join("..", "infra/node_modules/.bin/cdk"), append(args, "--app", assembly, "--no-notices", "--progress", "events")...)
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + suite.folder, "TMPDIR=" + os.TempDir(), "CDK_DISABLE_CLI_TELEMETRY=true", "CI=true",
		"AWS_ENDPOINT_URL=" + e.url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=" + regions[0], "AWS_EC2_METADATA_DISABLED=true",
	}
	out, err := c.CombinedOutput()
	if err == nil {
		return nil
	}
	if len(out) > 4000 {
		out = out[len(out)-4000:]
	}
	return fmt.Errorf("cdk %s: %w\n%s", args[0], err, out)
}

// uploadPolicy puts the packed policy where functions look for it.
func uploadPolicy(ctx context.Context, e *emulator, name string) error {
	r := newRegion(e.url, name)
	outputs, err := r.outputs(ctx, "PlumblineData")
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(suite.folder, "dist/bundles/*.zip"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%d packed policies in dist/bundles, want 1: %w", len(files), err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	_, err = r.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(outputs["ReportBucket"]), Key: aws.String("bundles/" + filepath.Base(files[0])), Body: bytes.NewReader(content),
	})
	return err
}

// strip takes out of the templates what the emulator does not know. It is done
// before the first deployment: CDK names an uploaded template by its hash. What
// is taken out is asserted on the templates by the tests of infra/.
func strip(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.template.json"))
	if err != nil || len(files) != 2*len(regions) {
		return fmt.Errorf("%d templates in %s, want two a region: %w", len(files), folder, err)
	}
	for _, f := range files {
		if err := stripFile(f); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(f), err)
		}
	}
	return nil
}

func stripFile(name string) error {
	t, err := readTemplate(name)
	if err != nil {
		return err
	}
	var gone []string
	ranges := map[string]any{} // of VPCs
	for id, r := range t.Resources {
		if slices.ContainsFunc(unknown, func(p string) bool { return strings.HasPrefix(r.Type, p) }) {
			gone = append(gone, id)
			delete(t.Resources, id)
		}
		if r.Type == "AWS::EC2::VPC" {
			ranges[id] = r.Properties["CidrBlock"]
		}
	}
	for id, r := range t.Resources {
		literal(r.Properties, ranges)
		mark(id, strings.TrimSuffix(filepath.Base(name), ".template.json"), r)
	}
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	for _, id := range gone {
		if bytes.Contains(b, []byte(`"`+id+`"`)) {
			return fmt.Errorf("%s is refused by the emulator, and something refers to it", id)
		}
	}
	// The organisation's issuer is one of this machine.
	b = bytes.ReplaceAll(b, []byte(issuerName), []byte(suite.people.issuer.url))
	return os.WriteFile(name, b, 0o644)
}

// mark makes apart what the emulator mixes up: the roles of both regions, to
// which it gives the same names.
func mark(id, stack string, r *resource) {
	if r.Type == "AWS::IAM::Role" {
		_, region, _ := strings.Cut(stack, "-")
		r.Properties["RoleName"] = id + "-" + region
	}
}

// literal puts the address range of a VPC in the place of the attribute, which the emulator has not.
func literal(v any, ranges map[string]any) any {
	switch v := v.(type) {
	case map[string]any:
		if a, ok := v["Fn::GetAtt"].([]any); ok && len(a) == 2 && a[1] == "CidrBlock" {
			if id, _ := a[0].(string); ranges[id] != nil {
				return ranges[id]
			}
		}
		for k := range v {
			v[k] = literal(v[k], ranges)
		}
	case []any:
		for i := range v {
			v[i] = literal(v[i], ranges)
		}
	}
	return v
}

// template is a CloudFormation template as CDK writes it; what is not read is kept.
type template struct {
	Resources map[string]*resource       `json:"Resources"`
	rest      map[string]json.RawMessage // the other sections
}

type resource struct {
	Type                string          `json:"Type"`
	Properties          map[string]any  `json:"Properties,omitempty"`
	DependsOn           json.RawMessage `json:"DependsOn,omitempty"`
	Metadata            json.RawMessage `json:"Metadata,omitempty"`
	Condition           string          `json:"Condition,omitempty"`
	DeletionPolicy      string          `json:"DeletionPolicy,omitempty"`
	UpdateReplacePolicy string          `json:"UpdateReplacePolicy,omitempty"`
}

func readTemplate(name string) (template, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return template{}, err
	}
	var t template
	d := json.NewDecoder(bytes.NewReader(b))
	if err := errors.Join(d.Decode(&t), json.Unmarshal(b, &t.rest)); err != nil {
		return template{}, err
	}
	delete(t.rest, "Resources")
	return t, nil
}

// MarshalJSON writes the template with all of its sections.
func (t template) MarshalJSON() ([]byte, error) {
	all := map[string]any{"Resources": t.Resources}
	for k, v := range t.rest {
		all[k] = v
	}
	return json.Marshal(all)
}

// ofRegion reads a synthesized template: what no emulator shows is asserted on it.
func ofRegion(stack, region string) (template, error) {
	return readTemplate(filepath.Join(suite.folder, "cdk.out", stack+"-"+region+".template.json"))
}

// only is the one resource of a type whose logical id begins so.
func (t template) only(kind, prefix string) (*resource, error) {
	var found []*resource
	for id, r := range t.Resources {
		if r.Type == kind && strings.HasPrefix(id, prefix) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d resources of type %s begin with %q, want 1", len(found), kind, prefix)
	}
	return found[0], nil
}
