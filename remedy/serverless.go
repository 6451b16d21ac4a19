package remedy

import (
	"fmt"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/edit"
	"plumbline/cfn/schema"
)

// serverless is what SAM calls properties of the resource that a type of its
// own is expanded to, where it calls them otherwise. Those that it calls the
// same and that are in its schema are handed on as they are.
var serverless = map[string]map[string]string{
	"AWS::Serverless::Function":     {"TracingConfig.Mode": "Tracing"},
	"AWS::Serverless::SimpleTable":  {"SSESpecification.SSEEnabled": "SSESpecification.SSEEnabled"},
	"AWS::Serverless::StateMachine": {"TracingConfiguration.Enabled": "Tracing.Enabled", "LoggingConfiguration.Level": "Logging.Level", "LoggingConfiguration.IncludeExecutionData": "Logging.IncludeExecutionData"},
}

// expandedFrom is the resource of a SAM type that a resource was derived from,
// nil where it is written itself, or the template writes none for it.
func expandedFrom(t *cfn.Template, resource *cfn.Resource) *cfn.Declared {
	for _, d := range t.Resources {
		if strings.HasPrefix(d.Type, "AWS::Serverless::") && d.Type != resource.Type && d.ForEach == nil &&
			(d.LogicalID == resource.LogicalID || resource.Expanded == d.Type && resource.Pos == d.Pos) {
			return d
		}
	}
	return nil
}

// writtenID is the logical id under which the template writes a resource.
func writtenID(t *cfn.Template, resource *cfn.Resource) string {
	if d := expandedFrom(t, resource); d != nil {
		return d.LogicalID
	}
	return resource.LogicalID
}

// inSAM is an operation in the terms of the SAM type that a resource is written
// as. The error says that SAM has no property for it.
func inSAM(t *cfn.Template, declared *cfn.Declared, resource *cfn.Resource, op cfn.Op) (cfn.Op, error) {
	refused := &edit.Error{Path: t.Path, Pos: declared.Pos, Message: fmt.Sprintf(
		"%s is written as %s and expanded by a macro: it has no property that gives %s", resource.LogicalID, declared.Type, strings.Join(op.Path, "."))}
	s := schema.Lookup(declared.Type)
	if s == nil {
		return op, refused
	}
	if name, ok := serverless[declared.Type][strings.Join(op.Path, ".")]; ok {
		return cfn.Op{Do: op.Do, Path: strings.Split(name, "."), Value: op.Value}, nil
	}
	p := s.Type.Property(op.Path[0])
	if p == nil {
		return op, refused
	}
	own := schema.Lookup(resource.Type).Type.Property(op.Path[0])
	switch {
	case own == nil:
		return op, refused
	case op.Path[0] == "Tags" && own.Type.Kind == schema.List: // SAM's are always a mapping
		return samTag(resource, op, refused)
	case own.Type.Kind != p.Type.Kind && p.Type.Kind != schema.Any:
		return op, refused
	}
	return op, nil
}

// samTag is an operation on a list of tags as one on SAM's mapping of them.
func samTag(resource *cfn.Resource, op cfn.Op, refused error) (cfn.Op, error) {
	switch {
	case op.Do == cfn.OpAdd && len(op.Path) == 1:
		tag, _ := op.Value.(map[string]any)
		if key, ok := tag["Key"].(string); ok {
			return cfn.Op{Do: cfn.OpSet, Path: []string{"Tags", key}, Value: tag["Value"]}, nil
		}
	case op.Do == cfn.OpSet && len(op.Path) == 3 && op.Path[2] == "Value":
		if key := resource.Properties.Lookup("Tags", op.Path[1], "Key"); key.IsKind(cfn.String) {
			return cfn.Op{Do: cfn.OpSet, Path: []string{"Tags", key.Text}, Value: op.Value}, nil
		}
	}
	return op, refused
}
