package serve

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hew/predict"
)

// A Model is a predictor as it is served: with its schema indexed by name, its
// limits and its counters. It is safe for concurrent use.
type Model struct {
	predict.Predictor

	models   *Models
	features map[string]int       // column by name
	codes    []map[string]float32 // code by category text, per feature; nil if it has none
	rows     *counter
}

func newModel(m *Models, p predict.Predictor) (*Model, error) {
	if err := check(&p); err != nil {
		return nil, err
	}
	model := &Model{
		Predictor: p,
		models:    m,
		features:  make(map[string]int, len(p.Features)),
		codes:     make([]map[string]float32, len(p.Features)),
		rows:      m.Metrics.model(&p.Info),
	}
	for i, f := range p.Features {
		if _, ok := model.features[f.Name]; ok {
			return nil, invalid("two features are named %q", f.Name)
		}
		model.features[f.Name] = i
		if len(f.Categories) == 0 {
			continue
		}
		model.codes[i] = make(map[string]float32, len(f.Categories))
		for code, text := range f.Categories {
			if _, ok := model.codes[i][text]; ok {
				return nil, invalid("feature %q has two categories %s", f.Name, text)
			}
			model.codes[i][text] = float32(code)
		}
	}
	return model, nil
}

func check(p *predict.Predictor) error {
	switch {
	case p.Name == "" || p.Version == "":
		return errors.New("name or version is empty")
	case p.NumFeatures != len(p.Features):
		return invalid("%d features for %d columns", len(p.Features), p.NumFeatures)
	case p.NumFeatures < 1 || p.NumOutputs < 1 || p.NumMargins < 1:
		return errors.New("it has no features or no outputs")
	case p.Predict == nil || p.Margin == nil:
		return errors.New("it cannot predict")
	}
	return nil
}

// Outputs is a set of what a request wants to know.
type Outputs uint8

// What a request can ask for.
const (
	Predict Outputs = 1 << iota // the prediction
	Margin                      // the sums before the link
	Leaf                        // the leaf each tree ended in
)

// A Result holds the answers to a request's rows, one slice for each output that
// was asked for; the others are empty. Its memory is used again by the next
// call of Score, so front ends can keep Results in a pool.
type Result struct {
	Rows    int
	Predict []float32 // rows × NumOutputs
	Margin  []float32 // rows × NumMargins
	Leaf    []int32   // rows × NumTrees
}

// Score scores the rows packed in x, as Predictor does, into r. The error is an
// *Error. A panic of the predictor is not caught: front ends hand it to
// Models.Panicked.
func (m *Model) Score(ctx context.Context, r *Result, x []float32, want Outputs) error {
	if len(x)%m.NumFeatures != 0 {
		return invalid("%d values do not make rows of %d features", len(x), m.NumFeatures)
	}
	r.Rows = len(x) / m.NumFeatures
	if err := m.CheckRows(r.Rows); err != nil {
		return err
	}
	if err := m.checkAnswer(r.Rows, want); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return contextError(err)
	}
	start := time.Now()
	r.Predict = grow(r.Predict, r.Rows*m.NumOutputs, want&Predict)
	r.Margin = grow(r.Margin, r.Rows*m.NumMargins, want&Margin)
	r.Leaf = grow(r.Leaf, r.Rows*m.NumTrees, want&Leaf)
	if want&Predict != 0 {
		m.Predict(r.Predict, x)
	}
	if want&Margin != 0 {
		m.Margin(r.Margin, x)
	}
	if want&Leaf != 0 {
		m.Leaf(r.Leaf, x)
	}
	m.rows.observe(r.Rows, time.Since(start))
	return nil
}

// CheckRows refuses a number of rows beyond the limit. Front ends call it as
// soon as they know the number, before they make room for the values.
func (m *Model) CheckRows(rows int) error {
	if rows > m.models.MaxRows {
		return Errorf(http.StatusRequestEntityTooLarge, "%d rows are more than the %d that one request may have (--max-rows)", rows, m.models.MaxRows)
	}
	return nil
}

// checkAnswer refuses a request whose answer would be far larger than itself: a
// leaf request asks for thousands of numbers with each row.
func (m *Model) checkAnswer(rows int, want Outputs) error {
	width := 0
	if want&Predict != 0 {
		width += m.NumOutputs
	}
	if want&Margin != 0 {
		width += m.NumMargins
	}
	if want&Leaf != 0 {
		if m.Leaf == nil {
			return invalid("model %q has no trees and thus no leaf output", m.Name)
		}
		width += m.NumTrees
	}
	if int64(rows)*int64(width)*4 > m.models.MaxBody {
		return Errorf(http.StatusRequestEntityTooLarge, "the answer to %d rows has %d values each, more than %d bytes (--max-body); ask for fewer rows or outputs", rows, width, m.models.MaxBody)
	}
	return nil
}

// Label returns the class that the trainer's own predict picks for the
// prediction of one row, and whether the model names its classes.
func (m *Model) Label(prediction []float32) (string, bool) {
	if m.Task != "classification" || len(m.Classes) == 0 {
		return "", false
	}
	class := 0
	switch {
	case len(prediction) > 1: // the first largest
		for k, p := range prediction {
			if p > prediction[class] {
				class = k
			}
		}
	case m.NumMargins > 1: // the prediction is the class
		class = int(prediction[0])
	case prediction[0] > 0.5: // of two classes
		class = 1
	}
	if class < 0 || class >= len(m.Classes) {
		return "", false
	}
	return m.Classes[class], true
}

func contextError(err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return Errorf(http.StatusGatewayTimeout, "the request's deadline has passed")
	}
	return Errorf(statusClientGone, "the client went away")
}

// statusClientGone is nginx's 499; nobody reads it but the metrics.
const statusClientGone = 499

// grow returns s with n elements, or none if they are not wanted.
func grow[E any](s []E, n int, want Outputs) []E {
	if want == 0 {
		return s[:0]
	}
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}
