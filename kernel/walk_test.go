package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A walkCase describes random models.
type walkCase struct {
	name             string
	outputs, columns int
	vectors          func(tree int) bool
	trees            []walkGrowth
	maxNodes         int  // in a group
	zeros            bool // all values are −0
}

// A walkGrowth grows a tree: it says whether the node at the given depth is split
// and whether each of its children may be.
type walkGrowth func(r *rand.Rand, depth int) (split, left, right bool)

func walkComplete(levels int) walkGrowth {
	return func(_ *rand.Rand, depth int) (bool, bool, bool) { return depth < levels, true, true }
}

func walkRandom(share float64, levels int) walkGrowth {
	return func(r *rand.Rand, depth int) (bool, bool, bool) {
		return depth < levels && (depth < 3 || r.Float64() < share), true, true
	}
}

// walkCaterpillar goes on at one side, which side 0 or 1 states, 2 leaves to chance.
func walkCaterpillar(levels, side int) walkGrowth {
	return func(r *rand.Rand, depth int) (bool, bool, bool) {
		s := side
		if s == 2 {
			s = r.IntN(2)
		}
		return depth < levels, s == 0, s == 1
	}
}

// walkMix repeats each of the shapes n times, in a random order.
func walkMix(r *rand.Rand, n int, shapes ...walkGrowth) []walkGrowth {
	var all []walkGrowth
	for range n {
		all = append(all, shapes...)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func walkCases() []walkCase {
	r := rand.New(rand.NewPCG(1, 2))
	leaf, stump := walkComplete(0), walkComplete(1)
	mix := walkMix(r, 3, leaf, stump, walkComplete(3), walkComplete(6), walkRandom(0.8, 8), walkRandom(0.55, 60), walkCaterpillar(20, 2))
	none := func(int) bool { return false }
	all := func(int) bool { return true }
	cases := []walkCase{
		{name: "no trees", outputs: 2, columns: 3, vectors: none},
		{name: "leaves", outputs: 1, columns: 1, vectors: none, trees: walkMix(r, 30, leaf)},
		{name: "leaves, no columns", outputs: 3, vectors: none, trees: walkMix(r, 30, leaf)},
		{name: "stumps", outputs: 1, columns: 1, vectors: none, trees: walkMix(r, 50, stump)},
		{name: "boosted", outputs: 1, columns: 28, vectors: none, trees: walkMix(r, 100, walkComplete(6))},
		{name: "nearly complete", outputs: 1, columns: 64, vectors: none, trees: walkMix(r, 60, walkRandom(0.97, 6))},
		{name: "classes", outputs: 7, columns: 65, vectors: none, trees: walkMix(r, 70, walkRandom(0.9, 8))},
		{name: "forest", outputs: 7, columns: 135, vectors: all, trees: walkMix(r, 30, walkRandom(0.65, 22))},
		{name: "one deep tree", outputs: 1, columns: 9, vectors: none, trees: []walkGrowth{walkRandom(0.6, 30)}},
		{name: "caterpillars", outputs: 1, columns: 300, vectors: none, trees: walkMix(r, 20, walkCaterpillar(1000, 0), walkCaterpillar(1000, 1), walkCaterpillar(1000, 2))},
		{name: "longer than assembly walks", outputs: 2, columns: 300, vectors: none, trees: slices.Concat(walkMix(r, 12, stump), []walkGrowth{walkCaterpillar(walkAsmSteps+1, 0)}, walkMix(r, 13, stump))},
		{name: "mixed", outputs: 3, columns: 2000, vectors: func(t int) bool { return t/5%2 == 0 }, trees: mix},
		{name: "70 outputs", outputs: 70, columns: 200, vectors: func(t int) bool { return t%3 == 0 }, trees: mix},
		{name: "wide", outputs: 1, columns: 100, vectors: none, trees: walkMix(r, 1, walkComplete(16), walkComplete(15), walkCaterpillar(50, 2))},
		{name: "wide vectors", outputs: 2, columns: 100, vectors: all, trees: walkMix(r, 2, walkComplete(16), walkCaterpillar(50, 2))},
		{name: "many outputs", outputs: 1000, columns: 10, vectors: all, trees: walkMix(r, 3, stump, walkRandom(0.6, 10))},
		{name: "small groups", outputs: 1, columns: 40, vectors: none, trees: mix, maxNodes: 300},
		{name: "small groups of vectors", outputs: 4, columns: 40, vectors: all, trees: mix, maxNodes: 300},
	}
	for _, outputs := range []int{1, 2} {
		cases = append(cases, walkCase{name: fmt.Sprint("zeros, ", outputs, " outputs"), outputs: outputs, columns: 5, vectors: all, trees: walkMix(r, 1, stump, walkRandom(0.6, 20)), zeros: true})
		cases = append(cases, walkCase{name: fmt.Sprint("even zeros, ", outputs, " outputs"), outputs: outputs, columns: 5, vectors: all, trees: walkMix(r, 1, stump, walkComplete(3)), zeros: true})
	}
	for n := 1; n <= 2*walkMaxLanes+1; n++ {
		cases = append(cases, walkCase{name: fmt.Sprint(n, " trees"), outputs: 1, columns: n, vectors: none, trees: walkMix(r, n, walkRandom(0.75, 4+n%3*6))})
	}
	return cases
}

func (c *walkCase) model(r *rand.Rand) *Model {
	m := &Model{Features: max(c.columns, 1), Outputs: c.outputs, Base: make([]float64, c.outputs), Columns: make([]Column, c.columns)}
	for i, shape := range c.trees {
		m.Trees = append(m.Trees, c.tree(r, shape, c.vectors(i)))
	}
	return m
}

func (c *walkCase) tree(r *rand.Rand, shape walkGrowth, vectors bool) Tree {
	t := Tree{}
	if vectors {
		t.Vectors = []float64{}
	} else {
		t.Output = int32(r.IntN(c.outputs))
	}
	type place struct {
		depth int
		may   bool
	}
	places := []place{{0, true}}
	for i := 0; i < len(places); i++ {
		split, left, right := shape(r, places[i].depth)
		if split && places[i].may {
			n := int32(len(places))
			t.Nodes = append(t.Nodes, Node{Column: int32(r.IntN(c.columns)), Rank: uint8(1 + r.IntN(255)), Left: n, Right: n + 1})
			places = append(places, place{places[i].depth + 1, left}, place{places[i].depth + 1, right})
			continue
		}
		leaf := Node{Column: Leaf, ID: int32(r.Uint32()), Value: c.value(r)}
		if vectors {
			leaf.Vector = c.vector(r, &t)
		}
		t.Nodes = append(t.Nodes, leaf)
	}
	return t
}

// vector returns the number of a leaf's vector in t: often one that others have.
func (c *walkCase) vector(r *rand.Rand, t *Tree) int32 {
	n := len(t.Vectors) / c.outputs
	if n > 0 && r.IntN(3) == 0 {
		return int32(r.IntN(n))
	}
	for range c.outputs {
		t.Vectors = append(t.Vectors, c.value(r))
	}
	return int32(n)
}

// value returns a number whose sums depend on their order, or a special one.
func (c *walkCase) value(r *rand.Rand) float64 {
	switch {
	case c.zeros, r.IntN(40) == 0:
		return math.Copysign(0, -1)
	case r.IntN(40) == 0:
		return 0
	}
	return float64(float32(r.NormFloat64() * math.Exp2(float64(r.IntN(20)))))
}

// rows returns the ranks of rows, of which many are next to those of splits.
func (c *walkCase) rows(r *rand.Rand, m *Model, rows, stride int) []byte {
	ranks := make([]byte, rows*stride)
	for i := range ranks {
		ranks[i] = byte(r.IntN(256))
		switch r.IntN(8) {
		case 0:
			ranks[i] = 0
		case 1:
			ranks[i] = 255
		}
	}
	for c := range m.Columns { // always left, always right
		ranks[c], ranks[stride+c] = 0, 255
	}
	for t := range m.Trees {
		for j := range min(len(m.Trees[t].Nodes), 50) {
			if n := &m.Trees[t].Nodes[j]; !n.IsLeaf() {
				ranks[(2+r.IntN(rows-2))*stride+int(n.Column)] = n.Rank - byte(r.IntN(2))
			}
		}
	}
	return ranks
}

var walkCPUs = map[string]CPU{"generic": Generic, "avx2": ThisCPU().limit("avx2"), "this": ThisCPU()}

func TestWalk(t *testing.T) {
	for _, c := range walkCases() {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(len(c.name))))
			m := c.model(r)
			require.NoError(t, m.verify())
			for name, cpu := range walkCPUs {
				t.Run(name+"/32", func(t *testing.T) { testWalk[float32](t, &c, m, cpu) })
				t.Run(name+"/64", func(t *testing.T) { testWalk[float64](t, &c, m, cpu) })
			}
		})
	}
}

// testWalk compares all that a walk does with naiveWalk and sums in order.
func testWalk[Out Float](t *testing.T, c *walkCase, m *Model, cpu CPU) {
	r := rand.New(rand.NewPCG(4, 5))
	const rows = 83
	stride := (len(m.Columns) + line - 1) &^ (line - 1)
	ranks := c.rows(r, m, rows, stride)
	maxNodes := walkMaxNodes
	if c.maxNodes > 0 {
		maxNodes = c.maxNodes
	}
	w := newWalkLimited[Out](m, cpu, maxNodes)
	testWalkBounds(t, w, maxNodes)
	w.block = min(w.block, 40)
	walkFence(t, w)
	start := make([]Out, rows*m.Outputs)
	for i := range start {
		start[i] = Out(c.value(r))
	}
	want := append([]Out(nil), start...)
	row := walkFenced(t, make([]byte, stride))
	for i := range rows {
		copy(row, ranks[i*stride:])
		naiveAdd(want[i*m.Outputs:][:m.Outputs], m, row)
		acc := append([]Out{12345}, start[i*m.Outputs:][:m.Outputs]...)
		acc = append(acc, 12345)
		w.row(acc[1:][:m.Outputs:m.Outputs], row)
		walkSame(t, want[i*m.Outputs:][:m.Outputs], acc[1:][:m.Outputs])
		require.Equal(t, []Out{12345, 12345}, []Out{acc[0], acc[m.Outputs+1]})
		testWalkIDs(t, m, w, row)
	}
	s := w.scratch()
	s.tiles, s.at, s.sums = walkFenced(t, s.tiles), walkFenced(t, s.at), walkFenced(t, s.sums.([]Out))
	ranks = walkFenced(t, ranks)
	for _, n := range []int{0, 1, 7, 8, 9, 40, 41, rows} {
		testWalkRows(t, m, w, n, ranks[(rows-n)*stride:], stride, start[(rows-n)*m.Outputs:], want[(rows-n)*m.Outputs:], s)
	}
}

// testWalkBounds holds that groups are not too large and calls not too long.
func testWalkBounds[Out Float](t *testing.T, w *walk[Out], maxNodes int) {
	for i := range w.groups {
		end := len(w.nodes)
		if i+1 < len(w.groups) {
			end = w.groups[i+1].nodes
		}
		require.LessOrEqual(t, end-w.groups[i].nodes, (maxNodes+7)&^7)
	}
	next := 0
	for _, r := range w.runs {
		require.Equal(t, next, r.first)
		next += r.n
		steps := 0
		for _, g := range w.groups[r.first:next] {
			steps += g.most
		}
		if r.asm {
			require.LessOrEqual(t, steps, walkAsmSteps)
		}
	}
	require.Len(t, w.groups, next)
}

// walkFence moves the tables of w to where reading beyond them is fatal.
func walkFence[Out Float](t *testing.T, w *walk[Out]) {
	w.units, w.nodes = walkFenced(t, w.units), walkFenced(t, w.nodes)
	w.values, w.vectors, w.wide = walkFenced(t, w.values), walkFenced(t, w.vectors), walkFenced(t, w.wide)
}

func testWalkIDs[Out Float](t *testing.T, m *Model, w *walk[Out], row []byte) {
	n := len(m.Trees)
	got := make([]int32, n+1)
	got[n] = 12345
	w.ids(got[:n:n], row)
	for k := range n {
		require.Equal(t, naiveWalk(&m.Trees[k], row).ID, got[k], k)
	}
	require.EqualValues(t, 12345, got[n])
}

// testWalkRows walks the first rows through the trees in two parts.
func testWalkRows[Out Float](t *testing.T, m *Model, w *walk[Out], rows int, ranks []byte, stride int, start, want []Out, s *walkScratch) {
	outputs := m.Outputs
	accStride := rows + 3
	acc := make([]Out, outputs*accStride+1)
	for i := range acc {
		acc[i] = 12345
	}
	for i := range rows {
		for k := range outputs {
			acc[1+k*accStride+i] = start[i*outputs+k]
		}
	}
	part := len(m.Trees) / 3
	w.rows(acc[1:], accStride, ranks, stride, rows, 0, part, s)
	w.rows(acc[1:], accStride, ranks, stride, rows, part, len(m.Trees), s)
	got := make([]Out, rows*outputs)
	for i := range rows {
		for k := range outputs {
			at := 1 + k*accStride + i
			got[i*outputs+k], acc[at] = acc[at], 12345
		}
	}
	walkSame(t, want[:rows*outputs], got)
	for i := range acc {
		require.EqualValues(t, 12345, acc[i], "outside of rows")
	}
}

func walkSame[Out Float](t *testing.T, want, got []Out) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if math.Float64bits(float64(want[i])) != math.Float64bits(float64(got[i])) {
			require.Failf(t, "other bits", "value %d: %v, not %v", i, got[i], want[i])
		}
	}
}
