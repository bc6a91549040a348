package kernel

import (
	"encoding/binary"
	"math"
	"slices"
)

// A rankSet ranks columns that are sets of one feature's values.
//
// The bounds of all of them cut the values in cells, and each cell has a row of
// bits, the ranks of the columns.
type rankSet[In Float] struct {
	feature int
	bounds  []In     // of the cells
	low     int      // bounds[0] rounded down, if there are starts
	starts  []uint32 // bounds ≤ low - 1 + i, for values between it and the next integer
	runs    []rankRun
	width   int    // of a row of bits, in bytes
	bits    []byte // rows for the cells in order, then one for NaN
}

// A rankRun is a run of columns, the bits of which begin with a byte.
type rankRun struct{ column, columns, at int }

const (
	rankSetBits = 1 << 23 // in the rows of a rankSet with several columns, about
	rankStarts  = 1 << 16
)

func newRankSets[In Float](cols []Column) []rankSet[In] {
	features := map[int32][]int{}
	var order []int32
	for c := range cols {
		if f := cols[c].Feature; cols[c].Set {
			if features[f] == nil {
				order = append(order, f)
			}
			features[f] = append(features[f], c)
		}
	}
	var sets []rankSet[In]
	for _, f := range order {
		sets = appendRankSets(sets, cols, features[f])
	}
	return sets
}

// appendRankSets appends sets for columns of one feature, so many that none has
// too many bits.
func appendRankSets[In Float](sets []rankSet[In], cols []Column, columns []int) []rankSet[In] {
	var cells []float64
	for _, c := range columns {
		cells = append(cells, cols[c].Bounds...)
	}
	slices.Sort(cells)
	cells = slices.CompactFunc(cells, func(a, b float64) bool { return a == b })
	if n := len(columns); n > 1 && n*len(cells) > rankSetBits {
		sets = appendRankSets(sets, cols, columns[:n/2])
		return appendRankSets(sets, cols, columns[n/2:])
	}
	s := rankSet[In]{feature: int(cols[columns[0]].Feature), bounds: make([]In, len(cells))}
	for i, b := range cells {
		s.bounds[i] = In(b)
	}
	for i, c := range columns {
		if i == 0 || c != columns[i-1]+1 {
			s.runs = append(s.runs, rankRun{column: c, at: s.width})
		}
		run := &s.runs[len(s.runs)-1]
		run.columns++
		s.width = run.at + (run.columns+7)/8
	}
	s.bits = make([]byte, (len(cells)+2)*s.width)
	for _, run := range s.runs {
		for i := range run.columns {
			s.fill(8*run.at+i, &cols[run.column+i])
		}
	}
	s.index()
	return append(sets, s)
}

// fill sets bit i of the rows, those of column c.
func (s *rankSet[In]) fill(i int, c *Column) {
	set := func(cell int) { s.bits[cell*s.width+i/8] |= 1 << (i % 8) }
	n := 0 // of the column's bounds at or below the cell
	for cell := range len(s.bounds) + 1 {
		if cell > 0 && n < len(c.Bounds) && In(c.Bounds[n]) == s.bounds[cell-1] {
			n++
		}
		if n%2 == 0 {
			set(cell)
		}
	}
	if c.Missing != 0 {
		set(len(s.bounds) + 1)
	}
}

// index makes starts if the bounds are such that few lie between neighbouring
// integers, as the codes of categories do.
func (s *rankSet[In]) index() {
	n, first := len(s.bounds), 0
	if n > 0 && math.IsInf(float64(s.bounds[0]), -1) {
		first = 1 // all values are at or above it
	}
	if n-first < 4 {
		return
	}
	low, high := math.Floor(float64(s.bounds[first])), math.Ceil(float64(s.bounds[n-1]))
	if !(math.Abs(low) < 1<<22 && high-low < rankStarts) {
		return
	}
	starts := make([]uint32, int(high-low)+2)
	at, most := 0, 0
	for i := range starts {
		was := at
		for at < n && float64(s.bounds[at]) <= low-1+float64(i) {
			at++
		}
		starts[i] = uint32(at)
		most = max(most, at-was)
	}
	if most <= 4 {
		s.low, s.starts = int(low), starts
	}
}

// cell returns the row of bits for x.
func (s *rankSet[In]) cell(x In) []byte {
	n := 0
	if i := int(x); In(i) == x && uint(i-s.low+1) < uint(len(s.starts)) {
		n = int(s.starts[i-s.low+1]) // a code, as nearly always
	} else {
		n = s.search(x)
	}
	return s.bits[n*s.width:][:s.width]
}

// search returns the cell of any x.
func (s *rankSet[In]) search(x In) int {
	switch {
	case x != x:
		return len(s.bounds) + 1
	case s.starts == nil:
		return rankBelow(s.bounds, x)
	}
	// Not before x is an integer is anything subtracted: it would be rounded.
	low := In(s.low)
	v := min(max(x, low-1), low+In(len(s.starts)-2))
	i := int(v)
	if In(i) > v {
		i--
	}
	n := int(s.starts[i-s.low+1])
	for n < len(s.bounds) && s.bounds[n] <= x {
		n++
	}
	return n
}

// row writes the ranks of the columns for the row x.
func (s *rankSet[In]) row(dst []byte, x []In) {
	bits := s.cell(x[s.feature])
	for _, run := range s.runs {
		to, from := dst[run.column:][:run.columns], bits[run.at:]
		for len(to) >= 8 {
			// Bit i of the byte to byte i, where it is made a 1.
			b := uint64(from[0]) * 0x0101010101010101 & 0x8040201008040201
			binary.LittleEndian.PutUint64(to, (b+0x7f7f7f7f7f7f7f7f)>>7&0x0101010101010101)
			to, from = to[8:], from[1:]
		}
		for i := range to {
			to[i] = from[0] >> i & 1
		}
	}
}

// block writes the ranks of the columns for rows, eight at a time.
func (s *rankSet[In]) block(dst []byte, stride int, x []In, features, rows int) {
	for row := 0; row < rows; row += 8 {
		var cells [8][]byte
		for i := range cells {
			from := min(row+i, rows-1)
			cells[i] = s.cell(x[from*features+s.feature])
		}
		for _, run := range s.runs {
			for c := 0; c < run.columns; c += 8 {
				b := uint64(0)
				for i := range cells {
					b |= uint64(cells[i][run.at+c/8]) << (8 * i)
				}
				to := dst[(run.column+c)*stride+row:]
				for i := range min(run.columns-c, 8) {
					binary.LittleEndian.PutUint64(to[i*stride:], b>>i&0x0101010101010101)
				}
			}
		}
	}
}
