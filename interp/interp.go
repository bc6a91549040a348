// Package interp evaluates an ensemble by walking its trees; it defines the
// right answer for every other engine.
//
// It states what package ir says about arithmetic in the shortest way that
// computes it: rows one after the other, trees in order, sums in the type that the
// ensemble names. A product that is added stands in a conversion, so that no
// target fuses the two. Nothing is prepared or reordered for speed.
package interp

import (
	"fmt"

	"hew/ir"
)

// An Engine evaluates one ensemble. Its methods are safe for concurrent use.
//
// They take x as rows × features values, row-major, and panic if the length of
// an argument does not fit the shape. A method that takes float32 values is for
// ensembles that compute in float32, and panics for others; those whose names end
// in 64 are for all ensembles: their float64 arguments and results hold values of
// the types that the ensemble names.
type Engine struct {
	e      *ir.Ensemble
	base   []float32 // if sums are float32
	base64 []float64
}

// New returns an engine for e, which must be well formed and must not change
// while the engine is in use.
func New(e *ir.Ensemble) *Engine {
	m := &Engine{e: e, base: make([]float32, e.Outputs), base64: e.BaseMargin}
	for k, b := range e.BaseMargin {
		m.base[k] = float32(b)
	}
	return m
}

// Margin writes rows × outputs sums before the link.
func (m *Engine) Margin(dst, x []float32) {
	m.single("Margin")
	k := m.e.Outputs
	for i := range m.rows(len(x), len(dst), k) {
		margin(m.e, dst[i*k:(i+1)*k], row(m.e, x, i), m.base)
	}
}

// MarginFrom is Margin with base margins given for each row, rows × outputs
// values, in place of the ensemble's own.
func (m *Engine) MarginFrom(dst, x, base []float32) {
	m.single("MarginFrom")
	k := m.e.Outputs
	m.checkBase(len(dst), len(base))
	for i := range m.rows(len(x), len(dst), k) {
		margin(m.e, dst[i*k:(i+1)*k], row(m.e, x, i), base[i*k:(i+1)*k])
	}
}

// Predict writes, for each row, the link's values: as many as there are outputs,
// or one for ir.Argmax.
func (m *Engine) Predict(dst, x []float32) {
	m.single("Predict")
	if len(m.e.Answers) > 0 {
		panic("interp: Predict for an ensemble with answers")
	}
	k, w := m.e.Outputs, m.e.Link.Width(m.e.Outputs)
	var stack [64]float32 // enough for most ensembles, so that nothing is allocated
	margins := stack[:]
	if k > len(stack) {
		margins = make([]float32, k)
	}
	margins = margins[:k]
	for i := range m.rows(len(x), len(dst), w) {
		margin(m.e, margins, row(m.e, x, i), m.base)
		link(m.e.Link, dst[i*w:(i+1)*w], margins)
	}
}

// Transform writes the link's values for rows × outputs margins.
func (m *Engine) Transform(dst, margins []float32) {
	m.single("Transform")
	m.transform(dst, margins)
}

// transform is Transform for sums of float32, whatever the features.
func (m *Engine) transform(dst, margins []float32) {
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
	m.single("Leaf")
	leaves(m, dst, x)
}

// PerTree writes what each tree adds to the margins of each row: in the order of
// trees, one value or, for a tree with vector leaves, one per output.
func (m *Engine) PerTree(dst, x []float32) {
	m.single("PerTree")
	w := m.PerTreeWidth()
	for i := range m.rows(len(x), len(dst), w) {
		row, values := row(m.e, x, i), dst[i*w:i*w]
		for t := range m.e.Trees {
			tree := &m.e.Trees[t]
			leaf := walk(m.e, tree, row)
			if tree.Vectors == nil {
				values = append(values, float32(leaf.Value))
				continue
			}
			for _, v := range vector(m.e, tree, leaf) {
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

// rows returns the number of rows in x values; it panics unless they are whole
// rows and a destination of the given length holds width values for each.
func (m *Engine) rows(x, length, width int) int {
	n := x / len(m.e.Features)
	if x != n*len(m.e.Features) || length != n*width {
		panic(fmt.Sprintf("interp: %d results, %d per row, for %d values in rows of %d",
			length, width, x, len(m.e.Features)))
	}
	return n
}

func (m *Engine) checkBase(margins, base int) {
	if base != margins {
		panic(fmt.Sprintf("interp: %d base margins for %d margins", base, margins))
	}
}

// single panics if the ensemble does not compute in float32.
func (m *Engine) single(method string) {
	if m.e.Input != ir.Single || m.e.Sum != ir.Single {
		panic(fmt.Sprintf("interp: %s for an ensemble of %v inputs and %v sums", method, m.e.Input, m.e.Sum))
	}
}
