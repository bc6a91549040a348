package nodiff

import (
	"math"
	"math/rand/v2"
	"slices"

	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// Rows returns n rows for e, row-major, in the type in which e compares; they are
// the same for the same arguments.
//
// First come the boundary rows: for each feature, each bound of e, both its
// neighbours, and the special values, on a row that is otherwise random; if there
// are more than n, a random choice of them. Then, by turns, rows led to a random
// node of a random tree by values at the thresholds on the way, and rows of
// random values. Where splits test columns, the bounds of a feature are its values at
// which one of its columns crosses a bound, wherever that is.
func Rows(e *ir.Ensemble, n int, seed uint64) predict.Values {
	if e.Input == ir.Double {
		return predict.Values{F64: newRowMaker[float64](e, seed).rows(n)}
	}
	return predict.Values{F32: newRowMaker[float32](e, seed).rows(n)}
}

// Rows64 is Rows with values as float64 numbers.
func Rows64(e *ir.Ensemble, n int, seed uint64) []float64 {
	x := Rows(e, n, seed)
	if x.F64 != nil {
		return x.F64
	}
	wide := make([]float64, len(x.F32))
	for i, v := range x.F32 {
		wide[i] = float64(v)
	}
	return wide
}

// NumBoundaryRows returns the number of boundary rows that Rows and Rows64 make
// for e if n permits.
func NumBoundaryRows(e *ir.Ensemble) int {
	if e.Input == ir.Double {
		return len(newRowMaker[float64](e, 0).probes())
	}
	return len(newRowMaker[float32](e, 0).probes())
}

// A probe is a value of one feature that a row is to hold.
type probe[F float] struct {
	feature int
	value   F
}

func (g *rowMaker[F]) rows(n int) []F {
	probes := g.probes()
	if len(probes) > n {
		g.rand.Shuffle(len(probes), func(i, j int) { probes[i], probes[j] = probes[j], probes[i] })
		probes = probes[:n]
	}
	w := len(g.e.Features)
	x := make([]F, n*w)
	for i := range n {
		row := x[i*w : (i+1)*w]
		g.fill(row)
		switch {
		case i < len(probes):
			row[probes[i].feature] = g.possible(probes[i].feature, probes[i].value)
		case i%2 == 0 && len(g.e.Trees) > 0:
			g.lead(row)
		}
	}
	return x
}

// A rowMaker makes rows for an ensemble that compares in type F.
type rowMaker[F float] struct {
	e       *ir.Ensemble
	rand    *rand.Rand
	tests   [][]float64 // of each column, the bounds of its splits
	bounds  [][]float64 // of each feature, where something happens
	derived *derived[F]
	special []F
	codes   []bool // whether the feature holds category codes
	led     []bool // scratch of lead
}

func newRowMaker[F float](e *ir.Ensemble, seed uint64) *rowMaker[F] {
	tests := e.Bounds()
	g := &rowMaker[F]{
		e:       e,
		rand:    rand.New(rand.NewPCG(seed, 1)),
		tests:   tests,
		derived: derive[F](e, tests),
		special: append(nans[F](), edges[F]()...),
		led:     make([]bool, len(e.Features)),
	}
	g.bounds, g.codes = g.derived.features, g.derived.codes
	if e.Columns == nil && !e.NeedsRow() {
		g.bounds = g.tests
	}
	for j := range e.Features {
		g.codes[j] = g.codes[j] || e.Features[j].Type == ir.Categorical
	}
	for i := range e.Trees {
		for _, n := range e.Trees[i].Nodes {
			if !n.IsLeaf() && n.Set != ir.NoSet {
				g.codes[g.feature(&n)] = true
			}
		}
	}
	return g
}

// feature returns the feature that the test of n depends on.
func (g *rowMaker[F]) feature(n *ir.Node) int {
	if g.e.Columns == nil {
		return int(n.Feature)
	}
	return int(g.e.Columns[n.Feature].Feature)
}

// oddCodes are codes that no category has: fractions, negative ones, and those
// around 1<<24, where XGBoost's categories end (common/categorical.h).
var oddCodes = []float64{0.5, -0.5, -1, 2.7, 16777215, 16777216, 16777218}

// probes returns the values that the boundary rows hold.
func (g *rowMaker[F]) probes() []probe[F] {
	var probes []probe[F]
	for j := range g.e.Features {
		add := func(values ...F) {
			for _, v := range values {
				probes = append(probes, probe[F]{j, v})
			}
		}
		for _, b := range g.bounds[j] {
			add(beside(F(b))...)
		}
		add(g.special...)
		if g.codes[j] {
			for _, c := range oddCodes {
				add(F(c))
			}
			if b := g.bounds[j]; len(b) > 0 {
				add(F(b[len(b)-1])+1, F(b[len(b)-1])+0.5) // not seen in training
			}
		}
	}
	return probes
}

// fill writes random values to row.
func (g *rowMaker[F]) fill(row []F) {
	for j := range row {
		row[j] = g.possible(j, g.value(j))
	}
}

// possible returns x, or a code near it if the feature has nothing but codes.
func (g *rowMaker[F]) possible(j int, x F) F {
	low, end, ok := g.e.Features[j].Codes()
	if !ok || x != x {
		return x
	}
	return F(math.Floor(min(max(float64(x), float64(low)), float64(end-1))))
}

// value returns a random value of feature j, mostly at or between its bounds.
func (g *rowMaker[F]) value(j int) F {
	bounds := g.bounds[j]
	switch kind := g.rand.IntN(16); {
	case kind == 0:
		return nan[F]()
	case kind == 1:
		return draw(g.rand, g.special)
	case kind == 2:
		return anyBits[F](g.rand)
	case kind == 3 && g.codes[j]:
		return F(draw(g.rand, oddCodes))
	case kind <= 4 || len(bounds) == 0:
		return F(g.rand.NormFloat64() * 3)
	case kind <= 9:
		b, c := draw(g.rand, bounds), draw(g.rand, bounds)
		if b == c {
			return F(b + g.rand.NormFloat64())
		}
		return F(b + (c-b)*g.rand.Float64())
	default:
		return draw(g.rand, beside(F(draw(g.rand, bounds))))
	}
}

// lead sets values of row so that it reaches a random node of a random tree,
// close to the tests on the way where it can be.
func (g *rowMaker[F]) lead(row []F) {
	clear(g.led)
	t := &g.e.Trees[g.rand.IntN(len(g.e.Trees))]
	for n := &t.Nodes[0]; !n.IsLeaf(); {
		if j := g.feature(n); !g.led[j] {
			g.led[j] = true
			row[j] = g.possible(j, g.test(n))
		}
		if g.rand.IntN(8) == 0 {
			return
		}
		n = &t.Nodes[g.next(n, row)]
	}
}

// test returns a value at which the test of n changes its answer, or a neighbour
// of it, or a missing one.
func (g *rowMaker[F]) test(n *ir.Node) F {
	if g.rand.IntN(8) == 0 {
		return nan[F]()
	}
	b := n.Threshold
	if n.Set != ir.NoSet {
		set := g.e.Sets[n.Set]
		if len(set) == 0 {
			return 0
		}
		b = draw(g.rand, set)
	}
	if g.e.Columns == nil {
		return draw(g.rand, beside(F(b)))
	}
	bound, _ := slices.BinarySearch(g.tests[n.Feature], b)
	if at := g.derived.at(n.Feature, bound); len(at) > 0 {
		return draw(g.rand, beside(draw(g.rand, at).value))
	}
	return g.value(g.feature(n)) // the column never gets there
}

// next returns the child to which n sends row.
func (g *rowMaker[F]) next(n *ir.Node, row []F) int32 {
	var x F
	if g.e.Columns == nil {
		x = row[n.Feature]
	} else {
		x = F(interp.Column(&g.e.Columns[n.Feature], row))
	}
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
