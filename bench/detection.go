package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// label is one line of a file of labels: what a template is known to hold. The
// file is given by its reader; templates lie beside it.
type label struct {
	File     string   // path from the folder of the labels
	Control  string   // what is asked, under one name for all sources
	Source   string   // whose test it is: checkov, trivy, cfn_nag, guard, kics, regula
	Rule     string   // the source's id of its check
	Slug     string   `json:"rule_slug"` // the same in words, which some sources use as id
	Type     string   `json:"resource_type"`
	Expect   string   // fail, pass or skip
	Basis    string   // implied: nobody wrote the label down
	Disputed bool     // another engine contradicts it
	Notes    []string // suppressed, invalid-structure
}

// scored reports whether a label is a fair question.
func (l *label) scored() bool {
	return l.Control != "" && l.Basis != "implied" && !l.Disputed && !slices.Contains(l.Notes, "suppressed") && !slices.Contains(l.Notes, "invalid-structure")
}

// question is a template and a control.
type question struct{ file, control string }

// answers is what a scanner fails: questions, and the controls that it has a check for.
type answers struct {
	fails  map[question]bool
	claims map[string]bool
}

// labels is a file of labels, read.
type labels struct {
	folder   string
	fail     map[question]bool             // each question, and whether the template violates it
	sources  map[question]map[string]bool  // whose tests ask it
	controls map[[2]string]map[string]bool // source and rule → controls
	types    map[string]map[string]bool    // control → types of resources
}

func readLabels(path string) (*labels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	l := &labels{filepath.Dir(path), map[question]bool{}, map[question]map[string]bool{}, map[[2]string]map[string]bool{}, map[string]map[string]bool{}}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		var x label
		if err := json.Unmarshal(in.Bytes(), &x); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if x.Control != "" {
			put(l.controls, [2]string{x.Source, x.Rule}, x.Control)
			put(l.controls, [2]string{x.Source, x.Slug}, x.Control)
			put(l.types, x.Control, x.Type)
		}
		if !x.scored() {
			continue
		}
		q := question{x.File, x.Control}
		l.fail[q] = l.fail[q] || x.Expect == "fail"
		put(l.sources, q, x.Source)
	}
	return l, in.Err()
}

func put[K comparable](m map[K]map[string]bool, k K, v string) {
	if m[k] == nil {
		m[k] = map[string]bool{}
	}
	m[k][v] = true
}

// file is a path that a scanner printed as the labels have it.
func (l *labels) file(path string) string {
	abs, err := filepath.Abs(l.folder)
	if rel, err2 := filepath.Rel(abs, path); err == nil && err2 == nil && filepath.IsAbs(path) {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(path)
}

// answer notes what a check of a source said of a resource of a type, "" where
// that is not known. A check may stand for several controls: then for those of the type.
func (l *labels) answer(a *answers, source, rule, resourceType, file string, failed bool) {
	controls := l.controls[[2]string{source, rule}]
	typed := false
	for c := range controls {
		a.claims[c] = true
		typed = typed || l.types[c][resourceType]
	}
	for c := range controls {
		if failed && (!typed || l.types[c][resourceType]) {
			a.fails[question{l.file(file), c}] = true
		}
	}
}

// score counts a scanner's answers to the questions that want lets through.
func (l *labels) score(a *answers, want func(question) bool) string {
	tp, fp, fn := 0, 0, 0
	for q, fail := range l.fail {
		switch said := a.fails[q]; {
		case !want(q):
		case said && fail:
			tp++
		case said:
			fp++
		case fail:
			fn++
		}
	}
	if tp == 0 {
		return "0 / –"
	}
	return fmt.Sprintf("%.3f / %.3f", float64(tp)/float64(tp+fn), float64(tp)/float64(tp+fp))
}

// detection compares what scanners find in labelled templates.
func detection(w io.Writer, bin, path, peers string) error {
	l, err := readLabels(path)
	if err != nil {
		return err
	}
	if peers, err = filepath.Abs(peers); err != nil {
		return err
	}
	fmt.Fprint(w, "## Detection\n\nRecall / precision over labelled templates: of the violations that are there, how many a scanner reports, and how many of its reports are right. A question is a template and a control; disputed and implied labels are left out. A control is claimed by a scanner that has a check for it. Its own tests are the templates that its makers wrote to test it.\n\n")
	fmt.Fprint(w, "| scanner | controls claimed | all controls | claimed | claimed, outside of its own tests | plumbline on those |\n|---|---:|---:|---:|---:|---:|\n")
	ours, err := l.plumbline(bin)
	if err != nil {
		return fmt.Errorf("plumbline: %w", err)
	}
	all := func(question) bool { return true }
	for _, s := range []struct {
		name string
		run  func(string) (*answers, error)
	}{
		{"plumbline", func(string) (*answers, error) { return ours, nil }},
		{"checkov", l.checkov},
		{"trivy", l.trivy},
	} {
		a, err := s.run(peers)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		claimed := func(q question) bool { return a.claims[q.control] }
		others := func(q question) bool { return a.claims[q.control] && !l.sources[q][s.name] }
		fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s |\n", s.name, len(a.claims), l.score(a, all), l.score(a, claimed), l.score(a, others), l.score(ours, others))
	}
	return nil
}

// output runs a scanner in the labels' folder and decodes what it prints; a
// status of 1 says that it found something.
func (l *labels) output(into any, argv ...string) error {
	c := exec.Command(argv[0], argv[1:]...)
	c.Dir = l.folder
	out, err := c.Output()
	var status *exec.ExitError
	if err != nil && (!errors.As(err, &status) || status.ExitCode() < 0) {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("it ended with %v and printed no JSON: %w", c.ProcessState, err)
	}
	return nil
}

// templates are the folders and files that the labels speak of.
func (l *labels) templates() []string {
	tops := map[string]bool{}
	for q := range l.fail {
		top, _, _ := strings.Cut(q.file, "/")
		tops[top] = true
	}
	return slices.Sorted(maps.Keys(tops))
}

func (l *labels) plumbline(bin string) (*answers, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	var rules []struct {
		ID          string
		Equivalents map[string][]string
	}
	if err := l.output(&rules, bin, "rules", "--format", "json"); err != nil {
		return nil, err
	}
	same := map[string][][2]string{}
	a := &answers{map[question]bool{}, map[string]bool{}}
	for _, r := range rules {
		for source, ids := range r.Equivalents {
			for _, id := range ids {
				same[r.ID] = append(same[r.ID], [2]string{source, id})
				l.answer(a, source, id, "", "", false)
			}
		}
	}
	var doc struct {
		Findings []struct {
			Rule, Status, Template string
			Resource               struct{ Type string }
		}
	}
	if err := l.output(&doc, append([]string{bin, "scan", "--format", "json"}, l.templates()...)...); err != nil {
		return nil, err
	}
	for _, f := range doc.Findings {
		for _, x := range same[f.Rule] {
			l.answer(a, x[0], x[1], f.Resource.Type, f.Template, f.Status == "fail")
		}
	}
	return a, nil
}

func (l *labels) checkov(peers string) (*answers, error) {
	a := &answers{map[question]bool{}, map[string]bool{}}
	type check struct {
		ID       string `json:"check_id"`
		File     string `json:"file_abs_path"`
		Resource string // type and logical id, with a full stop between
	}
	var doc struct {
		Results struct {
			Failed []check `json:"failed_checks"`
			Passed []check `json:"passed_checks"`
		}
	}
	for _, top := range l.templates() {
		// CloudFormation alone: SAM's templates belong to it.
		err := l.output(&doc, filepath.Join(peers, "venv/bin/checkov"), "--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json", "--directory", top)
		if err != nil {
			return nil, err
		}
		for _, c := range doc.Results.Failed {
			kind, _, _ := strings.Cut(c.Resource, ".")
			l.answer(a, "checkov", c.ID, kind, c.File, true)
		}
		for _, c := range doc.Results.Passed {
			kind, _, _ := strings.Cut(c.Resource, ".")
			l.answer(a, "checkov", c.ID, kind, c.File, false)
		}
	}
	return a, nil
}

func (l *labels) trivy(peers string) (*answers, error) {
	a := &answers{map[question]bool{}, map[string]bool{}}
	var doc struct {
		Results []struct {
			Target            string
			Misconfigurations []struct{ ID, AVDID, Status string }
		}
	}
	for _, top := range l.templates() {
		err := l.output(&doc, filepath.Join(peers, "trivy"), "config", "--misconfig-scanners", "cloudformation", "--include-non-failures", "--skip-check-update", "--quiet", "--format", "json", top)
		if err != nil {
			return nil, err
		}
		for _, r := range doc.Results {
			for _, m := range r.Misconfigurations {
				id := m.AVDID
				if id == "" {
					id = m.ID
				}
				l.answer(a, "trivy", id, "", top+"/"+r.Target, m.Status == "FAIL")
			}
		}
	}
	return a, nil
}
