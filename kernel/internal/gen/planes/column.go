package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// digits stores the lines of a column's digits.
func (f form) digits() {
	TEXT("planeDigits"+f.name, NOSPLIT, "func(lines *uint64, ranks *byte, order *byte)")
	Doc(fmt.Sprintf("planeDigits%s is planeDigits for %d rows.", f.name, 8*f.bytes))
	Pragma("noescape")
	lines := Load(Param("lines"), GP64())
	bits := f.bits(lines)
	f.digit(bits[:4], func(c int, v reg.VecVirtual) { f.mov(v, f.line(lines, lowLine+c-1)) })
	f.digit(bits[4:], func(c int, v reg.VecVirtual) { f.mov(v, f.line(lines, highLine+c-1)) })
	VZEROUPPER()
	RET()
}

// column stores the lines of a column's ranks: of those with the high digits that
// are set in groups.
func (f form) column() {
	TEXT("planeColumn"+f.name, NOSPLIT, "func(lines, dst *uint64, ranks *byte, order *byte, groups uint)")
	Doc(fmt.Sprintf("planeColumn%s is planeColumn for %d rows.", f.name, 8*f.bytes))
	Pragma("noescape")
	lines, dst := Load(Param("lines"), GP64()), Load(Param("dst"), GP64())
	groups := Load(Param("groups"), GP64())
	var low [16]Op // in registers if there are 32
	bits := f.bits(lines)
	f.digit(bits[:4], func(c int, v reg.VecVirtual) {
		low[c] = v
		if f.level == avx2 {
			low[c] = f.line(lines, lowLine+c-1)
			f.mov(v, low[c])
		}
	})
	f.digit(bits[4:], func(c int, v reg.VecVirtual) { f.mov(v, f.line(lines, highLine+c-1)) })

	// The line of rank 0 is not made: another one may stand in its place.
	digit := GP64()
	LEAQ(f.line(lines, highLine-1), digit)
	high, above := f.vec(), f.vec()
	load := func() {
		f.mov(f.line(digit, 0), high)
		f.mov(f.line(digit, 1), above)
	}
	load()
	BTQ(Imm(0), groups)
	JCS(LabelRef("rest"))
	Label("group")
	ADDQ(I32(f.bytes), digit)
	SHRQ(Imm(1), groups)
	JZ(LabelRef("done"))
	BTQ(Imm(0), groups)
	JCC(LabelRef("group"))
	load()
	f.mov(high, f.line(dst, 0))
	Label("rest")
	for l := 1; l < 16; l++ {
		v := f.vec()
		f.mov(above, v)
		f.orAnd(v, high, low[l])
		f.mov(v, f.line(dst, l))
	}
	ADDQ(I32(16*f.bytes), dst)
	JMP(LabelRef("group"))
	Label("done")
	VZEROUPPER()
	RET()
}

// digit makes the lines of a digit ≥ 1, 2, … 15, given its four bits.
func (f form) digit(b []reg.VecVirtual, keep func(c int, line reg.VecVirtual)) {
	low, high := f.twoBits(b[:2]), f.twoBits(b[2:])
	for c := 1; c < 16; c++ {
		h, l, v := c>>2, c&3, f.vec()
		switch {
		case l == 0:
			v = high[h]
		case h == 0:
			f.or(high[1], low[l], v)
		case h == 3:
			f.and(high[3], low[l], v)
		default:
			f.mov(high[h+1], v)
			f.orAnd(v, high[h], low[l])
		}
		keep(c, v)
	}
}

// twoBits returns the lines of two bits ≥ 1, 2, 3.
func (f form) twoBits(b []reg.VecVirtual) [4]reg.VecVirtual {
	or, and := f.vec(), f.vec()
	f.or(b[0], b[1], or)
	f.and(b[0], b[1], and)
	return [4]reg.VecVirtual{nil, or, b[1], and}
}

func (f form) combine() {
	TEXT("planeCombine"+f.name, NOSPLIT, "func(lines *uint64, ops *uint16, n int, dst *uint64)")
	Doc(fmt.Sprintf("planeCombine%s is planeCombine for lines of %d bytes.", f.name, f.bytes))
	Pragma("noescape")
	lines, ops := Load(Param("lines"), GP64()), Load(Param("ops"), GP64())
	n, dst := Load(Param("n"), GP64()), Load(Param("dst"), GP64())
	loop := func(label string, unrolled int) {
		Label(label)
		SUBQ(Imm(uint64(unrolled)), n)
		JLT(LabelRef(label + "done"))
		for i := range unrolled {
			at := f.at(lines, Mem{Base: ops, Disp: 8 * i}, 3)
			a, b := f.load(at[0]), f.load(at[1])
			f.orAnd(a, b, at[2])
			f.mov(a, Mem{Base: dst, Disp: i * f.bytes})
		}
		ADDQ(Imm(uint64(8*unrolled)), ops)
		ADDQ(I32(unrolled*f.bytes), dst)
		JMP(LabelRef(label))
		Label(label + "done")
		ADDQ(Imm(uint64(unrolled)), n)
	}
	loop("four", 4)
	loop("one", 1)
	VZEROUPPER()
	RET()
}

// register returns x in a register.
func (f form) register(x Op) reg.VecVirtual {
	if v, ok := x.(reg.VecVirtual); ok {
		return v
	}
	return f.load(x)
}
