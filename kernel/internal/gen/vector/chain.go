package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// leaves writes the kernel that adds, for each tree in turn, the leaf value at its
// exit. If the order does not matter, there are four sums: an addition then need not
// wait for the one before it, which is what takes most time.
func leaves(size int, free bool) {
	name, sums := "vectorLeaves", []VecPhysical{X0}
	if free {
		name, sums = "vectorFreeLeaves", []VecPhysical{X0, X1, X2, X3}
	}
	function(fmt.Sprintf("%s%d", name, bits(size)), "adds the leaf values at the exits of tops.",
		"sum *byte, exits *byte, trees int, leaves *byte, stride int")
	acc, exits, n, leaves, stride, exit := RDI, RSI, RCX, RAX, RDX, RBX
	Load(Param("sum"), acc)
	Load(Param("exits"), exits)
	Load(Param("trees"), n)
	Load(Param("leaves"), leaves)
	Load(Param("stride"), stride)
	move(size, Mem{Base: acc}, X0)
	for _, x := range sums[1:] {
		VXORPS(x, x, x)
	}
	unrolled(n, func(i int) {
		MOVBLZX(Mem{Base: exits, Disp: i}, exit.As32())
		add(size, Mem{Base: leaves, Index: exit, Scale: uint8(size)}, sums[i%len(sums)])
		ADDQ(stride, leaves)
	}, func(k int) { ADDQ(Imm(uint64(k)), exits) })
	for _, x := range sums[1:] {
		add(size, x, X0)
	}
	move(size, X0, Mem{Base: acc})
	RET()
}

// chain writes the kernel that takes each tree in turn from the top through one
// block and adds its value. There are batches × 8 trees; the first blocks of the
// trees lie stride apart. The top of a group is decided 64 trees ahead, so that
// the sum need not wait for it. Several sums, as in leaves, save no time here.
func chain(size int) {
	function(fmt.Sprintf("vectorChain%d", bits(size)), "adds the values of trees, from their tops through one block each.",
		"sum *byte, table *byte, levels int, weights *byte, blocks *byte, stride int, batches int, decisions *byte, ranks *byte, width int")
	c := chainer{
		exits: AllocLocal(2 * groupTrees), tree: RSI, blocks: RAX, stride: RDX, batches: RCX,
		place: AllocLocal(8), groups: AllocLocal(8), ahead: AllocLocal(8),
	}
	t := topper{most: maxChainLevels(size), table: RDI, levels: exit}
	loadWeights()
	Load(Param("table"), t.table)
	Load(Param("blocks"), c.blocks)
	Load(Param("stride"), c.stride)
	Load(Param("batches"), c.batches)
	LEAQ(Mem{Base: c.batches, Disp: groupBatches - 1}, R8)
	SHRQ(Imm(3), R8)
	MOVQ(R8, c.groups)
	XORL(c.tree.As32(), c.tree.As32())
	MOVQ(c.tree, c.place)
	MOVQ(c.tree, c.ahead)
	Load(Param("sum"), R8)
	move(size, Mem{Base: R8}, X0)
	forLookups([]lookup{64, 128, 256}, func(l lookup, label func(string) string) {
		t.lookup, c.stepper = l, stepper{l, size, chained}
		c.prepare()

		Label(label("top"))
		Load(Param("levels"), t.levels)
		t.group(label)
		c.keepExits()
		CMPQ(c.ahead, Imm(groupBatches))
		JG(LabelRef(label("loop")))
		// This was the first group.
		c.fill()
		CMPQ(c.groups, Imm(0))
		JG(LabelRef(label("top")))

		Label(label("loop"))
		DECQ(c.batches)
		JZ(LabelRef(label("last")))
		for i := range lanes {
			c.finish(i)
			c.start(i)
		}
		c.nextBatch()
		DECQ(c.ahead)
		CMPQ(c.ahead, Imm(groupBatches))
		JNE(LabelRef(label("loop")))
		CMPQ(c.groups, Imm(0))
		JG(LabelRef(label("top")))
		JMP(LabelRef(label("loop")))

		Label(label("last"))
		for i := range lanes {
			c.finish(i)
		}
		Load(Param("sum"), R8)
		move(size, X0, Mem{Base: R8})
		VZEROUPPER()
		RET()
	})
}

const (
	groupTrees   = 64
	groupBatches = groupTrees / lanes
)

// A chainer is the lower part of a chain.
type chainer struct {
	stepper
	exits                   Mem        // of two groups, used in turn
	tree                    GPPhysical // of the batch that starts, its place in exits
	blocks, stride, batches GPPhysical
	place                   Mem // in exits of the group that is decided next
	groups                  Mem // that are not decided
	ahead                   Mem // batches of which the exits are known, less those that have ended
}

// keepExits stores the exits of a group.
func (c chainer) keepExits() {
	MOVQ(c.place, exit)
	VMOVDQU8(exitReg, c.exits.Idx(exit, 1))
	XORQ(Imm(groupTrees), exit)
	MOVQ(exit, c.place)
	DECQ(c.groups)
	ADDQ(Imm(groupBatches), c.ahead)
}

// fill starts the first eight trees.
func (c chainer) fill() {
	for i := range lanes {
		c.start(i)
	}
	c.nextBatch()
}

func (c chainer) nextBatch() {
	ADDQ(Imm(lanes), c.tree)
	ANDQ(Imm(2*groupTrees-1), c.tree)
}

func (c chainer) start(i int) {
	MOVBLZX(c.exits.Offset(i).Idx(c.tree, 1), exit.As32())
	LEAQ(Mem{Base: c.blocks, Index: exit, Scale: 8}, blockRegs[i])
	ADDQ(c.stride, c.blocks)
	c.begin(i)
}

func (c chainer) finish(i int) {
	c.decide(i)
	add(c.size, c.value(i), X0)
}
