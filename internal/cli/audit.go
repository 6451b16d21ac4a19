package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"plumbline/approval"
	"plumbline/internal/account"
	"plumbline/internal/files"
	"plumbline/internal/report"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
)

func newAudit(s *Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Verify the ledger of changes, and export it for an assessor",
		Args:  noSubcommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAuditVerify(s), newAuditAnchor(s), newAuditExport(s))
	return c
}

func newAuditVerify(s *Streams) *cobra.Command {
	var f remediateFlags
	var far booksFlags
	var a anchorFlags
	c := &cobra.Command{
		Use:   "verify --data DIR | --aws [--anchor NUMBER:HASH] [--anchors FOLDER]",
		Short: "Check that no entry of the ledger was changed, and name the first that was",
		Long: `Check the chain of the ledger: each entry holds the hash of the one before. Its
head is printed: keep that where nobody can change it, and give it back with
--anchor, since whoever can write the ledger could also compute it anew. What
"plumbline audit anchor" has kept in a folder is given by --anchors. With --aws the
ledger of plumbline on AWS is held to what is anchored there.

Exit codes: 0 it holds; 1 it does not; 3 it cannot be read.`,
		Example: "  plumbline audit verify --data .plumbline --anchor 41:9f86d08188…",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			d, done, err := openBooks(c.Context(), s, &f, &far)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			kept, err := a.all(c.Context(), d.Anchors)
			if ledger.Broken(err) {
				fmt.Fprintf(s.Out, "the ledger does not hold: %v\n", err)
				return exit(ExitFindings)
			}
			if err != nil {
				return err
			}
			n, err := ledger.Verify(d.Ledger.Entries(c.Context(), 1), kept)
			var broken *ledger.Break
			if errors.As(err, &broken) {
				fmt.Fprintf(s.Out, "the ledger does not hold: %v\n", broken)
				return exit(ExitFindings)
			}
			if err != nil {
				return err
			}
			last, err := d.Ledger.Last(c.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(s.Out, "%s, all as recorded\n", countOf(int(n), "entry", "entries"))
			if len(kept) > 0 {
				fmt.Fprintf(s.Out, "%s of them as anchored\n", countOf(len(kept), "entry", "entries"))
			}
			if n > 0 {
				fmt.Fprintf(s.Out, "head %d:%s\n", last.Seq, last.Hash)
			}
			if len(kept) == 0 {
				fmt.Fprintln(s.Err, unheld)
			}
			return nil
		},
	}
	f.register(c, false)
	far.register(c)
	a.register(c)
	return c
}

func newAuditAnchor(s *Streams) *cobra.Command {
	var f remediateFlags
	var to string
	c := &cobra.Command{
		Use:   "anchor --data DIR --to FOLDER",
		Short: "Keep the ledger's head where who writes the ledger cannot change it",
		Long: `Verify the ledger against what was anchored before, and keep its head in a folder:
one file, which its name says all of. It proves something if the folder is out of
reach of who can write the data folder: another disk, a repository, a share that is
only appended to. On AWS a schedule anchors the head in a bucket that locks it.

Exit codes: 0 anchored, or nothing was recorded since; 1 the ledger does not hold,
and nothing was anchored; 3 it cannot be read.`,
		Example: "  plumbline audit anchor --data .plumbline --to /mnt/worm/plumbline",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if to == "" {
				return usagef("--to FOLDER is missing: where the ledger's head is kept")
			}
			d, err := f.openData(c.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, d.Close()) }()
			a, done, err := (&ledger.Ledger{Store: d.Ledger}).Anchor(c.Context(), files.Anchors(to), osUser())
			switch {
			case ledger.Broken(err):
				fmt.Fprintf(s.Out, "the ledger does not hold, and is not anchored: %v\n", err)
				return exit(ExitFindings)
			case err != nil:
				return err
			case done:
				fmt.Fprintf(s.Out, "anchored %s\n", a)
			case a.Seq == 0:
				fmt.Fprintln(s.Out, "the ledger has no entry yet")
			default:
				fmt.Fprintf(s.Out, "nothing was recorded since the last anchor; the head is %s\n", a)
			}
			return nil
		},
	}
	f.register(c, false)
	c.Flags().StringVar(&to, "to", "", "the `FOLDER` that keeps it; it is made where there is none")
	return c
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// auditRecord is one change as an assessor asks for it. Source: PCI DSS v4.0.1,
// 6.5.1: reason, security impact, documented approval, testing, and procedures
// to return to a secure state.
type auditRecord struct {
	Plan        string             `json:"plan"`
	Change      string             `json:"change"`
	Description auditDescription   `json:"description"`
	Impact      auditImpact        `json:"impact"`
	Approval    auditApproval      `json:"approval"`
	Test        auditTest          `json:"test"`
	BackOut     []remedy.PatchOp   `json:"backOut"`
	Outcome     change.Outcome     `json:"outcome"`
	Reason      string             `json:"outcomeReason,omitempty"`
	Entries     []auditLedgerEntry `json:"entries"`
}

type auditDescription struct {
	Rule     string   `json:"rule"`
	Reason   string   `json:"reason"` // what was found
	Resource string   `json:"resource"`
	Diff     []string `json:"diff"`
}

type auditImpact struct {
	MayBreak     string   `json:"mayBreak,omitempty"`
	ReferredBy   []string `json:"referredBy,omitempty"`
	Destructive  []string `json:"destructive,omitempty"`
	Irreversible []string `json:"irreversible,omitempty"`
}

type auditApproval struct {
	Mode      string              `json:"mode"`
	Requester string              `json:"requester"`
	Decisions []approval.Decision `json:"decisions,omitempty"`
}

type auditTest struct {
	Rule   string    `json:"rule"`
	Result string    `json:"result,omitempty"`
	Proof  string    `json:"proof,omitempty"` // SHA-256 of the model that was judged
	At     time.Time `json:"at,omitzero"`
}

type auditLedgerEntry struct {
	Seq  int64       `json:"seq"`
	Time time.Time   `json:"time"`
	Kind ledger.Kind `json:"kind"`
	By   string      `json:"by"`
	Hash string      `json:"hash"`
}

func newAuditExport(s *Streams) *cobra.Command {
	var f remediateFlags
	var far booksFlags
	var a anchorFlags
	c := &cobra.Command{
		Use:   "export --data DIR | --aws [--anchor NUMBER:HASH] [--anchors FOLDER]",
		Short: "Write every change with its impact, approval, test and back-out",
		Long: `Write every change that the ledger knows as PCI DSS v4.0.1, 6.5.1 asks of one: what
and why, the impact, who approved it, how it was tested, and how to back it out.
The chain is verified first, against the anchors that are given (see "plumbline audit
verify"): a ledger that does not hold is not exported. Without an anchor nobody can
tell that its last entries, or all of them, were removed.`,
		Example: "  plumbline audit export --data .plumbline > changes.json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if err := oneOf("--format", f.format, []string{"json", "text"}); err != nil {
				return err
			}
			d, done, err := openBooks(c.Context(), s, &f, &far)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			kept, err := a.all(c.Context(), d.Anchors)
			if err == nil {
				err = holds(c.Context(), d.Ledger, kept)
			}
			if err != nil {
				return err
			}
			if len(kept) == 0 {
				fmt.Fprintln(s.Err, unheld)
			}
			records, err := auditRecords(c.Context(), d)
			if err != nil {
				return err
			}
			if f.format == "json" {
				enc := json.NewEncoder(s.Out)
				enc.SetIndent("", "  ")
				return enc.Encode(records)
			}
			for i := range records {
				records[i].text(s.Out)
			}
			return nil
		},
	}
	f.register(c, false)
	far.register(c)
	a.register(c)
	c.Flags().StringVarP(&f.format, "format", "f", "json", "as `FORMAT`: json or text")
	complete(c, "format", []string{"json", "text"})
	return c
}

// auditRecords reads every change that the ledger knows, in the order of its
// first entry. What a change was stands in the ledger itself.
func auditRecords(ctx context.Context, d account.Books) ([]auditRecord, error) {
	out := []auditRecord{}
	seen := map[string]bool{}
	for e, err := range d.Ledger.Entries(ctx, 1) {
		if err != nil {
			return nil, err
		}
		if e.Plan == "" || seen[e.Plan] {
			continue
		}
		seen[e.Plan] = true
		r, err := auditOf(ctx, d, e.Plan)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func auditOf(ctx context.Context, d account.Books, plan string) (auditRecord, error) {
	r := auditRecord{Plan: plan}
	story, err := change.Tell(ctx, d.Ledger, plan)
	if err != nil {
		return r, err
	}
	var p *change.Planned
	for _, e := range story.Entries() {
		r.Entries = append(r.Entries, auditLedgerEntry{e.Seq, e.Time, e.Kind, e.Actor, e.Hash})
		var n change.Note
		var into any
		switch e.Kind {
		case ledger.Asked:
			into = &p
		case ledger.Decided:
			r.Approval.Decisions = append(r.Approval.Decisions, approval.Decision{})
			into = &r.Approval.Decisions[len(r.Approval.Decisions)-1]
		case ledger.Started, ledger.Verified:
			into = &n
		default:
			continue
		}
		if err := json.Unmarshal(e.Detail, into); err != nil {
			return r, fmt.Errorf("entry %d of the ledger: %w", e.Seq, err)
		}
		if e.Kind == ledger.Started && n.Plan != nil {
			p = n.Plan
		}
		if e.Kind == ledger.Verified {
			r.Test = auditTest{Result: n.Reason, Proof: n.Proof, At: e.Time}
		}
	}
	if p == nil { // it ended before anybody was asked, and before it was begun
		if p, err = change.Load(ctx, d.Plans, plan); err != nil {
			return r, err
		}
	}
	x := p.Plan
	r.Change, r.BackOut, r.Test.Rule = p.Change, x.Undo, x.Rule
	r.Description = auditDescription{x.Rule, x.Message, x.Resource.Type + " " + x.Identifier, x.Diff}
	r.Impact = auditImpact{x.Breaks, x.ReferredBy, x.Destructive, x.Irreversible}
	r.Approval.Mode, r.Approval.Requester = string(p.Mode), p.Requester
	if story.Ended != nil {
		r.Outcome, r.Reason = story.Ended.Outcome, story.Ended.Reason
	}
	return r, nil
}

func (r *auditRecord) text(w io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintln(w, report.Plain(fmt.Sprintf(format, args...))) }
	line("%s  %s: %s", r.Plan[:12], r.Description.Rule, r.Description.Resource)
	line("  reason:   %s", r.Description.Reason)
	for _, d := range r.Description.Diff {
		line("  change:   %s", d)
	}
	for _, x := range append(r.Impact.Destructive, r.Impact.MayBreak) {
		if x != "" {
			line("  impact:   %s", x)
		}
	}
	line("  approval: %s, asked by %s", r.Approval.Mode, r.Approval.Requester)
	for _, x := range r.Approval.Decisions {
		line("            %s %s: %s (%s)", x.At.Format(time.RFC3339), x.By, map[bool]string{true: "yes", false: "no"}[x.Approve], x.Reason)
	}
	line("  test:     %s", r.Test.Result)
	for _, op := range r.BackOut {
		if op.Op != "test" {
			line("  back-out: %s %s", op.Op, op.Path)
		}
	}
	line("  outcome:  %s %s", r.Outcome, r.Reason)
}
