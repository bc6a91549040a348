package save

import (
	"bufio"
	"encoding/binary"
	"math"
	"strconv"

	"hew/load/xgboost"
)

// A document writes a JSON or UBJSON document as XGBoost does, value by value. Errors of
// the writer below show when it is flushed.
type document interface {
	// object writes an object; members calls key before each value.
	object(members func())
	key(name string)

	// array writes an array of n elements, of any kinds.
	array(n int, element func(i int))

	text(s string)
	integer(v int64)
	float(v float32)
	truth(b bool)
	null()

	// ints and floats write an array of numbers, in UBJSON with their type.
	ints(kind byte, values []int64)
	floats(kind byte, values []float64)
}

// write writes a value of a frame. A function writes itself.
func write(d document, value any) {
	switch v := value.(type) {
	case func():
		v()
	case xgboost.Object:
		d.object(func() {
			for _, m := range v {
				d.key(m.Key)
				write(d, m.Value)
			}
		})
	case []any:
		d.array(len(v), func(i int) { write(d, v[i]) })
	case xgboost.Ints:
		d.ints(v.Type, v.Values)
	case xgboost.Floats:
		d.floats(v.Type, v.Values)
	case string:
		d.text(v)
	case bool:
		d.truth(v)
	case int64:
		d.integer(v)
	case float32:
		d.float(v)
	default:
		d.null()
	}
}

// A jsonDocument writes the JSON dialect of XGBoost (dmlc/xgboost:src/common/json.cc):
// what is a float has an exponent, and no integer has.
type jsonDocument struct {
	w       *bufio.Writer
	inside  bool // a member of the current object was written
	scratch []byte
}

func (d *jsonDocument) object(members func()) {
	d.w.WriteByte('{')
	d.inside = false
	members()
	d.w.WriteByte('}')
	d.inside = true
}

func (d *jsonDocument) key(name string) {
	if d.inside {
		d.w.WriteByte(',')
	}
	d.inside = true
	d.text(name)
	d.w.WriteByte(':')
}

func (d *jsonDocument) array(n int, element func(i int)) {
	d.w.WriteByte('[')
	for i := range n {
		if i > 0 {
			d.w.WriteByte(',')
		}
		element(i)
	}
	d.w.WriteByte(']')
}

// text escapes what XGBoost reads back, which is less than JSON has.
func (d *jsonDocument) text(s string) {
	d.w.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			d.w.WriteByte('\\')
			d.w.WriteByte(c)
		case '\n':
			d.w.WriteString(`\n`)
		case '\r':
			d.w.WriteString(`\r`)
		case '\t':
			d.w.WriteString(`\t`)
		default:
			d.w.WriteByte(c)
		}
	}
	d.w.WriteByte('"')
}

func (d *jsonDocument) integer(v int64) {
	d.scratch = strconv.AppendInt(d.scratch[:0], v, 10)
	d.w.Write(d.scratch)
}

func (d *jsonDocument) float(v float32) {
	d.scratch = appendFloat(d.scratch[:0], float64(v), 32)
	d.w.Write(d.scratch)
}

func (d *jsonDocument) truth(b bool) { d.w.WriteString(strconv.FormatBool(b)) }
func (d *jsonDocument) null()        { d.w.WriteString("null") }

func (d *jsonDocument) ints(_ byte, values []int64) {
	d.array(len(values), func(i int) { d.integer(values[i]) })
}

func (d *jsonDocument) floats(kind byte, values []float64) {
	bits := 32
	if kind == 'D' {
		bits = 64
	}
	d.array(len(values), func(i int) {
		d.scratch = appendFloat(d.scratch[:0], values[i], bits)
		d.w.Write(d.scratch)
	})
}

// appendFloat appends the shortest decimal that reads back, in XGBoost's spelling: 5E-1,
// -0E0, Infinity.
func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case v != v:
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	begin := len(dst)
	dst = strconv.AppendFloat(dst, v, 'E', -1, bits)
	// Of the exponent, go without the plus sign and the leading zero.
	at := begin
	for dst[at] != 'E' {
		at++
	}
	sign, digits := dst[at+1], dst[at+2:]
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	dst = dst[:at+1]
	if sign == '-' {
		dst = append(dst, '-')
	}
	return append(dst, digits...)
}

// A ubjsonDocument writes the subset of UBJSON that XGBoost uses (the same file): all
// lengths are int64, arrays have a count and no closing bracket.
type ubjsonDocument struct {
	w       *bufio.Writer
	scratch []byte
}

func (d *ubjsonDocument) object(members func()) {
	d.w.WriteByte('{')
	members()
	d.w.WriteByte('}')
}

func (d *ubjsonDocument) key(name string) {
	d.length(len(name))
	d.w.WriteString(name)
}

func (d *ubjsonDocument) length(n int) {
	d.w.WriteByte('L')
	d.number('L', int64(n))
}

func (d *ubjsonDocument) array(n int, element func(i int)) {
	d.w.WriteString("[#")
	d.length(n)
	for i := range n {
		element(i)
	}
}

func (d *ubjsonDocument) text(s string) {
	d.w.WriteByte('S')
	d.key(s)
}

// integer writes the narrowest type, as XGBoost chooses it.
func (d *ubjsonDocument) integer(v int64) {
	kind := byte('L')
	switch {
	case v > math.MinInt8 && v < math.MaxInt8:
		kind = 'i'
	case v > math.MinInt16 && v < math.MaxInt16:
		kind = 'I'
	case v > math.MinInt32 && v < math.MaxInt32:
		kind = 'l'
	}
	d.w.WriteByte(kind)
	d.number(kind, v)
}

func (d *ubjsonDocument) float(v float32) {
	d.w.WriteByte('d')
	d.number('l', int64(math.Float32bits(v)))
}

func (d *ubjsonDocument) truth(b bool) {
	if b {
		d.w.WriteByte('T')
	} else {
		d.w.WriteByte('F')
	}
}

func (d *ubjsonDocument) null() { d.w.WriteByte('Z') }

// number writes the payload of an integer.
func (d *ubjsonDocument) number(kind byte, v int64) {
	b := d.scratch[:0]
	switch kind {
	case 'I':
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	case 'l':
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	case 'L':
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	default: // i, U
		b = append(b, byte(v))
	}
	d.scratch = b
	d.w.Write(b)
}

func (d *ubjsonDocument) typed(kind byte, n int) {
	d.w.WriteString("[$")
	d.w.WriteByte(kind)
	d.w.WriteByte('#')
	d.length(n)
}

func (d *ubjsonDocument) ints(kind byte, values []int64) {
	d.typed(kind, len(values))
	for _, v := range values {
		d.number(kind, v)
	}
}

func (d *ubjsonDocument) floats(kind byte, values []float64) {
	d.typed(kind, len(values))
	for _, v := range values {
		if kind == 'D' {
			d.number('L', int64(math.Float64bits(v)))
		} else {
			d.number('l', int64(math.Float32bits(float32(v))))
		}
	}
}
