package stack

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/permission"
)

// network is where functions run: private subnets without a way to the Internet.
type network struct {
	subnets, groups []any
}

// newNetwork takes the VPC that the deployment names in this region, or makes
// one: subnets, endpoints of the services that functions call, and a log of
// all traffic.
func (s *suite) newNetwork(scope constructs.Construct) (network, error) {
	if e, ok := s.d.Network.Existing[s.region]; ok {
		return network{list(e.Subnets...), list(e.SecurityGroups...)}, nil
	}
	cidrs, err := split(s.d.Network.CIDR, s.d.Network.Zones)
	if err != nil {
		return network{}, err
	}
	vpc := awsec2.NewCfnVPC(scope, jsii.String("Vpc"), &awsec2.CfnVPCProps{
		CidrBlock: jsii.String(s.d.Network.CIDR), EnableDnsHostnames: jsii.Bool(true), EnableDnsSupport: jsii.Bool(true), Tags: named("plumbline"),
	})
	// No route of its own: what is in it reaches this VPC and the gateway endpoints.
	routes := awsec2.NewCfnRouteTable(scope, jsii.String("Routes"), &awsec2.CfnRouteTableProps{VpcId: vpc.Ref(), Tags: named("plumbline")})
	var subnets []any
	for i, cidr := range cidrs {
		n := strconv.Itoa(i + 1)
		props := &awsec2.CfnSubnetProps{VpcId: vpc.Ref(), CidrBlock: jsii.String(cidr), MapPublicIpOnLaunch: jsii.Bool(false), Tags: named("plumbline private " + n)}
		if ids := s.d.Network.ZoneIDs[s.region]; i < len(ids) {
			props.AvailabilityZoneId = jsii.String(ids[i])
		} else {
			props.AvailabilityZone = awscdk.Fn_Select(jsii.Number(i), awscdk.Fn_GetAzs(jsii.String(s.region)))
		}
		subnet := awsec2.NewCfnSubnet(scope, jsii.String("Subnet"+n), props)
		awsec2.NewCfnSubnetRouteTableAssociation(scope, jsii.String("Routes"+n), &awsec2.CfnSubnetRouteTableAssociationProps{RouteTableId: routes.Ref(), SubnetId: subnet.Ref()})
		subnets = append(subnets, *subnet.Ref())
	}
	functions := awsec2.NewCfnSecurityGroup(scope, jsii.String("Functions"), &awsec2.CfnSecurityGroupProps{
		VpcId: vpc.Ref(), GroupDescription: jsii.String("plumbline: functions. Nobody gets in"),
		SecurityGroupEgress: list(map[string]any{
			"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "0.0.0.0/0", "description": "HTTPS to the endpoints of AWS services",
		}),
	})
	suppress(functions, [2]string{"ec2-security-group-egress-open-world", "the subnets have no way to the Internet; the addresses of S3 and DynamoDB behind the gateway endpoints are not known to CloudFormation"})
	s.newEndpoints(scope, *vpc.Ref(), *routes.Ref(), subnets, *functions.AttrGroupId())
	s.newFlowLog(scope, vpc)
	return network{subnets, list(*functions.AttrGroupId())}, nil
}

// newFlowLog logs the traffic of the VPC.
func (s *suite) newFlowLog(scope constructs.Construct, vpc awsec2.CfnVPC) {
	log := s.newLog(scope, "Traffic", nil)
	role := newRole(scope, "TrafficRole", "vpc-flow-logs.amazonaws.com", "plumbline: writes the log of the VPC's traffic")
	policy := attach(scope, "TrafficPolicy", role, []permission.Statement{{
		Actions: []string{"logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"}, Resources: []string{"${LogArn}"},
	}}, values{"LogArn": *log.AttrArn()})
	awsec2.NewCfnFlowLog(scope, jsii.String("FlowLog"), &awsec2.CfnFlowLogProps{
		ResourceId: vpc.Ref(), ResourceType: jsii.String("VPC"), TrafficType: jsii.String("ALL"),
		LogDestinationType: jsii.String("cloud-watch-logs"), LogGroupName: log.Ref(), DeliverLogsPermissionArn: role.AttrArn(),
	}).AddResourceDependency(policy, jsii.String(untilAllowed))
}

func named(name string) *[]*awscdk.CfnTag {
	return &[]*awscdk.CfnTag{{Key: jsii.String("Name"), Value: jsii.String(name)}}
}

// split cuts a range into as many equal parts as the next power of two, and
// returns the first n.
func split(cidr string, n int) ([]string, error) {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, err
	}
	bits := 0
	for 1<<bits < n {
		bits++
	}
	if !p.Addr().Is4() || p.Bits()+bits > 28 {
		return nil, fmt.Errorf("range %s is too small for %d subnets", cidr, n)
	}
	first := p.Addr().As4()
	start, size := binary.BigEndian.Uint32(first[:]), uint32(1)<<(32-p.Bits()-bits)
	var out []string
	for i := range n {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], start+uint32(i)*size)
		out = append(out, netip.PrefixFrom(netip.AddrFrom4(a), p.Bits()+bits).String())
	}
	return out, nil
}
