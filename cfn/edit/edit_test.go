package edit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/cfn/edit"
)

func path(p string) []string { return strings.Split(p, ".") }

func TestApply(t *testing.T) {
	const head = "Resources:\n  B:\n    Type: AWS::S3::Bucket\n"
	set := func(p string, v any) cfn.Op { return cfn.Op{Do: cfn.OpSet, Path: path(p), Value: v} }
	add := func(p string, v any) cfn.Op { return cfn.Op{Do: cfn.OpAdd, Path: path(p), Value: v} }
	remove := func(p string) cfn.Op { return cfn.Op{Do: cfn.OpRemove, Path: path(p)} }
	type m = map[string]any
	for _, row := range []struct {
		name, src string
		ops       []cfn.Op
		want      string // "" : as it was
	}{
		{"no properties", head, []cfn.Op{set("VersioningConfiguration.Status", "Enabled")},
			head + "    Properties:\n      VersioningConfiguration:\n        Status: Enabled\n"},
		{"no line break at the end", strings.TrimSuffix(head, "\n"), []cfn.Op{set("BucketName", "x")},
			head + "    Properties:\n      BucketName: x"},
		{"empty properties", head + "    Properties: # none yet\n  C:\n    Type: AWS::SNS::Topic\n", []cfn.Op{set("A", true)},
			head + "    Properties: # none yet\n      A: true\n  C:\n    Type: AWS::SNS::Topic\n"},
		{"a written null", head + "    Properties:\n      A: null # none\n      B: ~\n      C: NULL\n", []cfn.Op{set("A.D", "x"), set("B", "w"), add("C", "z")},
			head + "    Properties:\n      A: # none\n        D: x\n      B: w\n      C:\n        - z\n"},
		{"a scalar, comment kept", head + "    Properties:\n      A: old  # why\n      B: 1\n", []cfn.Op{set("A", "new")},
			head + "    Properties:\n      A: new  # why\n      B: 1\n"},
		{"a quoted scalar", head + "    Properties:\n      A: 'it''s: old'\n      B: 1\n", []cfn.Op{set("A", "yes")},
			head + "    Properties:\n      A: \"yes\"\n      B: 1\n"},
		{"a text of several lines", head + "    Properties:\n      A: |\n        # not a comment\n        x\n      B: 1\n", []cfn.Op{set("A", "y z")},
			head + "    Properties:\n      A: y z\n      B: 1\n"},
		{"after a text of several lines", head + "    Properties:\n      A: |\n        x\n        # not a comment\n\n# the end\nOutputs: {}\n", []cfn.Op{set("B", int64(3))},
			head + "    Properties:\n      A: |\n        x\n        # not a comment\n      B: 3\n\n# the end\nOutputs: {}\n"},
		{"a comment before the next resource", head + "    Properties:\n      A: 1\n\n  # the other\n  C:\n    Type: AWS::SNS::Topic\n", []cfn.Op{set("D", m{"E": []any{"f", m{"G": "h", "I": []any{}}}})},
			head + "    Properties:\n      A: 1\n      D:\n        E:\n          - f\n          - G: h\n            I: []\n\n  # the other\n  C:\n    Type: AWS::SNS::Topic\n"},
		{"flow", head + "    Properties: {A: 1, B: [x]}\n", []cfn.Op{set("C", "d e"), add("B", "z"), set("A", false)},
			head + "    Properties: {A: false, B: [x, z], C: d e}\n"},
		{"empty flow", head + "    Properties: {}\n", []cfn.Op{set("A", m{"B": "*"})},
			head + "    Properties: {A: {B: \"*\"}}\n"},
		{"add to a list", head + "    Properties:\n      Tags:\n        - Key: a\n          Value: b\n        # last\n      B: 1\n", []cfn.Op{add("Tags", m{"Key": "c", "Value": "d"})},
			head + "    Properties:\n      Tags:\n        - Key: a\n          Value: b\n        - Key: c\n          Value: d\n        # last\n      B: 1\n"},
		{"add to a list at its key's column", head + "    Properties:\n      Tags:\n      - a\n      B: 1\n", []cfn.Op{add("Tags", "b")},
			head + "    Properties:\n      Tags:\n      - a\n      - b\n      B: 1\n"},
		{"add to no list", head, []cfn.Op{add("Tags", m{"Key": "c", "Value": "d"})},
			head + "    Properties:\n      Tags:\n        - Key: c\n          Value: d\n"},
		{"add what is there", head + "    Properties:\n      L: [a]\n", []cfn.Op{add("L", "a")}, ""},
		{"remove", head + "    Properties:\n      A:\n        B: 1\n        C: 2\n      D: 3\n", []cfn.Op{remove("A.B"), remove("D")},
			head + "    Properties:\n      A:\n        C: 2\n"},
		{"remove the only one", head + "    Properties:\n      A:\n        B: 1\n", []cfn.Op{remove("A.B")},
			head + "    Properties:\n      A: {}\n"},
		{"remove an item", head + "    Properties:\n      L:\n        - a\n        - b # two\n        - c\n", []cfn.Op{remove("L.1")},
			head + "    Properties:\n      L:\n        - a\n        - c\n"},
		{"remove the first of an item", head + "    Properties:\n      L:\n        - A: 1\n          B: 2\n", []cfn.Op{remove("L.0.A")},
			head + "    Properties:\n      L:\n        - B: 2\n"},
		{"remove in flow", head + "    Properties: {L: [a, b, c], M: 1}\n", []cfn.Op{remove("L.2"), remove("L.0"), remove("M")},
			head + "    Properties: {L: [b]}\n"},
		{"remove what is not there", head, []cfn.Op{remove("A.B.C")}, ""},
		{"set in an item", head + "    Properties:\n      L:\n        - CidrIp: 0.0.0.0/0\n          FromPort: 22\n", []cfn.Op{set("L.0.CidrIp", "10.0.0.0/8"), set("L.0.Description", "ours")},
			head + "    Properties:\n      L:\n        - CidrIp: \"10.0.0.0/8\"\n          FromPort: 22\n          Description: ours\n"},
		{"a mapping for a scalar", head + "    Properties:\n      A: 1 # one\n      B: 2\n", []cfn.Op{set("A", m{"C": "d"})},
			head + "    Properties:\n      A: # one\n        C: d\n      B: 2\n"},
		{"a scalar for a mapping", head + "    Properties:\n      A: # here\n        C: d\n      B: 2\n", []cfn.Op{set("A", true)},
			head + "    Properties:\n      A: true\n      B: 2\n"},
		{"tags in use", head + "    Properties:\n      A: !Ref P\n      B: x\n", []cfn.Op{set("B", m{"Ref": "Q"}), set("C", m{"Fn::GetAtt": []any{"K", "Arn"}})},
			head + "    Properties:\n      A: !Ref P\n      B: !Ref Q\n      C:\n        Fn::GetAtt:\n          - K\n          - Arn\n"},
		{"Windows line breaks", strings.ReplaceAll(head+"    Properties:\n      A: 1\n", "\n", "\r\n"), []cfn.Op{set("B", m{"C": "d"})},
			strings.ReplaceAll(head+"    Properties:\n      A: 1\n      B:\n        C: d\n", "\n", "\r\n")},
		{"indent of four", "Resources:\n    B:\n        Type: AWS::S3::Bucket\n        Properties:\n            A: 1\n", []cfn.Op{set("B.C", "d")},
			"Resources:\n    B:\n        Type: AWS::S3::Bucket\n        Properties:\n            A: 1\n            B:\n                C: d\n"},
		{"JSON on lines", "{\n  \"Resources\": {\n    \"B\": {\n      \"Type\": \"AWS::S3::Bucket\"\n    }\n  }\n}\n", []cfn.Op{set("A.B", "c"), add("A.L", m{"K": true})},
			"{\n  \"Resources\": {\n    \"B\": {\n      \"Type\": \"AWS::S3::Bucket\",\n      \"Properties\": {\n        \"A\": {\n          \"B\": \"c\",\n          \"L\": [\n            {\n              \"K\": true\n            }\n          ]\n        }\n      }\n    }\n  }\n}\n"},
		{"JSON on one line", `{"Resources":{"B":{"Type":"AWS::S3::Bucket","Properties":{"L":[1,2]}}}}`, []cfn.Op{set("A", "<b>"), remove("L.1"), add("L", int64(7))},
			`{"Resources":{"B":{"Type":"AWS::S3::Bucket","Properties":{"L":[1,7],"A":"<b>"}}}}`},
		{"wide characters before it", head + "    Properties: {N: \"äöü€\", A: 1}\n", []cfn.Op{set("A", int64(2))},
			head + "    Properties: {N: \"äöü€\", A: 2}\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			template, err := cfn.Parse("t.yaml", []byte(row.src))
			if err != nil {
				t.Fatal(err)
			}
			got, err := edit.Apply(template, "B", row.ops)
			if err != nil {
				t.Fatal(err)
			}
			want := row.want
			if want == "" {
				want = row.src
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if string(template.Source) != row.src {
				t.Error("the template itself was changed")
			}
			again, err := cfn.Parse("t.yaml", got)
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range row.ops {
				if op.Do == cfn.OpRemove && op.Path[len(op.Path)-1] <= "9" {
					continue // an index is another item after a removal
				}
				twice, err := edit.Apply(again, "B", []cfn.Op{op})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(got), string(twice)); diff != "" {
					t.Errorf("made twice, %s of %v changes more\n%s", op.Do, op.Path, diff)
				}
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, row := range []struct{ name, src, op, place, says string }{
		{"a parameter", "Parameters:\n  P: {Type: String}\nResources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: !Ref P\n", "A", "t.yaml:7:10", "parameter P, declared in line 2"},
		{"a condition", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: !If [C, {X: 1}, {X: 2}]\n", "A.X", "t.yaml:5:10", "Fn::If"},
		{"an anchor", "X: &x {Y: 1}\nResources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: *x\n", "A.Y", "t.yaml:1:", "anchor"},
		{"what an alias uses", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: &x\n        Y: 1\n  C:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: *x\n", "A.Y", "t.yaml:", "anchor"},
		{"a merge", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      <<: {A: 1}\n", "A", "t.yaml:", ""},
		{"nothing of this name", "Resources:\n  C:\n    Type: AWS::S3::Bucket\n", "A", "t.yaml:1:1", "not written"},
		{"a list's field", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: [1]\n", "A.B", "t.yaml:", ""},
		{"no such item", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      A: [{}]\n", "A.3.B", "t.yaml:", "item 3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			template, err := cfn.Parse("t.yaml", []byte(row.src))
			if err != nil {
				t.Fatal(err)
			}
			got, err := edit.Apply(template, "B", []cfn.Op{{Do: cfn.OpSet, Path: path(row.op), Value: "v"}})
			var refused *edit.Error
			if !errors.As(err, &refused) {
				t.Fatalf("error %v, and the source\n%s", err, got)
			}
			if text := err.Error(); !strings.HasPrefix(text, row.place) || !strings.Contains(text, row.says) {
				t.Errorf("it says %q; want %q and %q", text, row.place, row.says)
			}
		})
	}
}

func TestAdd(t *testing.T) {
	template, err := cfn.Parse("t.yaml", []byte("Resources:\n  B:\n    Type: AWS::S3::Bucket\n\nOutputs: {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := edit.Add(template, "BPolicy", "AWS::S3::BucketPolicy", "", map[string]any{"Bucket": map[string]any{"Ref": "B"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "Resources:\n  B:\n    Type: AWS::S3::Bucket\n  BPolicy:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket:\n        Ref: B\n\nOutputs: {}\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := edit.Add(template, "B", "AWS::SNS::Topic", "", nil); err == nil {
		t.Error("a second resource of a name was taken")
	}
}

func TestDelete(t *testing.T) {
	const topic = "  T:\n    Type: AWS::SNS::Topic\n"
	for _, row := range []struct{ name, path, src, want string }{
		{"between others", "t.yaml", "Resources:\n  A:\n    Type: AWS::SQS::Queue\n" + topic + "  # the last\n  B:\n    Type: AWS::SQS::Queue\n", "Resources:\n  A:\n    Type: AWS::SQS::Queue\n  # the last\n  B:\n    Type: AWS::SQS::Queue\n"},
		{"the last", "t.yaml", "Resources:\n  A:\n    Type: AWS::SQS::Queue\n" + topic + "Outputs:\n  O: {Value: x}\n", "Resources:\n  A:\n    Type: AWS::SQS::Queue\nOutputs:\n  O: {Value: x}\n"},
		{"in braces", "t.yaml", "Resources: {T: {Type: AWS::SNS::Topic}, A: {Type: AWS::SQS::Queue}}\n", "Resources: {A: {Type: AWS::SQS::Queue}}\n"},
		{"JSON, the last", "t.json", "{\"Resources\": {\n  \"A\": {\"Type\": \"AWS::SQS::Queue\"},\n  \"T\": {\"Type\": \"AWS::SNS::Topic\"}\n}}", "{\"Resources\": {\n  \"A\": {\"Type\": \"AWS::SQS::Queue\"}\n}}"},
		{"a name that only begins alike", "t.yaml", "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: !Sub \"${TT}-x\"}\n  TT: {Type: AWS::SNS::Topic}\n" + topic, "Resources:\n  A:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: !Sub \"${TT}-x\"}\n  TT: {Type: AWS::SNS::Topic}\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			template, err := cfn.Parse(row.path, []byte(row.src))
			if err != nil {
				t.Fatal(err)
			}
			got, err := edit.Delete(template, "T")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for name, row := range map[string]struct{ rest, place, words string }{
		"the only one":                {"", "t.yaml:3:5", "the only resource"},
		"referred to by Ref":          {"  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref T}}\n", "t.yaml:4:", "T is referred to here"},
		"referred to by GetAtt":       {"  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt T.TopicName}}\n", "t.yaml:4:", "T is referred to here"},
		"referred to by a long form":  {"  A: {Type: AWS::SQS::Queue, Properties: {QueueName: {\"Fn::GetAtt\": [T, TopicName]}}}\n", "t.yaml:4:", "T is referred to here"},
		"referred to by Sub":          {"  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub \"x-${T.TopicName}\"}}\n", "t.yaml:4:", "T is referred to here"},
		"referred to by Sub's values": {"  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub [\"x-${v}\", {v: !Ref T}]}}\n", "t.yaml:4:", "T is referred to here"},
		"waited for":                  {"  A: {Type: AWS::SQS::Queue, DependsOn: [T]}\n", "t.yaml:4:", "T is referred to here"},
		"an output":                   {"  A: {Type: AWS::SQS::Queue}\nOutputs:\n  O: {Value: !Ref T}\n", "t.yaml:6:", "T is referred to here"},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := cfn.Parse("t.yaml", []byte("Resources:\n"+topic+row.rest))
			if err != nil {
				t.Fatal(err)
			}
			_, err = edit.Delete(template, "T")
			if e := (*edit.Error)(nil); !errors.As(err, &e) || !strings.HasPrefix(err.Error(), row.place) || !strings.Contains(err.Error(), row.words) {
				t.Errorf("got %v, want %s %s", err, row.place, row.words)
			}
		})
	}
}
