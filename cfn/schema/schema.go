// Package schema knows CloudFormation's resource types: their properties and
// types, and what the provider says of them. The data is AWS's own resource
// provider schemas (and SAM's), as the Python package cfn-lint distributes
// them, both MIT-0: tools/schemagen makes one compact embedded file of them,
// which decodes a type when it is first asked for. Nothing happens at program
// start. Everything here is safe for concurrent use and must not be changed.
package schema

import (
	"iter"
	"strings"
	"sync"

	"plumbline/internal/nearest"
)

// Kind of a property's type.
type Kind uint8

// The kinds of types.
const (
	Any     Kind = iota // anything: a JSON document, a policy document, or a union the schema leaves open
	String              //
	Integer             //
	Double              //
	Bool                //
	List                // Elem is the item type
	Map                 // Elem is the value type; keys are strings chosen by the user
	Object              // Properties
)

var kindNames = [...]string{"Any", "String", "Integer", "Double", "Bool", "List", "Map", "Object"}

// String is the kind's name.
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "Kind?"
	}
	return kindNames[k]
}

// Type is a property's type. Object types of one resource are shared pointers,
// so recursion is possible.
type Type struct {
	Kind       Kind
	Name       string     // Object: "AWS::S3::Bucket" for the resource itself, "AWS::S3::Bucket.VersioningConfiguration" for a definition; Find knows both
	Elem       *Type      // List, Map
	Properties []Property // Object, sorted by name
	Enum       []string   // String, Integer, Double: the allowed values as text, sorted; nil for any
	EnumFold   bool       // the values of Enum match whatever their case
	Default    string     // the schema's default as text, "" for none
}

// Property is one property of an Object.
type Property struct {
	Name     string
	Type     *Type
	Required bool // in every form that the schema allows
}

// Property returns the property with this name, nil if the type has none.
func (t *Type) Property(name string) *Property {
	lo, hi := 0, len(t.Properties)
	for lo < hi {
		mid := (lo + hi) / 2
		if t.Properties[mid].Name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(t.Properties) && t.Properties[lo].Name == name {
		return &t.Properties[lo]
	}
	return nil
}

// Nearest returns the name of the property that a misspelt one most likely
// means, "" where none is close.
func (t *Type) Nearest(property string) string {
	return nearest.In(property, func(yield func(string) bool) {
		for i := range t.Properties {
			if !yield(t.Properties[i].Name) {
				return
			}
		}
	})
}

// Resource is what the provider schema says of a resource type. Paths are
// written as in the schema without their "/properties/": "BucketName",
// "VpcConfig/SubnetIds", with "*" for any item of a list or value of a map.
type Resource struct {
	Type              *Type    // Kind Object; Name is the resource type
	TagProperty       string   // "Tags"; "" where the type cannot be tagged, or not as a list of Key and Value or a map
	TagsAsMap         bool     // tags are {key: value}, not a list of Key, Value
	Stateful          bool     // holds data that deleting or replacing it would lose, by cfn-lint's list
	PrimaryIdentifier []string // in the order that Cloud Control joins them with "|"
	CreateOnly        []string // a change replaces the resource
	// ConditionalCreateOnly is where a change may replace the resource, depending on the values.
	ConditionalCreateOnly []string
	ReadOnly              []string // attributes; a template cannot set them
	WriteOnly             []string // a read of the live resource does not return them
	Deprecated            []string
	Handlers              []string // create, read, update, delete, list: those there are, in this order
	Transforms            []Transform

	definitions []*Type // objects other than Type
	permissions string  // encoded; see Permissions
}

// Transform says that the service hands a property back in another form than a
// template may write it in: an expression of JSONata over the parent object,
// alternatives joined with $OR. Both forms are the same value.
type Transform struct {
	Path       string
	Expression string
}

// Lookup returns what is known of a resource type, nil where the type is
// unknown: custom resources, modules, hooks, private and misspelt types. The
// first call for a type decodes it, all calls return the same pointer.
func Lookup(typ string) *Resource { return embedded.lookup(typ) }

// Known reports whether Lookup knows the type, without decoding it.
func Known(typ string) bool {
	_, ok := embedded.find(typ)
	return ok
}

// Find returns the type of this Name: a resource's own or one of its
// definitions, nil where there is none.
func Find(name string) *Type {
	typ, definition, nested := strings.Cut(name, ".")
	r := Lookup(typ)
	switch {
	case r == nil:
		return nil
	case !nested:
		return r.Type
	}
	return r.Definition(definition)
}

// Definition returns the object type whose name is the resource type, a dot
// and this one ("VersioningConfiguration"), nil where the resource has none.
func (r *Resource) Definition(name string) *Type {
	skip := len(r.Type.Name) + len(".")
	for _, t := range r.definitions {
		if t.Name[skip:] == name {
			return t
		}
	}
	return nil
}

// Types yields the known resource types, sorted.
func Types() iter.Seq[string] { return embedded.types(false) }

// Taggable yields the resource types that have a TagProperty, sorted.
func Taggable() iter.Seq[string] { return embedded.types(true) }

// Nearest returns the known resource type that a misspelt one most likely
// means, "" where none is close. It compares with every type: for errors only.
func Nearest(typ string) string {
	if near, ok := nearestTypes.Load(typ); ok {
		return near.(string)
	}
	near := nearest.In(typ, Types())
	nearestTypes.Store(typ, near)
	return near
}

// nearestTypes remembers what Nearest found: many templates share a type that
// is newer than the schemas.
var nearestTypes sync.Map

// Source names what the data was made from, for provenance: "cfn-lint 1.58.0, schemas of 2026-10-20".
func Source() string { return embedded.source() }

// Permissions returns the IAM actions that a handler (create, read, update,
// delete, list) needs, or, for "tag", those that changing tags needs. Sorted;
// nil where there is no such handler. It decodes at each call.
func (r *Resource) Permissions(handler string) []string { return embedded.permissions(r, handler) }
