package ruleset

import (
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

func presenceFunctions() []Function {
	return []Function{{
		Name: "has", Group: "What is set, and where it comes from",
		Signature: []string{"has(x.Property) bool", `has(x["key"]) bool`},
		Doc:       "Whether a property or key is set. One that is set but not known yet is set; an unset one reads as the zero value of its type.",
		Examples:  []string{"has(resource.KmsKeyId)"},
	}, {
		Name: "source", Group: "What is set, and where it comes from",
		Signature: []string{"source(x.Property) string"},
		Doc: "Where the value comes from: absent, literal (written in the template), parameter-default, noecho-default (the default of a NoEcho parameter), " +
			"parameter (no default, or a value was given), noecho (the same for a NoEcho parameter), dynamic (a dynamic reference to Secrets Manager or a secure parameter), ssm (one to a plain parameter of Parameter Store, or a template parameter whose type reads one), reference (Ref or GetAtt of a resource), import, unknown.",
		Examples: []string{`source(resource.MasterUserPassword) in ["dynamic", "noecho"]`},
	}, {
		Name: "plaintext", Group: "What is set, and where it comes from",
		Signature: []string{"plaintext(x.Property) bool"},
		Doc:       "Whether the value stands in the template for all to read: a literal, or the default of a parameter, NoEcho or not. An absent or empty value is not. Not known where a literal is the name of a parameter without a default: a forgotten Ref?",
		Examples:  []string{"!plaintext(resource.MasterUserPassword)"},
	}, {
		Name: "written", Group: "What is set, and where it comes from",
		Signature: []string{"written(x.Property) string"},
		Doc: "The text that stands in the template for all to read: of Fn::Base64 what it encodes, with … for each part that is not known. " +
			"So a search of it says what was written down, whatever parameters hold. Of an absent value \"\".",
		Examples: []string{`!written(resource.UserData).matches("AKIA[A-Z0-9]{16}")`},
	}}
}

func tagFunctions() []Function {
	return []Function{{
		Name: "tags", Group: "Tags",
		Signature: []string{"tags(resource) map(string, string)", "tags(resource.Tags) map(string, string)"},
		Doc:       "A resource's tags, whatever shape its type gives them: a list of Key and Value, or a mapping. Ask `key in tags(resource)`; a missing key reads as \"\".",
		Examples:  []string{`"owner" in tags(resource)`, `tags(resource)["data-classification"] == "public"`},
		whole:     true,
		overloads: []overload{{args: []*cel.Type{cel.DynType}, result: cel.MapType(cel.StringType, cel.StringType),
			call: func(a ...ref.Val) ref.Val { return tagsOf(a[0]) }}},
	}, {
		Name: "missingTags", Group: "Tags",
		Signature: []string{"policy.missingTags(resource) list(string)", "policy.missingTags(resource, tags) list(string)"},
		Doc:       "Keys of the policy's requiredTags that the resource lacks, or whose value the policy does not allow. A type that a tag is not asked of lacks nothing. tags: those to look at, where they stand elsewhere than in the resource's tag property.",
		Examples:  []string{"policy.missingTags(resource) == []"},
		whole:     true,
		overloads: []overload{{member: true, args: []*cel.Type{celType(policyType()), cel.DynType}, result: cel.ListType(cel.StringType),
			call: func(a ...ref.Val) ref.Val { return missingTags(a[0], a[1], a[1]) }}, {member: true, args: []*cel.Type{celType(policyType()), cel.DynType, cel.DynType}, result: cel.ListType(cel.StringType),
			call: func(a ...ref.Val) ref.Val { return missingTags(a[0], a[1], a[2]) }}},
	}, {
		Name: "givenTags", Group: "Tags",
		Signature: []string{"policy.givenTags(keys list(string)) list"},
		Doc:       "Tags with these keys and the values that the policy's requiredTags give by default or allow alone, each {Key, Value}: for fixes. Where the policy gives none, the list is not known.",
		Examples:  []string{"policy.givenTags(policy.missingTags(resource))"},
		whole:     true,
		overloads: []overload{{member: true, args: []*cel.Type{celType(policyType()), cel.ListType(cel.StringType)}, result: cel.ListType(cel.DynType),
			call: func(a ...ref.Val) ref.Val { return givenTags(a[0], a[1]) }}},
	}, {
		Name: "exempt", Group: "Tags",
		Signature: []string{"policy.exempt(resource, key string) bool", "policy.exempt(resource.Tags, key string) bool"},
		Doc:       "Whether the policy's exemptTags let the tag with this key exempt the resource. Nothing is exempt by default.",
		Examples:  []string{`!policy.exempt(resource, "scratch")`},
		whole:     true,
		overloads: []overload{{member: true, args: []*cel.Type{celType(policyType()), cel.DynType, cel.StringType}, result: cel.BoolType,
			call: func(a ...ref.Val) ref.Val { return exempt(a[0], a[1], a[2]) }}},
	}}
}

// tagsOf reads tags from a resource, a list or a mapping.
func tagsOf(v ref.Val) ref.Val {
	switch v := v.(type) {
	case *view:
		s := schema.Lookup(v.owner.resource.Type)
		if s == nil || s.TagProperty == "" || v.value != v.owner.resource.Properties {
			return &mapView{typ: textMap, owner: v.owner}
		}
		// Tags of an Auto Scaling group and the like are lists of their own item types.
		child := v.value.Get(s.TagProperty)
		if v.owner.trace != nil {
			v.owner.trace.read(v.owner, v.value, s.TagProperty, child)
			if v.owner.varying != nil {
				v.owner.trace.vary(v.owner, v.value, s.TagProperty, child, true)
			}
		}
		return tagMap(child, v.owner)
	case *listView:
		return tagMap(&cfn.Value{Kind: cfn.List, Items: v.items}, v.owner)
	case *mapView:
		return &mapView{value: v.value, typ: textMap, owner: v.owner, more: v.more}
	case absent:
		return &mapView{typ: textMap, owner: &owner{}}
	case traits.Lister:
		if v.Size() == types.IntZero { // [] of a rule: no tags
			return &mapView{typ: textMap, owner: &owner{}}
		}
	}
	return types.NewErr("tags are read from a resource or its tag property, not from %s", v.Type().TypeName())
}

// tagMap turns tags of any shape into a map. What is unknown of them makes the
// map unsure: a key that is not seen may be there.
func tagMap(v *cfn.Value, o *owner) ref.Val {
	out := &mapView{typ: textMap, owner: o}
	switch {
	case v == nil || v.Kind == cfn.Null:
		return out
	case v.Kind == cfn.Unknown:
		return unknownOf(v.Unknown.Needs)
	case v.Kind == cfn.Map:
		out.value = v
		return out
	case v.Kind != cfn.List:
		return types.NewErr("tags are %s, not a list or mapping", describeValue(v))
	}
	m := &cfn.Value{Kind: cfn.Map, Pos: v.Pos, Fields: make([]cfn.Field, 0, len(v.Items))}
	for _, item := range v.Items {
		if item.Kind == cfn.Unknown {
			out.more = types.MergeUnknowns(out.more, unknownOf(item.Unknown.Needs))
			continue
		}
		key, value := item.Get("Key"), item.Get("Value")
		if key == nil {
			key = item.Get("TagKey")
			value = item.Get("TagValue")
		}
		switch {
		case key.IsKind(cfn.Unknown):
			out.more = types.MergeUnknowns(out.more, unknownOf(key.Unknown.Needs))
		case key != nil && m.Get(key.Text) == nil:
			if value == nil {
				value = text("", key.Pos)
			}
			m.Fields = append(m.Fields, cfn.Field{Key: key.Text, Pos: key.Pos, Value: value})
		}
	}
	out.value = m
	if o.trace != nil {
		o.trace.alias(v, m)
	}
	return out
}

// missingTags asks what the policy asks of a resource's type of tags, which may
// stand in another place than tagsOf knows.
func missingTags(policy, resource, written ref.Val) ref.Val {
	p, ok := policy.(*view)
	r, isView := resource.(*view)
	if !ok || !isView || p.owner.policy == nil {
		return types.NewErr("missingTags is asked of the policy, for a resource")
	}
	all := tagsOf(written)
	tags, isMap := all.(*mapView)
	out := refList{}
	for i := range p.owner.policy.RequiredTags {
		want := &p.owner.policy.RequiredTags[i]
		typ := r.owner.resource.Type
		if !want.asks(typ) {
			continue
		}
		if !isMap {
			return all
		}
		switch v := allowedTag(want, tags).(type) {
		case types.Bool:
			if !v {
				out = append(out, types.String(want.Key))
			}
		default:
			return v // the list is not known
		}
	}
	return out
}

// givenTags are the tags that a fix sets for keys.
func givenTags(policy, keys ref.Val) ref.Val {
	p, ok := policy.(*view)
	list, isList := keys.(traits.Lister)
	if !ok || !isList || p.owner.policy == nil {
		return types.NewErr("givenTags is asked of the policy, for a list of keys")
	}
	out := refList{}
	for _, k := range elements(list) {
		key, isText := k.(types.String)
		if !isText {
			return k // not known
		}
		i := slices.IndexFunc(p.owner.policy.RequiredTags, func(t RequiredTag) bool { return t.Key == string(key) })
		if i < 0 {
			return types.NewErr("the policy asks for no tag %q", key)
		}
		value, ok := p.owner.policy.RequiredTags[i].Given()
		if !ok {
			return unknownOf([]string{noDefault(string(key))})
		}
		out = append(out, types.NewStringStringMap(types.DefaultTypeAdapter, map[string]string{"Key": string(key), "Value": value}))
	}
	return out
}

// allowedTag reports whether the tag is there with a value that the policy allows.
func allowedTag(want *RequiredTag, tags *mapView) ref.Val {
	there := tags.Contains(types.String(want.Key))
	if there != types.True {
		return there
	}
	value := tags.key(want.Key)
	switch {
	case len(want.Values) > 0:
		return anyText(want.Values, func(allowed string) ref.Val { return equal(value, types.String(allowed)) })
	case want.Pattern != "":
		re, err := regexp.Compile(want.Pattern)
		if err != nil {
			return types.WrapErr(err)
		}
		switch v := value.(type) {
		case types.String:
			return types.Bool(re.MatchString(string(v)))
		case *symbolic:
			return v.answer(v.matches(re))
		}
		return value
	}
	switch v := value.(type) {
	case types.String:
		return types.Bool(strings.TrimSpace(string(v)) != "")
	case *symbolic:
		return not(equal(v, types.String("")))
	}
	return types.True // a tag whose value comes from elsewhere is there
}

// anyText is true where ask says yes to one of the texts.
func anyText(texts []string, ask func(string) ref.Val) ref.Val {
	list := make(refList, len(texts))
	for i, t := range texts {
		list[i] = types.String(t)
	}
	return anyOf(list, func(v ref.Val) ref.Val { return ask(string(v.(types.String))) })
}

func exempt(policy, resource, key ref.Val) ref.Val {
	p, ok := policy.(*view)
	name, isText := key.(types.String)
	if !ok || !isText || p.owner.policy == nil {
		return types.NewErr("exempt is asked of the policy, with a literal key")
	}
	tags := tagsOf(resource)
	m, isMap := tags.(*mapView)
	for i := range p.owner.policy.ExemptTags {
		e := &p.owner.policy.ExemptTags[i]
		if e.Key != string(name) {
			continue
		}
		if !isMap {
			return tags
		}
		there := m.Contains(name)
		if there != types.True || len(e.Values) == 0 {
			return there
		}
		value := m.key(string(name))
		if v := anyText(e.Values, func(allowed string) ref.Val { return equal(value, types.String(allowed)) }); v != types.False {
			return v
		}
	}
	return types.False
}
