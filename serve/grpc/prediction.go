package grpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"hew/predict"
	"hew/serve"
	"hew/serve/grpc/proto/prediction"
)

// A predictionService is the plain service.
type predictionService struct {
	prediction.UnimplementedPredictionServiceServer
	models *serve.Models
}

func (s *predictionService) HealthCheck(context.Context, *prediction.HealthCheckRequest) (*prediction.HealthCheckResponse, error) {
	if !s.models.Ready() {
		return &prediction.HealthCheckResponse{Status: "draining"}, nil
	}
	return &prediction.HealthCheckResponse{Status: "ok", Ready: true}, nil
}

func (s *predictionService) Predict(ctx context.Context, req *prediction.PredictRequest) (*prediction.PredictResponse, error) {
	m, err := s.models.Lookup(req.ModelName, req.ModelVersion)
	if err != nil {
		return nil, err
	}
	w := begin()
	defer w.free()
	if err := checkRow(m, req); err != nil {
		return nil, invalid("%w", err)
	}
	rows := w.rows.Resize(m.Input, m.NumFeatures)
	if err := readRow(*rows, m, req); err != nil {
		return nil, invalid("%w", err)
	}
	if err := m.Score(ctx, &w.result, *rows, m.Plain()); err != nil {
		return nil, err
	}
	return &prediction.PredictResponse{
		Prediction:   predictionOf(m, &w.result, 0),
		ModelName:    m.Name,
		ModelVersion: m.Version,
	}, nil
}

func (s *predictionService) BatchPredict(ctx context.Context, req *prediction.BatchPredictRequest) (*prediction.BatchPredictResponse, error) {
	m, err := s.models.Lookup(req.ModelName, req.ModelVersion)
	if err != nil {
		return nil, err
	}
	if err := m.CheckRows(len(req.Rows)); err != nil {
		return nil, err
	}
	for i, row := range req.Rows {
		if err := checkRow(m, row); err != nil {
			return nil, invalid("row %d: %w", i, err)
		}
	}
	w := begin()
	defer w.free()
	n := m.NumFeatures
	rows := w.rows.Resize(m.Input, len(req.Rows)*n)
	for i, row := range req.Rows {
		if err := readRow(rows.Slice(i*n, (i+1)*n), m, row); err != nil {
			return nil, invalid("row %d: %w", i, err)
		}
	}
	if err := m.Score(ctx, &w.result, *rows, m.Plain()); err != nil {
		return nil, err
	}
	resp := &prediction.BatchPredictResponse{
		Predictions:  make([]*prediction.Prediction, len(req.Rows)),
		ModelName:    m.Name,
		ModelVersion: m.Version,
	}
	for i := range resp.Predictions {
		resp.Predictions[i] = predictionOf(m, &w.result, i)
	}
	return resp, nil
}

// predictionOf returns the answer for one row.
func predictionOf(m *serve.Model, r *serve.Result, row int) *prediction.Prediction {
	p := &prediction.Prediction{}
	for _, o := range m.Plain() {
		values := numbersOf(o, r, row)
		switch {
		case o == m.Plain()[0]:
			p.Values = values
		case o.Name == "proba":
			p.Probabilities = values
		case o.Name == "decision":
			p.Decision = values
		case o.Name == "score":
			p.Score = values
		}
	}
	if n := m.NumLabels(); n > 0 {
		p.Label, _ = m.Label(r, row, 0)
		for i := 0; n > 1 && i < n; i++ {
			label, _ := m.Label(r, row, i)
			p.Labels = append(p.Labels, label)
		}
	}
	return p
}

// numbersOf returns the values of a row, unless they are texts.
func numbersOf(o *serve.Output, r *serve.Result, row int) []float64 {
	if o.Datatype == "BYTES" {
		return nil
	}
	values := make([]float64, o.Width())
	for i := range values {
		v := r.Values(o).At(row*len(values) + i)
		if o.Labels != nil {
			v = o.Labels[i].Number(int(v))
		}
		values[i] = v
	}
	return values
}

// A row is a row by position or by name: a PredictRequest or a Row.
type row interface {
	GetFeatures() []float64
	GetNamedFeatures() map[string]*prediction.Value
}

// checkRow makes sure that a row has as many values as there are features, before
// anybody makes room for them.
func checkRow(m *serve.Model, r row) error {
	features, named := r.GetFeatures(), r.GetNamedFeatures()
	switch {
	case len(named) > 0 && len(features) > 0:
		return errors.New("features and named_features must not both be there")
	case len(named) > 0 && len(named) != m.NumFeatures:
		return namesError(m, named)
	case len(named) == 0 && len(features) != m.NumFeatures:
		return fmt.Errorf("%d features, want %d", len(features), m.NumFeatures)
	}
	return nil
}

// readRow writes the values of a row that checkRow has checked to dst, in column
// order.
func readRow(dst predict.Values, m *serve.Model, r row) error {
	if named := r.GetNamedFeatures(); len(named) > 0 {
		return readNamed(dst, m, named)
	}
	for i, v := range r.GetFeatures() {
		if err := set(dst, m, i, v); err != nil {
			return err
		}
	}
	return nil
}

// set writes the value of a feature, which must fit the type of the row.
func set(dst predict.Values, m *serve.Model, column int, v float64) error {
	if dst.Set(column, v); math.IsInf(dst.At(column), 0) && !math.IsInf(v, 0) {
		return fmt.Errorf("feature %q is %v, which does not fit float32", m.Features[column].Name, v)
	}
	return nil
}

// readNamed writes the values of a row by name. All names must be there, so that
// a misspelt one is never taken for a missing value.
func readNamed(dst predict.Values, m *serve.Model, named map[string]*prediction.Value) error {
	for column := range m.Features {
		value, ok := named[m.Features[column].Name]
		if !ok {
			return namesError(m, named)
		}
		v, err := number(m, column, value)
		if err == nil {
			err = set(dst, m, column, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func number(m *serve.Model, column int, value *prediction.Value) (float64, error) {
	switch kind := value.GetKind().(type) {
	case *prediction.Value_Number:
		return kind.Number, nil
	case *prediction.Value_Text:
		return m.Code(column, kind.Text)
	}
	return math.NaN(), nil
}

// namesError says what is wrong with names that are not the model's features:
// the first unknown one in alphabetic order or, if there is none, the first
// feature that is not there.
func namesError(m *serve.Model, named map[string]*prediction.Value) error {
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if _, err := m.Column(name); err != nil {
			return err
		}
	}
	for _, f := range m.Features {
		if _, ok := named[f.Name]; !ok {
			return fmt.Errorf("feature %q is not there; a missing value is a Value without a kind", f.Name)
		}
	}
	panic("the names are the model's features")
}
