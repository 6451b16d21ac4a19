package asl

import (
	"fmt"
	"strconv"
	"strings"
)

// took reports whether the execution went this way; nothing was, without one.
func (t *Trace) took(from, to string, caught bool) bool {
	return t != nil && t.walked[walk{from, to, caught}]
}

// outcome is what happened in the state, NotEntered without an execution.
func (t *Trace) outcome(name string) Outcome {
	if t == nil {
		return NotEntered
	}
	return t.State(name).Outcome()
}

// about is what a state's title says: what happened, in words, and its comment.
func (t *Trace) about(s *State, comment string) string {
	if t == nil {
		return comment
	}
	words := t.State(s.Name).words(s)
	if comment == "" {
		return words
	}
	return words + "\n" + comment
}

// words is a tally for people: succeeded, entered 3 times, 2 retries.
func (n Tally) words(s *State) string {
	if n.Entered == 0 {
		return "not entered"
	}
	parts := []string{string(n.Outcome())}
	if n.Entered > 1 {
		parts = append(parts, fmt.Sprintf("entered %d times", n.Entered))
		for _, p := range []struct {
			what  string
			count int
		}{{"running", n.Running()}, {"succeeded", n.Succeeded}, {"caught", n.Caught}, {"failed", n.Failed}, {"stopped", n.Stopped}} {
			if p.count > 0 && p.count < n.Entered {
				parts = append(parts, fmt.Sprintf("%d %s", p.count, p.what))
			}
		}
	}
	switch n.Retries {
	case 0:
	case 1:
		parts = append(parts, "1 retry")
	default:
		parts = append(parts, fmt.Sprintf("%d retries", n.Retries))
	}
	if items := n.items(); s.Type == "Map" && items != "" {
		parts = append(parts, "items "+items)
	}
	return strings.Join(parts, ", ")
}

// items is how far a Map is: 5/7, or "4/7, 1 failed"; without the total where it
// is not known.
func (n Tally) items() string {
	if n.Items+n.ItemsSucceeded+n.ItemsFailed == 0 {
		return ""
	}
	text := strconv.Itoa(n.ItemsSucceeded)
	if n.Items > 0 {
		text += "/" + strconv.Itoa(n.Items)
	}
	if n.ItemsFailed > 0 {
		text += ", " + strconv.Itoa(n.ItemsFailed) + " failed"
	}
	return text
}

// counts is the short form that stands at the state: ×3 ↻2.
func (n Tally) counts(s *State) string {
	var parts []string
	if items := n.items(); s.Type == "Map" && items != "" {
		parts = append(parts, items)
	}
	if n.Entered > 1 {
		parts = append(parts, "×"+strconv.Itoa(n.Entered))
	}
	if n.Retries > 0 {
		parts = append(parts, "↻"+strconv.Itoa(n.Retries))
	}
	return strings.Join(parts, " ")
}

// signs tell outcomes apart where colours do not.
var signs = map[Outcome]string{Running: "…", Failed: "✕", Stopped: "■", Caught: "!", Succeeded: "✓"}

// badges puts the outcome's sign at the state's left corner and its counts at
// the right one.
func (p *painter) badges(s *State, x, y, w float64) {
	if p.trace == nil {
		return
	}
	n := p.trace.State(s.Name)
	sign := signs[n.Outcome()]
	if sign == "" {
		return
	}
	fmt.Fprintf(&p.b, `<circle class="badge" cx="%s" cy="%s" r="8"/><text class="sign" text-anchor="middle" x="%s" y="%s">%s</text>`,
		num(x+4), num(y+3), num(x+4), num(y+6.8), sign)
	counts := n.counts(s)
	if counts == "" {
		return
	}
	width := textWidth(counts, 10.5)*1.08 + 12
	right := x + w + 6
	fmt.Fprintf(&p.b, `<rect class="badge" x="%s" y="%s" width="%s" height="16" rx="8"/><text class="sign" text-anchor="middle" x="%s" y="%s">%s</text>`,
		num(right-width), num(y-7), num(width), num(right-width/2), num(y+4.8), escape(counts))
}

// traceStyle colours what an execution did, over svgStyle.
const traceStyle = `
.asl.traced .state:not(.entered)>*{opacity:.45}.asl.traced .edge:not(.walked){opacity:.4}.asl.traced .label text{opacity:.75}
.asl .badge{fill:#6e7781;stroke:#fff;stroke-width:1.2}.asl .sign{font-size:10.5px;font-weight:700;fill:#fff}
.asl .entered>.box{stroke-width:2.2}
.asl .succeeded>.box{fill:#e6f6ea;stroke:#1a7f37}.asl .succeeded>.badge{fill:#1a7f37}.asl .succeeded>.mark{fill:#1a7f37}
.asl .failed>.box{fill:#ffeef0;stroke:#cf222e}.asl .failed>.badge{fill:#cf222e}.asl .failed>.mark{fill:#cf222e}
.asl .caught>.box{fill:#fff4e5;stroke:#bc4c00}.asl .caught>.badge{fill:#bc4c00}.asl .caught>.mark{fill:#bc4c00}
.asl .running>.box{fill:#ddf4ff;stroke:#0969da}.asl .running>.badge{fill:#0969da}.asl .running>.mark{fill:#0969da}
.asl .stopped>.box{fill:#f0f1f3;stroke:#59636e;stroke-dasharray:5 3}.asl .stopped>.badge{fill:#59636e}.asl .stopped>.mark{fill:#59636e}
.asl .edge.walked path{stroke:#1f2328;stroke-width:2;stroke-opacity:1}.asl .edge.walked .tip{fill:#1f2328;fill-opacity:1;stroke:none}
.asl .catch.walked path{stroke:#bc4c00}.asl .catch.walked .tip{fill:#bc4c00}
@media(prefers-color-scheme:dark){
.asl .badge{stroke:#0d1117}
.asl .succeeded>.box{fill:#12261a;stroke:#3fb950}.asl .failed>.box{fill:#2d1417;stroke:#f85149}.asl .caught>.box{fill:#2b1d0e;stroke:#f0883e}
.asl .running>.box{fill:#0c2d4a;stroke:#4493f8}.asl .stopped>.box{fill:#1c2128;stroke:#9198a1}
.asl .edge.walked path{stroke:#e6edf3}.asl .edge.walked .tip{fill:#e6edf3}
.asl .catch.walked path{stroke:#f0883e}.asl .catch.walked .tip{fill:#f0883e}
}
`
