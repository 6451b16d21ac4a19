package cfn

import (
	"strings"
	"testing"
)

func TestSniff(t *testing.T) {
	const none = "no Resources section"
	tests := []struct {
		name, path, src string
		want            bool
		reason          string
	}{
		{"YAML", "t.yaml", "# c\nResources:\n  A: {Type: AWS::S3::Bucket}\n", true, ""},
		{"YAML by its version", "t.yaml", "AWSTemplateFormatVersion: 2010-09-09\n", true, ""},
		{"an empty map", "t.yaml", "{ }\n", true, ""},
		{"an empty map in JSON", "t.json", "{}", false, none},
		{"quoted keys", "t.yaml", "\"Resources\" :\n  A: {Type: Vendor::Thing::It}\n", true, ""},
		{"windows lines and byte order mark", "t.yaml", "\ufeffResources:\r\n  A: {Type: AWS::S3::Bucket}\r\n", true, ""},
		{"indented throughout", "t.yaml", "  Resources:\n    A: {Type: AWS::S3::Bucket}\n", true, ""},
		{"JSON", "t.json", `{"Description": "{ \" }", "Resources": {"A": {"Type": "AWS::S3::Bucket"}}}`, true, ""},
		{"flow YAML", "t.yaml", `{Resources: {A: {Type: AWS::S3::Bucket}}}`, true, ""},
		{"flow YAML in single quotes", "t.yaml", `{'Resources': {'A': {'Type': 'AWS::S3::Bucket'}}}`, true, ""},
		{"broken YAML", "t.yaml", "Resources:\n  A: {Type: AWS::S3::Bucket\n", true, ""},
		{"broken YAML that speaks of types", "t.yaml", "a: [\n  AWS::S3::Bucket\n", true, ""},
		{"cut off JSON", "t.json", `{"Parameters": {"Resources`, true, ""},
		{"JSON with a tail", "t.json", `{"AWS::x": 1} {"Resources": {}}`, true, ""},
		{"Latin-1 template", "t.yaml", "Resources:\n  A: \xe9\n", true, "not text in UTF-8"},
		{"a misspelt section", "t.yaml", "Resource:\n  A: {Type: AWS::S3::Bucket}\n", true, ""},
		{"two templates", "t.yaml", "a: 1\n---\nResources: {A: {Type: AWS::S3::Bucket}}\n", true, ""},

		{"empty", "t.yaml", " \n", false, "empty"},
		{"binary", "t.template", "Resources\x00", false, "not text in UTF-8"},
		{"Latin-1", "t.yaml", "name: \xe9\n", false, "not text in UTF-8"},
		{"package.json", "package.json", `{"name": "x", "dependencies": {"y": "1"}}`, false, none},
		{"compose", "compose.yaml", "services:\n  web: {image: x}\n", false, none},
		{"broken, of another program", "t.yaml", "a: [\n", false, none},
		{"broken JSON, of another program", "t.json", `{"a": `, false, none},
		{"a workflow that speaks of types", "ci.yml", "on: push\njobs:\n  a: {run: 'echo AWS::S3::Bucket'}\n", false, none},
		{"a state machine", "m.asl.json", `{"StartAt": "A", "States": {"A": {"Type": "Task", "Parameters": {"Resources": "AWS::S3::Bucket"}}}}`, false, none},
		{"Resources deeper down", "t.yaml", "a:\n  Resources: {A: {Type: AWS::S3::Bucket}}\n", false, none},
		{"Resources in a text", "t.yaml", "a: |\n  Resources:\n    b: AWS::S3::Bucket\n", false, none},
		{"Resources without a type", "t.yaml", "Resources: [a]\n", false, "Resources is a list; it must be a map of logical ids to resources"},
		{"Resources that are a list in JSON", "t.json", `{"Resources": []}`, false, "Resources is a list; it must be a map of logical ids to resources"},
		{"empty Resources in JSON", "t.json", `{"Resources": {}}`, true, ""},
		{"a type that is no text", "t.json", `{"Resources":{"A":{"Type":5}}}`, true, ""},
		{"a list", "t.json", `[{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}]`, false, none},
		{"manifests of another program", "k.yaml", "kind: A\n---\nkind: B # AWS::S3::Bucket\n", false, none},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, reason := Sniff(test.path, []byte(test.src))
			if got != test.want || reason != test.reason {
				t.Errorf("got %v %q, want %v %q", got, reason, test.want, test.reason)
			}
		})
	}
}

// Every template of the corpus is found in its folder.
func TestSniffFindsRealTemplates(t *testing.T) {
	yamls, jsons := corpusFiles(t, "realworld-dev")
	for _, files := range []map[string][]byte{yamls, jsons} {
		for path, src := range files {
			if ok, reason := Sniff(path, src); !ok {
				t.Errorf("%s is left out: %s", path[strings.LastIndexByte(path, '/')+1:], reason)
			}
		}
	}
}

func BenchmarkSniff(b *testing.B) {
	yamls, jsons := corpusFiles(b, "realworld-dev")
	for path, src := range jsons {
		yamls[path] = src
	}
	benchmarkSources(b, yamls, func(path string, src []byte) { Sniff(path, src) })
}
