package kernel

import "math"

// A rankMap puts the values of a feature in buckets, ascending.
//
// The bucket of x is made of the leading bits of the float32 x - origin. Buckets
// are equally wide up to twice the distance of the first bound from the origin and
// double their width with each doubling from there: so the origin decides how they
// thin out, and the shift how fine they are. That suits values that thin out to the
// right, or little. For those that do to both sides, the origin is in the middle:
// the bits are then those of |x - origin| + fold, counted from those of fold, with
// the sign of x - origin.
//
// All these steps are monotonic, whatever they round, and bounds go through them
// as values do: so the bounds in lower buckets are ≤ x and those in higher ones are
// not, and x must be compared with those in its own bucket only.
type rankMap[In Float] struct {
	origin In
	fold   float32 // 0 for a map that is not folded
	zero   int32   // the leading bits of fold
	first  int32   // those that make bucket 0, with all below
	last   int32   // the last bucket, with all above
	shift  uint8   // at least 1
}

// bucket returns the bucket of x; any one if x is NaN.
func (m *rankMap[In]) bucket(x In) int {
	return int(min(max(m.bits(x)-m.first, 0), m.last))
}

// plainBucket does so if the map is not folded.
func (m *rankMap[In]) plainBucket(x In) int {
	q := int32(math.Float32bits(float32(x-m.origin)))>>(m.shift&31) - m.first
	q &^= q >> 31
	q -= m.last
	return int(q&(q>>31) + m.last)
}

func (m *rankMap[In]) bits(x In) int32 {
	far, sign := m.distance(x)
	return (far>>(m.shift&31) - m.zero) ^ sign - sign
}

// distance returns the bits of the distance of x from the origin, and its sign, 0
// or -1; if the map is not folded, the sign is among the bits.
func (m *rankMap[In]) distance(x In) (far, sign int32) {
	far = int32(math.Float32bits(float32(x - m.origin)))
	if m.fold == 0 {
		return far, 0
	}
	away := math.Float32frombits(uint32(far)&^(1<<31)) + m.fold
	return int32(math.Float32bits(away)), far >> 31
}

// fitRank returns a map with few buckets, up to a limit, of which none has more
// than depth bounds.
func fitRank[In Float](bounds []In, depth, limit int) (rankMap[In], bool) {
	if len(bounds) <= depth {
		return rankMap[In]{shift: 31}, true
	}
	f := rankFit[In]{bounds: bounds, finite: bounds, depth: depth, best: limit + 1}
	if math.IsInf(float64(bounds[0]), -1) {
		f.finite = f.finite[1:]
	}
	if n := len(f.finite); n > 0 && math.IsInf(float64(f.finite[n-1]), 1) {
		f.finite = f.finite[:n-1]
	}
	n := len(f.finite)
	if n < 2 {
		return rankMap[In]{}, false
	}
	f.far, f.sign = make([]int32, len(bounds)), make([]int32, len(bounds))
	low := float64(f.finite[0])
	span := float64(f.finite[n-1])/2 - low/2
	// The origin from far below the first bound to nearer than the second one.
	near := (float64(f.finite[1]) - low) / 4
	for e, far := 3.0, math.Inf(1); far > near; e -= 0.5 {
		far = span * math.Exp2(e)
		f.try(rankMap[In]{origin: In(low - far)})
	}
	if f.best > limit {
		for e := -20; e <= 1; e++ {
			fold := float32(span * math.Exp2(float64(e)))
			for i := 1; i < 4; i++ {
				f.try(rankMap[In]{origin: f.finite[n*i/4], fold: fold})
			}
		}
	}
	return f.m, f.best <= limit
}

// A rankFit is the search for a map.
type rankFit[In Float] struct {
	bounds, finite []In
	far, sign      []int32 // of the bounds
	depth          int
	best           int // buckets of m
	m              rankMap[In]
}

// try takes the map, but for its shift, if some shift makes it the best one.
func (f *rankFit[In]) try(m rankMap[In]) {
	if math.IsInf(float64(m.origin), 0) || math.IsInf(float64(m.fold), 0) {
		return
	}
	for i, b := range f.bounds {
		f.far[i], f.sign[i] = m.distance(b)
	}
	low := 0
	if f.finite[0] != f.bounds[0] {
		low = 1
	}
	high := low + len(f.finite) - 1
	if m.fold == 0 && f.far[low] <= 0 {
		return // the origin is not below the first bound
	}
	for m.shift = 1; m.shift < 31; m.shift++ {
		if m.fold != 0 {
			m.zero = int32(math.Float32bits(m.fold)) >> m.shift
		}
		// An infinite bound, the bits of which are far away, has a bucket of its own.
		first, last := int(f.bucket(&m, low))-low, int(f.bucket(&m, high))
		if high < len(f.bounds)-1 {
			last++
		}
		if last-first+1 >= f.best {
			continue
		}
		if !f.fits(&m) {
			return // nor will wider buckets, which are made of these
		}
		m.first, m.last = int32(first), int32(last-first)
		f.best, f.m = last-first+1, m
	}
}

// bucket returns the leading bits of bound i.
func (f *rankFit[In]) bucket(m *rankMap[In], i int) int32 {
	return (f.far[i]>>(m.shift&31) - m.zero) ^ f.sign[i] - f.sign[i]
}

// fits reports whether no bucket has too many bounds.
func (f *rankFit[In]) fits(m *rankMap[In]) bool {
	for i := f.depth; i < len(f.far); i++ {
		if f.bucket(m, i) == f.bucket(m, i-f.depth) {
			return false
		}
	}
	return true
}
