package prune

import (
	"hew/internal/lossy"
	"hew/ir"
)

// epsilon makes one leaf of each subtree whose leaves differ by no more than eps, in
// every output.
func epsilon(e *ir.Ensemble, eps float64) lossy.Change {
	return merge(e, func(_ *ir.Tree, b *below, i int) bool { return b.spread(i) <= eps })
}
