package rows

import (
	"bufio"
	"io"
	"math"
	"slices"
	"strconv"

	"hew/predict"
)

// newText passes over the byte order mark that text may start with.
func newText(r io.Reader) *bufio.Reader {
	b := bufio.NewReaderSize(r, 1<<16)
	if mark, _ := b.Peek(3); string(mark) == "\xef\xbb\xbf" {
		b.Discard(3)
	}
	return b
}

// newLines splits text into lines of any length, without their LF or CRLF.
func newLines(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(newText(r))
	s.Buffer(make([]byte, 0, 1<<16), math.MaxInt)
	return s
}

// grow adds a row to the table and returns it, to be written in full.
func (t *Table) grow() predict.Values {
	n := t.X.Len()
	if t.X.F64 != nil {
		t.X.F64 = slices.Grow(t.X.F64, t.NumFeatures)[:n+t.NumFeatures]
	} else {
		t.X.F32 = slices.Grow(t.X.F32, t.NumFeatures)[:n+t.NumFeatures]
	}
	t.NumRows++
	return t.X.Slice(n, n+t.NumFeatures)
}

// appendNumber writes the shortest decimal number that is nearest to v, which is
// finite and of a type of that many bits, without exponent unless it is very large
// or small. If it would be another float32 by way of float64, as Python reads it,
// it is the shortest of the float64 v. A negative zero has a point, or Python's json
// module would take it for the integer 0.
func appendNumber(b []byte, v float64, bits int) []byte {
	if v == 0 && math.Signbit(v) {
		return append(b, "-0.0"...)
	}
	form := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		form = 'e'
	}
	n := len(b)
	b = strconv.AppendFloat(b, v, form, -1, bits)
	if twice, _ := strconv.ParseFloat(string(b[n:]), 64); bits == 32 && float32(twice) != float32(v) {
		b = strconv.AppendFloat(b[:n], v, form, -1, 64)
	}
	return b
}
