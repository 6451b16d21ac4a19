package stack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"plumbline/cfn/schema"
)

// deployedFile lists what the versions before have deployed and an update must
// not replace. `go test ./stack -run TestUpgrade -update` writes it anew, and a change in it is one of those that
// TestUpgrade is there to stop: it needs a reason, and a way for the data.
const deployedFile = "testdata/deployed.json"

// deployed is a resource as far as an update depends on it.
type deployed struct {
	Type string `json:"type"`
	// Kept: the resource outlives its stack, and holds something.
	Kept bool `json:"kept,omitempty"`
	// Set are the properties that cannot be changed without replacing it.
	Set map[string]any `json:"set,omitempty"`
	// Indexes are those of a table: DynamoDB makes or deletes one at a time.
	Indexes []string `json:"indexes,omitempty"`
}

// deployedBy says what of a template an update must not replace: what is kept,
// and what has a name of its own, of which CloudFormation cannot make a second one
// before it deletes the first.
func deployedBy(s template) map[string]deployed {
	out := map[string]deployed{}
	for id, r := range s.Resources {
		kept := r.DeletionPolicy == "Retain"
		typ := schema.Lookup(r.Type)
		if typ == nil {
			continue
		}
		d, named := deployed{Type: r.Type, Kept: kept, Set: map[string]any{}}, false
		for _, path := range typ.CreateOnly {
			name, _, nested := strings.Cut(path, "/")
			v := r.Properties[name]
			if v == nil || nested {
				continue
			}
			d.Set[name] = v
			named = named || strings.HasSuffix(name, "Name") && at(v, "Ref") == nil && at(v, "Fn::GetAtt") == nil
		}
		if r.Type == "AWS::DynamoDB::Table" { // the schema says that its key may be changed, which replaces it
			d.Set["KeySchema"] = r.Properties["KeySchema"]
		}
		for _, index := range items(r.Properties["GlobalSecondaryIndexes"]) {
			d.Indexes = append(d.Indexes, at(index, "IndexName").(string))
		}
		slices.Sort(d.Indexes)
		if kept || named {
			out[id] = d
		}
	}
	return out
}

// breaks says what an update from one list to another would lose or fail at.
func breaks(before, after map[string]deployed) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(before)) {
		b, a := before[id], after[id]
		switch {
		case a.Type == "" && b.Kept:
			out = append(out, id+" is not there any more: what it holds would be left behind")
			continue
		case a.Type == "":
			out = append(out, id+" is not there any more: executions that still run would call it, and another resource with its name could not be made")
			continue
		case a.Type != b.Type:
			out = append(out, fmt.Sprintf("%s is a %s and was a %s", id, a.Type, b.Type))
			continue
		case b.Kept && !a.Kept:
			out = append(out, id+" would be deleted with its stack")
		}
		names := maps.Clone(b.Set)
		maps.Copy(names, a.Set)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if text(a.Set[name]) != text(b.Set[name]) {
				out = append(out, fmt.Sprintf("%s would be replaced: %s is %s and was %s", id, name, text(a.Set[name]), text(b.Set[name])))
			}
		}
		changed := 0
		for _, index := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Indexes, b.Indexes)))) {
			if slices.Contains(a.Indexes, index) != slices.Contains(b.Indexes, index) {
				changed++
			}
		}
		if changed > 1 {
			out = append(out, fmt.Sprintf("%s: %d indexes change, and DynamoDB takes one an update", id, changed))
		}
	}
	return out
}

// TestUpgrade holds this version to what the last ones have deployed.
func TestUpgrade(t *testing.T) {
	now := map[string]map[string]deployed{}
	for name, s := range everything() {
		now[name] = deployedBy(s)
	}
	if *update {
		writeDeployed(t, now)
	}
	src, err := os.ReadFile(deployedFile)
	if err != nil {
		t.Fatal(err)
	}
	var before map[string]map[string]deployed
	if err := json.Unmarshal(src, &before); err != nil {
		t.Fatal(err)
	}
	listed := 0
	for name, list := range before {
		listed += len(list)
		for _, problem := range breaks(list, now[name]) {
			t.Errorf("%s: %s", name, problem)
		}
		for id, d := range now[name] {
			if _, ok := list[id]; !ok && d.Kept {
				t.Errorf("%s: %s is kept and not yet in %s. run this test with -update", name, id, deployedFile)
			}
		}
	}
	if listed < 60 {
		t.Errorf("%d resources are listed only", listed)
	}
}

// writeDeployed writes one resource a line, so that a change is one line.
func writeDeployed(t *testing.T, stacks map[string]map[string]deployed) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("{")
	for i, name := range slices.Sorted(maps.Keys(stacks)) {
		fmt.Fprintf(&b, "%s\n  %q: {", map[bool]string{true: ","}[i > 0], name)
		for j, id := range slices.Sorted(maps.Keys(stacks[name])) {
			fmt.Fprintf(&b, "%s\n    %q: %s", map[bool]string{true: ","}[j > 0], id, text(stacks[name][id]))
		}
		b.WriteString("\n  }")
	}
	b.WriteString("\n}\n")
	if err := os.WriteFile(deployedFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBreaks: each way to lose something is seen, and what is harmless is not.
func TestBreaks(t *testing.T) {
	table := func() deployed {
		return deployed{Type: "AWS::DynamoDB::Table", Kept: true, Indexes: []string{"a"}, Set: map[string]any{"KeySchema": []any{map[string]any{"AttributeName": "id"}}}}
	}
	before := map[string]deployed{"Table": table(), "Function": {Type: "AWS::Lambda::Function", Set: map[string]any{"FunctionName": "PlumblineNotify"}}}
	for _, tc := range []struct {
		name   string
		change func(after map[string]deployed)
		want   string // "": nothing breaks
	}{
		{"nothing", func(map[string]deployed) {}, ""},
		{"one more table", func(m map[string]deployed) { m["Other"] = table() }, ""},
		{"one more index", func(m map[string]deployed) { d := table(); d.Indexes = []string{"a", "b"}; m["Table"] = d }, ""},
		{"an index for another", func(m map[string]deployed) { d := table(); d.Indexes = []string{"b"}; m["Table"] = d }, "2 indexes change"},
		{"another key", func(m map[string]deployed) {
			d := table()
			d.Set = map[string]any{"KeySchema": "other"}
			m["Table"] = d
		}, "would be replaced: KeySchema"},
		{"a name", func(m map[string]deployed) { d := table(); d.Set["TableName"] = "mine"; m["Table"] = d }, "would be replaced: TableName"},
		{"not kept", func(m map[string]deployed) { d := table(); d.Kept = false; m["Table"] = d }, "would be deleted with its stack"},
		{"another id", func(m map[string]deployed) { m["Table2"] = m["Table"]; delete(m, "Table") }, "would be left behind"},
		{"another type", func(m map[string]deployed) { d := table(); d.Type = "AWS::DynamoDB::GlobalTable"; m["Table"] = d }, "was a AWS::DynamoDB::Table"},
		{"a function less", func(m map[string]deployed) { delete(m, "Function") }, "executions that still run"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			after := maps.Clone(before)
			tc.change(after)
			got := strings.Join(breaks(before, after), "; ")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestWhatStays: the page that `make destroy` prints from names every kind of
// resource that outlives the stacks.
func TestWhatStays(t *testing.T) {
	page, err := os.ReadFile("../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What stays\n")
	section, _, _ = strings.Cut(section, "\n## ")
	words := map[string]string{
		"AWS::DynamoDB::Table": "tables", "AWS::S3::Bucket": "buckets", "AWS::KMS::Key": "key", "AWS::Logs::LogGroup": "logs",
	}
	for name, s := range everything() {
		for id, r := range s.Resources {
			if r.DeletionPolicy != "Retain" {
				continue
			}
			if word := words[r.Type]; word == "" || !strings.Contains(section, word) {
				t.Errorf("%s: %s, a %s, outlives its stack, and docs/deploy.md does not say so", name, id, r.Type)
			}
		}
	}
}
