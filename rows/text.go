package rows

import (
	"bufio"
	"io"
	"math"
	"slices"
	"strconv"
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
func (t *Table) grow() []float32 {
	n := len(t.X)
	t.X = slices.Grow(t.X, t.NumFeatures)[:n+t.NumFeatures]
	t.NumRows++
	return t.X[n:]
}

// appendNumber writes the shortest decimal number that is nearest to v, which
// is finite, without exponent unless it is very large or small. If it would
// be another float32 by way of float64, as Python reads it, it is the shortest
// of the float64 v. A negative zero has a point, or Python's json module would
// take it for the integer 0.
func appendNumber(b []byte, v float32) []byte {
	if v == 0 && math.Signbit(float64(v)) {
		return append(b, "-0.0"...)
	}
	form := byte('f')
	if a := math.Abs(float64(v)); a != 0 && (a < 1e-6 || a >= 1e21) {
		form = 'e'
	}
	n := len(b)
	b = strconv.AppendFloat(b, float64(v), form, -1, 32)
	if twice, _ := strconv.ParseFloat(string(b[n:]), 64); float32(twice) != v {
		b = strconv.AppendFloat(b[:n], float64(v), form, -1, 64)
	}
	return b
}
