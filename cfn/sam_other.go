package cfn

import "strings"

// table expands AWS::Serverless::SimpleTable.
func (b *samBuilder) table() {
	name, kind := b.text("id"), b.text("S")
	if key := b.get("PrimaryKey"); key.IsKind(Map) {
		if v := key.Get("Name"); v != nil {
			name = v
		}
		kind = key.Get("Type")
		switch kind.text() {
		case "String", "Number", "Binary":
			c := *kind
			c.Text = kind.Text[:1]
			kind = &c
		}
	}
	throughput := b.field("ProvisionedThroughput", "ProvisionedThroughput")
	billing := Field{Key: "BillingMode"}
	if throughput.Value == nil {
		billing.Value = b.text("PAY_PER_REQUEST")
	}
	tags := b.field("Tags", "Tags")
	tags.Value = b.tags("")
	b.add(b.from.LogicalID, "AWS::DynamoDB::Table", b.fields(
		b.field("TableName", "TableName"),
		Field{Key: "AttributeDefinitions", Value: b.list(b.object(
			Field{Key: "AttributeName", Value: name}, Field{Key: "AttributeType", Value: kind}))},
		Field{Key: "KeySchema", Value: b.list(b.object(
			Field{Key: "AttributeName", Value: name}, Field{Key: "KeyType", Value: b.text("HASH")}))},
		billing,
		throughput,
		b.field("PointInTimeRecoverySpecification", "PointInTimeRecoverySpecification"),
		b.field("SSESpecification", "SSESpecification"),
		tags,
	))
}

// stateMachine expands AWS::Serverless::StateMachine.
func (b *samBuilder) stateMachine() {
	id := b.from.LogicalID
	fields := make([]Field, 0, 10)
	for _, f := range b.from.Properties.fields() {
		switch f.Key {
		case "Definition":
			f.Key = "DefinitionString"
			if f.Value.IsKind(Map) {
				text := b.r.text()
				text.json(f.Value)
				f.Value = text.value(f.Value.Pos, "Fn::ToJsonString")
			}
		case "DefinitionUri":
			f.Key = "DefinitionS3Location"
			f.Value = b.location(f.Value, "Bucket", "Key", "Version")
		case "Name":
			f.Key = "StateMachineName"
		case "Type":
			f.Key = "StateMachineType"
		case "Role":
			f.Key = "RoleArn"
		case "Logging":
			f.Key = "LoggingConfiguration"
		case "Tracing":
			f.Key = "TracingConfiguration"
		case "DefinitionSubstitutions":
		default:
			continue
		}
		fields = append(fields, f)
	}
	withRole := b.get("Role") == nil
	if withRole {
		fields = append(fields, Field{Key: "RoleArn", Pos: b.from.Pos, Value: b.attribute(id+"Role", "Arn")})
	}
	tags := b.field("Tags", "Tags")
	tags.Value = b.tags("stateMachine:createdBy")
	b.add(id, "AWS::StepFunctions::StateMachine", append(fields, b.fields(tags)...))
	if withRole {
		var p policies
		b.addPolicies(&p, b.get("Policies"))
		if enabled := b.get("Tracing").Get("Enabled"); isScalar(enabled) && strings.EqualFold(enabled.Text, "true") {
			p.addManaged(b.managedPolicy(b.tracingPolicy()))
		}
		b.role("states.amazonaws.com", p)
	}
}

// layer expands AWS::Serverless::LayerVersion. SAM ends the logical id in a
// hash; the resource keeps its own, by which the template refers to it.
func (b *samBuilder) layer() {
	name := b.field("LayerName", "LayerName")
	if name.Value == nil {
		name.Value = b.text(b.from.LogicalID)
	}
	content := b.field("Content", "ContentUri")
	if content.Value != nil {
		content.Value = b.location(content.Value, "S3Bucket", "S3Key", "S3ObjectVersion")
	}
	res := b.add(b.from.LogicalID, "AWS::Lambda::LayerVersion", b.fields(
		name,
		b.field("Description", "Description"),
		content,
		b.field("CompatibleArchitectures", "CompatibleArchitectures"),
		b.field("CompatibleRuntimes", "CompatibleRuntimes"),
		b.field("LicenseInfo", "LicenseInfo"),
	))
	policy := b.field("DeletionPolicy", "RetentionPolicy")
	switch {
	case policy.Value == nil && b.from.Attributes.Get("DeletionPolicy") == nil:
		policy.Value = b.text("Retain")
	case policy.Value == nil:
		return
	}
	fields := b.fields(policy)
	for _, f := range b.from.Attributes.fields() {
		if f.Key != "DeletionPolicy" {
			fields = append(fields, f)
		}
	}
	res.Attributes = &Value{Kind: Map, Pos: b.from.Pos, Fields: fields}
}
