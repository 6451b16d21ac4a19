package ruleset

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/cfn"
	"plumbline/finding"
)

// errIntrinsic says that a fix cannot be written where a function stands.
var errIntrinsic = errors.New("an intrinsic function stands there")

// settle applies the rule's fix to a case that fails and judges again: a fix
// that leaves the failure is no fix. It returns what is wrong, "" for nothing.
// Left out are cases that say so (unfixed), fixes that need more than the
// policy file can give, and places where an intrinsic function stands, which
// only a person can change.
func (c *caseRunner) settle(k *Case, set *Set, typ string, f finding.Finding, m *cfn.Model) string {
	if len(c.rule.Fix) == 0 || k.Unfixed {
		return ""
	}
	fix, err := set.Fix(f, m)
	if err != nil {
		return fmt.Sprintf("fix: %v", err)
	}
	if len(fix.Needs) > 0 || fix.Delete || len(fix.Ops)+len(fix.Others) == 0 && fix.Companion == nil {
		return ""
	}
	fixed := *k
	fixed.Properties = *new(yamlReader).expand(&k.Properties)
	switch err := applyOps(&fixed.Properties, fix.Ops); {
	case errors.Is(err, errIntrinsic):
		return ""
	case err != nil:
		return fmt.Sprintf("fix: %v", err)
	}
	for _, o := range fix.Others {
		switch err := applyOther(&fixed, o); {
		case errors.Is(err, errIntrinsic):
			return ""
		case err != nil:
			return fmt.Sprintf("fix: %v", err)
		}
	}
	if fix.Companion != nil {
		fixed.With = append(slices.Clone(fixed.With), companionField(fix.Companion))
	}
	after, _, _, err := c.verdict(&fixed, set, typ)
	switch {
	case err != nil:
		return fmt.Sprintf("fix: the fixed resource is not judged: %v", err)
	case after.Verdict == finding.Fail || after.Verdict == finding.Error:
		return fmt.Sprintf("the fix does not settle it (give unfixed: true where it cannot):\n  %s\n  leaves %s: %s", describeOps(fix.Ops), after.Verdict, after.Message)
	}
	return ""
}

// applyOther carries out operations on a resource that stands with the case's.
func applyOther(k *Case, o OtherOps) error {
	i := slices.IndexFunc(k.With, func(f yamlField) bool { return f.key.Value == o.LogicalID })
	if i < 0 {
		return fmt.Errorf("the case has no resource %q to change", o.LogicalID)
	}
	k.With = slices.Clone(k.With)
	value := new(yamlReader).expand(k.With[i].value)
	properties := &yaml.Node{}
	if there := child(value, "properties"); there != nil {
		properties = there
	}
	if err := applyOps(properties, o.Ops); err != nil {
		return err
	}
	if child(value, "properties") == nil {
		value.Content = append(value.Content, word("properties"), properties)
	}
	k.With[i].value = value
	return nil
}

func describeOps(ops []cfn.Op) string {
	parts := make([]string, len(ops))
	for i, op := range ops {
		parts[i] = op.Do + " " + strings.Join(op.Path, ".")
		if op.Value != nil {
			parts[i] += fmt.Sprintf(" to %v", op.Value)
		}
	}
	return strings.Join(parts, "; ")
}

// applyOps carries out operations on a case's properties.
func applyOps(properties *yaml.Node, ops []cfn.Op) error {
	if properties.IsZero() || properties.Tag == "!!null" {
		*properties = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	for _, op := range ops {
		if err := applyOp(properties, op); err != nil {
			return fmt.Errorf("%s %s: %w", op.Do, strings.Join(op.Path, "."), err)
		}
	}
	return nil
}

func applyOp(properties *yaml.Node, op cfn.Op) error {
	there, path := properties, op.Path
	for i, step := range path {
		if isIntrinsic(there) {
			return errIntrinsic
		}
		if there = child(there, step); there == nil && i < len(path)-1 {
			break
		}
	}
	if op.Do == cfn.OpRemove {
		if there == nil {
			return nil // it is gone, which is what the operation is for
		}
		return unsetPath(properties, path)
	}
	value := &yaml.Node{}
	if err := value.Encode(op.Value); err != nil {
		return err
	}
	if op.Do == cfn.OpAdd {
		switch {
		case there == nil:
			value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{value}}
		case isIntrinsic(there):
			return errIntrinsic
		case there.Kind == yaml.SequenceNode:
			path = append(slices.Clone(path), strconv.Itoa(len(there.Content)))
		default:
			return fmt.Errorf("there stands %s, and no list", describe(there))
		}
	}
	return setPath(properties, path, value)
}

// child is the value under a key or index, nil where there is none.
func child(n *yaml.Node, step string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		if j := keyIndex(n, step); j >= 0 {
			return n.Content[j+1]
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}

// isIntrinsic reports a function in short or long form.
func isIntrinsic(n *yaml.Node) bool {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return true
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		return false
	}
	key := n.Content[0].Value
	return key == "Ref" || strings.HasPrefix(key, "Fn::")
}

// companionField is a companion resource as an entry of `with`.
func companionField(r *cfn.Resource) yamlField {
	properties := &yaml.Node{}
	// Plain values always encode.
	if plain, err := plainValue(r.Properties); err == nil {
		_ = properties.Encode(plain)
	}
	return yamlField{word(r.LogicalID), mapping("type", word(r.Type), "properties", properties)}
}
