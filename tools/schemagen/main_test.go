package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wheel writes a wheel of these files and returns its path.
func wheel(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "w.whl")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func sample() map[string]string {
	return map[string]string{
		"cfn_lint-9.9.9.dist-info/METADATA":                   "",
		"cfnlint/data/AdditionalSpecs/StatefulResources.json": `{"ResourceTypes": {"AWS::A::B": {}}}`,
		schemasFolder + "version.json":                        `{"schema_date": "2026-01-02T03:04:05Z"}`,
		schemasFolder + "providers/us-east-1.json":            `{"AWS::A::B": "one", "AWS::CloudFormation::CustomResource": "none", "Module": "none"}`,
		schemasFolder + "providers/eu-west-1.json":            `{"AWS::A::B": "two", "AWS::A::C": "three"}`,
		schemasFolder + "resources/one.json":                  `{"typeName": "AWS::A::B", "properties": {"OfOne": {"type": "string"}}, "handlers": {"read": {"permissions": ["a:Get"]}}}`,
		schemasFolder + "resources/two.json":                  `{"typeName": "AWS::A::B", "properties": {"OfTwo": {"type": "string"}}}`,
		schemasFolder + "resources/three.json":                `{"typeName": "AWS::A::C", "properties": {"OfThree": {"type": "string"}}}`,
	}
}

func TestRun(t *testing.T) {
	var before []byte
	for range 3 {
		out := filepath.Join(t.TempDir(), "schemas.bin")
		if err := run(wheel(t, sample()), out, io.Discard); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && !bytes.Equal(before, got) {
			t.Fatal("the same wheel gives other bytes")
		}
		before = got
	}
	for _, want := range []string{magic, "cfn-lint 9.9.9, schemas of 2026-01-02", "AWS::A::B", "AWS::A::C", "OfOne", "OfThree", "a:Get"} {
		if !bytes.Contains(before, []byte(want)) {
			t.Errorf("%q is not there", want)
		}
	}
	for _, not := range []string{"OfTwo", "CustomResource", "Module"} {
		if bytes.Contains(before, []byte(not)) {
			t.Errorf("%q is there", not)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	cases := []struct {
		name, file, content, want string
	}{
		{"an old layout", "providers/us-east-1.json", "", "no cfnlint/data/schemas/providers/us-east-1.json"},
		{"broken JSON", "resources/one.json", "{", `decode "cfnlint/data/schemas/resources/one.json"`},
		{"a schema of another type", "resources/one.json", `{"typeName": "AWS::A::Z"}`, `schema of AWS::A::B calls itself "AWS::A::Z"`},
		{"a broken reference", "resources/one.json", `{"typeName": "AWS::A::B", "properties": {"P": {"$ref": "#/definitions/D"}}}`, `read schema of AWS::A::B: property P: no "#/definitions/D"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := sample()
			files[schemasFolder+c.file] = c.content
			if c.content == "" {
				delete(files, schemasFolder+c.file)
			}
			err := run(wheel(t, files), filepath.Join(t.TempDir(), "out"), io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if err := run(filepath.Join(t.TempDir(), "none.whl"), "", io.Discard); err == nil {
		t.Error("a wheel that is not there is read")
	}
}
