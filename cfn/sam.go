package cfn

import (
	"slices"
	"strings"
)

// samTransform is the macro that turns AWS::Serverless types into
// CloudFormation's own. What it makes of them is read from its published
// source, aws-sam-translator 1.115; names and properties here are the same.
const samTransform = "AWS::Serverless-2016-10-31"

// samPrefix opens the resource types of SAM.
const samPrefix = "AWS::Serverless::"

// SAM's own names for the APIs that events imply.
const (
	implicitRestAPI = "ServerlessRestApi"
	implicitHTTPAPI = "ServerlessHttpApi"
)

// declareSAM merges the Globals section into the SAM resources, adds the APIs
// that events imply, and notes which logical ids SAM will make, so that
// references to them are known.
func (r *resolver) declareSAM() {
	globals := r.t.Root.Get("Globals")
	var rest, http implied
	for i, d := range r.declared {
		if !strings.HasPrefix(d.Type, samPrefix) || !d.Body.IsKind(Map) {
			continue
		}
		if g := globals.Get(d.Type[len(samPrefix):]); g.IsKind(Map) {
			d = withGlobals(d, g)
			r.declared[i] = d
		}
		if d.Type == samPrefix+"Function" || d.Type == samPrefix+"StateMachine" {
			events := d.Body.Get("Properties").Get("Events")
			for j := range events.fields() {
				e := &events.Fields[j]
				switch {
				case e.Value.Get("Type").text() == "Api" && e.Value.Get("Properties").Get("RestApiId") == nil:
					rest.by(d, e.Pos)
				case e.Value.Get("Type").text() == "HttpApi" && e.Value.Get("Properties").Get("ApiId") == nil:
					http.by(d, e.Pos)
				}
			}
		}
	}
	r.imply(&rest, implicitRestAPI, samPrefix+"Api", "Prod", globals.Get("Api"))
	r.imply(&http, implicitHTTPAPI, samPrefix+"HttpApi", "$default", globals.Get("HttpApi"))
	r.generated = make(map[string]bool)
	for _, d := range r.declared {
		r.generate(d)
	}
}

// implied is an API that events of functions make SAM add.
type implied struct {
	pos        Pos
	found      bool
	always     bool // a function without a condition implies it
	conditions []string
}

func (a *implied) by(d *Declared, at Pos) {
	if !a.found {
		a.found, a.pos = true, at
	}
	if d.Condition == "" {
		a.always = true
	} else if !slices.Contains(a.conditions, d.Condition) {
		a.conditions = append(a.conditions, d.Condition)
	}
}

// imply declares an implied API, unless the template declares one of its name.
func (r *resolver) imply(a *implied, id, typ, stage string, globals *Value) {
	if !a.found || slices.ContainsFunc(r.declared, func(d *Declared) bool { return d.LogicalID == id }) {
		return
	}
	text := func(s string) *Value { return literalAt(s, a.pos) }
	properties := newMap(a.pos, []Field{{Key: "StageName", Pos: a.pos, Value: text(stage)}})
	body := newMap(a.pos, []Field{
		{Key: "Type", Pos: a.pos, Value: text(typ)},
		{Key: "Properties", Pos: a.pos, Value: properties},
	})
	d := &Declared{LogicalID: id, Type: typ, Pos: a.pos, Body: body}
	if globals.IsKind(Map) {
		d = withGlobals(d, globals)
	}
	if !a.always {
		d.Condition = a.conditions[0]
		if len(a.conditions) > 1 {
			r.anyOf = map[string][]string{id: a.conditions}
		}
	}
	r.declared = append(r.declared, d)
}

// withGlobals is d with the properties that Globals gives to its type, but
// those it ignores.
func withGlobals(d *Declared, globals *Value) *Declared {
	ignore := d.Body.Get("IgnoreGlobals")
	if ignore.text() == "*" {
		return d
	}
	for _, item := range ignore.items() {
		globals = without(globals, item.text())
	}
	fields := make([]Field, 0, len(d.Body.Fields)+1)
	merged := false
	for _, f := range d.Body.Fields {
		switch f.Key {
		case "IgnoreGlobals":
			continue
		case "Properties":
			f.Value = merge(globals, f.Value, "")
			merged = true
		}
		fields = append(fields, f)
	}
	if !merged {
		fields = append(fields, Field{Key: "Properties", Pos: d.Pos, Value: globals})
	}
	c := *d
	c.Body = newMap(d.Body.Pos, fields)
	return &c
}

// items are the items of a List, none of anything else.
func (v *Value) items() []*Value {
	if v == nil {
		return nil
	}
	return v.Items
}

func without(m *Value, key string) *Value {
	i := slices.IndexFunc(m.Fields, func(f Field) bool { return f.Key == key })
	if i < 0 {
		return m
	}
	return newMap(m.Pos, slices.Delete(slices.Clone(m.Fields), i, i+1))
}

// merge joins a global with a local value as SAM does: maps key by key, lists
// one after the other, of anything else the local one counts. A function counts
// as a scalar.
func merge(global, local *Value, path string) *Value {
	if global == nil || local == nil || global.Kind != local.Kind || isCall(global) || isCall(local) {
		return local
	}
	switch global.Kind {
	case List:
		if path == "Architectures" {
			return local
		}
		return newList(local.Pos, append(slices.Clone(global.Items), local.Items...))
	case Map:
		fields := slices.Clone(local.Fields)
		for _, g := range global.Fields {
			i := slices.IndexFunc(fields, func(f Field) bool { return f.Key == g.Key })
			if i < 0 {
				fields = append(fields, g)
				continue
			}
			fields[i].Value = merge(g.Value, fields[i].Value, path+g.Key)
		}
		return newMap(local.Pos, fields)
	}
	return local
}

// isCall reports whether v is an intrinsic function.
func isCall(v *Value) bool {
	return v.IsKind(Map) && len(v.Fields) == 1 && isFunction(v.Fields[0].Key, 1, v.Fields[0].Value)
}

// generate notes the logical ids that a SAM resource makes beside its own, as
// far as the source tells.
func (r *resolver) generate(d *Declared) {
	if !strings.HasPrefix(d.Type, samPrefix) {
		return
	}
	properties := d.Body.Get("Properties")
	switch d.Type[len(samPrefix):] {
	case "Function":
		r.generated[d.LogicalID+"Role"] = true
		if properties.Get("FunctionUrlConfig") != nil {
			r.generated[d.LogicalID+"Url"] = true
		}
		if alias := r.value(properties.Get("AutoPublishAlias")); isScalar(alias) {
			r.generated[aliasID(d.LogicalID, alias.Text)] = true
			r.generated[d.LogicalID+"Version"] = true
		}
		for i := range properties.Get("Events").fields() {
			r.generated[d.LogicalID+properties.Get("Events").Fields[i].Key] = true
		}
	case "StateMachine":
		r.generated[d.LogicalID+"Role"] = true
		if alias := properties.Get("AutoPublishAlias").text(); alias != "" {
			r.generated[d.LogicalID+"Alias"+alias] = true
			r.generated[d.LogicalID+"Version"] = true
		}
	case "Api", "HttpApi":
		r.generated[d.LogicalID+"Deployment"] = true
		r.generated[stageID(d.LogicalID, r.value(properties.Get("StageName")))] = true
	}
}

// samReference is the logical id that SAM puts in place of a name it makes:
// the name itself, or one of the forms Function.Alias, Function.Version,
// Api.Stage and Api.Deployment. It is "" for any other name.
func (r *resolver) samReference(name string) string {
	if r.generated[name] {
		return name
	}
	id, property, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	i, ok := r.index[id]
	if !ok {
		return ""
	}
	d := r.declared[i]
	properties := d.Body.Get("Properties")
	switch d.Type + "." + property {
	case samPrefix + "Function.Alias":
		if alias := r.value(properties.Get("AutoPublishAlias")); isScalar(alias) {
			return aliasID(id, alias.Text)
		}
	case samPrefix + "Function.Version", samPrefix + "Api.Deployment":
		return id + property
	case samPrefix + "Api.Stage", samPrefix + "HttpApi.Stage":
		return stageID(id, r.value(properties.Get("StageName")))
	}
	return ""
}

// samBuilder makes the resources of one SAM resource.
type samBuilder struct {
	r       *resolver
	from    *Resource // as resolved, with SAM's properties
	derived *Value    // attributes that SAM hands on to what it derives
	out     []*Resource
}

// expandSAM is what SAM makes of a resource: the one of the same logical id
// first, then those derived. A type that is not known stays as it is.
func (r *resolver) expandSAM(res *Resource) []*Resource {
	b := &samBuilder{r: r, from: res, derived: handedOn(res.Attributes)}
	if res.Properties != nil && res.Properties.Kind != Map {
		return []*Resource{res}
	}
	switch res.Type[len(samPrefix):] {
	case "Function":
		b.function()
	case "Api":
		b.restAPI()
	case "HttpApi":
		b.httpAPI()
	case "SimpleTable":
		b.table()
	case "StateMachine":
		b.stateMachine()
	case "LayerVersion":
		b.layer()
	default:
		return []*Resource{res}
	}
	return b.out
}

// handedOn is what SAM copies of a resource's attributes to what it derives.
func handedOn(attributes *Value) *Value {
	var fields []Field
	for _, f := range attributes.fields() {
		if f.Key == "DeletionPolicy" || f.Key == "UpdateReplacePolicy" {
			fields = append(fields, f)
		}
	}
	if fields == nil {
		return nil
	}
	return &Value{Kind: Map, Pos: attributes.Pos, Fields: fields}
}

// add makes a resource; the first keeps all attributes of the SAM resource.
func (b *samBuilder) add(id, typ string, fields []Field) *Resource {
	res := &Resource{
		LogicalID: id, Type: typ, ConstructPath: b.from.ConstructPath,
		Pos: b.from.Pos, TypePos: b.from.TypePos,
		Metadata: b.from.Metadata, Attributes: b.derived, Expanded: b.from.Type,
		Properties: &Value{Kind: Map, Pos: b.from.Pos, Fields: fields},
	}
	if len(b.out) == 0 {
		res.Attributes = b.from.Attributes
		if b.from.Properties != nil {
			res.Properties.Pos = b.from.Properties.Pos
		}
	}
	b.out = append(b.out, res)
	return res
}

// get is a property of the SAM resource, nil where it is absent.
func (b *samBuilder) get(name string) *Value { return b.from.Properties.Get(name) }

// text makes a string that SAM writes; it stands at the SAM resource.
func (b *samBuilder) text(s string) *Value { return literalAt(s, b.from.Pos) }

func (b *samBuilder) flag(v bool) *Value {
	if v {
		return &Value{Kind: Bool, Pos: b.from.Pos, Text: "true"}
	}
	return &Value{Kind: Bool, Pos: b.from.Pos, Text: "false"}
}

func (b *samBuilder) list(items ...*Value) *Value {
	return &Value{Kind: List, Pos: b.from.Pos, Items: items}
}

// object makes a map of fields; those without a value are left out.
func (b *samBuilder) object(fields ...Field) *Value {
	return &Value{Kind: Map, Pos: b.from.Pos, Fields: b.fields(fields...)}
}

func (b *samBuilder) fields(fields ...Field) []Field {
	out := fields[:0]
	for _, f := range fields {
		if f.Value == nil {
			continue
		}
		if f.Pos.IsZero() {
			f.Pos = b.from.Pos
		}
		out = append(out, f)
	}
	return out
}

// field is a property under a name of CloudFormation's, at its own place.
func (b *samBuilder) field(name, from string) Field {
	properties := b.from.Properties.fields()
	for i := range properties {
		if properties[i].Key == from {
			return Field{Key: name, Pos: properties[i].Pos, Value: properties[i].Value}
		}
	}
	return Field{Key: name}
}

func (b *samBuilder) ref(id string) *Value {
	return b.r.reference(b.from.Pos, id, "")
}

func (b *samBuilder) attribute(id, name string) *Value {
	return b.r.reference(b.from.Pos, id, name)
}

// tags makes CloudFormation's list of tags of SAM's map, after the tag that SAM
// itself sets; createdBy "" is none.
func (b *samBuilder) tags(createdBy string) *Value {
	tags := b.get("Tags")
	if tags != nil && tags.Kind != Map {
		return tags
	}
	var items []*Value
	if createdBy != "" {
		items = append(items, b.object(Field{Key: "Key", Value: b.text(createdBy)}, Field{Key: "Value", Value: b.text("SAM")}))
	}
	for _, f := range tags.fields() {
		items = append(items, &Value{Kind: Map, Pos: f.Pos, Fields: []Field{
			{Key: "Key", Pos: f.Pos, Value: literalAt(f.Key, f.Pos)},
			{Key: "Value", Pos: f.Pos, Value: f.Value},
		}})
	}
	if items == nil {
		return nil
	}
	v := b.list(items...)
	if tags != nil {
		v.Pos = tags.Pos
	}
	return v
}

// location makes the place of an artifact in S3 under the key names of a type;
// a local path is not known before it is packaged.
func (b *samBuilder) location(uri *Value, bucket, key, version string) *Value {
	switch {
	case uri.IsKind(Map):
		v := b.object(
			Field{Key: bucket, Value: uri.Get("Bucket")},
			Field{Key: key, Value: uri.Get("Key")},
			Field{Key: version, Value: uri.Get("Version")},
		)
		v.Pos = uri.Pos
		return v
	case uri.IsKind(String) && strings.HasPrefix(uri.Text, "s3://"):
		name, path, _ := strings.Cut(uri.Text[len("s3://"):], "/")
		return &Value{Kind: Map, Pos: uri.Pos, Fields: []Field{
			{Key: bucket, Pos: uri.Pos, Value: literalAt(name, uri.Pos)},
			{Key: key, Pos: uri.Pos, Value: literalAt(path, uri.Pos)},
		}}
	case uri.IsKind(String):
		return newUnknown(uri.Pos, "sam package of "+uri.Text)
	}
	return uri
}
