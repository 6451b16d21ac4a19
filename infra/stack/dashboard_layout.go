package stack

import (
	"fmt"
	"strings"
)

// Heights of widgets, in CloudWatch's units.
const (
	headline = 1
	figure   = 4
	picture  = 6
)

// columns is how wide a row is.
const columns = 24

// layout puts the widgets of each section into rows, in their order, as the
// dashboard's body has them.
// Source: CloudWatch User Guide, "Dashboard body structure and syntax".
func layout(sections []section) []map[string]any {
	var out []map[string]any
	y := 0
	put := func(x, width, height int, kind string, properties map[string]any) {
		out = append(out, map[string]any{"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties})
	}
	for _, s := range sections {
		put(0, columns, headline, "text", map[string]any{"markdown": "## " + s.title})
		y += headline
		x, row := 0, 0
		for _, w := range s.widgets {
			if x+w.width > columns {
				x, y, row = 0, y+row, 0
			}
			height := picture
			if w.view == "singleValue" {
				height = figure
			}
			put(x, w.width, height, "metric", w.properties())
			x, row = x+w.width, max(row, height)
		}
		y += row
	}
	return out
}

// properties are those of a widget of metrics.
func (w widget) properties() map[string]any {
	metrics := make([]any, len(w.series))
	for i, s := range w.series {
		metrics[i] = s.line(w, i)
	}
	return map[string]any{
		"title": w.title, "view": w.view, "stacked": w.stacked, "stat": w.stat, "period": w.period,
		"region": w.series[0].region, "metrics": metrics, "yAxis": map[string]any{"left": map[string]any{"min": 0}},
	}
}

// line is one entry of a widget's metrics.
func (s series) line(w widget, i int) []any {
	options := map[string]any{"region": s.region}
	if s.label != "" {
		options["label"] = s.label
	}
	if s.search {
		options["id"] = fmt.Sprint("e", i)
		options["expression"] = fmt.Sprintf(`SEARCH('{%s,%s} MetricName="%s"', '%s', %d)`, s.namespace, strings.Join(s.dimensions, ","), s.name, w.stat, w.period)
		if s.label == s.region { // before what the search found
			options["label"] = s.region + " "
		}
		return []any{options}
	}
	out := []any{s.namespace, s.name}
	for _, d := range s.dimensions {
		out = append(out, d)
	}
	return append(out, options)
}
