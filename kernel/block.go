package kernel

// A scratch is what a block of rows needs besides its rows and margins.
type scratch[Out Float] struct {
	ranks    []byte          // by column: ranks[column*lanes+row]
	rowRanks []byte          // by row, for trees that are walked; at least one row
	acc      []Out           // by output: acc[output*lanes+row]
	planes   []*planeScratch // of each section; nil where trees are walked
	walk     *walkScratch
}

func (e *Engine[In, Out]) newScratch() *scratch[Out] {
	s := &scratch[Out]{
		acc:    aligned[Out](e.outputs * e.lanes),
		planes: make([]*planeScratch, len(e.sections)),
	}
	rows := 1
	for i := range e.sections {
		if p := e.sections[i].planes; p != nil {
			s.planes[i] = p.newScratch()
			s.ranks = aligned[byte](e.columns * e.lanes)
		} else {
			rows, s.walk = e.lanes, e.walk.scratch()
		}
	}
	s.rowRanks = aligned[byte](rows * e.columns)
	return s
}

// block scores up to lanes rows side by side.
func (e *Engine[In, Out]) block(dst []Out, x []In, base []Out, rows int) {
	s := e.scratches.Get().(*scratch[Out])
	e.rank(s, x, rows)
	free := e.free(base)
	e.start(s.acc, base, rows)
	for i := range e.sections {
		if p := e.sections[i].planes; p != nil {
			p.add(s.acc, s.ranks, rows, s.planes[i], free)
		} else {
			e.walk.rows(s.acc, e.lanes, s.rowRanks, e.columns, rows, e.sections[i].t0, e.sections[i].t1, s.walk)
		}
	}
	e.finish(dst, s.acc, base, rows)
	e.scratches.Put(s)
}

// rank ranks up to lanes rows for the sections of a block.
func (e *Engine[In, Out]) rank(s *scratch[Out], x []In, rows int) {
	if s.ranks != nil {
		e.ranker.block(s.ranks, e.lanes, x, rows)
	}
	if s.walk != nil {
		for i := range rows {
			e.ranker.row(s.rowRanks[i*e.columns:(i+1)*e.columns], x[i*e.features:(i+1)*e.features])
		}
	}
}

// Rank does of Margin what comes before the trees: it ranks rows, and drops the ranks.
// It tells how much of Margin's time that is.
func (e *Engine[In, Out]) Rank(x []In) {
	s := e.scratches.Get().(*scratch[Out])
	rows := len(x) / e.features
	for i := 0; i < rows; i += e.lanes {
		n := min(e.lanes, rows-i)
		part := x[i*e.features : (i+n)*e.features]
		if n >= e.cost.few {
			e.rank(s, part, n)
			continue
		}
		for j := range n {
			e.ranker.row(s.rowRanks[:e.columns], part[j*e.features:(j+1)*e.features])
		}
	}
	e.scratches.Put(s)
}

// free reports whether the order in which leaf values are added to the given base
// margins does not matter.
func (e *Engine[In, Out]) free(base []Out) bool {
	return e.grid.exact && (base == nil || holds(e.grid, base))
}

// start sets the sums of a block to where they start.
func (e *Engine[In, Out]) start(acc, base []Out, rows int) {
	for k := range e.outputs {
		sums := acc[k*e.lanes : (k+1)*e.lanes][:rows]
		switch {
		case e.baseLast:
			clear(sums)
		case base == nil:
			for i := range sums {
				sums[i] = e.base[k]
			}
		default:
			for i := range sums {
				sums[i] = base[i*e.outputs+k]
			}
		}
	}
}

// finish writes the sums of a block, by output, to dst, by row.
func (e *Engine[In, Out]) finish(dst, acc, base []Out, rows int) {
	for k := range e.outputs {
		sums := acc[k*e.lanes : (k+1)*e.lanes][:rows]
		switch {
		case !e.baseLast && e.outputs == 1:
			copy(dst, sums)
		case !e.baseLast:
			for i, v := range sums {
				dst[i*e.outputs+k] = v
			}
		case base == nil:
			for i, v := range sums {
				dst[i*e.outputs+k] = v + e.base[k]
			}
		default:
			for i, v := range sums {
				dst[i*e.outputs+k] = v + base[i*e.outputs+k]
			}
		}
	}
}
