// Package prune removes the parts of an ensemble that cannot, or hardly ever, change a
// prediction.
//
// Most of its passes are exact: margins and predictions keep their bits on every row,
// whatever the row holds. Those that Options name are lossy: they trade accuracy for size,
// and return how far they may have moved the margins of any row.
//
// A pass rewrites an ensemble in place and keeps the order of the nodes that stay.
// Whatever moves up takes the Cover of the place it moves to, because the training weight
// that reached the place is the same; every node keeps its ID.
package prune

import (
	"slices"

	"hew/ir"
)

// replace rewrites t so that node by[i] stands where node i stood, for every
// node i, and drops the nodes that no path reaches any more. by[i] is i itself
// or a descendant of i; replace overwrites by.
func replace(t *ir.Tree, by []int32) {
	// Children stand after their parents, so that a descending loop finds the
	// end of a chain of replacements in one step each.
	for i := len(by) - 1; i >= 0; i-- {
		if by[i] != int32(i) {
			by[i] = by[by[i]]
			t.Nodes[by[i]].Cover = t.Nodes[i].Cover
		}
	}
	place := make([]int32, len(by)) // where a node goes, or dropped
	const dropped = -1
	for i := range place {
		place[i] = dropped
	}
	place[by[0]] = 0
	for i := range t.Nodes {
		if n := &t.Nodes[i]; place[i] != dropped && !n.IsLeaf() {
			n.Left, n.Right = by[n.Left], by[n.Right]
			place[n.Left], place[n.Right] = 0, 0
		}
	}
	kept := int32(0)
	for i := range place {
		if place[i] != dropped {
			place[i] = kept
			t.Nodes[kept] = t.Nodes[i]
			kept++
		}
	}
	t.Nodes = t.Nodes[:kept]
	for i := range t.Nodes {
		if n := &t.Nodes[i]; !n.IsLeaf() {
			n.Left, n.Right = place[n.Left], place[n.Right]
		}
	}
}

// sweep drops the leaf vectors and the sets that no node of e refers to.
func sweep(e *ir.Ensemble) {
	sets := make([]bool, len(e.Sets))
	for i := range e.Trees {
		t := &e.Trees[i]
		sweepVectors(t, e.Outputs)
		for _, n := range t.Nodes {
			if !n.IsLeaf() && n.Set != ir.NoSet {
				sets[n.Set] = true
			}
		}
	}
	if !slices.Contains(sets, false) {
		return
	}
	place := places(sets)
	kept := e.Sets[:0]
	for i, s := range e.Sets {
		if sets[i] {
			kept = append(kept, s)
		}
	}
	e.Sets = kept
	for i := range e.Trees {
		for j := range e.Trees[i].Nodes {
			if n := &e.Trees[i].Nodes[j]; !n.IsLeaf() && n.Set != ir.NoSet {
				n.Set = place[n.Set]
			}
		}
	}
}

// sweepVectors drops the leaf vectors, each of the given width, that no leaf of
// t refers to.
func sweepVectors(t *ir.Tree, width int) {
	used := make([]bool, len(t.Vectors)/width)
	for _, n := range t.Nodes {
		if n.IsLeaf() && t.Vectors != nil {
			used[n.Vector] = true
		}
	}
	if !slices.Contains(used, false) {
		return
	}
	place := places(used)
	kept := t.Vectors[:0]
	for i, u := range used {
		if u {
			kept = append(kept, t.Vectors[i*width:(i+1)*width]...)
		}
	}
	t.Vectors = kept
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.IsLeaf() {
			n.Vector = place[n.Vector]
		}
	}
}

// places returns the index that each used element has once the others are gone.
func places(used []bool) []int32 {
	place := make([]int32, len(used))
	next := int32(0)
	for i, u := range used {
		place[i] = next
		if u {
			next++
		}
	}
	return place
}
