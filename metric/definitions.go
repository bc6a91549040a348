package metric

import (
	"errors"
	"fmt"
	"math"
)

// definitions lists the metrics.
var definitions = []definition{
	{name: "logloss", takes: Chance, smaller: true, label: oneOfTwo,
		doc:   "negative log-likelihood of two classes; probabilities are kept 1e-16 away from 0 and 1, as XGBoost does",
		judge: averaged(func(_ []float64, y float64, p []float64) float64 { return logLoss(y, p[0]) })},
	{name: "error", takes: Class, smaller: true, label: class,
		doc: "share of rows of which the predicted class is wrong", judge: averaged(wrong)},
	{name: "accuracy", takes: Class, label: class,
		doc: "share of rows of which the predicted class is right", judge: averaged(right)},
	{name: "auc", takes: Order, label: oneOfTwo,
		doc: "area under the ROC curve of two classes; a tie counts half", judge: judgeAUC},
	{name: "mlogloss", takes: Chances, smaller: true, label: class,
		doc: "negative log-likelihood of several classes; probabilities are at least 1e-16, as for XGBoost", judge: averaged(multiLogLoss)},
	{name: "merror", takes: Class, smaller: true, label: class,
		doc: "error, by XGBoost's name for several classes", judge: averaged(wrong)},
	{name: "rmse", takes: Number, smaller: true,
		doc: "root of the mean squared error", judge: rooted(squared)},
	{name: "rmsle", takes: Number, smaller: true, label: above(-1),
		doc: "root of the mean squared difference of log(1 + value)", judge: rooted(squaredLog)},
	{name: "mae", takes: Number, smaller: true,
		doc: "mean absolute error", judge: averaged(absolute)},
	{name: "mphe", takes: Number, smaller: true, param: "slope", preset: 1, optional: true, allowed: positive,
		doc: "mean pseudo-Huber error", judge: averaged(pseudoHuber)},
	{name: "poisson-deviance", takes: Number, smaller: true, label: from(0),
		doc: "mean Poisson deviance", judge: averaged(func(_ []float64, y float64, p []float64) float64 { return deviance(1, y, p[0]) })},
	{name: "gamma-deviance", takes: Number, smaller: true, label: above(0),
		doc: "mean gamma deviance", judge: averaged(func(_ []float64, y float64, p []float64) float64 { return deviance(2, y, p[0]) })},
	{name: "tweedie-deviance", takes: Number, smaller: true, label: from(0), param: "power", preset: 1.5, optional: true, allowed: between(1, 2),
		doc: "mean Tweedie deviance", judge: averaged(func(at []float64, y float64, p []float64) float64 { return deviance(at[0], y, p[0]) })},
	{name: "poisson-nloglik", takes: Number, smaller: true, label: from(0),
		doc: "negative log-likelihood of a Poisson distribution, as XGBoost's", judge: averaged(poissonLikelihood)},
	{name: "gamma-nloglik", takes: Number, smaller: true, label: above(0),
		doc: "negative log-likelihood of a gamma distribution, as XGBoost's", judge: averaged(gammaLikelihood)},
	{name: "tweedie-nloglik", takes: Number, smaller: true, label: from(0), param: "power", preset: 1.5, optional: true, allowed: between(1, 2),
		doc: "negative log-likelihood of a Tweedie distribution, as XGBoost's", judge: averaged(tweedieLikelihood)},
	{name: "quantile", takes: Number, smaller: true, param: "alpha", several: true, allowed: between(0, 1),
		doc: "pinball loss of a quantile, or the mean over several", judge: averaged(pinball)},
	{name: "expectile", takes: Number, smaller: true, param: "alpha", several: true, allowed: between(0, 1),
		doc: "asymmetric squared error of an expectile, or the mean over several", judge: averaged(asymmetric)},
	{name: "ndcg", takes: Order, label: grade, param: "k", preset: math.Inf(1), optional: true, allowed: whole,
		doc:   "normalised discounted cumulative gain of the first k rows of a query, gain 2^label−1 as XGBoost's, averaged over ties as scikit-learn does; 1 for a query without relevant rows, of which XGBoost forgets the weight",
		judge: judgeNDCG},
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }
func whole(v float64) bool    { return v >= 1 && v <= 1e9 && v == math.Trunc(v) }
func between(low, high float64) func(float64) bool {
	return func(v float64) bool { return v > low && v < high }
}

func oneOfTwo(y float64) error {
	if y != 0 && y != 1 {
		return fmt.Errorf("label %v is not 0 or 1", y)
	}
	return nil
}

func class(y float64) error {
	if y < 0 || y != math.Trunc(y) {
		return fmt.Errorf("label %v is not the number of a class", y)
	}
	return nil
}

func above(low float64) func(float64) error {
	return func(y float64) error {
		if y <= low {
			return fmt.Errorf("label %v is not above %v", y, low)
		}
		return nil
	}
}

func from(low float64) func(float64) error {
	return func(y float64) error {
		if y < low {
			return fmt.Errorf("label %v is below %v", y, low)
		}
		return nil
	}
}

// grade reports a label of which the gain, or a sum of such gains, is no number any more.
func grade(y float64) error {
	if y > 1000 {
		return fmt.Errorf("label %v is above 1000: its gain, 2^label−1, is too large", y)
	}
	return from(0)(y)
}

// A rowLoss is what a row adds to a mean: y is its label, p what was predicted.
type rowLoss func(at []float64, y float64, p []float64) float64

// leastChance keeps logarithms finite
// (dmlc/xgboost:src/metric/elementwise_metric.cu, EvalRowLogLoss).
const leastChance = 1e-16

func logLoss(y, p float64) float64 {
	if y == 0 {
		p = 1 - p
	}
	return -math.Log(max(p, leastChance))
}

func multiLogLoss(_ []float64, y float64, p []float64) float64 {
	return -math.Log(max(p[int(y)], leastChance))
}

func wrong(_ []float64, y float64, p []float64) float64 { return truth(p[0] != y) }
func right(_ []float64, y float64, p []float64) float64 { return truth(p[0] == y) }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func squared(_ []float64, y float64, p []float64) float64  { return (p[0] - y) * (p[0] - y) }
func absolute(_ []float64, y float64, p []float64) float64 { return math.Abs(p[0] - y) }

func squaredLog(_ []float64, y float64, p []float64) float64 {
	d := math.Log1p(p[0]) - math.Log1p(y)
	return d * d
}

func pseudoHuber(at []float64, y float64, p []float64) float64 {
	d := (p[0] - y) / at[0]
	return at[0] * at[0] * (math.Sqrt(1+d*d) - 1)
}

// deviance is the unit deviance of the Tweedie family: of power 1 Poisson, of 2
// gamma (scikit-learn:sklearn/metrics/_regression.py, _mean_tweedie_deviance). A
// prediction that is not positive is infinitely wrong.
func deviance(power, y, p float64) float64 {
	switch {
	case !(p > 0):
		return math.Inf(1)
	case power == 1:
		return 2 * (xLogY(y, y/p) - y + p)
	case power == 2:
		return 2 * (math.Log(p/y) + y/p - 1)
	}
	return 2 * (math.Pow(y, 2-power)/((1-power)*(2-power)) - y*math.Pow(p, 1-power)/(1-power) + math.Pow(p, 2-power)/(2-power))
}

// xLogY returns x·log(y), and 0 for x = 0.
func xLogY(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}

func poissonLikelihood(_ []float64, y float64, p []float64) float64 {
	g, _ := math.Lgamma(y + 1)
	at := max(p[0], 1e-16)
	return g + at - math.Log(at)*y
}

func gammaLikelihood(_ []float64, y float64, p []float64) float64 {
	at := max(p[0], 1e-6)
	return y/at + math.Log(at)
}

func tweedieLikelihood(at []float64, y float64, p []float64) float64 {
	v := max(p[0], 1e-16)
	return -y*math.Pow(v, 1-at[0])/(1-at[0]) + math.Pow(v, 2-at[0])/(2-at[0])
}

func pinball(at []float64, y float64, p []float64) float64 {
	sum := 0.0
	for k, alpha := range at {
		if d := y - p[k]; d >= 0 {
			sum += alpha * d
		} else {
			sum += (alpha - 1) * d
		}
	}
	return sum / float64(len(at))
}

func asymmetric(at []float64, y float64, p []float64) float64 {
	sum := 0.0
	for k, alpha := range at {
		d := y - p[k]
		if d < 0 {
			alpha = 1 - alpha
		}
		sum += alpha * d * d
	}
	return sum / float64(len(at))
}

var errNoWeight = errors.New("the weights of all rows are 0")
