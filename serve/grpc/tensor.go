package grpc

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/http"

	"hew/predict"
	"hew/serve"
	"hew/serve/grpc/proto/inference"
)

// A decoder turns the inputs of a request into the tensors of package serve, for
// models that take numbers of type T. Its memory is used again for the next
// request.
type decoder[T predict.Number] struct {
	tensors []serve.Tensor
	values  []T // backs the tensors' values
}

// maxDims bounds the length of a shape; two is the most that makes sense.
const maxDims = 8

// decode returns the tensors of a request. They hold until the next call.
func (d *decoder[T]) decode(req *inference.ModelInferRequest) ([]serve.Tensor, error) {
	d.tensors, d.values = d.tensors[:0], d.values[:0]
	isRaw := len(req.RawInputContents) > 0
	if isRaw && len(req.RawInputContents) != len(req.Inputs) {
		return nil, invalid("raw_input_contents has %d entries for %d inputs, want one for each", len(req.RawInputContents), len(req.Inputs))
	}
	for i, in := range req.Inputs {
		if err := refuse(in.Parameters, "shared_memory_region"); err != nil {
			return nil, invalid("input %q: %w", in.Name, err)
		}
		if len(in.Shape) > maxDims {
			return nil, invalid("input %q: the shape has %d dimensions, more than %d", in.Name, len(in.Shape), maxDims)
		}
		if isRaw && in.Contents != nil {
			return nil, invalid("input %q: contents must not be there when raw_input_contents is used", in.Name)
		}
		d.tensors = append(d.tensors, serve.Tensor{Name: in.Name, Datatype: in.Datatype, Shape: in.Shape})
		t := &d.tensors[i]
		var err error
		if isRaw {
			err = d.raw(t, req.RawInputContents[i])
		} else {
			err = d.contents(t, in.Contents)
		}
		if err != nil {
			return nil, invalid("input %q: %w", in.Name, err)
		}
	}
	return d.tensors, nil
}

// raw fills a tensor from its bytes.
func (d *decoder[T]) raw(t *serve.Tensor, b []byte) error {
	if t.Datatype == "BYTES" {
		return rawText(t, b)
	}
	e, ok := elementsOf[T]()[t.Datatype]
	if !ok {
		return unknownDatatype(t.Datatype)
	}
	if len(b)%e.size != 0 {
		return fmt.Errorf("raw data of %d bytes is not a whole number of %s elements", len(b), t.Datatype)
	}
	begin := len(d.values)
	for i := 0; i < len(b); i += e.size {
		v, ok := e.decode(b[i:])
		if !ok {
			return fmt.Errorf("element %d is out of range", i/e.size)
		}
		d.values = append(d.values, v)
	}
	t.Values = predict.ValuesOf(d.values[begin:])
	return nil
}

// rawText fills a BYTES tensor: each element stands after its length.
func rawText(t *serve.Tensor, b []byte) error {
	text := string(b) // one copy that all elements share
	for i := 0; i < len(b); {
		if len(b)-i < 4 {
			return fmt.Errorf("raw data ends within the length of element %d", len(t.Text))
		}
		n := binary.LittleEndian.Uint32(b[i:])
		i += 4
		if uint64(n) > uint64(len(b)-i) {
			return fmt.Errorf("element %d of %d bytes ends after the raw data", len(t.Text), n)
		}
		t.Text = append(t.Text, text[i:i+int(n)])
		i += int(n)
	}
	return nil
}

// An element is how the elements of a datatype look in raw data. decode reports
// whether the number is one that a row can hold.
type element[T predict.Number] struct {
	size   int
	decode func([]byte) (v T, ok bool)
}

var (
	singleElements = elements[float32]()
	doubleElements = elements[float64]()
)

// elementsOf returns the datatypes of raw data for models that take type T.
func elementsOf[T predict.Number]() map[string]element[T] {
	var all any = singleElements
	if predict.TypeOf[T]() == predict.Float64 {
		all = doubleElements
	}
	return all.(map[string]element[T])
}

// elements makes the datatypes of raw data. An integer is rounded to T once, not
// by way of another type.
func elements[T predict.Number]() map[string]element[T] {
	le := binary.LittleEndian
	return map[string]element[T]{
		"BOOL":   {1, func(b []byte) (T, bool) { return T(b[0]), b[0] <= 1 }},
		"UINT8":  {1, func(b []byte) (T, bool) { return T(b[0]), true }},
		"UINT16": {2, func(b []byte) (T, bool) { return T(le.Uint16(b)), true }},
		"UINT32": {4, func(b []byte) (T, bool) { return T(le.Uint32(b)), true }},
		"UINT64": {8, func(b []byte) (T, bool) { return T(le.Uint64(b)), true }},
		"INT8":   {1, func(b []byte) (T, bool) { return T(int8(b[0])), true }},
		"INT16":  {2, func(b []byte) (T, bool) { return T(int16(le.Uint16(b))), true }},
		"INT32":  {4, func(b []byte) (T, bool) { return T(int32(le.Uint32(b))), true }},
		"INT64":  {8, func(b []byte) (T, bool) { return T(int64(le.Uint64(b))), true }},
		"FP16":   {2, func(b []byte) (T, bool) { return T(fromHalf(le.Uint16(b))), true }},
		"BF16":   {2, func(b []byte) (T, bool) { return T(math.Float32frombits(uint32(le.Uint16(b)) << 16)), true }},
		"FP32":   {4, func(b []byte) (T, bool) { return T(math.Float32frombits(le.Uint32(b))), true }},
		"FP64":   {8, func(b []byte) (T, bool) { return narrow[T](math.Float64frombits(le.Uint64(b))) }},
	}
}

// narrow rounds to T; a finite number must stay one.
func narrow[T predict.Number](v float64) (T, bool) {
	f := T(v)
	return f, !math.IsInf(float64(f), 0) || math.IsInf(v, 0)
}

// fromHalf widens an IEEE 754 binary16 number.
func fromHalf(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent, fraction := uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // a multiple of 2⁻²⁴, zero included
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 31: // infinities and NaNs
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// contents fills a tensor from the one field of c that fits its datatype.
func (d *decoder[T]) contents(t *serve.Tensor, c *inference.InferTensorContents) (err error) {
	n := 0
	switch t.Datatype {
	case "BOOL":
		n = len(c.GetBoolContents())
		t.Values = d.bools(c.GetBoolContents())
	case "INT8":
		n = len(c.GetIntContents())
		t.Values, err = numbers(d, c.GetIntContents(), math.MinInt8, math.MaxInt8)
	case "INT16":
		n = len(c.GetIntContents())
		t.Values, err = numbers(d, c.GetIntContents(), math.MinInt16, math.MaxInt16)
	case "INT32":
		n = len(c.GetIntContents())
		t.Values, err = numbers(d, c.GetIntContents(), math.MinInt32, math.MaxInt32)
	case "INT64":
		n = len(c.GetInt64Contents())
		t.Values, err = numbers(d, c.GetInt64Contents(), math.MinInt64, math.MaxInt64)
	case "UINT8":
		n = len(c.GetUintContents())
		t.Values, err = numbers(d, c.GetUintContents(), 0, math.MaxUint8)
	case "UINT16":
		n = len(c.GetUintContents())
		t.Values, err = numbers(d, c.GetUintContents(), 0, math.MaxUint16)
	case "UINT32":
		n = len(c.GetUintContents())
		t.Values, err = numbers(d, c.GetUintContents(), 0, math.MaxUint32)
	case "UINT64":
		n = len(c.GetUint64Contents())
		t.Values, err = numbers(d, c.GetUint64Contents(), 0, math.MaxUint64)
	case "FP32":
		n = len(c.GetFp32Contents())
		t.Values = d.singles(c.GetFp32Contents())
	case "FP64":
		n = len(c.GetFp64Contents())
		t.Values, err = d.doubles(c.GetFp64Contents())
	case "BYTES":
		n = len(c.GetBytesContents())
		t.Text = texts(c.GetBytesContents())
	case "FP16", "BF16":
		return fmt.Errorf("%s has no field in contents, send raw_input_contents", t.Datatype)
	default:
		return unknownDatatype(t.Datatype)
	}
	if err == nil && n != countContents(c) {
		err = fmt.Errorf("contents has elements in a field that is not for %s", t.Datatype)
	}
	return err
}

func countContents(c *inference.InferTensorContents) int {
	return len(c.GetBoolContents()) + len(c.GetIntContents()) + len(c.GetInt64Contents()) + len(c.GetUintContents()) +
		len(c.GetUint64Contents()) + len(c.GetFp32Contents()) + len(c.GetFp64Contents()) + len(c.GetBytesContents())
}

// numbers rounds integers, which must be in the range of their datatype.
func numbers[T predict.Number, E int32 | int64 | uint32 | uint64](d *decoder[T], in []E, lowest, highest E) (predict.Values, error) {
	begin := len(d.values)
	for i, v := range in {
		if v < lowest || v > highest {
			return predict.Values{}, fmt.Errorf("element %d is %d, out of range [%d, %d]", i, v, lowest, highest)
		}
		d.values = append(d.values, T(v))
	}
	return predict.ValuesOf(d.values[begin:]), nil
}

// singles widens float32 numbers, or takes them as they are.
func (d *decoder[T]) singles(in []float32) predict.Values {
	if predict.TypeOf[T]() == predict.Float32 {
		return predict.Values{F32: in}
	}
	begin := len(d.values)
	for _, v := range in {
		d.values = append(d.values, T(v))
	}
	return predict.ValuesOf(d.values[begin:])
}

// doubles rounds float64 numbers, or takes them as they are.
func (d *decoder[T]) doubles(in []float64) (predict.Values, error) {
	if predict.TypeOf[T]() == predict.Float64 {
		return predict.Values{F64: in}, nil
	}
	begin := len(d.values)
	for i, v := range in {
		f, ok := narrow[T](v)
		if !ok {
			return predict.Values{}, fmt.Errorf("element %d is %v, which does not fit float32", i, v)
		}
		d.values = append(d.values, f)
	}
	return predict.ValuesOf(d.values[begin:]), nil
}

func (d *decoder[T]) bools(in []bool) predict.Values {
	begin := len(d.values)
	for _, v := range in {
		f := T(0)
		if v {
			f = 1
		}
		d.values = append(d.values, f)
	}
	return predict.ValuesOf(d.values[begin:])
}

func texts(in [][]byte) []string {
	out := make([]string, len(in))
	for i, b := range in {
		out[i] = string(b)
	}
	return out
}

func unknownDatatype(name string) error {
	return fmt.Errorf("unknown datatype %q", name)
}

// refuse reports a parameter that asks for another answer than a tensor in the
// message. Other parameters, such as MLServer's content_type, are hints that
// change nothing here.
func refuse(parameters map[string]*inference.InferParameter, names ...string) error {
	for _, name := range names {
		if _, ok := parameters[name]; ok {
			return fmt.Errorf("parameter %q is not supported", name)
		}
	}
	return nil
}

// invalid is a refusal of the request.
func invalid(format string, args ...any) error {
	return serve.Errorf(http.StatusBadRequest, "%s", fmt.Errorf(format, args...))
}
