package prune_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/prune"
)

func TestZero(t *testing.T) {
	for name, c := range map[string]struct {
		base     float64
		baseLast bool
		in, out  string
	}{
		"plain":              {in: "(f0<1 1 2) 0 (f0<1 0 -0) (f1<2 3 0)", out: "(f0<1 1 2) (f1<2 3 0)"},
		"before others":      {in: "0 (f0<1 1 2)", out: "(f0<1 1 2)"},
		"negative":           {in: "(f0<1 -0 1) -0 (f0<1 -0 -0)", out: "(f0<1 -0 1)"},
		"positive for −0":    {in: "(f0<1 -0 1) 0", out: "(f0<1 -0 1) 0"},
		"mixed for −0":       {in: "(f0<1 -0 1) (f1<2 -0 0)", out: "(f0<1 -0 1) (f1<2 -0 0)"},
		"settled by zeros":   {in: "(f0<1 0 5) 0 -0 (f0<1 -0 0)", out: "(f0<1 0 5)"},
		"all positive":       {in: "0 (f0<1 0 0) 0", out: "0"},
		"all negative":       {in: "-0 (f0<1 -0 -0) -0", out: "-0"},
		"mixed, then zero":   {in: "(f0<1 0 -0) 0 (f0<1 0 -0)", out: "(f0<1 0 -0) 0"},
		"base last":          {baseLast: true, in: "(f0<1 -0 1) 0 (f0<1 0 -0)", out: "(f0<1 -0 1)"},
		"base last, no tree": {baseLast: true, in: "0 (f0<1 0 -0)", out: "(f0<1 0 -0)"},
		"a base is no help":  {base: 1, in: "(f0<1 -0 1) 0", out: "(f0<1 -0 1) 0"},
	} {
		e := ir.MustParse(trees(c.in)...)
		e.BaseMargin[0], e.BaseLast = c.base, c.baseLast
		before := e.Clone()
		require.NoError(t, prune.Zero(e), name)
		require.NoError(t, e.Verify(), name)
		require.Equal(t, c.out, text(e), name)
		wantMargins(t, name, before, e)
	}
}

// trees splits a line of trees.
func trees(line string) []string {
	var list []string
	depth, start := 0, 0
	for i, c := range line + " " {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ' ' && depth == 0:
			list = append(list, line[start:i])
			start = i + 1
		}
	}
	return list
}

func text(e *ir.Ensemble) string {
	list := make([]string, len(e.Trees))
	for i := range list {
		list[i] = strings.Join(strings.Fields(e.Format(&e.Trees[i])), " ")
	}
	return strings.Join(list, " ")
}

// An output to which a tree adds −0 on some row keeps the zeros, others do not need
// them; a tree with vector leaves goes if all of its outputs can do without.
func TestZeroByOutput(t *testing.T) {
	e := ir.MustParse("(f0<1 -0 1)", "(f0<1 2 3)", "0", "0", "(f0<1 0 0)", "(f0<1 0 0)")
	e.Outputs, e.BaseMargin = 2, []float64{0, 0}
	for i, output := range []int32{0, 1, 0, 1} {
		e.Trees[i].Output = output
	}
	for i, vectors := range [][]float64{{-1 * 0, 0, 0, 0}, {math.Copysign(0, -1), 0, math.Copysign(0, -1), math.Copysign(0, -1)}} {
		tree := &e.Trees[4+i]
		tree.Vectors = vectors
		tree.Nodes[2].Vector = 1
	}
	e.Rounds, e.BestRound = []int32{0, 2, 2, 4, 5, 6}, 4
	before := e.Clone()
	require.NoError(t, prune.Zero(e))
	require.NoError(t, e.Verify())
	require.Len(t, e.Trees, 3)
	require.Equal(t, []int32{0, 2, 2, 3, 3, 3}, e.Rounds, "the third tree is kept for output 0, and settles it")
	require.Equal(t, 4, e.BestRound)
	require.Equal(t, []int32{0, 2, 2, 4, 5, 6}, before.Rounds, "a clone has rounds of its own")
	wantMargins(t, "by output", before, e)
}

// wantMargins requires that two ensembles give the same bits, from their own base
// margins and from others.
func wantMargins(t *testing.T, name string, before, after *ir.Ensemble) {
	t.Helper()
	const rows = 100
	x := nodiff.Rows64(before, rows, 1)
	want, got := make([]float64, rows*before.Outputs), make([]float64, rows*before.Outputs)
	a, b := interp.New(before), interp.New(after)
	a.Margin64(want, x)
	b.Margin64(got, x)
	wantSameBits(t, name, want, got)
	for _, v := range []float64{math.Copysign(0, -1), 0, 1.5, -math.MaxFloat32, math.Inf(1)} {
		base := slices.Repeat([]float64{v}, len(want))
		a.MarginFrom64(want, x, base)
		b.MarginFrom64(got, x, base)
		wantSameBits(t, fmt.Sprintf("%s, from %v", name, v), want, got)
	}
}

func wantSameBits(t *testing.T, name string, want, got []float64) {
	t.Helper()
	for i, w := range want {
		if math.Float64bits(w) != math.Float64bits(got[i]) && (w == w || got[i] == got[i]) {
			require.Fail(t, "other bits", "%s: margin %d is %v, want %v", name, i, got[i], w)
		}
	}
}

func TestDedupe(t *testing.T) {
	for name, c := range map[string]struct {
		in     string
		bodies []int // of each tree, the first tree with the same body
	}{
		"same":           {"(f0<1 1 2) (f0<1 1 2) (f1<1 1 2) (f0<1 1 2)", []int{0, 0, 2, 0}},
		"threshold":      {"(f0<1 1 2) (f0<1.5 1 2)", []int{0, 1}},
		"feature":        {"(f0<1 1 2) (f1<1 1 2)", []int{0, 1}},
		"missing":        {"(f0<1 1 2) (f0<1? 1 2)", []int{0, 1}},
		"leaf":           {"(f0<1 1 2) (f0<1 1 3)", []int{0, 1}},
		"zeros":          {"(f0<1 0 2) (f0<1 -0 2) (f0<0 1 2) (f0<-0 1 2)", []int{0, 1, 2, 2}},
		"sets":           {"(f0{1:2} 1 2) (f0{1:3} 1 2) (f0{1:2} 1 2)", []int{0, 1, 0}},
		"leaf numbers":   {"(f0<1 1 2) (f0<1 1#2 2#1)", []int{0, 1}},
		"split numbers":  {"(f0<1 1 2) (f0<1#7 1#1 2#2)", []int{0, 0}},
		"leaves only":    {"1 1 2", []int{0, 0, 2}},
		"shape":          {"(f0<1 1 (f0<2 2 3)) (f0<1 (f0<2 1 2) 3)", []int{0, 1}},
		"number or leaf": {"(f0<1 1 2) 1", []int{0, 1}},
	} {
		e := ir.MustParse(trees(c.in)...)
		before := e.Clone()
		require.NoError(t, prune.Dedupe(e), name)
		require.NoError(t, e.Verify(), name)
		require.Equal(t, c.bodies, bodies(e), name)
		wantMargins(t, name, before, e)
	}
}

// bodies returns, for each tree, the first tree whose nodes are the same memory.
func bodies(e *ir.Ensemble) []int {
	first := make([]int, len(e.Trees))
	for i := range e.Trees {
		first[i] = slices.IndexFunc(e.Trees, func(t ir.Tree) bool { return &t.Nodes[0] == &e.Trees[i].Nodes[0] })
	}
	return first
}

// Nodes may stand in another order, and leaf vectors in other rows; what adds to
// another output is the same all the same.
func TestDedupeByMeaning(t *testing.T) {
	e := ir.MustParse("(f0<1 1 (f1<2 2 3))", "(f0<1 1 (f1<2 2 3))")
	e.Outputs, e.BaseMargin, e.Trees[1].Output = 2, []float64{0, 0}, 1
	n := e.Trees[1].Nodes
	n[1], n[2] = n[2], n[1]
	n[0].Left, n[0].Right = 2, 1
	require.NoError(t, e.Verify())
	require.NoError(t, prune.Dedupe(e))
	require.Equal(t, []int{0, 0}, bodies(e))
	require.EqualValues(t, 1, e.Trees[1].Output)

	v := ir.MustParse("(f0<1 1 (f1<2 2 3))", "(f0<1 1 (f1<2 2 3))")
	v.Outputs, v.BaseMargin = 2, []float64{0, 0}
	v.Trees[0].Vectors = []float64{1, 2, 3, 4, 1, 2}
	v.Trees[1].Vectors = []float64{3, 4, 9, 9, 1, 2}
	for i, rows := range [][3]int32{{0, 1, 2}, {2, 0, 2}} {
		for k, node := range []int{1, 3, 4} {
			v.Trees[i].Nodes[node].Vector = rows[k]
		}
	}
	before := v.Clone()
	require.NoError(t, prune.Dedupe(v))
	require.NoError(t, v.Verify())
	require.Equal(t, []int{0, 0}, bodies(v))
	require.Equal(t, []float64{1, 2, 3, 4}, v.Trees[0].Vectors)
	require.Same(t, &v.Trees[0].Vectors[0], &v.Trees[1].Vectors[0])
	wantMargins(t, "vectors", before, v)
}

func TestUnused(t *testing.T) {
	e := ir.MustParse("(f1<1 1 2)", "(f3<1 1 (f1{2:} 2 3))")
	e.Sets = append([]ir.Set{{7}}, e.Sets...)
	e.Trees[1].Nodes[2].Set = 1
	for j := range int32(4) {
		e.Columns = append(e.Columns, ir.Column{Feature: 3 - j, Ops: []ir.Op{{Code: ir.OpAdd, A: float64(j)}}})
	}
	before := e.Clone()
	require.NoError(t, prune.Unused(e))
	require.NoError(t, e.Verify())
	require.Len(t, e.Columns, 2)
	require.Equal(t, []int32{2, 0}, []int32{e.Columns[0].Feature, e.Columns[1].Feature})
	require.Len(t, e.Sets, 1)
	require.Len(t, e.Features, 4)
	wantMargins(t, "columns", before, e)

	none := ir.MustParse("1", "2")
	none.Columns = []ir.Column{{}}
	require.NoError(t, prune.Unused(none))
	require.Nil(t, none.Columns)

	linear := &ir.Ensemble{Outputs: 1, Features: e.Features, Columns: before.Columns, BaseMargin: []float64{0}, BestRound: -1, Linear: &ir.Linear{Weights: make([]float64, 4), Bias: []float64{0}}}
	require.NoError(t, linear.Verify())
	require.NoError(t, prune.Unused(linear))
	require.Len(t, linear.Columns, 4)
}

// Ensembles with trees that add nothing, the same trees several times, columns and
// features that nobody asks for, and outputs to which only zeros are added: the
// passes find what there is and change no bit, from any base margin.
func TestRedundant(t *testing.T) {
	removed, shared, columns, kept := 0, 0, 0, 0
	for seed := range uint64(600) {
		e, p := checkRedundant(t, seed, 6, 5)
		removed += len(e.Trees) - len(p.Trees)
		columns += len(e.Columns) - len(p.Columns)
		for i, first := range bodies(p) {
			shared += map[bool]int{true: 1}[first < i]
			kept += map[bool]int{true: 1}[onlyZeros(&p.Trees[i])]
		}
	}
	require.Greater(t, removed, 500)
	require.Greater(t, shared, 500)
	require.Greater(t, columns, 200)
	require.Greater(t, kept, 100, "zeros whose sign matters")
}

func FuzzRedundant(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, seed uint64, trees, depth uint8) {
		checkRedundant(t, seed, int(trees%20), int(depth%10))
	})
}

// checkRedundant runs all passes on a random ensemble and returns it, before and after.
func checkRedundant(t *testing.T, seed uint64, trees, depth int) (e, p *ir.Ensemble) {
	t.Helper()
	s := nodiff.Shape{
		Trees: trees, Depth: depth, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2), Columns: seed%3 == 0, Redundant: true,
	}
	e = s.Ensemble(seed)
	p = e.Clone()
	name := fmt.Sprintf("seed %d", seed)
	for _, run := range []pass{prune.Dead, prune.Unused, prune.Collapse, prune.Zero, prune.Dedupe} {
		require.NoError(t, run(p), name)
		require.NoError(t, p.Verify(), name)
		wantMargins(t, name, e, p)
	}
	require.Equal(t, e.NumRounds(), p.NumRounds(), name)
	return e, p
}

func onlyZeros(t *ir.Tree) bool {
	if t.Vectors != nil {
		return !slices.ContainsFunc(t.Vectors, func(v float64) bool { return v != 0 })
	}
	return !slices.ContainsFunc(t.Nodes, func(n ir.Node) bool { return n.IsLeaf() && n.Value != 0 })
}
