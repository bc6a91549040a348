package quantize

import (
	"fmt"
	"math"

	"hew/internal/lossy"
	"hew/ir"
)

func leafDoc(f Format) string {
	switch f {
	case F16, BF16:
		return fmt.Sprintf("round leaves to %v", f)
	case Fixed:
		return "round leaves and base margins to a grid on which all sums are exact"
	}
	return fmt.Sprintf("round leaves to %v times a power of two, and base margins to a finer grid", f)
}

// narrowLeaves is the pass that Leaves asks for. For each tree a row changes by what its
// leaf does, so that the certificate is exact: the sum of each tree's least and largest
// difference, and that of the base margin.
func (o Options) narrowLeaves(e *ir.Ensemble, _ *lossy.Data) (lossy.Change, error) {
	if err := o.checkLeaves(e); err != nil {
		return lossy.Change{}, err
	}
	round, change := o.rounding(e), lossy.None(e.Outputs)
	for k, b := range e.BaseMargin {
		d := differences{}
		d.add(b, round.base(b))
		d.widen(change, k)
	}
	e.BaseMargin = mapped(e.BaseMargin, round.base)
	for i := range e.Trees {
		t, f := &e.Trees[i], round.leaf[i]
		for k := range e.Outputs {
			d := differences{}
			for _, v := range leafValues(e, t, k) {
				d.add(v, f(v))
			}
			d.widen(change, k)
		}
		setLeaves(t, e.Outputs, f)
	}
	return change, nil
}

// setLeaves gives the leaves of t the values that f makes of theirs. Leaf vectors that
// none has become zero.
func setLeaves(t *ir.Tree, outputs int, f func(float64) float64) {
	vectors := make([]float64, len(t.Vectors))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		switch {
		case !n.IsLeaf():
		case t.Vectors == nil:
			n.Value = f(n.Value)
		default:
			at := int(n.Vector) * outputs
			copy(vectors[at:], mapped(t.Vectors[at:at+outputs], f))
		}
	}
	if t.Vectors != nil {
		t.Vectors = vectors
	}
}

func mapped(values []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = f(v)
	}
	return out
}

// leafValues returns what the leaves of t add to output k.
func leafValues(e *ir.Ensemble, t *ir.Tree, k int) []float64 {
	var values []float64
	if t.Vectors == nil && int(t.Output) != k {
		return nil
	}
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.IsLeaf() {
			values = append(values, leafValue(e, t, n, k))
		}
	}
	return values
}

// differences is the range of new values minus old ones.
type differences struct {
	some      bool
	low, high float64
}

func (d *differences) add(old, now float64) {
	x := now - old
	if now == old {
		x = 0 // infinities too
	}
	low, high := -above(-x), above(x)
	if !d.some {
		d.low, d.high = low, high
	}
	d.some, d.low, d.high = true, min(d.low, low), max(d.high, high)
}

func (d *differences) widen(c lossy.Change, output int) { c.Add(output, 0+d.low, d.high) }

// A rounding is how an ensemble's values are rounded.
type rounding struct {
	leaf []func(v float64) float64 // of each tree
	base func(v float64) float64
}

// rounding returns what Leaves asks for.
func (o Options) rounding(e *ir.Ensemble) rounding {
	r := rounding{make([]func(float64) float64, len(e.Trees)), func(v float64) float64 { return v }}
	var f func(float64) float64
	switch o.Leaves {
	case F16:
		f = toF16
	case BF16:
		f = toBF16
	case Fixed:
		f = toGrid(fixedScale(e, nil))
		r.base = f
	default:
		r.setScaled(e, o)
		return r
	}
	for i := range r.leaf {
		r.leaf[i] = f
	}
	return r
}

// setScaled sets the rounding of leaves to integers with a scale. Base margins are rounded
// to the finest grid on which sums of them and of such leaves are exact, if there is one:
// then the order of trees does not matter, and kernels add integers.
func (r *rounding) setScaled(e *ir.Ensemble, o Options) {
	bits := 7
	if o.Leaves == Int16 {
		bits = 15
	}
	most := make([]float64, len(e.Trees))
	for i := range e.Trees {
		most[i] = largestLeaf(e, &e.Trees[i])
	}
	all, finestLeaf := largest(most), 0
	for i := range r.leaf {
		if !o.TreeScale {
			most[i] = all
		}
		k := intScale(e.Sum, most[i], bits)
		r.leaf[i] = toGrid(k)
		if most[i] > 0 {
			finestLeaf = max(finestLeaf, k)
		}
	}
	if e.BaseLast || math.IsInf(largest(e.BaseMargin), 0) || !(all < math.MaxFloat32/2) {
		return // added last, or there is no grid
	}
	if k := fixedScale(e, r.leaf); k >= finestLeaf {
		r.base = toGrid(k)
	}
}

// toGrid returns the function that rounds to multiples of 2^-k, of two nearest ones to the
// even one. It never gives −0, which is no integer times anything.
func toGrid(k int) func(float64) float64 {
	return func(v float64) float64 { return positiveZero(math.Ldexp(integer(v, k), -k)) }
}

// integer returns the integer nearest to v × 2^k.
func integer(v float64, k int) float64 { return math.RoundToEven(math.Ldexp(v, k)) }

// finest returns the largest k for which 2^-k is a number of type p.
func finest(p ir.Precision) int {
	if p == ir.Double {
		return 1074
	}
	return 149
}

// intScale returns the largest k at which values up to largest become integers of at
// most the given number of bits, without the sign, and the smallest such integer aside.
func intScale(p ir.Precision, largest float64, bits int) int {
	k := firstScale(p, largest, bits)
	for integer(largest, k) >= math.Ldexp(1, bits) {
		k--
	}
	return k
}

// firstScale returns a k that is not too small: largest × 2^k is beyond what the given
// number of bits holds, or 2^-k is the smallest number of type p.
func firstScale(p ir.Precision, largest float64, bits int) int {
	_, exponent := math.Frexp(largest)
	return min(finest(p), bits+1-exponent)
}

// fixedScale returns the largest k at which no sum of leaves and base margin, of any
// output, leaves the integers that the type of sums holds without a gap. Leaves are rounded
// before, those of each tree by a function of its own, or not at all.
func fixedScale(e *ir.Ensemble, round []func(float64) float64) int {
	bits := 24
	if e.Sum == ir.Double {
		bits = 53
	}
	k := finest(e.Sum)
	for output := range e.Outputs {
		terms := []float64{math.Abs(e.BaseMargin[output])} // the largest of each
		for i := range e.Trees {
			values := leafValues(e, &e.Trees[i], output)
			if round != nil {
				values = mapped(values, round[i])
			}
			terms = append(terms, largest(values))
		}
		k = min(k, firstScale(e.Sum, largest(terms), bits))
		for !fit(terms, k, math.Ldexp(1, bits)) {
			k--
		}
	}
	return k
}

// fit reports whether the integers nearest to terms × 2^k have a sum of at most most,
// which is up to 2^53.
func fit(terms []float64, k int, most float64) bool {
	left := most
	for _, v := range terms {
		if left -= min(integer(v, k), 2*most); left < 0 {
			return false
		}
	}
	return true
}

// largestLeaf returns the largest absolute value of t's leaves.
func largestLeaf(e *ir.Ensemble, t *ir.Tree) float64 {
	most := 0.0
	for k := range e.Outputs {
		most = max(most, largest(leafValues(e, t, k)))
	}
	return most
}

// largest returns the largest absolute value.
func largest(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		most = max(most, math.Abs(v))
	}
	return most
}

// checkLeaves reports the first leaf for which Leaves has no number.
func (o Options) checkLeaves(e *ir.Ensemble) error {
	if o.Leaves == Kept {
		return nil
	}
	if o.Leaves != F16 && o.Leaves != BF16 {
		if err := checkFinite(e, o.Leaves); err != nil {
			return err
		}
	}
	round := o.rounding(e)
	for k, b := range e.BaseMargin {
		if r := round.base(b); !e.Sum.Holds(r) || math.IsInf(r, 0) && !math.IsInf(b, 0) {
			return fmt.Errorf("base margin %v of output %d is beyond the range of %v", b, k, o.Leaves)
		}
	}
	return eachLeaf(e, func(tree int, v float64) error {
		if r := round.leaf[tree](v); !e.Sum.Holds(r) || math.IsInf(r, 0) && !math.IsInf(v, 0) {
			return fmt.Errorf("leaf %v is beyond the range of %v%s", v, o.Leaves, wider(o.Leaves))
		}
		return nil
	})
}

// checkFinite reports the first infinite number, which is no multiple of anything.
func checkFinite(e *ir.Ensemble, f Format) error {
	for k, b := range e.BaseMargin {
		if f == Fixed && math.IsInf(b, 0) {
			return fmt.Errorf("base margin %v of output %d has no place on a grid", b, k)
		}
	}
	return eachLeaf(e, func(_ int, v float64) error {
		if math.IsInf(v, 0) {
			return fmt.Errorf("leaf %v has no place among scaled integers; use f16 or bf16", v)
		}
		return nil
	})
}

// eachLeaf calls f for each value of a leaf, up to the first error, of which it says where
// it is.
func eachLeaf(e *ir.Ensemble, f func(tree int, v float64) error) error {
	for i := range e.Trees {
		t := &e.Trees[i]
		for j := range t.Nodes {
			n := &t.Nodes[j]
			if !n.IsLeaf() {
				continue
			}
			for _, v := range e.LeafValues(t, n) {
				if err := f(i, v); err != nil {
					return &ir.NodeError{Tree: i, Node: j, Err: err}
				}
			}
		}
	}
	return nil
}
