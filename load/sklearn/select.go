package sklearn

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"hew/interp"
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// selector keeps some columns: those that get_support of its class keeps.
//
// Source: sklearn/feature_selection.
func (r *reader) selector(o *record.Object, in []column) ([]column, error) {
	keep, err := support(o, o.Class.Name)
	if err != nil {
		return nil, err
	}
	if refuses(o) {
		r.refuse(in, ir.Missing|ir.Infinite)
	}
	if len(keep) != len(in) {
		return nil, fault.Formatf("%s chooses of %d columns and is given %d", o.Class.Name, len(keep), len(in))
	}
	var out []column
	for j, c := range in {
		if keep[j] {
			out = append(out, c)
		}
	}
	return out, nil
}

// refuses reports whether a selector takes neither NaN nor infinities: those that hold
// an estimator do as it does.
//
// Source: sklearn/feature_selection/_base.py, SelectorMixin.transform.
func refuses(o *record.Object) bool {
	switch o.Class.Name {
	case "VarianceThreshold":
		return false
	case "SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector":
		e, ok := attr(o, "estimator").(*record.Object)
		return ok && !allowsNaN(e)
	}
	return true
}

// allowsNaN reports whether the tags of an estimator allow NaN, as far as hew knows: if
// in doubt they do.
func allowsNaN(o *record.Object) bool {
	v := versionOf(o, newest)
	switch o.Class.Name {
	case "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor":
		return takesMissing(o, v)
	case "RandomForestClassifier", "RandomForestRegressor":
		return v >= 104
	case "ExtraTreesClassifier", "ExtraTreesRegressor":
		return v >= 106
	case "GradientBoostingClassifier", "GradientBoostingRegressor", "AdaBoostClassifier", "AdaBoostRegressor", "SVC", "SVR", "LinearSVC", "LinearSVR":
		return false
	}
	_, linear := linearModels[o.Class.Name]
	return !linear
}

// support returns which columns a selector of the given class keeps.
func support(o *record.Object, class string) ([]bool, error) {
	switch class {
	case "RFE", "RFECV", "SequentialFeatureSelector":
		v, err := numbers(o, "support_")
		return where(v, func(x float64) bool { return x != 0 }), err
	case "VarianceThreshold":
		v, err := numbers(o, "variances_")
		if err != nil {
			return nil, err
		}
		t, err := number(o, "threshold")
		return where(v, func(x float64) bool { return x > t }), err
	case "SelectFromModel":
		return importantOnes(o)
	case "GenericUnivariateSelect":
		classes := map[string]string{"percentile": "SelectPercentile", "k_best": "SelectKBest", "fpr": "SelectFpr", "fdr": "SelectFdr", "fwe": "SelectFwe"}
		c, ok := classes[text(o, "mode")]
		if !ok {
			return nil, attrError(o, "mode", "%q is not known", text(o, "mode"))
		}
		return support(o, c)
	case "SelectKBest":
		return bestOnes(o)
	case "SelectPercentile":
		return upperPercents(o)
	}
	return significantOnes(o, class)
}

func where(v []float64, f func(float64) bool) []bool {
	out := make([]bool, len(v))
	for i, x := range v {
		out[i] = f(x)
	}
	return out
}

// param returns the parameter of a selector, which GenericUnivariateSelect calls
// param.
func param(o *record.Object, name string) record.Value {
	if v, ok := o.Get(name); ok {
		return v
	}
	return attr(o, "param")
}

// scores returns scores_ with the least number in place of NaN.
func scores(o *record.Object) ([]float64, error) {
	v, err := numbers(o, "scores_")
	for i, x := range v {
		if x != x {
			v[i] = -math.MaxFloat64
		}
	}
	return v, err
}

func bestOnes(o *record.Object) ([]bool, error) {
	v, err := scores(o)
	if err != nil {
		return nil, err
	}
	k, ok := numberOf(param(o, "k"))
	if param(o, "k") == "all" {
		k, ok = float64(len(v)), true
	}
	if !ok || k < 0 {
		return nil, attrError(o, "k", "is not a number")
	}
	order := sortedBy(v)
	keep := make([]bool, len(v))
	for _, i := range order[max(0, len(v)-int(k)):] {
		keep[i] = true
	}
	return keep, nil
}

// sortedBy returns the indices of v in ascending order of values, equal ones in
// theirs.
func sortedBy(v []float64) []int {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return v[order[i]] < v[order[j]] })
	return order
}

func upperPercents(o *record.Object) ([]bool, error) {
	v, err := scores(o)
	if err != nil {
		return nil, err
	}
	p, ok := numberOf(param(o, "percentile"))
	if !ok {
		return nil, attrError(o, "percentile", "is not a number")
	}
	if p == 100 || p == 0 || len(v) == 0 {
		return where(v, func(float64) bool { return p == 100 }), nil
	}
	t := percentile(v, 100-p)
	keep := where(v, func(x float64) bool { return x > t })
	left := int(float64(len(v)) * p / 100)
	for _, k := range keep {
		if k {
			left--
		}
	}
	for i, x := range v {
		if x == t && left > 0 {
			keep[i] = true
			left--
		}
	}
	return keep, nil
}

// percentile is numpy.percentile with linear interpolation.
func percentile(v []float64, p float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	at := p / 100 * float64(len(s)-1)
	i := int(math.Floor(at))
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	g, d := at-float64(i), s[i+1]-s[i]
	if g >= 0.5 {
		return s[i+1] - float64(d*(1-g))
	}
	return s[i] + float64(d*g)
}

// significantOnes keeps columns by their p-values.
func significantOnes(o *record.Object, class string) ([]bool, error) {
	v, err := numbers(o, "pvalues_")
	if err != nil {
		return nil, err
	}
	alpha, ok := numberOf(param(o, "alpha"))
	if !ok {
		return nil, attrError(o, "alpha", "is not a number")
	}
	n := float64(len(v))
	switch class {
	case "SelectFpr":
		return where(v, func(p float64) bool { return p < alpha }), nil
	case "SelectFwe":
		return where(v, func(p float64) bool { return p < alpha/n }), nil
	}
	s := slices.DeleteFunc(slices.Clone(v), isNaN) // SelectFdr; NumPy sorts NaN to the end
	slices.Sort(s)
	limit := math.Inf(-1)
	for i, p := range s {
		if p <= float64(alpha/n*float64(i+1)) {
			limit = p
		}
	}
	return where(v, func(p float64) bool { return p <= limit }), nil
}

// importantOnes keeps columns by what the model inside of SelectFromModel holds of
// them.
//
// Source: sklearn/feature_selection/_from_model.py, _get_support_mask and
// _calculate_threshold.
func importantOnes(o *record.Object) ([]bool, error) {
	model, err := object(o, "estimator_")
	if err != nil {
		if model, err = object(o, "estimator"); err != nil {
			return nil, err
		}
	}
	v, err := importances(model, o)
	if err != nil {
		return nil, err
	}
	t, err := importanceThreshold(o, model, v)
	if err != nil {
		return nil, err
	}
	keep := where(v, func(x float64) bool { return x >= t })
	most, ok := numberOf(attr(o, "max_features_")) // before 1.1 there is no such attribute
	if !ok {
		most, ok = numberOf(attr(o, "max_features"))
	}
	if ok {
		negative := make([]float64, len(v))
		for i, x := range v {
			negative[i] = -x
		}
		for rank, i := range sortedBy(negative) {
			keep[i] = keep[i] && rank < int(most)
		}
	} else if attr(o, "max_features") != nil {
		return nil, attrError(o, "max_features", "is not a number")
	}
	return keep, nil
}

func importanceThreshold(o, model *record.Object, v []float64) (float64, error) {
	scale, reference := 1.0, ""
	switch t := attr(o, "threshold").(type) {
	case nil:
		reference = "mean"
		if class := model.Class.Name; strings.Contains(class, "Lasso") || text(model, "penalty") == "l1" {
			return 1e-5, nil
		}
	case string:
		reference = strings.TrimSpace(t)
		if s, ref, ok := strings.Cut(t, "*"); ok {
			var err error
			if scale, err = strconv.ParseFloat(strings.TrimSpace(s), 64); err != nil {
				return 0, attrError(o, "threshold", "%q", t)
			}
			reference = strings.TrimSpace(ref)
		}
	default:
		f, ok := numberOf(t)
		if !ok {
			return 0, attrError(o, "threshold", "is a %T", t)
		}
		return f, nil
	}
	switch reference {
	case "mean":
		return scale * (interp.PairwiseSum(v) / float64(len(v))), nil
	case "median":
		return scale * percentile(v, 50), nil
	}
	return 0, attrError(o, "threshold", "%q is not known", reference)
}

// importances returns feature_importances_ or the norms of coef_.
func importances(model, o *record.Object) ([]float64, error) {
	if g := text(o, "importance_getter"); g != "auto" && g != "" {
		return nil, fault.Unsupportedf("SelectFromModel with importance_getter %q is not supported", g)
	}
	if a, ok := attr(model, "coef_").(*record.Array); ok {
		return norms(a, o)
	}
	switch class := model.Class.Name; {
	case isTree(model):
		v, err := treeImportances(model)
		return normalised(v), err
	case class == "RandomForestClassifier" || class == "RandomForestRegressor" || class == "ExtraTreesClassifier" || class == "ExtraTreesRegressor":
		return forestImportances(model, true)
	case class == "GradientBoostingClassifier" || class == "GradientBoostingRegressor":
		return forestImportances(model, false)
	}
	return nil, fault.Unsupportedf("SelectFromModel of a %s is not supported", model.Class)
}

// norms returns the absolute values of coefficients, summed over outputs.
func norms(a *record.Array, o *record.Object) ([]float64, error) {
	v, err := a.Float64s()
	if err != nil || len(a.Shape) < 1 || len(a.Shape) > 2 {
		return nil, attrError(o, "coef_", "of shape %v", a.Shape)
	}
	if order, ok := numberOf(attr(o, "norm_order")); ok && order != 1 {
		return nil, fault.Unsupportedf("SelectFromModel with norm_order %v is not supported", order)
	}
	n := a.Shape[len(a.Shape)-1]
	out := make([]float64, n)
	for i, x := range v {
		out[i%n] += math.Abs(x)
	}
	return out, nil
}

func normalised(v []float64) []float64 {
	if sum := interp.PairwiseSum(v); sum > 0 {
		for i := range v {
			v[i] /= sum
		}
	}
	return v
}

// treeImportances returns what the splits on each feature gain.
//
// Source: sklearn/tree/_tree.pyx, Tree.compute_feature_importances.
func treeImportances(o *record.Object) ([]float64, error) {
	n, err := readNodes(o)
	if err != nil {
		return nil, err
	}
	features, err := integer(o, "n_features_in_")
	if err != nil || features < 1 || features > maxFeatures {
		return nil, attrError(o, "n_features_in_", "is missing or too large")
	}
	t, _ := object(o, "tree_")
	impurity, err := attr(t, "nodes").(*record.Array).Column("impurity")
	if err != nil {
		return nil, attrError(o, "tree_.nodes", "%v", err)
	}
	out := make([]float64, features)
	weigh := func(i int64) float64 { return float64(n.weight.Float64(int(i)) * impurity.Float64(int(i))) }
	for i := range n.n {
		if n.isLeaf(i) {
			continue
		}
		left, right, f := n.left.Int64(i), n.right.Int64(i), n.feature.Int64(i)
		if left < 0 || right < 0 || left >= int64(n.n) || right >= int64(n.n) || f < 0 || f >= int64(features) {
			return nil, fault.InNode(-1, i, fault.Formatf("children %d and %d, feature %d", left, right, f))
		}
		out[f] += weigh(int64(i)) - weigh(left) - weigh(right)
	}
	for i := range out {
		out[i] /= n.weight.Float64(0)
	}
	return out, nil
}

// forestImportances returns the mean over trees, normalised. Trees without a split
// do not count.
func forestImportances(model *record.Object, normalise bool) ([]float64, error) {
	trees, err := objects(model, "estimators_")
	if err != nil {
		return nil, err
	}
	var mean []float64
	count := 0.0
	for _, t := range trees {
		n, err := readNodes(t)
		if err != nil {
			return nil, err
		}
		if n.n < 2 {
			continue
		}
		v, err := treeImportances(t)
		if err != nil {
			return nil, err
		}
		if normalise {
			v = normalised(v)
		}
		if mean == nil {
			mean = make([]float64, len(v))
		}
		if len(v) != len(mean) {
			return nil, attrError(model, "estimators_", "trees of %d and %d features", len(mean), len(v))
		}
		for i, x := range v {
			mean[i] += x
		}
		count++
	}
	if mean == nil {
		n, err := integer(model, "n_features_in_")
		return make([]float64, max(0, min(n, maxFeatures))), err
	}
	for i := range mean {
		mean[i] /= count
	}
	return normalised(mean), nil
}
