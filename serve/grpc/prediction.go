package grpc

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

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
	w := works.Get().(*work)
	defer w.free()
	if w.rows, err = appendRow(w.rows[:0], m, req); err != nil {
		return nil, invalid("%w", err)
	}
	if err := m.Score(ctx, &w.result, w.rows, serve.Predict); err != nil {
		return nil, err
	}
	return &prediction.PredictResponse{
		Prediction:   predictionOf(m, w.result.Predict),
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
	w := works.Get().(*work)
	defer w.free()
	w.rows = w.rows[:0]
	for i, row := range req.Rows {
		if w.rows, err = appendRow(w.rows, m, row); err != nil {
			return nil, invalid("row %d: %w", i, err)
		}
	}
	if err := m.Score(ctx, &w.result, w.rows, serve.Predict); err != nil {
		return nil, err
	}
	resp := &prediction.BatchPredictResponse{
		Predictions:  make([]*prediction.Prediction, len(req.Rows)),
		ModelName:    m.Name,
		ModelVersion: m.Version,
	}
	for i := range resp.Predictions {
		resp.Predictions[i] = predictionOf(m, w.result.Predict[i*m.NumOutputs:][:m.NumOutputs])
	}
	return resp, nil
}

// predictionOf returns the answer for one row.
func predictionOf(m *serve.Model, values []float32) *prediction.Prediction {
	p := &prediction.Prediction{Values: make([]float64, len(values))}
	for i, v := range values {
		p.Values[i] = float64(v)
	}
	p.Label, _ = m.Label(values)
	return p
}

// A row is a row by position or by name: a PredictRequest or a Row.
type row interface {
	GetFeatures() []float64
	GetNamedFeatures() map[string]*prediction.Value
}

// appendRow appends the values of a row to dst, in column order.
func appendRow(dst []float32, m *serve.Model, r row) ([]float32, error) {
	features, named := r.GetFeatures(), r.GetNamedFeatures()
	if len(named) > 0 {
		if len(features) > 0 {
			return dst, fmt.Errorf("features and named_features must not both be there")
		}
		return appendNamed(dst, m, named)
	}
	if len(features) != m.NumFeatures {
		return dst, fmt.Errorf("%d features, want %d", len(features), m.NumFeatures)
	}
	for i, v := range features {
		f, ok := narrow(v)
		if !ok {
			return dst, fmt.Errorf("feature %q is %v, which does not fit float32", m.Features[i].Name, v)
		}
		dst = append(dst, f)
	}
	return dst, nil
}

// appendNamed appends the values of a row by name. All names must be there, so
// that a misspelt one is never taken for a missing value.
func appendNamed(dst []float32, m *serve.Model, named map[string]*prediction.Value) ([]float32, error) {
	for column := range m.Features {
		value, ok := named[m.Features[column].Name]
		if !ok {
			return dst, namesError(m, named)
		}
		v, err := number(m, column, value)
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
	}
	if len(named) != m.NumFeatures {
		return dst, namesError(m, named)
	}
	return dst, nil
}

func number(m *serve.Model, column int, value *prediction.Value) (float32, error) {
	switch kind := value.GetKind().(type) {
	case *prediction.Value_Number:
		f, ok := narrow(kind.Number)
		if !ok {
			return 0, fmt.Errorf("feature %q is %v, which does not fit float32", m.Features[column].Name, kind.Number)
		}
		return f, nil
	case *prediction.Value_Text:
		return m.Code(column, kind.Text)
	}
	return float32(math.NaN()), nil
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
