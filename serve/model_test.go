package serve_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/serve"
)

// churn is a classifier of two classes with one output. Its margin is the sum
// of the features weighted 1, 10, 100, 1000, where a missing value counts −1.
func churn() predict.Predictor {
	margin := func(dst, x []float32) {
		for row := range dst {
			dst[row] = 0
			weight := float32(1)
			for _, v := range x[row*4:][:4] {
				if v != v {
					v = -1
				}
				dst[row] += weight * v
				weight *= 10
			}
		}
	}
	p := predict.Predictor{
		Info: predict.Info{
			Name: "churn", Version: "1", NumFeatures: 4, NumOutputs: 1, NumMargins: 1, NumTrees: 2,
			Features: []predict.Feature{
				{Name: "age", Type: "float"}, {Name: "tenure", Type: "int"}, {Name: "member", Type: "bool"},
				{Name: "city", Type: "categorical", Categories: []string{"Bern", "Basel", "Zürich"}},
			},
			Task: "classification", Classes: []string{"stay", "leave"},
			Source: predict.Source{File: "churn.ubj", SHA256: "9f2c", Format: "xgboost 3.2.0 ubjson", Engine: "fake", Exact: true, Hew: "dev"},
		},
		Margin: singles(margin),
		Leaf: func(dst []int32, x predict.Values) {
			for row := range len(x.F32) / 4 {
				dst[row*2], dst[row*2+1] = int32(x.F32[row*4]), int32(row)
			}
		},
	}
	p.Predict = singles(func(dst, x []float32) {
		margin(dst, x)
		for i, v := range dst {
			dst[i] = 0.25
			if v > 1000 {
				dst[i] = 0.75
			}
		}
	})
	return p
}

// singles returns what a predictor of float32 does.
func singles(f func(dst, x []float32)) func(dst, x predict.Values) {
	return func(dst, x predict.Values) { f(predict.SliceOf[float32](dst), predict.SliceOf[float32](x)) }
}

// echo returns its two features and their sum; it has no classes and no trees.
func echo(version string) predict.Predictor {
	f := singles(func(dst, x []float32) {
		for row := range len(x) / 2 {
			a, b := x[row*2], x[row*2+1]
			copy(dst[row*3:], []float32{a, b, a + b})
		}
	})
	return predict.Predictor{
		Info: predict.Info{
			Name: "echo/ö", Version: version, NumFeatures: 2, NumOutputs: 3, NumMargins: 3, Task: "regression",
			Features: []predict.Feature{{Name: "a", Type: "float"}, {Name: "b", Type: "categorical"}},
			Source:   predict.Source{Engine: version},
		},
		Predict: f, Margin: f,
	}
}

// argmax predicts a class as XGBoost's multi:softmax does; it panics on 13.
func argmax() predict.Predictor {
	return predict.Predictor{
		Info: predict.Info{
			Name: "argmax", Version: "7", NumFeatures: 1, NumOutputs: 1, NumMargins: 3, Task: "classification",
			Features: []predict.Feature{{Name: "x", Type: "float"}}, Classes: []string{"a", "b", "c"},
		},
		Predict: singles(func(dst, x []float32) {
			for i, v := range x {
				if v == 13 {
					panic("thirteen")
				}
				dst[i] = v
			}
		}),
		Margin: singles(func(dst, x []float32) { clear(dst) }),
	}
}

func newModels(t testing.TB) *serve.Models {
	t.Helper()
	m, err := serve.NewModels(serve.Limits{MaxBody: 4096, MaxRows: 50}, nil, churn(), echo("1"), echo("2"), argmax())
	require.NoError(t, err)
	return m
}

// send hands a request to a handler. Headers are "Key: value".
func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, header := range headers {
		key, value, _ := strings.Cut(header, ": ")
		r.Header.Set(key, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestNewModelsRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*predict.Predictor){
		`model "": name or version is empty`:                 func(p *predict.Predictor) { p.Name = "" },
		`model "churn": name or version is empty`:            func(p *predict.Predictor) { p.Version = "" },
		`model "churn": 3 features for 4 columns`:            func(p *predict.Predictor) { p.Features = p.Features[:3] },
		`model "churn": two features are named "age"`:        func(p *predict.Predictor) { p.Features[3].Name = "age" },
		`model "churn": it cannot predict`:                   func(p *predict.Predictor) { p.Predict = nil },
		`model "churn": it has no features or no outputs`:    func(p *predict.Predictor) { p.NumOutputs = 0 },
		`two models are named "argmax" in version "7"`:       func(p *predict.Predictor) { *p = argmax() },
		`model "churn": feature "city" has two categories a`: func(p *predict.Predictor) { p.Features[3].Categories = []string{"a", "b", "a"} },
	} {
		p := churn()
		spoil(&p)
		_, err := serve.NewModels(serve.Limits{}, nil, argmax(), p)
		require.EqualError(t, err, want)
	}
	_, err := serve.NewModels(serve.Limits{}, nil)
	require.EqualError(t, err, "no model to serve")
}

func TestLookup(t *testing.T) {
	m := newModels(t)
	for _, c := range []struct{ name, version, want string }{
		{"", "", "churn 1"},
		{"", "1", "churn 1"},
		{"echo/ö", "", "echo/ö 1"},
		{"echo/ö", "2", "echo/ö 2"},
		{"churn", "2", `model "churn" has no version "2" (it has 1)`},
		{"echo/ö", "3", `model "echo/ö" has no version "3" (it has 1, 2)`},
		{"chrun", "", `unknown model "chrun" (did you mean "churn"?)`},
		{"something else", "", `unknown model "something else"`},
	} {
		model, err := m.Lookup(c.name, c.version)
		if err != nil {
			require.EqualError(t, err, c.want)
			require.Equal(t, http.StatusNotFound, err.(*serve.Error).Status)
			continue
		}
		require.Equal(t, c.want, model.Name+" "+model.Version)
	}
}

func TestScore(t *testing.T) {
	model := newModels(t).All()[0]
	nan := float32(math.NaN())
	var r serve.Result
	x := predict.ValuesOf([]float32{1, 2, 3, 1, nan, 0, 0, 0})
	all := model.Outputs() // predict, margin, leaf
	require.NoError(t, model.Score(t.Context(), &r, x, all))
	require.Equal(t, 2, r.Rows)
	require.Equal(t, []float32{0.75, 0.25}, r.Values(all[0]).F32)
	require.Equal(t, []float32{1321, -1}, r.Values(all[1]).F32)
	require.Equal(t, []int32{1, 0, math.MinInt32, 1}, r.Leaf)

	require.NoError(t, model.Score(t.Context(), &r, x.Slice(0, 4), all[1:2]), "memory is used again")
	require.Equal(t, 1, r.Rows)
	require.Equal(t, []float32{1321}, r.Values(all[1]).F32)
	require.Empty(t, r.Leaf)

	require.EqualError(t, model.Score(t.Context(), &r, x.Slice(0, 5), all), "5 values do not make rows of 4 features")
	require.EqualError(t, model.Score(t.Context(), &r, predict.MakeValues(predict.Float32, 204), all), "51 rows are more than the 50 that one request may have (--max-rows)")
}

func TestLabel(t *testing.T) {
	all := newModels(t).All()
	for _, c := range []struct {
		model      int
		prediction []float32
		want       string
	}{
		{0, []float32{0.5}, "stay"}, {0, []float32{0.51}, "leave"}, {0, []float32{float32(math.NaN())}, "stay"},
		{1, []float32{1, 2, 3}, ""}, {3, []float32{float32(math.NaN())}, ""},
		{3, []float32{2}, "c"}, {3, []float32{3}, ""}, {3, []float32{-1}, ""},
	} {
		label, ok := all[c.model].Class(predict.ValuesOf(c.prediction))
		require.Equal(t, c.want, label)
		require.Equal(t, c.want != "", ok)
	}
}
