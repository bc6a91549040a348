package quantize

import (
	"fmt"

	"hew/ir"
)

// Flips counts what moved thresholds do to rows.
type Flips struct {
	Decisions int // tests on the ways that the rows took before
	Flipped   int // those of them that send the row to the other side now
	Leaves    int // leaves that the rows reached, one for each row and tree
	Moved     int // those of them in whose place the row reaches another now
	Rows      int
	Touched   int // rows of which some leaf moved
}

// CountFlips counts the flips of rows × features values, row-major, NaN is missing, between an
// ensemble and what the passes of this package made of it. It fails for trees of
// different shapes.
func CountFlips(before, after *ir.Ensemble, x []float64) (Flips, error) {
	if err := sameShape(before, after); err != nil {
		return Flips{}, err
	}
	w := len(before.Features)
	f := Flips{Rows: len(x) / w, Leaves: len(x) / w * len(before.Trees)}
	columns := make([]float64, before.NumColumns())
	for ; len(x) >= w; x = x[w:] {
		for j := range columns {
			columns[j] = columnValue(before, x[:w], j)
		}
		moved := 0
		for t := range before.Trees {
			if f.path(before, after, t, columns) {
				moved++
			}
		}
		f.Moved += moved
		if moved > 0 {
			f.Touched++
		}
	}
	return f, nil
}

// path counts along the way of a row in one tree, and reports whether it flips: the
// first flip leads to another leaf.
func (f *Flips) path(before, after *ir.Ensemble, t int, row []float64) bool {
	old, now := before.Trees[t].Nodes, after.Trees[t].Nodes
	flips := 0
	for i := int32(0); !old[i].IsLeaf(); {
		left := before.GoesLeft(&old[i], row[old[i].Feature])
		if after.GoesLeft(&now[i], row[now[i].Feature]) != left {
			flips++
		}
		f.Decisions++
		if left {
			i = old[i].Left
		} else {
			i = old[i].Right
		}
	}
	f.Flipped += flips
	return flips > 0
}

func sameShape(a, b *ir.Ensemble) error {
	if len(a.Trees) != len(b.Trees) || len(a.Features) != len(b.Features) || a.NumColumns() != b.NumColumns() {
		return fmt.Errorf("%d trees on %d columns against %d on %d", len(a.Trees), a.NumColumns(), len(b.Trees), b.NumColumns())
	}
	for t := range a.Trees {
		old, now := a.Trees[t].Nodes, b.Trees[t].Nodes
		if len(old) != len(now) {
			return fmt.Errorf("tree %d has %d nodes against %d", t, len(old), len(now))
		}
		for i := range old {
			m, n := &old[i], &now[i]
			if m.Feature != n.Feature || m.Left != n.Left || m.Right != n.Right || m.DefaultLeft != n.DefaultLeft || m.Set != n.Set {
				return &ir.NodeError{Tree: t, Node: i, Err: fmt.Errorf("another split or leaf")}
			}
		}
	}
	return nil
}
