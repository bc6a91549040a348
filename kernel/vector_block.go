//go:build amd64 && !purego

package kernel

import (
	"encoding/binary"
	"math"
	"slices"
)

// A block is a piece of a tree. All of its nodes are compared, whether a row meets
// them or not; a table says to which of its exits the decisions lead. For each exit
// there are a link, the distance to another block in units of 32 bytes, and a leaf
// value. A leaf links to its own block, so that a row which is there finds it again.
//
// A full block has three full levels: seven columns and a zero, seven ranks and a
// zero, links and values. A shaped block is any piece of six nodes: six columns;
// six ranks; eight bytes for the bits of its shape, 0 for a set bit, and two bytes
// of 1; links and values. The kernels know the offsets.
const (
	fullLevels = 3
	fullRanks  = 8
	fullLinks  = 16

	shapedNodes = 6
	shapedRanks = 6
	shapedShape = 12
	shapedLinks = 22

	linkUnit = 32
)

// A vectorForm says where the parts of a block are.
type vectorForm struct {
	exits, ranks, links, values, size int
}

func (s *vectorSection[Out]) vectorForm() vectorForm {
	size := s.valueSize()
	f := vectorForm{1 << fullLevels, fullRanks, fullLinks, 32, 0}
	if s.shaped {
		f = vectorForm{shapedNodes + 1, shapedRanks, shapedLinks, 32 + size, 0}
	}
	f.size = f.values + f.exits*size
	return f
}

// A vectorWriter writes the blocks of trees.
type vectorWriter[Out Float] struct {
	b      *vectorBuilder[Out]
	form   vectorForm
	data   []byte
	links  []vectorLink // to blocks that are to be written, the next one last
	tooFar bool
}

// A vectorLink is a link at an exit of the block at from to a block for node.
type vectorLink struct {
	from, exit int
	node       int32
}

// tree writes the blocks of a tree.
func (w *vectorWriter[Out]) tree(t int, exits []int32) {
	first := w.extend(len(exits))
	for i, node := range slices.Backward(exits) {
		w.block(t, first+w.form.size*i, node)
	}
	for len(w.links) > 0 {
		last := len(w.links) - 1
		l := w.links[last]
		w.links = w.links[:last]
		at := w.extend(1)
		w.link(l, at)
		w.block(t, at, l.node)
	}
}

// idle writes a tree that adds -0, which leaves every sum as it is.
func (w *vectorWriter[Out]) idle() {
	p := vectorPiece{exits: []int32{-1}}
	p.fill()
	for at := w.extend(1 << w.b.s.levels); at < len(w.data); at += w.form.size {
		if w.b.s.shaped {
			w.shape(at, p.shape)
		}
		for exit := range w.form.exits {
			if w.b.s.vectors == nil {
				putFloat(w.value(at, exit), Out(math.Copysign(0, -1)))
			}
		}
	}
}

// extend makes place for n blocks and returns where they begin.
func (w *vectorWriter[Out]) extend(n int) int {
	at := len(w.data)
	w.data = append(w.data, make([]byte, w.form.size*n)...)
	return at
}

// value is the place of the leaf value at an exit of the block at offset at.
func (w *vectorWriter[Out]) value(at, exit int) []byte {
	return w.data[at+w.form.values+exit*w.b.s.valueSize():]
}

func (w *vectorWriter[Out]) link(l vectorLink, to int) {
	distance := (to - l.from) / linkUnit
	w.tooFar = w.tooFar || distance > math.MaxUint16
	binary.LittleEndian.PutUint16(w.data[l.from+w.form.links+2*l.exit:], uint16(distance))
}

// block writes the block at offset at for a node of tree t.
func (w *vectorWriter[Out]) block(t, at int, node int32) {
	tree := &w.b.trees[t]
	var p vectorPiece
	if w.b.s.shaped {
		p = newVectorPiece(tree, node)
		w.shape(at, p.shape)
	} else {
		p.addFull(tree, node, fullLevels)
	}
	for i, n := range p.nodes {
		if n >= 0 {
			w.data[at+i], w.data[at+w.form.ranks+i] = byte(tree.Nodes[n].Column), tree.Nodes[n].Rank
		}
	}
	for exit, n := range slices.Backward(p.exits) {
		switch {
		case n < 0:
		case tree.Nodes[n].IsLeaf():
			w.b.putValue(w.value(at, exit), t, n)
		default:
			w.links = append(w.links, vectorLink{from: at, exit: exit, node: n})
		}
	}
}

// shape writes the shape of the block at offset at.
func (w *vectorWriter[Out]) shape(at int, shape uint16) {
	number := w.b.shapes.number(shape)
	for bit := range 8 {
		w.data[at+shapedShape+bit] = 1 - number>>bit&1
	}
	w.data[at+shapedShape+8], w.data[at+shapedShape+9] = 1, 1
}

// A vectorPiece is what a block holds of a tree: nodes in preorder, and the nodes
// at its exits, in order. What is there only to fill the block is -1. The shape has
// a bit for each node and exit in preorder, 1 for a node; a full block has none.
type vectorPiece struct {
	nodes, exits []int32
	shape        uint16
}

// add adds to p the subtree of node i as far as inside says so.
func (p *vectorPiece) add(t *vectorTree, i int32, inside func(i int32) bool) {
	if !inside(i) {
		p.exits = append(p.exits, i)
		p.shape <<= 1
		return
	}
	p.nodes = append(p.nodes, i)
	p.shape = p.shape<<1 | 1
	left, right := t.children(i)
	p.add(t, left, inside)
	p.add(t, right, inside)
}

// addFull adds to p so many levels below node i, a leaf in the place of all that
// might be below it.
func (p *vectorPiece) addFull(t *vectorTree, i int32, levels int) {
	if levels == 0 {
		p.exits = append(p.exits, i)
		return
	}
	if t.Nodes[i].IsLeaf() {
		p.nodes = append(p.nodes, -1)
	} else {
		p.nodes = append(p.nodes, i)
	}
	left, right := t.children(i)
	p.addFull(t, left, levels-1)
	p.addFull(t, right, levels-1)
}

// newVectorPiece returns the piece of t that has its root at a node: the nodes that
// must be in it, and other pieces that are small enough.
func newVectorPiece(t *vectorTree, root int32) vectorPiece {
	nodes := t.core(nil, root)
	for grown := true; grown; {
		grown = false
		for _, i := range nodes {
			n := &t.Nodes[i]
			for _, c := range [2]int32{n.Left, n.Right} {
				fits := len(nodes)+int(t.pieces[c].nodes) <= shapedNodes
				if !t.Nodes[c].IsLeaf() && fits && !slices.Contains(nodes, c) {
					nodes, grown = t.core(nodes, c), true
				}
			}
		}
	}
	var p vectorPiece
	p.add(t, root, func(i int32) bool { return slices.Contains(nodes, i) })
	p.fill()
	return p
}

// fill fills p up with nodes that lead right, at the last exit.
func (p *vectorPiece) fill() {
	for len(p.nodes) < shapedNodes {
		last := len(p.exits) - 1
		p.nodes = append(p.nodes, -1)
		p.exits = append(p.exits[:last], -1, p.exits[last])
		p.shape = (p.shape | 1) << 2 // a node and two exits in place of one
	}
}

// core appends the nodes of the piece with its root at i that must be in it.
func (t *vectorTree) core(nodes []int32, i int32) []int32 {
	if t.Nodes[i].IsLeaf() {
		return nodes
	}
	nodes = append(nodes, i)
	for _, c := range [2]int32{t.Nodes[i].Left, t.Nodes[i].Right} {
		if t.pieces[c].height == t.pieces[i].height {
			nodes = t.core(nodes, c)
		}
	}
	return nodes
}
