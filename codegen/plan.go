package codegen

import "hew/ir"

// A form is a way to print trees; forms differ in speed and in what the Go
// compiler needs for them.
type form struct {
	// named prints a threshold as key(0.5), which the compiler folds; otherwise
	// it is the integer itself, with the number in the comment.
	named bool

	// selects is the number of splits up to which a subtree may be evaluated
	// without branches.
	selects int
}

// inlined reports whether the compiler may inline trees where they are called. It
// does with trees of one choice, which take half of the time then, and would with
// seven branches, which takes twice the memory.
func (f form) inlined() bool { return f.selects > 0 }

// forms are in the order of preference: the fastest and most readable first.
var forms = []form{{true, 31}, {false, 31}, {false, 7}, {false, 3}, {false, 1}, {false, 0}}

// minFuncNodes is the least bound for the nodes of a function: a split and its
// two children.
const minFuncNodes = 3

// A plan says how each node of a tree is printed.
type plan struct {
	choice []bool // a split that selects between its sides without a branch
	cut    []bool // a subtree that is a function of its own
	share  *treeShare

	// What is printed for the tree.
	branches, choices, funcs int

	cycles float64 // expected for a row
}

// EstimateTime returns about how many nanoseconds branch code takes for a row
// that comes alone, on a processor of some 3.5 GHz. Fitted to models of 1 to 40
// trees of depth 1 to 6 over 3 to 150 features, for which it is right within a
// third: large ones take longer than it says.
func EstimateTime(e *ir.Ensemble, o Options) float64 {
	const call, key, tree, cycle = 6, 1.15, 2.8, 0.1
	o, err := o.complete(e)
	if err != nil {
		return 0
	}
	p := &printer{e: e, o: o}
	_, plans, _ := p.choose()
	ns := call + key*float64(columnsOf(e).len()) + tree*float64(len(plans))
	for _, pl := range plans {
		ns += cycle * pl.cycles
	}
	return ns
}

// Costs in cycles, measured with 500 trees of depth 6 on an AMD Zen 4 and not
// critical: with 40 or 80 for a wrong guess the time changes by 4 %.
const (
	costSplit  = 1.0  // compare
	costLeaf   = 0.3  // load a constant
	costMissed = 60.0 // a wrong guess, with what the fetch of the other side takes
)

// planTree decides, from the leaves to the root, which subtrees become functions
// and which splits become choices.
//
// A processor guesses a branch from history, and on real rows it guesses wrong
// about once in three: most of the time of branch code. Below, it is cheaper to
// evaluate both sides and choose. A split with one rare side stays a branch.
//
// share says which subtrees of tree i are functions in any case, printed here or
// elsewhere.
func (p *printer) planTree(tree int, f form, share *treeShare) *plan {
	t := &p.e.Trees[tree]
	n := len(t.Nodes)
	pl := &plan{choice: make([]bool, n), cut: make([]bool, n), share: share, funcs: 1}
	nodes := make([]int, n)        // of the subtree, in the function of its root
	branched := make([]float64, n) // expected cost
	chosen := make([]float64, n)   // cost if the whole subtree is choices
	for i := n - 1; i >= 0; i-- {
		nd := &t.Nodes[i]
		nodes[i], chosen[i], branched[i] = 1, costLeaf, costLeaf
		if nd.IsLeaf() {
			pl.choice[i] = true
			continue
		}
		l, r := nd.Left, nd.Right
		printed := !share.skip[i] && !share.elsewhere(tree, i)
		for nodes[i] = 1 + nodes[l] + nodes[r]; nodes[i] > p.o.MaxFuncNodes; nodes[i] = 1 + nodes[l] + nodes[r] {
			c := l
			if nodes[r] > nodes[l] {
				c = r
			}
			pl.cut[c], nodes[c] = true, 1
			pl.funcs += bit(printed)
		}
		left := leftShare(t, nd)
		branched[i] = costSplit + costMissed*min(left, 1-left) + left*branched[l] + (1-left)*branched[r]
		chosen[i] = costSplit + chosen[l] + chosen[r]
		if pl.choice[l] && pl.choice[r] && !pl.cut[l] && !pl.cut[r] && nd.Set == ir.NoSet &&
			nodes[i]/2 <= f.selects && chosen[i] < branched[i] {
			pl.choice[i], branched[i] = true, chosen[i]
			pl.choices += bit(printed)
		} else {
			pl.branches += bit(printed)
		}
		if share.as[i] != nil && i > 0 {
			pl.cut[i], nodes[i] = true, 1
			pl.funcs += bit(printed)
		}
	}
	pl.cycles = branched[0]
	return pl
}

// leftShare returns the share of the rows at n that went left in training, or a
// half if the model does not say.
func leftShare(t *ir.Tree, n *ir.Node) float64 {
	l, r := float64(t.Nodes[n.Left].Cover), float64(t.Nodes[n.Right].Cover)
	if share := l / (l + r); share >= 0 && share <= 1 {
		return share
	}
	return 0.5
}
