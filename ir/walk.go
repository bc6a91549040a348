package ir

import (
	"fmt"
	"slices"
)

// Walk calls visit for each node of t in preorder, left before right, with the
// node's index and depth; the root has depth 0.
func (t *Tree) Walk(visit func(node, depth int)) {
	type item struct{ node, depth int }
	stack := []item{{0, 0}}
	for len(stack) > 0 {
		it := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		visit(it.node, it.depth)
		if n := &t.Nodes[it.node]; !n.IsLeaf() {
			stack = append(stack, item{int(n.Right), it.depth + 1}, item{int(n.Left), it.depth + 1})
		}
	}
}

// Depth returns the number of splits on the longest path of t.
func (t *Tree) Depth() int {
	depth := 0
	t.Walk(func(_, d int) { depth = max(depth, d) })
	return depth
}

// NumLeaves returns the number of leaves of t.
func (t *Tree) NumLeaves() int { return (len(t.Nodes) + 1) / 2 }

// Bounds returns, for each column that splits can refer to, the distinct values at which a test of the
// ensemble changes its answer, in ascending order: the thresholds and the bounds
// of the sets. Two values of a column with no bound b such that x < b ≤ y are
// treated alike.
func (e *Ensemble) Bounds() [][]float64 {
	bounds := make([][]float64, e.NumColumns())
	for i := range e.Trees {
		for _, n := range e.Trees[i].Nodes {
			switch {
			case n.IsLeaf():
			case n.Set != NoSet:
				bounds[n.Feature] = append(bounds[n.Feature], e.Sets[n.Set]...)
			default:
				bounds[n.Feature] = append(bounds[n.Feature], n.Threshold)
			}
		}
	}
	for j := range bounds {
		slices.Sort(bounds[j])
		bounds[j] = slices.Compact(bounds[j])
	}
	return bounds
}

// Slice returns the ensemble of rounds [begin, end) only, as the trainer's
// iteration_range does; it shares its trees with e. A linear model has no rounds
// to choose from.
func (e *Ensemble) Slice(begin, end int) (*Ensemble, error) {
	if e.Linear != nil {
		return nil, fmt.Errorf("rounds [%d, %d) of a linear model", begin, end)
	}
	if begin < 0 || end < begin || end > e.NumRounds() {
		return nil, fmt.Errorf("rounds [%d, %d) out of range [0, %d)", begin, end, e.NumRounds())
	}
	s := *e
	first, last := e.Rounds[begin], e.Rounds[end]
	s.Trees = e.Trees[first:last:last]
	s.Rounds = slices.Clone(e.Rounds[begin : end+1])
	for i := range s.Rounds {
		s.Rounds[i] -= first
	}
	if s.BestRound -= begin; s.BestRound < 0 || s.BestRound >= s.NumRounds() {
		s.BestRound = -1
	}
	return &s, nil
}

// Clone returns a copy of e whose trees and sets can be rewritten without
// changing e. What passes never rewrite is shared.
func (e *Ensemble) Clone() *Ensemble {
	c := *e
	c.Trees = slices.Clone(e.Trees)
	for i := range c.Trees {
		c.Trees[i].Nodes = slices.Clone(e.Trees[i].Nodes)
		c.Trees[i].Vectors = slices.Clone(e.Trees[i].Vectors)
	}
	c.Sets = slices.Clone(e.Sets)
	return &c
}
