package cfn

import (
	"strings"
)

// call resolves the intrinsic function that stands as the only field of v, ok
// false where the field is none. It returns nil for AWS::NoValue.
func (r *resolver) call(v *Value, f *Field) (out *Value, ok bool) {
	arg := f.Value
	switch f.Key {
	case "Ref":
		if arg.IsKind(String) {
			return r.ref(arg.Text, v.Pos), true
		}
		return r.refused(v, f), true
	case "Fn::GetAtt":
		return r.getAtt(v, f), true
	case "Fn::Sub":
		return r.sub(v, f), true
	case "Fn::If":
		return r.choose(v, f), true
	case "Fn::Join":
		return r.join(v, f), true
	case "Fn::Split":
		return r.split(v, f), true
	case "Fn::Select":
		return r.selectItem(v, f), true
	case "Fn::FindInMap":
		return r.findInMap(v, f), true
	case "Fn::Base64":
		return r.base64(v, f), true
	case "Fn::GetAZs":
		return r.getAZs(v, f), true
	case "Fn::Cidr":
		return r.cidr(v, f), true
	case "Fn::ImportValue":
		out := r.store.value(Unknown, v.Pos)
		out.Unknown = unknownText("import "+describe(r.value(arg)), true)
		return out, true
	case "Fn::GetStackOutput":
		return r.stackOutput(v, f), true
	case "Fn::Transform":
		return r.transform(v.Pos, arg), true
	case "Fn::Length":
		return r.length(v, f), true
	case "Fn::ToJsonString":
		return r.toJSON(v, f), true
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
		// Only conditions and rules may hold these; their truth is what is meant.
		switch r.truthOf(v) {
		case isTrue:
			return &Value{Kind: Bool, Pos: v.Pos, Text: "true"}, true
		case isFalse:
			return &Value{Kind: Bool, Pos: v.Pos, Text: "false"}, true
		}
		return r.refused(v, f), true
	}
	if strings.HasPrefix(f.Key, "Fn::") && !strings.HasPrefix(f.Key, forEachPrefix) {
		return newUnknown(v.Pos, "function "+f.Key), true
	}
	return nil, false
}

// stackOutput is another stack's output, a text that is known once that stack is
// deployed. Source: CloudFormation Template Reference, "Fn::GetStackOutput"; the
// CDK writes it for weak references across stacks.
func (r *resolver) stackOutput(v *Value, f *Field) *Value {
	output := r.value(f.Value.Get("OutputName"))
	stack := r.value(f.Value.Get("StackName"))
	if output == nil || stack == nil {
		return r.refused(v, f)
	}
	need := "output " + describe(output) + " of stack " + describe(stack)
	// The stack's own region is not worth naming, and not known in every world.
	if written := f.Value.Get("Region"); written.Get("Ref").text() != "AWS::Region" {
		if region := r.value(written); isScalar(region) {
			need += " in " + region.Text
		}
	}
	out := r.store.value(Unknown, v.Pos)
	out.Unknown = unknownText(need, true)
	return out
}

// refused is the value of a function whose arguments CloudFormation refuses.
func (r *resolver) refused(v *Value, f *Field) *Value {
	return newUnknown(v.Pos, f.Key+" with the arguments it takes")
}

// transform is what a macro makes of its parameters: nothing that we know.
func (r *resolver) transform(pos Pos, arg *Value) *Value {
	name := "Fn::Transform"
	switch {
	case arg.IsKind(String):
		name = arg.Text
	case arg.Get("Name").IsKind(String):
		name = arg.Get("Name").Text
	}
	return newUnknown(pos, "transform "+name)
}

// ref resolves a Ref: a parameter, a pseudo parameter or a resource. It
// returns nil for AWS::NoValue.
func (r *resolver) ref(name string, pos Pos) *Value {
	if p := r.params[name]; p != nil {
		return r.parameter(p, pos)
	}
	if strings.HasPrefix(name, "AWS::") {
		if v, ok := r.pseudo(name, pos); ok {
			return v
		}
	}
	if _, ok := r.index[name]; ok {
		return r.reference(pos, name, "")
	}
	if r.sam {
		if id := r.samReference(name); id != "" {
			return r.reference(pos, id, "")
		}
	}
	if r.inSource(name) { // it has a problem of its own
		return r.reference(pos, name, "")
	}
	return newUnknown(pos, r.undeclared(name))
}

// inSource reports whether the Resources section has an entry of this name,
// whatever it holds.
func (r *resolver) inSource(name string) bool {
	if r.written == nil {
		section := r.t.Root.Get("Resources").fields()
		r.written = make(map[string]bool, len(section))
		for i := range section {
			r.written[section[i].Key] = true
		}
	}
	return r.written[name]
}

// undeclared says what would settle a reference to a name that the template
// does not declare.
func (r *resolver) undeclared(name string) string {
	if r.macros {
		return name + ", which a transform may declare"
	}
	return name + ", which the template does not declare"
}

// attribute resolves a GetAtt.
func (r *resolver) attribute(id, attribute string, pos Pos) *Value {
	if _, ok := r.index[id]; !ok && !r.generated[id] && !r.inSource(id) {
		return newUnknown(pos, r.undeclared(id))
	}
	return r.reference(pos, id, attribute)
}

func (r *resolver) getAtt(v *Value, f *Field) *Value {
	arg := f.Value
	switch {
	case arg.IsKind(String):
		id, attribute, ok := strings.Cut(arg.Text, ".")
		if ok {
			return r.attribute(id, attribute, v.Pos)
		}
	case arg.IsKind(List) && len(arg.Items) >= 2:
		parts := make([]string, len(arg.Items))
		for i, item := range arg.Items {
			x := r.value(item)
			if x.IsKind(Unknown) {
				return derive(x, v.Pos)
			}
			if !isScalar(x) {
				return r.refused(v, f)
			}
			parts[i] = x.Text
		}
		return r.attribute(parts[0], strings.Join(parts[1:], "."), v.Pos)
	}
	return r.refused(v, f)
}

// sub resolves both forms of Fn::Sub.
func (r *resolver) sub(v *Value, f *Field) *Value {
	text, vars := f.Value, (*Value)(nil)
	if text.IsKind(List) && len(text.Items) > 0 {
		if len(text.Items) > 1 {
			vars = text.Items[1]
		}
		text = text.Items[0]
	}
	if !text.IsKind(String) {
		return r.refused(v, f)
	}
	rest := text.Text
	b := r.text()
	for {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			break
		}
		b.literal(before)
		rest = tail
		if strings.HasPrefix(name, "!") {
			b.literal("${" + name[1:] + "}")
			continue
		}
		if !r.afford(len(vars.fields()) / 8) { // looked through for each name
			b.cut()
			continue
		}
		x := r.substitute(strings.TrimSpace(name), vars, v.Pos)
		if before == "" && tail == "" && len(b.pieces) == 0 && (isScalar(x) || x.IsKind(Unknown)) {
			r.buffers = append(r.buffers, b.pieces)
			return textOf(x) // the whole text is one reference
		}
		b.add(x)
	}
	b.literal(rest)
	return b.value(v.Pos, "Fn::Sub")
}

// textOf is a scalar as a string: Fn::Sub of one number makes a string.
func textOf(v *Value) *Value {
	if v.Kind == String || v.Kind == Unknown {
		return v
	}
	c := *v
	c.Kind = String
	return &c
}

// substitute resolves a name within ${…}.
func (r *resolver) substitute(name string, vars *Value, pos Pos) *Value {
	if x := vars.Get(name); x != nil {
		return r.value(x)
	}
	if p := r.params[name]; p != nil {
		return r.parameter(p, pos)
	}
	if id, attribute, ok := strings.Cut(name, "."); ok {
		if r.sam {
			if id := r.samReference(name); id != "" {
				return r.reference(pos, id, "")
			}
		}
		return r.attribute(id, attribute, pos)
	}
	return r.ref(name, pos)
}

// choose resolves Fn::If.
func (r *resolver) choose(v *Value, f *Field) *Value {
	args := f.Value
	if !args.IsKind(List) || len(args.Items) != 3 || !args.Items[0].IsKind(String) {
		return r.refused(v, f)
	}
	name := args.Items[0].Text
	i, ok := r.conditionOf[name]
	if !ok {
		return newUnknown(v.Pos, "condition "+name+", which the template does not declare")
	}
	branch := args.Items[2]
	if r.holds(i) {
		branch = args.Items[1]
	}
	return withOrigin(r.value(branch), Origin{Pos: v.Pos, Function: "Fn::If"})
}

func (r *resolver) join(v *Value, f *Field) *Value {
	args := f.Value
	if !args.IsKind(List) || len(args.Items) != 2 {
		return r.refused(v, f)
	}
	delimiter, list := r.value(args.Items[0]), r.value(args.Items[1])
	if !isScalar(delimiter) {
		if delimiter.IsKind(Unknown) {
			return derive(delimiter, v.Pos)
		}
		return r.refused(v, f)
	}
	switch {
	case list.IsKind(List) && !r.afford(len(list.Items)):
		return newUnknown(v.Pos, tooMuch)
	case list.IsKind(List):
		b := r.text()
		for i, item := range list.Items {
			if i > 0 {
				b.literal(delimiter.Text)
			}
			b.add(item)
		}
		return b.value(v.Pos, "Fn::Join")
	case list.IsKind(Unknown):
		out := derive(list, v.Pos)
		out.Unknown.Shape = []Piece{{Gap: true, NonEmpty: list.Unknown.filled || list.Unknown.Ref != nil}}
		return out
	case isScalar(list):
		return withOrigin(&Value{Kind: String, Pos: v.Pos, Text: list.Text}, Origin{Pos: v.Pos, Function: "Fn::Join"})
	}
	return r.refused(v, f)
}

// splitArgs resolves the arguments of a Fn::Split, ok false where they are
// refused or the delimiter is not known.
func (r *resolver) splitArgs(args *Value) (delimiter string, source *Value, ok bool) {
	if !args.IsKind(List) || len(args.Items) != 2 {
		return "", nil, false
	}
	d := r.value(args.Items[0])
	source = r.value(args.Items[1])
	if !isScalar(d) || d.Text == "" {
		return "", source, false
	}
	return d.Text, source, true
}

func (r *resolver) split(v *Value, f *Field) *Value {
	delimiter, source, ok := r.splitArgs(f.Value)
	switch {
	case source.IsKind(Unknown):
		return derive(source, v.Pos)
	case !ok || !isScalar(source):
		return r.refused(v, f)
	}
	if !r.afford((strings.Count(source.Text, delimiter) + 1) * valueBytes) {
		return newUnknown(v.Pos, tooMuch)
	}
	parts := strings.Split(source.Text, delimiter)
	items := make([]Value, len(parts))
	o := &originated{origin: Origin{Pos: v.Pos, Function: "Fn::Split"}}
	o.value = Value{Kind: List, Pos: v.Pos, Origin: &o.origin, Items: make([]*Value, len(parts))}
	for i, part := range parts {
		items[i] = Value{Kind: String, Pos: v.Pos, Text: part, Origin: inherit(&o.origin, source)}
		o.value.Items[i] = &items[i]
	}
	return &o.value
}

// inherit is origin, or where source came from a parameter a copy that names it.
func inherit(origin *Origin, source *Value) *Origin {
	if source == nil || source.Origin == nil || source.Origin.Parameter == "" {
		return origin
	}
	o := *source.Origin
	o.Pos, o.Function, o.Plain = origin.Pos, origin.Function, nil
	return &o
}
