package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The largest numbers of levels that a top decides: in a chain of values of a size,
// and elsewhere.
const maxLevels = 4

func maxChainLevels(size int) int {
	if size == 4 {
		return maxLevels + 1
	}
	return maxLevels
}

// A topper decides the tops of 64 trees. The table of a group holds, for each
// node position in the order of levels, 64 columns and 64 ranks. The exit of a
// tree is the sum of the weights of the levels at which it went right.
type topper struct {
	lookup
	most          int // levels
	table, levels GPPhysical
}

// Registers of a topper. Selecting among the nodes of a level needs, for columns
// and for ranks, one register for each level above.
var (
	columnRegs = []VecPhysical{Z16, Z17, Z18, Z19, Z20}
	rankRegs   = []VecPhysical{Z2, Z3, Z4, Z5, Z6}
	exitReg    = Z21
	weightRegs = []VecPhysical{Z22, Z23, Z24, Z25, Z26}
	levelMasks = []OpmaskPhysical{K1, K2, K3, K4, K5}
)

// loadWeights uses R8.
func loadWeights() {
	Load(Param("weights"), R8)
	for d, w := range weightRegs {
		VPBROADCASTB(Mem{Base: R8, Disp: d}, w)
	}
}

// group leaves the exits of a group in exitReg and moves the table on.
func (t topper) group(label func(string) string) {
	levels := func(d int) string { return label(fmt.Sprintf("levels%d", d)) }
	for d := range t.most {
		t.level(d)
		if d < t.most-1 {
			CMPQ(t.levels, U8(d+1))
			JEQ(LabelRef(levels(d + 1)))
		}
	}
	for d := t.most; d > 0; d-- {
		if d < t.most {
			Label(levels(d))
		}
		ADDQ(U32(128*(1<<d-1)), t.table)
		if d > 1 {
			JMP(LabelRef(label("exits")))
		}
	}
	Label(label("exits"))
}

// level decides a level: it selects the column and the rank of the node at which
// each tree stands, and compares.
func (t topper) level(d int) {
	t.mux(d, 0, 0, 0, columnRegs)
	t.mux(d, 0, 0, 64, rankRegs)
	t.ranks(columnRegs[0], columnRegs[1])
	VPCMPUB(U8(5), rankRegs[0], columnRegs[0], levelMasks[d])
	if d == 0 {
		VMOVDQU8_Z(weightRegs[0], levelMasks[0], exitReg)
	} else {
		VPADDB(weightRegs[d], exitReg, levelMasks[d], exitReg)
	}
}

// mux selects, among the nodes of level d from first on, by the decisions of the
// levels from which on, what stands at offset in their lines, into regs[0].
func (t topper) mux(d, from, first, offset int, regs []VecPhysical) {
	at := func(i int) Mem {
		return Mem{Base: t.table, Disp: 128*(1<<d-1+i) + offset}
	}
	switch {
	case from == d:
		VMOVDQU8(at(first), regs[0])
	case from == d-1:
		VMOVDQU8(at(first), regs[0])
		VMOVDQU8(at(first+1), levelMasks[from], regs[0])
	default:
		t.mux(d, from+1, first, offset, regs)
		t.mux(d, from+1, first+1<<(d-from-1), offset, regs[1:])
		VPBLENDMB(regs[1], regs[0], levelMasks[from], regs[0])
	}
}

// exits writes the kernel that stores the exits of groups of 64 trees.
func exits() {
	function("vectorExits", "stores the exits of groups of 64 trees from their tops.",
		"exits *byte, table *byte, groups int, levels int, weights *byte, ranks *byte, width int")
	table, groups, levels, out := RAX, RCX, RDX, RDI
	Load(Param("exits"), out)
	Load(Param("table"), table)
	Load(Param("groups"), groups)
	Load(Param("levels"), levels)
	loadWeights()
	forLookups([]lookup{128, 256}, func(l lookup, label func(string) string) {
		t := topper{l, maxLevels, table, levels}
		Label(label("group"))
		t.group(label)
		VMOVDQU8(exitReg, Mem{Base: out})
		ADDQ(U8(64), out)
		DECQ(groups)
		JNZ(LabelRef(label("group")))
		VZEROUPPER()
		RET()
	})
}

// obliviousExits writes the kernel for trees whose nodes of a level are equal: the
// table holds 64 columns and 64 ranks for each level. The exit is the binary
// number of the decisions.
func obliviousExits() {
	function("vectorObliviousExits", "stores the exits of groups of 64 trees from tops in which the nodes of a level are equal.",
		"exits *byte, table *byte, groups int, levels int, ranks *byte, width int")
	table, groups, levels, out, n := RAX, RCX, RDX, RDI, RSI
	Load(Param("exits"), out)
	Load(Param("table"), table)
	Load(Param("groups"), groups)
	Load(Param("levels"), levels)
	MOVL(U32(0x01010101), R8L)
	VPBROADCASTD(R8L, weightRegs[0])
	forLookups([]lookup{128, 256}, func(l lookup, label func(string) string) {
		Label(label("group"))
		VPXORQ(exitReg, exitReg, exitReg)
		MOVQ(levels, n)
		Label(label("level"))
		VMOVDQU8(Mem{Base: table}, columnRegs[0])
		l.ranks(columnRegs[0], columnRegs[1])
		VPCMPUB(U8(5), Mem{Base: table, Disp: 64}, columnRegs[0], K1)
		VPADDB(exitReg, exitReg, exitReg)
		VPADDB(weightRegs[0], exitReg, K1, exitReg)
		ADDQ(U32(128), table)
		DECQ(n)
		JNZ(LabelRef(label("level")))
		VMOVDQU8(exitReg, Mem{Base: out})
		ADDQ(U8(64), out)
		DECQ(groups)
		JNZ(LabelRef(label("group")))
		VZEROUPPER()
		RET()
	})
}
