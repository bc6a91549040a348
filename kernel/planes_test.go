package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A planeShape says which leaf of a tree is split next, of those that are there.
type planeShape func(r *rand.Rand, leaves int) int

// The shapes of trees that trainers grow, and the worst ones.
var planeShapes = map[string]planeShape{
	"complete": func(*rand.Rand, int) int { return 0 }, // the oldest leaf
	"left":     func(_ *rand.Rand, n int) int { return max(n-2, 0) },
	"right":    func(_ *rand.Rand, n int) int { return n - 1 },
	"zigzag":   func(_ *rand.Rand, n int) int { return max(n-1-n&1, 0) },
	"leafwise": func(r *rand.Rand, n int) int { return max(r.IntN(n), r.IntN(n), r.IntN(n)) },
	"random":   func(r *rand.Rand, n int) int { return r.IntN(n) },
}

// A planeCase is a kind of random model.
type planeCase struct {
	shape   string // of trees, or "levels" for the same split at all nodes of a depth
	trees   int
	leaves  [2]int // from, to
	columns int
	ranks   int
	outputs int
	vectors bool
}

func (c planeCase) String() string {
	return fmt.Sprintf("%s/trees=%d/leaves=%d-%d/columns=%d/ranks=%d/outputs=%d/vectors=%t",
		c.shape, c.trees, c.leaves[0], c.leaves[1], c.columns, c.ranks, c.outputs, c.vectors)
}

// model returns a random model of the kind.
func (c planeCase) model(r *rand.Rand) *Model {
	m := &Model{Features: c.columns, Outputs: c.outputs, Base: make([]float64, c.outputs)}
	bounds := make([]float64, c.ranks)
	for i := range bounds {
		bounds[i] = float64(i)
	}
	for f := range c.columns {
		m.Columns = append(m.Columns, Column{Feature: int32(f), Bounds: bounds})
	}
	for range c.trees {
		t := Tree{Nodes: c.nodes(r), Output: r.Int32N(int32(c.outputs))}
		if c.vectors {
			t.Output = 0
		}
		leaves := int32(0)
		for i := range t.Nodes {
			if n := &t.Nodes[i]; n.IsLeaf() {
				n.Value, n.Vector = r.NormFloat64(), leaves
				leaves++
			}
		}
		for range int(leaves) * c.outputs {
			if c.vectors {
				t.Vectors = append(t.Vectors, r.NormFloat64())
			}
		}
		m.Trees = append(m.Trees, t)
	}
	return m
}

// nodes returns the nodes of a tree, whose leaves have no values yet.
func (c planeCase) nodes(r *rand.Rand) []Node {
	next, levels := planeShapes[c.shape], make([]Node, 10)
	for i := range levels {
		levels[i] = c.split(r)
	}
	if next == nil {
		next = planeShapes["complete"]
	}
	type leaf struct {
		node  int32
		depth int
	}
	nodes, open := []Node{{Column: Leaf}}, []leaf{{0, 0}}
	for n := c.leaves[0] + r.IntN(c.leaves[1]-c.leaves[0]+1); len(open) < n; {
		i := next(r, len(open))
		v := open[i]
		left, split := int32(len(nodes)), c.split(r)
		if c.shape == "levels" {
			split = levels[v.depth]
		}
		split.Left, split.Right = left, left+1
		nodes[v.node] = split
		nodes = append(nodes, Node{Column: Leaf}, Node{Column: Leaf})
		open = append(append(open[:i:i], open[i+1:]...), leaf{left, v.depth + 1}, leaf{left + 1, v.depth + 1})
	}
	return nodes
}

func (c planeCase) split(r *rand.Rand) Node {
	return Node{Column: r.Int32N(int32(c.columns)), Rank: uint8(1 + r.IntN(c.ranks))}
}

var planeCases = []planeCase{
	{shape: "complete", trees: 1, leaves: [2]int{1, 1}, columns: 1, ranks: 1, outputs: 1},
	{shape: "complete", trees: 40, leaves: [2]int{1, 2}, columns: 3, ranks: 1, outputs: 1},
	{shape: "complete", trees: 40, leaves: [2]int{1, 16}, columns: 30, ranks: 15, outputs: 1},
	{shape: "complete", trees: 40, leaves: [2]int{20, 70}, columns: 5, ranks: 254, outputs: 1},
	{shape: "complete", trees: 40, leaves: [2]int{33, 64}, columns: 28, ranks: 200, outputs: 3},
	{shape: "complete", trees: 9, leaves: [2]int{256, 256}, columns: 7, ranks: 254, outputs: 1},
	{shape: "levels", trees: 40, leaves: [2]int{1, 64}, columns: 28, ranks: 254, outputs: 1},
	{shape: "levels", trees: 40, leaves: [2]int{8, 256}, columns: 200, ranks: 254, outputs: 2},
	{shape: "left", trees: 20, leaves: [2]int{1, 256}, columns: 7, ranks: 254, outputs: 2},
	{shape: "right", trees: 20, leaves: [2]int{1, 256}, columns: 7, ranks: 254, outputs: 1},
	{shape: "zigzag", trees: 20, leaves: [2]int{1, 256}, columns: 7, ranks: 254, outputs: 1},
	{shape: "leafwise", trees: 50, leaves: [2]int{31, 31}, columns: 28, ranks: 254, outputs: 1},
	{shape: "leafwise", trees: 30, leaves: [2]int{1, 256}, columns: 28, ranks: 254, outputs: 70},
	{shape: "random", trees: 90, leaves: [2]int{1, 256}, columns: 60, ranks: 254, outputs: 1}, // in parts
	{shape: "random", trees: 20, leaves: [2]int{100, 128}, columns: 1000, ranks: 254, outputs: 1},
	{shape: "random", trees: 50, leaves: [2]int{1, 40}, columns: 10, ranks: 20, outputs: 5, vectors: true},
	{shape: "random", trees: 4, leaves: [2]int{200, 256}, columns: 10, ranks: 20, outputs: 70, vectors: true},
}

// planeCPUs are the CPU levels that this processor has.
func planeCPUs() []CPU {
	cpus := []CPU{Generic}
	have := ThisCPU()
	if have.AVX2 {
		cpus = append(cpus, CPU{AVX2: true})
	}
	if have.AVX512 {
		cpus = append(cpus, CPU{AVX2: true, AVX512: true})
	}
	if have.VBMI && have.GFNI {
		cpus = append(cpus, have)
	}
	return cpus
}

func TestPlanes(t *testing.T) {
	for i, c := range planeCases {
		t.Run(c.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			m := c.model(r)
			require.NoError(t, m.verify())
			for _, cpu := range planeCPUs() {
				testPlanes[float32](t, r, m, cpu)
				testPlanes[float64](t, r, m, cpu)
			}
			for _, limit := range someGridLimits() {
				toGrid(m, limit)
				for _, cpu := range planeCPUs() {
					testPlanes[float32](t, r, m, cpu)
					testPlanes[float64](t, r, m, cpu)
				}
			}
		})
	}
}

// TestPlanesMixed evaluates trees with vector leaves between trees without, and
// trees of all depths and of levels between each other.
func TestPlanesMixed(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	m := planeCase{shape: "random", columns: 9, ranks: 99, outputs: 3, leaves: [2]int{1, 1}}.model(r)
	for range 60 {
		shapes := []string{"complete", "left", "random", "levels"}
		c := planeCase{shapes[r.IntN(len(shapes))], 1, [2]int{1, 1 << r.IntN(9)}, 9, 99, 3, r.IntN(3) == 0}
		m.Trees = append(m.Trees, c.model(r).Trees...)
	}
	require.NoError(t, m.verify())
	for _, cpu := range planeCPUs() {
		testPlanes[float32](t, r, m, cpu)
		testPlanes[float64](t, r, m, cpu)
	}
}

func TestPlanesOfNoTree(t *testing.T) {
	m := planeCases[0].model(rand.New(rand.NewPCG(1, 1)))
	for _, cpu := range planeCPUs() {
		p := newPlanes[float32](m, nil, grid{}, cpu)
		acc := aligned[float32](p.lanes())
		p.add(acc, aligned[byte](p.lanes()), p.lanes(), p.newScratch(), false)
		require.Equal(t, make([]float32, p.lanes()), acc)
	}
}

// planeAllTrees returns the indices of the trees of m.
func planeAllTrees(m *Model) []int32 {
	var trees []int32
	for i := range m.Trees {
		trees = append(trees, int32(i))
	}
	return trees
}

func testPlanes[Out Float](t *testing.T, r *rand.Rand, m *Model, cpu CPU) {
	t.Helper()
	p := newPlanes[Out](m, planeAllTrees(m), newGrid[Out](m), cpu)
	s := p.newScratch()
	for _, rows := range []int{1, 63, 64, 65, 1 + r.IntN(p.lanes()), p.lanes()} {
		if rows <= p.lanes() {
			what := fmt.Sprintf("%+v, values of %d bytes, %d rows", cpu, unsafe.Sizeof(Out(0)), rows)
			requirePlanes(t, r, m, p, s, rows, false, what)
			if p.grid.exact {
				requirePlanes(t, r, m, p, s, rows, true, what+", in any order")
			}
		}
	}
}

// requirePlanes evaluates random rows with p and by walking.
func requirePlanes[Out Float](t *testing.T, r *rand.Rand, m *Model, p *planes[Out], s *planeScratch, rows int, free bool, what string) {
	t.Helper()
	n := p.lanes()
	ranks := aligned[byte](len(m.Columns) * n)
	for i := range ranks {
		ranks[i] = byte(r.IntN(256))
		if r.IntN(8) == 0 {
			ranks[i] = byte(r.IntN(2) * 255)
		}
	}
	const beyond = 64 // values on each side that must stay
	acc, starts := aligned[Out](2*beyond+m.Outputs*n), make([]Out, 2*beyond+m.Outputs*n)
	for i := range acc {
		if acc[i] = Out(r.NormFloat64()); free {
			acc[i] = Out((2*r.Float64() - 1) * p.grid.most / p.grid.step)
			acc[i] = Out(int64(acc[i])) * Out(p.grid.step)
		}
		starts[i] = acc[i]
	}
	p.add(acc[beyond:], ranks, rows, s, free)
	require.Equal(t, starts[:beyond], acc[:beyond], what)
	require.Equal(t, starts[len(starts)-beyond:], acc[len(acc)-beyond:], what)

	row, want := make([]byte, len(m.Columns)), make([]Out, m.Outputs)
	for i := range rows {
		for c := range row {
			row[c] = ranks[c*n+i]
		}
		for k := range want {
			want[k] = starts[beyond+k*n+i]
		}
		naiveAdd(want, m, row)
		for k := range want {
			if got := acc[beyond+k*n+i]; math.Float64bits(float64(want[k])) != math.Float64bits(float64(got)) {
				require.Equal(t, want[k], got, "%s: row %d, output %d", what, i, k)
			}
		}
	}
}

// TestNarrowRuns sees to it that trees on a grid are in narrow runs, and others not.
func TestNarrowRuns(t *testing.T) {
	for _, cpu := range planeCPUs() {
		for _, limit := range append([]float64{0}, gridLimits...) {
			m := planeCase{shape: "random", trees: 60, leaves: [2]int{20, 200}, columns: 5, ranks: 99, outputs: 1}.model(rand.New(rand.NewPCG(1, 3)))
			if limit > 0 {
				toGrid(m, limit)
			}
			requireNarrowRuns[float32](t, m, limit, cpu)
			requireNarrowRuns[float64](t, m, limit, cpu)
		}
	}
}

func requireNarrowRuns[Out Float](t *testing.T, m *Model, limit float64, cpu CPU) {
	p := newPlanes[Out](m, planeAllTrees(m), newGrid[Out](m), cpu)
	require.Equal(t, limit > 0, p.grid.exact)
	want := 0
	for i := range m.Trees {
		b := &planeBuilder[Out]{m: m, planes: planes[Out]{form: p.form, grid: p.grid}}
		if bits := codeBits([]*Tree{&m.Trees[i]}); p.form.narrowBits(bits) > 0 && limit > 0 {
			low, high, _ := leafRange[Out](m, &m.Trees[i], 0)
			if b.narrow(&m.Trees[i]) {
				want++
				require.LessOrEqual(t, float64(high-low)/p.grid.unit, float64(1<<16-1))
			} else {
				require.Greater(t, float64(high-low)/p.grid.unit, float64(1<<16-1))
			}
		}
	}
	narrow := p.narrowTrees()
	require.Equal(t, want, narrow)
	if limit > 0 && cpu.AVX2 {
		require.Positive(t, narrow)
		require.Less(t, narrow, len(m.Trees)) // some have too many leaves
	}
}

// TestPlaneParts sees to it that cases cover trees in parts, and columns whose
// lines are made one by one.
func TestPlaneParts(t *testing.T) {
	parts, single := 0, 0
	for i, c := range planeCases {
		m := c.model(rand.New(rand.NewPCG(1, uint64(i))))
		p := newPlanes[float32](m, planeAllTrees(m), newGrid[float32](m), Generic)
		trees := 0
		for _, part := range p.parts {
			for _, column := range part.columns {
				if column.groups == 0 {
					single++
				}
			}
			for _, run := range part.runs {
				require.LessOrEqual(t, run.trees, planeRunTrees)
				require.LessOrEqual(t, run.lines.dst+run.lines.n, p.lines)
				trees += run.trees
			}
		}
		parts = max(parts, len(p.parts))
		require.LessOrEqual(t, p.lines, maxLines)
		require.Equal(t, len(m.Trees), trees)
	}
	require.Greater(t, parts, 1)
	require.Positive(t, single)
}

// TestBitTreeOps holds trees to the number of ops that all lines of a scale take,
// and trees that need not be flattened to none.
func TestBitTreeOps(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for shape := range planeShapes {
		for leaves := 2; leaves <= maxPlaneLeaves; leaves += 1 + leaves/8 {
			m := planeCase{shape: shape, trees: 3, leaves: [2]int{leaves, leaves}, columns: 9, ranks: 254, outputs: 1}.model(r)
			for i := range m.Trees {
				b := newBitTree(&m.Trees[i], codeBits([]*Tree{&m.Trees[i]}))
				require.LessOrEqual(t, len(b.ops), leaves-2, "%s of %d leaves", shape, leaves)
				if shape == "complete" {
					require.Empty(t, b.ops, "%d leaves", leaves)
				}
			}
		}
	}
}

func TestPlanesDoNotAllocate(t *testing.T) {
	m := planeCases[len(planeCases)-1].model(rand.New(rand.NewPCG(4, 4)))
	for _, cpu := range planeCPUs() {
		p := newPlanes[float32](m, planeAllTrees(m), newGrid[float32](m), cpu)
		acc, ranks, s := aligned[float32](m.Outputs*p.lanes()), aligned[byte](len(m.Columns)*p.lanes()), p.newScratch()
		require.Zero(t, testing.AllocsPerRun(10, func() { p.add(acc, ranks, 3, s, p.grid.exact) }), cpu)
	}
}

func BenchmarkPlanes(b *testing.B) {
	for _, c := range []planeCase{
		{shape: "complete", trees: 500, leaves: [2]int{25, 64}, columns: 28, ranks: 200, outputs: 1},
		{shape: "complete", trees: 100, leaves: [2]int{12, 16}, columns: 28, ranks: 60, outputs: 1},
		{shape: "leafwise", trees: 300, leaves: [2]int{31, 31}, columns: 28, ranks: 200, outputs: 1},
		{shape: "random", trees: 100, leaves: [2]int{200, 256}, columns: 28, ranks: 200, outputs: 1},
		{shape: "levels", trees: 500, leaves: [2]int{64, 64}, columns: 28, ranks: 200, outputs: 1},
	} {
		m := c.model(rand.New(rand.NewPCG(1, 1)))
		for _, cpu := range planeCPUs() {
			name := fmt.Sprintf("%v/cpu=%+v", c, cpu)
			if cpu.GFNI {
				name += "-gfni"
			}
			b.Run(name+"/float32", func(b *testing.B) { benchmarkPlanes[float32](b, m, cpu) })
			b.Run(name+"/float64", func(b *testing.B) { benchmarkPlanes[float64](b, m, cpu) })
		}
	}
}

func benchmarkPlanes[Out Float](b *testing.B, m *Model, cpu CPU) {
	p := newPlanes[Out](m, planeAllTrees(m), newGrid[Out](m), cpu)
	n := p.lanes()
	acc, ranks, s := aligned[Out](m.Outputs*n), aligned[byte](len(m.Columns)*n), p.newScratch()
	r := rand.New(rand.NewPCG(1, 1))
	for i := range ranks {
		ranks[i] = byte(r.IntN(256))
	}
	for b.Loop() {
		p.add(acc, ranks, n, s, p.grid.exact)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*len(m.Trees)), "ns/(row·tree)")
}
