package sklearn

import (
	"hew/internal/libm"
	"hew/interp"
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// gradientBoosting reads GradientBoostingClassifier and GradientBoostingRegressor.
//
// Source: sklearn/ensemble/_gradient_boosting.pyx, _predict_regression_tree_inplace_fast_dense:
// out += scale * value, the product rounded first; one tree for each stage and class.
func (r *reader) gradientBoosting(o *record.Object, in []column) (part, error) {
	a, ok := attr(o, "estimators_").(*record.Array)
	if !ok || len(a.Shape) != 2 || a.DType.Kind != 'O' || a.Shape[1] < 1 {
		return nothing, attrError(o, "estimators_", "is not a matrix of trees")
	}
	rate, err := number(o, "learning_rate")
	if err != nil {
		return nothing, err
	}
	r.refuseTree(in, false)
	columns, err := r.columns32(o, in)
	if err != nil {
		return nothing, err
	}
	k := a.Shape[1]
	base, err := r.initial(o, k)
	if err != nil {
		return nothing, err
	}
	s := r.sums(base...)
	for i, item := range a.Items {
		t, ok := item.(*record.Object)
		if !ok {
			return nothing, attrError(o, "estimators_", "item %d is not a tree", i)
		}
		if err := r.boostTree(t, columns, s, i%k, rate); err != nil {
			return nothing, fault.InTree(i, err)
		}
		if (i+1)%k == 0 {
			r.endRound()
		}
	}
	if o.Class.Name == "GradientBoostingRegressor" {
		p := nothing
		p.value = r.vector(s)
		return p, nil
	}
	return r.boostedClasses(o, r.vector(s))
}

// boostTree reads a tree whose leaves are multiplied by the learning rate.
func (r *reader) boostTree(o *record.Object, columns []int32, s margins, output int, rate float64) error {
	n, err := readNodes(o)
	if err != nil {
		return err
	}
	if n.outputs != 1 || n.classes != 1 {
		return fault.Formatf("a tree of %d targets and %d classes", n.outputs, n.classes)
	}
	t, err := n.tree(columns, 1, func(dst []float64, leaf int) []float64 {
		return append(dst, float64(rate*n.value(leaf, 0)))
	})
	if err == nil {
		r.addTree(t, s, output)
	}
	return err
}

// boostedClasses returns the part of a classifier with raw scores.
//
// Source: sklearn/ensemble/_gb.py, predict and predict_proba; up to 1.3 the
// probabilities come from sklearn/ensemble/_gb_losses.py.
func (r *reader) boostedClasses(o *record.Object, raw vector) (part, error) {
	l, err := labels(o, "classes_")
	if err != nil {
		return nothing, err
	}
	p := nothing
	p.decision, p.labels = raw, []ir.Labels{l}
	if r.width(raw) == 1 {
		scale := 1.0
		if text(o, "loss") == "exponential" {
			scale = 2
		}
		p.proba = r.map1(ir.StageExpit, raw, scale)
		p.proba = r.stage(ir.Stage{Code: ir.StageComplement, Args: []int32{p.proba}, Width: 2})
		p.label = r.map1(ir.StageNotNegative, raw, 0)
		if versionOf(o, r.version) < 104 {
			p.label = r.first(p.proba)
		}
		return p, wantClasses(o, l, 2)
	}
	if versionOf(o, r.version) < 104 {
		p.proba = r.map1(ir.StageSoftmaxLog, raw, 1)
		p.label = r.first(p.proba)
	} else {
		p.proba = r.map1(ir.StageSoftmax, raw, 1) // of an array in C order
		p.label = r.first(raw)
	}
	return p, wantClasses(o, l, r.width(raw))
}

func wantClasses(o *record.Object, l ir.Labels, n int) error {
	if len(l.Texts) != n {
		return attrError(o, "classes_", "%d labels for %d classes", len(l.Texts), n)
	}
	return nil
}

// initial returns the raw scores from which boosting begins.
//
// Source: sklearn/ensemble/_gb.py, _raw_predict_init and _init_raw_predictions: the
// probabilities of a DummyClassifier, clipped, through the link of the loss.
func (r *reader) initial(o *record.Object, k int) ([]float64, error) {
	base := make([]float64, k)
	if attr(o, "init_") == "zero" || attr(o, "init") == "zero" {
		return base, nil
	}
	init, err := object(o, "init_")
	if err != nil {
		return nil, err
	}
	switch init.Class.Name {
	case "DummyRegressor":
		v, err := numbers(init, "constant_")
		if err != nil || len(v) != 1 || k != 1 {
			return nil, attrError(init, "constant_", "is not one number")
		}
		base[0] = v[0]
		return base, nil
	case "DummyClassifier":
		return r.prior(o, init, base)
	}
	return nil, fault.Unsupportedf("%s: init is a %s; hew supports none and \"zero\"", o.Class.Name, init.Class)
}

// prior fills in the raw scores of the classes' shares of the training data.
func (r *reader) prior(o, init *record.Object, base []float64) ([]float64, error) {
	p, err := numbers(init, "class_prior_")
	if err != nil {
		return nil, err
	}
	if s := text(init, "strategy"); s != "prior" || len(p) != max(len(base), 2) {
		return nil, attrError(init, "class_prior_", "%d classes, strategy %q", len(p), s)
	}
	v, eps := versionOf(o, r.version), 0x1p-23 // of float32
	if v >= 107 {
		eps = 0x1p-52
	}
	for i, x := range p {
		p[i] = min(max(x, eps), 1-eps)
	}
	if len(base) > 1 {
		return multinomial(p, v), nil
	}
	base[0] = logit(p[1], v)
	if text(o, "loss") == "exponential" {
		base[0] *= 0.5
	}
	return base, nil
}

// logit returns log(p / (1-p)), from 1.4 on as scipy.special.logit. That has another
// formula near 1/2 since SciPy 1.15, which a file does not name: it is taken to be
// of the time of scikit-learn, 1.15 or later from 1.6 on.
//
// Source: scipy/xsf:include/xsf/log_exp.h.
func logit(p float64, v version) float64 {
	if v < 106 || p < 0.3 || p > 0.65 {
		return libm.Log(p / (1 - p))
	}
	s := 2 * (p - 0.5)
	return libm.Log1p(s) - libm.Log1p(-s)
}

// multinomial returns log p, from 1.4 on less its mean.
//
// Source: sklearn/_loss/link.py, MultinomialLogit.link.
func multinomial(p []float64, v version) []float64 {
	raw := make([]float64, len(p))
	for i, x := range p {
		raw[i] = libm.Log(x)
	}
	if v < 104 {
		return raw
	}
	mean := libm.Exp(interp.PairwiseSum(raw) / float64(len(p))) // scipy.stats.gmean
	for i, x := range p {
		raw[i] = libm.Log(x / mean)
	}
	return raw
}
