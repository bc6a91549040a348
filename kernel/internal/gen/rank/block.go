package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// Offsets in a rankQuad, whose arrays have four elements.
const (
	quadShift   = 64
	quadFirst   = 80
	quadLast    = 96
	quadEntry   = 104
	quadMissing = 112
	quadFeature = 128
	quadFold    = 144
	quadZero    = 160
	quadOrigin  = 176
)

func (f form) quadPick() int   { return quadOrigin + 4*f.size }
func (f form) quadWindow() int { return f.quadPick() + 32 }
func (f form) quadSize() int   { return f.quadWindow() + 16 }

// A block ranks four columns of the rows at a time. It first finds the entries of
// some rows, then looks these up, so that a step of either waits for no earlier
// one. In between, four rows at a time lie on the stack: values, then entries.
type block struct {
	form
	quad    reg.GPVirtual
	columns [4]reg.GPVirtual // of the destination
	row     reg.GPVirtual    // there
	from    Mem              // the stack: the rows,
	x       Mem              // the next row of the source
	left    Mem              // and the units that are left
}

// tile is the number of units, of eight rows each, that are on the stack.
func (f form) tile() int { return 16 / f.size }

// A part holds 16 lanes on the stack: their values, then the numbers of their
// entries as buckets left them, packed.
func (f form) part() int    { return f.entries() + 32 }
func (f form) entries() int { return 16 * f.size }

// pair returns where in the table the entries of lanes i and i + 1, an even number,
// of a part are.
func (f form) pair(method int, table, part reg.Register, disp, i int) [2]Mem {
	a, b := GP32(), GP32()
	// The order of VPACKUSDW.
	packed := i&3 | i&4<<1 | i&8>>1
	MOVL(at(part, disp+f.entries()+2*packed), b)
	MOVWLZX(b.As16(), a)
	SHRL(U8(16), b)
	return f.inTable(method, table, a, b)
}

func (f form) block() {
	TEXT("rankBlock"+f.name, 0, "func(dst *byte, stride int, x *float"+f.name+", features int, units int, quads *byte, n int, program *byte)")
	Pragma("noescape")
	b := block{form: f, quad: GP64(), row: GP64()}
	b.from, b.x, b.left = AllocLocal(8), AllocLocal(8), AllocLocal(8)
	local := AllocLocal(2*f.tile()*f.part() + 32)
	from := GP64()
	LEAQ(local.Offset(31), from)
	ANDQ(I8(-32), from)
	MOVQ(from, b.from)
	Load(Param("quads"), b.quad)

	quad, tile := label("quad"), label("tile")
	Label(quad)
	b.destination()
	t := GP64()
	Load(Param("x"), t)
	ADDQ(at(b.quad, headOffset), t)
	MOVQ(t, b.x)
	Load(Param("units"), t)
	MOVQ(t, b.left)

	Label(tile)
	b.find()
	b.look()
	SUBQ(U8(f.tile()), b.left)
	JG(LabelRef(tile))

	ADDQ(U32(f.quadSize()), b.quad)
	n, err := Param("n").Resolve()
	if err != nil {
		panic(err)
	}
	DECQ(n.Addr)
	JNE(LabelRef(quad))
	VZEROUPPER()
	RET()
}

// destination points to the columns of the destination. Those that are not there
// are written to the first one, which is written last.
func (b *block) destination() {
	dst, stride, n := GP64(), GP64(), GP64()
	Load(Param("dst"), dst)
	Load(Param("stride"), stride)
	MOVQ(at(b.quad, headColumn), n)
	IMULQ(stride, n)
	ADDQ(n, dst)
	MOVQ(at(b.quad, headWrite), n)
	at := GP64()
	MOVQ(dst, at)
	for i := range b.columns {
		b.columns[i] = GP64()
		MOVQ(dst, b.columns[i])
		if i > 0 {
			ADDQ(stride, at)
			CMPQ(n, U8(i))
			CMOVQHI(at, b.columns[i])
		}
	}
	XORQ(b.row, b.row)
}

// units loads the number of units in this tile, times a number.
func (b *block) units(n reg.GPVirtual, times int) {
	most := GP64()
	MOVQ(U32(b.tile()), most)
	MOVQ(b.left, n)
	CMPQ(n, most)
	CMOVQGT(most, n)
	if times == 2 {
		ADDQ(n, n)
	}
}

// find puts the values of the tile's rows and their entries on the stack.
func (b *block) find() {
	x, to, width, n := GP64(), GP64(), GP64(), GP64()
	MOVQ(b.x, x)
	MOVQ(b.from, to)
	Load(Param("features"), width)
	SHLQ(U8(map[int]uint8{4: 2, 8: 3}[b.size]), width)
	b.units(n, 2)
	vector := func(disp int) func(int) Op {
		y := YMM()
		VBROADCASTI128(at(b.quad, disp), y)
		return func(int) Op { return y }
	}
	last, entry := YMM(), YMM()
	VPBROADCASTQ(at(b.quad, quadLast), last)
	VPBROADCASTQ(at(b.quad, quadEntry), entry)
	m := rankMap{vector(quadShift), vector(quadFirst), vector(quadFold), vector(quadZero), last, entry}
	origin := YMM()
	if b.size == 4 {
		VBROADCASTF128(at(b.quad, quadOrigin), origin)
	} else {
		VMOVUPD(at(b.quad, quadOrigin), origin)
	}
	each := func(load func(v values)) {
		next := label("four")
		noEntries, ones, stored := label("noEntries"), label("findOnes"), label("stored")
		Label(next)
		v := b.values()
		load(v)
		for i := range v {
			VMOVUPS(v[i], at(to, 32*i))
		}
		CMPQ(at(b.quad, headMethod), U8(methodOnes))
		JB(LabelRef(noEntries))
		u := b.singles(v, func(int) Op { return origin })
		if b.size == 8 {
			w := b.buckets(u, methodOnes, b.quad, m)
			VMOVDQU(w, at(to, b.entries()))
		} else {
			JEQ(LabelRef(ones))
			VMOVDQU(b.buckets(u, methodThrees, b.quad, m), at(to, b.entries()))
			JMP(LabelRef(stored))
			Label(ones)
			VMOVDQU(b.buckets(u, methodOnes, b.quad, m), at(to, b.entries()))
			Label(stored)
		}
		Label(noEntries)
		ADDQ(U32(b.part()), to)
		LEAQ(Mem{Base: x, Index: width, Scale: 4}, x)
		DECQ(n)
		JNE(LabelRef(next))
	}

	load := func(from func(m Mem, v Op) *ir.Instruction) func() {
		return func() { each(func(v values) { b.rows(x, width, from, v) }) }
	}
	whole := load(func(m Mem, v Op) *ir.Instruction { return must(x86.VMOVUPS(m, v)) })
	masked := func() {
		var mask Op = YMM()
		if b.size == 4 {
			mask = XMM()
		}
		VMOVUPS(at(b.quad, b.quadPick()), mask)
		load(func(m Mem, v Op) *ir.Instruction {
			if b.size == 8 {
				return must(x86.VMASKMOVPD(m, mask, v))
			}
			return must(x86.VMASKMOVPS(m, mask, v))
		})()
	}
	picked := func() {
		pick, windows := YMM(), [2]reg.GPVirtual{GP64(), GP64()}
		for i := range windows {
			MOVQ(at(b.quad, b.quadWindow()+8*i), windows[i])
		}
		if b.size == 4 {
			VBROADCASTF128(at(b.quad, b.quadPick()), pick)
		} else {
			VMOVUPD(at(b.quad, b.quadPick()), pick)
		}
		each(func(v values) { b.pickRows(x, width, windows, pick, v) })
	}
	sources(b.quad, whole, masked, picked, load(b.gatherRow))
	MOVQ(x, b.x)
}

// pickRows loads four rows from two windows.
func (b *block) pickRows(x, width reg.GPVirtual, windows [2]reg.GPVirtual, pick reg.VecVirtual, v values) {
	row := GP64()
	MOVQ(x, row)
	for i := range v {
		if b.size == 8 {
			if i > 0 {
				ADDQ(width, row)
			}
			b.pick(pick, Mem{Base: row, Index: windows[0], Scale: 1}, Mem{Base: row, Index: windows[1], Scale: 1}, v[i])
			continue
		}
		t := [2]reg.VecVirtual{v[i], YMM()}
		for j := range 2 {
			if i+j > 0 {
				ADDQ(width, row)
			}
			for k, w := range windows {
				m := Mem{Base: row, Index: w, Scale: 1}
				if j == 0 {
					low(m, t[k])
				} else {
					VINSERTF128(U8(1), m, t[k], t[k])
				}
			}
		}
		VPERMILPS(pick, t[0], t[0])
		VPERMILPS(pick, t[1], t[1])
		VBLENDVPS(pick, t[1], t[0], t[0])
	}
}

// rows loads four rows.
func (b *block) rows(x, width reg.GPVirtual, load func(m Mem, v Op) *ir.Instruction, v values) {
	row := GP64()
	MOVQ(x, row)
	for i := range 4 {
		if i > 0 {
			ADDQ(width, row)
		}
		switch m := at(row, 0); {
		case b.size == 8:
			Instruction(load(m, v[i]))
		case i%2 == 0:
			zeroing(v[i/2], load(m, v[i/2].AsX()))
		default:
			high := XMM()
			Instruction(load(m, high))
			VINSERTF128(U8(1), high, v[i/2], v[i/2])
		}
	}
}

// gatherRow loads the values of the quad's columns from the row at m.
func (b *block) gatherRow(m Mem, v Op) *ir.Instruction {
	index := XMM()
	VMOVDQU(at(b.quad, quadFeature), index)
	m.Index, m.Scale = index, uint8(b.size)
	VPXOR(v, v, v)
	if b.size == 8 {
		mask := YMM()
		VPCMPEQD(mask, mask, mask)
		return must(x86.VGATHERDPD(mask, m, v))
	}
	mask := XMM()
	VPCMPEQD(mask, mask, mask)
	return must(x86.VGATHERDPS(mask, m, v))
}

// look turns what find has put on the stack into ranks and writes them.
func (b *block) look() {
	ones, threes, done := label("lookOnes"), label("lookThrees"), label("looked")
	from, table, n := GP64(), GP64(), GP64()
	MOVQ(b.from, from)
	Load(Param("program"), table)
	ADDQ(at(b.quad, headTable), table)
	b.units(n, 1)
	order, missing := YMM(), YMM()
	VMOVDQU(columns, order)
	VPBROADCASTQ(at(b.quad, quadMissing), missing)
	CMPQ(at(b.quad, headMethod), U8(methodOnes))
	JEQ(LabelRef(ones))
	JA(LabelRef(threes))
	each := func(ranks func() [4]reg.VecVirtual) {
		next := label("unit")
		Label(next)
		b.write(from, ranks(), missing, order)
		ADDQ(U32(2*b.part()), from)
		ADDQ(U8(8), b.row)
		DECQ(n)
		JNE(LabelRef(next))
	}
	each(func() [4]reg.VecVirtual { return b.countUnit(from, table) })
	JMP(LabelRef(done))
	Label(ones)
	each(func() [4]reg.VecVirtual { return b.lookUnit(methodOnes, from, table) })
	JMP(LabelRef(done))
	Label(threes)
	each(func() [4]reg.VecVirtual { return b.lookUnit(methodThrees, from, table) })
	Label(done)
}

// countUnit returns the ranks of a unit of rows, two rows in each vector.
func (b *block) countUnit(from, table reg.Register) (r [4]reg.VecVirtual) {
	again, done := label("bound"), label("counted")
	sums := counted(b.size)
	n, bounds := GP64(), GP64()
	MOVQ(at(b.quad, headCount), n)
	MOVQ(table, bounds)
	TESTQ(n, n)
	JEQ(LabelRef(done))
	Label(again)
	bound := YMM()
	if b.size == 4 {
		VBROADCASTF128(at(bounds, 0), bound)
	} else {
		VMOVUPD(at(bounds, 0), bound)
	}
	for i, s := range sums {
		half := len(sums) / 2
		b.count(s, bound, at(from, b.part()*(i/half)+32*(i%half)))
	}
	ADDQ(U8(4*b.size), bounds)
	DECQ(n)
	JNE(LabelRef(again))
	Label(done)
	copy(r[:], b.narrowed(sums))
	return r
}

// lookUnit does so by entries.
func (b *block) lookUnit(method int, from, table reg.Register) (r [4]reg.VecVirtual) {
	for i := range r {
		disp, lane := b.part()*(i/2), 8*(i%2)
		r[i] = b.form.look(method,
			func(j int) [2]Mem { return b.pair(method, table, from, disp, lane+j) },
			func(j int) Op { return at(from, disp+b.size*(lane+j)) })
	}
	return r
}

// write packs the ranks of a unit of rows and writes them, transposed.
func (b *block) write(from reg.Register, r [4]reg.VecVirtual, missing, order Op) {
	w := [2]reg.VecVirtual{YMM(), YMM()}
	for i := range w {
		words([2]reg.VecVirtual{r[2*i], r[2*i+1]}, b.missing(from, b.part()*i), missing, w[i])
	}
	VPACKUSWB(w[1], w[0], w[0])
	VPSHUFB(order, w[0], w[0])
	// Rows 0, 2, 4 and 6 are in one half, the others in the other.
	high, lo := XMM(), XMM()
	VEXTRACTI128(U8(1), w[0], high)
	VPUNPCKLBW(high, w[0].AsX(), lo)
	VPUNPCKHBW(high, w[0].AsX(), high)
	for i := 3; i >= 0; i-- {
		v := [2]Op{lo, high}[i/2]
		to := Mem{Base: b.columns[i], Index: b.row, Scale: 1}
		if i%2 == 1 {
			VMOVHPS(v, to)
		} else {
			VMOVQ(v, to)
		}
	}
}

// missing returns vectors of eight float32 numbers, NaN where the values of a part
// are.
func (f form) missing(part reg.Register, disp int) [2]reg.VecVirtual {
	u := [2]reg.VecVirtual{YMM(), YMM()}
	for i := range u {
		if f.size == 4 {
			VMOVUPS(at(part, disp+32*i), u[i])
			continue
		}
		t := XMM()
		single(at(part, disp+64*i), u[i])
		VCVTPD2PSY(at(part, disp+64*i+32), t)
		VINSERTF128(U8(1), t, u[i], u[i])
	}
	return u
}
