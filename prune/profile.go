package prune

import (
	"hew/interp"
	"hew/ir"
)

// Profile sets the Cover of each node to the number of rows in x that reach it, rows ×
// features values of the input type: what is laid out by cover, hot sides first, then
// follows these rows in place of those that trained the model. It returns the share
// of the decisions that took the hot side of their split, which is between a half and
// 1, or 0 if there was no decision.
//
// Predictions, margins and leaf numbers keep their bits. Passes that look at covers as
// the weight of training data must run before.
func Profile(e *ir.Ensemble, x []float64) float64 {
	counts := make([][]float64, len(e.Trees))
	for i := range counts {
		counts[i] = make([]float64, len(e.Trees[i].Nodes))
	}
	m, width := interp.New(e), len(e.Features)
	columns := make([]float64, len(e.Columns))
	for ; len(x) >= width; x = x[width:] {
		row := x[:width]
		if e.Columns != nil {
			m.Columns64(columns, row)
			row = columns
		}
		for i := range counts {
			count(e, &e.Trees[i], counts[i], row)
		}
	}
	for i, c := range counts {
		for j, n := range c {
			e.Trees[i].Nodes[j].Cover = float32(n)
		}
	}
	return hotShare(e, counts)
}

// count adds 1 for each node that a row reaches.
func count(e *ir.Ensemble, t *ir.Tree, counts []float64, row []float64) {
	for i := int32(0); ; {
		counts[i]++
		n := &t.Nodes[i]
		if n.IsLeaf() {
			return
		}
		if e.GoesLeft(n, row[n.Feature]) {
			i = n.Left
		} else {
			i = n.Right
		}
	}
}

// hotShare returns the share of all decisions that took the side which more did.
func hotShare(e *ir.Ensemble, counts [][]float64) float64 {
	hot, all := 0.0, 0.0
	for i, c := range counts {
		for j := range c {
			if n := &e.Trees[i].Nodes[j]; !n.IsLeaf() {
				hot += max(c[n.Left], c[n.Right])
				all += c[j]
			}
		}
	}
	if all == 0 {
		return 0
	}
	return hot / all
}
