package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bits returns the bit planes of the ranks of a column. The order of rows in them
// is such that what codes stores is in order.
func (f form) bits(lines reg.Register) []reg.VecVirtual {
	ranks, order := Load(Param("ranks"), GP64()), Load(Param("order"), GP64())
	if f.level == gfni {
		return f.bitsGFNI(ranks, order)
	}
	if f.level == avx2 {
		f.bitsAVX2(lines, ranks)
	} else {
		f.bitsAVX512(lines, ranks)
	}
	var b []reg.VecVirtual
	for k := range 8 {
		b = append(b, f.load(f.line(lines, spillLine+k)))
	}
	return b
}

// bitsAVX512 stores bit planes. Their rows are in order.
func (f form) bitsAVX512(lines, ranks reg.Register) {
	for i := range 8 {
		v := ZMM()
		VMOVDQU64(Mem{Base: ranks, Disp: 64 * i}, v)
		for k := 7; k >= 0; k-- {
			b := K()
			VPMOVB2M(v, b)
			KMOVQ(b, f.line(lines, spillLine+k).Offset(8*i))
			if k > 0 {
				VPADDB(v, v, v)
			}
		}
	}
}

// bitsAVX2 stores bit planes. Codes come 16 rows of each 128-bit lane at a time,
// and values are looked up for 4 of each 16 rows: each 32 rows r are taken in the
// order of their bits r2 r4 r3 r1 r0.
func (f form) bitsAVX2(lines, ranks reg.Register) {
	order := YMM()
	VMOVDQU(data("planeOrderAVX2", 2<<32, 6<<32|4, 3<<32|1, 7<<32|5), order)
	for m := range 4 {
		var rows [2]reg.VecVirtual
		for i := range rows {
			rows[i] = YMM()
			VPERMD(Mem{Base: ranks, Disp: 64*m + 32*i}, order, rows[i])
		}
		for lane := range 2 {
			v := YMM()
			VPERM2I128(Imm(uint64(0x20+0x11*lane)), rows[1], rows[0], v)
			for k := 7; k >= 0; k-- {
				b := GP32()
				VPMOVMSKB(v, b)
				MOVL(b, f.line(lines, spillLine+k).Offset(16*lane+4*m))
				if k > 0 {
					VPADDB(v, v, v)
				}
			}
		}
	}
}

// bitsGFNI returns bit planes. Their bits stand in this order: byte (q, i) of
// 128-bit lane L is for the rows of qword (L, q) of A[i], in reverse, where A[2m]
// and A[2m+1] hold the low and high qwords of the lanes of two vectors of rows, 2m
// and 2m+1. Unpacking bit planes byte by byte, word by word and dword by dword then
// gives vectors with eight rows' bits in a qword.
func (f form) bitsGFNI(ranks, order reg.Register) []reg.VecVirtual {
	// bit i in byte i: an affine transformation of it by 8×8 bits transposes them,
	// and reverses the order of columns.
	ones := f.constant(0x8040201008040201)
	var a [8]reg.VecVirtual
	for m, r := range f.rows(ranks, order) {
		a[2*m] = f.unpack(VPUNPCKLQDQ, r[0], r[1])
		a[2*m+1] = f.unpack(VPUNPCKHQDQ, r[0], r[1])
	}
	for i := range a {
		VGF2P8AFFINEQB(Imm(0), a[i], ones, a[i])
	}
	return f.planes(a)
}

// rows loads ranks, in pairs of vectors.
func (f form) rows(ranks, order reg.Register) [4][2]reg.VecVirtual {
	z := ZMM()
	VMOVDQU64(Mem{Base: order}, z)
	var v [4][2]reg.VecVirtual
	for i := range v {
		if f.bytes == 64 {
			for j := range v[i] {
				v[i][j] = ZMM()
				VPERMB(Mem{Base: ranks, Disp: 128*i + 64*j}, z, v[i][j])
			}
			continue
		}
		both := ZMM()
		VPERMB(Mem{Base: ranks, Disp: 64 * i}, z, both)
		v[i] = [2]reg.VecVirtual{YMM(), YMM()}
		VMOVDQA64(both.AsY(), v[i][0])
		VEXTRACTI64X4(Imm(1), both, v[i][1])
	}
	return v
}

// planes turns qwords with one byte of each bit plane into bit planes.
func (f form) planes(a [8]reg.VecVirtual) []reg.VecVirtual {
	var d [2][4]reg.VecVirtual // low and high qwords of lanes
	for q, words := range [2]func(...Op){VPUNPCKLBW, VPUNPCKHBW} {
		var b [4]reg.VecVirtual
		for i := range b {
			b[i] = f.unpack(words, a[2*i], a[2*i+1])
		}
		for i, dwords := range [2]func(...Op){VPUNPCKLWD, VPUNPCKHWD} {
			low, high := f.unpack(dwords, b[0], b[1]), f.unpack(dwords, b[2], b[3])
			d[q][2*i] = f.unpack(VPUNPCKLDQ, low, high)
			d[q][2*i+1] = f.unpack(VPUNPCKHDQ, low, high)
		}
	}
	var p []reg.VecVirtual
	for i := range 4 {
		p = append(p, f.unpack(VPUNPCKLQDQ, d[0][i], d[1][i]), f.unpack(VPUNPCKHQDQ, d[0][i], d[1][i]))
	}
	return p
}
