package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"hew/internal/lossy"
	"hew/ir"
)

// shortlist is the number of trees for which the loss without them is computed at each
// step. They are chosen by its second-order expansion, which costs a hundredth.
const shortlist = 8

// dropTrees drops count trees, one after the other: each time the one without which the
// loss on the rows is least.
func dropTrees(e *ir.Ensemble, d *lossy.Data, count int) (lossy.Change, error) {
	if count >= len(e.Trees) {
		return lossy.Change{}, fmt.Errorf("%d trees to drop of %d", count, len(e.Trees))
	}
	s, err := newSample(e, thin(e, d, maxReached))
	if err != nil {
		return lossy.Change{}, err
	}
	g := &greedy{sample: s, reached: s.reached(), kept: slices.Repeat([]bool{true}, len(e.Trees))}
	c := lossy.None(e.Outputs)
	for range count {
		i := g.choose()
		if i < 0 {
			return lossy.Change{}, fmt.Errorf("without any of the trees that are left the loss is infinite")
		}
		g.take(i)
		without(e, &e.Trees[i], c)
	}
	drop(e, g.kept)
	sweep(e)
	return c, nil
}

// A greedy takes away one tree after the other.
type greedy struct {
	*sample
	reached [][]int32 // for each tree the leaf of each row
	kept    []bool    // of each tree
	g, h    []float64 // derivatives of the rows' losses by their margins
}

// choose returns the tree that is missed least, or -1.
func (g *greedy) choose() int {
	best, least := -1, math.Inf(1)
	for _, i := range g.candidates() {
		if l := g.lossWithout(i); l < least {
			best, least = i, l
		}
	}
	return best
}

// candidates returns the trees that may be missed least: all that are left if the loss
// has no curvature.
func (g *greedy) candidates() []int {
	var left []int
	for i, kept := range g.kept {
		if kept {
			left = append(left, i)
		}
	}
	if g.loss.curve == nil || len(left) <= shortlist {
		return left
	}
	g.g, g.h = g.curves()
	costs := make([]float64, len(g.kept))
	for _, i := range left {
		costs[i] = g.cost(i)
	}
	slices.SortStableFunc(left, func(a, b int) int { return cmp.Compare(costs[a], costs[b]) })
	return left[:shortlist]
}

// cost returns the second-order expansion of what the loss rises by without tree i.
func (g *greedy) cost(i int) float64 {
	t := &g.e.Trees[i]
	sum, outputs := 0.0, g.e.Outputs
	if t.Vectors == nil {
		values := make([]float64, len(t.Nodes))
		for j := range values {
			values[j] = t.Nodes[j].Value
		}
		at := int(t.Output)
		for _, leaf := range g.reached[i] {
			v := values[leaf]
			sum += v * (v/2*g.h[at] - g.g[at])
			at += outputs
		}
		return sum
	}
	for r, leaf := range g.reached[i] {
		for k, v := range g.e.LeafValues(t, &t.Nodes[leaf]) {
			sum += v * (v/2*g.h[r*outputs+k] - g.g[r*outputs+k])
		}
	}
	return sum
}

// lossWithout returns the loss of all rows without tree i.
func (g *greedy) lossWithout(i int) float64 {
	m, sum := make([]float64, g.e.Outputs), 0.0
	for r, leaf := range g.reached[i] {
		copy(m, g.row(r))
		g.add(m, &g.e.Trees[i], leaf, -1)
		sum += g.lossAt(r, m)
	}
	return sum
}

// take makes the margins those without tree i.
func (g *greedy) take(i int) {
	g.kept[i] = false
	for r, leaf := range g.reached[i] {
		g.add(g.row(r), &g.e.Trees[i], leaf, -1)
	}
}
