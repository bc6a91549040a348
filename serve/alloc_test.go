//go:build !race

package serve_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
)

// What a request needs is used again by the next one, whatever the types of the
// models are that are asked in turn. Under the race detector a pool forgets.
func TestRequestsAllocateLittle(t *testing.T) {
	double, answering := wide(), shades(boolLabels)
	double.Name, double.Input, double.Output = "double", predict.Float64, predict.Float64
	double.Predict = func(dst, x predict.Values) { dst.F64[0] = x.F64[0] }
	answering.Margin = func(dst, x predict.Values) { copy(dst.F64, x.F64) }
	h := handler(t, wide(), double, answering)
	row := `[` + strings.Repeat("0.25,", 27) + `1]`
	ask := func(path, body string) func() {
		reader := strings.NewReader(body)
		r, err := http.NewRequest("POST", "http://x"+path, io.NopCloser(reader))
		require.NoError(t, err)
		r.ContentLength = int64(len(body))
		w := &sink{http.Header{}}
		return func() {
			reader.Reset(body)
			clear(w.header)
			h.ServeHTTP(w, r)
		}
	}
	infer := func(model, datatype string) func() {
		return ask("/v2/models/"+model+"/infer", tensor(`[1,28]`, datatype, row))
	}
	plain, v2, v2double := ask("/predict", row), infer("wide", "FP32"), infer("double", "FP64")
	answers := ask("/v2/models/shades/infer", strings.TrimSuffix(tensor(`[1,2]`, "FP64", `[1,2]`), "}")+`,"outputs":[{"name":"predict"},{"name":"proba"},{"name":"leaf"}]}`)
	for name, c := range map[string]struct {
		run  func()
		most float64
	}{
		"plain": {plain, 3}, "v2": {v2, 4}, "v2 float64": {v2double, 4}, "answers": {answers, 7},
		"in turn": {func() { plain(); v2double(); answers(); v2() }, 18},
	} {
		c.run()
		require.LessOrEqual(t, testing.AllocsPerRun(200, c.run), c.most, name)
	}
}
