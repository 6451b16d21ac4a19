package ruleset

import (
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// noTexts is an empty list of texts.
var noTexts = types.NewStringList(types.DefaultTypeAdapter, nil)

// schemaFunctions compare a resource with CloudFormation's schema of its type.
func schemaFunctions() []Function {
	ask := func(name, doc, example string, of func(*mismatches) []mismatch) Function {
		return Function{
			Name: name, Group: "Resources", Doc: doc, Examples: []string{example},
			Signature: []string{name + "(resource) list(string)"},
			overloads: []overload{{args: []*cel.Type{cel.DynType}, result: cel.ListType(cel.StringType), call: func(a ...ref.Val) ref.Val {
				v, ok := a[0].(*view)
				if !ok || v.owner == nil || v.owner.resource == nil {
					return types.NewErr("%s is asked of a resource", name)
				}
				found := of(v.owner.mismatches())
				if len(found) == 0 {
					return noTexts
				}
				out := make([]string, len(found))
				for i, x := range found {
					out[i] = x.text
					if i == 0 && v.owner.trace != nil {
						v.owner.trace.seen(v.owner, x.at)
					}
				}
				return types.NewStringList(types.DefaultTypeAdapter, out)
			}}},
		}
	}
	return []Function{
		ask("unknownProperties", "Properties that the type's schema does not have, each with its path and the one that was most likely meant. What an intrinsic function gives is not looked into.",
			"unknownProperties(resource) == []", func(m *mismatches) []mismatch { return m.unknown }),
		ask("wrongTypes", "Properties whose value cannot be read as the type that the schema asks for, each with its path. CloudFormation's own conversions (\"true\", \"22\", one text for a list) are none.",
			"wrongTypes(resource) == []", func(m *mismatches) []mismatch { return m.wrong }),
		ask("missingProperties", "Paths of properties that the schema requires and the template does not set.",
			"missingProperties(resource) == []", func(m *mismatches) []mismatch { return m.missing }),
		{
			Name: "asWritten", Group: "Resources", Signature: []string{"asWritten(resource) bool"},
			Doc: "Whether CloudFormation will read the resource as it stands in the template: no macro rewrites it, and it is not what SAM makes of another.", Examples: []string{"asWritten(resource)"},
			overloads: []overload{{args: []*cel.Type{cel.DynType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
				v, ok := a[0].(*view)
				if !ok || v.owner == nil || v.owner.resource == nil {
					return types.NewErr("asWritten is asked of a resource")
				}
				return types.Bool(v.owner.comparable())
			}}},
		}, {
			Name: "nearestType", Group: "Resources", Signature: []string{"nearestType(type string) string"},
			Doc: "The resource type that a misspelt one most likely means, \"\" where none is close.", Examples: []string{`nearestType("AWS::S3::Buckett") == "AWS::S3::Bucket"`},
			overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.StringType, call: func(a ...ref.Val) ref.Val {
				return types.String(schema.Nearest(string(a[0].(types.String))))
			}}},
		},
	}
}

// mismatches is how a resource differs from the schema of its type.
type mismatches struct {
	unknown, wrong, missing []mismatch

	path []pathStep // to the value that is compared; no text is made of it before something is wrong there
}

type mismatch struct {
	text string
	at   *cfn.Value // whose place the finding has
}

// pathStep is a property or key, or an item of a list where name is "".
type pathStep struct {
	name  string
	index int
}

// asWritten are the transforms that leave resources as they are written, or
// whose work plumbline does itself.
var asWritten = []string{"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16"}

// comparable reports that the resource stands in the template as CloudFormation
// will read it: no macro rewrites it, SAM did not make it, and it is no live
// one, which leaves out what is written only.
func (o *owner) comparable() bool {
	t := o.model.Template
	if t == nil || o.resource.Expanded != "" {
		return false
	}
	for _, name := range t.Transforms {
		if !slices.Contains(asWritten, name) {
			return false
		}
	}
	return true
}

// matches is what a resource without a mismatch has.
var matches = &mismatches{}

// nothing is what a resource without properties sets.
var nothing = &cfn.Value{Kind: cfn.Map}

// comparisons is what was found of the resources of one judgement, for three
// rules ask for it. Not safe for concurrent use.
type comparisons struct {
	found map[*cfn.Resource]*mismatches
	work  mismatches // of the comparison under way
}

// mismatches compares a resource with its schema, once in a judgement.
func (o *owner) mismatches() *mismatches {
	c := o.compared
	if c == nil {
		c = &comparisons{}
	}
	if m := c.found[o.resource]; m != nil {
		return m
	}
	if s := schema.Lookup(o.resource.Type); s != nil {
		properties := o.resource.Properties
		if properties == nil {
			properties = nothing
		}
		c.work.object(properties, s.Type)
	}
	m := matches
	if w := &c.work; len(w.unknown)+len(w.wrong)+len(w.missing) > 0 {
		m = &mismatches{unknown: w.unknown, wrong: w.wrong, missing: w.missing}
		w.unknown, w.wrong, w.missing = nil, nil, nil
	}
	if c.found == nil {
		c.found = map[*cfn.Resource]*mismatches{}
	}
	c.found[o.resource] = m
	return m
}

// at is the path to the property of what is compared now, as text.
func (m *mismatches) at(property string) string {
	var b strings.Builder
	for _, s := range m.path {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case b.Len() > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	if property != "" && b.Len() > 0 {
		b.WriteByte('.')
	}
	return b.String() + property
}

// below compares what stands a step further.
func (m *mismatches) below(name string, index int, v *cfn.Value, t *schema.Type) {
	m.path = append(m.path, pathStep{name, index})
	m.value(v, t)
	m.path = m.path[:len(m.path)-1]
}

// value compares one value with its type. What is not known may be anything.
func (m *mismatches) value(v *cfn.Value, t *schema.Type) {
	if v == nil || t == nil || v.Kind == cfn.Null || v.Kind == cfn.Unknown {
		return
	}
	switch t.Kind {
	case schema.String:
		if v.Kind != cfn.List && v.Kind != cfn.Map {
			return
		}
	case schema.Object:
		if v = cfn.Normalize(v, t); v.Kind == cfn.Map {
			m.object(v, t)
			return
		}
	case schema.Map:
		if v = cfn.Normalize(v, t); v.Kind == cfn.Map {
			for i := range v.Fields {
				m.below(v.Fields[i].Key, 0, v.Fields[i].Value, t.Elem)
			}
			return
		}
	case schema.List:
		if v.Kind != cfn.List {
			m.value(v, t.Elem) // CloudFormation makes a list of one
			return
		}
		for i, item := range v.Items {
			m.below("", i, item, t.Elem)
		}
		return
	case schema.Bool:
		if v.Kind == cfn.Bool || cfn.Normalize(v, t).Kind == cfn.Bool {
			return
		}
	case schema.Integer, schema.Double:
		if v.Kind == cfn.Number || cfn.Normalize(v, t).Kind == cfn.Number {
			return
		}
	default:
		return
	}
	m.wrong = append(m.wrong, mismatch{m.at("") + " is " + describeValue(v) + ", and " + describeType(t) + " is asked for", v})
}

// object compares properties with those that the type has.
func (m *mismatches) object(v *cfn.Value, t *schema.Type) {
	if v.Kind != cfn.Map || len(t.Properties) == 0 {
		return
	}
	for i := range v.Fields {
		f := &v.Fields[i]
		p := t.Property(f.Key)
		switch {
		case p != nil:
			if p.Type.Kind != schema.Any {
				m.below(f.Key, 0, f.Value, p.Type)
			}
		case strings.HasPrefix(f.Key, "Fn::") || f.Value.IsKind(cfn.Null): // what a macro or a loop will make of it
		default:
			text := m.at(f.Key) + " is no property of " + t.Name
			if near := t.Nearest(f.Key); near != "" {
				text += ", did you mean " + near + "?"
			}
			m.unknown = append(m.unknown, mismatch{text, f.Value})
		}
	}
	for i := range t.Properties {
		p := &t.Properties[i]
		if p.Required && v.Get(p.Name) == nil {
			m.missing = append(m.missing, mismatch{m.at(p.Name), v})
		}
	}
}
