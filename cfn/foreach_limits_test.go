package cfn

import (
	"fmt"
	"strings"
	"testing"
)

// many is a template whose loops make n times 60 resources, then two volumes.
func many(n, size int) string {
	var b strings.Builder
	b.WriteString("Transform: AWS::LanguageExtensions\nResources:\n")
	for i := range n {
		fmt.Fprintf(&b, "  Fn::ForEach::L%d:\n    - X\n    - [", i)
		for k := range 60 {
			fmt.Fprintf(&b, "a%d, ", k)
		}
		fmt.Fprintf(&b, "z]\n    - D%d${X}:\n        Type: AWS::SSM::Document\n        Properties: {Content: {t: [%s]}}\n", i, strings.TrimSuffix(strings.Repeat("x, ", size), ", "))
	}
	b.WriteString("  Fn::ForEach::V:\n    - X\n    - [p, q]\n    - Z${X}:\n        Type: AWS::EC2::Volume\n        Properties: {Encrypted: false}\n")
	return b.String()
}

// TestLoopsAreMadeOrTold: what CloudFormation deploys is made whole, and what is
// left out is told.
func TestLoopsAreMadeOrTold(t *testing.T) {
	for _, row := range []struct {
		loops, size int
		whole       bool
	}{{8, 480, true}, {20, 10, true}, {40, 10, false}, {8, 6000, false}} {
		template, err := Parse("t.yaml", []byte(many(row.loops, row.size)))
		if err != nil {
			t.Fatal(err)
		}
		m := template.Worlds(Inputs{})[0]
		if got := m.Resource("Zq") != nil && len(m.Problems()) == 0; got != row.whole {
			t.Errorf("%d loops of %d values: whole %v, problems %v, %d resources", row.loops, row.size, got, m.Problems(), len(m.Resources))
		}
		if !row.whole && len(m.Problems()) == 0 {
			t.Errorf("%d loops of %d values: left out without a word", row.loops, row.size)
		}
	}
}

func TestLoopsThatCannotBeRead(t *testing.T) {
	for src, says := range map[string]string{
		"[X, [a]]":               "a list of three",
		"[[X], [a], {A: {}}]":    "identifier",
		"[X, [a], [b]]":          "a map of what is made",
		"[X, [[a], b], {A: {}}]": "a text is needed",
		"[X, [{a: b}], {A: {}}]": "a text is needed",
		"{X: [a]}":               "a list of three",
	} {
		template, err := Parse("t.yaml", []byte("Resources:\n  B: {Type: AWS::S3::Bucket}\n  Fn::ForEach::L: "+src+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if len(template.Problems) != 1 || !strings.Contains(template.Problems[0].Message, says) {
			t.Errorf("%s: %v", src, template.Problems)
		}
	}
}

// TestLoopOverCondition: which branch a collection takes is not known before the
// worlds are, so what it makes is not either.
func TestLoopOverCondition(t *testing.T) {
	template, err := Parse("t.yaml", []byte("Parameters: {S: {Type: String}}\nConditions: {C: !Equals [!Ref S, dev]}\nResources:\n  Fn::ForEach::L:\n    - X\n    - !If [C, [a], [b]]\n    - Z${X}: {Type: AWS::EC2::Volume, Properties: {AvailabilityZone: !Ref X}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := template.Worlds(Inputs{})[0]
	if len(m.Resources) != 1 || !m.Resources[0].Properties.Get("AvailabilityZone").IsKind(Unknown) {
		t.Fatalf("resources %+v", m.Resources)
	}
	if needs := m.Resources[0].Properties.Get("AvailabilityZone").Unknown.Needs; len(needs) != 1 || needs[0] != "condition C" {
		t.Errorf("needs %v", needs)
	}
}

func TestTransformsAmongResources(t *testing.T) {
	template, err := Parse("t.yaml", []byte("Resources:\n  V:\n    Type: AWS::EC2::Volume\n    Fn::Transform: {Name: M}\n    Properties: {Encrypted: true}\n  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/x}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p := template.Worlds(Inputs{})[0].Resource("V").Properties; !p.IsKind(Unknown) || p.Unknown.Needs[0] != "transform M" {
		t.Errorf("properties %+v", p)
	}
	if u := template.Unread(); len(u) != 1 || u[0].Need != "transform AWS::Include" || u[0].Pos.Line != 6 {
		t.Errorf("unread %+v", u)
	}
}
