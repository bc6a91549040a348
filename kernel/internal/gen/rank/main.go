// Command rank prints the assembly of the kernel's ranker.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

func main() {
	ConstraintExpr("!purego")
	constants()
	for _, f := range []form{{"32", 4}, {"64", 8}} {
		f.row()
		f.block()
	}
	Generate()
}

// A form is a type of values and its size.
type form struct {
	name string
	size int
}

// Methods and sources, as in rank_table.go and rank_vector.go.
const (
	methodNone = iota
	methodCount
	methodOnes
	methodThrees
)

const (
	sourceWhole = iota
	sourceMasked
	sourcePicked
	sourceGather
)

// Offsets in the head of a program.
const (
	headMethod = 0
	headCount  = 8
	headTable  = 16
	headSource = 24
	headOffset = 32
	headFolded = 40
	headColumn = 48
	headWrite  = 56
)

// Predicates of VCMPPS and VCMPPD that raise nothing.
const (
	unordered = 0x03
	less      = 0x11
	lessEqual = 0x12
)

var (
	bias     Mem // 128, in 32 bits
	oneBytes Mem
	oneWords Mem
	columns  Mem // of a byte of four rows, in both halves
	absolute Mem // all but the sign
)

func constants() {
	table := func(name string, words ...uint64) Mem {
		m := GLOBL(name, RODATA|NOPTR)
		for i := range 4 {
			DATA(8*i, U64(words[i%len(words)]))
		}
		return m
	}
	bias = table("rank_bias", 0x0000008000000080)
	oneBytes = table("rank_ones8", 0x0101010101010101)
	oneWords = table("rank_ones16", 0x0001000100010001)
	absolute = table("rank_absolute", 0x7fffffff7fffffff)
	columns = table("rank_columns", 0x0d0905010c080400, 0x0f0b07030e0a0602)
}

var labels int

func label(name string) string {
	labels++
	return fmt.Sprintf("%s%d", name, labels)
}

// zeroing adds an instruction that writes the low half of y and so clears the rest,
// which avo does not know: it would have y in use from where nothing is in it.
func zeroing(y reg.Register, i *ir.Instruction) {
	i.Outputs = append(i.Outputs, y)
	Instruction(i)
}

func must(i *ir.Instruction, err error) *ir.Instruction {
	if err != nil {
		panic(err)
	}
	return i
}

// low loads the low half of y.
func low(m Op, y reg.VecVirtual) { zeroing(y, must(x86.VMOVDQU(m, y.AsX()))) }

// single converts float64 numbers to float32 ones in the low half of y.
func single(m Op, y reg.VecVirtual) { zeroing(y, must(x86.VCVTPD2PSY(m, y.AsX()))) }

// sources adds a branch for each source of values that the program at p may name.
func sources(p reg.Register, whole, masked, picked, gather func()) {
	m, k, g, loaded := label("masked"), label("picked"), label("gather"), label("loaded")
	CMPQ(at(p, headSource), U8(sourcePicked))
	JEQ(LabelRef(k))
	JA(LabelRef(g))
	CMPQ(at(p, headSource), U8(sourceMasked))
	JEQ(LabelRef(m))
	whole()
	JMP(LabelRef(loaded))
	Label(m)
	masked()
	JMP(LabelRef(loaded))
	Label(k)
	picked()
	JMP(LabelRef(loaded))
	Label(g)
	gather()
	Label(loaded)
}

func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }

// values are those of 16 lanes: two or four vectors.
type values []reg.VecVirtual

func (f form) values() values {
	v := values{}
	for range f.size / 2 {
		v = append(v, YMM())
	}
	return v
}

// singles returns the values as float32 numbers, each less what origin says. The
// result is NaN where the value is.
func (f form) singles(v values, origin func(i int) Op) [2]reg.VecVirtual {
	u := [2]reg.VecVirtual{YMM(), YMM()}
	for i := range u {
		if f.size == 4 {
			VSUBPS(origin(i), v[i], u[i])
			continue
		}
		lo, hi := YMM(), YMM()
		VSUBPD(origin(2*i), v[2*i], lo)
		VSUBPD(origin(2*i+1), v[2*i+1], hi)
		single(lo, u[i])
		VCVTPD2PSY(hi, hi.AsX())
		VINSERTF128(U8(1), hi.AsX(), u[i], u[i])
	}
	return u
}

// A rankMap is where the maps of lanes are: arrays, of which those in 32 bits are
// two vectors.
type rankMap struct {
	shift, first, fold, zero func(i int) Op
	last, entry              Op
}

// buckets turns the results of singles into the numbers of entries, packed.
func (f form) buckets(u [2]reg.VecVirtual, method int, p reg.Register, m rankMap) reg.VecVirtual {
	w := YMM()
	q := [2]reg.VecVirtual{YMM(), YMM()}
	folded, counted := label("folded"), label("bucket")
	CMPQ(at(p, headFolded), U8(0))
	JNE(LabelRef(folded))
	for i := range u {
		VPSRAVD(m.shift(i), u[i], q[i])
	}
	JMP(LabelRef(counted))
	Label(folded)
	for i := range u {
		VANDPS(absolute, u[i], q[i])
		VADDPS(m.fold(i), q[i], q[i])
		VPSRAVD(m.shift(i), q[i], q[i])
		VPSUBD(m.zero(i), q[i], q[i])
		VPSIGND(u[i], q[i], q[i])
	}
	Label(counted)
	for i := range u {
		VPSUBD(m.first(i), q[i], q[i])
	}
	VPACKUSDW(q[1], q[0], w)
	VPMINUW(m.last, w, w)
	if method == methodThrees || f.size == 8 {
		VPADDW(w, w, w)
	}
	VPADDW(m.entry, w, w)
	return w
}

// inTable returns where entries a and b of the table are.
func (f form) inTable(method int, table reg.Register, a, b reg.GP) [2]Mem {
	if method == methodThrees && f.size == 8 {
		ADDL(a.As32(), a.As32())
		ADDL(b.As32(), b.As32())
	}
	return [2]Mem{{Base: table, Index: a.As64(), Scale: 8}, {Base: table, Index: b.As64(), Scale: 8}}
}

// look returns the ranks of eight lanes in 32 bits, given where the entries of
// lanes i and i + 1 and the values of those from lane i on are.
func (f form) look(method int, entries func(i int) [2]Mem, values func(i int) Op) reg.VecVirtual {
	switch {
	case method == methodOnes && f.size == 4:
		return ones32(entries, values(0))
	case method == methodOnes:
		return narrow(ones64(entries, values, 0), ones64(entries, values, 4))
	case f.size == 4:
		return threes32(entries, values(0))
	}
	return threes64(entries, values)
}

func ones32(entries func(int) [2]Mem, v Op) reg.VecVirtual {
	// y[0] holds entries 0, 1, 4 and 5, y[1] the others.
	var y [2]reg.VecVirtual
	for i := range y {
		y[i] = YMM()
		t := XMM()
		e := entries(2 * i)
		zeroing(y[i], must(x86.VMOVQ(e[0], y[i].AsX())))
		VMOVHPS(e[1], y[i].AsX(), y[i].AsX())
		e = entries(2*i + 4)
		VMOVQ(e[0], t)
		VMOVHPS(e[1], t, t)
		VINSERTI128(U8(1), t, y[i], y[i])
	}
	bound, base := YMM(), YMM()
	VSHUFPS(U8(0x88), y[1], y[0], bound)
	VSHUFPS(U8(0xdd), y[1], y[0], base)
	VCMPPS(U8(lessEqual), v, bound, bound)
	VPSUBD(bound, base, base)
	return base
}

// ones64 returns the ranks of lanes i to i + 3 in 64 bits.
func ones64(entries func(int) [2]Mem, values func(int) Op, i int) reg.VecVirtual {
	y := [2]reg.VecVirtual{YMM(), YMM()} // entries 0 and 2, 1 and 3
	e, h := entries(i), entries(i+2)
	for j := range y {
		low(e[j], y[j])
		VINSERTF128(U8(1), h[j], y[j], y[j])
	}
	bound, base := YMM(), YMM()
	VUNPCKLPD(y[1], y[0], bound)
	VUNPCKHPD(y[1], y[0], base)
	VCMPPD(U8(lessEqual), values(i), bound, bound)
	VPSUBQ(bound, base, base)
	return base
}

// narrow returns the low halves of 64-bit numbers.
func narrow(a, b reg.VecVirtual) reg.VecVirtual {
	VSHUFPS(U8(0x88), b, a, a)
	VPERMQ(U8(0xd8), a, a)
	return a
}

func threes32(entries func(int) [2]Mem, v Op) reg.VecVirtual {
	x := YMM()
	VMOVUPS(v, x)
	var y [4]reg.VecVirtual // entries i and i + 4
	for i := 0; i < 4; i += 2 {
		lo, hi := entries(i), entries(i+4)
		for j := range lo {
			y[i+j] = YMM()
			e := YMM()
			low(lo[j], e)
			VINSERTI128(U8(1), hi[j], e, e)
			VPERMILPS(U8((i+j)*0x55), x, y[i+j])
			VCMPPS(U8(less), e, y[i+j], y[i+j])
			VPBLENDD(U8(0x88), e, y[i+j], y[i+j])
		}
		VPACKSSDW(y[i+1], y[i], y[i])
	}
	VPACKSSWB(y[2], y[0], y[0])
	// Four bytes for each lane are left: add them up.
	t := YMM()
	VMOVDQU(oneBytes, t)
	VPMADDUBSW(y[0], t, t)
	VPMADDWD(oneWords, t, t)
	VPADDD(bias, t, t)
	return t
}

func threes64(entries func(int) [2]Mem, values func(int) Op) reg.VecVirtual {
	var b [2]reg.VecVirtual
	for i := range b {
		x := YMM()
		VMOVUPD(values(4*i), x)
		var pairs [2]reg.VecVirtual
		for j := range pairs {
			var y [2]reg.VecVirtual
			for k, m := range entries(4*i + 2*j) {
				y[k] = YMM()
				e := YMM()
				VMOVUPD(m, e)
				VPERMPD(U8((2*j+k)*0x55), x, y[k])
				VCMPPD(U8(less), e, y[k], y[k])
				VPBLENDD(U8(0xc0), e, y[k], y[k])
			}
			pairs[j] = y[0]
			VSHUFPS(U8(0x88), y[1], y[0], pairs[j])
		}
		b[i] = pairs[0]
		VPACKSSDW(pairs[1], pairs[0], b[i])
	}
	// Two bytes for each lane are in either half: add them up, then the halves.
	t, h := YMM(), XMM()
	VPACKSSWB(b[1], b[0], b[0])
	VMOVDQU(oneBytes, t)
	VPMADDUBSW(b[0], t, t)
	VEXTRACTI128(U8(1), t, h)
	VPADDW(h, t.AsX(), t.AsX())
	VPMOVSXWD(t.AsX(), t)
	VPADDD(bias, t, t)
	return t
}

// counted starts ranks at zero.
func counted(n int) []reg.VecVirtual {
	r := make([]reg.VecVirtual, n)
	for i := range r {
		r[i] = YMM()
		VPXOR(r[i], r[i], r[i])
	}
	return r
}

// count adds the comparison of a bound with values to their ranks.
func (f form) count(r reg.VecVirtual, bound reg.VecVirtual, v Op) {
	t := YMM()
	if f.size == 4 {
		VCMPPS(U8(lessEqual), v, bound, t)
		VPSUBD(t, r, r)
	} else {
		VCMPPD(U8(lessEqual), v, bound, t)
		VPSUBQ(t, r, r)
	}
}

// narrowed returns ranks in 32 bits.
func (f form) narrowed(r []reg.VecVirtual) []reg.VecVirtual {
	if f.size == 4 {
		return r
	}
	n := make([]reg.VecVirtual, len(r)/2)
	for i := range n {
		n[i] = narrow(r[2*i], r[2*i+1])
	}
	return n
}

// words packs ranks and replaces those of missing values: where u is NaN.
func words(r, u [2]reg.VecVirtual, missing Op, w reg.VecVirtual) {
	n := [2]reg.VecVirtual{YMM(), YMM()}
	for i := range n {
		VCMPPS(U8(unordered), u[i], u[i], n[i])
	}
	VPACKSSDW(n[1], n[0], n[0])
	VPACKUSDW(r[1], r[0], w)
	VPBLENDVB(n[0], missing, w, w)
}
