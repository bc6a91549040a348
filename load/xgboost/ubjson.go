package xgboost

import (
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A ubjsonDocument reads the subset of UBJSON that XGBoost writes
// (dmlc/xgboost:src/common/json.cc): big-endian numbers; objects without a count;
// arrays with a count, with an element type and a count, or closed by a bracket.
type ubjsonDocument struct {
	source
	key []byte // of the object being read

	// element is the type of the elements of the typed array being read, which
	// have no marker of their own; 0 outside of one.
	element byte
}

func newUBJSON(r io.Reader) *ubjsonDocument {
	return &ubjsonDocument{source: newSource(r)}
}

// widthOf returns the number of bytes of a number of the given type, or 0.
func widthOf(marker byte) int {
	switch marker {
	case 'i', 'U', 'C':
		return 1
	case 'I':
		return 2
	case 'l', 'd':
		return 4
	case 'L', 'D':
		return 8
	}
	return 0
}

// marker consumes the marker of the next value.
func (d *ubjsonDocument) marker() (byte, error) {
	if d.element != 0 {
		return d.element, nil
	}
	c, err := d.peek()
	if err == nil {
		d.pos++
	}
	return c, err
}

func (d *ubjsonDocument) peek() (byte, error) {
	if !d.fill(1) {
		return 0, d.ended()
	}
	return d.buf[d.pos], nil
}

// integer reads the payload of a number of the given type, which must be an integer.
func (d *ubjsonDocument) integer(marker byte) (int64, error) {
	width := widthOf(marker)
	if width == 0 || marker == 'd' || marker == 'D' {
		return 0, d.unexpected(marker, "an integer")
	}
	if !d.fill(width) {
		return 0, d.ended()
	}
	b := d.buf[d.pos:]
	d.pos += width
	switch marker {
	case 'i':
		return int64(int8(b[0])), nil
	case 'I':
		return int64(int16(binary.BigEndian.Uint16(b))), nil
	case 'l':
		return int64(int32(binary.BigEndian.Uint32(b))), nil
	case 'L':
		return int64(binary.BigEndian.Uint64(b)), nil
	}
	return int64(b[0]), nil
}

// float reads the payload of a number of the given type.
func (d *ubjsonDocument) float(marker byte) (float32, error) {
	switch marker {
	case 'd', 'D':
		v, err := d.float64(marker)
		return float32(v), err
	}
	v, err := d.integer(marker)
	return float32(v), err
}

// float64 reads the payload of a float of the given type.
func (d *ubjsonDocument) float64(marker byte) (float64, error) {
	width := widthOf(marker)
	if !d.fill(width) {
		return 0, d.ended()
	}
	b := d.buf[d.pos:]
	d.pos += width
	if marker == 'd' {
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b))), nil
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
}

// unexpected returns the error for a value of the wrong kind.
func (d *ubjsonDocument) unexpected(marker byte, want string) error {
	kinds := map[byte]string{
		'{': "an object", '[': "an array", 'S': "a string", 'C': "a character",
		'Z': "null", 'T': "true", 'F': "false", 'd': "a float", 'D': "a float",
		'i': "an integer", 'U': "an integer", 'I': "an integer", 'l': "an integer", 'L': "an integer",
		'H': "a high-precision number, which XGBoost does not write",
	}
	got, ok := kinds[marker]
	if !ok {
		got = "unknown marker " + strconv.QuoteRune(rune(marker))
	}
	return d.fail("found %s instead of %s", got, want)
}

// length reads a length or count, with its marker.
func (d *ubjsonDocument) length(what string) (int64, error) {
	c, err := d.peek()
	if err != nil {
		return 0, err
	}
	d.pos++
	n, err := d.integer(c)
	if err == nil && n < 0 {
		return 0, d.fail("%s of length %d", what, n)
	}
	return n, err
}

func (d *ubjsonDocument) object(field func(key []byte) error) error {
	if c, err := d.marker(); err != nil {
		return err
	} else if c != '{' {
		return d.unexpected(c, "an object")
	}
	for {
		c, err := d.peek()
		if err != nil {
			return err
		}
		if c == '}' {
			d.pos++
			return nil
		}
		n, err := d.length("a key")
		if err != nil {
			return err
		}
		if n > maxKey {
			return d.fail("a key is longer than %d bytes", maxKey)
		}
		if !d.fill(int(n)) {
			return d.ended()
		}
		d.key = append(d.key[:0], d.buf[d.pos:d.pos+int(n)]...)
		d.pos += int(n)
		if err := field(d.key); err != nil {
			return err
		}
	}
}

// header reads the start of an array. The count is -1 if the array goes on up to a
// bracket, the type 0 if each element has a marker.
func (d *ubjsonDocument) header() (elements byte, count int64, err error) {
	if c, err := d.marker(); err != nil {
		return 0, 0, err
	} else if c != '[' {
		return 0, 0, d.unexpected(c, "an array")
	}
	c, err := d.peek()
	if err != nil {
		return 0, 0, err
	}
	if c == '$' {
		if !d.fill(3) {
			return 0, 0, d.ended()
		}
		elements = d.buf[d.pos+1]
		d.pos += 2
		if widthOf(elements) == 0 {
			return 0, 0, d.fail("an array of elements of type %q, which XGBoost does not write", elements)
		}
		if c = d.buf[d.pos]; c != '#' {
			return 0, 0, d.fail("a typed array without a count")
		}
	}
	if c != '#' {
		return 0, -1, nil
	}
	d.pos++
	count, err = d.length("an array")
	return elements, count, err
}

// more reports whether an array with the given header has a further element, read
// of them being read, and consumes the bracket that closes it.
func (d *ubjsonDocument) more(count, read int64) (bool, error) {
	if count >= 0 {
		return read < count, nil
	}
	c, err := d.peek()
	if err == nil && c == ']' {
		d.pos++
		return false, nil
	}
	return err == nil, err
}

func (d *ubjsonDocument) array(element func() error) error {
	elements, count, err := d.header()
	if err != nil {
		return err
	}
	for read := int64(0); ; read++ {
		more, err := d.more(count, read)
		if !more || err != nil {
			return err
		}
		d.element = elements
		err = element()
		d.element = 0
		if err != nil {
			return err
		}
	}
}

func (d *ubjsonDocument) text() (string, error) {
	c, err := d.marker()
	if err != nil {
		return "", err
	}
	switch c {
	case 'S':
		return d.readString()
	case 'T':
		return "true", nil
	case 'F':
		return "false", nil
	case 'd', 'D':
		v, err := d.float(c)
		return strconv.FormatFloat(float64(v), 'g', -1, 32), err
	}
	v, err := d.integer(c)
	return strconv.FormatInt(v, 10), err
}

// readString reads a string as it arrives, whatever length it claims.
func (d *ubjsonDocument) readString() (string, error) {
	n, err := d.length("a string")
	if err != nil {
		return "", err
	}
	var s []byte
	for n > 0 {
		if !d.fill(1) {
			return "", d.ended()
		}
		part := d.buf[d.pos:min(int64(d.lim), int64(d.pos)+n)]
		s = append(s, part...)
		d.pos += len(part)
		n -= int64(len(part))
	}
	if !utf8.Valid(s) {
		return "", d.fail("a string is not UTF-8")
	}
	return string(s), nil
}

// window returns as many whole elements of the given width as are in the window, n
// at most, and at least one.
func (d *ubjsonDocument) window(width int, n int64) ([]byte, error) {
	if !d.fill(width) {
		return nil, d.ended()
	}
	part := d.buf[d.pos:d.lim]
	if whole := int64(len(part) / width); whole < n {
		n = whole
	}
	part = part[:int(n)*width]
	d.pos += len(part)
	return part, nil
}

func (d *ubjsonDocument) floats(dst []float32) ([]float32, error) {
	elements, count, err := d.header()
	if err != nil {
		return dst, err
	}
	if elements == 'd' {
		return d.typedFloats(dst, count)
	}
	for read := int64(0); ; read++ {
		more, err := d.more(count, read)
		if !more || err != nil {
			return dst, err
		}
		marker := elements
		if marker == 0 {
			if marker, err = d.marker(); err != nil {
				return dst, err
			}
		}
		v, err := d.float(marker)
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
	}
}

func (d *ubjsonDocument) typedFloats(dst []float32, count int64) ([]float32, error) {
	for count > 0 {
		part, err := d.window(4, count)
		if err != nil {
			return dst, err
		}
		n := len(part) / 4
		count -= int64(n)
		dst = slices.Grow(dst, n)
		out := dst[len(dst) : len(dst)+n]
		for i := range out {
			out[i] = math.Float32frombits(binary.BigEndian.Uint32(part[4*i:]))
		}
		dst = dst[:len(dst)+n]
	}
	return dst, nil
}

func (d *ubjsonDocument) ints(dst []int32) ([]int32, error) {
	elements, count, err := d.header()
	if err != nil {
		return dst, err
	}
	switch elements {
	case 'l', 'U':
		return d.typedInts(dst, elements, count)
	}
	for read := int64(0); ; read++ {
		more, err := d.more(count, read)
		if !more || err != nil {
			return dst, err
		}
		marker := elements
		if marker == 0 {
			if marker, err = d.marker(); err != nil {
				return dst, err
			}
		}
		v, err := d.smallInt(marker)
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
	}
}

func (d *ubjsonDocument) typedInts(dst []int32, elements byte, count int64) ([]int32, error) {
	width := widthOf(elements)
	for count > 0 {
		part, err := d.window(width, count)
		if err != nil {
			return dst, err
		}
		n := len(part) / width
		count -= int64(n)
		dst = slices.Grow(dst, n)
		out := dst[len(dst) : len(dst)+n]
		if width == 1 {
			for i := range out {
				out[i] = int32(part[i])
			}
		} else {
			for i := range out {
				out[i] = int32(binary.BigEndian.Uint32(part[4*i:]))
			}
		}
		dst = dst[:len(dst)+n]
	}
	return dst, nil
}

// smallInt reads the payload of a truth value or of an integer that fits 32 bits.
func (d *ubjsonDocument) smallInt(marker byte) (int32, error) {
	switch marker {
	case 'T':
		return 1, nil
	case 'F':
		return 0, nil
	}
	v, err := d.integer(marker)
	if err == nil && v != int64(int32(v)) {
		err = d.fail("%d is not a 32-bit integer", v)
	}
	return int32(v), err
}

func (d *ubjsonDocument) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, nested(d)
	}
	c, err := d.marker()
	if err != nil {
		return nil, err
	}
	switch c {
	case '{', '[':
		d.pos-- // the elements of a typed array are numbers, so that the marker was read
		if c == '{' {
			return readObject(d, depth)
		}
		return d.anyArray(depth)
	case 'S':
		return d.readString()
	case 'T', 'F':
		return c == 'T', nil
	case 'Z':
		return nil, nil
	case 'd', 'D':
		return d.float(c)
	}
	return d.integer(c)
}

// anyArray reads an array of any kind, which is nested in depth others.
func (d *ubjsonDocument) anyArray(depth int) (any, error) {
	if !d.fill(2) || d.buf[d.pos+1] != '$' {
		return readArray(d, depth)
	}
	elements, count, err := d.header()
	if err != nil {
		return nil, err
	}
	if elements == 'd' || elements == 'D' {
		a := Floats{Type: elements, Values: []float64{}}
		for range count {
			v, err := d.float64(elements)
			if err != nil {
				return nil, err
			}
			a.Values = append(a.Values, v)
		}
		return a, nil
	}
	a := Ints{Type: elements, Values: []int64{}}
	for range count {
		v, err := d.integer(elements)
		if err != nil {
			return nil, err
		}
		a.Values = append(a.Values, v)
	}
	return a, nil
}

// skip keeps a stack of the objects and arrays that are open, without recursion.
func (d *ubjsonDocument) skip() error {
	const inObject = -2 // in place of the number of elements to come; -1: up to a bracket
	var open [maxDepth]int64
	depth := 0
	for {
		c, err := d.marker()
		if err != nil {
			return err
		}
		if c == '{' || c == '[' {
			if depth == maxDepth {
				return d.fail("nested deeper than %d", maxDepth)
			}
			depth++
			open[depth-1] = inObject
		}
		if c == '[' {
			d.pos--
			elements, count, err := d.header()
			if err != nil {
				return err
			}
			open[depth-1] = count
			if elements != 0 {
				if err := d.skipElements(count, widthOf(elements)); err != nil {
					return err
				}
				depth--
			}
		} else if c != '{' {
			if err := d.skipScalar(c); err != nil {
				return err
			}
		}
		for depth > 0 {
			more, err := d.skipOn(&open[depth-1], inObject)
			if err != nil {
				return err
			}
			if more {
				break
			}
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// skipOn goes to the next value in an object or array of which left tells the
// number of values to come.
func (d *ubjsonDocument) skipOn(left *int64, inObject int64) (bool, error) {
	if *left >= 0 {
		*left--
		return *left >= 0, nil
	}
	c, err := d.peek()
	if err != nil {
		return false, err
	}
	if *left != inObject {
		return d.more(-1, 0)
	}
	if c == '}' {
		d.pos++
		return false, nil
	}
	n, err := d.length("a key")
	if err != nil {
		return false, err
	}
	return true, d.discard(n)
}

func (d *ubjsonDocument) skipElements(count int64, width int) error {
	if count > math.MaxInt64/int64(width) {
		return d.fail("an array of %d elements", count)
	}
	return d.discard(count * int64(width))
}

func (d *ubjsonDocument) skipScalar(marker byte) error {
	switch marker {
	case 'Z', 'T', 'F':
		return nil
	case 'S':
		n, err := d.length("a string")
		if err != nil {
			return err
		}
		return d.discard(n)
	}
	if width := widthOf(marker); width > 0 {
		return d.discard(int64(width))
	}
	return d.unexpected(marker, "a value")
}

func (d *ubjsonDocument) end() error {
	if d.fill(1) {
		return d.fail("bytes after the end of the model")
	}
	if d.err != io.EOF {
		return d.ended()
	}
	return nil
}
