// Package leaves scores ensembles with dmitryikh/leaves, the interpreter that Go
// programs use today: the baseline of hew bench.
//
// leaves reads no XGBoost JSON, but it reads LightGBM's text, which can say the
// same trees exactly (text.go). It sums in float64 what XGBoost sums in float32,
// so its margins differ in their last bits, while every decision must agree.
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
// rows that are float64 already. The base margin and the link, which leaves does
// not know, are applied to its sums by the reference's code, so that every engine
// of a run does the same work; its margins are the float64 sum plus the base
// margin, rounded to float32.
func New(e *ir.Ensemble, x []float32) (bench.Engine, error) {
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
	reference *interp.Engine
	base      []float64
	x         []float64 // rows × features
	features  int
	outputs   int       // margins per row
	width     int       // predictions per row
	sums      []float64 // rows × outputs, what leaves returned last
	margins   []float32 // rows × outputs
	predicted []float32 // rows × width
}

func load(e *ir.Ensemble, x []float32) (*model, error) {
	features := len(e.Features)
	if len(x)%features != 0 {
		return nil, fmt.Errorf("%d values are no rows of %d features", len(x), features)
	}
	text, err := Text(e)
	if err != nil {
		return nil, err
	}
	read, err := leaves.LGEnsembleFromReader(bufio.NewReader(bytes.NewReader(text)), false)
	if err != nil {
		return nil, fmt.Errorf("leaves: %w", err)
	}
	rows, width := len(x)/features, e.Link.Width(e.Outputs)
	m := &model{
		Ensemble: read, reference: interp.New(e), base: e.BaseMargin,
		x: make([]float64, len(x)), features: features, outputs: e.Outputs, width: width,
		sums: make([]float64, rows*e.Outputs), margins: make([]float32, rows*e.Outputs), predicted: make([]float32, rows*width),
	}
	for i, v := range x {
		m.x[i] = float64(v)
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
	margins := m.margins[begin*m.outputs : end*m.outputs]
	for i, sum := range m.sums[begin*m.outputs : end*m.outputs] {
		margins[i] = float32(m.base[i%m.outputs] + sum)
	}
	m.reference.Transform(m.predicted[begin*m.width:end*m.width], margins)
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
	return bench.Outputs{Margin: slices.Clone(m.margins), Predict: slices.Clone(m.predicted)}, nil
}

// checkRows is how many rows are checked at a time; it bounds memory.
const checkRows = 256

// check compares what leaves returns for x, row by row and as a batch, with the
// float64 sums of the leaf values that the reference reaches.
func (m *model) check(e *ir.Ensemble, x []float32) error {
	reference := interp.New(e)
	trees := len(e.Trees)
	perTree := make([]float32, checkRows*trees)
	want := make([]float64, m.outputs)
	m.batch(0, m.rows(), 2)
	for begin := 0; begin < m.rows(); begin += checkRows {
		end := min(begin+checkRows, m.rows())
		reference.PerTree(perTree[:(end-begin)*trees], x[begin*m.features:end*m.features])
		for i := begin; i < end; i++ {
			clear(want)
			for t, v := range perTree[(i-begin)*trees : (i-begin+1)*trees] {
				want[e.Trees[t].Output] += float64(v)
			}
			if err := m.compare(i, want); err != nil { // of the batch
				return err
			}
			m.row(i)
			if err := m.compare(i, want); err != nil {
				return err
			}
		}
	}
	return nil
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
