package ruleset

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"plumbline/cfn/schema"
	"plumbline/finding"
)

// Scaffold is what a new rule begins with.
type Scaffold struct {
	ID       string           // its first word is the folder: s3-bucket-inventory is s3/bucket-inventory.yaml
	Type     string           // CloudFormation type
	Title    string           // empty: made of the property
	Domain   finding.Domain   // empty: configuration
	Severity finding.Severity // empty: medium
	Property string           // the first property to look at; empty: one of the type's plain properties

	Framework   string // with Requirement: the line to add to the framework's file; both may be empty
	Requirement string
	Fit         Fit // empty: partial
}

// Files makes the new rule's file, its cases and, where a requirement is
// given, the framework's file with one line more: paths in the rules' file
// system to whole contents. The rule compiles and its cases hold, so a rule
// author starts from green. rules is what is there already; an id that exists
// is refused, as is an unknown type, property, framework or requirement. builtin
// are the rules that a user's own stand beside, nil for none: a framework of
// theirs is extended by a file of the same id.
func (s Scaffold) Files(rules, builtin fs.FS) (map[string][]byte, error) {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	s.Domain = cmp.Or(s.Domain, finding.Configuration)
	s.Severity = cmp.Or(s.Severity, finding.Medium)
	s.Fit = cmp.Or(s.Fit, FitPartial)

	folder, stem, ok := strings.Cut(s.ID, "-")
	if !ok || !identifiers().id.MatchString(s.ID) {
		refuse("rule id %q: want a service and what is right, in lower-case words joined by hyphens, such as s3-bucket-versioning", s.ID)
	}
	if folder == FrameworkDir {
		refuse("rule id %q: the folder %s holds frameworks. begin with a service", s.ID, FrameworkDir)
	}
	if problem := notIn(string(s.Domain), asStrings(finding.Domains)); problem != "" {
		refuse("domain %s", problem)
	}
	if problem := notIn(string(s.Severity), asStrings(finding.Severities)); problem != "" {
		refuse("severity %s", problem)
	}
	if problem := notIn(string(s.Fit), asStrings(Fits)); problem != "" {
		refuse("fit %s", problem)
	}
	name := folder + "/" + stem + ".yaml"
	if _, err := fs.Stat(rules, name); err == nil {
		refuse("rule %q is there already, in %s", s.ID, name)
	}
	if builtin != nil {
		if _, err := fs.Stat(builtin, name); err == nil && len(errs) == 0 {
			refuse("rule %q is a built-in one. choose another id", s.ID)
		}
	}
	property, err := s.property()
	if err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	files := map[string][]byte{}
	if s.Framework != "" || s.Requirement != "" {
		file, content, err := s.frameworkLine(rules, builtin)
		if err != nil {
			return nil, err
		}
		files[file] = content
	}
	title := cmp.Or(s.Title, strings.TrimPrefix(s.Type, "AWS::")+" sets "+property.Name)
	fill := strings.NewReplacer("<id>", s.ID, "<title>", title, "<severity>", string(s.Severity), "<domain>", string(s.Domain),
		"<type>", s.Type, "<property>", property.Name, "<sample>", sampleOf(property.Type))
	files[name] = []byte(fill.Replace(ruleScaffold))
	files[folder+"/"+stem+caseSuffix] = []byte(fill.Replace(casesScaffold))
	return files, nil
}

func asStrings[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return out
}

// property is the property that the new rule looks at.
func (s Scaffold) property() (schema.Property, error) {
	r := schema.Lookup(s.Type)
	if r == nil {
		return schema.Property{}, fmt.Errorf("no resource type %q is known.%s", s.Type, meant(schema.Nearest(s.Type)))
	}
	if s.Property != "" {
		if p := r.Type.Property(s.Property); p != nil {
			return *p, nil
		}
		return schema.Property{}, fmt.Errorf("%s has no property %q.%s", s.Type, s.Property, meant(r.Type.Nearest(s.Property)))
	}
	for _, p := range r.Type.Properties {
		if k := p.Type.Kind; k == schema.String || k == schema.Bool || k == schema.Integer {
			return p, nil
		}
	}
	if len(r.Type.Properties) == 0 {
		return schema.Property{}, fmt.Errorf("%s has no properties to judge", s.Type)
	}
	return r.Type.Properties[0], nil
}

func meant(near string) string {
	if near == "" {
		return ""
	}
	return fmt.Sprintf(" did you mean %q?", near)
}

// sampleOf is a value of the type, as YAML.
func sampleOf(t *schema.Type) string {
	switch t.Kind {
	case schema.Bool:
		return "true"
	case schema.Integer, schema.Double:
		return "1"
	case schema.List:
		return "[" + sampleOf(t.Elem) + "]"
	case schema.Map, schema.Object, schema.Any:
		return "{}"
	default:
		if len(t.Enum) > 0 {
			return `"` + t.Enum[0] + `"`
		}
		return "example"
	}
}

const ruleScaffold = `id: <id>
title: <title>
severity: <severity>
domain: <domain>
types: [<type>]
pass: has(resource.<property>)
message: |
  "<property> is not set"
remediation: Set <property>.
`

const casesScaffold = `- name: set
  properties: {<property>: <sample>}
  want: pass
- name: absent
  properties: {}
  want: fail
  message: <property> is not set
`
