package ruleset

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

func referenceFunctions() []Function {
	return []Function{{
		Name: "refersTo", Group: "Resources",
		Signature: []string{"refersTo(text string, resource) bool"},
		Doc:       "Whether the text is, or holds, a Ref or GetAtt of the resource; or, written out, its name or an ARN of it.",
		Examples:  []string{"trails.exists(t, refersTo(t.S3BucketName, resource))"},
		whole:     true,
		overloads: []overload{{args: []*cel.Type{cel.StringType, cel.DynType}, result: cel.BoolType,
			call: func(a ...ref.Val) ref.Val { return refersTo(a[0], a[1]) }}},
	}, {
		Name: "inTemplate", Group: "Resources",
		Signature: []string{"inTemplate(resource) bool"},
		Doc:       "True of an element of a relation that stands in the template; unknown of one that a link leads to which is not known, or which leads out of the template. So a rule can leave to a neighbour what is judged there, and leave open what is judged nowhere.",
		Examples:  []string{"!clusters.all(c, inTemplate(c))"},
		whole:     true,
		overloads: []overload{{args: []*cel.Type{cel.DynType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val { return inTemplate(a[0]) }}},
	}}
}

func inTemplate(resource ref.Val) ref.Val {
	switch r := resource.(type) {
	case *types.Unknown:
		return r
	case *view:
		if r.owner.resource != nil {
			return types.True
		}
	}
	return types.NewErr("inTemplate is asked of an element of a relation")
}

func refersTo(text, resource ref.Val) ref.Val {
	r, ok := resource.(*view)
	if !ok || r.owner.resource == nil {
		return types.NewErr("refersTo is asked of a text and a resource")
	}
	literals, open := names(r.owner.resource)
	switch text := text.(type) {
	case types.String:
		id := r.owner.resource.LogicalID
		if r.owner.render && (strings.Contains(string(text), "${"+id+"}") || strings.Contains(string(text), "${"+id+".")) {
			return types.True // a message reads references as Fn::Sub writes them
		}
		for _, name := range literals {
			if isNamed(string(text), name) {
				return types.True
			}
		}
		if len(open) > 0 {
			return unknownOf(open[0].Needs)
		}
	case *symbolic:
		gap := false
		for i := range text.pieces {
			p := &text.pieces[i]
			if p.ref != nil && p.ref.LogicalID == r.owner.resource.LogicalID {
				return types.True
			}
			gap = gap || p.gap && p.ref == nil
		}
		// Nobody can have written down the name that CloudFormation will make.
		if gap && len(literals)+len(open) > 0 {
			return text.unknown()
		}
	default:
		return types.MaybeNoSuchOverloadErr(text)
	}
	return types.False
}

// isNamed reports whether a text is the name or an ARN of the resource with that name.
func isNamed(text, name string) bool {
	if text == name {
		return true
	}
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return false
	}
	rest, ok := strings.CutPrefix(parts[5], name)
	return ok && (rest == "" || rest[0] == '/') || parts[2] != "s3" && (strings.HasSuffix(parts[5], ":"+name) || strings.HasSuffix(parts[5], "/"+name))
}
