// Package leaves scores ensembles with dmitryikh/leaves, the interpreter that Go
// programs use today: the baseline of hew bench.
//
// leaves reads neither XGBoost JSON nor pickles, but it reads LightGBM's text, which
// can say the same trees exactly (text.go). It sums in float64: what XGBoost sums in
// float32 differs in its last bits, while every decision must agree.
package leaves

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dmitryikh/leaves"

	"hew/bench"
	"hew/bench/measure"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// ErrUnsupported is wrapped by errors about ensembles that leaves cannot score.
var ErrUnsupported = errors.New("leaves cannot score it")

// New returns leaves as an engine that has read e and holds the rows in x.
//
// Each decision that leaves takes on these rows has been checked: the float64
// sums that it returns are, by bits, the sums of the leaf values that package
// interp reaches. An error that is not ErrUnsupported says that they are not.
//
// leaves is called as its users call it: PredictSingle (Predict if there are
// several outputs) for a row, PredictDense with its own threads for a batch, on
// rows that are float64 already. The base margin, the link and stages, which leaves
// does not know, are applied to its sums by the reference's code, so that every engine
// of a run does the same work; its margins are the float64 sum plus the base
// margin, rounded to the type of e's sums. Columns have to be folded before.
func New(e *ir.Ensemble, x predict.Values) (bench.Engine, error) {
	m, err := load(e, x)
	if err != nil {
		return bench.Engine{}, err
	}
	if err := m.check(e, x); err != nil {
		return bench.Engine{}, err
	}
	return bench.Engine{Name: "leaves", Foreign: true, Measure: m.measure, Score: m.score}, nil
}

// A model is an ensemble in leaves, with rows.
type model struct {
	*leaves.Ensemble
	reference interp.Typed
	base      []float64
	rowValues predict.Values // rows × features, as given
	x         []float64      // the same as leaves takes them
	features  int
	outputs   int            // margins per row
	width     int            // predictions per row
	sums      []float64      // rows × outputs, what leaves returned last
	margins   predict.Values // rows × outputs
	predicted predict.Values // rows × width
}

func load(e *ir.Ensemble, x predict.Values) (*model, error) {
	features := len(e.Features)
	if x.Len()%features != 0 {
		return nil, fmt.Errorf("%d values are no rows of %d features", x.Len(), features)
	}
	text, err := Text(e)
	if err != nil {
		return nil, err
	}
	read, err := leaves.LGEnsembleFromReader(bufio.NewReader(bytes.NewReader(text)), false)
	if err != nil {
		return nil, fmt.Errorf("leaves: %w", err)
	}
	rows, width, sum := x.Len()/features, e.Width(), predict.Type(e.Sum.String())
	m := &model{
		Ensemble: read, reference: interp.New(e).Typed(), base: e.BaseMargin,
		rowValues: x, x: x.F64, features: features, outputs: e.Outputs, width: width,
		sums: make([]float64, rows*e.Outputs), margins: predict.MakeValues(sum, rows*e.Outputs), predicted: predict.MakeValues(sum, rows*width),
	}
	for _, v := range x.F32 {
		m.x = append(m.x, float64(v))
	}
	return m, nil
}

func (m *model) rows() int { return len(m.x) / m.features }

// row scores row i alone.
func (m *model) row(i int) {
	x, sums := m.x[i*m.features:(i+1)*m.features], m.sums[i*m.outputs:(i+1)*m.outputs]
	if m.outputs == 1 {
		sums[0] = m.PredictSingle(x, 0)
	} else if err := m.Predict(x, 0, sums); err != nil {
		panic(err) // the shapes are ours
	}
}

// batch scores rows [begin, end) in one call.
func (m *model) batch(begin, end, threads int) {
	x, sums := m.x[begin*m.features:end*m.features], m.sums[begin*m.outputs:end*m.outputs]
	if err := m.PredictDense(x, end-begin, m.features, sums, 0, threads); err != nil {
		panic(err) // the shapes are ours
	}
}

// finish makes predictions of the sums of rows [begin, end).
func (m *model) finish(begin, end int) {
	part := func(v predict.Values, width int) predict.Values { return v.Slice(begin*width, end*width) }
	for i := begin * m.outputs; i < end*m.outputs; i++ {
		m.margins.Set(i, m.base[i%m.outputs]+m.sums[i])
	}
	m.reference.Answer(0, part(m.predicted, m.width), part(m.margins, m.outputs), part(m.rowValues, m.features))
}

func (m *model) measure(s measure.Spec, d time.Duration) (measure.Sample, error) {
	if s.Batch == 1 {
		return measure.Loop(m.rows(), s, d, func(begin, end int) {
			m.row(begin)
			m.finish(begin, end)
		})
	}
	inOne := measure.Spec{Batch: s.Batch, Threads: 1} // leaves starts its own threads
	return measure.Loop(m.rows(), inOne, d, func(begin, end int) {
		m.batch(begin, end, s.Threads)
		m.finish(begin, end)
	})
}

func (m *model) score() (bench.Outputs, error) {
	m.batch(0, m.rows(), 1)
	m.finish(0, m.rows())
	return bench.Outputs{Margin: clone(m.margins), Predict: clone(m.predicted)}, nil
}

func clone(v predict.Values) predict.Values {
	return predict.Values{F32: slices.Clone(v.F32), F64: slices.Clone(v.F64)}
}

// check compares what leaves returns for x, row by row and as a batch, with the
// float64 sums of the leaf values that the reference reaches.
func (m *model) check(e *ir.Ensemble, x predict.Values) error {
	want, err := m.want(e, x)
	if err != nil {
		return err
	}
	m.batch(0, m.rows(), 2)
	for i := range m.rows() {
		if err := m.compare(i, want[i*m.outputs:(i+1)*m.outputs]); err != nil { // of the batch
			return err
		}
		m.row(i)
		if err := m.compare(i, want[i*m.outputs:(i+1)*m.outputs]); err != nil {
			return err
		}
	}
	return nil
}

// want returns the sums of leaf values, without base margins, in float64.
func (m *model) want(e *ir.Ensemble, x predict.Values) ([]float64, error) {
	bare := *e
	bare.Sum, bare.BaseLast, bare.Link = ir.Double, false, ir.Identity
	bare.BaseMargin = make([]float64, e.Outputs)
	want := make([]float64, len(m.sums))
	interp.New(&bare).Margin64(want, m.x)
	return want, bare.Verify()
}

func (m *model) compare(row int, want []float64) error {
	for k, w := range want {
		got := m.sums[row*m.outputs+k]
		if math.Float64bits(got) != math.Float64bits(w) && (got == got || w == w) {
			return fmt.Errorf("leaves decides otherwise: row %d, output %d: sum %v, want %v", row, k, got, w)
		}
	}
	return nil
}
