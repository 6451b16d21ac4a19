package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"plumbline/asl/engine"
	"plumbline/finding"
	"plumbline/internal/local"
	"plumbline/workflows"
)

func newWorkflowsRun(s *Streams) *cobra.Command {
	var judged judgeFlags
	var input, data, graph string
	var quiet bool
	c := &cobra.Command{
		Use:   "run NAME PATH...",
		Short: "Run one of plumbline's workflows here, and see each state",
		Long: `Run one of plumbline's own workflows over templates on the embedded engine, with
the real tasks. Its events go to standard error as they happen, its output to
standard output. scan-estate takes all templates, scan-stack the first.`,
		Example: "  plumbline workflows run scan-stack template.yaml\n  plumbline workflows run scan-stack template.yaml --graph run.svg",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("workflows run needs a workflow's name and a PATH. see %q", c.CommandPath()+" --help")
			}
			if err := oneOf("workflow", args[0], workflows.Names()); err != nil {
				return err
			}
			var in []byte
			if input != "" {
				var err error
				if in, err = os.ReadFile(input); err != nil {
					return fileProblem("--input", input, err)
				}
				if !json.Valid(in) {
					return usagef("--input %q is not JSON", input)
				}
			}
			j, err := judged.open(s)
			if err != nil {
				return err
			}
			list, err := j.find(s, args[1:])
			if err != nil {
				return err
			}
			if data != "" {
				if err := writable("--data", data); err != nil {
					return err
				}
			}
			o := local.Options{
				Templates: list.Templates, Skipped: list.Skipped, Parameters: j.params, Account: judged.account, Region: judged.region,
				Rules: j.set, Policy: j.policy, Data: data, Render: j.render, Provenance: j.provenance(),
				Keep: keepFor(data),
			}
			if !quiet {
				o.Watch = watcher(s)
			}
			g, err := newRunGraph(args[0], graph)
			if err != nil {
				return err
			}
			o.Watch = g.watch(o.Watch)
			res, err := local.Run(c.Context(), args[0], in, o)
			if err := errors.Join(err, g.write()); err != nil {
				return err
			}
			if res.Status != engine.Succeeded {
				fmt.Fprintf(s.Err, "%s: %s: %s: %s\n", args[0], res.Status, res.Error, res.Cause)
				return exit(ExitUnjudged)
			}
			_, err = fmt.Fprintf(s.Out, "%s\n", res.Output)
			return err
		},
		ValidArgsFunction: cobra.FixedCompletions(workflows.Names(), cobra.ShellCompDirectiveDefault),
	}
	judged.register(c)
	c.Flags().StringVar(&input, "input", "", "the execution's input, a JSON `FILE` (default: made of the paths)")
	c.Flags().StringVar(&data, "data", "", "keep findings and reports in this `DIR`")
	c.Flags().StringVar(&graph, "graph", "", "draw what the execution did into a `FILE`: .svg, or .mmd for Mermaid")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "no events, only the output")
	return c
}

// keepFor keeps passes where reports are stored: their pages count them by requirement.
func keepFor(data string) func(status string) bool {
	if data == "" {
		return nil
	}
	return func(status string) bool { return status != string(finding.Skip) }
}

// watcher prints an execution's events, one a line.
func watcher(s *Streams) func(engine.Event) {
	var mu sync.Mutex
	start := time.Now()
	return func(e engine.Event) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(s.Err, "%6d ms  %4d  %-28s %s\n", time.Since(start).Milliseconds(), e.ID, e.Type, e.Details.Name)
	}
}
