package quantize_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/quantize"
)

// distinct returns the distinct thresholds of each column.
func distinct(e *ir.Ensemble) [][]float64 {
	all := make([][]float64, e.NumColumns())
	for i := range e.Trees {
		for _, n := range e.Trees[i].Nodes {
			if !n.IsLeaf() && n.Set == ir.NoSet {
				all[n.Feature] = append(all[n.Feature], n.Threshold)
			}
		}
	}
	for j := range all {
		slices.Sort(all[j])
		all[j] = slices.Compact(all[j])
	}
	return all
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct{ options, before, after string }{
		{"thresholds=f16", "(f0<0.1 1 (f1<2049 2 (f0<-1e-9 3 4)))", "(f0<0.0999755859375 1 (f1<2048 2 (f0<0 3 4)))"},
		{"thresholds=bf16", "(f0<0.1 1 (f1<257 2 (f0<+Inf 3 4)))", "(f0<0.10009765625 1 (f1<256 2 (f0<+Inf 3 4)))"},
		{"thresholds=f16", "(f0<1e-9 1 2)", "(f0<5.9604645e-08 1 2)"}, // 0 stays on its side
		{"thresholds=bf16", "(f0<1e-45 1 2)", "(f0<9.1835496157991e-41 1 2)"},
		{"thresholds=f16", "(f0{1:2} 1 (f0<0.1 2 3))", "(f0{1:2} 1 (f0<0.0999755859375 2 3))"},
		{"merge=0.1", "(f0<1 1 (f0<1.5 2 (f0<2.5 3 (f0<11 4 5))))", "(f0<1 1 (f0<1 2 (f0<2.5 3 (f0<11 4 5))))"},
		{"merge=0.5", "(f0<-1 1 (f0<0 2 (f0<1 3 4)))", "(f0<-1 1 (f0<-1 2 (f0<1 3 4)))"}, // not across zero
		{"merge=0.9", "(f0<-Inf 1 (f0<1 2 (f0<+Inf 3 4)))", "(f0<-Inf 1 (f0<1 2 (f0<+Inf 3 4)))"},
		{"merge=0.9", "(f0<1 1 (f1<1.01 2 3))", "(f0<1 1 (f1<1.01 2 3))"},
		{"thresholds=uint8", "(f0<1 1 (f0<1.01 2 3))", "(f0<1 1 (f0<1.01 2 3))"},
	} {
		after, _ := run(t, ir.MustParse(c.before), parse(t, c.options), nil)
		require.Equal(t, ir.MustParse(c.after), after, c.before)
	}
}

// A group of merged thresholds keeps the one whose splits change most.
func TestMergeKeepsTheHeaviest(t *testing.T) {
	after, _ := run(t, ir.MustParse("(f0<1 0 0.1)", "(f0<1.5 0 10)", "(f0<2 0 1)", "(f0<100 0 1)"), parse(t, "merge=0.1"), nil)
	require.Equal(t, [][]float64{{1.5, 100}}, distinct(after))
}

// Thresholds stay in their order and within the distance that was asked for.
func TestMergeDistance(t *testing.T) {
	for seed := range uint64(40) {
		e := nodiff.Shape{Trees: 10, Depth: 5, Thresholds: 50, Input: ir.Precision(seed % 2)}.Ensemble(seed)
		tame(e)
		if e.Linear != nil {
			continue
		}
		before := distinct(e)
		for _, share := range []float64{1e-3, 0.05, 0.3} {
			after, _ := run(t, e, quantize.Options{Merge: share}, nil)
			for j, all := range distinct(after) {
				require.LessOrEqual(t, len(all), len(before[j]))
				require.Subset(t, before[j], all)
			}
			eachPair(e, after, func(a, b *ir.Node) {
				all := before[a.Feature]
				require.LessOrEqual(t, math.Abs(a.Threshold-b.Threshold), share*(all[len(all)-1]-all[0])*(1+1e-12))
				require.Equal(t, a.Threshold > 0, b.Threshold > 0)
			})
		}
	}
}

func eachPair(e, after *ir.Ensemble, f func(a, b *ir.Node)) {
	for i := range e.Trees {
		for k := range e.Trees[i].Nodes {
			if a := &e.Trees[i].Nodes[k]; !a.IsLeaf() && a.Set == ir.NoSet {
				f(a, &after.Trees[i].Nodes[k])
			}
		}
	}
}

// forest returns stumps on one feature at 1, 2, …, n, of which every tenth changes the
// margin a hundred times as much as others do.
func forest(n int) *ir.Ensemble {
	trees := make([]string, n)
	for i := range trees {
		trees[i] = fmt.Sprintf("(f0<%d 0 %d)", i+1, 1+99*((i%10)/9))
	}
	return ir.MustParse(trees...)
}

// A feature keeps as many thresholds as an integer counts, and the important ones stay.
func TestUint(t *testing.T) {
	for name, most := range map[string]int{"uint8": quantize.MaxBounds, "uint16": quantize.MaxBounds16} {
		e := forest(most + most/4)
		after, _ := run(t, e, parse(t, "thresholds="+name), nil)
		require.Len(t, distinct(after)[0], most, name)
		eachPair(e, after, func(a, b *ir.Node) {
			if int(a.Threshold)%10 == 0 {
				require.Equal(t, a.Threshold, b.Threshold)
			}
		})
		same, c := run(t, after, parse(t, "thresholds="+name), nil)
		require.Equal(t, after, same)
		require.Equal(t, lossy.None(1), c)
	}
}

// One column for a feature whose missing values all go to one side, two for others.
func TestUint8Columns(t *testing.T) {
	e := forest(1000)
	for missing, columns := range []int{1, 2} {
		e.Trees[500].Nodes[0].DefaultLeft = missing == 1
		after, _ := run(t, e, parse(t, "thresholds=uint8"), nil)
		before, err := quantize.Rank(e)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(before.Columns), 4)
		r, err := quantize.Rank(after)
		require.NoError(t, err)
		require.Len(t, r.Columns, columns)
	}
}

// Where rows are, thresholds stay apart; where none is, they are merged.
func TestUint8LooksAtRows(t *testing.T) {
	e := forest(1000)
	for i := range e.Trees {
		e.Trees[i].Nodes[2].Value = 1
	}
	d := &lossy.Data{}
	for i := range 4000 {
		d.X = append(d.X, 700+float64(i%200)+0.5)
	}
	after, _ := run(t, e, parse(t, "thresholds=uint8"), d)
	require.Len(t, distinct(after)[0], quantize.MaxBounds)
	flips, err := quantize.CountFlips(e, after, d.X)
	require.NoError(t, err)
	require.Zero(t, flips.Flipped)

	without, _ := run(t, e, parse(t, "thresholds=uint8"), nil)
	flips, err = quantize.CountFlips(e, without, d.X)
	require.NoError(t, err)
	require.Greater(t, flips.Flipped, 1000)

	// Only the rows that have weight count, and missing values are nowhere.
	d.X = append(d.X, math.NaN())
	for i := range 4000 {
		d.X = append(d.X, float64(i%700)+0.5)
	}
	d.Weight = make([]float64, len(d.X))
	for i := range 4001 {
		d.Weight[i] = 1
	}
	weighted, _ := run(t, e, parse(t, "thresholds=uint8"), d)
	require.Equal(t, distinct(after), distinct(weighted))
}

// A row at a threshold goes right there, as one above it does.
func TestUint8LooksAtRowsOnThresholds(t *testing.T) {
	e := forest(1000)
	d := &lossy.Data{}
	for i := range 3000 {
		d.X = append(d.X, float64(100+6*(i%100)))
	}
	after, _ := run(t, e, parse(t, "thresholds=uint8"), d)
	flips, err := quantize.CountFlips(e, after, d.X)
	require.NoError(t, err)
	require.Zero(t, flips.Flipped)
}

// No threshold crosses zero, where many rows are.
func TestUint8KeepsZero(t *testing.T) {
	e := forest(1000)
	for i := range e.Trees {
		e.Trees[i].Nodes[0].Threshold -= 500
	}
	after, _ := run(t, e, parse(t, "thresholds=uint8"), nil)
	require.Len(t, distinct(after)[0], quantize.MaxBounds)
	eachPair(e, after, func(a, b *ir.Node) { require.Equal(t, a.Threshold > 0, b.Threshold > 0) })
}

// changeAt returns the change of the margin of a row that begins with x and ends with zeros.
func changeAt(e, after *ir.Ensemble, x ...float64) float64 {
	row := make([]float64, len(e.Features))
	copy(row, x)
	a, b := make([]float64, 1), make([]float64, 1)
	interp.New(e).Margin64(a, row)
	interp.New(after).Margin64(b, row)
	return b[0] - a[0]
}

// The certificate is attained: by a row between the two thresholds of each feature.
func TestMovedBoundIsAttained(t *testing.T) {
	e := ir.MustParse("(f0<1.0001 1 8)", "(f1<1.0001 (f2<3 2 4) (f2<2 16 32))", "(f0<1.0001 64 0)")
	after, c := run(t, e, parse(t, "thresholds=f16"), nil)
	require.Equal(t, 1.0, after.Trees[0].Nodes[0].Threshold)
	// A row at 1 went left and goes right. Trees 0 and 2 share the feature: +7 − 64 together,
	// of which the certificate has the parts that agree in sign.
	require.InDelta(t, 7+30, c.High[0], 1e-12)
	require.InDelta(t, -64, c.Low[0], 1e-12)
	require.Equal(t, -64.0+7, changeAt(e, after, 1, 0, 0))
	require.Equal(t, 14.0, changeAt(e, after, 0, 1, 0))

	e = ir.MustParse("(f0<1.0001 1 8)", "(f1<1.0001 (f2<3 2 4) (f2<2 16 32))", "(f3<0.9999 64 0)")
	after, c = run(t, e, parse(t, "thresholds=f16"), nil)
	require.Equal(t, 1.0, after.Trees[2].Nodes[0].Threshold)
	require.InDelta(t, 7+30+64, c.High[0], 1e-12)
	require.Equal(t, 7.0+30+64, changeAt(e, after, 1, 1, 2.5, float64(float32(0.9999))))
	require.Zero(t, c.Low[0])
}

// Thresholds of one feature that moved in different places never flip for one row: the
// certificate is the worst place, not the sum.
func TestMovedBoundSweeps(t *testing.T) {
	e := ir.MustParse("(f0<1.0001 0 1)", "(f0<2.0001 0 2)", "(f0<4.0001 0 4)", "(f0<8.0001 0 8)")
	after, c := run(t, e, parse(t, "thresholds=f16"), nil)
	require.InDelta(t, 8, c.High[0], 1e-12)
	require.Equal(t, 8.0, changeAt(e, after, 8))
	require.Zero(t, c.Low[0])

	// Overlapping: 1.0001 and 1.0002 both become 1.
	e = ir.MustParse("(f0<1.0001 0 1)", "(f0<1.0002 0 2)", "(f0<4.0001 0 2.5)")
	after, c = run(t, e, parse(t, "thresholds=f16"), nil)
	require.InDelta(t, 3, c.High[0], 1e-12)
	require.Equal(t, 3.0, changeAt(e, after, 1))

	// Side by side: 0.9999 moves up to 1, and 1.0001 down to it.
	for _, trees := range [][]string{{"(f0<0.9999 3 0)", "(f0<1.0001 0 4)"}, {"(f0<1.0001 0 4)", "(f0<0.9999 3 0)"}} {
		e = ir.MustParse(trees...)
		after, c = run(t, e, parse(t, "thresholds=f16"), nil)
		require.InDelta(t, 4, c.High[0], 1e-12)
		require.Equal(t, 4.0, changeAt(e, after, 1))
	}

	// Splits of one tree do not add up: a row turns once.
	e = ir.MustParse("(f0<1.0001 0 (f0<1.0002 5 2))")
	after, c = run(t, e, parse(t, "thresholds=f16"), nil)
	require.InDelta(t, 5, c.High[0], 1e-12)
	require.InDelta(t, -3, c.Low[0], 1e-12)
	require.Equal(t, 2.0, changeAt(e, after, 1))
	require.Equal(t, -3.0, changeAt(e, after, float64(float32(1.00015))))
}

// The bound by trees is taken where it is the smaller one.
func TestMovedBoundByTrees(t *testing.T) {
	_, c := run(t, ir.MustParse("(f0<1.0001 0 (f1<1.0001 1 (f2<1.0001 0 1)))"), parse(t, "thresholds=f16"), nil)
	require.InDelta(t, 1, c.High[0], 1e-12)
	require.InDelta(t, -1, c.Low[0], 1e-12)
}

// Each output has a certificate of its own.
func TestMovedBoundPerOutput(t *testing.T) {
	e := ir.MustParse("(f0<1.0001 1 8)", "(f0<2 1 8)", "(f0<1.0001 1 4)")
	e.Outputs, e.BaseMargin = 3, make([]float64, 3)
	e.Trees[1].Output, e.Trees[2].Output = 1, 2
	_, c := run(t, e, parse(t, "thresholds=f16"), nil)
	require.InDeltaSlice(t, []float64{7, 0, 3}, c.High, 1e-12)
	require.InDeltaSlice(t, []float64{0, 0, 0}, c.Low, 1e-12)
	require.Zero(t, c.High[1])
}

// A hostile ensemble, a chain of splits on one feature that all move to one threshold,
// takes no more than n log n steps.
func TestMovedBoundIsFast(t *testing.T) {
	skipShort(t)
	const n = 200_000
	e := ir.MustParse("(f0<1 1 2)")
	leaf, split := e.Trees[0].Nodes[1], e.Trees[0].Nodes[0]
	var nodes []ir.Node
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		split.Threshold, split.Left, split.Right = float64(float32(1+float64(i)/n)), int32(2*i+1), int32(2*i+2)
		leaf.Value = float64(r.IntN(1000))
		nodes = append(nodes, split, leaf)
	}
	e.Trees[0].Nodes = append(nodes, leaf)
	require.NoError(t, e.Verify())
	for _, o := range []string{"merge=0.9", "thresholds=uint8", "thresholds=uint16"} {
		start := time.Now()
		after, c := run(t, e, parse(t, o), nil)
		t.Log(o, time.Since(start), len(distinct(after)[0]))
		require.Less(t, time.Since(start), 20*time.Second, o)
		require.InDelta(t, 999, c.High[0], 1)
	}
}

func TestCountFlips(t *testing.T) {
	e := ir.MustParse("(f0<1 1 (f0<1.0001? 2 3))", "(f1{1:2} 5 6)")
	after, _ := run(t, e, parse(t, "thresholds=f16"), nil)
	nan := math.NaN()
	x := []float64{0, 0, 1, 1, 1, 5, 2, 0, nan, nan}
	f, err := quantize.CountFlips(e, after, x)
	require.NoError(t, err)
	require.Equal(t, quantize.Flips{Decisions: 2 + 3 + 3 + 3 + 3, Flipped: 2, Leaves: 10, Moved: 2, Rows: 5, Touched: 2}, f)

	_, err = quantize.CountFlips(e, ir.MustParse("(f0<1 1 2)", "(f1{1:2} 5 6)"), x)
	require.EqualError(t, err, "tree 0 has 5 nodes against 3")
	_, err = quantize.CountFlips(e, ir.MustParse("(f0<1 1 2)"), x)
	require.Error(t, err)
	_, err = quantize.CountFlips(e, ir.MustParse(strings.Replace("(f0<1 1 (f0<1.0001? 2 3))", "?", "", 1), "(f1{1:2} 5 6)"), x)
	require.EqualError(t, err, "tree 0, node 2: another split or leaf")
}

// Flips are what the leaves of both ensembles say.
func TestCountFlipsRandom(t *testing.T) {
	moved := 0
	for seed := range uint64(60) {
		e := nodiff.Shape{Trees: 10, Depth: 6, Input: ir.Precision(seed % 2), Columns: seed%3 == 0}.Ensemble(seed)
		tame(e)
		if e.Linear != nil {
			continue
		}
		after, _ := run(t, e, parse(t, "merge=0.3,thresholds=bf16"), nil)
		x := nodiff.Rows64(e, 100, seed)
		a, b := make([]int32, 100*len(e.Trees)), make([]int32, 100*len(e.Trees))
		interp.New(e).Leaf64(a, x)
		interp.New(after).Leaf64(b, x)
		want := 0
		for i := range a {
			if a[i] != b[i] {
				want++
			}
		}
		f, err := quantize.CountFlips(e, after, x)
		require.NoError(t, err)
		require.Equal(t, want, f.Moved, "seed %d", seed)
		require.GreaterOrEqual(t, f.Flipped, f.Moved)
		require.GreaterOrEqual(t, f.Decisions, f.Flipped)
		moved += want
	}
	require.Greater(t, moved, 300)
}
