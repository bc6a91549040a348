package kernel

import "sort"

// naiveRank writes the rank of each column of the row x.
func naiveRank[In Float](dst []byte, cols []Column, x []In) {
	for c := range cols {
		col := &cols[c]
		v := float64(x[col.Feature])
		n := sort.Search(len(col.Bounds), func(i int) bool { return col.Bounds[i] > v })
		switch {
		case v != v:
			dst[c] = col.Missing
		case col.Set:
			dst[c] = byte(1 - n%2)
		default:
			dst[c] = byte(n)
		}
	}
}

// naiveWalk returns the leaf of t that a row with the given ranks reaches.
func naiveWalk(t *Tree, ranks []byte) *Node {
	n := &t.Nodes[0]
	for !n.IsLeaf() {
		if ranks[n.Column] >= n.Rank {
			n = &t.Nodes[n.Right]
		} else {
			n = &t.Nodes[n.Left]
		}
	}
	return n
}

// naiveAdd adds the leaf values of all trees of m to acc.
func naiveAdd[Out Float](acc []Out, m *Model, ranks []byte) {
	for t := range m.Trees {
		tree := &m.Trees[t]
		leaf := naiveWalk(tree, ranks)
		if tree.Vectors == nil {
			acc[tree.Output] += Out(leaf.Value)
			continue
		}
		for k := range acc {
			acc[k] += Out(tree.Vectors[int(leaf.Vector)*len(acc)+k])
		}
	}
}
