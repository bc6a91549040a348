package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A plainTable is a way to look up values of size bytes without GFNI and VBMI, by
// permutations of at most 64 entries, or by gathering.
type plainTable struct{ size, bits int }

var plainTables = []plainTable{{4, 5}, {4, 6}, {4, 8}, {8, 4}, {8, 5}, {8, 8}}

func (t plainTable) sum() {
	loop := summation{fmt.Sprintf("planeSumAVX512f%d_%d", 8*t.size, t.bits), gfniForm, t.size, 8}
	var top reg.VecVirtual // the highest bit of an index
	prepare := func() {
		r := GP64()
		top = ZMM()
		MOVQ(U64(1<<(t.bits-1)), r)
		if t.size == 4 {
			VPBROADCASTD(r.As32(), top)
		} else {
			VPBROADCASTQ(r, top)
		}
	}
	loop.sum(prepare, func(codes, table reg.Register, sums []reg.VecVirtual) {
		look := t.load(table, top)
		for i := range sums {
			v := look(Mem{Base: codes, Disp: 64 / t.size * i})
			if t.size == 4 {
				VADDPS(v, sums[i], sums[i])
			} else {
				VADDPD(v, sums[i], sums[i])
			}
		}
	})
}

// load loads a table and returns how to look up the values of a vector.
func (t plainTable) load(base reg.Register, top reg.VecVirtual) func(codes Mem) reg.VecVirtual {
	permute, extend, test, blend := VPERMI2D, VPMOVZXBD, VPTESTMD, VPBLENDMD
	if t.size == 8 {
		permute, extend, test, blend = VPERMI2Q, VPMOVZXBQ, VPTESTMQ, VPBLENDMQ
	}
	if t.bits == 8 {
		ones := GP64()
		MOVQ(I32(-1), ones)
		return func(codes Mem) reg.VecVirtual { return t.gather(base, ones, codes) }
	}
	var table []reg.VecVirtual
	for i := range t.size << t.bits / 64 {
		table = append(table, ZMM())
		VMOVDQU64(Mem{Base: base, Disp: 64 * i}, table[i])
	}
	return func(codes Mem) reg.VecVirtual {
		v := ZMM()
		extend(codes, v)
		if len(table) == 2 {
			permute(table[1], table[0], v)
			return v
		}
		upper, high := ZMM(), K()
		test(top, v, high)
		VMOVDQA64(v, upper)
		permute(table[1], table[0], v)
		permute(table[3], table[2], upper)
		blend(upper, v, high, v)
		return v
	}
}

func (t plainTable) gather(table, ones reg.Register, codes Mem) reg.VecVirtual {
	v, all := ZMM(), K()
	KMOVQ(ones, all)
	VPXORQ(v, v, v)
	if t.size == 4 {
		index := ZMM()
		VPMOVZXBD(codes, index)
		VGATHERDPS(Mem{Base: table, Index: index, Scale: 4}, all, v)
	} else {
		index := YMM()
		VPMOVZXBD(codes, index)
		VGATHERDPD(Mem{Base: table, Index: index, Scale: 8}, all, v)
	}
	return v
}
