// Package npy reads and writes arrays in NumPy's .npy format.
//
// It knows the formats 1.0 to 3.0 and the plain numeric types in both byte
// orders and memory orders; no records, objects or strings. A file is hostile
// input: what is allocated grows with the bytes that are there, not with the
// shape that the header claims.
//
// Source: numpy/numpy:numpy/lib/format.py.
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// An Array is an array of numbers with any number of dimensions.
type Array struct {
	Shape []int
	Dtype string // NumPy's name for the type of an element, such as "<f4"

	fortran bool
	data    []byte
}

const (
	magic     = "\x93NUMPY"
	maxHeader = 1 << 16 // a plain type needs about a hundred bytes
)

// The header is a Python literal. NumPy writes its keys in this order; others
// may not, so each is looked for by itself.
var (
	descr   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([^'"]*)['"]`)
	fortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	dtype   = regexp.MustCompile(`^[<>|=]?(b1|[iu][1248]|f[48])$`)
	shape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([\d\s,L]*)\)`)
)

// Read reads one array from r. It does not read beyond the array's end.
func Read(r io.Reader) (*Array, error) {
	header, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	a, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	n, err := a.size()
	if err != nil {
		return nil, err
	}
	if a.data, err = io.ReadAll(io.LimitReader(r, int64(n))); err != nil {
		return nil, err
	}
	if len(a.data) < n {
		return nil, fmt.Errorf("npy: %d bytes of data, want %d for shape %v of %s", len(a.data), n, a.Shape, a.Dtype)
	}
	return a, nil
}

func readHeader(r io.Reader) (string, error) {
	var pre [12]byte
	if _, err := io.ReadFull(r, pre[:10]); err != nil || string(pre[:6]) != magic {
		return "", errors.New("npy: not a .npy file")
	}
	n := uint32(binary.LittleEndian.Uint16(pre[8:]))
	switch pre[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, pre[10:]); err != nil {
			return "", errors.New("npy: file ends in its header")
		}
		n = binary.LittleEndian.Uint32(pre[8:])
	default:
		return "", fmt.Errorf("npy: format version %d not supported", pre[6])
	}
	if n > maxHeader {
		return "", fmt.Errorf("npy: header of %d bytes, at most %d supported", n, maxHeader)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return "", errors.New("npy: file ends in its header")
	}
	return string(header), nil
}

func parseHeader(header string) (*Array, error) {
	d, f, s := descr.FindStringSubmatch(header), fortran.FindStringSubmatch(header), shape.FindStringSubmatch(header)
	if d == nil || f == nil || s == nil {
		return nil, errors.New("npy: header without a plain descr, fortran_order or shape")
	}
	a := &Array{Dtype: d[1], fortran: f[1] == "True"}
	if !dtype.MatchString(a.Dtype) {
		return nil, fmt.Errorf("npy: elements of type %q not supported; save numbers as float32 or float64", a.Dtype)
	}
	for field := range strings.SplitSeq(s[1], ",") {
		field = strings.TrimSuffix(strings.TrimSpace(field), "L") // Python 2 wrote 3L
		if field == "" {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("npy: dimension %q", field)
		}
		a.Shape = append(a.Shape, n)
	}
	return a, nil
}

// kind returns the type of an element without its byte order.
func (a *Array) kind() string { return strings.TrimLeft(a.Dtype, "<>|=") }

// width returns the size of an element in bytes.
func (a *Array) width() int { return int(a.Dtype[len(a.Dtype)-1] - '0') }

// Len returns the number of elements.
func (a *Array) Len() int { return len(a.data) / a.width() }

// size returns the number of bytes that the shape claims. The product of the
// dimensions without the zeros has to be in range too, so that no product of
// some of them overflows.
func (a *Array) size() (int, error) {
	all, zero := uint64(a.width()), false
	for _, n := range a.Shape {
		if n == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(all, uint64(n))
		if hi != 0 || lo > math.MaxInt64/2 {
			return 0, fmt.Errorf("npy: shape %v is too large", a.Shape)
		}
		all = lo
	}
	if zero {
		return 0, nil
	}
	return int(all), nil
}

// Float32s returns the elements in row-major order, each rounded once to
// float32.
func (a *Array) Float32s() []float32 { return decode[float32](a) }

// Float64s returns the elements in row-major order.
func (a *Array) Float64s() []float64 { return decode[float64](a) }

// Int32s returns the elements in row-major order; of a wider number it keeps
// the low bits, of a float what Go's conversion gives.
func (a *Array) Int32s() []int32 { return decode[int32](a) }

func decode[T float32 | float64 | int32](a *Array) []T {
	var order binary.ByteOrder = binary.LittleEndian
	if a.Dtype[0] == '>' {
		order = binary.BigEndian
	}
	var element func(b []byte) T
	switch a.kind() {
	case "b1", "u1":
		element = func(b []byte) T { return T(b[0]) }
	case "i1":
		element = func(b []byte) T { return T(int8(b[0])) }
	case "i2":
		element = func(b []byte) T { return T(int16(order.Uint16(b))) }
	case "u2":
		element = func(b []byte) T { return T(order.Uint16(b)) }
	case "i4":
		element = func(b []byte) T { return T(int32(order.Uint32(b))) }
	case "u4":
		element = func(b []byte) T { return T(order.Uint32(b)) }
	case "i8":
		element = func(b []byte) T { return T(int64(order.Uint64(b))) }
	case "u8":
		element = func(b []byte) T { return T(order.Uint64(b)) }
	case "f4":
		element = func(b []byte) T { return T(math.Float32frombits(order.Uint32(b))) }
	case "f8":
		element = func(b []byte) T { return T(math.Float64frombits(order.Uint64(b))) }
	}
	out, w := make([]T, a.Len()), a.width()
	for i := range out {
		out[i] = element(a.data[i*w:])
	}
	if a.fortran && len(out) > 0 {
		return rowMajor(out, a.Shape)
	}
	return out
}

// rowMajor reorders the elements of an array whose first index runs fastest.
func rowMajor[T any](in []T, shape []int) []T {
	out, index := make([]T, len(in)), make([]int, len(shape))
	for i := range in {
		to := 0
		for d, n := range shape {
			to = to*n + index[d]
		}
		out[to] = in[i]
		for d := range index { // count up, the first index fastest
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

// Write writes data as an array of the given shape in format 1.0, row-major and
// little-endian. It panics if data does not fill the shape.
func Write[T float32 | float64 | int32](w io.Writer, shape []int, data []T) error {
	n, dims := 1, make([]string, len(shape))
	for i, d := range shape {
		n *= d
		dims[i] = strconv.Itoa(d)
	}
	if n != len(data) {
		panic(fmt.Sprintf("npy: %d elements for shape %v", len(data), shape))
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	name := map[any]string{float32(0): "<f4", float64(0): "<f8", int32(0): "<i4"}[any(T(0))]
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", name, tuple)
	header += strings.Repeat(" ", 63-(len(magic)+4+len(header))%64) + "\n" // the data start at a multiple of 64

	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	b.WriteString(header)
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, data)
}
