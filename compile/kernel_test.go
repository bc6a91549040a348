package compile_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/prune"
)

// FuzzKernels compares package kernel with the reference, at every level of this
// processor and for every precision, on random ensembles of any shape; in those of even
// seeds, some trees are the same memory, and in those of most seeds leaves are on a grid.
func FuzzKernels(f *testing.F) {
	f.Add(uint64(1), uint16(30), uint8(6), uint8(1), uint16(28), uint16(200), true)
	f.Add(uint64(2), uint16(70), uint8(8), uint8(7), uint16(54), uint16(300), false)
	f.Add(uint64(3), uint16(5), uint8(14), uint8(1), uint16(3), uint16(5000), false)
	f.Add(uint64(4), uint16(140), uint8(4), uint8(70), uint16(9), uint16(20), false)
	f.Add(uint64(5), uint16(40), uint8(5), uint8(2), uint16(3000), uint16(3), false)
	f.Add(uint64(6), uint16(3), uint8(0), uint8(1), uint16(1), uint16(1), false)
	f.Add(uint64(7), uint16(4), uint8(11), uint8(3), uint16(20), uint16(400), true)
	f.Fuzz(func(t *testing.T, seed uint64, trees uint16, depth, outputs uint8, features, thresholds uint16, full bool) {
		s := nodiff.Shape{
			Trees: 1 + int(trees)%200, Depth: int(depth) % 15, Outputs: 1 + int(outputs)%70,
			Features: 1 + int(features)%3000, Thresholds: 1 + int(thresholds)%5001, Full: full, Redundant: seed%2 == 0,
		}
		if full { // 2^depth leaves for each tree
			s.Depth = min(s.Depth, 11)
			s.Trees = min(s.Trees, max(1, 1<<14>>s.Depth))
		}
		limit := []float64{0, 127, 32_767, 50_000}[seed/2%4]
		testKernels[float32, float32](t, s, limit, seed)
		s.Sum = ir.Double
		testKernels[float32, float64](t, s, limit, seed)
		s.Input = ir.Double
		testKernels[float64, float64](t, s, limit, seed)
		s.Sum = ir.Single
		testKernels[float64, float32](t, s, limit, seed)
	})
}

func testKernels[In, Out kernel.Float](t *testing.T, s nodiff.Shape, limit float64, seed uint64) {
	e := s.Ensemble(seed)
	if e.Linear != nil {
		return
	}
	if limit > 0 {
		toGrid(e, limit)
	}
	if s.Redundant {
		require.NoError(t, prune.Dedupe(e))
	}
	m, err := compile.Tables(e)
	if err != nil {
		t.Skip(err) // too many columns
	}
	const rows = 700
	wide := nodiff.Rows64(e, rows, seed)
	x := make([]In, len(wide))
	for i, v := range wide {
		x[i] = In(v)
	}
	want, wantLeaf := make([]float64, rows*e.Outputs), make([]int32, rows*len(e.Trees))
	ref := interp.New(e)
	ref.Margin64(want, wide)
	ref.Leaf64(wantLeaf, wide)
	for _, cpu := range compile.Levels(kernel.ThisCPU()) {
		k, err := kernel.New[In, Out](m, cpu)
		require.NoError(t, err)
		leaf := make([]int32, len(wantLeaf))
		k.Leaf(leaf, x)
		require.Equal(t, wantLeaf, leaf)
		for at, n := 0, 1; at < rows; at, n = at+n, n*5/2+int(seed%7) {
			n = min(n, rows-at)
			got := make([]Out, n*e.Outputs)
			k.Margin(got, x[at*len(e.Features):(at+n)*len(e.Features)])
			for i, v := range got {
				w := want[at*e.Outputs+i]
				if math.Float64bits(w) != math.Float64bits(float64(v)) && (w == w || v == v) {
					t.Fatalf("%+v, seed %d, %v, %s: row %d of %d, output %d: %v instead of %v",
						s, seed, cpu, k.Describe(), i/e.Outputs, n, i%e.Outputs, v, w)
				}
			}
		}
	}
}
