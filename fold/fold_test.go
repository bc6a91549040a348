package fold_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/fold"
	"hew/interp"
	"hew/ir"
)

// ops draws a chain of operations.
func ops(r *rand.Rand) []ir.Op {
	number := func() float64 { return math.Round(r.NormFloat64()*8) / 4 }
	keys := func() []float64 {
		k := []float64{number()}
		for range r.IntN(5) {
			k = append(k, k[len(k)-1]+0.25*float64(1+r.IntN(6)))
		}
		return k
	}
	var out []ir.Op
	for range r.IntN(5) {
		o := ir.Op{Code: ir.OpCode(r.IntN(int(ir.OpBin) + 3)), A: number(), B: number()}
		switch o.Code {
		case ir.OpBin + 1, ir.OpBin + 2:
			fs := []ir.Func{ir.FuncLog, ir.FuncLog1p, ir.FuncExp, ir.FuncSqrt, ir.FuncSquare, ir.FuncAbs, ir.FuncCbrt, ir.FuncTanh, ir.FuncExpm1}
			o = ir.Op{Code: ir.OpCall, A: float64(fs[r.IntN(len(fs))])}
		case ir.OpClip:
			o.A, o.B = min(o.A, o.B), max(o.A, o.B)
		case ir.OpIn, ir.OpBin:
			o.Keys = keys()
		case ir.OpLookup:
			o.Keys = keys()
			for range o.Keys {
				o.Values = append(o.Values, number())
			}
			if r.IntN(2) == 0 {
				o.B = math.NaN()
			}
		case ir.OpAdd, ir.OpMul:
			o.A += r.NormFloat64() / 100
		case ir.OpFill:
			if r.IntN(8) == 0 {
				o.A = math.NaN()
			}
		}
		out = append(out, o)
	}
	return out
}

// ensemble draws stumps, each on a column of its own.
func ensemble(r *rand.Rand, input ir.Precision) *ir.Ensemble {
	e := &ir.Ensemble{
		Input: input, Sum: ir.Double, Features: []ir.Feature{{Name: "a"}, {Name: "b"}}, Outputs: 1, BaseMargin: []float64{0},
		BestRound: -1, Rounds: []int32{0}, Sets: []ir.Set{{-1, 0.5, 1, 1.25, 3}, {math.Inf(-1), -2, 0, 1}},
	}
	for i := range 4 {
		e.Columns = append(e.Columns, ir.Column{Feature: int32(r.IntN(2)), Ops: ops(r)})
		for range 4 {
			n := ir.Node{Feature: int32(i), Left: 1, Right: 2, Set: ir.NoSet, DefaultLeft: r.IntN(2) == 0, Threshold: math.Round(r.NormFloat64()*8) / 4}
			switch r.IntN(6) {
			case 0:
				n.Set = int32(r.IntN(2))
			case 1:
				n.Threshold = float64(float32(interp.Apply(e.Columns[i].Ops, r.NormFloat64())))
				if n.Threshold != n.Threshold {
					n.Threshold = math.Inf(1)
				}
			}
			e.Trees = append(e.Trees, ir.Tree{Nodes: []ir.Node{n,
				{Feature: ir.NoFeature, Value: 1, ID: 1}, {Feature: ir.NoFeature, Value: 2, ID: 2}}})
			e.Rounds = append(e.Rounds, int32(len(e.Trees)))
		}
	}
	return e
}

// probes returns numbers of all kinds, and those around the bounds of e.
func probes(r *rand.Rand, e *ir.Ensemble) []float64 {
	x := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64,
		math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.MaxFloat32, -math.MaxFloat32}
	for range 100 {
		x = append(x, r.NormFloat64()*2, math.Round(r.NormFloat64()*8)/4, math.Float64frombits(r.Uint64()))
	}
	for _, bounds := range e.Bounds() {
		for _, b := range bounds {
			x = append(x, b, math.Nextafter(b, math.Inf(1)), math.Nextafter(b, math.Inf(-1)))
		}
	}
	return x
}

// Leaves of the folded trees are those of the trees behind their columns, for
// every number there is.
func TestFoldKeepsLeaves(t *testing.T) {
	stay := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		e := ensemble(r, ir.Precision(seed%2))
		require.NoError(t, e.Verify())
		f := e.Clone()
		require.NoError(t, fold.Fold(f))
		require.NoError(t, f.Verify())
		if f.Columns != nil {
			stay++
		}
		want, got := make([]int32, len(e.Trees)), make([]int32, len(e.Trees))
		a, b := interp.New(e), interp.New(f)
		for _, v := range probes(r, f) {
			if e.Input == ir.Single {
				v = float64(float32(v))
			}
			x := []float64{v, v}
			a.Leaf64(want, x)
			b.Leaf64(got, x)
			require.Equal(t, want, got, "seed %d, x %v (%x), columns %v", seed, v, math.Float64bits(v), e.Columns)
		}
	}
	require.Less(t, stay, 100, "columns that stay")
}

// One-hot columns and ordinal codes become sets or comparisons of the feature.
func TestFoldText(t *testing.T) {
	e := ir.MustParse("(f0<0.5 1 2)", "(f1<0.5? 1 2)", "(f2<1.5 1 2)", "(f3<0.25 1 2)", "(f4<0.5 1 2)")
	e.Input, e.Sum = ir.Double, ir.Double
	e.Features = e.Features[:1]
	e.Columns = []ir.Column{
		{Ops: []ir.Op{{Code: ir.OpEqual, A: 3}, {Code: ir.OpRound}}},
		{Ops: []ir.Op{{Code: ir.OpSub, A: 2}, {Code: ir.OpDiv, A: 0.5}}},
		{Ops: []ir.Op{{Code: ir.OpLookup, Keys: []float64{0, 1, 2, 3}, Values: []float64{3, 0, 2, 1}, A: -1, B: -1}}},
		{Ops: []ir.Op{{Code: ir.OpMul, A: -1}}},
		{Ops: []ir.Op{{Code: ir.OpIsMissing}}},
	}
	require.NoError(t, e.Verify())
	require.NoError(t, fold.Fold(e))
	require.Nil(t, e.Columns)
	require.Len(t, e.Sets, 2)
	var texts []string
	for i := range e.Trees {
		texts = append(texts, e.Format(&e.Trees[i]))
	}
	require.Equal(t, []string{
		"(f0{-Inf:3,3.0000000000000004:}?\n  1\n  2)",
		"(f0<2.25?\n  1\n  2)",
		"(f0{-Inf:0,5e-324:2,2.0000000000000004:}?\n  1\n  2)",
		fmt.Sprintf("(f0<%v?\n  2\n  1)", math.Nextafter(-0.25, 0)),
		"(f0<-Inf?\n  2\n  1)",
	}, texts)
}

// A forest's comparison of float32 values becomes one of float64 values, at the
// middle between two float32 numbers.
func TestFoldRounding(t *testing.T) {
	for _, threshold := range []float32{0.1, 1, 16777216, 1e-45, -0.1, math.MaxFloat32} {
		e := ir.MustParse("(f0<0.5 1 2)")
		e.Input, e.Sum = ir.Double, ir.Double
		e.Trees[0].Nodes[0].Threshold = float64(threshold)
		e.Columns = []ir.Column{{Ops: []ir.Op{{Code: ir.OpRound}}}}
		require.NoError(t, fold.Fold(e))
		got := e.Trees[0].Nodes[0].Threshold
		require.Equal(t, threshold, float32(got))
		require.Less(t, float32(math.Nextafter(got, math.Inf(-1))), threshold)
	}
}

// glibc's cbrt goes down by a unit in the last place below 216 = 6³, time and again.
// Columns whose answers that changes stay, whether the test comes at once or behind
// another operation with breaks.
func TestFoldRough(t *testing.T) {
	cbrt := ir.Op{Code: ir.OpCall, A: float64(ir.FuncCbrt)}
	for _, test := range []struct {
		name  string
		ops   []ir.Op
		at    float64
		stays bool
	}{
		{"threshold", []ir.Op{cbrt}, 6, true},
		{"bin", []ir.Op{cbrt, {Code: ir.OpBin, Keys: []float64{1, 6, 8}}}, 1.5, true},
		{"equal", []ir.Op{cbrt, {Code: ir.OpEqual, A: 6}}, 0.5, true},
		{"other", []ir.Op{{Code: ir.OpCall, A: float64(ir.FuncExpm1)}}, 6, false},
	} {
		e := ir.MustParse("(f0<0.5 1 2)")
		e.Input, e.Sum = ir.Double, ir.Double
		e.Trees[0].Nodes[0].Threshold = test.at
		e.Columns = []ir.Column{{Ops: test.ops}}
		f := e.Clone()
		require.NoError(t, fold.Fold(f))
		require.Equal(t, test.stays, f.Columns != nil, test.name)
		a, b := interp.New(e), interp.New(f)
		var want, got [1]int32
		x := 216.0
		for range 2000 {
			x = math.Nextafter(x, 0)
		}
		for range 4000 {
			a.Leaf64(want[:], []float64{x})
			b.Leaf64(got[:], []float64{x})
			require.Equal(t, want, got, "%s, %v", test.name, x)
			x = math.Nextafter(x, 1000)
		}
	}
}

// Of a feature that has codes only, a comparison is all that an ordinal encoder needs,
// and a set of one code what a one-hot encoder does.
func TestFoldCodes(t *testing.T) {
	e := ir.MustParse("(f0<1.5 1 2)", "(f1<0.5? 1 2)", "(f2<0.5 1 2)", "(f3<0.5 1 2)")
	e.Input, e.Sum = ir.Double, ir.Double
	e.Features = []ir.Feature{{Name: "city", Type: ir.Categorical, Categories: []string{"a", "b", "c", "d"}, Open: true, Refuses: ir.NoCode}}
	e.Columns = []ir.Column{
		{Ops: []ir.Op{{Code: ir.OpLookup, Keys: []float64{0, 1, 2, 3}, Values: []float64{0, 1, 2, 3}, A: -1, B: -1}}},
		{Ops: []ir.Op{{Code: ir.OpEqual, A: 1}}},
		{Ops: []ir.Op{{Code: ir.OpEqual, A: 3}}},
		{Ops: []ir.Op{{Code: ir.OpLookup, Keys: []float64{0, 1, 2, 3}, Values: []float64{3, 0, 2, 1}, A: -1, B: -1}}},
	}
	require.NoError(t, e.Verify())
	require.NoError(t, fold.Fold(e))
	require.Nil(t, e.Columns)
	var texts []string
	for i := range e.Trees {
		texts = append(texts, e.Format(&e.Trees[i]))
	}
	require.Equal(t, []string{
		"(f0<2?\n  1\n  2)",
		"(f0{-Inf:1,2:}?\n  1\n  2)",
		"(f0<3?\n  1\n  2)",
		"(f0{-Inf:0,1:2}?\n  1\n  2)",
	}, texts)
}
