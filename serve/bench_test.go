package serve_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"hew/predict"
	"hew/serve"
)

// wide is a model of 28 features that costs nothing, so that the benchmarks
// measure the server.
func wide() predict.Predictor {
	f := func(dst, x predict.Values) { // as the code of a built server calls a package
		if dst.F64 != nil || x.F64 != nil {
			panic("values of the wrong type")
		}
		for row := range dst.F32 {
			dst.F32[row] = x.F32[row*28]
		}
	}
	p := predict.Predictor{Info: predict.Info{Name: "wide", Version: "1", NumFeatures: 28, NumOutputs: 1, NumMargins: 1, Task: "regression"}, Predict: f, Margin: f}
	for i := range 28 {
		p.Features = append(p.Features, predict.Feature{Name: "feature_" + strconv.Itoa(i), Type: "float"})
	}
	return p
}

// A sink is a response writer that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkHandler(b *testing.B) {
	double := wide()
	double.Name, double.Input, double.Output = "double", predict.Float64, predict.Float64
	double.Predict = func(dst, x predict.Values) {
		for row := range dst.F64 {
			dst.F64[row] = x.F64[row*28]
		}
	}
	m, err := serve.NewModels(serve.DefaultConfig().Limits, nil, wide(), double)
	if err != nil {
		b.Fatal(err)
	}
	h := serve.Handler(m)
	rng := rand.New(rand.NewPCG(1, 2))
	var named []string
	for i := range 28 {
		named = append(named, fmt.Sprintf(`"feature_%d":%v`, i, float32(rng.NormFloat64())))
	}
	for _, rows := range []int{1, 100, 1000} {
		var list []string
		for range rows {
			var row []string
			for range 28 {
				row = append(row, strconv.FormatFloat(rng.NormFloat64(), 'g', -1, 32))
			}
			list = append(list, "["+strings.Join(row, ",")+"]")
		}
		all := "[" + strings.Join(list, ",") + "]"
		infer := fmt.Sprintf(`{"id":"1","inputs":[{"name":"input-0","shape":[%d,28],"datatype":"FP32","data":%s}]}`, rows, all)
		if rows == 1 {
			benchmark(b, h, "route=predict/rows=1", "/predict", list[0], 1)
			benchmark(b, h, "route=predict-named/rows=1", "/predict", "{"+strings.Join(named, ",")+"}", 1)
		}
		benchmark(b, h, fmt.Sprintf("route=batch_predict/rows=%d", rows), "/batch_predict", all, rows)
		benchmark(b, h, fmt.Sprintf("route=infer/rows=%d", rows), "/v2/models/wide/infer", infer, rows)
		infer = strings.Replace(infer, "FP32", "FP64", 1)
		benchmark(b, h, fmt.Sprintf("route=infer-float64/rows=%d", rows), "/v2/models/double/infer", infer, rows)
	}
}

func benchmark(b *testing.B, h http.Handler, name, path, body string, rows int) {
	b.Run(name, func(b *testing.B) {
		reader := strings.NewReader(body)
		r, err := http.NewRequest("POST", "http://x"+path, io.NopCloser(reader))
		if err != nil {
			b.Fatal(err)
		}
		r.ContentLength = int64(len(body))
		w := &sink{http.Header{}}
		b.ReportAllocs()
		for b.Loop() {
			reader.Reset(body)
			clear(w.header)
			h.ServeHTTP(w, r)
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
