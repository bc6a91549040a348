package load_test

import (
	"encoding/json"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench/load"
	"hew/predict"
	"hew/serve"
	"hew/serve/grpc"
)

// sums predicts the sum of a row and twice of it.
var sums = predict.Predictor{
	Info: predict.Info{
		Name: "sums", Version: "1", NumFeatures: 2, NumOutputs: 2, NumMargins: 2, Task: "regression",
		Features: []predict.Feature{{Name: "a", Type: "float"}, {Name: "b", Type: "float"}},
	},
	Predict: func(dst, x predict.Values) {
		for i := range x.Len() / 2 {
			dst.F32[2*i] = x.F32[2*i] + x.F32[2*i+1]
			dst.F32[2*i+1] = 2 * dst.F32[2*i]
		}
	},
	Margin: func(dst, x predict.Values) { clear(dst.F32) },
}

// answering is a model of float64 whose first answer, of two values, has the given
// name; its other one is a label.
func answering(name string) predict.Predictor {
	p := predict.Predictor{Info: predict.Info{
		Name: name, Version: "1", NumFeatures: 2, NumOutputs: 2, NumMargins: 1, Task: "classification",
		Input: predict.Float64, Output: predict.Float64,
		Features: []predict.Feature{{Name: "a", Type: "float"}, {Name: "b", Type: "float"}},
		Answers: []predict.Answer{
			{Name: name, Width: 2}, {Name: "label", Width: 1, Labels: []predict.Labels{{Texts: []string{"no", "yes"}, Type: "text"}}},
		},
	}}
	if name == "predict" {
		p.Answers = p.Answers[:1]
	}
	p.Margin = func(dst, x predict.Values) {
		for i := range dst.F64 {
			dst.F64[i] = x.F64[2*i] / 3
		}
	}
	p.Answer = func(i int, dst, margins, x predict.Values) {
		for r, m := range margins.F64 {
			if i == 0 {
				dst.F64[2*r], dst.F64[2*r+1] = m, m+x.F64[2*r+1]
			} else {
				dst.F64[r] = 1
			}
		}
	}
	p.Predict = func(dst, x predict.Values) {
		margins := predict.MakeValues(predict.Float64, x.Len()/2)
		p.Margin(margins, x)
		p.Answer(0, dst, margins, x)
	}
	return p
}

func questions(batchRows int) load.Questions {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	q := load.Questions{Model: "sums", Features: 2, Outputs: 2, BatchRows: batchRows}
	q.X = predict.ValuesOf([]float32{1, 0.1, nan, 2, inf, 1, -inf, 1, 1e-45, 0, 3.4e38, 0, -0.25, 16777216})
	q.Want = predict.MakeValues(predict.Float32, q.X.Len())
	sums.Predict(q.Want, q.X)
	return q
}

// answerQuestions are questions about the first answer of a model of float64.
func answerQuestions(name string, batchRows int) load.Questions {
	q := load.Questions{Model: name, Features: 2, Outputs: 2, Output: name, BatchRows: batchRows}
	q.X = predict.ValuesOf([]float64{1, 0.1, math.NaN(), 2, math.Inf(1), 1, math.Inf(-1), 1, 5e-324, 0, 1.7e308, 0, -0.25, 1 << 53})
	q.Want = predict.MakeValues(predict.Float64, q.X.Len())
	answering(name).Predict(q.Want, q.X)
	return q
}

// servers starts the real servers and returns their addresses.
func servers(t *testing.T) (rest, grpcAddr string) {
	models, err := serve.NewModels(serve.DefaultConfig().Limits, nil,
		sums, answering("proba"), answering("score"), answering("predict"))
	require.NoError(t, err)
	h := httptest.NewServer(serve.Handler(models))
	t.Cleanup(h.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := grpc.Front.New(models)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(func() { _ = g.Shutdown(t.Context()) })
	return h.Listener.Addr().String(), l.Addr().String()
}

func TestProtocols(t *testing.T) {
	rest, grpcAddr := servers(t)
	targets := map[string]func(batchRows int) load.Target{
		"rest":    func(n int) load.Target { return load.REST(rest, questions(n)) },
		"rest-v2": func(n int) load.Target { return load.RESTV2(rest, questions(n)) },
		"grpc":    func(n int) load.Target { return load.GRPC(grpcAddr, questions(n)) },
	}
	for name, target := range targets {
		for _, batchRows := range []int{1, 3, 7} {
			r, err := load.Run(target(batchRows), load.Plan{Connections: 2, Duration: 30 * time.Millisecond})
			require.NoError(t, err, name)
			require.Equal(t, name, r.Engine)
			require.Equal(t, "sums", r.Model)
			require.Equal(t, 2, r.Connections)
			require.Equal(t, batchRows, r.BatchRows)
			require.Zero(t, r.Errors, "%s: %s", name, r.FirstError)
			require.Greater(t, r.Requests, int64(10), name)
			require.Positive(t, r.PerSecond)
			require.Positive(t, r.P50)
			require.LessOrEqual(t, r.P50, r.P95)
			require.LessOrEqual(t, r.P95, r.P99)
		}
		r, err := load.Run(target(1), load.Plan{Connections: 3, Rate: 200, Duration: 100 * time.Millisecond})
		require.NoError(t, err, name)
		require.EqualValues(t, 20, r.Requests, name)
		require.Zero(t, r.Errors, "%s: %s", name, r.FirstError)
		require.Equal(t, 200.0, r.Rate)
	}
}

// The parts of a request's time come from the server's own counts, and add up.
func TestParts(t *testing.T) {
	rest, grpcAddr := servers(t)
	for name, target := range map[string]load.Target{
		"rest": load.REST(rest, questions(1)), "rest of batches": load.REST(rest, questions(3)),
		"rest-v2": load.RESTV2(rest, questions(3)), "grpc": load.GRPC(grpcAddr, questions(3)),
	} {
		r, err := load.Run(target, load.Plan{Connections: 2, Duration: 30 * time.Millisecond, Counts: rest})
		require.NoError(t, err, name)
		require.Len(t, r.Parts, 4, name)
		sum := 0.0
		for i, part := range []string{"parse", "score", "encode", "network"} {
			require.Equal(t, part, r.Parts[i].Name)
			require.Positive(t, r.Parts[i].Mean, "%s: %s", name, part)
			sum += r.Parts[i].Mean
		}
		busy := 2 * 1000 / r.PerSecond // ms per request of two connections that never wait
		require.InEpsilon(t, busy, sum, 0.5, name)
	}

	// Who else asks the server makes its counts useless, and they are not used.
	other := make(chan error, 1)
	go func() {
		_, err := load.Run(load.REST(rest, questions(1)), load.Plan{Connections: 1, Duration: 2 * time.Second})
		other <- err
	}()
	ask := load.Plan{Connections: 1, Duration: 300 * time.Millisecond, Counts: rest}
	r, err := load.Run(load.REST(rest, questions(1)), ask)
	require.NoError(t, err)
	require.NoError(t, <-other)
	require.Nil(t, r.Parts)

	ask.Counts = grpcAddr
	_, err = load.Run(load.REST(rest, questions(1)), ask)
	require.Error(t, err)
}

// Models of float64 are asked for their first answer, whatever its name is.
func TestProtocolsOfAnswers(t *testing.T) {
	rest, grpcAddr := servers(t)
	for _, name := range []string{"proba", "score", "predict"} {
		for _, batchRows := range []int{1, 3} {
			q := answerQuestions(name, batchRows)
			for _, target := range []load.Target{load.REST(rest, q), load.RESTV2(rest, q), load.GRPC(grpcAddr, q)} {
				r, err := load.Run(target, load.Plan{Connections: 1, Duration: 20 * time.Millisecond})
				require.NoError(t, err, name)
				require.Zero(t, r.Errors, "%s %s: %s", name, r.Engine, r.FirstError)
				require.Greater(t, r.Requests, int64(5))
			}
			q.Want.Set(2*batchRows-1, math.Nextafter(q.Want.At(2*batchRows-1), 9)) // of the first request
			for _, target := range []load.Target{load.REST(rest, q), load.RESTV2(rest, q), load.GRPC(grpcAddr, q)} {
				_, err := load.Run(target, load.Plan{Connections: 1, Duration: time.Millisecond})
				require.ErrorContains(t, err, ": prediction ", "one bit is wrong")
			}
		}
	}
}

// handle starts a server of sums whose answers spoil may change: it is called
// with the number of the request, from 0, and writes an answer of its own if it
// returns true.
func handle(t *testing.T, spoil func(n int64, w http.ResponseWriter) bool) string {
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoil(n.Add(1)-1, w) {
			return
		}
		var row, y [2]float32
		if err := json.NewDecoder(r.Body).Decode(&row); err != nil {
			t.Error(err)
		}
		sums.Predict(predict.ValuesOf(y[:]), predict.ValuesOf(row[:]))
		_ = json.NewEncoder(w).Encode(map[string]any{"model": "sums", "prediction": y})
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// finite returns questions that encoding/json can answer.
func finite() load.Questions {
	q := questions(1)
	q.X, q.Want = q.X.Slice(8, 14), q.Want.Slice(8, 14)
	q.X.F32[2], q.Want.F32[2], q.Want.F32[3] = 1, 1, 2 // 3.4e38 doubled is infinite
	return q
}

// TestStallIsFelt is the check against coordinated omission: the server stands
// still for 300 ms. Each request that was due meanwhile must feel it.
func TestStallIsFelt(t *testing.T) {
	stalling := func() string {
		var once sync.Once
		return handle(t, func(n int64, _ http.ResponseWriter) bool {
			if n >= 50 {
				once.Do(func() { time.Sleep(300 * time.Millisecond) })
			}
			return false
		})
	}
	open, err := load.Run(load.REST(stalling(), finite()), load.Plan{Connections: 1, Rate: 400, Duration: time.Second})
	require.NoError(t, err)
	require.EqualValues(t, 400, open.Requests)
	require.Zero(t, open.Errors, open.FirstError)
	// 120 requests were due during the stall and waited 300 ms, 297.5 ms, …
	require.Greater(t, open.P95, 150.0)
	require.Greater(t, open.P99, 250.0)
	require.Less(t, open.P50, 100.0)

	closed, err := load.Run(load.REST(stalling(), finite()), load.Plan{Connections: 1, Duration: time.Second})
	require.NoError(t, err)
	require.Less(t, closed.P95, 100.0, "one of many requests felt the stall")
}

func TestErrorsAreCounted(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(w http.ResponseWriter)
		want  string
	}{
		"status": {func(w http.ResponseWriter) { http.Error(w, `{"error":"busy"}`, http.StatusServiceUnavailable) }, `503 Service Unavailable: {"error":"busy"}`},
		"value":  {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"prediction":[1,2]}`)) }, ": prediction "},
		"nan":    {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"prediction":[null,null]}`)) }, ": prediction NaN, want "},
		"width":  {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"prediction":[1,2,3]}`)) }, "3 predicted values for 1 rows, want 2"},
		"none":   {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{}`)) }, "no predictions in the answer"},
		"text":   {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`hello`)) }, "invalid character"},
		"cut":    {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		addr := handle(t, func(n int64, w http.ResponseWriter) bool {
			if n < 2 || n%4 != 0 {
				return false
			}
			c.spoil(w)
			return true
		})
		q := finite()
		q.X, q.Want = q.X.Slice(4, 6), q.Want.Slice(4, 6) // its answer is not [1 2]
		r, err := load.Run(load.REST(addr, q), load.Plan{Connections: 2, Rate: 500, Duration: 100 * time.Millisecond})
		require.NoError(t, err, name)
		require.EqualValues(t, 50, r.Requests, name)
		require.EqualValues(t, 12, r.Errors, name)
		require.Contains(t, r.FirstError, c.want, name)
	}
}

func TestServerClosesConnections(t *testing.T) {
	addr := handle(t, func(n int64, w http.ResponseWriter) bool {
		w.Header().Set("Connection", "close")
		return false
	})
	r, err := load.Run(load.REST(addr, finite()), load.Plan{Connections: 1, Rate: 200, Duration: 50 * time.Millisecond})
	require.NoError(t, err)
	require.EqualValues(t, 10, r.Requests)
	require.Zero(t, r.Errors, r.FirstError)
}

func TestRateThatCannotBeHeld(t *testing.T) {
	addr := handle(t, func(int64, http.ResponseWriter) bool {
		time.Sleep(20 * time.Millisecond)
		return false
	})
	r, err := load.Run(load.REST(addr, finite()), load.Plan{Connections: 1, Rate: 1000, Duration: 100 * time.Millisecond})
	require.NoError(t, err)
	require.EqualValues(t, 100, r.Requests)
	require.Greater(t, r.Errors, int64(30))
	require.Contains(t, r.FirstError, "requests were due and never sent: the server cannot hold the rate")
	require.LessOrEqual(t, r.PerSecond, 50.0)
}

func TestRunRefuses(t *testing.T) {
	addr := handle(t, func(_ int64, w http.ResponseWriter) bool { w.WriteHeader(http.StatusNotFound); return true })
	plan := load.Plan{Connections: 1, Duration: time.Millisecond}
	_, err := load.Run(load.REST(addr, finite()), plan)
	require.EqualError(t, err, "rest: 404 Not Found: ")

	_, err = load.Run(load.REST("127.0.0.1:1", finite()), plan)
	require.ErrorContains(t, err, "rest: dial tcp 127.0.0.1:1")
	_, err = load.Run(load.GRPC("127.0.0.1:1", finite()), plan)
	require.ErrorContains(t, err, "grpc: ")
	require.True(t, strings.Contains(err.Error(), "127.0.0.1:1"), err)

	for _, n := range []int{0, 4} {
		q := finite()
		q.BatchRows = n
		_, err = load.Run(load.REST(addr, q), plan)
		require.ErrorContains(t, err, "rows per request of 3 rows")
	}
	_, err = load.Run(load.REST(addr, finite()), load.Plan{Duration: time.Second})
	require.ErrorContains(t, err, "cannot drive a server by 0 connections")
}
