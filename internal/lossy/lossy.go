// Package lossy is what the passes that change predictions have in common: the rows
// that they may look at, and the certificate of what they may have done.
//
// A certificate holds for every row there is. It is computed from the trees alone, in
// exact arithmetic with outward rounding; Certified adds what the sums of an ensemble
// may round differently.
package lossy

import (
	"math"

	"hew/ir"
)

// A Pass rewrites an ensemble in place, leaves it well formed, and says how far it
// may have moved the margins.
type Pass struct {
	Name string // as in --print-after=name and in reports
	Doc  string // what it does

	// NeedsRows says that the pass cannot do without Data.
	NeedsRows bool

	Run func(e *ir.Ensemble, d *Data) (Change, error)
}

// Data are rows with what was observed about them.
type Data struct {
	X      []float64 // rows × features, row-major, NaN is missing
	Y      []float64 // labels, one per row: a number, or the index of a class
	Weight []float64 // one per row; nil if all weigh the same
	Query  []int     // the query that a row belongs to, of a ranking; nil otherwise
}

// A Change says how far margins may have moved: in exact arithmetic, for each output
// k and every row, the margin after minus that before lies in [Low[k], High[k]].
type Change struct{ Low, High []float64 }

// None is the change of a pass that changes nothing.
func None(outputs int) Change {
	return Change{make([]float64, outputs), make([]float64, outputs)}
}

// Add widens c by a change of one output between low and high, which comes on top of
// the others.
func (c Change) Add(output int, low, high float64) {
	c.Low[output] = down(c.Low[output] + low)
	c.High[output] = up(c.High[output] + high)
}

// Plus returns the change of two passes, one after the other.
func (c Change) Plus(d Change) Change {
	sum := None(len(c.Low))
	for k := range sum.Low {
		sum.Low[k], sum.High[k] = down(c.Low[k]+d.Low[k]), up(c.High[k]+d.High[k])
	}
	return sum
}

func down(x float64) float64 { return outward(x, math.Inf(-1)) }
func up(x float64) float64   { return outward(x, math.Inf(1)) }

// outward moves x, a rounded result, to a bound of the exact one; 0 is exact. Of
// infinities that cancel nothing is known.
func outward(x, to float64) float64 {
	switch {
	case x == 0:
		return 0
	case x != x:
		return to
	}
	return math.Nextafter(x, to)
}

// Certified returns, for each output, a bound of |margin after − margin before| as the
// two ensembles compute them, in their own precisions and orders.
func Certified(before, after *ir.Ensemble, c Change) []float64 {
	a, b := Rounding(before), Rounding(after)
	bounds := make([]float64, len(a))
	for k := range bounds {
		bounds[k] = max(-c.Low[k], c.High[k])
		if bounds[k] > 0 {
			bounds[k] = up(up(bounds[k]+a[k]) + b[k])
		}
	}
	return bounds
}

// Rounding returns, for each output, a bound of the distance between a margin of e and
// the same sum in exact arithmetic: half a unit in the last place of each partial sum,
// as large as the leaves allow it to be. It is infinite if a sum may overflow.
func Rounding(e *ir.Ensemble) []float64 {
	unit, largest := 0x1p-24, math.MaxFloat32
	if e.Sum == ir.Double {
		unit, largest = 0x1p-53, math.MaxFloat64
	}
	low, high := make([]float64, e.Outputs), make([]float64, e.Outputs)
	bounds := make([]float64, e.Outputs)
	add := func(k int, least, most float64) {
		low[k], high[k] = down(low[k]+least), up(high[k]+most)
		size := max(-low[k], high[k]) + bounds[k]
		bounds[k] = up(bounds[k] + up(size*unit*(1+0x1p-20)))
		if !(size < largest) {
			bounds[k] = math.Inf(1)
		}
	}
	base := func() {
		for k, b := range e.BaseMargin {
			add(k, b, b)
		}
	}
	if !e.BaseLast {
		base()
	}
	for i := range e.Trees {
		eachOutput(e, &e.Trees[i], add)
	}
	if e.BaseLast {
		base()
	}
	return bounds
}

// eachOutput calls f for each output to which t adds, with the least and the largest
// value that it may add.
func eachOutput(e *ir.Ensemble, t *ir.Tree, f func(output int, least, most float64)) {
	if t.Vectors == nil {
		least, most := math.Inf(1), math.Inf(-1)
		for i := range t.Nodes {
			if n := &t.Nodes[i]; n.IsLeaf() {
				least, most = min(least, n.Value), max(most, n.Value)
			}
		}
		f(int(t.Output), least, most)
		return
	}
	for k := range e.Outputs {
		least, most := math.Inf(1), math.Inf(-1)
		for at := k; at < len(t.Vectors); at += e.Outputs {
			least, most = min(least, t.Vectors[at]), max(most, t.Vectors[at])
		}
		f(k, least, most)
	}
}
