// Package fold makes the preprocessing of a pipeline vanish into the trees behind
// it.
//
// A split on a column asks whether f(x) < t, where f is a chain of operations on
// one feature of the row. Whatever f is, the answer is a function of x: it changes
// at some values of x, and between them it stays. Fold finds those values by
// bisection over the floating-point numbers in their order, executing the very
// arithmetic that the reference evaluator executes, and asks x itself instead. The
// margins keep their bits and the pipeline costs nothing.
//
// Bisection needs a function that ascends or descends. Every operation does between
// its breaks, which are known (breaks.go): sums and products rounded to nearest
// never turn around. Logarithms and powers of the C library might, by a unit in the
// last place; the found value is checked at many places on both sides of it, and a
// column that does not pass stays a column.
package fold

import (
	"math"
	"slices"

	"hew/interp"
	"hew/ir"
)

// Fold makes the splits of e test features in place of columns. Columns that cannot
// be folded stay, and with them one without operations for each feature that the
// other splits test; usually there are none, and e.Columns becomes nil.
//
// Linear models keep their columns.
func Fold(e *ir.Ensemble) error {
	if e.Columns == nil || e.Linear != nil {
		return nil
	}
	f := folder{e: e, sets: map[string]int32{}}
	for i, s := range e.Sets {
		f.sets[s.String()] = int32(i)
	}
	columns := make([]*folded, len(e.Columns))
	for j := range e.Columns {
		columns[j] = f.column(&e.Columns[j])
	}
	f.search(columns)
	f.rewrite(columns)
	dropSets(e)
	return nil
}

type folder struct {
	e    *ir.Ensemble
	sets map[string]int32 // of e, by text
	old  []ir.Set         // the sets that columns are tested for
}

// A folded is a column with what is known about it as a function of the feature.
type folded struct {
	*ir.Column
	pieces []piece
	rough  bool          // some operation may turn around by a unit in the last place
	tests  map[test]*raw // by what splits ask
	stays  bool
}

// A test is what a split asks of a column: threshold or set, and where NaN goes.
type test struct {
	threshold   uint64 // bits
	set         int32
	defaultLeft bool
}

// A raw is the same question to the feature: whether x is in left, and where NaN
// goes.
type raw struct {
	left    ir.Set
	missing bool
}

func testOf(n *ir.Node) test {
	if n.Set != ir.NoSet {
		return test{0, n.Set, n.DefaultLeft}
	}
	return test{math.Float64bits(n.Threshold), ir.NoSet, n.DefaultLeft}
}

// search answers every question of every tree.
func (f *folder) search(columns []*folded) {
	f.old = f.e.Sets
	for t := range f.e.Trees {
		for i := range f.e.Trees[t].Nodes {
			n := &f.e.Trees[t].Nodes[i]
			if n.IsLeaf() {
				continue
			}
			c, q := columns[n.Feature], testOf(n)
			if c.stays || c.tests[q] != nil {
				continue
			}
			if r, err := f.answer(c, q); err != nil {
				c.stays = true
			} else {
				c.tests[q] = r
			}
		}
	}
}

// goesLeft is what the reference evaluator does with x.
func (f *folder) goesLeft(c *folded, q test, x float64) bool {
	v := f.value(c.Ops, x)
	switch {
	case v != v:
		return q.defaultLeft
	case q.set != ir.NoSet:
		return f.old[q.set].Contains(v)
	}
	return v < math.Float64frombits(q.threshold)
}

// value returns what operations make of x, as a value of the input type.
func (f *folder) value(ops []ir.Op, x float64) float64 {
	v := interp.Apply(ops, x)
	if f.e.Input == ir.Single {
		return float64(float32(v))
	}
	return v
}

// rewrite puts the answers into the trees.
func (f *folder) rewrite(columns []*folded) {
	place := f.places(columns)
	for t := range f.e.Trees {
		for i := range f.e.Trees[t].Nodes {
			n := &f.e.Trees[t].Nodes[i]
			if n.IsLeaf() {
				continue
			}
			c := columns[n.Feature]
			if c.stays {
				n.Feature = place.column[n.Feature]
				continue
			}
			f.ask(n, c.tests[testOf(n)])
			n.Feature = place.feature[c.Feature]
		}
	}
}

// places tells where columns that stay and features are found afterwards.
type places struct{ column, feature []int32 }

func (f *folder) places(columns []*folded) places {
	p := places{make([]int32, len(columns)), make([]int32, len(f.e.Features))}
	for j := range p.feature {
		p.feature[j] = int32(j)
	}
	if !slices.ContainsFunc(columns, func(c *folded) bool { return c.stays }) {
		f.e.Columns = nil
		return p
	}
	var kept []ir.Column
	used := make([]bool, len(f.e.Features))
	for j, c := range columns {
		if c.stays {
			p.column[j] = int32(len(kept))
			kept = append(kept, *c.Column)
		} else if len(c.tests) > 0 {
			used[c.Feature] = true
		}
	}
	for j, u := range used {
		if u {
			p.feature[j] = int32(len(kept))
			kept = append(kept, ir.Column{Feature: int32(j)})
		}
	}
	f.e.Columns = kept
	return p
}

// ask makes n the question r, with its children swapped if that makes it a
// comparison.
func (f *folder) ask(n *ir.Node, r *raw) {
	n.DefaultLeft = r.missing
	n.Set, n.Threshold = ir.NoSet, 0
	infinite := math.Inf(-1)
	switch s := r.left; {
	case len(s) == 0:
		n.Threshold = infinite
	case len(s) == 2 && s[0] == infinite:
		n.Threshold = s[1]
	case len(s) == 1:
		n.Threshold = s[0] // x >= s[0], or all x if that is -Inf
		n.Left, n.Right = n.Right, n.Left
		n.DefaultLeft = !r.missing
	default:
		n.Set = f.set(s)
	}
}

func (f *folder) set(s ir.Set) int32 {
	text := s.String()
	i, ok := f.sets[text]
	if !ok {
		i = int32(len(f.e.Sets))
		f.e.Sets = append(f.e.Sets, s)
		f.sets[text] = i
	}
	return i
}

// dropSets removes the sets that no split tests any more.
func dropSets(e *ir.Ensemble) {
	place := make([]int32, len(e.Sets)) // where a set goes, plus one
	var kept []ir.Set
	for t := range e.Trees {
		for i := range e.Trees[t].Nodes {
			n := &e.Trees[t].Nodes[i]
			if n.IsLeaf() || n.Set == ir.NoSet {
				continue
			}
			if place[n.Set] == 0 {
				kept = append(kept, e.Sets[n.Set])
				place[n.Set] = int32(len(kept))
			}
			n.Set = place[n.Set] - 1
		}
	}
	e.Sets = kept
}
