package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumbline/finding"
	"plumbline/rules"
	"plumbline/ruleset"
)

// casesRun is `rules test`.
type casesRun struct {
	dir     string
	ids     []string
	verbose bool
	mutants bool
	watch   bool
}

func newRulesTest(s *Streams) *cobra.Command {
	var t casesRun
	c := &cobra.Command{
		Use:   "test [DIR] [RULE...]",
		Short: "Run the cases that stand beside rules",
		Long: `Run the cases beside rules: those of the built-in rules, or with DIR or --dir of
your own. A RULE is an id or a glob such as 's3-*'.

With --mutants each boolean part of the rules is also made true, false and its
opposite: a part of which no case fails then is listed. With --watch the cases run
again whenever a file of the folder changes.`,
		Example: "  plumbline rules test s3-bucket-versioning\n  plumbline rules test policies --watch",
		RunE: func(c *cobra.Command, args []string) error {
			if t.dir == "" && len(args) > 0 {
				if info, err := os.Stat(args[0]); err == nil && info.IsDir() { // plumbline rules test policies
					t.dir, args = args[0], args[1:]
				}
			}
			t.ids = args
			if t.watch {
				if t.dir == "" {
					return usagef("--watch needs a folder of rules, such as \"plumbline rules test policies --watch\": the built-in ones do not change")
				}
				return t.follow(c.Context(), s)
			}
			return t.run(c.Context(), s)
		},
		ValidArgsFunction: completeRules,
	}
	c.Flags().StringVar(&t.dir, "dir", "", "the rules of this `DIR` instead of the built-in ones")
	c.Flags().BoolVarP(&t.verbose, "verbose", "v", false, "also list the cases that hold")
	c.Flags().BoolVar(&t.mutants, "mutants", false, "also list the parts of rules that no case needs")
	c.Flags().BoolVarP(&t.watch, "watch", "w", false, "run again whenever a file of DIR changes, until interrupted")
	return c
}

// run runs the cases once. What does not hold is ExitFindings.
func (t *casesRun) run(ctx context.Context, s *Streams) error {
	files, err := rulesDir(t.dir)
	if err != nil {
		return err
	}
	var beside ruleset.RuleNames // rules that one's own frameworks may name as well
	if t.dir != "" {
		set, err := openRules(nil, nil)
		if err != nil {
			return err
		}
		beside = set.Index()
	}
	r, err := ruleset.RunCasesBeside(ctx, beside, files, t.ids...)
	if err != nil {
		return usageError{err}
	}
	if t.dir != "" && r.Rules == 0 && len(r.Problems) == 0 {
		return usagef("--dir %q holds no rule. begin one with \"plumbline rules new RULE --type TYPE --dir %s\"", t.dir, t.dir)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(s.Out, below(t.dir, p))
	}
	for _, x := range r.Results {
		for _, p := range x.Problems {
			fmt.Fprintf(s.Out, "%s:%d:%d: %s: %s\n", filepath.Join(t.dir, x.Place.Path), x.Place.Line, x.Place.Column, x.Name, p)
		}
		if t.verbose && len(x.Problems) == 0 {
			fmt.Fprintf(s.Out, "ok    %s: %s (%s)\n", x.Rule, x.Name, x.Got)
		}
	}
	fmt.Fprintf(s.Out, "%s, %s, %d failed", count(r.Rules, "rule"), count(len(r.Results), "case"), r.Failed())
	if n := len(r.Problems); n > 0 {
		fmt.Fprintf(s.Out, ", %s with the files", count(n, "problem"))
	}
	fmt.Fprintln(s.Out)
	if !r.OK() {
		return exit(ExitFindings)
	}
	if t.mutants {
		return t.mutate(ctx, s, beside, files)
	}
	return nil
}

// mutate lists what the cases do not show.
func (t *casesRun) mutate(ctx context.Context, s *Streams, beside ruleset.RuleNames, files fs.FS) error {
	m, err := ruleset.Mutate(ctx, beside, files, t.ids...)
	if err != nil {
		return usageError{err}
	}
	for _, x := range m.Survivors {
		fmt.Fprintln(s.Out, "no case fails of", x)
	}
	fmt.Fprintf(s.Out, "%s, of which every case holds of %d\n", count(m.Mutants, "mutant"), len(m.Survivors))
	if len(m.Survivors) > 0 {
		return exit(ExitFindings)
	}
	return nil
}

// watchEvery is how often --watch looks for changes: a glance at some hundred
// files costs a millisecond.
const watchEvery = 300 * time.Millisecond

// follow runs the cases, and again after each change, until ctx ends. A
// mistake is told and waited out.
func (t *casesRun) follow(ctx context.Context, s *Streams) error {
	if _, err := rulesDir(t.dir); err != nil {
		return err
	}
	last := ""
	for {
		if now := stateOf(t.dir); now != last {
			last = now
			var code exit
			if err := t.run(ctx, s); err != nil && !errors.As(err, &code) {
				complain(s.Err, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

// stateOf is different after any YAML file of the folder was written, made or removed.
func stateOf(dir string) string {
	var b strings.Builder
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" {
			return nil // what cannot be read now is seen when it can
		}
		if info, err := d.Info(); err == nil {
			fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return b.String()
}

// below is a problem's text with its path as the user would name it.
func below(dir string, err error) string {
	var place *ruleset.PlaceError
	if dir != "" && errors.As(err, &place) {
		moved := *place
		moved.Place.Path = filepath.Join(dir, moved.Place.Path)
		err = &moved
	}
	return strings.TrimSuffix(err.Error(), ".")
}

// count is "1 rule", "2 rules".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// rulesDir is a folder's rules, or the built-in ones.
func rulesDir(dir string) (fs.FS, error) {
	if dir == "" {
		return rules.FS, nil
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fileProblem("--dir", dir, err)
	} else if !info.IsDir() {
		return nil, usagef("--dir %q is a file. give the folder that it lies in", dir)
	}
	return os.DirFS(dir), nil
}

func newRulesNew(s *Streams) *cobra.Command {
	var dir, severity, domain, fit string
	var r ruleset.Scaffold
	c := &cobra.Command{
		Use:   "new RULE --type TYPE",
		Short: "Begin a rule: its file, its cases, and its line in a framework",
		Long: `Begin a rule: write its file, cases beside it that hold, and with --framework and
--requirement its line in the framework's file. The line for a built-in framework
goes into a file of its id below DIR, which adds to it. No rule that exists is overwritten.`,
		Example: "  plumbline rules new s3-bucket-inventory --type AWS::S3::Bucket --domain configuration --dir policies",
		Args:    exactly(1, "the new rule's id"),
		RunE: func(_ *cobra.Command, args []string) error {
			r.ID, r.Severity, r.Domain, r.Fit = args[0], finding.Severity(severity), finding.Domain(domain), ruleset.Fit(fit)
			if r.Type == "" {
				return usagef("rules new needs --type, the CloudFormation type that the rule judges, such as AWS::S3::Bucket")
			}
			if info, err := os.Stat(dir); err == nil && !info.IsDir() {
				return usagef("--dir %q is a file. give a folder", dir)
			}
			files, err := r.Files(os.DirFS(dir), rules.FS)
			if err != nil {
				return usageError{err}
			}
			var names []string
			for name := range files {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				path := filepath.Join(dir, filepath.FromSlash(name))
				err := os.MkdirAll(filepath.Dir(path), 0o755)
				if err == nil {
					err = os.WriteFile(path, files[name], 0o644)
				}
				if err != nil {
					return usagef("--dir %q: cannot write %q: %s", dir, path, cause(err))
				}
				fmt.Fprintln(s.Out, "wrote", path)
			}
			fmt.Fprintf(s.Err, "next: say in the rule's file what is right, then run \"plumbline rules test --dir %s %s\"\n", dir, r.ID)
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&dir, "dir", "rules", "the `DIR` of rules")
	fl.StringVar(&r.Type, "type", "", "the CloudFormation `TYPE` it judges")
	fl.StringVar(&r.Title, "title", "", "the `TITLE`: what is right, in present tense")
	fl.StringVar(&r.Property, "property", "", "the `PROPERTY` to look at first")
	fl.StringVar(&severity, "severity", "", "the `SEVERITY`: critical, high, medium or low (default medium)")
	fl.StringVar(&domain, "domain", "", "the `DOMAIN` it belongs to (default configuration)")
	fl.StringVar(&r.Framework, "framework", "", "the `FRAMEWORK` to map it to")
	fl.StringVar(&r.Requirement, "requirement", "", "the `REQUIREMENT` of that framework")
	fl.StringVar(&fit, "fit", "", "how well it fits, `FIT`: direct, partial, supporting (default partial)")
	complete(c, "severity", severityNames())
	complete(c, "domain", domainNames())
	return c
}
