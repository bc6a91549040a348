package score

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hew/ir"
	"hew/predict"
	"hew/rows"
)

// answered computes the requested output of an ensemble with answers, as the
// methods of scikit-learn's objects give it.
func (s *scorer) answered() (rows.Output, error) {
	name := s.r.Output
	switch name {
	case "predict":
		name = predictAnswer(s.e)
	case "margin":
		if len(s.e.Trees) > 0 || s.e.Linear != nil {
			out := s.shaped(s.margin(), numbered("margin", s.e.Outputs))
			out.Shape = []int{s.n, s.e.Outputs} // as _raw_predict
			return out, nil
		}
	case "leaf":
		if len(s.e.Trees) > 0 {
			return s.intLeaves()
		}
	}
	i := slices.IndexFunc(s.e.Answers, func(a ir.Answer) bool { return a.Name == name })
	if i < 0 {
		return rows.Output{}, fmt.Errorf("%s has no output %s; it has %s", s.e.Source.Booster, s.r.Output, strings.Join(outputsOf(s.e), ", "))
	}
	a := &s.e.Answers[i]
	v := s.answer(i, s.e.VectorWidth(a.Vector))
	if a.Labels != nil {
		return s.labels(v, a.Labels)
	}
	out := s.shaped(v, s.answerColumns(a))
	if a.Name == "proba" || oneOfProba(a.Name) {
		out.Shape = []int{s.n, len(out.Columns)} // even of one class
	}
	return out, nil
}

// predictAnswer returns the name of the answer that predict gives: the one of that
// name, the labels, or the first one.
func predictAnswer(e *ir.Ensemble) string {
	for _, name := range []string{"predict", "label"} {
		if e.Answer(name) != nil {
			return name
		}
	}
	return e.Answers[0].Name
}

// outputsOf names the outputs that e has.
func outputsOf(e *ir.Ensemble) []string {
	names := []string{"predict"}
	for _, a := range e.Answers {
		if a.Name != "predict" {
			names = append(names, a.Name)
		}
	}
	if len(e.Trees) > 0 || e.Linear != nil {
		names = append(names, "margin")
	}
	if len(e.Trees) > 0 {
		names = append(names, "leaf")
	}
	return names
}

// answerColumns names the columns of an answer: after the classes, if it has a
// number for each of them.
func (s *scorer) answerColumns(a *ir.Answer) []string {
	width := s.e.VectorWidth(a.Vector)
	label := s.e.Answer("label")
	if label == nil || a.Name == "predict" || a.Name == "score" {
		return numbered(a.Name, width)
	}
	lists := label.Labels
	if k, err := strconv.Atoi(strings.TrimPrefix(a.Name, "proba_")); err == nil && k < len(lists) {
		lists = lists[k : k+1]
	}
	var names []string
	for k, l := range lists {
		prefix := a.Name
		if len(lists) > 1 {
			prefix += "_" + strconv.Itoa(k)
		}
		for _, text := range l.Texts {
			names = append(names, prefix+"_"+text)
		}
	}
	if len(names) != width || width == 1 {
		return numbered(a.Name, width)
	}
	return names
}

// labels returns classes as the trainer has them: v holds their numbers.
func (s *scorer) labels(v predict.Values, lists []ir.Labels) (rows.Output, error) {
	w := len(lists)
	out := rows.Output{Columns: numbered("label", w), Shape: s.shape(w)}
	if s.r.Output == "predict" {
		out.Columns = numbered("predict", w)
	}
	var err error
	switch typeOf(lists) {
	case ir.IntLabel:
		out.Int64, err = pick(v, lists, func(t string) (int64, error) { return strconv.ParseInt(t, 10, 64) })
	case ir.FloatLabel:
		out.Float64, err = pick(v, lists, func(t string) (float64, error) { return strconv.ParseFloat(t, 64) })
	case ir.BoolLabel:
		out.Bool, err = pick(v, lists, strconv.ParseBool)
	default:
		out.Text, err = pick(v, lists, func(t string) (string, error) { return t, nil })
		for _, l := range lists {
			out.TextWidth = max(out.TextWidth, widest(l.Texts))
		}
	}
	return out, err
}

// widest returns the number of characters of the longest text.
func widest(texts []string) int {
	width := 0
	for _, t := range texts {
		width = max(width, utf8.RuneCountInString(t))
	}
	return width
}

// typeOf returns the one type of labels, or text.
func typeOf(lists []ir.Labels) ir.LabelType {
	for _, l := range lists {
		if l.Type != lists[0].Type {
			return ir.TextLabel
		}
	}
	return lists[0].Type
}

// pick returns the labels of which v holds the numbers.
func pick[T any](v predict.Values, lists []ir.Labels, parse func(string) (T, error)) ([]T, error) {
	known := make([][]T, len(lists))
	for k, l := range lists {
		for _, text := range l.Texts {
			label, err := parse(text)
			if err != nil {
				return nil, fmt.Errorf("label %q: %w", text, err)
			}
			known[k] = append(known[k], label)
		}
	}
	picked := make([]T, v.Len())
	for i := range picked {
		of, class := known[i%len(known)], v.At(i)
		if !(class >= 0 && class < float64(len(of))) {
			return nil, fmt.Errorf("row %d: class %v of %d", i/len(known), class, len(of))
		}
		picked[i] = of[int(class)]
	}
	return picked, nil
}

// intLeaves returns leaf numbers as the method apply does: a column for a single
// tree, rows × trees for a forest, and for gradient boosting rows × stages, which
// are those of each class for a classifier.
func (s *scorer) intLeaves() (rows.Output, error) {
	leaves, err := s.leaves()
	if err != nil {
		return rows.Output{}, err
	}
	t, kind := len(s.e.Trees), s.e.Source.Booster
	out := rows.Output{Columns: treeNames(t), Shape: []int{s.n, t}, Int64: wideOf(leaves)}
	switch stages := s.e.NumRounds(); {
	case t == 1 && (strings.HasPrefix(kind, "DecisionTree") || strings.HasPrefix(kind, "ExtraTree") && !strings.HasPrefix(kind, "ExtraTrees")):
		out.Shape = []int{s.n}
	case kind == "GradientBoostingClassifier" && stages > 0 && t%stages == 0:
		out.Shape = []int{s.n, stages, t / stages}
	}
	return out, nil
}
