package interp

import "hew/ir"

// float is a type in which features are compared or margins are summed.
type float interface{ float32 | float64 }

// row returns the values of row i that splits refer to.
func row[In float](e *ir.Ensemble, x []In, i int) []In {
	n := len(e.Features)
	x = x[i*n : (i+1)*n]
	if e.Columns == nil {
		return x
	}
	return columns(e, x, make([]In, len(e.Columns)))
}

// margin writes the margins of one row to out. Sum is the type of e's sums.
func margin[In, Sum float](e *ir.Ensemble, out []Sum, row []In, base []Sum) {
	switch {
	case e.Linear != nil:
		linear(e.Linear, out, row, base)
	case e.BaseLast:
		clear(out)
		addTrees(e, out, row)
		for k := range out {
			out[k] += base[k]
		}
	default:
		copy(out, base)
		addTrees(e, out, row)
	}
}

func addTrees[In, Sum float](e *ir.Ensemble, out []Sum, row []In) {
	for t := range e.Trees {
		tree := &e.Trees[t]
		leaf := walk(e, tree, row)
		if tree.Vectors == nil {
			out[tree.Output] += Sum(leaf.Value)
			continue
		}
		for k, v := range vector(e, tree, leaf) {
			out[k] += Sum(v)
		}
	}
}

// linear follows dmlc/xgboost:src/gbm/gblinear.cc, GBLinear::Pred.
func linear[In, Sum float](l *ir.Linear, out []Sum, row []In, base []Sum) {
	for k := range out {
		out[k] = Sum(l.Bias[k]) + base[k]
	}
	for j, x := range row {
		if x != x {
			continue
		}
		for k := range out {
			out[k] += Sum(Sum(x) * Sum(l.Weights[j*len(out)+k]))
		}
	}
}

// leaves writes, for each row and tree, the number of the leaf.
func leaves[In float](m *Engine, dst []int32, x []In) {
	n := len(m.e.Trees)
	for i := range m.rows(len(x), len(dst), n) {
		row := row(m.e, x, i)
		for t := range m.e.Trees {
			dst[i*n+t] = walk(m.e, &m.e.Trees[t], row).ID
		}
	}
}

// walk returns the leaf of t that row reaches.
func walk[In float](e *ir.Ensemble, t *ir.Tree, row []In) *ir.Node {
	n := &t.Nodes[0]
	for !n.IsLeaf() {
		if e.GoesLeft(n, float64(row[n.Feature])) {
			n = &t.Nodes[n.Left]
		} else {
			n = &t.Nodes[n.Right]
		}
	}
	return n
}

// vector returns the values of a vector leaf.
func vector(e *ir.Ensemble, t *ir.Tree, leaf *ir.Node) []float64 {
	at := int(leaf.Vector) * e.Outputs
	return t.Vectors[at : at+e.Outputs]
}
