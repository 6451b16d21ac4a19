package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/permission"
)

// values answers placeholders of package permission.
type values map[string]string

// newRole makes a role that one service assumes. Services that name whom they
// act for are held to this account.
func newRole(scope constructs.Construct, id, service, description string) awsiam.CfnRole {
	trust := map[string]any{"Effect": "Allow", "Principal": map[string]any{"Service": service}, "Action": "sts:AssumeRole"}
	if service != "lambda.amazonaws.com" {
		trust["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": *awscdk.Stack_Of(scope).Account()}}
	}
	return awsiam.NewCfnRole(scope, jsii.String(id), &awsiam.CfnRoleProps{
		Description:              jsii.String(description),
		AssumeRolePolicyDocument: map[string]any{"Version": "2012-10-17", "Statement": list(trust)},
	})
}

// untilAllowed is why a resource waits for a policy.
const untilAllowed = "the service checks the role when it makes the resource"

// attach gives a role the statements, as one policy that whatever uses the
// role has to wait for.
func attach(scope constructs.Construct, id string, role awsiam.CfnRole, statements []permission.Statement, v values) awsiam.CfnPolicy {
	policy := awsiam.NewCfnPolicy(scope, jsii.String(id), &awsiam.CfnPolicyProps{
		PolicyName: jsii.String(id), Roles: &[]*string{role.Ref()},
		PolicyDocument: map[string]any{"Version": "2012-10-17", "Statement": documents(statements, v)},
	})
	if r := reasons(statements); len(r) > 0 {
		policy.AddMetadata(jsii.String("everyResource"), r)
	}
	return policy
}

// documents writes statements as IAM reads them.
func documents(statements []permission.Statement, v values) []any {
	var out []any
	for _, s := range statements {
		effect := "Allow"
		if s.Deny {
			effect = "Deny"
		}
		doc := map[string]any{"Effect": effect, "Action": list(s.Actions...)}
		var resources []any
		for _, r := range s.Resources {
			resources = append(resources, v.fill(r))
		}
		doc["Resource"] = resources
		if len(s.Condition) > 0 {
			condition := map[string]any{}
			for operator, keys := range s.Condition {
				filled := map[string]any{}
				for key, text := range keys {
					filled[key] = v.fill(text)
				}
				condition[operator] = filled
			}
			doc["Condition"] = condition
		}
		out = append(out, doc)
	}
	return out
}

// reasons lists why a statement is for every resource, by its actions.
func reasons(statements []permission.Statement) map[string]any {
	out := map[string]any{}
	for _, s := range statements {
		if s.Open() {
			for _, a := range s.Actions {
				out[a] = s.Why
			}
		}
	}
	return out
}

// fill replaces placeholders. One that has no value stays, and the test that
// looks for "${" in the templates finds it.
func (v values) fill(text string) string {
	return permission.Fill(text, func(name string) string {
		if value, ok := v[name]; ok {
			return value
		}
		return "${" + name + "}"
	})
}

// with adds values to a copy.
func (v values) with(more values) values {
	out := values{}
	for name, value := range v {
		out[name] = value
	}
	for name, value := range more {
		out[name] = value
	}
	return out
}
