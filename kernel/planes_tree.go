package kernel

import "slices"

// maxPlaneLeaves is the largest number of leaves of a tree that planes evaluate:
// the code of a leaf is a byte.
const maxPlaneLeaves = 256

// A bitTree is a tree as a complete binary tree of lines: in it, a row's path is
// the code of its leaf, most significant bit first, right being 1.
//
// A line says of every row of a block whether it goes right. Slots are numbered
// as in a heap: 1 is the root, 2i and 2i+1 are the children of i. What stands in
// the slots below a leaf does not matter.
type bitTree struct {
	depth int       // bits of a code
	slots []lineRef // 1<<depth, the first one unused
	ops   []lineOp  // the lines that are not masks
	leaf  []int32   // for each code, the index of its leaf node
}

// A lineRef names a line: a mask, which is a split's comparison, the result of one
// of the tree's ops, or a constant.
type lineRef int32

const (
	noRow  lineRef = -1
	allRow lineRef = -2
)

func maskRef(column int32, rank uint8) lineRef { return lineRef(column<<8 | int32(rank)) }
func opRef(i int) lineRef                      { return lineRef(-3 - i) }

func (r lineRef) isMask() bool  { return r >= 0 }
func (r lineRef) column() int32 { return int32(r) >> 8 }
func (r lineRef) rank() uint8   { return uint8(r) }
func (r lineRef) isOp() bool    { return r <= -3 }
func (r lineRef) op() int       { return int(-3 - r) }

// A lineOp is the line hi | lo & mask.
type lineOp struct{ hi, lo, mask lineRef }

// newBitTree returns t, which has at most 1<<depth leaves, in bits.
func newBitTree(t *Tree, depth int) *bitTree { return new(bitBuilder).build(t, depth) }

// program returns the slots in the order in which they are evaluated: those of a
// tree that is deeper than 6 as its upper part, and then one tree of depth 6 after
// the other.
func (b *bitTree) program() []lineRef {
	if len(b.slots) <= 64 {
		return b.slots
	}
	upper := len(b.slots) >> 6
	p := slices.Clone(b.slots[:upper])
	for root := upper; root < 2*upper; root++ {
		p = append(p, noRow) // slot 0
		for first, n := root, 1; first < len(b.slots); first, n = 2*first, 2*n {
			p = append(p, b.slots[first:first+n]...)
		}
	}
	return p
}

// newLevels returns a tree whose splits at the same depth are all the same, of
// depth 3 to 8: slots are then the bits of its codes, the lowest first, as lines.
// It returns nil for any other tree, and for one with so few leaves that shorter
// codes would do.
func newLevels(t *Tree) *bitTree {
	b := &bitTree{slots: []lineRef{noRow, noRow, noRow, noRow, noRow, noRow, noRow, noRow}}
	var level [8]lineRef
	var read func(v int32, depth int) bool
	read = func(v int32, depth int) bool {
		n := &t.Nodes[v]
		if n.IsLeaf() {
			return true
		}
		if depth == len(level) || depth < b.depth && level[depth] != maskRef(n.Column, n.Rank) {
			return false
		}
		b.depth, level[depth] = max(b.depth, depth+1), maskRef(n.Column, n.Rank)
		return read(n.Left, depth+1) && read(n.Right, depth+1)
	}
	if !read(0, 0) || b.depth < 3 || b.depth > codeBits([]*Tree{t}) {
		return nil
	}
	for i, l := range level[:b.depth] {
		b.slots[b.depth-1-i] = l
	}
	b.leaf = make([]int32, 1<<b.depth)
	for code := range b.leaf {
		v, bit := int32(0), 1<<b.depth>>1
		for n := &t.Nodes[0]; !n.IsLeaf(); n = &t.Nodes[v] {
			v = n.Left
			if code&bit != 0 {
				v = n.Right
			}
			bit >>= 1
		}
		b.leaf[code] = v
	}
	return b
}

// A bitBuilder makes a tree flat enough for its codes.
//
// It sees the tree as its leaves in order, and between them cuts, one for each
// split: the split tells the leaves of its subtree on the left of the cut from
// those on the right. Leaves that follow each other form a tree of the splits
// between them, with the one that stands highest on top; their lines are still
// right for rows that end in those leaves.
//
// Any of the splits may be put on top instead, but its line must then tell all
// leaves apart. On the way from the one on top to it, let hi be the line "right of
// the part below", lo "not left of the part below", and m the mask of the next
// split: its line is hi | lo & m. That is one op for a step.
type bitBuilder struct {
	*bitTree
	leaves []int32   // node indices
	masks  []lineRef // of the cut before each leaf
	levels []int32   // of the same cuts: the depth of the split in the tree
	tops   []uint8   // see top
	plans  []bitPlan // see plan
	known  map[lineOp]lineRef
}

// build is newBitTree. It uses the memory of b again.
func (b *bitBuilder) build(t *Tree, depth int) *bitTree {
	b.bitTree = &bitTree{depth: depth, slots: make([]lineRef, 1<<depth), leaf: make([]int32, 1<<depth)}
	for i := range b.slots {
		b.slots[i] = noRow
	}
	if _, deepest, _ := t.depths(); deepest <= depth {
		b.keep(t, 0, 1, depth)
		return b.bitTree
	}
	b.leaves, b.masks, b.levels = b.leaves[:0], b.masks[:0], b.levels[:0]
	b.read(t, 0, 0)
	n := len(b.leaves)
	b.tops = slices.Grow(b.tops[:0], n*(n+1))[:n*(n+1)]
	b.setTops()
	plans := (n + 1) * (n + 1) * (depth + 1)
	b.plans = slices.Grow(b.plans[:0], plans)[:plans]
	clear(b.plans)
	b.known = map[lineOp]lineRef{}
	b.place(0, n, 1, depth)
	return b.bitTree
}

// keep writes the subtree at v, which is flat enough as it is, to a slot and those
// below it.
func (b *bitBuilder) keep(t *Tree, v int32, slot, depth int) {
	n := &t.Nodes[v]
	if n.IsLeaf() {
		b.fill(v, slot, depth)
		return
	}
	b.slots[slot] = maskRef(n.Column, n.Rank)
	b.keep(t, n.Left, 2*slot, depth-1)
	b.keep(t, n.Right, 2*slot+1, depth-1)
}

// fill gives a leaf all codes of a slot.
func (b *bitBuilder) fill(leaf int32, slot, depth int) {
	code := slot<<depth - len(b.slots)
	for i := range 1 << depth {
		b.leaf[code+i] = leaf
	}
}

// read appends the leaves of the subtree at v and the cuts between them.
func (b *bitBuilder) read(t *Tree, v, depth int32) {
	n := &t.Nodes[v]
	if n.IsLeaf() {
		b.leaves = append(b.leaves, v)
		if len(b.masks) == 0 {
			b.masks, b.levels = append(b.masks, noRow), append(b.levels, 0)
		}
		return
	}
	b.read(t, n.Left, depth+1)
	b.masks, b.levels = append(b.masks, maskRef(n.Column, n.Rank)), append(b.levels, depth)
	b.read(t, n.Right, depth+1)
}

// setTops prepares top.
func (b *bitBuilder) setTops() {
	n := len(b.leaves)
	for lo := range n {
		top := lo + 1
		for i := lo + 1; i < n; i++ {
			if b.levels[i] < b.levels[top] {
				top = i
			}
			b.tops[lo*(n+1)+i+1] = uint8(top)
		}
	}
}

// top returns the cut on top of the leaves from lo to before hi.
func (b *bitBuilder) top(lo, hi int) int { return int(b.tops[lo*(len(b.leaves)+1)+hi]) }

// A bitPlan is how to place some leaves: with a certain cut on top or, if it is 0,
// by the lines of all cuts.
type bitPlan struct {
	ops int16 // and 1, so that zero is no plan
	cut int16
}

// plan returns how to place the leaves from lo to before hi, at most 1<<depth of
// them, with the fewest ops.
func (b *bitBuilder) plan(lo, hi, depth int) bitPlan {
	if hi-lo == 1 {
		return bitPlan{ops: 1}
	}
	p := &b.plans[(lo*(len(b.leaves)+1)+hi)*(b.depth+1)+depth]
	if p.ops > 0 {
		return *p
	}
	// The lines of all cuts take one op each, but for the one on top.
	*p = bitPlan{int16(hi - lo - 1), 0}
	half := 1 << (depth - 1) // at most so many leaves on each side
	first, last := max(lo+1, hi-half), min(hi-1, lo+half)
	var try func(from, to int, steps int16)
	try = func(from, to int, steps int16) {
		if to-from == 1 || to-1 < first || from+1 > last || steps >= p.ops && p.cut != 0 {
			return
		}
		cut := b.top(from, to)
		if first <= cut && cut <= last {
			ops := steps + b.plan(lo, cut, depth-1).ops + b.plan(cut, hi, depth-1).ops - 1
			if ops < p.ops || p.cut == 0 && ops == p.ops {
				p.ops, p.cut = ops, int16(cut)
			}
		}
		try(from, cut, steps+1)
		try(cut, to, steps+1)
	}
	try(lo, hi, 0)
	return *p
}

// place writes the leaves from lo to before hi to a slot and those below it.
func (b *bitBuilder) place(lo, hi, slot, depth int) {
	if hi-lo == 1 {
		b.fill(b.leaves[lo], slot, depth)
		return
	}
	cut := int(b.plan(lo, hi, depth).cut)
	if cut == 0 {
		lines := make([]lineRef, hi-lo)
		b.all(lines, lo, hi, lo, noRow, allRow)
		b.search(lines, lo, slot, depth)
		return
	}
	b.slots[slot] = b.line(lo, hi, cut)
	b.place(lo, cut, 2*slot, depth-1)
	b.place(cut, hi, 2*slot+1, depth-1)
}

// line returns the line of a cut, for rows that end in the leaves from lo to
// before hi.
func (b *bitBuilder) line(from, to, cut int) lineRef {
	hi, lo := noRow, allRow
	for {
		top := b.top(from, to)
		c := b.op(lineOp{hi, lo, b.masks[top]})
		switch {
		case cut == top:
			return c
		case cut < top:
			hi, to = c, top
		default:
			lo, from = c, top
		}
	}
}

// all sets lines[i-base], for all cuts i between the leaves from and to, to the
// lines of the cuts.
func (b *bitBuilder) all(lines []lineRef, from, to, base int, hi, lo lineRef) {
	if to-from == 1 {
		return
	}
	top := b.top(from, to)
	c := b.op(lineOp{hi, lo, b.masks[top]})
	lines[top-base] = c
	b.all(lines, from, top, base, c, lo)
	b.all(lines, top, to, base, hi, c)
}

// search places leaves from lo on; lines[i] is that of the cut before leaf lo+i.
func (b *bitBuilder) search(lines []lineRef, lo, slot, depth int) {
	n := len(lines)
	if n == 1 {
		b.place(lo, lo+1, slot, depth)
		return
	}
	half := (n + 1) / 2
	b.slots[slot] = lines[half]
	b.search(lines[:half], lo, 2*slot, depth-1)
	b.search(lines[half:], lo+half, 2*slot+1, depth-1)
}

// op returns the line of o, which it makes once.
func (b *bitBuilder) op(o lineOp) lineRef {
	if o.hi == noRow && o.lo == allRow {
		return o.mask
	}
	if r, ok := b.known[o]; ok {
		return r
	}
	b.ops = append(b.ops, o)
	b.known[o] = opRef(len(b.ops) - 1)
	return b.known[o]
}
