package load

import (
	"fmt"
	"math"
	"strconv"
)

// Questions are rows, and the predictions that a server owes for them.
type Questions struct {
	Model     string // as the server names it
	X         []float32
	Features  int // values in a row of X
	Want      []float32
	Outputs   int // values in a row of Want
	BatchRows int // rows per request; rows that fill none are left out
}

func (q *Questions) check() error {
	rows := len(q.X) / max(q.Features, 1)
	if q.Features < 1 || q.Outputs < 1 || rows*q.Features != len(q.X) || rows*q.Outputs != len(q.Want) {
		return fmt.Errorf("%d values in rows of %d for %d predictions in rows of %d", len(q.X), q.Features, len(q.Want), q.Outputs)
	}
	if q.BatchRows < 1 || q.BatchRows > rows {
		return fmt.Errorf("%d rows per request of %d rows", q.BatchRows, rows)
	}
	return nil
}

// requests returns the number of distinct requests.
func (q *Questions) requests() int { return len(q.X) / q.Features / q.BatchRows }

// request returns the values of request i.
func (q *Questions) request(i int) []float32 {
	n := q.BatchRows * q.Features
	return q.X[i*n : (i+1)*n]
}

// verify checks the predictions of request i. One NaN is as good as another; if
// lossy is set, a NaN also stands for an infinity, which JSON does not have.
func (q *Questions) verify(i int, got []float32, lossy bool) error {
	n := q.BatchRows * q.Outputs
	want := q.Want[i*n : (i+1)*n]
	if len(got) != len(want) {
		return fmt.Errorf("%d predicted values for %d rows, want %d", len(got), q.BatchRows, len(want))
	}
	for j, w := range want {
		g := got[j]
		if math.Float32bits(g) == math.Float32bits(w) || g != g && (w != w || lossy && math.IsInf(float64(w), 0)) {
			continue
		}
		return fmt.Errorf("row %d: prediction %v, want %v", i*q.BatchRows+j/q.Outputs, g, w)
	}
	return nil
}

// appendValues appends values to b as a JSON array.
func appendValues(b []byte, values []float32) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case v != v:
			b = append(b, "null"...)
		case math.IsInf(float64(v), 1):
			b = append(b, `"Infinity"`...)
		case math.IsInf(float64(v), -1):
			b = append(b, `"-Infinity"`...)
		default:
			b = strconv.AppendFloat(b, float64(v), 'g', -1, 32)
		}
	}
	return append(b, ']')
}
