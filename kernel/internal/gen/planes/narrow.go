package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A narrowTable is a way to look values of 16 bits up, and to add their sums, as
// integers, to margins of size bytes. Values of two trees are put side by side,
// multiplied by 1 and added in pairs, to sums of 32 bits. Sums of 16 bits, for values
// so small that no sum of a run has more, saved another 2 to 4 % of an evaluation.
type narrowTable struct {
	form       form
	size, bits int
}

// More would hardly pay: with AVX-512 five bits took no less time than six, and of the
// time of an evaluation seven and eight bits saved 4 % and nothing with float32, eight 3 %
// with float64.
var narrowTables = []narrowTable{
	{forms[avx2], 4, 4}, {forms[avx2], 4, 5}, {forms[avx2], 4, 6},
	{forms[avx2], 8, 4}, {forms[avx2], 8, 5}, {forms[avx2], 8, 6},
	{forms[avx512], 4, 6}, {forms[avx512], 8, 6},
	{forms[gfni], 4, 6}, {forms[gfni], 8, 6}, {forms[gfni], 8, 7},
}

// A narrowLook looks up the words of some rows, in two vectors. The table and the
// codes that it takes lie in memory.
type narrowLook func(codes Mem) [2]reg.VecVirtual

// groups is the number of groups of rows whose sums are held in registers. A group
// has two vectors of words, and four of sums.
func (t narrowTable) groups() int {
	if t.form.level == avx2 {
		return 1
	}
	return 2
}

func (t narrowTable) sum() {
	name, width := fmt.Sprintf("planeNarrow%sf%d_%d", t.form.name, 8*t.size, t.bits), t.form.bytes
	TEXT(name, NOSPLIT, fmt.Sprintf("func(acc *float%d, codes *byte, tables *int16, stride, bytes, pairs, passes int, bias int32, small int, unit float%d)", 8*t.size, 8*t.size))
	Doc(fmt.Sprintf("%s adds units to margins: the bias, and the values of pairs of trees. It takes %d rows a pass.", name, width*t.groups()))
	Pragma("noescape")
	acc, codes := Load(Param("acc"), GP64()), Load(Param("codes"), GP64())
	stride, bytes, passes := Load(Param("stride"), GP64()), Load(Param("bytes"), GP64()), Load(Param("passes"), GP64())
	l := &narrowLookup{narrowTable: t}
	l.prepare()
	sums := make([]reg.VecVirtual, 4*t.groups())
	Label("pass")
	c, table, n := GP64(), Load(Param("tables"), GP64()), Load(Param("pairs"), GP64())
	MOVQ(codes, c)
	for i := range sums {
		sums[i] = t.form.vec()
		t.form.xor(sums[i])
	}
	Label("pair")
	l.pair(c, table, stride, bytes, sums)
	DECQ(n)
	JNZ(LabelRef("pair"))
	l.finish(acc, sums)
	ADDQ(I32(width*t.groups()*t.size), acc)
	ADDQ(I32(width*t.groups()), codes)
	DECQ(passes)
	JNZ(LabelRef("pass"))
	VZEROUPPER()
	RET()
}

type narrowLookup struct {
	narrowTable
	index       []reg.VecVirtual // what selects rows from a matrix, with GFNI
	ones        Op
	bias, scale reg.VecVirtual
}

func (l *narrowLookup) prepare() {
	l.ones = data("planeOnes", 0x0001000100010001, 0x0001000100010001, 0x0001000100010001, 0x0001000100010001)
	if l.form.level != avx2 {
		l.ones = l.form.constant(0x0001000100010001)
	}
	if l.form.level != gfni {
		return
	}
	t := table{size: 2, piece: 2}
	if l.bits > 6 {
		t.piece = 1
	}
	for i := range t.piece {
		l.index = append(l.index, l.form.constant(t.selector(i)))
	}
}

// pair adds the values of two trees to the sums, and moves on to the next ones.
func (l *narrowLookup) pair(codes, table, stride, bytes reg.Register, sums []reg.VecVirtual) {
	nextCodes, nextTable := GP64(), GP64()
	LEAQ(Mem{Base: codes, Index: stride, Scale: 1}, nextCodes)
	LEAQ(Mem{Base: table, Index: bytes, Scale: 1}, nextTable)
	look, lookNext := l.load(table), l.load(nextTable)
	for g := range l.groups() {
		at := l.form.bytes * g
		a, b := look(Mem{Base: codes, Disp: at}), lookNext(Mem{Base: nextCodes, Disp: at})
		for i := range a {
			low := l.form.unpack(VPUNPCKLWD, a[i], b[i])
			high := l.form.unpack(VPUNPCKHWD, a[i], b[i])
			l.addPairs(low, sums[4*g+2*i])
			l.addPairs(high, sums[4*g+2*i+1])
		}
	}
	LEAQ(Mem{Base: nextCodes, Index: stride, Scale: 1}, codes)
	LEAQ(Mem{Base: nextTable, Index: bytes, Scale: 1}, table)
}

// addPairs adds words in pairs to sums of 32 bits.
func (l *narrowLookup) addPairs(words, sums reg.VecVirtual) {
	if l.form.level == gfni {
		VPDPWSSD(l.ones, words, sums)
		return
	}
	VPMADDWD(l.ones, words, words)
	VPADDD(words, sums, sums)
}

// load loads a table and returns how to look up in it.
func (l *narrowLookup) load(base reg.Register) narrowLook {
	if l.form.level == avx2 {
		return func(codes Mem) [2]reg.VecVirtual { return l.shuffle(Mem{Base: base}, codes) }
	}
	table := make([]reg.VecVirtual, 2<<l.bits/64)
	for i := range table {
		table[i] = ZMM()
		VMOVDQU64(Mem{Base: base, Disp: 64 * i}, table[i])
	}
	if l.bits > 6 {
		return func(codes Mem) [2]reg.VecVirtual { return l.merge(table, codes) }
	}
	return func(codes Mem) (words [2]reg.VecVirtual) {
		for i := range words {
			words[i] = ZMM()
			if l.form.level == gfni {
				VGF2P8AFFINEQB(Imm(0), codes, l.index[i], words[i])
			} else {
				VPMOVZXBW(codes.Offset(32*i), words[i])
			}
			VPERMI2W(table[1], table[0], words[i])
		}
		return words
	}
}

// shuffle looks up the low and the high bytes of words, 16 at a time.
func (l *narrowLookup) shuffle(table, codes Mem) (words [2]reg.VecVirtual) {
	indices := byteIndices(codes, 1<<l.bits/16)
	low := lookBytes(table, indices)
	high := lookBytes(table.Offset(1<<l.bits), indices)
	return [2]reg.VecVirtual{l.form.unpack(VPUNPCKLBW, low, high), l.form.unpack(VPUNPCKHBW, low, high)}
}

// merge looks up the low and the high bytes of words, 128 at a time.
func (l *narrowLookup) merge(table []reg.VecVirtual, codes Mem) [2]reg.VecVirtual {
	low, high := ZMM(), ZMM()
	VGF2P8AFFINEQB(Imm(0), codes, l.index[0], low)
	VMOVDQA64(low, high)
	VPERMI2B(table[1], table[0], low)
	VPERMI2B(table[3], table[2], high)
	return [2]reg.VecVirtual{l.form.unpack(VPUNPCKLBW, low, high), l.form.unpack(VPUNPCKHBW, low, high)}
}

// finish adds the bias to sums, and both, in units, to acc.
func (l *narrowLookup) finish(acc reg.Register, sums []reg.VecVirtual) {
	l.bias, l.scale = l.form.vec(), l.form.vec()
	VBROADCASTSS(param("bias"), l.bias) // go vet takes VPBROADCASTD for one of 8 bytes
	if l.size == 4 {
		VBROADCASTSS(param("unit"), l.scale)
	} else {
		VBROADCASTSD(param("unit"), l.scale)
	}
	for _, s := range sums {
		VPADDD(l.bias, s, s)
	}
	orders := [3]func(acc reg.Register, sums []reg.VecVirtual){l.finishAVX2, l.finishAVX512, l.finishGFNI}
	for g := range l.groups() {
		at := GP64()
		LEAQ(Mem{Base: acc, Disp: l.form.bytes * l.size * g}, at)
		orders[l.form.level](at, sums[4*g:4*g+4])
	}
}

// add adds values in units to acc.
func (l *narrowLookup) add(v reg.VecVirtual, acc Mem) {
	if l.size == 4 {
		VFMADD213PS(acc, l.scale, v)
		VMOVUPS(v, acc)
	} else {
		VFMADD213PD(acc, l.scale, v)
		VMOVUPD(v, acc)
	}
}

// addInOrder adds sums that are in the order of rows.
func (l *narrowLookup) addInOrder(sums reg.VecVirtual, acc Mem) {
	if l.size == 4 {
		VCVTDQ2PS(sums, sums)
		l.add(sums, acc)
		return
	}
	low, high := l.form.vec(), l.form.vec()
	if l.form.level == avx2 {
		VCVTDQ2PD(sums.AsX(), low)
		VEXTRACTI128(Imm(1), sums, sums.AsX())
		VCVTDQ2PD(sums.AsX(), high)
	} else {
		VCVTDQ2PD(sums.AsY(), low)
		VEXTRACTI64X4(Imm(1), sums, sums.AsY())
		VCVTDQ2PD(sums.AsY(), high)
	}
	l.add(low, acc)
	l.add(high, acc.Offset(l.form.bytes))
}

// finishAVX2 finds the sums in order: see bitsAVX2.
func (l *narrowLookup) finishAVX2(acc reg.Register, sums []reg.VecVirtual) {
	for i, s := range sums {
		l.addInOrder(s, Mem{Base: acc, Disp: 8 * l.size * i})
	}
}

// finishAVX512 finds the sums of the first and the last four of each eight rows in
// different vectors.
func (l *narrowLookup) finishAVX512(acc reg.Register, sums []reg.VecVirtual) {
	for i := range 2 {
		for half, index := range [2]Mem{
			data("planeFirstHalf", 0, 1, 8, 9, 2, 3, 10, 11),
			data("planeSecondHalf", 4, 5, 12, 13, 6, 7, 14, 15),
		} {
			v := ZMM()
			VMOVDQU64(index, v)
			VPERMI2Q(sums[2*i+1], sums[2*i], v)
			l.addInOrder(v, Mem{Base: acc, Disp: 16 * l.size * (2*i + half)})
		}
	}
}

// finishGFNI finds in each 128 bits of a vector the sums of four rows of a matrix: the
// first or the last four, of the first or the second of two matrices.
func (l *narrowLookup) finishGFNI(acc reg.Register, sums []reg.VecVirtual) {
	if l.bits > 6 { // each vector of words has one of the matrices
		sums[1], sums[2] = sums[2], sums[1]
	}
	if l.size == 4 {
		l.finishMatrices(acc, sums)
		return
	}
	small, spread, done := Load(Param("small"), GP64()), l.label("spread"), l.label("done")
	TESTQ(small, small)
	JZ(LabelRef(spread))
	l.finishMatrices(acc, sums)
	JMP(LabelRef(done))
	Label(spread)
	for i, s := range sums {
		sign := ZMM()
		VPSRAD(Imm(31), s, sign)
		for j, unpack := range [2]func(...Op){VPUNPCKLDQ, VPUNPCKHDQ} {
			v := l.form.unpack(unpack, s, sign)
			VCVTQQ2PD(v, v)
			l.add(v, Mem{Base: acc, Disp: 64 * (2*i + j)})
		}
	}
	Label(done)
}

// finishMatrices adds the sums of two rows of each matrix at a time or, with 64 bits,
// those of one.
func (l *narrowLookup) finishMatrices(acc reg.Register, sums []reg.VecVirtual) {
	for i := range 2 {
		for j, unpack := range [2]func(...Op){VPUNPCKLQDQ, VPUNPCKHQDQ} {
			v := l.form.unpack(unpack, sums[2*i], sums[2*i+1])
			if l.size == 4 {
				VCVTDQ2PS(v, v)
				l.add(v, Mem{Base: acc, Disp: 64 * (2*i + j)})
				continue
			}
			odd := ZMM()
			VPSRAQ(Imm(32), v, odd)
			VPSLLQ(Imm(32), v, v)
			VPSRAQ(Imm(32), v, v)
			for k, v := range [2]reg.VecVirtual{v, odd} {
				VCVTQQ2PD(v, v)
				l.add(v, Mem{Base: acc, Disp: 64 * (4*i + 2*j + k)})
			}
		}
	}
}

var labels int

// label returns a label that no other place of a function has.
func (l *narrowLookup) label(name string) string {
	labels++
	return fmt.Sprintf("%s%d", name, labels)
}

// param is a parameter in memory.
func param(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}
