package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cfn"
	"plumbline/finding"
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
			var last error
			for _, t := range list.Templates {
				parsed, err := cfn.Parse(t.Path, j.source(t.Path))
				if err != nil {
					last = err
					continue
				}
				in := cfn.Inputs{Parameters: j.params, Account: first(t.Account, f.account), Region: first(t.Region, f.region), Stack: t.Stack}
				x, err := j.set.Explain(c.Context(), args[0], args[1], parsed.Worlds(in))
				if err != nil {
					last = fmt.Errorf("%s: %w", t.Path, err)
					continue
				}
				x.Finding.Place.Path = t.Path
				explain(s.Out, x)
				return nil
			}
			return usageError{last}
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

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func explain(w io.Writer, x *ruleset.Explanation) {
	f := x.Finding
	fmt.Fprintf(w, "%s: %s\n%s\n\n", x.Rule.ID, f.Verdict, x.Rule.Title)
	fmt.Fprintf(w, "  resource  %s (%s)\n", f.Resource.LogicalID, f.Resource.Type)
	if f.Place.Line > 0 {
		fmt.Fprintf(w, "  place     %s:%d:%d\n", f.Place.Path, f.Place.Line, f.Place.Column)
	}
	if f.Message != "" && f.Verdict != finding.Pass {
		fmt.Fprintf(w, "  found     %s\n", f.Message)
	}
	if len(f.Needs) > 0 {
		fmt.Fprintf(w, "  settled by %s\n", strings.Join(f.Needs, ", "))
	}
	if len(x.Reads) > 0 {
		fmt.Fprintln(w, "\nvalues read")
		for _, r := range x.Reads {
			place := ""
			if r.Place.Line > 0 {
				place = fmt.Sprintf("  (line %d)", r.Place.Line)
			}
			fmt.Fprintf(w, "  %s.%s = %s%s\n", r.Resource, r.Path, r.Value, place)
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
