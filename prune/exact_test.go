package prune_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
	"hew/prune"
)

// predictor returns the reference evaluator of e, with leaf numbers if they are
// to be compared.
func predictor(e *ir.Ensemble, leaves bool) predict.Predictor {
	m := interp.New(e).Typed()
	p := predict.Predictor{Predict: m.Predict, Margin: m.Margin}
	p.NumFeatures, p.NumTrees = len(e.Features), len(e.Trees)
	p.NumMargins, p.NumOutputs = e.Outputs, e.Width()
	p.Output = predict.Float32
	if e.Sum == ir.Double {
		p.Output = predict.Float64
	}
	if leaves {
		p.Leaf = m.Leaf
	}
	return p
}

// checkExact requires that each pass, alone and after the other, changes no bit
// of what e says, and that a second run of it finds nothing more to do.
func checkExact(t *testing.T, e *ir.Ensemble, rows int) {
	t.Helper()
	ref, x := interp.New(e), nodiff.Rows(e, rows, 1)
	dead, collapsed := e.Clone(), e.Clone()
	for _, step := range []struct {
		name   string
		run    pass
		e      *ir.Ensemble
		leaves bool
	}{
		{"dead", prune.Dead, dead, true},
		{"collapse", prune.Collapse, collapsed, false},
		{"collapse after dead", prune.Collapse, dead, false},
		{"dead after collapse", prune.Dead, collapsed, false},
	} {
		require.NoError(t, step.run(step.e), step.name)
		require.NoError(t, step.e.Verify(), step.name)
		diff := nodiff.Compare(ref, predictor(step.e, step.leaves), x)
		require.True(t, diff.OK(), "%s: %v", step.name, diff)

		again := step.e.Clone()
		require.NoError(t, step.run(again), step.name)
		require.Equal(t, step.e, again, step.name)
	}
}

func TestPassesAreExact(t *testing.T) {
	for seed := range uint64(300) {
		checkExact(t, nodiff.Ensemble(seed, 6, 7), 300)
	}
}

// Passes keep the bits of ensembles that compute in float64 too.
func TestPassesAreExactInFloat64(t *testing.T) {
	for seed := range uint64(200) {
		checkExact(t, nodiff.Shape{Trees: 6, Depth: 7, Input: ir.Double, Sum: ir.Double}.Ensemble(seed), 300)
	}
}

// Passes keep the bits where splits test columns, which depend on each other.
func TestPassesAreExactBehindColumns(t *testing.T) {
	for seed := range uint64(200) {
		s := nodiff.Shape{Trees: 6, Depth: 7, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2), Columns: true}
		checkExact(t, s.Ensemble(seed), 300)
	}
}

func FuzzPasses(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, seed uint64, trees, depth uint8) {
		checkExact(t, nodiff.Ensemble(seed, int(trees%20), int(depth%12)), 300)
	})
}

// Dead leaves exactly the leaves that some row reaches.
func TestDeadIsComplete(t *testing.T) {
	removed := 0
	for seed := range uint64(300) {
		e := nodiff.Ensemble(seed, 6, 7)
		want := make([][]int32, len(e.Trees))
		for i := range e.Trees {
			want[i] = reached(e, &e.Trees[i])
			removed += e.Trees[i].NumLeaves() - len(want[i])
		}
		require.NoError(t, prune.Dead(e))
		for i := range e.Trees {
			var got []int32
			for _, n := range e.Trees[i].Nodes {
				if n.IsLeaf() {
					got = append(got, n.ID)
				}
			}
			require.ElementsMatch(t, want[i], got, "seed %d, tree %d", seed, i)
		}
	}
	require.Greater(t, removed, 1000)
}

// reached returns the numbers of the leaves that some row reaches. It tries, for
// each leaf and each feature tested on the way, every value that tests can tell
// apart: the bounds, what is below them all, and missing.
func reached(e *ir.Ensemble, t *ir.Tree) []int32 {
	values := e.Bounds()
	for j := range values {
		values[j] = append(values[j], math.Inf(-1), math.NaN())
	}
	var ids []int32
	var visit func(i int32, path []turn)
	visit = func(i int32, path []turn) {
		n := &t.Nodes[i]
		if !n.IsLeaf() {
			visit(n.Left, append(path, turn{n, true}))
			visit(n.Right, append(path, turn{n, false}))
			return
		}
		for j := range values {
			if !slices.ContainsFunc(values[j], func(x float64) bool {
				return !slices.ContainsFunc(path, func(u turn) bool { return int(u.n.Feature) == j && goesLeft(e, u.n, x) != u.left })
			}) {
				return
			}
		}
		ids = append(ids, n.ID)
	}
	visit(0, nil)
	return ids
}

// A turn is a split on a path and the side that the path takes.
type turn struct {
	n    *ir.Node
	left bool
}

func goesLeft(e *ir.Ensemble, n *ir.Node, x float64) bool {
	switch {
	case math.IsNaN(x):
		return n.DefaultLeft
	case n.Set != ir.NoSet:
		return e.Sets[n.Set].Contains(x)
	}
	return x < n.Threshold
}
