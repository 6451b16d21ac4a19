package cfn

import "strings"

// function expands AWS::Serverless::Function.
func (b *samBuilder) function() {
	id := b.from.LogicalID
	fields := make([]Field, 0, len(b.from.Properties.fields())+3)
	var code []Field
	for _, f := range b.from.Properties.fields() {
		switch f.Key {
		case "CodeUri":
			if v := b.location(f.Value, "S3Bucket", "S3Key", "S3ObjectVersion"); v != nil {
				fields = append(fields, Field{Key: "Code", Pos: f.Pos, Value: v})
			}
			continue
		case "InlineCode":
			code = append(code, Field{Key: "ZipFile", Pos: f.Pos, Value: f.Value})
			continue
		case "ImageUri":
			code = append(code, Field{Key: "ImageUri", Pos: f.Pos, Value: f.Value})
			continue
		case "DeadLetterQueue":
			if f.Value.IsKind(Map) {
				f.Value = b.object(Field{Key: "TargetArn", Value: f.Value.Get("TargetArn")})
			}
			f.Key = "DeadLetterConfig"
		case "Tracing":
			if f.Value.text() == "Disabled" {
				continue
			}
			f.Key, f.Value = "TracingConfig", &Value{Kind: Map, Pos: f.Value.Pos, Fields: []Field{{Key: "Mode", Pos: f.Pos, Value: f.Value}}}
		case "Tags", "AssumeRolePolicyDocument", "Policies", "RolePath", "PermissionsBoundary", "Events", "PropagateTags",
			"DeploymentPreference", "EventInvokeConfig", "AutoPublishAlias", "AutoPublishCodeSha256",
			"AutoPublishAliasAllProperties", "VersionDescription", "ProvisionedConcurrencyConfig", "FunctionUrlConfig",
			"SourceKMSKeyArn", "CapacityProviderConfig", "VersionDeletionPolicy":
			continue // read below, or of no meaning to the function itself
		}
		fields = append(fields, f)
	}
	if len(code) > 0 {
		fields = append(fields, Field{Key: "Code", Pos: code[0].Pos, Value: &Value{Kind: Map, Pos: code[0].Pos, Fields: code}})
	}
	withRole := b.get("Role") == nil
	if withRole {
		fields = append(fields, Field{Key: "Role", Pos: b.from.Pos, Value: b.attribute(id+"Role", "Arn")})
	}
	tags := b.field("Tags", "Tags")
	tags.Value = b.tags("lambda:createdBy")
	if tags.Pos.IsZero() {
		tags.Pos = b.from.Pos
	}
	b.add(id, "AWS::Lambda::Function", append(fields, tags))
	if withRole {
		b.role("lambda.amazonaws.com", b.functionPolicies())
	}
	target := b.alias()
	b.functionURL(target)
	b.events(target)
	b.invokeConfig()
}

// alias publishes a version and an alias where the function asks for them; it
// returns what events and URLs call: the alias, else the function.
func (b *samBuilder) alias() func() *Value {
	id := b.from.LogicalID
	name := b.get("AutoPublishAlias")
	if name == nil {
		return func() *Value { return b.ref(id) }
	}
	if !isScalar(name) {
		return func() *Value { return derive(b.unknown(name), b.from.Pos) }
	}
	// SAM ends the version's id in a hash of the code, which no reference can name.
	version := b.add(id+"Version", "AWS::Lambda::Version", b.fields(
		Field{Key: "FunctionName", Value: b.ref(id)},
		b.field("Description", "VersionDescription"),
	))
	if b.derived.Get("DeletionPolicy") == nil {
		policy := b.get("VersionDeletionPolicy")
		if policy == nil {
			policy = b.text("Retain")
		}
		version.Attributes = b.object(append(b.derived.fields(), Field{Key: "DeletionPolicy", Value: policy})...)
	}
	alias := aliasID(id, name.Text)
	b.add(alias, "AWS::Lambda::Alias", b.fields(
		Field{Key: "FunctionName", Value: b.ref(id)},
		Field{Key: "FunctionVersion", Value: b.attribute(id+"Version", "Version")},
		b.field("Name", "AutoPublishAlias"),
		b.field("ProvisionedConcurrencyConfig", "ProvisionedConcurrencyConfig"),
	))
	return func() *Value { return b.ref(alias) }
}

func (b *samBuilder) unknown(v *Value) *Value {
	if v.IsKind(Unknown) {
		return v
	}
	return newUnknown(b.from.Pos, "a name for the alias")
}

// aliasID is the logical id of a function's alias.
func aliasID(function, name string) string {
	return function + "Alias" + strings.NewReplacer("-", "D", "_", "U").Replace(name)
}

// functionURL expands FunctionUrlConfig; a URL without authorization comes with
// the permissions that make it public.
func (b *samBuilder) functionURL(target func() *Value) {
	config := b.get("FunctionUrlConfig")
	if !config.IsKind(Map) {
		return
	}
	id := b.from.LogicalID
	b.add(id+"Url", "AWS::Lambda::Url", b.fields(
		b.in(config, "Cors", "Cors"),
		b.in(config, "AuthType", "AuthType"),
		Field{Key: "TargetFunctionArn", Value: target()},
		b.in(config, "InvokeMode", "InvokeMode"),
	))
	if config.Get("AuthType").text() != "NONE" {
		return
	}
	b.add(id+"UrlPublicPermissions", "AWS::Lambda::Permission", b.fields(
		Field{Key: "Action", Value: b.text("lambda:InvokeFunctionUrl")},
		Field{Key: "FunctionName", Value: target()},
		Field{Key: "Principal", Value: b.text("*")},
		Field{Key: "FunctionUrlAuthType", Value: b.text("NONE")},
	))
	b.add(id+"URLInvokeAllowPublicAccess", "AWS::Lambda::Permission", b.fields(
		Field{Key: "Action", Value: b.text("lambda:InvokeFunction")},
		Field{Key: "FunctionName", Value: target()},
		Field{Key: "Principal", Value: b.text("*")},
		Field{Key: "InvokedViaFunctionUrl", Value: b.flag(true)},
	))
}

// in is a field of a map under another name, at its own place.
func (b *samBuilder) in(m *Value, name, from string) Field {
	for i := range m.fields() {
		if f := &m.Fields[i]; f.Key == from {
			return Field{Key: name, Pos: f.Pos, Value: f.Value}
		}
	}
	return Field{Key: name}
}

// invokeConfig expands EventInvokeConfig. Queues and topics that SAM would add
// where a destination has none are left out.
func (b *samBuilder) invokeConfig() {
	config := b.get("EventInvokeConfig")
	if !config.IsKind(Map) {
		return
	}
	qualifier := b.text("$LATEST")
	if alias := b.get("AutoPublishAlias"); alias != nil {
		qualifier = alias
	}
	destinations := b.in(config, "DestinationConfig", "DestinationConfig")
	if destinations.Value.IsKind(Map) { // without SAM's own Type
		v := &Value{Kind: Map, Pos: destinations.Value.Pos}
		for _, f := range destinations.Value.Fields {
			if f.Value.IsKind(Map) {
				f.Value = b.object(b.in(f.Value, "Destination", "Destination"))
			}
			v.Fields = append(v.Fields, f)
		}
		destinations.Value = v
	}
	b.add(b.from.LogicalID+"EventInvokeConfig", "AWS::Lambda::EventInvokeConfig", b.fields(
		Field{Key: "FunctionName", Value: b.ref(b.from.LogicalID)},
		Field{Key: "Qualifier", Value: qualifier},
		destinations,
		b.in(config, "MaximumEventAgeInSeconds", "MaximumEventAgeInSeconds"),
		b.in(config, "MaximumRetryAttempts", "MaximumRetryAttempts"),
	))
}

// policies are what a generated role grants.
type policies struct {
	managed []*Value
	inline  []*Value
	unknown *Value // the whole Policies property is not known
}

// functionPolicies are the policies that SAM itself gives a function's role,
// before those that the template names.
func (b *samBuilder) functionPolicies() policies {
	var p policies
	basic := "service-role/AWSLambdaBasicExecutionRole"
	if b.get("DurableConfig") != nil {
		basic = "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
	}
	p.managed = append(p.managed, b.managedPolicy(basic))
	if tracing := b.get("Tracing"); tracing != nil && tracing.text() != "Disabled" {
		p.managed = append(p.managed, b.managedPolicy(b.tracingPolicy()))
	}
	if b.get("VpcConfig") != nil {
		p.managed = append(p.managed, b.managedPolicy("service-role/AWSLambdaVPCAccessExecutionRole"))
	}
	if queue := b.get("DeadLetterQueue"); queue.IsKind(Map) {
		p.inline = append(p.inline, b.inlinePolicy("DeadLetterQueuePolicy", b.text(sendActions[queue.Get("Type").text()]), queue.Get("TargetArn")))
	}
	destinations := b.get("EventInvokeConfig").Get("DestinationConfig").fields()
	for i := range destinations {
		kind, to := destinations[i].Value.Get("Type").text(), destinations[i].Value.Get("Destination")
		if action := sendActions[kind]; action != "" && to != nil {
			p.inline = append(p.inline, b.inlinePolicy(b.from.LogicalID+"EventInvokeConfig"+destinations[i].Key+kind+"Policy", b.text(action), to))
		}
	}
	b.addPolicies(&p, b.get("Policies"))
	for _, f := range b.get("Events").fields() {
		if name := pollerPolicies[f.Value.Get("Type").text()]; name != "" {
			p.addManaged(b.managedPolicy("service-role/" + name))
		}
	}
	return p
}

// sendActions are what a function needs for each type of destination.
var sendActions = map[string]string{
	"SQS":         "sqs:SendMessage",
	"SNS":         "sns:Publish",
	"Lambda":      "lambda:InvokeFunction",
	"EventBridge": "events:PutEvents",
}

// pollerPolicies are the managed policies that a function's role gets for the
// events it polls for.
var pollerPolicies = map[string]string{
	"SQS":      "AWSLambdaSQSQueueExecutionRole",
	"Kinesis":  "AWSLambdaKinesisExecutionRole",
	"DynamoDB": "AWSLambdaDynamoDBExecutionRole",
	"MSK":      "AWSLambdaMSKExecutionRole",
}

func (b *samBuilder) inlinePolicy(name string, action, resource *Value) *Value {
	statement := b.object(
		Field{Key: "Action", Value: action},
		Field{Key: "Resource", Value: resource},
		Field{Key: "Effect", Value: b.text("Allow")},
	)
	return b.object(
		Field{Key: "PolicyName", Value: b.text(name)},
		Field{Key: "PolicyDocument", Value: b.object(
			Field{Key: "Version", Value: b.text("2012-10-17")},
			Field{Key: "Statement", Value: b.list(statement)},
		)},
	)
}

// role adds the role that SAM makes for a function or state machine which names none.
func (b *samBuilder) role(service string, p policies) {
	trust := b.get("AssumeRolePolicyDocument")
	if trust == nil {
		trust = b.object(
			Field{Key: "Version", Value: b.text("2012-10-17")},
			Field{Key: "Statement", Value: b.list(b.object(
				Field{Key: "Action", Value: b.list(b.text("sts:AssumeRole"))},
				Field{Key: "Effect", Value: b.text("Allow")},
				Field{Key: "Principal", Value: b.object(Field{Key: "Service", Value: b.list(b.text(service))})},
			))},
		)
	}
	tags := "lambda:createdBy"
	if service != "lambda.amazonaws.com" {
		tags = "stateMachine:createdBy"
	}
	managed, inline := b.list(p.managed...), (*Value)(nil)
	if len(p.inline) > 0 {
		inline = b.list(p.inline...)
	}
	if p.unknown != nil {
		// It may name managed policies, hold inline ones, or both.
		managed.Items = append(managed.Items, derive(p.unknown, p.unknown.Pos))
		if inline == nil {
			inline = b.list()
		}
		inline.Items = append(inline.Items, derive(p.unknown, p.unknown.Pos))
	}
	at := b.field("Policies", "Policies").Pos
	b.add(b.from.LogicalID+"Role", "AWS::IAM::Role", b.fields(
		Field{Key: "AssumeRolePolicyDocument", Value: trust},
		Field{Key: "ManagedPolicyArns", Pos: at, Value: managed},
		Field{Key: "Policies", Pos: at, Value: inline},
		b.field("Path", "RolePath"),
		b.field("PermissionsBoundary", "PermissionsBoundary"),
		Field{Key: "Tags", Value: b.tags(tags)},
	))
}
