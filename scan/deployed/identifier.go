package deployed

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/scan"
)

// identifier makes Cloud Control's identifier of a resource: the values of the
// type's primary identifier, joined by "|". Where that is one property it is
// the physical id; else the properties are read from the template and the
// physical id stands for the one that only the service knows. why says what
// could not be told.
func identifier(x scan.OwnedResource, written *cfn.Resource, physical map[string]string) (id, why string) {
	s := schema.Lookup(x.Type)
	if s == nil || len(s.PrimaryIdentifier) < 2 || strings.Count(x.Physical, "|") == len(s.PrimaryIdentifier)-1 {
		return x.Physical, ""
	}
	parts := make([]string, len(s.PrimaryIdentifier))
	for i, name := range s.PrimaryIdentifier {
		var v *cfn.Value
		if written != nil {
			v = written.Properties.Lookup(strings.Split(name, "/")...)
		}
		switch {
		case slices.Contains(s.ReadOnly, name):
			parts[i] = x.Physical
		case v.IsKind(cfn.String), v.IsKind(cfn.Number):
			parts[i] = v.Text
		case v.IsKind(cfn.Unknown) && v.Unknown.Ref != nil && v.Unknown.Ref.Attribute == "" && physical[v.Unknown.Ref.LogicalID] != "":
			parts[i] = physical[v.Unknown.Ref.LogicalID]
		case v == nil && i == len(parts)-1 || v.IsKind(cfn.Unknown) && written != nil && own(s, i, parts):
			parts[i] = x.Physical
		default:
			return "", fmt.Sprintf("%s is read by %s, and the template does not tell its %s", x.Type, strings.Join(s.PrimaryIdentifier, " and "), name)
		}
	}
	return strings.Join(parts, "|"), ""
}

// own reports whether the nth part is the last that is open, so that the
// physical id can only be it.
func own(s *schema.Resource, n int, parts []string) bool {
	return n == len(s.PrimaryIdentifier)-1 && !slices.Contains(parts[:n], "")
}
