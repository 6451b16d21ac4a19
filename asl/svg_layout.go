package asl

import "math"

// Sizes of the drawing in pixels.
const (
	titleSize    = 13.0 // font of names
	noteSize     = 11.0 // font of what stands below them, and of labels
	nodeHeight   = 46.0
	nodeMinWidth = 112.0
	nodePadding  = 36.0 // beside the text, both sides together
	boldness     = 1.12 // of names, to the width of plain text
	dotSize      = 12.0
	headerHeight = 44.0 // of a Map or Parallel
	innerPadding = 14.0
	innerGap     = 14.0
	rowWidth     = 1150.0 // branches of a Parallel wrap beyond it
	labelWidth   = 26     // characters
	labelLines   = 4
	labelLeading = 14.0
	nodeGap      = 28.0
	wireGap      = 16.0
	trackGap     = 8.0
	laneGap      = 13.0
)

// vertex is a state, the start dot, or a place that an edge passes in a layer
// between its ends, perhaps with the edge's label.
type vertex struct {
	state *State
	start bool
	label []string
	right bool // reached by caught errors only: drawn to the right of the rest

	w, h, x, y float64 // x and y are the centre
	layer      int
	up, down   []*vertex

	inner []placed // what a Map or Parallel holds
}

// placed is an inner machine with the place of its top left corner, relative
// to that of its state.
type placed struct {
	*layout
	x, y float64
}

// wire is an edge of the drawing.
type wire struct {
	edge
	src, dst *vertex
	chain    []*vertex // the places passed between the ends
	back     bool      // against the flow: drawn through a lane on the left
	bus      bool      // caught errors over some distance: a lane on the right
	lane     float64   // x of the lane
	label    []string
}

// layout is one machine drawn in layers from top to bottom.
type layout struct {
	d        *Definition
	vertices []*vertex
	wires    []*wire
	layers   [][]*vertex // even: states; odd: labels and passing edges
	tops     []float64   // y of each layer's top
	heights  []float64
	above    []int // horizontal tracks in the gap above each layer
	below    []int
	left     float64 // width of the lanes on the left
	w, h     float64
}

// lay draws the machine and those inside it.
func lay(d *Definition) *layout {
	l := &layout{d: d}
	start := &vertex{start: true, w: dotSize, h: dotSize}
	l.vertices = append(l.vertices, start)
	of := make(map[*State]*vertex, len(d.States))
	for _, s := range d.States {
		v := newVertex(s)
		of[s] = v
		l.vertices = append(l.vertices, v)
	}
	if first := d.byName[d.StartAt]; first != nil {
		l.wires = append(l.wires, &wire{src: start, dst: of[first]})
	}
	for _, s := range d.States {
		for _, e := range edgesOf(s) {
			w := &wire{edge: e, src: of[e.from], dst: of[e.to]}
			if e.label != "" && (e.kind != edgeCatch || e.label != "States.ALL") {
				w.label = wrap(e.label, labelWidth, labelLines)
			}
			l.wires = append(l.wires, w)
		}
	}
	l.rank()
	l.chains()
	l.order()
	l.columns()
	l.rows()
	return l
}

func newVertex(s *State) *vertex {
	text := max(textWidth(s.Name, titleSize)*boldness, textWidth(s.note(), noteSize))
	v := &vertex{state: s, w: math.Ceil(max(nodeMinWidth, text+nodePadding)), h: nodeHeight}
	machines := s.Machines()
	if len(machines) == 0 {
		return v
	}
	var inner []*layout
	total := innerGap
	for _, m := range machines {
		inner = append(inner, lay(m))
		total += inner[len(inner)-1].w + innerGap
	}
	rows := math.Ceil(total / rowWidth)
	perRow := int(math.Ceil(float64(len(inner)) / rows))
	y, widest := headerHeight, 0.0
	var widths []float64
	for from := 0; from < len(inner); from += perRow {
		x, height := innerPadding, 0.0
		for _, in := range inner[from:min(from+perRow, len(inner))] {
			v.inner = append(v.inner, placed{in, x, y})
			x += in.w + innerGap
			height = max(height, in.h)
		}
		widths = append(widths, x-innerGap+innerPadding)
		widest = max(widest, widths[len(widths)-1])
		y += height + innerGap
	}
	v.w, v.h = max(v.w, widest), y-innerGap+innerPadding
	for i := range v.inner { // each row stands in the middle
		v.inner[i].x += (v.w - widths[i/perRow]) / 2
	}
	return v
}

// note is the second line of a node, cut to a readable length.
func (s *State) note() string { return shorten(s.about(), 48) }

// rank finds the edges that go against the flow and puts every vertex below
// all that lead to it. Layers are counted in twos: the odd ones are for labels.
func (l *layout) rank() {
	out := make(map[*vertex][]*wire, len(l.vertices))
	for _, w := range l.wires {
		out[w.src] = append(out[w.src], w)
	}
	const (
		fresh = iota
		open
		done
	)
	mark := make(map[*vertex]int, len(l.vertices))
	var sorted []*vertex // reversed: ends first
	var visit func(v *vertex)
	visit = func(v *vertex) {
		mark[v] = open
		for _, w := range out[v] {
			switch mark[w.dst] {
			case open:
				w.back = true
			case fresh:
				visit(w.dst)
			}
		}
		mark[v] = done
		sorted = append(sorted, v)
	}
	for _, v := range l.vertices {
		if mark[v] == fresh {
			visit(v)
		}
	}
	caught, other := map[*vertex]bool{}, map[*vertex]bool{}
	for i := len(sorted) - 1; i >= 0; i-- {
		v := sorted[i]
		if v.layer == 0 && !v.start {
			v.layer = 2 // nothing leads here
		}
		for _, w := range out[v] {
			if w.back {
				continue
			}
			w.dst.layer = max(w.dst.layer, v.layer+2)
			if w.kind == edgeCatch {
				caught[w.dst] = true
			} else {
				other[w.dst] = true
			}
		}
	}
	for _, v := range l.vertices {
		v.right = caught[v] && !other[v]
	}
}

// chains lays each edge over the layers between its ends, and keeps for lanes
// those that would only confuse there.
func (l *layout) chains() {
	last := 0
	for _, v := range l.vertices {
		last = max(last, v.layer)
	}
	l.layers = make([][]*vertex, last+1)
	for _, w := range l.wires {
		if w.back {
			continue
		}
		if w.kind == edgeCatch && w.dst.layer > w.src.layer+2 {
			w.bus, w.label = true, nil
			continue
		}
		prev := w.src
		for k := w.src.layer + 1; k < w.dst.layer; k++ {
			v := &vertex{layer: k, right: w.kind == edgeCatch}
			if k == w.src.layer+1 && len(w.label) > 0 {
				v.label = w.label
				v.w, v.h = labelSize(w.label)
			}
			w.chain = append(w.chain, v)
			link(prev, v)
			prev = v
		}
		link(prev, w.dst)
	}
}

func link(a, b *vertex) {
	a.down = append(a.down, b)
	b.up = append(b.up, a)
}

func labelSize(lines []string) (w, h float64) {
	for _, line := range lines {
		w = max(w, textWidth(line, noteSize))
	}
	return math.Ceil(w + 10), float64(len(lines))*labelLeading + 4
}

// rows gives each layer its height and place, with room in the gaps for the
// horizontal pieces of lanes, and the drawing its size.
func (l *layout) rows() {
	l.lanes()
	l.tops, l.heights = make([]float64, len(l.layers)), make([]float64, len(l.layers))
	y := innerGap
	for k, layer := range l.layers {
		for _, v := range layer {
			l.heights[k] = max(l.heights[k], v.h)
		}
		gap := 14.0
		switch {
		case k == 0:
			gap = 0
		case k == 1:
			gap = 6
		case k%2 == 1 && l.heights[k] > 0: // labels want room for the bend before them
			gap = 20
		case k%2 == 0 && l.heights[k-1] > 0:
			gap = 16
		}
		y += gap + float64(l.above[k])*trackGap
		l.tops[k] = y
		y += l.heights[k] + float64(l.below[k])*trackGap
		for _, v := range layer {
			v.y = l.tops[k] + v.h/2
			if v.state == nil {
				v.y = l.tops[k] + l.heights[k]/2
			}
		}
	}
	l.h = y + innerGap
}
