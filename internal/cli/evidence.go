package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumbline/internal/evidence"
	"plumbline/internal/local"
	"plumbline/internal/report"
)

func newEvidence(s *Streams) *cobra.Command {
	var data, format, output, framework, since, until string
	var f judgeFlags
	c := &cobra.Command{
		Use:   "evidence --data DIR",
		Short: "Put together for an assessor what was checked for a framework",
		Long: `Put together what was checked for each requirement of a framework in a period:
the result of the last scan of each template or stack, over how many resources,
exceptions with reason and approver, what must be checked by hand, scope and
provenance. It reads the reports that scans kept and judges nothing anew.

A copy of the bucket of reports on AWS serves as well: put it into DIR/bucket.`,
		Example: `  plumbline evidence --data .plumbline --output evidence.html
  plumbline evidence --data .plumbline --since 2026-07-01 --until 2026-09-30 --format csv`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if data == "" {
				return usagef("evidence needs --data DIR, the folder that \"plumbline scan --data DIR\" wrote to")
			}
			if err := oneOf("--format", format, evidence.Formats); err != nil {
				return err
			}
			period, err := periodOf(since, until, time.Now())
			if err != nil {
				return err
			}
			j, err := f.open(s)
			if err != nil {
				return err
			}
			fw, err := frameworkNamed(j.frameworks(), framework)
			if err != nil {
				return err
			}
			in, err := local.ReadEvidence(c.Context(), data)
			if err != nil {
				return usageError{err}
			}
			in.Framework, in.Period = fw, period
			e := evidence.New(in)
			if len(e.Targets) == 0 {
				fmt.Fprintln(s.Err, "plumbline: warning: nothing was scanned in this period: the evidence is empty")
			}
			write := func(w io.Writer) error { return evidence.Write(w, format, e) }
			if output != "" {
				return writeFile(output, write)
			}
			return write(s.Out)
		},
	}
	fl := c.Flags()
	fl.StringVar(&data, "data", "", "the `DIR` that scans were kept in")
	fl.StringVarP(&format, "format", "f", "html", "as `FORMAT`: "+strings.Join(evidence.Formats, ", "))
	fl.StringVarP(&output, "output", "o", "", "write to a `FILE` instead of standard output")
	fl.StringVar(&framework, "framework", "pci-dss-4.0.1", "the `FRAMEWORK`")
	fl.StringVar(&since, "since", "", "first `DAY` of the period, YYYY-MM-DD (default: that of the first scan)")
	fl.StringVar(&until, "until", "", "last `DAY` of the period, YYYY-MM-DD (default: today)")
	fl.StringVar(&f.policy, "policy", "", "the policy `FILE` (default: plumbline.yaml in the current folder, if there is one)")
	fl.StringArrayVar(&f.rules, "rules", nil, "also know the rules and frameworks of this `DIR`; may be given again")
	complete(c, "format", evidence.Formats)
	return c
}

// periodOf reads the days of a period, in UTC. The last one belongs to it.
func periodOf(since, until string, now time.Time) (p evidence.Period, err error) {
	day := func(flag, text string) (time.Time, error) {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return t, usagef("%s %q is no day: write YYYY-MM-DD, such as %s", flag, text, now.UTC().Format(time.DateOnly))
		}
		return t, nil
	}
	p.Until = now.UTC()
	if since != "" {
		if p.Since, err = day("--since", since); err != nil {
			return p, err
		}
	}
	if until != "" {
		if p.Until, err = day("--until", until); err != nil {
			return p, err
		}
		p.Until = p.Until.Add(24*time.Hour - time.Nanosecond)
	}
	if p.Until.Before(p.Since) {
		return p, usagef("--since %s lies after the end of the period, %s", since, p.Until.Format(time.DateOnly))
	}
	return p, nil
}

func frameworkNamed(all []report.Framework, id string) (report.Framework, error) {
	var ids []string
	for _, fw := range all {
		if fw.ID == id {
			return fw, nil
		}
		ids = append(ids, fw.ID)
	}
	return report.Framework{}, oneOf("--framework", id, ids)
}
