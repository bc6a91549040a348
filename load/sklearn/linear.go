package sklearn

import (
	"strconv"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

func itoa(i int) string { return strconv.Itoa(i) }

// linearModels says what linear models are, by class.
var linearModels = map[string]bool{ // true: a classifier
	"LinearRegression": false, "Ridge": false, "RidgeCV": false, "Lasso": false, "LassoCV": false,
	"ElasticNet": false, "ElasticNetCV": false, "SGDRegressor": false, "HuberRegressor": false, "BayesianRidge": false,
	"LogisticRegression": true, "LogisticRegressionCV": true, "SGDClassifier": true, "RidgeClassifier": true,
	"RidgeClassifierCV": true, "Perceptron": true, "PassiveAggressiveClassifier": true,
}

func isLinear(o *record.Object) bool {
	_, ok := linearModels[o.Class.Name]
	return ok
}

// linear reads a linear model of the row. BLAS sums the products in an order of its
// own, so that the last bits differ between machines; hew adds them in the order of
// the columns, to zero, and then the intercept.
func (r *reader) linear(o *record.Object, in []column) (part, error) {
	if err := checkWidth(o, in); err != nil {
		return nothing, err
	}
	r.refuse(in, ir.Missing|ir.Infinite)
	v, err := r.derive(in)
	if err != nil {
		return nothing, err
	}
	return r.affine(o, []vector{v})
}

// affine returns the part of a linear model of vectors that are known.
//
// Source: sklearn/linear_model/_base.py, _decision_function.
func (r *reader) affine(o *record.Object, inputs []vector) (part, error) {
	s := ir.Stage{Code: ir.StageAffine, Args: inputs}
	n := r.widths(inputs)
	coef, err := numbers(o, "coef_")
	if err != nil {
		return nothing, err
	}
	intercept, err := intercepts(o)
	if err != nil {
		return nothing, err
	}
	if n == 0 || len(coef)%n != 0 || len(coef) == 0 {
		return nothing, attrError(o, "coef_", "%d coefficients for %d columns", len(coef), n)
	}
	s.Width = len(coef) / n
	switch len(intercept) {
	case s.Width:
	case 1:
		for len(intercept) < s.Width {
			intercept = append(intercept, intercept[0])
		}
	default:
		return nothing, attrError(o, "intercept_", "%d intercepts for %d outputs", len(intercept), s.Width)
	}
	s.Weights = append(append([]float64(nil), coef...), intercept...)
	sums := r.stage(s)
	if !linearModels[o.Class.Name] {
		p := nothing
		p.value = sums
		return p, nil
	}
	return r.linearClasses(o, sums)
}

func intercepts(o *record.Object) ([]float64, error) {
	if v, ok := numberOf(attr(o, "intercept_")); ok {
		return []float64{v}, nil
	}
	return numbers(o, "intercept_")
}

// linearClasses returns the part of a linear classifier.
//
// Source: sklearn/linear_model/_base.py, LinearClassifierMixin.predict.
func (r *reader) linearClasses(o *record.Object, decision vector) (part, error) {
	l, err := linearLabels(o)
	if err != nil {
		return nothing, err
	}
	p := nothing
	p.decision, p.labels = decision, []ir.Labels{l}
	binary := r.width(decision) == 1
	if binary {
		p.label = r.map1(ir.StagePositive, decision, 0)
		err = wantClasses(o, l, 2)
	} else {
		p.label = r.first(decision)
		err = wantClasses(o, l, r.width(decision))
	}
	if err == nil {
		p.proba = r.linearProba(o, decision, binary)
	}
	return p, err
}

// linearLabels returns the classes; RidgeClassifier has them in its binarizer.
func linearLabels(o *record.Object) (ir.Labels, error) {
	if b, ok := attr(o, "_label_binarizer").(*record.Object); ok {
		if text(b, "y_type_") == "multilabel-indicator" {
			return ir.Labels{}, fault.Unsupportedf("%s of several labels is not supported", o.Class.Name)
		}
		return labels(b, "classes_")
	}
	return labels(o, "classes_")
}

// linearProba returns the probabilities, or none if the classifier has none.
//
// Source: sklearn/linear_model/_logistic.py and _stochastic_gradient.py, predict_proba.
func (r *reader) linearProba(o *record.Object, decision vector, binary bool) vector {
	one := func(v vector) vector { return r.stage(ir.Stage{Code: ir.StageComplement, Args: []int32{v}, Width: 2}) }
	each := func(code ir.StageCode) vector {
		v := r.map1(code, decision, 1)
		if binary {
			return one(v)
		}
		return r.map1(ir.StageNormalize, v, 2)
	}
	switch o.Class.Name {
	case "LogisticRegression", "LogisticRegressionCV":
		if oneVersusRest(o, binary, versionOf(o, r.version)) {
			return each(ir.StageExpit)
		}
		if binary {
			decision = r.map1(ir.StageMultiply, r.stage(ir.Stage{Code: ir.StageHalves, Args: []int32{decision}, Width: 2}), 2)
		}
		return r.map1(ir.StageSoftmax, decision, 1)
	case "SGDClassifier":
		switch text(o, "loss") {
		case "log_loss", "log":
			return each(ir.StageExpit)
		case "modified_huber":
			return each(ir.StageClip)
		}
	}
	return none
}

// oneVersusRest reports whether a logistic regression takes each class by itself.
func oneVersusRest(o *record.Object, binary bool, v version) bool {
	switch text(o, "multi_class") {
	case "ovr", "warn":
		return true
	case "multinomial":
		return false
	case "auto":
		return binary || text(o, "solver") == "liblinear" || text(o, "solver") == "newton-cholesky"
	}
	return binary || text(o, "solver") == "liblinear" && v < 108
}
