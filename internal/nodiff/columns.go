package nodiff

import (
	"math"
	"slices"
	"sort"

	"hew/interp"
	"hew/ir"
)

// A crossing is a value of a feature at which a column reaches a bound, from
// whichever side: the first one, in the order of numbers, with the other answer.
type crossing[F float] struct {
	bound int // index among the bounds of the column
	value F
}

// A derived tells where the columns of an ensemble cross the bounds of their splits.
type derived[F float] struct {
	crossings [][]crossing[F] // of each column, in the order of bounds
	features  [][]float64     // of each feature, the values at which a column of it does something, ascending
	codes     []bool          // of each feature, whether a column looks for numbers in it
}

// derive looks for crossings of the bounds of each column, by bisection between
// samples: numbers of all sizes, small integers, and those at which an operation on
// the way does something of its own. It knows nothing of package fold, which it helps
// to test.
func derive[F float](e *ir.Ensemble, tests [][]float64) *derived[F] {
	d := &derived[F]{
		crossings: make([][]crossing[F], len(e.Columns)),
		features:  make([][]float64, len(e.Features)),
		codes:     make([]bool, len(e.Features)),
	}
	samples := ladder[F]()
	for j := range e.Columns {
		c := &e.Columns[j]
		value := func(x F) float64 { return float64(F(interp.Apply(c.Ops, float64(x)))) }
		cross(d.refine(c, samples), value, tests[j], func(b int, x F) {
			d.crossings[j] = append(d.crossings[j], crossing[F]{b, x})
			d.features[c.Feature] = append(d.features[c.Feature], float64(x))
		})
		slices.SortStableFunc(d.crossings[j], func(a, b crossing[F]) int { return a.bound - b.bound })
	}
	for i := range e.Post {
		for j := range e.Post[i].Columns {
			d.refine(&e.Post[i].Columns[j], samples)
		}
	}
	for j := range d.features {
		slices.Sort(d.features[j])
		d.features[j] = slices.Compact(d.features[j])
	}
	return d
}

// at returns where a column crosses a bound.
func (d *derived[F]) at(column int32, bound int) []crossing[F] {
	all := d.crossings[column]
	from := sort.Search(len(all), func(i int) bool { return all[i].bound >= bound })
	to := sort.Search(len(all), func(i int) bool { return all[i].bound > bound })
	return all[from:to]
}

// ladder returns numbers of all sizes in ascending order.
func ladder[F float]() []F {
	var x []F
	add := func(v F) {
		x = append(x, v, -v)
	}
	x = append(x, edges[F]()...)
	for i := range 40 {
		add(F(i))
		add(F(i) + 0.5)
	}
	for i := -30; i < 30; i++ {
		add(F(math.Exp2(float64(i))))
	}
	const steps = 64
	end := ordinal(F(math.Inf(1)))
	for i := range int64(steps) {
		add(number[F](end / steps * i))
	}
	return ascending(x)
}

func ascending[F float](x []F) []F {
	slices.SortFunc(x, func(a, b F) int { return compareOrdinals(ordinal(a), ordinal(b)) })
	return slices.CompactFunc(x, func(a, b F) bool { return ordinal(a) == ordinal(b) })
}

func compareOrdinals(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// refine returns the samples with those at which the operations of c do something of
// their own, and notes these as values of the feature.
func (d *derived[F]) refine(c *ir.Column, samples []F) []F {
	for i := range c.Ops {
		if looksFor(c.Ops[i].Code) {
			d.codes[c.Feature] = true
		}
		keys := keysOf(&c.Ops[i])
		if len(keys) == 0 {
			continue
		}
		before := c.Ops[:i]
		var more []F
		cross(samples, func(x F) float64 { return interp.Apply(before, float64(x)) }, keys, func(_ int, x F) {
			more = append(more, beside(x)...)
			d.features[c.Feature] = append(d.features[c.Feature], float64(x))
		})
		samples = ascending(append(more, samples...))
	}
	return samples
}

func looksFor(c ir.OpCode) bool {
	return c == ir.OpEqual || c == ir.OpIn || c == ir.OpLookup || c == ir.OpReplace
}

// keysOf returns the numbers at which o may turn around or jump, and the numbers
// above them, in ascending order.
func keysOf(o *ir.Op) []float64 {
	var keys []float64
	switch o.Code {
	case ir.OpEqual, ir.OpReplace:
		keys = []float64{o.A}
	case ir.OpClip:
		keys = []float64{o.A, o.B}
	case ir.OpIn, ir.OpLookup, ir.OpBin, ir.OpInterp, ir.OpQuantile:
		keys = slices.Clone(o.Keys)
	case ir.OpYeoJohnson, ir.OpBoxCox, ir.OpDiv:
		keys = []float64{0}
	case ir.OpCall:
		keys = []float64{-1, 0}
	}
	for _, k := range keys[:len(keys):len(keys)] {
		keys = append(keys, math.Nextafter(k, math.Inf(1)))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// cross calls found for each bound that value crosses between two samples, and with
// bound -1 where it begins or ends to be NaN. Both samples and bounds ascend.
func cross[F float](samples []F, value func(F) float64, bounds []float64, found func(bound int, x F)) {
	for i := 1; i < len(samples); i++ {
		a, b := samples[i-1], samples[i]
		v, w := value(a), value(b)
		if (v != v) != (w != w) {
			s := first(a, b, func(x F) bool { y := value(x); return (y != y) == (w != w) })
			found(-1, s)
			if v != v {
				a, v = s, value(s)
			} else {
				b = nextAfter(s, F(math.Inf(-1)))
				w = value(b)
			}
		}
		if v != v || w != w {
			continue
		}
		low, high := min(v, w), max(v, w)
		at := sort.Search(len(bounds), func(i int) bool { return bounds[i] > low })
		for ; at < len(bounds) && bounds[at] <= high; at++ {
			found(at, first(a, b, func(x F) bool { return (value(x) >= bounds[at]) == (w >= bounds[at]) }))
		}
	}
}

// first returns the first number above a, up to b, that is in; b is, a is not.
func first[F float](a, b F, in func(F) bool) F {
	low, high := ordinal(a)+1, ordinal(b)
	for low < high {
		mid := low + int64(uint64(high-low)/2)
		if in(number[F](mid)) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return number[F](low)
}
