package asl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// lanes counts the horizontal tracks that lanes need in the gaps, and places
// the lanes: on the right those of caught errors, one for each target; on the
// left those of loops.
func (l *layout) lanes() {
	l.above, l.below = make([]int, len(l.layers)), make([]int, len(l.layers))
	type group struct {
		dst   *vertex
		wires []*wire
		width float64
	}
	collect := func(want func(*wire) bool) []*group {
		var groups []*group
		for _, w := range l.wires {
			if !want(w) {
				continue
			}
			i := slices.IndexFunc(groups, func(g *group) bool { return g.dst == w.dst })
			if i < 0 {
				i, groups = len(groups), append(groups, &group{dst: w.dst, width: laneGap})
			}
			groups[i].wires = append(groups[i].wires, w)
			if len(w.label) > 0 {
				width, _ := labelSize(w.label)
				groups[i].width = max(groups[i].width, width+4)
			}
		}
		span := func(g *group) int {
			n := 0
			for _, w := range g.wires {
				n = max(n, w.src.layer-w.dst.layer, w.dst.layer-w.src.layer)
			}
			return n
		}
		slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(span(a), span(b)) })
		for _, g := range groups { // the longer reach lies outside
			below := map[int]bool{}
			for _, w := range g.wires {
				if !l.outermost(w.src, w.bus) && !below[w.src.layer] {
					below[w.src.layer] = true
					l.below[w.src.layer]++
				}
			}
			if !l.outermost(g.dst, g.wires[0].bus) {
				l.above[g.dst.layer]++
			}
		}
		return groups
	}
	left := collect(func(w *wire) bool { return w.back })
	for _, g := range left {
		l.left += g.width
	}
	if len(left) > 0 {
		l.left += 4
	}
	x := l.left
	for _, g := range left {
		for _, w := range g.wires {
			w.lane = x - g.width/2 - 4
		}
		x -= g.width
	}
	for _, layer := range l.layers {
		for _, v := range layer {
			v.x += l.left
		}
	}
	l.w += l.left
	right := collect(func(w *wire) bool { return w.bus })
	for _, g := range right {
		l.w += laneGap
		for _, w := range g.wires {
			w.lane = l.w
		}
	}
	if len(right) > 0 {
		l.w += 4
	}
}

// outermost reports whether the vertex is the last of its layer on that side,
// so that a lane meets its side.
func (l *layout) outermost(v *vertex, right bool) bool {
	layer := l.layers[v.layer]
	if right {
		return layer[len(layer)-1] == v
	}
	return layer[0] == v
}

// point is a place in the drawing.
type point struct{ x, y float64 }

// route is how an edge is drawn: an SVG path, where its arrow points and how,
// and where its label stands.
type route struct {
	path  string
	tip   point
	angle int // of the arrow: 90 down, 180 to the left, 0 to the right
	label point
	stub  string // of a lane that another edge draws already: the way to it
}

// snap is how far from the middle of a state an edge may meet it to be straight.
const snap = 19.0

// routes computes all edges of the machine; out and in give each edge its own
// place along the side of the state it leaves or enters.
func (l *layout) routes() map[*wire]route {
	all := make(map[*wire]route, len(l.wires))
	out := l.ports()
	tracks := l.trackNumbers()
	longest := map[trackKey]*wire{} // of the edges in one lane the one that draws it
	for _, w := range l.wires {
		if w.back || w.bus {
			all[w] = l.laneRoute(w, tracks)
			k := trackKey{dst: w.dst, bus: w.bus}
			if o := longest[k]; o == nil || reach(w) > reach(o) {
				longest[k] = w
			}
			continue
		}
		p := point{w.src.x + out[w], w.src.y + w.src.h/2}
		if w.src.start {
			p.y -= 1
		}
		var b strings.Builder
		fmt.Fprintf(&b, "M%s %s", num(p.x), num(p.y))
		curve := func(q point) {
			if p.x == q.x {
				fmt.Fprintf(&b, "V%s", num(q.y))
			} else {
				mid := (p.y + q.y) / 2
				fmt.Fprintf(&b, "C%s %s %s %s %s %s", num(p.x), num(mid), num(q.x), num(mid), num(q.x), num(q.y))
			}
			p = q
		}
		curve(point{p.x, l.tops[w.src.layer] + l.heights[w.src.layer]}) // past the neighbours first
		var label point
		for _, v := range w.chain {
			top, bottom := l.tops[v.layer], l.tops[v.layer]+l.heights[v.layer]
			if bottom-top < 1 && len(v.label) == 0 {
				continue // an empty layer bends nothing
			}
			curve(point{v.x, top})
			curve(point{v.x, bottom})
			if len(v.label) > 0 {
				label = point{v.x, v.y}
			}
		}
		tip := point{w.dst.x, w.dst.y - w.dst.h/2}
		if w.kind == edgeCatch && !w.dst.right {
			tip.x += min(18, w.dst.w/4)
		}
		if near := p.x - tip.x; -snap < near && near < snap && w.dst.w > 4*snap {
			tip.x = p.x
		}
		curve(tip)
		all[w] = route{path: b.String(), tip: tip, angle: 90, label: label}
	}
	for w, r := range all {
		if longest[trackKey{dst: w.dst, bus: w.bus}] == w {
			r.stub = ""
			all[w] = r
		}
	}
	return all
}

// reach is how far along its lane an edge goes.
func reach(w *wire) float64 { return max(w.src.y-w.dst.y, w.dst.y-w.src.y) }

// ports spreads the edges that leave a state downwards along its lower side,
// in the order of where they go.
func (l *layout) ports() map[*wire]float64 {
	leaving := map[*vertex][]*wire{}
	for _, w := range l.wires {
		if !w.back && !w.bus {
			leaving[w.src] = append(leaving[w.src], w)
		}
	}
	out := map[*wire]float64{}
	for v, ws := range leaving {
		first := func(w *wire) float64 {
			if len(w.chain) > 0 {
				return w.chain[0].x
			}
			return w.dst.x
		}
		slices.SortStableFunc(ws, func(a, b *wire) int { return cmp.Compare(first(a), first(b)) })
		step := min(22, v.w*0.7/float64(len(ws)))
		for i, w := range ws {
			out[w] = (float64(i) - float64(len(ws)-1)/2) * step
			if off := first(w) - v.x; len(ws) == 1 && !v.start && -snap < off && off < snap {
				out[w] = off
			}
			if v.state != nil && v.state.End { // the mark of the end stands in the middle
				out[w] += 18
			}
		}
	}
	return out
}

// trackKey is one horizontal piece: of the lane to a target, in a gap.
type trackKey struct {
	dst   *vertex
	layer int
	above bool
	bus   bool
}

func (l *layout) trackNumbers() map[trackKey]int {
	numbers := map[trackKey]int{}
	usedAbove, usedBelow := make([]int, len(l.layers)), make([]int, len(l.layers))
	for _, w := range l.wires {
		if !w.back && !w.bus {
			continue
		}
		if !l.outermost(w.src, w.bus) {
			k := trackKey{w.dst, w.src.layer, false, w.bus}
			if _, ok := numbers[k]; !ok {
				usedBelow[k.layer]++
				numbers[k] = usedBelow[k.layer]
			}
		}
		if !l.outermost(w.dst, w.bus) {
			k := trackKey{w.dst, w.dst.layer, true, w.bus}
			if _, ok := numbers[k]; !ok {
				usedAbove[k.layer]++
				numbers[k] = usedAbove[k.layer]
			}
		}
	}
	return numbers
}

// laneRoute leads an edge out to its lane, along it, and back in.
func (l *layout) laneRoute(w *wire, tracks map[trackKey]int) route {
	side, inset := -1.0, -1.0
	if w.bus {
		side, inset = 1, 1
	}
	var pts []point
	if l.outermost(w.src, w.bus) {
		pts = append(pts, point{w.src.x + side*w.src.w/2, w.src.y + 8})
	} else {
		n := float64(tracks[trackKey{w.dst, w.src.layer, false, w.bus}])
		y := l.tops[w.src.layer] + l.heights[w.src.layer] + n*trackGap
		x := w.src.x + inset*(w.src.w/2-10-4*n)
		pts = append(pts, point{x, w.src.y + w.src.h/2}, point{x, y})
	}
	pts = append(pts, point{w.lane, pts[len(pts)-1].y})
	stub := rounded(pts)
	var tip point
	angle := 90
	if l.outermost(w.dst, w.bus) {
		tip = point{w.dst.x + side*w.dst.w/2, w.dst.y - 8}
		angle = 180
		if !w.bus {
			angle = 0
		}
		pts = append(pts, point{w.lane, tip.y})
	} else {
		n := float64(tracks[trackKey{w.dst, w.dst.layer, true, w.bus}])
		y := l.tops[w.dst.layer] - n*trackGap
		x := w.dst.x + inset*(w.dst.w/2-10-4*n)
		tip = point{x, w.dst.y - w.dst.h/2}
		pts = append(pts, point{w.lane, y}, point{x, y})
	}
	pts = append(pts, tip)
	mid := point{w.lane, (pts[0].y + tip.y) / 2}
	return route{rounded(pts), tip, angle, mid, stub}
}

// rounded is a path through the points with rounded corners.
func rounded(pts []point) string {
	const radius = 6.0
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %s", num(pts[0].x), num(pts[0].y))
	for i := 1; i < len(pts)-1; i++ {
		p := pts[i]
		r := min(radius, distance(pts[i-1], p)/2, distance(p, pts[i+1])/2)
		a, c := toward(p, pts[i-1], r), toward(p, pts[i+1], r)
		fmt.Fprintf(&b, "L%s %sQ%s %s %s %s", num(a.x), num(a.y), num(p.x), num(p.y), num(c.x), num(c.y))
	}
	end := pts[len(pts)-1]
	fmt.Fprintf(&b, "L%s %s", num(end.x), num(end.y))
	return b.String()
}

// distance and toward serve pieces that are horizontal or vertical.
func distance(a, b point) float64 { return max(a.x-b.x, b.x-a.x, a.y-b.y, b.y-a.y) }

func toward(from, to point, by float64) point {
	if d := distance(from, to); d > 0 {
		return point{from.x + (to.x-from.x)*by/d, from.y + (to.y-from.y)*by/d}
	}
	return from
}
