package ruleset

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/finding"
	"plumbline/internal/nearest"
)

// FrameworkDir is the folder of framework files among the rules.
const FrameworkDir = "frameworks"

// Framework maps the requirements of a standard, or of the organisation, to
// rules. Immutable once read.
type Framework struct {
	ID           string        `yaml:"id" need:"true" doc:"short name, such as pci-dss-4.0.1"`
	Title        string        `yaml:"title" need:"true" doc:"name for people"`
	Source       string        `yaml:"source" doc:"publisher, version and date of the standard"`
	Note         string        `yaml:"note" doc:"what a reader should know of the mapping"`
	Sections     []Section     `yaml:"sections" doc:"headings over requirements"`
	Requirements []Requirement `yaml:"requirements" need:"true" doc:"in the standard's order"`

	Path string `yaml:"-"` // of the file
}

// Section is a heading: the requirements whose id is it, or begins with it and
// ".".
type Section struct {
	ID    string `yaml:"id" need:"true" doc:"such as 3"`
	Title string `yaml:"title" need:"true" doc:"in our own words"`
	Line  int    `yaml:"-"`
}

// Requirement is one requirement and the rules that say something about it.
// Rules never say that it is met: NotCovered is what they leave open.
type Requirement struct {
	ID         string     `yaml:"id" need:"true" doc:"the standard's number"`
	Title      string     `yaml:"title" need:"true" doc:"what it asks, in our own words"`
	Rules      MappedList `yaml:"rules" doc:"rule id: fit"`
	NotCovered string     `yaml:"notCovered" need:"true" doc:"what no rule here can say about it"`
	Line       int        `yaml:"-"`
}

// Mapped is one rule of a requirement.
type Mapped struct {
	Rule string
	Fit  Fit
	Line int
}

// MappedList is a mapping of rule id to fit, in the order of the file.
type MappedList []Mapped

// Fit says how much a rule tells about a requirement.
type Fit string

// The fits, strongest first.
const (
	FitDirect     Fit = "direct"     // a failure of the rule is a violation of the requirement where it is in scope
	FitPartial    Fit = "partial"    // the rule tests one of several ways to meet it, or one part of it
	FitSupporting Fit = "supporting" // a failure makes the requirement harder to meet, without violating it
)

// Fits lists the fits, strongest first.
var Fits = []Fit{FitDirect, FitPartial, FitSupporting}

// Control is a rule's place in a framework.
type Control struct {
	Framework string `json:"framework"`
	ID        string `json:"id"` // the requirement's
	Fit       Fit    `json:"fit"`
}

func (l *MappedList) readYAML(r *yamlReader, n *yaml.Node) {
	if n.Tag == "!!null" { // "rules:" that waits for its first line
		return
	}
	*l = readKeyed(r, n, "rules", func(key, value *yaml.Node) Mapped {
		m := Mapped{Rule: key.Value, Line: key.Line}
		fits := make([]string, len(Fits))
		for i, f := range Fits {
			fits[i] = string(f)
		}
		if fit, ok := r.text(value, "fit of "+key.Value); ok {
			if problem := notIn(fit, fits); problem != "" {
				r.bad(value, "fit of %s: %s", key.Value, problem)
			}
			m.Fit = Fit(fit)
		}
		return m
	})
}

// ReadFramework reads one framework file strictly; the error joins a
// *PlaceError for each problem.
func ReadFramework(file string, src []byte) (*Framework, error) {
	f := &Framework{Path: file}
	r := &yamlReader{path: file}
	root := r.readDocument(src)
	if root == nil {
		r.bad(&yaml.Node{Line: 1, Column: 1}, "empty framework file. it needs id, title and requirements")
		return nil, r.err()
	}
	r.decode(root, reflect.ValueOf(f).Elem(), "", "")
	sections := map[string]bool{}
	for i := range f.Sections {
		sections[f.Sections[i].ID] = true
	}
	lines := map[string]int{}
	for i := range f.Requirements {
		q := &f.Requirements[i]
		n := at(root, "requirements", i)
		if line := lines[q.ID]; line != 0 && q.ID != "" {
			r.bad(n, "requirement %q is here twice, first in line %d", q.ID, line)
		}
		lines[q.ID] = q.Line
		if len(sections) > 0 && !sections[f.SectionOf(q.ID)] {
			r.bad(n, "requirement %q is in no section. add one, such as {id: %q}", q.ID, topOf(q.ID))
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// topOf is what stands before the first dot: 3 for 3.5.1.
func topOf(id string) string {
	top, _, _ := strings.Cut(id, ".")
	return top
}

// SectionOf is the id of the section that a requirement stands in: the longest
// that fits, "" where none does.
func (f *Framework) SectionOf(requirement string) string {
	best := ""
	for i := range f.Sections {
		id := f.Sections[i].ID
		if (requirement == id || strings.HasPrefix(requirement, id+".")) && len(id) > len(best) {
			best = id
		}
	}
	return best
}

// Requirement is the requirement with this id, nil where there is none.
func (f *Framework) Requirement(id string) *Requirement {
	for i := range f.Requirements {
		if f.Requirements[i].ID == id {
			return &f.Requirements[i]
		}
	}
	return nil
}

// Frameworks is every framework of a set of rules, sorted by id.
type Frameworks []*Framework

// ReadFrameworks reads every framework file of the rules; none is no error.
func ReadFrameworks(rules fs.FS) (Frameworks, error) {
	files, err := fs.Glob(rules, FrameworkDir+"/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", FrameworkDir, err)
	}
	var out Frameworks
	var errs []error
	for _, file := range files {
		src, err := fs.ReadFile(rules, file)
		if err != nil {
			errs = append(errs, fmt.Errorf("read framework %q: %w", file, err))
			continue
		}
		f, err := ReadFramework(file, src)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other := out.ByID(f.ID); other != nil {
			errs = append(errs, &PlaceError{finding.Place{Path: file}, fmt.Sprintf("framework %q is also in %s. ids are unique", f.ID, other.Path)})
			continue
		}
		if stem := strings.TrimSuffix(path.Base(file), ".yaml"); stem != f.ID {
			errs = append(errs, &PlaceError{finding.Place{Path: file}, fmt.Sprintf("framework %q stands in a file of another name. name it %s.yaml", f.ID, f.ID)})
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *Framework) int { return strings.Compare(a.ID, b.ID) })
	return out, errors.Join(errs...)
}

// ByID is the framework with this id, nil where there is none.
func (fs Frameworks) ByID(id string) *Framework {
	for _, f := range fs {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// IDs lists the frameworks' ids, sorted.
func (fs Frameworks) IDs() []string {
	ids := make([]string, len(fs))
	for i, f := range fs {
		ids[i] = f.ID
	}
	return ids
}

// Nearest is the id that a misspelt one most likely means, "" for none.
func (fs Frameworks) Nearest(id string) string { return nearest.Of(id, fs.IDs()) }

// Controls lists where the rule stands in the frameworks, in their order.
func (fs Frameworks) Controls(rule string) []Control {
	var out []Control
	for _, f := range fs {
		for i := range f.Requirements {
			for _, m := range f.Requirements[i].Rules {
				if m.Rule == rule {
					out = append(out, Control{f.ID, f.Requirements[i].ID, m.Fit})
				}
			}
		}
	}
	return out
}

// Check returns a joined *PlaceError for each rule that the frameworks name
// and none of the sets has.
func (fs Frameworks) Check(sets ...RuleNames) error {
	var errs []error
	for _, f := range fs {
		for i := range f.Requirements {
			for _, m := range f.Requirements[i].Rules {
				var ids []string
				found := false
				for _, set := range sets {
					found = found || set.HasRule(m.Rule)
				}
				if found {
					continue
				}
				for _, set := range sets {
					ids = append(ids, set.RuleIDs()...)
				}
				errs = append(errs, &PlaceError{finding.Place{Path: f.Path, Line: m.Line, Column: 1},
					fmt.Sprintf("requirement %s names no rule that exists: %q.%s", f.Requirements[i].ID, m.Rule, suggest(m.Rule, ids))})
			}
		}
	}
	return errors.Join(errs...)
}

// Frameworks is every framework of the set, the built-in ones and those of the
// user's folders, read when first asked for. A user's file with the id of a
// framework that is there adds its rules and requirements to it. What cannot
// be read is left out: Open has told it for the user's folders, and the tests
// of package rules for the built-in ones.
func (s *Set) Frameworks() Frameworks {
	s.index.once.Do(func() {
		for _, files := range s.sources {
			more, _ := ReadFrameworks(files)
			s.index.frameworks = s.index.frameworks.merge(more)
		}
	})
	return s.index.frameworks
}

// merge adds more to fs, requirement by requirement; sorted by id.
func (fs Frameworks) merge(more Frameworks) Frameworks {
	for _, f := range more {
		old := fs.ByID(f.ID)
		if old == nil {
			fs = append(fs, f)
			continue
		}
		for _, q := range f.Requirements {
			known := old.Requirement(q.ID)
			if known == nil {
				old.Requirements = append(old.Requirements, q)
				continue
			}
			for _, m := range q.Rules {
				if !slices.ContainsFunc(known.Rules, func(x Mapped) bool { return x.Rule == m.Rule }) {
					known.Rules = append(known.Rules, m)
				}
			}
		}
		for _, x := range f.Sections {
			if !slices.ContainsFunc(old.Sections, func(y Section) bool { return y.ID == x.ID }) {
				old.Sections = append(old.Sections, x)
			}
		}
	}
	slices.SortFunc(fs, func(a, b *Framework) int { return strings.Compare(a.ID, b.ID) })
	return fs
}
