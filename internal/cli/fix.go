package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"plumbline/cfn"
	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/internal/report"
	"plumbline/remedy"
	"plumbline/scan"
)

// fixFlags is what `plumbline fix` was asked for.
type fixFlags struct {
	judge       judgeFlags
	rule        []string
	diff, write bool
	quiet       bool
}

func newFix(s *Streams) *cobra.Command {
	var f fixFlags
	c := &cobra.Command{
		Use:   "fix [flags] PATH...",
		Short: "Settle violations in the templates themselves",
		Long: `Settle violations in the templates that they stand in. A change is made where the
rule says what to change and the value is written there; comments, order and every
byte that is not touched stay. Each is kept only where the same rule then passes.

Without --write nothing is changed: the changes are printed as a diff. A template
that CDK made is never written, since the next synth would undo it: what to set,
and on which construct, is said instead. What stays is said with the reason.`,
		Example: `  plumbline fix template.yaml
  plumbline fix --write --rule s3-bucket-versioning templates/`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("fix needs a PATH: a template or a folder. see \"plumbline fix --help\"")
			case f.diff && f.write:
				return usagef("--diff and --write cannot be given together. --diff is what is done without either")
			}
			return runFix(c.Context(), s, &f, args)
		},
	}
	fl := c.Flags()
	fl.SortFlags = false
	fl.BoolVar(&f.diff, "diff", false, "print the changes as a diff and write nothing (the default)")
	fl.BoolVarP(&f.write, "write", "w", false, "write the changed templates")
	fl.StringSliceVar(&f.rule, "rule", nil, "settle the violations of this `RULE` only; may be given again")
	f.judge.register(c)
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "do not say what was changed and what stays")
	_ = c.RegisterFlagCompletionFunc("rule", completeRules)
	return c
}

func runFix(ctx context.Context, s *Streams, f *fixFlags, paths []string) error {
	j, err := f.judge.open(s)
	if err != nil {
		return err
	}
	for _, id := range f.rule {
		if _, err := j.set.Rule(id); err != nil {
			return usageError{err}
		}
	}
	rep, err := j.scan(ctx, s, paths, scanRequest{timed: newTimings(false)})
	if err != nil {
		return err
	}
	run := fixRun{flags: f, streams: s, judge: j, read: len(rep.Assessments)}
	var errs []error
	for _, a := range rep.Assessments {
		run.unjudged(&a)
		findings := slices.DeleteFunc(slices.Clone(a.Findings), func(x finding.Finding) bool {
			return x.Verdict != finding.Fail || len(f.rule) > 0 && !slices.Contains(f.rule, x.Rule)
		})
		if len(findings) == 0 {
			continue
		}
		in := cfn.Inputs{Parameters: j.params, Account: cmp.Or(a.Target.Account, f.judge.account), Region: cmp.Or(a.Target.Region, f.judge.region), Stack: a.Target.Stack}
		if err := run.template(ctx, a.Target.Path, in, findings); err != nil {
			errs = append(errs, err)
		}
	}
	run.summary()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if run.unread {
		return exit(ExitUnjudged)
	}
	return nil
}

// fixRun is one run of `plumbline fix`.
type fixRun struct {
	flags   *fixFlags
	streams *Streams
	judge   *judge

	read, files, made, left int
	unread                  bool // something could not be judged, so that its violations are not known
	said                    int  // to be set in a CDK app
}

// unjudged says what of a template could not be judged. It is an error, which
// --quiet does not hide.
func (r *fixRun) unjudged(a *scan.Assessment) {
	r.unread = r.unread || len(a.Partial) > 0 || len(a.Failures) > 0
	for _, x := range a.Failures {
		r.say("%s: could not be judged: %s", a.Target.Path, cmp.Or(x.Cause, x.Error))
	}
	for _, x := range a.Findings {
		if x.Verdict != finding.Error || x.Rule != finding.TemplateReadable && len(r.flags.rule) > 0 && !slices.Contains(r.flags.rule, x.Rule) {
			continue
		}
		r.unread = true
		r.say("%s:%d:%d: %s: %s", a.Target.Path, x.Place.Line, x.Place.Column, x.Rule, x.Message)
	}
}

func (r *fixRun) template(ctx context.Context, path string, in cfn.Inputs, findings []finding.Finding) error {
	t, err := cfn.Parse(path, r.judge.source(path))
	if err != nil {
		return err // it was read a moment ago
	}
	p, err := remedy.Template(ctx, r.judge.set, t, in, findings)
	if err != nil {
		return err
	}
	r.left += len(p.Left)
	if isCDK(findings) {
		r.said += len(p.Made)
		r.constructs(p)
		return nil
	}
	r.made += len(p.Made)
	if string(p.Before) != string(p.After) {
		r.files++
		if err := r.put(t, p); err != nil {
			return err
		}
	}
	if r.flags.quiet {
		return nil
	}
	for _, c := range p.Made {
		if c.Breaks != "" {
			r.say("%s: %s: this may break something: %s", r.where(c.Finding), c.Finding.Rule, c.Breaks)
		}
	}
	r.reasons(p)
	return nil
}

// put writes a changed template, or its diff.
func (r *fixRun) put(t *cfn.Template, p *remedy.Patch) error {
	name := report.Plain(p.Path)
	if !r.flags.write {
		_, err := r.streams.Out.Write(diff.Diff(name, p.Before, name+" (fixed)", p.After))
		return err
	}
	if p.Path == source.Stdin {
		_, err := r.streams.Out.Write(p.After)
		return err
	}
	if t.Encoding != cfn.UTF8 {
		return usagef("%s is not in UTF-8, and only that is written. change the encoding first, or take the diff", name)
	}
	return replaceFile(p.Path, p.After)
}

// constructs says what to set where the template comes from CDK.
func (r *fixRun) constructs(p *remedy.Patch) {
	for _, c := range p.Made {
		where := c.Finding.Resource.ConstructPath
		if where == "" {
			where = c.Finding.Resource.LogicalID
		}
		fmt.Fprintf(r.streams.Out, "%s (%s): %s\n", report.Plain(where), c.Finding.Resource.Type, c.Finding.Rule)
		lines := c.CDK
		if lines == nil { // a resource that a template included in the app has
			for _, op := range c.Ops {
				lines = append(lines, remedy.Words(op))
			}
		}
		for _, line := range lines {
			fmt.Fprintf(r.streams.Out, "  %s\n", report.Plain(line))
		}
	}
	if !r.flags.quiet {
		r.reasons(p)
	}
}

func (r *fixRun) reasons(p *remedy.Patch) {
	for _, x := range p.Left {
		r.say("%s: %s stays: %s", r.where(x.Finding), x.Finding.Rule, x.Reason)
	}
}

func (r *fixRun) where(f finding.Finding) string {
	return fmt.Sprintf("%s:%d:%d: %s", f.Place.Path, f.Place.Line, f.Place.Column, f.Resource.LogicalID)
}

func (r *fixRun) say(format string, args ...any) {
	fmt.Fprintln(r.streams.Err, report.Plain(fmt.Sprintf(format, args...)))
}

func (r *fixRun) summary() {
	if r.flags.quiet {
		return
	}
	verb := "would be settled"
	if r.flags.write {
		verb = "settled"
	}
	text := fmt.Sprintf("%s %s in %d of %s, %d left", count(r.made, "violation"), verb, r.files, count(r.read, "template"), r.left)
	if r.said > 0 {
		text += fmt.Sprintf("; %d to be set in the CDK app, as said above", r.said)
	}
	if !r.flags.write && r.files > 0 {
		text += "; --write changes the files"
	}
	r.say("%s", text)
}

// isCDK reports whether a template was made by CDK: its resources say so.
func isCDK(findings []finding.Finding) bool {
	return slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Resource.ConstructPath != "" })
}

// replaceFile writes a file in place of another, whole or not at all.
func replaceFile(path string, content []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("write %q: %s", path, cause(err))
	}
	temp, err := os.CreateTemp(filepath.Dir(real), "."+strings.TrimPrefix(filepath.Base(real), ".")+".*")
	if err != nil {
		return fmt.Errorf("write %q: %s", path, cause(err))
	}
	_, err = temp.Write(content)
	err = errors.Join(err, temp.Chmod(mode), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), real)
	}
	if err != nil {
		os.Remove(temp.Name())
		return fmt.Errorf("write %q: %s", path, cause(err))
	}
	return nil
}
