package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sum writes the kernel that adds values to one sum.
func sum(size int) {
	function(fmt.Sprintf("vectorSum%d", bits(size)), "adds values to one sum.",
		"sum *byte, values *byte, trees int")
	acc, values, n := RDI, RSI, RCX
	Load(Param("sum"), acc)
	Load(Param("values"), values)
	Load(Param("trees"), n)
	move(size, Mem{Base: acc}, X0)
	unrolled(n, func(i int) {
		add(size, Mem{Base: values, Disp: i * size}, X0)
	}, func(k int) { ADDQ(Imm(uint64(k*size)), values) })
	move(size, X0, Mem{Base: acc})
	RET()
}

// sumEach writes the kernel that adds each value to the sum of its own output.
func sumEach(size int) {
	function(fmt.Sprintf("vectorSumEach%d", bits(size)), "adds values to the sums of their outputs.",
		"sums *byte, values *byte, outputs *uint32, trees int")
	acc, values, outputs, n, o := RDI, RSI, RBX, RCX, R8
	Load(Param("sums"), acc)
	Load(Param("values"), values)
	Load(Param("outputs"), outputs)
	Load(Param("trees"), n)
	unrolled(n, func(i int) {
		MOVL(Mem{Base: outputs, Disp: 4 * i}, o.As32())
		at := Mem{Base: acc, Index: o, Scale: uint8(size)}
		move(size, at, X0)
		add(size, Mem{Base: values, Disp: i * size}, X0)
		move(size, X0, at)
	}, func(k int) {
		ADDQ(Imm(uint64(k*size)), values)
		ADDQ(Imm(uint64(4*k)), outputs)
	})
	RET()
}

// sumRounds writes the kernel that adds rounds of values, in each one for every
// output in turn.
func sumRounds(size int) {
	function(fmt.Sprintf("vectorSumRounds%d", bits(size)), "adds values to the sums of all outputs in turn.",
		"sums *byte, outputs int, values *byte, rounds int")
	acc, left, values, rounds, n, from, stride := RDI, RSI, RDX, RCX, R8, R9, R10
	Load(Param("sums"), acc)
	Load(Param("outputs"), left)
	Load(Param("values"), values)
	Load(Param("rounds"), rounds)
	IMUL3Q(Imm(uint64(size)), left, stride)
	forRegisters(size, acc, left, func() {
		MOVQ(values, from)
		MOVQ(rounds, n)
		Label("round")
		addMasked(size, Mem{Base: from})
		ADDQ(stride, from)
		DECQ(n)
		JNZ(LabelRef("round"))
		ADDQ(Imm(64), values)
	})
}

// sumVectors writes the kernel that adds leaf vectors. The values are the offsets
// of the vectors.
func sumVectors(size int) {
	function(fmt.Sprintf("vectorSumVectors%d", bits(size)), "adds leaf vectors at the stored offsets to the sums of all outputs.",
		"sums *byte, outputs int, values *byte, trees int, vectors *byte")
	acc, left, values, n, vectors, tree, i := RDI, RSI, RDX, RCX, RAX, R8, R9
	Load(Param("sums"), acc)
	Load(Param("outputs"), left)
	Load(Param("values"), values)
	Load(Param("trees"), n)
	Load(Param("vectors"), vectors)
	forRegisters(size, acc, left, func() {
		XORL(tree.As32(), tree.As32())
		Label("tree")
		MOVL(Mem{Base: values, Index: tree, Scale: 4}, i.As32())
		addMasked(size, Mem{Base: vectors, Index: i, Scale: 1})
		INCQ(tree)
		CMPQ(tree, n)
		JLT(LabelRef("tree"))
		ADDQ(Imm(64), vectors)
	})
}

// forRegisters writes a loop that runs body for as many of the sums at acc as fit
// into a register, Z0, with K1 for those that are left; and the return. It uses R11.
func forRegisters(size int, acc, left GPPhysical, body func()) {
	lanes := 64 / size
	Label("register")
	MOVL(U32(1<<lanes-1), R11L)
	CMPQ(left, Imm(uint64(lanes)))
	JGE(LabelRef("full"))
	BZHIL(left.As32(), R11L, R11L)
	Label("full")
	KMOVW(R11L, K1)
	if size == 4 {
		VMOVUPS_Z(Mem{Base: acc}, K1, Z0)
	} else {
		VMOVUPD_Z(Mem{Base: acc}, K1, Z0)
	}
	body()
	if size == 4 {
		VMOVUPS(Z0, K1, Mem{Base: acc})
	} else {
		VMOVUPD(Z0, K1, Mem{Base: acc})
	}
	ADDQ(Imm(64), acc)
	SUBQ(Imm(uint64(lanes)), left)
	JG(LabelRef("register"))
	VZEROUPPER()
	RET()
}

// addMasked adds values to the sums in Z0.
func addMasked(size int, m Mem) {
	if size == 4 {
		VADDPS(m, Z0, K1, Z0)
	} else {
		VADDPD(m, Z0, K1, Z0)
	}
}
