package grpc

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"hew/serve"
	"hew/serve/grpc/proto/inference"
)

// An inferenceService is the Open Inference Protocol V2.
type inferenceService struct {
	inference.UnimplementedGRPCInferenceServiceServer
	models *serve.Models
}

func (s *inferenceService) ServerLive(context.Context, *inference.ServerLiveRequest) (*inference.ServerLiveResponse, error) {
	return &inference.ServerLiveResponse{Live: true}, nil
}

func (s *inferenceService) ServerReady(context.Context, *inference.ServerReadyRequest) (*inference.ServerReadyResponse, error) {
	return &inference.ServerReadyResponse{Ready: s.models.Ready()}, nil
}

func (s *inferenceService) ModelReady(_ context.Context, req *inference.ModelReadyRequest) (*inference.ModelReadyResponse, error) {
	if _, err := s.models.Lookup(req.Name, req.Version); err != nil {
		return nil, err
	}
	return &inference.ModelReadyResponse{Ready: s.models.Ready()}, nil
}

func (s *inferenceService) ServerMetadata(context.Context, *inference.ServerMetadataRequest) (*inference.ServerMetadataResponse, error) {
	return &inference.ServerMetadataResponse{
		Name:       "hew",
		Version:    s.models.All()[0].Source.Hew,
		Extensions: []string{"model_repository"},
	}, nil
}

func (s *inferenceService) ModelMetadata(_ context.Context, req *inference.ModelMetadataRequest) (*inference.ModelMetadataResponse, error) {
	m, err := s.models.Lookup(req.Name, req.Version)
	if err != nil {
		return nil, err
	}
	return &inference.ModelMetadataResponse{
		Name:     m.Name,
		Versions: s.models.Versions(m.Name),
		Platform: m.Platform(),
		Inputs:   tensorMetadata(m.Inputs()),
		Outputs:  tensorMetadata(m.Outputs()),
	}, nil
}

func tensorMetadata(infos []serve.TensorInfo) []*inference.ModelMetadataResponse_TensorMetadata {
	tensors := make([]*inference.ModelMetadataResponse_TensorMetadata, len(infos))
	for i, t := range infos {
		tensors[i] = &inference.ModelMetadataResponse_TensorMetadata{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape}
	}
	return tensors
}

func (s *inferenceService) RepositoryIndex(_ context.Context, req *inference.RepositoryIndexRequest) (*inference.RepositoryIndexResponse, error) {
	index := &inference.RepositoryIndexResponse{}
	if req.Ready && !s.models.Ready() {
		return index, nil
	}
	state := "READY"
	if !s.models.Ready() {
		state = "UNAVAILABLE"
	}
	for _, m := range s.models.All() {
		index.Models = append(index.Models, &inference.RepositoryIndexResponse_ModelIndex{Name: m.Name, Version: m.Version, State: state})
	}
	return index, nil
}

// ModelInfer scores the rows of a request. The answer is raw if and only if the
// request was: Triton's client sends raw data and reads nothing else, MLServer's
// and KServe's send and read contents.
func (s *inferenceService) ModelInfer(ctx context.Context, req *inference.ModelInferRequest) (*inference.ModelInferResponse, error) {
	m, err := s.models.Lookup(req.ModelName, req.ModelVersion)
	if err != nil {
		return nil, err
	}
	names, want, err := wanted(m, req)
	if err != nil {
		return nil, err
	}
	w := works.Get().(*work)
	defer w.free()
	tensors, err := w.decoder.decode(req)
	if err != nil {
		return nil, err
	}
	rows, err := m.Rows(w.rows, tensors)
	if err != nil {
		return nil, err
	}
	if len(tensors) > 1 { // rows is not the memory of a tensor
		w.rows = rows
	}
	if err := m.Score(ctx, &w.result, rows, want); err != nil {
		return nil, err
	}
	return answer(m, req, names, &w.result), nil
}

// wanted returns the outputs that a request asks for, in its order and as a set.
func wanted(m *serve.Model, req *inference.ModelInferRequest) (names []serve.Outputs, want serve.Outputs, err error) {
	if len(req.Outputs) == 0 {
		return []serve.Outputs{serve.Predict}, serve.Predict, nil
	}
	for _, o := range req.Outputs {
		if err := refuse(o.Parameters, "classification", "shared_memory_region"); err != nil {
			return nil, 0, invalid("output %q: %w", o.Name, err)
		}
		output, err := m.Wanted(o.Name)
		if err != nil {
			return nil, 0, err
		}
		if want&output != 0 {
			return nil, 0, invalid("output %q is asked for twice", o.Name)
		}
		want |= output
		names = append(names, output)
	}
	return names, want, nil
}

// answer puts the wanted outputs of a result into a response. It copies: grpc
// encodes the response after the result's memory has gone back to the pool.
func answer(m *serve.Model, req *inference.ModelInferRequest, names []serve.Outputs, r *serve.Result) *inference.ModelInferResponse {
	resp := &inference.ModelInferResponse{ModelName: m.Name, ModelVersion: m.Version, Id: req.Id}
	isRaw := len(req.RawInputContents) > 0
	for _, name := range names {
		info := outputInfo(m, name)
		out := &inference.ModelInferResponse_InferOutputTensor{
			Name: info.Name, Datatype: info.Datatype, Shape: []int64{int64(r.Rows), info.Shape[1]},
		}
		resp.Outputs = append(resp.Outputs, out)
		switch {
		case isRaw:
			resp.RawOutputContents = append(resp.RawOutputContents, rawOutput(name, r))
		case name == serve.Leaf:
			out.Contents = &inference.InferTensorContents{IntContents: slices.Clone(r.Leaf)}
		case name == serve.Margin:
			out.Contents = &inference.InferTensorContents{Fp32Contents: slices.Clone(r.Margin)}
		default:
			out.Contents = &inference.InferTensorContents{Fp32Contents: slices.Clone(r.Predict)}
		}
	}
	return resp
}

// outputInfo returns the metadata of an output.
func outputInfo(m *serve.Model, name serve.Outputs) serve.TensorInfo {
	return m.Outputs()[bits.TrailingZeros8(uint8(name))]
}

func rawOutput(name serve.Outputs, r *serve.Result) []byte {
	switch name {
	case serve.Leaf:
		b := make([]byte, 0, 4*len(r.Leaf))
		for _, v := range r.Leaf {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		return b
	case serve.Margin:
		return rawFloats(r.Margin)
	}
	return rawFloats(r.Predict)
}

func rawFloats(values []float32) []byte {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
