package prune

import (
	"slices"

	"hew/ir"
)

// Unused drops the columns that no split tests, which nobody then has to compute,
// and the sets that no split refers to. Features stay, because a row has them.
// Predictions, margins and leaf numbers keep their bits.
//
// A feature that no split tests needs no pass: tables and keys are made for what
// splits test. A linear model keeps its columns: a weight of zero still makes NaN of
// an infinity.
func Unused(e *ir.Ensemble) error {
	sweep(e)
	if e.Columns == nil || e.Linear != nil {
		return nil
	}
	used := make([]bool, len(e.Columns))
	eachSplit(e, func(n *ir.Node) { used[n.Feature] = true })
	if !slices.Contains(used, false) {
		return nil
	}
	var kept []ir.Column // nil if there is no split at all
	for j, c := range e.Columns {
		if used[j] {
			kept = append(kept, c)
		}
	}
	e.Columns = kept
	place := places(used)
	eachSplit(e, func(n *ir.Node) { n.Feature = place[n.Feature] })
	return nil
}

func eachSplit(e *ir.Ensemble, visit func(n *ir.Node)) {
	for i := range e.Trees {
		nodes := e.Trees[i].Nodes
		for j := range nodes {
			if n := &nodes[j]; !n.IsLeaf() {
				visit(n)
			}
		}
	}
}
