package grpc

import (
	"encoding/binary"
	"math"
	"slices"

	"hew/predict"
	"hew/serve"
	"hew/serve/grpc/proto/inference"
)

// contents returns an output of a result in the field for its datatype. It copies:
// grpc encodes the response after the result's memory has gone back to the pool.
func contents(o *serve.Output, r *serve.Result) *inference.InferTensorContents {
	c := &inference.InferTensorContents{}
	if o.IsLeaf() {
		c.IntContents = slices.Clone(r.Leaf)
		return c
	}
	v := r.Values(o)
	if o.Labels == nil {
		c.Fp32Contents, c.Fp64Contents = slices.Clone(v.F32), slices.Clone(v.F64)
		return c
	}
	switch o.Datatype {
	case "INT64":
		c.Int64Contents = labels(o, v, func(l *serve.Labels) []int64 { return l.Ints })
	case "FP64":
		c.Fp64Contents = labels(o, v, func(l *serve.Labels) []float64 { return l.Floats })
	case "BOOL":
		c.BoolContents = labels(o, v, func(l *serve.Labels) []bool { return l.Bools })
	default:
		for _, text := range labelTexts(o, v) {
			c.BytesContents = append(c.BytesContents, []byte(text))
		}
	}
	return c
}

// rawOutput returns an output of a result as little-endian bytes; a text stands
// after its length.
func rawOutput(o *serve.Output, r *serve.Result) []byte {
	le := binary.LittleEndian
	b := []byte{}
	if o.IsLeaf() {
		b = make([]byte, 0, 4*len(r.Leaf))
		for _, v := range r.Leaf {
			b = le.AppendUint32(b, uint32(v))
		}
		return b
	}
	v := r.Values(o)
	if o.Labels == nil {
		return rawNumbers(*v)
	}
	switch o.Datatype {
	case "INT64":
		for _, i := range labels(o, v, func(l *serve.Labels) []int64 { return l.Ints }) {
			b = le.AppendUint64(b, uint64(i))
		}
	case "FP64":
		return rawNumbers(predict.Values{F64: labels(o, v, func(l *serve.Labels) []float64 { return l.Floats })})
	case "BOOL":
		for _, is := range labels(o, v, func(l *serve.Labels) []bool { return l.Bools }) {
			if b = append(b, 0); is {
				b[len(b)-1] = 1
			}
		}
	default:
		for _, text := range labelTexts(o, v) {
			b = append(le.AppendUint32(b, uint32(len(text))), text...)
		}
	}
	return b
}

func rawNumbers(v predict.Values) []byte {
	b := make([]byte, 0, 4*len(v.F32)+8*len(v.F64))
	for _, f := range v.F32 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	for _, f := range v.F64 {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	return b
}

// labels returns the labels that the class numbers in v stand for, in the type
// that of chooses.
func labels[T any](o *serve.Output, v *predict.Values, of func(*serve.Labels) []T) []T {
	out := make([]T, v.Len())
	for i := range out {
		out[i] = of(&o.Labels[i%len(o.Labels)])[int(v.At(i))]
	}
	return out
}

func labelTexts(o *serve.Output, v *predict.Values) []string {
	return labels(o, v, func(l *serve.Labels) []string { return l.Texts })
}
