package ruleset

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestRulesPage holds docs/rules.md to the functions, and its first example to
// the compiler.
func TestRulesPage(t *testing.T) {
	page, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, FunctionTable()) {
		t.Error("the functions of docs/rules.md are not those of ruleset.Functions. run: make generate")
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/rules.md has no example")
	}
	if err := open(t, nil, example).Check(); err != nil {
		t.Errorf("the example: %v", err)
	}
}

// TestValuesAsCEL: values of the template take part in CEL's own functions.
func TestValuesAsCEL(t *testing.T) {
	expressions(t, `
Resources:
  R:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: data
      Tags: [{Key: a, Value: x}, {Key: b, Value: y}]
      LifecycleConfiguration: {Rules: [{Status: Enabled, Id: b}, {Status: Disabled, Id: a}]}
      AccelerateConfiguration: {AccelerationStatus: Enabled}
`, nil, [][2]string{
		{`resource.Tags.reverse()[0].Key`, `"b"`},
		{`resource.Tags.slice(0, 1).map(t, t.Key) == ["a"]`, `true`},
		{`resource.Tags.map(t, t.Value).join("+")`, `"x+y"`},
		{`resource.Tags.map(t, t.Key).sort() == ["a", "b"]`, `true`},
		{`resource.Tags.first().value().Key`, `"a"`},
		{`resource.Tags[0] == resource.Tags[0]`, `true`},
		{`resource.Tags[0] == resource.Tags[1]`, `false`},
		{`resource.Tags == resource.Tags.reverse()`, `false`},
		{`resource.Tags[0] in resource.Tags`, `true`},
		{`(resource.Tags + resource.Tags).size()`, `4`},
		{`resource.Tags.exists_one(t, t.Key == "a")`, `true`},
		{`resource.LifecycleConfiguration == resource.LifecycleConfiguration`, `true`},
		{`resource.LifecycleConfiguration.Rules[0] == resource.LifecycleConfiguration.Rules[1]`, `false`},
		{`type(resource.BucketName) == string && type(resource.Tags) == list`, `true`},
		{`type(resource.LifecycleConfiguration) == type(resource.LifecycleConfiguration)`, `true`},
		{`dyn(resource.LifecycleConfiguration) == dyn("x")`, `false`},
		{`dyn(resource.Tags) == dyn("x")`, `false`},
		{`dyn("x") == dyn(resource.Tags)`, `false`},
		{`dyn(1) == dyn(resource.LifecycleConfiguration)`, `false`},
		{`dyn(resource.LifecycleConfiguration).Rules.size()`, `2`},
		{`dyn(resource.LifecycleConfiguration).Nothing`, `error: no such key: Nothing…`},
		{`has(dyn(resource.LifecycleConfiguration).Rules)`, `true`},
		{`"%s has %d tags".format([resource.BucketName, size(resource.Tags)])`, `"data has 2 tags"`},
		{`resource.BucketName.split("a").size()`, `3`},
		{`resource.BucketName.matches("^da" + "ta$")`, `true`},
		{`resource.?LifecycleConfiguration.Rules[0].Status.orValue("none")`, `"Enabled"`},
		{`resource.?ReplicationConfiguration.Role.orValue("none")`, `"none"`},
		{`resource.?BucketName.optMap(n, n + "!").orValue("")`, `"data!"`},
		{`cel.bind(x, resource.BucketName, x + x)`, `"datadata"`},
		{`json('{"a": {"b": 1}}').a == {"b": 1}`, `true`},
		{`json('{"a": {"b": 1}}') == json('{"a": {"b": 2}}')`, `false`},
		{`"b" in json('{"a": {"b": 1}}').a`, `true`},
		{`json('{"a": 1, "b": 2}').exists(k, k == "b")`, `true`},
		{`json('{"a": null}').a == null`, `true`},
		{`json('{"a": 1}').x.y.z == null`, `true`},
		{`"q" in json('{"a": 1}').x`, `false`},
		{`json('{"a": 1}').x.all(k, false)`, `true`},
		{`json('[1, 2]').filter(x, x > 1) == [2]`, `true`},
		{`json('{"a": 1}').a + 1`, `2`},
		{`json('1e400')`, `"1e400"…`},
		{`1 / 0`, `error: division by zero…`},
		{`"a" < "b" && 2 > 1 && !(1.5 >= 2.0)`, `true`},
		{`-size(resource.Tags)`, `-2`},
		{`b"x" == b"x"`, `true`},
		{`timestamp("2031-01-01T00:00:00Z") > timestamp("2030-01-01T00:00:00Z")`, `true`},
		{`self.DependsOn`, `list of 0`},
		{`resource.LifecycleConfiguration`, `AWS::S3::Bucket.LifecycleConfiguration`},
		{`resource.ReplicationConfiguration`, `AWS::S3::Bucket.ReplicationConfiguration, not set`},
		{`json('{"a": 1}')`, `mapping of 1`},
		{`json('')`, `null`},
		{`b"x"`, `bytes`},
	})
}
