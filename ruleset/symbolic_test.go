package ruleset

import (
	"regexp"
	"strings"
	"testing"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"pgregory.net/rapid"
)

// drawSymbolic makes a symbolic text and one plain text that it allows.
func drawSymbolic(t *rapid.T, name string) (*symbolic, string) {
	var s symbolic
	var plain strings.Builder
	letters := rapid.StringMatching(`[ab/:*]{0,3}`)
	for range rapid.IntRange(1, 4).Draw(t, name+" pieces") {
		switch rapid.IntRange(0, 3).Draw(t, name+" kind") {
		case 0:
			text := rapid.StringMatching(`[ab/:*]{1,3}`).Draw(t, name+" literal")
			s.pieces = appendLiteral(s.pieces, text)
			plain.WriteString(text)
		case 1:
			s.pieces = append(s.pieces, piece{gap: true})
			plain.WriteString(letters.Draw(t, name+" gap"))
		case 2:
			s.pieces = append(s.pieces, piece{gap: true, some: true})
			plain.WriteString(rapid.StringMatching(`[ab/:*]{1,3}`).Draw(t, name+" some"))
		case 3:
			s.pieces = append(s.pieces, piece{gap: true, some: true, ident: true})
			plain.WriteString(rapid.StringMatching(`[ab/:]{1,3}`).Draw(t, name+" ident"))
		}
	}
	s.needs = []string{"x"}
	return &s, plain.String()
}

// TestSymbolicSound: whatever an operation on a symbolic text decides, each
// plain text that it stands for gives the same.
func TestSymbolicSound(t *testing.T) {
	part := rapid.StringMatching(`[ab/:*]{0,4}`)
	patterns := []string{`^a`, `b$`, `^a.*b$`, `a+b`, `\*`, `^[^*]*$`, `^$`, `(a|b)/`, `\ba`, `^.{3}$`, `a?`, `(?m)^b`, `^a\b`, `:$`}
	rapid.Check(t, func(t *rapid.T) {
		s, plain := drawSymbolic(t, "s")
		other := part.Draw(t, "other")
		pattern := rapid.SampledFrom(patterns).Draw(t, "pattern")
		re := regexp.MustCompile(pattern)
		for _, x := range []struct {
			name string
			got  tri
			want bool
		}{
			{"equals", s.equals(other), plain == other},
			{"equals itself", s.equals(plain), true},
			{"startsWith", s.startsWith(other), strings.HasPrefix(plain, other)},
			{"endsWith", s.endsWith(other), strings.HasSuffix(plain, other)},
			{"contains", s.contains(other), strings.Contains(plain, other)},
			{"within", s.within(other, true, true), strings.Contains(other, plain)},
			{"prefix of", s.within(other, false, true), strings.HasPrefix(other, plain)},
			{"suffix of", s.within(other, true, false), strings.HasSuffix(other, plain)},
			{"matches " + pattern, s.matches(re), re.MatchString(plain)},
			{"as pattern", s.asPattern(other), Glob(plain, other)},
			{"glob", boolTri(globMatch(types.String(other), s)), Glob(other, plain)},
			{"lower", s.mapped(strings.ToUpper).(*symbolic).equals(strings.ToUpper(other)), strings.EqualFold(plain, other)},
			{"minimum", triOf(len(plain) >= s.minimum()), true},
		} {
			if x.got != maybe && (x.got == yes) != x.want {
				t.Errorf("%s of %v with %q: decided %v, but %q gives %v", x.name, s.pieces, other, x.got == yes, plain, x.want)
			}
		}
		u, plainU := drawSymbolic(t, "u")
		if got := s.same(u); got != maybe && (got == yes) != (plain == plainU) {
			t.Errorf("same: decided %v for %q and %q", got == yes, plain, plainU)
		}
		if sum, ok := joined(s, u).(*symbolic); ok && sum.equals(plain+plainU) == no {
			t.Errorf("joined: %v refuses %q", sum.pieces, plain+plainU)
		}
		if got := boolTri(equal(refList{s, types.String("q")}, refList{types.String(other), types.String("q")})); got != maybe && (got == yes) != (plain == other) {
			t.Errorf("lists: decided %v for %q and %q", got == yes, plain, other)
		}
	})
}

func boolTri(v ref.Val) tri {
	if b, ok := v.(types.Bool); ok {
		return triOf(bool(b))
	}
	return maybe
}

// TestSymbolicDecides holds the decisions that rules live on.
func TestSymbolicDecides(t *testing.T) {
	arn := &symbolic{pieces: []piece{{text: "arn:aws:s3:::"}, {gap: true, some: true, ident: true}, {text: "/*"}}}
	reference := &symbolic{pieces: []piece{{gap: true, some: true, ident: true}}}
	for _, tt := range []struct {
		name string
		got  tri
		want tri
	}{
		{"an ARN is not *", arn.equals("*"), no},
		{"a reference is not *", reference.equals("*"), no},
		{"a reference is not empty", reference.equals(""), no},
		{"a reference may be a name", reference.equals("data"), maybe},
		{"an ARN begins so", arn.startsWith("arn:aws:"), yes},
		{"an ARN begins not so", arn.startsWith("arn:aws-cn:"), no},
		{"an ARN ends so", arn.endsWith("/*"), yes},
		{"an ARN is of S3", arn.matches(regexp.MustCompile(`^arn:aws:s3:::`)), yes},
		{"an ARN is not of SQS", arn.matches(regexp.MustCompile(`^arn:aws:sqs:`)), no},
		{"an ARN may be this bucket's", arn.matches(regexp.MustCompile(`^arn:aws:s3:::data/`)), maybe},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}
