package nodiff_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// predictor returns the reference evaluator of e as a predictor.
func predictor(e *ir.Ensemble) predict.Predictor {
	m := interp.New(e).Typed()
	p := predict.Predictor{
		Info: predict.Info{
			NumFeatures: len(e.Features),
			NumOutputs:  e.Width(),
			NumMargins:  e.Outputs,
			NumTrees:    len(e.Trees),
			Input:       predict.Type(e.Input.String()),
			Output:      predict.Type(e.Sum.String()),
		},
		Predict: m.Predict, Margin: m.Margin, Leaf: m.Leaf,
	}
	for _, a := range e.Answers {
		p.Answers = append(p.Answers, predict.Answer{Name: a.Name, Width: e.VectorWidth(a.Vector)})
		p.Answer = m.Answer
	}
	return p
}

// stump returns an ensemble of two features whose second tree compares with
// threshold.
func stump(threshold, left float64) *ir.Ensemble {
	leaf := func(v float64, id int32) ir.Node {
		return ir.Node{Feature: ir.NoFeature, Set: ir.NoSet, Value: v, ID: id}
	}
	split := func(j int32, t float64) ir.Node {
		return ir.Node{Feature: j, Left: 1, Right: 2, Set: ir.NoSet, Threshold: t}
	}
	return &ir.Ensemble{
		Features:   []ir.Feature{{Name: "a"}, {Name: "b"}},
		Outputs:    1,
		BaseMargin: []float64{0},
		Rounds:     []int32{0, 2},
		BestRound:  -1,
		Trees: []ir.Tree{
			{Nodes: []ir.Node{split(0, 4), leaf(0.125, 1), leaf(0.0625, 2)}},
			{Nodes: []ir.Node{split(1, threshold), leaf(left, 1), leaf(1, 2)}},
		},
	}
}

func TestCompareEqual(t *testing.T) {
	for seed := range uint64(200) {
		e := nodiff.Ensemble(seed, 8, 5)
		d := nodiff.Compare(interp.New(e), predictor(e), nodiff.Rows(e, 300, seed))
		require.True(t, d.OK(), d)
		require.Equal(t, 300, d.Rows)
		require.Equal(t, 300*e.Outputs, d.Margin.Equal)
		require.Equal(t, 300*e.Link.Width(e.Outputs), d.Predict.Equal)
		require.Equal(t, 300*len(e.Trees), d.Leaf.Equal)
	}
}

func TestCompareFindsOneULP(t *testing.T) {
	near := math.Nextafter32(0.25, 1)
	e, planted := stump(7, 0.25), stump(7, float64(near))
	p := predictor(planted)
	p.Predict = predictor(e).Predict // the margins alone differ
	d := nodiff.Compare(interp.New(e), p, nodiff.Rows(e, 100, 1))
	require.False(t, d.OK())
	require.EqualValues(t, 1, d.Margin.MaxULP)
	require.Less(t, d.Margin.Equal, d.Margin.Compared)
	require.Equal(t, d.Predict.Compared, d.Predict.Equal)
	require.Equal(t, d.Leaf.Compared, d.Leaf.Equal)
	require.NotEqual(t, d.Margin.First.Want, d.Margin.First.Got)
	require.Contains(t, d.String(), "margin differs first in row")
	require.Contains(t, d.String(), "largest distance 1 ulp")
}

func TestCompareFindsThresholdOneULPOff(t *testing.T) {
	e := stump(7, 0.25)
	for _, off := range []float32{math.Nextafter32(7, 0), math.Nextafter32(7, 8)} {
		d := nodiff.Compare(interp.New(e), predictor(stump(float64(off), 0.25)), nodiff.Rows(e, 100, 1))
		require.False(t, d.OK(), "threshold %v", off)
	}
}

func TestCompareFindsLeaf(t *testing.T) {
	e, planted := stump(7, 0.25), stump(7, 0.25)
	planted.Trees[1].Nodes[1].ID = 5
	d := nodiff.Compare(interp.New(e), predictor(planted), nodiff.Rows(e, 100, 1))
	require.False(t, d.OK())
	require.Equal(t, d.Margin.Compared, d.Margin.Equal)
	require.Equal(t, 1, d.Leaf.First.Column)
	require.EqualValues(t, 5, d.Leaf.First.Got)
	require.EqualValues(t, 1, d.Leaf.First.Want)
	require.Contains(t, d.String(), "leaf differs first in row")
}

func TestCompareSpecialValues(t *testing.T) {
	e := stump(7, 0.25)
	e.Trees = e.Trees[:1]
	e.Rounds[1] = 1
	negative := math.Float64frombits(1 << 63)
	for _, tt := range []struct {
		name      string
		got, want float64
		ulps      uint64
	}{
		{"sign of zero", negative, 0, 1},
		{"across zero", -math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat32, 3},
		{"infinity", math.Inf(1), math.MaxFloat32, 1},
		{"opposite", math.Inf(-1), math.Inf(1), 2*0x7f800000 + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := predictor(e)
			ref := *e
			p.Margin = fill(float32(tt.got))
			ref.Trees, ref.Rounds = nil, nil
			ref.BaseMargin = []float64{tt.want}
			p.NumTrees, p.Leaf = 0, nil
			d := nodiff.Compare(interp.New(&ref), p, nodiff.Rows(&ref, 10, 1))
			require.Equal(t, tt.ulps, d.Margin.MaxULP)
			require.Zero(t, d.Margin.Equal)
		})
	}
	p := predictor(e)
	p.Margin = fill(float32(math.NaN()))
	d := nodiff.Compare(interp.New(e), p, nodiff.Rows(e, 10, 1))
	require.EqualValues(t, uint64(math.MaxUint64), d.Margin.MaxULP)

	p.Margin = func(dst, x predict.Values) {} // writes nothing
	d = nodiff.Compare(interp.New(e), p, nodiff.Rows(e, 10, 1))
	require.Zero(t, d.Margin.Equal)
}

func fill(v float32) func(dst, x predict.Values) {
	return func(dst, x predict.Values) {
		for i := range dst.F32 {
			dst.F32[i] = v
		}
	}
}

func TestRowsHoldBounds(t *testing.T) {
	inf := float32(math.Inf(1))
	for seed := range uint64(50) {
		e := nodiff.Ensemble(seed, 6, 4)
		n, w := nodiff.NumBoundaryRows(e), len(e.Features)
		x := nodiff.Rows(e, n+10, 3).F32
		require.Len(t, x, (n+10)*w)
		for j, bounds := range e.Bounds() {
			held := map[uint32]bool{}
			for i := range n {
				held[math.Float32bits(x[i*w+j])] = true
			}
			want := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, math.MaxFloat32, -math.MaxFloat32,
				math.SmallestNonzeroFloat32, float32(math.NaN())}
			for _, b := range bounds {
				v := float32(b)
				want = append(want, v, math.Nextafter32(v, inf), math.Nextafter32(v, -inf))
			}
			for _, v := range want {
				require.True(t, held[math.Float32bits(v)], "seed %d, feature %d: no row with %v", seed, j, v)
			}
		}
		same := nodiff.Rows(e, n+10, 3).F32
		for i := range x {
			require.Equal(t, math.Float32bits(x[i]), math.Float32bits(same[i]))
		}
		require.Len(t, nodiff.Rows(e, 5, 3).F32, 5*w)
	}
}

// Rows64 holds the neighbours in the type in which the ensemble compares.
func TestRows64HoldBounds(t *testing.T) {
	inf := math.Inf(1)
	for seed := range uint64(50) {
		e := nodiff.Shape{Trees: 6, Depth: 4, Input: ir.Double}.Ensemble(seed)
		n, w := nodiff.NumBoundaryRows(e), len(e.Features)
		x := nodiff.Rows64(e, n+10, 3)
		require.Len(t, x, (n+10)*w)
		for j, bounds := range e.Bounds() {
			held := map[uint64]bool{}
			for i := range n {
				held[math.Float64bits(x[i*w+j])] = true
			}
			want := []float64{0, math.Copysign(0, -1), inf, -inf, math.MaxFloat64, -math.MaxFloat64,
				math.SmallestNonzeroFloat64, math.MaxFloat32, math.NaN()}
			for _, b := range bounds {
				want = append(want, b, math.Nextafter(b, inf), math.Nextafter(b, -inf))
			}
			for _, v := range want {
				require.True(t, held[math.Float64bits(v)], "seed %d, feature %d: no row with %v", seed, j, v)
			}
		}
		require.Equal(t, predict.Float64, nodiff.Rows(e, 1, 1).Type())
	}
	e := nodiff.Shape{Trees: 6, Depth: 4, Sum: ir.Double}.Ensemble(1)
	narrow, wide := nodiff.Rows(e, 500, 1).F32, nodiff.Rows64(e, 500, 1)
	for i, v := range narrow {
		require.Equal(t, math.Float64bits(float64(v)), math.Float64bits(wide[i]))
	}
}

// TestRowsReachLeaves checks that rows do not all end in the same few leaves.
func TestRowsReachLeaves(t *testing.T) {
	reached, leaves := 0, 0
	for seed := range uint64(40) {
		e := nodiff.Ensemble(seed, 6, 5)
		x := nodiff.Rows(e, 4000, 1)
		n := len(e.Trees)
		out := make([]int32, 4000*n)
		interp.New(e).Leaf(out, x.F32)
		seen := map[[2]int32]bool{}
		for i, id := range out {
			seen[[2]int32{int32(i % n), id}] = true
		}
		reached += len(seen)
		for i := range e.Trees {
			leaves += e.Trees[i].NumLeaves()
		}
	}
	t.Logf("%d of %d leaves reached; the others are unreachable or nearly so", reached, leaves)
	require.Greater(t, reached, leaves*3/5)
}

// TestEnsemble checks that ensembles are well formed and that all that a fuzz
// test counts on occurs.
func TestEnsemble(t *testing.T) {
	seen := map[string]int{}
	count := func(what string, ok bool) {
		if ok {
			seen[what]++
		}
	}
	for seed := range uint64(600) {
		e := nodiff.Ensemble(seed, 10, 6)
		require.NoError(t, e.Verify(), "seed %d", seed)
		require.LessOrEqual(t, len(e.Trees), 10)
		seen["link "+e.Link.String()]++
		seen["task "+e.Task.String()]++
		count("several outputs", e.Outputs > 1)
		count("base last", e.BaseLast)
		count("linear", e.Linear != nil)
		count("no trees", e.Linear == nil && len(e.Trees) == 0)
		count("classes", e.Classes != nil)
		count("best round", e.BestRound >= 0)
		for i := range e.Trees {
			tree := &e.Trees[i]
			require.LessOrEqual(t, tree.Depth(), 6)
			count("vector leaves", tree.Vectors != nil)
			count("vectors of several outputs", tree.Vectors != nil && e.Outputs > 1)
			count("one node", len(tree.Nodes) == 1)
			count("other numbering", tree.Nodes[0].ID != 0)
			for _, n := range tree.Nodes {
				leaf := n.IsLeaf() && tree.Vectors == nil
				count("infinite leaf", leaf && math.IsInf(n.Value, 0))
				count("negative zero leaf", leaf && n.Value == 0 && math.Signbit(n.Value))
				count("infinite threshold", !n.IsLeaf() && math.IsInf(n.Threshold, 0))
				count("set", !n.IsLeaf() && n.Set != ir.NoSet)
				count("default left", !n.IsLeaf() && n.DefaultLeft)
			}
		}
	}
	for _, what := range []string{
		"link identity", "link sigmoid", "link sigmoid-clamped", "link exp", "link step", "link softmax", "link argmax",
		"link sort", "link gaps", "task regression", "task classification", "task multilabel", "task ranking",
		"several outputs", "base last",
		"linear", "no trees", "classes", "best round", "vector leaves", "vectors of several outputs", "one node",
		"other numbering", "infinite leaf", "negative zero leaf", "infinite threshold", "set", "default left",
	} {
		require.Greater(t, seen[what], 5, what)
	}
	require.Equal(t, nodiff.Ensemble(7, 10, 6), nodiff.Ensemble(7, 10, 6))
}

// TestShape checks that a shape is what its ensembles have.
func TestShape(t *testing.T) {
	for _, s := range []nodiff.Shape{
		{Trees: 40, Depth: 14},
		{Trees: 20, Depth: 8, Outputs: 70},
		{Trees: 200, Depth: 8, Features: 3000},
		{Trees: 100, Depth: 10, Features: 2, Thresholds: 5000, Full: true},
		{Trees: 5, Depth: 14, Outputs: 3, Features: 40, Thresholds: 300, Full: true, Input: ir.Double, Sum: ir.Double},
		{Trees: 60, Depth: 7, Sum: ir.Double},
	} {
		vectors, sets, left, right, thresholds, bits := 0, 0, 0, 0, 0, 0
		deepest, neighbours, longSets := 0, 0, 0
		for seed := range uint64(12) {
			e := s.Ensemble(seed)
			require.NoError(t, e.Verify())
			require.Equal(t, []ir.Precision{s.Input, s.Sum}, []ir.Precision{e.Input, e.Sum})
			require.LessOrEqual(t, len(e.Trees), s.Trees)
			require.True(t, s.Outputs == 0 || e.Outputs == s.Outputs)
			require.True(t, s.Features == 0 || len(e.Features) == s.Features)
			require.True(t, !s.Full || len(e.Trees) == s.Trees)
			for i := range e.Trees {
				tree := &e.Trees[i]
				require.LessOrEqual(t, tree.Depth(), s.Depth)
				require.True(t, !s.Full || tree.NumLeaves() == 1<<s.Depth)
				deepest = max(deepest, tree.Depth())
				if tree.Vectors != nil {
					vectors++
				}
				for _, n := range tree.Nodes {
					switch {
					case n.IsLeaf():
						if n.Value != float64(float32(n.Value)) {
							bits++
						}
						continue
					case n.Set != ir.NoSet:
						sets++
					}
					if n.DefaultLeft {
						left++
					} else {
						right++
					}
				}
			}
			for _, b := range e.Bounds() {
				thresholds = max(thresholds, len(b))
				for i := 1; i < len(b); i++ {
					next := float64(math.Nextafter32(float32(b[i-1]), float32(math.Inf(1))))
					if s.Input == ir.Double {
						next = math.Nextafter(b[i-1], math.Inf(1))
					}
					if b[i] == next {
						neighbours++
					}
				}
			}
			for _, set := range e.Sets {
				if len(set) > 255 {
					longSets++
				}
			}
		}
		require.Equal(t, s.Depth, deepest, s)
		require.Greater(t, thresholds, s.Thresholds/2, s)
		require.Equal(t, s.Sum == ir.Double, bits > 0, s)
		for _, n := range []int{vectors, sets, left, right, neighbours, longSets} {
			require.Positive(t, n, s)
		}
	}
}

// Margins of many trees are mostly numbers, and not so large that they hide what
// a tree adds.
func TestManyTreesShow(t *testing.T) {
	for _, sum := range []ir.Precision{ir.Single, ir.Double} {
		shown, all := 0, 0
		for seed := range uint64(20) {
			e := nodiff.Shape{Trees: 400, Depth: 5, Sum: sum, Full: true}.Ensemble(seed)
			dst := make([]float64, 50*e.Outputs)
			interp.New(e).Margin64(dst, nodiff.Rows64(e, 50, 1))
			for _, v := range dst {
				all++
				if math.Abs(v) < 1e5 {
					shown++
				}
			}
		}
		require.Greater(t, shown, all/3, "%v", sum)
	}
}
