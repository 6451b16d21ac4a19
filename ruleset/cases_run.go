package ruleset

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/finding"
)

// CaseResult is what came of one case.
type CaseResult struct {
	Rule    string
	Name    string
	Place   finding.Place // of the case
	Want    finding.Verdict
	Got     finding.Verdict
	Finding finding.Finding // the whole of what the rule said
	// Problems say how the outcome differs from what the case wants, one
	// difference each; none: the case holds.
	Problems []string
}

// CaseReport is what came of all cases of some rules.
type CaseReport struct {
	Rules   int          // rules whose cases ran
	Results []CaseResult // by rule file, then in the order of its cases
	// Problems are what is wrong with the files as such: a rule without the
	// cases it must have, a case file without a rule, an id used twice, a
	// framework that names an unknown rule, a rule that does not compile.
	Problems []error
}

// Failed counts the cases that do not hold.
func (r *CaseReport) Failed() int {
	n := 0
	for i := range r.Results {
		if len(r.Results[i].Problems) > 0 {
			n++
		}
	}
	return n
}

// OK reports that every case holds and the files are in order.
func (r *CaseReport) OK() bool { return len(r.Problems) == 0 && r.Failed() == 0 }

// RunCases runs the cases beside the rules: those of the rules with the given
// ids or globs, all without any. Each case becomes a template, which is read,
// resolved and judged as any template is. The error says that the files cannot
// be listed, that an id names no rule, or that ctx ended; everything else is
// in the report.
func RunCases(ctx context.Context, rules fs.FS, ids ...string) (*CaseReport, error) {
	return RunCasesBeside(ctx, nil, rules, ids...)
}

// RunCasesBeside is RunCases for rules of the user's own, whose frameworks may
// also name rules of beside, the built-in ones; nil for none.
func RunCasesBeside(ctx context.Context, beside RuleNames, rules fs.FS, ids ...string) (*CaseReport, error) {
	files, err := RuleFiles(rules)
	if err != nil {
		return nil, err
	}
	report := &CaseReport{}
	var known []RuleNames
	if beside != nil {
		known = append(known, beside)
	}
	index, err := BuildIndex(rules, known...)
	if err != nil {
		report.Problems = append(report.Problems, splitErrors(err)...)
	}
	if err := idsExist(index, ids); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		report.Problems = append(report.Problems, strayCaseFiles(rules, files)...)
	}
	for _, entry := range index.Entries {
		if len(ids) > 0 && !GlobAny(ids, entry.ID) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		report.Rules++
		c := caseRunner{ctx: ctx, rules: rules, file: entry.File, sets: map[string]*Set{}}
		c.run(report)
	}
	return report, nil
}

// splitErrors takes joined errors apart.
func splitErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, splitErrors(e)...)
		}
		return out
	}
	return []error{err}
}

func idsExist(x *Index, ids []string) error {
	for _, id := range ids {
		if x.Entry(id) != nil || isGlob(id) && slices.ContainsFunc(x.Entries, func(e IndexEntry) bool { return Glob(id, e.ID) }) {
			continue
		}
		if reserved(id) != nil {
			return fmt.Errorf("rule %q has no cases: it is built in", id)
		}
		return fmt.Errorf("no rule %q.%s", id, suggest(id, x.RuleIDs()))
	}
	return nil
}

// strayCaseFiles finds case files without their rule.
func strayCaseFiles(rules fs.FS, files []string) []error {
	var out []error
	_ = fs.WalkDir(rules, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, caseSuffix) {
			rule := strings.TrimSuffix(name, caseSuffix) + ".yaml"
			if !slices.Contains(files, rule) {
				out = append(out, &PlaceError{finding.Place{Path: name}, fmt.Sprintf("cases without a rule: there is no %s.%s", rule, suggest(rule, files))})
			}
		}
		return nil
	})
	return out
}

// caseRunner runs the cases of one rule.
type caseRunner struct {
	ctx   context.Context
	rules fs.FS
	file  string
	rule  *Rule
	sets  map[string]*Set // by policy hash
}

func (c *caseRunner) run(report *CaseReport) {
	problem := func(line int, format string, args ...any) {
		report.Problems = append(report.Problems, &PlaceError{finding.Place{Path: c.file, Line: line, Column: 1}, fmt.Sprintf(format, args...)})
	}
	src, err := fs.ReadFile(c.rules, c.file)
	if err == nil {
		c.rule, err = ReadRule(c.file, src)
	}
	if err != nil {
		report.Problems = append(report.Problems, splitErrors(err)...)
		return
	}
	casesFile := strings.TrimSuffix(c.file, ".yaml") + caseSuffix
	src, err = fs.ReadFile(c.rules, casesFile)
	if err != nil {
		problem(c.rule.Line, "rule %s has no cases. write them into %s", c.rule.ID, casesFile)
		if s, err := Open(oneRule{c.rules, c.file}, nil); err == nil { // no case would show that it does not compile
			if err := s.Check(); err != nil {
				report.Problems = append(report.Problems, splitErrors(err)...)
			}
		}
		return
	}
	cases, err := ReadCases(casesFile, src)
	if err != nil {
		report.Problems = append(report.Problems, splitErrors(err)...)
		return
	}
	if c.rule.Deprecated {
		return
	}
	for _, missing := range c.missing(cases) {
		problem(c.rule.Line, "%s", missing)
	}
	for i := range cases {
		result := CaseResult{Rule: c.rule.ID, Name: cases[i].Name, Want: cases[i].Want, Place: finding.Place{Path: casesFile, Line: cases[i].Line, Column: 3}}
		c.judge(&cases[i], &result)
		report.Results = append(report.Results, result)
	}
}

// missing says which cases the rule must still have: one that passes, one that
// fails, one with the message where the rule writes one, and one where a
// property that the rule reads is absent.
func (c *caseRunner) missing(cases []Case) []string {
	var out []string
	has := func(f func(*Case) bool) bool {
		for i := range cases {
			if f(&cases[i]) {
				return true
			}
		}
		return false
	}
	for _, v := range []finding.Verdict{finding.Pass, finding.Fail} {
		if v == finding.Pass && strings.TrimSpace(c.rule.Pass.Text) == "false" {
			continue // a type that is not to be used at all: no resource of it is right
		}
		if !has(func(k *Case) bool { return k.Want == v }) {
			out = append(out, fmt.Sprintf("rule %s has no case that wants %s", c.rule.ID, v))
		}
	}
	if c.rule.Message.Text != "" && !has(func(k *Case) bool { return k.Want == finding.Fail && k.Message != "" }) {
		out = append(out, fmt.Sprintf("rule %s has no failing case with the message that it wants", c.rule.ID))
	}
	if read := propertiesRead(c.rule); len(read) > 0 && !has(func(k *Case) bool {
		return slices.ContainsFunc(read, func(p string) bool { return at(&k.Properties, p) == &k.Properties })
	}) {
		out = append(out, fmt.Sprintf("rule %s has no case in which a property that it reads is absent (%s)", c.rule.ID, strings.Join(read, ", ")))
	}
	return out
}

// propertiesRead is the properties of the resource that the rule's pass and
// let expressions name, first level only.
func propertiesRead(r *Rule) []string {
	text := r.Pass.Text
	for _, l := range r.Let {
		text += "\n" + l.Text
	}
	var out []string
	for _, m := range regexp.MustCompile(`\bresource\.([A-Za-z0-9]+)`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// judge runs one case and notes how its outcome differs.
func (c *caseRunner) judge(k *Case, result *CaseResult) {
	problem := func(format string, args ...any) {
		result.Problems = append(result.Problems, fmt.Sprintf(format, args...))
	}
	typ := k.Type
	switch {
	case typ == "" && c.rule.Match == MatchTypes && len(c.rule.Types) == 1:
		typ = c.rule.Types[0]
	case typ == "":
		problem("the rule has several types. give type:")
		return
	case c.rule.Match == MatchTypes && !slices.Contains(c.rule.Types, typ):
		problem("type %s is none of the rule's: %s", typ, strings.Join(c.rule.Types, ", "))
		return
	}
	set, err := c.set(k)
	if err != nil {
		problem("%v", err)
		return
	}
	f, t, models, err := c.verdict(k, set, typ)
	if err != nil {
		problem("%v", err)
		return
	}
	result.Finding, result.Got = f, f.Verdict
	result.Problems = append(result.Problems, k.differences(&f, t)...)
	if f.Verdict == finding.Fail && len(models) == 1 {
		if text := c.settle(k, set, typ, f, models[0]); text != "" {
			problem("%s", text)
		}
	}
}

// verdict is what the rule says about the case's subject.
func (c *caseRunner) verdict(k *Case, set *Set, typ string) (f finding.Finding, t *cfn.Template, models []*cfn.Model, err error) {
	if t, models, err = k.worlds(typ); err != nil {
		return f, nil, nil, err
	}
	findings, _, err := set.Judge(c.ctx, c.rule.Domain, models, nil)
	if err != nil {
		return f, nil, nil, err
	}
	i := slices.IndexFunc(findings, func(f finding.Finding) bool {
		return f.Rule == c.rule.ID && f.Resource.LogicalID == caseSubject
	})
	if i < 0 {
		return f, nil, nil, fmt.Errorf("want %s, but the rule said nothing about the resource", k.Want)
	}
	return findings[i], t, models, nil
}

// worlds is the case's template and what it is resolved to.
func (c *Case) worlds(typ string) (*cfn.Template, []*cfn.Model, error) {
	src, err := c.template(typ)
	if err != nil {
		return nil, nil, err
	}
	t, err := cfn.Parse("template.yaml", src)
	if err != nil {
		return nil, nil, fmt.Errorf("the case's template cannot be read: %w\n%s", err, src)
	}
	if len(t.Problems) > 0 {
		return nil, nil, fmt.Errorf("the case's template has a problem: %w\n%s", t.Problems[0], src)
	}
	return t, t.Worlds(cfn.Inputs{Parameters: c.Params, Region: c.Region, Account: c.Account, Stack: c.Stack}), nil
}

// policy is the case's, with what the rule's fix asks of it, so that the fix
// can be tried.
func (c *caseRunner) policy(k *Case) (*Policy, error) {
	p, err := decodePolicyNode("policy", &k.Policy)
	if err != nil {
		return nil, err
	}
	for _, step := range c.rule.Fix {
		if _, ok := p.Value(step.Policy, ""); !ok && step.Policy != "" {
			p.Values = append(p.Values, Value{Name: step.Policy, Text: "example-" + step.Policy})
		}
		for i := range p.RequiredTags {
			t := &p.RequiredTags[i]
			switch _, ok := t.Given(); {
			case step.Do != doTags && !strings.Contains(step.CEL.Text, "policy.givenTags(") || ok:
			case len(t.Values) > 0:
				t.Default = t.Values[0]
			case t.Pattern == "":
				t.Default = "example"
			}
		}
	}
	return p, nil
}

// set is the one rule with the case's policy.
func (c *caseRunner) set(k *Case) (*Set, error) {
	p, err := c.policy(k)
	if err != nil {
		return nil, err
	}
	hash := p.Hash()
	if s := c.sets[hash]; s != nil {
		return s, nil
	}
	s, err := Open(oneRule{c.rules, c.file}, p)
	if err != nil {
		return nil, err
	}
	c.sets[hash] = s
	return s, nil
}

// differences compares what the rule said with what the case wants.
func (c *Case) differences(f *finding.Finding, t *cfn.Template) []string {
	var out []string
	differ := func(what string, want, got any) {
		out = append(out, fmt.Sprintf("%s differs:\n  want %v\n  got  %v", what, want, got))
	}
	if f.Verdict != c.Want {
		got := string(f.Verdict)
		if f.Message != "" {
			got += ": " + f.Message
		}
		if len(f.Needs) > 0 {
			got += " (needs " + strings.Join(f.Needs, ", ") + ")"
		}
		differ("verdict", c.Want, got)
		return out
	}
	if c.Message != "" && f.Message != c.Message {
		differ("message", c.Message, f.Message)
	}
	if c.Needs != nil && !sameNeeds(c.Needs, f.Needs) {
		differ("needs", strings.Join(c.Needs, ", "), strings.Join(f.Needs, ", "))
	}
	if c.Assuming != nil && !slices.Equal(c.Assuming, f.Assuming) {
		differ("assuming", strings.Join(c.Assuming, ", "), strings.Join(f.Assuming, ", "))
	}
	if c.At != "" {
		v := t.Root.Get("Resources").Get(caseSubject).Get("Properties").Lookup(strings.Split(c.At, ".")...)
		switch {
		case v == nil:
			out = append(out, fmt.Sprintf("at: the case has no property %s", c.At))
		case v.Pos.Line != f.Place.Line:
			differ("place", fmt.Sprintf("line %d, of %s", v.Pos.Line, c.At), fmt.Sprintf("line %d", f.Place.Line))
		}
	}
	return out
}

// sameNeeds compares in any order; a want may leave out the kind ("parameter").
func sameNeeds(want, got []string) bool {
	if len(want) != len(got) {
		return false
	}
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return g == w || strings.HasSuffix(g, " "+w) }) {
			return false
		}
	}
	return true
}

// oneRule shows one rule file of a file system and nothing else.
type oneRule struct {
	rules fs.FS
	file  string
}

func (o oneRule) Open(name string) (fs.File, error) {
	if name != "." && name != o.file && !strings.HasPrefix(o.file, name+"/") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return o.rules.Open(name)
}

// ReadDir lists only what leads to the file.
func (o oneRule) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.rules, name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		p := path.Join(name, e.Name())
		return p != o.file && !strings.HasPrefix(o.file, p+"/")
	}), nil
}
