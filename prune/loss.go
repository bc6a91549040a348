package prune

import (
	"fmt"
	"math"
	"strings"

	"hew/ir"
)

// A loss is what a model was trained to make small: a function of a row's margins m and
// its label y. Terms that depend on the label alone are left out.
type loss struct {
	of func(m []float64, y float64) float64

	// curve writes the first derivatives by each margin to g and the second ones to h, 0
	// in place of negative ones; it is nil for a loss of straight pieces.
	curve func(m []float64, y float64, g, h []float64)

	// softmax says that the second derivatives by two margins j ≠ k are −p[j]·p[k] for
	// the probabilities p; those of other losses are 0.
	softmax bool

	labels labels
}

// labels are the labels that a loss is defined for.
type labels struct {
	are string
	ok  func(y float64) bool
}

var (
	numbers     = labels{"a number", func(y float64) bool { return !math.IsInf(y, 0) }}
	notNegative = labels{"a number of at least 0", func(y float64) bool { return y >= 0 && !math.IsInf(y, 0) }}
	above0      = labels{"a number above 0", func(y float64) bool { return y > 0 && !math.IsInf(y, 0) }}
	chances     = labels{"between 0 and 1", func(y float64) bool { return y >= 0 && y <= 1 }}
)

// classes are labels that are the indices of so many classes.
func classes(n int) labels {
	return labels{fmt.Sprintf("one of the classes 0 to %d", n-1), func(y float64) bool { return y >= 0 && y < float64(n) && y == math.Floor(y) }}
}

// check reports a label that y cannot be.
func (l *loss) check(y float64) error {
	if y != y || !l.labels.ok(y) {
		return fmt.Errorf("label %v is not %s", y, l.labels.are)
	}
	return nil
}

// checkCurve reports a loss that says nothing of how far to move a margin.
func (l *loss) checkCurve(e *ir.Ensemble) error {
	if l.curve == nil {
		return fmt.Errorf("the loss of %s has no curvature to fit leaves by", e.Source.Objective)
	}
	return nil
}

// lossOf returns the loss of e's objective, or the reason why it has none that one label
// for each row decides.
func lossOf(e *ir.Ensemble) (*loss, error) {
	objective := e.Source.Objective
	if e.Task == ir.MultiLabel {
		return nil, fmt.Errorf("%s answers several questions about a row, and each row has one label", objective)
	}
	if len(e.Answers) > 0 {
		if CheckRounds(e) != nil {
			return meanLoss(e)
		}
		_, objective, _ = strings.Cut(objective, "loss ")
	}
	if isLogLoss(objective) && e.Outputs > 1 && e.Task == ir.Classification {
		return softmax(e.Outputs), nil
	}
	l := lossNamed(objective)
	switch {
	case l == nil:
		return nil, fmt.Errorf("no loss of single rows is known for %s; truncate, min-cover and epsilon need none", e.Source.Objective)
	case e.Outputs != 1:
		return nil, fmt.Errorf("%s has %d outputs, and each row one label", e.Source.Objective, e.Outputs)
	}
	return l, nil
}

// isLogLoss reports whether an objective is the log loss of classes: names of XGBoost and
// of all versions of scikit-learn.
func isLogLoss(objective string) bool {
	switch objective {
	case "multi:softmax", "multi:softprob", "log_loss", "deviance", "auto", "binary_crossentropy", "categorical_crossentropy":
		return true
	}
	return false
}

// lossNamed returns the loss of one margin that an objective of XGBoost or a loss of
// scikit-learn's gradient boosting is, or nil.
func lossNamed(objective string) *loss {
	switch objective {
	case "reg:squarederror", "reg:linear", "squared_error", "least_squares", "ls":
		return single(numbers, squared, squaredCurve)
	case "reg:squaredlogerror":
		return single(notNegative, squaredLog, squaredLogCurve)
	case "reg:pseudohubererror":
		return single(numbers, pseudoHuber, pseudoHuberCurve)
	case "reg:absoluteerror", "absolute_error", "least_absolute_deviation", "lad":
		return single(numbers, func(m, y float64) float64 { return math.Abs(m - y) }, nil)
	case "binary:hinge":
		return single(classes(2), func(m, y float64) float64 { return max(0, 1-(2*y-1)*m) }, nil)
	case "exponential":
		return single(classes(2), exponential, exponentialCurve)
	case "count:poisson", "poisson":
		return single(notNegative, poisson, poissonCurve)
	case "reg:gamma", "gamma":
		return single(above0, gamma, gammaCurve)
	case "reg:tweedie":
		return single(notNegative, tweedie, tweedieCurve)
	case "reg:logistic", "binary:logistic", "binary:logitraw":
		return single(chances, logistic, logisticCurve)
	}
	if isLogLoss(objective) {
		return single(chances, logistic, logisticCurve)
	}
	return nil
}

// single is a loss of one margin.
func single(y labels, of func(m, y float64) float64, curve func(m, y float64) (g, h float64)) *loss {
	l := &loss{labels: y, of: func(m []float64, y float64) float64 { return of(m[0], y) }}
	if curve != nil {
		l.curve = func(m []float64, y float64, g, h []float64) { g[0], h[0] = curve(m[0], y) }
	}
	return l
}

func squared(m, y float64) float64             { return (m - y) * (m - y) / 2 }
func squaredCurve(m, y float64) (g, h float64) { return m - y, 1 }
func logistic(m, y float64) float64            { return math.Log1p(math.Exp(-math.Abs(m))) + max(m, 0) - y*m }
func poisson(m, y float64) float64             { return math.Exp(m) - y*m }
func poissonCurve(m, y float64) (g, h float64) { return math.Exp(m) - y, math.Exp(m) }
func gamma(m, y float64) float64               { return m + y*math.Exp(-m) }
func gammaCurve(m, y float64) (g, h float64)   { return 1 - y*math.Exp(-m), y * math.Exp(-m) }
func exponential(m, y float64) float64         { return math.Exp(-(2*y - 1) * m) }
func pseudoHuber(m, y float64) float64         { return math.Sqrt(1+(m-y)*(m-y)) - 1 }

func logisticCurve(m, y float64) (g, h float64) {
	p := 1 / (1 + math.Exp(-m))
	return p - y, p * (1 - p)
}

func exponentialCurve(m, y float64) (g, h float64) {
	h = exponential(m, y)
	return -(2*y - 1) * h, h
}

func pseudoHuberCurve(m, y float64) (g, h float64) {
	root := math.Sqrt(1 + (m-y)*(m-y))
	return (m - y) / root, 1 / (root * root * root)
}

// tweedie is the deviance at variance power 1.5, XGBoost's default: the power that a
// model was trained with is not part of an ensemble.
func tweedie(m, y float64) float64 { return 2*y*math.Exp(-m/2) + 2*math.Exp(m/2) }

func tweedieCurve(m, y float64) (g, h float64) {
	a, b := y*math.Exp(-m/2), math.Exp(m/2)
	return b - a, (a + b) / 2
}

// squaredLog is not convex: far above the label its second derivative is negative.
func squaredLog(m, y float64) float64 {
	if m <= -1 {
		return math.Inf(1)
	}
	d := math.Log1p(m) - math.Log1p(y)
	return d * d / 2
}

func squaredLogCurve(m, y float64) (g, h float64) {
	d := math.Log1p(m) - math.Log1p(y)
	return d / (m + 1), max(0, (1-d)/((m+1)*(m+1)))
}

// softmax is the log loss of so many classes.
func softmax(n int) *loss {
	l := &loss{labels: classes(n), softmax: true}
	l.of = func(m []float64, y float64) float64 {
		return logSumExp(m) - m[int(y)]
	}
	l.curve = func(m []float64, y float64, g, h []float64) {
		sum := logSumExp(m)
		for k, v := range m {
			p := math.Exp(v - sum)
			g[k], h[k] = p, p*(1-p)
		}
		g[int(y)]--
	}
	return l
}

func logSumExp(m []float64) float64 {
	most := m[0]
	for _, v := range m[1:] {
		most = max(most, v)
	}
	sum := 0.0
	for _, v := range m {
		sum += math.Exp(v - most)
	}
	return most + math.Log(sum)
}

// meanLoss returns the squared error of a model whose first answer is the sum of its
// trees or, of a forest, their mean: of the value, or of the probability of each class.
func meanLoss(e *ir.Ensemble) (*loss, error) {
	by := 1.0
	a := e.Answers[0]
	if a.Vector > 0 {
		s := &e.Post[a.Vector-1]
		if s.Code != ir.StageDivide || s.Args[0] != 0 {
			return nil, fmt.Errorf("%s does more with the sum of its trees than to divide it", e.Source.Booster)
		}
		by = s.A
	}
	if a.Name == "proba" {
		return brier(e.Outputs, by), nil
	}
	if a.Name != "predict" || e.Outputs != 1 {
		return nil, fmt.Errorf("%s has %d outputs, and each row one label", e.Source.Booster, e.Outputs)
	}
	return single(numbers, func(m, y float64) float64 { return squared(m/by, y) },
		func(m, y float64) (g, h float64) { return (m/by - y) / by, 1 / (by * by) }), nil
}

// brier is the squared error of the probabilities m/by.
func brier(n int, by float64) *loss {
	l := &loss{labels: classes(n)}
	l.of = func(m []float64, y float64) float64 {
		sum := 0.0
		for k, v := range m {
			sum += squared(v/by, truth(k == int(y)))
		}
		return sum
	}
	l.curve = func(m []float64, y float64, g, h []float64) {
		for k, v := range m {
			g[k], h[k] = (v/by-truth(k == int(y)))/by, 1/(by*by)
		}
	}
	return l
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
