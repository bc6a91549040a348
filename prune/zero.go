package prune

import (
	"math"
	"slices"

	"hew/ir"
)

// Zero removes trees that add nothing: those of which every leaf is +0 or −0.
// Margins and predictions keep their bits, and the rounds their number, though some
// may end up empty. Leaf numbers do not stay: a tree that is gone reports none, so
// that who reports them walks the ensemble as it was before.
//
// Adding −0 changes no number. Adding +0 changes −0 to +0 and nothing else, and a
// sum is −0 only as long as all that was added, its start included, was −0: the sum
// of x and −x is +0. So the zeros that a tree adds to an output do not matter if
//
//   - all of them are −0, or
//   - sums start at +0, which is the case with BaseLast, or
//   - a tree that stays adds something else than −0 to the output on every row.
//     Its place does not matter: what comes before it may differ in the sign of a
//     zero, and that difference ends with it; what comes after finds no −0.
//
// The base margin is not among these reasons, because a caller may give another one
// for each row. One tree stays in any case: without any, an ensemble is a constant,
// which engines for trees do not take.
func Zero(e *ir.Ensemble) error {
	if len(e.Trees) == 0 {
		return nil
	}
	kinds := make([][]zeros, len(e.Trees))
	settled := make([]bool, e.Outputs) // outputs for which one of the reasons holds
	for k := range settled {
		settled[k] = e.BaseLast
	}
	for i := range e.Trees {
		if kinds[i] = zerosOf(e, &e.Trees[i]); !allZero(kinds[i]) {
			settle(e, i, kinds[i], settled)
		}
	}
	var kept []bool
	left := len(e.Trees)
	for i, z := range kinds {
		removable := allZero(z) && left > 1
		for n, at := range z {
			removable = removable && (at == negative || settled[output(e, i, n)])
		}
		if removable {
			left--
		} else {
			settle(e, i, z, settled)
		}
		kept = append(kept, !removable)
	}
	if slices.Contains(kept, false) {
		drop(e, kept)
		sweep(e)
	}
	return nil
}

// zeros says what the leaves of a tree add to an output.
type zeros uint8

const (
	negative zeros = iota // −0 only
	positive              // +0 only
	mixed                 // both
	solid                 // something else on some row, and never −0
	doubtful              // something else on some row, −0 on others
)

// zerosOf returns what t adds to each output that it adds to: one, or all.
func zerosOf(e *ir.Ensemble, t *ir.Tree) []zeros {
	if t.Vectors == nil {
		var z tally
		for i := range t.Nodes {
			if n := &t.Nodes[i]; n.IsLeaf() {
				z.add(n.Value)
			}
		}
		return []zeros{z.zeros()}
	}
	tallies := make([]tally, e.Outputs)
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.IsLeaf() {
			for k, v := range t.Vectors[int(n.Vector)*e.Outputs:][:e.Outputs] {
				tallies[k].add(v)
			}
		}
	}
	all := make([]zeros, e.Outputs)
	for k, z := range tallies {
		all[k] = z.zeros()
	}
	return all
}

// A tally tells what is among some numbers.
type tally struct{ negative, positive, others bool }

func (z *tally) add(v float64) {
	switch {
	case v != 0:
		z.others = true
	case math.Signbit(v):
		z.negative = true
	default:
		z.positive = true
	}
}

func (z tally) zeros() zeros {
	switch {
	case z.others && z.negative:
		return doubtful
	case z.others:
		return solid
	case z.negative && z.positive:
		return mixed
	case z.positive:
		return positive
	}
	return negative
}

func allZero(z []zeros) bool {
	return !slices.ContainsFunc(z, func(z zeros) bool { return z >= solid })
}

// output returns the output to which the n-th of what zerosOf returned for tree i
// belongs.
func output(e *ir.Ensemble, i, n int) int {
	if e.Trees[i].Vectors == nil {
		return int(e.Trees[i].Output)
	}
	return n
}

// settle notes the outputs to which tree i, which stays, never adds −0.
func settle(e *ir.Ensemble, i int, kinds []zeros, settled []bool) {
	for n, z := range kinds {
		if z == positive || z == solid {
			settled[output(e, i, n)] = true
		}
	}
}

// drop removes the trees that are not kept, and has each round end where it did.
func drop(e *ir.Ensemble, kept []bool) {
	place := make([]int32, len(kept)+1)
	trees := make([]ir.Tree, 0, len(kept))
	for i, k := range kept {
		place[i+1] = place[i]
		if k {
			trees = append(trees, e.Trees[i])
			place[i+1]++
		}
	}
	e.Trees = trees
	e.Rounds = slices.Clone(e.Rounds)
	for r, at := range e.Rounds {
		e.Rounds[r] = place[at]
	}
}
