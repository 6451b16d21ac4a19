// Package schema knows CloudFormation's resource types: their properties and
// types, and what the provider says of them. The data is generated from AWS's
// own resource provider schemas into one compact embedded file, which decodes
// a type when it is first asked for. Safe for concurrent use.
package schema

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

// Type is a property's type. Object types of one resource are shared pointers, so recursion is possible.
type Type struct {
	Kind       Kind
	Name       string     // Object: "AWS::S3::Bucket" for the resource itself, "AWS::S3::Bucket.VersioningConfiguration" for a definition
	Elem       *Type      // List, Map
	Properties []Property // Object, sorted by name
	Enum       []string   // String: the allowed values, nil for any
	Default    string     // the schema's default as text, "" for none
}

// Property is one property of an Object.
type Property struct {
	Name     string
	Type     *Type
	Required bool
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

// Resource is what the provider schema says of a resource type.
type Resource struct {
	Type              *Type    // Kind Object; Name is the resource type
	TagProperty       string   // "Tags"; "" where the type cannot be tagged
	TagsAsMap         bool     // tags are {key: value}, not a list of Key, Value
	PrimaryIdentifier []string // property paths, "/properties/BucketName" without the prefix: "BucketName"
	CreateOnly        []string // a change replaces the resource
	ReadOnly          []string
	WriteOnly         []string
	Handlers          []string // create, read, update, delete, list
}
