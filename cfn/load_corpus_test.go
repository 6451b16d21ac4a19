package cfn

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// checkParsed holds what Parse returns to its promises: an error is a *Problem
// with a place in the source, and every place in a template lies in its source.
func checkParsed(t *testing.T, got *Template, err error) {
	t.Helper()
	if err != nil {
		var p *Problem
		if !errors.As(err, &p) || p.Pos.Line < 1 || p.Pos.Column < 1 || p.Message == "" {
			t.Fatalf("error without a place or message: %v", err)
		}
		return
	}
	l := &loader{src: got.Source, format: got.Format}
	inside := func(what string, at Pos) {
		starts := l.lineStarts()
		if at.Line < 1 || at.Column < 1 || at.Line > len(starts) || at.Column > 1+utf8.RuneCountInString(l.lineText(at.Line)) {
			t.Fatalf("%s at %d:%d, outside of the source of %d lines", what, at.Line, at.Column, len(starts))
		}
	}
	for _, p := range got.Problems {
		inside("problem "+p.Message, p.Pos)
	}
	seen := map[*Value]bool{}
	var walk func(v *Value) bool // whether it is dynamic
	walk = func(v *Value) bool {
		if v == nil || v.Kind == Absent || v.Kind == Unknown {
			t.Fatal("a value that is absent or unknown in a source tree")
		}
		if seen[v] {
			return v.dynamic
		}
		seen[v] = true
		inside("value", v.Pos)
		dynamic := v.Kind == String && strings.Contains(v.Text, dynamicReference)
		keys := map[string]bool{}
		for _, f := range v.Fields {
			inside("key "+f.Key, f.Pos)
			if keys[f.Key] {
				t.Fatalf("key %q twice in one map", f.Key)
			}
			keys[f.Key] = true
			dynamic = walk(f.Value) || isFunction(f.Key, len(v.Fields), f.Value) || dynamic
		}
		for _, item := range v.Items {
			dynamic = walk(item) || dynamic
		}
		if dynamic != v.dynamic {
			t.Fatalf("%s at %d:%d: dynamic is %v", notation(v), v.Pos.Line, v.Pos.Column, v.dynamic)
		}
		return dynamic
	}
	walk(got.Root)
	for _, r := range got.Resources {
		if r.Body == nil || r.ForEach == nil && r.Type == "" {
			t.Fatalf("resource %q without a body or type", r.LogicalID)
		}
	}
}

func TestParseMalformedCorpus(t *testing.T) {
	yamls, jsons := corpusFiles(t, "malformed")
	n := 0
	for _, files := range []map[string][]byte{yamls, jsons} {
		for path, src := range files {
			n++
			start := time.Now()
			got, err := Parse(path, src)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s took %s", path, took)
			}
			checkParsed(t, got, err)
		}
	}
	if n < 100 {
		t.Errorf("%d files in the corpus", n)
	}
}

// Real templates are read whole: no error, and no problem but where JSON is not quite JSON.
func TestParseRealCorpus(t *testing.T) {
	yamls, jsons := corpusFiles(t, "realworld-dev")
	for _, files := range []map[string][]byte{yamls, jsons} {
		for path, src := range files {
			got, err := Parse(path, src)
			checkParsed(t, got, err)
			if err != nil {
				t.Errorf("%v", err)
				continue
			}
			if len(got.Resources) == 0 {
				t.Errorf("%s: no resources", filepath.Base(path))
			}
			for _, p := range got.Problems {
				if !strings.Contains(p.Message, "other tools will not") {
					t.Errorf("%v", p)
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"Resources:\n  A: &x\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: !Sub 'a${B}'}\n  B: *x\n  C: {<<: *x}\n",
		`{"Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "B\u00e9"}}}}}`,
		"Resources:\n  Fn::ForEach::L: [X, [a], {'Q${X}': {Type: AWS::SQS::Queue}}]\n",
		"a: &a [x]\nb: &b [*a, *a]\nResources: *b\n", "Resources: &r\n  A: *r\n", "a: 1\n---\nb: 2\n", "{a: [1,}\n", "a: !!binary x\n? [b]\n: !Nope &z {c: d}\n",
		"\xff\xfea\x00:\x00", "a: |\n  b\n\tc\n", "%TAG ! x:\n---\n!a b\n", "a: \"\\q\"\n", "{\"a\": 1,}", "é: [ü, &y !GetAtt ö.ä]\r\nb: *y\u2028c: !If\n- d\n",
		"a: 'b'\t# c\nd: |\n  e\tf\n\"g\th\": &i !Sub 'j''\t'\n", "a: '\n", "- &a !Sub\n- !GetAtt\n  b.c\n", "!Ref a: 1\n", "\"a\n b\": c\n",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, src string, named bool) {
		path := "t.json"
		if named {
			path = "t.yaml"
		}
		got, err := Parse(path, []byte(src))
		checkParsed(t, got, err)
		if ok, reason := Sniff(path, []byte(src)); !ok && reason == "" {
			t.Fatal("left out without a reason")
		}
		_, _ = ReadParams(path, []byte(src))
	})
}
