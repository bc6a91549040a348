package metric

import (
	"fmt"
	"math"
	"strings"

	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// byObjective names the metric of each objective of XGBoost that has one: its own
// default (dmlc/xgboost:src/objective, DefaultEvalMetric of 2.0 and later), but for
// three of which the best value depends on the labels: their deviance is the same
// but for a constant, and starts at 0. XGBoost's map is judged by ndcg.
var byObjective = map[string]string{
	"reg:squarederror":     "rmse",
	"reg:linear":           "rmse",
	"reg:squaredlogerror":  "rmsle",
	"reg:pseudohubererror": "mphe",
	"reg:absoluteerror":    "mae",
	"reg:logistic":         "rmse",
	"binary:logistic":      "logloss",
	"binary:logitraw":      "logloss",
	"binary:hinge":         "error",
	"multi:softmax":        "mlogloss",
	"multi:softprob":       "mlogloss",
	"count:poisson":        "poisson-deviance",
	"reg:gamma":            "gamma-deviance",
	"reg:tweedie":          "tweedie-deviance",
	"rank:pairwise":        "ndcg@32",
	"rank:ndcg":            "ndcg@32",
	"rank:map":             "ndcg@32",
}

// byLoss names the metric of a regressor of scikit-learn by its loss.
var byLoss = map[string]string{"absolute_error": "mae", "poisson": "poisson-deviance", "gamma": "gamma-deviance"}

// For returns the metric that fits an ensemble: its trainer's own default.
func For(e *ir.Ensemble) (Metric, error) {
	name, ok := byObjective[e.Source.Objective]
	if len(e.Answers) > 0 {
		name, ok = forAnswers(e)
	}
	switch {
	case ok:
	case strings.Contains(e.Source.Objective, "quantile"):
		return Metric{}, fmt.Errorf("which quantile %s predicts is not known; name the metric, as in quantile@0.9", e.Source.Objective)
	default:
		return Metric{}, fmt.Errorf("no metric is known for %s; name one of %s", e.Source.Objective, strings.Join(Names(), ", "))
	}
	m, err := Named(name)
	if err != nil {
		return Metric{}, err
	}
	return m, m.Check(e)
}

// forAnswers names the metric of a model of scikit-learn.
func forAnswers(e *ir.Ensemble) (name string, ok bool) {
	_, loss, _ := strings.Cut(e.Source.Objective, ", ")
	_, loss, _ = strings.Cut(loss, " ")
	switch {
	case e.Task == ir.Classification && e.Answer("proba") != nil:
		if e.VectorWidth(e.Answer("proba").Vector) == 2 {
			return "logloss", true
		}
		return "mlogloss", true
	case e.Task == ir.Classification:
		return "accuracy", true
	case e.Answer("predict") == nil || loss == "quantile": // an IsolationForest, or which quantile nobody knows
		return "", false
	case byLoss[loss] != "":
		return byLoss[loss], true
	}
	return "rmse", true
}

// NumClasses returns the number of classes of a classifier, and 0 for other
// ensembles.
func NumClasses(e *ir.Ensemble) int {
	switch a := e.Answer("label"); {
	case e.Task != ir.Classification:
		return 0
	case a != nil:
		return len(a.Labels[0].Texts)
	}
	return max(e.Outputs, 2)
}

// Classes returns the names of the classes of e, or nil if its file names none.
func Classes(e *ir.Ensemble) []string {
	if a := e.Answer("label"); a != nil && len(a.Labels) == 1 {
		return a.Labels[0].Texts
	}
	return e.Classes
}

// Check reports why the metric cannot judge the predictions of e.
func (m Metric) Check(e *ir.Ensemble) error {
	k := NumClasses(e)
	refused := func(format string, args ...any) error {
		return fmt.Errorf("metric %s does not fit %s: %s", m.Name, e.Source.Objective, fmt.Sprintf(format, args...))
	}
	switch {
	case e.Task == ir.MultiLabel:
		return refused("a row has several labels; one can be judged")
	case m.Takes == Number && k > 0:
		return refused("it judges numbers, and the model predicts one of %d classes", k)
	case m.Takes == Number && len(e.Answers) > 0 && e.Answer("predict") == nil: // an IsolationForest
		return refused("the model does not predict numbers")
	case m.Takes == Number && e.Width() != max(len(m.at), 1) && m.def.several:
		return refused("it has %d parameters, and the model predicts %d numbers per row", len(m.at), e.Width())
	case m.Takes == Number && e.Width() != 1 && !m.def.several:
		return refused("the model predicts %d numbers per row", e.Width())
	case (m.Takes == Class || m.Takes == Chances) && k == 0 && !m.chances(e):
		return refused("it judges %v, and the model predicts a number", m.Takes)
	case m.Takes == Chance && k != 2 && !m.chances(e):
		return refused("it is for two classes; the model has %d", k)
	case m.Takes == Order && k > 2:
		return refused("it is for two classes; the model has %d", k)
	case m.Takes == Order && k == 0 && e.Width() != 1:
		return refused("the model predicts %d numbers per row", e.Width())
	case (m.Takes == Chance || m.Takes == Chances) && !hasChances(e):
		return refused("the model gives no probabilities")
	}
	return nil
}

// chances reports whether e is a regression of probabilities.
func (m Metric) chances(e *ir.Ensemble) bool {
	return e.Outputs == 1 && (e.Link == ir.Sigmoid || e.Link == ir.SigmoidClamped)
}

func hasChances(e *ir.Ensemble) bool {
	if len(e.Answers) > 0 {
		return e.Answer("proba") != nil
	}
	return e.Link != ir.Step
}

// Predictions returns what the metric judges, width values per row, from the margins
// of rows. x may be empty unless a stage of e needs the rows.
func (m Metric) Predictions(e *ir.Ensemble, margins, x predict.Values) (p []float64, width int) {
	if len(e.Answers) > 0 {
		return m.fromAnswers(e, margins, x)
	}
	k, n := e.Outputs, margins.Len()/e.Outputs
	switch m.Takes {
	case Order:
		return orders(margins, k), 1
	case Class:
		return eachRow(margins, k, 1, classOf), 1
	case Chances:
		return eachRow(margins, k, max(k, 2), chancesOf), max(k, 2)
	case Chance:
		if k == 1 && e.Link != ir.Identity {
			break // the link's own value is the probability
		}
		return eachRow(margins, k, 1, func(dst, m []float64) {
			both := make([]float64, 2)
			chancesOf(both, m)
			dst[0] = both[1]
		}), 1
	}
	width = e.Width()
	out := predict.MakeValues(margins.Type(), n*width)
	interp.New(e).Typed().Answer(0, out, margins, x)
	return out.Float64s(), width
}

// PredictedClasses returns the index of the class that e, a classifier, predicts for each
// row. x is as in Predictions.
func PredictedClasses(e *ir.Ensemble, margins, x predict.Values) []float64 {
	p, _ := Metric{Takes: Class}.Predictions(e, margins, x)
	return p
}

// fromAnswers is Predictions for a model of scikit-learn.
func (m Metric) fromAnswers(e *ir.Ensemble, margins, x predict.Values) ([]float64, int) {
	answer := func(name string) ([]float64, int) {
		for i := range e.Answers {
			if e.Answers[i].Name == name {
				width := e.VectorWidth(e.Answers[i].Vector)
				out := predict.MakeValues(margins.Type(), margins.Len()/e.Outputs*width)
				interp.New(e).Typed().Answer(i, out, margins, x)
				return out.Float64s(), width
			}
		}
		return nil, 0
	}
	switch m.Takes {
	case Chances:
		return answer("proba")
	case Chance:
		p, width := answer("proba")
		return lastColumn(p, width), 1
	case Class:
		return answer("label")
	case Order:
		for _, name := range []string{"decision", "proba", "predict"} {
			if p, width := answer(name); width > 0 && width <= 2 {
				return lastColumn(p, width), 1
			}
		}
	}
	return answer("predict")
}

// lastColumn returns the last of width values of each row.
func lastColumn(p []float64, width int) []float64 {
	if width == 1 {
		return p
	}
	var column []float64
	for i := width - 1; i < len(p); i += width {
		column = append(column, p[i])
	}
	return column
}

// orders returns the margin or, of two, their difference.
func orders(margins predict.Values, k int) []float64 {
	return eachRow(margins, k, 1, func(dst, m []float64) { dst[0] = m[k-1] - truth(k == 2)*m[0] })
}

// eachRow calls f for each row of k margins, to write width values.
func eachRow(margins predict.Values, k, width int, f func(dst, margins []float64)) []float64 {
	n := margins.Len() / k
	out, row := make([]float64, n*width), make([]float64, k)
	for i := range n {
		for j := range row {
			row[j] = margins.At(i*k + j)
		}
		f(out[i*width:(i+1)*width], row)
	}
	return out
}

// classOf writes the index of the class that XGBoost predicts: the first largest
// margin, or whether the only one is above 0.
func classOf(dst, m []float64) {
	if len(m) == 1 {
		dst[0] = truth(m[0] > 0)
		return
	}
	for k := range m {
		if m[k] > m[int(dst[0])] {
			dst[0] = float64(k)
		}
	}
}

// chancesOf writes the probability of each class: the logistic function of one
// margin, the softmax of several.
func chancesOf(dst, m []float64) {
	if len(m) == 1 {
		dst[1] = 1 / (1 + math.Exp(-m[0]))
		dst[0] = 1 / (1 + math.Exp(m[0]))
		return
	}
	most, sum := math.Inf(-1), 0.0
	for _, v := range m {
		most = max(most, v)
	}
	for k, v := range m {
		dst[k] = math.Exp(v - most)
		sum += dst[k]
	}
	for k := range dst {
		dst[k] /= sum
	}
}
