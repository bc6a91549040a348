package grpc_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	google "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"hew/serve"
	pb "hew/serve/grpc/proto/inference"
)

type (
	input  = pb.ModelInferRequest_InferInputTensor
	wanted = pb.ModelInferRequest_InferRequestedOutputTensor
)

// le returns values as little-endian bytes.
func le(t testing.TB, values any) []byte {
	var b bytes.Buffer
	require.NoError(t, binary.Write(&b, binary.LittleEndian, values))
	return b.Bytes()
}

// raw is a request of one tensor of rows × 3 values.
func raw(t testing.TB, datatype string, rows int64, values any) *pb.ModelInferRequest {
	return &pb.ModelInferRequest{
		Inputs:           []*input{{Name: serve.InputName, Datatype: datatype, Shape: []int64{rows, 3}}},
		RawInputContents: [][]byte{le(t, values)},
	}
}

func typed(datatype string, rows int64, c *pb.InferTensorContents) *pb.ModelInferRequest {
	return &pb.ModelInferRequest{Inputs: []*input{{Name: serve.InputName, Datatype: datatype, Shape: []int64{rows, 3}, Contents: c}}}
}

func TestStateAndMetadata(t *testing.T) {
	h := start(t, churn(), weighted("churn", "2"), weighted("rent", "7"))
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	ctx := t.Context()

	live, err := c.ServerLive(ctx, &pb.ServerLiveRequest{})
	require.NoError(t, err)
	require.True(t, live.Live)
	ready, err := c.ServerReady(ctx, &pb.ServerReadyRequest{})
	require.NoError(t, err)
	require.True(t, ready.Ready)
	server, err := c.ServerMetadata(ctx, &pb.ServerMetadataRequest{})
	require.NoError(t, err)
	require.True(t, proto.Equal(&pb.ServerMetadataResponse{Name: "hew", Version: "0.1.0", Extensions: []string{"model_repository"}}, server), server)

	model, err := c.ModelReady(ctx, &pb.ModelReadyRequest{Name: "rent", Version: "7"})
	require.NoError(t, err)
	require.True(t, model.Ready)
	_, err = c.ModelReady(ctx, &pb.ModelReadyRequest{Name: "rend"})
	requireCode(t, err, codes.NotFound, `unknown model "rend" (did you mean "rent"?)`)

	meta, err := c.ModelMetadata(ctx, &pb.ModelMetadataRequest{Name: "churn"})
	require.NoError(t, err)
	type tensor = pb.ModelMetadataResponse_TensorMetadata
	require.True(t, proto.Equal(&pb.ModelMetadataResponse{
		Name: "churn", Versions: []string{"1", "2"}, Platform: "hew_xgboost",
		Inputs: []*tensor{{Name: "input-0", Datatype: "FP32", Shape: []int64{-1, 3}}},
		Outputs: []*tensor{
			{Name: "predict", Datatype: "FP32", Shape: []int64{-1, 1}},
			{Name: "margin", Datatype: "FP32", Shape: []int64{-1, 1}},
			{Name: "leaf", Datatype: "INT32", Shape: []int64{-1, 3}},
		},
	}, meta), meta)
	_, err = c.ModelMetadata(ctx, &pb.ModelMetadataRequest{Name: "churn", Version: "3"})
	requireCode(t, err, codes.NotFound, `model "churn" has no version "3" (it has 1, 2)`)

	index, err := c.RepositoryIndex(ctx, &pb.RepositoryIndexRequest{Ready: true})
	require.NoError(t, err)
	require.Len(t, index.Models, 3)
	require.True(t, proto.Equal(&pb.RepositoryIndexResponse_ModelIndex{Name: "rent", Version: "7", State: "READY"}, index.Models[2]), index)
}

func TestInferRaw(t *testing.T) {
	h := start(t, churn(), weighted("rent", "7"))
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	nan := float32(math.NaN())

	req := raw(t, "FP32", 2, []float32{1, 2, 0, nan, 2.5, 2})
	req.Id, req.ModelName = "a-7", "rent"
	req.Outputs = []*wanted{{Name: "leaf"}, {Name: "predict"}, {Name: "margin"}}
	resp, err := c.ModelInfer(t.Context(), req)
	require.NoError(t, err)
	type output = pb.ModelInferResponse_InferOutputTensor
	require.True(t, proto.Equal(&pb.ModelInferResponse{
		ModelName: "rent", ModelVersion: "7", Id: "a-7",
		Outputs: []*output{
			{Name: "leaf", Datatype: "INT32", Shape: []int64{2, 3}},
			{Name: "predict", Datatype: "FP32", Shape: []int64{2, 1}},
			{Name: "margin", Datatype: "FP32", Shape: []int64{2, 1}},
		},
		RawOutputContents: [][]byte{
			le(t, []int32{0, 1, 2, 3, 4, 5}),
			le(t, []float32{21, 226}),
			le(t, []float32{-21, -226}),
		},
	}, resp), resp)

	resp, err = c.ModelInfer(t.Context(), raw(t, "FP32", 0, []float32{}))
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1}, resp.Outputs[0].Shape)
	require.Equal(t, [][]byte{{}}, resp.RawOutputContents)
	require.Equal(t, "churn", resp.ModelName)
}

func TestInferContents(t *testing.T) {
	h := start(t, churn())
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	req := typed("FP32", 2, &pb.InferTensorContents{Fp32Contents: []float32{1, 2, 0, 3, 2, 1}})
	req.Outputs = []*wanted{{Name: "margin"}, {Name: "leaf"}}
	resp, err := c.ModelInfer(t.Context(), req)
	require.NoError(t, err)
	require.Empty(t, resp.RawOutputContents)
	require.Equal(t, []float32{-21, -123}, resp.Outputs[0].Contents.Fp32Contents)
	require.Equal(t, []int32{0, 1, 2, 3, 4, 5}, resp.Outputs[1].Contents.IntContents)
}

func TestInferDatatypes(t *testing.T) {
	h := start(t, churn())
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	type contents = pb.InferTensorContents
	huge := int64(1)<<60 + 1<<36 + 1 // by way of a float64 it would be rounded down
	tie := int64(1)<<24 + 1
	for name, tc := range map[string]struct {
		datatype string
		values   any       // raw
		contents *contents // typed; nil if there is no such form
		want     float32
	}{
		"bool":    {"BOOL", []bool{true, false, true}, &contents{BoolContents: []bool{true, false, true}}, 101},
		"uint8":   {"UINT8", []uint8{255, 1, 0}, &contents{UintContents: []uint32{255, 1, 0}}, 265},
		"uint16":  {"UINT16", []uint16{65535, 1, 0}, &contents{UintContents: []uint32{65535, 1, 0}}, 65545},
		"uint32":  {"UINT32", []uint32{1 << 31, 0, 0}, &contents{UintContents: []uint32{1 << 31, 0, 0}}, 1 << 31},
		"uint64":  {"UINT64", []uint64{1 << 63, 0, 0}, &contents{Uint64Contents: []uint64{1 << 63, 0, 0}}, 1 << 63},
		"int8":    {"INT8", []int8{-128, 1, 0}, &contents{IntContents: []int32{-128, 1, 0}}, -118},
		"int16":   {"INT16", []int16{-32768, 1, 0}, &contents{IntContents: []int32{-32768, 1, 0}}, -32758},
		"int32":   {"INT32", []int32{math.MinInt32, 0, 0}, &contents{IntContents: []int32{math.MinInt32, 0, 0}}, math.MinInt32},
		"int64":   {"INT64", []int64{huge, 0, 0}, &contents{Int64Contents: []int64{huge, 0, 0}}, float32(huge)},
		"ties":    {"INT64", []int64{tie, 0, 0}, &contents{Int64Contents: []int64{tie, 0, 0}}, 1 << 24},
		"fp32":    {"FP32", []float32{0.1, 0, 0}, &contents{Fp32Contents: []float32{0.1, 0, 0}}, 0.1},
		"fp64":    {"FP64", []float64{0.1, 0, 0}, &contents{Fp64Contents: []float64{0.1, 0, 0}}, 0.1},
		"inf":     {"FP64", []float64{math.Inf(-1), 0, 0}, &contents{Fp64Contents: []float64{math.Inf(-1), 0, 0}}, float32(math.Inf(-1))},
		"nan":     {"FP64", []float64{math.NaN(), 2, 0}, &contents{Fp64Contents: []float64{math.NaN(), 2, 0}}, 21},
		"fp16":    {"FP16", []uint16{0xc500, 0x3c00, 0}, nil, 5},   // -5, 1
		"tiny":    {"FP16", []uint16{0x8001, 0, 0}, nil, -0x1p-24}, // the least subnormal
		"big":     {"FP16", []uint16{0x7bff, 0, 0}, nil, 65504},    // the largest
		"fp16inf": {"FP16", []uint16{0x7c00, 0, 0}, nil, float32(math.Inf(1))},
		"fp16nan": {"FP16", []uint16{0x7e01, 2, 0}, nil, 1 + 10*0x1p-23}, // counts as 1
		"bf16":    {"BF16", []uint16{0xc0a0, 0x3f80, 0}, nil, 5},
	} {
		resp, err := c.ModelInfer(t.Context(), raw(t, tc.datatype, 1, tc.values))
		require.NoError(t, err, name)
		require.Equal(t, le(t, tc.want), resp.RawOutputContents[0], name)
		if tc.contents == nil {
			_, err := c.ModelInfer(t.Context(), typed(tc.datatype, 1, nil))
			requireCode(t, err, codes.InvalidArgument, tc.datatype+" has no field in contents")
			continue
		}
		resp, err = c.ModelInfer(t.Context(), typed(tc.datatype, 1, tc.contents))
		require.NoError(t, err, name)
		require.Equal(t, []float32{tc.want}, resp.Outputs[0].Contents.Fp32Contents, name)
	}
}

// TestInferColumns sends one tensor per feature, in another order than theirs.
func TestInferColumns(t *testing.T) {
	h := start(t, churn())
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	req := &pb.ModelInferRequest{
		Inputs: []*input{
			{Name: "plan", Datatype: "BYTES", Shape: []int64{2, 1}},
			{Name: "age", Datatype: "INT32", Shape: []int64{2}},
			{Name: "fee", Datatype: "FP64", Shape: []int64{2, 1}},
		},
		RawInputContents: [][]byte{
			[]byte("\x03\x00\x00\x00pro\x04\x00\x00\x00plus"), le(t, []int32{3, 4}), le(t, []float64{0.5, math.NaN()}),
		},
	}
	for range 3 { // the second time, memory of the first is used again
		resp, err := c.ModelInfer(t.Context(), req)
		require.NoError(t, err)
		require.Equal(t, le(t, []float32{208, 114}), resp.RawOutputContents[0])
	}

	req.RawInputContents = nil
	req.Inputs[0].Contents = &pb.InferTensorContents{BytesContents: [][]byte{[]byte("pro"), []byte("plus")}}
	req.Inputs[1].Contents = &pb.InferTensorContents{IntContents: []int32{3, 4}}
	req.Inputs[2].Contents = &pb.InferTensorContents{Fp64Contents: []float64{0.5, math.NaN()}}
	resp, err := c.ModelInfer(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, []float32{208, 114}, resp.Outputs[0].Contents.Fp32Contents)
}

func TestInferRefuses(t *testing.T) {
	h := start(t, churn())
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	row := []float32{1, 2, 0}
	for name, tc := range map[string]struct {
		spoil func(*pb.ModelInferRequest)
		code  codes.Code
		text  string
	}{
		"model":        {func(r *pb.ModelInferRequest) { r.ModelName = "curn" }, codes.NotFound, `unknown model "curn" (did you mean "churn"?)`},
		"version":      {func(r *pb.ModelInferRequest) { r.ModelVersion = "2" }, codes.NotFound, `no version "2"`},
		"output":       {func(r *pb.ModelInferRequest) { r.Outputs = []*wanted{{Name: "proba"}} }, codes.InvalidArgument, `no output "proba"`},
		"output twice": {func(r *pb.ModelInferRequest) { r.Outputs = []*wanted{{Name: "leaf"}, {Name: "leaf"}} }, codes.InvalidArgument, "asked for twice"},
		"classification": {func(r *pb.ModelInferRequest) {
			r.Outputs = []*wanted{{Name: "predict", Parameters: map[string]*pb.InferParameter{"classification": {}}}}
		}, codes.InvalidArgument, `parameter "classification" is not supported`},
		"no inputs":  {func(r *pb.ModelInferRequest) { r.Inputs, r.RawInputContents = nil, nil }, codes.InvalidArgument, "inputs is empty"},
		"input name": {func(r *pb.ModelInferRequest) { r.Inputs[0].Name = "x" }, codes.InvalidArgument, `unknown input "x"`},
		"input twice": {func(r *pb.ModelInferRequest) {
			r.Inputs, r.RawInputContents = append(r.Inputs, r.Inputs[0]), append(r.RawInputContents, r.RawInputContents[0])
		}, codes.InvalidArgument, serve.InputName},
		"both":        {func(r *pb.ModelInferRequest) { r.Inputs[0].Contents = &pb.InferTensorContents{Fp32Contents: row} }, codes.InvalidArgument, "contents must not be there when raw_input_contents is used"},
		"raw count":   {func(r *pb.ModelInferRequest) { r.RawInputContents = append(r.RawInputContents, nil) }, codes.InvalidArgument, "raw_input_contents has 2 entries for 1 inputs"},
		"raw short":   {func(r *pb.ModelInferRequest) { r.RawInputContents[0] = r.RawInputContents[0][:8] }, codes.InvalidArgument, "the shape asks for 3 values, the data has 2"},
		"raw long":    {func(r *pb.ModelInferRequest) { r.RawInputContents[0] = make([]byte, 16) }, codes.InvalidArgument, "the shape asks for 3 values, the data has 4"},
		"raw odd":     {func(r *pb.ModelInferRequest) { r.RawInputContents[0] = make([]byte, 13) }, codes.InvalidArgument, "13 bytes is not a whole number of FP32 elements"},
		"datatype":    {func(r *pb.ModelInferRequest) { r.Inputs[0].Datatype = "FP8" }, codes.InvalidArgument, `unknown datatype "FP8"`},
		"no datatype": {func(r *pb.ModelInferRequest) { r.Inputs[0].Datatype = "" }, codes.InvalidArgument, `unknown datatype ""`},
		"bool":        {func(r *pb.ModelInferRequest) { r.Inputs[0].Datatype, r.RawInputContents[0] = "BOOL", []byte{0, 1, 2} }, codes.InvalidArgument, "element 2 is out of range"},
		"overflow": {func(r *pb.ModelInferRequest) {
			r.Inputs[0].Datatype, r.RawInputContents[0] = "FP64", le(t, []float64{0, 1e39, 0})
		}, codes.InvalidArgument, "element 1 is out of range"},
		"negative":   {func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = []int64{-1, -3} }, codes.InvalidArgument, "dimension -1 is negative"},
		"product":    {func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = []int64{1 << 62, 12} }, codes.InvalidArgument, "the shape is too large"},
		"dimensions": {func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = make([]int64, 100000) }, codes.InvalidArgument, "100000 dimensions, more than 8"},
		"shape":      {func(r *pb.ModelInferRequest) { r.Inputs[0].Shape = []int64{3} }, codes.InvalidArgument, "want [rows,3]"},
		"rows": {func(r *pb.ModelInferRequest) {
			r.Inputs[0].Shape, r.RawInputContents[0] = []int64{1001, 3}, make([]byte, 12*1001)
		}, codes.ResourceExhausted, "--max-rows"},
		"message": {func(r *pb.ModelInferRequest) { r.RawInputContents[0] = make([]byte, 1<<20) }, codes.ResourceExhausted, "larger than max"},
		"shared memory": {func(r *pb.ModelInferRequest) {
			r.Inputs[0].Parameters, r.RawInputContents = map[string]*pb.InferParameter{"shared_memory_region": {}}, nil
		}, codes.InvalidArgument, `parameter "shared_memory_region" is not supported`},
		"bytes length": {func(r *pb.ModelInferRequest) { r.Inputs[0].Datatype, r.RawInputContents[0] = "BYTES", []byte{1, 0} }, codes.InvalidArgument, "ends within the length of element 0"},
		"bytes end": {func(r *pb.ModelInferRequest) {
			r.Inputs[0].Datatype, r.RawInputContents[0] = "BYTES", []byte{1, 0, 0, 0, 'a', 255, 255, 255, 255}
		}, codes.InvalidArgument, "element 1 of 4294967295 bytes ends after the raw data"},
		"text": {func(r *pb.ModelInferRequest) {
			r.Inputs[0].Datatype, r.RawInputContents[0] = "BYTES", bytes.Repeat([]byte{1, 0, 0, 0, 'a'}, 3)
		}, codes.InvalidArgument, `feature "age" takes numbers, not text`},
		"long text": {func(r *pb.ModelInferRequest) { r.Inputs[0].Name = strings.Repeat("é", 100000) }, codes.InvalidArgument, "unknown input"},
		"panic":     {func(r *pb.ModelInferRequest) { r.RawInputContents[0] = le(t, []float32{panics, 0, 0}) }, codes.Internal, "internal error"},
	} {
		req := raw(t, "FP32", 1, row)
		tc.spoil(req)
		_, err := c.ModelInfer(t.Context(), req)
		require.Less(t, len(err.Error()), 4096, name)
		requireCode(t, err, tc.code, tc.text)
	}
}

func TestInferRefusesContents(t *testing.T) {
	h := start(t, churn())
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	type contents = pb.InferTensorContents
	for text, req := range map[string]*pb.ModelInferRequest{
		"the shape asks for 3 values, the data has 0":            typed("FP32", 1, nil),
		"the shape asks for 3 values, the data has 2":            typed("FP32", 1, &contents{Fp32Contents: []float32{1, 2}}),
		"contents has elements in a field that is not for FP32":  typed("FP32", 1, &contents{Fp64Contents: []float64{1, 2, 3}}),
		"contents has elements in a field that is not for INT64": typed("INT64", 1, &contents{Int64Contents: []int64{1, 2, 3}, IntContents: []int32{4}}),
		"element 1 is 128, out of range [-128, 127]":             typed("INT8", 1, &contents{IntContents: []int32{1, 128, 3}}),
		"element 2 is -32769, out of range [-32768, 32767]":      typed("INT16", 1, &contents{IntContents: []int32{1, 2, -32769}}),
		"element 0 is 256, out of range [0, 255]":                typed("UINT8", 1, &contents{UintContents: []uint32{256, 2, 3}}),
		"element 0 is -1e+300, which does not fit float32":       typed("FP64", 1, &contents{Fp64Contents: []float64{-1e300, 2, 3}}),
		`unknown datatype "STRING"`:                              typed("STRING", 1, nil),
		`feature "age" takes numbers, not text`:                  typed("BYTES", 1, &contents{BytesContents: [][]byte{nil, nil, nil}}),
	} {
		_, err := c.ModelInfer(t.Context(), req)
		requireCode(t, err, codes.InvalidArgument, text)
	}
}

// TestInferWire sends encodings that the generated client never makes.
func TestInferWire(t *testing.T) {
	h := start(t, churn())
	floats := func(packed bool) []byte {
		var contents []byte
		for _, v := range []float32{1, 2, 0} {
			if !packed {
				contents = protowire.AppendTag(contents, 6, protowire.Fixed32Type)
			}
			contents = protowire.AppendFixed32(contents, math.Float32bits(v))
		}
		if packed {
			contents = protowire.AppendBytes(protowire.AppendTag(nil, 6, protowire.BytesType), contents)
		}
		tensor, err := proto.Marshal(&input{Name: serve.InputName, Datatype: "FP32", Shape: []int64{1, 3}})
		require.NoError(t, err)
		tensor = protowire.AppendBytes(protowire.AppendTag(tensor, 5, protowire.BytesType), contents)
		return protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), tensor)
	}
	unknown := protowire.AppendTag(floats(true), 999, protowire.BytesType)
	unknown = protowire.AppendBytes(unknown, []byte("from a later protocol"))
	for name, tc := range map[string]struct {
		message []byte
		refusal string
	}{
		"packed":        {floats(true), ""},
		"unpacked":      {floats(false), ""},
		"unknown field": {unknown, ""},
		"cut":           {floats(true)[:20], "the request cannot be decoded: unexpected EOF"},
		"not a message": {[]byte("{}"), "the request cannot be decoded: "},
		"not UTF-8":     {[]byte{1<<3 | 2, 1, 0xff}, "the request cannot be decoded: "},
	} {
		var resp pb.ModelInferResponse
		err := h.conn.Invoke(t.Context(), pb.GRPCInferenceService_ModelInfer_FullMethodName, tc.message, &resp, google.ForceCodec(wire{}))
		if tc.refusal != "" {
			requireCode(t, err, codes.InvalidArgument, tc.refusal)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, []float32{21}, resp.Outputs[0].Contents.Fp32Contents, name)
	}
	require.Contains(t, h.metrics("ModelInfer"), `hew_requests_total{protocol="grpc",route="GRPCInferenceService/ModelInfer",code="InvalidArgument"} 3`)
	empty := bytes.Repeat([]byte{5<<3 | 2, 0}, 2007) // inputs
	err := h.conn.Invoke(t.Context(), pb.GRPCInferenceService_ModelInfer_FullMethodName, empty, nil, google.ForceCodec(wire{}))
	requireCode(t, err, codes.ResourceExhausted, "the request has more than 2006 tensors, rows or other fields")
}

// wire is the codec of a client that writes its messages itself.
type wire struct{}

func (wire) Name() string                       { return "proto" }
func (wire) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (wire) Unmarshal(data []byte, v any) error { return proto.Unmarshal(data, v.(proto.Message)) }

func TestCompression(t *testing.T) {
	h := start(t, churn())
	c := pb.NewGRPCInferenceServiceClient(h.conn)
	resp, err := c.ModelInfer(t.Context(), raw(t, "FP32", 1, []float32{1, 2, 0}), google.UseCompressor(gzip.Name))
	require.NoError(t, err)
	require.Equal(t, le(t, float32(21)), resp.RawOutputContents[0])

	bomb := raw(t, "FP32", 1, []float32{1, 2, 0})
	bomb.Id = strings.Repeat("0", 32<<20)
	_, err = c.ModelInfer(t.Context(), bomb, google.UseCompressor(gzip.Name))
	requireCode(t, err, codes.ResourceExhausted, "larger than max")
	require.Contains(t, h.metrics("ModelInfer"), `hew_requests_total{protocol="grpc",route="GRPCInferenceService/ModelInfer",code="ResourceExhausted"} 1`)
}
