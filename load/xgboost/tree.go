package xgboost

import (
	"math"

	"hew/ir"
	"hew/load/internal/fault"
)

// A treeReader reads the trees of a model, one after the other.
type treeReader struct {
	m      *model
	fields []field
	arrays treeArrays // of the tree being read; their memory serves the next tree

	trees []ir.Tree
	sets  listedSets

	// What can be judged only at the end, with a tree and node to name.
	maxFeature   place // the largest feature that a split tests, as value
	apart        place // the first split whose children are not neighbours; value: the right child
	oldVectors   place // the first tree with leaf vectors in base_weights
	vectors      place // the first tree with leaf vectors; value: their size
	otherVectors place // the first tree with leaf vectors of another size
}

// A place is a node and a value found there. The zero place has tree 0, so ok tells
// whether there is one.
type place struct {
	tree, node, value int
	ok                bool
}

func (p *place) first(tree, node, value int) {
	if !p.ok {
		*p = place{tree, node, value, true}
	}
}

// treeArrays are the arrays of a tree, with one entry per node except where noted
// (dmlc/xgboost:src/tree/tree_model.cc, RegTree::SaveModel).
type treeArrays struct {
	id, numNodes, vectorSize int
	left, right, feature     []int32
	defaultLeft, splitType   []int32
	condition                []float32 // threshold, or the value of a leaf
	hessian                  []float32 // absent with leaf vectors up to 3.1
	baseWeights              []float32 // numNodes × vectorSize up to 3.1
	leafWeights              []float32 // leaves × vectorSize from 3.2

	// The categorical nodes, and for each the part of categories that goes right.
	categoryNodes, segments, sizes []int32
	categories                     []int32

	// Computed: the reachable nodes in preorder, the place of each node therein or
	// a mark, and the categorical node's place in categoryNodes or -1.
	order, index, category []int32
	stack                  []int32
}

// Marks in treeArrays.index.
const (
	notReached = -1
	onStack    = -2
)

func (t *treeReader) init(m *model) {
	t.m = m
	a := &t.arrays
	ints := func(dst *[]int32) func() error {
		return func() (err error) { *dst, err = m.ints(*dst); return err }
	}
	floats := func(dst *[]float32) func() error {
		return func() (err error) { *dst, err = m.floats(*dst); return err }
	}
	param := []field{
		{key: "num_nodes", read: m.count(&a.numNodes, "num_nodes", 1), required: true},
		{key: "size_leaf_vector", read: m.count(&a.vectorSize, "size_leaf_vector", 0)},
	}
	t.fields = []field{
		{key: "base_weights", read: floats(&a.baseWeights)},
		{key: "categories", read: ints(&a.categories)},
		{key: "categories_nodes", read: ints(&a.categoryNodes)},
		{key: "categories_segments", read: ints(&a.segments)},
		{key: "categories_sizes", read: ints(&a.sizes)},
		{key: "default_left", read: ints(&a.defaultLeft), required: true},
		{key: "id", read: m.count(&a.id, "the id of a tree", 0)},
		{key: "leaf_weights", read: floats(&a.leafWeights)},
		{key: "left_children", read: ints(&a.left), required: true},
		{key: "right_children", read: ints(&a.right), required: true},
		{key: "split_conditions", read: floats(&a.condition), required: true},
		{key: "split_indices", read: ints(&a.feature), required: true},
		{key: "split_type", read: ints(&a.splitType)},
		{key: "sum_hessian", read: floats(&a.hessian)},
		{key: "tree_param", read: func() error { return m.fieldsOf("tree_param", param) }, required: true},
	}
}

func (t *treeReader) readAll() error {
	return t.m.array(func() error {
		if err := t.read(); err != nil {
			return fault.InTree(len(t.trees), err)
		}
		return nil
	})
}

// read reads one tree and appends it.
func (t *treeReader) read() error {
	a := &t.arrays
	a.reset(len(t.trees))
	if err := t.m.fieldsOf("the tree", t.fields); err != nil {
		return err
	}
	if a.id != len(t.trees) {
		return fault.Formatf("its id is %d", a.id)
	}
	if err := a.checkSizes(); err != nil {
		return err
	}
	if err := a.indexCategories(); err != nil {
		return err
	}
	if err := t.walk(); err != nil {
		return err
	}
	tree, err := t.build()
	if err != nil {
		return err
	}
	t.trees = append(t.trees, tree)
	return nil
}

func (a *treeArrays) reset(id int) {
	a.id, a.vectorSize = id, 0
	for _, s := range []*[]int32{
		&a.left, &a.right, &a.feature, &a.defaultLeft, &a.splitType, &a.categoryNodes,
		&a.segments, &a.sizes, &a.categories, &a.order, &a.index, &a.category,
	} {
		*s = (*s)[:0]
	}
	for _, s := range []*[]float32{&a.condition, &a.hessian, &a.baseWeights, &a.leafWeights} {
		*s = (*s)[:0]
	}
}

func (a *treeArrays) checkSizes() error {
	for _, c := range []struct {
		key      string
		size     int
		optional bool
	}{
		{"left_children", len(a.left), false},
		{"right_children", len(a.right), false},
		{"split_indices", len(a.feature), false},
		{"split_conditions", len(a.condition), false},
		{"default_left", len(a.defaultLeft), false},
		{"split_type", len(a.splitType), true},
		{"sum_hessian", len(a.hessian), true},
	} {
		if c.size != a.numNodes && !(c.optional && c.size == 0) {
			return fault.Formatf("%d %s for %d nodes", c.size, c.key, a.numNodes)
		}
	}
	return nil
}

// indexCategories finds the category list of each node. The nodes ascend: XGBoost
// reads them in step with the nodes (RegTree::LoadCategoricalSplit). It writes the
// lists one behind the other (SaveCategoricalSplit); lists that share their parts
// would let a small file make sets of any size.
func (a *treeArrays) indexCategories() error {
	if len(a.segments) != len(a.categoryNodes) || len(a.sizes) != len(a.categoryNodes) {
		return fault.Formatf("%d categories_nodes, %d categories_segments and %d categories_sizes",
			len(a.categoryNodes), len(a.segments), len(a.sizes))
	}
	if len(a.categoryNodes) == 0 {
		return nil
	}
	a.category = fill(a.category, a.numNodes, -1)
	total := 0
	for i, n := range a.categoryNodes {
		if n < 0 || int(n) >= a.numNodes || i > 0 && n <= a.categoryNodes[i-1] {
			return fault.Formatf("categories_nodes holds %d at place %d", n, i)
		}
		begin, size := int(a.segments[i]), int(a.sizes[i])
		if begin < 0 || size <= 0 || begin+size > len(a.categories) {
			return fault.InNode(-1, int(n), fault.Formatf("its %d categories from place %d are not among the %d of the tree",
				size, begin, len(a.categories)))
		}
		a.category[n] = int32(i)
		if total += size; total > len(a.categories) {
			return fault.InNode(-1, int(n), fault.Formatf("its categories are those of another node too"))
		}
	}
	return nil
}

// fill returns s, resized to n elements of the given value.
func fill(s []int32, n int, value int32) []int32 {
	if cap(s) < n {
		s = make([]int32, n)
	}
	s = s[:n]
	for i := range s {
		s[i] = value
	}
	return s
}

// walk finds the reachable nodes. Others are left over from pruning, and their
// entries mean nothing.
func (t *treeReader) walk() error {
	a := &t.arrays
	a.index = fill(a.index, a.numNodes, notReached)
	a.stack = append(a.stack[:0], 0)
	for len(a.stack) > 0 {
		n := a.stack[len(a.stack)-1]
		a.stack = a.stack[:len(a.stack)-1]
		a.index[n] = int32(len(a.order))
		a.order = append(a.order, n)
		if a.left[n] == -1 {
			continue
		}
		// Right first, so that left is on top.
		if err := a.push("right", n, a.right[n]); err != nil {
			return err
		}
		if err := a.push("left", n, a.left[n]); err != nil {
			return err
		}
		if a.right[n] != a.left[n]+1 {
			t.apart.first(len(t.trees), int(n), int(a.right[n]))
		}
	}
	return nil
}

func (a *treeArrays) push(side string, node, child int32) error {
	if child < 0 || int(child) >= a.numNodes {
		return fault.InNode(-1, int(node), fault.Formatf("%s child %d out of range [0, %d)", side, child, a.numNodes))
	}
	if a.index[child] != notReached {
		return fault.InNode(-1, int(node), fault.Formatf("%s child %d has another parent or is the root", side, child))
	}
	a.index[child] = onStack
	a.stack = append(a.stack, child)
	return nil
}

// build makes the tree of the reachable nodes.
func (t *treeReader) build() (ir.Tree, error) {
	a := &t.arrays
	tree := ir.Tree{Nodes: make([]ir.Node, len(a.order))}
	vectors := a.vectorSize > 1
	if vectors {
		if err := t.checkVectors(); err != nil {
			return tree, err
		}
		tree.Vectors = make([]float64, 0, (len(a.order)+1)/2*a.vectorSize)
	}
	for i, id := range a.order {
		n := &tree.Nodes[i]
		n.ID = id
		n.Set = ir.NoSet
		if len(a.hessian) > 0 {
			n.Cover = a.hessian[id]
		}
		var err error
		switch {
		case a.left[id] != -1:
			err = t.split(n)
		case vectors:
			tree.Vectors, err = t.vectorLeaf(n, tree.Vectors)
		default:
			err = a.leaf(n)
		}
		if err != nil {
			return tree, fault.InNode(-1, int(id), err)
		}
	}
	return tree, nil
}

// split fills in a split: a row goes left iff its value is less than the threshold,
// both float32 (dmlc/xgboost:src/predictor/predict_fn.h).
func (t *treeReader) split(n *ir.Node) error {
	a := &t.arrays
	id := n.ID
	n.Feature = a.feature[id]
	n.Left, n.Right = a.index[a.left[id]], a.index[a.right[id]]
	n.DefaultLeft = a.defaultLeft[id] == 1
	if n.Feature < 0 {
		return fault.Formatf("feature %d out of range", n.Feature)
	}
	if !t.maxFeature.ok || int(n.Feature) > t.maxFeature.value {
		t.maxFeature = place{len(t.trees), int(id), int(n.Feature), true}
	}
	if d := a.defaultLeft[id]; d != 0 && d != 1 {
		return fault.Formatf("default_left is %d", d)
	}
	if len(a.splitType) > 0 && a.splitType[id] != 0 {
		return t.categoricalSplit(n, a.splitType[id])
	}
	n.Threshold = float64(a.condition[id])
	if math.IsNaN(n.Threshold) {
		return fault.Formatf("threshold is NaN")
	}
	return nil
}

// categoricalSplit records the categories that go right; finish.go makes the set
// of values that go left, which depends on the version.
func (t *treeReader) categoricalSplit(n *ir.Node, splitType int32) (err error) {
	a := &t.arrays
	if splitType != 1 {
		return fault.Formatf("split type %d", splitType)
	}
	if len(a.category) == 0 || a.category[n.ID] < 0 {
		return fault.Formatf("categorical split without categories")
	}
	i := a.category[n.ID]
	n.Set, err = t.sets.add(a.categories[a.segments[i]:][:a.sizes[i]])
	return err
}

func (a *treeArrays) leaf(n *ir.Node) error {
	n.Feature, n.Left, n.Right = ir.NoFeature, -1, -1
	if r := a.right[n.ID]; r != -1 {
		return fault.Formatf("right child %d, but no left child", r)
	}
	n.Value = float64(a.condition[n.ID])
	if math.IsNaN(n.Value) {
		return fault.Formatf("leaf value is NaN")
	}
	return nil
}

// checkVectors checks the sizes of the arrays that hold leaf vectors.
func (t *treeReader) checkVectors() error {
	a := &t.arrays
	tree := len(t.trees)
	t.vectors.first(tree, -1, a.vectorSize)
	if a.vectorSize != t.vectors.value {
		t.otherVectors.first(tree, -1, a.vectorSize)
	}
	if len(a.leafWeights) > 0 {
		if len(a.leafWeights)%a.vectorSize != 0 {
			return fault.Formatf("%d leaf_weights for vectors of %d", len(a.leafWeights), a.vectorSize)
		}
		return nil
	}
	t.oldVectors.first(tree, -1, 0)
	if want := int64(a.numNodes) * int64(a.vectorSize); int64(len(a.baseWeights)) != want {
		return fault.Formatf("size_leaf_vector is %d, but there are neither leaf_weights nor %d base_weights", a.vectorSize, want)
	}
	return nil
}

// vectorLeaf appends the vector of a leaf. From 3.2 the right child of a leaf is its
// row of leaf_weights; before, base_weights has a row for each node
// (dmlc/xgboost:src/tree/multi_target_tree_model.cc).
func (t *treeReader) vectorLeaf(n *ir.Node, vectors []float64) ([]float64, error) {
	a := &t.arrays
	n.Feature, n.Left, n.Right = ir.NoFeature, -1, -1
	n.Vector = int32(len(vectors) / a.vectorSize)
	rows, row := a.leafWeights, int(a.right[n.ID])
	if len(rows) == 0 {
		rows, row = a.baseWeights, int(n.ID)
	}
	if count := len(rows) / a.vectorSize; row < 0 || row >= count {
		return vectors, fault.Formatf("leaf vector %d out of range [0, %d)", row, count)
	}
	for _, v := range rows[row*a.vectorSize:][:a.vectorSize] {
		if v != v {
			return vectors, fault.Formatf("leaf value is NaN")
		}
		vectors = append(vectors, float64(v))
	}
	return vectors, nil
}

func (p place) fail(format string, args ...any) error {
	return fault.InNode(p.tree, p.node, fault.Formatf(format, args...))
}
