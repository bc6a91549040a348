package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A summation is a way to do planeSum. In each pass over some rows, their sums stay
// in registers for all trees.
type summation struct {
	name    string
	form    form
	size    int // bytes in a value
	vectors int // of sums in a pass
}

// declare begins the function and loads the arguments that do not change.
func (s summation) declare(rows int) (acc, codes, stride, bytes, passes reg.Register) {
	TEXT(s.name, NOSPLIT, fmt.Sprintf("func(acc *float%d, codes *byte, tables *float%d, stride, bytes, n, passes int)", 8*s.size, 8*s.size))
	Doc(fmt.Sprintf("%s is planeSum for %d rows a pass. The codes of a tree are stride bytes, its table the given number.", s.name, rows))
	Pragma("noescape")
	return Load(Param("acc"), GP64()), Load(Param("codes"), GP64()), Load(Param("stride"), GP64()),
		Load(Param("bytes"), GP64()), Load(Param("passes"), GP64())
}

// sum prints the function. Prepare prints what comes before the loops, and tree what
// adds the values of a tree.
func (s summation) sum(prepare func(), tree func(codes, table reg.Register, sums []reg.VecVirtual)) {
	width := s.form.bytes
	acc, codes, stride, bytes, passes := s.declare(s.vectors * width / s.size)
	prepare()
	sums := make([]reg.VecVirtual, s.vectors)
	Label("pass")
	c, table, n := GP64(), Load(Param("tables"), GP64()), Load(Param("n"), GP64())
	MOVQ(codes, c)
	for i := range sums {
		sums[i] = s.form.vec()
		VMOVUPS(Mem{Base: acc, Disp: width * i}, sums[i])
	}
	Label("tree")
	tree(c, table, sums)
	ADDQ(stride, c)
	ADDQ(bytes, table)
	DECQ(n)
	JNZ(LabelRef("tree"))
	for i := range sums {
		VMOVUPS(sums[i], Mem{Base: acc, Disp: width * i})
	}
	ADDQ(I32(width*len(sums)), acc)
	ADDQ(I32(width*len(sums)/s.size), codes)
	DECQ(passes)
	JNZ(LabelRef("pass"))
	VZEROUPPER()
	RET()
}
