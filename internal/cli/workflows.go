package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/asl"
	"plumbline/internal/nearest"
	"plumbline/workflows"
)

func newWorkflows(s *Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "workflows",
		Short: "Lint, draw and run state machines",
		Long: `Lint, draw and run Amazon States Language definitions: plumbline's own by name
(scan-stack, scan-estate, …), yours by path.`,
		Args: noSubcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newWorkflowsLint(s), newWorkflowsGraph(s), newWorkflowsRun(s))
	return c
}

// noSubcommand refuses a word that is no subcommand and names the nearest.
func noSubcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	hint := ""
	if n := nearest.Of(args[0], names); n != "" {
		hint = fmt.Sprintf(". did you mean %q?", c.CommandPath()+" "+n)
	}
	if len(names) == 0 {
		return usagef("%q is no command of %q, which has none", args[0], c.CommandPath())
	}
	return usagef("%q is no command of %q: there are %s%s", args[0], c.CommandPath(), strings.Join(names, ", "), hint)
}

// definition is a state machine's text, and where it came from.
type definition struct {
	name, place string
	src         []byte
}

// findDefinition reads a path, or one of plumbline's own workflows by name.
func findDefinition(arg string) (definition, error) {
	if src, err := workflows.Source(arg); err == nil {
		return definition{arg, "workflows/" + arg + ".asl.json", src}, nil
	}
	src, err := os.ReadFile(arg)
	if err == nil {
		return definition{strings.TrimSuffix(filepath.Base(arg), ".asl.json"), arg, src}, nil
	}
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(arg, "/.") {
		return definition{}, usagef("no workflow or file is called %q: the workflows are %s%s", arg, strings.Join(workflows.Names(), ", "), didYouMean(arg, workflows.Names()))
	}
	return definition{}, fileProblem("definition", arg, err)
}

func newWorkflowsLint(s *Streams) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "lint [NAME|FILE...]",
		Short: "Check definitions as Step Functions does, and for good practice",
		Long: `Check Amazon States Language definitions: first what Step Functions itself
refuses, then good practice (time-outs, retries, catches, names, comments).
Without an argument plumbline's own workflows are checked.`,
		Example: "  plumbline workflows lint deploy.asl.json",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("--format", format, []string{"text", "json"}); err != nil {
				return err
			}
			if len(args) == 0 {
				args = workflows.Names()
			}
			return lint(s, format, args)
		},
	}
	c.Flags().StringVarP(&format, "format", "f", "text", "as `FORMAT`: text or json")
	complete(c, "format", []string{"text", "json"})
	return c
}

type lintLine struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

func lint(s *Streams, format string, args []string) error {
	lines := []lintLine{}
	bad := false
	for _, a := range args {
		d, err := findDefinition(a)
		if err != nil {
			return err
		}
		for _, p := range diagnose(d.src) {
			bad = true
			if format == "text" {
				fmt.Fprintf(s.Out, "%s:%s\n", d.place, p)
				continue
			}
			lines = append(lines, lintLine{d.place, p.Pos.Line, p.Pos.Column, p.Severity, p.Code, strings.TrimSpace(p.Message + " " + p.Hint), p.Location})
		}
	}
	if format == "json" {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(lines); err != nil {
			return err
		}
	}
	if bad {
		return exit(ExitFindings)
	}
	if format == "text" {
		fmt.Fprintf(s.Err, "%d checked, nothing to say\n", len(args))
	}
	return nil
}

// diagnose validates, and lints what is valid.
func diagnose(src []byte) []asl.Diagnostic {
	ds := asl.Check(src, asl.Standard)
	if asl.HasErrors(ds) {
		return ds
	}
	d, err := asl.Parse(src)
	if err != nil {
		return ds
	}
	return append(ds, d.Lint()...)
}

// exactly asks for n arguments and says what they are.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return usagef("%s needs %s, not %s. see %q", inner(c), what, count(len(args), "argument"), c.CommandPath()+" --help")
	}
}
