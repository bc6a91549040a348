package nodiff

import (
	"math"
	"math/rand/v2"

	"hew/ir"
)

// A probe is a value of one feature that a row is to hold.
type probe struct {
	feature int
	value   float32
}

// Rows returns n rows for e, row-major, the same for the same arguments.
//
// First come the boundary rows: for each feature, each bound of e, both its
// neighbours, and the special values, on a row that is otherwise random; if there
// are more than n, a random choice of them. Then, by turns, rows led to a random
// node of a random tree by values at the thresholds on the way, and rows of
// random values.
func Rows(e *ir.Ensemble, n int, seed uint64) []float32 {
	g := newRowMaker(e, seed)
	probes := g.probes()
	if len(probes) > n {
		g.rand.Shuffle(len(probes), func(i, j int) { probes[i], probes[j] = probes[j], probes[i] })
		probes = probes[:n]
	}
	w := len(e.Features)
	x := make([]float32, n*w)
	for i := range n {
		row := x[i*w : (i+1)*w]
		g.fill(row)
		switch {
		case i < len(probes):
			row[probes[i].feature] = probes[i].value
		case i%2 == 0 && len(e.Trees) > 0:
			g.lead(row)
		}
	}
	return x
}

// NumBoundaryRows returns the number of boundary rows that Rows makes for e if n
// permits.
func NumBoundaryRows(e *ir.Ensemble) int { return len(newRowMaker(e, 0).probes()) }

type rowMaker struct {
	e      *ir.Ensemble
	rand   *rand.Rand
	bounds [][]float64
	codes  []bool // whether the feature holds category codes
	led    []bool // scratch of lead
}

func newRowMaker(e *ir.Ensemble, seed uint64) *rowMaker {
	g := &rowMaker{
		e:      e,
		rand:   rand.New(rand.NewPCG(seed, 1)),
		bounds: e.Bounds(),
		codes:  make([]bool, len(e.Features)),
		led:    make([]bool, len(e.Features)),
	}
	for j := range e.Features {
		g.codes[j] = e.Features[j].Type == ir.Categorical
	}
	for i := range e.Trees {
		for _, n := range e.Trees[i].Nodes {
			if !n.IsLeaf() && n.Set != ir.NoSet {
				g.codes[n.Feature] = true
			}
		}
	}
	return g
}

var (
	inf   = float32(math.Inf(1))
	nan   = float32(math.NaN())
	edges = []float32{0, float32(math.Copysign(0, -1)), inf, -inf,
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32}

	// NaNs differ in sign and payload: x86 makes negative ones.
	special = append([]float32{nan, math.Float32frombits(0xffc00000), math.Float32frombits(0xff800001)}, edges...)

	// Codes that no category has: fractions, negative ones, and those around
	// 1<<24, where XGBoost's categories end (common/categorical.h).
	oddCodes = []float32{0.5, -0.5, -1, 2.7, 16777215, 16777216, 16777218}
)

// probes returns the values that the boundary rows hold.
func (g *rowMaker) probes() []probe {
	var probes []probe
	for j := range g.e.Features {
		add := func(values ...float32) {
			for _, v := range values {
				probes = append(probes, probe{j, v})
			}
		}
		for _, b := range g.bounds[j] {
			add(beside(b)...)
		}
		add(special...)
		if g.codes[j] {
			add(oddCodes...)
			if b := g.bounds[j]; len(b) > 0 {
				add(float32(b[len(b)-1])+1, float32(b[len(b)-1])+0.5) // not seen in training
			}
		}
	}
	return probes
}

// beside returns bound b and its neighbours.
func beside(b float64) []float32 {
	v := float32(b)
	return []float32{math.Nextafter32(v, -inf), v, math.Nextafter32(v, inf)}
}

// fill writes random values to row.
func (g *rowMaker) fill(row []float32) {
	for j := range row {
		row[j] = g.value(j)
	}
}

// value returns a random value of feature j, mostly at or between its bounds.
func (g *rowMaker) value(j int) float32 {
	bounds := g.bounds[j]
	switch kind := g.rand.IntN(16); {
	case kind == 0:
		return nan
	case kind == 1:
		return special[g.rand.IntN(len(special))]
	case kind == 2:
		return math.Float32frombits(g.rand.Uint32())
	case kind == 3 && g.codes[j]:
		return oddCodes[g.rand.IntN(len(oddCodes))]
	case kind <= 4 || len(bounds) == 0:
		return float32(g.rand.NormFloat64() * 3)
	case kind <= 9:
		b, c := bounds[g.rand.IntN(len(bounds))], bounds[g.rand.IntN(len(bounds))]
		if b == c {
			return float32(b + g.rand.NormFloat64())
		}
		return float32(b + (c-b)*g.rand.Float64())
	default:
		return beside(bounds[g.rand.IntN(len(bounds))])[g.rand.IntN(3)]
	}
}

// lead sets values of row so that it reaches a random node of a random tree,
// close to the tests on the way where it can be.
func (g *rowMaker) lead(row []float32) {
	clear(g.led)
	t := &g.e.Trees[g.rand.IntN(len(g.e.Trees))]
	for n := &t.Nodes[0]; !n.IsLeaf(); {
		if !g.led[n.Feature] {
			g.led[n.Feature] = true
			row[n.Feature] = g.test(n)
		}
		if g.rand.IntN(8) == 0 {
			return
		}
		n = &t.Nodes[g.next(n, row[n.Feature])]
	}
}

// test returns a value at which the test of n changes its answer, or a neighbour
// of it, or a missing one.
func (g *rowMaker) test(n *ir.Node) float32 {
	if g.rand.IntN(8) == 0 {
		return nan
	}
	b := n.Threshold
	if n.Set != ir.NoSet {
		set := g.e.Sets[n.Set]
		if len(set) == 0 {
			return 0
		}
		b = set[g.rand.IntN(len(set))]
	}
	return beside(b)[g.rand.IntN(3)]
}

// next returns the child to which n sends x.
func (g *rowMaker) next(n *ir.Node, x float32) int32 {
	left := float64(x) < n.Threshold
	if n.Set != ir.NoSet {
		left = g.e.Sets[n.Set].Contains(float64(x))
	}
	if x != x {
		left = n.DefaultLeft
	}
	if left {
		return n.Left
	}
	return n.Right
}
