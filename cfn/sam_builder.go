package cfn

import "strings"

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
