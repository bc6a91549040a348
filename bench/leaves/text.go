package leaves

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"hew/ir"
)

// decisionType is LightGBM's for a numerical split in which NaN, and nothing
// else, is missing; defaultLeft is added where it goes left
// (microsoft/LightGBM:include/LightGBM/tree.h, kDefaultLeftMask, missing type 2).
const (
	decisionType = 2 << 2
	defaultLeft  = 1 << 1
)

// Text returns the trees of e in LightGBM's text form, version v3, with the fields
// that leaves, LightGBM and lleaves read. Base margins and link stay outside: what
// reads it gives the sums of leaf values. An error is ErrUnsupported.
func Text(e *ir.Ensemble) ([]byte, error) {
	trees, err := order(e)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	sizes := make([]int, len(trees))
	for i, t := range trees {
		begin := body.Len()
		fmt.Fprintf(&body, "Tree=%d\n", i)
		writeTree(&body, t, e.Input)
		body.WriteString("\n\n")
		sizes[i] = body.Len() - begin
	}
	body.WriteString("end of trees\n\npandas_categorical:null\n")
	return append(head(e, sizes), body.Bytes()...), nil
}

// head returns what stands before trees of the given sizes.
func head(e *ir.Ensemble, sizes []int) []byte {
	objective := "regression"
	if e.Outputs > 1 {
		objective = fmt.Sprintf("multiclass num_class:%d", e.Outputs)
	}
	names, infos := make([]string, len(e.Features)), make([]string, len(e.Features))
	for i := range names {
		names[i] = fmt.Sprintf("f%d", i) // theirs may have blanks
		infos[i] = "[-inf:inf]"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree\nversion=v3\nnum_class=%d\nnum_tree_per_iteration=%d\nlabel_index=0\nmax_feature_idx=%d\nobjective=%s\n",
		e.Outputs, e.Outputs, len(e.Features)-1, objective)
	writeField(&b, "feature_names", names, func(s string) string { return s })
	writeField(&b, "feature_infos", infos, func(s string) string { return s })
	writeField(&b, "tree_sizes", sizes, strconv.Itoa)
	b.WriteByte('\n')
	return b.Bytes()
}

// order returns the trees of e such that tree i adds to output i mod Outputs, as
// LightGBM has it. The order of the trees of one output stays.
func order(e *ir.Ensemble) ([]*ir.Tree, error) {
	if err := unsupported(e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	next := make([]int, e.Outputs) // how many trees of each output were placed
	trees := make([]*ir.Tree, len(e.Trees))
	for i := range e.Trees {
		k := int(e.Trees[i].Output)
		at := next[k]*e.Outputs + k
		if at >= len(trees) || len(trees)%e.Outputs != 0 {
			return nil, fmt.Errorf("%w: outputs have different numbers of trees", ErrUnsupported)
		}
		trees[at] = &e.Trees[i]
		next[k]++
	}
	return trees, nil
}

func unsupported(e *ir.Ensemble) error {
	switch {
	case e.Linear != nil:
		return fmt.Errorf("a linear model")
	case len(e.Trees) == 0:
		return fmt.Errorf("no trees")
	case e.Columns != nil:
		return fmt.Errorf("splits test columns that a pipeline computes")
	}
	for i := range e.Trees {
		if e.Trees[i].Vectors != nil && e.Outputs > 1 {
			return fmt.Errorf("tree %d has vector leaves", i)
		}
		for j, n := range e.Trees[i].Nodes {
			if !n.IsLeaf() && n.Set != ir.NoSet {
				return fmt.Errorf("tree %d, node %d: a categorical split", i, j)
			}
		}
	}
	return nil
}

// writeTree writes the fields of t. LightGBM numbers splits from 0 up and leaves
// from -1 down, each in preorder.
func writeTree(b *bytes.Buffer, t *ir.Tree, input ir.Precision) {
	number := make([]int, len(t.Nodes))
	var splits, leaves []*ir.Node
	t.Walk(func(i, _ int) {
		n := &t.Nodes[i]
		if n.IsLeaf() {
			leaves = append(leaves, n)
			number[i] = -len(leaves)
			return
		}
		number[i] = len(splits)
		splits = append(splits, n)
	})
	fmt.Fprintf(b, "num_leaves=%d\nnum_cat=0\n", len(leaves))
	one := func(*ir.Node) string { return "1" } // LightGBM wants weights and counts, and scores without
	writeField(b, "split_feature", splits, func(n *ir.Node) string { return strconv.Itoa(int(n.Feature)) })
	writeField(b, "split_gain", splits, one)
	writeField(b, "threshold", splits, func(n *ir.Node) string { return threshold(n.Threshold, input) })
	writeField(b, "decision_type", splits, func(n *ir.Node) string {
		if n.DefaultLeft {
			return strconv.Itoa(decisionType | defaultLeft)
		}
		return strconv.Itoa(decisionType)
	})
	writeField(b, "left_child", splits, func(n *ir.Node) string { return strconv.Itoa(number[n.Left]) })
	writeField(b, "right_child", splits, func(n *ir.Node) string { return strconv.Itoa(number[n.Right]) })
	writeField(b, "leaf_value", leaves, func(n *ir.Node) string {
		if t.Vectors != nil {
			return formatFloat(t.Vectors[n.Vector])
		}
		return formatFloat(n.Value)
	})
	writeField(b, "leaf_weight", leaves, one)
	writeField(b, "leaf_count", leaves, one)
	writeField(b, "internal_value", splits, one)
	writeField(b, "internal_weight", splits, one)
	writeField(b, "internal_count", splits, one)
	b.WriteString("is_linear=0\nshrinkage=1\n")
}

func writeField[T any](b *bytes.Buffer, name string, of []T, value func(T) string) {
	b.WriteString(name)
	b.WriteByte('=')
	for i, v := range of {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(value(v))
	}
	b.WriteByte('\n')
}

// threshold returns the number u such that x <= u, which LightGBM asks, is x < t
// for every x of the input type: the number of that type below t. No number is below
// -Inf, nothing is less than -Inf, and nothing is <= NaN.
func threshold(t float64, input ir.Precision) string {
	switch {
	case math.IsInf(t, -1):
		return "NaN"
	case input == ir.Double:
		return formatFloat(math.Nextafter(t, math.Inf(-1)))
	}
	return formatFloat(float64(math.Nextafter32(float32(t), float32(math.Inf(-1)))))
}

// formatFloat returns the shortest text that is read back as v.
func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
