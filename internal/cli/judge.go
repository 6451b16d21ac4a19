package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"plumbline/cfn"
	"plumbline/cfn/source"
	"plumbline/internal/bundle"
	"plumbline/internal/bundle/description"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/scan"
)

// judgeFlags say what templates are judged by and with; scan and explain share them.
type judgeFlags struct {
	policy          string
	rules           []string
	param           []string
	params          []string
	region, account string
	regions         bool // region may be several, with commas between them
	partly          bool // rules of folders that cannot be read or compiled are left out, and told
}

func (f *judgeFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&f.param, "param", nil, "a template parameter, `NAME=VALUE`; may be given again")
	fl.StringArrayVar(&f.params, "params", nil, "a `FILE` of template parameters in any of the usual forms; may be given again")
	fl.StringVar(&f.policy, "policy", "", "the policy `FILE` (default: plumbline.yaml in the current folder, if there is one)")
	fl.StringArrayVar(&f.rules, "rules", nil, "also judge by the rules of this `DIR`; may be given again")
	fl.StringVar(&f.region, "region", "", "the `REGION` to judge for; a cdk.out names its own")
	fl.StringVar(&f.account, "account", "", "the `ACCOUNT` to judge for; a cdk.out names its own")
}

// check refuses an account or a region that cannot be one.
func (f *judgeFlags) check() error {
	if f.account != "" && (len(f.account) != 12 || strings.Trim(f.account, "0123456789") != "") {
		return usagef("--account %q is no account: it has 12 digits", f.account)
	}
	for region := range strings.SplitSeq(f.region, ",") {
		if parts := strings.Split(region, "-"); f.region != "" && (len(parts) < 3 || len(parts[0]) < 2 || strings.Trim(parts[len(parts)-1], "0123456789") != "" ||
			strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "") {
			return usagef("--region %q is no region: they are written as us-east-1", region)
		}
	}
	if !f.regions && strings.Contains(f.region, ",") {
		return usagef("--region %q: templates are judged for one region. several are for deployed stacks, by --stack or --all-stacks", f.region)
	}
	return nil
}

// judge is the rules and the policy of one run.
type judge struct {
	flags      *judgeFlags
	set        *ruleset.Set
	policy     *ruleset.Policy
	policyPath string
	params     map[string]string
	public     map[string]bool // parameters that some template declares, and none with NoEcho
	warnings   []string
	sources    map[string][]byte // of standard input
	report     *scan.Report
	describe   sync.Once
	said       *description.Descriptions
	unkept     error // why the scan is not in the data folder, or not of all regions
	broken     error // what is wrong with rules of folders, which are left out; nil: nothing
}

// open reads the policy file, the rules and the parameters. Everything wrong
// with them is told together, and before anything is judged.
func (f *judgeFlags) open(s *Streams) (*judge, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	j := &judge{flags: f, params: map[string]string{}, public: map[string]bool{}, sources: map[string][]byte{}}
	var errs []error
	unread := j.readPolicy(f.policy)
	errs = append(errs, unread)
	under := j.policy
	if unread != nil {
		under = nil // what could be read of it is checked, and nothing is judged by it
	}
	var err error
	j.set, err = openRules(f.rules, under)
	var folder *ruleset.FolderError
	if f.partly && errors.As(err, &folder) {
		j.broken, err = folder, nil
	}
	switch {
	case err != nil:
		errs = append(errs, err)
	case j.policy != nil && j.broken == nil: // else it may rightly name a rule that was left out
		for _, p := range j.policy.Check(j.set.Index()) {
			errs = append(errs, p)
		}
	}
	errs = append(errs, j.readParams(f))
	if err := errors.Join(errs...); err != nil {
		return nil, usageError{err}
	}
	j.warnings = append(j.warnings, j.policy.Warnings()...)
	return j, nil
}

func (j *judge) readPolicy(path string) error {
	named := path != ""
	if !named {
		path = ruleset.PolicyFile
	}
	src, err := os.ReadFile(path)
	if err != nil {
		if !named && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fileProblem("--policy", path, err)
	}
	j.policyPath = path
	j.policy, err = ruleset.ReadPolicy(path, src)
	return err
}

func (j *judge) readParams(f *judgeFlags) error {
	var errs []error
	for _, path := range f.params {
		src, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, fileProblem("--params", path, err))
			continue
		}
		m, err := cfn.ReadParams(path, src)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for k, v := range m {
			j.params[k] = v
		}
	}
	for _, p := range f.param {
		name, value, err := cfn.ParseParam(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("--param: %w", err))
			continue
		}
		j.params[name] = value
	}
	return errors.Join(errs...)
}

// find lists the templates, and checks the given parameters against them: a
// name that no template declares, or a value of the wrong type, is a mistake of
// the command line, not of a template.
func (j *judge) find(s *Streams, paths []string) (*source.Listing, error) {
	list, err := source.Find(paths, s.In)
	if err != nil {
		return nil, usageError{err}
	}
	for _, t := range list.Templates {
		if t.Source != nil {
			j.sources[t.Path] = t.Source
		}
	}
	if len(j.params) == 0 {
		return list, nil
	}
	var errs, unknown []error
	var all []string
	declared, secret := map[string]bool{}, map[string]bool{}
	for _, t := range list.Templates {
		src := j.source(t.Path)
		parsed, err := cfn.Parse(t.Path, src)
		if err != nil {
			continue // the scan says so
		}
		mine := map[string]string{}
		for _, p := range parsed.Parameters {
			all = append(all, p.Name)
			if v, ok := j.params[p.Name]; ok {
				mine[p.Name], declared[p.Name] = v, true
				secret[p.Name] = secret[p.Name] || p.NoEcho
			}
		}
		for _, p := range parsed.CheckParams(mine) {
			errs = append(errs, p)
		}
		if len(list.Templates) == 1 {
			for _, p := range parsed.CheckParams(j.params) {
				if !slices.ContainsFunc(errs, func(e error) bool { return e.Error() == p.Error() }) {
					unknown = append(unknown, p)
				}
			}
		}
	}
	if len(list.Templates) > 1 {
		for name := range j.params {
			if !declared[name] {
				unknown = append(unknown, fmt.Errorf("parameter %q is declared by none of the %d templates%s", name, len(list.Templates), didYouMean(name, all)))
			}
		}
	}
	for name := range declared {
		j.public[name] = !secret[name]
	}
	slices.SortFunc(unknown, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if err := errors.Join(append(errs, unknown...)...); err != nil {
		return nil, usageError{err}
	}
	return list, nil
}

// source returns the text of a template as it was scanned, nil where it cannot be read.
func (j *judge) source(path string) []byte {
	if src, ok := j.sources[path]; ok {
		return src
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return src
}

// scanRequest is what one scan is to do beyond judging.
type scanRequest struct {
	data           string
	keep           map[string]bool // statuses to keep as findings; nil keeps what needs attention
	noSuppressions bool
	bar            *progress
	timed          *timings
	reviews        *reviews // of what is new; nil: none
}

func (j *judge) scan(ctx context.Context, s *Streams, paths []string, q scanRequest) (*scan.Report, error) {
	list, err := j.find(s, paths)
	if err != nil && q.data != "" && source.Empty(err) {
		// A folder whose last template is gone is no mistake where that one is remembered.
		if gone, unread := local.Gone(ctx, q.data, paths); unread == nil && gone {
			list, err = &source.Listing{}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return j.run(ctx, s, q, local.Options{
		Templates: list.Templates, Skipped: list.Skipped, Parameters: j.params,
		Account: j.flags.account, Region: j.flags.region, Paths: paths,
	})
}

func (j *judge) provenance() scan.Provenance {
	p := scan.Provenance{Tool: "plumbline", Version: version(), RulesHash: j.set.Index().Hash(), PolicyPath: j.policyPath}
	p.Rules, p.RulesOff = bundle.InForce(j.set, j.policy)
	if j.policy != nil {
		p.PolicyHash = j.policy.Hash()
	}
	for name, value := range j.params {
		if !j.public[name] { // a NoEcho value never leaves the process, not even into a report
			continue
		}
		if p.Inputs == nil {
			p.Inputs = map[string]string{}
		}
		p.Inputs[name] = value
	}
	return p
}

// render writes a stored report; it shows everything that needs attention.
func (j *judge) render(w io.Writer, format string, r *scan.Report) error {
	return report.Write(w, format, &report.Document{
		Report: r, Rules: j.reportRules(r), Frameworks: j.frameworks(), Source: j.source, Show: report.StoredShow(), ByRequirement: true,
	})
}

// reportRules describes the rules that a report's findings name.
func (j *judge) reportRules(r *scan.Report) map[string]report.Rule {
	return j.described().Rules(r)
}

// frameworks is the built-in frameworks and the user's own, for a report by requirement.
func (j *judge) frameworks() []report.Framework { return j.described().Frameworks() }

// described is what reports say of rules and frameworks, made when first asked for.
func (j *judge) described() *description.Descriptions {
	j.describe.Do(func() { j.said = description.Of(j.set, j.policy, len(j.flags.rules) > 0) })
	return j.said
}

// openRules opens the built-in rules and those of further folders under a policy; nil is the default one.
func openRules(dirs []string, p *ruleset.Policy) (*ruleset.Set, error) {
	var more []ruleset.Folder
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			return nil, fileProblem("--rules", dir, err)
		}
		if !info.IsDir() {
			return nil, usagef("--rules %q is a file. give the folder that it lies in", dir)
		}
		files := os.DirFS(dir)
		if names, err := ruleset.RuleFiles(files); err != nil {
			return nil, fileProblem("--rules", dir, err)
		} else if _, err := fs.Stat(files, ruleset.FrameworkDir); err != nil && len(names) == 0 {
			return nil, usagef("--rules %q holds no rule: there is no .yaml file in it. begin one with \"plumbline rules new RULE --type TYPE --dir %s\"", dir, dir)
		}
		more = append(more, ruleset.Folder{Path: dir, Rules: files})
	}
	set, err := ruleset.Open(rules.FS, p, more...)
	if err != nil {
		return set, usageError{err}
	}
	return set, nil
}
