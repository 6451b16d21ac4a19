package stack

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/permission"
)

// gateways are the services whose endpoint is a route, which costs nothing, and
// what may be reached there.
var gateways = map[string][]string{
	"s3":       {"${ReportBucketArn}", "${ReportBucketArn}/*", "${LedgerAnchorArn}", "${LedgerAnchorArn}/*"},
	"dynamodb": {"${FindingsTableArn}", "${FindingsTableArn}/index/*", "${EventsTableArn}", "${LedgerTableArn}", "${ChangesTableArn}", "${ChangesTableArn}/index/*"},
}

// newEndpoints makes an endpoint of each service that the catalogue's actions
// are of. By its policy it lets this account alone through, for these actions
// alone: also a stolen function takes nothing to another account.
func (s *suite) newEndpoints(scope constructs.Construct, vpc, routes string, subnets []any, functions string) {
	group := awsec2.NewCfnSecurityGroup(scope, jsii.String("Endpoints"), &awsec2.CfnSecurityGroupProps{
		VpcId: jsii.String(vpc), GroupDescription: jsii.String("plumbline: endpoints of AWS services. Only functions get in"),
		SecurityGroupIngress: list(map[string]any{
			"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "sourceSecurityGroupId": functions, "description": "HTTPS from the functions",
		}),
		// CloudFormation would let everything out if nothing were said.
		SecurityGroupEgress: list(map[string]any{
			"ipProtocol": "icmp", "fromPort": 252, "toPort": 86, "cidrIp": "255.255.255.255/32", "description": "Nothing gets out",
		}),
	})
	actions := s.endpointActions()
	for _, service := range slices.Sorted(maps.Keys(actions)) {
		props := &awsec2.CfnVPCEndpointProps{VpcId: jsii.String(vpc), ServiceName: jsii.String("com.amazonaws." + s.region + "." + service)}
		resources := list("*")
		if arns, ok := gateways[service]; ok {
			resources = nil
			for _, arn := range arns {
				resources = append(resources, s.values.fill(arn))
			}
			props.VpcEndpointType, props.RouteTableIds = jsii.String("Gateway"), &[]any{routes}
		} else {
			props.VpcEndpointType, props.PrivateDnsEnabled = jsii.String("Interface"), jsii.Bool(true)
			props.SubnetIds, props.SecurityGroupIds = &subnets, &[]any{*group.AttrGroupId()}
		}
		props.PolicyDocument = map[string]any{"Version": "2012-10-17", "Statement": list(map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"AWS": "*"}, "Action": list(actions[service]...), "Resource": resources,
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:PrincipalAccount": *s.stack.Account()}},
		})}
		awsec2.NewCfnVPCEndpoint(scope, jsii.String(strings.ToUpper(service[:1])+service[1:]), props)
	}
}

// endpointActions lists by the service whose endpoint they need what functions
// inside of the VPC do, sorted.
func (s *suite) endpointActions() map[string][]string {
	out := map[string][]string{}
	for _, t := range s.scope.Tasks() {
		if permission.Outside(t) {
			continue
		}
		for _, a := range t.Actions {
			out[permission.Service(a)] = append(out[permission.Service(a)], a)
		}
	}
	if len(s.scope.Secrets) > 0 {
		out["sqs"] = append(out["sqs"], "sqs:SendMessage") // by Notify, into the queue of deliveries
	}
	for service, actions := range out {
		slices.Sort(actions)
		out[service] = slices.Compact(actions)
	}
	return out
}
