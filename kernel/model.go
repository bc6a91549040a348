package kernel

import (
	"errors"
	"fmt"
	"unsafe"
)

// A Model is an ensemble whose comparisons are between bytes.
//
// A row is first turned into one byte per column, its ranks; a split then
// compares the rank of one column with a constant. Whoever builds a Model sees to
// it that this decides as the trainer's own comparison does.
type Model struct {
	Features int       // values in a row
	Outputs  int       // margins of a row
	Base     []float64 // one per output: where its sum starts
	BaseLast bool      // sums start at zero, the base is added last
	Columns  []Column
	Trees    []Tree // in the order in which their values are added
}

// A Column is the rank of one feature's value among ascending bounds.
//
// The rank of x is the number of bounds ≤ x, at most MaxBounds. In a column that
// is a set, the bounds delimit half-open intervals [b0, b1), [b2, b3), …, the last
// one without an end if their number is odd, and the rank is 0 for a value inside
// an interval and 1 for another one.
type Column struct {
	Feature int32
	Set     bool
	Missing uint8     // the rank of NaN: 0, or 255 (1 in a set)
	Bounds  []float64 // strictly ascending values of the input type; not NaN
}

// MaxBounds is the largest number of bounds in a column that is not a set: ranks
// are bytes, and 255 is kept for missing values.
const MaxBounds = 254

// MaxColumns is the largest number of columns.
const MaxColumns = 1 << 16

// A Tree is a binary tree of comparisons. Nodes[0] is the root, and children
// stand after their parents. Trees that are the same may share Nodes and Vectors;
// those that share Nodes share both.
type Tree struct {
	Nodes  []Node
	Output int32 // the margin to which leaves add; 0 with vector leaves

	// Vectors holds the leaves' vectors, Outputs values for each, in a tree whose
	// leaves add to every margin; it is nil for scalar leaves.
	Vectors []float64
}

// A Node is a split or, if Column is Leaf, a leaf. A row goes right if its rank
// in Column is at least Rank.
type Node struct {
	Column      int32
	Left, Right int32 // children of a split, indices into Tree.Nodes
	ID          int32 // of a leaf: the number that Engine.Leaf reports
	Vector      int32 // of a leaf: the row of Tree.Vectors that it adds
	Rank        uint8 // of a split, at least 1
	Value       float64
}

// Leaf in Node.Column marks a leaf.
const Leaf = -1

// body tells trees that share their nodes from others.
func (t *Tree) body() *Node { return unsafe.SliceData(t.Nodes) }

// IsLeaf reports whether n is a leaf.
func (n *Node) IsLeaf() bool { return n.Column == Leaf }

// verify reports the first reason why m is not well formed.
func (m *Model) verify() error {
	switch {
	case m.Features < 1 || m.Outputs < 1:
		return fmt.Errorf("kernel: %d features and %d outputs", m.Features, m.Outputs)
	case len(m.Base) != m.Outputs:
		return fmt.Errorf("kernel: %d base margins for %d outputs", len(m.Base), m.Outputs)
	case len(m.Columns) > MaxColumns:
		return fmt.Errorf("kernel: %d columns, more than %d", len(m.Columns), MaxColumns)
	}
	for c := range m.Columns {
		if err := m.Columns[c].verify(m.Features); err != nil {
			return fmt.Errorf("kernel: column %d: %w", c, err)
		}
	}
	for t := range m.Trees {
		if err := m.Trees[t].verify(m); err != nil {
			return fmt.Errorf("kernel: tree %d: %w", t, err)
		}
	}
	return nil
}

func (c *Column) verify(features int) error {
	if c.Feature < 0 || int(c.Feature) >= features {
		return fmt.Errorf("feature %d of %d", c.Feature, features)
	}
	missing := c.Missing == 0 || c.Missing == 255 && !c.Set || c.Missing == 1 && c.Set
	if !missing {
		return fmt.Errorf("rank %d of missing values", c.Missing)
	}
	if len(c.Bounds) > MaxBounds && !c.Set {
		return fmt.Errorf("%d bounds, more than %d", len(c.Bounds), MaxBounds)
	}
	for i, b := range c.Bounds {
		if b != b || i > 0 && !(c.Bounds[i-1] < b) {
			return errors.New("bounds that do not ascend")
		}
	}
	return nil
}

func (t *Tree) verify(m *Model) error {
	if len(t.Nodes) == 0 || len(t.Nodes) > 1<<30 {
		return fmt.Errorf("%d nodes", len(t.Nodes))
	}
	if t.Output < 0 || int(t.Output) >= m.Outputs || len(t.Vectors)%m.Outputs != 0 {
		return fmt.Errorf("output %d and %d vector values with %d outputs", t.Output, len(t.Vectors), m.Outputs)
	}
	parents := make([]bool, len(t.Nodes))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if i > 0 && !parents[i] {
			return fmt.Errorf("node %d has no parent before it", i)
		}
		if n.IsLeaf() {
			if t.Vectors != nil && (n.Vector < 0 || int(n.Vector) >= len(t.Vectors)/m.Outputs) {
				return fmt.Errorf("node %d: vector %d of %d", i, n.Vector, len(t.Vectors)/m.Outputs)
			}
			continue
		}
		if n.Column < 0 || int(n.Column) >= len(m.Columns) || n.Rank == 0 {
			return fmt.Errorf("node %d: rank %d in column %d of %d", i, n.Rank, n.Column, len(m.Columns))
		}
		for _, c := range [2]int32{n.Left, n.Right} {
			if int(c) <= i || int(c) >= len(t.Nodes) || parents[c] {
				return fmt.Errorf("node %d: child %d", i, c)
			}
			parents[c] = true
		}
	}
	return nil
}
