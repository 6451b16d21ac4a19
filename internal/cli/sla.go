package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/internal/bundle"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/sla"
)

func newSLA(s *Streams) *cobra.Command {
	var data, format string
	var f judgeFlags
	var days int
	c := &cobra.Command{
		Use:   "sla --data DIR",
		Short: "Show how long violations stay open against the policy's terms",
		Long: `Show how long the violations that a data folder remembers stay open against the
terms of the policy (sla: in plumbline.yaml): what is open and overdue, how long
it took to remediate, and the share within term of each framework.

The exit code is 1 where a violation is overdue.`,
		Example: "  plumbline sla --data .plumbline",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if data == "" {
				return usagef("sla needs --data DIR, the folder that \"plumbline scan --data DIR\" wrote to")
			}
			if err := oneOf("--format", format, []string{"table", "json", "emf"}); err != nil {
				return err
			}
			if days < 1 || days > 3650 {
				return usagef("--days %d: allowed are 1 to 3650", days)
			}
			j, err := f.open(s)
			if err != nil {
				return err
			}
			r, err := sla.Measure(local.Records(c.Context(), data), sla.Options{
				Now: time.Now(), Period: time.Duration(days) * 24 * time.Hour, Due: j.policy.Due,
				Frameworks: func(rule string) []string { return bundle.FrameworksOf(j.set.Index(), j.set.Frameworks, rule) },
			})
			if err != nil {
				return usageError{err}
			}
			switch format {
			case "json":
				enc := json.NewEncoder(s.Out)
				enc.SetIndent("", "  ")
				err = enc.Encode(r)
			case "emf":
				err = sla.WriteMetrics(s.Out, r)
			default:
				slaTable(s, r)
			}
			if err == nil && r.Overdue > 0 {
				err = exit(ExitFindings)
			}
			return err
		},
	}
	c.Flags().StringVar(&data, "data", "", "the `DIR` that scans were kept in")
	c.Flags().StringVarP(&format, "format", "f", "table", "as `FORMAT`: table, json, or emf, CloudWatch's embedded metric format")
	c.Flags().IntVar(&days, "days", int(sla.Period/(24*time.Hour)), "count remediations of the last `N` days")
	c.Flags().StringVar(&f.policy, "policy", "", "the policy `FILE` (default: plumbline.yaml in the current folder, if there is one)")
	c.Flags().StringArrayVar(&f.rules, "rules", nil, "also know the rules of this `DIR`; may be given again")
	complete(c, "format", []string{"table", "json", "emf"})
	return c
}

func slaTable(s *Streams, r *sla.Report) {
	t := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "severity\topen\toverdue\toldest\tremediated\tlate\tmean time")
	for _, x := range r.Severities {
		oldest, mean := "-", "-"
		if x.Open > 0 {
			oldest = fmt.Sprintf("%.1f days", x.OldestDays)
		}
		if x.Remediated > 0 {
			mean = fmt.Sprintf("%.1f days", x.MeanDays)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%d\t%d\t%s\n", x.Severity, x.Open, x.Overdue, oldest, x.Remediated, x.Late, mean)
	}
	if len(r.Frameworks) > 0 {
		fmt.Fprintln(t, "\nframework\tviolations\twithin term\tshare")
		for _, x := range r.Frameworks {
			fmt.Fprintf(t, "%s\t%d\t%d\t%.0f %%\n", x.Framework, x.Violations, x.Within, x.Percent())
		}
	}
	if len(r.Breaches) > 0 {
		fmt.Fprintf(t, "\noverdue (%d)\n", r.Overdue)
		for _, x := range r.Breaches {
			fmt.Fprintf(t, "  %s\t%s\t%s\tdue %s\t%s\n", x.Severity, x.Rule, report.Plain(strings.TrimLeft(x.Resource, "/")), x.Due.Local().Format("2006-01-02"), report.Plain(x.Owner))
		}
		if more := r.Overdue - len(r.Breaches); more > 0 {
			fmt.Fprintf(t, "  and %d more\n", more)
		}
	}
	_ = t.Flush() // Main keeps the error of standard output
}
