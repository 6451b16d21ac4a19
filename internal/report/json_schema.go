package report

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"plumbline/finding"
)

//go:generate go test -run TestPublishedJSONSchema -update .

// schemaDialect is the dialect of docs/report.schema.json.
const schemaDialect = "https://json-schema.org/draft/2020-12/schema"

// Statuses are all values of a finding's status, in the order of help.
var Statuses = []string{string(finding.Fail), string(finding.Error), string(finding.Unknown), finding.StatusSuppressed, string(finding.Pass), string(finding.Skip)}

// JSONSchema is the JSON Schema of the JSON report, made from the types that
// are written. The text is the same at each call.
func JSONSchema() []byte {
	s := schemaOf(reflect.TypeFor[jsonReport](), "")
	s["$schema"] = schemaDialect
	s["title"] = "plumbline scan --format json"
	s["description"] = "The result of one scan. Fields may be added within a schemaVersion; readers leave out what they do not know."
	s["properties"].(map[string]any)["schemaVersion"].(map[string]any)["const"] = SchemaVersion
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(s) // maps, lists, texts and numbers always encode
	return b.Bytes()
}

// scopes are the words of ruleset.Scopes, which this package does not import.
var scopes = []string{"cde", "connected", "out"}

// enumerations are the sets of words that the tags enum and keys name.
func enumerations(name string) []string {
	var out []string
	switch name {
	case "status":
		return Statuses
	case "severity":
		for _, s := range finding.Severities {
			out = append(out, string(s))
		}
	case "scope":
		return scopes
	case "domain":
		for _, d := range finding.Domains {
			out = append(out, string(d))
		}
	}
	return out
}

// schemaOf is the schema of a type; enum names the words that its texts are limited to.
func schemaOf(t reflect.Type, enum string) map[string]any {
	if t == reflect.TypeFor[time.Time]() {
		return map[string]any{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), enum)
	case reflect.String:
		s := map[string]any{"type": "string"}
		if words := enumerations(enum); words != nil {
			s["enum"] = words
		}
		return s
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), enum)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), enum)}
	}
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		s := schemaOf(f.Type, f.Tag.Get("enum"))
		if words := enumerations(f.Tag.Get("keys")); words != nil {
			s["propertyNames"] = map[string]any{"enum": words}
		}
		if f.Type.Kind() == reflect.Pointer && option == "" {
			s["type"] = []string{s["type"].(string), "null"}
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			s["description"] = doc
		}
		properties[name] = s
		if option == "" {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}
