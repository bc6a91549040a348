package sklearn

import (
	"slices"

	"hew/internal/libm"
	"hew/interp"
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// adaBoostClassifier reads AdaBoostClassifier. Over trees, a leaf decides what its
// tree adds to the score of each class, so that the ensemble is a sum.
//
// Source: sklearn/ensemble/_weight_boosting.py, decision_function.
func (r *reader) adaBoostClassifier(o *record.Object, in []column) (part, error) {
	trees, weights, err := boosted(o)
	if err != nil {
		return nothing, err
	}
	l, err := labels(o, "classes_")
	if err != nil {
		return nothing, err
	}
	k := len(l.Texts)
	if k < 2 {
		return nothing, fault.Unsupportedf("AdaBoostClassifier of %d classes", k)
	}
	r.refuse(in, ir.Missing|ir.Infinite)
	if !allTrees(trees) {
		return r.boostedLabels(o, in, trees, weights, l)
	}
	r.refuseTree(in, false)
	columns, err := r.columns32(o, in)
	if err != nil {
		return nothing, err
	}
	s := r.sums(make([]float64, k)...)
	soft := text(o, "algorithm") == "SAMME.R"
	for i, t := range trees {
		w := weights[i]
		err := r.addTreeOf(t, columns, s, func(t *record.Object, n *nodes) (leafFunc, error) {
			return r.votes(o, t, n, l, w, soft)
		})
		if err != nil {
			return nothing, fault.InTree(i, err)
		}
		r.endRound()
	}
	return r.boostedScores(r.map1(ir.StageDivide, r.vector(s), interp.PairwiseSum(weights)), l, soft), nil
}

// boostedScores returns the part of a classifier with a score for each class. Votes
// make an array in Fortran order and SAMME.R one in C order, which decides how NumPy
// sums for the probabilities.
func (r *reader) boostedScores(scores vector, l ir.Labels, soft bool) part {
	order := 0.0
	if soft {
		order = 1
	}
	k := len(l.Texts)
	p := nothing
	p.labels = []ir.Labels{l}
	if k == 2 {
		p.decision = r.stage(ir.Stage{Code: ir.StageDifference, Args: []int32{scores}, Width: 1})
		p.label = r.map1(ir.StagePositive, p.decision, 0)
		p.proba = r.stage(ir.Stage{Code: ir.StageHalves, Args: []int32{p.decision}, Width: 2})
		p.proba = r.map1(ir.StageSoftmax, p.proba, 0)
		return p
	}
	p.decision, p.label = scores, r.first(scores)
	p.proba = r.map1(ir.StageSoftmax, r.map1(ir.StageDivide, scores, float64(k-1)), order)
	return p
}

// boostedLabels reads members that are not trees: their labels vote.
func (r *reader) boostedLabels(o *record.Object, in []column, members []*record.Object, weights []float64, l ir.Labels) (part, error) {
	if text(o, "algorithm") == "SAMME.R" {
		return nothing, fault.Unsupportedf("AdaBoostClassifier with algorithm SAMME.R over a %s is not supported", members[0].Class)
	}
	s := ir.Stage{Code: ir.StageVotes, Weights: weights[:len(members)], Width: len(l.Texts)}
	if versionOf(o, r.version) >= 103 {
		s.A = -1 / float64(len(l.Texts)-1)
	}
	var votes []vector
	for i, m := range members {
		p, err := r.estimator(m, in)
		if err != nil {
			return nothing, err
		}
		if p.label == none || len(p.labels) != 1 || !slices.Equal(p.labels[0].Texts, l.Texts) {
			return nothing, fault.Unsupportedf("AdaBoostClassifier: member %d does not know the same classes", i)
		}
		votes = append(votes, p.label)
	}
	all := r.stage(ir.Stage{Code: ir.StageConcat, Args: votes, Width: len(votes)})
	s.Args = []int32{all}
	return r.boostedScores(r.map1(ir.StageDivide, r.stage(s), interp.PairwiseSum(weights)), l, false), nil
}

func allTrees(members []*record.Object) bool {
	return !slices.ContainsFunc(members, func(o *record.Object) bool { return !isTree(o) })
}

// boosted reads the members and their weights, of which there may be more.
func boosted(o *record.Object) ([]*record.Object, []float64, error) {
	trees, err := objects(o, "estimators_")
	if err != nil {
		return nil, nil, err
	}
	weights, err := numbers(o, "estimator_weights_")
	if err == nil && (len(weights) < len(trees) || len(trees) == 0) {
		err = attrError(o, "estimator_weights_", "%d weights for %d members", len(weights), len(trees))
	}
	return trees, weights, err
}

// isTree reports whether o is a single tree.
func isTree(o *record.Object) bool {
	switch o.Class.Name {
	case "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor":
		return true
	}
	return false
}

// votes returns what a leaf adds to the score of each class of the ensemble.
func (r *reader) votes(o, t *record.Object, n *nodes, l ir.Labels, weight float64, soft bool) (leafFunc, error) {
	counts, err := classCounts(t)
	if err != nil {
		return nil, err
	}
	own, err := labels(t, "classes_")
	if err != nil {
		return nil, err
	}
	if len(counts) != 1 || len(own.Texts) != counts[0] {
		return nil, attrError(t, "classes_", "%d labels for %v classes", len(own.Texts), counts)
	}
	proba, err := n.probabilities(counts, versionOf(t, r.version))
	if err != nil {
		return nil, err
	}
	k := float64(len(l.Texts))
	if soft && counts[0] != len(l.Texts) {
		return nil, fault.Unsupportedf("%s: a member that saw %d of %d classes", o.Class.Name, counts[0], len(l.Texts))
	}
	return func(dst []float64, leaf int) []float64 {
		p := proba(nil, leaf)
		if soft {
			return append(dst, logVotes(p)...)
		}
		class := own.Texts[firstLargest(p)]
		for _, text := range l.Texts {
			switch {
			case text == class:
				dst = append(dst, weight)
			case versionOf(o, r.version) >= 103:
				dst = append(dst, float64(-1/(k-1)*weight))
			default:
				dst = append(dst, 0)
			}
		}
		return dst
	}, nil
}

// logVotes is what a member of SAMME.R gives for a leaf's probabilities.
//
// Source: sklearn/ensemble/_weight_boosting.py, _samme_proba.
func logVotes(p []float64) []float64 {
	k := float64(len(p))
	logs := make([]float64, len(p))
	for i, v := range p {
		logs[i] = libm.Log(max(v, 0x1p-52))
	}
	mean := float64(1 / k * interp.PairwiseSum(logs))
	for i, v := range logs {
		p[i] = (k - 1) * (v - mean)
	}
	return p
}

func firstLargest(x []float64) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// adaBoostRegressor reads AdaBoostRegressor. Over trees, each has an output of its
// own, and the prediction is their weighted median.
//
// Source: sklearn/ensemble/_weight_boosting.py, _get_median_predict.
func (r *reader) adaBoostRegressor(o *record.Object, in []column) (part, error) {
	trees, weights, err := boosted(o)
	if err != nil {
		return nothing, err
	}
	r.refuse(in, ir.Missing|ir.Infinite)
	if !allTrees(trees) {
		return r.medianOf(o, in, trees, weights)
	}
	r.refuseTree(in, false)
	columns, err := r.columns32(o, in)
	if err != nil {
		return nothing, err
	}
	base := make([]float64, len(trees))
	fill(base, negativeZero)
	s := r.sums(base...)
	for i, t := range trees {
		n, err := readNodes(t)
		if err != nil {
			return nothing, fault.InTree(i, err)
		}
		leaf, err := n.regression()
		if err == nil && n.outputs != 1 {
			err = fault.Formatf("%d targets", n.outputs)
		}
		if err != nil {
			return nothing, fault.InTree(i, err)
		}
		tree, err := n.tree(columns, 1, leaf)
		if err != nil {
			return nothing, fault.InTree(i, err)
		}
		r.addTree(tree, s, i)
		r.endRound()
	}
	return r.weightedMedian(r.vector(s), weights[:len(trees)]), nil
}

// medianOf reads members that are not trees.
func (r *reader) medianOf(o *record.Object, in []column, members []*record.Object, weights []float64) (part, error) {
	var values []vector
	for i, m := range members {
		p, err := r.estimator(m, in)
		if err != nil {
			return nothing, err
		}
		if p.value == none || r.width(p.value) != 1 {
			return nothing, attrError(o, "estimators_", "member %d does not predict one number", i)
		}
		values = append(values, p.value)
	}
	all := r.stage(ir.Stage{Code: ir.StageConcat, Args: values, Width: len(values)})
	return r.weightedMedian(all, weights[:len(members)]), nil
}

func (r *reader) weightedMedian(values vector, weights []float64) part {
	p := nothing
	p.value = r.stage(ir.Stage{Code: ir.StageMedian, Args: []int32{values}, Weights: weights, Width: 1})
	return p
}
