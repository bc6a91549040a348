package serve

import (
	"cmp"
	"errors"
	"fmt"

	"hew/predict"
)

// A Model is a predictor as it is served: with its schema indexed by name, its
// limits and its counters. It is safe for concurrent use.
type Model struct {
	predict.Predictor

	models   *Models
	features map[string]int       // column by name
	codes    []map[string]float64 // code by category text, per feature; nil if it has none
	refusing []int                // columns of the features that refuse values
	outputs  []*Output            // the prediction first
	usual    []*Output            // what a V2 request gets that names no outputs
	plain    []*Output            // what the plain service answers with
	rows     *counter
}

func newModel(m *Models, p predict.Predictor) (*Model, error) {
	p.Input, p.Output = cmp.Or(p.Input, predict.Float32), cmp.Or(p.Output, predict.Float32)
	if err := check(&p); err != nil {
		return nil, err
	}
	model := &Model{
		Predictor: p,
		models:    m,
		features:  make(map[string]int, len(p.Features)),
		codes:     make([]map[string]float64, len(p.Features)),
		rows:      m.Metrics.model(&p.Info),
	}
	for i := range p.Features {
		if err := model.addFeature(i); err != nil {
			return nil, err
		}
	}
	return model, model.addOutputs()
}

func check(p *predict.Predictor) error {
	switch {
	case p.Name == "" || p.Version == "":
		return errors.New("name or version is empty")
	case p.NumFeatures != len(p.Features):
		return fmt.Errorf("%d features for %d columns", len(p.Features), p.NumFeatures)
	case p.NumFeatures < 1 || p.NumOutputs < 1 || p.NumMargins < 1:
		return errors.New("it has no features or no outputs")
	case p.Predict == nil || p.Margin == nil || len(p.Answers) > 0 && p.Answer == nil:
		return errors.New("it cannot predict")
	case len(p.Answers) > 0 && p.Answers[0].Width != p.NumOutputs:
		return fmt.Errorf("its first answer has %d values, its prediction %d", p.Answers[0].Width, p.NumOutputs)
	}
	for _, t := range []predict.Type{p.Input, p.Output} {
		if t != predict.Float32 && t != predict.Float64 {
			return fmt.Errorf("unknown type of numbers %q", t)
		}
	}
	return nil
}

func (m *Model) addFeature(column int) error {
	f := &m.Features[column]
	if _, ok := m.features[f.Name]; ok {
		return fmt.Errorf("two features are named %q", f.Name)
	}
	m.features[f.Name] = column
	if f.Refuses() {
		m.refusing = append(m.refusing, column)
	}
	if len(f.Categories) == 0 && !f.Open {
		return nil
	}
	codes := make(map[string]float64, len(f.Categories))
	for code, text := range f.Categories {
		if _, ok := codes[text]; ok {
			return fmt.Errorf("feature %q has two categories %s", f.Name, text)
		}
		codes[text] = float64(code)
	}
	m.codes[column] = codes
	return nil
}

// NumLabels returns how many labels the answer to a row has: one for each output
// of a classifier that names its classes, otherwise none.
func (m *Model) NumLabels() int {
	switch {
	case len(m.Answers) > 0:
		return len(m.outputs[0].Labels)
	case m.Task == "classification" && len(m.Classes) > 0:
		return 1
	}
	return 0
}

// Label returns label i of a row: the class that the trainer's own predict picks.
// It is false if a prediction without meaning has none.
func (m *Model) Label(r *Result, row, i int) (string, bool) {
	predict := m.outputs[0]
	values := predict.of(r, row)
	if predict.Labels != nil {
		return predict.Labels[i].Texts[int(values.At(i))], true
	}
	return m.class(values)
}

// class returns the class that a prediction of one row means, for a model without
// answers.
func (m *Model) class(prediction predict.Values) (string, bool) {
	class := 0.0
	switch {
	case prediction.Len() > 1: // the first largest
		for k := range prediction.Len() {
			if prediction.At(k) > prediction.At(int(class)) {
				class = float64(k)
			}
		}
	case m.NumMargins > 1: // the prediction is the class
		class = prediction.At(0)
	case prediction.At(0) > 0.5: // of two classes
		class = 1
	}
	if !(class >= 0 && class < float64(len(m.Classes))) {
		return "", false
	}
	return m.Classes[int(class)], true
}
