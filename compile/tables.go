package compile

import (
	"errors"
	"fmt"

	"hew/ir"
	"hew/kernel"
	"hew/quantize"
)

// Tables returns what kernels evaluate: the comparisons of e between ranks. A
// linear model has none.
//
// Trees that share their nodes share their tables. Leaves keep the trainer's
// numbers. An ensemble whose leaves a pass has merged gives the right margins only;
// its leaf numbers come from the tables of the ensemble as it was before.
func Tables(e *ir.Ensemble) (*kernel.Model, error) {
	if e.Linear != nil {
		return nil, errors.New("a linear model has no trees")
	}
	r, err := quantize.Rank(e)
	if err != nil {
		return nil, fmt.Errorf("ranks: %w", err)
	}
	m := &kernel.Model{
		Features: e.NumColumns(),
		Outputs:  e.Outputs,
		Base:     e.BaseMargin,
		BaseLast: e.BaseLast,
		Columns:  make([]kernel.Column, len(r.Columns)),
		Trees:    make([]kernel.Tree, len(e.Trees)),
	}
	for i, c := range r.Columns {
		m.Columns[i] = kernel.Column(c)
	}
	first := make(map[*ir.Node]int, len(e.Trees))
	for i := range e.Trees {
		t := &e.Trees[i]
		k, shared := first[&t.Nodes[0]]
		if !shared {
			first[&t.Nodes[0]] = i
			m.Trees[i] = table(t, r.Splits[i])
			continue
		}
		m.Trees[i] = m.Trees[k]
		m.Trees[i].Output = t.Output
	}
	return m, nil
}

func table(t *ir.Tree, splits []quantize.Split) kernel.Tree {
	nodes := make([]kernel.Node, len(t.Nodes))
	for i := range nodes {
		n := &t.Nodes[i]
		if n.IsLeaf() {
			nodes[i] = kernel.Node{Column: kernel.Leaf, ID: n.ID, Vector: n.Vector, Value: n.Value}
		} else {
			nodes[i] = kernel.Node{Column: splits[i].Column, Rank: splits[i].Rank, Left: n.Left, Right: n.Right}
		}
	}
	return kernel.Tree{Nodes: nodes, Output: t.Output, Vectors: t.Vectors}
}
