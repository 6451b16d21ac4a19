// Package cfn reads CloudFormation templates as CloudFormation does, with the
// place of every value, and resolves them into models: the resources that a
// deployment would make, in each world that parameters and conditions allow.
package cfn

import "strconv"

// Pos is a place in a source file, 1-based. The zero Pos means live or made up.
type Pos struct{ Line, Column int }

// IsZero reports whether there is no place.
func (p Pos) IsZero() bool { return p.Line == 0 }

// Kind says what a Value holds.
type Kind uint8

// The kinds. A missing value is a nil *Value; it has kind Absent.
const (
	Absent Kind = iota
	Null
	String
	Number
	Bool
	List
	Map
	Unknown // known only after deployment or with more input; see Value.Unknown
)

// Value is one value of a template: the source tree (where an intrinsic
// function is a Map with one key such as "Fn::Sub" or "Ref", whatever form it
// was written in), or the tree after resolution (where no intrinsic is left,
// and what cannot be known is Unknown). A Value is immutable once its template
// is parsed; resolution shares every subtree that holds no intrinsic.
// All methods accept a nil receiver, which reads as Absent.
type Value struct {
	Kind    Kind
	dynamic bool // an intrinsic function or dynamic reference is in this subtree
	Pos     Pos
	Text    string     // String: the text; Number: as written, so 1.10 stays "1.10"; Bool: "true" or "false"
	Items   []*Value   // List; nil items do not occur
	Fields  []Field    // Map, in source order, keys unique
	Unknown *Unknowing // Unknown only, never nil there
	Origin  *Origin    // nil: written in place; else where a resolved value came from
}

// Field is one entry of a Map.
type Field struct {
	Key   string
	Pos   Pos // of the key
	Value *Value
}

// Unknowing says what is known of a value that is not.
type Unknowing struct {
	// Needs says what would settle the value, in words a person can act on:
	// "parameter KmsKey", "import NetworkStack-VpcId", "attribute Queue.Arn",
	// "dynamic reference ssm:/app/key", "transform MyMacro".
	Needs []string
	// Shape, where not nil, says the value is a string made of these pieces in
	// this order; literal pieces are exact, others any text.
	Shape []Piece
	// Ref is set where the value is a reference to a resource of this template:
	// `!Ref Bucket`, `!GetAtt Bucket.Arn`, or a Sub of exactly one of these.
	Ref *Reference
	// Secret is set for a dynamic reference and for a NoEcho parameter without a
	// value: the text is kept elsewhere, so it is not written in the template.
	Secret bool

	filled bool     // a list with at least one item
	unlike []string // texts that it is not
}

// Piece is a part of a partly known string: a literal, or a gap that is any
// text (NonEmpty: at least one character, as with a resource's Ref or ARN).
type Piece struct {
	Literal  string
	Gap      bool
	NonEmpty bool
	Ref      *Reference // the gap stands for this reference; may be nil
}

// Reference points at a resource of the same template.
type Reference struct {
	LogicalID string
	Attribute string // "" for Ref, else GetAtt's attribute
}

// Origin says where a resolved value came from.
type Origin struct {
	Pos       Pos    // of the intrinsic, condition or reference that produced the value
	Function  string // "Ref", "Fn::If", "Fn::FindInMap", …
	Parameter string // Ref of a parameter: its name
	NoEcho    bool   // that parameter is NoEcho
	Default   bool   // the value is the parameter's default, not one that was given
	Source    Pos    // where the text stands: the parameter's default, the mapping's entry; zero: nowhere in the template
	// Plain is what Fn::Base64 was given, in its resolved form: the text as a
	// person wrote it, also where parts of it are unknown. Nil for any other function.
	Plain *Value
}

// Get returns the value of a Map's key, nil where v is not a Map or has no such key.
func (v *Value) Get(key string) *Value {
	if v == nil || v.Kind != Map {
		return nil
	}
	for i := range v.Fields {
		if v.Fields[i].Key == key {
			return v.Fields[i].Value
		}
	}
	return nil
}

// Lookup follows a path of map keys and list indexes ("0"), nil where it ends early.
func (v *Value) Lookup(path ...string) *Value {
	for _, p := range path {
		if v == nil {
			return nil
		}
		if v.Kind == List {
			i, err := strconv.Atoi(p)
			if err != nil || i < 0 || i >= len(v.Items) {
				return nil
			}
			v = v.Items[i]
			continue
		}
		v = v.Get(p)
	}
	return v
}

// IsKind reports whether v is of kind k; a nil v is Absent.
func (v *Value) IsKind(k Kind) bool {
	if v == nil {
		return k == Absent
	}
	return v.Kind == k
}
