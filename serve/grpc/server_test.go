package grpc_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	google "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"hew/predict"
	"hew/serve"
	"hew/serve/grpc"
	"hew/serve/grpc/proto/inference"
	"hew/serve/grpc/proto/prediction"
)

func TestHealth(t *testing.T) {
	h := start(t, churn())
	c := healthpb.NewHealthClient(h.conn)
	for _, service := range []string{"", "inference.GRPCInferenceService", "prediction.PredictionService"} {
		resp, err := c.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		require.Equal(t, healthpb.HealthCheckResponse_SERVING, resp.Status)
	}
	_, err := c.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "x"})
	requireCode(t, err, codes.NotFound, "unknown service")
	list, err := c.List(t.Context(), &healthpb.HealthListRequest{})
	require.NoError(t, err)
	require.Len(t, list.Statuses, 3)

	watch, err := c.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "x"})
	require.NoError(t, err)
	resp, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVICE_UNKNOWN, resp.Status)
}

func TestReflection(t *testing.T) {
	h := start(t, churn())
	stream, err := reflectionpb.NewServerReflectionClient(h.conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	resp, err := stream.Recv()
	require.NoError(t, err)
	names := resp.String()
	require.Contains(t, names, "inference.GRPCInferenceService")
	require.Contains(t, names, "prediction.PredictionService")
	require.Contains(t, names, "grpc.health.v1.Health")
}

// TestMetrics checks that the calls are counted where those of REST are.
func TestMetrics(t *testing.T) {
	h := start(t, churn())
	c := prediction.NewPredictionServiceClient(h.conn)
	for _, x := range []float64{0, 1, panics} {
		_, _ = c.Predict(t.Context(), &prediction.PredictRequest{Features: []float64{x, 0, 0}})
	}
	_, _ = c.Predict(t.Context(), &prediction.PredictRequest{})
	require.ElementsMatch(t, []string{
		`hew_requests_total{protocol="grpc",route="PredictionService/Predict",code="OK"} 2`,
		`hew_requests_total{protocol="grpc",route="PredictionService/Predict",code="Internal"} 1`,
		`hew_requests_total{protocol="grpc",route="PredictionService/Predict",code="InvalidArgument"} 1`,
	}, h.metrics("hew_requests_total{"))
	require.Contains(t, h.metrics("hew_rows_total{"), `hew_rows_total{model="churn",version="1"} 2`)
	require.Contains(t, h.metrics("in_flight"), `hew_requests_in_flight{protocol="grpc",route="PredictionService/Predict"} 0`)
	require.Contains(t, h.metrics("hew_panics_total"), "hew_panics_total 1")

	require.NoError(t, h.Shutdown(t.Context()))
	require.Contains(t, h.log.String(), "no predictor likes 666")
	require.Contains(t, h.log.String(), `"path":"/prediction.PredictionService/Predict","status":"Internal"`)
	require.NotContains(t, h.log.String(), "InvalidArgument")
}

// TestConcurrency sends requests of all forms at the same time and checks that
// no answer belongs to another.
func TestConcurrency(t *testing.T) {
	h := start(t, churn())
	infer := inference.NewGRPCInferenceServiceClient(h.conn)
	plain := prediction.NewPredictionServiceClient(h.conn)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 100 {
				x := float32(1000*worker + i)
				resp, err := infer.ModelInfer(t.Context(), raw(t, "FP32", 1, []float32{x, 0, 0}))
				if err != nil || string(resp.RawOutputContents[0]) != string(le(t, x)) {
					t.Errorf("raw %v: %v, %v", x, resp, err)
				}
				contents := &inference.InferTensorContents{Fp64Contents: []float64{float64(x), 0, 0, 1, 0, 0}}
				resp, err = infer.ModelInfer(t.Context(), typed("FP64", 2, contents))
				if err != nil || resp.Outputs[0].Contents.Fp32Contents[0] != x {
					t.Errorf("contents %v: %v, %v", x, resp, err)
				}
				one, err := plain.Predict(t.Context(), &prediction.PredictRequest{Features: []float64{float64(x), 0, 0}})
				if err != nil || one.Prediction.Values[0] != float64(x) {
					t.Errorf("predict %v: %v, %v", x, one, err)
				}
			}
		})
	}
	wait.Wait()
}

func TestDeadline(t *testing.T) {
	h := start(t, churn())
	ctx, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	_, err := inference.NewGRPCInferenceServiceClient(h.conn).ModelInfer(ctx, raw(t, "FP32", 1, []float32{0, 0, 0}))
	requireCode(t, err, codes.DeadlineExceeded, "")
}

// gated is a predictor that tells when it begins and waits to be let on.
func gated() (p predict.Predictor, began, let chan struct{}) {
	began, let = make(chan struct{}, 100), make(chan struct{})
	p = churn()
	score := p.Predict
	p.Predict = func(dst, x predict.Values) {
		began <- struct{}{}
		<-let
		score(dst, x)
	}
	return p, began, let
}

// TestShutdownWaits stops a server with calls in flight and an endless stream:
// the calls are answered, the stream is ended, new connections are refused.
func TestShutdownWaits(t *testing.T) {
	p, began, let := gated()
	h := start(t, p)
	watch, err := healthpb.NewHealthClient(h.conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)

	const calls = 20
	answers := make(chan error, calls)
	for range calls {
		go func() {
			_, err := inference.NewGRPCInferenceServiceClient(h.conn).ModelInfer(t.Context(), raw(t, "FP32", 1, []float32{1, 2, 0}))
			answers <- err
		}()
	}
	for range calls {
		<-began
	}
	stopped := make(chan error)
	go func() { stopped <- h.Shutdown(t.Context()) }()
	_, err = watch.Recv()
	requireCode(t, err, codes.Canceled, "")
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", h.addr)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, 5*time.Second, time.Millisecond, "it still listens")
	close(let)
	for range calls {
		require.NoError(t, <-answers)
	}
	require.NoError(t, <-stopped)
	require.NoError(t, <-h.served)
}

func TestShutdownCutsOff(t *testing.T) {
	p, began, let := gated()
	h := start(t, p)
	answer := make(chan error, 1)
	go func() {
		_, err := inference.NewGRPCInferenceServiceClient(h.conn).ModelInfer(t.Context(), raw(t, "FP32", 1, []float32{1, 2, 0}))
		answer <- err
	}()
	<-began
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- h.Shutdown(ctx) }()
	requireCode(t, <-answer, codes.Unavailable, "")
	close(let) // grpc waits for handlers even then
	require.ErrorIs(t, <-stopped, context.DeadlineExceeded)
}

// TestDrain runs the whole server and stops it under load: no call fails before
// the port is closed, and every row that was scored was answered.
func TestDrain(t *testing.T) {
	var scored, answered atomic.Int64
	p := churn()
	score := p.Predict
	p.Predict = func(dst, x predict.Values) {
		scored.Add(1)
		score(dst, x)
	}
	c := serve.DefaultConfig()
	c.Addrs = map[string]string{"http": serve.Off, "grpc": "127.0.0.1:0"}
	c.DrainDelay = 600 * time.Millisecond
	addrs := make(chan map[string]net.Addr, 1)
	c.Started = func(a map[string]net.Addr) { addrs <- a }
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- serve.Run(ctx, c, []predict.Predictor{p}, grpc.Front) }()
	addr := (<-addrs)["grpc"].String()
	dial := func() *google.ClientConn {
		conn, err := google.NewClient(addr, google.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}

	var wait sync.WaitGroup
	failed := make(chan error, 4)
	for range 4 {
		client := inference.NewGRPCInferenceServiceClient(dial())
		wait.Go(func() {
			for {
				if _, err := client.ModelInfer(t.Context(), raw(t, "FP32", 1, []float32{1, 2, 0})); err != nil {
					failed <- err
					return
				}
				answered.Add(1)
			}
		})
	}
	conn := dial()
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	resp, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVING, resp.Status)
	require.Eventually(t, func() bool { return answered.Load() > 100 }, 5*time.Second, time.Millisecond)

	stop()
	resp, err = watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_NOT_SERVING, resp.Status)
	requireNotReady(t, conn)
	require.NoError(t, <-stopped)
	wait.Wait()
	for range 4 {
		require.Equal(t, codes.Unavailable, status.Code(<-failed))
	}
	require.Equal(t, scored.Load(), answered.Load())
}

// requireNotReady checks that a draining server says so wherever it is asked.
func requireNotReady(t *testing.T, conn *google.ClientConn) {
	t.Helper()
	c := inference.NewGRPCInferenceServiceClient(conn)
	server, err := c.ServerReady(t.Context(), &inference.ServerReadyRequest{})
	require.NoError(t, err)
	require.False(t, server.Ready)
	model, err := c.ModelReady(t.Context(), &inference.ModelReadyRequest{Name: "churn"})
	require.NoError(t, err)
	require.False(t, model.Ready)
	index, err := c.RepositoryIndex(t.Context(), &inference.RepositoryIndexRequest{})
	require.NoError(t, err)
	require.Equal(t, "UNAVAILABLE", index.Models[0].State)
	index, err = c.RepositoryIndex(t.Context(), &inference.RepositoryIndexRequest{Ready: true})
	require.NoError(t, err)
	require.Empty(t, index.Models)
	health, err := prediction.NewPredictionServiceClient(conn).HealthCheck(t.Context(), &prediction.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, "draining", health.Status)
	require.False(t, health.Ready)
}

// BenchmarkModelInfer scores one raw row of 30 features per call, over TCP.
func BenchmarkModelInfer(b *testing.B) {
	p := churn()
	p.NumFeatures, p.Features = 30, nil
	for i := range p.NumFeatures {
		p.Features = append(p.Features, predict.Feature{Name: strings.Repeat("f", i+1), Type: "float"})
	}
	p.Predict = func(dst, x predict.Values) { copy(dst.F32, x.F32) }
	h := start(b, p)
	req := raw(b, "FP32", 1, make([]float32, 30))
	req.Inputs[0].Shape[1] = 30
	b.Run("clients=1", func(b *testing.B) {
		c := inference.NewGRPCInferenceServiceClient(h.conn)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.ModelInfer(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("clients=16", func(b *testing.B) {
		c := inference.NewGRPCInferenceServiceClient(h.conn)
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := c.ModelInfer(b.Context(), req); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
