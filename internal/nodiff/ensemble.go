package nodiff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"hew/ir"
)

// A Shape bounds random ensembles.
type Shape struct {
	Trees, Depth int // at most; trees, and splits on a path

	Outputs    int // exactly; 0 for a few
	Features   int // exactly; 0 for a few
	Thresholds int // in the pool that a feature's splits draw from; 0 for a few

	Full bool // exactly Trees trees, every leaf at Depth

	Input, Sum ir.Precision

	Columns bool // whether splits test columns, of all kinds of operations
	Answers bool // whether there are stages and answers, of all kinds, and no link

	Redundant bool // whether there are trees and columns that do nothing, and trees that are the same
}

// Ensemble returns a random well-formed ensemble, the same for the same
// arguments, of at most the given number of trees and of splits on a path.
func Ensemble(seed uint64, maxTrees, maxDepth int) *ir.Ensemble {
	return Shape{Trees: maxTrees, Depth: maxDepth}.Ensemble(seed)
}

// Ensemble returns a random well-formed ensemble of shape s, the same for the same
// seed.
//
// It draws from everything that the form permits and a trainer hardly writes: all
// links, both orders of the base margin, linear models, vector leaves, sets of few
// and many numbers, infinite thresholds and leaves, thresholds that are
// neighbours, branches that no row reaches, subtrees that are equal, rounds
// without trees. Full ensembles are never linear.
func (s Shape) Ensemble(seed uint64) *ir.Ensemble {
	g := &grower{rand: rand.New(rand.NewPCG(seed, 2)), shape: s}
	r := g.rand
	e := &ir.Ensemble{
		Input:     s.Input,
		Sum:       s.Sum,
		Outputs:   1 + r.IntN(1+r.IntN(5)),
		BaseLast:  r.IntN(4) == 0,
		Link:      ir.Link(r.IntN(int(ir.Gaps) + 1)),
		Task:      ir.Task(r.IntN(4)),
		BestRound: -1,
		Source:    ir.Source{File: "random", Trainer: "nodiff", Version: "1", Container: "json"},
	}
	if s.Outputs > 0 {
		e.Outputs = s.Outputs
	}
	if s.Sum == ir.Double || s.Answers {
		e.Link = ir.Identity
	}
	g.e = e
	g.features()
	if s.Columns {
		g.columns()
	}
	g.extreme = true
	for range e.Outputs {
		e.BaseMargin = append(e.BaseMargin, g.leaf())
	}
	if e.Task == ir.Classification && r.IntN(2) == 0 {
		for i := range max(e.Outputs, 2) {
			e.Classes = append(e.Classes, fmt.Sprintf("class %d", i))
		}
	}
	if s.Answers {
		g.answers()
	}
	if r.IntN(12) == 0 && !s.Full {
		g.linear()
		return e
	}
	for range r.IntN(5 + len(e.Features)/10) {
		e.Sets = append(e.Sets, g.set())
	}
	g.trees()
	if s.Redundant {
		g.redundant()
	}
	g.rounds()
	return e
}

// A grower makes the parts of an ensemble.
type grower struct {
	rand    *rand.Rand
	shape   Shape
	e       *ir.Ensemble
	pool    [][]float64 // thresholds per column: few, so that they repeat
	missing []int       // per column: where all its splits send a missing value, or eitherSide
	vector  bool        // whether the tree that grows has vector leaves
	extreme bool        // whether it has leaves that hide what others add
}

// Sides of grower.missing.
const (
	leftSide = iota
	rightSide
	eitherSide // also any larger number
)

func (g *grower) features() {
	n := 1 + g.rand.IntN(6)
	if g.shape.Features > 0 {
		n = g.shape.Features
	}
	for j := range n {
		f := ir.Feature{Name: fmt.Sprintf("f%d", j), Type: ir.FeatureType(g.rand.IntN(4))}
		if f.Type == ir.Categorical && g.rand.IntN(2) == 0 {
			f.Categories = []string{"a", "b", "", "ä"}
		}
		g.e.Features = append(g.e.Features, f)
		g.pool = append(g.pool, g.thresholds())
		g.missing = append(g.missing, g.rand.IntN(8))
	}
}

// thresholds returns the pool of a feature.
func (g *grower) thresholds() []float64 {
	n := 1 + g.rand.IntN(6)
	if g.shape.Thresholds > 0 {
		n = g.shape.Thresholds
	}
	pool := make([]float64, n)
	for i := range pool {
		if i > 0 && g.rand.IntN(8) == 0 {
			pool[i] = above(g.e.Input, pool[i-1])
		} else {
			pool[i] = g.threshold()
		}
	}
	return pool
}

func (g *grower) threshold() float64 {
	switch g.rand.IntN(12) {
	case 0:
		if g.e.Input == ir.Double {
			return draw(g.rand, edges[float64]())
		}
		return float64(draw(g.rand, edges[float32]()))
	case 1:
		return above(g.e.Input, 1)
	case 2, 3, 4:
		return float64(g.rand.IntN(5)) / 2
	default:
		return round(g.e.Input, g.rand.NormFloat64())
	}
}

// leaf returns a value to add. Among many trees few are extreme: a margin that is
// infinite or huge would say nothing of what the other trees add.
func (g *grower) leaf() float64 {
	const extremes = 4 // the first kinds
	p := g.e.Sum
	kind := g.rand.IntN(40)
	if !g.extreme {
		kind = extremes + g.rand.IntN(40-extremes)
	}
	switch kind {
	case 0:
		return math.Inf(1 - 2*g.rand.IntN(2))
	case 1:
		return largest(p)
	case 2, 3: // sums that show their order
		ulp := map[ir.Precision]float64{ir.Single: 1 << 24, ir.Double: 1 << 53}[p]
		return []float64{ulp, -ulp, 1}[g.rand.IntN(3)]
	case 4, 5:
		return math.Copysign(0, -1)
	case 6:
		return 0
	case 7:
		return above(p, 0)
	case 8, 9, 10:
		return round(p, g.rand.NormFloat64()*30)
	default:
		return round(p, g.rand.NormFloat64())
	}
}

func (g *grower) linear() {
	l := &ir.Linear{}
	for range g.e.NumColumns() * g.e.Outputs {
		l.Weights = append(l.Weights, g.leaf())
	}
	for range g.e.Outputs {
		l.Bias = append(l.Bias, g.leaf())
	}
	g.e.Linear, g.e.BaseLast = l, false
}

// set returns a set of codes, or one with odd bounds; some have more bounds than a
// byte counts.
func (g *grower) set() ir.Set {
	var s ir.Set
	n, codes := g.rand.IntN(6), 70
	if g.rand.IntN(16) == 0 {
		n, codes = g.rand.IntN(600), 2000
	}
	for range n {
		if g.rand.IntN(4) == 0 {
			s = append(s, g.threshold())
		} else {
			s = append(s, float64(g.rand.IntN(codes)))
		}
	}
	slices.Sort(s)
	s = slices.CompactFunc(s, func(a, b float64) bool { return a == b })
	if g.rand.IntN(8) == 0 {
		return s.Complement()
	}
	return s
}

func (g *grower) trees() {
	n := g.rand.IntN(g.shape.Trees + 1)
	if g.shape.Full {
		n = g.shape.Trees
	}
	for range n {
		g.extreme = g.rand.IntN(n) < maxExtreme
		g.tree()
	}
}

// maxExtreme is the number of trees up to which all of them may be extreme.
const maxExtreme = 12

func (g *grower) tree() {
	g.vector = g.rand.IntN(4) == 0
	t := ir.Tree{}
	if g.vector {
		t.Vectors = []float64{}
	} else {
		t.Output = int32(g.rand.IntN(g.e.Outputs))
	}
	depth := g.rand.IntN(g.shape.Depth + 1)
	if g.shape.Full {
		depth = g.shape.Depth
	}
	g.grow(&t, depth)
	ids := make([]int, len(t.Nodes))
	for i := range ids {
		ids[i] = i
	}
	if g.rand.IntN(2) == 0 {
		ids = g.rand.Perm(len(ids))
	}
	for i := range t.Nodes {
		t.Nodes[i].ID = int32(ids[i])
	}
	g.e.Trees = append(g.e.Trees, t)
}

// grow appends a subtree of at most the given depth to t; if full, of that depth
// everywhere.
func (g *grower) grow(t *ir.Tree, depth int) {
	at := len(t.Nodes)
	if depth == 0 || !g.shape.Full && g.rand.IntN(6) == 0 {
		t.Nodes = append(t.Nodes, ir.Node{Feature: ir.NoFeature, Set: ir.NoSet, Cover: g.cover()})
		if !g.vector {
			t.Nodes[at].Value = g.leaf()
			return
		}
		rows := len(t.Vectors) / g.e.Outputs
		if rows > 0 && g.rand.IntN(4) == 0 {
			t.Nodes[at].Vector = int32(g.rand.IntN(rows)) // shared
			return
		}
		t.Nodes[at].Vector = int32(rows)
		for range g.e.Outputs {
			t.Vectors = append(t.Vectors, g.leaf())
		}
		return
	}
	t.Nodes = append(t.Nodes, g.split())
	left := len(t.Nodes)
	g.grow(t, depth-1)
	right := len(t.Nodes)
	if g.rand.IntN(8) == 0 {
		for _, n := range t.Nodes[left:right] { // the same subtree again
			n.Left, n.Right = n.Left+int32(right-left), n.Right+int32(right-left)
			if n.IsLeaf() {
				n.Left, n.Right = 0, 0
			}
			t.Nodes = append(t.Nodes, n)
		}
	} else {
		g.grow(t, depth-1)
	}
	t.Nodes[at].Left, t.Nodes[at].Right = int32(left), int32(right)
}

func (g *grower) split() ir.Node {
	j := g.rand.IntN(g.e.NumColumns())
	n := ir.Node{
		Feature:     int32(j),
		Set:         ir.NoSet,
		Threshold:   g.pool[j][g.rand.IntN(len(g.pool[j]))],
		DefaultLeft: g.rand.IntN(2) == 0,
		Cover:       g.cover(),
	}
	if side := g.missing[j]; side < eitherSide {
		n.DefaultLeft = side == leftSide
	}
	if sets := len(g.e.Sets); sets > 0 && g.rand.IntN(3) == 0 {
		n.Set, n.Threshold = int32(g.rand.IntN(sets)), 0
	}
	return n
}

func (g *grower) cover() float32 { return float32(g.rand.IntN(3) * g.rand.IntN(100)) }

// rounds divides the trees among rounds, some of them empty.
func (g *grower) rounds() {
	n := len(g.e.Trees)
	g.e.Rounds = []int32{0}
	for at := 0; at < n; {
		at = min(n, at+g.rand.IntN(4))
		g.e.Rounds = append(g.e.Rounds, int32(at))
	}
	if rounds := g.e.NumRounds(); rounds > 0 && g.rand.IntN(3) == 0 {
		g.e.BestRound = g.rand.IntN(rounds)
	}
}
