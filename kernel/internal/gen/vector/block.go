package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A block is a piece of a tree: nodes of which all are compared, and the exits to
// which a table says that the decisions lead, with links to other blocks and leaf
// values.
//
// A full block has three full levels: seven columns and a zero, seven ranks and a
// zero. A shaped block is any piece of six nodes: six columns; six ranks; eight
// bytes for the bits of its shape, 0 for a set one, and two that are not 0, which
// all are compared with zeros in the place of ranks, so that the shape stands above
// the decisions.
const (
	fullRanks = 8
	fullLinks = 16

	shapedNodes = 6
	shapedRanks = 6
	shapedLinks = 22
)

// A stepper takes eight trees at a time through a block, while it begins with the
// next eight: what waits for memory and for the vector units then stands so far
// from what it waits for that the processor's windows suffice. On a Zen 4 this
// made a tree, of which the sum takes 3.0 cycles, 3.0 instead of 3.9 cycles.
type stepper struct {
	lookup
	size int // of a leaf value
	form form
}

// A form is a form of blocks and of what is done with them.
type form int

const (
	// Full blocks in a chain. Their ranks stay in memory, for the top takes the
	// registers.
	chained form = iota
	full
	shaped
)

// lanes is the number of trees of a stepper.
const lanes = 8

// Registers of a stepper: for each tree its block, the row's ranks and those of the
// nodes; the table of exits by decisions; the exit of a tree; a mask of the nodes of
// a block.
var (
	blockRegs = []GPPhysical{R8, R9, R10, R11, R12, R13, R14, R15}
	lookRegs  = []VecPhysical{Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15}
	nodeRegs  = []VecPhysical{Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23}
	tableReg  = RBX
	exit      = RBP
	nodesMask = K6
)

// forSteppers writes body for each way of lookup and each form of blocks in walks,
// of which the kernel takes one by its parameter shaped.
func forSteppers(size int, body func(s stepper, label func(name string) string)) {
	forLookups([]lookup{128, 256}, func(l lookup, label func(string) string) {
		Load(Param("shaped"), exit)
		TESTQ(exit, exit)
		JZ(LabelRef(label("full")))
		body(stepper{l, size, shaped}, func(name string) string { return label("shaped" + name) })
		Label(label("full"))
		body(stepper{l, size, full}, func(name string) string { return label("full" + name) })
	})
}

// prepare loads the table of exits.
func (s stepper) prepare() {
	Load(Param("decisions"), tableReg)
	if s.form == shaped {
		MOVL(U32(1<<shapedNodes-1), exit.As32())
		KMOVB(exit.As32(), nodesMask)
	}
}

// begin looks up the ranks for the block of tree i.
func (s stepper) begin(i int) {
	block, x := Mem{Base: blockRegs[i]}, lookRegs[i]
	switch s.form {
	case chained:
		VMOVQ(block, x.AsX())
		s.ranks(x, Z1)
	case full:
		// One load for columns and ranks: loads are what limits a walk.
		VMOVDQU(block, x.AsX())
		VPSRLDQ(Imm(fullRanks), x.AsX(), nodeRegs[i].AsX())
		s.ranks(x, Z1)
	case shaped:
		VMOVDQU(block, x.AsX())
		s.ranks(x, Z1, nodesMask)
	}
}

// decide finds the exit of the block of tree i.
func (s stepper) decide(i int) {
	x := lookRegs[i].AsX()
	switch s.form {
	case chained:
		VPCMPUB(U8(5), Mem{Base: blockRegs[i], Disp: fullRanks}, x, K1)
		KMOVB(K1, exit.As32())
	case full:
		VPCMPUB(U8(5), nodeRegs[i].AsX(), x, K1)
		KMOVB(K1, exit.As32())
	case shaped:
		VPCMPUB(U8(5), Mem{Base: blockRegs[i], Disp: shapedRanks}, x, K1)
		KMOVW(K1, exit.As32())
	}
	MOVBLZX(Mem{Base: tableReg, Index: exit, Scale: 1}, exit.As32())
}

// value is the leaf value at the exit of tree i.
func (s stepper) value(i int) Mem {
	v := Mem{Base: blockRegs[i], Index: exit, Scale: uint8(s.size), Disp: 32}
	if s.form == shaped {
		v.Disp += s.size
	}
	return v
}

// link is the link at the exit of tree i.
func (s stepper) link(i int) Mem {
	l := Mem{Base: blockRegs[i], Index: exit, Scale: 2, Disp: fullLinks}
	if s.form == shaped {
		l.Disp = shapedLinks
	}
	return l
}
