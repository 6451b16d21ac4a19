package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/internal/account"
	"plumbline/internal/local"
	"plumbline/scan"
)

// liveFlags say which deployed stacks to scan, and as whom.
type liveFlags struct {
	stacks        []string
	all           bool
	profile, role string
}

func (f *liveFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringSliceVar(&f.stacks, "stack", nil, "scan this deployed `STACK` and its live resources; may be given again")
	fl.BoolVar(&f.all, "all-stacks", false, "scan all deployed stacks of the account and region")
	f.registerIdentity(c)
}

func (f *liveFlags) registerIdentity(c *cobra.Command) {
	c.Flags().StringVar(&f.profile, "profile", "", "the `PROFILE` of AWS's configuration to read an account with")
	c.Flags().StringVar(&f.role, "role", "", "assume this `ROLE`, an ARN, first: of another account as well")
}

// asked reports whether deployed stacks are to be scanned.
func (f *liveFlags) asked() bool { return f.all || len(f.stacks) > 0 }

// check refuses flags that do not go together.
func (f *liveFlags) check(paths []string, j *judgeFlags) error {
	switch {
	case !f.asked() && (f.profile != "" || f.role != ""):
		return usagef("--profile and --role read an account. name its stacks by --stack or --all-stacks")
	case !f.asked() && len(paths) == 0:
		return usagef("scan needs a PATH: a template, a folder, a cdk.out, or - for standard input; or --stack or --all-stacks. see \"plumbline scan --help\"")
	case !f.asked():
		return nil
	case f.all && len(f.stacks) > 0:
		return usagef("--stack and --all-stacks: give one of the two")
	case len(paths) > 0:
		return usagef("a scan is of templates or of deployed stacks. leave out %q, or --stack and --all-stacks", paths[0])
	case len(j.param) > 0 || len(j.params) > 0:
		return usagef("deployed stacks have their parameters. leave out --param and --params")
	case j.account != "":
		return usagef("the account of deployed stacks is that of the credentials. leave out --account; see --profile and --role")
	case f.role != "" && !strings.HasPrefix(f.role, "arn:"):
		return usagef("--role %q is no ARN: they are written as arn:aws:iam::111122223333:role/NAME", f.role)
	}
	return nil
}

// scanStacks scans deployed stacks.
func (j *judge) scanStacks(ctx context.Context, s *Streams, f *liveFlags, q scanRequest) (*scan.Report, error) {
	o := account.Options{Profile: f.profile, Role: f.role, Stacks: f.stacks, Forgive: q.data != "", Relations: j.set.Relations}
	if j.flags.region != "" {
		o.Regions = strings.Split(j.flags.region, ",")
	}
	a, err := s.openAccount(ctx, o)
	if err != nil {
		return nil, usageError{err}
	}
	targets, unread := a.Targets(ctx)
	if unread != nil && (len(targets) == 0 || ctx.Err() != nil) {
		return nil, unread
	}
	if len(targets) == 0 {
		return nil, usagef("there is no stack in %s", strings.Join(a.Regions(), ", "))
	}
	rep, err := j.run(ctx, s, q, local.Options{Stacks: known{a, targets}, Total: len(targets)})
	j.unkept = errors.Join(unread, j.unkept) // told when the others' result is
	return rep, err
}

// known is an account whose targets have been listed.
type known struct {
	account.Account
	targets []scan.Target
}

// Targets are the stacks as they were when the scan began.
func (k known) Targets(context.Context) ([]scan.Target, error) { return k.targets, nil }

// run scans what the options name, in the ways that the flags ask for.
func (j *judge) run(ctx context.Context, s *Streams, q scanRequest, o local.Options) (*scan.Report, error) {
	o.Rules, o.Policy, o.NoSuppressions = j.set, j.policy, q.noSuppressions
	o.Data, o.Provenance, o.Observe = q.data, j.provenance(), q.timed.observer()
	if q.data != "" {
		o.Render = func(w io.Writer, format string, r *scan.Report) error {
			defer q.timed.begin(phaseStored)()
			return j.render(w, format, r)
		}
		o.Waiting = func() {
			if q.bar != nil {
				q.bar.clear()
			}
			fmt.Fprintf(s.Err, "plumbline: waiting for another scan that writes to %q\n", q.data)
		}
	}
	if q.keep != nil {
		o.Keep = func(status string) bool { return q.keep[status] }
	}
	if q.bar != nil {
		o.Progress = q.bar.step
	}
	q.reviews.options(&o)
	before := processorTime()
	rep, err := local.Scan(ctx, o)
	if rep == nil {
		return nil, err
	}
	j.unkept = err
	q.timed.scanned(j.set.Compiling(), processorTime()-before)
	j.report = rep
	j.warnings = append(j.warnings, rep.Warnings...)
	return rep, nil
}
