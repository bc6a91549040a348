package nodiff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"hew/ir"
)

// Ensemble returns a random well-formed ensemble, the same for the same
// arguments, of at most the given number of trees and of splits on a path.
//
// It draws from everything that the form permits and a trainer hardly writes: all
// links, both orders of the base margin, linear models, vector leaves, sets,
// infinite thresholds and leaves, branches that no row reaches, subtrees that are
// equal, rounds without trees.
func Ensemble(seed uint64, maxTrees, maxDepth int) *ir.Ensemble {
	g := &grower{rand: rand.New(rand.NewPCG(seed, 2))}
	r := g.rand
	e := &ir.Ensemble{
		Outputs:   1 + r.IntN(1+r.IntN(5)),
		BaseLast:  r.IntN(4) == 0,
		Link:      ir.Link(r.IntN(int(ir.Gaps) + 1)),
		Task:      ir.Task(r.IntN(4)),
		BestRound: -1,
		Source:    ir.Source{File: "random", Trainer: "nodiff", Version: "1", Container: "json"},
	}
	g.e = e
	g.features()
	for range e.Outputs {
		e.BaseMargin = append(e.BaseMargin, g.leaf())
	}
	if e.Task == ir.Classification && r.IntN(2) == 0 {
		for i := range max(e.Outputs, 2) {
			e.Classes = append(e.Classes, fmt.Sprintf("class %d", i))
		}
	}
	if r.IntN(12) == 0 {
		g.linear()
		return e
	}
	for range r.IntN(5) {
		e.Sets = append(e.Sets, g.set())
	}
	for range r.IntN(maxTrees + 1) {
		g.tree(maxDepth)
	}
	g.rounds()
	return e
}

// A grower makes the parts of an ensemble.
type grower struct {
	rand   *rand.Rand
	e      *ir.Ensemble
	pool   [][]float64 // thresholds per feature: few, so that they repeat
	vector bool        // whether the tree that grows has vector leaves
}

func (g *grower) features() {
	for j := range 1 + g.rand.IntN(6) {
		f := ir.Feature{Name: fmt.Sprintf("f%d", j), Type: ir.FeatureType(g.rand.IntN(4))}
		if f.Type == ir.Categorical && g.rand.IntN(2) == 0 {
			f.Categories = []string{"a", "b", "", "ä"}
		}
		g.e.Features = append(g.e.Features, f)
		pool := make([]float64, 1+g.rand.IntN(6))
		for i := range pool {
			pool[i] = g.threshold()
		}
		g.pool = append(g.pool, pool)
	}
}

func (g *grower) threshold() float64 {
	switch g.rand.IntN(12) {
	case 0:
		return float64(edges[g.rand.IntN(len(edges))])
	case 1:
		return float64(math.Nextafter32(1, 2))
	case 2, 3, 4:
		return float64(g.rand.IntN(5)) / 2
	default:
		return float64(float32(g.rand.NormFloat64()))
	}
}

func (g *grower) leaf() float64 {
	switch g.rand.IntN(40) {
	case 0:
		return math.Inf(1 - 2*g.rand.IntN(2))
	case 1, 2:
		return math.Copysign(0, -1)
	case 3:
		return 0
	case 4:
		return math.SmallestNonzeroFloat32
	case 5:
		return math.MaxFloat32
	case 6, 7: // sums that show their order
		return []float64{1 << 24, -1 << 24, 1}[g.rand.IntN(3)]
	case 8, 9, 10:
		return float64(float32(g.rand.NormFloat64() * 30))
	default:
		return float64(float32(g.rand.NormFloat64()))
	}
}

func (g *grower) linear() {
	l := &ir.Linear{}
	for range len(g.e.Features) * g.e.Outputs {
		l.Weights = append(l.Weights, g.leaf())
	}
	for range g.e.Outputs {
		l.Bias = append(l.Bias, g.leaf())
	}
	g.e.Linear, g.e.BaseLast = l, false
}

// set returns a set of codes, or one with odd bounds.
func (g *grower) set() ir.Set {
	var s ir.Set
	for range g.rand.IntN(6) {
		if g.rand.IntN(4) == 0 {
			s = append(s, g.threshold())
		} else {
			s = append(s, float64(g.rand.IntN(70)))
		}
	}
	slices.Sort(s)
	s = slices.CompactFunc(s, func(a, b float64) bool { return a == b })
	if g.rand.IntN(8) == 0 {
		return s.Complement()
	}
	return s
}

func (g *grower) tree(maxDepth int) {
	g.vector = g.rand.IntN(4) == 0
	t := ir.Tree{}
	if g.vector {
		t.Vectors = []float64{}
	} else {
		t.Output = int32(g.rand.IntN(g.e.Outputs))
	}
	g.grow(&t, g.rand.IntN(maxDepth+1))
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

// grow appends a subtree of at most the given depth to t.
func (g *grower) grow(t *ir.Tree, depth int) {
	at := len(t.Nodes)
	if depth == 0 || g.rand.IntN(6) == 0 {
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
	j := g.rand.IntN(len(g.e.Features))
	n := ir.Node{
		Feature:     int32(j),
		Set:         ir.NoSet,
		Threshold:   g.pool[j][g.rand.IntN(len(g.pool[j]))],
		DefaultLeft: g.rand.IntN(2) == 0,
		Cover:       g.cover(),
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
