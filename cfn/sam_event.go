package cfn

import "strings"

// events expands the events that call a function: permissions, rules,
// subscriptions and mappings. Kinds of events that CloudFormation expresses
// within other resources (S3 notifications, routes of an API) give the
// permission only.
func (b *samBuilder) events(target func() *Value) {
	for _, f := range b.get("Events").fields() {
		if !f.Value.IsKind(Map) {
			continue
		}
		e := samEvent{b, b.from.LogicalID + f.Key, f.Value.Get("Properties"), target}
		switch f.Value.Get("Type").text() {
		case "Schedule":
			e.rule(Field{}, "ScheduleExpression", "Schedule")
		case "CloudWatchEvent", "EventBridgeRule":
			e.rule(b.in(e.properties, "EventBusName", "EventBusName"), "EventPattern", "Pattern")
		case "SNS":
			e.topic()
		case "S3":
			e.permission("s3.amazonaws.com", "", Field{Key: "SourceAccount", Value: e.account()})
		case "CloudWatchLogs":
			e.logs()
		case "Api":
			e.api("RestApiId", implicitRestAPI)
		case "HttpApi":
			e.api("ApiId", implicitHTTPAPI)
		case "SQS", "Kinesis", "DynamoDB", "MSK", "MQ", "SelfManagedKafka", "DocumentDB":
			e.mapping()
		}
	}
}

// samEvent is one event of a function.
type samEvent struct {
	*samBuilder
	id         string
	properties *Value
	target     func() *Value
}

func (e samEvent) account() *Value {
	v, _ := e.r.pseudo(pseudoAccountID, e.from.Pos)
	return v
}

func (e samEvent) permission(principal, suffix string, source Field) {
	e.add(e.id+"Permission"+suffix, "AWS::Lambda::Permission", e.fields(
		Field{Key: "Action", Value: e.text("lambda:InvokeFunction")},
		Field{Key: "FunctionName", Value: e.target()},
		Field{Key: "Principal", Value: e.text(principal)},
		source,
	))
}

// rule expands a schedule or an event pattern.
func (e samEvent) rule(bus Field, expression, from string) {
	state := e.in(e.properties, "State", "State")
	if enabled := e.properties.Get("Enabled"); isScalar(enabled) {
		state.Value = e.text("DISABLED")
		if strings.EqualFold(enabled.Text, "true") {
			state.Value = e.text("ENABLED")
		}
	}
	name := "Name"
	if from == "Pattern" {
		name = "RuleName"
	}
	target := e.object(
		Field{Key: "Arn", Value: e.attribute(e.from.LogicalID, "Arn")},
		Field{Key: "Id", Value: e.text(e.id + "LambdaTarget")},
		e.in(e.properties, "Input", "Input"),
		e.in(e.properties, "InputPath", "InputPath"),
		e.in(e.properties, "RetryPolicy", "RetryPolicy"),
	)
	e.add(e.id, "AWS::Events::Rule", e.fields(
		bus,
		e.in(e.properties, expression, from),
		e.in(e.properties, "Name", name),
		e.in(e.properties, "Description", "Description"),
		state,
		Field{Key: "Targets", Value: e.list(target)},
	))
	e.permission("events.amazonaws.com", "", Field{Key: "SourceArn", Value: e.attribute(e.id, "Arn")})
}

// topic expands a subscription to a topic; the queue that SAM may put between
// is left out.
func (e samEvent) topic() {
	if queue := e.properties.Get("SqsSubscription"); queue != nil && queue.Text != "false" {
		return
	}
	e.permission("sns.amazonaws.com", "", e.in(e.properties, "SourceArn", "Topic"))
	e.add(e.id, "AWS::SNS::Subscription", e.fields(
		Field{Key: "Protocol", Value: e.text("lambda")},
		Field{Key: "Endpoint", Value: e.attribute(e.from.LogicalID, "Arn")},
		e.in(e.properties, "TopicArn", "Topic"),
		e.in(e.properties, "Region", "Region"),
		e.in(e.properties, "FilterPolicy", "FilterPolicy"),
		e.in(e.properties, "FilterPolicyScope", "FilterPolicyScope"),
		e.in(e.properties, "RedrivePolicy", "RedrivePolicy"),
	))
}

// logs expands a subscription to a log group.
func (e samEvent) logs() {
	arn := e.r.text()
	arn.literal("arn:" + e.r.partition() + ":logs:")
	region, _ := e.r.pseudo(pseudoRegion, e.from.Pos)
	arn.add(region)
	arn.literal(":")
	arn.add(e.account())
	arn.literal(":log-group:")
	arn.add(e.properties.Get("LogGroupName"))
	arn.literal(":*")
	e.permission("logs.amazonaws.com", "", Field{Key: "SourceArn", Value: arn.value(e.from.Pos, "Fn::Sub")})
	e.add(e.id, "AWS::Logs::SubscriptionFilter", e.fields(
		e.in(e.properties, "LogGroupName", "LogGroupName"),
		e.in(e.properties, "FilterPattern", "FilterPattern"),
		Field{Key: "DestinationArn", Value: e.attribute(e.from.LogicalID, "Arn")},
	))
}

// api expands the permission of an API to call the function. The method and
// path stand in the API's own document.
func (e samEvent) api(property, implicit string) {
	api := e.properties.Get(property)
	suffix := ""
	if api == nil {
		api = e.ref(implicit)
	}
	if property == "RestApiId" {
		suffix = "Prod"
		if ref := api.reference(); ref != nil && ref.LogicalID != implicit {
			suffix = "Stage"
			if i, ok := e.r.index[ref.LogicalID]; ok {
				if stage := e.r.declared[i].Body.Get("Properties").Get("StageName"); stage.text() != "" {
					suffix = stage.Text
				}
			}
		}
	}
	arn := e.r.text()
	arn.literal("arn:" + e.r.partition() + ":execute-api:")
	region, _ := e.r.pseudo(pseudoRegion, e.from.Pos)
	arn.add(region)
	arn.literal(":")
	arn.add(e.account())
	arn.literal(":")
	arn.add(api)
	arn.literal("/*/")
	method := e.properties.Get("Method")
	switch {
	case method == nil, strings.EqualFold(method.text(), "any"):
		arn.literal("*")
	case method.Kind == String && property == "RestApiId":
		arn.literal(strings.ToUpper(method.Text))
	case method.Kind == String:
		arn.literal("*")
	default:
		arn.add(method)
	}
	if path := e.properties.Get("Path"); path.IsKind(String) {
		arn.literal(pathPattern(path.Text))
	} else {
		arn.gap(Piece{Gap: true})
	}
	e.permission("apigateway.amazonaws.com", suffix, Field{Key: "SourceArn", Value: arn.value(e.from.Pos, "Fn::Sub")})
}

// reference is what an unknown value refers to, nil for none.
func (v *Value) reference() *Reference {
	if v == nil || v.Unknown == nil {
		return nil
	}
	return v.Unknown.Ref
}

// pathPattern is a path with its parameters as wildcards and no slash at its end.
func pathPattern(path string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(path, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		b.WriteByte('*')
		_, path, _ = strings.Cut(rest, "}")
	}
	if s := b.String(); len(s) > 1 {
		return strings.TrimSuffix(s, "/")
	}
	return b.String()
}

// mapping expands an event that the function polls for.
func (e samEvent) mapping() {
	fields := []Field{{Key: "FunctionName", Pos: e.from.Pos, Value: e.target()}}
	for _, f := range e.properties.fields() {
		switch f.Key {
		case "Stream", "Queue", "Broker", "Cluster":
			f.Key = "EventSourceArn"
		case "KafkaBootstrapServers":
			f.Key = "SelfManagedEventSource"
			f.Value = e.object(Field{Key: "Endpoints", Value: e.object(Field{Key: "KafkaBootstrapServers", Value: f.Value})})
		case "StartingPosition", "StartingPositionTimestamp", "BatchSize", "Enabled", "MaximumBatchingWindowInSeconds",
			"MaximumRetryAttempts", "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "ParallelizationFactor",
			"Topics", "Queues", "SourceAccessConfigurations", "TumblingWindowInSeconds", "FunctionResponseTypes",
			"FilterCriteria", "KmsKeyArn", "ScalingConfig", "ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig",
			"DestinationConfig":
		default:
			continue
		}
		fields = append(fields, f)
	}
	e.add(e.id, "AWS::Lambda::EventSourceMapping", fields)
}
