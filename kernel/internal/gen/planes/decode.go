package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// decode makes the codes of complete trees of a depth. All bit planes of a split
// are made at once, in registers, so that each line is loaded once. Depth 0 stands
// for trees of which the slots are the bit planes.
func (f form) decode(depth int) {
	name := fmt.Sprintf("planeDecode%s_%d", f.name, depth)
	TEXT(name, NOSPLIT, "func(codes *byte, lines *uint64, slots *uint16, n int)")
	if depth == 0 {
		Doc(fmt.Sprintf("%s is planeLevels for %d rows and n trees.", name, 8*f.bytes))
	} else {
		Doc(fmt.Sprintf("%s is planeDecode for %d rows and n trees of depth %d.", name, 8*f.bytes, depth))
	}
	Pragma("noescape")
	d := decoder{f, Load(Param("lines"), GP64()), Load(Param("slots"), GP64())}
	codes, n := Load(Param("codes"), GP64()), Load(Param("n"), GP64())
	Label("tree")
	var planes []Op
	slots := 1 << depth
	switch {
	case depth == 0:
		slots = 8
		planes = append(d.slot(0, 4), d.slot(4, 4)...)
	case depth <= 6:
		planes = d.split(1, depth)
	default:
		slots += slots / 64
		planes = d.parts(slots / 65)
	}
	switch f.level {
	case gfni:
		d.codesGFNI(codes, planes)
	case avx512:
		d.codesAVX512(codes, planes)
	default:
		d.codesAVX2(codes, planes)
	}
	ADDQ(I32(2*slots), d.slots)
	ADDQ(I32(8*f.bytes), codes)
	DECQ(n)
	JNZ(LabelRef("tree"))
	VZEROUPPER()
	RET()
}

type decoder struct {
	form
	lines, slots reg.Register
}

// slot returns n lines from the slot on.
func (d decoder) slot(i, n int) []Op { return d.at(d.lines, Mem{Base: d.slots, Disp: 2 * i}, n) }

// split returns the bit planes of the split in a slot, the lowest bit first.
func (d decoder) split(slot, depth int) []Op {
	var left, right []Op
	switch depth {
	case 1:
		return []Op{d.load(d.slot(slot, 1)[0])}
	case 2:
		children := d.slot(2*slot, 2)
		return d.choose(d.slot(slot, 1)[0], children[:1], children[1:])
	case 3:
		lines, children := d.slot(2*slot, 2), d.slot(4*slot, 4)
		left = d.choose(lines[0], children[:1], children[1:2])
		right = d.choose(lines[1], children[2:3], children[3:])
	default:
		left = d.split(2*slot, depth-1)
		if d.level == avx2 && depth == 6 { // too much for 16 registers
			left = d.spill(left, d.line(d.lines, spillLine))
		}
		right = d.split(2*slot+1, depth-1)
	}
	return d.choose(d.slot(slot, 1)[0], left, right)
}

// choose returns the bit planes of a split, given its line and those of its
// children. It uses their registers again.
func (d decoder) choose(line Op, left, right []Op) []Op {
	var planes []Op
	if len(left) == 1 { // load lines in the order in which they are used
		left = []Op{d.register(left[0])}
	}
	selects := d.load(line)
	for k := range left {
		r, ok := right[k].(reg.VecVirtual)
		if _, spilled := left[k].(Mem); spilled && ok {
			d.unless(r, left[k], selects)
			planes = append(planes, r)
			continue
		}
		l := d.register(left[k])
		d.where(l, right[k], selects)
		planes = append(planes, l)
	}
	return append(planes, selects)
}

// spill stores bit planes from dst on.
func (d decoder) spill(planes []Op, dst Mem) []Op {
	spilled := make([]Op, len(planes))
	for k, p := range planes {
		spilled[k] = dst.Offset(k * d.bytes)
		d.mov(d.register(p), spilled[k])
	}
	return spilled
}

// parts returns the bit planes of a tree of depth 7 or 8, which is two or four
// trees of depth 6 and what is above them.
func (d decoder) parts(n int) []Op {
	slots, dst, count := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: d.slots, Disp: 2 * n}, slots)
	LEAQ(d.line(d.lines, partLine), dst)
	MOVQ(U32(n), count)
	Label("part")
	part := decoder{d.form, d.lines, slots}
	d.spill(part.split(1, 6), Mem{Base: dst})
	ADDQ(I32(2*64), slots)
	ADDQ(I32(6*d.bytes), dst)
	DECQ(count)
	JNZ(LabelRef("part"))
	planes := make([][]Op, n)
	for i := range planes {
		for k := range 6 {
			planes[i] = append(planes[i], d.line(d.lines, partLine+6*i+k))
		}
	}
	if n == 2 {
		return d.choose(d.slot(1, 1)[0], planes[0], planes[1])
	}
	above := d.slot(1, 3)
	left := d.choose(above[1], planes[0], planes[1])
	right := d.choose(above[2], planes[2], planes[3])
	return d.choose(above[0], left, right)
}

// interleave calls store for the vectors that hold, in a qword, one byte of each of
// up to eight bit planes. Planes may be nil, for zeros.
func (d decoder) interleave(planes [8]Op, store func(i int, v reg.VecVirtual)) {
	zero := d.vec()
	d.xor(zero)
	unpack := func(op func(...Op), a, b Op) Op {
		if a == nil && b == nil {
			return nil
		}
		if a == nil {
			a = zero
		}
		if b == nil {
			b = zero
		}
		return d.unpack(op, d.register(a), b)
	}
	for q, words := range [2]func(...Op){VPUNPCKLBW, VPUNPCKHBW} {
		var b [4]Op
		for i := range b {
			b[i] = unpack(words, planes[2*i], planes[2*i+1])
		}
		for i2, dwords := range [2]func(...Op){VPUNPCKLWD, VPUNPCKHWD} {
			low, high := unpack(dwords, b[0], b[1]), unpack(dwords, b[2], b[3])
			for i1, qwords := range [2]func(...Op){VPUNPCKLDQ, VPUNPCKHDQ} {
				store(4*q+2*i2+i1, unpack(qwords, low, high).(reg.VecVirtual))
			}
		}
	}
}

func (f form) xor(v reg.VecVirtual) {
	if f.level == avx2 {
		VPXOR(v, v, v)
	} else {
		VPXORQ(v, v, v)
	}
}

// codesGFNI stores bit planes as matrices of 8×8 bits: in a qword, one byte for
// each bit of eight rows' codes. The transposition reverses the order of bytes, so
// that the highest bit comes first.
func (d decoder) codesGFNI(codes reg.Register, planes []Op) {
	var bytes [8]Op
	for k, p := range planes {
		bytes[7-k] = p
	}
	d.interleave(bytes, func(i int, v reg.VecVirtual) {
		q, m := i>>2, i&3
		d.mov(v, Mem{Base: codes, Disp: (2*m + q) * d.bytes})
	})
}

// codesAVX2 stores bit planes as a byte for each row.
func (d decoder) codesAVX2(codes reg.Register, planes []Op) {
	var bytes [8]Op
	copy(bytes[:], planes)
	if len(planes) > 6 { // too many for 16 registers
		copy(bytes[:], d.spill(planes, d.line(d.lines, spillLine)))
	}
	d.interleave(bytes, func(i int, v reg.VecVirtual) {
		for _, s := range []struct {
			shift uint64
			mask  Mem
		}{
			{7, data("planeMask7", 0x00aa00aa00aa00aa, 0x00aa00aa00aa00aa, 0x00aa00aa00aa00aa, 0x00aa00aa00aa00aa)},
			{14, data("planeMask14", 0x0000cccc0000cccc, 0x0000cccc0000cccc, 0x0000cccc0000cccc, 0x0000cccc0000cccc)},
			{28, data("planeMask28", 0x00000000f0f0f0f0, 0x00000000f0f0f0f0, 0x00000000f0f0f0f0, 0x00000000f0f0f0f0)},
		} {
			t := d.vec()
			VPSRLQ(Imm(s.shift), v, t)
			VPXOR(t, v, t)
			VPAND(s.mask, t, t)
			VPXOR(t, v, v)
			VPSLLQ(Imm(s.shift), t, t)
			VPXOR(t, v, v)
		}
		d.mov(v, Mem{Base: codes, Disp: i * d.bytes})
	})
}

// codesAVX512 stores bit planes as a byte for each row.
func (d decoder) codesAVX512(codes reg.Register, planes []Op) {
	var bits []reg.VecVirtual
	spilled := d.spill(planes, d.line(d.lines, spillLine))
	for k := range planes {
		bits = append(bits, d.constant(0x0101010101010101<<k))
	}
	for i := range 8 {
		code := ZMM()
		for k := range planes {
			m := K()
			KMOVQ(spilled[k].(Mem).Offset(8*i), m)
			if k == 0 {
				VMOVDQU8_Z(bits[k], m, code)
			} else {
				VPADDB(bits[k], code, m, code)
			}
		}
		VMOVDQA64(code, Mem{Base: codes, Disp: 64 * i})
	}
}
