package ruleset

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"plumbline/cfn"
)

// drawBool makes a boolean expression over the template of TestSound.
func drawBool(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 22).Draw(t, "bool")
	if depth <= 0 && kind < 5 {
		kind += 5
	}
	text := func() string { return drawText(t, depth-1) }
	list := func() string { return drawList(t, depth-1) }
	word := func() string { return quoted(t) }
	switch kind {
	case 0:
		return "(" + drawBool(t, depth-1) + " && " + drawBool(t, depth-1) + ")"
	case 1:
		return "(" + drawBool(t, depth-1) + " || " + drawBool(t, depth-1) + ")"
	case 2:
		return "!" + drawBool(t, depth-1)
	case 3:
		return "(" + drawBool(t, depth-1) + " ? " + drawBool(t, depth-1) + " : " + drawBool(t, depth-1) + ")"
	case 4:
		return "(" + drawBool(t, depth-1) + " == " + drawBool(t, depth-1) + ")"
	case 5:
		return "(" + text() + " == " + text() + ")"
	case 6:
		return "(" + text() + " != " + text() + ")"
	case 7:
		return text() + ".startsWith(" + text() + ")"
	case 8:
		return text() + ".endsWith(" + text() + ")"
	case 9:
		return text() + ".contains(" + text() + ")"
	case 10:
		return "(" + text() + " in " + list() + ")"
	case 11:
		return text() + ".matches(" + rapid.SampledFrom([]string{"'^a'", "'b$'", "'^[ab]+$'", "'-x'", "'^.{3}$'", "'[*]'"}).Draw(t, "pattern") + ")"
	case 12:
		return fmt.Sprintf("(size(%s) %s %d)", text(), rapid.SampledFrom([]string{">", ">=", "<", "<=", "==", "!="}).Draw(t, "op"), rapid.IntRange(0, 4).Draw(t, "n"))
	case 13:
		return fmt.Sprintf("(size(%s) %s %d)", list(), rapid.SampledFrom([]string{">", ">=", "<", "<=", "==", "!="}).Draw(t, "op"), rapid.IntRange(0, 4).Draw(t, "n"))
	case 14:
		return list() + ".exists(x, x == " + text() + ")"
	case 15:
		return list() + ".all(x, x != " + text() + ")"
	case 16:
		return "(" + list() + " == " + list() + ")"
	case 17:
		return "glob(" + rapid.SampledFrom([]string{"'a*'", "'*-x'", "'?b*'", "'*'", "['a', 'b*']"}).Draw(t, "glob") + ", " + text() + ")"
	case 18:
		return "(" + word() + " in tags(resource))"
	case 19:
		return "(tags(resource)[" + word() + "] == " + text() + ")"
	case 20:
		return rapid.SampledFrom([]string{"sets.contains", "sets.intersects", "sets.equivalent"}).Draw(t, "set") + "(" + list() + ", " + list() + ")"
	case 21:
		return "statements(doc).exists(s, s." + rapid.SampledFrom([]string{"allows('s3:Get')", "denies('a')", "onResource('*')", "anyPrincipal()", "restricted()"}).Draw(t, "statement") + ")"
	}
	return "has(tags(resource)." + rapid.SampledFrom([]string{"a", "b", "ab"}).Draw(t, "key") + ")"
}

func quoted(t *rapid.T) string {
	return "'" + rapid.StringMatching(`[ab*-]{0,2}(-x)?`).Draw(t, "word") + "'"
}

func drawText(t *rapid.T, depth int) string {
	switch kind := rapid.IntRange(0, 7).Draw(t, "text"); {
	case kind == 0 && depth > 0:
		return "(" + drawText(t, depth-1) + " + " + drawText(t, depth-1) + ")"
	case kind == 1 && depth > 0:
		return drawText(t, depth-1) + ".lowerAscii()"
	case kind == 2 && depth > 0:
		return "(" + drawBool(t, depth-1) + " ? " + drawText(t, depth-1) + " : " + drawText(t, depth-1) + ")"
	case kind == 3:
		return "resource.BucketName"
	case kind == 4:
		return "resource.AccessControl"
	case kind == 5:
		return "resource.Tags[0].Value"
	}
	return quoted(t)
}

func drawList(t *rapid.T, depth int) string {
	switch kind := rapid.IntRange(0, 6).Draw(t, "list"); {
	case kind == 0 && depth > 0:
		return drawList(t, depth-1) + ".filter(x, x != " + drawText(t, depth-1) + ")"
	case kind == 1 && depth > 0:
		return drawList(t, depth-1) + ".map(x, x + " + drawText(t, depth-1) + ")"
	case kind == 2 && depth > 0:
		return "(" + drawList(t, depth-1) + " + " + drawList(t, depth-1) + ")"
	case kind == 3:
		return "resource.Tags.map(t, t.Value)"
	case kind == 4:
		return "[" + drawText(t, depth-1) + ", " + drawText(t, depth-1) + "]"
	case kind == 5:
		return "resource.Tags.filter(t, t.Key == " + drawText(t, depth-1) + ").map(t, t.Value)"
	}
	return "[" + quoted(t) + "]"
}

const soundTemplate = `
Parameters: {P: {Type: String}, Q: {Type: String}}
Resources:
  R:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${P}-x"
      AccessControl: !Ref P
      Tags: [{Key: a, Value: !Ref Q}, {Key: !Ref P, Value: b}, {Key: b, Value: !Sub "a${Q}"}]
      MetricsConfigurations: []
    Metadata:
      Doc:
        Statement:
          - {Effect: Allow, Action: !Sub "s3:${P}", Resource: [!Ref Q, "x*"], Principal: !Ref P}
          - {Effect: !Ref Q, Action: a, Resource: b, Condition: {StringEquals: {"aws:SourceAccount": !Ref P}}}
`

// TestSound: whatever a rule says while parameters are not known, it says with
// each value of theirs.
func TestSound(t *testing.T) {
	evaluate := func(params map[string]string, expression string) (string, error) {
		parsed, err := cfn.Parse("t.yaml", []byte(soundTemplate))
		if err != nil {
			return "", err
		}
		m := parsed.Worlds(cfn.Inputs{Parameters: params})
		rule := &Rule{ID: "x", Types: []string{"AWS::S3::Bucket"}, File: "x.yaml",
			Let: []Let{{"doc", Expression{Text: "self.Metadata.Doc", Line: 1, Column: 1}}}, Pass: Expression{Text: expression, Line: 1, Column: 1}}
		c, err := rule.compile("AWS::S3::Bucket")
		if err != nil {
			return "", err
		}
		s := &Set{policy: DefaultPolicy(), record: func() *view { return nil }}
		j := s.judgement(context.Background(), m)
		return string(j.once(c, 0, m[0].Resource("R"), nil, 0).verdict), nil
	}
	value := rapid.StringMatching(`[ab*]{1,2}|Allow|Deny|Get`)
	decided := 0
	rapid.Check(t, func(t *rapid.T) {
		expression := drawBool(t, 3)
		open, err := evaluate(nil, expression)
		if err != nil {
			t.Fatalf("%s: %v", expression, err)
		}
		if open == "error" || open == "unknown" {
			return
		}
		decided++
		for range 3 {
			params := map[string]string{"P": value.Draw(t, "P"), "Q": value.Draw(t, "Q")}
			given, err := evaluate(params, expression)
			if err != nil {
				t.Fatal(err)
			}
			if given != open && !strings.Contains(given, "error") {
				t.Fatalf("%s\nis %s while nothing is given, and %s with %v", expression, open, given, params)
			}
		}
	})
	if decided < 20 {
		t.Errorf("only %d expressions were decided", decided)
	}
}
