//go:build amd64 && !purego

package kernel

import "slices"

// A vectorTree is a tree with what decides about its section and its blocks.
type vectorTree struct {
	*Tree
	oblivious bool // all nodes of a level are equal, and there are not too many levels
	pieces    []vectorCut
}

func newVectorTree(t *Tree) vectorTree {
	return vectorTree{Tree: t, oblivious: t.oblivious(), pieces: t.pieces()}
}

// depth returns the number of splits above the deepest leaf.
func (t *vectorTree) depth() int { return int(t.pieces[0].depth) }

// oblivious reports whether the nodes of each level of t are equal and an exit of
// that many decisions is a byte.
func (t *Tree) oblivious() bool {
	level := []int32{0}
	for range maxObliviousLevels + 1 {
		first, next := &t.Nodes[level[0]], []int32(nil)
		for _, i := range level {
			n := &t.Nodes[i]
			if n.Column != first.Column || n.Rank != first.Rank && !n.IsLeaf() {
				return false
			}
			if !n.IsLeaf() {
				next = append(next, n.Left, n.Right)
			}
		}
		if level = next; len(level) == 0 {
			return true
		}
	}
	return false
}

// A vectorCut describes the piece of a tree that has its root at a node, if the
// subtree of that node is cut into pieces of at most shapedNodes nodes such that
// the largest number of pieces on a way to a leaf is the smallest possible.
type vectorCut struct {
	height int32 // pieces on the longest way to a leaf: 0 for a leaf
	nodes  int32 // of the piece that must be in it
	depth  int32 // of the subtree
}

// pieces cuts t from its leaves upwards: a node joins the pieces of those children
// that are the highest if all of them fit, else it begins another one.
func (t *Tree) pieces() []vectorCut {
	pieces := make([]vectorCut, len(t.Nodes))
	for i, n := range slices.Backward(t.Nodes) {
		if n.IsLeaf() {
			continue
		}
		l, r := pieces[n.Left], pieces[n.Right]
		p := vectorCut{height: max(l.height, r.height), nodes: 1}
		for _, c := range [2]vectorCut{l, r} {
			if c.height == p.height {
				p.nodes += c.nodes
			}
		}
		if p.height == 0 || p.nodes > shapedNodes {
			p = vectorCut{height: p.height + 1, nodes: 1}
		}
		p.depth = 1 + max(l.depth, r.depth)
		pieces[i] = p
	}
	return pieces
}

// steps returns the largest number of blocks that a row passes below a top of so
// many levels, at least one.
func (t *vectorTree) steps(levels int, shaped bool) int {
	steps := 1
	for _, i := range t.exits(levels) {
		if p := t.pieces[i]; shaped {
			steps = max(steps, int(p.height))
		} else {
			steps = max(steps, (int(p.depth)+fullLevels-1)/fullLevels)
		}
	}
	return steps
}

// exits returns the nodes at which a top of so many levels is left. Below a leaf
// all exits are that leaf.
func (t *vectorTree) exits(levels int) []int32 {
	nodes := []int32{0}
	for range levels {
		var next []int32
		for _, i := range nodes {
			left, right := t.children(i)
			next = append(next, left, right)
		}
		nodes = next
	}
	return nodes
}

// children returns the children of a node, or twice the node itself if it is a
// leaf.
func (t *Tree) children(i int32) (left, right int32) {
	if n := &t.Nodes[i]; !n.IsLeaf() {
		return n.Left, n.Right
	}
	return i, i
}

// A vectorPlan cuts the trees of a model into sections.
type vectorPlan struct {
	outputs   int
	maxLevels int          // of the top of a chain
	trees     []vectorTree // that are left
}

func newVectorPlan(m *Model, size int) vectorPlan {
	p := vectorPlan{outputs: m.Outputs, maxLevels: maxTopLevels}
	for t := range m.Trees {
		p.trees = append(p.trees, newVectorTree(&m.Trees[t]))
	}
	// One more level in the top of a chain gives each tree 32 blocks. If values take
	// eight bytes, an exit, which is a byte, does not reach them all.
	if size == 4 && len(m.Trees) <= manyTrees {
		p.maxLevels++
	}
	return p
}

const (
	minChain  = 16   // from which length on a run of trees is worth a section of its own
	manyTrees = 4096 // for which blocks should not take more memory than they must
)

// next returns the trees of the next section, and whether it is a chain.
func (p *vectorPlan) next() ([]vectorTree, bool) {
	tops, chain := max(p.run(p.oblivious), p.run(p.shallow)), p.run(p.oneBlock)
	long := func(run int) bool { return run >= minChain || run == len(p.trees) }
	switch {
	case long(tops) && (tops >= chain || tops >= leafTrees):
		return p.take(min(tops, leafTrees)), true
	case long(chain):
		return p.take(min(chain, chainTrees)), true
	}
	n := min(p.run(p.sameLeaves), walkTrees)
	if whole := p.rounds(n) * p.outputs; whole > n/2 {
		n = whole
	}
	return p.take(n), false
}

func (p *vectorPlan) take(n int) []vectorTree {
	trees := p.trees[:n]
	p.trees = p.trees[n:]
	return trees
}

// run returns how many of the trees that are left satisfy ok, until one does not.
func (p *vectorPlan) run(ok func(t vectorTree) bool) int {
	for i, t := range p.trees {
		if !ok(t) {
			return i
		}
	}
	return len(p.trees)
}

// sameLeaves reports whether t has vector leaves if and only if the next tree has.
func (p *vectorPlan) sameLeaves(t vectorTree) bool {
	return (t.Vectors == nil) == (p.trees[0].Vectors == nil)
}

// sameSum reports whether t adds to the same single output as the next tree.
func (p *vectorPlan) sameSum(t vectorTree) bool {
	return t.Vectors == nil && t.Output == p.trees[0].Output
}

// oblivious and shallow report whether t can be in a chain that needs no blocks,
// oneBlock whether it can be in one that needs one for each tree.
func (p *vectorPlan) oblivious(t vectorTree) bool { return p.sameSum(t) && t.oblivious }
func (p *vectorPlan) shallow(t vectorTree) bool   { return p.sameSum(t) && t.depth() <= maxTopLevels }
func (p *vectorPlan) oneBlock(t vectorTree) bool {
	return p.sameSum(t) && t.depth() <= p.maxLevels+fullLevels
}

// rounds returns how many of the next n trees, in rounds of one for each output in
// turn, there are.
func (p *vectorPlan) rounds(n int) int {
	if p.trees[0].Vectors != nil {
		return 0
	}
	for i, t := range p.trees[:n] {
		if int(t.Output) != i%p.outputs {
			n = i
			break
		}
	}
	return n / p.outputs
}

// topsOnly reports whether trees need no blocks.
func topsOnly(trees []vectorTree) bool {
	return allOblivious(trees) || deepest(trees) <= maxTopLevels
}

func allOblivious(trees []vectorTree) bool {
	return !slices.ContainsFunc(trees, func(t vectorTree) bool { return !t.oblivious })
}

func deepest(trees []vectorTree) int {
	depth := 0
	for _, t := range trees {
		depth = max(depth, t.depth())
	}
	return depth
}
