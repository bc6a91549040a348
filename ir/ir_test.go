package ir_test

import (
	"math"
	"strings"
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

// Of a float64 ensemble the text form keeps every digit, and Print says what it is.
func TestTextOfFloat64(t *testing.T) {
	const text = "(f0<0.1?\n  0.3\n  (f1{0.1:0.2}\n    1e+300\n    0.5))"
	for _, c := range []struct {
		input, sum   ir.Precision
		tree, detail string
	}{
		{ir.Single, ir.Single, "(f0<0.1? 0.3 (f1{0.1:0.2} 1e+30 0.5))", "link identity"},
		{ir.Single, ir.Double, text, "link identity, sums float64"},
		{ir.Double, ir.Single, "(f0<1e-300? 0.3 (f1{0.1:0.2} 1 0.5))", "link identity, input float64"},
		{ir.Double, ir.Double, text, "link identity, input float64, sums float64"},
		{ir.Single, ir.Double, "(f0<0.1? [0.3] (f1{0.1:0.2} [0.1] [0.5]))", "link identity, sums float64"},
	} {
		e, err := ir.ParseAs(c.input, c.sum, c.tree)
		require.NoError(t, err, c.tree)
		again, err := ir.ParseAs(c.input, c.sum, e.Format(&e.Trees[0]))
		require.NoError(t, err)
		require.Equal(t, e, again)
		var b strings.Builder
		require.NoError(t, e.Print(&b))
		line, trees, _ := strings.Cut(b.String(), "\n")
		require.True(t, strings.HasSuffix(line, c.detail), line)
		require.Contains(t, trees, "f1{0.1:0.2}")
		require.Equal(t, "0.1:0.2", e.Sets[0].String())
		require.Equal(t, c.input == ir.Double, e.Sets[0][0] == 0.1)
		first := e.Trees[0].Nodes[1].Value
		if v := e.Trees[0].Vectors; v != nil {
			first = v[0]
		}
		require.Equal(t, c.sum == ir.Double, first == 0.3)
	}
}

// Thresholds and sets are of the input type, all that is added of the type of sums.
func TestVerifyPrecision(t *testing.T) {
	spoil := map[string]func(*ir.Ensemble){
		"tree 0, node 0: threshold 0.1 is not a float32 number":  func(e *ir.Ensemble) { e.Trees[0].Nodes[0].Threshold = 0.1 },
		"set 0: bound 0 is 0.1, not a float32 number":            func(e *ir.Ensemble) { e.Sets[0][0] = 0.1 },
		"tree 0, node 1: leaf value 0.1 is not a float32 number": func(e *ir.Ensemble) { e.Trees[0].Nodes[1].Value = 0.1 },
		"base margin 0.1 of output 0 is not a float32 number":    func(e *ir.Ensemble) { e.BaseMargin[0] = 0.1 },
		"tree 0: leaf vector value 0.1 is not a float32 number":  func(e *ir.Ensemble) { e.Trees[0].Vectors = []float64{0.1} },
		"linear weight 0.1 is not a float32 number": func(e *ir.Ensemble) {
			e.Trees, e.Rounds, e.Linear = nil, nil, &ir.Linear{Weights: []float64{0, 0, 0, 0.1}, Bias: []float64{0}}
		},
	}
	for want, f := range spoil {
		input := strings.Contains(want, "threshold") || strings.Contains(want, "bound")
		for _, p := range [][2]ir.Precision{{}, {ir.Double, ir.Single}, {ir.Single, ir.Double}, {ir.Double, ir.Double}} {
			e, err := ir.ParseAs(p[0], p[1], stump)
			require.NoError(t, err)
			f(e)
			if p[0] == ir.Double && input || p[1] == ir.Double && !input {
				require.NoError(t, e.Verify(), want)
			} else {
				require.EqualError(t, e.Verify(), want)
			}
		}
	}
	e, err := ir.ParseAs(ir.Double, ir.Double, stump)
	require.NoError(t, err)
	e.Trees[0].Nodes[0].Threshold = math.NaN()
	require.EqualError(t, e.Verify(), "tree 0, node 0: threshold NaN is not a float64 number")
	e = ir.MustParse(stump)
	e.Sum, e.Link = ir.Double, ir.Sigmoid
	require.EqualError(t, e.Verify(), "link sigmoid is not defined for float64 sums")
	e.Sum = 2
	require.EqualError(t, e.Verify(), "unknown precision: inputs 0, sums 2")
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
