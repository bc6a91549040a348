package score_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/interp"
	"hew/ir"
	"hew/predict"
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

var x = predict.ValuesOf([]float32{0, 1, float32(math.NaN())})

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
	require.Equal(t, []int64{0, 1, 1}, label.Int64)
	e.Classes = []string{"yes", "no"}
	label, err = score.Run(e, score.Request{Output: "label", X: x})
	require.NoError(t, err)
	require.Equal(t, []string{"yes", "no", "no"}, label.Text)
	proba, err := score.Run(e, score.Request{Output: "proba", X: x})
	require.NoError(t, err)
	require.Equal(t, []string{"proba_yes", "proba_no"}, proba.Columns)

	several, err := score.Run(two(ir.Sigmoid, ir.MultiLabel), score.Request{Output: "label", X: x})
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1, 0, 1, 0, 1}, several.Int64)
}

// A base margin takes the place of the ensemble's own in every output that
// depends on it.
func TestBaseMargin(t *testing.T) {
	r := score.Request{X: x, Base: predict.ValuesOf([]float32{0, 10, 10})}
	for output, want := range map[string][]float32{"margin": {1, 9, 9}, "predict": {1, 1, 1}} {
		r.Output = output
		got, err := score.Run(one(ir.Step, ir.Classification), r)
		require.NoError(t, err)
		require.Equal(t, want, got.Float32)
	}
	r.Output = "label"
	got, err := score.Run(one(ir.Step, ir.Classification), r)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 1, 1}, got.Int64)
	r.Base = r.Base.Slice(0, 2)
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
	got, err := score.Run(e, score.Request{Output: "margin", X: predict.ValuesOf(many)})
	require.NoError(t, err)
	require.Equal(t, want, got.Float32)

	none, err := score.Run(e, score.Request{Output: "margin"})
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
		"score":    {one(ir.Identity, ir.Regression), "xgboost models have no output score; ask for predict"},
		"contrib":  {one(ir.Identity, ir.Regression), "output contrib (SHAP values) is not supported yet"},
		"lable":    {one(ir.Identity, ir.Regression), `unknown output "lable" (did you mean "label"?)`},
		"shap":     {one(ir.Identity, ir.Regression), `unknown output "shap"; there are predict, proba, decision, score, label, margin, leaf`},
		"label":    {one(ir.Identity, ir.Regression), "some:objective has no classes; ask for predict"},
		"proba":    {one(ir.Step, ir.Classification), "some:objective gives no probabilities; ask for predict"},
		"leaf":     {linear, "a gblinear model without trees has no leaves"},
	} {
		_, err := score.Run(c.e, score.Request{Output: output, X: x})
		require.EqualError(t, err, c.want)
	}
}

// A counter is an engine that counts the rows it is asked about.
type counter struct {
	interp.Typed
	margins, leaves, bases atomic.Int64
}

func (c *counter) Margin(dst, x predict.Values) {
	c.margins.Add(int64(x.Len()))
	c.Typed.Margin(dst, x)
}

func (c *counter) MarginFrom(dst, x, base predict.Values) {
	c.bases.Add(int64(x.Len()))
	c.Typed.MarginFrom(dst, x, base)
}

func (c *counter) Leaf(dst []int32, x predict.Values) {
	c.leaves.Add(int64(x.Len()))
	c.Typed.Leaf(dst, x)
}

// Every output comes from the engine of the request.
func TestEngine(t *testing.T) {
	e := one(ir.Sigmoid, ir.Classification)
	for output, base := range map[string][]float32{"predict": nil, "proba": nil, "margin": nil, "label": nil, "leaf": nil, "margin from": {1, 2, 3}} {
		c := &counter{Typed: interp.New(e).Typed()}
		output, _, _ := strings.Cut(output, " ")
		r := score.Request{Output: output, X: x, Base: predict.Values{F32: base}}
		want, err := score.Run(e, r)
		require.NoError(t, err)
		r.Engine = c
		got, err := score.Run(e, r)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.EqualValues(t, x.Len(), c.margins.Load()+c.leaves.Load()+c.bases.Load(), output)
		require.Equal(t, output == "leaf", c.leaves.Load() > 0)
		require.Equal(t, base != nil, c.bases.Load() > 0)
	}
}

func TestRounds(t *testing.T) {
	e := ir.MustParse("(f0<0.5 1 -1)", "(f0<0.5 2 -2)", "(f0<0.5 4 -4)")
	e.Rounds = []int32{0, 1, 2, 3}
	for text, trees := range map[string]int{"0:0": 3, ":": 3, "0:3": 3, "1:": 2, ":2": 2, "1:2": 1, "2:2": 0} {
		r, err := score.ParseRounds(text)
		require.NoError(t, err, text)
		of, err := r.Of(e)
		require.NoError(t, err, text)
		require.Len(t, of.Trees, trees, text)
	}
	for _, text := range []string{"", "5", "a:b", "1:b", "1:2:3", "1.5:2"} {
		_, err := score.ParseRounds(text)
		require.EqualError(t, err, strconv.Quote(text)+" is not a range A:B")
	}
	for _, r := range []score.Rounds{{0, 4}, {2, 1}, {-1, 2}, {0, -1}} {
		_, err := r.Of(e)
		require.Error(t, err, r)
	}
	e.BestRound = 1
	for output, want := range map[string]score.Rounds{"predict": {}, "margin": {}, "leaf": {}, "proba": {0, 2}, "label": {0, 2}} {
		require.Equal(t, want, score.DefaultRounds(e, output), output)
	}
	e.BestRound = 2 // the last one
	require.Equal(t, score.Rounds{}, score.DefaultRounds(e, "proba"))
}

func TestReadBase(t *testing.T) {
	data, err := os.ReadFile("../testdata/golden-xgboost/xgboost-3.2-transform-sweep-softmax/base_margin.npy")
	require.NoError(t, err)
	a, err := npy.Read(bytes.NewReader(data))
	require.NoError(t, err)
	rows, outputs := a.Shape[0], a.Shape[1]
	base, err := score.ReadBase(bytes.NewReader(data), rows, outputs, predict.Float32)
	require.NoError(t, err)
	require.Equal(t, rows*outputs, base.Len())
	_, err = score.ReadBase(bytes.NewReader(data), rows+1, outputs, predict.Float32)
	require.EqualError(t, err, fmt.Sprintf("base margin of shape [%d %d] for %d rows and %d outputs", rows, outputs, rows+1, outputs))
	_, err = score.ReadBase(bytes.NewReader(data[:50]), rows, outputs, predict.Float32)
	require.Error(t, err)
}

// An XGBoost model behind a pipeline of scikit-learn takes float64 rows and gives
// float32 numbers, the same in each output.
func TestFloat64Rows(t *testing.T) {
	for output, want := range map[string]int{"predict": 3, "proba": 6, "margin": 3, "label": 3, "leaf": 3} {
		e := one(ir.Sigmoid, ir.Classification)
		single, err := score.Run(e, score.Request{Output: output, X: x})
		require.NoError(t, err)
		e.Input = ir.Double
		require.NoError(t, e.Verify())
		base := predict.ValuesOf(make([]float32, 3))
		for _, r := range []score.Request{{X: predict.ValuesOf([]float64{0, 1, math.NaN()})}, {X: predict.ValuesOf([]float64{0, 1, math.NaN()}), Base: base}} {
			r.Output = output
			got, err := score.Run(e, r)
			require.NoError(t, err)
			require.Equal(t, single, got)
			require.Equal(t, want, len(got.Float32)+len(got.Int64))
		}
	}
}

// Classes that are called by their numbers are numbers.
func TestNumberedClasses(t *testing.T) {
	e := two(ir.Softmax, ir.Classification)
	e.Classes = []string{"0", "1"}
	label, err := score.Run(e, score.Request{Output: "label", X: x})
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1, 1}, label.Int64)
	require.Equal(t, []string{"label"}, label.Columns)
}
