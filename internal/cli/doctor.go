package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/internal/account"
	"plumbline/internal/report"
)

func newDoctor(s *Streams) *cobra.Command {
	var f liveFlags
	var region, format string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check what scans of an AWS account need, and a deployed suite",
		Long: `Check credentials and permissions of a live scan, AWS Config's recorder and, where
the suite is deployed, its endpoints, subscriptions, queues of what failed, and
that it answers an event. Nothing is changed, and no scan is started.

Exit codes: 0 nothing to mend, 1 problems, 2 a flag is wrong or there is no account.`,
		Example: `  plumbline doctor --region eu-west-1 --profile audit`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("--format", format, []string{"text", "json"}); err != nil {
				return err
			}
			flags := judgeFlags{region: region, regions: true}
			if err := flags.check(); err != nil {
				return err
			}
			return runDoctor(c.Context(), s, &f, region, format)
		},
	}
	fl := c.Flags()
	fl.SortFlags = false
	fl.StringVar(&region, "region", "", "the `REGION`, or several with commas between them (default: the profile's)")
	f.registerIdentity(c)
	fl.StringVarP(&format, "format", "f", "text", "as `FORMAT`: text or json")
	complete(c, "format", []string{"text", "json"})
	return c
}

func runDoctor(ctx context.Context, s *Streams, f *liveFlags, region, format string) error {
	o := account.Options{Profile: f.profile, Role: f.role}
	if region != "" {
		o.Regions = strings.Split(region, ",")
	}
	a, err := s.openAccount(ctx, o)
	if err != nil {
		return usageError{err}
	}
	checks := a.Diagnose(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := writeChecks(s.Out, format, checks); err != nil {
		return err
	}
	for _, x := range checks {
		if x.Status == account.Problem {
			return exit(ExitFindings)
		}
	}
	return nil
}

func writeChecks(w io.Writer, format string, checks []account.Check) error {
	if format == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(checks)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range checks {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.Status, x.Region, x.What, report.Plain(x.Says))
	}
	return t.Flush()
}
