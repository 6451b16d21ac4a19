package ruleset

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"plumbline/finding"
)

// ReadRule decodes one rule file strictly: an unknown key, a duplicate key or
// a value of the wrong kind is a *PlaceError, and all of the file's are
// joined. The expressions are not compiled.
func ReadRule(path string, src []byte) (*Rule, error) {
	d := &ruleDecoder{yamlReader: yamlReader{path: path}, lines: strings.Split(string(src), "\n")}
	root := d.readDocument(src)
	if root == nil {
		if len(d.errs) == 0 {
			d.bad(&yaml.Node{Line: 1, Column: 1}, "empty rule file. a rule has at least id, title, severity, domain, types and pass")
		}
		return nil, d.err()
	}
	r := d.rule(root)
	return r, d.err()
}

// ruleDecoder decodes one rule file. It walks the nodes by hand: rules are
// read while a scan waits, and reflection costs more than the YAML.
type ruleDecoder struct {
	yamlReader
	lines []string // of the source, to find where block texts begin
}

// mapping calls field for each key of a mapping and reports unknown and
// repeated keys. It returns the keys seen, none where n is no mapping.
func (d *ruleDecoder) mapping(n *yaml.Node, what string, allowed []string, field func(key string, value *yaml.Node)) map[string]bool {
	n = resolveAlias(n)
	seen := map[string]bool{}
	if n.Kind != yaml.MappingNode {
		d.bad(n, "%s is %s. a mapping with the keys %s is needed", what, nodeKind(n), strings.Join(allowed, ", "))
		return seen
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(allowed, k.Value):
			d.bad(k, "unknown key %q in %s.%s", k.Value, what, suggest(k.Value, allowed))
		case seen[k.Value]:
			d.bad(k, "key %q stands twice in %s", k.Value, what)
		default:
			seen[k.Value] = true
			field(k.Value, resolveAlias(v))
		}
	}
	return seen
}

var ruleKeys = []string{"id", "title", "severity", "domain", "types", "relations", "let", "when", "pass", "message", "at",
	"remediation", "fix", "breaks", "cutsOff", "irreversible", "equivalents", "references", "deprecated"}

// identifiers compiles the two name patterns at first use, not at start.
var identifiers = sync.OnceValue(func() (re struct{ id, name *regexp.Regexp }) {
	re.id = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	re.name = regexp.MustCompile(`^[a-z][A-Za-z0-9_]*$`)
	return re
})

func (d *ruleDecoder) rule(n *yaml.Node) *Rule {
	r := &Rule{File: d.path, Line: n.Line}
	at := map[string]*yaml.Node{}
	seen := d.mapping(n, "a rule", ruleKeys, func(key string, v *yaml.Node) {
		at[key] = v
		switch key {
		case "id":
			r.ID, r.Line = d.text(v, key), v.Line
		case "title":
			r.Title = d.text(v, key)
		case "severity":
			r.Severity = pick(d, v, key, finding.Severities)
		case "domain":
			r.Domain = pick(d, v, key, finding.Domains)
		case "types":
			d.types(r, v)
		case "relations":
			d.relations(r, v)
		case "let":
			d.let(r, v)
		case "when":
			r.When = d.expression(v, key)
		case "pass":
			r.Pass = d.expression(v, key)
		case "message":
			r.Message = d.expression(v, key)
		case "at":
			r.At = d.text(v, key)
		case "remediation":
			r.Remediation = strings.TrimSpace(d.text(v, key))
		case "fix":
			d.fix(r, v)
		case "breaks":
			r.Breaks = strings.TrimSpace(d.text(v, key))
		case "cutsOff":
			r.CutsOff = d.flag(v, key)
		case "irreversible":
			r.Permanent = strings.TrimSpace(d.text(v, key))
		case "equivalents":
			d.equivalents(r, v)
		case "references":
			r.References = d.texts(v, key)
		case "deprecated":
			r.Deprecated = d.flag(v, key)
		}
	})
	if len(seen) == 0 {
		return r
	}
	for _, key := range []string{"id", "title", "severity", "domain", "types", "pass"} {
		if !seen[key] {
			d.bad(n, "key %q is missing. a rule has at least id, title, severity, domain, types and pass", key)
		}
	}
	for _, key := range []string{"cutsOff", "irreversible"} {
		if seen[key] && r.Breaks == "" {
			d.bad(at[key], "%s without breaks. say in breaks, for people, what the fix does to whom", key)
		}
	}
	if r.ID != "" && !identifiers().id.MatchString(r.ID) {
		d.bad(at["id"], "id %q is not lower-case words joined by hyphens, such as s3-bucket-versioning", r.ID)
	}
	d.names(r, n)
	return r
}

// names refuses variables that are declared twice or hide a built-in one.
func (d *ruleDecoder) names(r *Rule, n *yaml.Node) {
	taken := map[string]string{"resource": "a built-in variable", "self": "a built-in variable", "policy": "a built-in variable", "template": "a built-in variable", itemName: "the variable of fix steps"}
	check := func(name, as string, line int) {
		place := &yaml.Node{Line: line, Column: n.Column + 2}
		if !identifiers().name.MatchString(name) {
			d.bad(place, "name %q does not begin with a lower-case letter or holds other than letters, digits and _", name)
		} else if is, ok := taken[name]; ok {
			d.bad(place, "name %q is already %s", name, is)
		}
		taken[name] = as
	}
	for i := range r.Relations {
		check(r.Relations[i].Name, "a relation", r.Relations[i].Line)
	}
	for i := range r.Let {
		check(r.Let[i].Name, "a let", r.Let[i].Line)
	}
}

func (d *ruleDecoder) types(r *Rule, v *yaml.Node) {
	if v.Kind == yaml.ScalarNode {
		switch v.Value {
		case "taggable":
			r.Match = MatchTaggable
		case "any":
			r.Match = MatchAny
		case "unknown":
			r.Match = MatchUnknown
		default:
			d.bad(v, "types is %q. a list of CloudFormation types, or one of taggable, any, unknown, is needed", v.Value)
		}
		return
	}
	r.Types = d.texts(v, "types")
	if len(r.Types) == 0 && v.Kind == yaml.SequenceNode {
		d.bad(v, "types is empty. name at least one CloudFormation type, such as AWS::S3::Bucket")
	}
}

func (d *ruleDecoder) relations(r *Rule, v *yaml.Node) {
	if v.Kind != yaml.MappingNode {
		d.bad(v, "relations is %s. a mapping from name to {type, by | from | any} is needed", nodeKind(v))
		return
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name, body := v.Content[i], v.Content[i+1]
		rel := Relation{Name: name.Value, Line: name.Line}
		d.mapping(body, "relation "+name.Value, []string{"type", "by", "from", "any", "of", "live"}, func(key string, v *yaml.Node) {
			switch key {
			case "type":
				rel.Type = d.text(v, key)
			case "by":
				rel.By = d.text(v, key)
			case "from":
				rel.From = d.text(v, key)
			case "any":
				rel.Any = d.flag(v, key)
			case "of":
				rel.Of = d.text(v, key)
			case "live":
				rel.Live = d.text(v, key)
			}
		})
		ways := 0
		for _, set := range []bool{rel.By != "", rel.From != "", rel.Any} {
			if set {
				ways++
			}
		}
		earlier := func(x Relation) bool { return x.Name == rel.Of }
		switch {
		case rel.Type == "":
			d.bad(name, "relation %q has no type", name.Value)
		case ways != 1:
			d.bad(name, "relation %q has %d of by, from and any. exactly one is needed", name.Value, ways)
		case rel.Of != "" && !slices.ContainsFunc(r.Relations, earlier):
			d.bad(name, "relation %q is of %q, which is not a relation before it", name.Value, rel.Of)
		case rel.Of != "" && rel.Any:
			d.bad(name, "relation %q takes any resource, so `of` has no meaning", name.Value)
		}
		r.Relations = append(r.Relations, rel)
	}
}

func (d *ruleDecoder) let(r *Rule, v *yaml.Node) {
	if v.Kind != yaml.MappingNode {
		d.bad(v, "let is %s. a mapping from name to CEL expression is needed", nodeKind(v))
		return
	}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name := v.Content[i]
		r.Let = append(r.Let, Let{Name: name.Value, Expression: d.expression(v.Content[i+1], "let "+name.Value)})
	}
}
