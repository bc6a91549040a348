package kernel

import "unsafe"

// A ranker turns rows of values into the ranks of a model's columns.
type ranker[In Float] struct {
	features int
	columns  int
	width    int             // of the ranks of a row: columns in whole lines
	program  *byte           // for a row, by vectors; nil without
	lanes    []rankLane[In]  // one per column
	alone    []int32         // columns that are left to their lanes
	sets     []rankSet[In]   // the columns that are sets
	quads    []rankQuad[In]  // the programs for blocks
	groups   []rankGroup[In] // of the program
	memory   []byte          // for the program and what is looked up
}

// newRanker prepares the columns. Its vectors have 256 bits whatever the processor
// has: on a Zen 4, 512 bits were 5 to 30 % slower for rows, and gathers of entries
// 20 %. What bounds is the number of loads and of steps, not the arithmetic.
func newRanker[In Float](features int, cols []Column, cpu CPU) *ranker[In] {
	r := &ranker[In]{features: features, columns: len(cols), width: wholeLines(len(cols))}
	r.build(cols, cpu.AVX2 && rankVectors)
	r.sets = newRankSets[In](cols)
	return r
}

// row writes the rank of each column of the row x to dst, whose length is the
// number of columns rounded up to a multiple of 64. What lies beyond the columns
// may be written too.
func (r *ranker[In]) row(dst []byte, x []In) {
	_, _ = dst[r.width-1], x[r.features-1]
	if r.program != nil {
		if unsafe.Sizeof(x[0]) == 4 {
			rankRow32(&dst[0], (*float32)(unsafe.Pointer(&x[0])), r.program)
		} else {
			rankRow64(&dst[0], (*float64)(unsafe.Pointer(&x[0])), r.program)
		}
	}
	if len(r.alone)+len(r.sets) > 0 {
		r.rowAlone(dst, x)
	}
}

// rowAlone ranks the columns that are left to their lanes, and the sets.
func (r *ranker[In]) rowAlone(dst []byte, x []In) {
	for _, c := range r.alone {
		l := &r.lanes[c]
		v := x[l.feature]
		switch {
		case l.method == rankCount && len(l.bounds) == 1:
			dst[c] = l.orMissing(v, ranked(l.bounds[0] <= v))
		case l.method == rankOnes && l.fold == 0:
			dst[c] = l.orMissing(v, l.ones[l.plainBucket(v)].rank(v))
		case l.method == rankThrees && l.fold == 0:
			dst[c] = l.orMissing(v, l.threes[l.plainBucket(v)].rank(v))
		default:
			dst[c] = l.rank(v)
		}
	}
	for s := range r.sets {
		r.sets[s].row(dst, x)
	}
}

// block writes the rank of column c in row i of the rows in x to dst[c*stride+i].
// The stride is a multiple of 64 and at least rows; bytes for rows beyond them may
// be written too.
func (r *ranker[In]) block(dst []byte, stride int, x []In, rows int) {
	if rows == 0 {
		return
	}
	x = x[:rows*r.features]
	dst = dst[:r.columns*stride]
	switch {
	case r.program == nil:
	case rows >= rankUnit:
		r.blockVectors(dst, stride, x, rows)
	default:
		for c := range r.lanes {
			r.lanes[c].block(dst[c*stride:][:rows], x, r.features)
		}
	}
	for _, c := range r.alone {
		r.lanes[c].block(dst[int(c)*stride:][:rows], x, r.features)
	}
	for s := range r.sets {
		r.sets[s].block(dst, stride, x, r.features, rows)
	}
}

// rank returns the rank of x.
func (l *rankLane[In]) rank(x In) uint8 {
	if x != x {
		return l.missing
	}
	switch l.method {
	case rankOnes:
		return uint8(l.ones[l.bucket(x)].rank(x))
	case rankThrees:
		return uint8(l.threes[l.bucket(x)].rank(x))
	case rankCount:
		n := int32(0)
		for _, b := range l.bounds {
			n += ranked(b <= x)
		}
		return uint8(n)
	}
	return uint8(rankBelow(l.bounds, x))
}

func (e *rankOne[In]) rank(x In) int32 { return e.base + ranked(e.bound <= x) }

func (e *rankThree[In]) rank(x In) int32 {
	return e.base + rankBias - ranked(x < e.bounds[0]) - ranked(x < e.bounds[1]) - ranked(x < e.bounds[2])
}

// block writes the ranks of the lane's column in rows.
func (l *rankLane[In]) block(dst []byte, x []In, features int) {
	x = x[l.feature:]
	at, m := 0, l.rankMap
	switch {
	case l.method == rankCount && len(l.bounds) == 1:
		bound := l.bounds[0]
		for i := range dst {
			dst[i] = l.orMissing(x[at], ranked(bound <= x[at]))
			at += features
		}
	case l.method == rankOnes && m.fold == 0:
		for i := range dst {
			dst[i] = l.orMissing(x[at], l.ones[m.plainBucket(x[at])].rank(x[at]))
			at += features
		}
	case l.method == rankThrees && m.fold == 0:
		for i := range dst {
			dst[i] = l.orMissing(x[at], l.threes[m.plainBucket(x[at])].rank(x[at]))
			at += features
		}
	default:
		for i := range dst {
			dst[i] = l.rank(x[at])
			at += features
		}
	}
}

// orMissing returns n, or the rank of missing values if x is one.
func (l *rankLane[In]) orMissing(x In, n int32) uint8 {
	if x != x {
		n = int32(l.missing)
	}
	return uint8(n)
}

// ranked returns 1 for a bound that counts. The compiler makes no branch of it.
func ranked(counts bool) int32 {
	if counts {
		return 1
	}
	return 0
}

// rankBelow returns the number of bounds ≤ x.
func rankBelow[In Float](bounds []In, x In) int {
	from, n := 0, len(bounds)
	for n > 0 {
		half := (n + 1) / 2
		if bounds[from+half-1] <= x {
			from += half
		}
		n -= half
	}
	return from
}
