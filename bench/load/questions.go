package load

import (
	"fmt"
	"math"
	"strconv"

	"hew/predict"
)

// Questions are rows, and the predictions that a server owes for them.
type Questions struct {
	Model     string // as the server names it
	X         predict.Values
	Features  int            // values in a row of X
	Want      predict.Values // what Predictor.Predict gives for X
	Outputs   int            // values in a row of Want
	Output    string         // the name of Want: the first of the model's answers, "" if it has none
	BatchRows int            // rows per request; rows that fill none are left out
}

func (q *Questions) check() error {
	rows := q.X.Len() / max(q.Features, 1)
	if q.Features < 1 || q.Outputs < 1 || rows*q.Features != q.X.Len() || rows*q.Outputs != q.Want.Len() {
		return fmt.Errorf("%d values in rows of %d for %d predictions in rows of %d", q.X.Len(), q.Features, q.Want.Len(), q.Outputs)
	}
	if q.BatchRows < 1 || q.BatchRows > rows {
		return fmt.Errorf("%d rows per request of %d rows", q.BatchRows, rows)
	}
	return nil
}

// requests returns the number of distinct requests.
func (q *Questions) requests() int { return q.X.Len() / q.Features / q.BatchRows }

// request returns the values of request i.
func (q *Questions) request(i int) predict.Values {
	n := q.BatchRows * q.Features
	return q.X.Slice(i*n, (i+1)*n)
}

// output returns the tensor that a request of the protocol V2 asks for.
func (q *Questions) output() string {
	if q.Output == "" {
		return "predict"
	}
	return q.Output
}

// datatype returns what the protocol V2 calls a type of numbers.
func datatype(t predict.Type) string {
	if t == predict.Float64 {
		return "FP64"
	}
	return "FP32"
}

// verify checks the predictions of request i. One NaN is as good as another; if
// lossy is set, a NaN also stands for an infinity, which JSON does not have.
func (q *Questions) verify(i int, got predict.Values, lossy bool) error {
	n := q.BatchRows * q.Outputs
	want := q.Want.Slice(i*n, (i+1)*n)
	if got.Len() != want.Len() {
		return fmt.Errorf("%d predicted values for %d rows, want %d", got.Len(), q.BatchRows, want.Len())
	}
	for j := range want.Len() {
		g, w := got.At(j), want.At(j)
		if math.Float64bits(g) == math.Float64bits(w) || g != g && (w != w || lossy && math.IsInf(w, 0)) {
			continue
		}
		return fmt.Errorf("row %d: prediction %v, want %v", i*q.BatchRows+j/q.Outputs, g, w)
	}
	return nil
}

// appendValues appends values to b as a JSON array.
func appendValues(b []byte, values predict.Values) []byte {
	bits := 32
	if values.Type() == predict.Float64 {
		bits = 64
	}
	b = append(b, '[')
	for i := range values.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		switch v := values.At(i); {
		case v != v:
			b = append(b, "null"...)
		case math.IsInf(v, 1):
			b = append(b, `"Infinity"`...)
		case math.IsInf(v, -1):
			b = append(b, `"-Infinity"`...)
		default:
			b = strconv.AppendFloat(b, v, 'g', -1, bits)
		}
	}
	return append(b, ']')
}
