package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"plumbline/finding"
	"plumbline/internal/report"
	"plumbline/scan"
)

// scanFlags is what `plumbline scan` was asked for.
type scanFlags struct {
	format, output, color string
	show                  []string
	frameworks            []string
	failOn, severity      string
	judge                 judgeFlags
	live                  liveFlags
	data, baseline        string
	remediate             bool
	liveDir               string
	noSuppressions        bool
	exitZero, quiet       bool
	timings, noColor      bool
}

// shows are the values of --show, in the order of help; "all" stands for every one.
var shows = []string{"fail", "error", "unknown", "suppressed", "pass", "skip"}

func newScan(s *Streams) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan [flags] PATH...",
		Short: "Judge templates, folders, CDK output and deployed stacks",
		Long: `Judge CloudFormation templates against PCI DSS v4.0.1 and your own policies.

A PATH is a template (YAML or JSON), a folder of templates, a cdk.out, or - for
standard input. Each template goes through the scan-stack workflow. Parameters
without a value stay unknown: a verdict that depends on one is "unknown" and says
what would settle it.

With --stack or --all-stacks deployed stacks are scanned instead: their templates
with the parameters they have, their live resources, and whether the two agree.

The policy file is plumbline.yaml in the current folder, unless --policy names another.

With --data a scan is compared with the one before it, and kept when it comes to
its end; "plumbline history" shows what is kept. What was found in a template that
is gone from the folders given is resolved. A template is known again however its
path is typed.`,
		Example: `  plumbline scan template.yaml
  plumbline scan cdk.out --framework pci-dss-4.0.1 --format html --output report.html
  plumbline scan --param Environment=prod --fail-on high templates/
  cdk synth | plumbline scan -
  plumbline scan --stack Payments --region eu-west-1 --profile audit
  plumbline scan cdk.out --format json > before.json; plumbline scan cdk.out --baseline before.json`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.live.check(args, &f.judge); err != nil {
				return err
			}
			f.judge.regions = f.live.asked()
			if !c.Flags().Changed("show") && (f.format == "sarif" || f.format == "junit") {
				f.show = append(f.show, "suppressed") // both formats have a place for what does not count
			}
			return runScan(c.Context(), s, &f, args)
		},
	}
	c.SetHelpTemplate(c.HelpTemplate() + "\n" + exitCodeHelp)
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringVarP(&f.format, "format", "f", "table", "report as `FORMAT`: "+strings.Join(report.Formats, ", "))
	fl.StringVarP(&f.output, "output", "o", "", "write the report to a `FILE` instead of standard output")
	fl.StringSliceVar(&f.show, "show", []string{"fail", "error", "unknown"}, "list findings of these `STATUSES`: all, or some of "+strings.Join(shows, ", ")+"; sarif and junit also list suppressed ones by default")
	fl.StringSliceVar(&f.frameworks, "framework", nil, "only rules that look at a requirement of this `FRAMEWORK`")
	fl.StringVar(&f.severity, "severity", "low", "list violations of this `SEVERITY` or above: critical, high, medium, low")
	fl.StringVar(&f.failOn, "fail-on", "medium", "exit 1 on violations of this `SEVERITY` or above: critical, high, medium, low")
	f.judge.register(c)
	f.live.register(c)
	fl.StringVar(&f.data, "data", "", "keep findings and reports in this `DIR`; a second scan then says what is new and what is resolved")
	fl.BoolVar(&f.remediate, "remediate", false, "have new violations reviewed as the policy says: settled live, or asked about. needs --live and --data")
	fl.StringVar(&f.liveDir, "live", "", "with --remediate: the `DIR` of live resources, one JSON file each")
	fl.StringVar(&f.baseline, "baseline", "", "leave out what an earlier JSON report (`FILE`) already lists, but for what cannot be judged")
	fl.BoolVar(&f.noSuppressions, "no-suppressions", false, "show suppressed findings as what they are")
	fl.BoolVar(&f.exitZero, "exit-zero", false, "exit 0 in spite of violations (not in spite of errors)")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "no progress, no hints")
	fl.StringVar(&f.color, "color", "auto", "colour the table, `WHEN`: auto (on a terminal, unless NO_COLOR is set), always, never")
	fl.BoolVar(&f.noColor, "no-color", false, "the same as --color never")
	fl.BoolVar(&f.timings, "timings", false, "print the time of each phase to standard error")
	complete(c, "format", report.Formats)
	complete(c, "show", append([]string{"all"}, shows...))
	completeFrameworks(c)
	complete(c, "fail-on", severityNames())
	complete(c, "severity", severityNames())
	complete(c, "color", []string{"auto", "always", "never"})
	return c
}

func severityNames() []string {
	var out []string
	for _, x := range finding.Severities {
		out = append(out, string(x))
	}
	return out
}

func complete(c *cobra.Command, flag string, values []string) {
	// It fails only for a flag that does not exist, which a test would show at once.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeFrameworks completes --framework; the frameworks are read only when a shell asks.
func completeFrameworks(c *cobra.Command) {
	_ = c.RegisterFlagCompletionFunc("framework", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		set, err := openRules(nil, nil)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return set.Frameworks().IDs(), cobra.ShellCompDirectiveNoFileComp
	})
}

// check validates all flags that need nothing but themselves.
func (f *scanFlags) check(s *Streams) (show map[string]bool, color bool, err error) {
	if err := oneOf("--format", f.format, report.Formats); err != nil {
		return nil, false, err
	}
	if err := oneOf("--fail-on", f.failOn, severityNames()); err != nil {
		return nil, false, err
	}
	if err := oneOf("--severity", f.severity, severityNames()); err != nil {
		return nil, false, err
	}
	show = map[string]bool{}
	for _, x := range f.show {
		if x == "all" {
			for _, y := range shows {
				show[y] = true
			}
			continue
		}
		if err := oneOf("--show", x, append([]string{"all"}, shows...)); err != nil {
			return nil, false, err
		}
		show[x] = true
	}
	if f.noColor {
		f.color = "never"
	}
	color, err = colors(f.color, s.OutTTY && f.output == "", s.Env)
	return show, color, err
}

func runScan(ctx context.Context, s *Streams, f *scanFlags, paths []string) error {
	show, color, err := f.check(s)
	if err != nil {
		return err
	}
	if err := outputFile("--output", f.output); err != nil {
		return err
	}
	var known map[string]bool
	if f.baseline != "" {
		if known, err = readBaseline(f.baseline); err != nil {
			return err
		}
	}
	f.judge.partly = true
	j, err := f.judge.open(s)
	if err != nil {
		return err
	}
	if j.broken != nil {
		complain(s.Err, j.broken)
		fmt.Fprintln(s.Err, "plumbline: these rules are left out; all others judge")
	}
	var frameworks []report.Framework
	var inFramework map[string]bool
	if f.format == "html" || len(f.frameworks) > 0 {
		if frameworks, inFramework, err = j.selectFrameworks(f.frameworks); err != nil {
			return err
		}
	}
	begun, err := f.openReviews()
	if err != nil {
		return err
	}
	if f.data != "" {
		if err := writable("--data", f.data); err != nil {
			return err
		}
		leaveRoom()
	}
	var bar *progress
	if s.ErrTTY && !f.quiet {
		bar = newProgress(s.Err)
	}
	timed := newTimings(f.timings)
	var keep map[string]bool
	if f.format == "html" || f.data != "" || show["pass"] || show["skip"] || inFramework != nil {
		// A page counts passes by requirement and a framework only its own, so
		// they need passes as findings; all else takes counts.
		keep = map[string]bool{"fail": true, "error": true, "unknown": true, "suppressed": true, "pass": true, "skip": show["skip"] || inFramework != nil}
	}
	q := scanRequest{f.data, keep, f.noSuppressions, bar, timed, begun}
	var rep *scan.Report
	if f.live.asked() {
		rep, err = j.scanStacks(ctx, s, &f.live, q)
	} else {
		rep, err = j.scan(ctx, s, paths, q)
	}
	if bar != nil {
		bar.clear()
	}
	if err != nil {
		return err
	}
	if j.broken != nil {
		for _, p := range problemsOf(j.broken) {
			rep.Warnings = append(rep.Warnings, "rule left out: "+p)
		}
	}
	doc := &report.Document{
		Floor:  finding.Severity(f.severity),
		Report: rep, Rules: j.reportRules(rep), Frameworks: frameworks, Source: j.source,
		Show: show, Color: color, Width: s.Width, InForce: j.inForce(inFramework),
	}
	if inFramework != nil || known != nil {
		doc.Only = func(x finding.Finding) bool {
			if inFramework != nil && !inFramework[x.Rule] && (x.Rule != finding.TemplateReadable || x.Verdict == finding.Pass) {
				return false
			}
			// What holds now is no finding that an earlier report could list; and what
			// cannot be judged is not known for having been listed: it is why the exit
			// code is 3.
			return x.Verdict == finding.Pass || x.Verdict == finding.Skip || x.Verdict == finding.Error || !known[x.Fingerprint()]
		}
	}
	if !f.quiet && (f.format != "table" || f.output != "") { // a table that is read here tells them itself
		for _, w := range j.warnings {
			fmt.Fprintln(s.Err, "plumbline: warning:", report.Plain(w))
		}
	}
	done := timed.begin(phasePrint)
	if err := writeReport(s, f.output, f.format, doc); err != nil {
		return err
	}
	done()
	timed.print(s.Err)
	if j.unkept != nil {
		return j.unkept
	}
	if err := begun.begin(ctx, s, j, f.data, rep); err != nil {
		return err
	}
	if j.broken != nil {
		complain(s.Err, j.broken)
		fmt.Fprintln(s.Err, "plumbline: exit code 3: these rules were left out, and nothing was judged by them")
		return exit(ExitUnjudged)
	}
	return f.verdict(s, doc)
}

// verdict is the exit code of a scan: what could not be judged, a template or a
// domain, goes before what was found.
func (f *scanFlags) verdict(s *Streams, doc *report.Document) error {
	switch {
	case doc.Unjudged():
		if n := doc.UnlistedErrors(); n > 0 && !f.quiet {
			fmt.Fprintf(s.Err, "plumbline: exit code 3: %s could not be judged, which --show leaves out here\n", count(n, "check"))
		}
		return exit(ExitUnjudged)
	case !f.exitZero && doc.Failing(finding.Severity(f.failOn)) > 0:
		return exit(ExitFindings)
	}
	return nil
}

// writeReport writes to standard output, or whole or not at all to a file.
func writeReport(s *Streams, path, format string, d *report.Document) error {
	if path != "" {
		return writeFile(path, func(w io.Writer) error { return report.Write(w, format, d) })
	}
	err := report.Write(s.Out, format, d)
	if errors.Is(err, syscall.EPIPE) {
		return nil // the exit code stays the scan's; see resultWriter
	}
	return err
}

// inForce counts the rules of a framework that the policy leaves on; 0 for none asked for.
func (j *judge) inForce(inFramework map[string]bool) int {
	n := 0
	for id := range inFramework {
		if _, off := j.policy.RuleOff(id); !off && j.set.Index().Entry(id) != nil {
			n++
		}
	}
	return n
}

// selectFrameworks returns the frameworks to report by, and the rules that
// look at one of those that were asked for, nil for all rules.
func (j *judge) selectFrameworks(ids []string) ([]report.Framework, map[string]bool, error) {
	all := j.frameworks()
	if len(ids) == 0 {
		return all, nil, nil
	}
	var names []string
	for _, fw := range all {
		names = append(names, fw.ID)
	}
	var out []report.Framework
	in := map[string]bool{}
	for _, id := range ids {
		i := slices.Index(names, id)
		if i < 0 {
			return nil, nil, oneOf("--framework", id, names)
		}
		out = append(out, all[i])
		for _, q := range all[i].Requirements {
			for _, r := range q.Rules {
				in[r] = true
			}
		}
	}
	return out, in, nil
}
