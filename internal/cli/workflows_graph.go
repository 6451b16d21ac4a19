package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/workflows"
)

func newWorkflowsGraph(s *Streams) *cobra.Command {
	var format, output, history string
	c := &cobra.Command{
		Use:   "graph NAME|FILE",
		Short: "Draw a state machine as SVG or Mermaid",
		Long: `Draw a state machine as SVG or Mermaid. With --history the states are coloured by
what an execution did in them: succeeded, failed, caught, running, stopped, not
entered, with the number of retries and of a Map's items.`,
		Example: "  plumbline workflows graph scan-stack --output scan-stack.svg\n  plumbline workflows graph deploy.asl.json --format mermaid\n" +
			"  aws stepfunctions get-execution-history --execution-arn ARN > history.json\n  plumbline workflows graph deploy.asl.json --history history.json --output run.svg",
		Args: exactly(1, "a workflow's name or a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("--format", format, []string{"svg", "mermaid"}); err != nil {
				return err
			}
			m, err := drawable(args[0])
			if err != nil {
				return err
			}
			var drawing asl.Drawing
			if history != "" {
				if drawing.Trace, err = readTrace(m, history); err != nil {
					return err
				}
			}
			out := draw(m, drawing, format == "mermaid")
			if output != "" {
				if err := outputFile("--output", output); err != nil {
					return err
				}
				return writeBytes(output, out)
			}
			_, err = s.Out.Write(out)
			return err
		},
	}
	c.Flags().StringVarP(&format, "format", "f", "svg", "as `FORMAT`: svg or mermaid")
	c.Flags().StringVarP(&output, "output", "o", "", "write to a `FILE` instead of standard output")
	c.Flags().StringVar(&history, "history", "", "colour the states by an execution's history, a JSON `FILE` as the AWS CLI prints it")
	complete(c, "format", []string{"svg", "mermaid"})
	c.ValidArgsFunction = cobra.FixedCompletions(workflows.Names(), cobra.ShellCompDirectiveDefault)
	return c
}

// drawable reads a definition that has something to draw.
func drawable(arg string) (*asl.Definition, error) {
	d, err := findDefinition(arg)
	if err != nil {
		return nil, err
	}
	m, err := asl.Parse(d.src)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s:%w", d.place, err)} // which begins with line and column
	}
	if len(m.States) == 0 {
		return nil, usagef("%s: no state machine: it has no States. \"plumbline workflows lint %s\" says more", d.place, d.place)
	}
	if ds := asl.Check(d.src, asl.Standard); asl.HasErrors(ds) {
		for _, p := range ds {
			if p.Severity == asl.SeverityError {
				return nil, usagef("%s:%s. \"plumbline workflows lint %s\" lists all that Step Functions refuses in it", d.place, strings.TrimSuffix(p.String(), "."), d.place)
			}
		}
	}
	return m, nil
}

// readTrace reads the history of an execution of m.
func readTrace(m *asl.Definition, file string) (*asl.Trace, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fileProblem("--history", file, err)
	}
	events, err := asl.ParseHistory(text)
	if err != nil {
		return nil, usagef("--history %q: %s", file, err)
	}
	t := asl.NewTrace(m)
	for _, e := range events {
		t.Add(e)
	}
	if t.Empty() {
		return nil, usagef("--history %q: no state of the definition is entered in it. give the history of an execution of this state machine", file)
	}
	return t, nil
}

func draw(m *asl.Definition, d asl.Drawing, mermaid bool) []byte {
	if mermaid {
		return []byte(m.DrawMermaid(d))
	}
	return m.Draw(d)
}

func writeBytes(path string, b []byte) error {
	return writeFile(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// runGraph follows an execution and draws it into a file, as the file's name
// ends: .mmd as Mermaid, anything else as SVG. Without a file it does nothing.
type runGraph struct {
	file  string
	d     *asl.Definition
	mu    sync.Mutex
	trace *asl.Trace
}

func newRunGraph(workflow, file string) (*runGraph, error) {
	g := &runGraph{file: file}
	if file == "" {
		return g, nil
	}
	if err := outputFile("--graph", file); err != nil {
		return nil, err
	}
	d, err := drawable(workflow)
	if err != nil {
		return nil, err
	}
	g.d, g.trace = d, asl.NewTrace(d)
	return g, nil
}

// watch learns from events, and hands them on to next, which may be nil.
func (g *runGraph) watch(next func(engine.Event)) func(engine.Event) {
	if g.file == "" {
		return next
	}
	return func(e engine.Event) {
		g.mu.Lock()
		g.trace.Add(e.Trace())
		g.mu.Unlock()
		if next != nil {
			next(e)
		}
	}
}

func (g *runGraph) write() error {
	if g.file == "" {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	mermaid := strings.EqualFold(filepath.Ext(g.file), ".mmd")
	return writeBytes(g.file, draw(g.d, asl.Drawing{Trace: g.trace}, mermaid))
}
