package codegen

import (
	"math"
	"slices"
	"unsafe"

	"hew/ir"
)

// Trees that are the same share a function, and so do subtrees, of one tree or of
// several, that are large enough. Trained models hardly have any: 500 trees of depth 6
// none, not even with leaves of 8 bits and 254 thresholds for a feature. Rounds of
// several trees without sampling do, and trees that were pruned to little.

// minSharedNodes is the least number of nodes of a subtree that is shared. A call
// takes about as long as a split; a smaller subtree is better evaluated without
// branches, together with what is around it, which a call would prevent.
const minSharedNodes = 15

// shares returns the least number of nodes of a subtree that form f shares: it is
// larger than what may be evaluated without branches.
func (f form) shares() int { return max(minSharedNodes, 2*f.selects+1) }

// A shared is a subtree that several others, or the tree of another one, are the same
// as.
type shared struct {
	tree, node int // the first one, which is printed
	uses       int
	name       string // of its function, once that is known
}

// A treeShare says what of a tree is shared.
type treeShare struct {
	as   []*shared // of each node that is the root of a shared subtree
	skip []bool    // nodes that are not printed, below one that is printed elsewhere
}

// elsewhere reports whether node i is printed as a call of what stands elsewhere.
func (s *treeShare) elsewhere(tree, i int) bool {
	return s.as[i] != nil && (s.as[i].tree != tree || s.as[i].node != i)
}

// bodies returns, for each tree, the first one that has the same nodes in memory.
func bodies(e *ir.Ensemble) []int {
	type body struct {
		nodes   *ir.Node
		vectors *float64
	}
	first := make(map[body]int, len(e.Trees))
	list := make([]int, len(e.Trees))
	for i := range e.Trees {
		b := body{unsafe.SliceData(e.Trees[i].Nodes), unsafe.SliceData(e.Trees[i].Vectors)}
		k, ok := first[b]
		if !ok {
			k, first[b] = i, i
		}
		list[i] = k
	}
	return list
}

// A sharer finds subtrees that are the same.
type sharer struct {
	e       *ir.Ensemble
	bodies  []int
	sizes   [][]int32  // nodes of each subtree of each tree with a body of its own
	digests [][]uint64 // most likely other ones for other subtrees
}

func newSharer(e *ir.Ensemble) *sharer {
	s := &sharer{e: e, bodies: bodies(e), sizes: make([][]int32, len(e.Trees)), digests: make([][]uint64, len(e.Trees))}
	sets := make([]uint64, len(e.Sets))
	for i, set := range e.Sets {
		sets[i] = mixAll(1, set)
	}
	for i := range e.Trees {
		if s.bodies[i] == i {
			s.digest(i, sets)
		}
	}
	return s
}

// digest computes the sizes and digests of the subtrees of a tree.
func (s *sharer) digest(tree int, sets []uint64) {
	t := &s.e.Trees[tree]
	sizes, digests := make([]int32, len(t.Nodes)), make([]uint64, len(t.Nodes))
	for i := len(t.Nodes) - 1; i >= 0; i-- { // children before their parents
		n := &t.Nodes[i]
		if n.IsLeaf() {
			sizes[i], digests[i] = 1, mixAll(2, s.e.LeafValues(t, n))
			continue
		}
		test := mix(mix(3, uint64(n.Feature)), uint64(bit(n.DefaultLeft)))
		if n.Set != ir.NoSet {
			test = mix(test, sets[n.Set])
		} else {
			test = mix(test, math.Float64bits(n.Threshold))
		}
		sizes[i] = 1 + sizes[n.Left] + sizes[n.Right]
		digests[i] = mix(mix(test, digests[n.Left]), digests[n.Right])
	}
	s.sizes[tree], s.digests[tree] = sizes, digests
}

func mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func mixAll(h uint64, values []float64) uint64 {
	for _, v := range values {
		h = mix(h, math.Float64bits(v))
	}
	return h
}

// shares returns what is shared of each tree, given the least size. What is below a
// subtree that was met before is not looked at: it is printed, and counts, there.
func (s *sharer) shares(least int) []*treeShare {
	list := make([]*treeShare, len(s.e.Trees))
	known := map[uint64]*shared{}
	for tree := range list {
		if s.bodies[tree] != tree {
			list[tree] = list[s.bodies[tree]]
			continue
		}
		list[tree] = s.share(tree, least, known)
	}
	for _, t := range list {
		for i, a := range t.as {
			if a != nil && a.uses == 1 {
				t.as[i] = nil
			}
		}
	}
	return list
}

func (s *sharer) share(tree, least int, known map[uint64]*shared) *treeShare {
	nodes, sizes := s.e.Trees[tree].Nodes, s.sizes[tree]
	t := &treeShare{make([]*shared, len(nodes)), make([]bool, len(nodes))}
	for i := range nodes {
		n := &nodes[i]
		again := false
		if !t.skip[i] && int(sizes[i]) >= least {
			a := known[s.digests[tree][i]]
			if a == nil {
				a = &shared{tree: tree, node: i}
				known[s.digests[tree][i]] = a
			}
			first := a.tree == tree && a.node == i
			if first || s.same(a, tree, i) {
				t.as[i], again = a, !first
				a.uses++
			}
		}
		if !n.IsLeaf() && (again || t.skip[i]) {
			t.skip[n.Left], t.skip[n.Right] = true, true
		}
	}
	return t
}

// same reports whether the subtree at a node is the same as a.
func (s *sharer) same(a *shared, tree, node int) bool {
	t, u := &s.e.Trees[a.tree], &s.e.Trees[tree]
	if (t.Vectors == nil) != (u.Vectors == nil) {
		return false
	}
	type pair struct{ i, k int32 }
	for stack := []pair{{int32(a.node), int32(node)}}; len(stack) > 0; {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		m, n := &t.Nodes[p.i], &u.Nodes[p.k]
		switch {
		case m.IsLeaf() != n.IsLeaf():
			return false
		case m.IsLeaf():
			if !slices.EqualFunc(s.e.LeafValues(t, m), s.e.LeafValues(u, n), sameBits) {
				return false
			}
		case !s.sameTest(m, n):
			return false
		default:
			stack = append(stack, pair{m.Left, n.Left}, pair{m.Right, n.Right})
		}
	}
	return true
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func (s *sharer) sameTest(m, n *ir.Node) bool {
	if m.Feature != n.Feature || m.DefaultLeft != n.DefaultLeft || (m.Set == ir.NoSet) != (n.Set == ir.NoSet) {
		return false
	}
	if m.Set != ir.NoSet {
		return m.Set == n.Set || slices.EqualFunc(s.e.Sets[m.Set], s.e.Sets[n.Set], sameBits)
	}
	return sameBits(m.Threshold, n.Threshold)
}
