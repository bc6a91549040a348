package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var gfniForm = forms[gfni]

// A table is a way to look values up: size bytes each, of 1<<bits entries, stored
// in pieces: all first pieces, all second pieces and so on. A permutation looks up
// 16 qwords, 32 dwords, 64 words, or 128 bytes.
//
// In place, all pieces of a vector of values are looked up where they belong, one
// after the other under masks. Else each piece is looked up for as many rows as
// there is room for, and pieces are interleaved to values. In place is a little
// faster where a value has two pieces (64 float32: 10.2 against 11.1 cycles on
// Zen 4). There, permutations, additions and unpacking share three of four pipes:
// that affine transformations make the indices, on the fourth, costs nothing.
type table struct {
	size, bits int
	piece      int // bytes
	inPlace    bool
	groups     int // of 64 rows whose sums are held in registers
}

var tables = []table{
	{4, 5, 4, true, 2}, {4, 6, 2, true, 2}, {4, 7, 1, false, 2}, {4, 8, 1, false, 2},
	{8, 4, 8, true, 2}, {8, 5, 4, true, 2}, {8, 6, 2, false, 2}, {8, 7, 1, false, 1}, {8, 8, 1, false, 1},
}

func (t table) vectors() int { return t.piece << t.bits / 64 } // that hold one piece of all values
func (t table) pieces() int  { return t.size / t.piece }

// indices is the number of vectors that the indices of 64 rows take.
func (t table) indices() int {
	if t.inPlace {
		return t.size
	}
	return t.piece
}

func (t table) sum() {
	l := &lookup{table: t}
	loop := summation{fmt.Sprintf("planeSumGFNIf%d_%d", 8*t.size, t.bits), gfniForm, t.size, t.groups * t.size}
	loop.sum(l.prepare, func(codes, table reg.Register, sums []reg.VecVirtual) {
		l.load(table)
		for i := range t.groups {
			l.add(sums[i*t.size:(i+1)*t.size], Mem{Base: codes, Disp: 64 * i})
		}
	})
}

// A lookup is a table in registers and memory.
type lookup struct {
	table
	index  []reg.VecVirtual    // what selects rows from a matrix
	masks  []reg.OpmaskVirtual // of the pieces of values
	lanes  reg.VecVirtual      // the order of bytes in an index
	base   reg.Register
	vector map[int]reg.VecVirtual
}

func (l *lookup) prepare() {
	for i := range l.indices() {
		l.index = append(l.index, gfniForm.constant(l.selector(i)))
	}
	for i := range l.pieces() {
		if !l.inPlace || l.pieces() == 1 {
			break
		}
		r, k := GP64(), K()
		MOVQ(U64(0x5555555555555555<<i), r)
		KMOVQ(r, k)
		l.masks = append(l.masks, k)
	}
	if l.piece == 1 && l.size == 4 {
		// Sums are in the order of an index of dwords: two rows of each matrix.
		l.lanes = ZMM()
		VBROADCASTI32X4(data("planeLanes", 0x0b0a030209080100, 0x0f0e07060d0c0504), l.lanes)
	}
}

// selector returns the bits that an affine transformation by a matrix of eight
// rows' codes takes to some of the rows' codes, each at the places of its index.
func (t table) selector(part int) uint64 {
	step, repeat := t.piece, 1
	if t.inPlace {
		step, repeat = t.size, t.pieces()
	}
	x := uint64(0)
	for i := range 8 / step {
		row := 8/step*part + i
		for p := range repeat {
			x |= 0x80 >> row << (8 * (step*i + t.piece*p))
		}
	}
	return x
}

// load loads the vectors of a table: all if there are few, every other one, or none.
// The rest are loaded when they are used.
func (l *lookup) load(base reg.Register) {
	l.base, l.vector = base, map[int]reg.VecVirtual{}
	all := l.pieces() * l.vectors()
	for i := range all {
		if all >= 8 && (i%2 == 1 || all > 16) {
			continue
		}
		l.vector[i] = ZMM()
		VMOVDQU64(l.mem(i), l.vector[i])
	}
}

func (l *lookup) mem(i int) Mem { return Mem{Base: l.base, Disp: 64 * i} }

func (l *lookup) reg(i int) reg.VecVirtual {
	if v := l.vector[i]; v != nil {
		return v
	}
	v := ZMM()
	VMOVDQU64(l.mem(i), v)
	return v
}

func (l *lookup) op(i int) Op {
	if v := l.vector[i]; v != nil {
		return v
	}
	return l.mem(i)
}

// add adds the values of 64 rows to sums.
func (l *lookup) add(sums []reg.VecVirtual, codes Mem) {
	if l.piece == 1 && l.size == 8 {
		// Interleaving bytes takes every other matrix first, and then half of its rows;
		// the order of sums is the other way about.
		sums = slices.Concat(sums[:2], sums[4:6], sums[2:4], sums[6:])
	}
	n := len(sums) / l.indices()
	for i, selector := range l.index {
		index := ZMM()
		VGF2P8AFFINEQB(Imm(0), codes, selector, index)
		if l.lanes != nil {
			VPSHUFB(l.lanes, index, index)
		}
		if l.inPlace {
			l.lookInPlace(index)
			l.merge(sums[i:], l.size, []reg.VecVirtual{index})
			continue
		}
		pieces := make([]reg.VecVirtual, l.pieces())
		for p := range pieces {
			pieces[p] = l.look(p, index)
		}
		l.merge(sums[i*n:(i+1)*n], l.piece, pieces)
	}
}

// lookInPlace looks values up: each index becomes a value.
func (l *lookup) lookInPlace(index reg.VecVirtual) {
	op := map[int]func(...Op){2: VPERMI2W, 4: VPERMI2D, 8: VPERMI2Q}[l.piece]
	if l.masks == nil {
		op(l.op(1), l.reg(0), index)
	}
	for p, mask := range l.masks {
		op(l.op(2*p+1), l.reg(2*p), mask, index)
	}
}

// look looks a piece of values up.
func (l *lookup) look(piece int, index reg.VecVirtual) reg.VecVirtual {
	v, first := ZMM(), piece*l.vectors()
	VMOVDQA64(index, v)
	if l.piece == 2 {
		VPERMI2W(l.op(first+1), l.reg(first), v)
		return v
	}
	VPERMI2B(l.op(first+1), l.reg(first), v)
	if l.bits == 8 {
		upper, high := ZMM(), K()
		VPMOVB2M(index, high)
		VMOVDQA64(index, upper)
		VPERMI2B(l.op(first+3), l.reg(first+2), upper)
		VMOVDQU8(upper, high, v)
	}
	return v
}

// merge interleaves pieces of a size to values and adds them.
func (l *lookup) merge(sums []reg.VecVirtual, size int, pieces []reg.VecVirtual) {
	switch {
	case size < l.size:
		ops := map[int][2]func(...Op){1: {VPUNPCKLBW, VPUNPCKHBW}, 2: {VPUNPCKLWD, VPUNPCKHWD}, 4: {VPUNPCKLDQ, VPUNPCKHDQ}}[size]
		half := len(sums) / 2
		for i, op := range ops {
			merged := make([]reg.VecVirtual, len(pieces)/2)
			for j := range merged {
				merged[j] = ZMM()
				op(pieces[2*j+1], pieces[2*j], merged[j])
			}
			l.merge(sums[i*half:(i+1)*half], 2*size, merged)
		}
	case l.size == 8:
		VADDPD(pieces[0], sums[0], sums[0])
	default:
		VADDPS(pieces[0], sums[0], sums[0])
	}
}
