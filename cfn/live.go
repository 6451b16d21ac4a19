package cfn

import "fmt"

// Live makes a resource of the model of a deployed one as Cloud Control gives
// it: a JSON object of the type's properties, read-only ones included. The id
// stands where a template's logical id does. Nothing of it is unknown, and
// nothing has a place. The error says what the model is instead.
func Live(typ, id string, model []byte) (*Resource, error) {
	v, err := parseJSON(model, Pos{})
	if err != nil {
		return nil, fmt.Errorf("read the live model of %s %q: %w", typ, id, err)
	}
	if v.Kind != Map {
		return nil, fmt.Errorf("read the live model of %s %q: it is a %s; Cloud Control gives an object of properties", typ, id, v.Kind.noun())
	}
	return &Resource{LogicalID: id, Type: typ, Properties: v}, nil
}
