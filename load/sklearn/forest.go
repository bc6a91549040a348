package sklearn

import (
	"math"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// A single tree's value is its leaf's: a sum that begins at -0 keeps the sign of
// every number.
var negativeZero = math.Copysign(0, -1)

// decisionTree reads DecisionTree* and ExtraTree*.
func (r *reader) decisionTree(o *record.Object, in []column) (part, error) {
	return r.forest(o, in, []*record.Object{o}, nil, 1)
}

// randomForest reads RandomForest* and ExtraTrees*: the mean of the trees.
//
// Source: sklearn/ensemble/_forest.py, predict and predict_proba: sums from 0 in the
// order of the trees, divided by their number.
func (r *reader) randomForest(o *record.Object, in []column) (part, error) {
	trees, err := objects(o, "estimators_")
	if err != nil {
		return nothing, err
	}
	return r.forest(o, in, trees, nil, float64(len(trees)))
}

// forest reads trees whose leaves are summed and divided. subsets, if not nil, says
// which columns each tree sees. o has the classes and targets.
func (r *reader) forest(o *record.Object, in []column, trees []*record.Object, subsets [][]int, divisor float64) (part, error) {
	if len(trees) == 0 {
		return nothing, attrError(o, "estimators_", "is empty")
	}
	v := versionOf(o, r.version)
	missing := takesMissing(trees[0], versionOf(trees[0], v))
	if !isTree(o) && v < 104 {
		missing = false // sklearn/ensemble/_forest.py of 1.3, _validate_X_predict
	}
	r.refuseTree(in, missing)
	columns, err := r.columns32(o, in)
	if err != nil {
		return nothing, err
	}
	if classifies(trees[0]) {
		return r.voteTrees(o, trees, columns, subsets, divisor)
	}
	return r.meanTrees(o, trees, columns, subsets, divisor)
}

func classifies(o *record.Object) bool {
	return attr(o, "n_classes_") != nil && attr(o, "classes_") != nil
}

// voteTrees reads trees whose leaves hold probabilities.
func (r *reader) voteTrees(o *record.Object, trees []*record.Object, columns []int32, subsets [][]int, divisor float64) (part, error) {
	counts, err := classCounts(o)
	if err != nil {
		return nothing, err
	}
	l, err := targetLabels(o, len(counts))
	if err != nil {
		return nothing, err
	}
	width := 0
	for k, c := range counts {
		if len(l[k].Texts) != c {
			return nothing, attrError(o, "classes_", "%d labels for %d classes", len(l[k].Texts), c)
		}
		width += c
	}
	base := make([]float64, width)
	if len(trees) == 1 {
		fill(base, negativeZero)
	}
	s := r.sums(base...)
	err = r.addTrees(trees, columns, subsets, s, func(t *record.Object, n *nodes) (leafFunc, error) {
		return n.probabilities(counts, versionOf(t, r.version))
	})
	if err != nil {
		return nothing, err
	}
	return r.classesOf(r.divided(r.vector(s), divisor), counts, l), nil
}

func fill(x []float64, v float64) {
	for i := range x {
		x[i] = v
	}
}

// divided returns v divided by a number.
func (r *reader) divided(v vector, by float64) vector {
	if by == 1 {
		return v
	}
	return r.map1(ir.StageDivide, v, by)
}

// classesOf returns the part of a classifier with the probabilities of all targets in
// one vector.
func (r *reader) classesOf(proba vector, counts []int, l []ir.Labels) part {
	if len(counts) == 1 {
		return r.classify(proba, l[0])
	}
	p := nothing
	p.labels = l
	var first []vector
	at := 0
	for _, c := range counts {
		v := r.pick(proba, at, c)
		p.probas = append(p.probas, v)
		first = append(first, r.first(v))
		at += c
	}
	p.label = r.stage(ir.Stage{Code: ir.StageConcat, Args: first, Width: len(first)})
	return p
}

// meanTrees reads trees whose leaves hold a number for each target.
func (r *reader) meanTrees(o *record.Object, trees []*record.Object, columns []int32, subsets [][]int, divisor float64) (part, error) {
	n, err := readNodes(trees[0])
	if err != nil {
		return nothing, err
	}
	base := make([]float64, n.outputs)
	if len(trees) == 1 {
		fill(base, negativeZero)
	}
	s := r.sums(base...)
	err = r.addTrees(trees, columns, subsets, s, func(_ *record.Object, n *nodes) (leafFunc, error) {
		if n.outputs != s.n {
			return nil, fault.Formatf("%d targets, want %d", n.outputs, s.n)
		}
		return n.regression()
	})
	p := nothing
	p.value = r.divided(r.vector(s), divisor)
	return p, err
}

// addTrees reads trees that add to all of s, one round.
func (r *reader) addTrees(trees []*record.Object, columns []int32, subsets [][]int, s margins,
	leaf func(*record.Object, *nodes) (leafFunc, error)) error {
	for i, o := range trees {
		if err := r.addTreeOf(o, subset(columns, subsets, i), s, leaf); err != nil {
			return fault.InTree(i, err)
		}
	}
	r.endRound()
	return nil
}

func (r *reader) addTreeOf(o *record.Object, columns []int32, s margins, leaf func(*record.Object, *nodes) (leafFunc, error)) error {
	n, err := readNodes(o)
	if err != nil {
		return err
	}
	f, err := leaf(o, n)
	if err != nil {
		return err
	}
	t, err := n.tree(columns, s.n, f)
	if err != nil {
		return err
	}
	r.addTree(t, s, 0)
	return nil
}

// subset returns the columns that tree i sees.
func subset(columns []int32, subsets [][]int, i int) []int32 {
	if subsets == nil {
		return columns
	}
	some := make([]int32, len(subsets[i]))
	for k, j := range subsets[i] {
		some[k] = columns[j]
	}
	return some
}

// subsets reads which columns each member sees, attribute estimators_features_.
func subsets(o *record.Object, members, columns int) ([][]int, error) {
	items, ok := itemsOf(attr(o, "estimators_features_"))
	if !ok {
		a, isArray := attr(o, "estimators_features_").(*record.Array)
		if !isArray || len(a.Shape) != 2 { // all of one length: an array of numbers
			return nil, attrError(o, "estimators_features_", "is missing or not a list")
		}
		return subsetRows(o, a, members, columns)
	}
	out := make([][]int, len(items))
	for i, item := range items {
		v, err := numbersOf(item)
		if err == nil {
			out[i], err = indices(v, columns)
		}
		if err != nil {
			return nil, attrError(o, "estimators_features_", "%v", err)
		}
	}
	if len(out) != members {
		return nil, attrError(o, "estimators_features_", "%d lists for %d members", len(out), members)
	}
	return out, nil
}

func subsetRows(o *record.Object, a *record.Array, members, columns int) ([][]int, error) {
	v, err := a.Float64s()
	if err != nil || a.Shape[0] != members {
		return nil, attrError(o, "estimators_features_", "of shape %v for %d members", a.Shape, members)
	}
	out := make([][]int, members)
	for i := range out {
		if out[i], err = indices(v[i*a.Shape[1]:(i+1)*a.Shape[1]], columns); err != nil {
			return nil, attrError(o, "estimators_features_", "%v", err)
		}
	}
	return out, nil
}

// indices returns numbers as indices below n.
func indices(v []float64, n int) ([]int, error) {
	out := make([]int, len(v))
	for i, x := range v {
		if !(x >= 0 && x < float64(n)) || x != math.Trunc(x) {
			return nil, fault.Formatf("index %v of %d columns", x, n)
		}
		out[i] = int(x)
	}
	return out, nil
}
