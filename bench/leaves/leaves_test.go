package leaves_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench/leaves"
	"hew/bench/measure"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// values are the float32 numbers at which comparisons go wrong, with their
// neighbours.
func values() []float32 {
	inf := float32(math.Inf(1))
	v := []float32{float32(math.NaN()), float32(math.Copysign(0, -1)), 1e-36} // LightGBM takes 1e-36 for zero if zero is missing
	for _, t := range []float32{0, 0.5, -0.5, 1, inf, -inf, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 0.1} {
		v = append(v, t, math.Nextafter32(t, -inf), math.Nextafter32(t, inf))
	}
	return v
}

// pairs returns each combination of two values as a row.
func pairs() []float32 {
	var x []float32
	for _, a := range values() {
		for _, b := range values() {
			x = append(x, a, b)
		}
	}
	return x
}

// ensemble returns an ensemble of the trees, whose outputs follow each other in
// runs of the given length, as XGBoost has it with num_parallel_tree.
func ensemble(t *testing.T, outputs, run int, trees ...string) *ir.Ensemble {
	e := ir.MustParse(trees...)
	e.Features = []ir.Feature{{Name: "a"}, {Name: "b"}}
	e.Outputs, e.BaseMargin = outputs, make([]float64, outputs)
	for i := range e.Trees {
		e.Trees[i].Output = int32(i / run % outputs)
	}
	for k := range e.BaseMargin {
		e.BaseMargin[k] = float64(k) + 0.25
	}
	require.NoError(t, e.Verify())
	return e
}

func TestDecisionsAgree(t *testing.T) {
	thresholds := []string{
		"(f0<0.5 1 2)", "(f0<0.5? 1 2)", "(f0<0? 3 4)", "(f1<-0 5 6)", "(f0<+Inf 7 8)", "(f0<-Inf 9 10)", "(f0<-Inf? 9 10)",
		"(f1<3.4028234663852886e+38 0.1 0.2)", "(f1<-3.4028234663852886e+38? 0.1 0.2)", "(f0<1.401298464324817e-45 1e-30 -1e-30)",
		"42", "(f0<1 (f1<0.5? 1 (f0<-0.5 -2 (f1<-0.5? 4 8))) (f1<1 (f0<+Inf 16 32) -64))", "-0.5", "0.10000000149011612",
	}
	for name, e := range map[string]*ir.Ensemble{
		"one output":          ensemble(t, 1, 1, thresholds...),
		"one tree":            ensemble(t, 1, 1, thresholds[11]),
		"one leaf":            ensemble(t, 1, 1, "42"),
		"infinite leaf":       ensemble(t, 1, 1, "(f0<0.5 +Inf -Inf)", "(f1<0.5 +Inf -Inf)"),
		"seven outputs":       ensemble(t, 7, 1, thresholds...),
		"two parallel trees":  ensemble(t, 7, 2, thresholds...),
		"seven parallel ones": ensemble(t, 2, 7, thresholds...),
	} {
		x := pairs()
		engine, err := leaves.New(e, predict.ValuesOf(x))
		require.NoError(t, err, name)
		require.True(t, engine.Foreign)
		got, err := engine.Score()
		require.NoError(t, err)
		want := make([]float32, len(x)/2*e.Outputs)
		interp.New(e).Margin(want, x)
		for i, w := range want {
			if w != w || math.IsInf(float64(w), 0) {
				require.Equal(t, math.Float64bits(float64(w)), math.Float64bits(float64(got.Margin.F32[i])), "%s, margin %d", name, i)
			} else {
				require.InDelta(t, w, got.Margin.F32[i], 1e-4, "%s, margin %d", name, i)
			}
		}
	}
}

// TestRandomEnsembles has leaves score ensembles that no trainer writes, in all pairs
// of types. New checks every decision.
func TestRandomEnsembles(t *testing.T) {
	scored := 0
	for seed := range uint64(600) {
		s := nodiff.Shape{Trees: 12, Depth: 7, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2)}
		s.Answers = seed%4 == 3 // both are float64
		e := s.Ensemble(seed)
		if e.Linear != nil || len(e.Trees) < e.Outputs {
			continue
		}
		simplify(e)
		require.NoError(t, e.Verify())
		engine, err := leaves.New(e, nodiff.Rows(e, 400, seed))
		require.NoError(t, err, "seed %d", seed)
		got, err := engine.Score()
		require.NoError(t, err)
		require.Equal(t, 400*e.Width(), got.Predict.Len())
		require.Equal(t, predict.Type(e.Sum.String()), got.Predict.Type())
		scored++
	}
	require.Greater(t, scored, 200)
}

// A forest of one output has vector leaves of one value, and a division after them.
func TestForest(t *testing.T) {
	e := ir.MustParse("(f0<0.5? [1] [2])", "(f0<-1 [3] [4])")
	e.Input, e.Sum = ir.Double, ir.Double
	e.Post = []ir.Stage{{Code: ir.StageDivide, Args: []int32{0}, Width: 1, A: 2}}
	e.Answers = []ir.Answer{{Name: "predict", Vector: 1}}
	require.NoError(t, e.Verify())
	engine, err := leaves.New(e, predict.ValuesOf([]float64{0, math.Nextafter(0.5, 0), 0.5, -2}))
	require.NoError(t, err)
	got, err := engine.Score()
	require.NoError(t, err)
	require.Equal(t, []float64{5, 5, 6, 4}, got.Margin.F64)
	require.Equal(t, []float64{2.5, 2.5, 3, 2}, got.Predict.F64)
}

// simplify replaces what leaves cannot score: sets by a bound of theirs, vectors
// by one of their values; and it takes as many trees for each output.
func simplify(e *ir.Ensemble) {
	e.Trees = e.Trees[:len(e.Trees)/e.Outputs*e.Outputs]
	for i := range e.Trees {
		tree := &e.Trees[i]
		for j := range tree.Nodes {
			n := &tree.Nodes[j]
			if n.IsLeaf() && tree.Vectors != nil {
				n.Value = tree.Vectors[int(n.Vector)*e.Outputs]
			} else if !n.IsLeaf() && n.Set != ir.NoSet {
				n.Threshold = 0.5
				if s := e.Sets[n.Set]; len(s) > 0 {
					n.Threshold = s[0]
				}
				n.Set = ir.NoSet
			}
		}
		tree.Vectors, tree.Output = nil, int32(i%e.Outputs)
	}
	e.Rounds = []int32{0, int32(len(e.Trees))}
	e.BestRound = -1
}

func TestOneFeature(t *testing.T) {
	e := ir.MustParse("(f0<0.5? 1 2)", "3")
	engine, err := leaves.New(e, predict.ValuesOf(values()))
	require.NoError(t, err)
	got, err := engine.Score()
	require.NoError(t, err)
	require.Equal(t, len(values()), got.Margin.Len())
}

func TestCheckFindsAnotherDecision(t *testing.T) {
	of := func(tree string) *ir.Ensemble { return ensemble(t, 1, 1, "(f1<0.5 4 8)", tree) }
	e := of("(f0<0.5? 1 2)")
	require.NoError(t, leaves.Check(e, of("(f0<0.5? 1 2)"), predict.ValuesOf(pairs())))
	for _, other := range []string{"(f0<0.5 1 2)", "(f0<0.49999997? 1 2)", "(f0<0.50000006? 1 2)", "(f1<0.5? 1 2)", "(f0<0.5? 1 2.0000002)"} {
		require.ErrorContains(t, leaves.Check(e, of(other), predict.ValuesOf(pairs())), "leaves decides otherwise: row ", other)
	}
}

func TestRefuses(t *testing.T) {
	linear := ensemble(t, 1, 1)
	linear.Linear = &ir.Linear{Weights: []float64{1, 2}, Bias: []float64{0}}
	piped := ir.MustParse("(f0<1 1 2)")
	piped.Columns = []ir.Column{{Ops: []ir.Op{{Code: ir.OpRound}}}}
	for want, e := range map[string]*ir.Ensemble{
		"splits test columns that a pipeline computes": piped,
		"no trees":                                ensemble(t, 1, 1),
		"a linear model":                          linear,
		"tree 0 has vector leaves":                ir.MustParse("(f0<1 [1 2] [3 4])"),
		"tree 1, node 2: a categorical split":     ir.MustParse("1", "(f0<1 1 (f1{1:2} 3 4))"),
		"outputs have different numbers of trees": ensemble(t, 2, 2, "1", "2", "3", "4", "5", "6"),
	} {
		_, err := leaves.New(e, predict.MakeValues(predict.Float32, 2))
		require.ErrorIs(t, err, leaves.ErrUnsupported)
		require.EqualError(t, err, "leaves cannot score it: "+want)
	}
	_, err := leaves.New(ensemble(t, 2, 2, "1", "2", "3"), predict.Values{})
	require.ErrorIs(t, err, leaves.ErrUnsupported)
	_, err = leaves.New(ensemble(t, 1, 1, "1"), predict.MakeValues(predict.Float32, 3))
	require.EqualError(t, err, "3 values are no rows of 2 features")
}

func TestMeasure(t *testing.T) {
	for _, outputs := range []int{1, 2} {
		engine, err := leaves.New(ensemble(t, outputs, 1, "(f0<1 1 2)", "(f1<1 1 2)"), predict.ValuesOf(pairs()))
		require.NoError(t, err)
		for _, s := range [][2]int{{1, 1}, {1, 2}, {64, 1}, {4096, 2}} {
			sample, err := engine.Measure(measure.Spec{Batch: s[0], Threads: s[1]}, time.Millisecond)
			require.NoError(t, err)
			require.GreaterOrEqual(t, sample.Rows, int64(len(pairs())/4), s)
			require.GreaterOrEqual(t, sample.Nanos, int64(time.Millisecond), s)
		}
	}
}

// The whole of LightGBM's form: other readers want more of it than leaves does.
func TestText(t *testing.T) {
	text, err := leaves.Text(ensemble(t, 2, 1, "(f0<0.5? -0.25 (f1<1 2 3))", "4"))
	require.NoError(t, err)
	require.Equal(t, `tree
version=v3
num_class=2
num_tree_per_iteration=2
label_index=0
max_feature_idx=1
objective=multiclass num_class:2
feature_names=f0 f1
feature_infos=[-inf:inf] [-inf:inf]
tree_sizes=304 223

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=1 1
threshold=0.4999999701976776 0.9999999403953552
decision_type=10 8
left_child=-1 -2
right_child=1 -3
leaf_value=-0.25 2 3
leaf_weight=1 1 1
leaf_count=1 1 1
internal_value=1 1
internal_weight=1 1
internal_count=1 1
is_linear=0
shrinkage=1


Tree=1
num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=4
leaf_weight=1
leaf_count=1
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1


end of trees

pandas_categorical:null
`, string(text))
}
