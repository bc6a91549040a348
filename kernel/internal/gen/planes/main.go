// Command planes prints the assembly of the kernel's planes.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	for _, f := range forms {
		f.digits()
		f.column()
		f.combine()
		for depth := range 9 {
			f.decode(depth)
		}
	}
	for _, t := range tables {
		t.sum()
	}
	for _, t := range plainTables {
		t.sum()
	}
	for _, t := range narrowTables {
		t.sum()
	}
	for bits := 4; bits <= 6; bits++ {
		sumBytes(bits)
	}
	sumScalar(4)
	sumScalar(8)
	Generate()
}

// A form is a way to evaluate blocks of rows.
type form struct {
	name  string
	bytes int // in a line, which is one vector
	level int
}

const (
	avx2 = iota // also the index of the form
	avx512
	gfni // and VBMI and VNNI
)

var forms = []form{{"AVX2", 32, avx2}, {"AVX512", 64, avx512}, {"GFNI", 64, gfni}, {"Half", 32, gfni}}

// The lines at the beginning of the memory for lines, as package kernel has them.
const (
	lowLine   = 2
	highLine  = 18 // between those of all rows and of none
	spillLine = 34 // 8 lines for anything
	partLine  = 42 // 24 lines
)

func (f form) vec() reg.VecVirtual {
	if f.bytes == 64 {
		return ZMM()
	}
	return YMM()
}

// mov loads, stores or copies a line.
func (f form) mov(src, dst Op) {
	if f.level == avx2 {
		VMOVDQA(src, dst)
	} else {
		VMOVDQA64(src, dst)
	}
}

func (f form) load(src Op) reg.VecVirtual {
	v := f.vec()
	f.mov(src, v)
	return v
}

// orAnd sets a to a | b & c.
func (f form) orAnd(a, b reg.VecVirtual, c Op) {
	if f.level == avx2 {
		t := f.vec()
		VPAND(c, b, t)
		VPOR(t, a, a)
	} else {
		VPTERNLOGQ(Imm(0xf8), c, b, a)
	}
}

func (f form) and(a Op, b, dst reg.VecVirtual) {
	if f.level == avx2 {
		VPAND(a, b, dst)
	} else {
		VPANDQ(a, b, dst)
	}
}

func (f form) or(a Op, b, dst reg.VecVirtual) {
	if f.level == avx2 {
		VPOR(a, b, dst)
	} else {
		VPORQ(a, b, dst)
	}
}

// where sets a to b where line is set.
func (f form) where(a reg.VecVirtual, b Op, line reg.VecVirtual) {
	if f.level == avx2 {
		t := f.vec()
		VPXOR(b, a, t)
		VPAND(line, t, t)
		VPXOR(t, a, a)
	} else {
		VPTERNLOGQ(Imm(0xb8), b, line, a)
	}
}

// unless sets a to b where line is not set.
func (f form) unless(a reg.VecVirtual, b Op, line reg.VecVirtual) {
	if f.level == avx2 {
		t := f.vec()
		VPXOR(b, a, t)
		VPANDN(t, line, t)
		VPXOR(t, a, a)
	} else {
		VPTERNLOGQ(Imm(0xe2), b, line, a)
	}
}

// line is the line with the given number.
func (f form) line(lines reg.Register, n int) Mem {
	return Mem{Base: lines, Disp: n * f.bytes}
}

// at returns the lines that the program states at p, up to four of them. One load
// for all leaves more to those of lines: there are three a cycle, and a line of 64
// bytes takes two.
func (f form) at(lines reg.Register, p Mem, n int) []Op {
	r := GP64()
	switch n {
	case 1:
		MOVWQZX(p, r)
	case 2:
		MOVL(p, r.As32())
	default:
		MOVQ(p, r)
	}
	var at []Op
	for i := range n {
		index := r
		if i < n-1 || n == 3 {
			index = GP64()
			MOVWQZX(r.As16(), index)
		}
		at = append(at, Mem{Base: lines, Index: index, Scale: uint8(f.bytes / 8)})
		if i < n-1 {
			SHRQ(Imm(16), r)
		}
	}
	return at
}

// unpack interleaves the low or high parts of a and b.
func (f form) unpack(op func(...Op), a, b Op) reg.VecVirtual {
	dst := f.vec()
	op(b, a, dst)
	return dst
}

func (f form) constant(x uint64) reg.VecVirtual {
	r, v := GP64(), f.vec()
	MOVQ(U64(x), r)
	VPBROADCASTQ(r, v)
	return v
}

var constants = map[string]Mem{}

// data returns constant memory.
func data(name string, qwords ...uint64) Mem {
	m, ok := constants[name]
	if !ok {
		m = GLOBL(name, RODATA|NOPTR)
		for i, x := range qwords {
			DATA(8*i, U64(x))
		}
		constants[name] = m
	}
	return m
}
