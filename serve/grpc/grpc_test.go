package grpc_test

import (
	"bytes"
	"context"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	google "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"hew/predict"
	"hew/serve"
	"hew/serve/grpc"
)

// panics is the value of the first feature at which the test predictor panics.
const panics = 666

// churn is a classifier with one output: x0 + 10·x1 + 100·x2, NaN counting as 1.
func churn() predict.Predictor {
	p := weighted("churn", "1")
	p.Task, p.Classes = "classification", []string{"no", "yes"}
	p.Features[2] = predict.Feature{Name: "plan", Type: "categorical", Categories: []string{"basic", "plus", "pro"}}
	return p
}

// weighted is a predictor of three features and one output.
func weighted(name, version string) predict.Predictor {
	p := predict.Predictor{Info: predict.Info{
		Name: name, Version: version, NumFeatures: 3, NumOutputs: 1, NumMargins: 1, NumTrees: 3,
		Features: []predict.Feature{{Name: "age", Type: "float"}, {Name: "fee", Type: "float"}, {Name: "plan", Type: "float"}},
		Task:     "regression",
		Source:   predict.Source{Format: "xgboost 3.2.0 json", Hew: "0.1.0"},
	}}
	p.Predict = func(dst, x predict.Values) {
		for i := range dst.F32 {
			dst.F32[i] = sum(x.F32[3*i:])
		}
	}
	p.Margin = func(dst, x predict.Values) {
		for i := range dst.F32 {
			dst.F32[i] = -sum(x.F32[3*i:])
		}
	}
	p.Leaf = func(dst []int32, x predict.Values) {
		for i := range dst {
			dst[i] = int32(i)
		}
	}
	return p
}

func sum(x []float32) float32 {
	s, weight := float32(0), float32(1)
	for _, v := range x[:3] {
		if v == panics {
			panic("no predictor likes 666")
		}
		if math.IsNaN(float64(v)) {
			v = 1
		}
		s += weight * v
		weight *= 10
	}
	return s
}

// A host is a server under test and a connection to it.
type host struct {
	serve.Server
	models *serve.Models
	log    bytes.Buffer
	addr   string
	conn   *google.ClientConn
	served chan error // what Serve returned
}

// start serves the predictors until the test ends.
func start(t testing.TB, predictors ...predict.Predictor) *host {
	h := &host{served: make(chan error, 1)}
	models, err := serve.NewModels(serve.Limits{MaxBody: 1 << 20, MaxRows: 1000}, serve.NewLog(&h.log, serve.LevelWarn), predictors...)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h.Server, h.models, h.addr = grpc.Front.New(models), models, l.Addr().String()
	go func() { h.served <- h.Serve(l) }()
	h.conn = h.dial(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, h.Shutdown(ctx))
	})
	return h
}

func (h *host) dial(t testing.TB) *google.ClientConn {
	conn, err := google.NewClient(h.addr, google.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// metrics returns the lines of the metrics that contain part.
func (h *host) metrics(part string) []string {
	var lines []string
	for line := range strings.Lines(string(h.models.Metrics.Append(nil))) {
		if strings.Contains(line, part) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// requireCode checks the code and a part of the message of a refusal.
func requireCode(t *testing.T, err error, want codes.Code, text string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, status.Code(err), err)
	require.ErrorContains(t, err, text)
}
