package asl

import (
	"fmt"
	"strconv"
	"strings"
)

// Mermaid draws the state machine as a Mermaid flowchart: one node a state, a
// subgraph for what a Map or Parallel holds, dotted arrows for caught errors.
// The same definition gives the same text.
func (d *Definition) Mermaid() string { return d.DrawMermaid(Drawing{}) }

// DrawMermaid is Mermaid with an execution marked in it, as Draw does: a class
// for each outcome, thick arrows for the ways that were taken, and the counts
// behind a state's name. The Title is not used.
func (d *Definition) DrawMermaid(o Drawing) string {
	m := &mermaid{ids: map[*State]string{}, trace: o.Trace}
	for _, s := range d.All() {
		m.ids[s] = fmt.Sprintf("s%d", len(m.ids)+1)
	}
	m.b.WriteString("flowchart TD\n")
	m.machine(d, "start", 1)
	m.b.WriteString("  classDef good stroke:#1a7f37,stroke-width:2px\n  classDef bad stroke:#cf222e,stroke-width:2px\n")
	m.outcomes(d)
	return m.b.String()
}

type mermaid struct {
	b   strings.Builder
	ids map[*State]string

	trace  *Trace
	arrows int   // written so far
	walked []int // those of them that were taken
}

// arrow counts an arrow of the text.
func (m *mermaid) arrow(from, to string, caught bool) {
	if m.trace.took(from, to, caught) {
		m.walked = append(m.walked, m.arrows)
	}
	m.arrows++
}

// name is the state's, with its counts.
func (m *mermaid) name(s *State) string {
	text := s.Name
	if m.trace != nil {
		n := m.trace.State(s.Name)
		if sign := signs[n.Outcome()]; sign != "" {
			text = sign + " " + strings.TrimSpace(text+" "+n.counts(s))
		}
	}
	return mermaidText(text)
}

// outcomes writes the classes of the states that were entered, and of the arrows.
func (m *mermaid) outcomes(d *Definition) {
	if m.trace == nil {
		return
	}
	for _, c := range []struct {
		outcome Outcome
		style   string
	}{
		{Succeeded, "fill:#e6f6ea,stroke:#1a7f37,color:#1f2328"}, {Caught, "fill:#fff4e5,stroke:#bc4c00,color:#1f2328"},
		{Failed, "fill:#ffeef0,stroke:#cf222e,color:#1f2328"}, {Stopped, "fill:#f0f1f3,stroke:#59636e,color:#1f2328,stroke-dasharray:5 3"},
		{Running, "fill:#ddf4ff,stroke:#0969da,color:#1f2328"}, {NotEntered, "opacity:0.45"},
	} {
		var ids []string
		for _, s := range d.All() {
			if m.trace.outcome(s.Name) == c.outcome {
				ids = append(ids, m.ids[s])
			}
		}
		if len(ids) == 0 {
			continue
		}
		name := string(c.outcome)
		if c.outcome == NotEntered {
			name = "missed"
		}
		m.line(1, "classDef %s %s", name, c.style)
		m.line(1, "class %s %s", strings.Join(ids, ","), name)
	}
	if len(m.walked) > 0 {
		list := make([]string, len(m.walked))
		for i, n := range m.walked {
			list[i] = strconv.Itoa(n)
		}
		m.line(1, "linkStyle %s stroke-width:3px", strings.Join(list, ","))
	}
}

func (m *mermaid) line(depth int, format string, args ...any) {
	m.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&m.b, format, args...)
	m.b.WriteByte('\n')
}

func (m *mermaid) machine(d *Definition, start string, depth int) {
	if first := d.byName[d.StartAt]; first != nil {
		m.line(depth, "%s(( )) --> %s", start, m.ids[first])
		m.arrow("", first.Name, false)
	}
	for _, s := range d.States {
		m.state(s, depth)
	}
	for _, s := range d.States {
		for _, e := range edgesOf(s) {
			arrow := "-->"
			if e.kind == edgeCatch {
				arrow = "-.->"
			}
			if e.label != "" {
				arrow += `|"` + mermaidText(e.label) + `"|`
			}
			m.line(depth, "%s %s %s", m.ids[e.from], arrow, m.ids[e.to])
			m.arrow(e.from.Name, e.to.Name, e.kind == edgeCatch)
		}
	}
}

func (m *mermaid) state(s *State, depth int) {
	id, name := m.ids[s], m.name(s)
	switch s.Type {
	case "Choice":
		m.line(depth, `%s{"%s"}`, id, name)
	case "Wait":
		m.line(depth, `%s(["%s<br/><small>%s</small>"])`, id, name, mermaidText(s.about()))
	case "Succeed":
		m.line(depth, `%s(["%s"]):::good`, id, name)
	case "Fail":
		m.line(depth, `%s(["%s"]):::bad`, id, name)
	case "Map", "Parallel":
		m.line(depth, `subgraph %s["%s · %s"]`, id, name, mermaidText(s.about()))
		for i, d := range s.Machines() {
			start := fmt.Sprintf("%sb%d", id, i+1)
			if s.Type == "Map" {
				m.machine(d, start, depth+1)
				continue
			}
			m.line(depth+1, `subgraph %sg[" "]`, start)
			m.machine(d, start, depth+2)
			m.line(depth+1, "end")
		}
		if len(s.Machines()) == 0 {
			m.line(depth+1, `%se["nothing inside"]`, id)
		}
		m.line(depth, "end")
	default:
		m.line(depth, `%s["%s<br/><small>%s</small>"]`, id, name, mermaidText(s.about()))
	}
}

var mermaidEscape = strings.NewReplacer(
	"&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", "<br/>", "#", "#35;", "`", "#96;",
)

// mermaidText is text as a quoted label takes it.
func mermaidText(s string) string { return mermaidEscape.Replace(s) }
