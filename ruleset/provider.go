package ruleset

import (
	"strings"
	"sync"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"plumbline/cfn/schema"
)

// celTypes caches the CEL type of a schema type, and finds the schema type of
// an object by its name. Schema types are shared and live as long as the
// process, so one cache serves every Set.
var celTypes struct {
	byType sync.Map // *schema.Type → *types.Type
	byName sync.Map // string → *schema.Type, objects only
}

// celType is the CEL type of a schema type: dyn for what the schema leaves open.
func celType(t *schema.Type) *types.Type {
	switch t.Kind {
	case schema.String:
		return types.StringType
	case schema.Integer:
		return types.IntType
	case schema.Double:
		return types.DoubleType
	case schema.Bool:
		return types.BoolType
	case schema.List, schema.Map, schema.Object:
		if c, ok := celTypes.byType.Load(t); ok {
			return c.(*types.Type)
		}
		var made *types.Type
		switch t.Kind {
		case schema.List:
			made = types.NewListType(celType(t.Elem))
		case schema.Map:
			made = types.NewMapType(types.StringType, celType(t.Elem))
		default:
			celTypes.byName.LoadOrStore(t.Name, t)
			made = types.NewObjectType(t.Name)
		}
		c, _ := celTypes.byType.LoadOrStore(t, made)
		return c.(*types.Type)
	}
	return types.DynType
}

// provider tells CEL's checker about the schema's types. It is immutable but
// for missed, which is set only while an error message is made.
type provider struct {
	types.Provider
	missed *[]missedField // where not nil, receives fields that were asked for and do not exist
}

// missedField is a selection that the checker refused.
type missedField struct {
	typ   *schema.Type
	field string
}

func findObject(name string) *schema.Type {
	if t, ok := celTypes.byName.Load(name); ok {
		return t.(*schema.Type)
	}
	if !strings.Contains(name, "::") {
		return nil
	}
	// A type that a rule names before it was met: the resource's own, since
	// definitions are met through it.
	if r := schema.Lookup(name); r != nil {
		celType(r.Type)
		return r.Type
	}
	return nil
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if t := findObject(name); t != nil {
		return types.NewTypeTypeWithParam(celType(t)), true
	}
	return p.Provider.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	t := findObject(name)
	if t == nil {
		return p.Provider.FindStructFieldNames(name)
	}
	names := make([]string, len(t.Properties))
	for i := range t.Properties {
		names[i] = t.Properties[i].Name
	}
	return names, true
}

// FindStructFieldType gives no accessors: with them CEL's has() asks IsSet,
// which can only say true or false where the object is unknown. Without them it
// asks the value itself.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	t := findObject(name)
	if t == nil {
		return p.Provider.FindStructFieldType(name, field)
	}
	prop := t.Property(field)
	if prop == nil {
		if p.missed != nil {
			*p.missed = append(*p.missed, missedField{t, field})
		}
		return nil, false
	}
	return &types.FieldType{Type: celType(prop.Type)}, true
}

// adapter hands our values through without a look at their Go type.
type adapter struct{ types.Adapter }

func (a adapter) NativeToValue(v any) ref.Val {
	if v, ok := v.(ref.Val); ok {
		return v
	}
	return a.Adapter.NativeToValue(v)
}
