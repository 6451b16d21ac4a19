package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"plumbline/finding"
	"plumbline/rules"
	"plumbline/ruleset"
)

func newRulesTest(s *Streams) *cobra.Command {
	var dir string
	var verbose bool
	c := &cobra.Command{
		Use:   "test [RULE...]",
		Short: "Run the cases that stand beside rules",
		Long: `Run the cases beside rules: those of the built-in rules, or with --dir of your
own. A RULE is an id or a glob such as 's3-*'.`,
		Example: "  plumbline rules test s3-bucket-versioning\n  plumbline rules test --dir policies",
		RunE: func(c *cobra.Command, args []string) error {
			files, err := rulesDir(dir)
			if err != nil {
				return err
			}
			r, err := ruleset.RunCases(c.Context(), files, args...)
			if err != nil {
				return usageError{err}
			}
			for _, p := range r.Problems {
				fmt.Fprintln(s.Out, p)
			}
			for _, x := range r.Results {
				for _, p := range x.Problems {
					fmt.Fprintf(s.Out, "%s:%d:%d: %s: %s\n", filepath.Join(dir, x.Place.Path), x.Place.Line, x.Place.Column, x.Name, p)
				}
				if verbose && len(x.Problems) == 0 {
					fmt.Fprintf(s.Out, "ok    %s: %s (%s)\n", x.Rule, x.Name, x.Got)
				}
			}
			fmt.Fprintf(s.Out, "%d rules, %d cases, %d failed\n", r.Rules, len(r.Results), r.Failed())
			if !r.OK() {
				return exit(ExitFindings)
			}
			return nil
		},
		ValidArgsFunction: completeRules,
	}
	c.Flags().StringVar(&dir, "dir", "", "the rules of this `DIR` instead of the built-in ones")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "also list the cases that hold")
	return c
}

// rulesDir is a folder's rules, or the built-in ones.
func rulesDir(dir string) (fs.FS, error) {
	if dir == "" {
		return rules.FS, nil
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, usageError{fmt.Errorf("--dir: %w", err)}
	} else if !info.IsDir() {
		return nil, usagef("--dir %s: a folder of rule files is needed", dir)
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
--requirement its line in the framework's file. Nothing that exists is overwritten.`,
		Example: "  plumbline rules new s3-bucket-inventory --type AWS::S3::Bucket --domain configuration --dir policies",
		Args:    exactly(1, "the new rule's id"),
		RunE: func(_ *cobra.Command, args []string) error {
			r.ID, r.Severity, r.Domain, r.Fit = args[0], finding.Severity(severity), finding.Domain(domain), ruleset.Fit(fit)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return usageError{err}
			}
			files, err := r.Files(os.DirFS(dir))
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
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					return usageError{err}
				}
				if err := os.WriteFile(path, files[name], 0o644); err != nil {
					return usageError{err}
				}
				fmt.Fprintln(s.Out, "wrote", path)
			}
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&dir, "dir", "rules", "the `DIR` of rules")
	fl.StringVar(&r.Type, "type", "", "the CloudFormation `TYPE` it judges")
	fl.StringVar(&r.Title, "title", "", "what is right, in present tense")
	fl.StringVar(&r.Property, "property", "", "the property to look at first")
	fl.StringVar(&severity, "severity", "", "critical, high, medium or low (default medium)")
	fl.StringVar(&domain, "domain", "", "the rule set it belongs to (default configuration)")
	fl.StringVar(&r.Framework, "framework", "", "the framework to map it to")
	fl.StringVar(&r.Requirement, "requirement", "", "the requirement of that framework")
	fl.StringVar(&fit, "fit", "", "how well it fits: direct, partial, supporting (default partial)")
	complete(c, "severity", severityNames())
	complete(c, "domain", domainNames())
	return c
}
