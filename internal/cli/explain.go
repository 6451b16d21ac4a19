package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cfn"
	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/internal/report"
	"plumbline/ruleset"
)

func newExplain(s *Streams) *cobra.Command {
	var f judgeFlags
	c := &cobra.Command{
		Use:   "explain RULE RESOURCE PATH",
		Short: "Say how a rule comes to its verdict on one resource",
		Long: `Say how a rule comes to its verdict on one resource of a template: the values that
it read and where they stand, the world that was assumed, and what each part of
its expressions came to. RESOURCE is a logical id.`,
		Example: "  plumbline explain s3-bucket-versioning CardVault template.yaml --param Environment=prod",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 3 {
				return usagef("explain needs a rule, a resource's logical id and a template. see \"plumbline explain --help\"")
			}
			j, err := f.open(s)
			if err != nil {
				return err
			}
			list, err := j.find(s, args[2:])
			if err != nil {
				return err
			}
			if _, err := j.set.Rule(args[0]); err != nil {
				return usageError{err}
			}
			return j.explain(c.Context(), s, list, args[0], args[1])
		},
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return completeRules(c, args, word)
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	f.register(c)
	return c
}

// explain explains the first template that has the resource.
func (j *judge) explain(ctx context.Context, s *Streams, list *source.Listing, rule, resource string) error {
	var broken error
	var ids []string
	for _, t := range list.Templates {
		parsed, err := cfn.Parse(t.Path, j.source(t.Path))
		if err != nil {
			broken = errors.Join(broken, err)
			continue
		}
		in := cfn.Inputs{Parameters: j.params, Account: cmp.Or(t.Account, j.flags.account), Region: cmp.Or(t.Region, j.flags.region), Stack: t.Stack}
		models := parsed.Worlds(in)
		there := slices.ContainsFunc(models, func(m *cfn.Model) bool { return m.Resource(resource) != nil })
		if !there {
			for _, m := range models {
				for _, r := range m.Resources {
					ids = append(ids, r.LogicalID)
				}
			}
			continue
		}
		x, err := j.set.Explain(ctx, rule, resource, models)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", t.Path, err)}
		}
		x.Finding.Place.Path = t.Path
		explain(s.Out, x)
		return nil
	}
	if broken != nil && len(ids) == 0 {
		return usageError{broken}
	}
	where := count(len(list.Templates), "template")
	if len(list.Templates) == 1 {
		where = list.Templates[0].Path
	}
	return usagef("no resource %q in %s%s", resource, where, didYouMean(resource, ids))
}

func explain(w io.Writer, x *ruleset.Explanation) {
	f := x.Finding
	fmt.Fprintf(w, "%s: %s\n%s\n\n", x.Rule.ID, f.Verdict, x.Rule.Title)
	fmt.Fprintf(w, "  resource  %s (%s)\n", f.Resource.LogicalID, f.Resource.Type)
	if f.Place.Line > 0 {
		fmt.Fprintf(w, "  place     %s:%d:%d\n", report.Plain(f.Place.Path), f.Place.Line, f.Place.Column)
	}
	if f.Message != "" && f.Verdict != finding.Pass {
		fmt.Fprintf(w, "  found     %s\n", report.Plain(f.Message))
	}
	if len(f.Needs) > 0 {
		fmt.Fprintf(w, "  settled   by %s\n", strings.Join(f.Needs, ", "))
	}
	if len(x.Reads) > 0 {
		fmt.Fprintln(w, "\nvalues read")
		for _, r := range x.Reads {
			place := ""
			if r.Place.Line > 0 {
				place = fmt.Sprintf("  (line %d)", r.Place.Line)
			}
			fmt.Fprintf(w, "  %s.%s = %s%s\n", report.Plain(r.Resource), report.Plain(r.Path), report.Plain(r.Value), place)
		}
	}
	for i, r := range x.Related {
		if i == 0 {
			fmt.Fprintln(w, "\nrelated resources")
		}
		members := "none"
		if len(r.Members) > 0 {
			members = strings.Join(r.Members, ", ")
		}
		fmt.Fprintf(w, "  %s: %s\n", r.Name, members)
	}
	of := ""
	for _, step := range x.Steps {
		if step.Of != of {
			of = step.Of
			fmt.Fprintf(w, "\n%s\n", of)
		}
		fmt.Fprintf(w, "  %s%s  →  %s\n", strings.Repeat("  ", step.Depth), strings.Join(strings.Fields(step.Text), " "), step.Result)
	}
	if len(x.Worlds) > 1 || len(x.Worlds) == 1 && len(x.Worlds[0].Assuming) > 0 {
		fmt.Fprintln(w, "\nworlds")
		for _, v := range x.Worlds {
			world := "nothing assumed"
			if len(v.Assuming) > 0 {
				world = strings.Join(v.Assuming, ", ")
			}
			fmt.Fprintf(w, "  %-8s %s\n", v.Verdict, world)
		}
	}
}
