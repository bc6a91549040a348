package kernel

import (
	"math"
	"math/bits"
	"unsafe"
)

// A grid says when sums do not depend on the order of trees.
//
// They do not if leaf values and base margins are multiples of a power of two, and so
// few of it that no sum of some of them has more bits than Out: then no addition
// rounds. Leaves and base margins are like that if they were rounded on purpose.
type grid struct {
	exact bool    // with the model's own base margins
	any   bool    // with any base margins: they are added last
	unit  float64 // leaf values are multiples of it
	step  float64 // base margins must be multiples of it, a unit or less
	most  float64 // and not larger than this
}

// maxGridExponent bounds the exponents of units and steps, so that multiples of them are
// neither too large nor too small for a float32.
const maxGridExponent = 100

func newGrid[Out Float](m *Model) grid {
	far, unit := make([]float64, m.Outputs), math.MaxInt // the largest sum of each output's leaf values
	for i := range m.Trees {
		first, end := m.Trees[i].outputs(m)
		for k := first; k < end; k++ {
			low, high, exponent := leafRange[Out](m, &m.Trees[i], k)
			far[k], unit = far[k]+max(-low, high, 0), min(unit, exponent)
		}
	}
	reach, sum := 0.0, 0.0 // of any output, without and with the base
	base := make([]Out, m.Outputs)
	for k := range base {
		base[k] = Out(m.Base[k])
		reach, sum = max(reach, far[k]), max(sum, far[k]+math.Abs(float64(base[k])))
	}
	if m.BaseLast {
		sum = reach
	}
	limit := float64(1 << 24)
	if unsafe.Sizeof(*new(Out)) == 8 {
		limit = 1<<53 - 1 // here reach itself may have been rounded
	}
	step := math.Ilogb(sum / limit)
	if sum == 0 {
		step = -maxGridExponent
	} else if math.Ldexp(limit, step) < sum {
		step++
	}
	unit = min(unit, maxGridExponent) // MaxInt if there are no leaves but zeros
	if step < -maxGridExponent || step > unit {
		return grid{}
	}
	g := grid{any: m.BaseLast, unit: math.Ldexp(1, unit), step: math.Ldexp(1, step), most: math.Inf(1)}
	g.exact = holds(g, base)
	g.most = math.Ldexp(limit, step) - reach
	return g
}

// holds reports whether sums from the given base margins are exact, if any are. A base
// of −0 is none of the grid: whether a sum is −0 in the end would depend on the leaves.
func holds[Out Float](g grid, base []Out) bool {
	if g.any {
		return true
	}
	inverse := 1 / g.step
	for _, b := range base {
		v := float64(b)
		if !(math.Abs(v) <= g.most) || v*inverse != math.Trunc(v*inverse) || v == 0 && math.Signbit(v) {
			return false
		}
	}
	return true
}

// outputs returns the outputs to which t adds: from the first to before the end.
func (t *Tree) outputs(m *Model) (first, end int) {
	if t.Vectors == nil {
		return int(t.Output), int(t.Output) + 1
	}
	return 0, m.Outputs
}

// leafRange returns the least and the greatest of the values that t adds to one of its
// outputs, and the exponent of the lowest bit that is set in any of them: MaxInt if all are
// 0, MinInt if one is not finite.
func leafRange[Out Float](m *Model, t *Tree, output int) (low, high float64, exponent int) {
	low, high, exponent = math.Inf(1), math.Inf(-1), math.MaxInt
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.IsLeaf() {
			v := float64(leafValue[Out](m, t, n, output))
			low, high, exponent = min(low, v), max(high, v), min(exponent, lowestBit(v))
		}
	}
	return low, high, exponent
}

// leafValue returns what leaf n of t adds to an output.
func leafValue[Out Float](m *Model, t *Tree, n *Node, output int) Out {
	if t.Vectors == nil {
		return Out(n.Value)
	}
	return Out(t.Vectors[int(n.Vector)*m.Outputs+output])
}

// lowestBit returns the exponent of the lowest bit that is set in v.
func lowestBit(v float64) int {
	switch {
	case v == 0:
		return math.MaxInt
	case math.IsInf(v, 0) || v != v:
		return math.MinInt
	}
	fraction, exponent := math.Frexp(v)
	return exponent - 53 + bits.TrailingZeros64(uint64(int64(math.Ldexp(fraction, 53))))
}
