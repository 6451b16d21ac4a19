package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/finding"
	"plumbline/ruleset"
)

// ruleLine is a rule in `plumbline rules --format json`: a contract with the
// scripts that map our rules to other tools' and to requirements.
type ruleLine struct {
	ID          string              `json:"id"`
	Title       string              `json:"title"`
	Severity    finding.Severity    `json:"severity"`
	Domain      finding.Domain      `json:"domain"`
	Types       []string            `json:"types"`
	Equivalents map[string][]string `json:"equivalents"`
	Controls    []ruleset.Control   `json:"controls"`
	Fix         bool                `json:"fix"`
}

func newRules(s *Streams) *cobra.Command {
	var list rulesList
	c := &cobra.Command{
		Use:   "rules",
		Short: "List, show and test rules",
		Args:  noSubcommand,
		RunE:  func(*cobra.Command, []string) error { return list.run(s) },
	}
	list.register(c)
	c.AddCommand(newRulesList(s), newRulesShow(s), newRulesTest(s), newRulesNew(s))
	return c
}

// rulesList is `rules` and `rules list`.
type rulesList struct {
	format, framework, domain string
	from                      []string
}

func (l *rulesList) register(c *cobra.Command) {
	c.Flags().StringVarP(&l.format, "format", "f", "table", "as `FORMAT`: table or json")
	c.Flags().StringVar(&l.framework, "framework", "", "only rules that look at a requirement of this `FRAMEWORK`")
	c.Flags().StringVar(&l.domain, "domain", "", "only rules of this `DOMAIN`")
	c.Flags().StringArrayVar(&l.from, "rules", nil, "also the rules of this `DIR`; may be given again")
	complete(c, "format", []string{"table", "json"})
	complete(c, "domain", domainNames())
	completeFrameworks(c)
}

func domainNames() []string {
	var out []string
	for _, d := range finding.Domains {
		out = append(out, string(d))
	}
	return out
}

func newRulesList(s *Streams) *cobra.Command {
	var list rulesList
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the rules",
		Example: "  plumbline rules list --framework pci-dss-4.0.1\n  plumbline rules list --format json",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return list.run(s) },
	}
	list.register(c)
	return c
}

func (l *rulesList) run(s *Streams) error {
	if err := oneOf("--format", l.format, []string{"table", "json"}); err != nil {
		return err
	}
	if l.domain != "" {
		if err := oneOf("--domain", l.domain, domainNames()); err != nil {
			return err
		}
	}
	set, err := openRules(l.from, nil)
	if err != nil {
		return err
	}
	frameworks := set.Frameworks()
	if l.framework != "" {
		if err := oneOf("--framework", l.framework, frameworks.IDs()); err != nil {
			return err
		}
	}
	var lines []ruleLine
	all, err := set.Rules()
	if err != nil {
		return err
	}
	for _, r := range all {
		x := ruleLine{r.ID, r.Title, r.Severity, r.Domain, typesOf(r), r.Equivalents, frameworks.Controls(r.ID), len(r.Fix) > 0}
		for _, tool := range ruleset.EquivalentTools {
			if x.Equivalents[tool] == nil {
				x.Equivalents = with(x.Equivalents, tool)
			}
		}
		if x.Controls == nil {
			x.Controls = []ruleset.Control{}
		}
		if l.framework != "" && !slices.ContainsFunc(x.Controls, func(c ruleset.Control) bool { return c.Framework == l.framework }) {
			continue
		}
		if l.domain == "" || string(r.Domain) == l.domain {
			lines = append(lines, x)
		}
	}
	if l.format == "json" {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(lines)
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, x := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.ID, x.Severity, x.Domain, x.Title)
	}
	return w.Flush()
}

// with returns m with an empty list for the tool, so that the JSON has every key.
func with(m map[string][]string, tool string) map[string][]string {
	out := map[string][]string{tool: {}}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func typesOf(r *ruleset.Rule) []string {
	switch r.Match {
	case ruleset.MatchTaggable:
		return []string{"taggable"}
	case ruleset.MatchAny:
		return []string{"any"}
	case ruleset.MatchUnknown:
		return []string{"unknown"}
	}
	if r.Types == nil {
		return []string{}
	}
	return r.Types
}

func newRulesShow(s *Streams) *cobra.Command {
	var from []string
	c := &cobra.Command{
		Use:     "show RULE",
		Short:   "Show one rule: what it asks and why, a template that is wrong and one that is right",
		Example: "  plumbline rules show s3-bucket-versioning",
		Args:    exactly(1, "a rule's id"),
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := openRules(from, nil)
			if err != nil {
				return err
			}
			page, err := set.Page(args[0])
			if err != nil {
				return usageError{err}
			}
			_, err = s.Out.Write(page)
			return err
		},
		ValidArgsFunction: completeRules,
	}
	c.Flags().StringArrayVar(&from, "rules", nil, "also the rules of this `DIR`; may be given again")
	return c
}

// completeRules completes a rule's id.
func completeRules(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	set, err := openRules(nil, nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	all, err := set.Rules()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, r := range all {
		ids = append(ids, r.ID+"\t"+r.Title)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
