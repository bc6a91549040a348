package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// testLevels are the CPUs that engines are tested with: what this one has, and each
// smaller one that makes a difference.
func testLevels() []CPU {
	all := []CPU{
		Generic, {AVX2: true}, {AVX2: true, AVX512: true},
		{AVX2: true, AVX512: true, VBMI: true}, {AVX2: true, AVX512: true, VBMI: true, GFNI: true},
	}
	return slices.DeleteFunc(all, func(c CPU) bool {
		return c.AVX2 && !detected.AVX2 || c.AVX512 && !detected.AVX512 || c.VBMI && !detected.VBMI || c.GFNI && !detected.GFNI
	})
}

// A modelShape says what random models look like.
type modelShape struct {
	features, outputs, trees, leaves int
	bounds                           int  // of a feature, at most
	depth                            int  // of a tree, at most
	sets, vectors, double            bool // double: bounds and values beyond float32
	full                             bool // trees have exactly that many leaves, bounds exactly that many
	baseLast                         bool
	repeats                          bool    // some trees share the nodes of others
	limit                            float64 // if not 0, leaves are on a grid: see toGrid
}

// randomModel returns a model of the given shape.
func randomModel(s modelShape, r *rand.Rand) *Model {
	m := &Model{Features: s.features, Outputs: s.outputs, BaseLast: s.baseLast}
	number := func(scale float64) float64 {
		v := r.NormFloat64() * scale
		if !s.double {
			v = float64(float32(v))
		}
		return v
	}
	for range s.outputs {
		m.Base = append(m.Base, number(1))
	}
	for f := range s.features {
		m.Columns = append(m.Columns, randomColumns(s, int32(f), number, r)...)
	}
	for t := range s.trees {
		m.Trees = append(m.Trees, randomTree(s, m, t, number, r))
		if s.repeats && r.IntN(2) == 0 {
			m.Trees[t] = m.Trees[max(t-r.IntN(10), 0)]
			if m.Trees[t].Vectors == nil {
				m.Trees[t].Output = int32(r.IntN(s.outputs))
			}
		}
	}
	if s.limit > 0 {
		toGrid(m, s.limit)
	}
	return m
}

// randomColumns returns the columns of a feature: parts of its bounds, some of
// them with both ranks of missing values, and sets.
func randomColumns(s modelShape, feature int32, number func(float64) float64, r *rand.Rand) []Column {
	var bounds []float64
	n := r.IntN(s.bounds + 1)
	if s.full {
		n = s.bounds
	}
	for range n {
		bounds = append(bounds, number(1))
	}
	if r.IntN(8) == 0 {
		bounds = append(bounds, math.Inf(1), math.Inf(-1), 0)
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)
	var columns []Column
	for len(bounds) > 0 {
		n := min(len(bounds), MaxBounds)
		missing := byte(255 * r.IntN(2))
		columns = append(columns, Column{Feature: feature, Bounds: bounds[:n], Missing: missing})
		if r.IntN(3) == 0 {
			columns = append(columns, Column{Feature: feature, Bounds: bounds[:n], Missing: 255 - missing})
		}
		bounds = bounds[n:]
	}
	if s.sets && r.IntN(3) == 0 {
		c := Column{Feature: feature, Set: true, Missing: byte(r.IntN(2))}
		for v := r.IntN(3); v < 40; v += 1 + r.IntN(9) {
			c.Bounds = append(c.Bounds, float64(v))
		}
		columns = append(columns, c)
	}
	return columns
}

// randomTree grows a tree by splitting a random leaf until it has enough of them.
func randomTree(s modelShape, m *Model, t int, number func(float64) float64, r *rand.Rand) Tree {
	tree := Tree{Output: int32(t % s.outputs)}
	if s.vectors && r.IntN(4) > 0 {
		tree.Output, tree.Vectors = 0, []float64{}
	}
	type place struct{ parent, side, depth int }
	open := []place{{-1, 0, 0}}
	leaves := 1 + r.IntN(s.leaves)
	if s.full {
		leaves = s.leaves
	}
	for len(open) > 0 {
		at := r.IntN(len(open))
		if leaves > len(open)+1 && !s.full {
			at = len(open) - 1 // grow deep at times
		}
		p := open[at]
		open = slices.Delete(open, at, at+1)
		i := int32(len(tree.Nodes))
		n := Node{Column: Leaf, ID: int32(r.IntN(1000)), Value: number(1)}
		if len(m.Columns) > 0 && leaves > 1 && p.depth < s.depth {
			n = Node{Column: int32(r.IntN(len(m.Columns))), Rank: 1}
			if c := &m.Columns[n.Column]; !c.Set {
				n.Rank = byte(1 + r.IntN(len(c.Bounds)))
			}
			open = append(open, place{int(i), 0, p.depth + 1}, place{int(i), 1, p.depth + 1})
			leaves--
		} else if tree.Vectors != nil {
			n.Value, n.Vector = 0, int32(len(tree.Vectors)/s.outputs)
			for range s.outputs {
				tree.Vectors = append(tree.Vectors, number(1))
			}
		}
		tree.Nodes = append(tree.Nodes, n)
		if p.parent >= 0 && p.side == 0 {
			tree.Nodes[p.parent].Left = i
		} else if p.parent >= 0 {
			tree.Nodes[p.parent].Right = i
		}
	}
	return tree
}

// randomRows returns rows whose values lie at the bounds of m, beside them, or
// anywhere, one in eight of them missing in half of the rows.
func randomRows[In Float](m *Model, rows int, r *rand.Rand) []In {
	at := make([][]float64, m.Features)
	for i := range m.Columns {
		c := &m.Columns[i]
		at[c.Feature] = append(at[c.Feature], c.Bounds...)
	}
	x := make([]In, rows*m.Features)
	for i := range x {
		v := r.NormFloat64()
		if b := at[i%m.Features]; len(b) > 0 && r.IntN(4) > 0 {
			v = b[r.IntN(len(b))]
		}
		switch in := In(v); r.IntN(16) {
		case 0:
			x[i] = nextAfter(in, 1)
		case 1:
			x[i] = nextAfter(in, -1)
		case 2:
			x[i] = In(math.Inf(r.IntN(2)*2 - 1))
		case 3:
			x[i] = In(math.Copysign(0, float64(r.IntN(2))-0.5))
		default:
			x[i] = in
		}
		if i/m.Features%2 == 0 && r.IntN(8) == 0 {
			x[i] = In(math.NaN())
		}
	}
	return x
}

func nextAfter[In Float](v In, sign int) In {
	switch v := any(v).(type) {
	case float32:
		return In(math.Nextafter32(v, float32(math.Inf(sign))))
	case float64:
		return In(math.Nextafter(v, math.Inf(sign)))
	}
	panic("not a float")
}

// naive is the reference: what Margin and Leaf write, computed in the plainest way.
func naive[In, Out Float](m *Model, x []In, base []Out) (margins []Out, leaves []int32) {
	ranks := make([]byte, len(m.Columns))
	for i := range len(x) / m.Features {
		from := make([]Out, m.Outputs)
		for k := range from {
			from[k] = Out(m.Base[k])
			if base != nil {
				from[k] = base[i*m.Outputs+k]
			}
		}
		naiveRank(ranks, m.Columns, x[i*m.Features:(i+1)*m.Features])
		sum := slices.Clone(from)
		if m.BaseLast {
			clear(sum)
		}
		naiveAdd(sum, m, ranks)
		if m.BaseLast {
			for k, b := range from {
				sum[k] += b
			}
		}
		margins = append(margins, sum...)
		for t := range m.Trees {
			leaves = append(leaves, naiveWalk(&m.Trees[t], ranks).ID)
		}
	}
	return margins, leaves
}

// sameBits reports whether a and b are the same number, or both none.
func sameBits[T Float](a, b T) bool {
	return math.Float64bits(float64(a)) == math.Float64bits(float64(b)) || a != a && b != b
}

var modelShapes = map[string]modelShape{
	"plain":   {features: 28, outputs: 1, trees: 130, leaves: 64, bounds: 200, depth: 6},
	"small":   {features: 5, outputs: 1, trees: 7, leaves: 8, bounds: 3, depth: 3},
	"classes": {features: 54, outputs: 7, trees: 70, leaves: 100, bounds: 300, depth: 8, baseLast: true},
	"sets":    {features: 12, outputs: 2, trees: 40, leaves: 40, bounds: 20, depth: 9, sets: true},
	"vectors": {features: 9, outputs: 5, trees: 33, leaves: 50, bounds: 60, depth: 10, vectors: true},
	"deep":    {features: 17, outputs: 3, trees: 12, leaves: 1500, bounds: 700, depth: 40, vectors: true},
	"mixed":   {features: 17, outputs: 1, trees: 50, leaves: 400, bounds: 700, depth: 14},
	"wide":    {features: 700, outputs: 1, trees: 60, leaves: 30, bounds: 30, depth: 7},
	"many":    {features: 6, outputs: 70, trees: 140, leaves: 12, bounds: 5000, depth: 6},
	"stumps":  {features: 3, outputs: 1, trees: 20, leaves: 2, bounds: 10, depth: 1},
	"leaves":  {features: 3, outputs: 2, trees: 9, leaves: 1, bounds: 10, depth: 0},
	"repeats": {features: 9, outputs: 3, trees: 60, leaves: 40, bounds: 60, depth: 9, vectors: true, repeats: true},
	"again":   {features: 9, outputs: 1, trees: 60, leaves: 400, bounds: 60, depth: 14, repeats: true},
	"none":    {features: 3, outputs: 2, trees: 0, leaves: 1, bounds: 10, depth: 0, baseLast: true},
}

func TestEngineAgainstNaive(t *testing.T) {
	for name, s := range modelShapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, limit := range append([]float64{0}, someGridLimits()...) {
				s.limit, s.double = limit, false
				testShape[float32, float32](t, s)
				testShape[float32, float64](t, s)
				s.double = true
				testShape[float64, float64](t, s)
			}
		})
	}
}

func testShape[In, Out Float](t *testing.T, s modelShape) {
	r := rand.New(rand.NewPCG(1, uint64(s.features)))
	m := randomModel(s, r)
	x := randomRows[In](m, 1100, r)
	base, g := make([]Out, 1100*s.outputs), newGrid[Out](m)
	require.True(t, g.exact || s.limit == 0)
	for i := range base {
		base[i] = Out(r.NormFloat64())
		switch {
		case g.exact && i < 900*s.outputs: // the rest is not on the grid
			base[i] = Out(int64((2*r.Float64()-1)*g.most/g.step)) * Out(g.step)
		case g.exact && r.IntN(4) == 0:
			base[i] = Out(math.Copysign(0, -1))
		}
	}
	margins, leaves := naive(m, x, []Out(nil))
	from, _ := naive(m, x, base)
	for _, cpu := range testLevels() {
		e, err := New[In, Out](m, cpu)
		require.NoError(t, err)
		for _, n := range []int{0, 1, 2, 15, 63, 64, 65, 257, 500, 512, 1100} {
			at := r.IntN(1100 - n + 1)
			check := func(what string, want []Out, score func(dst []Out)) {
				got := make([]Out, len(want)+2)
				got[0], got[len(got)-1] = 42, 42
				score(got[1 : len(got)-1])
				require.Equal(t, Out(42), got[0])
				require.Equal(t, Out(42), got[len(got)-1])
				for i := range want {
					if !sameBits(got[i+1], want[i]) {
						require.Failf(t, what, "%v, %d rows, row %d, output %d: %v instead of %v",
							cpu, n, i/s.outputs, i%s.outputs, got[i+1], want[i])
					}
				}
			}
			rows := x[at*s.features : (at+n)*s.features]
			lo, hi := at*s.outputs, (at+n)*s.outputs
			check("margin", margins[lo:hi], func(dst []Out) { e.Margin(dst, rows) })
			check("margin from", from[lo:hi], func(dst []Out) { e.MarginFrom(dst, rows, base[lo:hi]) })
		}
		if len(leaves) > 0 {
			got := make([]int32, len(leaves))
			e.Leaf(got, x)
			require.Equal(t, leaves, got, "leaves, %v", cpu)
		}
	}
}

// TestShare has several goroutines score the blocks of a batch, whatever the
// number of processors.
func TestShare(t *testing.T) {
	s := modelShapes["classes"]
	r := rand.New(rand.NewPCG(2, 3))
	m := randomModel(s, r)
	x := randomRows[float32](m, 4097, r)
	want, _ := naive(m, x, []float32(nil))
	e, err := New[float32, float32](m, ThisCPU())
	require.NoError(t, err)
	for threads := range 5 {
		got := make([]float32, len(want))
		e.share(got, x, nil, 4097, threads+1)
		require.Equal(t, want, got)
	}
}

func TestEngineAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector a sync.Pool forgets")
	}
	for name, s := range modelShapes {
		if s.trees == 0 {
			continue
		}
		r := rand.New(rand.NewPCG(4, 5))
		m := randomModel(s, r)
		x := randomRows[float32](m, 600, r)
		dst, leaves := make([]float32, 600*s.outputs), make([]int32, s.trees)
		for _, cpu := range testLevels() {
			e, err := New[float32, float32](m, cpu)
			require.NoError(t, err)
			for _, n := range []int{1, 600} {
				e.Margin(dst[:n*s.outputs], x[:n*s.features])
				allocs := testing.AllocsPerRun(20, func() { e.Margin(dst[:n*s.outputs], x[:n*s.features]) })
				require.Zero(t, int(allocs), "%s, %v, %d rows", name, cpu, n)
			}
			require.Zero(t, int(testing.AllocsPerRun(20, func() { e.Leaf(leaves, x[:s.features]) })), "%s, leaf", name)
		}
	}
}

func TestEngineRefuses(t *testing.T) {
	m := randomModel(modelShapes["small"], rand.New(rand.NewPCG(6, 7)))
	e, err := New[float32, float32](m, ThisCPU())
	require.NoError(t, err)
	require.Panics(t, func() { e.Margin(make([]float32, 1), make([]float32, 4)) })
	require.Panics(t, func() { e.Margin(make([]float32, 2), make([]float32, 5)) })
	require.Panics(t, func() { e.MarginFrom(make([]float32, 1), make([]float32, 5), nil) })
	require.Panics(t, func() { e.Leaf(make([]int32, 6), make([]float32, 5)) })
	m.Trees[0].Nodes[0].Column = 99
	_, err = New[float32, float32](m, ThisCPU())
	require.ErrorContains(t, err, "tree 0")
}

func BenchmarkEngine(b *testing.B) {
	for _, name := range []string{"plain", "classes", "deep"} {
		r := rand.New(rand.NewPCG(8, 9))
		s := modelShapes[name]
		m := randomModel(s, r)
		x := randomRows[float32](m, 4096, r)
		dst := make([]float32, 4096*s.outputs)
		for _, cpu := range testLevels() {
			e, err := New[float32, float32](m, cpu)
			require.NoError(b, err)
			b.Run(fmt.Sprintf("%s/%v/single", name, cpu), func(b *testing.B) {
				for i := range b.N {
					i %= 4096
					e.Margin(dst[:s.outputs], x[i*s.features:(i+1)*s.features])
				}
			})
			b.Run(fmt.Sprintf("%s/%v/batch", name, cpu), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
				for range b.N {
					e.Margin(dst, x)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/row")
			})
		}
	}
}

// Rank leaves nothing behind, and allocates nothing.
func TestRankAlone(t *testing.T) {
	for _, leaves := range []int{8, 200} { // blocks, and trees that are walked
		r := rand.New(rand.NewPCG(uint64(leaves), 1))
		m := randomModel(modelShape{features: 9, outputs: 2, trees: 30, leaves: leaves, bounds: 400, depth: 9, sets: true}, r)
		for _, cpu := range testLevels() {
			e, err := New[float32, float32](m, cpu)
			require.NoError(t, err)
			for _, rows := range []int{1, 2, 63, 1200} {
				x := randomRows[float32](m, rows, r)
				want, got := make([]float32, rows*m.Outputs), make([]float32, rows*m.Outputs)
				e.Margin(want, x)
				e.Rank(x)
				e.Margin(got, x)
				require.Equal(t, want, got)
				if !raceDetector {
					require.Zero(t, testing.AllocsPerRun(3, func() { e.Rank(x) }))
				}
			}
		}
	}
}
