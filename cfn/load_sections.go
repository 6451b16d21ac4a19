package cfn

import (
	"bytes"
	"strings"

	"plumbline/internal/nearest"
)

// sectionNames are the top-level keys that CloudFormation allows; Globals
// belongs to the serverless transform.
var sectionNames = [...]string{
	"AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata", "Outputs", "Parameters",
	"Resources", "Rules", "Transform",
}

// formatVersion is the only value of AWSTemplateFormatVersion there has ever
// been. Converters that take it for a date write a time behind it.
const formatVersion = "2010-09-09"

// sections fills t from its root. The problem it returns leaves nothing to judge.
func (l *loader) sections(t *Template) *Problem {
	root := t.Root
	if root.Kind == Null {
		return l.notTemplate(root.Pos, "the file is empty; a template has at least a Resources section")
	}
	if root.Kind != Map {
		return l.notTemplate(root.Pos, "the file holds %s; a template is a map with a Resources section", aKind(root))
	}
	resources, at := section(root, "Resources")
	if problem := l.intended(root, resources, at); problem != nil {
		return problem
	}
	l.transforms(t)
	l.unknownSections(t)
	if v, _ := section(root, "AWSTemplateFormatVersion"); v != nil && v.Kind != Null && !strings.HasPrefix(v.Text, formatVersion) {
		l.note(v.Pos, "AWSTemplateFormatVersion is %s; the only version is %q. write that, or leave the line out", shown(v), formatVersion)
	}
	t.Metadata = l.mapSection(root, "Metadata")
	t.Mappings = l.mapSection(root, "Mappings")
	t.Outputs = l.mapSection(root, "Outputs")
	if v := l.mapSection(root, "Conditions"); v != nil {
		t.Conditions = v.Fields
	}
	if v := l.mapSection(root, "Parameters"); v != nil {
		l.parameters(t, v)
	}
	switch {
	case resources == nil:
		// intended has told what is to be told.
	case resources.Kind == Map:
		l.resources(t, resources)
	case resources.Kind == Null:
		l.note(at, "Resources is empty; a template has at least one resource. is the file cut off?")
	default:
		return l.problem(resources.Pos, "Resources is %s; it must be a map of logical ids to resources", aKind(resources))
	}
	return nil
}

// section returns a section of the template and the place of its key.
func section(root *Value, name string) (*Value, Pos) {
	for i := range root.Fields {
		if root.Fields[i].Key == name {
			return root.Fields[i].Value, root.Fields[i].Pos
		}
	}
	return nil, Pos{}
}

// resourcesIs begins the message about a Resources section that is no map.
const resourcesIs = "Resources is "

// intended refuses what was not meant to be a template. A map without
// Resources that has other signs of one is a template with a problem, save for
// a CDK stack to which nothing was added: it declares only what the CDK itself
// needs. An empty map is a template to which nothing was added yet.
func (l *loader) intended(root, resources *Value, at Pos) *Problem {
	if resources != nil && (resources.Kind == Map || resources.Kind == Null) {
		return nil
	}
	if len(root.Fields) == 0 {
		return nil
	}
	version, _ := section(root, "AWSTemplateFormatVersion")
	transform, _ := section(root, "Transform")
	signs := version != nil || transform != nil
	if resources != nil {
		if signs || bytes.Contains(l.src, []byte("AWS::")) {
			return nil
		}
		return l.notTemplate(at, resourcesIs+"%s; it must be a map of logical ids to resources", aKind(resources))
	}
	if root.Lookup("Parameters", "BootstrapVersion") != nil && root.Lookup("Rules", "CheckBootstrapVersion") != nil {
		return nil
	}
	for _, f := range root.Fields {
		if (signs || holdsResources(f.Value)) && nearest.Of(f.Key, []string{"Resources"}) != "" {
			return l.problem(f.Pos, "section %q is none that a template has, and there is no Resources section. did you mean \"Resources\"?", f.Key)
		}
	}
	if !signs {
		return l.notTemplate(root.Pos, "no CloudFormation template: there is no Resources section")
	}
	return l.problem(root.Pos, "there is no Resources section; a template has at least one resource. is the file cut off?")
}

// holdsResources reports whether v is a map whose first entry is a resource.
func holdsResources(v *Value) bool {
	if !v.IsKind(Map) || len(v.Fields) == 0 {
		return false
	}
	typ := v.Fields[0].Value.Get("Type")
	return typ.IsKind(String) && strings.Contains(typ.Text, "::")
}

// mapSection returns a section that must be a map, nil where it is absent,
// left empty, or wrong, which is noted.
func (l *loader) mapSection(root *Value, name string) *Value {
	v, _ := section(root, name)
	if v == nil || v.Kind == Null {
		return nil
	}
	if v.Kind != Map {
		l.note(v.Pos, "%s is %s; it must be a map", name, aKind(v))
		return nil
	}
	return v
}

// unknownSections notes top-level keys that CloudFormation would refuse. With a
// macro of the user's own over the template anything may stand there.
func (l *loader) unknownSections(t *Template) {
	for _, name := range t.Transforms {
		if !strings.HasPrefix(name, "AWS::") {
			return
		}
	}
	for _, f := range t.Root.Fields {
		if len(l.problems) == MaxProblems {
			return
		}
		if isSection(f.Key) {
			continue
		}
		if near := nearest.Of(f.Key, sectionNames[:]); near != "" {
			l.note(f.Pos, "section %q is none that a template has. did you mean %q?", f.Key, near)
			continue
		}
		l.note(f.Pos, "section %q is none that a template has. allowed are %s", f.Key, strings.Join(sectionNames[:], ", "))
	}
}

func isSection(key string) bool {
	for _, name := range sectionNames {
		if key == name {
			return true
		}
	}
	return strings.HasPrefix(key, "Fn::Transform")
}

// transforms reads the Transform section: a name, a map with a Name, or a list of these.
func (l *loader) transforms(t *Template) {
	v, _ := section(t.Root, "Transform")
	if v == nil {
		return
	}
	items := []*Value{v}
	if v.Kind == List {
		items = v.Items
	}
	for _, item := range items {
		name := item
		if item.Kind == Map {
			name = item.Get("Name")
		}
		switch {
		case name.IsKind(String):
			t.Transforms = append(t.Transforms, name.Text)
		case item.Kind != Null:
			l.note(item.Pos, "a transform is %s; it must be the name of a macro, or a map with a Name", aKind(item))
		}
	}
}

// parameters reads the Parameters section.
func (l *loader) parameters(t *Template, section *Value) {
	t.Parameters = make([]*Parameter, 0, len(section.Fields))
	all := make([]Parameter, len(section.Fields))
	for i, f := range section.Fields {
		if f.Value.Kind != Map {
			l.note(f.Pos, "parameter %q is %s; it must be a map with a Type", f.Key, aKind(f.Value))
			continue
		}
		p := &all[i]
		*p = Parameter{Name: f.Key, Pos: f.Pos, Body: f.Value, Type: "String", Default: f.Value.Get("Default")}
		switch typ := f.Value.Get("Type"); {
		case typ.IsKind(String):
			p.Type = typ.Text
		case typ == nil:
			l.note(f.Pos, "parameter %q has no Type, such as String or Number", f.Key)
		default:
			l.note(typ.Pos, "the Type of parameter %q is %s; it must be text, such as String or Number", f.Key, aKind(typ))
		}
		if p.Default.IsKind(Null) {
			p.Default = nil
		}
		if noEcho := f.Value.Get("NoEcho"); noEcho != nil {
			p.NoEcho = strings.EqualFold(noEcho.Text, "true")
		}
		if allowed := f.Value.Get("AllowedValues"); allowed.IsKind(List) {
			p.AllowedValues = make([]string, 0, len(allowed.Items))
			for _, item := range allowed.Items {
				p.AllowedValues = append(p.AllowedValues, item.Text)
			}
		}
		t.Parameters = append(t.Parameters, p)
	}
}

// Parameter returns the parameter of this name, nil where the template declares none.
func (t *Template) Parameter(name string) *Parameter {
	for _, p := range t.Parameters {
		if p.Name == name {
			return p
		}
	}
	return nil
}
