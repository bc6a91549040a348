package compile

import (
	"slices"
	"sync"

	"hew/internal/libm"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// stages evaluates what comes after the margins of an ensemble with answers: stage
// after stage over a block of rows, so that what a stage is gets looked up once for
// many numbers. Stages that combine the numbers of a row are the reference's own
// code. It is safe for concurrent use.
type stages struct {
	e    *ir.Ensemble
	ways []way     // of each answer
	pool sync.Pool // of *vectors
}

// A way is how a vector comes about.
type way struct {
	vector int32
	width  int     // numbers of a row
	needs  []int32 // the stages that it needs, in order

	// chain says that each of these stages works on what the one before gives, the
	// first on the margins, and that none needs more memory than the vector has.
	// Then nothing else is needed, and the margins may stand in the same memory.
	chain bool
}

// vectors is the memory of a block of rows: row-major, one slice for each vector.
type vectors struct {
	of    [][]float64 // what is in use
	own   [][]float64
	args  []float64
	order []int
}

// stageRows is the number of rows in a block.
const stageRows = 128

// stagesOf returns the stages of e, or nil if it has no answers.
func stagesOf(e *ir.Ensemble) *stages {
	if len(e.Answers) == 0 {
		return nil
	}
	s := &stages{e: e}
	for _, a := range e.Answers {
		w := way{vector: a.Vector, width: e.VectorWidth(a.Vector), chain: true}
		if a.Vector > 0 {
			w.needs = needed(e, int(a.Vector)-1)
			w.chain = isChain(e, w.needs)
		}
		s.ways = append(s.ways, w)
	}
	s.pool.New = func() any {
		n := len(e.Post) + 1
		return &vectors{of: make([][]float64, n), own: make([][]float64, n)}
	}
	return s
}

// needed returns the stages on which stage last depends, and itself.
func needed(e *ir.Ensemble, last int) []int32 {
	used := make([]bool, last+2)
	used[last+1] = true
	for i := last; i >= 0; i-- {
		if used[i+1] {
			for _, a := range e.Post[i].Args {
				used[a] = true
			}
		}
	}
	var list []int32
	for i := range e.Post[:last+1] {
		if used[i+1] {
			list = append(list, int32(i))
		}
	}
	return list
}

// isChain reports whether a way is a chain.
func isChain(e *ir.Ensemble, needs []int32) bool {
	before := int32(0)
	for _, i := range needs {
		if p := &e.Post[i]; len(p.Args) != 1 || p.Args[0] != before || !slices.Contains(inPlace, p.Code) {
			return false
		}
		before = i + 1
	}
	return true
}

// inPlace are the stages of one argument that give at least as many numbers as they
// take and can put them where they took them from.
var inPlace = []ir.StageCode{
	ir.StageConcat, ir.StageDivide, ir.StageMultiply, ir.StageSubtract, ir.StageNegate, ir.StageExpit, ir.StageExp, ir.StageAnomaly,
	ir.StagePositive, ir.StageNotNegative, ir.StageClip, // each number by itself
	ir.StageSoftmax, ir.StageNormalize, // the numbers of a row
	ir.StageComplement, ir.StageHalves, // one number to two
}

// way returns how answer i comes about.
func (s *stages) way(i int) *way { return &s.ways[i] }

// answer writes a vector of each row, rows × width values, for rows whose margins are
// known. If the way is a chain, the margins may be the first values of dst. x is read
// only by stages that need the row.
func (s *stages) answer(w *way, dst, margins, x predict.Values, rows int) {
	switch {
	case rows == 0:
	case w.chain && s.e.Sum == ir.Double:
		s.chained(w, dst.F64, margins.F64, rows)
	default:
		m := s.pool.Get().(*vectors)
		for first := 0; first < rows; first += stageRows {
			s.block(m, w, dst, margins, row{s.e, x}, first, min(stageRows, rows-first))
		}
		clear(m.of)
		s.pool.Put(m)
	}
}

// chained has each stage of a chain write to dst.
func (s *stages) chained(w *way, dst, margins []float64, rows int) {
	if len(w.needs) == 0 || rows == 0 {
		copy(dst, margins)
		return
	}
	x := margins
	for _, i := range w.needs {
		p := &s.e.Post[i]
		out := dst[:rows*p.Width]
		if !mapped(p, out, x) {
			byRow(p, out, x, rows)
		}
		x = out
	}
}

// block writes a vector of rows [first, first+n).
func (s *stages) block(m *vectors, w *way, dst, margins predict.Values, x row, first, n int) {
	k := s.e.Outputs
	m.of[0] = m.wide(0, margins, first*k, n*k)
	for _, i := range w.needs {
		if i+1 == w.vector && s.e.Sum == ir.Double {
			m.of[i+1] = dst.F64[first*w.width : (first+n)*w.width]
		} else {
			m.of[i+1] = m.take(int(i+1), n*s.e.Post[i].Width)
		}
		s.stage(m, int(i), x, first, n)
	}
	if s.e.Sum == ir.Single {
		for i, v := range m.of[w.vector] {
			dst.F32[first*w.width+i] = float32(v)
		}
	}
}

// wide returns n numbers from the one at number at on as float64, in the memory of a
// vector if they are not.
func (m *vectors) wide(vector int, v predict.Values, at, n int) []float64 {
	if v.F64 != nil {
		return v.F64[at : at+n]
	}
	own := m.take(vector, n)
	for i, x := range v.F32[at : at+n] {
		own[i] = float64(x)
	}
	return own
}

// take returns n numbers of memory for a vector.
func (m *vectors) take(vector, n int) []float64 {
	if cap(m.own[vector]) < n {
		m.own[vector] = make([]float64, n)
	}
	return m.own[vector][:n]
}

// stage computes the vector of stage i for rows [first, first+n) of x.
func (s *stages) stage(m *vectors, i int, x row, first, n int) {
	p, out := &s.e.Post[i], m.of[i+1]
	switch {
	case p.Code == ir.StageDerive:
		for j := range p.Columns {
			derive(x, &p.Columns[j], first, n, out[j:], p.Width)
		}
	case p.Code == ir.StageMedian:
		s.medians(m, p, out, n)
	case len(p.Args) > 1:
		for r := range n {
			interp.Stage(p, out[r*p.Width:(r+1)*p.Width], s.arguments(m, p, r))
		}
	case !mapped(p, out, m.of[p.Args[0]]):
		byRow(p, out, m.of[p.Args[0]], n)
	}
}

// arguments returns those of a stage for row r.
func (s *stages) arguments(m *vectors, p *ir.Stage, r int) []float64 {
	m.args = m.args[:0]
	for _, a := range p.Args {
		w := s.e.VectorWidth(a)
		m.args = append(m.args, m.of[a][r*w:(r+1)*w]...)
	}
	return m.args
}

// byRow computes a stage of one argument row by row.
func byRow(p *ir.Stage, out, x []float64, rows int) {
	w := len(x) / rows
	for r := range rows {
		interp.Stage(p, out[r*p.Width:(r+1)*p.Width], x[r*w:(r+1)*w])
	}
}

// mapped computes a stage of one argument that takes each number by itself, if it is
// one of those that answers often need. x may be the first numbers of out.
func mapped(p *ir.Stage, out, x []float64) bool {
	switch p.Code {
	case ir.StageDivide:
		for i, v := range x {
			out[i] = v / p.A
		}
	case ir.StageExpit:
		for i, v := range x {
			out[i] = 1 / (1 + libm.Exp(-float64(v*p.A)))
		}
	case ir.StageComplement:
		for i := len(x) - 1; i >= 0; i-- {
			out[2*i], out[2*i+1] = 1-x[i], x[i]
		}
	case ir.StageHalves:
		for i := len(x) - 1; i >= 0; i-- {
			out[2*i], out[2*i+1] = -x[i]/2, x[i]/2
		}
	case ir.StagePositive:
		for i, v := range x {
			out[i] = truth(v > p.A)
		}
	case ir.StageNotNegative:
		for i, v := range x {
			out[i] = truth(v >= p.A)
		}
	default:
		return false
	}
	return true
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// medians computes ir.StageMedian as the reference does, in memory that stays.
func (s *stages) medians(m *vectors, p *ir.Stage, out []float64, n int) {
	for r := range n {
		x := s.arguments(m, p, r)
		m.order = m.order[:0]
		for i := range x {
			m.order = append(m.order, i)
		}
		slices.SortStableFunc(m.order, func(i, j int) int {
			if x[i] < x[j] {
				return -1
			}
			return 1 // of what is equal, the first stays first
		})
		out[r] = median(p.Weights, x, m.order)
	}
}

// median returns the first number in an order at which half of the weight is reached.
func median(weights, x []float64, order []int) float64 {
	total, sum := 0.0, 0.0
	for _, i := range order {
		total += weights[i]
	}
	for _, i := range order {
		if sum += weights[i]; sum >= 0.5*total {
			return x[i]
		}
	}
	return x[order[len(order)-1]]
}
