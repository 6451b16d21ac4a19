package permission

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"plumbline/asl"
	"plumbline/workflows"
)

// deliverLogs is what Step Functions needs to log executions on behalf of a
// role. Source: Step Functions Developer Guide, "Logging to CloudWatch Logs",
// IAM policies.
func deliverLogs() Statement {
	return Statement{
		Actions: []string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
			"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		},
		Resources: []string{"*"},
		Why:       "these actions of log delivery know no resources to name",
	}
}

// OfMachine returns the statements of a state machine's role, as its definition
// asks for them: what its tasks call, what a Distributed Map reads and starts,
// then what every machine has. A state that calls something else is an error.
// What is not there in the deployment is never started, and not allowed.
func OfMachine(m workflows.Machine, scope Scope) ([]Statement, error) {
	src, err := workflows.Source(m.File)
	if err != nil {
		return nil, err
	}
	out, err := OfDefinition(m.Name, src)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", m.File, workflows.Suffix, err)
	}
	for i := range out {
		out[i].Resources = slices.DeleteFunc(out[i].Resources, scope.lacks)
	}
	return slices.DeleteFunc(out, func(s Statement) bool { return len(s.Resources) == 0 }), nil
}

// OfDefinition is OfMachine for the machine of this name with this definition.
func OfDefinition(name string, src []byte) ([]Statement, error) {
	d, err := asl.Parse(src)
	if err != nil {
		return nil, err
	}
	var out []Statement
	add := func(action, resource, why string) {
		out = join(out, action, resource, why)
	}
	for _, s := range d.All() {
		switch s.Type {
		case "Task":
			action, field, err := called(s.Resource)
			if err != nil {
				return nil, fmt.Errorf("%s: state %q: %w", s.Pos, s.Name, err)
			}
			target, err := text(s.Parameters, field)
			if err != nil {
				return nil, fmt.Errorf("%s: state %q: %w", s.Pos, s.Name, err)
			}
			add(action, target, "")
		case "Map":
			if s.ItemProcessor == nil || s.ItemProcessor.Processor == nil || s.ItemProcessor.Processor.Mode != "DISTRIBUTED" {
				continue
			}
			if s.ResultWriter != nil {
				return nil, fmt.Errorf("%s: state %q: what a ResultWriter writes is not known. leave it out, or add it to package permission", s.Pos, s.Name)
			}
			if s.ItemReader != nil {
				if err := reads(s, add); err != nil {
					return nil, fmt.Errorf("%s: state %q: %w", s.Pos, s.Name, err)
				}
			}
			const why = "children of its own Distributed Map"
			add("states:StartExecution", "${"+name+"Arn}", why)
			children := "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${" + name + "Name}/" + s.Label + ":*"
			add("states:DescribeExecution", children, why)
			add("states:StopExecution", children, why)
		}
	}
	return append(out, deliverLogs(), traces()), nil
}

// called says which action the resource of a Task needs, and which parameter
// names what is acted on.
func called(resource string) (action, field string, err error) {
	service, verb, pattern, ok := asl.Integration(resource)
	switch {
	case ok && service == "lambda" && verb == "invoke" && (pattern == "" || pattern == "waitForTaskToken"):
		return "lambda:InvokeFunction", "FunctionName", nil
	case ok && service == "states" && verb == "startExecution" && pattern == "":
		return "states:StartExecution", "StateMachineArn", nil
	case ok && service == "aws-sdk:sfn" && verb == "startSyncExecution" && pattern == "":
		return "states:StartSyncExecution", "StateMachineArn", nil
	}
	return "", "", fmt.Errorf("nothing is known of the permissions for %q. allowed are lambda:invoke, states:startExecution and aws-sdk:sfn:startSyncExecution", resource)
}

// reads adds what an ItemReader reads. The key is one that a state before
// handed on, so it lies below what those write.
func reads(s *asl.State, add func(action, resource, why string)) error {
	var reader struct {
		Resource   string
		Parameters json.RawMessage
	}
	if err := json.Unmarshal(s.ItemReader, &reader); err != nil {
		return fmt.Errorf("ItemReader: %w", err)
	}
	if service, verb, _, ok := asl.Integration(reader.Resource); !ok || service != "s3" || verb != "getObject" {
		return fmt.Errorf("ItemReader: nothing is known of the permissions for %q. allowed is s3:getObject", reader.Resource)
	}
	name, err := text(reader.Parameters, "Bucket")
	if err != nil {
		return fmt.Errorf("ItemReader: %w", err)
	}
	if name != workflows.BucketPlaceholder {
		return fmt.Errorf("ItemReader: bucket %q is not %s", name, workflows.BucketPlaceholder)
	}
	add("s3:GetObject", bucket+"/work/*", "the list that the Distributed Map goes through")
	return nil
}

// text reads a parameter that must be one placeholder and nothing else: a role
// cannot be derived from what is known only when the machine runs.
func text(parameters json.RawMessage, field string) (string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(parameters, &fields); err != nil {
		return "", fmt.Errorf("parameters: %w", err)
	}
	var s string
	if err := json.Unmarshal(fields[field], &s); err != nil {
		return "", fmt.Errorf("parameter %s is not a text: %w", field, err)
	}
	if !strings.HasPrefix(s, "${") || strings.Index(s, "}") != len(s)-1 {
		return "", fmt.Errorf("parameter %s is %q, not a placeholder such as ${NotifyArn}", field, s)
	}
	return s, nil
}

// join adds an action on a resource: to the statement of that action, else to
// the statement of the same resource, else as one of its own.
func join(out []Statement, action, resource, why string) []Statement {
	for i := range out {
		s := &out[i]
		if s.Why != why {
			continue
		}
		if slices.Equal(s.Actions, []string{action}) {
			if !slices.Contains(s.Resources, resource) {
				s.Resources = append(s.Resources, resource)
			}
			return out
		}
		if slices.Equal(s.Resources, []string{resource}) {
			if !slices.Contains(s.Actions, action) {
				s.Actions = append(s.Actions, action)
			}
			return out
		}
	}
	return append(out, Statement{Actions: []string{action}, Resources: []string{resource}, Why: why})
}
