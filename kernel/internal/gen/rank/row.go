package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in a rankGroup, whose arrays have 16 elements.
const (
	groupShift   = 64
	groupFirst   = 128
	groupLast    = 192
	groupEntry   = 224
	groupMissing = 256
	groupFold    = 320
	groupZero    = 384
	groupOrigin  = 448
)

// How the ranks of a group are written: later, with the group before, or alone.
const writePair = 1

// headerSize is the size of what is before the groups: their number.
const headerSize = 64

func (f form) groupPick() int    { return groupOrigin + 16*f.size }
func (f form) groupWindow() int  { return f.groupPick() + 128 }
func (f form) groupFeature() int { return f.groupWindow() + 64 }
func (f form) groupSize() int    { return f.groupFeature() + 64 }

// row ranks the columns of one row.
func (f form) row() {
	TEXT("rankRow"+f.name, NOSPLIT, "func(dst *byte, x *float"+f.name+", program *byte)")
	Pragma("noescape")
	x := Load(Param("x"), GP64())
	dst := Load(Param("dst"), GP64())
	program := Load(Param("program"), GP64())
	groups, left, two := GP64(), GP64(), YMM()
	MOVQ(at(program, 0), left)
	LEAQ(at(program, headerSize), groups)
	next, pair, written := label("group"), label("pair"), label("written")
	VPXOR(two, two, two)

	Label(next)
	w := f.group(groups, x, program)
	// Two groups are written together: a line in smaller pieces could not be loaded
	// before it is in the cache.
	VPERM2I128(U8(0x21), w, two, two)
	column := GP64()
	MOVQ(at(groups, headColumn), column)
	CMPQ(at(groups, headWrite), U8(writePair))
	JEQ(LabelRef(pair))
	JB(LabelRef(written))
	VPERM2I128(U8(0x21), two, two, two)
	VMOVDQU(two, Mem{Base: dst, Index: column, Scale: 1})
	JMP(LabelRef(written))
	Label(pair)
	VMOVDQU(two, Mem{Base: dst, Index: column, Scale: 1, Disp: -16})
	Label(written)
	ADDQ(U32(f.groupSize()), groups)
	DECQ(left)
	JNE(LabelRef(next))
	VZEROUPPER()
	RET()
}

// group returns the ranks of the group at p in 16 bytes.
func (f form) group(p, x, program reg.Register) reg.VecVirtual {
	v := f.loadGroup(p, x)
	u := f.singles(v, func(i int) Op { return at(p, groupOrigin+32*i) })
	ones, threes, ranked := label("ones"), label("threes"), label("ranked")
	table, w := GP64(), YMM()
	MOVQ(at(p, headTable), table)
	ADDQ(program, table)
	r := [2]reg.VecVirtual{YMM(), YMM()}
	CMPQ(at(p, headMethod), U8(methodOnes))
	JEQ(LabelRef(ones))
	JA(LabelRef(threes))
	f.countGroup(p, table, v, r)
	JMP(LabelRef(ranked))
	Label(ones)
	f.lookGroup(methodOnes, p, table, v, u, r)
	JMP(LabelRef(ranked))
	Label(threes)
	f.lookGroup(methodThrees, p, table, v, u, r)
	Label(ranked)
	words(r, u, at(p, groupMissing), w)
	h := XMM()
	VEXTRACTI128(U8(1), w, h)
	VPACKUSWB(h, w.AsX(), w.AsX())
	VPSHUFD(U8(0xd8), w.AsX(), w.AsX())
	return w
}

// lookGroup finds the ranks of a group by its entries.
func (f form) lookGroup(method int, p, table reg.Register, v values, u, r [2]reg.VecVirtual) {
	vector := func(disp int) func(int) Op { return func(i int) Op { return at(p, disp+32*i) } }
	packed := f.buckets(u, method, p, rankMap{
		shift: vector(groupShift),
		first: vector(groupFirst),
		fold:  vector(groupFold),
		zero:  vector(groupZero),
		last:  at(p, groupLast),
		entry: at(p, groupEntry),
	})
	// Four entries are in each of these: 0 to 3, 4 to 7, 8 to 11 and 12 to 15.
	var four [4]reg.GPVirtual
	for i := range four {
		four[i] = GP64()
	}
	high := XMM()
	VMOVQ(packed.AsX(), four[0])
	VEXTRACTI128(U8(1), packed, high)
	VPEXTRQ(U8(1), packed.AsX(), four[2])
	VMOVQ(high, four[1])
	VPEXTRQ(U8(1), high, four[3])
	for i := range r {
		entries := func(j int) [2]Mem {
			e, a, b := four[2*i+j/4], GP64(), GP64()
			MOVWLZX(e.As16(), a.As32())
			SHRQ(U8(16), e)
			if j%4 == 2 {
				return f.inTable(method, table, a, e)
			}
			MOVWLZX(e.As16(), b.As32())
			SHRQ(U8(16), e)
			return f.inTable(method, table, a, b)
		}
		VMOVDQA(f.look(method, entries, func(j int) Op { return v[(8*i+j)*f.size/32] }), r[i])
	}
}

// loadGroup returns the values of a group's columns.
func (f form) loadGroup(p, x reg.Register) values {
	v := f.values()
	from := GP64()
	MOVQ(at(p, headOffset), from)
	ADDQ(x, from)
	whole := func() {
		for i := range v {
			VMOVUPS(at(from, 32*i), v[i])
		}
	}
	masked := func() {
		for i := range v {
			m := YMM()
			VMOVUPS(at(p, f.groupPick()+32*i), m)
			if f.size == 4 {
				VMASKMOVPS(at(from, 32*i), m, v[i])
			} else {
				VMASKMOVPD(at(from, 32*i), m, v[i])
			}
		}
	}
	picked := func() {
		for i := range v {
			var windows [2]Op
			for j := range windows {
				w := GP64()
				MOVQ(at(p, f.groupWindow()+16*i+8*j), w)
				windows[j] = Mem{Base: x, Index: w, Scale: 1}
			}
			pick := YMM()
			VMOVDQU(at(p, f.groupPick()+32*i), pick)
			f.pick(pick, windows[0], windows[1], v[i])
		}
	}
	gather := func() {
		for i := range v {
			mask, index := YMM(), YMM()
			VPCMPEQD(mask, mask, mask)
			VPXOR(v[i], v[i], v[i])
			if f.size == 4 {
				VMOVDQU(at(p, f.groupFeature()+32*i), index)
				VGATHERDPS(mask, Mem{Base: x, Index: index, Scale: 4}, v[i])
			} else {
				VMOVDQU(at(p, f.groupFeature()+16*i), index.AsX())
				VGATHERDPD(mask, Mem{Base: x, Index: index.AsX(), Scale: 8}, v[i])
			}
		}
	}
	sources(p, whole, masked, picked, gather)
	return v
}

// pick sets v to values of two windows: pick says which, and is negative for the
// second one.
func (f form) pick(pick reg.VecVirtual, first, second Op, v reg.VecVirtual) {
	t := YMM()
	VPERMPS(first, pick, v)
	VPERMPS(second, pick, t)
	if f.size == 4 {
		VBLENDVPS(pick, t, v, v)
	} else {
		VBLENDVPD(pick, t, v, v)
	}
}

// countGroup counts the bounds ≤ each value.
func (f form) countGroup(p, table reg.Register, v values, r [2]reg.VecVirtual) {
	again, done := label("bound"), label("counted")
	sums := counted(len(v))
	n := GP64()
	MOVQ(at(p, headCount), n)
	TESTQ(n, n)
	JEQ(LabelRef(done))
	Label(again)
	for i, s := range sums {
		bound := YMM()
		VMOVUPS(at(table, 32*i), bound)
		f.count(s, bound, v[i])
	}
	ADDQ(U32(16*f.size), table)
	DECQ(n)
	JNE(LabelRef(again))
	Label(done)
	for i, s := range f.narrowed(sums) {
		VMOVDQA(s, r[i])
	}
}
