package prune_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/ir"
	"hew/prune"
)

// apply returns what the one pass of o makes of e, and what that changes.
func apply(t *testing.T, e *ir.Ensemble, o string, d *lossy.Data) (*ir.Ensemble, lossy.Change) {
	t.Helper()
	options, err := prune.Parse(o)
	require.NoError(t, err)
	require.NoError(t, options.Check(e, d != nil))
	require.Len(t, options.Passes(), 1)
	after := e.Clone()
	c, err := options.Passes()[0].Run(after, d)
	require.NoError(t, err)
	require.NoError(t, after.Verify())
	return after, c
}

// covered returns the ensemble of a text form whose nodes, in their order, have these
// covers.
func covered(tree string, covers ...float32) *ir.Ensemble {
	e := ir.MustParse(tree)
	for i, c := range covers {
		e.Trees[0].Nodes[i].Cover = c
	}
	return e
}

func TestEpsilon(t *testing.T) {
	for name, c := range map[string]struct {
		in     string
		covers []float32
		eps    string
		out    string
	}{
		"no cover":             {in: "(f0<1 1 2)", eps: "1", out: "1.5"},
		"by cover":             {in: "(f0<1 1 2)", covers: []float32{4, 1, 3}, eps: "1", out: "1.75"},
		"one side's cover":     {in: "(f0<1 1 2)", covers: []float32{3, 0, 3}, eps: "1", out: "2"},
		"too far":              {in: "(f0<1 1 2)", eps: "0.99", out: "(f0<1 1 2)"},
		"one side":             {in: "(f0<1 (f1<1 1 2) 3)", eps: "1", out: "(f0<1 1.5 3#4)"},
		"all leaves count":     {in: "(f0<1 (f1<1 1 2) 2.5)", eps: "1.5", out: "1.8333334"},
		"least to largest":     {in: "(f0<1 (f1<1 1 2) (f1<2 2 3))", eps: "1", out: "(f0<1 1.5 2.5#4)"},
		"beside a near leaf":   {in: "(f0<1 1.5 (f1<1 1 2))", eps: "0.5", out: "(f0<1 1.5 (f1<1 1 2))"},
		"vectors":              {in: "(f0<1 [1 2] [2 2.5])", eps: "1", out: "[1.5 2.25]"},
		"one output too far":   {in: "(f0<1 [1 2] [2 3.5])", eps: "1", out: "(f0<1 [1 2] [2 3.5])"},
		"rounded":              {in: "(f0<1 1 1.0000001)", covers: []float32{4, 1, 3}, eps: "1", out: "1.0000001"},
		"negative":             {in: "(f0<1 -1 -2)", eps: "1", out: "-1.5"},
		"an infinite leaf":     {in: "(f0<1 (f1<1 1 +Inf) (f1<1 1 2))", eps: "1e300", out: "(f0<1 (f1<1 1 +Inf) 1.5)"},
		"infinite alike":       {in: "(f0<1 -Inf -Inf)", eps: "1", out: "(f0<1 -Inf -Inf)"},
		"a cover that is none": {in: "(f0<1 1 2)", covers: []float32{4, float32(math.NaN()), -3}, eps: "1", out: "1.5"},
	} {
		after, _ := apply(t, covered(c.in, c.covers...), "epsilon="+c.eps, nil)
		require.Equal(t, c.out, text(after), name)
	}
}

func TestMinCover(t *testing.T) {
	for name, c := range map[string]struct {
		in     string
		covers []float32
		out    string
	}{
		"enough":        {"(f0<1 1 2)", []float32{20, 10, 10}, "(f0<1 1 2)"},
		"left":          {"(f0<1 1 2)", []float32{36, 9, 27}, "1.75"},
		"right":         {"(f0<1 1 2)", []float32{36, 27, 9}, "1.25"},
		"below":         {"(f0<1 (f1<1 1 2) 3)", []float32{30, 10, 5, 5, 20}, "(f0<1 1.5 3#4)"},
		"above":         {"(f0<1 (f1<1 1 2) 3)", []float32{44, 40, 20, 20, 4}, "1.6363636"},
		"unknown split": {"(f0<1 (f1<1 1 2) 3)", []float32{20, 0, 0, 0, 20}, "3"},
		"unknown":       {"(f0<1 1 (f1<1 1 2))", []float32{0, 0, 30, 15, 15}, "(f0<1 1 (f1<1 1 2))"},
		"infinite":      {"(f0<1 1 -Inf)", []float32{2, 1, 1}, "(f0<1 1 -Inf)"},
	} {
		after, _ := apply(t, covered(c.in, c.covers...), "min-cover=10", nil)
		require.Equal(t, c.out, text(after), name)
	}
}

// What becomes a leaf keeps its place, number and cover; what only the replaced leaves
// and splits used goes.
func TestMergeKeeps(t *testing.T) {
	e := ir.MustParse("(f0<1 (f0{2:4} [1 2] [1.5 2]) (f0{3:} [8 8] [1 1]))")
	for i := range e.Trees[0].Nodes {
		e.Trees[0].Nodes[i].Cover, e.Trees[0].Nodes[i].ID = float32(10-i), int32(70+i)
	}
	after, _ := apply(t, e, "epsilon=0.5", nil)
	require.Equal(t, []ir.Set{{3}}, after.Sets)
	require.Len(t, after.Trees[0].Vectors, 6)
	leaf := after.Trees[0].Nodes[1]
	require.True(t, leaf.IsLeaf())
	require.Equal(t, int32(71), leaf.ID)
	require.Equal(t, float32(9), leaf.Cover)
}

// A mean lies between what it is the mean of, near the largest numbers and the smallest.
func TestMeanStaysInRange(t *testing.T) {
	for _, v := range []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1, 1e-310} {
		e := ir.MustParse("(f0<1 (f1<1 1 1) (f1<2 1 1))")
		e.Sum = ir.Double
		for i := range e.Trees[0].Nodes {
			n := &e.Trees[0].Nodes[i]
			n.Cover = []float32{0.3, 1e-30, 1e-38, 3e38, 7, 0.1, 3e38}[i]
			if n.IsLeaf() {
				n.Value = v
			}
		}
		after, c := apply(t, e, "epsilon=1", nil)
		require.Len(t, after.Trees[0].Nodes, 1)
		require.Equal(t, v, after.Trees[0].Nodes[0].Value)
		require.Equal(t, lossy.None(1), c)
	}
}

// attained requires that some row moves the margin of the one output as far as the
// certificate says, but for its rounding.
func attained(t *testing.T, e *ir.Ensemble, o string, d *lossy.Data) {
	t.Helper()
	after, c := apply(t, e, o, d)
	x := nodiff.Rows64(e, 3000, 1)
	a, b := margins(e, x), margins(after, x)
	low, high := 0.0, 0.0
	for i := range a {
		low, high = min(low, b[i]-a[i]), max(high, b[i]-a[i])
	}
	rounding := lossy.Rounding(e)[0] + lossy.Rounding(after)[0] + 1e-12
	require.InDelta(t, min(c.Low[0], 0), low, rounding, o)
	require.InDelta(t, max(c.High[0], 0), high, rounding, o)
	require.Greater(t, high-low, 0.01, "%s changes nothing", o)
}

// Of one tree, and of trees that ask about different features, certificates are exact.
func TestCertificatesAreAttained(t *testing.T) {
	one := "(f0<1 (f1<1 1 (f2<3 1.2 1.3)) (f1<2 (f0<5 5 5.25) (f2<2 6 8)))"
	other := "(f3<1 (f4<1 0.1 0.2) (f4<2? (f3<4 -1 -1.25) 8))"
	for _, trees := range [][]string{{one}, {other}, {one, other}} {
		e := ir.MustParse(trees...)
		cover(e)
		for _, o := range []string{"epsilon=0.25", "epsilon=0.3", "epsilon=100", "min-cover=1.5", "min-cover=4.5"} {
			attained(t, e, o, nil)
		}
		x := nodiff.Rows64(e, 50, 2)
		d := &lossy.Data{X: x, Y: make([]float64, 50)}
		for r := range d.Y {
			d.Y[r] = float64(r % 7)
		}
		e.Source.Objective = "reg:squarederror"
		for _, o := range []string{"reduced-error", "refit=1"} {
			attained(t, e, o, d)
		}
		if len(trees) == 2 {
			e.Rounds = []int32{0, 1, 2}
			attained(t, e, "truncate=1", nil)
			attained(t, e, "trees=1", d)
		}
	}
}

// cover gives each leaf a cover of 1 or 2, and each split the sum of those of its sides.
func cover(e *ir.Ensemble) {
	for i := range e.Trees {
		nodes := e.Trees[i].Nodes
		for j := len(nodes) - 1; j >= 0; j-- {
			if n := &nodes[j]; n.IsLeaf() {
				n.Cover = float32(1 + j%2)
			} else {
				n.Cover = nodes[n.Left].Cover + nodes[n.Right].Cover
			}
		}
	}
}

// What stands below a new leaf is not asked what it would have changed.
func TestCertificateOfNestedSplits(t *testing.T) {
	e := covered("(f0<1 (f1<1 (f2<1 0 8) 8) 8)", 101, 100, 60, 55, 5, 40, 1)
	after, c := apply(t, e, "min-cover=10", nil)
	require.Equal(t, "3.6435645", text(after)) // 46·8/101
	require.InDelta(t, 3.6435645-8, c.Low[0], 1e-6)
	require.InDelta(t, 3.6435645, c.High[0], 1e-6)

	e = covered("(f0<1 (f1<1 (f2<1 0 8) 8) 8)", 141, 140, 60, 5, 55, 80, 1) // means 7.71 above, 7.33 below
	_, c = apply(t, e, "min-cover=10", nil)
	require.InDelta(t, 8*136.0/141, c.High[0], 1e-6)
	require.InDelta(t, 8*136.0/141-8, c.Low[0], 1e-6)
}

// The certificate of epsilon counts in each tree what really differs, so that it is below
// epsilon × trees where leaves are nearer than that.
func TestEpsilonIsNotCrude(t *testing.T) {
	e := ir.MustParse("(f0<1 1 1.125)", "(f1<1 1 1.25)", "(f2<1 1 3)")
	_, c := apply(t, e, "epsilon=1", nil)
	require.InDelta(t, -0.1875, c.Low[0], 1e-12)
	require.InDelta(t, 0.1875, c.High[0], 1e-12)
}

func TestTruncate(t *testing.T) {
	e := ir.MustParse("(f0<1 1 2)", "(f0{1:2} 1 2)", "(f0<1 -4 5)", "7")
	e.Rounds, e.BestRound = []int32{0, 1, 3, 4}, 1
	for o, want := range map[string]int{"truncate=1": 1, "truncate=2": 3, "truncate=best": 3, "truncate=3": 4} {
		after, _ := apply(t, e, o, nil)
		require.Len(t, after.Trees, want, o)
		sliced, err := e.Slice(0, after.NumRounds())
		require.NoError(t, err)
		require.Equal(t, margins(sliced, []float64{0, 3}), margins(after, []float64{0, 3}))
	}
	after, c := apply(t, e, "truncate=1", nil)
	require.Empty(t, after.Sets)
	require.InDelta(t, -14, c.Low[0], 1e-12)
	require.InDelta(t, -4, c.High[0], 1e-12)
	_, c = apply(t, e, "truncate=3", nil)
	require.Equal(t, lossy.None(1), c)
}

// A deep tree overflows no stack and takes no quadratic time.
func TestDeepTreeShrinks(t *testing.T) {
	const depth = 100_000
	e := chain(depth, func(i int) ir.Node { return ir.Node{Set: ir.NoSet, Threshold: float64(i), Cover: 9} })
	e.Source.Objective = "reg:squarederror"
	d := &lossy.Data{X: []float64{-1, 50, 1000}, Y: []float64{0, 50, 0}}
	for _, o := range []string{"epsilon=2000", "min-cover=10", "reduced-error", "refit=1"} {
		after, _ := apply(t, e, o, d)
		if o != "refit=1" {
			require.Less(t, len(after.Trees[0].Nodes), 10_000, o)
		}
	}
}
