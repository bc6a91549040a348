package sklearn

import (
	"strings"

	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// A reader reads the objects of one model.
type reader struct {
	*model
	version version // of scikit-learn that saved the outermost object
	depth   int     // of nested estimators
	work    int     // that transformers did
}

const maxDepth = 20

// An estimatorFunc reads an estimator that is given columns.
type estimatorFunc func(r *reader, o *record.Object, in []column) (part, error)

// estimators are what hew reads, by the names of their classes. Composites look
// their members up, so that the table is made when the program starts.
var estimators map[string]estimatorFunc

func init() {
	estimators = map[string]estimatorFunc{
		"DecisionTreeClassifier":         (*reader).decisionTree,
		"DecisionTreeRegressor":          (*reader).decisionTree,
		"ExtraTreeClassifier":            (*reader).decisionTree,
		"ExtraTreeRegressor":             (*reader).decisionTree,
		"RandomForestClassifier":         (*reader).randomForest,
		"RandomForestRegressor":          (*reader).randomForest,
		"ExtraTreesClassifier":           (*reader).randomForest,
		"ExtraTreesRegressor":            (*reader).randomForest,
		"GradientBoostingClassifier":     (*reader).gradientBoosting,
		"GradientBoostingRegressor":      (*reader).gradientBoosting,
		"HistGradientBoostingClassifier": (*reader).histGradientBoosting,
		"HistGradientBoostingRegressor":  (*reader).histGradientBoosting,
		"AdaBoostClassifier":             (*reader).adaBoostClassifier,
		"AdaBoostRegressor":              (*reader).adaBoostRegressor,
		"BaggingClassifier":              (*reader).bagging,
		"BaggingRegressor":               (*reader).bagging,
		"IsolationForest":                (*reader).isolationForest,
		"VotingClassifier":               (*reader).votingClassifier,
		"VotingRegressor":                (*reader).votingRegressor,
		"StackingClassifier":             (*reader).stacking,
		"StackingRegressor":              (*reader).stacking,
		"Pipeline":                       (*reader).pipeline,
		"GridSearchCV":                   (*reader).search,
		"RandomizedSearchCV":             (*reader).search,
		"HalvingGridSearchCV":            (*reader).search,
		"HalvingRandomSearchCV":          (*reader).search,
	}
	for name := range linearModels {
		estimators[name] = (*reader).linear
	}
}

// estimator reads any estimator that hew knows.
func (r *reader) estimator(o *record.Object, in []column) (part, error) {
	if r.depth++; r.depth > maxDepth {
		return nothing, fault.Unsupportedf("estimators are nested more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	read := estimators[o.Class.Name]
	switch {
	case !strings.HasPrefix(o.Class.Module, "sklearn.") || read == nil:
		return nothing, unsupported(o)
	case strings.HasPrefix(o.Class.Module, "sklearn.") && attr(o, "_sklearn_version") == nil && r.version == 0:
		return nothing, attrError(o, "_sklearn_version", "is missing: was the object fitted and saved by scikit-learn?")
	}
	if passes := o.Class.Name == "Pipeline" || attr(o, "best_estimator_") != nil; !passes {
		r.look(in)
	}
	return read(r, o, in)
}

// unsupported says that hew does not know an estimator, and what to do.
func unsupported(o *record.Object) error {
	switch pkg, _, _ := strings.Cut(o.Class.Module, "."); pkg {
	case "xgboost":
		return fault.Unsupportedf("%s inside of this object is not supported; save its booster with get_booster().save_model(\"model.json\")", o.Class)
	case "lightgbm", "catboost":
		return fault.Unsupportedf("%s is not supported yet", o.Class)
	case "sklearn":
		return fault.Unsupportedf("%s is not an estimator that hew knows; it reads trees, forests, boosting, voting, stacking and linear models, and pipelines of these", o.Class)
	}
	return fault.Unsupportedf("%s is not an estimator of scikit-learn that hew knows", o.Class)
}

// search reads the best estimator of a search over parameters.
func (r *reader) search(o *record.Object, in []column) (part, error) {
	best, err := object(o, "best_estimator_")
	if err != nil {
		return nothing, fault.Unsupportedf("%s has no best_estimator_; was it fitted with refit=True?", o.Class.Name)
	}
	return r.estimator(best, in)
}

// pipeline reads a Pipeline that ends in an estimator.
func (r *reader) pipeline(o *record.Object, in []column) (part, error) {
	steps, err := stepsOf(o)
	if err != nil {
		return nothing, err
	}
	last, ok := steps[len(steps)-1].(*record.Object)
	if !ok {
		return nothing, fault.Unsupportedf("a Pipeline that ends in %v predicts nothing", steps[len(steps)-1])
	}
	if in, err = r.steps(steps[:len(steps)-1], in); err != nil {
		return nothing, err
	}
	return r.estimator(last, in)
}

// steps applies steps of a pipeline that are not the last one.
func (r *reader) steps(steps []record.Value, in []column) (out []column, err error) {
	for _, step := range steps {
		if in, err = r.step(step, in); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// step applies a step of a pipeline that is not the last one.
func (r *reader) step(step record.Value, in []column) ([]column, error) {
	switch s := step.(type) {
	case nil:
		return in, nil
	case string:
		if s == "passthrough" {
			return in, nil
		}
	case *record.Object:
		return r.transform(s, in)
	}
	return nil, fault.Formatf("a step of a Pipeline is a %T", step)
}

// stepsOf returns the objects of the steps of a Pipeline.
func stepsOf(o *record.Object) ([]record.Value, error) {
	items, ok := itemsOf(attr(o, "steps"))
	if !ok || len(items) == 0 {
		return nil, attrError(o, "steps", "is missing or empty")
	}
	steps := make([]record.Value, len(items))
	for i, item := range items {
		pair, ok := itemsOf(item)
		if !ok || len(pair) != 2 {
			return nil, attrError(o, "steps", "step %d is not a pair", i)
		}
		steps[i] = pair[1]
	}
	return steps, nil
}

// set returns the index of a set of the ensemble.
func (m *model) set(s ir.Set) int32 {
	key := s.String()
	i, ok := m.sets[key]
	if !ok {
		i = int32(len(m.e.Sets))
		m.sets[key] = i
		m.e.Sets = append(m.e.Sets, s)
	}
	return i
}
