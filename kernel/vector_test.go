//go:build amd64 && !purego

package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A vectorCase says what random models look like.
type vectorCase struct {
	name      string
	columns   int
	outputs   int
	trees     int
	depth     int     // of the deepest leaf possible
	full      int     // levels without leaves
	stop      float64 // how likely a node between these is a leaf
	vectors   bool
	oblivious bool
	run       int    // so many trees in turn add to one output; 0: one; -1: outputs are random
	sections  string // what newVector makes of it for float32
}

var vectorCases = append(vectorGrid(), []vectorCase{
	{name: "leaf", columns: 1, outputs: 1, trees: 5, sections: "tops"},
	{name: "leaves", columns: 1, outputs: 3, trees: 500, sections: "fetch fetch fetch"},
	{name: "stumps", columns: 3, outputs: 1, trees: 300, depth: 1, sections: "tops tops"},
	{name: "d2", columns: 64, outputs: 1, trees: 63, depth: 2, sections: "tops"},
	{name: "d3k2", columns: 65, outputs: 2, trees: 64, depth: 3, stop: 0.1, sections: "fetch"},
	{name: "d4", columns: 28, outputs: 1, trees: 101, depth: 4, stop: 0.1, sections: "tops"},
	{name: "d4 broad", columns: 150, outputs: 1, trees: 65, depth: 4, stop: 0.1, sections: "tops"},
	{name: "d4k3", columns: 128, outputs: 3, trees: 300, depth: 4, stop: 0.1, sections: "fetch fetch"},
	{name: "d5", columns: 129, outputs: 1, trees: 65, depth: 5, sections: "chain"},
	{name: "d6", columns: 28, outputs: 1, trees: 500, depth: 6, sections: "chain"},
	{name: "d6 one", columns: 28, outputs: 1, trees: 1, depth: 6, sections: "chain"},
	{name: "d6 nine", columns: 100, outputs: 1, trees: 9, depth: 6, sections: "chain"},
	{name: "d6 sparse", columns: 192, outputs: 1, trees: 300, depth: 6, stop: 0.2, sections: "chain"},
	{name: "d6k5", columns: 193, outputs: 5, trees: 333, depth: 6, stop: 0.1, run: -1, sections: "full full"},
	{name: "d6k3 runs", columns: 193, outputs: 3, trees: 100, depth: 6, run: 20, sections: "chain chain chain chain chain"},
	{name: "d7", columns: 256, outputs: 1, trees: 130, depth: 7, sections: "chain"},
	{name: "d8", columns: 128, outputs: 1, trees: 100, depth: 8, sections: "chain"},
	{name: "d8k7", columns: 54, outputs: 7, trees: 700, depth: 8, stop: 0.15, sections: "full full full"},
	{name: "d9", columns: 257, outputs: 1, trees: 90, depth: 9, sections: ""},
	{name: "d9 full", columns: 64, outputs: 1, trees: 90, depth: 9, sections: "full"},
	{name: "d11 broad", columns: 256, outputs: 1, trees: 20, depth: 11, stop: 0.1, sections: "full"},
	{name: "deep", columns: 30, outputs: 1, trees: 270, full: 4, depth: 25, stop: 0.45, sections: "shaped shaped"},
	{name: "deep k2", columns: 130, outputs: 2, trees: 100, full: 5, depth: 20, stop: 0.45, sections: "shaped"},
	{name: "deep broad", columns: 200, outputs: 1, trees: 99, full: 5, depth: 40, stop: 0.48, sections: "shaped"},
	{name: "one", columns: 30, outputs: 1, trees: 1, depth: 12, stop: 0.05, sections: "full"},
	{name: "vectors1", columns: 30, outputs: 1, trees: 30, depth: 6, stop: 0.1, vectors: true, sections: "full"},
	{name: "vectors16", columns: 30, outputs: 16, trees: 30, depth: 4, stop: 0.1, vectors: true, sections: "fetch"},
	{name: "vectors70", columns: 30, outputs: 70, trees: 257, depth: 7, stop: 0.1, vectors: true, sections: "full full"},
	{name: "k70", columns: 40, outputs: 70, trees: 280, depth: 5, stop: 0.1, sections: "full full"},
	{name: "oblivious6", columns: 40, outputs: 1, trees: 400, depth: 6, oblivious: true, sections: "tops tops"},
	{name: "oblivious8", columns: 140, outputs: 4, trees: 70, depth: 8, oblivious: true, sections: "fetch fetch"},
	{name: "oblivious3", columns: 90, outputs: 3, trees: 70, depth: 3, vectors: true, oblivious: true, sections: "fetch"},
	{name: "oblivious10", columns: 240, outputs: 1, trees: 70, depth: 10, oblivious: true, sections: "full"},
}...)

// vectorGrid returns a case for each kernel and each way in which it looks up ranks.
func vectorGrid() []vectorCase {
	var cases []vectorCase
	for _, columns := range []int{60, 110, 170, 240} {
		for outputs := 1; outputs <= 2; outputs++ {
			for depth := 1; depth <= 8; depth++ {
				c := vectorCase{depth: depth, sections: "tops"}
				if depth > maxTopLevels {
					c.sections = "chain"
				}
				cases = append(cases, c, vectorCase{depth: depth, oblivious: true, sections: "tops"})
			}
			cases = append(cases,
				vectorCase{depth: 9, sections: "full"}, vectorCase{depth: 10, stop: 0.1, sections: "full"},
				vectorCase{full: 5, depth: 20, stop: 0.45, sections: "shaped"})
			for i := range cases {
				if c := &cases[i]; c.columns == 0 {
					c.columns, c.outputs, c.trees = columns, outputs, 86+outputs
					c.name = fmt.Sprintf("%d columns, %d outputs, depth %d, oblivious %t", columns, outputs, c.depth, c.oblivious)
					if outputs > 1 {
						c.sections = strings.NewReplacer("tops", "fetch", "chain", "full").Replace(c.sections)
					}
				}
			}
		}
	}
	return cases
}

func (c vectorCase) model(r *rand.Rand) *Model {
	m := &Model{Features: c.columns, Outputs: c.outputs, Base: make([]float64, c.outputs)}
	for f := range c.columns {
		m.Columns = append(m.Columns, Column{Feature: int32(f), Bounds: []float64{0}})
	}
	for t := range c.trees {
		tree := Tree{Output: int32(t / max(c.run, 1) % c.outputs)}
		if c.run < 0 {
			tree.Output = int32(r.IntN(c.outputs))
		}
		if c.vectors {
			tree.Output, tree.Vectors = 0, []float64{}
		}
		level := make([]Node, c.depth)
		for d := range level {
			level[d] = c.split(r)
		}
		c.grow(r, &tree, level, 0)
		m.Trees = append(m.Trees, tree)
	}
	return m
}

func (c vectorCase) split(r *rand.Rand) Node {
	n := Node{Column: int32(r.IntN(c.columns)), Rank: byte(1 + r.IntN(255))}
	if r.IntN(8) == 0 {
		n.Rank = []byte{1, 2, 254, 255}[r.IntN(4)]
	}
	return n
}

// grow adds a node of depth d to t.
func (c vectorCase) grow(r *rand.Rand, t *Tree, level []Node, d int) int32 {
	i := int32(len(t.Nodes))
	if d == c.depth || d >= c.full && r.Float64() < c.stop {
		n := Node{Column: Leaf, Value: vectorValue(r)}
		if c.vectors {
			n.Vector = int32(len(t.Vectors) / c.outputs)
			for range c.outputs {
				t.Vectors = append(t.Vectors, vectorValue(r))
			}
		}
		t.Nodes = append(t.Nodes, n)
		return i
	}
	n := level[d]
	if !c.oblivious {
		n = c.split(r)
	}
	t.Nodes = append(t.Nodes, n)
	left := c.grow(r, t, level, d+1)
	right := c.grow(r, t, level, d+1)
	t.Nodes[i].Left, t.Nodes[i].Right = left, right
	return i
}

// vectorValue returns a float32 number, sometimes a zero of either sign.
func vectorValue(r *rand.Rand) float64 {
	if r.IntN(16) == 0 {
		return math.Copysign(0, float64(r.IntN(2))-0.5)
	}
	return float64(float32(r.NormFloat64()))
}

// fillVectorRanks fills a row; one in four has no 0 and no 255.
func fillVectorRanks(r *rand.Rand, ranks []byte) {
	missing := r.IntN(4) > 0
	for i := range ranks {
		ranks[i] = byte(1 + r.IntN(254))
		if missing && r.IntN(5) == 0 {
			ranks[i] = byte(-r.IntN(2))
		}
	}
}

func (c vectorCase) random() *rand.Rand {
	return rand.New(rand.NewPCG(uint64(c.trees), uint64(c.columns)))
}

// needVectors skips a test of what this processor cannot do.
func needVectors(t testing.TB) {
	if !ThisCPU().VBMI {
		t.Skip("this processor lacks AVX512_VBMI, or HEW_CPU says so")
	}
}

func TestVector(t *testing.T) {
	needVectors(t)
	for _, c := range vectorCases {
		t.Run(c.name, func(t *testing.T) {
			r := c.random()
			m := c.model(r)
			require.NoError(t, m.verify())
			require.Equal(t, c.sections, describeVector(newVector[float32](m, ThisCPU())))
			if c.sections != "" {
				requireVector[float32](t, r, m)
				requireVector[float64](t, r, m)
				toGrid(m, 127)
				require.True(t, newGrid[float32](m).exact)
				requireVector[float32](t, r, m)
				requireVector[float64](t, r, m)
			}
		})
	}
}

// describeVector names the forms of the sections of v.
func describeVector[Out Float](v *vector[Out]) string {
	if v == nil {
		return ""
	}
	var forms []string
	for i := range v.sections {
		switch s := &v.sections[i]; {
		case s.chain && s.steps == 0:
			forms = append(forms, "tops")
		case s.chain:
			forms = append(forms, "chain")
		case s.steps == 0:
			forms = append(forms, "fetch")
		case s.shaped:
			forms = append(forms, "shaped")
		default:
			forms = append(forms, "full")
		}
	}
	return strings.Join(forms, " ")
}

// requireVector compares a vector with naiveAdd on random rows, bit by bit, and
// sees to it that nothing beside the sums is written.
func requireVector[Out Float](t *testing.T, r *rand.Rand, m *Model) {
	t.Helper()
	v, g := newVector[Out](m, ThisCPU()), newGrid[Out](m)
	require.NotNil(t, v)
	const guard = 16
	for row := range 200 {
		ranks := make([]byte, 3+v.width)[r.IntN(3):][:v.width:v.width]
		fillVectorRanks(r, ranks)
		got := make([]Out, m.Outputs+2*guard)
		for i := range got {
			got[i] = Out(vectorValue(r))
		}
		want := append([]Out(nil), got...)
		if g.exact {
			for k := range m.Outputs {
				got[guard+k] = Out(int64((2*r.Float64()-1)*g.most/g.step)) * Out(g.step)
			}
			copy(want, got)
		}
		naiveAdd(want[guard:guard+m.Outputs], m, ranks)
		v.add(got[guard:guard+m.Outputs:guard+m.Outputs], ranks, g.exact)
		requireVectorBits(t, want, got, "row %d, output + %d", row, guard)
	}
}

func requireVectorBits[Out Float](t *testing.T, want, got []Out, format string, args ...any) {
	t.Helper()
	for i := range got {
		if math.Float64bits(float64(want[i])) != math.Float64bits(float64(got[i])) {
			require.Failf(t, "other bits", "%T %d: %v, not %v: %s", got[i], i, got[i], want[i], fmt.Sprintf(format, args...))
		}
	}
}

// Trees of which some have leaf vectors, some are shallow and some deep, in runs.
func TestVectorMixed(t *testing.T) {
	needVectors(t)
	r := rand.New(rand.NewPCG(5, 6))
	m := vectorCase{columns: 70, outputs: 3}.model(r)
	for _, c := range []vectorCase{
		{trees: 40, depth: 3, run: 40}, {trees: 10, depth: 5, vectors: true}, {trees: 50, depth: 6, run: 50},
		{trees: 20, depth: 12, stop: 0.1}, {trees: 6, depth: 2, vectors: true},
		{trees: 5, depth: 2, run: 5}, {trees: 1, vectors: true}, {trees: 17, depth: 7, oblivious: true, run: 17},
	} {
		c.columns, c.outputs = 70, 3
		m.Trees = append(m.Trees, c.model(r).Trees...)
	}
	require.NoError(t, m.verify())
	require.Equal(t, "tops full chain full full fetch fetch fetch tops", describeVector(newVector[float32](m, ThisCPU())))
	requireVector[float32](t, r, m)
	requireVector[float64](t, r, m)
}

func TestVectorRefuses(t *testing.T) {
	c := vectorCase{columns: 30, outputs: 1, trees: 3, depth: 6}
	m := c.model(c.random())
	require.Nil(t, newVector[float32](m, CPU{AVX2: true, AVX512: true}))

	needVectors(t)
	require.NotNil(t, newVector[float32](m, ThisCPU()))
	require.Nil(t, newVector[float32](&Model{Features: 1, Outputs: 1, Base: []float64{0}, Trees: m.Trees[:0]}, ThisCPU()))
	require.Nil(t, newVector[float32](&Model{Features: 1, Outputs: 1, Base: []float64{0}, Columns: m.Columns}, ThisCPU()))

	// A tree of which the blocks take more than 2 MB.
	c = vectorCase{columns: 30, outputs: 1, trees: 1, depth: 18}
	require.Nil(t, newVector[float64](c.model(c.random()), ThisCPU()))
	c.depth = 14
	m = c.model(c.random())
	requireVector[float64](t, c.random(), m)
}

func TestVectorPanicsOnShortRanks(t *testing.T) {
	needVectors(t)
	c := vectorCase{columns: 65, outputs: 1, trees: 100, depth: 6}
	v := newVector[float32](c.model(c.random()), ThisCPU())
	require.Panics(t, func() { v.add(make([]float32, 1), make([]byte, 127), false) })
}

func TestVectorAllocatesNothing(t *testing.T) {
	needVectors(t)
	for _, c := range vectorCases {
		m := c.model(c.random())
		v := newVector[float64](m, ThisCPU())
		if v == nil {
			continue
		}
		acc, ranks := make([]float64, m.Outputs), make([]byte, v.width)
		require.Zero(t, testing.AllocsPerRun(100, func() { v.add(acc, ranks, true) }), c.name)
	}
}

// vectorRows is the number of rows over which benchmarks go: the branch
// predictor learns a few rows by heart.
const vectorRows = 4096

func BenchmarkVector(b *testing.B) {
	for _, c := range []vectorCase{
		{name: "500x6", columns: 28, outputs: 1, trees: 500, depth: 6},
		{name: "100x4", columns: 28, outputs: 1, trees: 100, depth: 4},
		{name: "700x8x7", columns: 54, outputs: 7, trees: 700, depth: 8, stop: 0.15},
		{name: "2000x8", columns: 28, outputs: 1, trees: 2000, depth: 8, stop: 0.1},
		{name: "deep", columns: 54, outputs: 1, trees: 500, full: 4, depth: 30, stop: 0.42},
		{name: "oblivious", columns: 28, outputs: 1, trees: 500, depth: 6, oblivious: true},
	} {
		m := c.model(c.random())
		b.Run(fmt.Sprintf("model=%s/sum=float32", c.name), func(b *testing.B) { benchmarkVector[float32](b, m) })
		b.Run(fmt.Sprintf("model=%s/sum=float64", c.name), func(b *testing.B) { benchmarkVector[float64](b, m) })
	}
}

func benchmarkVector[Out Float](b *testing.B, m *Model) {
	needVectors(b)
	v := newVector[Out](m, ThisCPU())
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([][]byte, vectorRows)
	for i := range rows {
		rows[i] = aligned[byte](v.width)
		fillVectorRanks(r, rows[i])
	}
	acc := make([]Out, m.Outputs)
	for i := 0; b.Loop(); i++ {
		v.add(acc, rows[i%vectorRows], false)
	}
}
