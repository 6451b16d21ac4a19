package cfn

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"plumbline/internal/nearest"
)

// functions are the intrinsic functions that have a short form, by its name.
// Those of the Rules section count as well.
var functions = [...]string{
	"And", "Base64", "Cidr", "Condition", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap",
	"ForEach", "GetAZs", "GetAtt", "GetStackOutput", "If", "ImportValue", "Join", "Length", "Not", "Or", "Ref", "RefAll", "Select",
	"Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
}

// longNames are the same functions as the keys that the long form has, so that
// reading one makes no new string.
var longNames = [...]string{
	"Fn::And", "Fn::Base64", "Fn::Cidr", "Condition", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::FindInMap",
	"Fn::ForEach", "Fn::GetAZs", "Fn::GetAtt", "Fn::GetStackOutput", "Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Not", "Fn::Or", "Ref", "Fn::RefAll", "Fn::Select",
	"Fn::Split", "Fn::Sub", "Fn::ToJsonString", "Fn::Transform", "Fn::ValueOf", "Fn::ValueOfAll",
}

// function returns the long form of a tag such as !Sub; false where
// CloudFormation has no such function. What it has not is still read as a
// function, so that its value counts as not known and not as the argument.
func function(tag string) (string, bool) {
	name := strings.TrimPrefix(tag, "!")
	for i, f := range functions {
		if f == name {
			return longNames[i], true
		}
	}
	return "Fn::" + name, false
}

// rainPrefix begins the tags in whose place rain, AWS's own preprocessor, puts
// something before CloudFormation sees the template. Their value is not known
// here, which is no mistake of the template.
const rainPrefix = "!Rain::"

func unknownTag(tag string) string {
	msg := "tag " + tag + " is none of CloudFormation's functions"
	if near := nearest.Of(strings.TrimPrefix(tag, "!"), functions[:]); near != "" {
		return msg + ". did you mean !" + near + "?"
	}
	return msg + ". allowed are !Ref, !Condition and the functions whose long form begins with Fn::"
}

// standard returns the value of a node with one of YAML's own tags.
func (r *yamlReader) standard(n *yaml.Node, at Pos, depth int) *Value {
	switch n.Tag {
	case "!!str", "!!map", "!!seq":
	case "!!int", "!!float", "!!bool", "!!null":
		if n.Kind != yaml.ScalarNode {
			break
		}
		want := map[string]Kind{"!!int": Number, "!!float": Number, "!!bool": Bool, "!!null": Null}[n.Tag]
		if k := scalarKind(n.Value); k == want {
			v := r.store.value(k, at)
			switch k {
			case Bool:
				v.Text = boolText(n.Value)
			case Number:
				v.Text = n.Value
			}
			return v
		}
		r.note(Pos{n.Line, n.Column}, "%q is no value of tag %s", n.Value, n.Tag)
	default:
		r.note(Pos{n.Line, n.Column}, "tag %s, which CloudFormation does not take. write the value without it", n.Tag)
	}
	return r.plain(n, at, depth)
}

// content returns the place of what a tag or an anchor is put before. Where
// that is on a later line, it is the place of the first part.
func (r *yamlReader) content(n *yaml.Node) Pos {
	at := Pos{n.Line, n.Column}
	i := r.offsetOf(at)
	if i < 0 {
		return at
	}
	src := r.src
	for i < len(src) && (src[i] == '!' || src[i] == '&') {
		for i < len(src) && src[i] > ' ' {
			_, size := utf8.DecodeRune(src[i:])
			i, at.Column = i+size, at.Column+1
		}
		for i < len(src) && (src[i] == ' ' || src[i] == '\t') {
			i, at.Column = i+1, at.Column+1
		}
	}
	if i < len(src) && src[i] != '\n' && src[i] != '\r' && src[i] != '#' {
		return at
	}
	if len(n.Content) > 0 {
		return Pos{n.Content[0].Line, n.Content[0].Column}
	}
	return Pos{n.Line, n.Column}
}
