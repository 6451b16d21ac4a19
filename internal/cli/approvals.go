package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/approval"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/remedy/change"
	"plumbline/scan"
	"plumbline/tasks/sweepapprovals"
)

func newApprovals(s *Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "approvals",
		Short: "Decide on changes that need approval",
		Long: `List, show, approve and deny changes that wait for people. A decision is bound to
the hash of the plan that is shown, needs a reason, and stands in the ledger.
Nobody decides on a change of their own. On this machine plumbline takes your word
for who you are (--by): whoever may write the data folder could write anything.

With --url the requests are those of plumbline on AWS, and you are whom your AWS
credentials are of: a user of IAM, or a session of IAM Identity Center.`,
		Example: `  plumbline approvals list --data .plumbline
  plumbline approvals approve 3f2a --data .plumbline --reason "port 3389 has no users"`,
		Args: noSubcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newApprovalsList(s), newApprovalsShow(s), newApprovalsDecide(s, true), newApprovalsDecide(s, false), newApprovalsAccept(s), newApprovalsSweep(s))
	return c
}

func newApprovalsList(s *Streams) *cobra.Command {
	var f remediateFlags
	var far remoteFlags
	var all bool
	c := &cobra.Command{
		Use: "list --data DIR | --url ADDRESS", Short: "List changes that wait for people", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if far.url != "" {
				return far.list(c.Context(), s)
			}
			d, err := f.openData(c.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.Close()) }()
			if err := d.Desk().Settle(c.Context()); err != nil { // what has expired waits no more
				return err
			}
			t := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
			for r, err := range d.Approvals.All(c.Context()) {
				if err != nil {
					return err
				}
				if !all && r.State != approval.Waiting {
					continue
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\tuntil %s\n", r.Plan[:12], r.State, r.Severity, r.Rule, report.Plain(r.Resource.LogicalID), r.Expires.Local().Format("2006-01-02 15:04"))
			}
			return t.Flush()
		},
	}
	f.register(c, false)
	far.register(c, false)
	c.Flags().BoolVar(&all, "all", false, "also those that are decided or have expired")
	return c
}

func newApprovalsShow(s *Streams) *cobra.Command {
	var f remediateFlags
	var far remoteFlags
	c := &cobra.Command{
		Use: "show --data DIR | --url ADDRESS ID", Short: "Show what is to be decided on, and what was said", Example: "  plumbline approvals show 3f2a --data .plumbline",
		RunE: func(c *cobra.Command, args []string) (err error) {
			if len(args) != 1 {
				return usagef("approvals show needs one ID: of the request, or the first digits of the plan's hash")
			}
			if far.url != "" {
				return far.show(c.Context(), s, args[0])
			}
			d, err := f.openData(c.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.Close()) }()
			r, err := findRequest(c.Context(), d, args[0])
			if err != nil {
				return err
			}
			p, err := change.Load(c.Context(), d.Blobs, r.Plan)
			if err != nil {
				return err
			}
			shownPlan{r.Plan, p}.text(s.Out)
			fmt.Fprintln(s.Out)
			fmt.Fprintln(s.Out, report.Plain(fmt.Sprintf("%s, asked by %s; %d more must approve; until %s", r.State, cmp.Or(r.Requester, "nobody who is known"), r.Missing(), r.Expires.Local().Format(time.RFC3339))))
			if len(r.Groups) > 0 {
				fmt.Fprintln(s.Out, report.Plain("who may decide: members of "+strings.Join(r.Groups, ", ")))
			}
			for _, x := range r.Decisions {
				fmt.Fprintln(s.Out, report.Plain(fmt.Sprintf("%s  %s: %s (%s)", x.At.Format(time.RFC3339), x.By, decisionWords(x), x.Reason)))
			}
			return nil
		},
	}
	f.register(c, false)
	far.register(c, false)
	return c
}

// deciding is what the commands that decide on a request share: whose word it
// is, and the reason.
type deciding struct {
	data   remediateFlags
	far    remoteFlags
	reason string
	groups []string
}

func (d *deciding) register(c *cobra.Command) {
	d.data.register(c, false)
	d.far.register(c, true)
	fl := c.Flags()
	fl.StringVar(&d.reason, "reason", "", "why, in a sentence that an auditor understands")
	fl.StringVar(&d.data.by, "by", "", "who decides (default: the user of this machine)")
	fl.StringSliceVar(&d.groups, "group", nil, "a `GROUP` that you belong to; may be given again")
}

// check refuses what no decision can be without.
func (d *deciding) check(command string, args []string) error {
	switch {
	case len(args) != 1:
		return usagef("approvals %s needs one ID: of the request, or the first digits of the plan's hash", command)
	case strings.TrimSpace(d.reason) == "":
		return usagef("--reason TEXT is missing: a decision needs a reason")
	}
	return nil
}

// decide finds the request in the data folder, has how decide on it, and says
// in text's words what has become of it.
func (d *deciding) decide(ctx context.Context, s *Streams, id string, how func(*approval.Desk, approval.Stored, approval.Person) (approval.Request, error), text func(approval.Request) string) (err error) {
	data, err := d.data.openData(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	r, err := findRequest(ctx, data, id)
	if err != nil {
		return err
	}
	now, err := how(data.Desk(), r, approval.Person{Name: cmp.Or(d.data.by, osUser()), Groups: d.groups})
	var refused *approval.Refusal
	if errors.As(err, &refused) {
		return usageError{refused}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%s  %s\n", now.Plan[:12], text(now))
	return nil
}

func newApprovalsDecide(s *Streams, approve bool) *cobra.Command {
	var d deciding
	name, short := "approve", "Say yes to a change"
	if !approve {
		name, short = "deny", "Say no to a change"
	}
	c := &cobra.Command{
		Use: name + " --data DIR | --url ADDRESS --plan HASH --reason TEXT ID", Short: short,
		Example: "  plumbline approvals " + name + " 3f2a --data .plumbline --reason \"as agreed with the network team\"",
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.check(name, args); err != nil {
				return err
			}
			if d.far.url != "" {
				return d.far.decide(c.Context(), s, args[0], name, "", d.reason)
			}
			return d.decide(c.Context(), s, args[0], func(desk *approval.Desk, r approval.Stored, by approval.Person) (approval.Request, error) {
				return desk.DecideListed(c.Context(), r.ID, r.Plan, by, approve, d.reason)
			}, func(now approval.Request) string {
				if n := now.Missing(); n > 0 {
					return fmt.Sprintf("%s: %d more must approve", now.State, n)
				}
				return string(now.State)
			})
		},
	}
	d.register(c)
	return c
}

func newApprovalsSweep(s *Streams) *cobra.Command {
	var f remediateFlags
	c := &cobra.Command{
		Use: "sweep --data DIR", Short: "Remind of requests, and end those that have expired", Args: noArgs,
		Long: `Say which changes wait for people since half of their time, each once, and end
those that have expired, which means no. On AWS a schedule does this; on a laptop
cron may. The other commands of approvals and remediate end what has expired as well.`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			d, err := f.openData(c.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.Close()) }()
			_, err = sweepapprovals.New(d.Desk(), d.Blobs, printed{s.Out}, "plumbline approvals list --data "+f.data, time.Now).Handle(c.Context(), sweepapprovals.In{})
			return err
		},
	}
	f.register(c, false)
	return c
}

// printed is a channel that prints the bodies of messages.
type printed struct{ out io.Writer }

func (p printed) Send(_ context.Context, n scan.Notice) error {
	_, err := fmt.Fprintln(p.out, report.Plain(n.Subject)+"\n"+plainLines(n.Body))
	return err
}

// plainLines is a text of several lines as a terminal may be shown it.
func plainLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = "  " + report.Plain(lines[i])
	}
	return strings.Join(lines, "\n")
}

// findRequest finds a request by its id, or by the first digits of its plan's
// hash; the latest of several of one plan.
func findRequest(ctx context.Context, d *local.ChangesData, id string) (approval.Stored, error) {
	r, err := d.Approvals.Find(ctx, approval.Hashed(id))
	if err == nil || !errors.Is(err, approval.ErrUnknown) {
		return r, err
	}
	var found []approval.Stored
	for r, err := range d.Approvals.All(ctx) {
		if err != nil {
			return approval.Stored{}, err
		}
		if id != "" && strings.HasPrefix(r.Plan, strings.ToLower(id)) {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 0:
		return approval.Stored{}, usagef("no request has id %q, nor a plan that begins so. \"plumbline approvals list --data DIR\" lists them", id)
	case slices.ContainsFunc(found, func(r approval.Stored) bool { return r.Plan != found[0].Plan }):
		return approval.Stored{}, usagef("several plans begin with %q. give more digits", id)
	}
	return found[len(found)-1], nil
}

// decisionWords say what a person decided.
func decisionWords(x approval.Decision) string {
	switch {
	case x.Accept:
		return "accepts the violation until " + x.Until
	case x.Approve:
		return "yes"
	}
	return "no"
}

func newApprovalsAccept(s *Streams) *cobra.Command {
	var d deciding
	var until string
	c := &cobra.Command{
		Use:   "accept --data DIR --until YYYY-MM-DD --reason TEXT ID",
		Short: "Leave a violation as it is until a day; nothing is changed",
		Long: `Leave a violation as it is until a day, a year from now at most: nothing is changed,
and scans with this data folder show it as suppressed, with the reason and who accepted
it. The day after, it is open again.`,
		Example: "  plumbline approvals accept 3f2a --data .plumbline --until 2027-03-31 --reason \"the queue holds no data and goes in March\"",
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.check("accept", args); err != nil {
				return err
			}
			if until == "" {
				return usagef("--until YYYY-MM-DD is missing: an acceptance needs the day on which it ends")
			}
			day, err := time.Parse(time.DateOnly, until)
			if err != nil {
				return usagef("--until %q is no day: want it as YYYY-MM-DD", until)
			}
			if d.far.url != "" {
				return d.far.decide(c.Context(), s, args[0], "accept", until, d.reason)
			}
			return d.decide(c.Context(), s, args[0], func(desk *approval.Desk, r approval.Stored, by approval.Person) (approval.Request, error) {
				return desk.AcceptListed(c.Context(), r.ID, r.Plan, by, day, d.reason)
			}, func(now approval.Request) string {
				if now.State == approval.Waiting {
					return "waiting: somebody else must accept as well"
				}
				return "accepted until " + until
			})
		},
	}
	d.register(c)
	c.Flags().StringVar(&until, "until", "", "the last `DAY` on which the violation does not count, YYYY-MM-DD")
	return c
}
