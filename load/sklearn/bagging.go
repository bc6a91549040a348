package sklearn

import (
	"hew/ir"
	"hew/load/sklearn/internal/record"
)

// bagging reads BaggingClassifier and BaggingRegressor. Over trees they are a forest
// whose trees may see some of the columns and some of the classes.
//
// Source: sklearn/ensemble/_bagging.py, _parallel_predict_proba and
// _parallel_predict_regression.
func (r *reader) bagging(o *record.Object, in []column) (part, error) {
	trees, err := objects(o, "estimators_")
	if err != nil {
		return nothing, err
	}
	if len(trees) == 0 {
		return nothing, attrError(o, "estimators_", "is empty")
	}
	missing := true
	for _, t := range trees {
		if !isTree(t) {
			return r.baggingOf(o, in, trees)
		}
		missing = missing && takesMissing(t, versionOf(t, r.version))
	}
	columns, err := r.columns32(o, in)
	if err != nil {
		return nothing, err
	}
	sub, err := subsets(o, len(trees), len(columns))
	if err != nil {
		return nothing, err
	}
	r.refuseTree(seen(in, sub), missing)
	if o.Class.Name == "BaggingRegressor" {
		return r.meanTrees(o, trees, columns, sub, float64(len(trees)))
	}
	l, err := labels(o, "classes_")
	if err != nil {
		return nothing, err
	}
	s := r.sums(make([]float64, len(l.Texts))...)
	err = r.addTrees(trees, columns, sub, s, func(t *record.Object, n *nodes) (leafFunc, error) {
		return r.someClasses(t, n, len(l.Texts))
	})
	if err != nil {
		return nothing, err
	}
	return r.classify(r.map1(ir.StageDivide, r.vector(s), float64(len(trees))), l), nil
}

// seen returns the columns that some member sees.
func seen(in []column, sub [][]int) []column {
	used := make([]bool, len(in))
	for _, s := range sub {
		for _, j := range s {
			used[j] = true
		}
	}
	var out []column
	for j, c := range in {
		if used[j] {
			out = append(out, c)
		}
	}
	return out
}

// someClasses returns the probabilities of a member that may not have seen all
// classes; its own classes are indices of the ensemble's.
func (r *reader) someClasses(t *record.Object, n *nodes, classes int) (leafFunc, error) {
	counts, err := classCounts(t)
	if err != nil {
		return nil, err
	}
	proba, err := n.probabilities(counts, versionOf(t, r.version))
	if err != nil {
		return nil, err
	}
	if len(counts) == 1 && counts[0] == classes {
		return proba, nil
	}
	own, err := numbers(t, "classes_")
	if err != nil {
		return nil, err
	}
	at, err := indices(own, classes)
	if err != nil || len(counts) != 1 || len(at) != counts[0] {
		return nil, attrError(t, "classes_", "%v are not some of %d classes", own, classes)
	}
	return func(dst []float64, leaf int) []float64 {
		all := make([]float64, classes)
		for i, p := range proba(nil, leaf) {
			all[at[i]] = p
		}
		return append(dst, all...)
	}, nil
}

// baggingOf reads a bag of members that are not trees: the mean of what they give.
func (r *reader) baggingOf(o *record.Object, in []column, members []*record.Object) (part, error) {
	sub, err := subsets(o, len(members), len(in))
	if err != nil {
		return nothing, err
	}
	parts := make([]part, len(members))
	for i, m := range members {
		some := make([]column, len(sub[i]))
		for k, j := range sub[i] {
			some[k] = in[j]
		}
		if parts[i], err = r.estimator(m, some); err != nil {
			return nothing, err
		}
	}
	p := nothing
	if o.Class.Name == "BaggingRegressor" {
		p.value, err = r.meanOf(o, parts, func(p part) vector { return p.value })
		return p, err
	}
	l, err := labels(o, "classes_")
	if err != nil {
		return nothing, err
	}
	for i, m := range parts {
		if len(m.labels) != 1 {
			return nothing, attrError(o, "estimators_", "member %d is no classifier of one target", i)
		}
		if err := encoded(m.labels[0], len(l.Texts)); err != nil {
			return nothing, err
		}
	}
	proba, err := r.bagProba(o, parts, len(l.Texts))
	if err != nil {
		return nothing, err
	}
	p = r.classify(proba, l)
	if parts[0].decision != none {
		p.decision, err = r.meanOf(o, parts, func(p part) vector { return p.decision })
	}
	return p, err
}

// bagProba returns the mean of the members' probabilities or, if they have none, of
// their votes.
func (r *reader) bagProba(o *record.Object, parts []part, classes int) (vector, error) {
	if parts[0].proba != none {
		return r.meanOf(o, parts, func(p part) vector { return p.proba })
	}
	var votes []vector
	ones := make([]float64, len(parts))
	fill(ones, 1)
	for _, m := range parts {
		votes = append(votes, m.label)
	}
	all := r.stage(ir.Stage{Code: ir.StageConcat, Args: votes, Width: len(votes)})
	sums := r.stage(ir.Stage{Code: ir.StageVotes, Args: []int32{all}, Weights: ones, Width: classes})
	return r.map1(ir.StageDivide, sums, float64(len(parts))), nil
}

// meanOf appends the mean of one answer of all members.
func (r *reader) meanOf(o *record.Object, parts []part, answer func(part) vector) (vector, error) {
	var vectors []vector
	for i, p := range parts {
		v := answer(p)
		if v == none || len(vectors) > 0 && r.width(v) != r.width(vectors[0]) {
			return none, attrError(o, "estimators_", "member %d does not give what the first one gives", i)
		}
		vectors = append(vectors, v)
	}
	return r.average(vectors, nil), nil
}
