package asl

import (
	"fmt"
	"strings"
)

// Mermaid draws the state machine as a Mermaid flowchart: one node a state, a
// subgraph for what a Map or Parallel holds, dotted arrows for caught errors.
// The same definition gives the same text.
func (d *Definition) Mermaid() string {
	m := &mermaid{ids: map[*State]string{}}
	for _, s := range d.All() {
		m.ids[s] = fmt.Sprintf("s%d", len(m.ids)+1)
	}
	m.b.WriteString("flowchart TD\n")
	m.machine(d, "start", 1)
	m.b.WriteString("  classDef good stroke:#1a7f37,stroke-width:2px\n  classDef bad stroke:#cf222e,stroke-width:2px\n")
	return m.b.String()
}

type mermaid struct {
	b   strings.Builder
	ids map[*State]string
}

func (m *mermaid) line(depth int, format string, args ...any) {
	m.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&m.b, format, args...)
	m.b.WriteByte('\n')
}

func (m *mermaid) machine(d *Definition, start string, depth int) {
	if first := d.byName[d.StartAt]; first != nil {
		m.line(depth, "%s(( )) --> %s", start, m.ids[first])
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
		}
	}
}

func (m *mermaid) state(s *State, depth int) {
	id, name := m.ids[s], mermaidText(s.Name)
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
