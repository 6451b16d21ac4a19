package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumbline/asl/engine"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks/judgeresource"
)

// remediateFlags is what the commands of `plumbline remediate` were asked for.
type remediateFlags struct {
	judge      judgeFlags
	live, data string
	template   string
	rule       []string
	resource   []string
	by         string
	apply      bool
	format     string
}

func newRemediate(s *Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "remediate",
		Short: "Settle violations of live resources: plan, approve, apply, verify, undo",
		Long: `Settle violations of live resources. A plan says what would be changed, what that
breaks and how it is undone; the policy file says who decides. Each change is
carried out by the workflow remediate-finding: it looks once more, changes, has the
same rule judge the result, records, and takes back what does not hold.

The resources are a folder (--live) with one JSON file each:
  {"type": "AWS::SQS::Queue", "identifier": "…", "logicalId": "Jobs", "stack": "Shop", "model": {…}}

Nothing is changed without --apply.`,
		Example: `  plumbline remediate plan --live live/ --data .plumbline
  plumbline remediate apply 3f2a --live live/ --data .plumbline --apply
  plumbline remediate undo 3f2a --live live/ --data .plumbline --apply`,
		Args: noSubcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newRemediatePlan(s), newRemediateShow(s), newRemediateApply(s, false), newRemediateApply(s, true), newRemediateStop(s), newRemediateResume(s))
	return c
}

func (f *remediateFlags) register(c *cobra.Command, live bool) {
	fl := c.Flags()
	fl.SortFlags = false
	if live {
		fl.StringVar(&f.live, "live", "", "the `DIR` of live resources, one JSON file each")
	}
	fl.StringVar(&f.data, "data", "", "the `DIR` that plans, approvals and the ledger are kept in")
}

func newRemediatePlan(s *Streams) *cobra.Command {
	var f remediateFlags
	c := &cobra.Command{
		Use:   "plan --live DIR [--data DIR]",
		Short: "Work out what would be changed, and who decides",
		Long: `Judge the resources of a folder, and plan for each violation what would be changed,
what that may break and how it is undone. With --data the plans are kept, and can
be approved and applied; without it they are shown only.`,
		Example: "  plumbline remediate plan --live live/ --data .plumbline --rule sqs-queue-encrypted",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runRemediatePlan(c.Context(), s, &f)
		},
	}
	f.register(c, true)
	fl := c.Flags()
	fl.StringVar(&f.template, "template", "", "the template `FILE` that the resources' stack was deployed from: plans then say what to change there")
	fl.StringSliceVar(&f.rule, "rule", nil, "plan for violations of this `RULE` only; may be given again")
	fl.StringSliceVar(&f.resource, "resource", nil, "plan for this resource only, by its `LOGICAL-ID`; may be given again")
	fl.StringVar(&f.by, "by", "", "who asks for the change (default: the user of this machine); nobody approves a change of their own")
	fl.StringVar(&f.judge.policy, "policy", "", "the policy `FILE` (default: plumbline.yaml in the current folder, if there is one)")
	fl.StringArrayVar(&f.judge.rules, "rules", nil, "also judge by the rules of this `DIR`; may be given again")
	f.registerFormat(c)
	_ = c.RegisterFlagCompletionFunc("rule", completeRules)
	return c
}

// openLive opens the folder of live resources.
func (f *remediateFlags) openLive() (*files.Live, error) {
	if f.live == "" {
		return nil, usagef("--live DIR is missing: the folder of live resources, one JSON file each")
	}
	l, err := files.OpenLive(f.live)
	if err != nil {
		return nil, usageError{fmt.Errorf("--live: %w", err)}
	}
	return l, nil
}

func (f *remediateFlags) openData(ctx context.Context, create bool) (*local.ChangesData, error) {
	if f.data == "" {
		return nil, usagef("--data DIR is missing: the folder that plans, approvals and the ledger are kept in")
	}
	if create {
		if err := writable("--data", f.data); err != nil {
			return nil, err
		}
	}
	d, err := local.OpenChangesData(ctx, f.data, create)
	if err != nil {
		return nil, usageError{err}
	}
	return d, nil
}

// openSet opens the rules under the policy; a rule that does not exist is refused.
func (f *remediateFlags) openSet(s *Streams) (*ruleset.Set, error) {
	j, err := f.judge.open(s)
	if err != nil {
		return nil, err
	}
	for _, id := range f.rule {
		if _, err := j.set.Rule(id); err != nil {
			return nil, usageError{err}
		}
	}
	return j.set, nil
}

func runRemediatePlan(ctx context.Context, s *Streams, f *remediateFlags) (err error) {
	if err := oneOf("--format", f.format, planFormats); err != nil {
		return err
	}
	resources, err := f.openLive()
	if err != nil {
		return err
	}
	set, err := f.openSet(s)
	if err != nil {
		return err
	}
	folder := local.Folder{Live: resources}
	if f.template != "" {
		if folder.Source, err = readTemplate(f.template); err != nil {
			return err
		}
	}
	changes := local.Dry(set, folder)
	var known judgeresource.Known
	if f.data != "" {
		d, err := f.openData(ctx, true)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		changes = d.Changes(set, folder, nil)
		known = changes.Findings
	}
	all, err := resources.All()
	if err != nil {
		return usageError{err}
	}
	if len(all) == 0 {
		fmt.Fprintf(s.Err, "%q holds no live resources: one JSON file each. see \"plumbline remediate --help\"\n", f.live)
	}
	for _, id := range f.resource {
		if !slices.ContainsFunc(all, func(r files.LiveResource) bool { return r.LogicalID == id }) {
			var names []string
			for _, r := range all {
				names = append(names, r.LogicalID)
			}
			return usagef("--resource %q is none of %s%s", id, strings.Join(names, ", "), didYouMean(id, names))
		}
	}
	judge := judgeresource.New(set, resources, folder, known, time.Now)
	suppressed := 0
	var plans []shownPlan
	left := 0
	for _, r := range all {
		if len(f.resource) > 0 && !slices.Contains(f.resource, r.LogicalID) {
			continue
		}
		res := finding.Resource{Account: r.Account, Region: r.Region, Stack: r.Stack, LogicalID: r.LogicalID, Type: r.Type}
		judged, err := judge.Handle(ctx, judgeresource.In{CheckID: newChangeID(), Resource: res, Identifier: r.Identifier, All: true})
		if err != nil {
			return err
		}
		suppressed += judged.Suppressed
		for _, q := range judged.Violations {
			if len(f.rule) > 0 && !slices.Contains(f.rule, q.Rule) {
				continue
			}
			q.Change, q.Requester = newChangeID(), cmp.Or(f.by, osUser())
			out, err := changes.Plan(ctx, q)
			if err != nil {
				return err
			}
			if out.Outcome != change.PlanMade {
				left++
				fmt.Fprintf(s.Err, "%s: %s stays: %s\n", q.Resource.LogicalID, q.Rule, out.Reason)
				continue
			}
			p, err := change.Load(ctx, changes.Blobs, out.Plan)
			if err != nil {
				return err
			}
			plans = append(plans, shownPlan{out.Plan, p})
		}
	}
	if f.format == "json" {
		return plansJSON(s.Out, plans)
	}
	for i, p := range plans {
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		p.text(s.Out)
	}
	if suppressed > 0 {
		fmt.Fprintf(s.Err, "%s suppressed or accepted, and not planned for\n", count(suppressed, "violation"))
	}
	fmt.Fprintf(s.Err, "%s, %d left; nothing was changed\n", count(len(plans), "plan"), left)
	return nil
}

func newChangeID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return "change-" + hex.EncodeToString(b[:])
}

// osUser is who runs this process, as the machine says.
func osUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

func newRemediateShow(s *Streams) *cobra.Command {
	var f remediateFlags
	c := &cobra.Command{
		Use:     "show --data DIR [PLAN]",
		Short:   "Show a plan and what became of it; without PLAN, list them",
		Example: "  plumbline remediate show --data .plumbline\n  plumbline remediate show 3f2a --data .plumbline",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("remediate show takes one PLAN, and got %d", len(args))
			}
			return runRemediateShow(c.Context(), s, &f, args)
		},
	}
	f.register(c, false)
	f.registerFormat(c)
	return c
}

// planFormats are the forms in which plans and what became of them are printed.
var planFormats = []string{"text", "json"}

func (f *remediateFlags) registerFormat(c *cobra.Command) {
	c.Flags().StringVarP(&f.format, "format", "f", "text", "as `FORMAT`: text or json")
	complete(c, "format", planFormats)
}

func runRemediateShow(ctx context.Context, s *Streams, f *remediateFlags, args []string) (err error) {
	if err := oneOf("--format", f.format, planFormats); err != nil {
		return err
	}
	d, err := f.openData(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := holds(ctx, d.Ledger, nil); err != nil {
		return err
	}
	if stop, err := d.Brake().Stopped(ctx); err != nil {
		return err
	} else if stop != nil {
		fmt.Fprintln(s.Err, report.Plain(stop.String()))
	}
	switch {
	case f.format == "json":
		return showJSON(ctx, s.Out, d, args)
	case len(args) == 0:
		return listPlans(ctx, s.Out, d)
	}
	hash, p, err := findPlan(ctx, d, args[0])
	if err != nil {
		return err
	}
	shownPlan{hash, p}.text(s.Out)
	story, err := change.Tell(ctx, d.Ledger, hash)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	tellStory(s.Out, story)
	return nil
}

func newRemediateApply(s *Streams, undo bool) *cobra.Command {
	var f remediateFlags
	c := &cobra.Command{
		Use:   "apply --live DIR --data DIR PLAN...",
		Short: "Carry out plans, where the policy or people allow it",
		Long: `Carry out plans by the workflow remediate-finding. A plan that people have to
approve is asked about, and the command ends; run again after the approval, it goes
on. Without --apply nothing is changed and nobody is asked: the plan is shown.

Exit codes: 0 all done or right already; 1 one was not carried out (it waits for
people, was denied, or the resource has changed); 3 one failed.`,
		Example: "  plumbline remediate apply 3f2a --live live/ --data .plumbline --apply",
	}
	if undo {
		c.Use, c.Short = "undo --live DIR --data DIR PLAN...", "Take back what a plan has changed"
		c.Long = `Give resources back what a plan's change took. What somebody else has set since
stays. Without --apply nothing is changed: the patch is shown.`
		c.Example = "  plumbline remediate undo 3f2a --live live/ --data .plumbline --apply"
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s needs a PLAN: the first digits of its hash, as \"plumbline remediate show --data DIR\" lists them", inner(c))
		}
		return runRemediateApply(c.Context(), s, &f, args, undo)
	}
	f.register(c, true)
	f.registerFormat(c)
	c.Flags().BoolVar(&f.apply, "apply", false, "do it; without this nothing is changed")
	c.Flags().StringVar(&f.judge.policy, "policy", "", "the policy `FILE` (default: plumbline.yaml in the current folder, if there is one)")
	c.Flags().StringArrayVar(&f.judge.rules, "rules", nil, "also judge by the rules of this `DIR`; may be given again")
	return c
}

func runRemediateApply(ctx context.Context, s *Streams, f *remediateFlags, args []string, undo bool) (err error) {
	if err := oneOf("--format", f.format, planFormats); err != nil {
		return err
	}
	resources, err := f.openLive()
	if err != nil {
		return err
	}
	set, err := f.openSet(s)
	if err != nil {
		return err
	}
	d, err := f.openData(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := holds(ctx, d.Ledger, nil); err != nil {
		return err
	}
	changes := d.Changes(set, local.Folder{Live: resources}, func(n scan.Notice) {
		if n.Kind == scan.NoticeApproval {
			fmt.Fprintf(s.Err, "%s\n", lastLine(n.Body))
		}
	})
	var plans []shownPlan // all are found before the first is carried out
	for _, arg := range args {
		hash, p, err := findPlan(ctx, d, arg)
		if err != nil {
			return err
		}
		plans = append(plans, shownPlan{hash, p})
	}
	if !f.apply {
		defer fmt.Fprintln(s.Err, "nothing was changed; --apply does it")
		if f.format == "json" {
			return plansJSON(s.Out, plans)
		}
		for _, p := range plans {
			if !undo {
				p.text(s.Out)
			} else if err := showUndo(ctx, s, resources, p.Planned); err != nil {
				return err
			}
		}
		return nil
	}
	worst := ExitClean
	ended := []endedPlan{}
	for _, p := range plans {
		end, err := changes.Carry(ctx, change.Request{Change: p.Change, Plan: p.hash, Undo: undo}, func(ev engine.Event) {
			if ev.Type == "WaitStateEntered" {
				fmt.Fprintln(s.Err, report.Plain(fmt.Sprintf("%s  another change of %s goes on; this one waits for it", p.hash[:12], p.Plan.Resource.LogicalID)))
			}
		})
		if err != nil {
			return err
		}
		worst = max(worst, endingCode(end))
		ended = append(ended, endedPlan{p.hash, end.State, string(end.Outcome), end.Reason, end.Waiting})
		if f.format != "json" {
			fmt.Fprintln(s.Out, report.Plain(fmt.Sprintf("%s  %s of %s: %s", p.hash[:12], p.Plan.Rule, p.Plan.Resource.LogicalID, endingWords(end, undo))))
		}
	}
	if f.format == "json" {
		if err := indented(s.Out, ended); err != nil {
			return err
		}
	}
	if worst != ExitClean {
		return exit(worst)
	}
	return nil
}

// findPlan finds the plan whose hash begins so.
func findPlan(ctx context.Context, d *local.ChangesData, prefix string) (string, *change.Planned, error) {
	all, err := d.Plans(ctx)
	if err != nil {
		return "", nil, err
	}
	found := slices.DeleteFunc(slices.Clone(all), func(h string) bool { return !strings.HasPrefix(h, strings.ToLower(prefix)) })
	switch {
	case len(found) == 0 || prefix == "":
		return "", nil, usagef("no plan begins with %q; %d are kept. \"plumbline remediate show --data DIR\" lists them", prefix, len(all))
	case len(found) > 1:
		return "", nil, usagef("%d plans begin with %q. give more digits", len(found), prefix)
	}
	p, err := change.Load(ctx, d.Blobs, found[0])
	return found[0], p, err
}
