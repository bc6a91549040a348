package prune

import (
	"slices"

	"hew/internal/lossy"
	"hew/ir"
)

// minCover makes one leaf of each split that sends a cover below least to one of its
// sides. A split whose own cover is not known stays.
func minCover(e *ir.Ensemble, least float64) lossy.Change {
	return merge(e, func(t *ir.Tree, _ *below, i int) bool {
		n := &t.Nodes[i]
		return coverOf(n) > 0 && min(coverOf(&t.Nodes[n.Left]), coverOf(&t.Nodes[n.Right])) < least
	})
}

// hasCovers reports whether a node of e has a cover.
func hasCovers(e *ir.Ensemble) bool {
	for i := range e.Trees {
		if slices.ContainsFunc(e.Trees[i].Nodes, func(n ir.Node) bool { return coverOf(&n) > 0 }) {
			return true
		}
	}
	return false
}
