package ruleset

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// doTags is the fix step that sets the tags that the policy asks for.
const doTags = "tags"

// Given is the value that a fix gives the tag: the default, or the only value
// that is allowed. false: the policy names none.
func (t *RequiredTag) Given() (string, bool) {
	switch {
	case t.Default != "":
		return t.Default, true
	case len(t.Values) == 1:
		return t.Values[0], true
	}
	return "", false
}

// noDefault is what a fix needs where the policy gives a tag no value.
func noDefault(key string) string { return "policy default of required tag " + key }

// asks reports whether the tag is asked of a resource type.
func (t *RequiredTag) asks(typ string) bool {
	return (len(t.Only) == 0 || GlobAny(t.Only, typ)) && !GlobAny(t.Except, typ)
}

// defaultProblem says why the default is none that the entry allows, "" where it is.
func (t *RequiredTag) defaultProblem() string {
	if t.Default == "" {
		return ""
	}
	if len(t.Values) > 0 {
		if !slices.Contains(t.Values, t.Default) {
			return "is not among values, which are " + strings.Join(t.Values, ", ")
		}
		return ""
	}
	if re, err := regexp.Compile(t.Pattern); err == nil && !re.MatchString(t.Default) {
		return "does not match pattern " + t.Pattern
	}
	return ""
}

// givesTags reports whether the policy gives a value to each tag that it asks
// of a resource type.
func (p *Policy) givesTags(typ string) bool {
	if p == nil {
		return true
	}
	return !slices.ContainsFunc(p.RequiredTags, func(t RequiredTag) bool {
		_, ok := t.Given()
		return t.asks(typ) && !ok
	})
}

// tagStep sets each tag that the policy asks of the resource and that it lacks,
// or has with a value that is not allowed, in the shape that its type gives tags.
func (e *evaluation) tagStep(out *Fix, p *Policy) {
	resource := e.owner.resource
	s := schema.Lookup(resource.Type)
	if s == nil || s.TagProperty == "" || p == nil {
		return
	}
	tags, ok := tagsOf(&e.resource).(*mapView)
	if !ok {
		return // not known, so the rule does not fail
	}
	for i := range p.RequiredTags {
		want := &p.RequiredTags[i]
		if !want.asks(resource.Type) || allowedTag(want, tags) != types.False {
			continue
		}
		value, ok := want.Given()
		if !ok {
			out.Needs = mergeNeeds(out.Needs, []string{noDefault(want.Key)})
			continue
		}
		out.Ops = append(out.Ops, tagOp(s, resource.Properties.Get(s.TagProperty), want.Key, value))
	}
}

// tagOp gives a resource one tag.
func tagOp(s *schema.Resource, written *cfn.Value, key, value string) cfn.Op {
	if s.TagsAsMap {
		return cfn.Op{Do: cfn.OpSet, Path: []string{s.TagProperty, key}, Value: value}
	}
	keyName, valueName := "Key", "Value"
	item := s.Type.Property(s.TagProperty).Type.Elem
	if item.Property(keyName) == nil {
		keyName, valueName = "TagKey", "TagValue"
	}
	if written.IsKind(cfn.List) {
		for i, tag := range written.Items {
			if name := tag.Get(keyName); name.IsKind(cfn.String) && name.Text == key {
				return cfn.Op{Do: cfn.OpSet, Path: []string{s.TagProperty, strconv.Itoa(i), valueName}, Value: value}
			}
		}
	}
	tag := map[string]any{keyName: key, valueName: value}
	for i := range item.Properties {
		// An Auto Scaling group says of each tag whether its instances get it.
		if p := &item.Properties[i]; p.Required && p.Type.Kind == schema.Bool {
			tag[p.Name] = true
		}
	}
	return cfn.Op{Do: cfn.OpAdd, Path: []string{s.TagProperty}, Value: tag}
}
