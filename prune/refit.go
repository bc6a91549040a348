package prune

import (
	"math"
	"slices"

	"hew/internal/lossy"
	"hew/ir"
)

// maxSteps is the number of Newton steps of a fit, and maxTurns that of conjugate
// gradients in each. A loss that falls by less than a millionth ends it before.
const (
	maxSteps = 10
	maxTurns = 30
	enough   = 1e-6
)

// refit changes the values of the leaves so that the loss on the rows plus the penalty
// ridge/2 × (new − old)² of each value is least, by damped Newton steps. Values of leaves
// that no row reaches stay.
func refit(e *ir.Ensemble, d *lossy.Data, ridge float64) (lossy.Change, error) {
	s, err := newSample(e, thin(e, d, maxReached))
	if err != nil {
		return lossy.Change{}, err
	}
	if err := s.loss.checkCurve(e); err != nil {
		return lossy.Change{}, err
	}
	f := newFit(s, ridge)
	for range maxSteps {
		before := f.objective()
		if !f.step(before) || before-f.objective() <= enough*math.Abs(before) {
			break
		}
	}
	return f.write(), nil
}

// A fit is a system of leaf values, all in one vector.
type fit struct {
	*sample
	ridge float64
	first []int     // of each tree, where its values begin
	at    [][]int32 // for each tree and row, where the values of its leaf begin
	moved []float64 // new − old of each value

	diagonal []float64 // rows × outputs: second derivative of each row's loss by a margin
	chances  []float64 // rows × outputs: probabilities, for a softmax; nil otherwise
}

func newFit(s *sample, ridge float64) *fit {
	f := &fit{sample: s, ridge: ridge, at: s.reached()}
	size := 0
	for i := range s.e.Trees {
		t := &s.e.Trees[i]
		f.first = append(f.first, size)
		for r, leaf := range f.at[i] {
			f.at[i][r] = int32(size + place(s.e, t, leaf))
		}
		size += max(len(t.Nodes), len(t.Vectors))
	}
	f.moved = make([]float64, size)
	return f
}

// place returns where the values of a leaf stand among those of its tree.
func place(e *ir.Ensemble, t *ir.Tree, leaf int32) int {
	if t.Vectors == nil {
		return int(leaf)
	}
	return int(t.Nodes[leaf].Vector) * e.Outputs
}

// objective returns what is to be made small.
func (f *fit) objective() float64 {
	sum := f.ridge / 2 * dot(f.moved, f.moved)
	for r := range f.n {
		sum += f.lossAt(r, f.row(r))
	}
	return sum
}

// step moves the values by a Newton step, shortened until the objective falls; false if it
// does not.
func (f *fit) step(before float64) bool {
	g, h := f.curves()
	f.diagonal = h
	if f.loss.softmax {
		f.setChances(g)
	}
	down := f.gather(g)
	for i, m := range f.moved {
		down[i] = -down[i] - f.ridge*m
	}
	move := f.solve(down)
	change := f.spread(move)
	for length := 1.0; length > 1e-3; length /= 2 {
		addTo(f.moved, length, move)
		addTo(f.margins, length, change)
		if f.objective() < before {
			return true
		}
		addTo(f.moved, -length, move)
		addTo(f.margins, -length, change)
	}
	return false
}

// setChances derives the probabilities of a softmax from the first derivatives.
func (f *fit) setChances(g []float64) {
	f.chances = make([]float64, len(g))
	k := f.e.Outputs
	for r, w := range f.weight {
		if w == 0 {
			continue
		}
		for j := range k {
			f.chances[r*k+j] = g[r*k+j] / w
		}
		f.chances[r*k+int(f.y[r])]++
	}
}

// bend multiplies m, rows × outputs, by the second derivatives of the rows' losses.
func (f *fit) bend(m []float64) {
	if f.chances == nil {
		for i, h := range f.diagonal {
			m[i] *= h
		}
		return
	}
	k := f.e.Outputs
	for r, w := range f.weight {
		m, p := m[r*k:(r+1)*k], f.chances[r*k:(r+1)*k]
		mean := dot(p, m)
		for j := range m {
			m[j] = w * p[j] * (m[j] - mean)
		}
	}
}

// spread returns what a change of values is for the margins, rows × outputs.
func (f *fit) spread(values []float64) []float64 {
	m, k := make([]float64, f.n*f.e.Outputs), f.e.Outputs
	f.each(func(output, w int, at []int32) {
		for r, v := range at {
			for j := range w {
				m[r*k+output+j] += values[int(v)+j]
			}
		}
	})
	return m
}

// gather sums what each value is for the margins, rows × outputs: the transpose of spread.
func (f *fit) gather(m []float64) []float64 {
	values, k := make([]float64, len(f.moved)), f.e.Outputs
	f.each(func(output, w int, at []int32) {
		for r, v := range at {
			for j := range w {
				values[int(v)+j] += m[r*k+output+j]
			}
		}
	})
	return values
}

// each calls do for each tree: its first output, the values of a leaf, and where those
// of each row begin.
func (f *fit) each(do func(output, width int, at []int32)) {
	for i := range f.e.Trees {
		t := &f.e.Trees[i]
		do(int(t.Output), leafWidth(f.e, t), f.at[i])
	}
}

// solve returns x such that (JᵀHJ + ridge) x = b, nearly, by conjugate gradients that are
// preconditioned by the diagonal: J is spread, Jᵀ is gather, H is bend.
func (f *fit) solve(b []float64) []float64 {
	x, z, p := make([]float64, len(b)), make([]float64, len(b)), make([]float64, len(b))
	rest, scale := slices.Clone(b), f.gather(f.diagonal)
	was := math.Inf(1) // rest·z of the turn before
	for turn, start := 0, 0.0; turn < maxTurns; turn++ {
		for i, d := range scale {
			z[i] = rest[i] / (d + f.ridge)
		}
		now := dot(rest, z)
		if start = max(start, now); now <= 1e-8*start {
			break
		}
		for i := range p {
			p[i] = z[i] + now/was*p[i]
		}
		through := f.spread(p)
		f.bend(through)
		q := f.gather(through)
		addTo(q, f.ridge, p)
		length := now / dot(p, q)
		addTo(x, length, p)
		addTo(rest, -length, q)
		was = now
	}
	return x
}

// write gives the leaves their values and returns what that changes: for each tree the
// least and the largest difference.
func (f *fit) write() lossy.Change {
	c := lossy.None(f.e.Outputs)
	for i := range f.e.Trees {
		t := &f.e.Trees[i]
		w := leafWidth(f.e, t)
		low, high := make([]float64, w), make([]float64, w)
		for k := range w {
			low[k], high[k] = math.Inf(1), math.Inf(-1)
		}
		f.eachValue(t, func(k int, value *float64, moved float64) {
			old := *value
			if v := roundTo(f.e.Sum, old+moved); moved != 0 && !math.IsInf(v, 0) {
				*value = v
			}
			l, h := minus(*value, old)
			low[k], high[k] = min(low[k], l), max(high[k], h)
		}, f.moved[f.first[i]:])
		for k := range w {
			c.Add(outputOf(t, k), low[k], high[k])
		}
	}
	return c
}

// eachValue calls do for each value of the leaves of t, value k of a leaf, with the one of
// moved that belongs to it.
func (f *fit) eachValue(t *ir.Tree, do func(k int, value *float64, moved float64), moved []float64) {
	for i := range t.Vectors {
		do(i%f.e.Outputs, &t.Vectors[i], moved[i])
	}
	for i := range t.Nodes {
		if n := &t.Nodes[i]; t.Vectors == nil && n.IsLeaf() {
			do(0, &n.Value, moved[i])
		}
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// addTo adds c·b to a.
func addTo(a []float64, c float64, b []float64) {
	for i, v := range b {
		a[i] += c * v
	}
}
