package ruleset

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
)

// toPlain turns a CEL value into a plain one.
func toPlain(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.String:
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Double:
		return float64(v), nil
	case types.Null, absent:
		return nil, nil
	case *symbolic:
		return v.intrinsic()
	case *types.Err:
		return nil, v
	case *view:
		return plainValue(v.value)
	case traits.Lister:
		out := []any{}
		for _, x := range elements(v) {
			p, err := toPlain(x)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	}
	if m := keysOf(v); m != nil {
		out := map[string]any{}
		for _, k := range m.keys {
			name, ok := k.(types.String)
			if !ok {
				return nil, fmt.Errorf("a key of the value is no text")
			}
			p, err := toPlain(m.get(k))
			if err != nil {
				return nil, err
			}
			out[string(name)] = p
		}
		return out, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be written into a template", v.Type().TypeName())
}

// intrinsic writes a symbolic text as Ref, Fn::GetAtt or Fn::Sub.
func (s *symbolic) intrinsic() (any, error) {
	if len(s.pieces) == 1 && s.pieces[0].ref != nil {
		r := s.pieces[0].ref
		if r.Attribute == "" {
			return map[string]any{"Ref": r.LogicalID}, nil
		}
		return map[string]any{"Fn::GetAtt": []any{r.LogicalID, r.Attribute}}, nil
	}
	for _, p := range s.pieces {
		if p.gap && p.ref == nil {
			return nil, &missingError{s.needs}
		}
	}
	var b strings.Builder
	for _, p := range s.pieces {
		if p.gap {
			b.WriteString(renderRef(p.ref))
		} else {
			b.WriteString(strings.ReplaceAll(p.text, "${", "${!"))
		}
	}
	return map[string]any{"Fn::Sub": b.String()}, nil
}

// missingError says that a part of a value is not known.
type missingError struct{ needs []string }

func (e *missingError) Error() string { return "the value needs " + joinWords(e.needs) }

// plainValue is a template's value as a plain one.
func plainValue(v *cfn.Value) (any, error) {
	switch {
	case v == nil || v.Kind == cfn.Null:
		return nil, nil
	case v.Kind == cfn.List:
		out := []any{}
		for _, item := range v.Items {
			p, err := plainValue(item)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	case v.Kind == cfn.Map:
		out := map[string]any{}
		for _, f := range v.Fields {
			p, err := plainValue(f.Value)
			if err != nil {
				return nil, err
			}
			out[f.Key] = p
		}
		return out, nil
	case v.Kind == cfn.Unknown:
		if s := (&owner{}).symbolicOf(v.Unknown); s != nil {
			return s.intrinsic()
		}
		return nil, &missingError{v.Unknown.Needs}
	}
	return toPlain((&owner{}).convertAny(v))
}
