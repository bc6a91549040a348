package prune

import (
	"encoding/binary"
	"math"
	"slices"

	"hew/ir"
)

// Collapse replaces each split whose two sides are the same by its left side,
// from the leaves up. Sides are the same if they ask the same questions in the
// same order and add the same bits: −0 is not +0 in a leaf, since a sum can tell
// them apart, but it is in a threshold.
//
// Predictions and margins keep their bits. Leaf numbers do not: of two leaves
// that add the same, one stays. Who reports leaf numbers walks the ensemble as
// it was before.
func Collapse(e *ir.Ensemble) error {
	sets := setClasses(e.Sets)
	for i := range e.Trees {
		t := &e.Trees[i]
		c := collapser{t: t, outputs: e.Outputs, sets: sets, shapes: map[shape]int32{}, lists: lists{}}
		if by := c.search(); by != nil {
			replace(t, by)
		}
	}
	sweep(e)
	return nil
}

// A shape is what two equal subtrees have in common. The subtrees below and
// lists of numbers stand in it by their classes: equal ones have the same.
type shape struct {
	feature     int32  // or ir.NoFeature
	list        int32  // class of the set or leaf vector, or noList
	bits        uint64 // of the threshold or leaf value
	missingLeft bool
	left, right int32
}

const noList = -1

// A collapser gives the subtrees of one tree their classes.
type collapser struct {
	t       *ir.Tree
	outputs int
	sets    []int32 // class of each set of the ensemble
	shapes  map[shape]int32
	lists   lists
}

// search returns, for each node, the node that is to stand in its place; nil if
// each is its own.
func (c *collapser) search() (by []int32) {
	class := make([]int32, len(c.t.Nodes))
	for i := len(class) - 1; i >= 0; i-- { // children before their parents
		n := &c.t.Nodes[i]
		switch {
		case n.IsLeaf():
			class[i] = c.class(c.leaf(n))
		case class[n.Left] != class[n.Right]:
			class[i] = c.class(c.split(n, class[n.Left], class[n.Right]))
		default:
			class[i] = class[n.Left]
			if by == nil {
				by = identity(len(class))
			}
			by[i] = n.Left
		}
	}
	return by
}

func (c *collapser) leaf(n *ir.Node) shape {
	if c.t.Vectors == nil {
		return shape{feature: ir.NoFeature, list: noList, bits: math.Float64bits(n.Value)}
	}
	at := int(n.Vector) * c.outputs
	return shape{feature: ir.NoFeature, list: c.lists.class(c.t.Vectors[at : at+c.outputs])}
}

func (c *collapser) split(n *ir.Node, left, right int32) shape {
	s := shape{feature: n.Feature, list: noList, missingLeft: n.DefaultLeft, left: left, right: right}
	if n.Set != ir.NoSet {
		s.list = c.sets[n.Set]
	} else {
		s.bits = math.Float64bits(positiveZero(n.Threshold))
	}
	return s
}

func (c *collapser) class(s shape) int32 {
	k, ok := c.shapes[s]
	if !ok {
		k = int32(len(c.shapes))
		c.shapes[s] = k
	}
	return k
}

// lists holds the class of each list of numbers, by their bits.
type lists map[string]int32

func (l lists) class(numbers []float64) int32 {
	key := make([]byte, 0, 64)
	for _, v := range numbers {
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(v))
	}
	k, ok := l[string(key)]
	if !ok {
		k = int32(len(l))
		l[string(key)] = k
	}
	return k
}

// setClasses returns the class of each set; sets of the same numbers share one.
func setClasses(sets []ir.Set) []int32 {
	l := lists{}
	classes := make([]int32, len(sets))
	for i, s := range sets {
		s = slices.Clone(s)
		for j := range s {
			s[j] = positiveZero(s[j])
		}
		classes[i] = l.class(s)
	}
	return classes
}

// positiveZero returns v, and +0 for −0: a comparison does not tell them apart.
func positiveZero(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}
