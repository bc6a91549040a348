package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A lookup is a way to find the ranks of columns in the registers that hold a row:
// of up to 64 columns in one register, up to 128 in two, up to 256 in four.
type lookup int

var rowRegs = []VecPhysical{Z28, Z29, Z30, Z31}

// forLookups loads the row and writes body for each of the given ways of lookup,
// of which the kernel takes the first that is wide enough. body ends with a
// return. It uses R8 and R9.
func forLookups(lookups []lookup, body func(l lookup, label func(name string) string)) {
	ranks, width := R8, R9
	Load(Param("ranks"), ranks)
	Load(Param("width"), width)
	SUBQ(Imm(64), width)
	VMOVDQU8(Mem{Base: ranks}, rowRegs[0])
	for i, z := range rowRegs[1:] {
		// No column is in a register that has no ranks.
		loaded := fmt.Sprintf("loaded%d", i)
		CMPQ(width, U32(64*(i+1)))
		JLT(LabelRef(loaded))
		VMOVDQU8(Mem{Base: ranks, Disp: 64 * (i + 1)}, z)
		Label(loaded)
	}
	for i, l := range lookups {
		label := func(name string) string { return fmt.Sprintf("%s%d", name, l) }
		if i < len(lookups)-1 {
			CMPQ(width, U8(l-64))
			JG(LabelRef(label("over")))
		}
		body(l, label)
		if i < len(lookups)-1 {
			Label(label("over"))
		}
	}
}

// ranks replaces columns in c by ranks, or by zeros where mask, if there is one, is
// not set; t is a register for its use.
func (l lookup) ranks(c, t VecPhysical, mask ...Op) {
	look := func(instruction func(...Op), zeroing func(a, b, k, c Op), a, b, c Op) {
		if len(mask) > 0 {
			zeroing(a, b, mask[0], c)
		} else {
			instruction(a, b, c)
		}
	}
	switch l {
	case 64:
		look(VPERMB, VPERMB_Z, rowRegs[0], c, c)
	case 128:
		look(VPERMI2B, VPERMI2B_Z, rowRegs[1], rowRegs[0], c)
	case 256:
		VPMOVB2M(c, K7)
		VMOVDQA64(c, t)
		look(VPERMI2B, VPERMI2B_Z, rowRegs[1], rowRegs[0], c)
		look(VPERMI2B, VPERMI2B_Z, rowRegs[3], rowRegs[2], t)
		VPBLENDMB(t, c, K7, c)
	default:
		panic(fmt.Sprint("lookup ", int(l)))
	}
}
