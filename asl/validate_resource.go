package asl

import (
	"strings"
)

// integrations are the actions of the services that Step Functions calls with
// arn:aws:states:::service:action, and after a slash the ways to wait they
// have beside the plain call: s .sync, 2 .sync:2, t .waitForTaskToken. From
// "Integrating optimized services" in the developer guide. Services that are
// not here are let pass with a warning: the list grows.
func integrations(service string) (actions string, known bool) {
	switch service {
	case "lambda":
		return "invoke/t", true
	case "sns":
		return "publish/t", true
	case "sqs":
		return "sendMessage/t", true
	case "dynamodb":
		return "getItem putItem updateItem deleteItem", true
	case "states":
		return "startExecution/s2t", true
	case "events":
		return "putEvents/t", true
	case "ecs":
		return "runTask/st", true
	case "batch":
		return "submitJob/s", true
	case "glue", "databrew":
		return "startJobRun/s", true
	case "athena":
		return "startQueryExecution/s stopQueryExecution getQueryExecution getQueryResults", true
	case "apigateway":
		return "invoke/t", true
	case "http":
		return "invoke", true
	case "codebuild":
		return "startBuild/s stopBuild batchDeleteBuilds batchGetReports startBuildBatch/s stopBuildBatch retryBuildBatch/s deleteBuildBatch", true
	case "mediaconvert":
		return "createJob/s", true
	case "sagemaker":
		return "createEndpoint createEndpointConfig createHyperParameterTuningJob/s createLabelingJob/s createModel createProcessingJob/s createTrainingJob/s createTransformJob/s updateEndpoint", true
	case "elasticmapreduce":
		return "addStep/s cancelStep createCluster/s modifyInstanceFleetByName modifyInstanceGroupByName setClusterTerminationProtection terminateCluster/s", true
	case "emr-containers":
		return "createVirtualCluster deleteVirtualCluster/s startJobRun/s", true
	case "emr-serverless":
		return "createApplication/s startApplication/s stopApplication/s deleteApplication/s startJobRun/s cancelJobRun/s", true
	case "eks":
		return "call runJob/s createCluster/s createFargateProfile/s createNodegroup/s deleteCluster/s deleteFargateProfile/s deleteNodegroup/s", true
	case "bedrock":
		return "invokeModel/t createModelCustomizationJob/s", true
	}
	return "", false
}

// activity reports whether the resource is an activity's ARN.
func activity(resource string) bool {
	return strings.HasPrefix(resource, "arn:") && strings.Contains(resource, ":states:") && strings.Contains(resource, ":activity:")
}

// Integration splits the resource of a Task such as
// arn:aws:states:::lambda:invoke.waitForTaskToken into service, action and
// pattern: "lambda", "invoke", "waitForTaskToken". An AWS SDK call has the
// service "aws-sdk:sfn". ok is false for functions, activities and text that
// is no service integration.
func Integration(resource string) (service, action, pattern string, ok bool) {
	_, rest, found := strings.Cut(resource, ":states:::")
	if !found || !strings.HasPrefix(resource, "arn:") {
		return "", "", "", false
	}
	rest, sync2 := strings.CutSuffix(rest, ".sync:2")
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		return "", "", "", false
	}
	service, action = rest[:i], rest[i+1:]
	action, pattern, _ = strings.Cut(action, ".")
	if sync2 {
		pattern = "sync:2"
	}
	return service, action, pattern, service != "" && action != ""
}

// Callback reports whether the state waits for a task token or is an
// activity, so that something outside ends it.
func (s *State) Callback() bool {
	return s.Type == "Task" && (strings.HasSuffix(s.Resource, ".waitForTaskToken") || activity(s.Resource))
}

const notARN = "Value is not a valid resource ARN"

func resource(v *validator, f field) {
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return
	}
	r := f.value.text
	if placeholder(r) && strings.Count(r, "${") == strings.Count(r, "}") {
		return
	}
	scheme, rest, _ := strings.Cut(r, ":")
	if scheme == "" || rest == "" || strings.ContainsAny(r, " \t\n{}") {
		v.schema(f.value.pos, f.at, "write an ARN, such as arn:aws:states:::lambda:invoke", notARN)
		return
	}
	if strings.Contains(r, ":lambda:") && strings.Contains(r, ":function:") {
		v.function(f)
		return
	}
	if activity(r) {
		if v.machineType == Express {
			v.schema(f.value.pos, f.at, "make it a Standard state machine", "Express state machine does not support Activity ARN")
		}
		return
	}
	service, action, pattern, ok := Integration(r)
	if !ok {
		if strings.Contains(r, ":states:::") {
			v.unrecognised(f, "")
		}
		return
	}
	if v.machineType == Express && (pattern == "sync" || pattern == "sync:2" || pattern == "waitForTaskToken") {
		p := "." + strings.TrimSuffix(pattern, ":2")
		v.schema(f.value.pos, f.at, "make it a Standard state machine", "Express state machine does not support '%s' service integration", p)
		return
	}
	if strings.HasPrefix(service, "aws-sdk:") {
		if pattern != "" && pattern != "waitForTaskToken" {
			v.unrecognised(f, "an AWS SDK call has no ."+pattern)
		}
		return
	}
	actions, known := integrations(service)
	if !known {
		v.report(SeverityWarning, "INVALID_RESOURCE", f.value.pos, f.at, "check the name", "The service '%s' is not among the optimized integrations known here", service)
		return
	}
	var names []string
	for name := range strings.FieldsSeq(actions) {
		name, patterns, _ := strings.Cut(name, "/")
		names = append(names, name)
		if name != action {
			continue
		}
		var have string
		switch pattern {
		case "":
			return
		case "sync":
			have = "s"
		case "sync:2":
			have = "2"
		case "waitForTaskToken":
			have = "t"
		}
		if have == "" || !strings.Contains(patterns, have) {
			v.unrecognised(f, service+":"+action+" has no ."+pattern)
		}
		return
	}
	hint := near(action, names)
	if hint == "" {
		hint = service + " has " + strings.Join(names, ", ") + "; other calls go through arn:aws:states:::aws-sdk:" + service + ":" + action
	}
	v.unrecognised(f, hint)
}

func (v *validator) unrecognised(f field, hint string) {
	v.schema(f.value.pos, f.at, hint, "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", f.value.text)
}

// function checks a Lambda function's ARN: a name and perhaps a version or alias.
func (v *validator) function(f field) {
	_, name, _ := strings.Cut(f.value.text, ":function:")
	name, alias, qualified := strings.Cut(name, ":")
	word := func(s string) bool {
		return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
	}
	if !word(name) || qualified && alias != "$LATEST" && !word(alias) {
		v.schema(f.value.pos, f.at, "a function's ARN ends in its name, or name:version or name:alias", notARN)
	}
}
