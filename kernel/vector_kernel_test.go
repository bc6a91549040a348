//go:build amd64 && !purego

package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A vectorTwin does in plain Go, from the same tables, what the kernels do for a
// section.
type vectorTwin[Out Float] struct {
	s     *vectorSection[Out]
	ranks []byte
}

func (w vectorTwin[Out]) goesRight(columns, ranks []byte, i int) int {
	if w.ranks[columns[i]] >= ranks[i] {
		return 1
	}
	return 0
}

// exit is the exit of the top in which the tree in a lane leaves it.
func (w vectorTwin[Out]) exit(lane int) byte {
	s := w.s
	positions, exit, path := 1<<s.levels-1, byte(0), 0
	if s.oblivious {
		positions = s.levels
	}
	for d := range s.levels {
		position := d
		if !s.oblivious {
			position = 1<<d - 1 + path
		}
		nodes := s.top[(lane/64*positions+position)*128:]
		right := w.goesRight(nodes, nodes[64:], lane%64)
		path = 2*path + right
		if exit += s.weights[d] * byte(right); s.oblivious {
			exit = byte(path)
		}
	}
	return exit
}

// blockExit is the exit of the block at an offset.
func (w vectorTwin[Out]) blockExit(at int) int {
	block := w.s.below[at:]
	if !w.s.shaped {
		decisions := 128
		for i := range 7 {
			decisions |= w.goesRight(block, block[8:], i) << i
		}
		return int(w.s.decisions[decisions])
	}
	decisions := 0
	for i := range 6 {
		decisions |= w.goesRight(block, block[6:], i) << i
	}
	for bit, b := range block[12:22] {
		if b == 0 {
			decisions |= 64 << bit
		}
	}
	return int(w.s.decisions[decisions])
}

// next is the offset of the block to which the row goes on from the one at an
// offset.
func (w vectorTwin[Out]) next(at int) int {
	links := 16
	if w.s.shaped {
		links = 22
	}
	return at + 32*int(binary.LittleEndian.Uint16(w.s.below[at+links+2*w.blockExit(at):]))
}

// value is the bits of the value at the exit of the block at an offset.
func (w vectorTwin[Out]) value(at int) uint64 {
	size, values := w.s.valueSize(), 32
	if w.s.shaped {
		values += size
	}
	return readBits(w.s.below[at+values+size*w.blockExit(at):], size)
}

func readBits(b []byte, size int) uint64 {
	if size == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return uint64(binary.LittleEndian.Uint32(b))
}

// float returns the number with the given bits.
func (w vectorTwin[Out]) float(bits uint64) Out {
	if unsafe.Sizeof(*new(Out)) == 8 {
		return Out(math.Float64frombits(bits))
	}
	return Out(math.Float32frombits(uint32(bits)))
}

// A guardedScratch has bytes around it that nobody may write.
type guardedScratch struct {
	before [64]byte
	vectorScratch
	after [64]byte
}

func (g *guardedScratch) fill(b byte) {
	all := unsafe.Slice((*byte)(unsafe.Pointer(g)), unsafe.Sizeof(*g))
	for i := range all {
		all[i] = b
	}
}

func TestVectorKernels(t *testing.T) {
	needVectors(t)
	for _, c := range vectorCases {
		m := c.model(c.random())
		t.Run(c.name, func(t *testing.T) {
			testVectorKernels(t, newVector[float32](m, ThisCPU()))
			testVectorKernels(t, newVector[float64](m, ThisCPU()))
		})
	}
}

func testVectorKernels[Out Float](t *testing.T, v *vector[Out]) {
	if v == nil {
		return
	}
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		ranks := make([]byte, v.width)
		fillVectorRanks(r, ranks)
		for i := range v.sections {
			s := &v.sections[i]
			w := vectorTwin[Out]{s, ranks}
			switch {
			case !s.chain:
				w.testWalk(t)
			case s.steps > 0:
				w.testChain(t, r)
			default:
				w.testLeaves(t, r)
			}
		}
	}
}

// testLeaves compares exits and the sum of their values.
func (w vectorTwin[Out]) testLeaves(t *testing.T, r *rand.Rand) {
	s := w.s
	exits := make([]byte, leafTrees+64)
	w.testExits(t, exits)
	sums := []Out{1, Out(vectorValue(r)), 1}
	want := append([]Out(nil), sums...)
	size := s.valueSize()
	for l := range s.trees {
		want[1] += w.float(readBits(s.below[l*s.stride+size*int(exits[l]):], size))
	}
	if size == 8 {
		vectorLeaves64(vectorPointer(sums[1:]), &exits[0], s.trees, &s.below[0], s.stride)
	} else {
		vectorLeaves32(vectorPointer(sums[1:]), &exits[0], s.trees, &s.below[0], s.stride)
	}
	requireVectorBits(t, want, sums, "leaves")
}

// testExits finds the exits and compares them; a kernel may write those of whole
// groups.
func (w vectorTwin[Out]) testExits(t *testing.T, exits []byte) {
	t.Helper()
	for l := range exits {
		exits[l] = 0xa5
	}
	w.s.exits(exits, w.ranks)
	written := (w.s.trees + 63) &^ 63
	if w.s.levels == 0 {
		written = w.s.lanes()
	}
	for l, exit := range exits {
		if l < written {
			require.Equal(t, w.exit(l), exit, "exit of lane %d of %d", l, w.s.trees)
		} else {
			require.EqualValues(t, 0xa5, exit, "beyond the exits")
		}
	}
}

func (w vectorTwin[Out]) testChain(t *testing.T, r *rand.Rand) {
	s := w.s
	o := int(s.outputs[0])
	sums := make([]Out, o+3)
	for i := range sums {
		sums[i] = Out(vectorValue(r))
	}
	want := append([]Out(nil), sums...)
	for l := range s.lanes() {
		want[1+o] += w.float(w.value(l*s.stride + 8*int(w.exit(l))))
	}
	s.addChain(sums[1:o+2:o+2], w.ranks, false)
	requireVectorBits(t, want, sums, "chain")
}

// testWalk compares what each kernel of a walk leaves in the scratch memory.
func (w vectorTwin[Out]) testWalk(t *testing.T) {
	s := w.s
	got, want := new(guardedScratch), new(guardedScratch)
	got.fill(0xa5)
	want.fill(0xa5)
	w.testExits(t, got.exits[:])
	want.exits = got.exits
	p, values := &got.exits[0], unsafe.Slice(vectorPointer(want.values[:]), 8*walkTrees)
	size := s.valueSize()
	put := func(t int, bits uint64) {
		if size == 8 {
			binary.LittleEndian.PutUint64(values[8*t:], bits)
		} else {
			binary.LittleEndian.PutUint32(values[4*t:], uint32(bits))
		}
	}
	if s.steps == 0 {
		for l := range s.trees {
			put(l, readBits(s.below[l*s.stride+size*int(got.exits[l]):], size))
		}
		if size == 8 {
			vectorFetch64(p, s.trees, &s.below[0], s.stride)
		} else {
			vectorFetch32(p, s.trees, &s.below[0], s.stride)
		}
		require.Equal(t, want, got)
		return
	}

	shaped := 0
	if s.shaped {
		shaped = 1
	}
	vectorSteps(p, &s.bases[0], &s.counts[0], &s.below[0], shaped, &s.decisions[0], &w.ranks[0], len(w.ranks))
	start := uint64(uintptr(unsafe.Pointer(&s.below[0])))
	for l := range s.lanes() {
		at := int(s.bases[l]) + 8*int(got.exits[l])
		for step := 1; l < int(s.counts[step]); step++ {
			at = w.next(at)
		}
		want.blocks[l] = start + uint64(at)
	}
	require.Equal(t, want, got)

	sums := []Out{1, 2, 3}
	wantSums := append([]Out(nil), sums...)
	for i, l := range s.order {
		bits := w.value(int(want.blocks[l] - start))
		put(i, bits)
		if s.vectors == nil {
			wantSums[1] += w.float(bits)
		}
	}
	if size == 8 {
		vectorLastStore64(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &w.ranks[0], len(w.ranks))
	} else {
		vectorLastStore32(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &w.ranks[0], len(w.ranks))
	}
	require.Equal(t, want, got)
	if s.vectors != nil {
		return
	}
	if size == 8 {
		vectorLastAdd64(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &w.ranks[0], len(w.ranks), vectorPointer(sums[1:]))
	} else {
		vectorLastAdd32(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &w.ranks[0], len(w.ranks), vectorPointer(sums[1:]))
	}
	require.Equal(t, want, got)
	requireVectorBits(t, wantSums, sums, "last step")
}

func TestVectorSums(t *testing.T) {
	needVectors(t)
	testVectorSums[float32](t)
	testVectorSums[float64](t)
}

// testVectorSums compares the kernels that add stored values with plain additions.
func testVectorSums[Out Float](t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for trees := 1; trees <= walkTrees; trees += 1 + trees/8 {
		for _, outputs := range []int{1, 2, 7, 8, 9, 15, 16, 17, 33, 70} {
			a := vectorAddition[Out]{values: make([]Out, trees), sums: make([]Out, outputs+2*sumGuard)}
			for i := range a.values {
				a.values[i] = Out(vectorValue(r))
			}
			for i := range a.sums {
				a.sums[i] = Out(vectorValue(r))
			}
			a.test(t, vectorSection[Out]{trees: trees, outputs: []uint32{uint32(r.IntN(outputs))}})
			each := vectorSection[Out]{trees: trees}
			for range trees {
				each.outputs = append(each.outputs, uint32(r.IntN(outputs)))
			}
			if trees > 1 {
				a.test(t, each)
			}
			if trees >= outputs && outputs > 1 {
				rounds := vectorSection[Out]{trees: trees / outputs * outputs, rounds: trees / outputs}
				for i := range rounds.trees {
					rounds.outputs = append(rounds.outputs, uint32(i%outputs))
				}
				a.test(t, rounds)
			}
			a.testVectors(t, r, trees)
		}
	}
}

const sumGuard = 3

// A vectorAddition is values that are added to sums, with guards around.
type vectorAddition[Out Float] struct{ values, sums []Out }

func (a vectorAddition[Out]) test(t *testing.T, s vectorSection[Out]) {
	t.Helper()
	var scratch vectorScratch
	copy(unsafe.Slice((*Out)(unsafe.Pointer(&scratch.values)), walkTrees), a.values)
	got, want := append([]Out(nil), a.sums...), append([]Out(nil), a.sums...)
	n := len(got) - sumGuard
	for i := range s.trees {
		want[sumGuard+s.outputs[i%len(s.outputs)]] += a.values[i]
	}
	s.sum(got[sumGuard:n:n], &scratch)
	requireVectorBits(t, want, got, "%d trees, %d outputs, %d rounds", s.trees, n-sumGuard, s.rounds)
}

func (a vectorAddition[Out]) testVectors(t *testing.T, r *rand.Rand, trees int) {
	t.Helper()
	var scratch vectorScratch
	got, want := append([]Out(nil), a.sums...), append([]Out(nil), a.sums...)
	n := len(got) - sumGuard
	outputs := n - sumGuard
	s := vectorSection[Out]{trees: trees, outputs: []uint32{0}, vectors: make([]Out, 5*outputs)}
	for i := range s.vectors {
		s.vectors[i] = Out(vectorValue(r))
	}
	for i := range trees {
		row := r.IntN(5)
		offset := uint32(row * outputs * int(unsafe.Sizeof(got[0])))
		binary.LittleEndian.PutUint32(unsafe.Slice(vectorPointer(scratch.values[:]), 8*walkTrees)[4*i:], offset)
		for k := range outputs {
			want[sumGuard+k] += s.vectors[row*outputs+k]
		}
	}
	s.sum(got[sumGuard:n:n], &scratch)
	requireVectorBits(t, want, got, "%d trees, vectors of %d", trees, outputs)
}
