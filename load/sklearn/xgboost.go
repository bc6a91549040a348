package sklearn

import (
	"strconv"
	"strings"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
	"hew/load/xgboost"
)

// isXGBoost reports whether o is one of XGBoost's wrappers for scikit-learn.
func isXGBoost(o *record.Object) bool {
	return strings.HasPrefix(o.Class.Module, "xgboost.") && strings.HasPrefix(o.Class.Name, "XGB")
}

// readXGBoost reads a wrapper by itself: the model of its booster.
//
// Source: dmlc/xgboost:python-package/xgboost/sklearn.py and core.py,
// Booster.__getstate__.
func readXGBoost(o *record.Object, opts Options) (*ir.Ensemble, error) {
	e, err := boosterOf(o)
	if err != nil {
		return nil, err
	}
	missing, ok := numberOf(attr(o, "missing"))
	if !ok || missing != missing {
		return e, nil
	}
	r := &reader{model: newModel(len(e.Features), nil, true)}
	r.e.Features = e.Features
	return r.behind(o, e, r.raw())
}

// xgboostPipeline reads a pipeline that ends in a wrapper. In a sparse matrix XGBoost
// takes what is not stored, the zeros, for missing.
//
// Source: dmlc/xgboost:python-package/xgboost/data.py, _from_scipy_csr.
func (r *reader) xgboostPipeline(o *record.Object) (*ir.Ensemble, error) {
	in := r.raw()
	for !isXGBoost(o) {
		if best, ok := attr(o, "best_estimator_").(*record.Object); ok {
			o = best
			continue
		}
		steps, err := stepsOf(o)
		if err != nil {
			return nil, err
		}
		if in, err = r.steps(steps[:len(steps)-1], in); err != nil {
			return nil, err
		}
		o = steps[len(steps)-1].(*record.Object)
	}
	e, err := boosterOf(o)
	if err != nil {
		return nil, err
	}
	in = joined(in)
	for j, c := range in {
		if c.sparse {
			in[j] = c.plus(ir.Op{Code: ir.OpReplace, A: 0, B: nan})
		}
	}
	return r.behind(o, e, in)
}

// behind returns e with columns in front of it.
func (r *reader) behind(o *record.Object, e *ir.Ensemble, in []column) (*ir.Ensemble, error) {
	if e.Linear != nil {
		return nil, fault.Unsupportedf("%s with booster gblinear behind other steps is not supported", o.Class)
	}
	if len(in) != len(e.Features) {
		return nil, fault.Formatf("%s of %d features is given %d columns", o.Class.Name, len(e.Features), len(in))
	}
	r.look(in)
	columns := make([]int32, len(in))
	missing, ok := numberOf(attr(o, "missing"))
	for j, c := range in {
		if ok && missing == missing {
			c = c.plus(ir.Op{Code: ir.OpRound}).plus(ir.Op{Code: ir.OpReplace, A: float64(float32(missing)), B: nan})
		}
		var err error
		if columns[j], err = r.use(c, true); err != nil {
			return nil, err
		}
	}
	for t := range e.Trees {
		for i := range e.Trees[t].Nodes {
			if n := &e.Trees[t].Nodes[i]; !n.IsLeaf() {
				n.Feature = columns[n.Feature]
			}
		}
	}
	r.settle()
	e.Features, e.Columns, e.Input = r.e.Features, r.e.Columns, r.e.Input
	if err := e.Verify(); err != nil {
		return nil, fault.Formatf("%v", err)
	}
	return e, nil
}

// boosterOf reads the model of a wrapper.
func boosterOf(o *record.Object) (*ir.Ensemble, error) {
	booster, err := object(o, "_Booster")
	if err != nil {
		return nil, fault.Unsupportedf("%s is not fitted: it has no booster", o.Class.Name)
	}
	snapshot, ok := attr(booster, "handle").([]byte)
	if !ok {
		return nil, attrError(booster, "handle", "is not a serialized model")
	}
	e, err := xgboost.ReadSnapshot(snapshot)
	if err != nil {
		return nil, err
	}
	if n, ok := numberOf(attr(o, "n_classes_")); ok && int(n) == max(e.Outputs, 2) && len(e.Classes) == 0 && e.Task == ir.Classification {
		for k := range int(n) {
			e.Classes = append(e.Classes, strconv.Itoa(k))
		}
	}
	return e, nil
}
