//go:build amd64 && !purego

package kernel

import (
	"sync"
	"unsafe"
)

//go:generate go -C internal/gen run ./vector -out ../../vector_amd64.s -stubs ../../vector_amd64.go -pkg kernel

// A vector evaluates single rows with AVX-512.
//
// The upper levels of trees, their tops, are decided for 64 trees at once, with a
// byte for each: of the nodes of a level, those at which the trees stand are
// selected by the decisions of the levels above, the row's ranks are looked up
// with VPERMB in the registers that hold the row, and compared. Below the top a
// tree is cut into blocks of a few nodes. The nodes of a block are looked up and
// compared at once, whether the row meets them or not; a table then gives the exit
// of the block, which leads to a leaf value or to another block. A tree of depth 6
// thus costs a 64th of a top, which stays in the first-level cache, and one line of
// the second.
//
// The values are added in the order of the trees for each output. If there is only
// one output this takes most time, three cycles for each tree on a Zen 4, so that
// all else is arranged to happen meanwhile. If the order does not matter (see grid),
// trees that are tops alone are added to four sums: 100 such trees of depth 4 take a
// quarter less time, 1,000 of depth 3 half. With blocks there is too much else to do
// for that to help: 500 trees of depth 6 took as long with three sums as with one.
// Blocks of half the size, with leaf values in 16 bits, would save cache lines only
// where there are thousands of trees: 500 trees take no longer for many rows, with
// blocks in the second-level cache, than for the same one again.
type vector[Out Float] struct {
	width    int  // bytes of ranks
	walks    bool // some sections are walks
	sections []vectorSection[Out]

	scratch sync.Pool // of *vectorScratch, for walks
}

// The largest numbers of trees in sections.
const (
	walkTrees  = 256     // a byte numbers them; more were not faster
	leafTrees  = 256     // their exits are on the stack
	chainTrees = 1 << 13 // a kernel must not take too long
)

// A vectorSection is a run of trees that are evaluated together. If they all add to
// one output and have at most one block on each way, they are a chain: values are
// added as they are found. Else they are a walk, from block to block.
type vectorSection[Out Float] struct {
	chain bool
	trees int

	// The top has a number of levels; if it is oblivious, the nodes of a level are
	// equal. The table holds the columns and ranks of the nodes for each group of
	// 64 trees. The weights are what decisions add to the exit.
	levels    int
	oblivious bool
	top       []byte
	weights   [8]byte

	// Leaf values for each exit of the top if there are no steps, else blocks: the
	// steps are the largest number of them that a row passes in a tree. What belongs
	// to a tree lies stride apart from that of the next tree, unless bases say where
	// it is. The table says to which exit of a block decisions lead.
	steps     int
	shaped    bool
	below     []byte
	stride    int
	decisions []byte

	// In a walk, trees that need most steps are in the first lanes. The lane of a
	// tree is its place in bases, and order[t] for tree t. counts holds the number
	// of lanes, and of those that take part in each step but the last, which all do.
	bases  []uint32
	counts []uint32
	order  []byte

	// outputs are the sums to which values are added; there is only one if all
	// trees add to the same. If rounds is not 0, there are that many rounds of one
	// tree for each output. If there are leaf vectors, values are their offsets.
	outputs []uint32
	rounds  int
	vectors []Out
}

// vectorScratch is the memory of a walk. The kernels know the offsets.
type vectorScratch struct {
	exits  [walkTrees]byte
	values [walkTrees]uint64
	blocks [walkTrees]uint64
}

// add adds the leaf values of all trees to acc. There are as many ranks as
// columns, rounded up to a multiple of 64. The order does not matter if free is set.
func (v *vector[Out]) add(acc []Out, ranks []byte, free bool) {
	ranks = ranks[:v.width]
	if v.walks {
		v.addWalks(acc, ranks, free)
		return
	}
	for i := range v.sections {
		v.sections[i].addChain(acc, ranks, free)
	}
}

// addWalks is add if some sections are walks.
func (v *vector[Out]) addWalks(acc []Out, ranks []byte, free bool) {
	scratch := v.scratch.Get().(*vectorScratch)
	for i := range v.sections {
		if s := &v.sections[i]; s.chain {
			s.addChain(acc, ranks, free)
		} else {
			s.addWalk(acc, scratch, ranks)
		}
	}
	v.scratch.Put(scratch)
}

// addChain adds values as they are found.
func (s *vectorSection[Out]) addChain(acc []Out, ranks []byte, free bool) {
	sum, wide := vectorPointer(acc[s.outputs[0]:]), unsafe.Sizeof(acc[0]) == 8
	switch {
	case s.steps > 0 && wide:
		vectorChain64(sum, &s.top[0], s.levels, &s.weights[0], &s.below[0], s.stride, s.lanes()/8, &s.decisions[0], &ranks[0], len(ranks))
		return
	case s.steps > 0:
		vectorChain32(sum, &s.top[0], s.levels, &s.weights[0], &s.below[0], s.stride, s.lanes()/8, &s.decisions[0], &ranks[0], len(ranks))
		return
	}
	var exits [leafTrees]byte
	s.exits(exits[:], ranks)
	switch {
	case free && wide:
		vectorFreeLeaves64(sum, &exits[0], s.trees, &s.below[0], s.stride)
	case free:
		vectorFreeLeaves32(sum, &exits[0], s.trees, &s.below[0], s.stride)
	case wide:
		vectorLeaves64(sum, &exits[0], s.trees, &s.below[0], s.stride)
	default:
		vectorLeaves32(sum, &exits[0], s.trees, &s.below[0], s.stride)
	}
}

// lanes is the number of trees rounded up to what kernels take at once.
func (s *vectorSection[Out]) lanes() int { return (s.trees + 7) &^ 7 }

// exits finds the exits of the trees from their tops.
func (s *vectorSection[Out]) exits(exits, ranks []byte) {
	groups := (s.trees + 63) / 64
	switch {
	case s.levels == 0:
		clear(exits[:s.lanes()])
	case s.oblivious:
		vectorObliviousExits(&exits[0], &s.top[0], groups, s.levels, &ranks[0], len(ranks))
	default:
		vectorExits(&exits[0], &s.top[0], groups, s.levels, &s.weights[0], &ranks[0], len(ranks))
	}
}

// addWalk finds the values of the trees and adds them, at the last step or, with
// several outputs, after it.
func (s *vectorSection[Out]) addWalk(acc []Out, scratch *vectorScratch, ranks []byte) {
	s.exits(scratch.exits[:], ranks)
	p, wide := &scratch.exits[0], s.valueSize() == 8
	if s.steps == 0 {
		if wide {
			vectorFetch64(p, s.trees, &s.below[0], s.stride)
		} else {
			vectorFetch32(p, s.trees, &s.below[0], s.stride)
		}
		s.sum(acc, scratch)
		return
	}
	shaped := 0
	if s.shaped {
		shaped = 1
	}
	vectorSteps(p, &s.bases[0], &s.counts[0], &s.below[0], shaped, &s.decisions[0], &ranks[0], len(ranks))
	adds := len(s.outputs) == 1 && s.vectors == nil
	switch {
	case adds && wide:
		vectorLastAdd64(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &ranks[0], len(ranks), vectorPointer(acc[s.outputs[0]:]))
	case adds:
		vectorLastAdd32(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &ranks[0], len(ranks), vectorPointer(acc[s.outputs[0]:]))
	case wide:
		vectorLastStore64(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &ranks[0], len(ranks))
		s.sum(acc, scratch)
	default:
		vectorLastStore32(p, &s.order[0], len(s.order), shaped, &s.decisions[0], &ranks[0], len(ranks))
		s.sum(acc, scratch)
	}
}

// valueSize is the size of what is found for a tree: a value, or the offset of a
// vector.
func (s *vectorSection[Out]) valueSize() int {
	if s.vectors != nil {
		return 4
	}
	return int(unsafe.Sizeof(*new(Out)))
}

// sum adds the values that a walk stored.
func (s *vectorSection[Out]) sum(acc []Out, scratch *vectorScratch) {
	sums, values, wide := vectorPointer(acc), vectorPointer(scratch.values[:]), unsafe.Sizeof(acc[0]) == 8
	switch {
	case s.vectors != nil && wide:
		vectorSumVectors64(sums, len(acc), values, s.trees, vectorPointer(s.vectors))
	case s.vectors != nil:
		vectorSumVectors32(sums, len(acc), values, s.trees, vectorPointer(s.vectors))
	case s.rounds > 0 && wide:
		vectorSumRounds64(sums, len(acc), values, s.rounds)
	case s.rounds > 0:
		vectorSumRounds32(sums, len(acc), values, s.rounds)
	case len(s.outputs) > 1 && wide:
		vectorSumEach64(sums, values, &s.outputs[0], s.trees)
	case len(s.outputs) > 1:
		vectorSumEach32(sums, values, &s.outputs[0], s.trees)
	case wide:
		vectorSum64(vectorPointer(acc[s.outputs[0]:]), values, s.trees)
	default:
		vectorSum32(vectorPointer(acc[s.outputs[0]:]), values, s.trees)
	}
}

// vectorPointer returns the address of the first element of s as the kernels take it.
func vectorPointer[T any](s []T) *byte { return (*byte)(unsafe.Pointer(unsafe.SliceData(s))) }
