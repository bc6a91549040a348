package record

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// A DType is the type of an array's elements.
type DType struct {
	// 'b', 'i', 'u' and 'f' are numbers, 'U' and 'S' text and bytes, 'V' a record, 'O' an
	// object; 'c', 'M' and 'm' are complex numbers and times, which nothing reads.
	Kind   byte
	Size   int  // of an element in bytes; 4 per character of 'U', 0 for 'O'
	Big    bool // the bytes of a number or of a character are in big-endian order
	Fields []Field

	// An element that is itself an array has its shape and the type of its
	// elements here, and Kind 'V'.
	Shape []int
	Base  *DType

	depth int // of records and arrays in it
}

// A Field is a part of a record.
type Field struct {
	Name   string
	DType  *DType
	Offset int
}

const (
	maxElement = 1 << 24 // bytes of one element of an array
	maxFields  = 1000    // of a record; nodes of trees have about ten
)

// ParseDType reads NumPy's short name of a type, such as "<f8", "|V56" or "O". A
// name without a byte order is little-endian.
func ParseDType(name string) (*DType, error) {
	s := strings.TrimLeft(name, "<>|=")
	if s == "" || len(name)-len(s) > 1 {
		return nil, fmt.Errorf("unknown dtype %.40q", name)
	}
	d := &DType{Kind: s[0], Big: name[0] == '>'}
	size := 0
	if s[0] == 'M' || s[0] == 'm' {
		s, _, _ = strings.Cut(s, "[")
	}
	if len(s) > 1 {
		n, err := strconv.ParseUint(s[1:], 10, 32)
		if err != nil || n > maxElement/4 {
			return nil, fmt.Errorf("unknown dtype %.40q", name)
		}
		size = int(n)
	}
	d.Size = size
	ok := false
	switch d.Kind {
	case '?':
		d.Kind, d.Size, ok = 'b', 1, size == 0
	case 'b':
		ok = size == 1
	case 'i', 'u':
		ok = size == 1 || size == 2 || size == 4 || size == 8
	case 'f':
		ok = size == 2 || size == 4 || size == 8 || size == 12 || size == 16
	case 'c':
		ok = size == 8 || size == 16 || size == 24 || size == 32
	case 'M', 'm': // may have a unit, as in "M8[ns]"
		ok = size == 8
	case 'U':
		d.Size, ok = 4*size, true
	case 'S', 'V':
		ok = true
	case 'a':
		d.Kind, ok = 'S', true
	case 'O':
		d.Size, ok = 0, size == 0 || size == 4 || size == 8 // the size of a pointer
	}
	if !ok {
		return nil, fmt.Errorf("dtype %.40q is not supported", name)
	}
	return d, nil
}

// String returns NumPy's short name of d, or says what an element consists of.
func (d *DType) String() string {
	switch {
	case d.Base != nil:
		return fmt.Sprintf("arrays of %d bytes", d.Size)
	case d.Fields != nil:
		return fmt.Sprintf("records of %d bytes", d.Size)
	case d.Kind == 'O':
		return "objects"
	}
	order, n := "<", d.Size
	switch {
	case d.Big:
		order = ">"
	case d.Size == 1 || d.Kind == 'S' || d.Kind == 'V':
		order = "|"
	}
	if d.Kind == 'U' {
		n /= 4
	}
	return order + string(d.Kind) + strconv.Itoa(n)
}

// Numeric reports whether elements are numbers or booleans of at most 64 bits.
func (d *DType) Numeric() bool {
	_, ok := codes[d.Kind][d.Size]
	return ok
}

// Integer reports whether elements are integers or booleans.
func (d *DType) Integer() bool { return d.Kind == 'i' || d.Kind == 'u' || d.Kind == 'b' }

// Field returns the field of the given name.
func (d *DType) Field(name string) (Field, error) {
	for _, f := range d.Fields {
		if f.Name == name {
			return f, nil
		}
	}
	return Field{}, fmt.Errorf("array of %v has no field %q", d, name)
}

// NewRecord returns the type of records of the given size.
func NewRecord(size int, fields []Field) (*DType, error) {
	if size < 0 || size > maxElement || len(fields) > maxFields {
		return nil, fmt.Errorf("records of %d bytes and %d fields are too large", size, len(fields))
	}
	d := &DType{Kind: 'V', Size: size, Fields: fields}
	for _, f := range fields {
		switch {
		case f.DType.Kind == 'O':
			return nil, fmt.Errorf("field %.40q of a record holds objects, which is not supported", f.Name)
		case f.Offset < 0 || f.Offset > size-f.DType.Size:
			return nil, fmt.Errorf("field %.40q at byte %d is outside of a record of %d bytes", f.Name, f.Offset, size)
		}
		d.depth = max(d.depth, f.DType.depth+1)
	}
	return d, d.checkDepth()
}

// NewSubarray returns the type of elements that are arrays.
func NewSubarray(base *DType, shape []int) (*DType, error) {
	n, ok := product(shape, base.Size)
	if !ok || n > maxElement || len(shape) > 8 || base.Kind == 'O' {
		return nil, fmt.Errorf("elements cannot be arrays of %d dimensions of %v", len(shape), base)
	}
	d := &DType{Kind: 'V', Size: n, Shape: shape, Base: base, depth: base.depth + 1}
	return d, d.checkDepth()
}

func (d *DType) checkDepth() error {
	if d.depth > 4 {
		return fmt.Errorf("a dtype is nested too deeply")
	}
	return nil
}

// product returns size times all dimensions. Zeros aside, the product has to fit
// an int too, so that no product of some dimensions overflows.
func product(shape []int, size int) (int, bool) {
	all, zero := uint64(size), false
	if size == 0 {
		all, zero = 1, true
	}
	for _, n := range shape {
		if n < 0 {
			return 0, false
		}
		if n == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(all, uint64(n))
		if hi != 0 || lo > 1<<62 {
			return 0, false
		}
		all = lo
	}
	if zero {
		return 0, true
	}
	return int(all), true
}
