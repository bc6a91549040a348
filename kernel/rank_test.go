package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// rankCPUs returns the levels that this processor has.
func rankCPUs() []CPU {
	levels := []CPU{Generic}
	if c := ThisCPU().limit("avx2"); c.AVX2 {
		levels = append(levels, c)
	}
	if c := ThisCPU(); c.AVX512 {
		levels = append(levels, c)
	}
	return levels
}

// A rankTest makes columns and rows that are hard on them.
type rankTest[In Float] struct {
	*rand.Rand
	cols     []Column
	features int
	hard     [][]In // of each feature: values at its bounds and next to them
}

func rankInf[In Float](sign int) In { return In(math.Inf(sign)) }

// rankNext returns the number next to x in the direction of y.
func rankNext[In Float](x, y In) In {
	if v, ok := any(x).(float32); ok {
		return In(math.Nextafter32(v, float32(y)))
	}
	return In(math.Nextafter(float64(x), float64(y)))
}

// shapes are ways to draw a bound.
func (t *rankTest[In]) shapes() []func() In {
	exp := func(lo, hi float64) float64 { return math.Exp2(lo + t.Float64()*(hi-lo)) }
	sign := func(x float64) float64 {
		if t.IntN(2) == 0 {
			return -x
		}
		return x
	}
	least := math.SmallestNonzeroFloat64
	if _, ok := any(In(0)).(float32); ok {
		least = math.SmallestNonzeroFloat32
	}
	return []func() In{
		func() In { return In(t.Float64()) },
		func() In { return In(t.NormFloat64()) },
		func() In { return In(t.IntN(300)) },
		func() In { return In(t.IntN(300) - 150) },
		func() In { return In(1.6e9 + float64(t.IntN(1000000))) },
		func() In { return In(exp(-20, 20)) },
		func() In { return In(sign(exp(-120, 120))) },
		func() In { return In(-exp(-3, 9)) },
		func() In { return In(math.Tan(math.Pi * (t.Float64() - 0.5))) },
		func() In { return In(sign(float64(t.IntN(1000)) * least)) },
		func() In { return In(1 + float64(t.IntN(400))*0x1p-52) },
		func() In { return In(sign(3e38 * t.Float64())) },
		func() In {
			return []In{0, In(math.Copysign(0, -1)), rankInf[In](1), rankInf[In](-1), 1, -1}[t.IntN(6)]
		},
	}
}

// bounds returns up to n ascending bounds.
func (t *rankTest[In]) bounds(n int) []In {
	shapes := t.shapes()
	shape := shapes[t.IntN(len(shapes))]
	b := make([]In, n)
	for i := range b {
		b[i] = shape()
	}
	for range t.IntN(4) * t.IntN(2) {
		if n > 0 {
			b[t.IntN(n)] = shapes[len(shapes)-1]()
		}
	}
	slices.Sort(b)
	// Zeros of both signs are one bound.
	return slices.CompactFunc(b, func(x, y In) bool { return x == y })
}

func (t *rankTest[In]) wide(b []In) []float64 {
	w := make([]float64, len(b))
	for i := range b {
		w[i] = float64(b[i])
	}
	return w
}

// sizes are numbers of bounds.
var rankSizes = []int{0, 1, 1, 1, 2, 3, 4, 7, 8, 9, 16, 30, 60, 120, 254, 255, 600, 5000}

// feature appends the columns of a feature with the given number of bounds.
func (t *rankTest[In]) feature(n int) {
	f := t.features
	t.features++
	b := t.bounds(n)
	var hard []In
	for _, x := range b {
		hard = append(hard, x, rankNext(x, rankInf[In](1)), rankNext(x, rankInf[In](-1)))
	}
	missing := []uint8{0, 255}[t.IntN(2)]
	for part := range slices.Chunk(b, MaxBounds) {
		t.cols = append(t.cols, Column{Feature: int32(f), Missing: missing, Bounds: t.wide(part)})
		if t.IntN(4) == 0 {
			t.cols = append(t.cols, Column{Feature: int32(f), Missing: 255 - missing, Bounds: t.wide(part)})
		}
	}
	if t.IntN(6) == 0 {
		t.cols = append(t.cols, Column{Feature: int32(f)}) // without bounds
	}
	t.hard = append(t.hard, hard)
}

// set appends columns that are sets of a feature's values.
func (t *rankTest[In]) set(n, columns int) {
	f := t.features
	t.features++
	var all []In
	pool := t.bounds(n)
	for range columns {
		var b []In
		for _, x := range pool {
			if t.IntN(3) > 0 {
				b = append(b, x)
			}
		}
		all = append(all, b...)
		t.cols = append(t.cols, Column{Feature: int32(f), Set: true, Missing: uint8(t.IntN(2)), Bounds: t.wide(b)})
	}
	var hard []In
	for _, x := range all {
		hard = append(hard, x, rankNext(x, rankInf[In](1)), rankNext(x, rankInf[In](-1)))
	}
	t.hard = append(t.hard, hard)
}

// rows returns rows of values.
func (t *rankTest[In]) rows(n int) []In {
	x := make([]In, n*t.features)
	special := []In{
		0, In(math.Copysign(0, -1)), rankInf[In](1), rankInf[In](-1), In(math.NaN()), In(math.Copysign(math.NaN(), -1)),
		rankNext[In](0, 1), rankNext[In](0, -1), 1, -1, rankNext(rankInf[In](1), 0), rankNext(rankInf[In](-1), 0), 1e-39, 0.5,
	}
	missing := t.IntN(3)
	for i := range x {
		hard := t.hard[i%t.features]
		switch k := t.IntN(10); {
		case missing == 0 && k < 3:
			x[i] = In(math.NaN())
		case k == 9 && missing < 2:
			x[i] = special[t.IntN(len(special))]
		case k == 8 || len(hard) == 0:
			x[i] = In(t.NormFloat64() * math.Exp2(t.Float64()*8))
		case k >= 5:
			// Between two bounds.
			a, b := hard[t.IntN(len(hard))], hard[t.IntN(len(hard))]
			x[i] = a + (b-a)*In(t.Float64())
		default:
			x[i] = hard[t.IntN(len(hard))]
		}
	}
	return x
}

// want returns the ranks of rows, by columns.
func (t *rankTest[In]) want(x []In, rows int) []byte {
	want := make([]byte, len(t.cols)*rows)
	for c, col := range t.cols {
		for i := range rows {
			v := float64(x[i*t.features+int(col.Feature)])
			n := 0
			for n < len(col.Bounds) && col.Bounds[n] <= v {
				n++
			}
			switch {
			case v != v:
				n = int(col.Missing)
			case col.Set:
				n = 1 - n%2
			}
			want[c*rows+i] = byte(n)
		}
	}
	return want
}

// check compares all that a ranker does with what it should.
func (t *rankTest[In]) check(tb testing.TB, cpu CPU) {
	r := newRanker[In](t.features, t.cols, cpu)
	rows := []int{1, 2, 7, 8, 9, 31, 64, 65, 100, 512}[t.IntN(10)]
	x := t.rows(rows)
	want := t.want(x, rows)
	const guard = 64
	ranks := make([]byte, wholeLines(len(t.cols))+2*guard)
	for i := range rows {
		fillRanks(ranks)
		row := x[i*t.features : (i+1)*t.features : (i+1)*t.features]
		r.row(ranks[guard:len(ranks)-guard], row)
		requireGuards(tb, ranks, guard)
		for c := range t.cols {
			if got := ranks[guard+c]; got != want[c*rows+i] {
				t.fail(tb, "row", c, row[t.cols[c].Feature], got, want[c*rows+i])
			}
		}
	}
	stride := (rows+63)&^63 + 64*t.IntN(3)
	block := make([]byte, len(t.cols)*stride+2*guard)
	fillRanks(block)
	r.block(block[guard:len(block)-guard], stride, x, rows)
	requireGuards(tb, block, guard)
	for c := range t.cols {
		for i := range rows {
			if got := block[guard+c*stride+i]; got != want[c*rows+i] {
				t.fail(tb, fmt.Sprintf("block row %d of %d stride %d", i, rows, stride), c, x[i*t.features+int(t.cols[c].Feature)], got, want[c*rows+i])
			}
		}
	}
}

func (t *rankTest[In]) fail(tb testing.TB, what string, c int, x In, got, want byte) {
	col := t.cols[c]
	tb.Fatalf("%s: column %d, feature %d of %d, set %v, missing %d, %d bounds: value %g: rank %d, want %d\n%v",
		what, c, col.Feature, t.features, col.Set, col.Missing, len(col.Bounds), x, got, want, col.Bounds)
}

const rankFill = 0xa5

func fillRanks(b []byte) {
	for i := range b {
		b[i] = rankFill
	}
}

func requireGuards(tb testing.TB, b []byte, n int) {
	for i := range n {
		if b[i] != rankFill || b[len(b)-1-i] != rankFill {
			require.Fail(tb, "write outside the destination")
		}
	}
}

// newRankTest draws columns; their order is mixed up in some.
func newRankTest[In Float](seed uint64) *rankTest[In] {
	t := &rankTest[In]{Rand: rand.New(rand.NewPCG(seed, 1))}
	most := []int{3, 9, 20, 70, 200}[t.IntN(5)]
	sizes := rankSizes
	switch t.IntN(3) {
	case 0:
		sizes = sizes[:10]
	case 1:
		sizes = sizes[:16]
	}
	for range 1 + t.IntN(most) {
		switch t.IntN(12) {
		case 0:
			t.set([]int{1, 2, 5, 50, 3000}[t.IntN(5)], 1+t.IntN(3)*t.IntN(40))
		case 1:
			t.features += t.IntN(3) // that no column tests
			t.hard = append(t.hard, make([][]In, t.features-len(t.hard))...)
			t.feature(1)
		default:
			t.feature(sizes[t.IntN(len(sizes))])
		}
	}
	if t.IntN(3) == 0 {
		t.Shuffle(len(t.cols), func(i, j int) { t.cols[i], t.cols[j] = t.cols[j], t.cols[i] })
	}
	return t
}

func TestRank(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testRank[float32](t) })
	t.Run("float64", func(t *testing.T) { testRank[float64](t) })
}

func testRank[In Float](t *testing.T) {
	for _, cpu := range rankCPUs() {
		t.Run(cpu.String(), func(t *testing.T) {
			for seed := range uint64(rankSeeds) {
				newRankTest[In](seed).check(t, cpu)
			}
		})
	}
}

// rankSeeds is the number of tests that TestRank draws; the first are those that
// TestRankReach looks at.
const rankSeeds = 60

// TestRankReach sees to it that the tests reach all there is: what no column needs
// is not tested.
func TestRankReach(t *testing.T) {
	testRankReach[float32](t)
	testRankReach[float64](t)
}

func testRankReach[In Float](t *testing.T) {
	methods := make([]int, rankSearch+1)
	folded := 0
	var groups, quads [rankGather + 1]int
	for seed := range uint64(rankSeeds) {
		c := newRankTest[In](seed)
		r := newRanker[In](c.features, c.cols, ThisCPU())
		for i := range r.lanes {
			methods[r.lanes[i].method]++
			if r.lanes[i].fold != 0 {
				folded++
			}
		}
		for i := range r.groups {
			groups[r.groups[i].source]++
		}
		for i := range r.quads {
			quads[r.quads[i].source]++
		}
	}
	for m, n := range methods {
		require.Greater(t, n, 10, "%T, method %d", In(0), m)
	}
	require.Greater(t, folded, 10, "%T, folded", In(0))
	if !rankVectors || !ThisCPU().AVX2 {
		return
	}
	for s := range groups {
		require.Greater(t, groups[s], 5, "%T, source %d of groups", In(0), s)
		require.Greater(t, quads[s], 5, "%T, source %d of quads", In(0), s)
	}
}

// TestRankEmpty ranks nothing.
func TestRankEmpty(t *testing.T) {
	for _, cpu := range rankCPUs() {
		r := newRanker[float32](3, nil, cpu)
		r.row(make([]byte, wholeLines(0)), make([]float32, 3))
		r.block(nil, 64, make([]float32, 6), 2)
	}
}

// TestRankFit tells buckets apart that must be and finds few enough.
func TestRankFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	cauchy := make([]float32, 254)
	for i := range cauchy {
		cauchy[i] = float32(math.Tan(math.Pi * (float64(i+1)/255 - 0.5)))
	}
	normal := make([]float32, 0, 254)
	for _, b := range benchBounds(rng, 254) {
		normal = append(normal, float32(b))
	}
	exponential := make([]float32, 254)
	for i := range exponential {
		exponential[i] = float32(math.Exp2(float64(i) / 4))
	}
	for _, c := range []struct {
		name    string
		bounds  []float32
		depth   int
		buckets int32
		folded  bool
	}{
		{"normal", normal, 1, 1200, false},
		{"normal", normal, 3, 450, false},
		{"exponential", exponential, 1, 600, false},
		{"cauchy", cauchy, 1, 1100, true},
		{"cauchy", cauchy, 3, 350, true},
	} {
		m, ok := fitRank(c.bounds, c.depth, rankBuckets)
		require.True(t, ok, c.name)
		require.LessOrEqual(t, m.last, c.buckets, c.name)
		require.Equal(t, c.folded, m.fold != 0, c.name)
		in := map[int]int{}
		for i, b := range c.bounds {
			in[m.bucket(b)]++
			require.LessOrEqual(t, in[m.bucket(b)], c.depth, c.name)
			require.True(t, i == 0 || m.bucket(c.bounds[i-1]) <= m.bucket(b), c.name)
		}
	}
}
