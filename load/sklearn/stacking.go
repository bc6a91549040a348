package sklearn

import (
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// stacking reads StackingClassifier and StackingRegressor whose final estimator is
// linear: its sums are stages after those of the members.
//
// Source: sklearn/ensemble/_stacking.py, _concatenate_predictions: of two
// probabilities the second one is an input of the final estimator.
func (r *reader) stacking(o *record.Object, in []column) (part, error) {
	final, err := object(o, "final_estimator_")
	if err != nil {
		return nothing, err
	}
	if !isLinear(final) {
		return nothing, fault.Unsupportedf("%s: the final estimator is a %s; hew supports linear ones there", o.Class.Name, final.Class)
	}
	members, err := r.members(o, in)
	if err != nil {
		return nothing, err
	}
	methods, ok := itemsOf(attr(o, "stack_method_"))
	if !ok || len(methods) != len(members) {
		return nothing, attrError(o, "stack_method_", "is not a list of %d names", len(members))
	}
	var inputs []vector
	for i, m := range members {
		v, err := r.stacked(m, methods[i])
		if err != nil {
			return nothing, attrError(o, "estimators_", "member %d: %v", i, err)
		}
		inputs = append(inputs, v)
	}
	if pass, _ := attr(o, "passthrough").(bool); pass {
		v, err := r.derive(in)
		if err != nil {
			return nothing, err
		}
		inputs = append(inputs, v)
	}
	p, err := r.affine(final, inputs)
	if err != nil || p.label == none {
		return p, err
	}
	l, err := stackedLabels(o)
	if err != nil {
		return nothing, err
	}
	if err := encoded(p.labels[0], len(l.Texts)); err != nil {
		return nothing, err
	}
	p.labels = []ir.Labels{l}
	return p, nil
}

// stackedLabels returns the classes of a stack, which its label encoder knows.
func stackedLabels(o *record.Object) (ir.Labels, error) {
	if encoder, ok := attr(o, "_label_encoder").(*record.Object); ok {
		return labels(encoder, "classes_")
	}
	return labels(o, "classes_")
}

// stacked returns what a member gives to the final estimator.
func (r *reader) stacked(m part, method record.Value) (vector, error) {
	v := none
	switch method {
	case "predict_proba":
		if v = m.proba; v != none && r.width(v) == 2 {
			v = r.pick(v, 1, 1)
		}
	case "decision_function":
		v = m.decision
	case "predict":
		if v = m.value; v == none && m.label != none && len(m.labels) == 1 {
			if err := encoded(m.labels[0], len(m.labels[0].Texts)); err != nil {
				return none, err
			}
			v = m.label
		}
	}
	if v == none {
		return none, fault.Formatf("it has no %v", method)
	}
	return v, nil
}

// derive appends a stage that computes columns of the row.
func (r *reader) derive(in []column) (vector, error) {
	s := ir.Stage{Code: ir.StageDerive, Width: len(in)}
	for _, c := range in {
		if err := r.wantNumbers(c); err != nil {
			return none, err
		}
		s.Columns = append(s.Columns, c.Column)
	}
	return r.stage(s), nil
}
