// Package statemachine is the suite of the workflows: scenarios, one file a
// behaviour, and the mock file that is made of them, by which any emulator of
// Step Functions answers the workflows' tasks.
package statemachine

import (
	"regexp"
	"strings"

	"plumbline/asl/asltest"
	"plumbline/workflows"
)

//go:generate go run ./gen

// MockFile is the name of the mock file, the one Step Functions Local's documentation uses.
const MockFile = "MockConfigFile.json"

var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// Substitutions gives every placeholder of the workflows a value as a
// deployment does, so that servers which look at them take the definitions:
// ARNs of functions and state machines, and a name for the bucket.
func Substitutions() (map[string]string, error) {
	machines := map[string]bool{}
	for _, m := range workflows.All() {
		machines[m.Placeholder()] = true
	}
	out := map[string]string{}
	for _, name := range workflows.Names() {
		src, err := workflows.Source(name)
		if err != nil {
			return nil, err
		}
		for _, found := range placeholder.FindAllStringSubmatch(string(src), -1) {
			whole, name := found[0], found[1]
			resource, isARN := strings.CutSuffix(name, "Arn")
			switch {
			case machines[whole]:
				out[name] = "arn:aws:states:us-east-1:123456789012:stateMachine:" + resource
			case isARN:
				out[name] = "arn:aws:lambda:us-east-1:123456789012:function:" + resource
			default:
				out[name] = "plumbline-" + strings.ToLower(name)
			}
		}
	}
	return out, nil
}

// MockConfig is the scenarios of the folder as a mock file; extended with what
// plumbline sfn reads beyond Step Functions Local's format.
func MockConfig(dir string, extended bool) ([]byte, error) {
	values, err := Substitutions()
	if err != nil {
		return nil, err
	}
	return asltest.MockConfig(dir, extended, asltest.Workflows(workflows.Source), asltest.Substitutions(values))
}
