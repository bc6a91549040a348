package sklearn

import (
	"math"
	"slices"

	"hew/interp"
	"hew/ir"
	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// nodes are the arrays of a sklearn.tree._tree.Tree, read in place.
//
// Source: sklearn/tree/_tree.pyx, NODE_DTYPE; fields are found by name, because the
// record has 56 bytes up to 1.2 and 64 later.
type nodes struct {
	n                               int
	left, right, feature, threshold record.Column
	missing                         record.Column // missing_go_to_left, of 1.3 and later
	hasMissing                      bool
	samples                         record.Column // n_node_samples
	weight                          record.Column // weighted_n_node_samples
	values                          record.Column // n × outputs × classes
	outputs, classes                int
}

// readNodes reads a Tree, attribute tree_ of an estimator.
func readNodes(o *record.Object) (*nodes, error) {
	t, err := object(o, "tree_")
	if err != nil {
		return nil, err
	}
	a, ok := attr(t, "nodes").(*record.Array)
	v, okV := attr(t, "values").(*record.Array)
	if !ok || !okV || len(v.Shape) != 3 || a.DType.Kind != 'V' {
		return nil, attrError(o, "tree_", "has no nodes and values")
	}
	count, err := integer(t, "node_count")
	if err != nil {
		return nil, err
	}
	if count < 1 || count > a.Len() || v.Shape[0] != a.Len() {
		return nil, attrError(o, "tree_", "%d nodes, arrays of %d and %d", count, a.Len(), v.Shape[0])
	}
	n := &nodes{n: count, outputs: v.Shape[1], classes: v.Shape[2]}
	if n.values, err = v.Column(""); err != nil {
		return nil, attrError(o, "tree_.values", "%v", err)
	}
	for _, f := range []struct {
		name string
		to   *record.Column
	}{
		{"left_child", &n.left}, {"right_child", &n.right}, {"feature", &n.feature}, {"threshold", &n.threshold},
		{"n_node_samples", &n.samples}, {"weighted_n_node_samples", &n.weight},
	} {
		if *f.to, err = a.Column(f.name); err != nil {
			return nil, attrError(o, "tree_.nodes", "%v", err)
		}
	}
	if n.missing, err = a.Column("missing_go_to_left"); err == nil {
		n.hasMissing = true
	}
	if _, err := a.DType.Field("categorical_bitset"); err == nil {
		return nil, fault.Unsupportedf("a tree with categorical splits, of a development version of scikit-learn, is not supported")
	}
	return n, nil
}

// value returns entry k of the values of a node, which are outputs × classes.
func (n *nodes) value(node, k int) float64 {
	return n.values.Float64(node*n.outputs*n.classes + k)
}

func (n *nodes) isLeaf(i int) bool { return n.left.Int64(i) == -1 }

// A leafFunc says what a leaf adds: it appends the leaf's numbers to dst.
type leafFunc func(dst []float64, leaf int) []float64

// tree returns n as a tree whose splits test the given columns of the ensemble, with
// width numbers in a leaf. Nodes keep their order and number.
//
// Source: sklearn/tree/_tree.pyx, Tree._apply_dense: a row goes left if its value,
// as float32, is at most the threshold, in float64.
func (n *nodes) tree(columns []int32, width int, leaf leafFunc) (ir.Tree, error) {
	t := ir.Tree{Nodes: make([]ir.Node, n.n)}
	if width > 1 {
		t.Vectors = make([]float64, 0, (n.n+1)/2*width)
	}
	var one []float64
	for i := range t.Nodes {
		d := &t.Nodes[i]
		d.ID, d.Cover, d.Set = int32(i), float32(n.weight.Float64(i)), ir.NoSet
		if !n.isLeaf(i) {
			if err := n.split(d, i, columns); err != nil {
				return t, fault.InNode(-1, i, err)
			}
			continue
		}
		d.Feature = ir.NoFeature
		if width > 1 {
			d.Vector = int32(len(t.Vectors) / width)
			t.Vectors = leaf(t.Vectors, i)
			one = t.Vectors[len(t.Vectors)-width:]
		} else {
			one = leaf(one[:0], i)
			d.Value = one[0]
		}
		if slices.ContainsFunc(one, func(v float64) bool { return v != v }) {
			return t, fault.InNode(-1, i, fault.Formatf("the value of the leaf is NaN"))
		}
	}
	return t, nil
}

// split fills in a split.
func (n *nodes) split(d *ir.Node, i int, columns []int32) error {
	left, right, feature := n.left.Int64(i), n.right.Int64(i), n.feature.Int64(i)
	for _, child := range [2]int64{left, right} {
		if child <= int64(i) || child >= int64(n.n) {
			return fault.Formatf("child %d is not a later node of %d", child, n.n)
		}
	}
	if feature < 0 || feature >= int64(len(columns)) {
		return fault.Formatf("feature %d of %d", feature, len(columns))
	}
	threshold := n.threshold.Float64(i)
	if threshold != threshold {
		return fault.Formatf("threshold is NaN")
	}
	d.Left, d.Right, d.Feature = int32(left), int32(right), columns[feature]
	d.Threshold = above32(threshold)
	d.DefaultLeft = n.hasMissing && n.missing.Int64(i) != 0
	if math.IsInf(threshold, 1) { // every number goes left, +Inf too: none is below -Inf
		d.Threshold = math.Inf(-1)
		d.Left, d.Right, d.DefaultLeft = d.Right, d.Left, !d.DefaultLeft
	}
	return nil
}

// columns32 returns the columns of the ensemble that trees test, which compare
// float32 values, after checking that an estimator was fitted to as many.
func (m *model) columns32(o *record.Object, in []column) ([]int32, error) {
	if err := checkWidth(o, in); err != nil {
		return nil, err
	}
	out := make([]int32, len(in))
	for j, c := range in {
		i, err := m.use(c, true)
		if err != nil {
			return nil, err
		}
		out[j] = i
	}
	return out, nil
}

// checkWidth reports an estimator or transformer that was fitted to another number
// of columns.
func checkWidth(o *record.Object, in []column) error {
	if attr(o, "n_features_in_") == nil {
		return nil // 1.0 and composites do not have it everywhere
	}
	n, err := integer(o, "n_features_in_")
	if err == nil && n != len(in) {
		err = fault.Formatf("%s was fitted to %d columns and is given %d", o.Class.Name, n, len(in))
	}
	return err
}

// takesMissing reports whether a tree estimator takes missing values.
//
// Source: sklearn/tree/_classes.py, _support_missing_values and the tag allow_nan of
// each class: since 1.3 for the best splitter, since 1.6 for the random one; since
// 1.9 for every criterion and with monotone constraints.
func takesMissing(o *record.Object, v version) bool {
	if v < 103 || v < 109 && attr(o, "monotonic_cst") != nil {
		return false
	}
	switch text(o, "splitter") {
	case "best":
	case "random":
		if v < 106 {
			return false
		}
	default:
		return false
	}
	return v >= 109 || slices.Contains([]string{"gini", "log_loss", "entropy", "squared_error", "friedman_mse", "poisson"}, text(o, "criterion"))
}

// refuseTree says what tree estimators refuse: they cast rows to float32 and want
// finite values.
func (m *model) refuseTree(in []column, missing bool) {
	what := ir.Infinite | ir.TooLarge
	if !missing {
		what |= ir.Missing
	}
	m.refuse(in, what)
}

// classCounts returns the number of classes of each target of a classifier.
func classCounts(o *record.Object) ([]int, error) {
	v, err := numbersOf(attr(o, "n_classes_"))
	if err != nil {
		n, ok := numberOf(attr(o, "n_classes_"))
		if !ok {
			return nil, attrError(o, "n_classes_", "%v", err)
		}
		v = []float64{n}
	}
	counts := make([]int, len(v))
	for i, n := range v {
		if n < 1 || n > 1<<20 || n != math.Trunc(n) {
			return nil, attrError(o, "n_classes_", "%v", n)
		}
		counts[i] = int(n)
	}
	return counts, nil
}

// targetLabels returns the labels of each target.
func targetLabels(o *record.Object, targets int) ([]ir.Labels, error) {
	if targets == 1 {
		if a, ok := attr(o, "classes_").(*record.Array); ok {
			l, err := labelsOf(a)
			if err != nil {
				err = attrError(o, "classes_", "%v", err)
			}
			return []ir.Labels{l}, err
		}
	}
	items, ok := itemsOf(attr(o, "classes_"))
	if !ok || len(items) != targets {
		return nil, attrError(o, "classes_", "not a list of %d arrays", targets)
	}
	var all []ir.Labels
	for _, item := range items {
		l, err := labelsOf(item)
		if err != nil {
			return nil, attrError(o, "classes_", "%v", err)
		}
		all = append(all, l)
	}
	return all, nil
}

// probabilities returns what a leaf of a classifier adds: the probabilities of the
// classes of all targets, one after the other.
//
// Source: sklearn/tree/_classes.py, predict_proba: up to 1.3 values are weighted
// counts, which it divides by their sum, or by 1 if that is 0; later ones are
// fractions, which it takes as they are.
func (n *nodes) probabilities(counts []int, v version) (leafFunc, error) {
	if len(counts) != n.outputs || slices.Max(counts) > n.classes {
		return nil, fault.Formatf("a tree of %d targets and %d classes for %v classes", n.outputs, n.classes, counts)
	}
	return func(dst []float64, leaf int) []float64 {
		for k, c := range counts {
			from := len(dst)
			for j := range c {
				dst = append(dst, n.value(leaf, k*n.classes+j))
			}
			if v < 104 {
				divideBySum(dst[from:])
			}
		}
		return dst
	}, nil
}

// regression returns what a leaf of a regressor adds, a number for each target.
func (n *nodes) regression() (leafFunc, error) {
	if n.classes != 1 {
		return nil, fault.Formatf("a tree of %d classes in a regressor", n.classes)
	}
	return func(dst []float64, leaf int) []float64 {
		for k := range n.outputs {
			dst = append(dst, n.value(leaf, k))
		}
		return dst
	}, nil
}

// divideBySum divides numbers by their sum, or by 1 if that is 0.
func divideBySum(x []float64) {
	sum := interp.PairwiseSum(x)
	if sum == 0 {
		sum = 1
	}
	for i := range x {
		x[i] /= sum
	}
}
