package ruleset

import (
	"fmt"
	"reflect"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// anyType is the type of what the schema leaves open; CEL sees dyn.
var anyType = &schema.Type{Kind: schema.Any}

// owner is the resource that values were read from, and how they are read.
// Every view of a resource shares it.
type owner struct {
	model    *cfn.Model
	resource *cfn.Resource
	trace    *trace                       // nil: reads are not recorded
	render   bool                         // unknown texts read as words for people: messages only
	policy   *Policy                      // of the policy variable only
	varying  map[*cfn.Value]cfn.Variation // see cfn.Model.Varying; nil: nothing varies, or it is not asked for
	// statements keeps the normal form of policy statements, which many rules
	// ask for; nil: it is made each time. Shared by the evaluations of one
	// judgement, so not safe for concurrent use.
	statements map[*cfn.Value]*cfn.Value
	compared   *comparisons // the same for comparisons with the schema
}

// statement is the normal form of a policy statement.
func (o *owner) statement(item *cfn.Value) *cfn.Value {
	if s := o.statements[item]; s != nil {
		return s
	}
	s := normalStatement(item)
	if o.statements != nil {
		o.statements[item] = s
	}
	return s
}

// view is an object of the schema: a resource, a property with properties of
// its own, or a record that the rules package makes (self, a statement). It
// reads a cfn.Value through its type; nothing is copied. A view of an absent
// value is an empty object, as an unset message field is in CEL.
type view struct {
	value *cfn.Value // Map, or nil
	typ   *schema.Type
	owner *owner
}

var _ traits.Indexer = (*view)(nil)
var _ traits.FieldTester = (*view)(nil)

// FindStringKey is the fast path of a field selection: it finds a property that is set.
func (v *view) FindStringKey(name string) (any, bool) {
	child := v.value.Get(name)
	if child == nil || child.Kind == cfn.Null {
		return nil, false
	}
	return v.owner.read(v, name, child), true
}

// Get reads a property; one that is not set reads as the zero value of its type.
func (v *view) Get(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	if !ok {
		return types.NewErr("no such key: %v", index)
	}
	return v.owner.read(v, string(name), v.value.Get(string(name)))
}

// read is v's property with this name, and records that it was read.
func (o *owner) read(v *view, name string, child *cfn.Value) ref.Val {
	p := v.typ.Property(name)
	if p == nil {
		return types.NewErr("no such key: %s", name)
	}
	if o.trace != nil {
		o.trace.read(o, v.value, name, child)
		if o.varying != nil && child != nil {
			o.trace.vary(o, v.value, name, child, p.Type.Kind != schema.Object)
		}
	}
	if o.render && child.IsKind(cfn.String) && confidential(name, child) {
		return types.String(masked)
	}
	return o.convert(child, p.Type, name)
}

// IsSet reports whether a property is set: has(). A property that is there but
// not known yet is set.
func (v *view) IsSet(field ref.Val) ref.Val {
	name, ok := field.(types.String)
	if !ok {
		return types.NewErr("no such key: %v", field)
	}
	child := v.value.Get(string(name))
	if v.owner.trace != nil {
		v.owner.trace.read(v.owner, v.value, string(name), child)
	}
	return types.Bool(child != nil && child.Kind != cfn.Null)
}

func (v *view) ConvertToNative(t reflect.Type) (any, error) {
	if t.AssignableTo(reflect.TypeFor[*view]()) {
		return v, nil
	}
	return nil, fmt.Errorf("%s has no form as %v", v.typ.Name, t)
}

func (v *view) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.TypeType:
		return celType(v.typ)
	case types.StringType:
		return types.NewErr("%s has no form as text", v.typ.Name)
	}
	if t.TypeName() == v.typ.Name {
		return v
	}
	return types.NewErr("type conversion error from %s to %s", v.typ.Name, t.TypeName())
}

func (v *view) Equal(other ref.Val) ref.Val { return equal(v, other) }
func (v *view) Type() ref.Type              { return celType(v.typ) }
func (v *view) Value() any                  { return v }
func (v *view) IsZeroValue() bool           { return v.value == nil || len(v.value.Fields) == 0 }

// convert makes the CEL value of v as type t. name is the property's, for messages.
func (o *owner) convert(v *cfn.Value, t *schema.Type, name string) ref.Val {
	if v == nil || v.Kind == cfn.Null {
		return zero(t, o)
	}
	if v.Kind == cfn.Unknown {
		if t.Kind == schema.List {
			// One reference where a list is due is a list of one.
			if n := o.normalize(v, t); n.Kind == cfn.List {
				return &listView{n.Items, t, o}
			}
		}
		return o.unknown(v.Unknown, t)
	}
	switch t.Kind {
	case schema.String:
		switch v.Kind {
		case cfn.String, cfn.Number, cfn.Bool:
			return types.String(v.Text)
		}
	case schema.Bool:
		switch {
		case v.Kind != cfn.Bool && v.Kind != cfn.String:
		case strings.EqualFold(v.Text, "true"):
			return types.True
		case strings.EqualFold(v.Text, "false"):
			return types.False
		}
	case schema.Integer:
		if v.Kind == cfn.Number || v.Kind == cfn.String {
			if n, ok := v.Int(); ok {
				return types.Int(n)
			}
		}
	case schema.Double:
		if v.Kind == cfn.Number || v.Kind == cfn.String {
			if f, ok := v.Float(); ok {
				return types.Double(f)
			}
		}
	case schema.List:
		if v.Kind == cfn.List {
			return &listView{v.Items, t, o}
		}
		if n := o.normalize(v, t); n.Kind == cfn.List {
			return &listView{n.Items, t, o}
		}
	case schema.Map:
		if v.Kind == cfn.Map {
			return &mapView{value: v, typ: t, owner: o}
		}
		if n := o.normalize(v, t); n.Kind == cfn.Map {
			return &mapView{value: n, typ: t, owner: o}
		}
	case schema.Object:
		if v.Kind == cfn.Map {
			return &view{v, t, o}
		}
		if n := o.normalize(v, t); n.Kind == cfn.Map {
			return &view{n, t, o}
		}
	default:
		return o.convertAny(v)
	}
	return types.NewErr("property %s is %s, and its type asks for %s", name, describeValue(v), describeType(t))
}

// normalize brings a value of another kind into the type's, as CloudFormation does.
func (o *owner) normalize(v *cfn.Value, t *schema.Type) *cfn.Value {
	n := cfn.Normalize(v, t)
	if n != v && o.trace != nil {
		o.trace.alias(v, n)
	}
	return n
}

// convertAny reads a value whose type the schema leaves open.
func (o *owner) convertAny(v *cfn.Value) ref.Val {
	switch v.Kind {
	case cfn.String:
		return types.String(v.Text)
	case cfn.Bool:
		return types.Bool(strings.EqualFold(v.Text, "true"))
	case cfn.Number:
		if n, ok := v.Int(); ok && !strings.ContainsAny(v.Text, ".eE") {
			return types.Int(n)
		}
		f, ok := v.Float()
		if !ok {
			return types.String(v.Text)
		}
		return types.Double(f)
	case cfn.List:
		return &listView{v.Items, anyList, o}
	case cfn.Map:
		return &mapView{value: v, typ: anyMap, owner: o}
	}
	return absent{}
}

var (
	anyList = &schema.Type{Kind: schema.List, Elem: anyType}
	anyMap  = &schema.Type{Kind: schema.Map, Elem: anyType}
)

// zero is what an unset property of type t reads as.
func zero(t *schema.Type, o *owner) ref.Val {
	switch t.Kind {
	case schema.String:
		return types.String("")
	case schema.Integer:
		return types.IntZero
	case schema.Double:
		return types.Double(0)
	case schema.Bool:
		return types.False
	case schema.List:
		return &listView{nil, t, o}
	case schema.Map:
		return &mapView{typ: t, owner: o}
	case schema.Object:
		return &view{nil, t, o}
	}
	return absent{}
}

// describeValue names a value's kind for messages; the value itself is not told.
func describeValue(v *cfn.Value) string {
	switch v.Kind {
	case cfn.String:
		return "a text"
	case cfn.Number:
		return "a number"
	case cfn.Bool:
		return "true or false"
	case cfn.List:
		return "a list"
	case cfn.Map:
		return "a mapping"
	}
	return "empty"
}

func describeType(t *schema.Type) string {
	switch t.Kind {
	case schema.String:
		return "a text"
	case schema.Integer:
		return "a whole number"
	case schema.Double:
		return "a number"
	case schema.Bool:
		return "true or false"
	case schema.List:
		return "a list"
	}
	return "a mapping"
}
