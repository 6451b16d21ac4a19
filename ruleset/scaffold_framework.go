package ruleset

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/internal/nearest"
)

// frameworkLine is the framework's file with a line for the new rule. A built-in
// framework cannot be written to: a file of its id among the user's rules adds to it.
func (s Scaffold) frameworkLine(rules, builtin fs.FS) (file string, content []byte, err error) {
	own, err := ReadFrameworks(rules)
	if err != nil {
		return "", nil, err
	}
	var given Frameworks
	if builtin != nil {
		if given, err = ReadFrameworks(builtin); err != nil {
			return "", nil, err
		}
	}
	f, g := own.ByID(s.Framework), given.ByID(s.Framework)
	if f == nil && g == nil {
		return "", nil, fmt.Errorf("no framework %q.%s", s.Framework, meant(slices.Concat(own, given).Nearest(s.Framework)))
	}
	var known *Requirement
	if g != nil {
		known = g.Requirement(s.Requirement)
	}
	switch {
	case f == nil && known == nil:
		var ids []string
		for i := range g.Requirements {
			ids = append(ids, g.Requirements[i].ID)
		}
		return "", nil, fmt.Errorf("framework %s has no requirement %q.%s", g.ID, s.Requirement, meant(nearest.Of(s.Requirement, ids)))
	case f == nil:
		return s.extension(g, known)
	case f.Requirement(s.Requirement) == nil && known != nil:
		return s.extended(rules, f, known)
	}
	return s.insertLine(rules, f)
}

// extension is a new file that adds the rule to a requirement of a framework.
func (s Scaffold) extension(g *Framework, q *Requirement) (file string, content []byte, err error) {
	text := "# What our own rules add to the built-in framework of this id.\n" +
		"id: " + quoteYAML(g.ID) + "\ntitle: " + quoteYAML(g.Title) + "\nrequirements:\n" + s.requirement(q, 2)
	file = FrameworkDir + "/" + g.ID + ".yaml"
	_, err = ReadFramework(file, []byte(text))
	return file, []byte(text), err
}

// extended is the user's file with one requirement of the built-in framework more.
func (s Scaffold) extended(rules fs.FS, f *Framework, q *Requirement) (file string, content []byte, err error) {
	src, err := fs.ReadFile(rules, f.Path)
	if err != nil {
		return "", nil, fmt.Errorf("read framework %q: %w", f.Path, err)
	}
	root := (&yamlReader{path: f.Path}).readDocument(src)
	list := at(root, "requirements")
	lines := strings.SplitAfter(strings.TrimRight(string(src), "\n")+"\n", "\n")
	after := len(lines) - 1
	if list != root.Content[len(root.Content)-1] {
		after = min(lastLine(list), after)
	}
	lines = slices.Insert(lines, after, s.requirement(q, list.Column-1))
	content = []byte(strings.Join(lines, ""))
	if _, err := ReadFramework(f.Path, content); err != nil {
		return "", nil, fmt.Errorf("add requirement %s to %s: add it by hand, with its section if the file has sections: %w", q.ID, f.Path, err)
	}
	return f.Path, content, nil
}

// requirement is a requirement's text with the new rule, indented.
func (s Scaffold) requirement(q *Requirement, indent int) string {
	pad := strings.Repeat(" ", indent)
	return fmt.Sprintf("%[1]s- id: %[2]s\n%[1]s  title: %[3]s\n%[1]s  rules:\n%[1]s    %[4]s: %[5]s\n%[1]s  notCovered: %[6]s\n",
		pad, quoteYAML(q.ID), quoteYAML(q.Title), s.ID, s.Fit, quoteYAML(q.NotCovered))
}

// quoteYAML is a text as YAML's double-quoted form, which JSON's is.
func quoteYAML(text string) string {
	b, _ := json.Marshal(text) // cannot fail for a text
	return string(b)
}

// lastLine is the last line on which something of n begins.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}

// insertLine is the user's file with a line at a requirement that it has.
func (s Scaffold) insertLine(rules fs.FS, f *Framework) (file string, content []byte, err error) {
	i := slices.IndexFunc(f.Requirements, func(q Requirement) bool { return q.ID == s.Requirement })
	if i < 0 {
		return "", nil, fmt.Errorf("framework %s has no requirement %q. add it to %s first", f.ID, s.Requirement, f.Path)
	}
	src, err := fs.ReadFile(rules, f.Path)
	if err != nil {
		return "", nil, fmt.Errorf("read framework %q: %w", f.Path, err)
	}
	after, indent := f.placeOf(src, i)
	lines := strings.SplitAfter(string(src), "\n")
	line := fmt.Sprintf("%s%s: %s\n", strings.Repeat(" ", indent), s.ID, s.Fit)
	if f.Requirements[i].Rules == nil && !strings.HasPrefix(strings.TrimSpace(lines[after-1]), "rules:") {
		line = strings.Repeat(" ", indent-2) + "rules:\n" + line
	}
	lines = slices.Insert(lines, after, line)
	content = []byte(strings.Join(lines, ""))
	if _, err := ReadFramework(f.Path, content); err != nil {
		return "", nil, fmt.Errorf("add %s to requirement %s: the file is not in block style there. add the line %q by hand: %w", s.ID, s.Requirement, strings.TrimSpace(line), err)
	}
	return f.Path, content, nil
}

// placeOf is the line after which a rule of the i-th requirement is written,
// 1-based, and how far it is indented.
func (f *Framework) placeOf(src []byte, i int) (after, indent int) {
	root := (&yamlReader{path: f.Path}).readDocument(src)
	requirement := at(root, "requirements", i)
	after, indent = requirement.Line, requirement.Column+1
	for j := 0; j+1 < len(requirement.Content); j += 2 {
		key, value := requirement.Content[j], requirement.Content[j+1]
		switch key.Value {
		case "title":
			after = max(after, key.Line)
		case "rules":
			after = key.Line
			if last := len(value.Content); last > 0 && value.Kind == yaml.MappingNode {
				return value.Content[last-1].Line, value.Content[0].Column - 1
			}
			return after, indent
		}
	}
	return after, indent
}
