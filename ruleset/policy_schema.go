package ruleset

import (
	"bytes"
	"encoding/json"
	"reflect"

	"plumbline/finding"
)

// schemaURL names the dialect that editors know best.
const schemaURL = "http://json-schema.org/draft-07/schema#"

// PolicySchema is the JSON Schema of the policy file, made from Policy's
// struct tags and DefaultPolicy, for editors that complete and check YAML. It
// says less than ReadPolicy checks. The text is the same at each call.
func PolicySchema() []byte {
	s := schemaOf(reflect.TypeFor[Policy](), reflect.ValueOf(*DefaultPolicy()))
	s["$schema"] = schemaURL
	s["title"] = PolicyFile
	s["description"] = "What an organisation asks of its templates beyond plumbline's rules, and what it has decided not to count."
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(s) // maps, lists, texts and numbers always encode
	return b.Bytes()
}

// jsonObject is a JSON object; its keys are written in order of their names.
type jsonObject = map[string]any

// schemaOf is the schema of a struct whose defaults are in value.
func schemaOf(t reflect.Type, value reflect.Value) jsonObject {
	properties, required := jsonObject{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		var v reflect.Value
		if value.IsValid() {
			v = value.Field(i)
		}
		s := fieldSchema(f.Type, v, f.Tag.Get("check"))
		s["description"] = f.Tag.Get("doc")
		properties[name] = s
		if f.Tag.Get("need") == "true" {
			required = append(required, name)
		}
	}
	s := jsonObject{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func fieldSchema(t reflect.Type, value reflect.Value, check string) jsonObject {
	switch t {
	case reflect.TypeFor[RuleSettings]():
		setting := schemaOf(reflect.TypeFor[RuleSetting](), reflect.Value{})
		setting["minProperties"] = 1
		return jsonObject{"type": "object", "additionalProperties": setting}
	case reflect.TypeFor[Values]():
		return jsonObject{"type": "object", "additionalProperties": jsonObject{"anyOf": []any{
			jsonObject{"type": "string"},
			jsonObject{"type": "object", "additionalProperties": jsonObject{"type": "string"}, "description": "by region; default for the others"},
		}}}
	}
	s := jsonObject{}
	switch t.Kind() {
	case reflect.Struct:
		return schemaOf(t, value)
	case reflect.Slice:
		item := fieldSchema(t.Elem(), reflect.Value{}, check)
		s = jsonObject{"type": "array", "items": item}
		if t.Elem().Kind() == reflect.String { // one text stands for a list of one
			s = jsonObject{"anyOf": []any{jsonObject{"type": "array", "items": item}, item}}
		}
	case reflect.String:
		s = textSchema(check)
	case reflect.Int:
		s = jsonObject{"type": "integer"}
		for _, c := range numberChecks {
			if c.name == check {
				s["minimum"], s["maximum"] = c.from, c.to
			}
		}
	}
	if value.IsValid() && !value.IsZero() {
		s["default"] = value.Interface()
	}
	return s
}

// textSchema is the part of a check that JSON Schema can say. Numbers are
// texts too where YAML reads them as such, as with account ids.
func textSchema(check string) jsonObject {
	switch check {
	case "severity":
		return jsonObject{"enum": finding.Severities}
	case "scope":
		return jsonObject{"enum": Scopes}
	case "mode":
		return jsonObject{"enum": Modes}
	case "date":
		return jsonObject{"type": "string", "format": "date"}
	case "regexp":
		return jsonObject{"type": "string", "format": "regex"}
	case "account":
		return jsonObject{"type": []string{"string", "integer"}, "pattern": `^[0-9]{12}$`}
	}
	for i := range textChecks {
		if pattern := textChecks[i].jsonPattern; textChecks[i].name == check && pattern != "" {
			return jsonObject{"type": "string", "pattern": pattern}
		}
	}
	return jsonObject{"type": "string"}
}
