// Package npy reads and writes arrays in NumPy's .npy format.
//
// It knows the formats 1.0 to 3.0 and the plain numeric types in both byte
// orders and memory orders; no records or objects, and text is only written. A file is hostile
// input: what is allocated grows with the bytes that are there, not with the
// shape that the header claims.
//
// Source: numpy/numpy:numpy/lib/format.py.
package npy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
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
	a, n, err := open(r)
	if err != nil {
		return nil, err
	}
	if a.data, err = io.ReadAll(io.LimitReader(r, int64(n))); err != nil {
		return nil, err
	}
	if len(a.data) < n {
		return nil, a.short(len(a.data), n)
	}
	return a, nil
}

// ReadType returns NumPy's name for the type of the elements of the array in r.
func ReadType(r io.Reader) (string, error) {
	a, _, err := open(r)
	if err != nil {
		return "", err
	}
	return a.Dtype, nil
}

// ReadAs reads the shape and the elements, in row-major order and rounded once, of
// the array in r. It is Read for large arrays, which it does not hold twice.
func ReadAs[T float32 | float64](r io.Reader) (shape []int, elements []T, err error) {
	a, n, err := open(r)
	if err != nil {
		return nil, nil, err
	}
	element, w := elementOf[T](a), a.width()
	block := make([]byte, blockBytes)
	out := make([]T, 0, min(n, max(blockBytes, left(r)))/w)
	for at := 0; at < n; {
		got, err := io.ReadFull(r, block[:min(n-at, blockBytes)])
		at += got
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return nil, nil, a.short(at, n)
		case err != nil:
			return nil, nil, err
		case len(out)+got/w > cap(out):
			out = append(make([]T, 0, min(n/w, 2*len(out)+got/w)), out...)
		}
		for i := 0; i < got; i += w {
			out = append(out, element(block[i:]))
		}
	}
	if a.fortran && len(out) > 0 {
		out = rowMajor(out, a.Shape)
	}
	return a.Shape, out, nil
}

// blockBytes is a multiple of the width of every element.
const blockBytes = 1 << 16

// left returns how many bytes r, a file, still has, or 0 if that is not known.
func left(r io.Reader) int {
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return int(max(info.Size()-at, 0))
}

// open reads the header and returns the number of bytes that it claims.
func open(r io.Reader) (*Array, int, error) {
	header, err := readHeader(r)
	if err != nil {
		return nil, 0, err
	}
	a, err := parseHeader(header)
	if err != nil {
		return nil, 0, err
	}
	n, err := a.size()
	return a, n, err
}

func (a *Array) short(got, want int) error {
	return fmt.Errorf("npy: %d bytes of data, want %d for shape %v of %s", got, want, a.Shape, a.Dtype)
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
		advice := "save numbers as float32 or float64"
		if strings.ContainsAny(a.Dtype, "USO") {
			advice = "write rows with text as .csv, .jsonl or .parquet"
		}
		return nil, fmt.Errorf("npy: elements of type %q not supported; %s", a.Dtype, advice)
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
	element := elementOf[T](a)
	out, w := make([]T, a.Len()), a.width()
	for i := range out {
		out[i] = element(a.data[i*w:])
	}
	if a.fortran && len(out) > 0 {
		return rowMajor(out, a.Shape)
	}
	return out
}

// elementOf returns what reads an element of a.
func elementOf[T float32 | float64 | int32](a *Array) func(b []byte) T {
	var order binary.ByteOrder = binary.LittleEndian
	if a.Dtype[0] == '>' {
		order = binary.BigEndian
	}
	switch a.kind() {
	case "b1", "u1":
		return func(b []byte) T { return T(b[0]) }
	case "i1":
		return func(b []byte) T { return T(int8(b[0])) }
	case "i2":
		return func(b []byte) T { return T(int16(order.Uint16(b))) }
	case "u2":
		return func(b []byte) T { return T(order.Uint16(b)) }
	case "i4":
		return func(b []byte) T { return T(int32(order.Uint32(b))) }
	case "u4":
		return func(b []byte) T { return T(order.Uint32(b)) }
	case "i8":
		return func(b []byte) T { return T(int64(order.Uint64(b))) }
	case "u8":
		return func(b []byte) T { return T(order.Uint64(b)) }
	case "f4":
		return func(b []byte) T { return T(math.Float32frombits(order.Uint32(b))) }
	case "f8":
		return func(b []byte) T { return T(math.Float64frombits(order.Uint64(b))) }
	}
	panic("npy: " + a.Dtype) // parseHeader let it pass
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
func Write[T float32 | float64 | int32 | int64 | bool](w io.Writer, shape []int, data []T) error {
	var zero T
	name := map[any]string{float32(0): "<f4", float64(0): "<f8", int32(0): "<i4", int64(0): "<i8", false: "|b1"}[any(zero)]
	if err := writeHeader(w, name, shape, len(data)); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, data)
}

// WriteText writes text as an array of the given shape, as Write does numbers. The
// elements are as wide as the longest text.
func WriteText(w io.Writer, shape []int, texts []string) error {
	return WriteWideText(w, shape, texts, 1)
}

// WriteWideText is WriteText with elements of at least width characters: the type
// of labels in NumPy does not depend on which of them there are.
func WriteWideText(w io.Writer, shape []int, texts []string, width int) error {
	width = max(width, 1)
	for _, t := range texts {
		width = max(width, utf8.RuneCountInString(t))
	}
	if err := writeHeader(w, fmt.Sprintf("<U%d", width), shape, len(texts)); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	element := make([]byte, 4*width)
	for _, t := range texts {
		n := 0
		for _, r := range t {
			binary.LittleEndian.PutUint32(element[n:], uint32(r))
			n += 4
		}
		clear(element[n:])
		out.Write(element)
	}
	return out.Flush()
}

// writeHeader writes what stands in front of n elements.
func writeHeader(w io.Writer, name string, shape []int, elements int) error {
	n, dims := 1, make([]string, len(shape))
	for i, d := range shape {
		n *= d
		dims[i] = strconv.Itoa(d)
	}
	if n != elements {
		panic(fmt.Sprintf("npy: %d elements for shape %v", elements, shape))
	}
	tuple := strings.Join(dims, ", ")
	if len(shape) == 1 {
		tuple += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", name, tuple)
	header += strings.Repeat(" ", 63-(len(magic)+4+len(header))%64) + "\n" // the data start at a multiple of 64

	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	b.WriteString(header)
	_, err := w.Write(b.Bytes())
	return err
}
