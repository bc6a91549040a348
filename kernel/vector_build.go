//go:build amd64 && !purego

package kernel

import (
	"math"
	"slices"
	"unsafe"
)

const (
	maxVectorColumns   = 256 // a column is a byte
	maxTopLevels       = 4   // the kernels know no more
	maxObliviousLevels = 8   // an exit is a byte
)

// newVector returns an engine for the rows of m, or nil if m or the processor does
// not suit: without VBMI; with more than 256 columns, or none; without trees; with a
// tree so large that a link of a block does not reach the next one, which it does
// up to 2 MB or some 100,000 leaves.
func newVector[Out Float](m *Model, cpu CPU) *vector[Out] {
	if !cpu.VBMI || len(m.Columns) == 0 || len(m.Columns) > maxVectorColumns || len(m.Trees) == 0 {
		return nil
	}
	p := newVectorPlan(m, int(unsafe.Sizeof(*new(Out))))
	v := &vector[Out]{width: (len(m.Columns) + line - 1) &^ (line - 1)}
	v.scratch.New = func() any { return &aligned[vectorScratch](1)[0] }
	shapes := newVectorShapes()
	for len(p.trees) > 0 {
		b := vectorBuilder[Out]{outputs: m.Outputs, shapes: shapes}
		b.trees, b.s.chain = p.next()
		if !b.build() {
			return nil
		}
		v.walks = v.walks || !b.s.chain
		v.sections = append(v.sections, b.s)
	}
	full, shaped := fullExits(), shapes.table()
	for i := range v.sections {
		v.sections[i].decisions = full
		if v.sections[i].shaped {
			v.sections[i].decisions = shaped
		}
	}
	return v
}

// A vectorBuilder makes the tables of a section.
type vectorBuilder[Out Float] struct {
	outputs int // of the model
	shapes  *vectorShapes
	trees   []vectorTree
	s       vectorSection[Out]

	lanes []int // lanes[l] is the tree in lane l
	first []int // first[t] is the row of s.vectors at which the vectors of tree t begin
}

// build reports whether the tables stay within their limits.
func (b *vectorBuilder[Out]) build() bool {
	s := &b.s
	s.trees = len(b.trees)
	b.addOutputs()
	if !b.addVectors() {
		return false
	}
	b.chooseTop()
	b.chooseLanes()
	b.addTop()
	if s.steps == 0 {
		b.addLeaves()
		return true
	}
	return b.addBlocks()
}

// addOutputs notes where the values go.
func (b *vectorBuilder[Out]) addOutputs() {
	s := &b.s
	rounds := len(b.trees)%b.outputs == 0
	for t := range b.trees {
		s.outputs = append(s.outputs, uint32(b.trees[t].Output))
		rounds = rounds && int(b.trees[t].Output) == t%b.outputs
	}
	if slices.Max(s.outputs) == slices.Min(s.outputs) {
		s.outputs = s.outputs[:1]
	} else if rounds {
		s.rounds = len(b.trees) / b.outputs
	}
}

// addVectors puts all leaf vectors into one table.
func (b *vectorBuilder[Out]) addVectors() bool {
	for t := range b.trees {
		b.first = append(b.first, len(b.s.vectors)/b.outputs)
		for _, v := range b.trees[t].Vectors {
			b.s.vectors = append(b.s.vectors, Out(v))
		}
	}
	return uint64(len(b.s.vectors))*uint64(unsafe.Sizeof(*new(Out))) <= math.MaxUint32
}

// chooseTop decides how many levels are in the top and how many steps follow.
func (b *vectorBuilder[Out]) chooseTop() {
	s, depth := &b.s, deepest(b.trees)
	switch {
	case topsOnly(b.trees):
		s.oblivious, s.levels = allOblivious(b.trees), depth
	case s.chain:
		s.levels, s.steps = max(depth-fullLevels, 1), 1
	default:
		b.chooseWalk()
	}
}

// Costs of a walk, in units of the time in which one tree passes one block,
// measured on a Zen 4: of a top of so many levels, for a group, and of a pass,
// beside its trees. A fifth level would be as fast as another step, but each tree
// would have 32 first blocks, most of them for nothing.
var topCost = [maxTopLevels + 1]int{0, 4, 8, 18, 40}

const passCost = 16

// chooseWalk decides for the number of levels in the top and the form of the
// blocks with which a walk takes the shortest time.
func (b *vectorBuilder[Out]) chooseWalk() {
	s, best := &b.s, math.MaxInt
	for levels, top := range topCost {
		for _, shaped := range [2]bool{false, true} {
			cost, most := (len(b.trees)+63)/64*top, 0
			for t := range b.trees {
				steps := b.trees[t].steps(levels, shaped)
				cost, most = cost+steps, max(most, steps)
			}
			if cost += most * passCost; cost < best {
				best = cost
				s.levels, s.shaped, s.steps = levels, shaped, most
			}
		}
	}
}

// chooseLanes decides in which lane each tree is. In a walk those that need most
// steps come first.
func (b *vectorBuilder[Out]) chooseLanes() {
	s := &b.s
	for t := range b.trees {
		b.lanes = append(b.lanes, t)
	}
	if s.steps == 0 || s.chain {
		return
	}
	steps := make([]int, len(b.trees))
	for t := range b.trees {
		steps[t] = b.trees[t].steps(s.levels, s.shaped)
	}
	slices.SortStableFunc(b.lanes, func(x, y int) int { return steps[y] - steps[x] })
	s.counts = append(s.counts, uint32(s.lanes()))
	for step := 1; step < s.steps; step++ {
		n := 0
		for _, k := range steps {
			if k > step {
				n++
			}
		}
		s.counts = append(s.counts, uint32(n+7)&^7)
	}
	s.counts = append(s.counts, 0)
	// Lanes without a tree are idle, and added after all trees.
	s.order = make([]byte, s.lanes())
	for l := range s.order {
		s.order[l] = byte(l)
	}
	for l, t := range b.lanes {
		s.order[t] = byte(l)
	}
}

// addTop writes the nodes of the top, position by position: 64 columns, then 64
// ranks, one for each lane of a group. Below a leaf, and in lanes without a tree,
// all nodes lead right.
func (b *vectorBuilder[Out]) addTop() {
	s := &b.s
	positions := 1<<s.levels - 1
	if s.oblivious {
		positions = s.levels
	}
	s.top = aligned[byte]((s.trees + 63) / 64 * positions * 128)
	for l, t := range b.lanes {
		group := s.top[l/64*positions*128:]
		at := 0
		for d := range s.levels {
			nodes := b.trees[t].exits(d)
			if s.oblivious {
				nodes = nodes[:1]
			}
			for _, i := range nodes {
				if n := &b.trees[t].Nodes[i]; !n.IsLeaf() {
					group[at+l%64], group[at+64+l%64] = byte(n.Column), n.Rank
				}
				at += 128
			}
		}
	}
}
