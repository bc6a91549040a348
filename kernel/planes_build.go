package kernel

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"unsafe"
)

// newPlanes returns the planes of the given trees of m, in that order, none of
// them with more than maxPlaneLeaves leaves.
func newPlanes[Out Float](m *Model, trees []int32, g grid, cpu CPU) *planes[Out] {
	b := &planeBuilder[Out]{m: m}
	b.grid = g
	leaves := 0
	for _, i := range trees {
		leaves = max(leaves, (len(m.Trees[i].Nodes)+1)/2)
	}
	b.form = planeFormFor(cpu, int(unsafe.Sizeof(*new(Out))), leaves)
	b.order, b.lines = b.form.rows(), freeLine
	for len(trees) > 0 {
		trees = trees[b.part(trees):]
	}
	// So that portable code finds as many entries from the start of any tree on.
	b.slots = append(b.slots, make([]uint16, 64)...)
	b.tables = append(b.tables, make([]Out, maxPlaneLeaves)...)
	b.ops, b.slots, b.tables, b.words = onLines(b.ops), onLines(b.slots), onLines(b.tables), onLines(b.words)
	return &b.planes
}

// onLines returns a copy of s that begins on a cache line.
func onLines[T any](s []T) []T {
	c := aligned[T](len(s))
	copy(c, s)
	return c
}

// A planeBuilder lays the program out.
type planeBuilder[Out Float] struct {
	planes[Out]
	m     *Model
	trees bitBuilder
}

// part lays out a part, as many of the trees as there is memory for lines, and
// returns their number.
func (b *planeBuilder[Out]) part(trees []int32) int {
	masks := newPlaneMasks()
	n := 0
	for n < len(trees) && masks.add(&b.m.Trees[trees[n]]) {
		n++
	}
	masks.place()
	part := planePart{columns: b.columns(masks)}
	list := make([]*Tree, n)
	for i := range list {
		list[i] = &b.m.Trees[trees[i]]
	}
	// The sums of different outputs are independent, so that trees may be taken
	// output by output: a sum then stays in registers for several trees.
	if !slices.ContainsFunc(list, func(t *Tree) bool { return t.Vectors != nil }) {
		slices.SortStableFunc(list, func(s, t *Tree) int { return cmp.Compare(s.Output, t.Output) })
	}
	for len(list) > 0 {
		same, kind := 1, b.kind(list[0])
		for same < len(list) && b.kind(list[same]) == kind {
			same++
		}
		for _, n := range b.form.runs(list[:same], kind.narrow) {
			for n > 0 {
				done := b.run(&part, masks, list[:n], kind)
				list, n = list[done:], n-done
			}
		}
	}
	b.lines = max(b.lines, masks.end()+planeRunLines)
	b.parts = append(b.parts, part)
	return n
}

// A planeKind is what the trees of a run must have in common.
type planeKind struct {
	output          int32
	vectors, levels bool
	narrow          bool
}

func (b *planeBuilder[Out]) kind(t *Tree) planeKind {
	return planeKind{t.Output, t.Vectors != nil, newLevels(t) != nil, b.narrow(t)}
}

// columns lays out how the lines of masks are made.
func (b *planeBuilder[Out]) columns(masks *planeMasks) []planeColumn {
	var columns []planeColumn
	for _, i := range masks.sorted() {
		c := masks.columns[i]
		column := planeColumn{int(i), c.groups(), planeOps{len(b.ops) / 4, 0, c.dst}}
		for rank := range 256 {
			if column.groups == 0 && c.has(rank) {
				high, low := rank>>4, rank&15
				b.op(highLine+high, highLine+high-1, lowLine+low-1)
				column.lines.n++
			}
		}
		columns = append(columns, column)
	}
	return columns
}

// op appends an op. The fourth number fills it up to eight bytes.
func (b *planeBuilder[Out]) op(hi, lo, mask int) {
	b.ops = append(b.ops, uint16(hi<<3), uint16(lo<<3), uint16(mask<<3), 0)
}

// run lays out a run, as many of the trees, which are of a kind, as there is memory for
// the lines of their ops, and returns their number.
func (b *planeBuilder[Out]) run(part *planePart, masks *planeMasks, trees []*Tree, kind planeKind) int {
	r := planeRun{depth: codeBits(trees), levels: kind.levels, narrow: kind.narrow, slots: len(b.slots)}
	var bits []*bitTree
	ops := 0
	for _, t := range trees {
		bt := newLevels(t)
		if bt == nil {
			bt = b.trees.build(t, r.depth)
		}
		if ops += len(bt.ops); ops > planeRunLines {
			break
		}
		bits = append(bits, bt)
	}
	trees, r.trees = trees[:len(bits)], len(bits)
	lines := b.runOps(&r, bits, masks)
	for i, t := range bits {
		slots := t.program()
		r.each = len(slots)
		for _, l := range slots {
			b.slots = append(b.slots, uint16(lines[i].line(l)<<3))
		}
	}
	for k := range b.m.Outputs {
		if trees[0].Vectors != nil || int(trees[0].Output) == k {
			v := planeValues{output: k, tables: len(b.tables), words: len(b.words)}
			if r.narrow {
				v.bias = b.addWords(&r, trees, bits, k)
			}
			r.values = append(r.values, v)
			for i, t := range trees {
				b.table(t, bits[i].leaf, r.depth, k)
			}
		}
	}
	part.runs = append(part.runs, r)
	return len(trees)
}

// treeLines tells where the lines of a tree are.
type treeLines struct {
	masks *planeMasks
	ops   []int
}

func (l treeLines) line(r lineRef) int {
	switch {
	case r.isMask():
		return l.masks.line(r)
	case r.isOp():
		return l.ops[r.op()]
	case r == allRow:
		return allRowLine
	}
	return noRowLine
}

// runOps lays out the ops of a run's trees, and returns where the lines of each
// tree are. An op stands as far as possible from one whose result it uses, so that
// it need not wait: those of the first steps of all trees come first.
func (b *planeBuilder[Out]) runOps(r *planeRun, trees []*bitTree, masks *planeMasks) []treeLines {
	type step struct{ tree, op, depth int } // depth is the length of the longest chain of ops that ends here
	var steps []step
	lines := make([]treeLines, len(trees))
	for k, t := range trees {
		depth := make([]int, len(t.ops))
		for i, o := range t.ops {
			for _, r := range [...]lineRef{o.hi, o.lo} {
				if r.isOp() {
					depth[i] = max(depth[i], depth[r.op()]+1)
				}
			}
			steps = append(steps, step{k, i, depth[i]})
		}
		lines[k] = treeLines{masks, make([]int, len(t.ops))}
	}
	slices.SortStableFunc(steps, func(s, t step) int { return cmp.Compare(s.depth, t.depth) })
	r.lines = planeOps{len(b.ops) / 4, len(steps), masks.end()}
	for i, s := range steps {
		o, l := trees[s.tree].ops[s.op], lines[s.tree]
		b.op(l.line(o.hi), l.line(o.lo), l.line(o.mask))
		l.ops[s.op] = masks.end() + i
	}
	return lines
}

// codeBits returns the number of bits that the codes of the trees need.
func codeBits(trees []*Tree) int {
	nodes := 3
	for _, t := range trees {
		nodes = max(nodes, len(t.Nodes))
	}
	return bits.Len(uint(nodes / 2))
}

// runs divides trees that add to the same outputs into runs, with codes as long as
// any tree of a run needs. It returns the lengths of the runs.
func (f planeForm) runs(trees []*Tree, narrow bool) []int {
	type end struct{ cost, length int } // of the best way to come here, and its last run
	best := make([]end, len(trees)+1)
	for i := 1; i <= len(trees); i++ {
		best[i].cost = math.MaxInt
		depth := 1
		for n := 1; n <= min(i, planeRunTrees); n++ {
			depth = max(depth, codeBits(trees[i-n:i-n+1]))
			if cost := best[i-n].cost + f.cost(depth, n, narrow); cost < best[i].cost {
				best[i] = end{cost, n}
			}
		}
	}
	var runs []int
	for i := len(trees); i > 0; i -= best[i].length {
		runs = append(runs, best[i].length)
	}
	slices.Reverse(runs)
	return runs
}

// table appends the values of t's leaves for an output, given the leaf of each
// code, in as many entries as the form looks up by codes of depth bits.
func (b *planeBuilder[Out]) table(t *Tree, leaf []int32, depth, output int) {
	values := make([]Out, 1<<b.form.bits(depth))
	for i, l := range leaf {
		values[i] = leafValue[Out](b.m, t, &t.Nodes[l], output)
	}
	start := len(b.tables)
	b.tables = append(b.tables, values...)
	if n := b.form.piece(len(values)); n > 0 {
		interleave(b.tables[start:], values, n)
	}
}

// interleave writes values in pieces of n bytes: all first pieces, all second
// pieces and so on.
func interleave[T Float | int16](dst, values []T, n int) {
	size := int(unsafe.Sizeof(values[0]))
	d := unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), len(dst)*size)
	v := unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(dst)*size)
	for i := range v {
		value, piece, byte := i/size, i%size/n, i%n
		d[(piece*len(values)+value)*n+byte] = v[i]
	}
}
