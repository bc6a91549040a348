package kernel

import (
	"fmt"
	"sync"
)

// An Engine evaluates one model. In is the type in which the trainer compares, Out
// the one in which it sums. Its methods are safe for concurrent use and panic if
// the length of an argument does not fit the shape.
//
// A row is scored by itself, with trees side by side, or in a block, with rows
// side by side. Both add the leaf values of an output one after the other, in the
// order of trees, so that they give the same bits; or in any order and as integers if
// that gives the same bits, too: see grid.
type Engine[In, Out Float] struct {
	features, outputs, trees int

	base     []Out
	baseLast bool

	ranker   *ranker[In]
	columns  int // of ranks in a row, rounded up to whole lines
	vector   *vector[Out]
	walk     *walk[Out]
	grid     grid
	sections []section[Out]
	lanes    int // rows in a block
	cost     cost

	scratches sync.Pool // of *scratch[Out]
	jobs      sync.Pool // of *job[In, Out]
}

// A section is a run of trees that blocks of rows go through in one manner.
type section[Out Float] struct {
	planes *planes[Out] // nil: the trees are walked
	t0, t1 int          // the trees
}

// New returns an engine for m that uses the given instructions. It fails if m is
// not well formed.
func New[In, Out Float](m *Model, cpu CPU) (*Engine[In, Out], error) {
	if err := m.verify(); err != nil {
		return nil, err
	}
	e := &Engine[In, Out]{
		features: m.Features, outputs: m.Outputs, trees: len(m.Trees),
		base: make([]Out, m.Outputs), baseLast: m.BaseLast,
		ranker:  newRanker[In](m.Features, m.Columns, cpu),
		columns: wholeLines(len(m.Columns)),
		vector:  newVector[Out](m, cpu),
		walk:    newWalk[Out](m, cpu),
	}
	for k, b := range m.Base {
		e.base[k] = Out(b)
	}
	e.grid = newGrid[Out](m)
	e.sections, e.lanes = sections[Out](m, e.grid, cpu)
	e.cost = estimate(m, e.lanes, cpu)
	e.scratches.New = func() any { return e.newScratch() }
	e.jobs.New = func() any { return newJob(e) }
	return e, nil
}

// wholeLines rounds n bytes up to whole lines, and to one line at least.
func wholeLines(n int) int { return max(n+line-1, line) &^ (line - 1) }

// sections cuts the trees into runs that fit planes and runs that do not, and
// returns the number of rows in a block.
func sections[Out Float](m *Model, g grid, cpu CPU) ([]section[Out], int) {
	var s []section[Out]
	lanes := 0
	for t0 := 0; t0 < len(m.Trees); {
		small := m.Trees[t0].fitsPlanes()
		t1 := t0 + 1
		for t1 < len(m.Trees) && m.Trees[t1].fitsPlanes() == small {
			t1++
		}
		run := section[Out]{t0: t0, t1: t1}
		if small {
			trees := make([]int32, t1-t0)
			for i := range trees {
				trees[i] = int32(t0 + i)
			}
			run.planes = newPlanes[Out](m, trees, g, cpu)
			lanes = run.planes.lanes()
		}
		s = append(s, run)
		t0 = t1
	}
	if lanes == 0 {
		lanes = deepRows
	}
	return s, lanes
}

// deepRows is the number of rows in a block of a model whose trees are all
// walked: their ranks and sums stay in the second-level cache with a tree.
const deepRows = 512

func (t *Tree) fitsPlanes() bool { return (len(t.Nodes)+1)/2 <= maxPlaneLeaves }

// Margin writes rows × Outputs sums before the link for rows × Features values.
func (e *Engine[In, Out]) Margin(dst []Out, x []In) {
	e.margin(dst, x, nil)
}

// MarginFrom is Margin with base margins given for each row, rows × Outputs
// values, in place of the model's own.
func (e *Engine[In, Out]) MarginFrom(dst []Out, x []In, base []Out) {
	if len(base) != len(dst) {
		panic(fmt.Sprintf("kernel: %d base margins for %d margins", len(base), len(dst)))
	}
	e.margin(dst, x, base)
}

// margin scores rows in this goroutine, or in several if that saves time. base is
// nil for the model's own.
func (e *Engine[In, Out]) margin(dst []Out, x []In, base []Out) {
	rows := e.rows(len(x), len(dst), e.outputs)
	if threads := e.cost.threads(rows, e.lanes); threads > 1 {
		e.share(dst, x, base, rows, threads)
		return
	}
	e.marginRows(dst, x, base, rows)
}

// marginRows scores rows in blocks, and the rest one by one if a block would take
// longer.
func (e *Engine[In, Out]) marginRows(dst []Out, x []In, base []Out, rows int) {
	for i := 0; i < rows; {
		n := min(e.lanes, rows-i)
		var from []Out
		if base != nil {
			from = base[i*e.outputs : (i+n)*e.outputs]
		}
		part, to := x[i*e.features:(i+n)*e.features], dst[i*e.outputs:(i+n)*e.outputs]
		if n < e.cost.few {
			e.oneByOne(to, part, from)
		} else {
			e.block(to, part, from, n)
		}
		i += n
	}
}

// smallRow is the number of ranks that a row keeps on the stack.
const smallRow = 256

// oneByOne scores rows with trees side by side.
func (e *Engine[In, Out]) oneByOne(dst []Out, x []In, base []Out) {
	var small [smallRow]byte
	ranks := small[:]
	if e.columns > smallRow {
		s := e.scratches.Get().(*scratch[Out])
		defer e.scratches.Put(s)
		ranks = s.rowRanks
	}
	ranks = ranks[:e.columns]
	for i := range len(x) / e.features {
		out, from, free := dst[i*e.outputs:(i+1)*e.outputs], e.base, e.grid.exact
		if base != nil {
			from = base[i*e.outputs : (i+1)*e.outputs]
			free = e.free(from)
		}
		e.ranker.row(ranks, x[i*e.features:(i+1)*e.features])
		e.sum(out, from, ranks, free)
	}
}

// sum writes the margins of a row with the given ranks to out. The order of additions
// does not matter if free is set.
func (e *Engine[In, Out]) sum(out, base []Out, ranks []byte, free bool) {
	if e.baseLast {
		clear(out)
	} else {
		copy(out, base)
	}
	if e.vector != nil {
		e.vector.add(out, ranks, free)
	} else {
		e.walk.row(out, ranks)
	}
	if e.baseLast {
		for k, b := range base {
			out[k] += b
		}
	}
}

// Leaf writes rows × trees leaf numbers.
func (e *Engine[In, Out]) Leaf(dst []int32, x []In) {
	rows := e.rows(len(x), len(dst), e.trees)
	if e.trees == 0 {
		return
	}
	var small [smallRow]byte
	ranks := small[:]
	if e.columns > smallRow {
		s := e.scratches.Get().(*scratch[Out])
		defer e.scratches.Put(s)
		ranks = s.rowRanks
	}
	ranks = ranks[:e.columns]
	for i := range rows {
		e.ranker.row(ranks, x[i*e.features:(i+1)*e.features])
		e.walk.ids(dst[i*e.trees:(i+1)*e.trees], ranks)
	}
}

// rows returns the number of rows in x values; it panics unless they are whole
// rows and a destination of the given length holds width values for each.
func (e *Engine[In, Out]) rows(x, length, width int) int {
	n := x / e.features
	if x != n*e.features || length != n*width {
		panic(fmt.Sprintf("kernel: %d results, %d per row, for %d values in rows of %d", length, width, x, e.features))
	}
	return n
}
