package statemachine_test

import (
	"os"
	"testing"

	"plumbline/asl/asltest"
	statemachine "plumbline/statemachine-tests"
	"plumbline/statemachine-tests/endpoint"
	"plumbline/workflows"
)

// rewrites are, by the name of the server, what its parser does not take.
var rewrites = map[string][]string{
	"localstack": {
		`"ToleratedFailurePercentage": 100`, `"ToleratedFailurePercentage": 100.0`, // it wants a point in the number
		`"ExecutionType": "EXPRESS"`, `"ExecutionType": "STANDARD"`, // its Distributed Map has Standard children alone
	},
}

// TestEndpoint runs on the server at SFN_ENDPOINT, which has read
// MockConfigFile.json, such as another engine:
//
//	SFN_ENDPOINT=http://127.0.0.1:8083 go test -v -run '^TestEndpoint$' -parallel 16 ./statemachine-tests
//
// SFN_ENDPOINT_NAME is how expected-failures.yaml calls it, by default
// "endpoint". With SFN_ENDPOINT_OBJECTS=put, objects are put there by S3's API.
func TestEndpoint(t *testing.T) {
	url := os.Getenv("SFN_ENDPOINT")
	if url == "" {
		t.Skip("SFN_ENDPOINT names no server. make test-second-opinion starts one")
	}
	name := os.Getenv("SFN_ENDPOINT_NAME")
	if name == "" {
		name = "endpoint"
	}
	values, err := statemachine.Substitutions()
	if err != nil {
		t.Fatal(err)
	}
	asltest.Run(t, endpoint.New(endpoint.Config{
		Name: name, URL: url, Substitutions: values, Rewrites: rewrites[name], PutObjects: os.Getenv("SFN_ENDPOINT_OBJECTS") == "put",
	}), ".", asltest.Workflows(workflows.Source))
}
