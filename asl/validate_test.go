package asl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machineOf is a machine that begins with state S and can go on to state Z.
func machineOf(state string) string {
	z := `"Z":{"Type":"Succeed"}`
	if !strings.Contains(state, `"Z"`) {
		z = ""
	}
	s := `"S":` + state
	if z != "" {
		s += ","
	}
	return `{"StartAt":"S","States":{` + s + z + `}}`
}

// told is the diagnostics as "CODE: message at location", one a line.
func told(ds []Diagnostic) string {
	var lines []string
	for _, d := range ds {
		lines = append(lines, fmt.Sprintf("%s: %s at %s", d.Code, d.Message, d.Location))
	}
	return strings.Join(lines, "\n")
}

func schema(lines ...string) string {
	for i := range lines {
		lines[i] = "SCHEMA_VALIDATION_FAILED: " + lines[i]
	}
	return strings.Join(lines, "\n")
}

func TestValidateStates(t *testing.T) {
	const task = `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true`
	const each = `{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`
	distributed := strings.Replace(each, `{"StartAt":"I"`, `{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"I"`, 1)
	tests := []struct{ name, state, want string }{
		{"nothing", `{"Type":"Pass","End":true}`, ""},
		{"no type", `{"End":true}`, schema("These fields are required: [Type] at /States/S")},
		{"unknown type", `{"Type":"Tsak","End":true}`, schema("Value should be one of the following: [Task, Parallel, Map, Pass, Wait, Choice, Succeed, Fail] at /States/S/Type")},
		{"no resource", `{"Type":"Task","End":true}`, schema("These fields are required: [Resource] at /States/S")},
		{"neither next nor end", `{"Type":"Pass"}`, schema("This object should have only one of the following fields: [Next, End] at /States/S") + "\nMISSING_END_STATE: Workflow has no terminal state at "},
		{"next and end", `{"Type":"Pass","Next":"Z","End":true}`, schema("There should only be one of the following fields: [Next, End] at /States/S")},
		{"end false", `{"Type":"Pass","Next":"Z","End":false}`, ""},
		{"time-outs", task + `,"TimeoutSeconds":0,"HeartbeatSeconds":-1.5}`, schema("Minimum value is 1 at /States/S/TimeoutSeconds", "Expected value of type [INTEGER] at /States/S/HeartbeatSeconds")},
		{"time-out too long", task + `,"TimeoutSeconds":100000000}`, schema("Maximum value is 99999999 at /States/S/TimeoutSeconds")},
		{"time-out huge", task + `,"TimeoutSeconds":1e999}`, schema("Maximum value is 99999999 at /States/S/TimeoutSeconds")},
		{"heartbeat after time-out", task + `,"TimeoutSeconds":5,"HeartbeatSeconds":5}`, schema("HeartbeatSeconds cannot be greater than or equal to TimeoutSeconds at /States/S/HeartbeatSeconds")},
		{"time-out on a pass", `{"Type":"Pass","TimeoutSeconds":5,"End":true}`, schema("Field 'TimeoutSeconds' is not supported at /States/S")},
		{"paths", task + `,"InputPath":"a","OutputPath":null,"ResultPath":"$.a[*]"}`, schema("Value must be a valid JSONPath. at /States/S/InputPath", "Value is not a Reference Path at /States/S/ResultPath")},
		{"path types", task + `,"InputPath":1,"TimeoutSecondsPath":null}`, schema("Expected value of type [STRING] at /States/S/InputPath", "Expected value of type [STRING] at /States/S/TimeoutSecondsPath")},
		{"number path", task + `,"TimeoutSecondsPath":"$.a[*]"}`, schema("Value is not a Reference Path at /States/S/TimeoutSecondsPath")},
		{"placeholders", `{"Type":"Task","Resource":"${Fetch Arn}","InputPath":"${Where}","Parameters":{"a.$":"${What}"},"End":true}`, ""},
		{"templates", task + `,"Parameters":{"a.$":1,"b":[{"c.$":"States.Frmat('x')"}]}}`, schema(
			"The value for the field 'a.$' must be a STRING that contains a JSONPath or a valid intrinsic function call at /States/S/Parameters",
			"The value for the field 'c.$' must be a valid JSONPath or a valid intrinsic function call at /States/S/Parameters")},
		{"template without dollar", task + `,"Parameters":{"a":"$.b","c":"States.UUID()","d":"States.Rights"}}`,
			"NO_DOLLAR: The value of field 'a' looks like a path or an intrinsic function, but the name does not end with '.$' at /States/S/Parameters\n" +
				"NO_DOLLAR: The value of field 'c' looks like a path or an intrinsic function, but the name does not end with '.$' at /States/S/Parameters"},
		{"static result", `{"Type":"Pass","Result":[{"a.$":"$.b"}],"End":true}`, "PASS_RESULT_IS_STATIC: The field 'Result' is static: a path in it is passed on as text at /States/S/Result"},
		{"variables", `{"Type":"Pass","Assign":{"states":1,"1a":2,"b.$":"$.c"},"End":true}`,
			"RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at /States/S/Assign\n" +
				"INVALID_VARIABLE_NAME: Invalid variable name '1a': the variable name contains invalid characters. at /States/S/Assign"},
		{"assign type", `{"Type":"Pass","Assign":[],"End":true}`, schema("Expected value of type [OBJECT] at /States/S/Assign")},
		{"credentials", task + `,"Credentials":{"RoleArn.$":"$.role"}}`, ""},
		{"credentials of an activity", `{"Type":"Task","Resource":"arn:aws:states:us-east-1:1:activity:a","Credentials":{"RoleArn":"r"},"End":true}`, schema("The field 'Credentials' is not supported for activities at /States/S/Credentials")},
		{"retry", task + `,"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":-1,"BackoffRate":0.5},{"ErrorEquals":["a","States.ALL"],"JitterStrategy":"full"},{"IntervalSeconds":"1"},7]}`, schema(
			"States.ALL must appear alone and at end of list at /States/S/Retry[0]/ErrorEquals",
			"Minimum value is 0 at /States/S/Retry[0]/MaxAttempts",
			"Minimum value is 1.0 at /States/S/Retry[0]/BackoffRate",
			"States.ALL must appear alone and at end of list at /States/S/Retry[1]/ErrorEquals",
			"Value should be one of the following: [NONE, FULL] at /States/S/Retry[1]/JitterStrategy",
			"These fields are required: [ErrorEquals] at /States/S/Retry[2]",
			"Expected value of type [INTEGER] at /States/S/Retry[2]/IntervalSeconds",
			"Expected value of type [OBJECT] at /States/S/Retry[3]")},
		{"catch", task + `,"Catch":[{"ErrorEquals":[],"Next":"Z"},{"ErrorEquals":["States.ALL"],"Next":"Y","Output":1}]}`, schema(
			"Value cannot be empty at /States/S/Catch[0]/ErrorEquals",
			"The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/S/Catch[1]") +
			"\nMISSING_TRANSITION_TARGET: Missing 'Next' target: Y at /States/S/Catch[1]/Next"},
		{"handlers of the wrong type", task + `,"Retry":{},"Catch":1}`, schema("Expected value of type [ARRAY] at /States/S/Retry", "Expected value of type [ARRAY] at /States/S/Catch")},
		{"wait without time", `{"Type":"Wait","End":true}`, schema("This object should have only one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp] at /States/S")},
		{"wait with two", `{"Type":"Wait","Seconds":1,"SecondsPath":"$.a","End":true}`, schema("There should only be one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp] at /States/S")},
		{"wait for a number", `{"Type":"Wait","Timestamp":5,"End":true}`, schema("Expected value of type [STRING] at /States/S/Timestamp")},
		{"fail", `{"Type":"Fail","Error":"a","ErrorPath":"$.a","CausePath":"States.Format('{}', $.a)","Next":"Z"}`, schema("Field 'Next' is not supported at /States/S", "There should only be one of the following fields: [Error, ErrorPath] at /States/S") +
			"\nMISSING_TRANSITION_TARGET: State \"Z\" is not reachable. at /States/Z"},
		{"fail paths", `{"Type":"Fail","ErrorPath":7,"CausePath":"States.Frmat()"}`, schema("Expected value of type [STRING] at /States/S/ErrorPath", "Value must be a valid JSONPath. at /States/S/CausePath")},
		{"parallel", `{"Type":"Parallel","End":true,"Branches":[]}`, schema("Value cannot be empty at /States/S/Branches")},
		{"branches", `{"Type":"Parallel","End":true,"Branches":[1,{"States":{}},{"StartAt":"A","QueryLanguage":"JSONata","States":{"A":{"Type":"Pass","Next":"Z"},"B":3}}]}`, schema(
			"Expected value of type [OBJECT] at /States/S/Branches[0]",
			"These fields are required: [StartAt] at /States/S/Branches[1]",
			"Value cannot be empty at /States/S/Branches[1]/States",
			"Field 'QueryLanguage' is not supported at /States/S/Branches[2]",
			"Expected value of type [OBJECT] at /States/S/Branches[2]/States/B") +
			"\nMISSING_TRANSITION_TARGET: State \"Z\" is not reachable. at /States/Z" +
			"\nMISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /States/S/Branches[2]/States/A/Next"},
		{"branches of the wrong type", `{"Type":"Parallel","End":true,"Branches":{}}`, schema("Expected value of type [ARRAY] at /States/S/Branches")},
		{"map without processor", `{"Type":"Map","End":true}`, schema("This object should have only one of the following fields: [ItemProcessor, Iterator] at /States/S")},
		{"map processor of the wrong type", `{"Type":"Map","End":true,"ItemProcessor":5}`, schema("Expected value of type [OBJECT] at /States/S/ItemProcessor")},
		{"map numbers", each + `,"MaxConcurrency":-1,"ToleratedFailurePercentage":101,"ToleratedFailureCountPath":"$$.a"}`, schema(
			"Minimum value is 0 at /States/S/MaxConcurrency", "Maximum value is 100.0 at /States/S/ToleratedFailurePercentage", "Value is not a Reference Path at /States/S/ToleratedFailureCountPath")},
		{"map percentage", each + `,"ToleratedFailurePercentage":"5"}`, schema("Expected value of type [NUMBER] at /States/S/ToleratedFailurePercentage")},
		{"map items path", each + `,"ItemsPath":"$.a[*]"}`, schema("Value is not a Reference Path at /States/S/ItemsPath")},
		{"label", distributed + `,"Label":5}`, schema("Expected value of type [STRING] at /States/S/Label")},
		{"long label", distributed + `,"Label":"` + strings.Repeat("x", 41) + `"}`, "INVALID_LABEL_NAME: Label cannot exceed 40 characters at /States/S/Label"},
		{"label with a tab", distributed + `,"Label":"a\tb"}`, `INVALID_LABEL_NAME: Label contains invalid character: '\t' at /States/S/Label`},
		{"processor", strings.Replace(each, `{"StartAt":"I"`, `{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"I"`, 1) + `}`, schema("These fields are required: [ExecutionType] at /States/S/ItemProcessor/ProcessorConfig")},
		{"inline processor", strings.Replace(each, `{"StartAt":"I"`, `{"ProcessorConfig":{"Mode":"INLINE","ExecutionType":"EXPRESS"},"StartAt":"I"`, 1) + `}`, schema("Field 'ExecutionType' is not supported at /States/S/ItemProcessor/ProcessorConfig")},
		{"reader", distributed + `,"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"},"ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a"],"MaxItems":5}}}`, ""},
		{"bad readers", distributed + `,"ItemReader":{"Resource":"arn:aws:states:::s3:putObject","ReaderConfig":{"InputType":"CSV","MaxItems":1,"MaxItemsPath":"$.n"}}}`, schema(
			"The field 'Resource' does not match any of the allowed values at /States/S/ItemReader/Resource",
			"These fields are required: [CSVHeaderLocation] at /States/S/ItemReader/ReaderConfig",
			"There should only be one of the following fields: [MaxItems, MaxItemsPath] at /States/S/ItemReader/ReaderConfig")},
		{"reader headers", distributed + `,"ItemReader":{"Resource":"${Reader}","ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"GIVEN"}}}`, schema("These fields are required: [CSVHeaders] at /States/S/ItemReader/ReaderConfig")},
		{"reader header types", distributed + `,"ItemReader":{"Resource":5,"ReaderConfig":{"CSVHeaders":[1]}}}`, schema("Expected value of type [STRING] at /States/S/ItemReader/Resource", "Expected value of type [STRING] at /States/S/ItemReader/ReaderConfig/CSVHeaders[0]")},
		{"reader of JSON with headers", distributed + `,"ItemReader":{"Resource":"arn:aws-cn:states:::s3:getObject","ReaderConfig":{"InputType":"JSON","CSVHeaderLocation":"FIRST_ROW"}}}`, schema("Field 'CSVHeaderLocation' is not supported at /States/S/ItemReader/ReaderConfig")},
		{"batcher", distributed + `,"ItemBatcher":{"MaxItemsPerBatch":1,"MaxItemsPerBatchPath":"$.a","BatchInput":{"x.$":"$.y"}}}`, schema("There should only be one of the following fields: [MaxItemsPerBatch, MaxItemsPerBatchPath] at /States/S/ItemBatcher")},
		{"writer", distributed + `,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject"}}`, schema("These fields are required: [Parameters] at /States/S/ResultWriter")},
		{"empty writer", distributed + `,"ResultWriter":{}}`, schema("These fields are required: [Resource] at /States/S/ResultWriter")},
		{"writer config", distributed + `,"ResultWriter":{"WriterConfig":{"Transformation":"SMALL"}}}`, schema("These fields are required: [OutputType] at /States/S/ResultWriter/WriterConfig", "Value should be one of the following: [NONE, COMPACT, FLATTEN] at /States/S/ResultWriter/WriterConfig/Transformation")},
		{"lower case", `{"Type":"Pass","end":true,"End":true}`, schema("Field 'end' is not supported at /States/S")},
		{"other language", `{"Type":"Pass","Output":1,"End":true}`, schema("The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/S")},
		{"language of one state", `{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% 1 %}","Parameters":{},"End":true}`, schema("The QueryLanguage is set to 'JSONata', but field 'Parameters' is only supported for the 'JSONPath' QueryLanguage at /States/S")},
		{"misspelt language", `{"Type":"Pass","QueryLanguage":"jsonata","InputPath":"$","End":true}`, schema("Value should be one of the following: [JSONPath, JSONata] at /States/S/QueryLanguage",
			"The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported for the 'JSONPath' QueryLanguage at /States/S")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, told(Check([]byte(machineOf(tt.state)), Standard))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidateChoices(t *testing.T) {
	tests := []struct{ name, rule, want string }{
		{"comparison", `{"Variable":"$.a","NumericGreaterThanEquals":1.5,"Next":"Z","Comment":"c","Assign":{"x":1}}`, ""},
		{"no next", `{"Variable":"$.a","IsNull":true}`, "These fields are required: [Next] at /States/S/Choices[0]"},
		{"not an object", `true`, "Expected value of type [OBJECT] at /States/S/Choices[0]"},
		{"no comparison", `{"Variable":"$.a","Next":"Z"}`, "This object should have only one of the following fields: [" + strings.Join(operators(), ", ") + "] at /States/S/Choices[0]"},
		{"two comparisons", `{"Variable":"$.a","IsNull":true,"IsString":false,"Next":"Z"}`, "There should only be one of the following fields: [IsNull, IsString] at /States/S/Choices[0]"},
		{"nothing", `{"Next":"Z"}`, "The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /States/S/Choices[0]"},
		{"two kinds", `{"Not":{"Variable":"$.a","IsNull":true},"Variable":"$.a","IsNull":true,"Next":"Z"}`, "The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /States/S/Choices[0]"},
		{"comparison beside and", `{"And":[{"Variable":"$.a","IsNull":true}],"IsNull":true,"Next":"Z"}`, "Field 'IsNull' is not supported at /States/S/Choices[0]"},
		{"misspelt operator", `{"Variable":"$.a","StringEqual":"x","Next":"Z"}`, "Field 'StringEqual' is not supported at /States/S/Choices[0]"},
		{"no path", `{"Variable":"a","StringEquals":"x","Next":"Z"}`, "Value is not a Reference Path: Reference path didn't start with '$' at /States/S/Choices[0]/Variable"},
		{"bad path", `{"Variable":"$.a[","StringEqualsPath":"b","Next":"Z"}`, "Value must be a valid JSONPath. at /States/S/Choices[0]/Variable\nSCHEMA_VALIDATION_FAILED: Value is not a Reference Path: Reference path didn't start with '$' at /States/S/Choices[0]/StringEqualsPath"},
		{"path of the wrong type", `{"Variable":5,"IsNull":true,"Next":"Z"}`, "Expected value of type [STRING] at /States/S/Choices[0]/Variable"},
		{"operand of the wrong type", `{"Variable":"$.a","NumericEquals":"1","Next":"Z"}`, "Expected value of type [NUMBER] at /States/S/Choices[0]/NumericEquals"},
		{"timestamp", `{"Variable":"$.a","TimestampEquals":"today","Next":"Z"}`, "String does not match RFC3339 timestamp at /States/S/Choices[0]/TimestampEquals"},
		{"nested next", `{"Or":[{"Variable":"$.a","IsNull":true,"Next":"Z"}],"Next":"Z"}`, "Field 'Next' is not supported at /States/S/Choices[0]/Or[0]"},
		{"nested not", `{"Not":{"Not":{"And":[]}},"Next":"Z"}`, "Value cannot be empty at /States/S/Choices[0]/Not/Not/And"},
		{"and of the wrong type", `{"And":{},"Next":"Z"}`, "Expected value of type [ARRAY] at /States/S/Choices[0]/And"},
		{"condition", `{"Condition":"{% true %}","Next":"Z"}`, "The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the 'JSONata' QueryLanguage at /States/S/Choices[0]\nSCHEMA_VALIDATION_FAILED: The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /States/S/Choices[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want != "" {
				want = "SCHEMA_VALIDATION_FAILED: " + want
			}
			src := machineOf(`{"Type":"Choice","Choices":[` + tt.rule + `],"Default":"Z"}`)
			if diff := cmp.Diff(want, told(Check([]byte(src), Standard))); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, state := range []string{`{"Type":"Choice","Default":"Z","Choices":[]}`, `{"Type":"Choice","Default":"Z","Choices":{}}`} {
		if !HasErrors(Check([]byte(machineOf(state)), "")) {
			t.Errorf("%s is accepted", state)
		}
	}
	operand := Check([]byte(machineOf(`{"Type":"Choice","Default":"Z","Choices":[{"Variable":"$.a","StringEquals":"$.b","Next":"Z"}]}`)), "")
	if len(operand) != 1 || operand[0].Code != "NO_PATH" || operand[0].Severity != SeverityWarning {
		t.Errorf("a path as an operand: %v", operand)
	}
}

func TestValidateJSONata(t *testing.T) {
	tests := []struct{ name, state, want string }{
		{"task", `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{"a":"{% $x %}"},"TimeoutSeconds":"{% 1 %}","Credentials":"{% $c %}","Output":{"b":["{% $y %}"]},"Catch":[{"ErrorEquals":["States.ALL"],"Output":"{% $states.errorOutput %}","Next":"Z"}],"End":true}`, ""},
		{"open expression", `{"Type":"Pass","Output":["{% 1"],"Assign":{"a":"1 %}"},"End":true}`, schema("JSONata string must start with {% and end with %} at /States/S/Output", "JSONata string must start with {% and end with %} at /States/S/Assign")},
		{"number as text", `{"Type":"Wait","Seconds":"5","End":true}`, schema("JSONata string must start with {% and end with %} at /States/S/Seconds")},
		{"timestamp", `{"Type":"Wait","Timestamp":"{% $now() %}","End":true}`, ""},
		{"retry is no place for expressions", `{"Type":"Task","Resource":"${R}","Retry":[{"ErrorEquals":["a"],"MaxAttempts":"{% 1 %}"}],"End":true}`, schema("Expected value of type [INTEGER] at /States/S/Retry[0]/MaxAttempts")},
		{"fail", `{"Type":"Fail","Error":"{% $e %}","Cause":"{% "}`, schema("JSONata string must start with {% and end with %} at /States/S/Cause")},
		{"condition", `{"Type":"Choice","Choices":[{"Condition":"{% true %}","Next":"Z"},{"Condition":true,"Next":"Z"}],"Default":"Z"}`, ""},
		{"conditions", `{"Type":"Choice","Choices":[{"Next":"Z"},{"Condition":1,"Next":"Z"},{"Condition":"true","Variable":"$.a","Next":"Z"}]}`, schema(
			"These fields are required: [Condition] at /States/S/Choices[0]",
			"Expected value of type [BOOLEAN] at /States/S/Choices[1]/Condition",
			"JSONata string must start with {% and end with %} at /States/S/Choices[2]/Condition",
			"The QueryLanguage is set to 'JSONata', but field 'Variable' is only supported for the 'JSONPath' QueryLanguage at /States/S/Choices[2]")},
		{"map", `{"Type":"Map","Items":[1,"{% 2 %}"],"MaxConcurrency":"{% 2 %}","ToleratedFailurePercentage":"{% 2.5 %}","ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Arguments":{"Bucket":"b"}},"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","Output":"{% 1 %}","End":true}}},"End":true}`, ""},
		{"map items", `{"Type":"Map","Items":1,"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"End":true}`, schema("Expected value of type [ARRAY] at /States/S/Items")},
		{"map items as text", `{"Type":"Map","Items":"x","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"End":true}`, schema("JSONata string must start with {% and end with %} at /States/S/Items")},
		{"back to JSONPath", `{"Type":"Pass","QueryLanguage":"JSONPath","Output":1,"End":true}`, schema("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/S")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := strings.Replace(machineOf(tt.state), "{", `{"QueryLanguage":"JSONata",`, 1)
			if diff := cmp.Diff(tt.want, told(Check([]byte(src), ""))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidateResources(t *testing.T) {
	const unknown = "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region."
	tests := []struct{ resource, standard, express string }{
		{"arn:aws:states:::lambda:invoke", "", ""},
		{"arn:aws:states:::lambda:invoke.waitForTaskToken", "", "Express state machine does not support '.waitForTaskToken' service integration"},
		{"arn:aws:states:::states:startExecution.sync:2", "", "Express state machine does not support '.sync' service integration"},
		{"arn:aws:states:::aws-sdk:s3:listBuckets", "", ""},
		{"arn:aws:states:::aws-sdk:s3:listBuckets.sync", unknown, "Express state machine does not support '.sync' service integration"},
		{"arn:aws:states:::lambda:invoke.sync", unknown, "Express state machine does not support '.sync' service integration"},
		{"arn:aws:states:::lambda:invoke.later", unknown, unknown},
		{"arn:aws:states:::sqs:sendMessages", unknown, unknown},
		{"arn:aws:states:::sqs", unknown, unknown},
		{"arn:aws:states:us-east-1:111111111111:activity:a", "", "Express state machine does not support Activity ARN"},
		{"arn:aws:lambda:us-east-1:111111111111:function:f:$LATEST", "", ""},
		{"arn:aws:lambda:us-east-1:111111111111:function:f:", "Value is not a valid resource ARN", "Value is not a valid resource ARN"},
		{"Fetch", "Value is not a valid resource ARN", "Value is not a valid resource ARN"},
		{"${Fetch", "Value is not a valid resource ARN", "Value is not a valid resource ARN"},
		{"${FetchArn}", "", ""},
	}
	for _, tt := range tests {
		for typ, want := range map[string]string{Standard: tt.standard, Express: tt.express} {
			src := machineOf(fmt.Sprintf(`{"Type":"Task","Resource":%q,"End":true}`, tt.resource))
			want = strings.ReplaceAll(want, "%s", tt.resource)
			got := ""
			for _, d := range Check([]byte(src), typ) {
				got += d.Message
			}
			if got != want {
				t.Errorf("%s, %s: %q, want %q", tt.resource, typ, got, want)
			}
		}
	}
	for _, service := range []string{"sns:publish", "dynamodb:getItem", "events:putEvents", "ecs:runTask.sync", "batch:submitJob.sync", "glue:startJobRun.sync", "athena:getQueryResults",
		"apigateway:invoke", "http:invoke", "codebuild:startBuild.sync", "mediaconvert:createJob.sync", "sagemaker:createModel", "elasticmapreduce:addStep.sync",
		"emr-containers:startJobRun", "emr-serverless:startApplication.sync", "eks:call", "bedrock:invokeModel"} {
		src := machineOf(fmt.Sprintf(`{"Type":"Task","Resource":"arn:aws:states:::%s","End":true}`, service))
		if got := Check([]byte(src), ""); len(got) > 0 {
			t.Errorf("%s: %v", service, got)
		}
	}
	got := Check([]byte(machineOf(`{"Type":"Task","Resource":"arn:aws:states:::newer:do","End":true}`)), "")
	if len(got) != 1 || got[0].Severity != SeverityWarning {
		t.Errorf("a service that is not known here: %v", got)
	}
	if got := Check([]byte(machineOf(`{"Type":"Task","Resource":7,"End":true}`)), ""); !HasErrors(got) {
		t.Error("a number as a resource is accepted")
	}
}

func TestValidateMachines(t *testing.T) {
	long := strings.Repeat("x", 81)
	tests := []struct{ name, src, want string }{
		{"empty", "  ", "MISSING_DESCRIPTION: No description provided at "},
		{"not an object", `"x"`, schema("Expected value of type [OBJECT] at /")},
		{"no states", `{"StartAt":"A","States":{}}`, schema("Value cannot be empty at /States")},
		{"states of the wrong type", `{"StartAt":"A","States":[]}`, schema("Expected value of type [OBJECT] at /States")},
		{"top fields", `{"StartAt":"A","Version":"2.0","QueryLanguage":"jsonata","TimeoutSeconds":"5","Stats":1,"States":{"A":{"Type":"Succeed"}}}`, schema(
			"Value should be one of the following: [1.0] at /Version", "Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage",
			"Expected value of type [INTEGER] at /TimeoutSeconds", "Field 'Stats' is not supported at /")},
		{"start", `{"StartAt":"B","States":{"A":{"Type":"Succeed"}}}`, "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt\nMISSING_TRANSITION_TARGET: State \"A\" is not reachable. at /States/A"},
		{"loop", `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}`, "MISSING_END_STATE: Workflow has no terminal state at "},
		{"names", `{"StartAt":"A","States":{"A":{"Type":"Parallel","Next":"` + long + `","Branches":[{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}]},"` + long + `":{"Type":"Succeed"}}}`,
			"DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A/Branches[0]/States/A\nINVALID_STATE_NAME: Invalid State name: " + long + " at /States/" + long},
		{"labels", `{"StartAt":"A","States":{"A":{"Type":"Map","Label":"l","Next":"B","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}},"B":{"Type":"Map","Label":"l","End":true,"ItemProcessor":{"StartAt":"J","States":{"J":{"Type":"Succeed"}}}}}}`,
			"DUPLICATE_LABEL_NAME: Duplicate Label name: l at /States/B/Label"},
		{"duplicate key", `{"StartAt":"A","States":{"A":{"Type":"Succeed","Type":"Succeed"}}}`, schema("field \"Type\" stands twice in the same object, first at 1:31. remove one of them at /States/A/Type")},
		{"syntax", `{"a": }`, "INVALID_JSON_DESCRIPTION: Unexpected character ('}' (code 125)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: (String)\"{\"a\": }\"; line: 1, column: 8] at [Source: (String)\"{\"a\": }\"; line: 1, column: 8]"},
		{"open", `{`, "INVALID_JSON_DESCRIPTION: Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"; line: 1, column: 1])\n at [Source: (String)\"{\"; line: 1, column: 3] at [Source: (String)\"{\"; line: 1, column: 3]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, told(Check([]byte(tt.src), ""))); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := Check(make([]byte, maxDefinitionSize+1), ""); !HasErrors(got) {
		t.Error("a definition above the quota is accepted")
	}
	if got := Check([]byte(`{"a":"`+strings.Repeat("x", 600)), ""); !strings.Contains(got[0].Message, "[truncated 106 chars]") {
		t.Errorf("a long text is quoted whole: %v", got)
	}
	distributed := `{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}}}}}`
	if diff := cmp.Diff(schema("The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines at /States/M/ItemProcessor/ProcessorConfig/Mode"), told(Check([]byte(distributed), Express))); diff != "" {
		t.Error(diff)
	}
}

// What a person reads: the place, AWS's words, and what to do.
func TestValidateForPeople(t *testing.T) {
	tests := []struct{ src, want string }{
		{machineOf(`{"Type":"Pass","ResultPth":"$.a","End":true}`), `1:45: Field 'ResultPth' is not supported. did you mean "ResultPath"? [SCHEMA_VALIDATION_FAILED]`},
		{machineOf(`{"Type":"Pass","Next":"Zed"}`), `1:52: Missing 'Next' target: Zed. a target is a state of the same machine: "S" [MISSING_TRANSITION_TARGET]`},
		{machineOf(`{"Type":"Choice","Choices":[{"Variable":"$.a","StringEqual":"x","Next":"Z"}],"Default":"Z"}`), `1:76: Field 'StringEqual' is not supported. did you mean "StringEquals"? [SCHEMA_VALIDATION_FAILED]`},
		{machineOf(`{"Type":"Pass","Parameters":{"a.$":"States.Frmat('x')"},"End":true}`), `1:65: The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic function call. States.Frmat is no intrinsic function. did you mean "States.Format"? [SCHEMA_VALIDATION_FAILED]`},
		{`{"StartAt" "S"}`, `1:12: '"' stands where a colon after the field name "StartAt" is expected [INVALID_JSON_DESCRIPTION]`},
	}
	for _, tt := range tests {
		got := Check([]byte(tt.src), "")
		if len(got) == 0 || got[0].String() != tt.want {
			t.Errorf("got %v\nwant %s", got, tt.want)
		}
	}
}
