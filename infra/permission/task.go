package permission

import (
	"fmt"
	"slices"

	"plumbline/tasks/catalog"
)

// networkInterfaces are what Lambda does in the role's name to put a function
// into a subnet. Source: Lambda Developer Guide, "Giving Lambda functions
// access to resources in an Amazon VPC", required IAM permissions.
var networkInterfaces = []string{
	"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
	"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
}

// useKey is what DynamoDB does with a table's key in its caller's name. Source:
// DynamoDB Developer Guide, "Encryption at rest: usage notes", without the
// wildcards and without CreateGrant, which only who makes the table needs.
var useKey = []string{
	"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
}

// OfTask returns the statements of a function's role: one for each thing that
// the catalogue's actions reach, then what every function has.
func OfTask(t catalog.Task) ([]Statement, error) {
	var out []Statement
	table := false
	for _, action := range t.Actions {
		s := Statement{Actions: []string{action}}
		switch action {
		case "s3:GetObject":
			s.Resources = below(t.Reads)
		case "s3:PutObject":
			s.Resources = below(t.Writes)
		case "s3:ListBucket":
			s.Resources, s.Why = []string{bucket}, "without it a key that nobody wrote is answered with AccessDenied"
		case "dynamodb:PutItem", "dynamodb:DeleteItem":
			s.Resources, table = []string{events}, true
		case "dynamodb:UpdateItem":
			s.Resources, table = []string{findings}, true
		case "dynamodb:Scan":
			s.Resources, s.Why, table = []string{findings}, "terms are measured over all findings; read-only", true
		case "dynamodb:Query":
			s.Resources, table = []string{findings + "/index/by-stack"}, true
		case "states:StartExecution":
			s.Resources = []string{"${ScanStackArn}", "${ScanEstateArn}"}
		case "sns:Publish":
			s.Resources = []string{critical, warning}
		case "cloudformation:DescribeStacks", "cloudformation:GetTemplate", "cloudformation:ListStackResources":
			s.Resources, s.Why = []string{stacks}, "any stack of the account may be scanned; read-only"
		case "cloudformation:ListStacks":
			s.Resources, s.Why = []string{"*"}, "ListStacks knows no resources to name; read-only"
		case "cloudformation:GetResource", "cloudformation:ListResources":
			s.Resources, s.Why = []string{"*"}, "Cloud Control knows no resources to name; read-only, and only what the role may read anyway"
		case "config:PutEvaluations":
			s.Resources, s.Why = []string{"*"}, "PutEvaluations knows no resources to name; it needs the token of an event of a rule"
		default:
			return nil, fmt.Errorf("task %s: action %q: nothing is known of what it reaches. add it to package permission", t.Name, action)
		}
		if len(s.Resources) == 0 {
			return nil, fmt.Errorf("task %s: action %q reaches nothing: the catalogue names no prefixes for it", t.Name, action)
		}
		for _, r := range s.Resources {
			out = join(out, action, r, s.Why)
		}
	}
	if table {
		out = append(out, Statement{Actions: useKey, Resources: []string{dataKey}, Condition: map[string]map[string]string{
			"StringEquals": {"kms:ViaService": "dynamodb.${AWS::Region}.amazonaws.com"},
		}, Why: "DynamoDB decrypts in its caller's name; nothing else may use the key by this role"})
	}
	return append(out, everyFunction()...), nil
}

// everyFunction is what the role of every function may do.
func everyFunction() []Statement {
	return []Statement{
		{Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []string{ownLog}, Why: "its own log"},
		{Actions: []string{"sqs:SendMessage"}, Resources: []string{deadLetters}, Why: "what an asynchronous call could not be done with"},
		{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{suiteKey}, Why: "its environment, the queue of dead letters and the topics are encrypted"},
		{Actions: networkInterfaces, Resources: []string{"*"}, Why: "Lambda puts the function into the subnets by these, and network interfaces have no names before they are made; the next statement keeps the function's own code from them"},
		{Actions: networkInterfaces, Resources: []string{"*"}, Deny: true, Condition: map[string]map[string]string{
			"Null": {"lambda:SourceFunctionArn": "false"},
		}, Why: "the key is there in calls of the function's code only"},
		traces(),
	}
}

func below(prefixes []string) []string {
	var out []string
	for _, p := range prefixes {
		out = append(out, bucket+"/"+p+"*")
	}
	return out
}

// Services lists the services that functions with these roles call, by the
// prefix of their actions, sorted: those for which a subnet without a way to
// the Internet needs an endpoint. What a service does in the role's name (log,
// queue of dead letters, key, network interface, trace) needs none.
func Services(tasks []catalog.Task) []string {
	var out []string
	for _, t := range tasks {
		for _, action := range t.Actions {
			out = append(out, Service(action))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
