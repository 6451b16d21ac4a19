package cfn

import "strings"

// forEachPrefix begins the key of a loop that makes resources, conditions or outputs.
const forEachPrefix = "Fn::ForEach::"

// resources reads the Resources section. A resource that cannot be judged has
// its problem noted and is left out; the others stay.
func (l *loader) resources(t *Template, section *Value) {
	t.Resources = make([]*Declared, 0, len(section.Fields))
	all := make([]Declared, len(section.Fields))
	for i, f := range section.Fields {
		d := &all[i]
		if l.resource(d, f) {
			t.Resources = append(t.Resources, d)
		}
		if f.Key == "Fn::Transform" {
			if name := f.Value.Get("Name"); name.IsKind(String) {
				t.Transforms = append(t.Transforms, name.Text)
			}
		}
	}
}

// resource fills d; false where there is nothing that a rule could judge.
func (l *loader) resource(d *Declared, f Field) bool {
	*d = Declared{LogicalID: f.Key, Pos: f.Pos, Body: f.Value}
	if strings.HasPrefix(f.Key, forEachPrefix) {
		d.ForEach = f.Value
		if what, at := wrongLoop(f.Value); what != "" {
			l.note(at, "%s: %s", f.Key, what)
			return false
		}
		return true
	}
	if f.Key == "Fn::Transform" { // a macro that brings resources; what they are is not known
		return false
	}
	if f.Value.Kind != Map {
		l.note(f.Pos, "resource %q is %s; it must be a map with a Type", f.Key, aKind(f.Value))
		return false
	}
	typ := f.Value.Get("Type")
	if typ == nil && f.Value.Get("Fn::Transform") != nil { // a macro may bring the type
		return false
	}
	switch {
	case typ == nil && len(f.Value.Fields) == 1 && isFunction(f.Value.Fields[0].Key, 1, f.Value.Fields[0].Value):
		l.note(f.Pos, "resource %q is %s; it must be a map with a Type%s", f.Key, aKind(f.Value), rainHint(f.Value))
		return false
	case typ == nil:
		l.note(f.Pos, "resource %q has no Type, such as AWS::S3::Bucket", f.Key)
		return false
	case typ.Kind != String || typ.Text == "":
		l.note(typ.Pos, "the Type of resource %q is %s; it must be the name of a resource type, such as AWS::S3::Bucket%s", f.Key, aKind(typ), rainHint(typ))
		return false
	}
	d.Type = typ.Text
	if p := f.Value.Get("Properties"); p != nil && p.Kind != Map && p.Kind != Null {
		l.note(p.Pos, "Properties of resource %q is %s; it must be a map", f.Key, aKind(p))
		return false
	}
	switch c := f.Value.Get("Condition"); {
	case c == nil || c.Kind == Null:
	case c.Kind == String:
		d.Condition = c.Text
	default:
		l.note(c.Pos, "the Condition of resource %q is %s; it must be the name of a condition in the Conditions section", f.Key, aKind(c))
		return false
	}
	return true
}

// rainHint says what to do where a tag of rain's stands for what must be there:
// its value is known only after rain has been run.
func rainHint(v *Value) string {
	if v.Kind == Map && len(v.Fields) == 1 && strings.HasPrefix(v.Fields[0].Key, "Fn::Rain::") {
		return ". scan what `rain pkg` writes"
	}
	return ""
}

// aKind names what a value is, with its article, for a message.
func aKind(v *Value) string {
	if v == nil {
		return "missing"
	}
	switch v.Kind {
	case Null:
		return "empty (null)"
	case String:
		if v.Text == "" {
			return "an empty text"
		}
		return "the text " + shown(v)
	case Number:
		return "the number " + shown(v)
	case Bool:
		return "the boolean " + v.Text
	case List:
		return "a list"
	case Map:
		if len(v.Fields) == 1 && isFunction(v.Fields[0].Key, 1, v.Fields[0].Value) {
			return "the function " + v.Fields[0].Key
		}
		return "a map"
	}
	return "unknown"
}

// shownLength is how much of a text a message repeats, in bytes.
const shownLength = 40

// shown is a scalar's text for a message, cut where it is long.
func shown(v *Value) string {
	text := v.Text
	if len(text) > shownLength {
		text = strings.ToValidUTF8(text[:shownLength], "") + "…"
	}
	if v.Kind == String {
		return "\"" + strings.Map(printable, text) + "\""
	}
	if v.Kind == Map || v.Kind == List || v.Kind == Null {
		return aKind(v)
	}
	return text
}

// printable keeps control characters out of messages.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}
