package prune

import (
	"math"

	"hew/ir"
)

// Dead removes the branches that no row reaches: a split with such a side is
// replaced by its other side. Predictions, margins and leaf numbers keep their
// bits.
//
// Along the path to a node it narrows, for each feature that the path tests,
// the set of numbers that a row there can hold, and whether the row can lack
// it. Missing is a case of its own: after x < 3 with missing values sent left,
// the left side holds numbers below 3 or no number at all, and a second x < 3
// there may send one kind to each side. Features are independent and every
// value of the input type is legal, infinities included, so that a side is
// reached by some row exactly if a number or a missing value can reach it.
func Dead(e *ir.Ensemble) error {
	p := newPath(e.NumColumns())
	for i := range e.Trees {
		t := &e.Trees[i]
		if by := p.search(e, t); by != nil {
			replace(t, by)
		}
	}
	sweep(e)
	return nil
}

// A domain is what a row can hold in one feature.
type domain struct {
	numbers ir.Set
	missing bool
}

// maxBounds limits the memory and time for domains of categorical features. A
// chain of k one-hot tests holds domains of 1, 2, … k intervals at once. Where
// the limit would be passed the domain stays as wide as it was, which is safe:
// some dead branch may stay. 1<<20 bounds are 8 MiB; domains of numerical
// features, two bounds for a split, get there at a depth of half a million.
const maxBounds = 1 << 20

// A path is the state of a depth-first walk: the domain of each feature at the
// current node, and what to restore on the way back. Its stacks are its own, as
// a tree may be deeper than a goroutine's stack allows.
type path struct {
	domains []domain
	bounds  []float64 // of the domains narrowed on the path, deepest last
	splits  []visit
}

// A visit is a split on the path.
type visit struct {
	node   int32
	sides  int8   // how many sides were entered
	domain domain // of the split's feature, above it
	bounds int    // len(path.bounds) above it
}

func newPath(features int) *path {
	p := &path{domains: make([]domain, features)}
	everything := ir.Set{math.Inf(-1)}
	for j := range p.domains {
		p.domains[j] = domain{everything, true}
	}
	return p
}

// search returns, for each node of t, the node that is to stand in its place;
// nil if each is its own. It leaves p as it found it.
func (p *path) search(e *ir.Ensemble, t *ir.Tree) (by []int32) {
	p.enter(t, 0)
	for len(p.splits) > 0 {
		v := &p.splits[len(p.splits)-1]
		n := &t.Nodes[v.node]
		p.domains[n.Feature] = v.domain
		p.bounds = p.bounds[:v.bounds]
		if v.sides == 2 {
			p.splits = p.splits[:len(p.splits)-1]
			continue
		}
		left := v.sides == 0
		v.sides++
		child, other := n.Left, n.Right
		if !left {
			child, other = other, child
		}
		if p.narrow(e, n, left) {
			p.enter(t, child)
			continue
		}
		if by == nil {
			by = identity(len(t.Nodes))
		}
		by[v.node] = other
	}
	return by
}

// enter puts node i of t on the path if it is a split.
func (p *path) enter(t *ir.Tree, i int32) {
	if n := &t.Nodes[i]; !n.IsLeaf() {
		p.splits = append(p.splits, visit{node: i, domain: p.domains[n.Feature], bounds: len(p.bounds)})
	}
}

// narrow restricts the domain of n's feature to what goes to one side of n, and
// reports whether anything does.
func (p *path) narrow(e *ir.Ensemble, n *ir.Node, left bool) bool {
	d := &p.domains[n.Feature]
	d.missing = d.missing && n.DefaultLeft == left
	var test ir.Set
	switch {
	case n.Set != ir.NoSet:
		test = e.Sets[n.Set]
	case !math.IsInf(n.Threshold, -1): // else no number is below
		test = ir.Set{math.Inf(-1), n.Threshold}
	}
	mark := len(p.bounds)
	p.bounds = appendMeet(p.bounds, d.numbers, test, left)
	if len(p.bounds) > maxBounds {
		p.bounds = p.bounds[:mark]
		return true
	}
	d.numbers = p.bounds[mark:len(p.bounds):len(p.bounds)]
	return len(d.numbers) > 0 || d.missing
}

// appendMeet appends to dst the bounds of the set of the numbers of s that are
// in test or, if in is false, that are not in test.
func appendMeet(dst []float64, s, test ir.Set, in bool) []float64 {
	start := len(dst)
	for i, j := 0, 0; i < len(s) || j < len(test) && i%2 == 1; {
		// The next bound of either set, both if they are equal.
		var b float64
		if j == len(test) || i < len(s) && s[i] <= test[j] {
			b = s[i]
		} else {
			b = test[j]
		}
		if i < len(s) && s[i] == b {
			i++
		}
		if j < len(test) && test[j] == b {
			j++
		}
		// From b on: an odd number of bounds passed means inside.
		inside := i%2 == 1 && (j%2 == 1) == in
		if open := (len(dst)-start)%2 == 1; inside != open {
			dst = append(dst, b)
		}
	}
	return dst
}

func identity(n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}
