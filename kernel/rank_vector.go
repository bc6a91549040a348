package kernel

import (
	"math"
	"slices"
	"unsafe"
)

// A rankHead begins the program for columns that vectors rank together.
type rankHead struct {
	method int64
	count  int64 // of bounds of each column, to be counted
	table  int64 // offset in the memory: of the entries, or of those bounds
	source int64 // how values are loaded
	offset int64 // of the first value in a row, in bytes, or 0
	folded int64 // 1 if some map is
	column int64 // the first column
	write  int64 // of a quad: the number of columns; of a group: how it is written
}

// How the ranks of a group are written: half a line at a time.
const (
	rankLater = iota // with the next group
	rankPair         // with the group before
	rankAlone
)

// A rankGroup is the program for 16 columns of a row. Numbers of 16 bits are in
// the order in which VPACKUSDW leaves them.
type rankGroup[In Float] struct {
	rankHead
	shift   [16]int32
	first   [16]int32
	last    [16]uint16
	entry   [16]uint16 // of the first bucket, in units for addresses
	missing [16]uint16
	_       [16]uint16
	fold    [16]float32
	zero    [16]int32
	origin  [16]In
	pick    [32]int32 // two for each float64 number
	window  [8]int64  // offsets in a row
	feature [16]int32
}

// A rankQuad is the program for four columns of the rows of a block.
type rankQuad[In Float] struct {
	rankHead
	shift   [4]int32
	first   [4]int32
	last    [4]uint16
	entry   [4]uint16
	missing [4]uint16
	_       [4]uint16
	feature [4]int32
	fold    [4]float32
	zero    [4]int32
	origin  [4]In
	pick    [8]int32
	window  [2]int64
}

// How the values of columns are loaded.
const (
	rankWhole  = iota // they lie side by side, from offset on
	rankMasked        // so do those for which pick is negative
	rankPicked        // from two windows for each vector; pick is negative for the second
	rankGather        // one by one
)

// rankUnit is the number of rows that vectors rank at a time in a block.
const rankUnit = 8

// rankCells limits the values that one call ranks, since nothing can preempt it.
const rankCells = 1 << 17

// blockVectors ranks whole units of rows, the last of which may overlap the one
// before it.
func (r *ranker[In]) blockVectors(dst []byte, stride int, x []In, rows int) {
	units := rows / rankUnit
	step := max(rankCells/(4*rankUnit*units), 1)
	for q := 0; q < len(r.quads); q += step {
		quads := r.quads[q:min(q+step, len(r.quads))]
		r.units(dst, stride, x, units, quads)
		if rest := rows - rankUnit; rest > (units-1)*rankUnit {
			r.units(dst[rest:], stride, x[rest*r.features:], 1, quads)
		}
	}
}

func (r *ranker[In]) units(dst []byte, stride int, x []In, units int, quads []rankQuad[In]) {
	d, q := &dst[0], (*byte)(unsafe.Pointer(&quads[0]))
	if unsafe.Sizeof(x[0]) == 4 {
		rankBlock32(d, stride, (*float32)(unsafe.Pointer(&x[0])), r.features, units, q, len(quads), r.program)
	} else {
		rankBlock64(d, stride, (*float64)(unsafe.Pointer(&x[0])), r.features, units, q, len(quads), r.program)
	}
}

// programSize returns what the program for rows, which begins the memory, takes at
// most: the number of groups, then these.
func (r *ranker[In]) programSize() int {
	groups := (r.columns + 2*rankWidth - 1) / (2 * rankWidth) * 2
	return line + groups*int(unsafe.Sizeof(rankGroup[In]{}))
}

// planVectors makes the groups and quads, and the memory, of which size bytes are
// taken.
func (r *ranker[In]) planVectors(size int) {
	var groups []rankGroup[In]
	for c := 0; c < r.columns; c += 2 * rankWidth {
		var pair [2]rankGroup[In]
		for i := range pair {
			size = pair[i].program().plan(r, c+i*rankWidth, size)
		}
		pair[0].write, pair[1].write = rankLater, rankPair
		if pair[1].method != rankNone {
			groups = append(groups, pair[:]...)
		} else if pair[0].method != rankNone {
			pair[0].write = rankAlone
			groups = append(groups, pair[0])
		}
	}
	for c := 0; c < r.columns; c += 4 {
		var q rankQuad[In]
		if n := q.program().plan(r, c, size); q.method != rankNone {
			r.quads = append(r.quads, q)
			size = n
		}
	}
	r.memory = aligned[byte](size)
	if len(groups) == 0 {
		return
	}
	*(*int64)(unsafe.Pointer(&r.memory[0])) = int64(len(groups))
	r.program = &r.memory[0]
	r.groups = unsafe.Slice((*rankGroup[In])(unsafe.Pointer(&r.memory[line])), len(groups))
	copy(r.groups, groups)
}

// fillVectors writes the bounds to be counted to the memory.
func (r *ranker[In]) fillVectors() {
	for i := range r.groups {
		r.groups[i].program().fill(r)
	}
	for i := range r.quads {
		r.quads[i].program().fill(r)
	}
}

// A rankProgram is a group or a quad.
type rankProgram[In Float] struct {
	*rankHead
	shift, first, zero, feature, pick []int32
	fold                              []float32
	last, entry, missing              []uint16
	origin                            []In
	window                            []int64
}

func (g *rankGroup[In]) program() rankProgram[In] {
	return rankProgram[In]{
		&g.rankHead, g.shift[:], g.first[:], g.zero[:], g.feature[:], g.pick[:], g.fold[:],
		g.last[:], g.entry[:], g.missing[:], g.origin[:], g.window[:],
	}
}

func (q *rankQuad[In]) program() rankProgram[In] {
	return rankProgram[In]{
		&q.rankHead, q.shift[:], q.first[:], q.zero[:], q.feature[:], q.pick[:], q.fold[:],
		q.last[:], q.entry[:], q.missing[:], q.origin[:], q.window[:],
	}
}

// lanes returns the lanes of the program's columns.
func (p rankProgram[In]) lanes(r *ranker[In]) []rankLane[In] {
	from := min(int(p.column), r.columns)
	return r.lanes[from:min(from+len(p.shift), r.columns)]
}

// vectors reports whether vectors rank the lane's column.
func (l *rankLane[In]) vectors() bool { return l.method != rankNone && l.method != rankSearch }

// plan makes the program for the columns from the given one on.
func (p rankProgram[In]) plan(r *ranker[In], column, size int) int {
	p.column = int64(column)
	lanes := p.lanes(r)
	p.write = int64(len(lanes))
	p.table = math.MaxInt64
	count, counted := 0, true
	for i := range lanes {
		l := &lanes[i]
		if !l.vectors() {
			continue
		}
		p.method = max(p.method, int64(l.method))
		count = max(count, len(l.bounds))
		if l.method != rankCount {
			counted = counted && len(l.bounds) <= rankFew
			p.table = min(p.table, int64(l.table))
		}
	}
	if p.method == rankNone {
		p.source = rankMasked // no value
		return size
	}
	p.load(lanes, r.features)
	for i := range lanes {
		if lanes[i].vectors() {
			p.lane(i, &lanes[i])
		}
	}
	if counted {
		p.method, p.count, p.table = rankCount, int64(count), int64(size)
		size += count * len(p.shift) * int(unsafe.Sizeof(p.origin[0]))
	}
	return size
}

// lane sets what the program has for each of its columns.
func (p rankProgram[In]) lane(i int, l *rankLane[In]) {
	m := &l.rankMap
	p.shift[i], p.first[i], p.origin[i] = int32(m.shift), m.first, m.origin
	p.fold[i], p.zero[i] = m.fold, m.zero
	if m.fold != 0 {
		p.folded = 1
	}
	// The order of VPACKUSDW, which leaves four columns as they are.
	packed := i&3 | i&4<<1 | i&8>>1
	p.missing[packed] = uint16(l.missing)
	if l.method == rankCount {
		return
	}
	unit := 1
	if l.method == rankThrees || unsafe.Sizeof(p.origin[0]) == 8 {
		unit = 2
	}
	p.last[packed] = uint16(m.last)
	p.entry[packed] = uint16((l.table - int(p.table)) / l.entrySize() * unit)
}

// load chooses how the values of the lanes' columns are loaded. Lanes that vectors
// do not rank may have any value.
func (p rankProgram[In]) load(lanes []rankLane[In], features int) {
	first, together := -1, true
	for i := range lanes {
		if !lanes[i].vectors() {
			continue
		}
		if first < 0 {
			first = i
			for j := range p.feature {
				p.feature[j] = lanes[i].feature
			}
		}
		p.feature[i] = lanes[i].feature
		together = together && int(lanes[i].feature-lanes[first].feature) == i-first
	}
	start := int(lanes[first].feature) - first
	offset := int64(start * int(unsafe.Sizeof(p.origin[0])))
	switch {
	case together && start >= 0 && start+len(p.shift) <= features:
		p.source, p.offset = rankWhole, offset
	case together:
		p.source, p.offset = rankMasked, offset
		for i := range lanes {
			if lanes[i].vectors() {
				p.setPick(i, -1)
			}
		}
	case p.loadPicked(features):
		p.source = rankPicked
	default:
		p.source = rankGather
	}
}

// loadPicked sets up two windows for each vector and reports whether its values
// are all there.
func (p rankProgram[In]) loadPicked(features int) bool {
	size := int(unsafe.Sizeof(p.origin[0]))
	// Vectors of a quad hold two rows of float32 numbers.
	width := min(32/size, len(p.shift))
	if features < width {
		return false
	}
	for v := 0; v < len(p.shift)/width; v++ {
		part := p.feature[v*width:][:width]
		first := min(int(slices.Min(part)), features-width)
		second := max(int(slices.Max(part))-width+1, 0)
		p.window[2*v], p.window[2*v+1] = int64(first*size), int64(second*size)
		for i, f := range part {
			switch at := int(f) - first; {
			case at < width:
				p.setPick(v*width+i, int32(at))
			case int(f) >= second:
				p.setPick(v*width+i, int32(int(f)-second)|math.MinInt32)
			default:
				return false
			}
		}
	}
	return true
}

// setPick sets what is picked for lane i: a number in a vector, of 32 bits each.
func (p rankProgram[In]) setPick(i int, at int32) {
	if unsafe.Sizeof(p.origin[0]) == 4 {
		p.pick[i] = at
		return
	}
	sign := at & math.MinInt32
	p.pick[2*i], p.pick[2*i+1] = 2*at|sign, 2*at+1|sign
}

// fill writes the bounds to be counted to the tables.
func (p rankProgram[In]) fill(r *ranker[In]) {
	if p.method != rankCount || p.count == 0 {
		return
	}
	width := len(p.shift)
	table := unsafe.Slice((*In)(unsafe.Pointer(&r.memory[p.table])), int(p.count)*width)
	for i := range table {
		table[i] = In(math.NaN())
	}
	for i, l := range p.lanes(r) {
		if l.vectors() {
			for j, b := range l.bounds {
				table[j*width+i] = b
			}
		}
	}
}
