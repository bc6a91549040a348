package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sumBytes adds float32 values of up to 64 entries, for 32 rows a pass. A shuffle
// looks up 16 bytes: tables are stored as all first bytes, all second bytes and so
// on, and an index that is not for 16 bytes has its highest bit set, which gives 0.
func sumBytes(bits int) {
	loop := summation{fmt.Sprintf("planeSumAVX2f32_%d", bits), forms[avx2], 4, 4}
	loop.sum(func() {}, func(codes, table reg.Register, sums []reg.VecVirtual) {
		indices := byteIndices(Mem{Base: codes}, 1<<bits/16)
		var planes [4]reg.VecVirtual
		for p := range planes {
			planes[p] = lookBytes(Mem{Base: table, Disp: p << bits}, indices)
		}
		for i, words := range [2]func(...Op){VPUNPCKLBW, VPUNPCKHBW} {
			low, high := forms[avx2].unpack(words, planes[0], planes[1]), forms[avx2].unpack(words, planes[2], planes[3])
			for j, dwords := range [2]func(...Op){VPUNPCKLWD, VPUNPCKHWD} {
				sum := sums[2*i+j]
				VADDPS(forms[avx2].unpack(dwords, low, high), sum, sum)
			}
		}
	})
}

// byteIndices returns the indices for n pieces of a table of bytes.
func byteIndices(codes Mem, n int) []reg.VecVirtual {
	code, index := YMM(), YMM()
	VMOVDQU(codes, code)
	bias := data("planeBias", 0x7070707070707070, 0x7070707070707070, 0x7070707070707070, 0x7070707070707070)
	VPADDUSB(bias, code, index)
	indices := []reg.VecVirtual{index}
	for len(indices) < n {
		index := YMM()
		VPSUBB(data("planeStep", 0x1010101010101010, 0x1010101010101010, 0x1010101010101010, 0x1010101010101010), code, code)
		VPADDUSB(bias, code, index)
		indices = append(indices, index)
	}
	return indices
}

// lookBytes looks bytes up, in 16 bytes for each index.
func lookBytes(table Mem, indices []reg.VecVirtual) reg.VecVirtual {
	var all reg.VecVirtual
	for i, index := range indices {
		v := YMM()
		VBROADCASTI128(table.Offset(16*i), v)
		VPSHUFB(index, v, v)
		if all == nil {
			all = v
		} else {
			VPOR(v, all, all)
		}
	}
	return all
}

// sumScalar adds values of a size one by one, for 32 rows a pass. Eight rows at a
// time are in registers.
func sumScalar(size int) {
	loop := summation{fmt.Sprintf("planeSumAVX2f%d", 8*size), forms[avx2], size, 32}
	acc, codes, stride, bytes, passes := loop.declare(32)
	mov, add := VMOVSS, VADDSS
	if size == 8 {
		mov, add = VMOVSD, VADDSD
	}
	Label("pass")
	for part := range 4 {
		c, tables, n := GP64(), Load(Param("tables"), GP64()), Load(Param("n"), GP64())
		MOVQ(codes, c)
		var sums [8]reg.VecVirtual
		at := func(i int) Mem { // see bitsAVX2
			row := 16*(part&1) + 4*(part>>1) + i&3 + 8*(i>>2)
			return Mem{Base: acc, Disp: size * row}
		}
		for i := range sums {
			sums[i] = XMM()
			mov(at(i), sums[i])
		}
		tree := fmt.Sprintf("tree%d", part)
		Label(tree)
		for i := range sums {
			code := GP64()
			MOVBQZX(Mem{Base: c, Disp: 8*part + i}, code)
			add(Mem{Base: tables, Index: code, Scale: uint8(size)}, sums[i], sums[i])
		}
		ADDQ(stride, c)
		ADDQ(bytes, tables)
		DECQ(n)
		JNZ(LabelRef(tree))
		for i := range sums {
			mov(sums[i], at(i))
		}
	}
	ADDQ(I32(32*size), acc)
	ADDQ(Imm(32), codes)
	DECQ(passes)
	JNZ(LabelRef("pass"))
	RET()
}
