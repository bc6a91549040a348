package grpc

import (
	"context"
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
	var inputs, outputs []*inference.ModelMetadataResponse_TensorMetadata
	for _, t := range m.Inputs() {
		inputs = append(inputs, tensorMetadata(t))
	}
	for _, o := range m.Outputs() {
		outputs = append(outputs, tensorMetadata(o.TensorInfo))
	}
	return &inference.ModelMetadataResponse{
		Name:     m.Name,
		Versions: s.models.Versions(m.Name),
		Platform: m.Platform(),
		Inputs:   inputs,
		Outputs:  outputs,
	}, nil
}

func tensorMetadata(t serve.TensorInfo) *inference.ModelMetadataResponse_TensorMetadata {
	return &inference.ModelMetadataResponse_TensorMetadata{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape}
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
	want, err := wanted(m, req)
	if err != nil {
		return nil, err
	}
	w := begin()
	defer w.free()
	tensors, err := w.decode(m.Input, req)
	if err != nil {
		return nil, err
	}
	rows, err := m.Rows(&w.rows, tensors)
	if err != nil {
		return nil, err
	}
	if err := m.Score(ctx, &w.result, rows, want); err != nil {
		return nil, err
	}
	return answer(m, req, want, &w.result), nil
}

// wanted returns the outputs that a request asks for, in its order.
func wanted(m *serve.Model, req *inference.ModelInferRequest) ([]*serve.Output, error) {
	if len(req.Outputs) == 0 {
		return m.Default(), nil
	}
	var want []*serve.Output
	for _, o := range req.Outputs {
		if err := refuse(o.Parameters, "classification", "shared_memory_region"); err != nil {
			return nil, invalid("output %q: %w", o.Name, err)
		}
		output, err := m.Wanted(o.Name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(want, output) {
			return nil, invalid("output %q is asked for twice", o.Name)
		}
		want = append(want, output)
	}
	return want, nil
}

// answer puts the wanted outputs of a result into a response.
func answer(m *serve.Model, req *inference.ModelInferRequest, want []*serve.Output, r *serve.Result) *inference.ModelInferResponse {
	resp := &inference.ModelInferResponse{ModelName: m.Name, ModelVersion: m.Version, Id: req.Id}
	isRaw := len(req.RawInputContents) > 0
	for _, o := range want {
		out := &inference.ModelInferResponse_InferOutputTensor{
			Name: o.Name, Datatype: o.Datatype, Shape: []int64{int64(r.Rows), o.Shape[1]},
		}
		resp.Outputs = append(resp.Outputs, out)
		if isRaw {
			resp.RawOutputContents = append(resp.RawOutputContents, rawOutput(o, r))
		} else {
			out.Contents = contents(o, r)
		}
	}
	return resp
}
