//go:build amd64 && !purego

package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A planeAlloc returns memory for n bytes that begins on a line, and what checks
// that nothing around it was written.
type planeAlloc func(t *testing.T, n int) (memory []byte, check func())

// planeSurrounded is a planeAlloc.
func planeSurrounded(t *testing.T, n int) ([]byte, func()) {
	const around = 256
	b := aligned[byte](n + 2*around)
	for i := range b {
		b[i] = byte(i*7 + 3)
	}
	before := slices.Clone(b)
	return b[around : around+n : around+n], func() {
		require.Equal(t, before[:around], b[:around])
		require.Equal(t, before[around+n:], b[around+n:])
	}
}

// A planeAsmTest calls the assembly of a level with random arguments, and the
// portable code with the same for each 64 rows.
type planeAsmTest struct {
	*testing.T
	*planeAsm
	r     *rand.Rand
	form  planeForm
	order []byte
	rowAt []int // the row of each bit of a line
	alloc planeAlloc
	check []func()
}

func TestPlaneAsm(t *testing.T) { testPlaneAsm(t, planeSurrounded) }

func testPlaneAsm(t *testing.T, alloc planeAlloc) {
	have := ThisCPU()
	for level := planesAVX2; level <= planesHalf; level++ {
		if !have.AVX2 || level >= planesAVX512 && !have.AVX512 || level >= planesGFNI && !(have.VBMI && have.GFNI) {
			continue
		}
		for _, form := range []planeForm{{level, 4, true}, {level, 4, false}, {level, 8, true}, {level, 8, false}} {
			t.Run(fmt.Sprintf("%+v", form), func(t *testing.T) {
				a := &planeAsmTest{T: t, planeAsm: &planeSteps[level], r: rand.New(rand.NewPCG(5, uint64(level))), form: form, alloc: alloc}
				order := form.rows()
				a.order = planeAsmSlice[byte](a, 64)
				copy(a.order, order[:])
				a.findRows()
				a.testColumns()
				a.testCombine()
				if form.size == 4 {
					testPlaneTrees(a, a.sum32, a.words32)
				} else {
					testPlaneTrees(a, a.sum64, a.words64)
				}
				for _, check := range a.check {
					check()
				}
			})
		}
	}
}

// planeAsmSlice returns memory for n values.
func planeAsmSlice[T any](a *planeAsmTest, n int) []T {
	var zero T
	b, check := a.alloc(a.T, n*int(unsafe.Sizeof(zero)))
	a.check = append(a.check, check)
	s := unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
	clear(s)
	return s
}

// memory returns n lines with random bits.
func (a *planeAsmTest) memory(n int) []uint64 {
	m := planeAsmSlice[uint64](a, n*a.lanes/64)
	for i := range m {
		m[i] = a.r.Uint64()
	}
	words := a.lanes / 64
	for i := range words { // see planeBlock.begin
		m[noRowLine*words+i], m[allRowLine*words+i] = 0, ^uint64(0)
		m[(highLine-1)*words+i], m[(highLine+15)*words+i] = ^uint64(0), 0
	}
	return m
}

// word returns a word of each line: memory for 64 rows.
func (a *planeAsmTest) word(memory []uint64, w int) []uint64 {
	words := a.lanes / 64
	m := make([]uint64, maxLines)
	for i := range len(memory) / words {
		m[i] = memory[i*words+w]
	}
	return m
}

// findRows finds the row of each bit of a line, by giving one row at a time a
// rank that is not 0.
func (a *planeAsmTest) findRows() {
	a.rowAt = make([]int, a.lanes)
	for i := range a.rowAt {
		a.rowAt[i] = -1
	}
	ranks, lines, words := planeAsmSlice[byte](a, a.lanes), a.memory(freeLine), a.lanes/64
	for row := range a.lanes {
		clear(ranks)
		ranks[row] = 1
		a.digits(&lines[0], &ranks[0], &a.order[0])
		for i := range a.lanes {
			if lines[lowLine*words+i/64]>>(i%64)&1 != 0 {
				require.Equal(a, -1, a.rowAt[i])
				a.rowAt[i] = row
			}
		}
	}
	require.NotContains(a, a.rowAt, -1)
}

// planeRows64 returns the values of the rows of a word of a line.
func planeRows64[T any](a *planeAsmTest, values []T, w int) []T {
	s := make([]T, 64)
	for i := range s {
		s[i] = values[a.rowAt[64*w+i]]
	}
	return s
}

func (a *planeAsmTest) testColumns() {
	const from = freeLine + 3
	words := a.lanes / 64
	for range 20 {
		lines, ranks := a.memory(freeLine+300), planeAsmSlice[byte](a, a.lanes)
		for i := range ranks {
			ranks[i] = byte(a.r.IntN(256))
		}
		groups := uint(1 + a.r.IntN(1<<16-1))
		before := slices.Clone(lines)
		a.column(&lines[0], &lines[from*words], &ranks[0], &a.order[0], groups)
		for w := range words {
			want := a.word(before, w)
			planeColumn64(want[from:], planeRows64(a, ranks, w), groups)
			require.Equal(a, want[freeLine:], a.word(lines, w)[freeLine:])
		}
		a.digits(&lines[0], &ranks[0], &a.order[0])
		for w := range words {
			want := a.word(before, w)
			planeDigits(want, planeRows64(a, ranks, w))
			require.Equal(a, want[:highLine+16], a.word(lines, w)[:highLine+16])
		}
	}
}

func (a *planeAsmTest) testCombine() {
	const from = freeLine + 100
	words := a.lanes / 64
	for n := 1; n < 40; n++ {
		lines, ops := a.memory(from+n), planeAsmSlice[uint16](a, 4*n)
		for i := range ops {
			ops[i] = uint16(a.r.IntN(from) << 3)
			if k := i / 4; i%4 < 2 && k > 0 && a.r.IntN(2) == 0 { // the result of another op
				ops[i] = uint16((from + a.r.IntN(k)) << 3)
			}
		}
		before := slices.Clone(lines)
		a.combine(&lines[0], &ops[0], n, &lines[from*words])
		for w := range words {
			want := a.word(before, w)
			planeCombine(want, ops, from)
			require.Equal(a, want, a.word(lines, w))
		}
	}
}

// testPlaneTrees decodes random trees, and adds their values.
func testPlaneTrees[Out Float](a *planeAsmTest, sums [9]planeSumAsm[Out], words [9]planeWordsAsm[Out]) {
	for depth := range 9 {
		for _, n := range []int{1, 2, planeRunTrees} {
			t := planeAsmTrees[Out]{a, depth, n, sums, words}
			t.test()
		}
	}
}

type planeAsmTrees[Out Float] struct {
	*planeAsmTest
	depth, n int // depth 0: levels
	sums     [9]planeSumAsm[Out]
	words    [9]planeWordsAsm[Out]
}

func (t planeAsmTrees[Out]) test() {
	depth := t.depth
	if depth == 0 {
		depth = 1 + t.r.IntN(8)
	}
	if depth > 5 && t.form.small {
		return
	}
	each := len((&bitTree{depth: depth, slots: make([]lineRef, 1<<depth)}).program())
	if t.depth == 0 {
		each = 8
	}
	lines, slots := t.memory(1000), planeAsmSlice[uint16](t.planeAsmTest, t.n*each)
	for i := range slots {
		slots[i] = uint16((freeLine + t.r.IntN(1000-freeLine)) << 3)
		if t.depth == 0 && i%8 >= depth {
			slots[i] = noRowLine
		}
	}
	before := slices.Clone(lines)
	codes := planeAsmSlice[byte](t.planeAsmTest, (t.n+t.n%2)*t.lanes) // sums of pairs read the one beyond, too
	for i := range codes {
		codes[i] = byte(t.r.IntN(256))
	}
	t.decode[t.depth](&codes[0], &lines[0], &slots[0], t.n)
	require.Equal(t, before[freeLine*t.lanes/64:], lines[freeLine*t.lanes/64:])

	// The portable code's codes, in the order of rows.
	want := make([]byte, t.n*t.lanes)
	padded := append(slices.Clone(slots), make([]uint16, 64)...)
	for w := range t.lanes / 64 {
		mem := t.word(before, w)
		for i := range t.n {
			var c [64]byte
			if t.depth == 0 {
				planeLevels(c[:], mem, padded[i*each:])
			} else {
				planeDecode(c[:], mem, padded[i*each:], depth)
			}
			for j, code := range c {
				want[i*t.lanes+t.rowAt[64*w+j]] = code
			}
		}
	}
	t.testSum(codes, want, depth)
	t.testWords(codes, want, depth)
}

// testWords adds random integers.
func (t planeAsmTrees[Out]) testWords(codes, want []byte, depth int) {
	form := t.form
	if form.level == planesHalf {
		form.level = planesGFNI
	}
	bits := form.narrowBits(depth)
	if bits == 0 {
		return
	}
	entries := 1 << bits
	tables, values := planeAsmSlice[int16](t.planeAsmTest, (t.n+t.n%2)*entries), make([]int16, t.n*entries+maxPlaneLeaves)
	for i := range t.n * entries {
		values[i] = int16(t.r.Uint32())
		if t.r.IntN(3) == 0 {
			values[i] = []int16{-1 << 15, 1<<15 - 1}[t.r.IntN(2)]
		}
	}
	copy(tables, values[:t.n*entries])
	if form.narrowBytes(depth) {
		for i := range t.n {
			interleave(tables[i*entries:(i+1)*entries], values[i*entries:(i+1)*entries], 1)
		}
	}
	pass := 128
	if form.level == planesAVX2 {
		pass = 32
	}
	passes := 1 + t.r.IntN(t.lanes/pass)
	acc := planeAsmSlice[Out](t.planeAsmTest, passes*pass)
	for i := range acc {
		acc[i] = Out(t.r.IntN(1<<20)) / 8
	}
	sums, bias, small := slices.Clone(acc), int32(t.r.IntN(1<<22)-1<<21), 0
	if form.small {
		small = 1
	}
	t.words[bits](&acc[0], &codes[0], &tables[0], t.lanes, 2*entries, (t.n+1)/2, passes, bias, small, 0.25)
	for r := 0; r < len(sums); r += 32 {
		var c []byte
		for i := range t.n {
			c = append(c, want[i*t.lanes+r:][:32]...)
		}
		planeWords(sums[r:r+32], c, values, bits, bias, 0.25)
	}
	require.Equal(t, sums, acc, "depth %d, %d trees", t.depth, t.n)
}

// planeWords adds to acc, for each of 32 rows, the bias and the values of trees, times a
// unit. Their tables have 1<<bits entries each. It is the twin of functions in assembly
// that has no other use, because planeSum is faster.
func planeWords[Out Float](acc []Out, codes []byte, tables []int16, bits int, bias int32, unit Out) {
	for r := range acc {
		sum := bias
		for i := range len(codes) / 32 {
			sum += int32(tables[i<<bits+int(codes[32*i+r])])
		}
		acc[r] += Out(sum) * unit
	}
}

// testSum adds random values. Form by form, codes are arranged differently: it
// takes the sum to tell whether they are right.
func (t planeAsmTrees[Out]) testSum(codes, want []byte, depth int) {
	bits := t.form.bits(depth)
	if t.form.level == planesHalf {
		bits = planeForm{planesGFNI, t.form.size, t.form.small}.bits(depth)
	}
	entries, size := 1<<bits, t.form.size
	tables, values := planeAsmSlice[Out](t.planeAsmTest, t.n*entries), make([]Out, t.n*entries+maxPlaneLeaves)
	for i := range tables {
		values[i] = Out(t.r.NormFloat64())
	}
	copy(tables, values)
	wide := t.form
	if wide.level == planesHalf {
		wide.level = planesGFNI
	}
	if piece := wide.piece(entries); piece > 0 {
		for i := range t.n {
			interleave(tables[i*entries:(i+1)*entries], values[i*entries:(i+1)*entries], piece)
		}
	}
	pass := wide.pass(bits)
	passes := 1 + t.r.IntN(t.lanes/pass)
	acc := planeAsmSlice[Out](t.planeAsmTest, passes*pass)
	for i := range acc {
		acc[i] = Out(t.r.NormFloat64())
	}
	sums := slices.Clone(acc)
	t.sums[bits](&acc[0], &codes[0], &tables[0], t.lanes, entries*size, t.n, passes)
	for r := 0; r < len(sums); r += 64 {
		var c []byte
		for i := range t.n {
			c = append(c, want[i*t.lanes+r:][:64]...)
		}
		part := make([]Out, 64) // a pass may be shorter
		copy(part, sums[r:])
		planeSum(part, c, values, bits)
		copy(sums[r:min(r+64, len(sums))], part)
	}
	for i := range sums {
		if math.Float64bits(float64(sums[i])) != math.Float64bits(float64(acc[i])) {
			require.Equal(t, sums[i], acc[i], "depth %d, %d trees, row %d", t.depth, t.n, i)
		}
	}
}
