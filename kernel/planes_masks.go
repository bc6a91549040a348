package kernel

import (
	"maps"
	"math/bits"
	"slices"
)

// planeMasks are the distinct splits of some trees and their lines, column by
// column.
type planeMasks struct {
	columns map[int32]*columnMasks
	lines   int // of all columns
}

// columnMasks are the ranks with which a column is compared.
type columnMasks struct {
	ranks [4]uint64
	dst   int // where lines are written
}

func newPlaneMasks() *planeMasks { return &planeMasks{columns: map[int32]*columnMasks{}} }

// add adds the splits of t and reports whether there is memory for the lines of
// all. It does nothing if there is not.
func (m *planeMasks) add(t *Tree) bool {
	lines, before := m.lines, map[int32]columnMasks{}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.IsLeaf() {
			continue
		}
		c := m.columns[n.Column]
		if c == nil {
			c = &columnMasks{}
			m.columns[n.Column] = c
		}
		if _, ok := before[n.Column]; !ok {
			before[n.Column] = *c
		}
		m.lines -= c.lines()
		c.ranks[n.Rank>>6] |= 1 << (n.Rank & 63)
		m.lines += c.lines()
	}
	if m.end()+planeRunLines <= maxLines {
		return true
	}
	m.lines = lines
	for i, c := range before {
		*m.columns[i] = c
		if c.count() == 0 {
			delete(m.columns, i)
		}
	}
	return false
}

// end returns the first line behind those of masks.
func (m *planeMasks) end() int { return freeLine + m.lines }

// place decides where the lines are.
func (m *planeMasks) place() {
	dst := freeLine
	for _, i := range m.sorted() {
		c := m.columns[i]
		c.dst = dst
		if c.groups()&1 != 0 {
			c.dst-- // no split has rank 0: its line is not made
		}
		dst += c.lines()
	}
}

// sorted returns the columns in ascending order.
func (m *planeMasks) sorted() []int32 { return slices.Sorted(maps.Keys(m.columns)) }

// line returns the line of a mask.
func (m *planeMasks) line(r lineRef) int {
	c := m.columns[r.column()]
	if g := c.groups(); g != 0 {
		before := g & (1<<(r.rank()>>4) - 1)
		return c.dst + 16*bits.OnesCount(before) + int(r.rank()&15)
	}
	before := 0
	for rank := range int(r.rank()) {
		if c.has(rank) {
			before++
		}
	}
	return c.dst + before
}

func (c *columnMasks) has(rank int) bool { return c.ranks[rank>>6]>>(rank&63)&1 != 0 }

// count returns the number of ranks.
func (c *columnMasks) count() int {
	n := 0
	for _, w := range c.ranks {
		n += bits.OnesCount64(w)
	}
	return n
}

// groups returns the high digits of the ranks, if the lines of all ranks with these
// digits are made. To make 16 lines takes the time of 6 to 7 single ones, and
// single ones need the lines of digits first, which take the time of 12.
func (c *columnMasks) groups() uint {
	g := uint(0)
	for h := range 16 {
		if c.ranks[h>>2]>>(h&3*16)&0xffff != 0 {
			g |= 1 << h
		}
	}
	if 13*bits.OnesCount(g) > 2*c.count()+24 {
		return 0
	}
	return g
}

// lines returns the number of lines that are kept: those of the last group behind
// the last rank are overwritten by the next column's.
func (c *columnMasks) lines() int {
	g := c.groups()
	if g == 0 {
		return c.count()
	}
	last := 255
	for !c.has(last) {
		last--
	}
	return 16*(bits.OnesCount(g)-1) + last&15 + int(1-g&1)
}
