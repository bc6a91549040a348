package kernel

import "encoding/binary"

// The steps of planes in portable code, for blocks of 64 rows: a line is a word.

func (x *planeBlock[Out]) columnGeneric(c planeColumn, ranks []byte) {
	if c.groups == 0 {
		planeDigits(x.mem, ranks)
		x.combineGeneric(c.lines)
	} else {
		planeColumn64(x.mem[c.lines.dst:], ranks, c.groups)
	}
}

func (x *planeBlock[Out]) combineGeneric(o planeOps) {
	planeCombine(x.mem, x.ops[4*o.first:][:4*o.n], o.dst)
}

func (x *planeBlock[Out]) decodeGeneric(r *planeRun) {
	slots, each := x.slots[r.slots:], r.each
	for i := range r.trees {
		if codes := x.codes[64*i:][:64]; r.levels {
			planeLevels(codes, x.mem, slots[each*i:])
		} else {
			planeDecode(codes, x.mem, slots[each*i:], r.depth)
		}
	}
}

func (x *planeBlock[Out]) sumGeneric(acc []Out, r *planeRun, tables int) {
	planeSum(acc, x.codes[:64*r.trees], x.tables[tables:], r.depth)
}

// planeDigits writes, for the ranks of a column, the lines of both their digits to
// base 16: rank%16 >= 1, 2, … 15 and rank/16 >= 1, 2, … 15.
func planeDigits(lines []uint64, ranks []byte) {
	low, high := rankDigits(ranks)
	copy(lines[lowLine:], low[1:16])
	copy(lines[highLine:], high[1:16])
}

// planeColumn64 writes the lines of ranks 16h to 16h+15 for all h that are set in
// groups, but not that of rank 0.
func planeColumn64(lines []uint64, ranks []byte, groups uint) {
	low, high := rankDigits(ranks)
	for h := range 16 {
		if groups>>h&1 != 0 {
			dst := (*[16]uint64)(lines)
			for l := range dst {
				if h > 0 || l > 0 {
					dst[l] = high[h+1] | high[h]&low[l]
				}
			}
			lines = lines[16:]
		}
	}
}

// rankDigits returns the lines of the digits of ranks ≥ 0, 1, … 16.
func rankDigits(ranks []byte) (low, high [17]uint64) {
	var bits [8]uint64
	for i := range 8 {
		x := transpose8(binary.LittleEndian.Uint64(ranks[8*i:]))
		for k := range bits {
			bits[k] |= x >> (8 * k) & 0xff << (8 * i)
		}
	}
	return rankDigit(bits[0], bits[1], bits[2], bits[3]), rankDigit(bits[4], bits[5], bits[6], bits[7])
}

func rankDigit(b0, b1, b2, b3 uint64) (d [17]uint64) {
	low := [4]uint64{^uint64(0), b0 | b1, b1, b0 & b1} // b1 b0 ≥ 0, 1, 2, 3
	high := [5]uint64{^uint64(0), b2 | b3, b3, b2 & b3, 0}
	for c := range 16 {
		d[c] = high[c>>2+1] | high[c>>2]&low[c&3]
	}
	return d
}

// planeCombine executes ops of three lines a, b and c: the lines from dst on
// become a | b & c, one after the other.
func planeCombine(lines []uint64, ops []uint16, dst int) {
	mem := (*[maxLines]uint64)(lines)
	for ; len(ops) >= 4; ops = ops[4:] {
		mem[dst%maxLines] = mem[ops[0]>>3] | mem[ops[1]>>3]&mem[ops[2]>>3]
		dst++
	}
}

// planeDecode writes the code of the leaf of each of 64 rows, in the complete tree
// of some depth with the lines in slots: see bitTree.program.
func planeDecode(codes []byte, lines []uint64, slots []uint16, depth int) {
	mem := (*[maxLines]uint64)(lines)
	var bits [8]uint64
	switch depth {
	default:
		bits = planeBits(mem, slots, depth)
	case 7:
		bits = planeBits(mem, slots[2:], 6)
		bits = chooseAll(bits, planeBits(mem, slots[2+64:], 6), mem[slots[1]>>3], 6)
	case 8:
		bits = planeBits(mem, slots[4:], 6)
		bits = chooseAll(bits, planeBits(mem, slots[4+64:], 6), mem[slots[2]>>3], 6)
		right := planeBits(mem, slots[4+128:], 6)
		right = chooseAll(right, planeBits(mem, slots[4+192:], 6), mem[slots[3]>>3], 6)
		bits = chooseAll(bits, right, mem[slots[1]>>3], 7)
	}
	planeCodes(codes, &bits)
}

// planeLevels writes the codes of 64 rows, given the lines that are their bits.
func planeLevels(codes []byte, lines []uint64, slots []uint16) {
	var bits [8]uint64
	for k := range bits {
		bits[k] = lines[slots[k]>>3]
	}
	planeCodes(codes, &bits)
}

// planeCodes writes the bytes of which b has the bits, the lowest one first.
func planeCodes(codes []byte, b *[8]uint64) {
	for i := range 8 {
		s := 8 * i
		x := b[0]>>s&0xff | b[1]>>s&0xff<<8 | b[2]>>s&0xff<<16 | b[3]>>s&0xff<<24 |
			b[4]>>s&0xff<<32 | b[5]>>s&0xff<<40 | b[6]>>s&0xff<<48 | b[7]>>s<<56
		binary.LittleEndian.PutUint64(codes[s:], transpose8(x))
	}
}

// planeBits returns the bit planes of a complete tree of depth 1 to 6.
func planeBits(lines *[maxLines]uint64, slots []uint16, depth int) (b [8]uint64) {
	t := planeSlots{lines, (*[64]uint16)(slots)}
	switch depth {
	case 1:
		b[0] = t.line(1)
	case 2:
		b[0], b[1] = t.bits2(1)
	case 3:
		b[0], b[1], b[2] = t.bits3(1)
	case 4:
		b[0], b[1], b[2], b[3] = t.bits4(1)
	case 5:
		b[0], b[1], b[2], b[3], b[4] = t.bits5(1)
	case 6:
		b[0], b[1], b[2], b[3], b[4], b[5] = t.bits6(1)
	}
	return b
}

// chooseAll returns n bit planes, those of right where line is set and of left
// elsewhere, and then line.
func chooseAll(left, right [8]uint64, line uint64, n int) [8]uint64 {
	for k := range left {
		if k < n {
			left[k] = choose(left[k], right[k], line)
		}
	}
	left[n&7] = line
	return left
}

// choose returns, for each bit, that of right where line is set, else that of left.
func choose(left, right, line uint64) uint64 { return left ^ line&(left^right) }

// planeSlots are the lines of a complete tree. Its method bitsN returns the bit
// planes of the split in slot i, N levels above the leaves, the lowest bit first:
// those of its children, selected by its line, and its line.
type planeSlots struct {
	lines *[maxLines]uint64
	slots *[64]uint16
}

func (t planeSlots) line(i uint8) uint64 { return t.lines[t.slots[i&63]>>3] }

func (t planeSlots) bits2(i uint8) (a, b uint64) {
	m := t.line(i)
	return choose(t.line(2*i), t.line(2*i+1), m), m
}

func (t planeSlots) bits3(i uint8) (a, b, c uint64) {
	a0, b0 := t.bits2(2 * i)
	a1, b1 := t.bits2(2*i + 1)
	m := t.line(i)
	return choose(a0, a1, m), choose(b0, b1, m), m
}

func (t planeSlots) bits4(i uint8) (a, b, c, d uint64) {
	a0, b0, c0 := t.bits3(2 * i)
	a1, b1, c1 := t.bits3(2*i + 1)
	m := t.line(i)
	return choose(a0, a1, m), choose(b0, b1, m), choose(c0, c1, m), m
}

func (t planeSlots) bits5(i uint8) (a, b, c, d, e uint64) {
	a0, b0, c0, d0 := t.bits4(2 * i)
	a1, b1, c1, d1 := t.bits4(2*i + 1)
	m := t.line(i)
	return choose(a0, a1, m), choose(b0, b1, m), choose(c0, c1, m), choose(d0, d1, m), m
}

func (t planeSlots) bits6(i uint8) (a, b, c, d, e, f uint64) {
	a0, b0, c0, d0, e0 := t.bits5(2 * i)
	a1, b1, c1, d1, e1 := t.bits5(2*i + 1)
	m := t.line(i)
	return choose(a0, a1, m), choose(b0, b1, m), choose(c0, c1, m), choose(d0, d1, m), choose(e0, e1, m), m
}

// transpose8 returns x, seen as 8 rows of 8 bits, with rows and columns exchanged.
func transpose8(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00aa00aa00aa00aa
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000f0f0f0f0
	return x ^ t ^ t<<28
}

// planeSum adds to acc, for each of 64 rows, the values of trees, one after the
// other. Their tables have 1<<depth entries each.
func planeSum[Out Float](acc []Out, codes []byte, tables []Out, depth int) {
	for r := 0; r < 64; r += 8 {
		s := (*[8]Out)(acc[r:])
		s0, s1, s2, s3, s4, s5, s6, s7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		for i := range len(codes) / 64 {
			c := binary.LittleEndian.Uint64(codes[64*i+r:])
			t := (*[maxPlaneLeaves]Out)(tables[i<<depth:])
			s0 += t[uint8(c)]
			s1 += t[uint8(c>>8)]
			s2 += t[uint8(c>>16)]
			s3 += t[uint8(c>>24)]
			s4 += t[uint8(c>>32)]
			s5 += t[uint8(c>>40)]
			s6 += t[uint8(c>>48)]
			s7 += t[c>>56]
		}
		*s = [8]Out{s0, s1, s2, s3, s4, s5, s6, s7}
	}
}
