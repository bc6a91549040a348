//go:build amd64 && !purego

package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestVectorStaysInside moves the tables of vectors, the ranks and the sums between
// pages that cannot be touched: a load or a store beyond one kills the test.
func TestVectorStaysInside(t *testing.T) {
	needVectors(t)
	for _, c := range vectorCases {
		m := c.model(c.random())
		t.Run(c.name, func(t *testing.T) {
			testVectorStaysInside[float32](t, m)
			testVectorStaysInside[float64](t, m)
			toGrid(m, 127)
			testVectorStaysInside[float32](t, m)
			testVectorStaysInside[float64](t, m)
		})
	}
}

func testVectorStaysInside[Out Float](t *testing.T, m *Model) {
	v, free := newVector[Out](m, ThisCPU()), newGrid[Out](m).exact
	if v == nil {
		return
	}
	r := rand.New(rand.NewPCG(11, 12))
	ranks, sums := fenced[byte](t, v.width), fenced[Out](t, m.Outputs)
	want := make([]Out, m.Outputs)
	for side := range 2 {
		for i := range v.sections {
			s := &v.sections[i]
			fence(t, side, &s.top)
			fence(t, side, &s.below)
			fence(t, side, &s.decisions)
			fence(t, side, &s.bases)
			fence(t, side, &s.counts)
			fence(t, side, &s.order)
			fence(t, side, &s.outputs)
			fence(t, side, &s.vectors)
		}
		for range 10 {
			fillVectorRanks(r, ranks[side])
			clear(want)
			clear(sums[side])
			naiveAdd(want, m, ranks[side])
			v.add(sums[side], ranks[side], free)
			requireVectorBits(t, want, sums[side], "side %d", side)
		}
	}
}

// fence replaces a slice by a copy at an end of pages.
func fence[T any](t *testing.T, side int, s *[]T) {
	if len(*s) == 0 {
		return
	}
	moved := fenced[T](t, len(*s))[side]
	copy(moved, *s)
	*s = moved
}
