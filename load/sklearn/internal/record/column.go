package record

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A Column reads numbers in place: the elements of an array, or one field of its
// records, in C order.
type Column struct {
	data      []byte // from the first element
	stride, n int
	code      byte
	big       bool
}

const (
	boolCode = iota
	int8Code
	int16Code
	int32Code
	int64Code
	uint8Code
	uint16Code
	uint32Code
	uint64Code
	float16Code
	float32Code
	float64Code
)

// codes has the code of a number by the kind and the size of its type.
var codes = map[byte]map[int]byte{
	'b': {1: boolCode},
	'i': {1: int8Code, 2: int16Code, 4: int32Code, 8: int64Code},
	'u': {1: uint8Code, 2: uint16Code, 4: uint32Code, 8: uint64Code},
	'f': {2: float16Code, 4: float32Code, 8: float64Code},
}

// Column returns a field of numbers or booleans of an array of records or, for
// the name "", the elements of an array of numbers.
func (a *Array) Column(name string) (Column, error) {
	f := Field{DType: a.DType}
	if name != "" {
		var err error
		if f, err = a.DType.Field(name); err != nil {
			return Column{}, err
		}
	}
	code, ok := codes[f.DType.Kind][f.DType.Size]
	if !ok {
		if name != "" {
			return Column{}, fmt.Errorf("field %q of %v where numbers are expected", name, f.DType)
		}
		return Column{}, fmt.Errorf("array of %v where numbers are expected", f.DType)
	}
	c := Column{stride: a.DType.Size, n: a.Len(), code: code, big: f.DType.Big}
	if c.n > 0 {
		c.data = a.inOrder()[f.Offset:]
	}
	return c, nil
}

// Len returns the number of elements.
func (c *Column) Len() int { return c.n }

// Integer reports whether the elements are integers or booleans.
func (c *Column) Integer() bool { return c.code < float16Code }

// Int64 returns element i. An unsigned integer that is too large becomes
// math.MaxInt64, a float what Go's conversion gives.
func (c *Column) Int64(i int) int64 {
	b := c.data[i*c.stride:]
	switch c.code {
	case int64Code:
		return int64(c.uint64(b))
	case int32Code:
		return int64(int32(c.uint32(b)))
	case uint32Code:
		return int64(c.uint32(b))
	case uint8Code:
		return int64(b[0])
	case boolCode:
		if b[0] != 0 {
			return 1
		}
		return 0
	case int8Code:
		return int64(int8(b[0]))
	case int16Code:
		return int64(int16(c.uint16(b)))
	case uint16Code:
		return int64(c.uint16(b))
	case uint64Code:
		return int64(min(c.uint64(b), math.MaxInt64))
	}
	return int64(c.Float64(i))
}

// Float64 returns element i, rounded if it is an integer beyond 2^53.
func (c *Column) Float64(i int) float64 {
	b := c.data[i*c.stride:]
	switch c.code {
	case float64Code:
		return math.Float64frombits(c.uint64(b))
	case float32Code:
		return float64(math.Float32frombits(c.uint32(b)))
	case float16Code:
		return half(c.uint16(b))
	case uint64Code:
		return float64(c.uint64(b))
	}
	return float64(c.Int64(i))
}

func (c *Column) uint16(b []byte) uint16 {
	if c.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (c *Column) uint32(b []byte) uint32 {
	if c.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (c *Column) uint64(b []byte) uint64 {
	if c.big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// half returns the value of a float of 16 bits.
func half(h uint16) float64 {
	exponent, fraction := int(h>>10&31), float64(h&1023)
	x := 0.0
	switch exponent {
	case 0:
		x = math.Ldexp(fraction, -24)
	case 31:
		x = math.Inf(1)
		if fraction != 0 {
			return math.NaN()
		}
	default:
		x = math.Ldexp(1024+fraction, exponent-25)
	}
	if h>>15 != 0 {
		return math.Copysign(x, -1)
	}
	return x
}
