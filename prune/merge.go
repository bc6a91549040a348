package prune

import (
	"math"

	"hew/internal/lossy"
	"hew/ir"
)

// A below says, for each node of a tree, what the leaves below it add.
type below struct {
	width             int       // numbers that a leaf adds: one, or one for each output
	least, most, mean []float64 // nodes × width; mean is weighted by cover and not rounded
	cover, leaves     []float64 // nodes: the sum of the covers of its leaves, and their number
}

// newBelow looks at all nodes of t, children before their parents.
func newBelow(e *ir.Ensemble, t *ir.Tree) *below {
	n, w := len(t.Nodes), leafWidth(e, t)
	b := &below{w, make([]float64, n*w), make([]float64, n*w), make([]float64, n*w), make([]float64, n), make([]float64, n)}
	for i := n - 1; i >= 0; i-- {
		if node := &t.Nodes[i]; node.IsLeaf() {
			v := e.LeafValues(t, node)
			copy(b.least[i*w:], v)
			copy(b.most[i*w:], v)
			copy(b.mean[i*w:], v)
			b.cover[i], b.leaves[i] = coverOf(node), 1
		} else {
			b.join(i, int(node.Left), int(node.Right))
		}
	}
	return b
}

// join fills in node i, whose children are l and r. Where no cover is known each leaf
// counts the same. No mean leaves the range of what it is the mean of, whatever the
// rounding.
func (b *below) join(i, l, r int) {
	b.cover[i], b.leaves[i] = b.cover[l]+b.cover[r], b.leaves[l]+b.leaves[r]
	left := b.cover[l] / b.cover[i]
	if b.cover[i] == 0 {
		left = b.leaves[l] / b.leaves[i]
	}
	for k := range b.width {
		i, l, r := i*b.width+k, l*b.width+k, r*b.width+k
		b.least[i], b.most[i] = min(b.least[l], b.least[r]), max(b.most[l], b.most[r])
		mean := float64(b.mean[l]*left) + float64(b.mean[r]*(1-left)) // not fused: the same on every processor
		b.mean[i] = min(max(mean, b.least[i]), b.most[i])
	}
}

// mergeable reports whether the leaves below node i have a mean: none is infinite.
func (b *below) mergeable(i int) bool {
	for k := i * b.width; k < (i+1)*b.width; k++ {
		if math.IsInf(b.least[k], 0) || math.IsInf(b.most[k], 0) {
			return false
		}
	}
	return true
}

// spread returns the largest difference of two leaves below node i in one output.
func (b *below) spread(i int) float64 {
	widest := 0.0
	for k := i * b.width; k < (i+1)*b.width; k++ {
		widest = max(widest, b.most[k]-b.least[k])
	}
	return widest
}

// value writes the mean of node i to dst, as numbers of type p.
func (b *below) value(dst []float64, i int, p ir.Precision) {
	for k := range b.width {
		dst[k] = roundTo(p, b.mean[i*b.width+k])
	}
}

// merge makes a leaf of each split of each tree for which at says so, and that no such
// split stands above of. The leaf adds the mean of the leaves that it replaces. A split
// over infinite leaves stays.
//
// The change is exact for each tree: the least and the largest difference of a new leaf
// and one that it replaces.
func merge(e *ir.Ensemble, at func(t *ir.Tree, b *below, i int) bool) lossy.Change {
	c := lossy.None(e.Outputs)
	for i := range e.Trees {
		t := &e.Trees[i]
		b := newBelow(e, t)
		cut := make([]bool, len(t.Nodes))
		for j := range cut {
			cut[j] = !t.Nodes[j].IsLeaf() && b.mergeable(j) && at(t, b, j)
		}
		b.merge(e, t, cut, c)
	}
	sweep(e)
	return c
}

// merge makes leaves of the topmost nodes of t in cut and adds to c what that changes.
// The caller sweeps.
func (b *below) merge(e *ir.Ensemble, t *ir.Tree, cut []bool, c lossy.Change) {
	low, high := make([]float64, b.width), make([]float64, b.width)
	gone := make([]bool, len(t.Nodes)) // below a new leaf
	found := false
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if !n.IsLeaf() {
			gone[n.Left], gone[n.Right] = gone[i] || cut[i], gone[i] || cut[i]
		}
		if gone[i] || !cut[i] {
			continue
		}
		found = true
		v := make([]float64, b.width)
		b.value(v, i, e.Sum)
		setLeaf(t, n, v)
		for k := range v {
			l, _ := minus(v[k], b.most[i*b.width+k])
			_, h := minus(v[k], b.least[i*b.width+k])
			low[k], high[k] = min(low[k], l), max(high[k], h)
		}
	}
	if !found {
		return
	}
	for k := range low {
		c.Add(outputOf(t, k), low[k], high[k])
	}
	replace(t, identity(len(t.Nodes)))
}

// setLeaf makes n a leaf of t that adds v.
func setLeaf(t *ir.Tree, n *ir.Node, v []float64) {
	*n = ir.Node{Feature: ir.NoFeature, Set: ir.NoSet, ID: n.ID, Cover: n.Cover}
	if t.Vectors == nil {
		n.Value = v[0]
		return
	}
	n.Vector = int32(len(t.Vectors) / len(v))
	t.Vectors = append(t.Vectors, v...)
}

// leafWidth returns the number of values that a leaf of t adds.
func leafWidth(e *ir.Ensemble, t *ir.Tree) int {
	if t.Vectors == nil {
		return 1
	}
	return e.Outputs
}

// outputOf returns the output to which value k of a leaf of t is added.
func outputOf(t *ir.Tree, k int) int { return int(t.Output) + k }

// coverOf returns the cover of n as a weight; what cannot be one counts as unknown.
func coverOf(n *ir.Node) float64 {
	if c := float64(n.Cover); c > 0 && !math.IsInf(c, 1) {
		return c
	}
	return 0
}

func roundTo(p ir.Precision, v float64) float64 {
	if p == ir.Single {
		return float64(float32(v))
	}
	return v
}

// minus returns bounds of the exact a − b.
func minus(a, b float64) (low, high float64) {
	d := a - b
	if d == 0 { // exact
		return 0, 0
	}
	return math.Nextafter(d, math.Inf(-1)), math.Nextafter(d, math.Inf(1))
}
