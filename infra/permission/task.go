package permission

import (
	"fmt"
	"slices"
	"strings"

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

// tables says by the variable that names a table which actions the functions
// that have it may do there.
var tables = []struct {
	variable string
	actions  []string
	table    string
	index    string // that is queried in place of the table; "": none is
	rows     string // what the keys of the rows begin with that it is for; "": all rows
}{
	{catalog.EventsVar, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}, events, "", ""},
	{catalog.FindingsVar, []string{"dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"}, findings, "by-stack", ""},
	{catalog.ChangesVar, []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}, requests, "open-requests", ""},
	{catalog.SessionsVar, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}, requests, "", "session#"},
	{catalog.LedgerVar, []string{"dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:Query"}, ledger, "", ""},
}

// OfTask returns the statements of a function's role in a deployment: one for
// each thing that the catalogue's actions reach, then what every function has.
func OfTask(t catalog.Task, scope Scope) ([]Statement, error) {
	var out, limited []Statement
	for _, action := range t.Actions {
		reached, err := reach(t, action, scope)
		if err != nil {
			return nil, err
		}
		n := 0
		for _, s := range reached {
			n += len(s.Resources)
			if s.Condition != nil {
				s.Actions = []string{action}
				limited = append(limited, s)
				continue
			}
			for _, r := range s.Resources {
				out = join(out, action, r, s.Why)
			}
		}
		if n == 0 {
			return nil, fmt.Errorf("task %s: action %q reaches nothing: the catalogue names no prefixes or no table for it", t.Name, action)
		}
	}
	out = append(out, limited...)
	if len(scope.Secrets) > 0 && slices.Contains(t.MaySet, catalog.QueueVar) {
		out = join(out, "sqs:SendMessage", deliveries, "what is told outside goes through this queue")
	}
	if slices.ContainsFunc(t.Actions, func(a string) bool { return strings.HasPrefix(a, "dynamodb:") }) {
		out = append(out, Statement{Actions: useKey, Resources: []string{dataKey}, Condition: map[string]map[string]string{
			"StringEquals": {"kms:ViaService": "dynamodb.${AWS::Region}.amazonaws.com"},
		}, Why: "DynamoDB decrypts in its caller's name; nothing else may use the key by this role"})
	}
	if t.ChangesLive {
		more, err := ofChanges(scope.Changes)
		if err != nil {
			return nil, fmt.Errorf("task %s: %w", t.Name, err)
		}
		out = append(out, more...)
	}
	return append(out, everyFunction(t)...), nil
}

// reach says what an action of a task is for.
func reach(t catalog.Task, action string, scope Scope) ([]Statement, error) {
	one := func(why string, resources ...string) ([]Statement, error) {
		return []Statement{{Resources: resources, Why: why}}, nil
	}
	if strings.HasPrefix(action, "dynamodb:") {
		return onTables(t, action)
	}
	switch action {
	case "s3:GetObject":
		return one("", below(t.Reads)...)
	case "s3:PutObject":
		if slices.Contains(t.Vars, catalog.AnchorVar) {
			return one("nobody may change or delete what it writes before its time is over: the bucket locks it", anchors+"/"+t.Writes[0]+"*")
		}
		return one("", below(t.Writes)...)
	case "s3:ListBucketVersions":
		return one("what was anchored is told by the keys; a version that is locked cannot be hidden", anchors)
	case "s3:ListBucket":
		return one("without it a key that nobody wrote is answered with AccessDenied", bucket)
	case "states:StartExecution":
		started := []string{"${ScanStackArn}", "${ScanEstateArn}"}
		if len(scope.Changes) > 0 && slices.Contains(t.MaySet, catalog.CheckVar) {
			started = append(started, "${CheckResourceArn}")
		}
		return one("", started...)
	case "states:SendTaskSuccess":
		const machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:"
		return one("the two that wait for people", machine+"${RemediateFindingName}", machine+"${ReviewViolationName}")
	case "sns:Publish":
		return one("", critical, warning)
	case "secretsmanager:GetSecretValue":
		var secrets []string
		for _, name := range scope.Secrets {
			// Secrets Manager adds six characters to the name of each secret.
			secrets = append(secrets, "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"+name+"-??????")
		}
		return one("one secret a channel", secrets...)
	case "sqs:SendMessage":
		return one("", letters)
	case "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility":
		return one("", deliveries)
	case "cloudformation:DescribeStackResources", "cloudformation:DescribeStacks", "cloudformation:GetTemplate", "cloudformation:ListStackResources":
		return one("any stack of the account may be scanned; read-only", stacks)
	case "cloudformation:ListStacks":
		return one("ListStacks knows no resources to name; read-only", "*")
	case "cloudformation:GetResource", "cloudformation:ListResources":
		return one("Cloud Control knows no resources to name; read-only, and only what the role may read anyway", "*")
	case "cloudformation:UpdateResource", "cloudformation:GetResourceRequestStatus", "cloudformation:ListResourceRequests":
		return one("Cloud Control knows no resources to name; it changes only what the role may change anyway", "*")
	case "config:PutEvaluations":
		return one("PutEvaluations knows no resources to name; it needs the token of an event of a rule", "*")
	}
	return nil, fmt.Errorf("task %s: action %q: nothing is known of what it reaches. add it to package permission", t.Name, action)
}

// onTables returns the tables that a task has and that an action is for.
func onTables(t catalog.Task, action string) ([]Statement, error) {
	var out []Statement
	for _, x := range tables {
		if !slices.Contains(t.Vars, x.variable) || !slices.Contains(x.actions, action) {
			continue
		}
		if x.table == requests && action == "dynamodb:Query" && !slices.Contains(t.Actions, "states:SendTaskSuccess") {
			continue // the open requests have tokens, which are for who tells workflows
		}
		s := Statement{Resources: []string{x.table}}
		switch {
		case x.rows != "":
			s.Condition = map[string]map[string]string{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": x.rows + "*"}, "Null": {"dynamodb:LeadingKeys": "false"}}
			s.Why = "of the table's rows it may write these alone"
		case action == "dynamodb:Query" && x.index != "":
			s.Resources = []string{x.table + "/index/" + x.index}
		case action == "dynamodb:Scan":
			s.Why = "terms are measured over all findings; read-only"
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("task %s: action %q: none of its tables is known for it. add it to package permission", t.Name, action)
	}
	return out, nil
}

// everyFunction is what the role of every function may do; one that is
// outside of the VPC it has no network interface.
func everyFunction(t catalog.Task) []Statement {
	out := []Statement{
		{Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []string{ownLog}, Why: "its own log"},
		{Actions: []string{"sqs:SendMessage"}, Resources: []string{deadLetters}, Why: "what an asynchronous call could not be done with"},
		{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{suiteKey}, Why: "its environment, the queue of dead letters and the topics are encrypted"},
	}
	if Outside(t) {
		return append(out, traces())
	}
	return append(out,
		Statement{Actions: networkInterfaces, Resources: []string{"*"}, Why: "Lambda puts the function into the subnets by these, and network interfaces have no names before they are made; the next statement keeps the function's own code from them"},
		Statement{Actions: networkInterfaces, Resources: []string{"*"}, Deny: true, Condition: map[string]map[string]string{
			"Null": {"lambda:SourceFunctionArn": "false"},
		}, Why: "the key is there in calls of the function's code only"},
		traces(),
	)
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
