package prune

import (
	"fmt"
	"math"
	"slices"

	"hew/internal/lossy"
	"hew/interp"
	"hew/ir"
)

// A sample is rows with the loss that an ensemble has on them.
type sample struct {
	e       *ir.Ensemble
	loss    *loss
	n       int
	columns []float64 // rows × width, what splits compare
	width   int
	y       []float64
	weight  []float64 // of each row
	margins []float64 // rows × outputs, summed in float64
	total   []float64 // the loss of each row, weighted
}

// newSample evaluates e on the rows of d.
func newSample(e *ir.Ensemble, d *lossy.Data) (*sample, error) {
	l, err := lossOf(e)
	if err != nil {
		return nil, err
	}
	n, err := rowsOf(e, d, l)
	if err != nil {
		return nil, err
	}
	s := &sample{e: e, loss: l, n: n, columns: d.X, width: e.NumColumns(), y: d.Y, weight: d.Weight}
	if s.weight == nil {
		s.weight = make([]float64, n)
		for r := range s.weight {
			s.weight[r] = 1
		}
	}
	if len(e.Columns) > 0 {
		s.columns = make([]float64, n*s.width)
		interp.New(e).Columns64(s.columns, d.X)
	}
	return s, s.evaluate()
}

// rowsOf returns the number of rows of d, and reports rows that e or l cannot use.
func rowsOf(e *ir.Ensemble, d *lossy.Data, l *loss) (int, error) {
	if d == nil || len(d.Y) == 0 {
		return 0, fmt.Errorf("no rows with labels to measure the loss on")
	}
	n := len(d.Y)
	if len(d.X) != n*len(e.Features) || d.Weight != nil && len(d.Weight) != n {
		return 0, fmt.Errorf("%d labels and %d weights for %d values in rows of %d", n, len(d.Weight), len(d.X), len(e.Features))
	}
	if d.Weight != nil && slices.Max(d.Weight) == 0 {
		return 0, fmt.Errorf("the weights of all rows are 0")
	}
	for r, y := range d.Y {
		if err := l.check(y); err != nil {
			return 0, fmt.Errorf("row %d: %w", r+1, err)
		}
		if d.Weight != nil && !(d.Weight[r] >= 0 && !math.IsInf(d.Weight[r], 1)) {
			return 0, fmt.Errorf("row %d: weight %v", r+1, d.Weight[r])
		}
	}
	return n, nil
}

// evaluate computes the margins and the loss of each row.
func (s *sample) evaluate() error {
	k := s.e.Outputs
	s.margins, s.total = make([]float64, s.n*k), make([]float64, s.n)
	for r := range s.n {
		m := s.row(r)
		copy(m, s.e.BaseMargin)
		for i := range s.e.Trees {
			t := &s.e.Trees[i]
			s.add(m, t, s.walk(t, r), 1)
		}
		if s.total[r] = s.lossAt(r, m); math.IsNaN(s.total[r]) || math.IsInf(s.total[r], 0) {
			return fmt.Errorf("row %d: the loss of margins %v for label %v is %v", r+1, m, s.y[r], s.total[r])
		}
	}
	return nil
}

// row returns the margins of row r.
func (s *sample) row(r int) []float64 { return s.margins[r*s.e.Outputs : (r+1)*s.e.Outputs] }

// lossAt returns the weighted loss that row r has at margins m.
func (s *sample) lossAt(r int, m []float64) float64 { return s.weight[r] * s.loss.of(m, s.y[r]) }

// add adds to m what leaf i of t adds, times sign.
func (s *sample) add(m []float64, t *ir.Tree, i int32, sign float64) {
	if t.Vectors == nil {
		m[t.Output] += sign * t.Nodes[i].Value
		return
	}
	for k, v := range s.e.LeafValues(t, &t.Nodes[i]) {
		m[k] += sign * v
	}
}

// walk returns the leaf of t that row r reaches.
func (s *sample) walk(t *ir.Tree, r int) int32 {
	row := s.columns[r*s.width : (r+1)*s.width]
	i := int32(0)
	for n := &t.Nodes[0]; !n.IsLeaf(); n = &t.Nodes[i] {
		i = n.Right
		if s.e.GoesLeft(n, row[n.Feature]) {
			i = n.Left
		}
	}
	return i
}

// curves returns the derivatives of each row's loss by its margins, rows × outputs.
func (s *sample) curves() (g, h []float64) {
	k := s.e.Outputs
	g, h = make([]float64, s.n*k), make([]float64, s.n*k)
	for r, w := range s.weight {
		g, h := g[r*k:(r+1)*k], h[r*k:(r+1)*k]
		s.loss.curve(s.row(r), s.y[r], g, h)
		for j := range g {
			g[j], h[j] = g[j]*w, h[j]*w
		}
	}
	return g, h
}

// maxReached bounds the memory for the leaves that rows reach in all trees: 512 MiB.
const maxReached = 1 << 27

// reached returns, for each tree, the leaf that each row reaches.
func (s *sample) reached() [][]int32 {
	all := make([][]int32, len(s.e.Trees))
	for i := range all {
		all[i] = make([]int32, s.n)
		for r := range all[i] {
			all[i][r] = s.walk(&s.e.Trees[i], r)
		}
	}
	return all
}

// thin returns rows of d at equal distances, so few that e has no more than the given
// number of trees and rows, multiplied.
func thin(e *ir.Ensemble, d *lossy.Data, reached int) *lossy.Data {
	most := reached / max(len(e.Trees), 1)
	features := len(e.Features)
	if d == nil || len(d.Y) <= most || len(d.X) != len(d.Y)*features {
		return d
	}
	few := &lossy.Data{}
	for i := range most {
		r := int(int64(i) * int64(len(d.Y)) / int64(most))
		few.X, few.Y = append(few.X, d.X[r*features:(r+1)*features]...), append(few.Y, d.Y[r])
		if len(d.Weight) == len(d.Y) {
			few.Weight = append(few.Weight, d.Weight[r])
		}
	}
	return few
}
