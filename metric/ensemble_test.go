package metric_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/metric"
	"hew/predict"
)

// eachGolden calls f for every recorded model, once.
func eachGolden(t *testing.T, f func(t *testing.T, e *ir.Ensemble)) {
	n := 0
	for _, pattern := range []string{"golden-xgboost/*/model.json", "golden-sklearn/*/model.*", "golden-wrapped/*/model.*"} {
		files, err := filepath.Glob("../testdata/" + pattern)
		require.NoError(t, err)
		for _, file := range files {
			e, err := load.File(file)
			require.NoError(t, err, file)
			n++
			t.Run(strings.TrimPrefix(file, "../testdata/"), func(t *testing.T) { f(t, e) })
		}
	}
	require.Greater(t, n, 200)
}

// defaults are the metrics of objectives of XGBoost; "" means that there is none.
var defaults = map[string]string{
	"reg:squarederror": "rmse", "reg:logistic": "rmse", "reg:squaredlogerror": "rmsle", "reg:pseudohubererror": "mphe", "reg:absoluteerror": "mae",
	"binary:logistic": "logloss", "binary:logitraw": "logloss", "binary:hinge": "error", "multi:softmax": "mlogloss", "multi:softprob": "mlogloss",
	"count:poisson": "poisson-deviance", "reg:gamma": "gamma-deviance", "reg:tweedie": "tweedie-deviance",
	"rank:pairwise": "ndcg@32", "rank:ndcg": "ndcg@32", "rank:map": "ndcg@32",
	"reg:quantileerror": "", "survival:aft": "", "survival:cox": "",
}

// TestFor: every recorded model has a metric, or a reason why it has none.
func TestFor(t *testing.T) {
	eachGolden(t, func(t *testing.T, e *ir.Ensemble) {
		m, err := metric.For(e)
		want, known := defaults[e.Source.Objective]
		switch {
		case e.Task == ir.MultiLabel:
			require.Error(t, err)
		case e.Task == ir.Regression && e.Width() > 1:
			require.Error(t, err)
		case e.Source.Trainer == "xgboost":
			require.True(t, known, "%s is in no table", e.Source.Objective)
			require.Equal(t, want == "", err != nil)
		case strings.Contains(e.Source.Objective, "quantile"):
			require.EqualError(t, err, "which quantile "+e.Source.Objective+" predicts is not known; name the metric, as in quantile@0.9")
		case strings.Contains(e.Source.Objective, "IsolationForest"):
			require.ErrorContains(t, err, "no metric is known for "+e.Source.Objective+"; name one of logloss, ")
		default:
			require.NoError(t, err)
			want = forSklearn(e)
		}
		if err == nil {
			require.Equal(t, want, m.Name)
			require.NoError(t, m.Check(e))
		}
	})
}

func forSklearn(e *ir.Ensemble) string {
	objective := e.Source.Objective
	switch {
	case e.Task == ir.Classification && metric.NumClasses(e) == 2:
		return "logloss"
	case e.Task == ir.Classification:
		return "mlogloss"
	case strings.Contains(objective, "loss absolute_error"):
		return "mae"
	case strings.Contains(objective, "loss poisson"), strings.Contains(objective, "loss gamma"):
		return strings.Fields(objective)[2] + "-deviance"
	}
	return "rmse"
}

// TestPredictions: what a metric judges is what the interpreter answers.
func TestPredictions(t *testing.T) {
	eachGolden(t, func(t *testing.T, e *ir.Ensemble) {
		const n = 60
		x := nodiff.Rows(e, n, 3)
		margins := predict.MakeValues(typeOf(e.Sum), n*e.Outputs)
		interp.New(e).Typed().Margin(margins, x)
		judged := 0
		for _, name := range []string{"rmse", "logloss", "mlogloss", "error", "auc"} {
			m, err := metric.Named(name)
			require.NoError(t, err)
			if m.Check(e) != nil {
				continue
			}
			judged++
			p, width := m.Predictions(e, margins, x)
			require.NotZero(t, width, "%s has nothing to judge", name)
			require.Len(t, p, n*width)
			requireAnswers(t, e, m, p, width, margins, x)
		}
		require.True(t, judged > 0 || e.Task == ir.MultiLabel || e.Width() > 1, "nothing judges it")
	})
}

func typeOf(p ir.Precision) predict.Type {
	if p == ir.Double {
		return predict.Float64
	}
	return predict.Float32
}

// requireAnswers requires that p, width values per row, are what e answers.
func requireAnswers(t *testing.T, e *ir.Ensemble, m metric.Metric, p []float64, width int, margins, x predict.Values) {
	answer := answers(e, margins, x)
	for i := range len(p) / width {
		if !finite(margins, i, e.Outputs) {
			continue
		}
		row := p[i*width : (i+1)*width]
		switch {
		case m.Takes == metric.Number:
			requireClose(t, answer("predict", i)[0], row[0])
		case m.Takes == metric.Chance:
			proba := answer("proba", i)
			requireClose(t, proba[len(proba)-1], row[0])
		case m.Takes == metric.Chances:
			proba := answer("proba", i)
			if len(proba) == 1 && width == 2 {
				proba = []float64{1 - proba[0], proba[0]}
			}
			for k := range row {
				requireClose(t, proba[k], row[k])
			}
		case m.Takes == metric.Class && len(e.Answers) > 0:
			require.Equal(t, answer("label", i)[0], row[0])
		case m.Takes == metric.Class:
			requireLikeliest(t, answer("proba", i), row[0])
		case m.Takes == metric.Order:
			require.Equal(t, 1, width)
		}
	}
	if m.Takes == metric.Order && metric.NumClasses(e) == 2 && answer("proba", 0) != nil && e.Link != ir.Step {
		requireOrder(t, p, func(i int) bool { return finite(margins, i, e.Outputs) }, func(i int) float64 { proba := answer("proba", i); return proba[len(proba)-1] })
	}
}

// answers returns what answers an answer for row i. An XGBoost model's chances are what
// its link gives.
func answers(e *ir.Ensemble, margins, x predict.Values) func(name string, i int) []float64 {
	n := margins.Len() / e.Outputs
	of := func(at, width int) predict.Values {
		out := predict.MakeValues(margins.Type(), n*width)
		interp.New(e).Typed().Answer(at, out, margins, x)
		return out
	}
	known := map[string]predict.Values{}
	width := map[string]int{}
	if len(e.Answers) == 0 {
		known["predict"], width["predict"] = of(0, e.Width()), e.Width()
		known["proba"], width["proba"] = known["predict"], e.Width()
	}
	for at, a := range e.Answers {
		width[a.Name] = e.VectorWidth(a.Vector)
		known[a.Name] = of(at, width[a.Name])
	}
	return func(name string, i int) []float64 {
		if width[name] == 0 {
			return nil
		}
		row := make([]float64, width[name])
		for k := range row {
			row[k] = known[name].At(i*len(row) + k)
		}
		if name == "proba" && e.Link == ir.Identity && len(e.Answers) == 0 { // binary:logitraw
			row[0] = 1 / (1 + math.Exp(-row[0]))
		}
		if name == "proba" && e.Link == ir.Argmax { // multi:softmax
			return softmax(margins, i, e.Outputs)
		}
		return row
	}
}

func softmax(margins predict.Values, i, k int) []float64 {
	p, sum := make([]float64, k), 0.0
	for j := range p {
		p[j] = math.Exp(margins.At(i*k + j))
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
	return p
}

// finite reports whether no margin of row i is NaN or infinite, as those of linear models
// of infinite features are.
func finite(margins predict.Values, i, k int) bool {
	for j := range k {
		if v := margins.At(i*k + j); v-v != 0 {
			return false
		}
	}
	return true
}

// requireClose requires equality up to what float32 rounds away.
func requireClose(t *testing.T, want, got float64) {
	if want != got && !(math.IsNaN(want) && math.IsNaN(got)) {
		require.InDelta(t, want, got, 3e-7*max(1, math.Abs(want)))
	}
}

// requireLikeliest requires that class is one of the likeliest.
func requireLikeliest(t *testing.T, chances []float64, class float64) {
	if len(chances) == 1 {
		chances = []float64{1 - chances[0], chances[0]}
	}
	for _, p := range chances {
		require.GreaterOrEqual(t, chances[int(class)]+1e-6, p)
	}
}

// requireOrder requires that p orders rows as chances do.
func requireOrder(t *testing.T, p []float64, ok func(i int) bool, chance func(i int) float64) {
	for i := range p {
		for j := range p {
			if a, b := chance(i), chance(j); ok(i) && ok(j) && a > b+1e-6 {
				require.Greater(t, p[i], p[j])
			}
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct{ model, metric, want string }{
		{"xgboost-3.2-binary-logistic-higgs", "rmse", "metric rmse does not fit binary:logistic: it judges numbers, and the model predicts one of 2 classes"},
		{"xgboost-3.2-binary-logistic-higgs", "quantile@0.5", "metric quantile@0.5 does not fit binary:logistic: it judges numbers, and the model predicts one of 2 classes"},
		{"xgboost-3.2-multi-softprob-covtype", "logloss", "metric logloss does not fit multi:softprob: it is for two classes; the model has 7"},
		{"xgboost-3.2-multi-softprob-covtype", "auc", "metric auc does not fit multi:softprob: it is for two classes; the model has 7"},
		{"xgboost-3.2-approx", "logloss", "metric logloss does not fit reg:squarederror: it is for two classes; the model has 0"},
		{"xgboost-3.2-approx", "accuracy", "metric accuracy does not fit reg:squarederror: it judges classes, and the model predicts a number"},
		{"xgboost-3.2-approx", "quantile@0.1,0.9", "metric quantile@0.1,0.9 does not fit reg:squarederror: it has 2 parameters, and the model predicts 1 numbers per row"},
		{"xgboost-3.1-multi-output-vector-leaf", "rmse", "metric rmse does not fit reg:squarederror: the model predicts 3 numbers per row"},
		{"xgboost-3.1-multi-output-vector-leaf", "auc", "metric auc does not fit reg:squarederror: the model predicts 3 numbers per row"},
	} {
		e, err := load.File("../testdata/golden-xgboost/" + c.model + "/model.json")
		require.NoError(t, err)
		m, err := metric.Named(c.metric)
		require.NoError(t, err)
		require.EqualError(t, m.Check(e), c.want)
	}
}

// TestClasses names what labels are called.
func TestClasses(t *testing.T) {
	named := func(file string) []string {
		e, err := load.File("../testdata/" + file)
		require.NoError(t, err)
		return metric.Classes(e)
	}
	require.Nil(t, named("golden-xgboost/xgboost-3.2-binary-logistic-higgs/model.json"))
	require.Len(t, named("golden-sklearn/sklearn-1.6-gb-classifier-multi/model.pkl"), 5)
}
