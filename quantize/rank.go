package quantize

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"hew/ir"
)

// Ranks is an ensemble's tests in terms of bytes.
//
// A row is turned into one byte for each column, its ranks. At a split it goes
// right if its rank in the split's column is at least the split's, else left.
type Ranks struct {
	Columns []Column
	Splits  [][]Split // of each tree, one for each node; of a leaf it is zero
}

// A Column maps the values of a feature to ranks: the number of bounds ≤ x. A
// column that is a set is 0 for the numbers in it and 1 for others; its bounds are
// those of an ir.Set.
//
// Columns are sorted by feature; those of a feature's thresholds come before
// those of its sets.
type Column struct {
	Feature int32
	Set     bool
	Missing uint8     // the rank of a missing value: left or right of every split on the column
	Bounds  []float64 // strictly ascending; at most MaxBounds unless Set
}

// A Split is the test of a node.
type Split struct {
	Column int32
	Rank   uint8 // at least 1
}

// The ranks of missing values. No number has the rank MissingRight.
const (
	MissingLeft     = 0
	MissingRight    = 255
	MissingRightSet = 1 // of a column that is a set
)

// MaxBounds is the largest number of bounds of a column that is not a set.
const MaxBounds = 254

// MaxColumns is the largest number of columns that Rank makes.
const MaxColumns = 1 << 16

// Rank returns the tests of e as byte comparisons.
//
// The bounds of a feature are its distinct thresholds: x is below the one of
// index b if and only if at most b bounds are ≤ x. A feature of more than
// MaxBounds thresholds has several columns, its parts, of which each counts
// bounds of its own. Where nodes that use a part disagree about missing values,
// it has a column for either side. A set has a column for each feature that is
// tested for it; equal sets share it.
//
// It fails for an ensemble that needs more than MaxColumns columns.
func Rank(e *ir.Ensemble) (*Ranks, error) {
	k := newCoder(e)
	keys := k.keys()
	if len(keys) > MaxColumns {
		return nil, fmt.Errorf("%d columns, more than %d", len(keys), MaxColumns)
	}
	r := &Ranks{Columns: make([]Column, len(keys)), Splits: make([][]Split, len(e.Trees))}
	place := make(map[key]int32, len(keys))
	for c, key := range keys {
		r.Columns[c] = k.column(key)
		place[key] = int32(c)
	}
	for t := range e.Trees {
		nodes := e.Trees[t].Nodes
		r.Splits[t] = make([]Split, len(nodes))
		for i := range nodes {
			if n := &nodes[i]; !n.IsLeaf() {
				key, rank := k.test(n)
				r.Splits[t][i] = Split{place[key], rank}
			}
		}
	}
	return r, nil
}

// A coder gives the nodes of an ensemble their columns and ranks.
type coder struct {
	e       *ir.Ensemble
	bounds  [][]float64 // the distinct thresholds of each feature, ascending
	sets    []ir.Set    // the distinct sets, in ascending order
	classes []int32     // of each set of the ensemble, its place in sets
}

func newCoder(e *ir.Ensemble) *coder {
	k := &coder{e: e, bounds: thresholds(e)}
	for _, s := range e.Sets {
		s = slices.Clone(s)
		for i := range s {
			s[i] = positiveZero(s[i])
		}
		k.sets = append(k.sets, s)
	}
	slices.SortFunc(k.sets, slices.Compare[ir.Set])
	k.sets = slices.CompactFunc(k.sets, slices.Equal[ir.Set])
	for _, s := range e.Sets {
		class, _ := slices.BinarySearchFunc(k.sets, s, slices.Compare[ir.Set])
		k.classes = append(k.classes, int32(class))
	}
	return k
}

// thresholds returns, for each column that splits can refer to, the distinct numbers
// that splits compare it with, in ascending order.
func thresholds(e *ir.Ensemble) [][]float64 {
	all := make([][]float64, e.NumColumns())
	eachSplit(e, func(n *ir.Node) {
		if n.Set == ir.NoSet {
			all[n.Feature] = append(all[n.Feature], positiveZero(n.Threshold))
		}
	})
	for j, b := range all {
		slices.Sort(b)
		all[j] = slices.Compact(b)
	}
	return all
}

func eachSplit(e *ir.Ensemble, visit func(n *ir.Node)) {
	for t := range e.Trees {
		nodes := e.Trees[t].Nodes
		for i := range nodes {
			if n := &nodes[i]; !n.IsLeaf() {
				visit(n)
			}
		}
	}
}

// A key stands for a column.
type key struct {
	feature int32
	set     int32 // class of the set, or ir.NoSet
	part    int32 // of the feature's thresholds
	right   bool  // where a missing value goes
}

// compare orders keys as columns are sorted: ir.NoSet is below every class.
func (a key) compare(b key) int {
	return cmp.Or(cmp.Compare(a.feature, b.feature), cmp.Compare(a.set, b.set), cmp.Compare(a.part, b.part), cmp.Compare(bit(a.right), bit(b.right)))
}

// keys returns the columns that the splits use, in order.
func (k *coder) keys() []key {
	used := map[key]bool{}
	eachSplit(k.e, func(n *ir.Node) {
		c, _ := k.test(n)
		used[c] = true
	})
	return slices.SortedFunc(maps.Keys(used), key.compare)
}

// test returns the column that n uses and the rank from which on a row goes right.
func (k *coder) test(n *ir.Node) (key, uint8) {
	c := key{feature: n.Feature, set: ir.NoSet, right: !n.DefaultLeft}
	if n.Set != ir.NoSet {
		c.set = k.classes[n.Set]
		return c, 1
	}
	b, _ := slices.BinarySearch(k.bounds[n.Feature], n.Threshold)
	c.part = int32(b / MaxBounds)
	return c, uint8(b%MaxBounds + 1)
}

func (k *coder) column(c key) Column {
	if c.set != ir.NoSet {
		return Column{c.feature, true, MissingRightSet * bit(c.right), k.sets[c.set]}
	}
	bounds := k.bounds[c.feature][c.part*MaxBounds:]
	return Column{c.feature, false, MissingRight * bit(c.right), bounds[:min(len(bounds), MaxBounds)]}
}

// positiveZero returns v, and +0 for −0: no comparison tells them apart.
func positiveZero(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
