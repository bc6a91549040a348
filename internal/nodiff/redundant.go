package nodiff

import (
	"math"
	"slices"

	"hew/ir"
)

// redundant puts in what passes take out: trees that add nothing, copies of trees,
// alone and as parts of others, features and columns that no split tests. In some
// ensembles there is an output to which only zeros are added, so that their signs can
// be told apart.
func (g *grower) redundant() {
	r := g.rand
	if r.IntN(3) == 0 {
		g.silence(r.IntN(g.e.Outputs))
	}
	for range 1 + r.IntN(4) {
		g.tree() // the last one now
		t := g.e.Trees[len(g.e.Trees)-1]
		g.e.Trees = g.e.Trees[:len(g.e.Trees)-1]
		zero := r.IntN(3)
		setLeaves(&t, func() float64 { return g.zero(zero) })
		g.insert(t)
	}
	for range r.IntN(3) {
		g.graft(g.e.Trees[r.IntN(len(g.e.Trees))], g.e.Trees[r.IntN(len(g.e.Trees))])
	}
	for range 1 + r.IntN(4) {
		t := g.e.Trees[r.IntN(len(g.e.Trees))]
		t.Nodes, t.Vectors = slices.Clone(t.Nodes), slices.Clone(t.Vectors)
		if t.Vectors == nil {
			t.Output = int32(r.IntN(g.e.Outputs))
		}
		for i := range t.Nodes {
			t.Nodes[i].Cover = g.cover()
		}
		g.insert(t)
	}
	for i := range 1 + r.IntN(4) {
		g.e.Features = append(g.e.Features, ir.Feature{Name: "unused" + string(rune('0'+i))})
	}
	if g.e.Columns != nil {
		g.e.Columns = append([]ir.Column{{Feature: int32(len(g.e.Features) - 1)}}, g.e.Columns...)
		for i := range g.e.Trees {
			for j := range g.e.Trees[i].Nodes {
				if n := &g.e.Trees[i].Nodes[j]; !n.IsLeaf() {
					n.Feature++
				}
			}
		}
	}
}

// zero returns a zero: of kind 0 it is −0, of kind 1 +0, else one of them.
func (g *grower) zero(kind int) float64 {
	if kind == 0 || kind > 1 && g.rand.IntN(2) == 0 {
		return math.Copysign(0, -1)
	}
	return 0
}

// silence makes zeros of all that is added to output k, for the most part of one kind.
func (g *grower) silence(k int) {
	kind := g.rand.IntN(3)
	g.e.BaseMargin[k] = math.Copysign(0, -1)
	for i := range g.e.Trees {
		t := &g.e.Trees[i]
		if t.Vectors == nil && int(t.Output) == k {
			setLeaves(t, func() float64 { return g.zero(kind) })
		}
		for at := k; at < len(t.Vectors); at += g.e.Outputs {
			t.Vectors[at] = g.zero(kind)
		}
	}
}

// setLeaves replaces all values of the leaves of t.
func setLeaves(t *ir.Tree, f func() float64) {
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.IsLeaf() && t.Vectors == nil {
			n.Value = f()
		}
	}
	for i := range t.Vectors {
		t.Vectors[i] = f()
	}
}

// graft puts a tree among the others of which a and b are the two sides, if their
// leaves are of one kind.
func (g *grower) graft(a, b ir.Tree) {
	if (a.Vectors == nil) != (b.Vectors == nil) {
		return
	}
	t := ir.Tree{Nodes: []ir.Node{g.split()}, Output: a.Output}
	t.Nodes[0].Left, t.Nodes[0].Right = 1, int32(1+len(a.Nodes))
	for _, side := range []ir.Tree{a, b} {
		at, row := int32(len(t.Nodes)), int32(len(t.Vectors)/g.e.Outputs)
		for _, n := range side.Nodes {
			if n.IsLeaf() {
				n.Vector += row
			} else {
				n.Left, n.Right = n.Left+at, n.Right+at
			}
			t.Nodes = append(t.Nodes, n)
		}
		t.Vectors = append(t.Vectors, side.Vectors...)
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		n.ID = int32(i)
		if t.Vectors == nil {
			n.Vector = 0
		}
	}
	g.insert(t)
}

// insert puts t among the trees.
func (g *grower) insert(t ir.Tree) {
	g.e.Trees = slices.Insert(g.e.Trees, g.rand.IntN(len(g.e.Trees)+1), t)
}
