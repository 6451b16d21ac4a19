package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/finding"
	"plumbline/internal/bundle/description"
	"plumbline/internal/local"
	"plumbline/internal/report"
)

func newHistory(s *Streams) *cobra.Command {
	var data, format, account, region string
	c := &cobra.Command{
		Use:     "history --data DIR",
		Short:   "Show past scans, and what is new, open and resolved since",
		Long:    "Show the scans that a data folder (plumbline scan --data DIR) remembers, and what the last of them found new, left open, and resolved.",
		Example: "  plumbline history --data .plumbline",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if data == "" {
				return usagef("history needs --data DIR, the folder that \"plumbline scan --data DIR\" wrote to")
			}
			if err := oneOf("--format", format, []string{"table", "json", "asff"}); err != nil {
				return err
			}
			if format == "asff" {
				return historyASFF(c.Context(), s, data, account, region)
			}
			h, err := local.ReadHistory(c.Context(), data)
			if err != nil {
				return usageError{err}
			}
			if format == "json" {
				return historyJSON(s.Out, h)
			}
			historyTable(s.Out, h)
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "the `DIR` that scans were kept in")
	c.Flags().StringVarP(&format, "format", "f", "table", "as `FORMAT`: table, json, or asff, Security Hub's format, of every finding")
	c.Flags().StringVar(&account, "account", "", "asff: the `ACCOUNT` of findings that name none")
	c.Flags().StringVar(&region, "region", "", "asff: the `REGION` of findings that name none")
	complete(c, "format", []string{"table", "json", "asff"})
	return c
}

// historyASFF writes all that a data folder remembers in the AWS Security Finding Format.
func historyASFF(ctx context.Context, s *Streams, data, account, region string) error {
	var f judgeFlags
	f.account, f.region = account, region
	j, err := f.open(s)
	if err != nil {
		return err
	}
	var records []finding.Record
	for r, err := range local.Records(ctx, data) {
		if err != nil {
			return usageError{err}
		}
		records = append(records, r)
	}
	rules := description.Of(j.set, j.policy, false)
	err = report.ASFF(s.Out, records, report.ASFFOptions{Account: account, Region: region, Rule: rules.Rule})
	if err != nil {
		return usageError{err}
	}
	return nil
}

type historyScan struct {
	ID       string         `json:"id"`
	Started  time.Time      `json:"started"`
	Finished time.Time      `json:"finished"`
	Targets  int            `json:"targets"`
	Statuses finding.Counts `json:"statuses"`
	Failing  map[string]int `json:"violations"`
}

type historyFinding struct {
	Rule      string           `json:"rule"`
	Severity  finding.Severity `json:"severity"`
	State     finding.State    `json:"state"`
	Resource  string           `json:"resource"`
	FirstSeen time.Time        `json:"firstSeen"`
	LastSeen  time.Time        `json:"lastSeen"`
	Message   string           `json:"message,omitempty"`
}

func historyFindings(rs []finding.Record) []historyFinding {
	out := []historyFinding{}
	for _, r := range rs {
		out = append(out, historyFinding{r.Rule, r.Severity, r.State, r.ResourceID(), r.FirstSeen, r.LastSeen, r.Message})
	}
	return out
}

func historyJSON(w io.Writer, h *local.History) error {
	doc := struct {
		Scans    []historyScan    `json:"scans"`
		New      []historyFinding `json:"new"`
		Reopened []historyFinding `json:"reopened"`
		Resolved []historyFinding `json:"resolved"`
		Open     []historyFinding `json:"open"`
	}{[]historyScan{}, historyFindings(h.New), historyFindings(h.Reopened), historyFindings(h.Resolved), historyFindings(h.Open)}
	for _, x := range h.Scans {
		doc.Scans = append(doc.Scans, historyScan{x.ScanID, x.Started, x.Finished, x.Targets, x.Counts, x.Failing})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

func historyTable(w io.Writer, h *local.History) {
	for _, x := range h.Scans {
		fmt.Fprintf(w, "%s  %s  %s", x.Started.Local().Format("2006-01-02 15:04:05"), x.ScanID, count(x.Targets, "template"))
		violations := 0
		for _, sev := range finding.Severities {
			if n := x.Failing[string(sev)]; n > 0 {
				fmt.Fprintf(w, ", %d %s", n, sev)
				violations += n
			}
		}
		if violations == 0 {
			fmt.Fprint(w, ", no violation found")
		}
		if n := x.Counts[string(finding.Error)]; n > 0 {
			fmt.Fprintf(w, ", %d not judged", n)
		}
		if len(x.Partial) > 0 || len(x.Failures) > 0 {
			fmt.Fprint(w, ", partial")
		}
		fmt.Fprintln(w)
	}
	for _, f := range h.Failures {
		fmt.Fprintf(w, "failed: %s: %s: %s\n", f.Time.Local().Format("2006-01-02 15:04:05"), f.Error, report.Plain(f.Cause))
	}
	section := func(title string, rs []finding.Record) {
		if len(rs) == 0 {
			return
		}
		fmt.Fprintf(w, "\n%s (%d)\n", title, len(rs))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, r := range rs {
			// Account and region are empty, and their slashes lead, where nothing told
			// them; a slash after them is of a whole path.
			where := r.ResourceID()
			for _, part := range []string{r.Resource.Account, r.Resource.Region} {
				if part != "" {
					break
				}
				where = where[1:]
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\tsince %s\n", r.Severity, r.Rule, report.Plain(where), r.FirstSeen.Local().Format("2006-01-02"))
		}
		_ = t.Flush() // Main keeps the error of standard output
	}
	section("new in the last scan", h.New)
	section("back again", h.Reopened)
	section("resolved by the last scan", h.Resolved)
	if fresh := len(h.New) + len(h.Reopened); fresh > 0 && fresh == len(h.Open) {
		fmt.Fprintf(w, "\nopen (%d): those above\n", fresh)
		return
	}
	section("open", h.Open)
}
