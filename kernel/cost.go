package kernel

import (
	"fmt"
	"math/bits"
	"runtime"
)

// A cost estimates what rows take, in nanoseconds on one core at about 3.5 GHz.
//
// It decides when a block of rows is worth its start, and when another goroutine
// is. The constants were fitted to models of 100 to 2,000 trees; BenchmarkCost
// says how far from the better choice they lead.
type cost struct {
	single float64 // of a row by itself
	start  float64 // of a block, however few its rows
	row    float64 // of one more row in a block
	few    int     // fewer rows than this are scored one by one
}

// A pace is how fast a level of processor does things, in nanoseconds.
type pace struct {
	rank              float64 // of a value, in a row or a block
	tree, level       float64 // of a row by itself: for each tree, and each level beyond the sixth
	bits, leaf, twist float64 // of a block: for each tree, each of its leaves, and each leaf and level beyond what it needs
	look              float64 // of a row in a block, for each tree
	hop               float64 // of a row, for each level of a tree that blocks walk
}

func paceOf(cpu CPU) pace {
	switch {
	case cpu.VBMI:
		return pace{rank: 0.6, tree: 1, level: 0.4, bits: 20, leaf: 0.27, twist: 0.3, look: 0.06, hop: 0.9}
	case cpu.AVX512:
		return pace{rank: 0.6, tree: 3.6, level: 0.5, bits: 20, leaf: 0.27, twist: 0.3, look: 0.06, hop: 0.9}
	case cpu.AVX2:
		return pace{rank: 0.8, tree: 3.6, level: 0.5, bits: 15, leaf: 0.45, twist: 0.5, look: 0.16, hop: 0.9}
	}
	return pace{rank: 3, tree: 4.6, level: 0.7, bits: 30, leaf: 1.5, twist: 1.5, look: 1, hop: 1.5}
}

func estimate(m *Model, lanes int, cpu CPU) cost {
	p := paceOf(cpu)
	c := cost{single: p.rank * float64(len(m.Columns)), row: p.rank * float64(len(m.Columns))}
	for i := range m.Trees {
		t := &m.Trees[i]
		leaves, depth, sum := t.depths()
		c.single += p.tree + p.level*float64(max(depth-6, 0))
		if !t.fitsPlanes() {
			c.row += p.tree + p.hop*sum/float64(leaves)
			continue
		}
		excess := max(sum/float64(leaves)-float64(bits.Len(uint(leaves-1))), 0)
		c.start += p.bits + float64(leaves)*(p.leaf+p.twist*excess)
		c.row += p.look
	}
	c.few = lanes
	if c.single > c.row {
		c.few = min(int(c.start/(c.single-c.row))+1, lanes)
	}
	return c
}

// depths returns the number of leaves of t, the depth of the deepest and the sum
// of their depths.
func (t *Tree) depths() (leaves, depth int, sum float64) {
	at := make([]int32, len(t.Nodes))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.IsLeaf() {
			leaves, depth, sum = leaves+1, max(depth, int(at[i])), sum+float64(at[i])
			continue
		}
		at[n.Left], at[n.Right] = at[i]+1, at[i]+1
	}
	return leaves, depth, sum
}

// threads returns the number of goroutines that rows are worth.
func (c *cost) threads(rows, lanes int) int {
	const worth = 100_000 // nanoseconds of work for each goroutine
	each := c.row + c.start/float64(lanes)
	n := min(int(float64(rows)*each/worth), (rows+lanes-1)/lanes)
	if n < 2 {
		return 1
	}
	return min(n, runtime.GOMAXPROCS(0))
}

// Describe says what evaluates single rows and batches, and where one ends and the
// other begins.
func (e *Engine[In, Out]) Describe() string {
	single := "walks of 8 trees at a time"
	if e.vector != nil {
		single = "vectors of 64 trees"
	}
	planes, walks, narrow := 0, 0, 0
	for _, s := range e.sections {
		if s.planes != nil {
			planes += s.t1 - s.t0
			narrow += s.planes.narrowTrees()
		} else {
			walks += s.t1 - s.t0
		}
	}
	batch := fmt.Sprintf("blocks of %d rows, one bit each", e.lanes)
	if narrow > 0 {
		batch += fmt.Sprintf("; the leaf values of %d trees are added as integers", narrow)
	}
	switch {
	case planes == 0 && walks == 0:
		return "no trees"
	case planes == 0:
		batch = fmt.Sprintf("blocks of %d rows, walked tree by tree", e.lanes)
	case walks > 0:
		batch += fmt.Sprintf("; %d trees of more than %d leaves walked", walks, maxPlaneLeaves)
	}
	return fmt.Sprintf("single rows: %s; from %d rows on: %s", single, e.cost.few, batch)
}
