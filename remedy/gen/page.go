package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/cfn"
	"plumbline/remedy"
	"plumbline/ruleset"
)

// answers is remediations.yaml: the controls of AWS Security Hub that AWS's own
// solution for automated response remediates, and why some are not settled here.
type answers struct {
	Controls []control         `yaml:"controls"`
	Unfixed  map[string]string `yaml:"unfixed"` // rule → why no property settles it
}

// control is one of Security Hub's. No says why there is no rule for it; "" where there is.
type control struct {
	ID string `yaml:"id"`
	No string `yaml:"no"`
}

// remediations is docs/remediations.md: each control beside what we do about it.
func remediations(files fs.FS, answered, measured []byte) ([]byte, error) {
	var f figures
	if err := json.Unmarshal(measured, &f); err != nil {
		return nil, fmt.Errorf("remedy/gen/figures.json: %w", err)
	}
	var a answers
	d := yaml.NewDecoder(bytes.NewReader(answered))
	d.KnownFields(true)
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("remedy/gen/answers.yaml: %w", err)
	}
	set, err := ruleset.Open(files, nil)
	if err != nil {
		return nil, err
	}
	list, err := set.Rules()
	if err != nil {
		return nil, err
	}
	by, values := map[string][]*ruleset.Rule{}, map[string][]string{}
	for _, r := range list {
		for _, step := range r.Fix {
			if name := step.Policy; name != "" && !slices.Contains(values[name], "`"+r.ID+"`") {
				values[name] = append(values[name], "`"+r.ID+"`")
			}
		}
		if !r.Deprecated {
			for _, id := range r.Equivalents["securityhub"] {
				by[strings.ToLower(id)] = append(by[strings.ToLower(id)], r)
			}
		}
	}
	p := page{figures: f, answers: &a, values: values, unused: maps.Clone(a.Unfixed)}
	for _, c := range a.Controls {
		rules := by[strings.ToLower(c.ID)]
		slices.SortFunc(rules, func(x, y *ruleset.Rule) int { return cmp.Compare(x.ID, y.ID) })
		p.control(c, rules)
	}
	for _, id := range slices.Sorted(maps.Keys(p.unused)) {
		p.problem("rule %s says why it is not fixed, and has a fix or is equivalent to no control of the list. take the line out", id)
	}
	if len(p.problems) > 0 {
		return nil, fmt.Errorf("remedy/gen/answers.yaml:\n%s", strings.Join(p.problems, "\n"))
	}
	return p.render(), nil
}

// figures are measured by a test of remedy on templates outside of the repository.
type figures struct{ Templates, Changed, Available, Settled int }

// page is docs/remediations.md in the making.
type page struct {
	figures  figures
	answers  *answers
	unused   map[string]string
	values   map[string][]string // of the policy file, with the rules that ask for each
	problems []string
	rows     bytes.Buffer

	controls, fixed, judged, none int
}

func (p *page) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

func (p *page) control(c control, rules []*ruleset.Rule) {
	p.controls++
	switch {
	case len(rules) == 0 && c.No == "":
		p.problem("no rule is equivalent to %s. write one, or say why there is none", c.ID)
	case len(rules) > 0 && c.No != "":
		p.problem("%s says why there is no rule, and there is %s. take the reason out", c.ID, rules[0].ID)
	case len(rules) == 0:
		p.none++
		fmt.Fprintf(&p.rows, "| %s | | none: %s | | | |\n", c.ID, c.No)
		return
	}
	fixed := false
	for i, r := range rules {
		name := c.ID
		if i > 0 {
			name = ""
		}
		fixed = fixed || len(r.Fix) > 0
		if len(r.Fix) == 0 {
			why, ok := p.answers.Unfixed[r.ID]
			if !ok {
				p.problem("rule %s (%s) has no fix. write one, or say under unfixed why no property settles it", r.ID, c.ID)
			}
			delete(p.unused, r.ID)
			fmt.Fprintf(&p.rows, "| %s | `%s` | none: %s | | | |\n", name, r.ID, why)
			continue
		}
		o := outlookOf(r)
		fmt.Fprintf(&p.rows, "| %s | `%s` | %s | %s | %s | %s |\n", name, r.ID, strings.Join(o.does, "; "), o.live, o.destructive, o.undone)
	}
	if fixed {
		p.fixed++
	} else {
		p.judged++
	}
}

// outlook is what a rule's fix does, by the schemas of its types.
type outlook struct {
	does                      []string
	live, destructive, undone string
}

func outlookOf(r *ruleset.Rule) outlook {
	var o outlook
	var ops []cfn.Op
	tags := false
	var others []string // reasons why only a template can be changed
	for _, step := range r.Fix {
		words := stepWords(r, step)
		if !slices.Contains(o.does, words) {
			o.does = append(o.does, words)
		}
		switch {
		case step.Do == "companion":
			others = append(others, "a resource is added")
		case step.Do == "delete":
			others = append(others, "the resource goes")
		case step.On != "":
			others = append(others, "another resource is changed")
		case step.Do == "tags":
			tags = true
		default:
			ops = append(ops, cfn.Op{Do: step.Do, Path: starred(step.Path)})
		}
	}
	var all remedy.Consequences
	for _, typ := range r.Types {
		if len(ops) == 0 {
			break
		}
		c := remedy.ConsequencesOf(typ, ops)
		all.TemplateOnly = append(all.TemplateOnly, c.TemplateOnly...)
		all.Destructive = append(all.Destructive, c.Destructive...)
		all.Irreversible = append(all.Irreversible, c.Irreversible...)
	}
	all.OfRule(r)
	all.TemplateOnly = append(all.TemplateOnly, others...)
	o.live = answer("live", "template only: ", all.TemplateOnly)
	o.destructive = answer("no", "yes: ", all.Destructive)
	o.undone = answer("yes", "no: ", all.Irreversible)
	if tags {
		o.live = "live, where the type can be tagged by an update"
	}
	return o
}

func answer(good, bad string, reasons []string) string {
	if len(reasons) == 0 {
		return good
	}
	slices.Sort(reasons)
	return bad + strings.Join(slices.Compact(reasons), "; ")
}

// starred is a step's path with * for each item.
func starred(path []string) []string {
	var out []string
	for _, key := range path {
		name, each := strings.CutSuffix(key, "[]")
		if out = append(out, name); each {
			out = append(out, "*")
		}
	}
	return out
}

func stepWords(r *ruleset.Rule, step ruleset.FixStep) string {
	path := strings.Join(step.Path, ".")
	if i := slices.IndexFunc(r.Relations, func(x ruleset.Relation) bool { return x.Name == step.On }); i >= 0 {
		path = r.Relations[i].Type + " " + path
	}
	to := "what the rule asks for"
	switch {
	case step.Policy != "":
		to = "the policy's " + step.Policy
	case step.Value != nil:
		_, text, _ := strings.Cut(remedy.Words(cfn.Op{Do: cfn.OpSet, Path: []string{"x"}, Value: step.Value}), " to ")
		to = "`" + text + "`"
	}
	switch step.Do {
	case "delete":
		return "take the resource out"
	case "tags":
		return "set the policy's required tags"
	case "companion":
		return "add a resource `" + path + "`"
	case "add":
		return "add " + to + " to `" + path + "`"
	case "remove":
		if step.Where.Text != "" {
			return "remove those of `" + path + "` that violate it"
		}
		return "remove `" + path + "`"
	}
	return "set `" + path + "` to " + to
}

func (p *page) render() []byte {
	var b bytes.Buffer
	b.WriteString(`# Remediations, control by control

<!-- generated by ` + "`make generate`" + `; the answers stand in the rules and in remedy/gen/answers.yaml -->

AWS's solution "Automated Security Response on AWS" remediates the controls of Security Hub
that are listed here. Beside each stand our rules for it, what their fix does, whether it is
made live or in the template only, whether it is destructive, and whether it can be taken back.
What a fix may break stands in the rule (` + "`plumbline rules show ID`" + `), and in the plan with what
refers to the resource. In a template a fix changes the lines of that resource alone, but where it
adds, changes or deletes another one, as said here.

`)
	fmt.Fprintf(&b, "In %d templates that other people published, %d of %d violations with a complete fix are settled by\n`plumbline fix --write` (%.1f %%), none that passed before fails after, and cfn-lint finds no new error.\n\n",
		p.figures.Templates, p.figures.Settled, p.figures.Available, 100*float64(p.figures.Settled)/float64(p.figures.Available))
	fmt.Fprintf(&b, "%d controls: %d with a fix, %d that are found and left to people, %d that no resource's property says anything of.\n\n", p.controls, p.fixed, p.judged, p.none)
	b.WriteString("| control | rule | fix | where | destructive | taken back |\n|---|---|---|---|---|---|\n")
	b.Write(p.rows.Bytes())
	b.WriteString("\n## What fixes ask of the policy file\n\nUnder `values`; tags take theirs from `requiredTags`.\n\n| value | rules |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.Join(p.values[name], ", "))
	}
	return b.Bytes()
}
