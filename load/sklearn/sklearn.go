// Package sklearn reads scikit-learn models: estimators, and pipelines that end in
// one, as skops files, pickles and joblib files of versions 1.0 to 1.9.
//
// Bytes become records first (container.go), of an allow-list of classes and never
// executed. Then each family of estimators has a file that turns its records into
// trees and stages, each family of transformers one that turns them into columns.
// The rules of arithmetic stand where they are applied, with their source.
package sklearn

import (
	"fmt"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// Options say how a model is read.
type Options struct {
	Float32 bool // rows are float32, not float64
}

const (
	oldest version = 100
	newest version = 109
)

// Read reads the model in a file of pickle, joblib or skops. Its errors name the
// class, and the tree and node where there is one.
func Read(data []byte, name string, o Options) (*ir.Ensemble, error) {
	v, container, err := open(data, name)
	if err != nil {
		return nil, err
	}
	object, ok := v.(*record.Object)
	if !ok {
		return nil, fault.Unsupportedf("the file holds %s, not a fitted estimator", kindOf(v))
	}
	e, err := read(object, o)
	if err != nil {
		return nil, err
	}
	e.Source.Container = container
	return e, nil
}

// kindOf names a value that is no estimator.
func kindOf(v record.Value) string {
	switch v := v.(type) {
	case *record.List:
		return "a " + v.Kind
	case *record.Dict:
		return "a dict"
	case *record.Array:
		return "an array"
	case *record.Global:
		return v.String()
	case nil:
		return "None"
	}
	return fmt.Sprintf("a %T", v)
}

// read reads a fitted estimator.
func read(o *record.Object, opts Options) (*ir.Ensemble, error) {
	if x := alone(o); isXGBoost(x) {
		return readXGBoost(x, opts)
	}
	features, names, err := inputs(o, maxDepth)
	if err != nil {
		return nil, err
	}
	r := &reader{model: newModel(features, names, opts.Float32), version: versionOf(o, 0)}
	if r.version == 0 {
		r.version = versionOf(lastOf(o), 0)
	}
	if r.version != 0 && r.version < oldest {
		return nil, fault.Unsupportedf("saved by scikit-learn %s; hew reads 1.0 and later", text(o, "_sklearn_version"))
	}
	if isXGBoost(lastOf(o)) {
		return r.xgboostPipeline(o)
	}
	p, err := r.estimator(o, r.raw())
	if err != nil {
		return nil, err
	}
	if err := r.finish(p); err != nil {
		return nil, err
	}
	r.settle()
	r.describe(o)
	if err := r.e.Verify(); err != nil {
		return nil, fault.Formatf("%v", err)
	}
	return r.e, nil
}

// describe fills in where the ensemble comes from and what it is for.
func (r *reader) describe(o *record.Object) {
	last := lastOf(o)
	s := &r.e.Source
	s.Trainer, s.Version, s.Booster = "scikit-learn", text(o, "_sklearn_version"), last.Class.Name
	if s.Version == "" {
		s.Version = text(last, "_sklearn_version")
	}
	s.Objective = last.Class.Name
	for _, name := range []string{"loss", "criterion"} {
		if t := text(last, name); t != "" && t != "deprecated" {
			s.Objective += ", " + name + " " + t
			break
		}
	}
	if r.version > newest {
		s.Warnings = append(s.Warnings, fmt.Sprintf("saved by scikit-learn %s, which is newer than the versions that hew knows (to 1.9)", s.Version))
	}
	r.e.Task = ir.Regression
	if a := r.e.Answer("label"); a != nil && r.e.Answer("score") == nil {
		r.e.Task = ir.Classification
		if len(a.Labels) > 1 {
			r.e.Task = ir.MultiLabel
		}
	}
}

// lastOf returns the estimator at the end of a pipeline or below a search.
func lastOf(o *record.Object) *record.Object {
	for range maxDepth {
		next := attr(o, "best_estimator_")
		if o.Class.Name == "Pipeline" {
			if steps, err := stepsOf(o); err == nil {
				next = steps[len(steps)-1]
			}
		}
		n, ok := next.(*record.Object)
		if !ok {
			break
		}
		o = n
	}
	return o
}

// alone returns what is in a search, and in a pipeline where nothing is before it.
func alone(o *record.Object) *record.Object {
	for range maxDepth {
		next, _ := attr(o, "best_estimator_").(*record.Object)
		if steps, err := stepsOf(o); o.Class.Name == "Pipeline" && err == nil {
			for i, s := range steps {
				if i < len(steps)-1 && s != nil && s != "passthrough" {
					return o
				}
			}
			next, _ = steps[len(steps)-1].(*record.Object)
		}
		if next == nil {
			break
		}
		o = next
	}
	return o
}

// maxFeatures bounds the columns of a row.
const maxFeatures = 1 << 20

// inputs returns the number of features of a model and their names, nil if it was
// fitted to an array. A pipeline asks its first step.
func inputs(o *record.Object, depth int) (int, []string, error) {
	if depth == 0 {
		return 0, nil, fault.Unsupportedf("estimators are nested more than %d deep", maxDepth)
	}
	if attr(o, "n_features_in_") == nil {
		if inner := firstOf(o); inner != nil {
			return inputs(inner, depth-1)
		}
		_, known := estimators[o.Class.Name]
		if _, also := transformers[o.Class.Name]; !known && !also && !isXGBoost(o) {
			return 0, nil, unsupported(o)
		}
	}
	n, err := integer(o, "n_features_in_")
	if err != nil {
		return 0, nil, err
	}
	if n < 1 || n > maxFeatures {
		return 0, nil, fault.Unsupportedf("%s of %d features; hew takes 1 to %d", o.Class.Name, n, maxFeatures)
	}
	a, ok := attr(o, "feature_names_in_").(*record.Array)
	if !ok {
		return n, nil, nil
	}
	names, err := a.Strings()
	if err != nil || len(names) != n {
		return 0, nil, attrError(o, "feature_names_in_", "is not an array of %d names", n)
	}
	return n, names, nil
}

// firstOf returns the object that sees the rows first, if o passes them on.
func firstOf(o *record.Object) *record.Object {
	if best, ok := attr(o, "best_estimator_").(*record.Object); ok {
		return best
	}
	if o.Class.Name == "Pipeline" {
		if steps, err := stepsOf(o); err == nil {
			for _, s := range steps {
				if first, ok := s.(*record.Object); ok && knowsWidth(first) {
					return first
				}
			}
		}
	}
	if selected, ok := attr(o, "estimator_").(*record.Object); ok { // SelectFromModel
		return selected
	}
	if list, err := objects(o, "estimators_"); err == nil && len(list) > 0 {
		return list[0]
	}
	return firstInUnion(o)
}

// knowsWidth reports whether o may say how many columns it was fitted to. A
// FunctionTransformer that does not validate them does not, and has as many outputs.
func knowsWidth(o *record.Object) bool {
	return o.Class.Name != "FunctionTransformer" || attr(o, "n_features_in_") != nil
}

// firstInUnion returns a transformer of a FeatureUnion.
func firstInUnion(o *record.Object) *record.Object {
	list, _ := itemsOf(attr(o, "transformer_list"))
	for _, item := range list {
		if pair, ok := itemsOf(item); ok && len(pair) == 2 {
			if t, ok := pair[1].(*record.Object); ok && knowsWidth(t) {
				return t
			}
		}
	}
	return nil
}
