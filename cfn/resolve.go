package cfn

import (
	"slices"
	"strings"
	"sync"
)

// resolver resolves the values of one template. It belongs to one call of
// Worlds and is used by one goroutine at a time; what it makes is immutable. The world in
// which it resolves is set from outside; what a resource reads of that world is
// recorded, so that worlds which agree on it share the result.
type resolver struct {
	t  *Template
	in Inputs

	declared  []*Declared         // resources with Fn::ForEach expanded and those that SAM implies
	index     map[string]int      // logical id → place in declared
	written   map[string]bool     // logical ids in the source, made when first asked for
	generated map[string]bool     // logical ids that SAM will make
	anyOf     map[string][]string // conditions of which one suffices, for a resource that SAM implies
	macros    bool                // a transform that we cannot run may add resources

	params map[string]*parameter

	conditions  []condition
	conditionOf map[string]int
	variables   []variable
	variableOf  map[string]int // parameter or pseudo parameter → variable

	mu        sync.Mutex        // held by what models ask after Worlds has returned
	variants  [][]*variant      // of each declared resource, over all worlds
	varied    map[string]*Model // what Model.With made, by choices
	varies    bool              // some variable has several values that its parameter allows
	choosing  map[*Resource]*choosing
	sure      *world // the strict world, made when first asked for
	world     *world
	recording bool   // while a resource is in work, save within conditions
	reads     []read // of the resource in work
	made      int    // bytes, see maxMade
	looped    int    // resources that loops have made, see maxLooped
	problems  []*Problem
	tried     int // see maxTried
	sam       bool

	store      store
	buffers    [][]Piece // of strings that are done
	references map[Reference]*Unknowing
	pseudos    map[string]*Unknowing
}

// parameter is a parameter with the value it has in every world, unless a
// condition makes it a variable.
type parameter struct {
	declared *Parameter
	value    *Value // of the given value or default; nil: neither, or known only to the deployment
	origin   Origin // without a position
	given    bool
	need     string
	secret   bool
	why      *Unknowing // what is known of it where value is nil
}

// read is one fact of a world that a resource depends on.
type read struct {
	condition bool // else a variable
	which     int
	value     int // the truth; the choice's index
}

func newResolver(t *Template, in Inputs) *resolver {
	r := &resolver{t: t, in: in, references: make(map[Reference]*Unknowing), pseudos: make(map[string]*Unknowing)}
	r.store.reserve(len(t.Source) / 4)
	r.params = make(map[string]*parameter, len(t.Parameters))
	for _, p := range t.Parameters {
		r.params[p.Name] = r.newParameter(p, in.Parameters)
	}
	for _, name := range t.Transforms {
		switch name {
		case samTransform:
			r.sam = true
		case "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16":
		default:
			r.macros = true
		}
	}
	// Without its transform CloudFormation would refuse a type of SAM: what it is
	// meant to become is judged.
	r.sam = r.sam || slices.ContainsFunc(t.Resources, func(d *Declared) bool { return strings.HasPrefix(d.Type, samPrefix) })
	return r
}

// newParameter settles what is known of a parameter before any world is chosen.
func (r *resolver) newParameter(p *Parameter, given map[string]string) *parameter {
	out := &parameter{declared: p, need: "parameter " + p.Name}
	out.origin = Origin{Function: "Ref", Parameter: p.Name, NoEcho: p.NoEcho}
	text, ok := given[p.Name]
	out.given = ok
	switch {
	case !ok && p.Default != nil && isScalar(p.Default):
		text, ok = p.Default.Text, true
		out.origin.Default = true
		out.origin.Source = p.Default.Pos
	case !ok && p.Default.IsKind(List):
		// Not allowed, yet seen: the items are meant.
		out.origin.Default = true
		out.origin.Source = p.Default.Pos
		out.value = p.Default
		return out
	}
	if only := p.enumerated(); !ok && len(only) == 1 { // it can be nothing else
		text, ok = only[0], true
		out.origin.Default = true
		out.origin.Source = p.Body.Get("AllowedValues").Items[0].Pos
	}
	if strings.HasPrefix(p.Type, ssmPrefix) {
		// The value is the name of an entry in the parameter store.
		if ok {
			out.need = "SSM parameter " + text
		}
		return out
	}
	if p.NoEcho && ok && masked(text) {
		ok = false
	}
	if !ok {
		out.secret = p.NoEcho
		out.origin.Default = false
		out.origin.Source = Pos{}
		return out
	}
	if strings.Contains(text, dynamicReference) && !holdsList(p.Type) {
		b := r.text()
		b.literal(text)
		if v := b.value(Pos{}, "Ref"); v.Kind == Unknown {
			out.why = v.Unknown
			return out
		}
	}
	if holdsList(p.Type) && !r.afford(len(text)*valueBytes/2) {
		return out
	}
	out.value = parameterValue(p, text)
	return out
}

// masked reports whether text is what CloudFormation shows in place of a NoEcho value.
func masked(text string) bool {
	return len(text) >= 4 && strings.Trim(text, "*") == ""
}

// holdsList reports whether a parameter of this type holds a list.
func holdsList(typ string) bool {
	typ = strings.TrimPrefix(typ, ssmPrefix)
	return strings.HasPrefix(typ, "List<") || strings.HasPrefix(typ, "CommaDelimitedList")
}

// parameterValue is the value that Ref gives for a parameter's text: a list,
// spaces around its items dropped, or the text itself also for numbers.
func parameterValue(p *Parameter, text string) *Value {
	if !holdsList(p.Type) {
		return &Value{Kind: String, Text: text}
	}
	v := &Value{Kind: List}
	if strings.TrimSpace(text) == "" {
		return v
	}
	parts := strings.Split(text, ",")
	items := make([]Value, len(parts))
	v.Items = make([]*Value, len(parts))
	for i, part := range parts {
		items[i] = Value{Kind: String, Text: strings.TrimSpace(part)}
		v.Items[i] = &items[i]
	}
	return v
}

// parameter is the value that Ref gives for a parameter in this world.
func (r *resolver) parameter(p *parameter, pos Pos) *Value {
	o := p.origin
	o.Pos = pos
	if i, ok := r.variableOf[p.declared.Name]; ok {
		c := r.choiceOf(i)
		if !c.standard {
			o.Default, o.Source = false, Pos{}
		}
		return r.chosen(c, pos, o)
	}
	if p.value == nil {
		return r.unknown(p, o)
	}
	v := withOrigin(p.value, o)
	v.Pos = pos
	return v
}

// unknown is the value of a parameter that has none. All such values share what
// is known of them.
func (r *resolver) unknown(p *parameter, o Origin) *Value {
	if p.why == nil {
		p.why = p.unknowing(false, nil)
	}
	return r.unknownFrom(p.why, o)
}

func (r *resolver) unknownFrom(why *Unknowing, o Origin) *Value {
	b := &originated{origin: o}
	b.value = Value{Kind: Unknown, Pos: o.Pos, Unknown: why, Origin: &b.origin}
	return &b.value
}

// unknowing is what is known of a parameter's value beside what it is not.
func (p *parameter) unknowing(nonEmpty bool, unlike []string) *Unknowing {
	var u *Unknowing
	if holdsList(p.declared.Type) {
		u = &Unknowing{Needs: []string{p.need}, filled: nonEmpty}
	} else {
		u = unknownText(p.need, nonEmpty || p.nonEmpty())
	}
	u.Secret, u.unlike = p.secret, unlike
	return u
}

// nonEmpty reports whether no value of the parameter is the empty string:
// CloudFormation checks numbers and AWS-specific types, and the allowed values.
func (p *parameter) nonEmpty() bool {
	if p.declared.Type != "String" && p.declared.Type != "" {
		return true
	}
	return len(p.declared.AllowedValues) > 0 && !slices.Contains(p.declared.AllowedValues, "")
}

// value resolves a value in the resolver's world: nil where it is AWS::NoValue.
// A subtree without intrinsics is returned as it is.
func (r *resolver) value(v *Value) *Value {
	if v == nil || !v.dynamic {
		return v
	}
	switch v.Kind {
	case String:
		b := r.text()
		b.literal(v.Text)
		return b.value(v.Pos, "")
	case List:
		out := r.store.value(List, v.Pos)
		out.Items = make([]*Value, 0, len(v.Items))
		for _, item := range v.Items {
			if x := r.value(item); x != nil {
				out.Items = append(out.Items, x)
			}
		}
		return out
	case Map:
		return r.mapping(v)
	}
	return v
}

// mapping resolves a Map: an intrinsic function, or plain fields.
func (r *resolver) mapping(v *Value) *Value {
	if len(v.Fields) == 1 {
		if out, ok := r.call(v, &v.Fields[0]); ok {
			return out
		}
	}
	fields := make([]Field, 0, len(v.Fields))
	for i := range v.Fields {
		f := &v.Fields[i]
		if strings.HasPrefix(f.Key, "Fn::") {
			if strings.HasPrefix(f.Key, forEachPrefix) {
				fields = r.expandFields(fields, f)
				continue
			}
			if f.Key == "Fn::Transform" {
				return r.transform(f.Pos, f.Value)
			}
		}
		if x := r.value(f.Value); x != nil {
			fields = append(fields, Field{Key: f.Key, Pos: f.Pos, Value: x})
		}
	}
	out := r.store.value(Map, v.Pos)
	out.Fields = fields
	return out
}

// resource resolves a declared resource in the world.
func (r *resolver) resource(d *Declared) *Resource {
	res := &Resource{LogicalID: d.LogicalID, Type: d.Type, Pos: d.Pos}
	if d.Body == nil || d.Body.Kind != Map {
		return res
	}
	others := 0
	for i := range d.Body.Fields {
		f := &d.Body.Fields[i]
		switch f.Key {
		case "Type":
			if f.Value != nil {
				res.TypePos = f.Value.Pos
			}
		case "Properties":
			res.Properties = r.value(f.Value)
		case "Metadata":
			res.Metadata = r.value(f.Value)
			if path := res.Metadata.Get("aws:cdk:path"); path.IsKind(String) {
				res.ConstructPath = path.Text
			}
		case "Condition":
		default:
			others++
		}
	}
	if res.Properties.IsKind(Null) {
		res.Properties = nil
	}
	if t := d.Body.Get("Fn::Transform"); t != nil { // it may bring or change any property
		res.Properties = r.transform(t.Pos, t)
	}
	if others > 0 {
		res.Attributes = r.attributes(d.Body, others)
	}
	return res
}

// attributes gathers what stands in a resource beside its type, properties,
// metadata and condition.
func (r *resolver) attributes(body *Value, n int) *Value {
	m := &Value{Kind: Map, Pos: body.Pos, Fields: make([]Field, 0, n)}
	for i := range body.Fields {
		f := &body.Fields[i]
		switch f.Key {
		case "Type", "Properties", "Metadata", "Condition":
			continue
		}
		if x := r.value(f.Value); x != nil {
			m.Fields = append(m.Fields, Field{Key: f.Key, Pos: f.Pos, Value: x})
		}
	}
	return m
}
