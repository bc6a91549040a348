package save

import (
	"fmt"
	"math"
	"strconv"

	"hew/ir"
)

// treeArrays are the arrays of a tree, with one entry for each node by its number
// except where noted (dmlc/xgboost:src/tree/tree_model.cc, RegTree::SaveModel).
type treeArrays struct {
	ids   []int32 // of each node of the ir, its number
	nodes []int32 // of each number, the node

	left, right, parents, feature, defaultLeft, splitType []int64
	condition, hessian                                    []float64
	weights                                               []float64 // of each node, as many as a leaf has
	leafWeights                                           []float64 // of each vector leaf
	changes                                               []float64 // zeros

	categoryNodes, segments, sizes, categories []int64
}

// smallest is what XGBoost writes for a number that means nothing.
const smallest = math.SmallestNonzeroFloat32

// noParent is the parent of the root; with vector leaves it is -1.
const noParent = math.MaxInt32

func (m *model) writeTree(id int, t *ir.Tree) {
	a := &m.tree
	vectors := t.Vectors != nil && m.e.Outputs > 1 // XGBoost takes vectors of one for numbers
	a.reset(t)
	for number := range a.nodes {
		n := &t.Nodes[a.nodes[number]]
		a.hessian[number] = float64(n.Cover)
		switch {
		case !n.IsLeaf():
			m.putSplit(number, n)
		case vectors:
			a.putVector(number, t.Vectors[int(n.Vector)*m.e.Outputs:][:m.e.Outputs])
		case t.Vectors != nil:
			a.putLeaf(number, t.Vectors[n.Vector])
		default:
			a.putLeaf(number, n.Value)
		}
	}
	a.parents[0] = noParent
	size := 1
	if vectors {
		a.parents[0] = -1
		size = m.e.Outputs
		a.spreadWeights(t, size)
	}
	m.d.object(func() { m.writeArrays(id, size) })
}

// reset numbers the nodes and empties the arrays.
func (a *treeArrays) reset(t *ir.Tree) {
	n := len(t.Nodes)
	a.number(t)
	for _, s := range []*[]int64{&a.left, &a.right, &a.parents, &a.feature, &a.defaultLeft, &a.splitType} {
		*s = zeroed(*s, n)
	}
	for _, s := range []*[]float64{&a.condition, &a.hessian, &a.weights, &a.changes} {
		*s = zeroed(*s, n)
	}
	for _, s := range []*[]int64{&a.categoryNodes, &a.segments, &a.sizes, &a.categories} {
		*s = (*s)[:0]
	}
	a.leafWeights = a.leafWeights[:0]
}

func zeroed[T int32 | int64 | float64](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// number gives each node its number: the one it has if all of the tree's are such as
// XGBoost gives them, a right child next to its left sibling; otherwise in breadth.
func (a *treeArrays) number(t *ir.Tree) {
	a.ids, a.nodes = zeroed(a.ids, len(t.Nodes)), zeroed(a.nodes, len(t.Nodes))
	if !a.keepNumbers(t) {
		a.nodes = append(a.nodes[:0], 0)
		for number := 0; number < len(a.nodes); number++ {
			i := a.nodes[number]
			a.ids[i] = int32(number)
			if n := &t.Nodes[i]; !n.IsLeaf() {
				a.nodes = append(a.nodes, n.Left, n.Right)
			}
		}
	}
}

// keepNumbers takes the numbers of the trainer, and reports whether they will do.
func (a *treeArrays) keepNumbers(t *ir.Tree) bool {
	const free = -1
	for i := range a.nodes {
		a.nodes[i] = free
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.ID < 0 || int(n.ID) >= len(a.nodes) || a.nodes[n.ID] != free {
			return false
		}
		if !n.IsLeaf() && t.Nodes[n.Right].ID != t.Nodes[n.Left].ID+1 {
			return false
		}
		a.ids[i], a.nodes[n.ID] = n.ID, int32(i)
	}
	return t.Nodes[0].ID == 0
}

func (m *model) putSplit(number int, n *ir.Node) {
	a := &m.tree
	a.left[number], a.right[number] = int64(a.ids[n.Left]), int64(a.ids[n.Right])
	a.parents[a.left[number]], a.parents[a.right[number]] = int64(number), int64(number)
	a.feature[number] = int64(n.Feature)
	if n.DefaultLeft {
		a.defaultLeft[number] = 1
	}
	if n.Set == ir.NoSet {
		a.condition[number] = n.Threshold
		return
	}
	a.splitType[number] = 1
	a.condition[number] = smallest
	a.categoryNodes = append(a.categoryNodes, int64(number))
	a.segments = append(a.segments, int64(len(a.categories)))
	for _, s := range m.listed[n.Set] {
		for c := s.begin; c < s.end; c++ {
			a.categories = append(a.categories, int64(c))
		}
	}
	a.sizes = append(a.sizes, int64(len(a.categories))-a.segments[len(a.segments)-1])
}

func (a *treeArrays) putLeaf(number int, value float64) {
	a.left[number], a.right[number] = -1, -1
	a.condition[number], a.weights[number] = value, value
}

// putVector adds a vector leaf, whose right child is its row of the leaf weights.
func (a *treeArrays) putVector(number int, values []float64) {
	a.left[number], a.right[number] = -1, int64(len(a.leafWeights)/len(values))
	a.condition[number] = smallest
	a.leafWeights = append(a.leafWeights, values...)
}

// spreadWeights makes the weights rows of the given size.
func (a *treeArrays) spreadWeights(t *ir.Tree, size int) {
	a.weights = zeroed(a.weights, len(t.Nodes)*size)
	for number := range a.left {
		if a.left[number] == -1 {
			copy(a.weights[number*size:][:size], a.leafWeights[int(a.right[number])*size:])
		}
	}
}

// writeArrays writes the members of a tree with leaves of the given size.
func (m *model) writeArrays(id, size int) {
	a, d := &m.tree, m.d
	ints := func(key string, kind byte, v []int64) {
		d.key(key)
		d.ints(kind, v)
	}
	floats := func(key string, v []float64) {
		d.key(key)
		d.floats('d', v)
	}
	floats("base_weights", a.weights)
	ints("categories", 'l', a.categories)
	ints("categories_nodes", 'l', a.categoryNodes)
	ints("categories_segments", 'L', a.segments)
	ints("categories_sizes", 'L', a.sizes)
	ints("default_left", 'U', a.defaultLeft)
	d.key("id")
	d.integer(int64(id))
	if size > 1 {
		floats("leaf_weights", a.leafWeights)
	}
	ints("left_children", 'l', a.left)
	floats("loss_changes", a.changes)
	ints("parents", 'l', a.parents)
	ints("right_children", 'l', a.right)
	floats("split_conditions", a.condition)
	ints("split_indices", 'l', a.feature)
	ints("split_type", 'U', a.splitType)
	floats("sum_hessian", a.hessian)
	d.key("tree_param")
	d.object(func() {
		for _, p := range []struct {
			key   string
			value int
		}{{"num_deleted", 0}, {"num_feature", len(m.e.Features)}, {"num_nodes", len(a.left)}, {"size_leaf_vector", size}} {
			d.key(p.key)
			d.text(strconv.Itoa(p.value))
		}
	})
}

// A span is a half-open interval of categories.
type span struct{ begin, end int32 }

// endOfCategories is the first number that is none: float32 cannot tell it from its
// successor (dmlc/xgboost:src/common/categorical.h, OutOfRangeCat).
const endOfCategories = 1 << 24

// listedCategories returns, for each set that a node refers to, the categories that go
// right. XGBoost lists these, and sends all other values left: what is negative, not
// listed or no category. A value is cut to an integer first.
func listedCategories(e *ir.Ensemble) ([][]span, error) {
	listed := make([][]span, len(e.Sets))
	for i := range e.Trees {
		for j := range e.Trees[i].Nodes {
			n := &e.Trees[i].Nodes[j]
			if n.IsLeaf() || n.Set == ir.NoSet || listed[n.Set] != nil {
				continue
			}
			spans, err := categories(e.Sets[n.Set])
			if err != nil {
				return nil, fmt.Errorf("tree %d, node %d: %w", i, n.ID, err)
			}
			listed[n.Set] = spans
		}
	}
	return listed, nil
}

// categories returns the categories that are not in s.
func categories(s ir.Set) ([]span, error) {
	right := s.Complement()
	refuse := func(why string) ([]span, error) {
		return nil, fmt.Errorf("XGBoost 3.2 cannot express the set {%v} that goes left: %s", s, why)
	}
	switch {
	case len(right) == 0:
		return refuse("a split must list a category that goes right")
	case right[0] < 0:
		return refuse("negative numbers, which are no category, go right (XGBoost 1.6.0 to 1.7.2 decides so)")
	case len(right)%2 != 0:
		return refuse("numbers that are too large for a category go right")
	}
	spans := make([]span, 0, len(right)/2)
	for i := 0; i < len(right); i += 2 {
		begin, end := right[i], right[i+1]
		switch {
		case end > endOfCategories:
			return refuse("numbers that are too large for a category go right")
		case begin != math.Trunc(begin) || end != math.Trunc(end):
			return refuse("it parts numbers of one category")
		}
		spans = append(spans, span{int32(begin), int32(end)})
	}
	return spans, nil
}
