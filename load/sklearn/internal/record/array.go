package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// An Array is a NumPy array or scalar. NewArray and NewObjects make them.
type Array struct {
	DType   *DType
	Shape   []int // empty for a scalar
	Fortran bool
	Data    []byte  // a view of the file where possible; nil for objects
	Items   []Value // of an array of objects, in C order
	walk
}

const (
	maxDims  = 64      // as NumPy 2
	maxEmpty = 1 << 20 // product of the other dimensions of an array that has no data
)

// NewArray returns an array over data, which has to be of the size that the shape
// claims.
func NewArray(d *DType, shape []int, fortran bool, data []byte) (*Array, error) {
	n, err := Size(d, shape)
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, fmt.Errorf("%d bytes of data for an array of shape %v of %v, which needs %d", len(data), shape, d, n)
	}
	return &Array{DType: d, Shape: shape, Fortran: fortran && len(shape) > 1, Data: data}, nil
}

// NewObjects returns an array of objects, which are in C order.
func NewObjects(shape []int, items []Value) (*Array, error) {
	n, ok := product(shape, 1)
	if !ok || n != len(items) || len(shape) > maxDims || n == 0 && !small(shape) {
		return nil, fmt.Errorf("%d objects for an array of shape %.100s", len(items), fmt.Sprint(shape))
	}
	return &Array{DType: &DType{Kind: 'O'}, Shape: shape, Items: items}, nil
}

// Size returns the number of bytes of an array of numbers, text or records of the
// given shape.
func Size(d *DType, shape []int) (int, error) {
	if d.Kind == 'O' {
		return 0, fmt.Errorf("an array of objects where data are expected")
	}
	n, ok := product(shape, d.Size)
	if !ok || len(shape) > maxDims {
		return 0, fmt.Errorf("array of shape %.100s of %v is too large", fmt.Sprint(shape), d)
	}
	if count, _ := product(shape, 1); n == 0 && (count > 0 && d.Size == 0 && d.Kind != 'U' && d.Kind != 'S' || !small(shape)) {
		return 0, fmt.Errorf("array of shape %.100s of %v has no data", fmt.Sprint(shape), d)
	}
	return n, nil
}

// small reports whether whoever allocates something for each element of the
// product of some dimensions of an array without data needs little memory.
func small(shape []int) bool {
	all := 1
	for _, n := range shape {
		if n > 0 {
			if n > maxEmpty/all {
				return false
			}
			all *= n
		}
	}
	return true
}

// Len returns the number of elements.
func (a *Array) Len() int {
	n, _ := product(a.Shape, 1)
	return n
}

// inOrder returns the data in C order.
func (a *Array) inOrder() []byte {
	if !a.Fortran || len(a.Data) == 0 {
		return a.Data
	}
	size := a.DType.Size
	out, index := make([]byte, len(a.Data)), make([]int, len(a.Shape))
	for from := 0; from < len(a.Data); from += size {
		to := 0
		for d, n := range a.Shape {
			to = to*n + index[d]
		}
		copy(out[to*size:], a.Data[from:from+size])
		for d := range index { // count up, the first index fastest
			if index[d]++; index[d] < a.Shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

// Float64s returns numbers and booleans in C order.
func (a *Array) Float64s() ([]float64, error) {
	c, err := a.Column("")
	if err != nil {
		return nil, err
	}
	out := make([]float64, c.Len())
	for i := range out {
		out[i] = c.Float64(i)
	}
	return out, nil
}

// Int64s returns integers and booleans in C order. Floats are an error, whatever
// their values.
func (a *Array) Int64s() ([]int64, error) {
	if !a.DType.Integer() {
		return nil, fmt.Errorf("array of %v where integers are expected", a.DType)
	}
	c, err := a.Column("")
	if err != nil {
		return nil, err
	}
	out := make([]int64, c.Len())
	for i := range out {
		out[i] = c.Int64(i)
		if out[i] == math.MaxInt64 && c.code == uint64Code {
			return nil, fmt.Errorf("element %d of an array of integers is too large", i)
		}
	}
	return out, nil
}

// Strings returns text in C order. Bytes are UTF-8, or else Latin-1.
func (a *Array) Strings() ([]string, error) {
	out := make([]string, 0, a.Len())
	switch a.DType.Kind {
	case 'O':
		for i, v := range a.Items {
			s, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("element %d of an array of objects is no text", i)
			}
			out = append(out, s)
		}
		return out, nil
	case 'U', 'S':
	default:
		return nil, fmt.Errorf("array of %v where text is expected", a.DType)
	}
	size, data := a.DType.Size, a.inOrder()
	for i := range a.Len() {
		s, err := a.DType.text(data[i*size : (i+1)*size])
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// text returns the text in b, which zeros follow.
func (d *DType) text(b []byte) (string, error) {
	if d.Kind == 'S' {
		return latin1(bytes.TrimRight(b, "\x00")), nil
	}
	var s strings.Builder
	zeros := 0
	for ; len(b) >= 4; b = b[4:] {
		c := binary.LittleEndian.Uint32(b)
		if d.Big {
			c = binary.BigEndian.Uint32(b)
		}
		if c == 0 {
			zeros++
			continue
		}
		if c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
			return "", fmt.Errorf("%#x is no character", c)
		}
		for ; zeros > 0; zeros-- {
			s.WriteByte(0)
		}
		s.WriteRune(rune(c))
	}
	return s.String(), nil
}

func latin1(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// Field returns a field of an array of records as an array of its own, a copy in
// C order. Column reads a field of numbers without a copy.
func (a *Array) Field(name string) (*Array, error) {
	f, err := a.DType.Field(name)
	if err != nil {
		return nil, err
	}
	d, shape := f.DType, a.Shape[:len(a.Shape):len(a.Shape)]
	if d.Base != nil {
		d, shape = d.Base, append(shape, d.Shape...)
	}
	data := a.inOrder()
	out := make([]byte, 0, a.Len()*f.DType.Size)
	for at := f.Offset; len(out) < cap(out); at += a.DType.Size {
		out = append(out, data[at:at+f.DType.Size]...)
	}
	return NewArray(d, shape, false, out)
}
