package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"plumbline/internal/files"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/ruleset"
)

// shownPlan is a plan with its hash.
type shownPlan struct {
	hash string
	*change.Planned
}

// modeWords say who decides.
var modeWords = map[ruleset.Mode]string{
	ruleset.ModeLive: "may be applied at once", ruleset.ModeApproval: "needs approval",
	ruleset.ModeTemplate: "for the template only", ruleset.ModeNever: "left alone by the policy",
}

// text prints all that a person needs to decide.
func (p shownPlan) text(w io.Writer) {
	x := p.Plan
	line := func(format string, args ...any) { fmt.Fprintln(w, report.Plain(fmt.Sprintf(format, args...))) }
	line("plan %s  %s", p.hash[:12], modeWords[p.Mode])
	line("  %s of %s %q (%s)", x.Rule, x.Resource.Type, x.Identifier, x.Resource.LogicalID)
	line("  %s", x.Message)
	for _, d := range x.Diff {
		line("  %s", d)
	}
	for _, reason := range p.Why {
		line("  because %s", reason)
	}
	if x.Breaks != "" {
		line("  may break: %s", x.Breaks)
	}
	if len(x.ReferredBy) > 0 {
		line("  referred to by: %s", strings.Join(x.ReferredBy, ", "))
	}
	for _, reason := range x.Destructive {
		line("  destructive: %s", reason)
	}
	for _, reason := range x.Irreversible {
		line("  cannot be undone whole: %s", reason)
	}
	for _, reason := range x.TemplateOnly {
		line("  not live: %s", reason)
	}
	if t := p.Template; t != nil && p.Mode != ruleset.ModeNever {
		switch {
		case t.Diff != "":
			line("  in the template:")
		case t.Why != "":
			line("  in the template: %s", t.Why)
		}
		for d := range strings.Lines(t.Diff) {
			if !strings.HasPrefix(d, "diff ") {
				line("  | %s", strings.TrimRight(d, "\n"))
			}
		}
	}
	for _, op := range x.Undo {
		if op.Op == "test" {
			continue
		}
		value := ""
		if op.Op != "remove" {
			if src, err := json.Marshal(op.Value); err == nil {
				value = " " + string(src)
			}
		}
		line("  undo: %s %s%s", op.Op, op.Path, value)
	}
}

func plansJSON(w io.Writer, plans []shownPlan) error {
	type plan struct {
		Hash string `json:"hash"`
		*change.Planned
	}
	out := []plan{}
	for _, p := range plans {
		out = append(out, plan{p.hash, p.Planned})
	}
	return indented(w, out)
}

func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// endedPlan is what a plan came to, for programs.
type endedPlan struct {
	Hash    string `json:"hash"`
	State   string `json:"state"` // ChangeDone, StaleDone, …; "" while it waits
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
	Waiting bool   `json:"waiting"` // people have to decide
}

// showJSON prints plans with how they stand and, of one that is named, with what
// the ledger holds of it.
func showJSON(ctx context.Context, w io.Writer, d *local.ChangesData, args []string) error {
	type shown struct {
		Hash     string `json:"hash"`
		Standing string `json:"standing"`
		*change.Planned
		Entries []ledger.Entry `json:"entries,omitempty"`
	}
	hashes, err := d.Plans(ctx)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		hash, _, err := findPlan(ctx, d, args[0])
		if err != nil {
			return err
		}
		hashes = []string{hash}
	}
	out := []shown{}
	for _, hash := range hashes {
		p, err := change.Load(ctx, d.Blobs, hash)
		if err != nil {
			return err
		}
		story, err := change.Tell(ctx, d.Ledger, hash)
		if err != nil {
			return err
		}
		x := shown{Hash: hash, Standing: standing(p, story), Planned: p}
		if len(args) > 0 {
			x.Entries = story.Entries()
		}
		out = append(out, x)
	}
	if len(args) > 0 {
		return indented(w, out[0])
	}
	return indented(w, out)
}

func listPlans(ctx context.Context, w io.Writer, d *local.ChangesData) error {
	all, err := d.Plans(ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, hash := range all {
		p, err := change.Load(ctx, d.Blobs, hash)
		if err != nil {
			return err
		}
		story, err := change.Tell(ctx, d.Ledger, hash)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", hash[:12], p.Plan.Rule, report.Plain(p.Plan.Resource.LogicalID), standing(p, story))
	}
	return t.Flush()
}

// standing is how a plan stands, in a word or two.
func standing(p *change.Planned, s *change.Story) string {
	return cmp.Or(s.Standing(), modeWords[p.Mode])
}

// tellStory prints what the ledger says of a plan.
func tellStory(w io.Writer, s *change.Story) {
	for _, e := range s.Entries() {
		fmt.Fprintln(w, report.Plain(fmt.Sprintf("%6d  %s  %s  %s", e.Seq, e.Time.Format(time.RFC3339), e.Actor, change.Words(e))))
	}
}

// showUndo prints what an undo would do now.
func showUndo(ctx context.Context, s *Streams, resources *files.Live, p *change.Planned) error {
	if p.Plan.Final() {
		fmt.Fprintln(s.Out, report.Plain("cannot be taken back: "+strings.Join(p.Plan.Irreversible, "; ")))
		return nil
	}
	model, err := resources.Get(ctx, p.Plan.Resource.Type, p.Plan.Identifier)
	if err != nil {
		return err
	}
	patch, foreign, err := p.Plan.Restore(model)
	if err != nil {
		return err
	}
	document, err := remedy.Document(patch)
	if err != nil {
		return err
	}
	if len(patch) == 0 {
		document = []byte("nothing to take back")
	}
	fmt.Fprintln(s.Out, report.Plain(string(document)))
	for _, path := range foreign {
		fmt.Fprintln(s.Err, report.Plain(path+" was set by somebody else since, and stays"))
	}
	return nil
}

// endingWords say how a run ended.
func endingWords(e local.Ending, undo bool) string {
	if e.Waiting {
		return "waits for approval. decide with \"plumbline approvals\", then apply it again"
	}
	words := map[string]string{
		"ChangeDone": "applied", "UndoDone": "undone", "RightDone": "right already", "DuplicateDone": "another change goes on", "GoneDone": "the resource is gone",
		"StaleDone": "not applied", "StackBusyDone": "not applied", "UsedDone": "not applied again", "DenialDone": "denied", "ExpiryDone": "not approved in time",
		"AcceptanceDone": "accepted, and left as it is", "StoppedDone": "not applied", "PostponedDone": "not applied now", "EscalationDone": "not approved in time",
		"TemplateDone": "for the template only", "NeverDone": "left alone", "ImpossibleDone": "not possible",
		"UndoneFailed": "failed, and taken back", "RefusedFailed": "refused", "HalfDoneFailed": "half done", "ChangeFailed": "failed",
	}[e.State]
	if undo && (e.State == "UsedDone" || e.State == "StoppedDone") {
		words = "not taken back"
	}
	if e.Reason != "" {
		words += ": " + e.Reason
	}
	return report.Plain(words)
}

// endingCode is the exit code of how a run ended.
func endingCode(e local.Ending) int {
	switch {
	case e.State == "ChangeDone", e.State == "UndoDone", e.State == "RightDone":
		return ExitClean
	case e.Waiting, strings.HasSuffix(e.State, "Done"):
		return ExitFindings
	}
	return ExitUnjudged
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return report.Plain(lines[len(lines)-1])
}
