package quantize

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"hew/internal/lossy"
	"hew/ir"
)

// move gives the splits of e other thresholds, to[j][i] in place of from[j][i] on
// column j, and certifies it.
//
// In one tree a row takes the same way before and after up to the first split whose
// threshold has passed the row's value. If it moved from a up to b, these are the rows
// with a ≤ x < b; they went right and go left, so that the tree adds some leaf of the
// left side where it added some leaf of the right side. For every other row nothing
// changes. Two bounds of the sum over the trees follow, and the smaller one is taken:
//
//   - by trees: the worst split of each tree, summed;
//   - by columns: a value x of column j is in the way of few splits. The worst x, summed over
//     the trees, is found by a sweep over the values; then the columns are summed.
//
// The second is much the smaller one if each tree has few of the moved thresholds.
// All of it takes n log n steps for n moved splits. To follow the row below the split, by what
// is known of it there, takes n² steps and made the bounds of the golden models 1 to 12 % smaller.
// Infinite leaves below a moved threshold make the certificate infinite.
func move(e *ir.Ensemble, from, to [][]float64) lossy.Change {
	change := lossy.None(e.Outputs)
	for k := range e.Outputs {
		flips := flipsOf(e, k, from, to)
		change.Low[k] = 0 - bound(flips, func(f *flip) float64 { return -f.low })
		change.High[k] = bound(flips, func(f *flip) float64 { return f.high })
	}
	eachSplit(e, func(n *ir.Node) {
		if n.Set == ir.NoSet {
			at, _ := slices.BinarySearch(from[n.Feature], n.Threshold)
			n.Threshold = to[n.Feature][at]
		}
	})
	return change
}

// A flip is what a split with another threshold may do to one output: rows whose value
// of the column is in [from, to) change sides, and what the tree adds changes by at least
// low and at most high.
type flip struct {
	column, tree int
	from, to     float64
	low, high    float64
}

// flipsOf returns the flips of output k, those of a tree together.
func flipsOf(e *ir.Ensemble, k int, from, to [][]float64) []flip {
	var flips []flip
	eachTurn(e, k, func(t, i int, left, right span) {
		n := &e.Trees[t].Nodes[i]
		if n.Set != ir.NoSet {
			return
		}
		at, _ := slices.BinarySearch(from[n.Feature], n.Threshold)
		f := flip{column: int(n.Feature), tree: t, from: from[n.Feature][at], to: to[n.Feature][at]}
		switch {
		case f.from < f.to: // to the left side
			f.low, f.high = -above(right.high-left.low), above(left.high-right.low)
		case f.from > f.to:
			f.from, f.to = f.to, f.from
			f.low, f.high = -above(left.high-right.low), above(right.high-left.low)
		default:
			return
		}
		flips = append(flips, f)
	})
	return flips
}

// A span is the least and the largest value that a subtree adds to an output.
type span struct{ low, high float64 }

// eachTurn calls visit for each split of each tree that adds to output k, with what its
// sides may add.
func eachTurn(e *ir.Ensemble, k int, visit func(tree, node int, left, right span)) {
	var spans []span
	for t := range e.Trees {
		tree := &e.Trees[t]
		if tree.Vectors == nil && int(tree.Output) != k {
			continue
		}
		spans = append(spans[:0], make([]span, len(tree.Nodes))...)
		for i := len(spans) - 1; i >= 0; i-- { // children before their parents
			n := &tree.Nodes[i]
			if n.IsLeaf() {
				v := leafValue(e, tree, n, k)
				spans[i] = span{v, v}
				continue
			}
			left, right := spans[n.Left], spans[n.Right]
			spans[i] = span{min(left.low, right.low), max(left.high, right.high)}
			visit(t, i, left, right)
		}
	}
}

func leafValue(e *ir.Ensemble, t *ir.Tree, leaf *ir.Node, k int) float64 {
	if t.Vectors == nil {
		return leaf.Value
	}
	return t.Vectors[int(leaf.Vector)*e.Outputs+k]
}

// bound returns a bound of the sum of the effects that flips have on one row.
func bound(flips []flip, effect func(f *flip) float64) float64 {
	intervals := make([]interval, 0, len(flips))
	for i := range flips {
		f := &flips[i]
		v := effect(f)
		if math.IsInf(v, 1) {
			return v // of infinite leaves
		}
		if v > 0 {
			intervals = append(intervals, interval{f.column, f.tree, f.from, f.to, v})
		}
	}
	return min(byTrees(intervals), byColumns(intervals))
}

// An interval is the positive effect, value, that a tree may have on a row whose column is
// in [from, to).
type interval struct {
	column, tree int
	from, to     float64
	value        float64
}

// byTrees returns the sum of the largest effect of each tree. The intervals of a tree
// stand together.
func byTrees(intervals []interval) float64 {
	sum := 0.0
	for i := 0; i < len(intervals); {
		worst, tree := 0.0, intervals[i].tree
		for ; i < len(intervals) && intervals[i].tree == tree; i++ {
			worst = max(worst, intervals[i].value)
		}
		sum = above(sum + worst)
	}
	return sum
}

// byColumns returns the sum over the columns of the largest effect that all trees
// together have at one value.
func byColumns(intervals []interval) float64 {
	intervals = slices.Clone(intervals)
	slices.SortStableFunc(intervals, func(a, b interval) int { return cmp.Or(a.column-b.column, a.tree-b.tree) })
	sum := 0.0
	for len(intervals) > 0 {
		column := intervals[0].column
		var steps []step
		for len(intervals) > 0 && intervals[0].column == column {
			n := 1
			for n < len(intervals) && intervals[n].column == column && intervals[n].tree == intervals[0].tree {
				n++
			}
			steps = append(steps, profile(intervals[:n])...)
			intervals = intervals[n:]
		}
		sum = above(sum + peak(steps))
	}
	return sum
}

// A step says that an effect grows by change as the value of a column reaches at.
type step struct{ at, change float64 }

// profile returns the steps of the largest effect of one tree on a row, as a function
// of the row's value of one column.
func profile(intervals []interval) []step {
	if len(intervals) == 1 {
		v := intervals[0]
		return []step{{v.from, v.value}, {v.to, -v.value}}
	}
	var ends []float64
	for _, v := range intervals {
		ends = append(ends, v.from, v.to)
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	place := func(x float64) int { return sort.SearchFloat64s(ends, x) }

	// Between two ends the effect is that of the first interval to get there, the
	// largest being the first. next[i] leads to the first place from i on that none has got to.
	effect, next := make([]float64, len(ends)), make([]int, len(ends))
	for i := range next {
		next[i] = i
	}
	slices.SortStableFunc(intervals, func(a, b interval) int { return cmp.Compare(b.value, a.value) })
	for _, v := range intervals {
		for i := follow(next, place(v.from)); i < place(v.to); i = follow(next, i) {
			effect[i], next[i] = v.value, i+1
		}
	}
	steps, last := make([]step, len(ends)), 0.0
	for i, x := range ends {
		steps[i] = step{x, above(effect[i] - last)}
		last = effect[i]
	}
	return steps
}

// follow returns where next leads from i, and makes the way shorter.
func follow(next []int, i int) int {
	for next[i] != i {
		next[i] = next[next[i]]
		i = next[i]
	}
	return i
}

// peak returns the largest sum of the steps up to some value, each sum rounded up.
func peak(steps []step) float64 {
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	sum, most := 0.0, 0.0
	for i, s := range steps {
		sum = above(sum + s.change)
		if i+1 == len(steps) || steps[i+1].at != s.at {
			most = max(most, sum)
		}
	}
	return most
}

// above returns a bound of the exact result of which x is the nearest number; it is
// +Inf if x is NaN, of two infinities.
func above(x float64) float64 {
	switch {
	case x != x:
		return math.Inf(1)
	case x == 0:
		return 0 // sums and differences that come to nothing are exact
	}
	return math.Nextafter(x, math.Inf(1))
}
