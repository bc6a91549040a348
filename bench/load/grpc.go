package load

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"hew/serve/grpc/proto/inference"
)

// inputName and outputName are the tensors of the protocol V2, as package serve
// names them.
const (
	inputName  = "input-0"
	outputName = "predict"
)

// GRPC asks the Open Inference Protocol V2 at addr, host:port, with raw tensors.
func GRPC(addr string, q Questions) Target {
	return Target{"grpc", q, func() (conn, error) {
		c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		return &grpcConn{questions: &q, conn: c, client: inference.NewGRPCInferenceServiceClient(c)}, nil
	}}
}

// A grpcConn is one HTTP/2 connection.
type grpcConn struct {
	questions *Questions
	conn      *grpc.ClientConn
	client    inference.GRPCInferenceServiceClient
	raw       []byte
}

func (c *grpcConn) close() { c.conn.Close() }

func (c *grpcConn) ask(i int) error {
	q := c.questions
	var err error
	if c.raw, err = binary.Append(c.raw[:0], binary.LittleEndian, q.request(i)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := c.client.ModelInfer(ctx, &inference.ModelInferRequest{
		ModelName: q.Model,
		Inputs: []*inference.ModelInferRequest_InferInputTensor{{
			Name: inputName, Datatype: "FP32", Shape: []int64{int64(q.BatchRows), int64(q.Features)},
		}},
		RawInputContents: [][]byte{c.raw},
	})
	if err != nil {
		return err
	}
	got, err := rawValues(resp)
	if err != nil {
		return err
	}
	return q.verify(i, got, false)
}

func rawValues(resp *inference.ModelInferResponse) ([]float32, error) {
	if len(resp.Outputs) != 1 || len(resp.RawOutputContents) != 1 {
		return nil, fmt.Errorf("%d output tensors and %d raw ones, want 1", len(resp.Outputs), len(resp.RawOutputContents))
	}
	if o := resp.Outputs[0]; o.Name != outputName || o.Datatype != "FP32" {
		return nil, fmt.Errorf("output tensor %q of type %s, want %q of type FP32", o.Name, o.Datatype, outputName)
	}
	raw := resp.RawOutputContents[0]
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values, nil
}
