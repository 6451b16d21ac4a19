package stack_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/infra/deployment"
)

// TestConfigRules: one custom rule a type, each answered by CheckCompliance.
func TestConfigRules(t *testing.T) {
	s := withBundle(t, "", "")[suiteStack]
	var types []string
	for id, r := range s.of("AWS::Config::ConfigRule") {
		for _, typ := range items(at(r.Properties["Scope"], "ComplianceResourceTypes")) {
			types = append(types, typ.(string))
		}
		source := r.Properties["Source"]
		function, _ := at(source, "SourceIdentifier", "Fn::GetAtt").([]any)
		if len(function) == 0 || s.Resources[function[0].(string)].Properties["FunctionName"] != "PlumblineCheckCompliance" || at(source, "Owner") != "CUSTOM_LAMBDA" {
			t.Errorf("%s is answered by %v", id, source)
		}
		var messages []string
		for _, d := range items(at(source, "SourceDetails")) {
			messages = append(messages, at(d, "MessageType").(string))
		}
		if diff := cmp.Diff([]string{"ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification"}, messages); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	slices.Sort(types)
	if diff := cmp.Diff(deployment.DefaultConfigTypes, types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	if hooks := s.of("AWS::CloudFormation::LambdaHook"); len(hooks) > 0 {
		t.Errorf("a hook is there that nobody asked for: %v", hooks)
	}
}

// TestHook: our own stacks are left out, and the failure mode is the deployment's.
func TestHook(t *testing.T) {
	hooks := withBundle(t, `"hook":"fail"`, "")[suiteStack].of("AWS::CloudFormation::LambdaHook")
	if len(hooks) != 1 {
		t.Fatalf("%d hooks", len(hooks))
	}
	for _, h := range hooks {
		got := []string{text(h.Properties["FailureMode"]), text(h.Properties["TargetOperations"]), text(at(h.Properties["StackFilters"], "StackNames", "Exclude")), text(at(h.Properties["TargetFilters"], "Actions"))}
		want := []string{`"FAIL"`, `["RESOURCE","CLOUD_CONTROL"]`, `["PlumblineData","PlumblineSuite"]`, `["CREATE","UPDATE"]`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
