package kernel

// A walkPlan is a tree on its way into a group's nodes.
type walkPlan struct {
	t     *Tree
	nodes []walkPlanned
	root  int32
	walkSteps
	leaves, depths int // number of leaves, sum of their depths
}

// A walkPlanned is a node of a plan. The first ones are those of the tree, at the
// same indices. rank 0 is that of a split whose right side no row takes and that
// has none.
type walkPlanned struct {
	column      int32
	left, right int32
	leaf        int32 // of a leaf: index of the tree's node; −1 in a split
	weight      int32 // number of leaves below, the leaf itself included
	depth       int32 // without padding
	rank        uint8
}

func newWalkPlan(t *Tree) *walkPlan {
	p := &walkPlan{t: t, nodes: make([]walkPlanned, len(t.Nodes)), walkSteps: walkSteps{sure: len(t.Nodes)}}
	for i := range t.Nodes { // parents before their children
		n, q := &t.Nodes[i], &p.nodes[i]
		if n.IsLeaf() {
			q.leaf, q.weight = int32(i), 1
			p.most, p.sure = max(p.most, int(q.depth)), min(p.sure, int(q.depth))
			p.leaves, p.depths = p.leaves+1, p.depths+int(q.depth)
			continue
		}
		q.column, q.rank, q.left, q.right, q.leaf = n.Column, n.Rank, n.Left, n.Right, -1
		p.nodes[n.Left].depth, p.nodes[n.Right].depth = q.depth+1, q.depth+1
	}
	for i := len(p.nodes) - 1; i >= 0; i-- {
		if q := &p.nodes[i]; q.leaf < 0 {
			q.weight = p.nodes[q.left].weight + p.nodes[q.right].weight
		}
	}
	return p
}

// pad puts splits that always go left above leaves until all are as deep as the
// deepest, and above the root until they are depth deep. It returns the root
// without what was put above it.
func (p *walkPlan) pad(depth int) (root int32) {
	for i := range p.nodes {
		if p.nodes[i].leaf >= 0 {
			p.lower(int32(i), p.most-int(p.nodes[i].depth))
		}
	}
	root = p.root
	for range depth - p.most {
		p.nodes = append(p.nodes, walkPlanned{left: p.root, right: -1, leaf: -1, weight: p.nodes[p.root].weight})
		p.root = int32(len(p.nodes) - 1)
	}
	return root
}

// lower puts leaf i below some splits.
func (p *walkPlan) lower(i int32, splits int) {
	for range splits {
		below := int32(len(p.nodes))
		p.nodes = append(p.nodes, p.nodes[i])
		p.nodes[i].leaf, p.nodes[i].left, p.nodes[i].right = -1, below, -1
		i = below
	}
}
