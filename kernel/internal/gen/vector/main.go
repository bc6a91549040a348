// Command vector writes the AVX-512 kernels that evaluate one row, 64 trees at a
// time. See kernel/vector.go for what they do and how their tables look.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	exits()
	obliviousExits()
	steps()
	for _, size := range []int{4, 8} {
		leaves(size, false)
		leaves(size, true)
		fetch(size)
		chain(size)
		lastStep(size, true)
		lastStep(size, false)
		sum(size)
		sumEach(size)
		sumRounds(size)
		sumVectors(size)
	}
	Generate()
}

// function begins a kernel; its doc goes on after its name.
func function(name, doc, signature string) {
	TEXT(name, NOSPLIT, "func("+signature+")")
	Doc(name + " " + doc)
	Pragma("noescape")
}

func bits(size int) int { return 8 * size }

// add adds the value at m to the sum, which stays the first operand so that of
// two NaNs the sum's is kept, as in Go.
func add(size int, m Op, sum VecPhysical) {
	if size == 4 {
		VADDSS(m, sum, sum)
	} else {
		VADDSD(m, sum, sum)
	}
}

// move loads or stores a value.
func move(size int, from, to Op) {
	if size == 4 {
		VMOVSS(from, to)
	} else {
		VMOVSD(from, to)
	}
}

// unrolled writes a loop that runs body for n trees, n > 0, four at a time and
// then one at a time. body(i) is for the tree i places after the one at which the
// pointers stand; step moves the pointers on by k trees.
func unrolled(n Register, body func(i int), step func(k int)) {
	SUBQ(Imm(4), n)
	JLT(LabelRef("rest"))
	Label("four")
	for i := range 4 {
		body(i)
	}
	step(4)
	SUBQ(Imm(4), n)
	JGE(LabelRef("four"))
	Label("rest")
	ADDQ(Imm(4), n)
	JZ(LabelRef("done"))
	Label("one")
	body(0)
	step(1)
	DECQ(n)
	JNZ(LabelRef("one"))
	Label("done")
}
