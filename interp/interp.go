// Package interp evaluates an ensemble by walking its trees; it defines the
// right answer for every other engine.
//
// It states what package ir says about arithmetic in the shortest way that
// computes it: rows one after the other, trees in order, float32 sums. A product
// that is added stands in a conversion, so that no target fuses the two. Nothing
// is prepared or reordered for speed.
package interp

import (
	"fmt"

	"hew/ir"
)

// An Engine evaluates one ensemble. Its methods are safe for concurrent use.
//
// They take x as rows × features values, row-major, and panic if the length of
// an argument does not fit the shape.
type Engine struct {
	e    *ir.Ensemble
	base []float32
}

// New returns an engine for e, which must be well formed and must not change
// while the engine is in use.
func New(e *ir.Ensemble) *Engine {
	m := &Engine{e: e, base: make([]float32, e.Outputs)}
	for k, b := range e.BaseMargin {
		m.base[k] = float32(b)
	}
	return m
}

// Margin writes rows × outputs sums before the link.
func (m *Engine) Margin(dst, x []float32) {
	k := m.e.Outputs
	for i := range m.rows(x, len(dst), k) {
		m.margin(dst[i*k:(i+1)*k], m.row(x, i), m.base)
	}
}

// MarginFrom is Margin with base margins given for each row, rows × outputs
// values, in place of the ensemble's own.
func (m *Engine) MarginFrom(dst, x, base []float32) {
	k := m.e.Outputs
	if len(base) != len(dst) {
		panic(fmt.Sprintf("interp: %d base margins for %d margins", len(base), len(dst)))
	}
	for i := range m.rows(x, len(dst), k) {
		m.margin(dst[i*k:(i+1)*k], m.row(x, i), base[i*k:(i+1)*k])
	}
}

// Predict writes, for each row, the link's values: as many as there are outputs,
// or one for ir.Argmax.
func (m *Engine) Predict(dst, x []float32) {
	k, w := m.e.Outputs, m.e.Link.Width(m.e.Outputs)
	var stack [64]float32 // enough for most ensembles, so that nothing is allocated
	margins := stack[:]
	if k > len(stack) {
		margins = make([]float32, k)
	}
	margins = margins[:k]
	for i := range m.rows(x, len(dst), w) {
		m.margin(margins, m.row(x, i), m.base)
		link(m.e.Link, dst[i*w:(i+1)*w], margins)
	}
}

// Transform writes the link's values for rows × outputs margins.
func (m *Engine) Transform(dst, margins []float32) {
	k, w := m.e.Outputs, m.e.Link.Width(m.e.Outputs)
	if len(margins)%k != 0 || len(dst) != len(margins)/k*w {
		panic(fmt.Sprintf("interp: %d predictions for %d margins of %d outputs", len(dst), len(margins), k))
	}
	for i := range len(margins) / k {
		link(m.e.Link, dst[i*w:(i+1)*w], margins[i*k:(i+1)*k])
	}
}

// Leaf writes rows × trees numbers: for each tree, the trainer's number of the
// leaf that the row reaches.
func (m *Engine) Leaf(dst []int32, x []float32) {
	n := len(m.e.Trees)
	for i := range m.rows(x, len(dst), n) {
		row := m.row(x, i)
		for t := range m.e.Trees {
			dst[i*n+t] = m.walk(&m.e.Trees[t], row).ID
		}
	}
}

// PerTree writes what each tree adds to the margins of each row: in the order of
// trees, one value or, for a tree with vector leaves, one per output.
func (m *Engine) PerTree(dst, x []float32) {
	w := m.PerTreeWidth()
	for i := range m.rows(x, len(dst), w) {
		row, values := m.row(x, i), dst[i*w:i*w]
		for t := range m.e.Trees {
			tree := &m.e.Trees[t]
			leaf := m.walk(tree, row)
			if tree.Vectors == nil {
				values = append(values, float32(leaf.Value))
				continue
			}
			for _, v := range m.vector(tree, leaf) {
				values = append(values, float32(v))
			}
		}
	}
}

// PerTreeWidth returns the number of values that PerTree writes for a row.
func (m *Engine) PerTreeWidth() int {
	w := 0
	for t := range m.e.Trees {
		if m.e.Trees[t].Vectors == nil {
			w++
		} else {
			w += m.e.Outputs
		}
	}
	return w
}

// rows returns the number of rows in x; it panics unless x is whole rows and a
// destination of the given length holds width values for each.
func (m *Engine) rows(x []float32, length, width int) int {
	n := len(x) / len(m.e.Features)
	if len(x) != n*len(m.e.Features) || length != n*width {
		panic(fmt.Sprintf("interp: %d results, %d per row, for %d values in rows of %d",
			length, width, len(x), len(m.e.Features)))
	}
	return n
}

func (m *Engine) row(x []float32, i int) []float32 {
	n := len(m.e.Features)
	return x[i*n : (i+1)*n]
}

// margin writes the margins of one row to out.
func (m *Engine) margin(out, row, base []float32) {
	switch {
	case m.e.Linear != nil:
		m.linear(out, row, base)
	case m.e.BaseLast:
		clear(out)
		m.addTrees(out, row)
		for k := range out {
			out[k] += base[k]
		}
	default:
		copy(out, base)
		m.addTrees(out, row)
	}
}

func (m *Engine) addTrees(out, row []float32) {
	for t := range m.e.Trees {
		tree := &m.e.Trees[t]
		leaf := m.walk(tree, row)
		if tree.Vectors == nil {
			out[tree.Output] += float32(leaf.Value)
			continue
		}
		for k, v := range m.vector(tree, leaf) {
			out[k] += float32(v)
		}
	}
}

// linear follows dmlc/xgboost:src/gbm/gblinear.cc, GBLinear::Pred.
func (m *Engine) linear(out, row, base []float32) {
	l := m.e.Linear
	for k := range out {
		out[k] = float32(l.Bias[k]) + base[k]
	}
	for j, x := range row {
		if x != x {
			continue
		}
		for k := range out {
			out[k] += float32(x * float32(l.Weights[j*len(out)+k]))
		}
	}
}

// walk returns the leaf of t that row reaches.
func (m *Engine) walk(t *ir.Tree, row []float32) *ir.Node {
	n := &t.Nodes[0]
	for !n.IsLeaf() {
		if m.goesLeft(n, row[n.Feature]) {
			n = &t.Nodes[n.Left]
		} else {
			n = &t.Nodes[n.Right]
		}
	}
	return n
}

// goesLeft compares in float64: it holds each float32 exactly, so the answer is
// that of a float32 comparison.
func (m *Engine) goesLeft(n *ir.Node, x float32) bool {
	switch {
	case x != x:
		return n.DefaultLeft
	case n.Set != ir.NoSet:
		return m.e.Sets[n.Set].Contains(float64(x))
	default:
		return float64(x) < n.Threshold
	}
}

// vector returns the values of a vector leaf.
func (m *Engine) vector(t *ir.Tree, leaf *ir.Node) []float64 {
	at := int(leaf.Vector) * m.e.Outputs
	return t.Vectors[at : at+m.e.Outputs]
}
