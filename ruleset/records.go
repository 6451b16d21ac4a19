package ruleset

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// Records are the variables that do not come from CloudFormation's schema:
// self, template, policy, and the statements of policy documents. They are
// schema types and cfn values as well, so that one kind of view reads all.

var (
	textType = &schema.Type{Kind: schema.String}
	boolType = &schema.Type{Kind: schema.Bool}
	intType  = &schema.Type{Kind: schema.Integer}
	textList = &schema.Type{Kind: schema.List, Elem: textType}
	textMap  = &schema.Type{Kind: schema.Map, Elem: textType}
)

// openType is the type of `resource` in a rule for `taggable` or `any` types:
// it has no properties of its own, functions read it.
var openType = &schema.Type{Kind: schema.Object, Name: "Resource"}

// object makes an object type; properties may come in any order.
func object(name string, properties ...schema.Property) *schema.Type {
	slices.SortFunc(properties, func(a, b schema.Property) int { return strings.Compare(a.Name, b.Name) })
	return &schema.Type{Kind: schema.Object, Name: name, Properties: properties}
}

func prop(name string, t *schema.Type) schema.Property { return schema.Property{Name: name, Type: t} }

// selfType is what is known of a resource beside its properties.
var selfType = sync.OnceValue(func() *schema.Type {
	return object("Self",
		prop("LogicalId", textType),
		prop("Type", textType),
		prop("ConstructPath", textType),
		prop("DeletionPolicy", textType),
		prop("UpdateReplacePolicy", textType),
		prop("CreationPolicy", anyType),
		prop("UpdatePolicy", anyType),
		prop("DependsOn", textList),
		prop("Metadata", anyType),
		prop("ExpandedFrom", textType),
	)
})

// selfValue builds the record of a resource.
func selfValue(r *cfn.Resource) *cfn.Value {
	v := &cfn.Value{Kind: cfn.Map, Pos: r.Pos}
	put := func(name string, child *cfn.Value) {
		if child != nil {
			v.Fields = append(v.Fields, cfn.Field{Key: name, Pos: child.Pos, Value: child})
		}
	}
	put("LogicalId", text(r.LogicalID, r.Pos))
	put("Type", text(r.Type, r.TypePos))
	if r.ConstructPath != "" {
		put("ConstructPath", text(r.ConstructPath, r.Pos))
	}
	if r.Expanded != "" {
		put("ExpandedFrom", text(r.Expanded, r.TypePos))
	}
	put("Metadata", r.Metadata)
	for _, name := range [...]string{"DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy", "DependsOn"} {
		put(name, r.Attributes.Get(name))
	}
	return v
}

// templateType is what is known of the template and of where it is deployed.
// Region, AccountId and StackName are unset where nobody gave them.
var templateType = sync.OnceValue(func() *schema.Type {
	return object("Template",
		prop("Path", textType),
		prop("Transforms", textList),
		prop("Region", textType),
		prop("AccountId", textType),
		prop("StackName", textType),
	)
})

func templateValue(m *cfn.Model) *cfn.Value {
	v := &cfn.Value{Kind: cfn.Map}
	put := func(name string, child *cfn.Value) {
		v.Fields = append(v.Fields, cfn.Field{Key: name, Value: child})
	}
	if t := m.Template; t != nil {
		put("Path", text(t.Path, cfn.Pos{}))
		list := &cfn.Value{Kind: cfn.List}
		for _, x := range t.Transforms {
			list.Items = append(list.Items, text(x, cfn.Pos{}))
		}
		put("Transforms", list)
	}
	for _, x := range [...]struct{ name, value string }{
		{"Region", m.Inputs.Region}, {"AccountId", m.Inputs.Account}, {"StackName", m.Inputs.Stack},
	} {
		if x.value != "" {
			put(x.name, text(x.value, cfn.Pos{}))
		}
	}
	return v
}

// policyType is made from Policy's cel tags. Reflection runs once a process.
var policyType = sync.OnceValue(func() *schema.Type { return recordType("Policy", reflect.TypeFor[Policy]()) })

func recordType(name string, t reflect.Type) *schema.Type {
	switch t.Kind() {
	case reflect.String:
		return textType
	case reflect.Bool:
		return boolType
	case reflect.Int:
		return intType
	case reflect.Slice:
		return &schema.Type{Kind: schema.List, Elem: recordType(name, t.Elem())}
	case reflect.Map:
		return &schema.Type{Kind: schema.Map, Elem: recordType(name, t.Elem())}
	}
	var props []schema.Property
	for i := range t.NumField() {
		f := t.Field(i)
		if tag := f.Tag.Get("cel"); tag != "" && tag != "-" {
			props = append(props, prop(tag, recordType(name+"."+tag, f.Type)))
		}
	}
	return object(name, props...)
}

// recordValue is the value of a field as recordType types it.
func recordValue(v reflect.Value) *cfn.Value {
	switch v.Kind() {
	case reflect.String:
		return text(v.String(), cfn.Pos{})
	case reflect.Bool:
		return &cfn.Value{Kind: cfn.Bool, Text: strconv.FormatBool(v.Bool())}
	case reflect.Int:
		return &cfn.Value{Kind: cfn.Number, Text: strconv.FormatInt(v.Int(), 10)}
	case reflect.Slice:
		out := &cfn.Value{Kind: cfn.List}
		for i := range v.Len() {
			out.Items = append(out.Items, recordValue(v.Index(i)))
		}
		return out
	case reflect.Map:
		out := &cfn.Value{Kind: cfn.Map}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			out.Fields = append(out.Fields, cfn.Field{Key: k.String(), Value: recordValue(v.MapIndex(k))})
		}
		return out
	}
	out := &cfn.Value{Kind: cfn.Map}
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("cel"); tag != "" && tag != "-" {
			out.Fields = append(out.Fields, cfn.Field{Key: tag, Value: recordValue(v.Field(i))})
		}
	}
	return out
}

func text(s string, pos cfn.Pos) *cfn.Value { return &cfn.Value{Kind: cfn.String, Text: s, Pos: pos} }
