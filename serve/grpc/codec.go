package grpc

import (
	"net/http"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"hew/serve"
)

// A codec is grpc's own for protobuf, with a limit on the fields of a message.
//
// An empty input tensor or row is two bytes on the wire and a hundred in memory:
// without the limit, 64 MB of them, which gzip packs into 64 KB, would take 4 GB.
type codec struct {
	encoding.CodecV2
	maxFields int
}

// newCodec returns a codec whose limit is above what a request needs that keeps
// to the limit on rows: a field for each row, or two for each feature.
func newCodec(models *serve.Models) codec {
	c := codec{encoding.GetCodecV2(proto.Name), 1000}
	for _, m := range models.All() {
		c.maxFields = max(c.maxFields, 1000+2*m.NumFeatures)
	}
	c.maxFields += models.MaxRows
	return c
}

// A request is what a message is decoded into. It takes the refusal as well,
// because grpc calls an error of a codec internal, and this is the client's.
type request struct {
	message any
	err     error
}

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	r, ok := v.(*request)
	if !ok { // a message of a stream
		return c.CodecV2.Unmarshal(data, v)
	}
	b := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer b.Free()
	if r.err = c.checkFields(b.ReadOnlyData()); r.err != nil {
		return nil
	}
	if err := c.CodecV2.Unmarshal(mem.BufferSlice{b}, r.message); err != nil {
		r.err = invalid("the request cannot be decoded: %w", err)
	}
	return nil
}

func (c codec) checkFields(b []byte) error {
	for fields := 0; len(b) > 0; fields++ {
		_, _, n := protowire.ConsumeField(b)
		if n < 0 {
			return invalid("the request cannot be decoded: %w", protowire.ParseError(n))
		}
		if fields == c.maxFields {
			return serve.Errorf(http.StatusRequestEntityTooLarge, "the request has more than %d tensors, rows or other fields", c.maxFields)
		}
		b = b[n:]
	}
	return nil
}
