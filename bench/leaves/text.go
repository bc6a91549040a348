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

// text returns the trees of e in LightGBM's text form, version v3, with the
// fields that leaves reads. Base margins and link stay outside.
func text(e *ir.Ensemble) (*bytes.Buffer, error) {
	trees, err := order(e)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree\nversion=v3\nnum_class=%d\nnum_tree_per_iteration=%d\nmax_feature_idx=%d\ntree_sizes=",
		e.Outputs, e.Outputs, len(e.Features)-1)
	for i := range trees {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('0') // leaves counts the sizes and does not use them
	}
	b.WriteString("\n\n")
	for i, t := range trees {
		fmt.Fprintf(&b, "Tree=%d\n", i)
		writeTree(&b, t)
		b.WriteByte('\n')
	}
	return &b, nil
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
	}
	for i := range e.Trees {
		if e.Trees[i].Vectors != nil {
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
func writeTree(b *bytes.Buffer, t *ir.Tree) {
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
	if len(splits) > 0 {
		writeField(b, "split_feature", splits, func(n *ir.Node) string { return strconv.Itoa(int(n.Feature)) })
		writeField(b, "threshold", splits, func(n *ir.Node) string { return threshold(n.Threshold) })
		writeField(b, "decision_type", splits, func(n *ir.Node) string {
			if n.DefaultLeft {
				return strconv.Itoa(decisionType | defaultLeft)
			}
			return strconv.Itoa(decisionType)
		})
		writeField(b, "left_child", splits, func(n *ir.Node) string { return strconv.Itoa(number[n.Left]) })
		writeField(b, "right_child", splits, func(n *ir.Node) string { return strconv.Itoa(number[n.Right]) })
	}
	writeField(b, "leaf_value", leaves, func(n *ir.Node) string { return formatFloat(n.Value) })
}

func writeField(b *bytes.Buffer, name string, nodes []*ir.Node, value func(n *ir.Node) string) {
	b.WriteString(name)
	sep := byte('=')
	for _, n := range nodes {
		b.WriteByte(sep)
		b.WriteString(value(n))
		sep = ' '
	}
	b.WriteByte('\n')
}

// threshold returns the number u such that x <= u, which LightGBM asks, is x < t
// for every float32 x: the float32 below t. No number is below -Inf, nothing is
// less than -Inf, and nothing is <= NaN.
func threshold(t float64) string {
	if math.IsInf(t, -1) {
		return "NaN"
	}
	return formatFloat(float64(math.Nextafter32(float32(t), float32(math.Inf(-1)))))
}

// formatFloat returns the shortest text that is read back as v.
func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
