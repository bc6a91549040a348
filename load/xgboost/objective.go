package xgboost

import (
	"slices"

	"hew/internal/libm"
	"hew/ir"
	"hew/load/internal/fault"
)

// An objective is what XGBoost's training objective of that name means for a
// prediction.
type objective struct {
	name string
	link ir.Link
	base inverse
	task ir.Task
}

// An inverse is what turns a base score into a margin: ProbToMargin of the objective.
type inverse uint8

const (
	same inverse = iota
	logit
	logarithm
	gaps
)

// objectives lists what XGBoost 1.0 to 3.4 registers
// (dmlc/xgboost:src/objective, XGBOOST_REGISTER_OBJECTIVE). Where versions differ,
// forVersion says how.
var objectives = []objective{
	{"reg:squarederror", ir.Identity, same, ir.Regression},
	{"reg:linear", ir.Identity, same, ir.Regression},
	{"reg:squaredlogerror", ir.Identity, same, ir.Regression},
	{"reg:pseudohubererror", ir.Identity, same, ir.Regression},
	{"reg:absoluteerror", ir.Identity, same, ir.Regression},
	{"reg:quantileerror", ir.Sort, same, ir.Regression},
	{"reg:expectileerror", ir.Gaps, gaps, ir.Regression},
	{"reg:logistic", ir.SigmoidClamped, logit, ir.Regression},
	{"binary:logistic", ir.SigmoidClamped, logit, ir.Classification},
	{"binary:logitraw", ir.Identity, same, ir.Classification},
	{"binary:hinge", ir.Step, same, ir.Classification},
	{"multi:softmax", ir.Argmax, same, ir.Classification},
	{"multi:softprob", ir.Softmax, same, ir.Classification},
	{"count:poisson", ir.Exp, logarithm, ir.Regression},
	{"reg:gamma", ir.Exp, logarithm, ir.Regression},
	{"reg:tweedie", ir.Exp, logarithm, ir.Regression},
	{"survival:cox", ir.Exp, logarithm, ir.Regression},
	{"survival:aft", ir.Exp, logarithm, ir.Regression},
	{"rank:pairwise", ir.Identity, same, ir.Ranking},
	{"rank:ndcg", ir.Identity, same, ir.Ranking},
	{"rank:map", ir.Identity, same, ir.Ranking},
}

// findObjective returns the objective of a name as the given version knows it.
func findObjective(name string, v version) (objective, error) {
	i := slices.IndexFunc(objectives, func(o objective) bool { return o.name == name })
	if i < 0 {
		return objective{}, fault.Unsupportedf("objective %.60q is none of XGBoost's own: how it turns margins into predictions is unknown", name)
	}
	return objectives[i].forVersion(v), nil
}

func (o objective) forVersion(v version) objective {
	switch {
	case o.link == ir.SigmoidClamped && v.before(1, 6, 0):
		// src/common/math.h, Sigmoid: 1.6 keeps expf from overflowing.
		o.link = ir.Sigmoid
	case o.name == "binary:logitraw" && v.before(1, 3, 1):
		// src/objective/regression_loss.h, LogisticRaw: up to 1.3.0 it inherits
		// ProbToMargin from the logistic objective.
		o.base = logit
	case o.name == "reg:quantileerror" && v.before(3, 4, 0):
		// src/objective/quantile_obj.cu: quantiles may cross before 3.4.
		o.link = ir.Identity
	}
	return o
}

// toMargins replaces base scores by the margins to which they correspond.
func (o objective) toMargins(scores []float32, v version) error {
	switch o.base {
	case logit:
		for k, b := range scores {
			m, err := logitOf(b, v)
			if err != nil {
				return err
			}
			scores[k] = m
		}
	case logarithm:
		for k, b := range scores {
			if b < 0 {
				return fault.Formatf("base_score %v of %s is negative", b, o.name)
			}
			scores[k] = libm.Logf(b) // -Inf for 0, which is what all-zero labels give
		}
	case gaps:
		// src/objective/regression_obj.cu, ExpectileRegression::ProbToMargin.
		for k := len(scores) - 1; k > 0; k-- {
			gap := scores[k] - scores[k-1]
			scores[k] = softplusInverse(gap - smallest)
		}
	}
	return nil
}

// smallest is kRtEps of dmlc/xgboost:include/xgboost/base.h.
const smallest float32 = 1e-6

// logitOf is LogisticRegression::ProbToMargin of
// dmlc/xgboost:src/objective/regression_loss.h. From 3.2 it takes 0 and 1, and keeps
// away from them.
func logitOf(p float32, v version) (float32, error) {
	if v.before(3, 2, 0) {
		if p <= 0 || p >= 1 {
			return 0, fault.Formatf("base_score %v is not in (0, 1)", p)
		}
	} else {
		if p < 0 || p > 1 {
			return 0, fault.Formatf("base_score %v is not in [0, 1]", p)
		}
		const one float32 = 1
		p = min(max(p, smallest), one-smallest)
	}
	return -libm.Logf(1/p - 1), nil
}

// softplusInverse is SoftPlusInv of dmlc/xgboost:src/common/math.h.
func softplusInverse(x float32) float32 {
	x = max(x, smallest)
	return x + libm.Logf(-libm.Expm1f(-x))
}
