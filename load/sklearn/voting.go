package sklearn

import (
	"slices"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// members reads the fitted estimators of a composite. Those of a classifier were
// trained with numbers of classes in place of labels.
func (r *reader) members(o *record.Object, in []column) ([]part, error) {
	list, err := objects(o, "estimators_")
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, attrError(o, "estimators_", "is empty")
	}
	parts := make([]part, len(list))
	for i, member := range list {
		if parts[i], err = r.estimator(member, in); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// memberWeights returns the weights of the members that were not dropped, or nil.
func memberWeights(o *record.Object, members int) ([]float64, error) {
	if attr(o, "weights") == nil {
		return nil, nil
	}
	all, err := numbers(o, "weights")
	if err != nil {
		return nil, err
	}
	list, ok := itemsOf(attr(o, "estimators"))
	if !ok || len(list) != len(all) {
		return nil, attrError(o, "weights", "%d weights for %d estimators", len(all), len(list))
	}
	var weights []float64
	for i, item := range list {
		pair, ok := itemsOf(item)
		if !ok || len(pair) != 2 {
			return nil, attrError(o, "estimators", "item %d is not a pair", i)
		}
		if pair[1] != "drop" && pair[1] != nil {
			weights = append(weights, all[i])
		}
	}
	if len(weights) != members {
		return nil, attrError(o, "weights", "%d weights for %d members", len(weights), members)
	}
	return weights, nil
}

// average appends numpy.average over vectors of one width.
func (m *model) average(vectors []vector, weights []float64) vector {
	if weights == nil {
		return m.stage(ir.Stage{Code: ir.StageMeanAll, Args: vectors, A: float64(len(vectors)), Width: m.width(vectors[0])})
	}
	return m.stage(ir.Stage{Code: ir.StageMean, Args: vectors, Weights: weights, Width: m.width(vectors[0])})
}

// votingRegressor reads VotingRegressor.
//
// Source: sklearn/ensemble/_voting.py, VotingRegressor.predict.
func (r *reader) votingRegressor(o *record.Object, in []column) (part, error) {
	members, err := r.members(o, in)
	if err != nil {
		return nothing, err
	}
	weights, err := memberWeights(o, len(members))
	if err != nil {
		return nothing, err
	}
	var values []vector
	for i, m := range members {
		if m.value == none || r.width(m.value) != 1 {
			return nothing, attrError(o, "estimators_", "member %d does not predict one number", i)
		}
		values = append(values, m.value)
	}
	p := nothing
	p.value = r.average(values, weights)
	return p, nil
}

// votingClassifier reads VotingClassifier, soft or hard.
//
// Source: sklearn/ensemble/_voting.py, VotingClassifier.predict and predict_proba.
func (r *reader) votingClassifier(o *record.Object, in []column) (part, error) {
	members, err := r.members(o, in)
	if err != nil {
		return nothing, err
	}
	weights, err := memberWeights(o, len(members))
	if err != nil {
		return nothing, err
	}
	l, err := labels(o, "classes_")
	if err != nil {
		return nothing, err
	}
	var votes []vector
	for i, m := range members {
		v := m.label
		if text(o, "voting") == "soft" {
			v = m.proba
		}
		if v == none || len(m.labels) != 1 {
			return nothing, attrError(o, "estimators_", "member %d has no such answer", i)
		}
		if err := encoded(m.labels[0], len(l.Texts)); err != nil {
			return nothing, err
		}
		votes = append(votes, v)
	}
	if text(o, "voting") == "soft" {
		return r.classify(r.average(votes, weights), l), nil
	}
	if weights == nil {
		weights = slices.Repeat([]float64{1}, len(votes))
	}
	all := r.stage(ir.Stage{Code: ir.StageConcat, Args: votes, Width: len(votes)})
	sums := r.stage(ir.Stage{Code: ir.StageVotes, Args: []int32{all}, Weights: weights, Width: len(l.Texts)})
	p := nothing
	p.label, p.labels = r.first(sums), []ir.Labels{l}
	return p, nil
}

// encoded checks that the classes of a member are the numbers of all n classes.
func encoded(l ir.Labels, n int) error {
	for i, text := range l.Texts {
		if len(l.Texts) != n || l.Type != ir.IntLabel || text != itoa(i) {
			return fault.Unsupportedf("a member whose classes are %v, not the numbers of all %d classes", l.Texts, n)
		}
	}
	return nil
}
