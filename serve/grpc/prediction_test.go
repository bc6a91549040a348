package grpc_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "hew/serve/grpc/proto/prediction"
)

func numeric(v float64) *pb.Value { return &pb.Value{Kind: &pb.Value_Number{Number: v}} }

func text(s string) *pb.Value { return &pb.Value{Kind: &pb.Value_Text{Text: s}} }

func TestPredict(t *testing.T) {
	h := start(t, churn(), weighted("rent", "7"))
	c := pb.NewPredictionServiceClient(h.conn)
	for name, tc := range map[string]struct {
		req  *pb.PredictRequest
		want *pb.PredictResponse
	}{
		"position": {
			&pb.PredictRequest{Features: []float64{0.1, 0, 0}},
			&pb.PredictResponse{Prediction: &pb.Prediction{Values: []float64{float64(float32(0.1))}, Label: "no"}, ModelName: "churn", ModelVersion: "1"},
		},
		"missing by position": {
			&pb.PredictRequest{Features: []float64{math.NaN(), 0, 0}},
			&pb.PredictResponse{Prediction: &pb.Prediction{Values: []float64{1}, Label: "yes"}, ModelName: "churn", ModelVersion: "1"},
		},
		"name": {
			&pb.PredictRequest{NamedFeatures: map[string]*pb.Value{"age": numeric(3), "fee": {}, "plan": text("pro")}},
			&pb.PredictResponse{Prediction: &pb.Prediction{Values: []float64{213}, Label: "yes"}, ModelName: "churn", ModelVersion: "1"},
		},
		"code": {
			&pb.PredictRequest{NamedFeatures: map[string]*pb.Value{"age": numeric(3), "fee": numeric(0), "plan": numeric(2)}},
			&pb.PredictResponse{Prediction: &pb.Prediction{Values: []float64{203}, Label: "yes"}, ModelName: "churn", ModelVersion: "1"},
		},
		"other model": {
			&pb.PredictRequest{Features: []float64{1, 2, 3}, ModelName: "rent", ModelVersion: "7"},
			&pb.PredictResponse{Prediction: &pb.Prediction{Values: []float64{321}}, ModelName: "rent", ModelVersion: "7"},
		},
	} {
		resp, err := c.Predict(t.Context(), tc.req)
		require.NoError(t, err, name)
		require.True(t, proto.Equal(tc.want, resp), "%s: %v", name, resp)
	}
}

func TestPredictRefuses(t *testing.T) {
	h := start(t, churn())
	c := pb.NewPredictionServiceClient(h.conn)
	type names = map[string]*pb.Value
	for text, tc := range map[string]struct {
		req  *pb.PredictRequest
		code codes.Code
	}{
		`unknown model "rent"`: {&pb.PredictRequest{ModelName: "rent"}, codes.NotFound},
		`no version "2"`:       {&pb.PredictRequest{ModelVersion: "2"}, codes.NotFound},
		"0 features, want 3":   {&pb.PredictRequest{}, codes.InvalidArgument},
		"4 features, want 3":   {&pb.PredictRequest{Features: make([]float64, 4)}, codes.InvalidArgument},
		"must not both be there": {
			&pb.PredictRequest{Features: make([]float64, 3), NamedFeatures: names{"age": numeric(1)}}, codes.InvalidArgument},
		`feature "fee" is -1e+39, which does not fit float32`: {&pb.PredictRequest{Features: []float64{0, -1e39, 0}}, codes.InvalidArgument},
		`feature "age" is 1e+39, which does not fit float32`: {
			&pb.PredictRequest{NamedFeatures: names{"age": numeric(1e39), "fee": {}, "plan": {}}}, codes.InvalidArgument},
		`unknown feature "aeg" (did you mean "age"?)`: {
			&pb.PredictRequest{NamedFeatures: names{"aeg": numeric(1), "fee": {}, "plan": {}}}, codes.InvalidArgument},
		`unknown feature "x"`: {
			&pb.PredictRequest{NamedFeatures: names{"age": numeric(1), "fee": {}, "plan": {}, "x": {}}}, codes.InvalidArgument},
		`feature "plan" is not there`: {&pb.PredictRequest{NamedFeatures: names{"age": numeric(1), "fee": {}}}, codes.InvalidArgument},
		`feature "age" takes numbers, not text`: {
			&pb.PredictRequest{NamedFeatures: names{"age": text("old"), "fee": {}, "plan": {}}}, codes.InvalidArgument},
		`feature "plan" has no category "prp" (did you mean "pro"?)`: {
			&pb.PredictRequest{NamedFeatures: names{"age": {}, "fee": {}, "plan": text("prp")}}, codes.InvalidArgument},
		"internal error": {&pb.PredictRequest{Features: []float64{panics, 0, 0}}, codes.Internal},
	} {
		_, err := c.Predict(t.Context(), tc.req)
		requireCode(t, err, tc.code, text)
	}
}

func TestBatchPredict(t *testing.T) {
	h := start(t, churn())
	c := pb.NewPredictionServiceClient(h.conn)
	resp, err := c.BatchPredict(t.Context(), &pb.BatchPredictRequest{Rows: []*pb.Row{
		{Features: []float64{0, 0, 0}},
		{NamedFeatures: map[string]*pb.Value{"age": {}, "fee": {}, "plan": text("plus")}},
	}})
	require.NoError(t, err)
	require.True(t, proto.Equal(&pb.BatchPredictResponse{
		Predictions: []*pb.Prediction{{Values: []float64{0}, Label: "no"}, {Values: []float64{111}, Label: "yes"}},
		ModelName:   "churn", ModelVersion: "1",
	}, resp), resp)

	resp, err = c.BatchPredict(t.Context(), &pb.BatchPredictRequest{})
	require.NoError(t, err)
	require.Empty(t, resp.Predictions)

	_, err = c.BatchPredict(t.Context(), &pb.BatchPredictRequest{Rows: []*pb.Row{{Features: []float64{0, 0, 0}}, {}}})
	requireCode(t, err, codes.InvalidArgument, "row 1: 0 features, want 3")
	_, err = c.BatchPredict(t.Context(), &pb.BatchPredictRequest{Rows: make([]*pb.Row, 1001)})
	requireCode(t, err, codes.ResourceExhausted, "--max-rows")
}

func TestHealthCheck(t *testing.T) {
	h := start(t, churn())
	c := pb.NewPredictionServiceClient(h.conn)
	resp, err := c.HealthCheck(t.Context(), &pb.HealthCheckRequest{})
	require.NoError(t, err)
	require.True(t, proto.Equal(&pb.HealthCheckResponse{Status: "ok", Ready: true}, resp), resp)
}
