package sfn

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/internal/nearest"
)

// actions are the API's, by name.
var actions = map[string]handler{
	"CreateStateMachine":               decode((*Server).createStateMachine),
	"UpdateStateMachine":               decode((*Server).updateStateMachine),
	"DeleteStateMachine":               decode((*Server).deleteStateMachine),
	"DescribeStateMachine":             decode((*Server).describeStateMachine),
	"DescribeStateMachineForExecution": decode((*Server).describeStateMachineForExecution),
	"ListStateMachines":                decode((*Server).listStateMachines),
	"ValidateStateMachineDefinition":   decode((*Server).validateStateMachineDefinition),

	"StartExecution":      decode((*Server).startExecution),
	"StartSyncExecution":  decode((*Server).startSyncExecution),
	"StopExecution":       decode((*Server).stopExecution),
	"DescribeExecution":   decode((*Server).describeExecution),
	"ListExecutions":      decode((*Server).listExecutions),
	"GetExecutionHistory": decode((*Server).getExecutionHistory),

	"DescribeMapRun": decode((*Server).describeMapRun),
	"ListMapRuns":    decode((*Server).listMapRuns),
	"UpdateMapRun":   decode((*Server).updateMapRun),

	"CreateActivity":    decode((*Server).createActivity),
	"DeleteActivity":    decode((*Server).deleteActivity),
	"DescribeActivity":  decode((*Server).describeActivity),
	"ListActivities":    decode((*Server).listActivities),
	"GetActivityTask":   decode((*Server).getActivityTask),
	"SendTaskSuccess":   decode((*Server).sendTaskSuccess),
	"SendTaskFailure":   decode((*Server).sendTaskFailure),
	"SendTaskHeartbeat": decode((*Server).sendTaskHeartbeat),

	"TagResource":         decode((*Server).tagResource),
	"UntagResource":       decode((*Server).untagResource),
	"ListTagsForResource": decode((*Server).listTagsForResource),
}

// absent are actions that AWS has and this server has not.
var absent = []string{
	"TestState", "RedriveExecution", "PublishStateMachineVersion", "ListStateMachineVersions", "DeleteStateMachineVersion",
	"CreateStateMachineAlias", "UpdateStateMachineAlias", "DeleteStateMachineAlias", "DescribeStateMachineAlias", "ListStateMachineAliases",
}

// unknownAction says why the request's target is none.
func unknownAction(header string) string {
	if header == "" {
		return "the request has no header X-Amz-Target. send one of the form AWSStepFunctions.StartExecution"
	}
	name := strings.TrimPrefix(header, target)
	if slices.Contains(absent, name) {
		return fmt.Sprintf("%s is an action of AWS Step Functions that plumbline sfn does not have", name)
	}
	names := make([]string, 0, len(actions))
	for n := range actions {
		names = append(names, n)
	}
	slices.Sort(names)
	hint := ""
	if n := nearest.Of(name, names); n != "" {
		hint = fmt.Sprintf(". did you mean %q?", target+n)
	}
	return fmt.Sprintf("%q is no action of AWS Step Functions%s", header, hint)
}
