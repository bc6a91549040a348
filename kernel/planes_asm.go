//go:build amd64 && !purego

package kernel

import "unsafe"

//go:generate go -C internal/gen run ./planes -out ../../planes_amd64.s -stubs ../../planes_amd64.go -pkg kernel

// planeForm is how blocks are evaluated.
type planeForm struct {
	level planeLevel
	size  int  // bytes in a value
	small bool // no tree has more than 32 leaves
}

type planeLevel uint8

const (
	planesGeneric planeLevel = iota
	planesAVX2
	planesAVX512
	planesGFNI // AVX-512 with VBMI, VNNI and GFNI
	planesHalf // the same for blocks of half as many rows
)

// planeAsm are the steps of a level in assembly.
type planeAsm struct {
	lanes   int
	digits  func(lines *uint64, ranks, order *byte)
	column  func(lines, dst *uint64, ranks, order *byte, groups uint)
	combine func(lines *uint64, ops *uint16, n int, dst *uint64)
	decode  [9]func(codes *byte, lines *uint64, slots *uint16, n int) // by depth; 0 is for levels
	sum32   [9]planeSumAsm[float32]                                   // by the bits of a table's index
	sum64   [9]planeSumAsm[float64]
	words32 [9]planeWordsAsm[float32] // by those of a narrow table's
	words64 [9]planeWordsAsm[float64]
}

type planeSumAsm[Out Float] func(acc *Out, codes *byte, tables *Out, stride, bytes, n, passes int)

// A planeWordsAsm adds the values of pairs of trees and a bias, in units. If no tree of
// the planes has more than 32 leaves, small is 1: see planeForm.rows.
type planeWordsAsm[Out Float] func(acc *Out, codes *byte, tables *int16, stride, bytes, pairs, passes int, bias int32, small int, unit Out)

var planeSteps = [...]planeAsm{
	planesGeneric: {lanes: 64},
	planesAVX2: {
		256, planeDigitsAVX2, planeColumnAVX2, planeCombineAVX2,
		[9]func(*byte, *uint64, *uint16, int){
			planeDecodeAVX2_0, planeDecodeAVX2_1, planeDecodeAVX2_2, planeDecodeAVX2_3, planeDecodeAVX2_4,
			planeDecodeAVX2_5, planeDecodeAVX2_6, planeDecodeAVX2_7, planeDecodeAVX2_8,
		},
		[9]planeSumAsm[float32]{
			4: planeSumAVX2f32_4, 5: planeSumAVX2f32_5, 6: planeSumAVX2f32_6, 7: planeSumAVX2f32, 8: planeSumAVX2f32,
		},
		[9]planeSumAsm[float64]{
			1: planeSumAVX2f64, 2: planeSumAVX2f64, 3: planeSumAVX2f64, 4: planeSumAVX2f64,
			5: planeSumAVX2f64, 6: planeSumAVX2f64, 7: planeSumAVX2f64, 8: planeSumAVX2f64,
		},
		[9]planeWordsAsm[float32]{4: planeNarrowAVX2f32_4, 5: planeNarrowAVX2f32_5, 6: planeNarrowAVX2f32_6},
		[9]planeWordsAsm[float64]{4: planeNarrowAVX2f64_4, 5: planeNarrowAVX2f64_5, 6: planeNarrowAVX2f64_6},
	},
	planesAVX512: {
		512, planeDigitsAVX512, planeColumnAVX512, planeCombineAVX512,
		[9]func(*byte, *uint64, *uint16, int){
			planeDecodeAVX512_0, planeDecodeAVX512_1, planeDecodeAVX512_2, planeDecodeAVX512_3, planeDecodeAVX512_4,
			planeDecodeAVX512_5, planeDecodeAVX512_6, planeDecodeAVX512_7, planeDecodeAVX512_8,
		},
		[9]planeSumAsm[float32]{
			5: planeSumAVX512f32_5, 6: planeSumAVX512f32_6, 7: planeSumAVX512f32_8, 8: planeSumAVX512f32_8,
		},
		[9]planeSumAsm[float64]{
			4: planeSumAVX512f64_4, 5: planeSumAVX512f64_5, 6: planeSumAVX512f64_8, 7: planeSumAVX512f64_8, 8: planeSumAVX512f64_8,
		},
		[9]planeWordsAsm[float32]{6: planeNarrowAVX512f32_6},
		[9]planeWordsAsm[float64]{6: planeNarrowAVX512f64_6},
	},
	planesGFNI: {
		512, planeDigitsGFNI, planeColumnGFNI, planeCombineGFNI,
		[9]func(*byte, *uint64, *uint16, int){
			planeDecodeGFNI_0, planeDecodeGFNI_1, planeDecodeGFNI_2, planeDecodeGFNI_3, planeDecodeGFNI_4,
			planeDecodeGFNI_5, planeDecodeGFNI_6, planeDecodeGFNI_7, planeDecodeGFNI_8,
		},
		planeSumsGFNI32, planeSumsGFNI64, planeWordsGFNI32, planeWordsGFNI64,
	},
	planesHalf: {
		256, planeDigitsHalf, planeColumnHalf, planeCombineHalf,
		[9]func(*byte, *uint64, *uint16, int){
			planeDecodeHalf_0, planeDecodeHalf_1, planeDecodeHalf_2, planeDecodeHalf_3, planeDecodeHalf_4,
			planeDecodeHalf_5, planeDecodeHalf_6, planeDecodeHalf_7, planeDecodeHalf_8,
		},
		planeSumsGFNI32, planeSumsGFNI64, planeWordsGFNI32, planeWordsGFNI64,
	},
}

var (
	planeSumsGFNI32 = [9]planeSumAsm[float32]{
		5: planeSumGFNIf32_5, 6: planeSumGFNIf32_6, 7: planeSumGFNIf32_7, 8: planeSumGFNIf32_8,
	}
	planeSumsGFNI64 = [9]planeSumAsm[float64]{
		4: planeSumGFNIf64_4, 5: planeSumGFNIf64_5, 6: planeSumGFNIf64_6, 7: planeSumGFNIf64_7, 8: planeSumGFNIf64_8,
	}
	planeWordsGFNI32 = [9]planeWordsAsm[float32]{6: planeNarrowGFNIf32_6}
	planeWordsGFNI64 = [9]planeWordsAsm[float64]{6: planeNarrowGFNIf64_6, 7: planeNarrowGFNIf64_7}
)

// planeFormFor returns the form for values of size bytes and trees with up to the
// given number of leaves.
func planeFormFor(cpu CPU, size, leaves int) planeForm {
	f := planeForm{planesGeneric, size, leaves <= 32}
	switch {
	case cpu.VBMI && cpu.GFNI:
		f.level = planesGFNI
	case cpu.AVX512:
		f.level = planesAVX512
	case cpu.AVX2:
		f.level = planesAVX2
	}
	return f
}

func (f planeForm) lanes() int { return planeSteps[f.level].lanes }

// fewer returns the form for a block of some rows.
func (f planeForm) fewer(rows int) planeForm {
	if f.level == planesGFNI && rows <= planeSteps[planesHalf].lanes {
		f.level = planesHalf
	}
	return f
}

// rows returns the order in which planesGFNI takes 64 ranks, so that values end up
// in the order of rows. Eight matrices hold the codes of eight rows each, and it
// depends on how values are looked up which rows' values come in one vector:
// float32 of two rows of each matrix, float64 of one row of each matrix or, with
// more than 32 leaves, of two rows of every other matrix.
func (f planeForm) rows() (order [64]byte) {
	for i := range order {
		matrix, row := i>>3, i&7
		switch {
		case f.size == 4:
			order[i] = byte(row>>1<<4 | matrix<<1 | row&1)
		case f.small:
			order[i] = byte(row<<3 | matrix)
		default:
			order[i] = byte(row>>2<<5 | matrix&1<<4 | row>>1&1<<3 | matrix>>1<<1 | row&1)
		}
	}
	return order
}

// bits returns the number of bits of a table's index for codes of some bits.
func (f planeForm) bits(depth int) int {
	switch {
	case f.level == planesGeneric || f.level == planesAVX2 && f.size == 8:
		return depth
	case f.level == planesGFNI && f.size == 8 && !f.small:
		return max(depth, 6)
	case f.level == planesAVX2 || f.size == 8:
		return max(depth, 4)
	}
	return max(depth, 5)
}

// piece returns the size of the pieces in which a table of some entries holds
// values, or 0 if it holds them whole.
func (f planeForm) piece(entries int) int {
	switch {
	case f.level == planesGFNI:
		return max(1, 128/entries)
	case f.level == planesAVX2 && f.size == 4 && entries <= 64:
		return 1
	}
	return 0
}

// cost returns the time to evaluate n trees with codes of some bits for 512 rows,
// roughly in cycles of a Zen 4.
func (f planeForm) cost(depth, n int, narrow bool) int {
	const call = 150
	decode, sum := [...]int{1: 17, 18, 22, 35, 65, 110, 220, 430}[depth], f.bits(depth)
	switch {
	case narrow && f.level == planesGFNI:
		sum = [...]int{6: 45, 70}[f.narrowBits(depth)]
	case narrow && f.level == planesAVX2:
		decode, sum = 3*decode, [...]int{4: 70, 90, 140}[f.narrowBits(depth)]
	case narrow:
		decode, sum = 3*decode, 90
	case f.level == planesGFNI && f.size == 8:
		sum = [...]int{4: 107, 158, 187, 230, 350}[sum]
	case f.level == planesGFNI || f.level == planesAVX512 && f.size == 4:
		sum = [...]int{5: 55, 80, 110, 160}[sum]
	case f.level == planesAVX2 && f.size == 4:
		decode, sum = 3*decode, [...]int{4: 90, 130, 220, 410, 410}[sum]
	default:
		decode, sum = 3*decode, 500
	}
	return call + n*(decode+sum)
}

// pass returns the number of rows whose sums are in registers at a time.
func (f planeForm) pass(bits int) int {
	switch {
	case f.level == planesAVX2:
		return 32
	case f.level == planesGFNI && f.size == 8 && bits <= 6:
		return 128
	}
	return 512 / f.size
}

func (x *planeBlock[Out]) column(c planeColumn, ranks []byte) {
	f := &planeSteps[x.form.level]
	switch {
	case x.form.level == planesGeneric:
		x.columnGeneric(c, ranks)
	case c.groups != 0:
		f.column(&x.mem[0], &x.mem[c.lines.dst*f.lanes/64], &ranks[0], &x.order[0], c.groups)
	default:
		f.digits(&x.mem[0], &ranks[0], &x.order[0])
		x.combine(c.lines)
	}
}

func (x *planeBlock[Out]) combine(o planeOps) {
	f := &planeSteps[x.form.level]
	switch {
	case o.n == 0:
	case x.form.level == planesGeneric:
		x.combineGeneric(o)
	default:
		f.combine(&x.mem[0], &x.ops[4*o.first], o.n, &x.mem[o.dst*f.lanes/64])
	}
}

func (x *planeBlock[Out]) decode(r *planeRun) {
	if x.form.level == planesGeneric {
		x.decodeGeneric(r)
		return
	}
	f := &planeSteps[x.form.level]
	depth := r.depth
	if r.levels {
		depth = 0
	}
	f.decode[depth](&x.codes[0], &x.mem[0], &x.slots[r.slots], r.trees)
}

func (x *planeBlock[Out]) sum(acc []Out, r *planeRun, tables int) {
	if x.form.level == planesGeneric {
		x.sumGeneric(acc, r, tables)
		return
	}
	f, bits := &planeSteps[x.form.level], x.planes.form.bits(r.depth)
	pass := x.planes.form.pass(bits)
	bytes, passes := x.form.size<<bits, (x.rows+pass-1)/pass
	a, t := unsafe.Pointer(&acc[0]), unsafe.Pointer(&x.tables[tables])
	if x.form.size == 4 {
		f.sum32[bits]((*float32)(a), &x.codes[0], (*float32)(t), f.lanes, bytes, r.trees, passes)
	} else {
		f.sum64[bits]((*float64)(a), &x.codes[0], (*float64)(t), f.lanes, bytes, r.trees, passes)
	}
}

// narrowBits returns the number of bits of a narrow table's index for codes of some
// bits, or 0 if there are no narrow tables for them.
func (f planeForm) narrowBits(depth int) int {
	switch {
	case f.level == planesGFNI && f.size == 8 && depth == 7:
		return 7
	case f.level == planesGeneric || depth > 6:
		return 0
	case f.level == planesAVX2:
		return max(depth, 4)
	}
	return 6
}

// narrowBytes reports whether such a table holds all low bytes, and then all high ones.
func (f planeForm) narrowBytes(depth int) bool { return f.level == planesAVX2 || depth > 6 }

// sumWords is sum by narrow tables.
func (x *planeBlock[Out]) sumWords(acc []Out, r *planeRun, v planeValues) {
	f, bits, pass, small := &planeSteps[x.form.level], x.planes.form.narrowBits(r.depth), 128, 0
	if x.form.level == planesAVX2 {
		pass = 32
	}
	if x.form.small {
		small = 1
	}
	bytes, pairs, passes := 2<<bits, (r.trees+1)/2, (x.rows+pass-1)/pass
	a, t := unsafe.Pointer(&acc[0]), &x.words[v.words]
	if x.form.size == 4 {
		f.words32[bits]((*float32)(a), &x.codes[0], t, f.lanes, bytes, pairs, passes, v.bias, small, float32(x.grid.unit))
	} else {
		f.words64[bits]((*float64)(a), &x.codes[0], t, f.lanes, bytes, pairs, passes, v.bias, small, x.grid.unit)
	}
}
