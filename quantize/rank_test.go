package quantize_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/quantize"
)

const (
	left, right = quantize.MissingLeft, quantize.MissingRight
	rightSet    = quantize.MissingRightSet
)

func TestRank(t *testing.T) {
	for name, c := range map[string]struct {
		trees   []string
		columns []quantize.Column
		splits  [][]quantize.Split
	}{
		"leaf": {[]string{"1"}, []quantize.Column{}, [][]quantize.Split{{{}}}},
		"thresholds": {
			[]string{"(f0<2 1 2)", "(f0<-1 1 (f0<2 2 3))"},
			[]quantize.Column{{0, false, right, []float64{-1, 2}}},
			[][]quantize.Split{{{0, 2}, {}, {}}, {{0, 1}, {}, {0, 2}, {}, {}}},
		},
		"missing": {
			[]string{"(f1<2? 1 2)", "(f0<2? 1 2)", "(f1<3 1 2)"},
			[]quantize.Column{{0, false, left, []float64{2}}, {1, false, left, []float64{2, 3}}, {1, false, right, []float64{2, 3}}},
			[][]quantize.Split{{{1, 1}, {}, {}}, {{0, 1}, {}, {}}, {{2, 2}, {}, {}}},
		},
		"sets": {
			[]string{"(f0{2:4,7:} 1 2)", "(f0{1:}? 1 2)", "(f0<3 1 2)", "(f0{1:} 1 2)"},
			[]quantize.Column{
				{0, false, right, []float64{3}}, {0, true, 0, []float64{1}}, {0, true, rightSet, []float64{1}}, {0, true, rightSet, []float64{2, 4, 7}},
			},
			[][]quantize.Split{{{3, 1}, {}, {}}, {{1, 1}, {}, {}}, {{0, 1}, {}, {}}, {{2, 1}, {}, {}}},
		},
		"infinities": {
			[]string{"(f0<-Inf 1 (f0<+Inf 2 3))"},
			[]quantize.Column{{0, false, right, []float64{math.Inf(-1), math.Inf(1)}}},
			[][]quantize.Split{{{0, 1}, {}, {0, 2}, {}, {}}},
		},
		"zeros": {
			[]string{"(f0<-0 1 (f0<0 2 3))", "(f0{-0:1} 1 (f0{0:1} 2 3))"},
			[]quantize.Column{{0, false, right, []float64{0}}, {0, true, rightSet, []float64{0, 1}}},
			[][]quantize.Split{{{0, 1}, {}, {0, 1}, {}, {}}, {{1, 1}, {}, {1, 1}, {}, {}}},
		},
	} {
		r, err := quantize.Rank(ir.MustParse(c.trees...))
		require.NoError(t, err, name)
		require.Equal(t, c.columns, r.Columns, name)
		require.Equal(t, c.splits, r.Splits, name)
		for i := range r.Columns {
			for _, b := range r.Columns[i].Bounds {
				require.False(t, b == 0 && math.Signbit(b), name)
			}
		}
	}
}

// Sets of the same numbers share a column, whatever their place in the ensemble.
func TestEqualSets(t *testing.T) {
	e := ir.MustParse("(f0{1:2} 1 (f0{3:4} 2 3))")
	e.Sets[1] = ir.Set{1, 2}
	r, err := quantize.Rank(e)
	require.NoError(t, err)
	require.Len(t, r.Columns, 1)
	require.Equal(t, r.Splits[0][0], r.Splits[0][2])
}

// Splits on columns are ranked by column, whatever features there are.
func TestColumns(t *testing.T) {
	e := ir.MustParse("(f0<2 1 2)", "(f1<3 1 2)", "(f2<4 1 2)")
	e.Features = e.Features[:1]
	e.Columns = []ir.Column{{}, {Ops: []ir.Op{{Code: ir.OpMul, A: 2}}}, {Ops: []ir.Op{{Code: ir.OpIsMissing}}}}
	require.NoError(t, e.Verify())
	r, err := quantize.Rank(e)
	require.NoError(t, err)
	require.Equal(t, []quantize.Column{{0, false, right, []float64{2}}, {1, false, right, []float64{3}}, {2, false, right, []float64{4}}}, r.Columns)
}

// Thresholds that do not fit one column go to parts, each with the columns for
// missing values that its own nodes need.
func TestParts(t *testing.T) {
	const n = 2*quantize.MaxBounds + 1
	trees := make([]string, 0, n+1)
	for i := n - 1; i >= 0; i-- {
		trees = append(trees, fmt.Sprintf("(f0<%d 1 2)", i))
	}
	trees = append(trees, fmt.Sprintf("(f0<%d? 1 2)", quantize.MaxBounds))
	r, err := quantize.Rank(ir.MustParse(trees...))
	require.NoError(t, err)
	require.Len(t, r.Columns, 4)
	for c, want := range []quantize.Column{
		{Missing: right, Bounds: []float64{0, quantize.MaxBounds - 1}},
		{Missing: left, Bounds: []float64{quantize.MaxBounds, 2*quantize.MaxBounds - 1}},
		{Missing: right, Bounds: []float64{quantize.MaxBounds, 2*quantize.MaxBounds - 1}},
		{Missing: right, Bounds: []float64{n - 1, n - 1}},
	} {
		got := r.Columns[c]
		require.Equal(t, want.Missing, got.Missing, c)
		require.Equal(t, want.Bounds, []float64{got.Bounds[0], got.Bounds[len(got.Bounds)-1]}, c)
	}
	require.Len(t, r.Columns[0].Bounds, quantize.MaxBounds)
	require.Equal(t, quantize.Split{Column: 3, Rank: 1}, r.Splits[0][0])
	require.Equal(t, quantize.Split{Column: 2, Rank: quantize.MaxBounds}, r.Splits[1][0])
	require.Equal(t, quantize.Split{Column: 0, Rank: 1}, r.Splits[n-1][0])
	require.Equal(t, quantize.Split{Column: 1, Rank: 1}, r.Splits[n][0])
}

func TestTooManyColumns(t *testing.T) {
	e := ir.MustParse("(f0{1:2} 1 2)")
	stump := e.Trees[0]
	e.Trees, e.Sets = nil, nil
	for i := range quantize.MaxColumns + 1 {
		nodes := append([]ir.Node(nil), stump.Nodes...)
		nodes[0].Set = int32(i)
		e.Trees = append(e.Trees, ir.Tree{Nodes: nodes})
		e.Sets = append(e.Sets, ir.Set{float64(i), float64(i + 1)})
	}
	_, err := quantize.Rank(e)
	require.EqualError(t, err, "65537 columns, more than 65536")
	e.Trees = e.Trees[1:]
	_, err = quantize.Rank(e)
	require.NoError(t, err)
}

// Every golden model, on rows around its thresholds, reaches by ranks the leaves
// that it reaches by numbers.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../testdata/golden-xgboost/*/model*")
	require.NoError(t, err)
	require.Greater(t, len(files), 150)
	for _, file := range files {
		e, err := load.File(file)
		require.NoError(t, err, file)
		wantLeaves(t, file, e, 100)
	}
}

func TestRandomEnsembles(t *testing.T) {
	for _, c := range []struct {
		seeds uint64
		shape nodiff.Shape
	}{
		{300, nodiff.Shape{Trees: 12, Depth: 8}},
		{300, nodiff.Shape{Trees: 12, Depth: 8, Input: ir.Double}},
		{4, nodiff.Shape{Trees: 40, Depth: 9, Features: 2, Thresholds: 2000, Full: true}},
		{4, nodiff.Shape{Trees: 40, Depth: 9, Features: 2, Thresholds: 2000, Full: true, Input: ir.Double}},
		{2, nodiff.Shape{Trees: 100, Depth: 8, Features: 3000}},
	} {
		for seed := range c.seeds {
			wantLeaves(t, fmt.Sprintf("%+v, seed %d", c.shape, seed), c.shape.Ensemble(seed), 200)
		}
	}
}

func wantLeaves(t *testing.T, name string, e *ir.Ensemble, rows int) {
	t.Helper()
	r, err := quantize.Rank(e)
	require.NoError(t, err, name)
	again, err := quantize.Rank(e)
	require.NoError(t, err, name)
	require.Equal(t, r, again, name)

	x, w := nodiff.Rows64(e, rows, 1), len(e.Features)
	want := make([]int32, rows*len(e.Trees))
	interp.New(e).Leaf64(want, x)
	for i := range rows {
		ranks := ranksOf(r, x[i*w:(i+1)*w])
		for k := range e.Trees {
			n := &e.Trees[k].Nodes[walk(&e.Trees[k], r.Splits[k], ranks)]
			if n.ID != want[i*len(e.Trees)+k] {
				require.Fail(t, "another leaf", "%s: tree %d, row %d: leaf %d, want %d", name, k, i, n.ID, want[i*len(e.Trees)+k])
			}
		}
	}
}

// ranksOf returns the ranks of a row as Column states them, counting.
func ranksOf(r *quantize.Ranks, x []float64) []uint8 {
	ranks := make([]uint8, len(r.Columns))
	for c, col := range r.Columns {
		v, n := x[col.Feature], 0
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

func walk(t *ir.Tree, splits []quantize.Split, ranks []uint8) int32 {
	i := int32(0)
	for !t.Nodes[i].IsLeaf() {
		if ranks[splits[i].Column] >= splits[i].Rank {
			i = t.Nodes[i].Right
		} else {
			i = t.Nodes[i].Left
		}
	}
	return i
}
