package kernel

// A walk evaluates trees of any shape: it goes from each root to a leaf, node by
// node, without a branch on what it compares. What takes its time is that a node
// must be there before it is known which one is next, so several walks go side by
// side: through several trees with one row, or through one tree with eight rows.
type walk[Out Float] struct {
	asm     bool // by assembly, where walks are not too long
	lanes   int  // walks of one row that go side by side: trees in a group
	width   int  // Outputs
	columns int  // number of columns, rounded up to a multiple of eight
	block   int  // rows that go through all trees together

	groups  []walkGroup
	runs    []walkRun
	units   []walkUnit  // of each group
	places  []walkPlace // of each tree
	nodes   []walkNode  // of all groups
	outputs []int32     // Tree.Output of each tree
	values  []Out       // of leaves, by leaf number
	vectors []Out       // of vector leaves, by leaf number
	pitch   int         // distance of vectors: Outputs, rounded up to whole 32 bytes; 0 if there are none
	wide    []uint32    // leaf numbers of the nodes of wide groups
	leafIDs []int32     // Node.ID of each leaf, by where walks end
}

// A walkNode is a split or a leaf in eight bytes, of which a step reads two parts:
//
//	bits  0–31  256·left + 256 − rank of a split, 256·self of a leaf
//	bits 32–47  a leaf's number, in a narrow group
//	bits 48–63  column
//
// The rank of a row is added to the low part: the sum carries into the index if
// the rank is at least the node's, which makes left into right, the node beside
// it. No rank carries at a leaf, so walks that arrive early wait there.
type walkNode uint64

func walkSplit(left uint32, column int32, rank uint8) walkNode {
	return walkNode(left)<<8 + walkNode(256-int(rank)) + walkNode(column)<<48
}

// walkAlways returns a split whose right side no row takes.
func walkAlways(left uint32) walkNode { return walkNode(left) << 8 }

func walkLeaf(self uint32) walkNode { return walkNode(self) << 8 }

// isLeaf reports whether n is a leaf of a group that is not even.
func (n walkNode) isLeaf() bool { return byte(n) == 0 }

// numbered returns the leaf n with a number below 1<<16.
func (n walkNode) numbered(number uint32) walkNode { return n | walkNode(number)<<32 }

func (n walkNode) number() uint32 { return uint32(n>>32) & 0xffff }

// walkKind says what the index means at which a walk ends.
type walkKind uint8

const (
	walkEven   walkKind = iota // the leaf's number: all leaves are as deep as the group
	walkNarrow                 // a node that holds the leaf's number
	walkWide                   // a node whose leaf's number stands in walk.wide
	walkNaive                  // too many nodes: the tree is left to naiveWalk
)

// A walkGroup is some consecutive trees, which a single row walks side by side.
// Indices of nodes and leaf numbers count from its own first ones.
type walkGroup struct {
	first, trees int
	kind         walkKind
	vectors      bool  // trees with vector leaves
	naive        *Tree // the tree, if it is left to naiveWalk
	nodes        int   // where its part of walk.nodes begins
	values       int   // the first leaf number, of walk.values or walk.vectors
	wide         int   // of walk.wide
	leafIDs      int   // of walk.leafIDs
	roots        [walkMaxLanes]uint32
	walkSteps
}

// walkMaxLanes is the largest number of walks of one row that go side by side.
const walkMaxLanes = 12

// walkSteps bounds the length of walks.
type walkSteps struct {
	most int // no walk is longer
	sure int // not all are over earlier, or looking whether they are does not pay; 0 only if most is
}

// A walkPlace is where a tree is found for walks of many rows.
type walkPlace struct {
	group int
	root  uint32
	walkSteps
}

// A walkRun is consecutive groups that are walked in one go.
type walkRun struct {
	first, n int
	sums     bool // their values are added on the way
	asm      bool
}

// walkRunGroups is the largest number of groups in a run that is not one of sums.
const walkRunGroups = 8

// walkEnds is where the walks of a run end.
type walkEnds [walkRunGroups * walkMaxLanes]uint32

// newWalk returns the walking engine for m.
func newWalk[Out Float](m *Model, cpu CPU) *walk[Out] {
	return newWalkLimited[Out](m, cpu, walkMaxNodes)
}

// row adds the leaf values of all trees to acc, one per output, in the order of
// trees. ranks holds the ranks of one row.
func (w *walk[Out]) row(acc []Out, ranks []byte) {
	_ = ranks[:w.columns] // walks do not check
	for _, r := range w.runs {
		if r.sums {
			acc[0] = w.rowSum(r, ranks, acc[0])
		} else {
			w.rowAdd(r, ranks, acc)
		}
	}
}

// rowAdd adds the values of all trees in r to acc.
func (w *walk[Out]) rowAdd(r walkRun, ranks []byte, acc []Out) {
	groups := w.groups[r.first:][:r.n]
	if groups[0].kind == walkNaive {
		w.addNaive(acc, 1, ranks, groups[0].naive)
		return
	}
	var ends walkEnds
	w.rowEnds(r, ranks, &ends)
	for i := range groups {
		g := &groups[i]
		at := ends[i*w.lanes:][:w.lanes]
		w.numbers(g, at)
		if !g.vectors {
			values := w.values[g.values:]
			for k, n := range at[:g.trees] {
				acc[w.outputs[g.first+k]] += values[n]
			}
			continue
		}
		for k := range at {
			at[k] += uint32(g.values)
		}
	}
	if groups[0].vectors {
		w.addVectors(acc, ends[:r.n*w.lanes])
	}
}

// addVectors adds vectors to the sums of one row.
func (w *walk[Out]) addVectors(acc []Out, at []uint32) {
	if w.asm {
		walkRowVectors(acc, w.vectors, w.pitch, at)
		return
	}
	for _, n := range at {
		v := w.vectors[int(n)*w.pitch:][:len(acc)]
		for k := range acc {
			acc[k] += v[k]
		}
	}
}

// ids writes the number of the leaf that the row reaches in each tree.
func (w *walk[Out]) ids(dst []int32, ranks []byte) {
	_ = ranks[:w.columns] // walks do not check
	var ends walkEnds
	for i := range w.groups {
		g := &w.groups[i]
		if g.kind == walkNaive {
			dst[g.first] = naiveWalk(g.naive, ranks).ID
			continue
		}
		w.rowEnds(walkRun{first: i, n: 1, asm: w.asm && g.most <= walkAsmSteps}, ranks, &ends)
		ids := w.leafIDs[g.leafIDs:]
		for k, end := range ends[:g.trees] {
			dst[g.first+k] = ids[end]
		}
	}
}

// rowSum returns sum after the values of all trees in r have been added.
func (w *walk[Out]) rowSum(r walkRun, ranks []byte, sum Out) Out {
	if r.asm {
		return walkRowSum(w.units[r.first:][:r.n], w.nodes, ranks, w.values, sum)
	}
	for i := range w.groups[r.first:][:r.n] {
		g := &w.groups[r.first+i]
		nodes, values := w.nodes[g.nodes:], w.values[g.values:]
		a, b, c, d, e, f, gg, h := walkRow(nodes, ranks, &g.roots, g.walkSteps)
		if g.kind == walkNarrow {
			a, b, c, d = nodes[a].number(), nodes[b].number(), nodes[c].number(), nodes[d].number()
			e, f, gg, h = nodes[e].number(), nodes[f].number(), nodes[gg].number(), nodes[h].number()
		}
		sum += values[a]
		sum += values[b]
		sum += values[c]
		sum += values[d]
		sum += values[e]
		sum += values[f]
		sum += values[gg]
		sum += values[h]
	}
	return sum
}

// rowEnds writes the indices at which the walks through the trees of r end, those
// of group i from i times the number of lanes.
func (w *walk[Out]) rowEnds(r walkRun, ranks []byte, ends *walkEnds) {
	if r.asm {
		walkRowEnds(w.units[r.first:][:r.n], w.nodes, ranks, ends[:])
		return
	}
	for i := range w.groups[r.first:][:r.n] {
		g := &w.groups[r.first+i]
		nodes, at := w.nodes[g.nodes:], ends[i*w.lanes:][:w.lanes]
		if w.asm { // but walks are too long for assembly
			for k := range at {
				at[k] = walkAlone(nodes, ranks, g.roots[k], g.most)
			}
			continue
		}
		at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7] = walkRow(nodes, ranks, &g.roots, g.walkSteps)
	}
}

// numbers replaces the indices at which walks ended by the numbers of the leaves.
func (w *walk[Out]) numbers(g *walkGroup, at []uint32) {
	switch g.kind {
	case walkNarrow:
		nodes := w.nodes[g.nodes:]
		for k, i := range at {
			at[k] = nodes[i].number()
		}
	case walkWide:
		wide := w.wide[g.wide:]
		for k, i := range at {
			at[k] = wide[i]
		}
	}
}

// addNaive adds the value of tree t to acc[k*stride] for each output k.
func (w *walk[Out]) addNaive(acc []Out, stride int, ranks []byte, t *Tree) {
	leaf := naiveWalk(t, ranks)
	if t.Vectors == nil {
		acc[int(t.Output)*stride] += Out(leaf.Value)
		return
	}
	for k, v := range t.Vectors[int(leaf.Vector)*w.width:][:w.width] {
		acc[k*stride] += Out(v)
	}
}
