package load

import (
	"context"
	"encoding/binary"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"hew/predict"
	"hew/serve/grpc/proto/inference"
)

// inputName is the tensor of rows of the protocol V2, as package serve names it.
const inputName = "input-0"

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
	x := q.request(i)
	c.raw, _ = binary.Append(c.raw[:0], binary.LittleEndian, x.F32) // floats are of fixed size
	c.raw, _ = binary.Append(c.raw, binary.LittleEndian, x.F64)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req := &inference.ModelInferRequest{
		ModelName: q.Model,
		Inputs: []*inference.ModelInferRequest_InferInputTensor{{
			Name: inputName, Datatype: datatype(x.Type()), Shape: []int64{int64(q.BatchRows), int64(q.Features)},
		}},
		RawInputContents: [][]byte{c.raw},
	}
	if q.Output != "" { // otherwise the server gives nothing else
		req.Outputs = []*inference.ModelInferRequest_InferRequestedOutputTensor{{Name: q.Output}}
	}
	resp, err := c.client.ModelInfer(ctx, req)
	if err != nil {
		return err
	}
	got, err := q.rawValues(resp)
	if err != nil {
		return err
	}
	return q.verify(i, got, false)
}

func (q *Questions) rawValues(resp *inference.ModelInferResponse) (v predict.Values, err error) {
	if len(resp.Outputs) != 1 || len(resp.RawOutputContents) != 1 {
		return v, fmt.Errorf("%d output tensors and %d raw ones, want 1", len(resp.Outputs), len(resp.RawOutputContents))
	}
	want := datatype(q.Want.Type())
	if o := resp.Outputs[0]; o.Name != q.output() || o.Datatype != want {
		return v, fmt.Errorf("output tensor %q of type %s, want %q of type %s", o.Name, o.Datatype, q.output(), want)
	}
	raw := resp.RawOutputContents[0]
	if q.Want.Type() == predict.Float64 {
		v = predict.MakeValues(predict.Float64, len(raw)/8)
		_, err = binary.Decode(raw, binary.LittleEndian, v.F64)
	} else {
		v = predict.MakeValues(predict.Float32, len(raw)/4)
		_, err = binary.Decode(raw, binary.LittleEndian, v.F32)
	}
	return v, err
}
