package score

import (
	"fmt"
	"strconv"

	"hew/interp"
	"hew/ir"
	"hew/predict"
	"hew/rows"
)

// linked computes the requested output of an ensemble with a link, as XGBoost's
// objects have it.
func (s *scorer) linked() (rows.Output, error) {
	switch s.r.Output {
	case "predict":
		return s.shaped(s.predict(), s.columns("predict", s.e.Width())), nil
	case "margin":
		return s.shaped(s.margin(), s.columns("margin", s.e.Outputs)), nil
	case "leaf":
		return s.floatLeaves()
	case "proba":
		return s.proba()
	case "label":
		return s.label()
	case "decision":
		return rows.Output{}, fmt.Errorf("%s models have no decision function; ask for margin", s.e.Source.Trainer)
	}
	return rows.Output{}, fmt.Errorf("%s models have no output %s; ask for predict", s.e.Source.Trainer, s.r.Output)
}

// predict returns the values of the link.
func (s *scorer) predict() predict.Values { return s.answer(0, s.e.Width()) }

// columns names the columns of an output: after the classes where each has one.
func (s *scorer) columns(output string, width int) []string {
	if len(s.e.Classes) == width {
		return after(output, s.e.Classes)
	}
	return numbered(output, width)
}

// floatLeaves returns leaf numbers as XGBoost does: as float32, and as a column if
// there is one tree (dmlc/xgboost:src/c_api/c_api_utils.h, CalcPredictShape).
func (s *scorer) floatLeaves() (rows.Output, error) {
	leaves, err := s.leaves()
	if err != nil {
		return rows.Output{}, err
	}
	values := make([]float32, len(leaves))
	for i, v := range leaves {
		if values[i] = float32(v); int32(values[i]) != v {
			return rows.Output{}, fmt.Errorf("leaf number %d is not a float32 number", v)
		}
	}
	return s.shaped(predict.ValuesOf(values), treeNames(len(s.e.Trees))), nil
}

// proba returns the probability of each class. For two classes, the first one
// is 1 − p in float32 (dmlc/xgboost:python-package/xgboost/sklearn.py,
// _cls_predict_proba).
func (s *scorer) proba() (rows.Output, error) {
	switch s.e.Link {
	case ir.Softmax:
		return s.shaped(s.predict(), s.columns("proba", s.e.Outputs)), nil
	case ir.Sigmoid, ir.SigmoidClamped:
		p := s.predict()
		if s.e.Outputs > 1 { // several labels, each with its probability
			return s.shaped(p, s.columns("proba", s.e.Outputs)), nil
		}
		both := make([]float32, 0, 2*p.Len())
		for _, v := range predict.SliceOf[float32](p) {
			both = append(both, 1-v, v)
		}
		return s.shaped(predict.ValuesOf(both), s.columns("proba", 2)), nil
	}
	return rows.Output{}, fmt.Errorf("%s gives no probabilities; ask for predict", s.e.Source.Objective)
}

// label returns the class of each row, by its text if the model names classes,
// or 0 or 1 for each of several labels. Numbers are int64, as those of XGBClassifier.
func (s *scorer) label() (rows.Output, error) {
	if s.e.Task != ir.Classification && s.e.Task != ir.MultiLabel || s.e.Sum != ir.Single {
		return rows.Output{}, fmt.Errorf("%s has no classes; ask for predict", s.e.Source.Objective)
	}
	m := interp.New(s.e)
	w := m.LabelWidth()
	class := make([]int32, s.n*w)
	m.LabelOf(class, predict.SliceOf[float32](s.predict()))
	out := rows.Output{Columns: s.columns("label", w)}
	out.Shape = s.shape(w)
	if w > 1 || !named(s.e.Classes) {
		out.Int64 = wideOf(class)
		return out, nil
	}
	out.Text, out.TextWidth = make([]string, s.n), widest(s.e.Classes)
	for i, c := range class {
		out.Text[i] = s.e.Classes[c]
	}
	return out, nil
}

// named reports whether classes have names that are not just their numbers.
func named(classes []string) bool {
	for k, name := range classes {
		if name != strconv.Itoa(k) {
			return true
		}
	}
	return false
}
