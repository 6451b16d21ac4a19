package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/internal/local"
	"plumbline/workflows"
)

// runsLongest is how many runs the list shows.
const runsLongest = 50

// executionsPage is the list of runs, the latest first.
type executionsPage struct {
	Runs []runLine
	Left int
}

type runLine struct {
	Name, Workflow, About string
	Status                engine.Status
	Started               time.Time
	Took                  time.Duration
	Executions, Failed    int
}

func (s *Server) executions(r *http.Request, _ *board) (*view, error) {
	names, err := s.o.Data.Recordings(r.Context())
	if err != nil {
		return nil, err
	}
	p := &executionsPage{Left: max(0, len(names)-runsLongest)}
	for _, name := range names[:min(len(names), runsLongest)] {
		run, err := s.run(r, name)
		if err != nil {
			return nil, err
		}
		p.Runs = append(p.Runs, lineOf(run))
	}
	return &view{name: "executions", Title: "Executions", Data: p}, nil
}

func lineOf(run *local.Recording) runLine {
	first := &run.Executions[0]
	x := runLine{Name: run.Name, Workflow: first.Workflow, About: first.About, Status: first.Status, Started: first.Started, Took: first.Stopped.Sub(first.Started), Executions: len(run.Executions) + run.Left}
	for i := range run.Executions {
		if run.Executions[i].Status != engine.Succeeded {
			x.Failed++
		}
	}
	return x
}

// run reads a run, which has an execution or more.
func (s *Server) run(r *http.Request, name string) (*local.Recording, error) {
	run, err := s.o.Data.Recording(r.Context(), name)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, notFound("This folder knows no execution %q.", name)
	case err != nil:
		return nil, err
	case len(run.Executions) == 0:
		return nil, notFound("The execution %q has no history.", name)
	}
	return run, nil
}

// executionPage is one execution of a run.
type executionPage struct {
	Run runLine
	*local.Execution
	N       int
	Took    time.Duration
	Drawn   string // address of the graph, "" where it cannot be drawn
	Width   int
	Height  int
	States  []stateLine
	History []historyLine
	Others  []otherLine // of the run, on the page of its first
	Left    int
}

// stateLine says what the execution did in one state: the graph in words.
type stateLine struct {
	Name, Outcome  string
	Entered, Items int
	Retries        int
}

type historyLine struct {
	ID             int64
	At             string
	Type, State    string
	Error, Cause   string
	Resource, Mark string
}

type otherLine struct {
	Workflow, About, Address, Error string
	Status                          engine.Status
	Took                            time.Duration
	Whole                           bool
}

// othersLongest is how many executions of a run its page lists.
const othersLongest = 500

func (s *Server) execution(r *http.Request, _ *board) (*view, error) {
	run, n, err := s.chosenExecution(r)
	if err != nil {
		return nil, err
	}
	x := &run.Executions[n]
	p := &executionPage{Run: lineOf(run), Execution: x, N: n, Took: x.Stopped.Sub(x.Started), Left: run.Left}
	if d, err := definition(x.Workflow); err == nil && len(x.Events) > 0 {
		p.Drawn = address(run.Name, n, "/graph.svg")
		p.Width, p.Height = sizeOf(d.Draw(asl.Drawing{Trace: x.Trace(d)}))
		p.States = statesOf(d, x.Trace(d))
	}
	for _, e := range x.Events {
		line := historyLine{e.ID, fmt.Sprintf("%.3f s", float64(e.Millis)/1000), e.Type, e.State, e.Error, e.Cause, e.Resource, ""}
		if strings.HasSuffix(e.Type, "Failed") || strings.HasSuffix(e.Type, "TimedOut") || strings.HasSuffix(e.Type, "Aborted") {
			line.Mark = "failed"
		}
		p.History = append(p.History, line)
	}
	if n == 0 {
		for i := 1; i < min(len(run.Executions), othersLongest); i++ {
			y := &run.Executions[i]
			p.Others = append(p.Others, otherLine{y.Workflow, y.About, address(run.Name, i, ""), y.Error, y.Status, y.Stopped.Sub(y.Started), len(y.Events) > 0})
		}
		p.Left += max(0, len(run.Executions)-othersLongest)
	}
	title := x.Workflow
	if x.About != "" {
		title += " of " + x.About
	}
	return &view{name: "execution", Title: title, Data: p}, nil
}

func (s *Server) chosenExecution(r *http.Request) (*local.Recording, int, error) {
	run, err := s.run(r, r.PathValue("id"))
	if err != nil {
		return nil, 0, err
	}
	n := 0
	if text := r.URL.Query().Get("n"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 0 || n >= len(run.Executions) {
			return nil, 0, notFound("The run %q has no execution %q: it has 0 to %d.", run.Name, text, len(run.Executions)-1)
		}
	}
	return run, n, nil
}

// address is where an execution of a run stands.
func address(run string, n int, suffix string) string {
	a := "/executions/" + pathSegment(run) + suffix
	if n > 0 {
		a += "?n=" + strconv.Itoa(n)
	}
	return a
}

// graph draws an execution.
func (s *Server) graph(w http.ResponseWriter, r *http.Request) {
	run, n, err := s.chosenExecution(r)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	x := &run.Executions[n]
	d, err := definition(x.Workflow)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	picture(w, r, d.Draw(asl.Drawing{Title: "What " + x.Workflow + " did, state by state", Trace: x.Trace(d)}))
}

// definitions are the workflows by name, parsed when first drawn.
var definitions sync.Map

// definition is a workflow by the name that its state machine has.
func definition(name string) (*asl.Definition, error) {
	if d, ok := definitions.Load(name); ok {
		return d.(*asl.Definition), nil
	}
	file := name
	for _, m := range workflows.All() {
		if m.Name == name {
			file = m.File
		}
	}
	src, err := workflows.Source(file)
	if err != nil {
		return nil, err
	}
	d, err := asl.Parse(src)
	if err == nil {
		definitions.Store(name, d)
	}
	return d, err
}

func statesOf(d *asl.Definition, t *asl.Trace) []stateLine {
	var out []stateLine
	for _, st := range d.All() {
		n := t.State(st.Name)
		outcome := string(n.Outcome())
		if outcome == "" {
			outcome = "not entered"
		}
		out = append(out, stateLine{st.Name, outcome, n.Entered, n.Items, n.Retries})
	}
	return out
}

// sizeOf reads the size of a drawing from its first tag, so that the page leaves
// the room that it needs.
func sizeOf(svg []byte) (width, height int) {
	tag, _, _ := strings.Cut(string(svg), ">")
	if _, box, ok := strings.Cut(tag, `viewBox="`); ok {
		var x, y, w, h float64
		if _, err := fmt.Sscanf(box, "%f %f %f %f", &x, &y, &w, &h); err == nil {
			return int(w), int(h)
		}
	}
	return 0, 0
}
