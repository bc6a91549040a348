package codegen

import (
	"encoding/binary"
	"fmt"
	"math"

	"hew/ir"
	"hew/predict"
)

// Leaf walks a table instead of branch code: a second set of functions would
// double what the compiler has to do for an output that few ask for.
//
// The table is a file: as 32-bit words the position of each tree's root, of each
// set's bounds and their end, and the bounds; then the nodes, in preorder, as
//
//	leaf:  0, leaf number
//	split: (feature+1)<<2 | set<<1 | missing left, threshold or set, bytes of the left subtree
//
// All numbers of a node are varints but the threshold, which takes four bytes as
// the set does, or eight if features are float64. This form has 4 bytes per node of
// trees of depth 6 over float32, where three words would have 12: a third of a
// megabyte less in a server of 500 trees.

// A leafTable is the table in its parts.
type leafTable struct {
	double      bool // thresholds and bounds are float64
	roots, sets []uint32
	bounds      []float64
	nodes       []byte
}

func leafTableOf(e *ir.Ensemble) *leafTable {
	t := &leafTable{double: e.Input == ir.Double}
	for _, s := range e.Sets {
		t.sets = append(t.sets, uint32(len(t.bounds)))
		for _, b := range s {
			t.bounds = append(t.bounds, b)
		}
	}
	t.sets = append(t.sets, uint32(len(t.bounds)))
	start := 4*(len(e.Trees)+len(t.sets)) + size(e.Input)*len(t.bounds)
	roots := map[string]uint32{} // by the nodes below: the same trees share them
	for i := range e.Trees {
		first := len(t.nodes)
		t.addTree(&e.Trees[i])
		root, ok := roots[string(t.nodes[first:])]
		if ok {
			t.nodes = t.nodes[:first]
		} else {
			root = uint32(start + first)
			roots[string(t.nodes[first:])] = root
		}
		t.roots = append(t.roots, root)
	}
	return t
}

// addTree adds the nodes of a tree in preorder.
func (t *leafTable) addTree(tree *ir.Tree) {
	size := make([]uint64, len(tree.Nodes)) // bytes of each subtree; children stand after their parents
	var b []byte
	for i := len(tree.Nodes) - 1; i >= 0; i-- {
		n := &tree.Nodes[i]
		if b = t.appendNode(b[:0], n, size); !n.IsLeaf() {
			size[i] = size[n.Left] + size[n.Right]
		}
		size[i] += uint64(len(b))
	}
	tree.Walk(func(i, _ int) { t.nodes = t.appendNode(t.nodes, &tree.Nodes[i], size) })
}

// appendNode appends one node; size holds the bytes of the subtrees below.
func (t *leafTable) appendNode(b []byte, n *ir.Node, size []uint64) []byte {
	if n.IsLeaf() {
		return binary.AppendUvarint(append(b, 0), uint64(n.ID))
	}
	test := uint64(n.Feature+1)<<2 | uint64(bit(n.DefaultLeft))
	value := uint64(math.Float32bits(float32(n.Threshold)))
	if t.double {
		value = math.Float64bits(n.Threshold)
	}
	if n.Set != ir.NoSet {
		test, value = test|2, uint64(n.Set)
	}
	b = binary.AppendUvarint(b, test)
	if t.double {
		b = binary.LittleEndian.AppendUint64(b, value)
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(value))
	}
	return binary.AppendUvarint(b, size[n.Left])
}

// leafFiles returns leaf.bin and leaf.go; none for a model without trees.
func (p *printer) leafFiles() ([]File, error) {
	if len(p.o.Leaves.Trees) == 0 {
		return nil, nil
	}
	t := leafTableOf(p.o.Leaves)
	bounds := predict.MakeValues(predict.Type(p.e.Input.String()), len(t.bounds))
	for i, b := range t.bounds {
		bounds.Set(i, b)
	}
	data := append(words(t.roots, t.sets), values(bounds)...)
	data = append(data, t.nodes...)
	if len(data) > math.MaxInt32 {
		return nil, fmt.Errorf("a table of %d bytes for leaf numbers, want less than 2 GB", len(data))
	}
	f := p.newFile()
	f.Anon("embed")
	set := ""
	if len(p.o.Leaves.Sets) > 0 {
		set = "if test&2 != 0 {\nleft = inLeafSet(uint32(value), v)\n}\n"
		if p.e.Input == ir.Single {
			set = "if test&2 != 0 {\nleft = inLeafSet(value, v)\n}\n"
		}
	}
	memory, row := p.leafRow()
	f.Add(p.code(fmt.Sprintf(leafText, set, size(p.e.Input), 8*size(p.e.Input), row, p.leafBytes(), memory)))
	if set != "" {
		f.Line().Add(p.code(fmt.Sprintf(leafSetText, len(t.roots), len(t.roots)+len(t.sets), p.leafBound())))
	}
	file, err := render("leaf.go", f)
	return []File{file, {"leaf.bin", data}}, err
}

const leafText = `// Leaf writes NumTrees numbers to dst for each row in x: the leaves that the row
// reaches, in the trainer's numbering. It walks a table of the trees and is not
// meant to be fast.
func Leaf(dst []int32, x []Input) {
	rows := countRows(len(dst), NumTrees, len(x))
%[6]s	for i := range rows {
%[4]s		for t := range NumTrees {
			dst[i*NumTrees+t] = leaf(int(leafWord(t)), row)
		}
	}
}

// leafData holds, as words, the position of each tree's root, the start of each
// set and the bounds of the sets; then the nodes in preorder, each number a varint
// but for the second one of a split, %[5]s bytes. A node is a leaf: 0, number; or
// a split: (feature+1)<<2 | set<<1 | missing left, threshold or set, bytes of the
// left subtree.
//
//go:embed leaf.bin
var leafData []byte

func leafWord(i int) uint32 { return @encoding/binary.LittleEndian.Uint32(leafData[4*i:]) }

// leaf returns the number of the leaf that x reaches from the node at a position.
func leaf(at int, x *[$cols]$in) int32 {
	for {
		test, n := @encoding/binary.Uvarint(leafData[at:])
		at += n
		if test == 0 {
			number, _ := @encoding/binary.Uvarint(leafData[at:])
			return int32(number)
		}
		value := @encoding/binary.LittleEndian.Uint%[3]d(leafData[at:])
		size, n := @encoding/binary.Uvarint(leafData[at+%[2]d:])
		at += %[2]d + n
		v := x[test>>2-1]
		left := v < @math.$Finfrombits(value)
		%[1]sif v != v {
			left = test&1 != 0
		}
		if !left {
			at += int(size)
		}
	}
}
`

const leafSetText = `// inLeafSet reports whether v lies in one of the intervals of a set, from an even
// bound up to the odd one after it.
func inLeafSet(set uint32, v $in) bool {
	const sets, bounds = %[1]d, %[2]d
	first, last := leafWord(sets+int(set)), leafWord(sets+int(set)+1)
	lo, hi := first, last
	for lo < hi {
		mid := lo + (hi-lo)/2
		if %[3]s <= v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return (lo-first)%%2 == 1
}
`

// leafBytes says how many bytes the second number of a split takes.
func (p *printer) leafBytes() string {
	if p.e.Input == ir.Double {
		return "eight"
	}
	return "four"
}

// leafBound returns bound mid of the sets as Go text.
func (p *printer) leafBound() string {
	if p.e.Input == ir.Double {
		return "@math.Float64frombits(@encoding/binary.LittleEndian.Uint64(leafData[4*bounds+8*int(mid):]))"
	}
	return "@math.Float32frombits(leafWord(bounds+int(mid)))"
}

// leafRow returns what gives a row to the walk: memory for all rows, and what is done
// for each.
func (p *printer) leafRow() (memory, row string) {
	if p.o.Leaves.Columns == nil {
		return "", "		row := (*[NumFeatures]$in)(x[i*NumFeatures:])\n"
	}
	return p.columnsMemory(), "		columns(c, (*[NumFeatures]$in)(x[i*NumFeatures:]))\n		row := c\n"
}
