package fold

import (
	"errors"
	"math"
	"slices"

	"hew/interp"
	"hew/ir"
)

// The numbers of the input type, infinities included and NaN not, are numbered in
// their order: 0 is zero, of which there is one, 1 the smallest positive number.
// An ordinal is such a number's number.
type ordinal = int64

func (f *folder) ordinal(x float64) ordinal {
	if f.e.Input == ir.Single {
		b := int64(math.Float32bits(float32(x)))
		return signed(b&math.MaxInt32, x < 0)
	}
	return signed(int64(math.Float64bits(x)&math.MaxInt64), x < 0)
}

func signed(magnitude int64, negative bool) ordinal {
	if negative {
		return -magnitude
	}
	return magnitude
}

func (f *folder) number(i ordinal) float64 {
	var x float64
	if f.e.Input == ir.Single {
		x = float64(math.Float32frombits(uint32(max(i, -i))))
	} else {
		x = math.Float64frombits(uint64(max(i, -i)))
	}
	if i < 0 {
		return -x
	}
	return x
}

// A piece is a range of numbers, both ends included, on which a column ascends,
// descends or is NaN.
type piece struct{ first, last ordinal }

// column returns c with its pieces.
func (f *folder) column(c *ir.Column) *folded {
	infinite := f.ordinal(math.Inf(1))
	d := &folded{Column: c, tests: map[test]*raw{}}
	d.pieces = []piece{{-infinite, infinite}}
	for i := range c.Ops {
		if b := breaks(&c.Ops[i]); len(b) > 0 {
			before := c.Ops[:i]
			pieces, err := f.cut(d, func(x float64) float64 { return interp.Apply(before, x) }, b)
			if err != nil {
				d.stays = true
				return d
			}
			d.pieces = pieces
		}
		d.rough = d.rough || rough(&c.Ops[i])
	}
	return d
}

// cut cuts the pieces of c where value, monotone on each, reaches a break. A piece
// meets the breaks between the values at its ends only.
func (f *folder) cut(c *folded, value func(float64) float64, breaks []float64) ([]piece, error) {
	var out []piece
	for _, p := range c.pieces {
		low, high := value(f.number(p.first)), value(f.number(p.last))
		if low != low || high != high {
			out = append(out, p) // NaN throughout
			continue
		}
		descends := low > high
		if descends {
			low, high = high, low
		}
		i, _ := slices.BinarySearch(breaks, low)
		j, found := slices.BinarySearch(breaks, high)
		if found {
			j++
		}
		if c.rough && (i > 0 && near(breaks[i-1], low) || j < len(breaks) && near(breaks[j], high)) {
			return nil, errRough
		}
		var starts []ordinal
		for _, b := range breaks[i:max(i, j)] {
			beyond := func(x float64) bool { return (value(x) >= b) != descends }
			s := f.first(p, beyond)
			if c.rough && !f.proven(p, s, beyond) {
				return nil, errRough
			}
			if s > p.first && s <= p.last {
				starts = append(starts, s)
			}
		}
		slices.Sort(starts)
		for _, s := range slices.Compact(starts) {
			out = append(out, piece{p.first, s - 1})
			p.first = s
		}
		out = append(out, p)
	}
	return out, nil
}

// near reports whether two numbers are so close that a rough operation may mix them
// up.
func near(a, b float64) bool { return !math.IsInf(b, 0) && math.Abs(a-b) <= 0x1p-49*math.Abs(b) }

// first returns the first number of p that is in, or one beyond the last if none
// is; those that are in follow those that are not.
func (f *folder) first(p piece, in func(x float64) bool) ordinal {
	low, high := p.first, p.last+1
	for low < high {
		mid := low + int64((uint64(high)-uint64(low))/2)
		if in(f.number(mid)) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

var errRough = errors.New("an operation is not monotone where the test changes")

// answer finds the numbers that q sends left.
func (f *folder) answer(c *folded, q test) (*raw, error) {
	r := &raw{missing: f.goesLeft(c, q, math.NaN())}
	if low, end, ok := f.e.Features[c.Feature].Codes(); ok && end <= maxCodes {
		r.left = f.codes(c, q, low, end)
		return r, nil
	}
	if f.goesLeft(c, q, math.Copysign(0, -1)) != f.goesLeft(c, q, 0) {
		return nil, errors.New("the two zeros part")
	}
	pieces, err := f.piecesOf(c, q)
	if err != nil {
		return nil, err
	}
	left := false // on the number before
	for _, p := range pieces {
		switches, err := f.switches(c, q, p)
		if err != nil {
			return nil, err
		}
		if begins := f.goesLeft(c, q, f.number(p.first)); begins != left {
			r.left = append(r.left, f.number(p.first))
			left = begins
		}
		for _, s := range switches {
			r.left = append(r.left, f.number(s))
			left = !left
		}
	}
	return r, nil
}

// maxCodes is how many codes are tried one by one.
const maxCodes = 4096

// codes returns the numbers that q sends left of a feature that has codes only. What is
// none goes where its neighbours go, so that a comparison can do where a set would have
// to except the codes alone.
func (f *folder) codes(c *folded, q test, low, end int) (left ir.Set) {
	from := math.Inf(-1)
	for code := low; code < end; code++ {
		if f.goesLeft(c, q, float64(code)) != (len(left)%2 == 1) {
			left = append(left, from)
		}
		from = float64(code + 1)
	}
	return left
}

// piecesOf returns pieces on which the answer to q changes once at most: those of
// c or, for a set, parts of them.
func (f *folder) piecesOf(c *folded, q test) ([]piece, error) {
	if q.set == ir.NoSet {
		return c.pieces, nil
	}
	return f.cut(c, func(x float64) float64 { return f.value(c.Ops, x) }, f.old[q.set])
}

// switches returns the number of p at which the answer to q changes, if it does.
func (f *folder) switches(c *folded, q test, p piece) ([]ordinal, error) {
	begins := f.goesLeft(c, q, f.number(p.first))
	ends := f.goesLeft(c, q, f.number(p.last))
	if begins == ends {
		if c.rough {
			return nil, f.proveAll(c, q, p, begins)
		}
		return nil, nil
	}
	s := f.locate(c, q, p, begins)
	return []ordinal{s}, f.prove(c, q, p, s, begins)
}

// locate finds the change near where arithmetic says it is, or by bisection.
func (f *folder) locate(c *folded, q test, p piece, begins bool) ordinal {
	changed := func(x float64) bool { return f.goesLeft(c, q, x) != begins }
	if q.set != ir.NoSet {
		return f.first(p, changed)
	}
	guess, ok := invert(c.Ops, math.Float64frombits(q.threshold))
	if !ok {
		return f.first(p, changed)
	}
	g := min(max(f.ordinal(guess), p.first), p.last)
	return f.first(f.gallop(p, g, changed), changed)
}

// gallop returns a part of p that holds the change, from steps of growing width
// around g.
func (f *folder) gallop(p piece, g ordinal, changed func(x float64) bool) piece {
	if changed(f.number(g)) {
		for step := uint64(1); step <= distance(p.first, g) && step < maxStep; step *= 8 {
			if !changed(f.number(g - ordinal(step))) {
				return piece{g - ordinal(step) + 1, g - 1}
			}
			g -= ordinal(step)
		}
		return piece{p.first, g - 1}
	}
	for step := uint64(1); step <= distance(g, p.last) && step < maxStep; step *= 8 {
		if changed(f.number(g + ordinal(step))) {
			return piece{g + 1, g + ordinal(step) - 1}
		}
		g += ordinal(step)
	}
	return piece{g + 1, p.last}
}

const maxStep = 1 << 60

// distance returns how many steps it is from a to b, which is not before a; with
// float64 it may be more than an int64 holds.
func distance(a, b ordinal) uint64 { return uint64(b) - uint64(a) }

// invert returns about the x that operations map to v, if all of them are
// arithmetic.
func invert(ops []ir.Op, v float64) (float64, bool) {
	for i := len(ops) - 1; i >= 0; i-- {
		switch o := &ops[i]; o.Code {
		case ir.OpRound, ir.OpFill, ir.OpClip:
		case ir.OpAdd:
			v -= o.A
		case ir.OpSub:
			v += o.A
		case ir.OpMul:
			v /= o.A
		case ir.OpDiv:
			v *= o.A
		default:
			return 0, false
		}
	}
	return v, v == v
}

// prove checks that the answer to q changes in p at s and nowhere else.
func (f *folder) prove(c *folded, q test, p piece, s ordinal, begins bool) error {
	changed := func(x float64) bool { return f.goesLeft(c, q, x) != begins }
	switch {
	case s <= p.first || s > p.last || changed(f.number(s-1)) || !changed(f.number(s)),
		c.rough && !f.proven(p, s, changed):
		return errRough
	}
	return nil
}

// proven reports whether the numbers of p from s on are in and those before are not,
// as far as one can look: at the numbers beside s and at growing distances.
func (f *folder) proven(p piece, s ordinal, in func(x float64) bool) bool {
	for i := range 600 {
		d := uint64(i)
		if i >= 128 { // then eight steps to each power of two
			d = uint64(128 * math.Exp2(float64(i-128)/8))
		}
		if s > p.first && d <= distance(p.first, s-1) && in(f.number(s-1-ordinal(d))) ||
			s <= p.last && d <= distance(s, p.last) && !in(f.number(s+ordinal(d))) {
			return false
		}
	}
	return true
}

// proveAll checks that the answer to q does not change in p, as far as one can look:
// at many places, and at the numbers beside the ends.
func (f *folder) proveAll(c *folded, q test, p piece, answer bool) error {
	const places, beside = 256, 64
	all := distance(p.first, p.last)
	for i := range uint64(places + 2*beside) {
		d := all / places * i
		switch {
		case i >= places+beside:
			d = all - min(i-places-beside, all)
		case i >= places:
			d = min(i-places, all)
		}
		if f.goesLeft(c, q, f.number(p.first+ordinal(d))) != answer {
			return errRough
		}
	}
	return nil
}
