package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/asl"
	"plumbline/infra/permission"
	"plumbline/workflows"
)

// machine is a deployed state machine.
type machine struct {
	resource awsstepfunctions.CfnStateMachine
	arn      string
}

// newMachines makes the state machines, each after those that it starts.
func (s *suite) newMachines(scope constructs.Construct) error {
	s.machines = map[string]machine{}
	left := s.scope.Machines()
	for len(left) > 0 {
		made := len(left)
		for i, m := range left {
			statements, err := permission.OfMachine(m, s.scope)
			if err != nil {
				return err
			}
			if !s.known(m, statements) {
				continue
			}
			if err := s.newMachine(group(scope, m.Name), m, statements); err != nil {
				return err
			}
			left = slices.Delete(left, i, i+1)
			break
		}
		if len(left) == made {
			return fmt.Errorf("state machine %s starts one that starts it, or something that is not there", left[0].Name)
		}
	}
	return nil
}

// known reports whether all is made that the machine reaches, but for itself.
func (s *suite) known(m workflows.Machine, statements []permission.Statement) bool {
	for _, st := range statements {
		for _, name := range st.Placeholders() {
			if _, ok := s.values[name]; !ok && name != m.Name+"Arn" && name != m.Name+"Name" {
				return false
			}
		}
	}
	return true
}

// newMachine makes a state machine of its definition as it lies; what the
// definition's placeholders stand for is substituted by CloudFormation.
func (s *suite) newMachine(scope constructs.Construct, m workflows.Machine, statements []permission.Statement) error {
	src, err := workflows.Source(m.File)
	if err != nil {
		return err
	}
	substitutions, err := s.substitutions(m, string(src))
	if err != nil {
		return err
	}
	// With a name that is known before, a role can be allowed what reaches its own
	// machine; and the name stands in every message of a failed execution.
	name := machineName(m.Name)
	own := values{m.Name + "Name": name, m.Name + "Arn": s.machineARN(m.Name)}
	role := newRole(scope, "Role", "states.amazonaws.com", "plumbline: state machine "+m.Name)
	policy := attach(scope, "Policy", role, statements, s.values.with(own))
	suppress(policy, [2]string{"iam-policy-permissions-management", "Step Functions turns the logging of a state machine on by logs:PutResourcePolicy in its role's name; the action knows no resources to name, and lets in to logs alone"})
	kind := "STANDARD"
	if m.Express {
		kind = "EXPRESS"
	}
	// Logs below this prefix spare the account one of the ten resource policies of its logs.
	log := s.newLog(scope, "Log", jsii.String("/aws/vendedlogs/states/"+name+"-"+*awscdk.Fn_Select(jsii.Number(2), awscdk.Fn_Split(jsii.String("/"), s.stack.StackId(), nil))))
	resource := awsstepfunctions.NewCfnStateMachine(scope, jsii.String("Machine"), &awsstepfunctions.CfnStateMachineProps{
		StateMachineName: jsii.String(name), RoleArn: role.AttrArn(), StateMachineType: jsii.String(kind), DefinitionString: jsii.String(string(src)), DefinitionSubstitutions: substitutions,
		LoggingConfiguration: map[string]any{
			"level": "ALL", "includeExecutionData": false,
			"destinations": list(map[string]any{"cloudWatchLogsLogGroup": map[string]any{"logGroupArn": *log.AttrArn()}}),
		},
		TracingConfiguration: map[string]any{"enabled": true},
	})
	resource.AddResourceDependency(policy, jsii.String(untilAllowed))
	// cfn-lint does not know that a Succeed state may have an OutputPath, which the
	// Amazon States Language says; our own linter looks at the definition.
	d, err := asl.Parse(src)
	if err != nil {
		return err
	}
	for _, s := range d.All() {
		if s.Type == "Succeed" && s.OutputPath != nil {
			resource.AddMetadata(jsii.String("cfn-lint"), map[string]any{"config": map[string]any{"ignore_checks": list("E3601")}})
		}
	}
	suppress(resource, [2]string{"stepfunctions-machine-cmk", "its states carry references and counts; what they refer to lies encrypted in the bucket. Where people decide, the token stands in the history as well, which none of our roles may read"})
	s.machines[m.Name] = machine{resource, *resource.Ref()}
	s.values[m.Name+"Arn"] = *resource.Ref()
	return nil
}

// absent reports whether a state machine is not in this deployment. A definition
// may name it all the same: nothing leads to the state that would start it.
func (s *suite) absent(name string) bool {
	is := func(m workflows.Machine) bool { return m.Name == name }
	return slices.ContainsFunc(workflows.All(), is) && !slices.ContainsFunc(s.scope.Machines(), is)
}

// machineARN is the ARN of a state machine by its name, also before it is made.
func (s *suite) machineARN(name string) string {
	return s.values.fill("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:" + machineName(name))
}

// machineName is what a state machine is called in the account.
func machineName(name string) string { return "Plumbline" + name }

// substitutions answers each placeholder of a definition.
func (s *suite) substitutions(m workflows.Machine, src string) (map[string]any, error) {
	out := map[string]any{}
	for _, name := range (permission.Statement{Resources: []string{src}}).Placeholders() {
		value, ok := s.values[name]
		if machine, is := strings.CutSuffix(name, "Arn"); !ok && is && s.absent(machine) {
			value, ok = s.machineARN(machine), true
		}
		if !ok {
			return nil, fmt.Errorf("%s%s: nothing is known of ${%s}", m.File, workflows.Suffix, strings.TrimSpace(name))
		}
		out[name] = value
	}
	return out, nil
}
