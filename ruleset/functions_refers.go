package ruleset

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

func referenceFunctions() []Function {
	return []Function{{
		Name: "refersTo", Group: "Resources",
		Signature: []string{"refersTo(text string, resource) bool"},
		Doc:       "Whether the text is, or holds, a Ref or GetAtt of the resource. A text that is written out refers to nothing; compare it with the resource's name.",
		Examples:  []string{"trails.exists(t, refersTo(t.S3BucketName, resource))"},
		whole:     true,
		overloads: []overload{{args: []*cel.Type{cel.StringType, cel.DynType}, result: cel.BoolType,
			call: func(a ...ref.Val) ref.Val { return refersTo(a[0], a[1]) }}},
	}}
}

func refersTo(text, resource ref.Val) ref.Val {
	r, ok := resource.(*view)
	if !ok || r.owner.resource == nil {
		return types.NewErr("refersTo is asked of a text and a resource")
	}
	s, ok := text.(*symbolic)
	if !ok {
		return types.False
	}
	open := false
	for i := range s.pieces {
		p := &s.pieces[i]
		if p.ref != nil && p.ref.LogicalID == r.owner.resource.LogicalID {
			return types.True
		}
		open = open || p.gap && p.ref == nil
	}
	if open {
		return s.unknown()
	}
	return types.False
}
