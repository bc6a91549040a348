package compile_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
	"hew/prune"
	"hew/quantize"
)

func TestTablesOfGoldenCases(t *testing.T) {
	for _, c := range trainedCases(t) {
		if c.e.Linear != nil {
			_, err := compile.Tables(c.e)
			require.EqualError(t, err, "a linear model has no trees", c.name)
			continue
		}
		x := nodiff.Rows64(c.e, 200, 1)
		for _, v := range c.rows.F32 {
			x = append(x, float64(v))
		}
		wantTables[float32](t, c.name, c.e, c.e, x)
	}
}

// Tables of random ensembles, and of what dead leaves of them, which keeps the
// leaf numbers.
func TestTablesOfRandomEnsembles(t *testing.T) {
	for seed := range uint64(200) {
		for _, input := range []ir.Precision{ir.Single, ir.Double} {
			checkTables[float32](t, nodiff.Shape{Trees: 12, Depth: 8, Input: input}, seed)
			checkTables[float64](t, nodiff.Shape{Trees: 12, Depth: 8, Input: input, Sum: ir.Double}, seed)
		}
	}
}

func checkTables[Sum kernel.Float](t *testing.T, s nodiff.Shape, seed uint64) {
	t.Helper()
	e := s.Ensemble(seed)
	if e.Linear != nil {
		return
	}
	x, name := nodiff.Rows64(e, 100, seed), fmt.Sprintf("%+v, seed %d", s, seed)
	wantTables[Sum](t, name, e, e, x)
	pruned := e.Clone()
	require.NoError(t, prune.Dead(pruned), name)
	wantTables[Sum](t, name+", pruned", pruned, e, x)
}

// wantTables requires that a walk of the tables of e with sums of the given type
// gives what the reference evaluator says about x and ref, and that a kernel
// accepts them.
func wantTables[Sum kernel.Float](t *testing.T, name string, e, ref *ir.Ensemble, x []float64) {
	t.Helper()
	m, err := compile.Tables(e)
	require.NoError(t, err, name)
	decoded, err := kernel.Decode(m.Encode()) // refuses what is not well formed
	require.NoError(t, err, name)
	require.Len(t, decoded.Trees, len(e.Trees), name)

	rows := len(x) / len(e.Features)
	got, gotLeaf := make([]float64, rows*e.Outputs), make([]int32, rows*len(e.Trees))
	want, wantLeaf := make([]float64, len(got)), make([]int32, len(gotLeaf))
	interp.New(ref).Margin64(want, x)
	interp.New(ref).Leaf64(wantLeaf, x)
	margin := make([]Sum, m.Outputs)
	for i := range rows {
		ranks := tableRanks(m, x[i*m.Features:(i+1)*m.Features])
		walkTables(m, ranks, margin, gotLeaf[i*len(m.Trees):(i+1)*len(m.Trees)])
		for k, v := range margin {
			got[i*m.Outputs+k] = float64(v)
		}
	}
	wantBits(t, name+": margin", predict.ValuesOf(want), predict.ValuesOf(got))
	wantLeaves(t, name+": leaf", wantLeaf, gotLeaf)
}

// tableRanks counts bounds, as kernel.Column says.
func tableRanks(m *kernel.Model, x []float64) []uint8 {
	ranks := make([]uint8, len(m.Columns))
	for c := range m.Columns {
		col, n := &m.Columns[c], 0
		v := x[col.Feature]
		for n < len(col.Bounds) && col.Bounds[n] <= v {
			n++
		}
		switch {
		case v != v:
			ranks[c] = col.Missing
		case col.Set:
			ranks[c] = uint8(1 - n%2)
		default:
			ranks[c] = uint8(n)
		}
	}
	return ranks
}

func walkTables[Sum kernel.Float](m *kernel.Model, ranks []uint8, margin []Sum, leaves []int32) {
	clear(margin)
	if !m.BaseLast {
		for k, b := range m.Base {
			margin[k] = Sum(b)
		}
	}
	for t := range m.Trees {
		tree := &m.Trees[t]
		n := &tree.Nodes[0]
		for !n.IsLeaf() {
			if ranks[n.Column] >= n.Rank {
				n = &tree.Nodes[n.Right]
			} else {
				n = &tree.Nodes[n.Left]
			}
		}
		leaves[t] = n.ID
		if tree.Vectors == nil {
			margin[tree.Output] += Sum(n.Value)
			continue
		}
		for k := range margin {
			margin[k] += Sum(tree.Vectors[int(n.Vector)*m.Outputs+k])
		}
	}
	if m.BaseLast {
		for k, b := range m.Base {
			margin[k] += Sum(b)
		}
	}
}

func TestTablesLimits(t *testing.T) {
	require.Equal(t, kernel.MaxBounds, quantize.MaxBounds)
	require.Equal(t, kernel.MaxColumns, quantize.MaxColumns)
}
