package prune_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hew/ir"
	"hew/prune"
)

type pass = func(*ir.Ensemble) error

// wantIR requires that a pass turns the tree in into the tree out. A node of out
// has the number it had in in, "#n" if its place changed.
func wantIR(t *testing.T, in string, run pass, out string) {
	t.Helper()
	e, want := ir.MustParse(in), ir.MustParse(out)
	require.NoError(t, run(e), in)
	require.NoError(t, e.Verify(), in)
	require.Equal(t, want.Format(&want.Trees[0]), e.Format(&e.Trees[0]), in)
}

// wantSame requires that a pass leaves the tree in alone.
func wantSame(t *testing.T, in string, run pass) {
	t.Helper()
	wantIR(t, in, run, in)
}

func TestDead(t *testing.T) {
	for name, c := range map[string][2]string{
		"implied":            {"(f0<1 (f0<2 10 11) 12)", "(f0<1 10#2 12#4)"},
		"implied right":      {"(f0<2 10 (f0<1 11 12))", "(f0<2 10 12#4)"},
		"root":               {"(f0<-Inf 1 2)", "2#2"},
		"repeated":           {"(f0<1 (f0<1 10 11) (f0<1 12 13))", "(f0<1 10#2 13#6)"},
		"other feature":      {"(f0<1 (f1<1 (f0<2 10 11) 12) 13)", "(f0<1 (f1<1 10#3 12#5) 13#6)"},
		"restored on return": {"(f0<1 (f0<0 1 2) (f0<0 3 4))", "(f0<1 (f0<0 1 2) 4#6)"},
		"chain":              {"(f0<1 (f0<2 (f0<3 (f0<4 1 2) 3) 4) 5)", "(f0<1 1#4 5#8)"},
		"dead in dead":       {"(f0<1 (f0<2 1 (f0<3 2 3)) 4)", "(f0<1 1#2 4#6)"},
		"squeezed":           {"(f0<1 1 (f0<3 (f0<2 (f0<1 2 3) 4) 5))", "(f0<1 1 (f0<3 (f0<2 3#6 4#7) 5#8))"},

		"missing follows":      {"(f0<1? (f0<2? 10 11) 12)", "(f0<1? 10#2 12#4)"},
		"only missing, left":   {"(f0<-Inf? (f0<5 1 2) 3)", "(f0<-Inf? 2#3 3#4)"},
		"only missing, right":  {"(f0<1? 1 (f0<1 2 (f0<5? 3 4)))", "(f0<1? 1 (f0<5?#4 3#5 4#6))"},
		"only missing, split":  {"(f0<1 1 (f0<1? (f0<7? 2 3) 4))", "(f0<1 1 (f0<1? 2#4 4#6))"},
		"missing and infinity": {"(f0<+Inf 1 (f0<3 2 4))", "(f0<+Inf 1 4#4)"},

		"subset":           {"(f0{2:4} (f0{1:5} 1 2) 3)", "(f0{2:4} 1#2 3#4)"},
		"disjoint":         {"(f0{2:4} (f0{4:} 1 2) 3)", "(f0{2:4} 2#3 3#4)"},
		"subset, two":      {"(f0{2:4,7:8} (f0{1:5,6:9} 1 2) 3)", "(f0{2:4,7:8} 1#2 3#4)"},
		"excluded":         {"(f0{2:4} 1 (f0{3:4} 2 3))", "(f0{2:4} 1 3#4)"},
		"excluded, open":   {"(f0{2:} 1 (f0{3:4,5:} 2 3))", "(f0{2:} 1 3#4)"},
		"covered":          {"(f0{-Inf:3}? 1 (f0{3:7} 2 (f0{7:} 3 4)))", "(f0{-Inf:3}? 1 (f0{3:7} 2 3#5))"},
		"set below number": {"(f0{2:4} (f0<4 1 2) 3)", "(f0{2:4} 1#2 3#4)"},
		"number below set": {"(f0<2 (f0{2:4} 1 2) 3)", "(f0<2 2#3 3#4)"},
		"number in a gap":  {"(f0{2:4,7:} (f0<5 (f0<4 1 2) (f0<7 3 4)) 5)", "(f0{2:4,7:} (f0<5 1#3 4#7) 5#8)"},
		"empty set":        {"(f0{} 1 2)", "2#2"},
		"full set":         {"(f0{-Inf:}? 1 2)", "1#1"},

		"zeros, left":  {"(f0<0 (f0<-0 1 2) 3)", "(f0<0 1#2 3#4)"},
		"zeros, right": {"(f0<-0 1 (f0<0 2 3))", "(f0<-0 1 3#4)"},
		"zeros, set":   {"(f0{-0:1} (f0{0:1} 1 2) 3)", "(f0{-0:1} 1#2 3#4)"},
	} {
		t.Run(name, func(t *testing.T) { wantIR(t, c[0], prune.Dead, c[1]) })
	}
}

func TestDeadKeeps(t *testing.T) {
	for name, in := range map[string]string{
		"leaf":                       "1",
		"stump":                      "(f0<1 2 3)",
		"missing only":               "(f0<1? (f0<2 10 11) 12)",
		"missing only, root":         "(f0<-Inf? 1 2)",
		"missing only, repeated":     "(f0<1 1 (f0<1? 2 3))",
		"missing only, set":          "(f0{2:4}? (f0{1:5} 1 2) 3)",
		"missing only, covered":      "(f0{-Inf:3} 1 (f0{3:7} 2 (f0{7:} 3 4)))",
		"missing only, full set":     "(f0{-Inf:} 1 2)",
		"+Inf is not below itself":   "(f0<+Inf? 1 2)",
		"-Inf is below all finite":   "(f0<-3.4028235e+38? 1 2)",
		"one float32 between":        "(f0<1? 1 (f0<1.0000001? 2 3))",
		"zero between":               "(f0<0? 1 (f0<1e-45? 2 3))",
		"fraction between two codes": "(f0{2:3}? 1 (f0<2? 2 (f0{3:4}? 3 4)))",
		"overlap":                    "(f0{2:4} (f0{3:5} 1 2) 3)",
		"open set holds infinity":    "(f0{3:}? (f0<+Inf 1 2) 3)",
	} {
		t.Run(name, func(t *testing.T) { wantSame(t, in, prune.Dead) })
	}
}

func TestCollapse(t *testing.T) {
	for name, c := range map[string][2]string{
		"leaves":          {"(f0<1 2 2)", "2#1"},
		"cascade":         {"(f0<1 (f1<1 2 2) (f2<1? 2 2))", "2#2"},
		"inner":           {"(f0<1 (f1<1 2 2) 3)", "(f0<1 2#2 3#4)"},
		"subtrees":        {"(f0<1 (f1<1? 2 3) (f1<1? 2 3))", "(f1<1?#1 2#2 3#3)"},
		"zero thresholds": {"(f0<1 (f1<0 2 3) (f1<-0 2 3))", "(f1<0#1 2#2 3#3)"},
		"sets":            {"(f0<1 (f1{1:2} 2 3) (f1{1:2} 2 3))", "(f1{1:2}#1 2#2 3#3)"},
		"equal sets":      {"(f0<1 (f1{0:2} 2 3) (f1{-0:2} 2 3))", "(f1{0:2}#1 2#2 3#3)"},
		"vectors":         {"(f0<1 [1 2] [1 2])", "[1 2]#1"},
		"after a cascade": {"(f0<1 (f1<1 2 (f2<1 3 3)) (f1<1 (f3<1 2 2) 3))", "(f1<1#1 2#2 3#4)"},
	} {
		t.Run(name, func(t *testing.T) { wantIR(t, c[0], prune.Collapse, c[1]) })
	}
}

func TestCollapseKeeps(t *testing.T) {
	for name, in := range map[string]string{
		"leaf":                     "1",
		"signs of zero":            "(f0<1 0 -0)",
		"signs of zero, vectors":   "(f0<1 [0 1] [-0 1])",
		"neighbours":               "(f0<1 1 1.0000001)",
		"sides swapped":            "(f0<1 (f1<1 2 3) (f1<1 3 2))",
		"another feature":          "(f0<1 (f1<1 2 3) (f2<1 2 3))",
		"another threshold":        "(f0<1 (f1<1 2 3) (f1<2 2 3))",
		"another default":          "(f0<1 (f1<1 2 3) (f1<1? 2 3))",
		"another set":              "(f0<1 (f1{1:2} 2 3) (f1{1:3} 2 3))",
		"set against number":       "(f0<1 (f1{0:} 2 3) (f1<0 2 3))",
		"equal leaves, not beside": "(f0<1 (f1<1 2 3) 2)",
	} {
		t.Run(name, func(t *testing.T) { wantSame(t, in, prune.Collapse) })
	}
}

// What no node refers to any more goes; what stays keeps its content.
func TestSweep(t *testing.T) {
	e := ir.MustParse("(f0<1 (f0<2 [1 2] [3 4]) [5 6])", "[7 8]")
	require.NoError(t, prune.Dead(e))
	require.NoError(t, e.Verify())
	require.Equal(t, []float64{1, 2, 5, 6}, e.Trees[0].Vectors)
	require.Equal(t, []float64{7, 8}, e.Trees[1].Vectors)
	require.Equal(t, "(f0<1\n  [1 2]#2\n  [5 6]#4)", e.Format(&e.Trees[0]))

	e = ir.MustParse("(f0<1 (f0{2:4} 1 2) (f0{3:} 3 4))", "(f1{5:6} 1 2)")
	require.NoError(t, prune.Dead(e))
	require.NoError(t, e.Verify())
	require.Equal(t, []ir.Set{{3}, {5, 6}}, e.Sets)
	require.Equal(t, "(f1{5:6}\n  1\n  2)", e.Format(&e.Trees[1]))
}

// A node that moves up takes the cover of its new place, so that sums of covers
// above it stay right.
func TestCover(t *testing.T) {
	for name, run := range map[string]pass{"dead": prune.Dead, "collapse": prune.Collapse} {
		e := ir.MustParse("(f0<1 (f0<2 (f0<3 7 7) 7) 8)")
		for i, c := range []float32{100, 60, 50, 40, 10, 10, 40} {
			e.Trees[0].Nodes[i].Cover = c
		}
		require.NoError(t, run(e), name)
		var covers []float32
		for _, n := range e.Trees[0].Nodes {
			covers = append(covers, n.Cover)
		}
		require.Equal(t, []float32{100, 60, 40}, covers, name)
	}
}

// chain returns a tree of n splits, each the right child of the one before.
func chain(n int, split func(i int) ir.Node) *ir.Ensemble {
	e := ir.MustParse("1")
	e.Features = []ir.Feature{{Name: "f0"}}
	nodes := make([]ir.Node, 0, 2*n+1)
	for i := range n {
		s := split(i)
		s.Left, s.Right = int32(2*i+1), int32(2*i+2)
		leaf := ir.Node{Feature: ir.NoFeature, Set: ir.NoSet, Value: float64(i % 1000)}
		nodes = append(nodes, s, leaf)
	}
	e.Trees[0].Nodes = append(nodes, ir.Node{Feature: ir.NoFeature, Set: ir.NoSet, Value: -1})
	return e
}

// A deep tree overflows no stack and takes no quadratic time.
func TestDeepTree(t *testing.T) {
	const depth = 200_000
	e := chain(depth, func(i int) ir.Node {
		return ir.Node{Set: ir.NoSet, Threshold: float64(i % (depth / 2))}
	})
	require.NoError(t, prune.Dead(e))
	require.NoError(t, e.Verify())
	require.Equal(t, depth/2, e.Trees[0].Depth(), "the second half repeats the first")

	e = chain(depth, func(i int) ir.Node { return ir.Node{Set: ir.NoSet, Threshold: float64(i)} })
	for i := range e.Trees[0].Nodes {
		e.Trees[0].Nodes[i].Value = 1
	}
	require.NoError(t, prune.Collapse(e))
	require.Len(t, e.Trees[0].Nodes, 1)
}

// Domains of categorical features stop growing before they take all memory;
// what fits is still pruned.
func TestDeepOneHotTree(t *testing.T) {
	const depth = 20_000
	e := chain(depth, func(i int) ir.Node { return ir.Node{Set: int32(i / 2), DefaultLeft: true} })
	for i := range depth / 2 {
		e.Sets = append(e.Sets, ir.Set{float64(2 * i), float64(2*i + 1)})
	}
	require.NoError(t, prune.Dead(e))
	require.NoError(t, e.Verify())
	require.Less(t, e.Trees[0].Depth(), depth-700)
	require.Greater(t, e.Trees[0].Depth(), depth/2, "the limit is not reached; deepen the tree")
}

// What a walk remembers about a path goes with the path.
func TestManyTrees(t *testing.T) {
	e := ir.MustParse("(f0<1 2 3)", "(f0<1 (f0<2 10 11) 12)")
	stump, last := e.Trees[0], e.Trees[1]
	e.Trees = e.Trees[:0]
	for range 400_000 {
		e.Trees = append(e.Trees, stump)
	}
	e.Trees = append(e.Trees, last)
	require.NoError(t, prune.Dead(e))
	require.Equal(t, 2, e.Trees[len(e.Trees)-1].NumLeaves())
}
