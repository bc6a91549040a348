package prune

import (
	"hew/internal/lossy"
	"hew/ir"
)

// reducedError makes one leaf of each subtree, from the leaves up and tree after tree,
// if the loss on the rows does not rise by it. A subtree that no row reaches becomes a
// leaf.
func reducedError(e *ir.Ensemble, d *lossy.Data) (lossy.Change, error) {
	s, err := newSample(e, d)
	if err != nil {
		return lossy.Change{}, err
	}
	c := lossy.None(e.Outputs)
	for i := range e.Trees {
		t := &e.Trees[i]
		b := newBelow(e, t)
		b.merge(e, t, newTrial(s, t, b).run(b), c)
	}
	sweep(e)
	return c, nil
}

// A trial tries to end the way of rows through a tree early. While it runs, the margins
// of the sample are those without the tree.
type trial struct {
	s      *sample
	t      *ir.Tree
	width  int
	values []float64 // nodes × width: what the node adds as a leaf
	order  []int32   // all rows, those that reach a node side by side
	spans  []span    // of each node in order
	end    []int32   // the node at which each row ends for now
	margin []float64 // scratch
}

// A span is a range in trial.order.
type span struct{ from, to int }

func newTrial(s *sample, t *ir.Tree, b *below) *trial {
	w := b.width
	x := &trial{s: s, t: t, width: w, values: make([]float64, len(t.Nodes)*w), end: make([]int32, s.n), margin: make([]float64, s.e.Outputs)}
	for i := range t.Nodes {
		b.value(x.values[i*w:], i, s.e.Sum)
	}
	x.partition()
	for r := range s.n {
		s.add(s.row(r), t, x.end[r], -1)
		s.total[r] = x.loss(int32(r), x.end[r])
	}
	return x
}

// partition orders the rows by the nodes that they reach.
func (x *trial) partition() {
	x.order, x.spans = make([]int32, x.s.n), make([]span, len(x.t.Nodes))
	for r := range x.order {
		x.order[r] = int32(r)
	}
	x.spans[0] = span{0, x.s.n}
	for i := range x.t.Nodes {
		n, at := &x.t.Nodes[i], x.spans[i]
		if n.IsLeaf() {
			for _, r := range x.order[at.from:at.to] {
				x.end[r] = int32(i)
			}
			continue
		}
		middle := at.from
		for j := at.from; j < at.to; j++ {
			r := x.order[j]
			if x.s.e.GoesLeft(n, x.s.columns[int(r)*x.s.width+int(n.Feature)]) {
				x.order[j], x.order[middle] = x.order[middle], r
				middle++
			}
		}
		x.spans[n.Left], x.spans[n.Right] = span{at.from, middle}, span{middle, at.to}
	}
}

// run returns which splits may become leaves, and gives the rows the margins and losses
// that they have then.
func (x *trial) run(b *below) (cut []bool) {
	cut = make([]bool, len(x.t.Nodes))
	next := make([]float64, x.s.n) // the losses of rows that end at node i
	for i := len(cut) - 1; i >= 0; i-- {
		if x.t.Nodes[i].IsLeaf() || !b.mergeable(i) {
			continue
		}
		rows := x.order[x.spans[i].from:x.spans[i].to]
		before, after := 0.0, 0.0
		for _, r := range rows {
			next[r] = x.loss(r, int32(i))
			before, after = before+x.s.total[r], after+next[r]
		}
		if cut[i] = after <= before; !cut[i] {
			continue
		}
		for _, r := range rows {
			x.s.total[r], x.end[r] = next[r], int32(i)
		}
	}
	for r, i := range x.end {
		copy(x.s.row(r), x.with(int32(r), i))
	}
	return cut
}

// with returns the margins of row r if it ends at node i, until the next call.
func (x *trial) with(r, i int32) []float64 {
	copy(x.margin, x.s.row(int(r)))
	for k, v := range x.values[int(i)*x.width : (int(i)+1)*x.width] {
		x.margin[outputOf(x.t, k)] += v
	}
	return x.margin
}

func (x *trial) loss(r, i int32) float64 { return x.s.lossAt(int(r), x.with(r, i)) }
