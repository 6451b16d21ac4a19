package ruleset

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

var fixKeys = []string{"set", "add", "remove", "companion", doTags, doDelete, "on", "where", "value", "cel", "policy"}

// valueless are the steps that say all by themselves.
var valueless = map[string]bool{"remove": true, doTags: true, doDelete: true}

// doDelete is the fix step that takes the whole resource out of its template.
const doDelete = "delete"

// fix decodes the steps: one of set, add, remove and companion names what
// changes, one of value, cel and policy to what.
func (d *ruleDecoder) fix(r *Rule, v *yaml.Node) {
	if v.Kind != yaml.SequenceNode {
		d.bad(v, "fix is %s. a list of steps such as {set: Path, value: x} is needed", nodeKind(v))
		return
	}
	for _, n := range v.Content {
		step := FixStep{Line: n.Line}
		verbs, sources := 0, 0
		both := 0 // cel and policy
		seen := d.mapping(n, "a fix step", fixKeys, func(key string, v *yaml.Node) {
			switch key {
			case "set", "add", "remove":
				step.Do, step.Path = key, strings.Split(d.text(v, key), ".")
				verbs++
			case "companion":
				step.Do, step.Path = key, []string{d.text(v, key)}
				verbs++
			case doTags:
				if of := d.text(v, key); of != "policy" && of != "" {
					d.bad(v, "tags is %q. it takes policy: the tags are those of the policy's requiredTags", of)
				}
				step.Do = key
				verbs++
			case doDelete:
				if what := d.text(v, key); what != "resource" && what != "" {
					d.bad(v, "delete is %q. it takes resource: to remove a property, write remove: %s", what, what)
				}
				step.Do = key
				verbs++
			case "on":
				step.On = d.text(v, key)
			case "where":
				step.Where = d.expression(v, "where")
			case "value":
				step.Value = d.plain(v)
				sources++
			case "cel":
				step.CEL = d.expression(v, "fix")
				sources++
				both++
			case "policy":
				step.Policy = d.text(v, key)
				sources++
				both++
			}
		})
		switch {
		case len(seen) == 0:
		case verbs != 1:
			d.bad(n, "a fix step has %d of set, add, remove, companion, tags and delete. exactly one is needed", verbs)
		case step.On != "" && (step.Do == "companion" || valueless[step.Do] && step.Do != "remove"):
			d.bad(n, "a %s step is made on the resource of the finding. on goes with set, add and remove", step.Do)
		case step.On != "" && strings.Contains(strings.Join(step.Path, "."), "[]"):
			d.bad(n, "a fix step with on has a path without []")
		case step.Where.Text != "" && (step.Do == doTags || step.Do == doDelete):
			d.bad(n, "a %s step has no where", step.Do)
		case valueless[step.Do] && sources != 0:
			d.bad(n, "a %s step has no value", step.Do)
		case both == 2 && sources == 2 && strings.Contains(strings.Join(step.Path, "."), "[]"):
			d.bad(n, "a fix step with policy and cel has a path without []: item stands for the policy's value")
		case !valueless[step.Do] && sources != 1 && (both != 2 || sources != 2):
			d.bad(n, "a %s step has %d of value, cel and policy. exactly one is needed", step.Do, sources)
		}
		r.Fix = append(r.Fix, step)
	}
}

// plain decodes a YAML value into plain Go values.
func (d *ruleDecoder) plain(n *yaml.Node) any {
	var out any
	if err := n.Decode(&out); err != nil {
		d.bad(n, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return out
}

// words is a step in short: set A.B (policy value kmsKey).
func (f *FixStep) words() string {
	step := f.Do + " " + strings.Join(f.Path, ".")
	switch {
	case f.Do == doTags:
		return "set the tags that the policy asks for"
	case f.Do == doDelete:
		return "delete the resource"
	case f.On != "":
		step += " of " + f.On
	}
	if f.Policy != "" {
		step += " (policy value " + f.Policy + ")"
	}
	return step
}
