package ir_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/ir"
)

const stump = "(f0<0.5?\n  -0.25\n  (f3{2:4,7:}\n    1\n    0.5#9))"

func TestTextRoundTrip(t *testing.T) {
	for _, text := range []string{
		"1", "(f0<0.5\n  1\n  2)", stump, "(f1{-Inf:0,16:}\n  [1 2]\n  [3 4])", "(f0<-0?\n  -0\n  +Inf)",
	} {
		e, err := ir.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, text, e.Format(&e.Trees[0]))
	}
	for _, text := range []string{"", "(", "(f0<1 2)", "(f0<1 2 3", "(f0<x 1 2)", "(g 1 2)", "1 2", "(f0{3:2} 1 2)", "(f9999999999<1 1 2)"} {
		_, err := ir.Parse(text)
		require.Error(t, err, text)
	}
}

func TestSet(t *testing.T) {
	inf := math.Inf(1)
	s := ir.Set{2, 4, 7}
	for x, want := range map[float64]bool{1.9: false, 2: true, 3.9: true, 4: false, 7: true, inf: true, -inf: false} {
		require.Equal(t, want, s.Contains(x), x)
		require.Equal(t, !want, s.Complement().Contains(x), x)
	}
	require.False(t, s.Contains(math.NaN()))
	require.False(t, s.Complement().Contains(math.NaN()))
	require.Equal(t, s, s.Complement().Complement())
}

func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*ir.Ensemble)
		want  string
	}{
		"cycle":     {func(e *ir.Ensemble) { e.Trees[0].Nodes[2].Right = 0 }, "tree 0, node 2: child 0 out of range (2, 5)"},
		"shared":    {func(e *ir.Ensemble) { e.Trees[0].Nodes[0].Left = 2 }, "tree 0, node 0: child 2 has two parents"},
		"orphan":    {func(e *ir.Ensemble) { e.Trees[0].Nodes = append(e.Trees[0].Nodes, e.Trees[0].Nodes[1]) }, "tree 0, node 5: not the child of an earlier node"},
		"feature":   {func(e *ir.Ensemble) { e.Trees[0].Nodes[0].Feature = 4 }, "tree 0, node 0: feature 4 out of range [0, 4)"},
		"set":       {func(e *ir.Ensemble) { e.Trees[0].Nodes[2].Set = 1 }, "tree 0, node 2: set 1 out of range [0, 1)"},
		"threshold": {func(e *ir.Ensemble) { e.Trees[0].Nodes[0].Threshold = 0.1 }, "tree 0, node 0: threshold 0.1 is not a float32 number"},
		"nan":       {func(e *ir.Ensemble) { e.Trees[0].Nodes[1].Value = math.NaN() }, "tree 0, node 1: leaf value NaN is not a float32 number"},
		"names":     {func(e *ir.Ensemble) { e.Features[1].Name = "f0" }, `features 0 and 1 are both named "f0"`},
		"rounds":    {func(e *ir.Ensemble) { e.Rounds = nil }, "trees outside of any round"},
		"base":      {func(e *ir.Ensemble) { e.BaseMargin = nil }, "0 base margins for 1 outputs"},
		"classes":   {func(e *ir.Ensemble) { e.Classes = []string{"a", "b", "c"} }, "3 class labels for 1 outputs"},
		"empty":     {func(e *ir.Ensemble) { e.Trees[0].Nodes = nil }, "tree 0 has no nodes"},
		"output":    {func(e *ir.Ensemble) { e.Trees[0].Output = 1 }, "tree 0 adds to output 1 of 1"},
	} {
		e := ir.MustParse(stump)
		c.spoil(e)
		require.EqualError(t, e.Verify(), c.want, name)
	}
}

func TestBoundsAndSlice(t *testing.T) {
	e := ir.MustParse(stump, "(f0<0.25 1 2)", "(f0<0.5 3 4)")
	require.Equal(t, [][]float64{{0.25, 0.5}, nil, nil, {2, 4, 7}}, e.Bounds())

	s, err := e.Slice(1, 2)
	require.NoError(t, err)
	require.NoError(t, s.Verify())
	require.Len(t, s.Trees, 1)
	require.Equal(t, []int32{0, 1}, s.Rounds)
	for _, r := range [][2]int{{-1, 1}, {2, 1}, {0, 4}} {
		_, err := e.Slice(r[0], r[1])
		require.Error(t, err)
	}
}
