package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Offsets in the scratch memory of a walk, for 256 trees.
const (
	scratchExits  = 0
	scratchValues = 256
	scratchBlocks = scratchValues + 8*256
)

// fetch writes the kernel that stores, for each tree, the leaf value at its exit.
func fetch(size int) {
	function(fmt.Sprintf("vectorFetch%d", bits(size)), "stores the leaf values at the exits of tops.",
		"scratch *byte, trees int, leaves *byte, stride int")
	exits, values, n, leaves, stride, exit := RSI, RDI, RCX, RAX, RDX, RBX
	Load(Param("scratch"), exits)
	Load(Param("trees"), n)
	Load(Param("leaves"), leaves)
	Load(Param("stride"), stride)
	LEAQ(Mem{Base: exits, Disp: scratchValues}, values)
	unrolled(n, func(i int) {
		MOVBLZX(Mem{Base: exits, Disp: i}, exit.As32())
		move(size, Mem{Base: leaves, Index: exit, Scale: uint8(size)}, X0)
		move(size, X0, Mem{Base: values, Disp: i * size})
		ADDQ(stride, leaves)
	}, func(k int) {
		ADDQ(Imm(uint64(k)), exits)
		ADDQ(Imm(uint64(k*size)), values)
	})
	RET()
}

// steps writes the kernel that takes the trees of a section from their exits
// towards their leaves, one block in each pass over the trees. bases says, for
// each tree, where its blocks begin. counts[0] is the number of trees, counts[s]
// that of the trees that take part in pass s; they are multiples of 8 that do not
// grow, and end with 0. A tree that takes part in one pass too many stays at its
// leaf's block.
func steps() {
	function("vectorSteps", "takes trees from the exits of their tops through all blocks but the last.",
		"scratch *byte, bases *uint32, counts *uint32, blocks *byte, shaped int, decisions *byte, ranks *byte, width int")
	w := walker{scratch: RAX, order: RCX, tree: RDI, end: RDX}
	counts := RSI
	Load(Param("scratch"), w.scratch)
	Load(Param("counts"), counts)
	MOVL(Mem{Base: counts}, w.end.As32())
	w.places()
	forSteppers(0, func(s stepper, label func(string) string) {
		w.stepper = s
		w.prepare()
		Label(label("pass"))
		ADDQ(Imm(4), counts)
		MOVL(Mem{Base: counts}, w.end.As32())
		TESTQ(w.end, w.end)
		JZ(LabelRef(label("finished")))
		XORL(w.tree.As32(), w.tree.As32())
		w.loop(label, func(i int) { MOVQ(w.block(i), blockRegs[i]) }, w.goOn)
		JMP(LabelRef(label("pass")))
		Label(label("finished"))
		VZEROUPPER()
		RET()
	})
}

// lastStep writes the kernels that take the trees of a section, in the order of
// the model, to their leaves, and add the values or store them. order says in
// which lane a tree is.
func lastStep(size int, adds bool) {
	if adds {
		function(fmt.Sprintf("vectorLastAdd%d", bits(size)), "takes trees through their last blocks and adds the values.",
			"scratch *byte, order *byte, trees int, shaped int, decisions *byte, ranks *byte, width int, sum *byte")
	} else {
		function(fmt.Sprintf("vectorLastStore%d", bits(size)), "takes trees through their last blocks and stores the values.",
			"scratch *byte, order *byte, trees int, shaped int, decisions *byte, ranks *byte, width int")
	}
	w := walker{scratch: RAX, order: RCX, tree: RDI, end: RDX}
	Load(Param("scratch"), w.scratch)
	Load(Param("order"), w.order)
	Load(Param("trees"), w.end)
	XORL(w.tree.As32(), w.tree.As32())
	sum := RSI
	if adds {
		Load(Param("sum"), sum)
		move(size, Mem{Base: sum}, X0)
	}
	forSteppers(size, func(s stepper, label func(string) string) {
		w.stepper = s
		w.prepare()
		w.loop(label, w.inOrder, func(i int) {
			if adds {
				add(size, w.value(i), X0)
				return
			}
			move(size, w.value(i), X0)
			move(size, X0, Mem{Base: w.scratch, Index: w.tree, Scale: uint8(size), Disp: scratchValues + size*(i-lanes)})
		})
		if adds {
			move(size, X0, Mem{Base: sum})
		}
		VZEROUPPER()
		RET()
	})
}

// A walker names the registers of a walk.
type walker struct {
	stepper
	scratch, order, tree, end GPPhysical
}

// places finds the first block of each tree up to the end.
func (w walker) places() {
	blocks, bases := R8, R9
	Load(Param("blocks"), blocks)
	Load(Param("bases"), bases)
	VPBROADCASTQ(blocks, Z0)
	XORL(w.tree.As32(), w.tree.As32())
	Label("place")
	VPMOVZXBQ(Mem{Base: w.scratch, Index: w.tree, Scale: 1, Disp: scratchExits}, Z1)
	VPMOVZXDQ(Mem{Base: bases, Index: w.tree, Scale: 4}, Z2)
	VPSLLQ(Imm(3), Z1, Z1)
	VPADDQ(Z0, Z2, Z2)
	VPADDQ(Z1, Z2, Z2)
	VMOVDQU64(Z2, w.block(0))
	ADDQ(Imm(lanes), w.tree)
	CMPQ(w.tree, w.end)
	JLT(LabelRef("place"))
}

// block is where the scratch memory keeps the block of the tree i places on.
func (w walker) block(i int) Mem {
	return Mem{Base: w.scratch, Index: w.tree, Scale: 8, Disp: scratchBlocks + 8*i}
}

// loop writes a loop from the current tree to the end, both multiples of 8, that
// takes trees through a block. find(i) gets the block of the tree i places on;
// finish(i) does what is left for a tree that is i-8 places on.
func (w walker) loop(label func(string) string, find, finish func(i int)) {
	start := func(i int) {
		find(i)
		w.begin(i)
	}
	for i := range lanes {
		start(i)
	}
	ADDQ(Imm(lanes), w.tree)
	CMPQ(w.tree, w.end)
	JGE(LabelRef(label("last")))
	Label(label("eight"))
	for i := range lanes {
		w.decide(i)
		finish(i)
		start(i)
	}
	ADDQ(Imm(lanes), w.tree)
	CMPQ(w.tree, w.end)
	JLT(LabelRef(label("eight")))
	Label(label("last"))
	for i := range lanes {
		w.decide(i)
		finish(i)
	}
}

// inOrder finds the block of a tree from the lane in which it is.
func (w walker) inOrder(i int) {
	MOVBLZX(Mem{Base: w.order, Index: w.tree, Scale: 1, Disp: i}, exit.As32())
	MOVQ(Mem{Base: w.scratch, Index: exit, Scale: 8, Disp: scratchBlocks}, blockRegs[i])
}

// goOn moves a tree to the block to which its exit leads: to the same block if it
// is a leaf.
func (w walker) goOn(i int) {
	MOVWLZX(w.link(i), exit.As32())
	SHLL(Imm(5), exit.As32())
	ADDQ(blockRegs[i], exit)
	MOVQ(exit, w.block(i-lanes))
}
