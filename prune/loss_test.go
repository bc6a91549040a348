package prune

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/ir"
)

// lossModels are models of each loss that has a curvature, and a label for it.
func lossModels() map[string]struct {
	e *ir.Ensemble
	y float64
} {
	type model = struct {
		e *ir.Ensemble
		y float64
	}
	models := map[string]model{}
	one := func(objective string, y float64) {
		models[objective] = model{&ir.Ensemble{Outputs: 1, Source: ir.Source{Objective: objective}}, y}
	}
	one("reg:squarederror", 0.7)
	one("reg:squaredlogerror", 0.1)
	one("reg:pseudohubererror", 0.7)
	one("reg:logistic", 0.3)
	one("binary:logistic", 1)
	one("binary:logitraw", 0)
	one("count:poisson", 3)
	one("reg:gamma", 0.4)
	one("reg:tweedie", 0.9)
	several := &ir.Ensemble{Outputs: 3, Task: ir.Classification, Source: ir.Source{Objective: "multi:softprob"}}
	models["multi:softprob"] = model{several, 2}
	answered := func(booster, objective, answer string, outputs int, y float64) {
		e := &ir.Ensemble{Outputs: outputs, Task: ir.Classification, Source: ir.Source{Booster: booster, Objective: booster + objective}}
		e.Answers = []ir.Answer{{Name: answer, Vector: 1}}
		e.Post = []ir.Stage{{Code: ir.StageDivide, Args: []int32{0}, A: 4, Width: outputs}}
		models[booster+objective] = model{e, y}
	}
	answered("RandomForestRegressor", ", criterion squared_error", "predict", 1, 0.7)
	answered("RandomForestClassifier", ", criterion gini", "proba", 3, 1)
	answered("GradientBoostingClassifier", ", loss exponential", "proba", 1, 1)
	answered("GradientBoostingClassifier", ", loss log_loss", "proba", 3, 2)
	answered("HistGradientBoostingClassifier", ", loss log_loss", "proba", 1, 1)
	answered("HistGradientBoostingRegressor", ", loss poisson", "predict", 1, 3)
	answered("HistGradientBoostingRegressor", ", loss gamma", "predict", 1, 3)
	return models
}

// The derivatives of a loss are those of the function, and never say that it bends down.
func TestLossCurves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, c := range lossModels() {
		l, err := lossOf(c.e)
		require.NoError(t, err, name)
		require.NoError(t, l.check(c.y), name)
		k := c.e.Outputs
		g, h, gUp, gDown := make([]float64, k), make([]float64, k), make([]float64, k), make([]float64, k)
		for range 50 {
			m := make([]float64, k)
			for j := range m {
				m[j] = r.Float64()*4 - 0.5
			}
			l.curve(m, c.y, g, h)
			for j := range m {
				const d = 1e-5
				at := m[j]
				m[j] = at + d
				up := l.of(m, c.y)
				l.curve(m, c.y, gUp, make([]float64, k))
				m[j] = at - d
				down := l.of(m, c.y)
				l.curve(m, c.y, gDown, make([]float64, k))
				m[j] = at
				require.InDelta(t, (up-down)/(2*d), g[j], 1e-6, name)
				require.InDelta(t, max(0, (gUp[j]-gDown[j])/(2*d)), h[j], 1e-5, name)
			}
		}
	}
}

// Multiplying by the second derivatives gives the change of the first ones.
func TestBend(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for name, c := range lossModels() {
		if name == "reg:squaredlogerror" { // where it bends down, bend is 0
			continue
		}
		l, err := lossOf(c.e)
		require.NoError(t, err)
		k := c.e.Outputs
		f := &fit{sample: &sample{e: c.e, loss: l, n: 1, y: []float64{c.y}, weight: []float64{3}, margins: make([]float64, k)}}
		for range 50 {
			const d = 1e-6
			move := make([]float64, k)
			for j := range move {
				f.margins[j], move[j] = r.Float64()*2-0.5, r.NormFloat64()
			}
			before, h := f.curves()
			if f.diagonal = h; l.softmax {
				f.setChances(before)
			}
			addTo(f.margins, d, move)
			after, _ := f.curves()
			f.bend(move)
			for j := range move {
				require.InDelta(t, (after[j]-before[j])/d, move[j], 1e-3, name)
			}
		}
	}
}

// The second-order expansion of a squared error is the error itself, of scalar leaves and
// of vectors.
func TestCostOfSquaredError(t *testing.T) {
	for _, trees := range [][]string{{"(f0<1 1 2)", "(f0<2 -3 4)", "(f0<3 5 6)"}, {"(f0<1 [1] [2])", "(f0<2 [-3] [4])", "(f0<3 [5] [6])"}} {
		e := ir.MustParse(trees...)
		e.Source.Objective = "reg:squarederror"
		s, err := newSample(e, &lossy.Data{X: []float64{0, 1, 2, 3}, Y: []float64{1, -7, 3, 4}, Weight: []float64{1, 2, 0, 3}})
		require.NoError(t, err)
		g := &greedy{sample: s, reached: s.reached()}
		g.g, g.h = g.curves()
		total := 0.0
		for _, l := range s.total {
			total += l
		}
		for i := range e.Trees {
			require.InDelta(t, g.lossWithout(i)-total, g.cost(i), 1e-9)
		}
	}
}

// Conjugate gradients solve a small system long before they stop.
func TestSolve(t *testing.T) {
	solved := 0
	for seed := range uint64(30) {
		e := nodiff.Shape{Trees: 4, Depth: 3, Outputs: 1, Full: true}.Ensemble(seed)
		e.Source.Objective = "reg:squarederror"
		d := &lossy.Data{X: nodiff.Rows64(e, 40, seed), Y: make([]float64, 40)}
		s, err := newSample(e, d)
		if err != nil { // infinite leaves
			continue
		}
		f := newFit(s, 0.1)
		var b []float64
		b, f.diagonal = f.curves()
		b = f.gather(b)
		x := f.solve(b)
		through := f.spread(x)
		f.bend(through)
		rest := f.gather(through)
		addTo(rest, f.ridge, x)
		addTo(rest, -1, b)
		require.LessOrEqual(t, math.Sqrt(dot(rest, rest)), 1e-3*math.Sqrt(dot(b, b)), "seed %d", seed)
		solved++
	}
	require.Greater(t, solved, 10)
}

// A forest predicts the mean of its trees.
func TestLossOfMean(t *testing.T) {
	l, err := lossOf(lossModels()["RandomForestRegressor, criterion squared_error"].e)
	require.NoError(t, err)
	require.Equal(t, 0.0, l.of([]float64{12}, 3))
	l, err = lossOf(lossModels()["RandomForestClassifier, criterion gini"].e)
	require.NoError(t, err)
	require.Equal(t, 0.0, l.of([]float64{0, 4, 0}, 1))
	require.Equal(t, (0.25+0.25)/2, l.of([]float64{2, 2, 0}, 1))
}

// Large margins do not overflow where the loss itself does not.
func TestLossOfLargeMargins(t *testing.T) {
	require.Equal(t, 1000.0, logistic(1000, 0))
	require.Equal(t, 0.0, logistic(1000, 1))
	require.Equal(t, 1000.0, logistic(-1000, 1))
	require.Equal(t, 2000.0, softmax(2).of([]float64{1000, -1000}, 1))
	require.True(t, math.IsInf(squaredLog(-1, 2), 1))
}

// Of too many rows some are left, all over them, with what belongs to them.
func TestThin(t *testing.T) {
	e := &ir.Ensemble{Features: make([]ir.Feature, 2), Trees: make([]ir.Tree, 5)}
	d := &lossy.Data{X: []float64{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}, Y: []float64{1, 2, 3, 4, 5, 6}}
	d.Weight = d.Y
	few := thin(e, d, 20)
	require.Equal(t, []float64{1, 2, 4, 5}, few.Y)
	require.Equal(t, []float64{1, 2, 4, 5}, few.Weight)
	require.Equal(t, []float64{1, 10, 2, 20, 4, 40, 5, 50}, few.X)
	require.Same(t, d, thin(e, d, 30))
}
