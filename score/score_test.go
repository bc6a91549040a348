package score_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/interp"
	"hew/ir"
	"hew/score"
)

// two returns an ensemble of two outputs with the given link: output 0 is 1 or
// −1 as f0 is below 0.5 or not, output 1 is always 0.25.
func two(link ir.Link, task ir.Task) *ir.Ensemble {
	e := ir.MustParse("(f0<0.5 [1 0.25] [-1 0.25])")
	e.Link, e.Task = link, task
	e.Source = ir.Source{Trainer: "xgboost", Booster: "gbtree", Objective: "some:objective"}
	return e
}

func one(link ir.Link, task ir.Task) *ir.Ensemble {
	e := ir.MustParse("(f0<0.5 1 -1)")
	e.Link, e.Task = link, task
	e.Source = two(link, task).Source
	return e
}

var x = []float32{0, 1, float32(math.NaN())}

func TestShapesAndNames(t *testing.T) {
	for name, c := range map[string]struct {
		e       *ir.Ensemble
		output  string
		shape   []int
		columns []string
	}{
		"one margin":    {one(ir.Identity, ir.Regression), "margin", []int{3}, []string{"margin"}},
		"two margins":   {two(ir.Softmax, ir.Classification), "margin", []int{3, 2}, []string{"margin_0", "margin_1"}},
		"class numbers": {two(ir.Argmax, ir.Classification), "predict", []int{3}, []string{"predict"}},
		"two classes":   {one(ir.Sigmoid, ir.Classification), "proba", []int{3, 2}, []string{"proba_0", "proba_1"}},
		"labels":        {two(ir.Sigmoid, ir.MultiLabel), "label", []int{3, 2}, []string{"label_0", "label_1"}},
		"one tree":      {one(ir.Identity, ir.Regression), "leaf", []int{3}, []string{"tree_0"}},
	} {
		got, err := score.Run(c.e, score.Request{Output: c.output, X: x})
		require.NoError(t, err, name)
		require.Equal(t, c.shape, got.Shape, name)
		require.Equal(t, c.columns, got.Columns, name)
	}
}

func TestValues(t *testing.T) {
	run := func(e *ir.Ensemble, output string) []float32 {
		got, err := score.Run(e, score.Request{Output: output, X: x})
		require.NoError(t, err)
		return got.Float32
	}
	p := run(one(ir.Sigmoid, ir.Classification), "predict")
	require.Equal(t, []float32{1 - p[0], p[0], 1 - p[1], p[1], 1 - p[2], p[2]}, run(one(ir.Sigmoid, ir.Classification), "proba"))
	require.Equal(t, []float32{1, 2, 2}, run(one(ir.Identity, ir.Regression), "leaf"))

	e := two(ir.Softmax, ir.Classification)
	label, err := score.Run(e, score.Request{Output: "label", X: x})
	require.NoError(t, err)
	require.Equal(t, []int32{0, 1, 1}, label.Int32)
	e.Classes = []string{"yes", "no"}
	label, err = score.Run(e, score.Request{Output: "label", X: x})
	require.NoError(t, err)
	require.Equal(t, []string{"yes", "no", "no"}, label.Text)
	proba, err := score.Run(e, score.Request{Output: "proba", X: x})
	require.NoError(t, err)
	require.Equal(t, []string{"proba_yes", "proba_no"}, proba.Columns)

	several, err := score.Run(two(ir.Sigmoid, ir.MultiLabel), score.Request{Output: "label", X: x})
	require.NoError(t, err)
	require.Equal(t, []int32{1, 1, 0, 1, 0, 1}, several.Int32)
}

// A base margin takes the place of the ensemble's own in every output that
// depends on it.
func TestBaseMargin(t *testing.T) {
	r := score.Request{X: x, Base: []float32{0, 10, 10}}
	for output, want := range map[string][]float32{"margin": {1, 9, 9}, "predict": {1, 1, 1}} {
		r.Output = output
		got, err := score.Run(one(ir.Step, ir.Classification), r)
		require.NoError(t, err)
		require.Equal(t, want, got.Float32)
	}
	r.Output = "label"
	got, err := score.Run(one(ir.Step, ir.Classification), r)
	require.NoError(t, err)
	require.Equal(t, []int32{1, 1, 1}, got.Int32)
	r.Base = r.Base[:2]
	_, err = score.Run(one(ir.Step, ir.Classification), r)
	require.EqualError(t, err, "base margin of 2 values for 3 rows × 1 outputs")
}

// Rows are scored in blocks by several goroutines, each where it belongs.
func TestManyRows(t *testing.T) {
	e := one(ir.Identity, ir.Regression)
	many := make([]float32, 5000)
	for i := range many {
		many[i] = float32(i%7) / 7
	}
	want := make([]float32, len(many))
	interp.New(e).Margin(want, many)
	got, err := score.Run(e, score.Request{Output: "margin", X: many})
	require.NoError(t, err)
	require.Equal(t, want, got.Float32)

	none, err := score.Run(e, score.Request{Output: "margin", X: nil})
	require.NoError(t, err)
	require.NotNil(t, none.Float32)
	require.Equal(t, []int{0}, none.Shape)
}

func TestRefusals(t *testing.T) {
	linear := one(ir.Identity, ir.Regression)
	linear.Trees, linear.Rounds, linear.Source.Booster = nil, nil, "gblinear"
	linear.Linear = &ir.Linear{Weights: []float64{1}, Bias: []float64{0}}
	for output, c := range map[string]struct {
		e    *ir.Ensemble
		want string
	}{
		"decision": {one(ir.Identity, ir.Regression), "xgboost models have no decision function; ask for margin"},
		"contrib":  {one(ir.Identity, ir.Regression), "output contrib (SHAP values) is not supported yet"},
		"lable":    {one(ir.Identity, ir.Regression), `unknown output "lable"; there are predict, proba, margin, label and leaf`},
		"label":    {one(ir.Identity, ir.Regression), "some:objective has no classes; ask for predict"},
		"proba":    {one(ir.Step, ir.Classification), "some:objective gives no probabilities; ask for predict"},
		"leaf":     {linear, "a gblinear model without trees has no leaves"},
	} {
		_, err := score.Run(c.e, score.Request{Output: output, X: x})
		require.EqualError(t, err, c.want)
	}
}
