package nodiff_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/fold"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// pairs are the types in which an ensemble compares and sums.
var pairs = [][2]ir.Precision{{ir.Single, ir.Single}, {ir.Double, ir.Double}, {ir.Single, ir.Double}, {ir.Double, ir.Single}}

// Ensembles with a pipeline are well formed, the reference can evaluate them, and
// all operations and stages occur.
func TestPipelines(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(1500) {
		p := pairs[seed%4]
		s := nodiff.Shape{Trees: 5, Depth: 4, Input: p[0], Sum: p[1], Columns: true, Answers: true}
		e := s.Ensemble(seed)
		require.NoError(t, e.Verify(), "seed %d", seed)
		require.NotNil(t, e.Columns)
		require.NotEmpty(t, e.Answers)
		for _, c := range e.Columns {
			for _, o := range c.Ops {
				seen[o.Code.String()]++
				if o.Code == ir.OpCall {
					seen[ir.Func(o.A).String()]++
				}
			}
		}
		for _, p := range e.Post {
			seen["stage "+p.Code.String()]++
		}
		d := nodiff.Compare(interp.New(e), predictor(e), nodiff.Rows(e, 20, seed))
		require.True(t, d.OK(), "seed %d: %v", seed, d)
		require.Positive(t, d.Answers.Compared)
	}
	for c := ir.OpRound; c <= ir.OpCall; c++ {
		require.Greater(t, seen[c.String()], 50, c.String())
	}
	for f := ir.FuncLog; f <= ir.FuncTanh; f++ {
		require.Greater(t, seen[f.String()], 2, f.String())
	}
	for c := ir.StageConcat; c <= ir.StageClip; c++ {
		require.Greater(t, seen["stage "+c.String()], 50, c.String())
	}
}

// The boundary rows of an ensemble of columns hold each value at which package fold,
// which looks for them in its own way, finds that a split changes its answer, and the
// value before it.
func TestRowsHoldCrossings(t *testing.T) {
	inf := math.Inf(1)
	folded, held, missed := 0, 0, ""
	for seed := range uint64(400) {
		s := nodiff.Shape{Trees: 8, Depth: 4, Input: ir.Precision(seed % 2), Sum: ir.Double, Columns: true}
		e := s.Ensemble(seed)
		f := e.Clone()
		require.NoError(t, fold.Fold(f))
		if f.Columns != nil || e.Linear != nil {
			continue
		}
		n, w := nodiff.NumBoundaryRows(e), len(e.Features)
		x := nodiff.Rows64(e, n, 3)
		there := make([]map[float64]bool, w)
		for j := range there {
			there[j] = map[float64]bool{}
			for i := range n {
				there[j][x[i*w+j]] = true
			}
		}
		for j, bounds := range f.Bounds() {
			for _, b := range bounds {
				before := math.Nextafter(b, -inf)
				if e.Input == ir.Single {
					before = float64(math.Nextafter32(float32(b), float32(-inf)))
				}
				if folded++; there[j][b] && there[j][before] {
					held++
				} else {
					missed += fmt.Sprintf("seed %d, feature %d: %v\n", seed, j, b)
				}
			}
		}
	}
	require.Greater(t, folded, 2000)
	require.Equal(t, folded, held, missed)
}

// Rows led through columns reach leaves that random ones hardly do.
func TestRowsReachLeavesBehindColumns(t *testing.T) {
	reached, leaves := 0, 0
	for seed := range uint64(40) {
		e := nodiff.Shape{Trees: 6, Depth: 5, Input: ir.Double, Sum: ir.Double, Columns: true}.Ensemble(seed)
		n := len(e.Trees)
		out := make([]int32, 4000*n)
		interp.New(e).Leaf64(out, nodiff.Rows64(e, 4000, 1))
		seen := map[[2]int32]bool{}
		for i, id := range out {
			seen[[2]int32{int32(i % n), id}] = true
		}
		reached += len(seen)
		require.NoError(t, fold.Fold(e))
		for i := range e.Trees {
			leaves += e.Trees[i].NumLeaves()
		}
	}
	t.Logf("%d of %d leaves reached", reached, leaves)
	require.Greater(t, reached, leaves/3)
}

// A wrong answer, label or bit of a float64 is found.
func TestCompareAnswers(t *testing.T) {
	e := stump(7, 0.25)
	e.Input, e.Sum = ir.Double, ir.Double
	e.Post = []ir.Stage{{Code: ir.StageDivide, Args: []int32{0}, Width: 1, A: 3}, {Code: ir.StagePositive, Args: []int32{0}, Width: 1}}
	e.Answers = []ir.Answer{{Name: "predict", Vector: 1}, {Name: "label", Vector: 2}}
	require.NoError(t, e.Verify())
	x := nodiff.Rows(e, 100, 1)
	right := predictor(e)
	require.True(t, nodiff.Compare(interp.New(e), right, x).OK())

	wrong := right
	wrong.Answer = func(i int, dst, margins, x predict.Values) {
		right.Answer(i, dst, margins, x)
		if i == 1 {
			dst.F64[0] = 1 - dst.F64[0]
		}
	}
	d := nodiff.Compare(interp.New(e), wrong, x)
	require.True(t, d.Margin.OK() && d.Predict.OK() && d.Leaf.OK())
	require.False(t, d.OK())
	require.Contains(t, d.String(), "an answer differs first in row 0, value 0: ")

	wrong = right
	wrong.Predict = func(dst, x predict.Values) {
		right.Predict(dst, x)
		dst.F64[0] = math.Nextafter(dst.F64[0], 9)
	}
	d = nodiff.Compare(interp.New(e), wrong, x)
	require.EqualValues(t, 1, d.Predict.MaxULP)
	require.True(t, d.Margin.OK() && d.Answers.OK())
}
