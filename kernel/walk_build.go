package kernel

import (
	"encoding/binary"
	"math"
	"slices"
	"unsafe"
)

// walkMaxNodes is the largest number of nodes in a group: what 24 bits count.
const walkMaxNodes = 1 << 24

// newWalkLimited is newWalk with groups of at most maxNodes nodes.
func newWalkLimited[Out Float](m *Model, cpu CPU, maxNodes int) *walk[Out] {
	w := &walk[Out]{asm: walkHasAsm(cpu), lanes: walkGoLanes, width: m.Outputs, columns: (len(m.Columns) + 7) &^ 7}
	if w.asm {
		w.lanes = walkMaxLanes
	}
	for trees := m.Trees; len(trees) > 0; {
		g := w.group(trees, maxNodes)
		w.groups = append(w.groups, g)
		trees = trees[g.trees:]
	}
	row := w.columns + w.pitch*int(unsafe.Sizeof(*new(Out)))
	w.block = min(max(walkBlock/max(row, 1)&^7, 64), 2048)
	w.nodes = append(aligned[walkNode](len(w.nodes))[:0], w.nodes...)
	w.units = aligned[walkUnit](len(w.groups))
	for i := range w.groups {
		w.units[i] = newWalkUnit(&w.groups[i])
	}
	w.run()
	return w
}

// group makes the first trees a group.
func (w *walk[Out]) group(trees []Tree, maxNodes int) walkGroup {
	g := walkGroup{
		first: len(w.places), trees: w.together(trees, maxNodes), vectors: w.isVector(&trees[0]),
		nodes: len(w.nodes), values: len(w.values), wide: len(w.wide), leafIDs: len(w.leafIDs),
	}
	if g.vectors {
		w.pitch = walkPitch[Out](w.width)
		g.values = len(w.vectors) / w.pitch
	}
	for i := range trees[:g.trees] {
		w.outputs = append(w.outputs, trees[i].Output)
	}
	if walkRoom(&trees[0]) > maxNodes {
		g.kind, g.naive = walkNaive, &trees[0]
		w.places = append(w.places, walkPlace{group: len(w.groups)})
	} else {
		w.build(&g, trees[:g.trees], maxNodes)
	}
	return g
}

// walkBlock is the size in bytes of the ranks of a block of rows, and of its sums
// if there are vector leaves.
const walkBlock = 1 << 17

// walkPitch returns the least number of values, not less than n, that fill vectors
// of 32 bytes.
func walkPitch[Out Float](n int) int {
	lanes := 32 / int(unsafe.Sizeof(*new(Out)))
	return (n + lanes - 1) / lanes * lanes
}

// isVector reports whether the leaves of t add to several outputs. A vector of one
// value is as good as a value.
func (w *walk[Out]) isVector(t *Tree) bool { return t.Vectors != nil && w.width > 1 }

// together returns how many of the trees make up the first group.
func (w *walk[Out]) together(trees []Tree, maxNodes int) int {
	nodes := walkRoom(&trees[0])
	for n := 1; n < len(trees) && n < w.lanes; n++ {
		nodes += walkRoom(&trees[n])
		if nodes > maxNodes || w.isVector(&trees[n]) != w.isVector(&trees[0]) {
			return n
		}
	}
	return min(len(trees), w.lanes)
}

// walkRoom returns how many nodes t may need in a group: it begins a line, and so
// does what lanes without a tree walk through.
func walkRoom(t *Tree) int { return len(t.Nodes) + 2*2*walkPairs }

// build lays out the trees of g, those that are the same once, and adds what w has of
// each group.
func (w *walk[Out]) build(g *walkGroup, trees []Tree, maxNodes int) {
	plans := make([]*walkPlan, len(trees))
	for k := range plans {
		plans[k] = newWalkPlan(&trees[k])
		g.most, g.sure = max(g.most, plans[k].most), max(g.sure, plans[k].sure)
	}
	l := walkLayout{even: walkIsEven(plans, g.most, maxNodes)}
	if l.even {
		g.sure = g.most
	} else {
		g.kind = walkNarrow
	}
	for k, p := range plans {
		if first := slices.IndexFunc(trees[:k], func(t Tree) bool { return t.body() == trees[k].body() }); first >= 0 {
			g.roots[k] = g.roots[first]
			w.places = append(w.places, w.places[g.first+first])
			continue
		}
		inner, steps := p.root, p.walkSteps
		if l.even {
			inner, steps.sure = p.pad(g.most), steps.most
		}
		place := walkPlace{group: len(w.groups), walkSteps: steps}
		g.roots[k], place.root = l.place(p, inner)
		w.places = append(w.places, place)
	}
	w.idle(g, &l)
	w.number(g, &l)
	w.nodes = append(w.nodes, l.nodes...)
	for len(w.nodes)%(2*walkPairs) != 0 {
		w.nodes = append(w.nodes, 0)
	}
}

// walkIsEven reports whether walks through the trees of plans had better all take
// most steps. Then nodes for leaves and looks whether a walk has arrived are saved,
// but steps are made above leaves that are not as deep.
func walkIsEven(plans []*walkPlan, most, maxNodes int) bool {
	uneven, even, usual := 0, 0, 0.0
	for _, p := range plans {
		uneven += len(p.nodes)
		even += p.leaves + 2*(p.leaves*p.most-p.depths+most-p.most)
		usual = max(usual, float64(p.depths)/float64(p.leaves))
	}
	room := even + 2*most + (len(plans)+1)*2*walkPairs // as walkRoom
	return even <= 2*uneven && float64(most) <= 1.5*usual && room <= maxNodes
}

// idle gives lanes without a tree a root from which walks add −0: that changes no
// sum, not even one of −0.
func (w *walk[Out]) idle(g *walkGroup, l *walkLayout) {
	if g.trees == w.lanes {
		return
	}
	t := Tree{Nodes: []Node{{Column: Leaf, Value: math.Copysign(0, -1)}}}
	if g.vectors {
		for range w.width {
			t.Vectors = append(t.Vectors, t.Nodes[0].Value)
		}
	}
	nothing := newWalkPlan(&t)
	if l.even {
		nothing.pad(g.most)
	}
	root, _ := l.place(nothing, 0)
	for k := g.trees; k < w.lanes; k++ {
		g.roots[k] = root
	}
}

// run divides the groups into runs.
func (w *walk[Out]) run() {
	for i, steps := 0, 0; i < len(w.groups); i++ {
		g := &w.groups[i]
		r := walkRun{first: i, n: 1, asm: w.asm && g.most <= walkAsmSteps}
		r.sums = w.width == 1 && g.kind <= walkNarrow && r.asm == w.asm && uint64(g.values)>>32 == 0
		if last := len(w.runs) - 1; last >= 0 && g.kind != walkNaive {
			l := &w.runs[last]
			same := l.sums == r.sums && w.groups[l.first].vectors == g.vectors && w.groups[l.first].kind != walkNaive
			if same && steps+g.most <= walkAsmSteps && (l.sums || l.n < walkRunGroups) {
				l.n++
				steps += g.most
				continue
			}
		}
		w.runs = append(w.runs, r)
		steps = g.most
	}
}

// number writes the values of g's leaves, and how to find them from where walks
// end.
func (w *walk[Out]) number(g *walkGroup, l *walkLayout) {
	numbers, key := map[string]uint32{}, []byte(nil)
	at := make([]uint32, len(l.ends))
	for i, e := range l.ends {
		switch {
		case e.tree == nil:
			w.leafIDs = append(w.leafIDs, 0)
			continue
		case l.even:
			w.appendLeaf(g, e)
		default:
			key = w.leafKey(key[:0], e)
			n, ok := numbers[string(key)]
			if !ok {
				n = uint32(len(numbers))
				numbers[string(key)] = n
				w.appendLeaf(g, e)
			}
			at[i] = n
		}
		w.leafIDs = append(w.leafIDs, e.node.ID)
	}
	switch {
	case l.even:
	case len(numbers) > 1<<16:
		g.kind = walkWide
		w.wide = append(w.wide, at...)
	default:
		for i, e := range l.ends {
			if e.tree != nil {
				l.nodes[i] = l.nodes[i].numbered(at[i])
			}
		}
	}
}

// leaf returns the values of a leaf.
func (w *walk[Out]) leaf(e walkEnd) []float64 {
	if e.tree.Vectors == nil {
		return []float64{e.node.Value}
	}
	return e.tree.Vectors[int(e.node.Vector)*w.width:][:w.width]
}

// appendLeaf appends the value or the vector of a leaf of g.
func (w *walk[Out]) appendLeaf(g *walkGroup, e walkEnd) {
	if !g.vectors {
		w.values = append(w.values, Out(w.leaf(e)[0]))
		return
	}
	for _, v := range w.leaf(e) {
		w.vectors = append(w.vectors, Out(v))
	}
	for len(w.vectors)%w.pitch != 0 {
		w.vectors = append(w.vectors, 0)
	}
}

// leafKey appends bytes that two leaves share if they add the same.
func (w *walk[Out]) leafKey(key []byte, e walkEnd) []byte {
	for _, v := range w.leaf(e) {
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(v))
	}
	return key
}
