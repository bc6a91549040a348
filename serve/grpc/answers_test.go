package grpc_test

import (
	"math"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"hew/predict"
	"hew/serve"
	pb "hew/serve/grpc/proto/inference"
	"hew/serve/grpc/proto/prediction"
)

// shades is a model of float64 of two features, the second of which is a colour.
// Its margins are they; the answers are a third of each, and a class, that of the
// larger one, for each of labels.
func shades(name string, labels ...predict.Labels) predict.Predictor {
	p := predict.Predictor{Info: predict.Info{
		Name: name, Version: "1", NumFeatures: 2, NumOutputs: 2, NumMargins: 2,
		Input: predict.Float64, Output: predict.Float64, Task: "classification",
		Features: []predict.Feature{
			{Name: "light", Type: "float", RefusesInfinite: true},
			{Name: "colour", Type: "categorical", Categories: []string{"red", "blue"}, Open: true},
		},
		Answers: []predict.Answer{{Name: name, Width: 2}, {Name: "label", Width: len(labels), Labels: labels}},
	}}
	if labels == nil {
		p.Answers = p.Answers[:1]
	}
	p.Margin = func(dst, x predict.Values) { copy(predict.SliceOf[float64](dst), predict.SliceOf[float64](x)) }
	p.Answer = func(i int, dst, margins, x predict.Values) {
		for r := range x.Len() / 2 {
			a, b := margins.F64[2*r], margins.F64[2*r+1]
			if i == 0 {
				dst.F64[2*r], dst.F64[2*r+1] = a/3, b/3
				continue
			}
			for k := range labels {
				if dst.F64[r*len(labels)+k] = 0; b > a {
					dst.F64[r*len(labels)+k] = 1
				}
			}
		}
	}
	p.Predict = func(dst, x predict.Values) { p.Answer(0, dst, x, x) }
	return p
}

var (
	texts  = predict.Labels{Texts: []string{"dark", ""}, Type: "text"}
	ints   = predict.Labels{Texts: []string{"-1", "9007199254740993"}, Type: "int"}
	floats = predict.Labels{Texts: []string{"0.1", "2.0"}, Type: "float"}
	bools  = predict.Labels{Texts: []string{"False", "True"}, Type: "bool"}
)

// pair is a request of two rows, the dark one first.
func pair(t *testing.T, isRaw bool, outputs ...string) *pb.ModelInferRequest {
	req := &pb.ModelInferRequest{Inputs: []*input{{Name: serve.InputName, Datatype: "FP64", Shape: []int64{2, 2}}}}
	values := []float64{1, 0.1, 0.1, 1}
	if isRaw {
		req.RawInputContents = [][]byte{le(t, values)}
	} else {
		req.Inputs[0].Contents = &pb.InferTensorContents{Fp64Contents: values}
	}
	for _, o := range outputs {
		req.Outputs = append(req.Outputs, &wanted{Name: o})
	}
	return req
}

// Labels come in the type that they have for the trainer, raw or not.
func TestInferLabels(t *testing.T) {
	type contents = pb.InferTensorContents
	for _, c := range []struct {
		labels   []predict.Labels
		datatype string
		contents *contents
		raw      []byte
	}{
		{[]predict.Labels{texts}, "BYTES", &contents{BytesContents: [][]byte{[]byte("dark"), {}}}, []byte("\x04\x00\x00\x00dark\x00\x00\x00\x00")},
		{[]predict.Labels{ints}, "INT64", &contents{Int64Contents: []int64{-1, 1<<53 + 1}}, le(t, []int64{-1, 1<<53 + 1})},
		{[]predict.Labels{floats}, "FP64", &contents{Fp64Contents: []float64{0.1, 2}}, le(t, []float64{0.1, 2})},
		{[]predict.Labels{bools}, "BOOL", &contents{BoolContents: []bool{false, true}}, []byte{0, 1}},
		{[]predict.Labels{ints, ints}, "INT64", &contents{Int64Contents: []int64{-1, -1, 1<<53 + 1, 1<<53 + 1}}, le(t, []int64{-1, -1, 1<<53 + 1, 1<<53 + 1})},
		{[]predict.Labels{bools, floats}, "BYTES", &contents{BytesContents: [][]byte{[]byte("False"), []byte("0.1"), []byte("True"), []byte("2.0")}}, nil},
	} {
		h := start(t, shades("proba", c.labels...))
		client := pb.NewGRPCInferenceServiceClient(h.conn)
		meta, err := client.ModelMetadata(t.Context(), &pb.ModelMetadataRequest{Name: "proba"})
		require.NoError(t, err)
		var outputs []string
		for _, o := range append(meta.Inputs, meta.Outputs...) {
			outputs = append(outputs, o.Name+" "+o.Datatype)
		}
		require.Equal(t, []string{"input-0 FP64", "predict " + c.datatype, "proba FP64", "label " + c.datatype, "margin FP64"}, outputs)
		require.Equal(t, []int64{-1, int64(len(c.labels))}, meta.Outputs[0].Shape)

		resp, err := client.ModelInfer(t.Context(), pair(t, false)) // the default outputs
		require.NoError(t, err)
		require.Len(t, resp.Outputs, 2)
		require.Equal(t, c.datatype, resp.Outputs[0].Datatype)
		require.Equal(t, []int64{2, int64(len(c.labels))}, resp.Outputs[0].Shape)
		require.True(t, proto.Equal(c.contents, resp.Outputs[0].Contents), resp)
		require.Equal(t, []float64{1. / 3, 0.1 / 3, 0.1 / 3, 1. / 3}, resp.Outputs[1].Contents.Fp64Contents)
		require.Equal(t, "FP64", resp.Outputs[1].Datatype)

		resp, err = client.ModelInfer(t.Context(), pair(t, true, "margin", "label"))
		require.NoError(t, err)
		require.Equal(t, le(t, []float64{1, 0.1, 0.1, 1}), resp.RawOutputContents[0])
		if c.raw != nil {
			require.Equal(t, c.raw, resp.RawOutputContents[1])
		}
	}
}

// A model of float64 takes any datatype, each number rounded once.
func TestInferDoubles(t *testing.T) {
	h := start(t, shades("proba", texts), churn())
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	type contents = pb.InferTensorContents
	big := int64(1)<<53 + 1
	for name, tc := range map[string]struct {
		datatype string
		values   any
		contents *contents
		want     []float64
	}{
		"fp64":   {"FP64", []float64{0.1, 1e300}, &contents{Fp64Contents: []float64{0.1, 1e300}}, []float64{0.1, 1e300}},
		"fp32":   {"FP32", []float32{0.1, -0.5}, &contents{Fp32Contents: []float32{0.1, -0.5}}, []float64{float64(float32(0.1)), -0.5}},
		"int64":  {"INT64", []int64{big, -16777217}, &contents{Int64Contents: []int64{big, -16777217}}, []float64{1 << 53, -16777217}},
		"uint32": {"UINT32", []uint32{16777217, 0}, &contents{UintContents: []uint32{16777217, 0}}, []float64{16777217, 0}},
		"bool":   {"BOOL", []bool{true, false}, &contents{BoolContents: []bool{true, false}}, []float64{1, 0}},
		"fp16":   {"FP16", []uint16{0x8001, 0x7bff}, nil, []float64{-0x1p-24, 65504}},
		"bf16":   {"BF16", []uint16{0xc0a0, 0x3f80}, nil, []float64{-5, 1}},
	} {
		req := raw(t, tc.datatype, 1, tc.values)
		req.Inputs[0].Shape, req.Outputs = []int64{1, 2}, []*wanted{{Name: "margin"}}
		for range 2 { // the second time, memory of the first is used again
			resp, err := c.ModelInfer(t.Context(), req)
			require.NoError(t, err, name)
			require.Equal(t, le(t, tc.want), resp.RawOutputContents[0], name)
		}
		if tc.contents == nil {
			continue
		}
		req = typed(tc.datatype, 1, tc.contents)
		req.Inputs[0].Shape, req.Outputs = []int64{1, 2}, []*wanted{{Name: "margin"}}
		resp, err := c.ModelInfer(t.Context(), req)
		require.NoError(t, err, name)
		require.Equal(t, tc.want, resp.Outputs[0].Contents.Fp64Contents, name)

		resp, err = c.ModelInfer(t.Context(), &pb.ModelInferRequest{ // a model of float32, in turn
			ModelName: "churn", Inputs: []*input{{Name: serve.InputName, Datatype: "FP64", Shape: []int64{1, 3}, Contents: &contents{Fp64Contents: []float64{1, 2, 0}}}},
		})
		require.NoError(t, err)
		require.Equal(t, []float32{21}, resp.Outputs[0].Contents.Fp32Contents)
	}
}

func TestInferOpenColumnAndRefusals(t *testing.T) {
	h := start(t, shades("proba", texts))
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	req := func(light float64, colour string) *pb.ModelInferRequest {
		return &pb.ModelInferRequest{
			Inputs: []*input{
				{Name: "colour", Datatype: "BYTES", Shape: []int64{2}, Contents: &pb.InferTensorContents{BytesContents: [][]byte{[]byte(colour), []byte("blue")}}},
				{Name: "light", Datatype: "FP64", Shape: []int64{2, 1}, Contents: &pb.InferTensorContents{Fp64Contents: []float64{5, light}}},
			},
			Outputs: []*wanted{{Name: "margin"}},
		}
	}
	resp, err := c.ModelInfer(t.Context(), req(7, "green"))
	require.NoError(t, err)
	require.Equal(t, []float64{5, -1, 7, 1}, resp.Outputs[0].Contents.Fp64Contents)
	_, err = c.ModelInfer(t.Context(), req(math.Inf(1), "red"))
	requireCode(t, err, codes.InvalidArgument, `row 1: feature "light": the model takes no infinite value here`)

	plain := prediction.NewPredictionServiceClient(h.conn)
	_, err = plain.BatchPredict(t.Context(), &prediction.BatchPredictRequest{Rows: []*prediction.Row{
		{Features: []float64{1, 0}}, {Features: []float64{math.Inf(-1), 0}},
	}})
	requireCode(t, err, codes.InvalidArgument, `row 1: feature "light": the model takes no infinite value here`)
}

// The plain service says what the trainer's predict gives, as number and as text,
// and the first answer.
func TestPredictAnswers(t *testing.T) {
	third, rest := []float64{1. / 3, 1}, []float64{1. / 3, -1. / 3}
	h := start(t, shades("proba", texts), shades("decision", ints), shades("score", bools), shades("predict"),
		func() predict.Predictor { p := shades("proba", bools, floats); p.Name = "two"; return p }())
	c := prediction.NewPredictionServiceClient(h.conn)
	for model, want := range map[string]*prediction.Prediction{
		"proba":    {Label: "", Probabilities: third},
		"decision": {Values: []float64{1 << 53}, Label: "9007199254740993", Decision: third},
		"score":    {Values: []float64{1}, Label: "True", Score: third},
		"predict":  {Values: third},
		"two":      {Label: "True", Labels: []string{"True", "2.0"}, Probabilities: third},
	} {
		resp, err := c.Predict(t.Context(), &prediction.PredictRequest{Features: []float64{1, 3}, ModelName: model})
		require.NoError(t, err)
		require.True(t, proto.Equal(want, resp.Prediction), "%s: %v", model, resp)
	}
	named := map[string]*prediction.Value{"light": numeric(1), "colour": text("green")}
	batch, err := c.BatchPredict(t.Context(), &prediction.BatchPredictRequest{Rows: []*prediction.Row{{NamedFeatures: named}, {Features: []float64{1, 3}}}})
	require.NoError(t, err)
	require.True(t, proto.Equal(&prediction.Prediction{Label: "dark", Probabilities: rest}, batch.Predictions[0]), batch)
	require.Equal(t, third, batch.Predictions[1].Probabilities)
}

// Rows that have no values must not make the server reserve memory for them.
func TestBatchPredictReservesNothing(t *testing.T) {
	p := weighted("wide", "1")
	p.NumFeatures, p.Features = 1<<16, nil
	for i := range p.NumFeatures {
		p.Features = append(p.Features, predict.Feature{Name: strconv.Itoa(i)})
	}
	h := start(t, p)
	c := prediction.NewPredictionServiceClient(h.conn)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.BatchPredict(t.Context(), &prediction.BatchPredictRequest{Rows: make([]*prediction.Row, 1000)})
	requireCode(t, err, codes.InvalidArgument, "row 0: 0 features, want 65536")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), "the values would take 262 MB")
}
