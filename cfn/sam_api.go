package cfn

import (
	"crypto/sha1"
	"encoding/hex"
)

// restAPI expands AWS::Serverless::Api: the API, its deployment and stage, and
// its domain.
func (b *samBuilder) restAPI() {
	id := b.from.LogicalID
	fields := make([]Field, 0, 12)
	body := false
	for _, f := range b.from.Properties.fields() {
		switch f.Key {
		case "DefinitionBody":
			if b.get("Auth") != nil || b.get("Cors") != nil {
				continue // SAM writes them into the document
			}
			f.Key, body = "Body", true
		case "DefinitionUri":
			f.Key, body = "BodyS3Location", true
			f.Value = b.location(f.Value, "Bucket", "Key", "Version")
		case "EndpointConfiguration":
			fields = append(fields, Field{Key: f.Key, Pos: f.Pos, Value: b.endpoint(f.Value)})
			continue
		case "DisableExecuteApiEndpoint", "Name", "Description", "Mode", "ApiKeySourceType", "Policy", "SecurityPolicy",
			"EndpointAccessMode", "MinimumCompressionSize", "FailOnWarnings", "BinaryMediaTypes":
		default:
			continue
		}
		fields = append(fields, f)
	}
	if !body {
		fields = append(fields, Field{Key: "Body", Pos: b.from.Pos, Value: newUnknown(b.from.Pos, "the OpenAPI document that SAM writes for "+id)})
	}
	b.add(id, "AWS::ApiGateway::RestApi", fields)
	b.add(id+"Deployment", "AWS::ApiGateway::Deployment", b.fields(
		Field{Key: "RestApiId", Value: b.ref(id)},
	))
	stage := b.fields(
		Field{Key: "RestApiId", Value: b.ref(id)},
		Field{Key: "DeploymentId", Value: b.ref(id + "Deployment")},
	)
	for _, f := range b.from.Properties.fields() {
		switch f.Key {
		case "StageName", "CacheClusterEnabled", "CacheClusterSize", "Variables", "MethodSettings", "AccessLogSetting",
			"CanarySetting", "TracingEnabled":
		case "Tags":
			f.Value = b.tags("")
		default:
			continue
		}
		if f.Value != nil {
			stage = append(stage, f)
		}
	}
	b.add(stageID(id, b.get("StageName")), "AWS::ApiGateway::Stage", stage)
	b.restDomain()
}

// stageID is the logical id of an API's stage.
func stageID(api string, name *Value) string {
	if !isScalar(name) || name.Text == "" || name.Origin != nil {
		return api + "Stage"
	}
	if alphanumeric(name.Text) == name.Text {
		return api + name.Text + "Stage"
	}
	if name.Text == "$default" {
		return api + "ApiGatewayDefaultStage"
	}
	return api + "Stage" + hashOf(name.Text)
}

// hashOf is SAM's suffix for ids made of data; SHA-1 names here, it protects nothing.
func hashOf(data string) string {
	sum := sha1.Sum([]byte(data))
	return hex.EncodeToString(sum[:])[:10]
}

// endpoint turns SAM's endpoint configuration into CloudFormation's.
func (b *samBuilder) endpoint(v *Value) *Value {
	var out *Value
	switch {
	case isScalar(v), v.IsKind(Unknown) && v.Unknown.Shape != nil:
		out = b.object(Field{Key: "Types", Value: b.list(v)})
	case v.IsKind(Map):
		ids := b.in(v, "VpcEndpointIds", "VPCEndpointIds")
		if ids.Value == nil {
			ids = b.in(v, "VpcEndpointIds", "VpcEndpointIds")
		}
		types := b.in(v, "Types", "Type")
		if types.Value != nil {
			types.Value = b.list(types.Value)
		} else {
			types = b.in(v, "Types", "Types") // CloudFormation's own form is not SAM's, but what it means is plain
		}
		out = b.object(types, ids, b.in(v, "IpAddressType", "IpAddressType"))
	default:
		return v
	}
	out.Pos = v.Pos
	return out
}

// restDomain adds the custom domain of a REST API and its mapping.
func (b *samBuilder) restDomain() {
	domain := b.get("Domain")
	name := domain.Get("DomainName")
	if name == nil {
		return
	}
	id := "ApiGatewayDomainName" + hashOf(describe(name))
	endpoint := domain.Get("EndpointConfiguration")
	if endpoint == nil {
		endpoint = b.text("REGIONAL")
	}
	certificate := "RegionalCertificateArn"
	if isScalar(endpoint) && endpoint.Text != "REGIONAL" {
		certificate = "CertificateArn"
	}
	b.add(id, "AWS::ApiGateway::DomainName", b.fields(
		b.in(domain, "DomainName", "DomainName"),
		b.in(domain, certificate, "CertificateArn"),
		Field{Key: "EndpointConfiguration", Value: b.object(Field{Key: "Types", Value: b.list(endpoint)})},
		b.in(domain, "MutualTlsAuthentication", "MutualTlsAuthentication"),
		b.in(domain, "SecurityPolicy", "SecurityPolicy"),
		b.in(domain, "OwnershipVerificationCertificateArn", "OwnershipVerificationCertificateArn"),
	))
	b.add(b.from.LogicalID+"BasePathMapping", "AWS::ApiGateway::BasePathMapping", b.fields(
		Field{Key: "DomainName", Value: b.ref(id)},
		Field{Key: "RestApiId", Value: b.ref(b.from.LogicalID)},
		Field{Key: "Stage", Value: b.ref(stageID(b.from.LogicalID, b.get("StageName")))},
	))
}

// httpAPI expands AWS::Serverless::HttpApi. SAM writes the API's tags, CORS and
// endpoint settings into its OpenAPI document; here they stand as the
// properties of the same meaning.
func (b *samBuilder) httpAPI() {
	id := b.from.LogicalID
	fields := make([]Field, 0, 8)
	body := false
	for _, f := range b.from.Properties.fields() {
		switch f.Key {
		case "DefinitionBody":
			f.Key, body = "Body", true
		case "DefinitionUri":
			f.Key, body = "BodyS3Location", true
			f.Value = b.location(f.Value, "Bucket", "Key", "Version")
		case "FailOnWarnings", "DisableExecuteApiEndpoint", "Tags", "Name", "Description":
		default:
			continue
		}
		fields = append(fields, f)
	}
	if !body {
		fields = append(fields, Field{Key: "Body", Pos: b.from.Pos, Value: newUnknown(b.from.Pos, "the OpenAPI document that SAM writes for "+id)})
	}
	b.add(id, "AWS::ApiGatewayV2::Api", fields)
	name := b.field("StageName", "StageName")
	if name.Value == nil {
		name.Value = b.text("$default")
	}
	tags := b.field("Tags", "Tags")
	if tags.Value == nil || tags.Value.Kind == Map {
		created := Field{Key: "httpapi:createdBy", Pos: b.from.Pos, Value: b.text("SAM")}
		tags.Value = b.object(append([]Field{created}, tags.Value.fields()...)...)
	}
	b.add(stageID(id, name.Value), "AWS::ApiGatewayV2::Stage", b.fields(
		Field{Key: "ApiId", Value: b.ref(id)},
		name,
		b.field("StageVariables", "StageVariables"),
		b.field("AccessLogSettings", "AccessLogSettings"),
		b.field("DefaultRouteSettings", "DefaultRouteSettings"),
		tags,
		Field{Key: "AutoDeploy", Value: b.flag(true)},
		b.field("RouteSettings", "RouteSettings"),
	))
	b.httpDomain(name.Value)
}

// httpDomain adds the custom domain of an HTTP API and its mapping.
func (b *samBuilder) httpDomain(stage *Value) {
	domain := b.get("Domain")
	name := domain.Get("DomainName")
	if name == nil {
		return
	}
	id := "ApiGatewayDomainNameV2" + hashOf(describe(name))
	endpoint := domain.Get("EndpointConfiguration")
	if endpoint == nil {
		endpoint = b.text("REGIONAL")
	}
	b.add(id, "AWS::ApiGatewayV2::DomainName", b.fields(
		b.in(domain, "DomainName", "DomainName"),
		Field{Key: "DomainNameConfigurations", Value: b.list(b.object(
			b.in(domain, "CertificateArn", "CertificateArn"),
			Field{Key: "EndpointType", Value: endpoint},
			b.in(domain, "SecurityPolicy", "SecurityPolicy"),
			b.in(domain, "OwnershipVerificationCertificateArn", "OwnershipVerificationCertificateArn"),
		))},
		b.in(domain, "MutualTlsAuthentication", "MutualTlsAuthentication"),
	))
	b.add(b.from.LogicalID+"ApiMapping", "AWS::ApiGatewayV2::ApiMapping", b.fields(
		Field{Key: "DomainName", Value: b.ref(id)},
		Field{Key: "ApiId", Value: b.ref(b.from.LogicalID)},
		Field{Key: "Stage", Value: b.ref(stageID(b.from.LogicalID, stage))},
	))
}
