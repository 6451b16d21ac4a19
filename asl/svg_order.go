package asl

import (
	"cmp"
	"slices"
)

// order sorts each layer so that few edges cross: from the order in which the
// start reaches things, by the average place of each vertex's neighbours.
func (l *layout) order() {
	at := l.firstOrder()
	best, least := l.snapshot(), l.crossings(at)
	for sweep := 0; sweep < 8 && least > 0; sweep++ {
		if sweep%2 == 0 {
			for k := 1; k < len(l.layers); k++ {
				l.sortLayer(k, at, func(v *vertex) []*vertex { return v.up })
			}
		} else {
			for k := len(l.layers) - 2; k >= 0; k-- {
				l.sortLayer(k, at, func(v *vertex) []*vertex { return v.down })
			}
		}
		if n := l.crossings(at); n < least {
			best, least = l.snapshot(), n
		}
	}
	l.layers = best
}

// firstOrder fills the layers in the order of a walk from the start that takes
// caught errors last, and puts what only they reach on the right.
func (l *layout) firstOrder() map[*vertex]float64 {
	seen := map[*vertex]bool{}
	var visit func(v *vertex)
	visit = func(v *vertex) {
		if seen[v] {
			return
		}
		seen[v] = true
		l.layers[v.layer] = append(l.layers[v.layer], v)
		for _, d := range v.down {
			visit(d)
		}
	}
	for _, v := range l.vertices {
		visit(v)
	}
	at := make(map[*vertex]float64, len(seen))
	for _, layer := range l.layers {
		slices.SortStableFunc(layer, func(a, b *vertex) int { return rightLast(a, b) })
		for i, v := range layer {
			at[v] = float64(i)
		}
	}
	return at
}

func rightLast(a, b *vertex) int {
	switch {
	case a.right == b.right:
		return 0
	case a.right:
		return 1
	}
	return -1
}

func (l *layout) sortLayer(k int, at map[*vertex]float64, neighbours func(*vertex) []*vertex) {
	layer := l.layers[k]
	want := make(map[*vertex]float64, len(layer))
	for _, v := range layer {
		want[v] = at[v]
		if ns := neighbours(v); len(ns) > 0 {
			sum := 0.0
			for _, n := range ns {
				sum += at[n]
			}
			want[v] = sum / float64(len(ns))
		}
	}
	slices.SortStableFunc(layer, func(a, b *vertex) int {
		if c := rightLast(a, b); c != 0 {
			return c
		}
		return cmp.Compare(want[a], want[b])
	})
	for i, v := range layer {
		at[v] = float64(i)
	}
}

func (l *layout) snapshot() [][]*vertex {
	out := make([][]*vertex, len(l.layers))
	for i, layer := range l.layers {
		out[i] = slices.Clone(layer)
	}
	return out
}

// crossings counts the edges between neighbouring layers that cross.
func (l *layout) crossings(at map[*vertex]float64) int {
	n := 0
	type line struct{ a, b float64 }
	for k := 0; k+1 < len(l.layers); k++ {
		var lines []line
		for _, v := range l.layers[k] {
			for _, d := range v.down {
				lines = append(lines, line{at[v], at[d]})
			}
		}
		for i, p := range lines {
			for _, q := range lines[i+1:] {
				if (p.a-q.a)*(p.b-q.b) < 0 {
					n++
				}
			}
		}
	}
	return n
}

// columns gives each vertex its x: as near to its neighbours as its place in
// the layer allows. Passing edges pull more than states do, so that they are straight.
func (l *layout) columns() {
	for _, layer := range l.layers {
		x := 0.0
		for i, v := range layer {
			if i > 0 {
				x += separation(layer[i-1], v)
			}
			v.x = x
		}
	}
	const sweeps = 26
	for sweep := range sweeps {
		both := sweep >= sweeps-6
		if sweep%2 == 0 {
			for k := range l.layers {
				l.align(k, true, both)
			}
		} else {
			for k := len(l.layers) - 1; k >= 0; k-- {
				l.align(k, both, true)
			}
		}
	}
	left, right := 0.0, 0.0
	for i, layer := range l.layers {
		for j, v := range layer {
			if i == 0 && j == 0 {
				left, right = v.x-v.w/2, v.x+v.w/2
			}
			left, right = min(left, v.x-v.w/2), max(right, v.x+v.w/2)
		}
	}
	for _, layer := range l.layers {
		for _, v := range layer {
			v.x -= left
		}
	}
	l.w = right - left
}

func separation(a, b *vertex) float64 {
	gap := wireGap
	if a.state != nil && b.state != nil {
		gap = nodeGap
	}
	return (a.w+b.w)/2 + gap
}

// pull is how strongly two linked vertices want to stand above each other.
func pull(a, b *vertex) float64 {
	through := func(v *vertex) bool { return v.state == nil && !v.start }
	w := 2.0
	switch {
	case through(a) && through(b):
		w = 8
	case through(a) || through(b):
		w = 3
	}
	if a.right || b.right { // caught errors do not bend the flow
		w /= 8
	}
	return w
}

// align moves a layer towards its neighbours above, below or both: the least
// squares solution that keeps the order and the separations, by pooling
// neighbours that want to overlap.
func (l *layout) align(k int, up, down bool) {
	layer := l.layers[k]
	type block struct {
		sum, weight float64 // of wanted places, less the offset
		from        int
	}
	var blocks []block
	offset := make([]float64, len(layer))
	for i, v := range layer {
		if i > 0 {
			offset[i] = offset[i-1] + separation(layer[i-1], v)
		}
		sum, weight := v.x*0.01, 0.01 // without neighbours it stays
		add := func(ns []*vertex) {
			for _, n := range ns {
				p := pull(v, n)
				sum += n.x * p
				weight += p
			}
		}
		if up {
			add(v.up)
		}
		if down {
			add(v.down)
		}
		b := block{sum - offset[i]*weight, weight, i}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if last.sum/last.weight <= b.sum/b.weight {
				break
			}
			b = block{last.sum + b.sum, last.weight + b.weight, last.from}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	for i, b := range blocks {
		to := len(layer)
		if i+1 < len(blocks) {
			to = blocks[i+1].from
		}
		for j := b.from; j < to; j++ {
			layer[j].x = b.sum/b.weight + offset[j]
		}
	}
}
