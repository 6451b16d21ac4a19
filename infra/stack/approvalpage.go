package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
)

// page is the API of the page on which people decide on changes. It is made
// before the functions, whose environment has its address; the routes to them
// come after.
type page struct {
	scope      constructs.Construct
	api        awscdk.CfnResource
	authorizer awscdk.CfnResource
}

// gatewayResource makes a resource of API Gateway. CDK's own package of it
// brings 36 others along, which nothing here needs.
func gatewayResource(scope constructs.Construct, id, kind string, properties map[string]any) awscdk.CfnResource {
	return awscdk.NewCfnResource(scope, jsii.String(id), &awscdk.CfnResourceProps{Type: jsii.String("AWS::ApiGatewayV2::" + kind), Properties: &properties})
}

// accessLog is what is written of each call, as JSON. The path is not: it has
// the opaque id of a request. The route says which kind of page it was.
const accessLog = `{"requestId":"$context.requestId","time":"$context.requestTime","ip":"$context.identity.sourceIp","route":"$context.routeKey","status":"$context.status","caller":"$context.identity.caller","length":"$context.responseLength","latency":"$context.responseLatency","authorizer":"$context.authorizer.error","integration":"$context.integrationErrorMessage"}`

// Limits of calls for all visitors together, a second and at once. People
// decide by hand: what is more is no visitor.
const callRate, callBurst = 20, 50

// newPage makes the API, what checks tokens, and the stage with its log.
func (s *suite) newPage(scope constructs.Construct) {
	p := &page{scope: scope}
	p.api = gatewayResource(scope, "Api", "Api", map[string]any{
		"Name": "plumbline-approvals", "Description": "plumbline: people decide on changes", "ProtocolType": "HTTP", "Tags": s.tags(),
	})
	p.authorizer = gatewayResource(scope, "Tokens", "Authorizer", map[string]any{
		"ApiId": *p.api.Ref(), "Name": "issuer", "AuthorizerType": "JWT", "IdentitySource": list("$request.header.Authorization"),
		"JwtConfiguration": map[string]any{"Issuer": s.d.OIDC.Issuer, "Audience": list(s.d.OIDC.ClientID)},
	})
	log := s.newLog(scope, "Log", nil)
	gatewayResource(scope, "Stage", "Stage", map[string]any{
		"ApiId": *p.api.Ref(), "StageName": "$default", "AutoDeploy": true, "Tags": s.tags(),
		"AccessLogSettings":    map[string]any{"DestinationArn": *log.AttrArn(), "Format": accessLog},
		"DefaultRouteSettings": map[string]any{"ThrottlingRateLimit": callRate, "ThrottlingBurstLimit": callBurst, "DetailedMetricsEnabled": true},
	})
	s.page = p
	site := "https://" + *p.api.Ref() + ".execute-api." + s.region + "." + *s.stack.UrlSuffix()
	s.values["Site"], s.values["ApprovalInbox"], s.values["ApprovalURL"] = site, site+"/approvals", site+"/approvals/"
	awscdk.NewCfnOutput(scope, jsii.String("Address"), &awscdk.CfnOutputProps{Value: jsii.String(site + "/approvals"), Description: jsii.String("where people decide on changes")})
	awscdk.NewCfnOutput(scope, jsii.String("Redirect"), &awscdk.CfnOutputProps{Value: jsii.String(site + "/sign-in/callback"), Description: jsii.String("the redirect address that the issuer must know")})
}

// tags are what CDK puts on all resources whose kind it knows.
func (s *suite) tags() map[string]any {
	tags := map[string]any{"application": "plumbline"}
	for k, v := range s.d.Tags {
		tags[k] = v
	}
	return tags
}

// bySession is why routes of browsers have no authorizer.
const bySession = "browsers bring a session, which the function itself checks: the gateway can check no cookie, and who has no session is sent to the organisation's issuer"

// newRoutes leads calls to the functions: browsers by their session, programs
// by a token of the issuer below /api, or signed with credentials of AWS below
// /aws, as tasks/approvalpage tells them apart.
func (s *suite) newRoutes() {
	p := s.page
	integration := map[string]string{}
	for _, name := range []string{"ApprovalPage", "SignIn"} {
		i := gatewayResource(p.scope, name, "Integration", map[string]any{
			"ApiId": *p.api.Ref(), "IntegrationType": "AWS_PROXY", "IntegrationUri": s.functions[name].arn, "PayloadFormatVersion": "2.0",
		})
		integration[name] = "integrations/" + *i.Ref()
		awslambda.NewCfnPermission(p.scope, jsii.String(name+"Permission"), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: jsii.String(s.functions[name].arn), Principal: jsii.String("apigateway.amazonaws.com"),
			SourceArn: jsii.String(s.values.fill("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:") + *p.api.Ref() + "/*"),
		})
	}
	type route struct{ id, key, function, authorization string }
	var routes []route
	for _, way := range []struct{ id, prefix, authorization string }{{"", "", ""}, {"Token", "/api", "JWT"}, {"Signed", "/aws", "AWS_IAM"}} {
		routes = append(routes,
			route{"List" + way.id, "GET " + way.prefix + "/approvals", "ApprovalPage", way.authorization},
			route{"Show" + way.id, "GET " + way.prefix + "/approvals/{id}", "ApprovalPage", way.authorization},
			route{"Decide" + way.id, "POST " + way.prefix + "/approvals/{id}", "ApprovalPage", way.authorization})
	}
	routes = append(routes, route{"Begin", "GET /sign-in", "SignIn", ""}, route{"End", "GET /sign-in/callback", "SignIn", ""}, route{"Out", "POST /sign-out", "SignIn", ""})
	for _, r := range routes {
		properties := map[string]any{"ApiId": *p.api.Ref(), "RouteKey": r.key, "Target": integration[r.function]}
		switch r.authorization {
		case "":
			properties["AuthorizationType"] = "NONE"
		case "JWT":
			properties["AuthorizerId"] = *p.authorizer.Ref()
			fallthrough
		default:
			properties["AuthorizationType"] = r.authorization
		}
		made := gatewayResource(p.scope, "Route"+r.id, "Route", properties)
		if r.authorization == "" {
			suppress(made, [2]string{"apigateway-route-authorization", bySession})
		}
	}
}

// When what nobody decides on is looked after, and the ledger's head is kept.
const (
	sweepEvery = "rate(15 minutes)"
	anchorAt   = "cron(30 2 * * ? *)" // before the stacks are scanned
)

// newSweeps calls on schedules what sees to requests and to the ledger.
func (s *suite) newSweeps(scope constructs.Construct) {
	for _, x := range []struct{ function, at, description string }{
		{"SweepApprovals", sweepEvery, "remind of requests for approval, and end those that have expired"},
		{"AnchorLedger", anchorAt, "verify the ledger of changes, and anchor its head"},
	} {
		arn := s.functions[x.function].arn
		r := awsevents.NewCfnRule(scope, jsii.String(x.function), &awsevents.CfnRuleProps{
			Description: jsii.String("plumbline: " + x.description), ScheduleExpression: jsii.String(x.at), Targets: list(s.target(arn)),
		})
		awslambda.NewCfnPermission(scope, jsii.String(x.function+"Permission"), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: jsii.String(arn), Principal: jsii.String("events.amazonaws.com"), SourceArn: r.AttrArn(),
		})
		s.queues.admit(r.AttrArn())
	}
}

// pageOf reports whether a deployment has the page: an issuer signs people in,
// and there are changes to decide on.
func pageOf(d deployment.Deployment) bool {
	return d.OIDC != (deployment.OIDC{}) && len(d.Changes()) > 0
}
