package prune

import (
	"math"
	"slices"

	"hew/ir"
)

// Dedupe lets identical trees share one body: afterwards their Nodes, and their
// Vectors, are the same memory. Within a tree it holds leaf vectors of the same bits
// once.
//
// Trees are identical if they ask the same questions in the same order and have
// leaves of the same bits and numbers; they may add to different outputs. Where their
// covers and the numbers of their splits differ, those of the first one stay.
// Predictions, margins and leaf numbers keep their bits.
//
// Whoever rewrites nodes in place must do so before, or rewrite a clone, whose trees
// share nothing: a change to one of several trees would else be made to all of them,
// or to all of them several times.
func Dedupe(e *ir.Ensemble) error {
	d := deduper{e: e, sets: setClasses(e.Sets), known: map[digest][]int{}}
	for i := range e.Trees {
		t := &e.Trees[i]
		shareVectors(t, e.Outputs)
		if first := d.first(i); first >= 0 {
			t.Nodes, t.Vectors = e.Trees[first].Nodes, e.Trees[first].Vectors
		}
	}
	return nil
}

// A deduper knows the trees that it has seen by their digests.
type deduper struct {
	e     *ir.Ensemble
	sets  []int32 // class of each set
	known map[digest][]int
}

// first returns the tree to which tree i is identical, or notes it and returns -1.
func (d *deduper) first(i int) int {
	order := preorder(&d.e.Trees[i])
	sum := d.digest(&d.e.Trees[i], order)
	for _, k := range d.known[sum] {
		if d.identical(k, i, order) {
			return k
		}
	}
	d.known[sum] = append(d.known[sum], i)
	return -1
}

// A part is what there is to a node, but for its children and a leaf vector.
type part struct {
	feature, set, id int32
	missingLeft      bool
	bits             uint64 // of the threshold or leaf value
}

func (d *deduper) part(t *ir.Tree, n *ir.Node) part {
	p := part{feature: n.Feature}
	switch {
	case n.IsLeaf():
		p.id = n.ID
		if t.Vectors == nil {
			p.bits = math.Float64bits(n.Value)
		}
		return p
	case n.Set != ir.NoSet:
		p.set = 1 + d.sets[n.Set]
	default:
		p.bits = math.Float64bits(positiveZero(n.Threshold))
	}
	p.missingLeft = n.DefaultLeft
	return p
}

// identical reports whether trees a and b are the same; order is the preorder of b.
// Splits and leaves in preorder tell how they hang together.
func (d *deduper) identical(a, b int, order []int32) bool {
	s, t := &d.e.Trees[a], &d.e.Trees[b]
	if len(s.Nodes) != len(t.Nodes) || (s.Vectors == nil) != (t.Vectors == nil) {
		return false
	}
	for k, i := range preorder(s) {
		m, n := &s.Nodes[i], &t.Nodes[order[k]]
		if d.part(s, m) != d.part(t, n) {
			return false
		}
		if n.IsLeaf() && t.Vectors != nil && !slices.EqualFunc(d.vector(s, m), d.vector(t, n), sameBits) {
			return false
		}
	}
	return true
}

func (d *deduper) vector(t *ir.Tree, n *ir.Node) []float64 {
	return t.Vectors[int(n.Vector)*d.e.Outputs:][:d.e.Outputs]
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// A digest is a number that is most likely another one for another list of numbers.
// It is the same in every run, so that what depends on it is too.
type digest uint64

func (h *digest) add(v uint64) {
	*h = (*h ^ digest(v)) * 0x9e3779b97f4a7c15
	*h ^= *h >> 29
}

func (d *deduper) digest(t *ir.Tree, order []int32) digest {
	h := digest(len(order))
	for _, i := range order {
		n := &t.Nodes[i]
		p := d.part(t, n)
		h.add(uint64(uint32(p.feature)) | uint64(uint32(p.set))<<32)
		h.add(p.bits)
		if n.IsLeaf() && t.Vectors != nil {
			h.vector(d.vector(t, n))
		}
	}
	return h
}

func (h *digest) vector(v []float64) {
	for _, x := range v {
		h.add(math.Float64bits(x))
	}
}

// preorder returns the nodes of t in preorder.
func preorder(t *ir.Tree) []int32 {
	order := make([]int32, 0, len(t.Nodes))
	t.Walk(func(i, _ int) { order = append(order, int32(i)) })
	return order
}

// shareVectors lets leaves of t with vectors of the same bits refer to one row. width
// is that of a row.
func shareVectors(t *ir.Tree, width int) {
	rows := len(t.Vectors) / width
	first := make(map[digest]int32, rows)
	by, shared := make([]int32, rows), false
	for i := range by {
		by[i] = int32(i)
		v := t.Vectors[i*width:][:width]
		h := digest(0)
		h.vector(v)
		k, ok := first[h]
		switch {
		case !ok:
			first[h] = int32(i)
		case slices.EqualFunc(v, t.Vectors[int(k)*width:][:width], sameBits):
			by[i], shared = k, true
		}
	}
	if !shared {
		return
	}
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.IsLeaf() {
			n.Vector = by[n.Vector]
		}
	}
	sweepVectors(t, width)
}
