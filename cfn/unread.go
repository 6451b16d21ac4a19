package cfn

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn/schema"
)

// Unread is a part of a template that is read, and of which nobody here can say
// what it comes to: a resource of a type that the schemas do not have, or a
// macro that changes the template before it is deployed.
type Unread struct {
	Pos       Pos
	LogicalID string // of the resource; "" for a macro
	Type      string // of the resource; "" for a macro
	Message   string
	Need      string // what would settle it
}

// known macros of AWS: what they do is known here, or does not touch resources
// that are written.
var knownTransforms = []string{
	samTransform, "AWS::LanguageExtensions", "AWS::Include", "AWS::CodeDeployBlueGreen",
	"AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16",
}

// maxNearest bounds for how many types the nearest name is looked for: each is
// compared with all that there are.
const maxNearest = 20

// Unread lists what of the template is not judged in spite of being readable,
// in the order of the template. Types of third parties (Org::Service::Type),
// custom resources, modules and what the CDK adds for itself are not meant.
func (t *Template) Unread() []Unread {
	var out []Unread
	if v, at := section(t.Root, "Transform"); v != nil {
		for _, name := range t.Transforms {
			if strings.HasPrefix(name, "AWS::Serverless-") || slices.Contains(knownTransforms, name) {
				continue
			}
			out = append(out, Unread{
				Pos: at, Need: "transform " + name,
				Message: fmt.Sprintf("the macro %s changes the template before it is deployed, and what it changes is not known: the template is judged as it is written. scan the processed template, which `aws cloudformation get-template --template-stage Processed` gives", name),
			})
		}
	}
	if resources, _ := section(t.Root, "Resources"); resources.Get("Fn::Transform") != nil {
		v := resources.Get("Fn::Transform")
		need := (&resolver{}).transform(v.Pos, v).Unknown.Needs[0]
		out = append(out, Unread{
			Pos: v.Pos, Need: need,
			Message: fmt.Sprintf("the %s among the resources brings or changes resources, and which ones is not known: the others are judged as they are written. scan the processed template, which `aws cloudformation get-template --template-stage Processed` gives", need),
		})
	}
	nearest := 0
	for _, d := range t.Resources {
		if d.ForEach != nil || !oddType(d.Type) {
			continue
		}
		pos := d.Pos
		if typ := d.Body.Get("Type"); typ != nil {
			pos = typ.Pos
		}
		u := Unread{Pos: pos, LogicalID: d.LogicalID, Type: d.Type, Need: "a resource type that is known"}
		u.Message = fmt.Sprintf("%s is none of the resource types of %s, so no rule judges it", d.Type, schema.Source())
		if nearest++; nearest <= maxNearest {
			if near := schema.Nearest(d.Type); near != "" {
				u.Message += ". did you mean " + near + "?"
			}
		}
		out = append(out, u)
	}
	return out
}

// oddType reports whether a resource type ought to be known and is not.
func oddType(typ string) bool {
	owner, rest, nested := strings.Cut(typ, "::")
	switch {
	case schema.Known(typ), typ == "AWS::CDK::Metadata", typ == "AWS::CloudFormation::CustomResource", strings.HasSuffix(typ, "::MODULE"), owner == "Custom" && rest != "":
		return false
	case strings.EqualFold(owner, "AWS") || !nested:
		return true
	}
	return strings.Count(typ, "::") < 2 // a third party's has three parts
}
