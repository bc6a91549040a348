package prune_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/prune"
)

func TestProfile(t *testing.T) {
	e := ir.MustParse("(f0<1? 1 (f1<2 2 3))", "(f1{2:4} 1 2)")
	for i := range e.Trees[0].Nodes {
		e.Trees[0].Nodes[i].Cover = 100
	}
	share := prune.Profile(e, []float64{
		math.NaN(), 0,
		1, 1,
		5, 3,
		7, math.NaN(),
	})
	covers := func(i int) (c []float32) {
		for _, n := range e.Trees[i].Nodes {
			c = append(c, n.Cover)
		}
		return c
	}
	require.Equal(t, []float32{4, 1, 3, 1, 2}, covers(0))
	require.Equal(t, []float32{4, 1, 3}, covers(1))
	require.InDelta(t, (3+2+3)/11.0, share, 1e-15)

	require.Zero(t, prune.Profile(e, nil))
	require.Equal(t, []float32{0, 0, 0, 0, 0}, covers(0))
}

// The cover of a leaf is the number of rows for which the reference evaluator reports
// it, and a split's the sum of those below; nothing else changes.
func TestProfileCountsLeaves(t *testing.T) {
	const rows = 200
	for seed := range uint64(200) {
		s := nodiff.Shape{Trees: 5, Depth: 6, Input: ir.Precision(seed % 2), Columns: seed%3 == 0, Redundant: seed%5 == 0}
		e := s.Ensemble(seed)
		x := nodiff.Rows64(e, rows, seed)
		p := e.Clone()
		share := prune.Profile(p, x)
		leaves := make([]int32, rows*len(e.Trees))
		interp.New(e).Leaf64(leaves, x)
		splits := false
		for i := range p.Trees {
			counts := map[int32]float32{}
			for r := range rows {
				counts[leaves[r*len(e.Trees)+i]]++
			}
			for j := range p.Trees[i].Nodes {
				n := &p.Trees[i].Nodes[j]
				if n.IsLeaf() {
					require.Equal(t, counts[n.ID], n.Cover, "seed %d, tree %d, node %d", seed, i, j)
				} else {
					splits = true
					require.Equal(t, p.Trees[i].Nodes[n.Left].Cover+p.Trees[i].Nodes[n.Right].Cover, n.Cover)
				}
				n.Cover = e.Trees[i].Nodes[j].Cover
			}
		}
		require.Equal(t, e, p)
		if splits {
			require.True(t, share >= 0.5 && share <= 1, "%v", share)
		}
	}
}
