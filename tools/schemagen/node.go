package main

import (
	"bytes"
	"encoding/json"
	"slices"
)

// node is a JSON Schema, with what a resource provider schema adds at its top.
// Keywords that only narrow a value (lengths, patterns, dependencies) are not read.
type node struct {
	Ref               string          `json:"$ref"`
	Type              names           `json:"type"`
	Properties        map[string]node `json:"properties"`
	PatternProperties map[string]node `json:"patternProperties"`
	Additional        *additional     `json:"additionalProperties"`
	Required          []string        `json:"required"`
	Items             *node           `json:"items"`
	Enum              []json.RawMessage
	EnumFold          []json.RawMessage `json:"enumCaseInsensitive"`
	Default           json.RawMessage
	AllOf             []node `json:"allOf"`
	AnyOf             []node `json:"anyOf"`
	OneOf             []node `json:"oneOf"`

	TypeName              string                     `json:"typeName"`
	Definitions           map[string]node            `json:"definitions"`
	PrimaryIdentifier     []string                   `json:"primaryIdentifier"`
	CreateOnly            []string                   `json:"createOnlyProperties"`
	ConditionalCreateOnly []string                   `json:"conditionalCreateOnlyProperties"`
	ReadOnly              []string                   `json:"readOnlyProperties"`
	WriteOnly             []string                   `json:"writeOnlyProperties"`
	Deprecated            []string                   `json:"deprecatedProperties"`
	PropertyTransform     map[string]json.RawMessage `json:"propertyTransform"`
	Handlers              map[string]handler         `json:"handlers"`
	Tagging               *tagging                   `json:"tagging"`
}

type handler struct {
	Permissions []string `json:"permissions"`
}

type tagging struct {
	TagProperty string   `json:"tagProperty"`
	Permissions []string `json:"permissions"`
}

// names is one name or a list of names.
type names []string

func (n *names) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(n))
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*n = names{one}
	return nil
}

// additional is additionalProperties: a schema, or whether any are allowed.
type additional struct {
	allowed bool
	schema  *node // nil: anything
}

func (a *additional) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &a.allowed); err == nil {
		return nil
	}
	a.allowed, a.schema = true, new(node)
	return json.Unmarshal(b, a.schema)
}

// text is a JSON scalar as CloudFormation would write it, other JSON as it is.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return ""
	}
	return b.String()
}

// texts is the sorted texts of a list of scalars, nil where one is no scalar.
func texts(raws []json.RawMessage) []string {
	var out []string
	for _, raw := range raws {
		if len(raw) > 0 && (raw[0] == '{' || raw[0] == '[') || string(raw) == "null" {
			return nil
		}
		out = append(out, text(raw))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
