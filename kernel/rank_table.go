package kernel

import (
	"math"
	"slices"
	"unsafe"
)

// How the rank of a column is found.
const (
	rankNone   = iota // not here: the column is a set
	rankCount         // few bounds: by comparing with each
	rankOnes          // in buckets with at most one bound
	rankThrees        // in buckets with at most three
	rankSearch        // no map fits: by halving
)

const (
	rankFew     = 8         // bounds that are counted, at most
	rankBuckets = 1<<12 - 1 // of a column, at most
	rankEntries = 1 << 15   // of 16 columns: twice the number of one has 16 bits
	rankBias    = 128       // of bases that vectors reduce to signed bytes
)

// A rankLane is how one column is ranked.
type rankLane[In Float] struct {
	rankMap[In]
	feature int32
	missing uint8
	method  uint8
	bounds  []In
	table   int // offset of its entries in the memory
	ones    []rankOne[In]
	threes  []rankThree[In]
}

// A rankOne is the entry for a bucket with at most one bound, NaN without.
type rankOne[In Float] struct {
	bound In
	base  int32 // bounds in lower buckets
}

// A rankThree is the entry for a bucket with at most three bounds, filled up with
// NaN. Its rank is the base and rankBias, less one for each bound above the value.
type rankThree[In Float] struct {
	bounds [3]In
	base   int32 // bounds in this and lower buckets, less rankBias
}

// rankWidth is the number of columns that vectors rank in a row by one method.
const rankWidth = 16

// build makes the lanes and their tables, and what vectors need.
func (r *ranker[In]) build(cols []Column, vectors bool) {
	r.lanes = make([]rankLane[In], len(cols))
	for c := range cols {
		r.lanes[c] = newRankLane[In](&cols[c])
	}
	size := 0
	if vectors {
		size = r.programSize()
	}
	for lanes := range slices.Chunk(r.lanes, rankWidth) {
		size = rankPlan(lanes, size)
	}
	if vectors {
		r.planVectors(size)
		r.fillVectors()
	} else {
		r.memory = aligned[byte](size)
	}
	for c := range r.lanes {
		l := &r.lanes[c]
		l.fill(r.memory)
		if l.method != rankNone && (!vectors || l.method == rankSearch) {
			r.alone = append(r.alone, int32(c))
		}
	}
}

func newRankLane[In Float](c *Column) rankLane[In] {
	l := rankLane[In]{feature: c.Feature, missing: c.Missing, method: rankNone}
	if c.Set {
		return l
	}
	l.method = rankCount
	l.bounds = make([]In, len(c.Bounds))
	for i, b := range c.Bounds {
		l.bounds[i] = In(b)
	}
	return l
}

// rankPlan chooses the method for lanes that vectors rank together and places
// their entries in memory of which size bytes are taken. It returns what then is.
func rankPlan[In Float](lanes []rankLane[In], size int) int {
	few := true
	for i := range lanes {
		few = few && len(lanes[i].bounds) <= rankFew
	}
	if few {
		return size
	}
	// Buckets with one bound are faster, unless they must be very narrow.
	method := uint8(rankOnes)
	fits := rankFits(lanes, 1, func(n int) int { return min(6*n+64, rankBuckets/2) })
	if slices.Contains(fits, nil) {
		// If one lane needs larger ones, all get them; some bounds fit nowhere.
		threes := rankFits(lanes, 3, func(int) int { return rankBuckets })
		for i := range fits {
			if fits[i] == nil && threes[i] != nil {
				method = rankThrees
			}
		}
		if method == rankThrees {
			fits = threes
		}
	}
	entries := 0
	for i := range lanes {
		l := &lanes[i]
		if l.method == rankNone {
			continue
		}
		if j := rankTwin(lanes, i); j >= 0 {
			l.method, l.rankMap, l.table = lanes[j].method, lanes[j].rankMap, lanes[j].table
			continue
		}
		l.method = rankSearch
		if m := fits[i]; m != nil && entries+int(m.last) < rankEntries {
			l.method, l.rankMap, l.table = method, *m, size
			entries += int(m.last) + 1
			size += (int(m.last) + 1) * l.entrySize()
		}
	}
	return (size + line - 1) &^ (line - 1)
}

// rankFits returns a map for each lane with up to depth bounds in a bucket and, for
// n bounds, limit(n) buckets; nil for a lane for which there is none.
func rankFits[In Float](lanes []rankLane[In], depth int, limit func(n int) int) []*rankMap[In] {
	fits := make([]*rankMap[In], len(lanes))
	for i := range lanes {
		if j := rankTwin(lanes, i); j >= 0 {
			fits[i] = fits[j]
		} else if m, ok := fitRank(lanes[i].bounds, depth, limit(len(lanes[i].bounds))); ok {
			fits[i] = &m
		}
	}
	return fits
}

// rankTwin returns the lane before i that has the same bounds, or -1.
func rankTwin[In Float](lanes []rankLane[In], i int) int {
	for j := range i {
		l := &lanes[j]
		if l.method != rankNone && l.feature == lanes[i].feature && slices.Equal(l.bounds, lanes[i].bounds) {
			return j
		}
	}
	return -1
}

func (l *rankLane[In]) entrySize() int {
	if l.method == rankThrees {
		return int(unsafe.Sizeof(rankThree[In]{}))
	}
	return int(unsafe.Sizeof(rankOne[In]{}))
}

// fill writes the entries of the lane to the memory.
func (l *rankLane[In]) fill(memory []byte) {
	next, n := 0, int(l.last)+1
	switch l.method {
	case rankOnes:
		l.ones = unsafe.Slice((*rankOne[In])(unsafe.Pointer(&memory[l.table])), n)
		for i := range l.ones {
			e := &l.ones[i]
			e.base = int32(next)
			next = l.bucketBounds(i, next, []*In{&e.bound})
		}
	case rankThrees:
		l.threes = unsafe.Slice((*rankThree[In])(unsafe.Pointer(&memory[l.table])), n)
		for i := range l.threes {
			e := &l.threes[i]
			next = l.bucketBounds(i, next, []*In{&e.bounds[0], &e.bounds[1], &e.bounds[2]})
			e.base = int32(next) - rankBias
		}
	default:
		return
	}
	if next != len(l.bounds) {
		panic("kernel: a bucket with too many bounds")
	}
}

// bucketBounds stores the bounds in bucket i, the first of which is the given one,
// and NaN in what is left. It returns the first bound in later buckets.
func (l *rankLane[In]) bucketBounds(i, bound int, dst []*In) int {
	for _, p := range dst {
		*p = In(math.NaN())
		if bound < len(l.bounds) && l.bucket(l.bounds[bound]) == i {
			*p = l.bounds[bound]
			bound++
		}
	}
	return bound
}
