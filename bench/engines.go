package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

//go:embed loop.asl.json
var loopDefinition []byte

const (
	loopTransitions = 2_003
	loopInput       = `{"n": 0, "text": "hello"}`
	loopRuns        = 40 // the first warm caches and compilers; the least counts
)

// engines compares engines of the States Language that run in a process of
// their own on the same loop, each as it comes: ours keeps a full history.
func engines(w io.Writer, modules string) error {
	ours, err := ourLoop()
	if err != nil {
		return err
	}
	peer, err := nodeLoop(modules)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "## Engines in process\n\nMade by `make bench-peers`: a loop of %d transitions of Pass and Choice, in process; the least of %d runs.\n\n", loopTransitions, loopRuns)
	fmt.Fprintf(w, "| engine | a transition | transitions a second | plumbline is faster by |\n|---|---:|---:|---:|\n")
	for _, e := range []struct {
		name string
		took time.Duration
	}{{"plumbline, full history", ours}, {"aws-local-stepfunctions, no history", peer}} {
		fmt.Fprintf(w, "| %s | %d ns | %.0f | %.1f |\n", e.name, (e.took / loopTransitions).Nanoseconds(), loopTransitions/e.took.Seconds(), float64(e.took)/float64(ours))
	}
	return nil
}

// ourLoop is the least time of a run on asl/engine.
func ourLoop() (time.Duration, error) {
	d, err := asl.Parse(loopDefinition)
	if err != nil {
		return 0, err
	}
	m, err := engine.Compile(d)
	if err != nil {
		return 0, err
	}
	var took []time.Duration
	for range loopRuns {
		start := time.Now()
		x, err := engine.Run(context.Background(), m, json.RawMessage(loopInput), engine.Options{History: true})
		took = append(took, time.Since(start))
		if err != nil {
			return 0, err
		}
		// Each state but the last is entered and left; two events are the execution's own.
		if r, events := x.Result(), len(x.History()); r.Status != engine.Succeeded || events != 2*loopTransitions+2 {
			return 0, fmt.Errorf("the loop ended as %s %s with %d events", r.Status, r.Error, events)
		}
	}
	return slices.Min(took), nil
}

// nodeLoop is the least time of a run on the package installed in the folder.
func nodeLoop(modules string) (time.Duration, error) {
	cmd := exec.Command("node", "bench/loop.mjs", modules, strconv.Itoa(loopRuns))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("run the loop in node: %w", err)
	}
	var ms []float64
	if err := json.Unmarshal(out, &ms); err != nil || len(ms) != loopRuns {
		return 0, fmt.Errorf("node printed %q: %w", out, err)
	}
	return time.Duration(slices.Min(ms) * float64(time.Millisecond)), nil
}
