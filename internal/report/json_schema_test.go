package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/internal/report"
	"plumbline/scan"
)

func TestPublishedJSONSchema(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "report.schema.json")
	got := report.JSONSchema()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/report.schema.json is stale; run go generate ./internal/report (-want +got)\n%s", diff)
	}
}

func TestJSONReportMatchesItsSchema(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(report.JSONSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	full := sample()
	full.Show = nil
	full.Report.Provenance.Inputs = map[string]string{"Environment": "prod"}
	bare := &report.Document{Report: &scan.Report{}}
	for name, d := range map[string]*report.Document{"every status": full, "nothing": bare} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := report.Write(&out, "json", d); err != nil {
				t.Fatal(err)
			}
			var doc any
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			for _, p := range differences("$", schema, doc) {
				t.Error(p)
			}
		})
	}
	t.Run("a wrong report", func(t *testing.T) {
		doc := map[string]any{"schemaVersion": "0", "provenance": nil, "findings": []any{map[string]any{"status": "fine"}}, "more": 1.0}
		if got := differences("$", schema, doc); len(got) < 5 {
			t.Errorf("only these differ: %q", got)
		}
	})
}

// differences validates v by the keywords that JSONSchema uses. A property that
// the schema does not list is a difference here, where nothing may be missing from it.
func differences(at string, schema map[string]any, v any) []string {
	var out []string
	bad := func(format string, a ...any) { out = append(out, at+": "+fmt.Sprintf(format, a...)) }
	kind := map[bool]string{true: "null"}[v == nil]
	switch x := v.(type) {
	case string:
		kind = "string"
		if words, ok := schema["enum"].([]any); ok && !slices.Contains(words, any(x)) {
			bad("%q is none of %v", x, words)
		}
		if c, ok := schema["const"]; ok && c != any(x) {
			bad("%q is not %q", x, c)
		}
	case float64:
		kind = "integer"
	case []any:
		kind = "array"
		for i, item := range x {
			out = append(out, differences(fmt.Sprintf("%s[%d]", at, i), schema["items"].(map[string]any), item)...)
		}
	case map[string]any:
		kind = "object"
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := x[name.(string)]; !ok {
				bad("%s is not there", name)
			}
		}
		for name, inner := range x {
			s, ok := properties[name].(map[string]any)
			if !ok {
				s, ok = schema["additionalProperties"].(map[string]any)
			}
			if !ok {
				bad("%s is not in the schema", name)
				continue
			}
			if names, ok := schema["propertyNames"].(map[string]any); ok && !slices.Contains(names["enum"].([]any), any(name)) {
				bad("%s is none of %v", name, names["enum"])
			}
			out = append(out, differences(at+"."+name, s, inner)...)
		}
	}
	allowed, _ := schema["type"].([]any)
	if one, ok := schema["type"].(string); ok {
		allowed = []any{one}
	}
	if !slices.Contains(allowed, any(kind)) {
		bad("%s where %v is allowed", kind, allowed)
	}
	return out
}
