package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-analyze/charts"

	"plumbline/finding"
	"plumbline/scan"
)

// tones are the colours of the severities, highest first, as the stylesheet has
// them, and those of text and lines, on light and on dark paper.
type tones struct {
	dark             bool
	severities       [4]string
	text, line, back string
}

var (
	lightTones = tones{false, [4]string{"#86198f", "#b42318", "#8a5300", "#0e6a75"}, "#59616b", "#d9dde2", "#ffffff"}
	darkTones  = tones{true, [4]string{"#f0a0f5", "#ff9d92", "#f0c069", "#7fd4de"}, "#a2abb5", "#343b43", "#14171a"}
)

// trendChart draws the violations of the last scans. The page beside it has the
// figures as a table.
func (s *Server) trendChart(w http.ResponseWriter, r *http.Request) {
	scans, err := s.o.Data.Scans(r.Context())
	if err == nil {
		t := lightTones
		if r.URL.Query().Get("theme") == "dark" {
			t = darkTones
		}
		var svg []byte
		width, bars := 1200, trendLongest
		if r.URL.Query().Get("size") == "narrow" {
			width, bars = 480, trendLongest/4
		}
		if svg, err = drawTrend(scans[max(0, len(scans)-bars):], t, width); err == nil {
			picture(w, r, svg)
			return
		}
	}
	if errors.Is(err, errNoTrend) {
		http.NotFound(w, r)
		return
	}
	s.logf("%s: %v", r.URL.Path, err)
	http.Error(w, "the chart cannot be drawn", http.StatusInternalServerError)
}

// errNoTrend says that there is nothing to draw.
var errNoTrend = errors.New("a trend has two scans or more")

// drawTrend draws a bar a scan, in pixels wide and a quarter or more of that high.
func drawTrend(scans []scan.Summary, t tones, width int) ([]byte, error) {
	if len(scans) < 2 {
		return nil, errNoTrend
	}
	values := make([][]float64, len(finding.Severities))
	var names, days []string
	for i, sev := range finding.Severities {
		names = append(names, string(sev))
		for j := range scans {
			values[i] = append(values[i], float64(scans[j].Failing[string(sev)]))
		}
	}
	sameDay := scans[0].Started.UTC().YearDay() == scans[len(scans)-1].Started.UTC().YearDay() && scans[0].Started.UTC().Year() == scans[len(scans)-1].Started.UTC().Year()
	for i := range scans {
		format := "2 Jan"
		if sameDay {
			format = "15:04"
		}
		days = append(days, scans[i].Started.UTC().Format(format))
	}
	// The lowest severity stands at the bottom of each bar.
	slices.Reverse(values)
	slices.Reverse(names)
	colors := []charts.Color{}
	for _, c := range slices.Backward(t.severities[:]) {
		colors = append(colors, charts.ParseColor(c))
	}
	text, line, back := charts.ParseColor(t.text), charts.ParseColor(t.line), charts.ParseColor(t.back)
	o := charts.NewBarChartOptionWithData(values)
	o.Theme = charts.GetDefaultTheme().WithSeriesColors(colors).WithBackgroundColor(back).WithTextColor(text).WithXAxisColor(line).WithYAxisColor(line).WithAxisSplitLineColor(line)
	o.StackSeries = charts.Ptr(true)
	o.CategoryAxis.Labels = days
	o.Legend.SeriesNames = names
	o.ValueFormatter = func(v float64) string { return strconv.Itoa(int(v)) }
	o.Padding = charts.NewBoxEqual(10)
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: 300})
	if err := p.BarChart(o); err != nil {
		return nil, err
	}
	return p.Bytes()
}
