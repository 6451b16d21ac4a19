package ruleset

import (
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// statementType is one statement of a policy document, normalised: what IAM
// allows as a text or a list is a list, and principals are texts with their
// kind before a colon.
var statementType = sync.OnceValue(func() *schema.Type {
	condition := object("iam.Condition",
		prop("Operator", textType), // StringEquals, ForAllValues:StringLike, …
		prop("Key", textType),      // aws:SourceArn
		prop("Values", textList),
	)
	return object("iam.Statement",
		prop("Sid", textType),
		prop("Effect", textType),        // Allow or Deny
		prop("Principals", textList),    // "*", "AWS:arn:…", "Service:lambda.amazonaws.com"
		prop("NotPrincipals", textList), //
		prop("Actions", textList),       //
		prop("NotActions", textList),    //
		prop("Resources", textList),     //
		prop("NotResources", textList),  //
		prop("Conditions", &schema.Type{Kind: schema.List, Elem: condition}),
	)
})

// statementsOf is statements(document): the document may be a mapping, JSON
// text, absent, or one whose parts are unknown.
func statementsOf(v ref.Val) ref.Val {
	var doc *cfn.Value
	var o *owner
	switch v := v.(type) {
	case *mapView:
		doc, o = v.value, v.owner
	case *view:
		doc, o = v.value, v.owner
	case types.String:
		if v == "" {
			return refList(nil)
		}
		parsed, err := parseJSON(string(v))
		if err != nil {
			return types.NewErr("policy document: %v", err)
		}
		doc, o = parsed, &owner{}
	case *symbolic:
		return v.unknown()
	case absent:
		return refList(nil)
	default:
		return types.NewErr("policy document is %s, not a mapping or JSON text", v.Type().TypeName())
	}
	list := doc.Get("Statement")
	if list == nil && doc.Get("Effect") != nil {
		list = doc // it is a statement itself, such as a fix's item
	}
	switch {
	case list == nil || list.Kind == cfn.Null:
		return refList(nil)
	case list.Kind == cfn.Unknown:
		return unknownOf(list.Unknown.Needs)
	case list.Kind == cfn.Map:
		list = &cfn.Value{Kind: cfn.List, Items: []*cfn.Value{list}}
	case list.Kind != cfn.List:
		return types.NewErr("policy document: Statement is %s, not a list", describeValue(list))
	}
	out := make(refList, len(list.Items))
	for i, item := range list.Items {
		switch item.Kind {
		case cfn.Unknown:
			out[i] = unknownOf(item.Unknown.Needs)
		case cfn.Map:
			s := o.statement(item)
			if o.trace != nil && o.trace.only == nil {
				o.trace.alias(item, s)
				for _, f := range s.Fields {
					o.trace.name(f.Value, o.trace.paths[s]+"."+f.Key)
				}
			}
			out[i] = &view{s, statementType(), o}
		default:
			out[i] = types.NewErr("policy document: a statement is %s, not a mapping", describeValue(item))
		}
	}
	return out
}

// normalStatement keeps the places of what it takes over.
func normalStatement(s *cfn.Value) *cfn.Value {
	out := &cfn.Value{Kind: cfn.Map, Pos: s.Pos, Fields: make([]cfn.Field, 0, len(s.Fields))}
	for i := range s.Fields {
		f := &s.Fields[i]
		key, v := f.Key, f.Value
		switch key {
		case "Sid", "Effect":
		case "Action", "NotAction", "Resource", "NotResource":
			key, v = key+"s", listOf(v)
		case "Principal", "NotPrincipal":
			key, v = key+"s", principals(v)
		case "Condition":
			key, v = "Conditions", conditions(v)
		default:
			continue
		}
		out.Fields = append(out.Fields, cfn.Field{Key: key, Pos: f.Pos, Value: v})
	}
	return out
}

// listOf makes a list of one text; an unknown stays one, for it may be a list.
func listOf(v *cfn.Value) *cfn.Value {
	switch v.Kind {
	case cfn.List, cfn.Null:
		return v
	case cfn.Unknown:
		if v.Unknown.Shape == nil && v.Unknown.Ref == nil {
			return v
		}
	}
	return &cfn.Value{Kind: cfn.List, Pos: v.Pos, Items: []*cfn.Value{v}}
}

// principals flattens {AWS: [a, b], Service: c} to texts.
func principals(v *cfn.Value) *cfn.Value {
	if v.Kind != cfn.Map {
		return listOf(v)
	}
	out := &cfn.Value{Kind: cfn.List, Pos: v.Pos}
	for i := range v.Fields {
		f := &v.Fields[i]
		list := listOf(f.Value)
		if list.Kind == cfn.Unknown {
			// Which principals is not known, and how many is not either.
			return list
		}
		for _, p := range list.Items {
			if f.Key == "AWS" && p.IsKind(cfn.String) && p.Text == "*" {
				out.Items = append(out.Items, p)
				continue
			}
			if f.Key == "AWS" && mayBeStar(p) {
				// "*" loses its prefix and all else gains one, so no shape holds both.
				u := *p.Unknown
				u.Shape = nil
				out.Items = append(out.Items, &cfn.Value{Kind: cfn.Unknown, Pos: p.Pos, Unknown: &u})
				continue
			}
			out.Items = append(out.Items, prefixed(f.Key+":", p))
		}
	}
	return out
}

// mayBeStar reports whether a value that is not known may turn out to be "*".
// What a resource of the template returns is taken for a name or an ARN.
func mayBeStar(v *cfn.Value) bool {
	if v.Kind != cfn.Unknown || v.Unknown.Ref != nil || slices.ContainsFunc(v.Unknown.Shape, func(p cfn.Piece) bool { return p.Ref != nil }) {
		return false
	}
	s := (&owner{}).symbolicOf(v.Unknown)
	return s == nil || s.equals("*") != no
}

// prefixed is the text v after a prefix.
func prefixed(prefix string, v *cfn.Value) *cfn.Value {
	if v.Kind != cfn.Unknown {
		return &cfn.Value{Kind: cfn.String, Pos: v.Pos, Text: prefix + v.Text, Origin: v.Origin}
	}
	u := *v.Unknown
	shape := u.Shape
	if shape == nil {
		shape = []cfn.Piece{{Gap: true, NonEmpty: u.Ref != nil, Ref: u.Ref}}
	}
	u.Ref = nil
	u.Shape = append([]cfn.Piece{{Literal: prefix}}, shape...)
	return &cfn.Value{Kind: cfn.Unknown, Pos: v.Pos, Unknown: &u}
}

// conditions flattens {Operator: {Key: values}} to a list.
func conditions(v *cfn.Value) *cfn.Value {
	if v.Kind != cfn.Map {
		return v
	}
	out := &cfn.Value{Kind: cfn.List, Pos: v.Pos}
	for i := range v.Fields {
		op := &v.Fields[i]
		if op.Value.Kind != cfn.Map {
			if op.Value.Kind == cfn.Unknown {
				out.Items = append(out.Items, op.Value)
			}
			continue
		}
		for j := range op.Value.Fields {
			key := &op.Value.Fields[j]
			out.Items = append(out.Items, &cfn.Value{Kind: cfn.Map, Pos: key.Pos, Fields: []cfn.Field{
				{Key: "Operator", Pos: op.Pos, Value: text(op.Key, op.Pos)},
				{Key: "Key", Pos: key.Pos, Value: text(key.Key, key.Pos)},
				{Key: "Values", Pos: key.Value.Pos, Value: listOf(key.Value)},
			}})
		}
	}
	return out
}

// anyOf is true where one element says yes, unknown where one may, else false.
func anyOf(list ref.Val, ask func(ref.Val) ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return list // unknown, or an error
	}
	n, _ := sizeOf(l)
	var unknown *types.Unknown
	var err ref.Val
	for i := range n {
		var answer ref.Val
		switch x := elementAt(l, i).(type) {
		case *types.Unknown, *types.Err:
			answer = x
		default:
			answer = ask(x)
		}
		switch answer := answer.(type) {
		case types.Bool:
			if answer {
				return types.True
			}
		case *types.Unknown:
			unknown = types.MergeUnknowns(unknown, answer)
		default:
			err = answer
		}
	}
	switch {
	case unknown != nil:
		return unknown
	case err != nil:
		return err
	}
	return types.False
}

// and is a three-valued conjunction of two answers.
func and(a, b ref.Val) ref.Val {
	var c conjunction
	c.add(a)
	c.add(b)
	return c.result()
}

func not(v ref.Val) ref.Val {
	if b, ok := v.(types.Bool); ok {
		return !b
	}
	return v
}

func or(a, b ref.Val) ref.Val { return not(and(not(a), not(b))) }

// get is a property of a record.
func (v *view) get(name string) ref.Val { return v.Get(types.String(name)) }

// grants reports whether a statement's actions include action, which may have
// wildcards itself: "s3:*" is granted by "s3:*" and "*", not by a NotAction of s3:GetObject.
func (v *view) grants(action string) ref.Val {
	if action == "*" {
		action = "*:*"
	}
	listed := anyOf(v.get("Actions"), func(p ref.Val) ref.Val { return coversText(p, action, true) })
	return v.orNot(listed, "NotActions", action, true)
}

// orNot is listed, or that nothing of text is in the list of exceptions with this name.
func (v *view) orNot(listed ref.Val, exceptions, text string, foldCase bool) ref.Val {
	if v.value.Get(exceptions) == nil {
		return listed
	}
	return or(listed, not(anyOf(v.get(exceptions), func(p ref.Val) ref.Val { return meetsText(p, text, foldCase) })))
}

// meetsText reports whether pattern and text, both with wildcards, match a text in common.
func meetsText(pattern ref.Val, text string, foldCase bool) ref.Val {
	p, plain := pattern.(types.String)
	if !plain || !isGlob(text) {
		return coversText(pattern, text, foldCase)
	}
	s := string(p)
	if foldCase {
		s, text = strings.ToLower(s), strings.ToLower(text)
	}
	return types.Bool(overlap(globTokens(s), globTokens(text)))
}

// effect compares the statement's effect.
func (v *view) effect(want string) ref.Val { return equal(v.get("Effect"), types.String(want)) }

// coversText reports whether pattern, with IAM's * and ?, matches every text
// that text, which may have wildcards itself, matches.
func coversText(pattern ref.Val, text string, foldCase bool) ref.Val {
	switch p := pattern.(type) {
	case types.String:
		if foldCase {
			return types.Bool(globFold(string(p), text))
		}
		return types.Bool(Glob(string(p), text))
	case *symbolic:
		q := p
		if foldCase {
			text = strings.ToLower(text)
			q, _ = p.mapped(strings.ToLower).(*symbolic)
		}
		return q.answer(q.asPattern(text))
	}
	return types.MaybeNoSuchOverloadErr(pattern)
}

// asPattern decides whether the text that s stands for, taken as a glob,
// matches text. A gap may hold wildcards only where it may be any text.
func (s *symbolic) asPattern(text string) tri {
	var pattern []token
	for _, p := range s.pieces {
		switch {
		case !p.gap:
			pattern = append(pattern, globTokens(p.text)...)
		case p.ident:
			pattern = append(pattern, token{class: identByte}, token{class: identByte, star: true})
		default:
			pattern = append(pattern, anything) // wildcards in it may match nothing
		}
	}
	if !overlap(pattern, appendText(nil, text)) {
		return no
	}
	return maybe
}

// globTokens is a plain glob as a pattern.
func globTokens(glob string) []token {
	out := make([]token, 0, len(glob))
	for i := range len(glob) {
		switch glob[i] {
		case '*':
			out = append(out, anything)
		case '?':
			out = append(out, token{class: anyByte})
		default:
			out = append(out, token{b: glob[i]})
		}
	}
	return out
}
