package codegen_test

import (
	"fmt"
	"math"
	"strconv"

	"hew/codegen"
	"hew/ir"
)

// A goldenCase is an ensemble whose generated package is kept in
// testdata/golden, where its text can be read and tests import it.
type goldenCase struct {
	name    string
	e       *ir.Ensemble
	options codegen.Options
}

// reference returns the ensemble whose answers the package gives.
func (c goldenCase) reference() *ir.Ensemble {
	if c.options.Leaves != nil {
		return c.options.Leaves
	}
	return c.e
}

var goldenCases = []goldenCase{
	{name: "stump", e: with(ir.MustParse("(f0<0.5 -0.25 1)"), func(e *ir.Ensemble) {
		e.Link, e.Task = ir.SigmoidClamped, ir.Classification
		e.BaseMargin = []float64{-0.5}
		e.Source = ir.Source{File: "stump.json", SHA256: "5a1c", Trainer: "xgboost", Version: "3.2.0", Container: "json", Objective: "binary:logistic"}
	}), options: codegen.Options{Passes: []string{"dead", "collapse"}, Exact: true}},

	// Feature 0 sends missing values both ways; the covers make some splits
	// branches, with either side as the fall-through.
	{name: "missing", e: with(ir.MustParse(
		"(f0<1 (f1<0.1? -1 2) (f0<2? 3 4))",
		"(f0<1.5? (f2<-3.5? 0.1 0.2) (f0<-2 0.3 0.4))",
	), func(e *ir.Ensemble) {
		cover(&e.Trees[0], 1000, 1, 1, 0, 999, 999, 0)
		cover(&e.Trees[1], 1000, 999, 500, 499, 1, 1, 0)
		e.Link = ir.Sigmoid
	})},

	{name: "sets", e: ir.MustParse(
		"(f0{2:3} 1 2)", "(f0{2:3}? 1 2)", "(f0{-Inf:2,3:} 1 2)", "(f0{-Inf:2,3:}? 1 2)",
		"(f1{2:4,7:} 1 2)", "(f1{2:4,7:}? 1 2)", "(f1{-Inf:0,16:17} 1 2)", "(f1{-Inf:0,16:17}? 1 2)",
		"(f2{} 1 2)", "(f2{}? 1 2)", "(f2{-Inf:} 1 2)", "(f2{-Inf:}? 1 2)", "(f2{-Inf:+Inf} 1 2)", "(f2{+Inf:}? 1 2)",
		"(f3{-Inf:0,2:3,4:5,6:7,8:9,10:11,12:13,14:15,16:17,18:} 1 2)",
		"(f3{0:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16,17:18}? (f0{1:2} 1 2) 3)",
	)},

	{name: "vectors", e: with(ir.MustParse(
		"(f0<0.5 [1 2 3] (f1<1.5? [4 5 -0] (f2{1:2} [7 8 9] [0.1 0.2 0.3])))", "[1 -1 1e-45]",
	), func(e *ir.Ensemble) {
		// A tree with scalar leaves among them.
		e.Trees = append(e.Trees, ir.MustParse("(f1<0 1 -0)").Trees[0])
		e.Trees[2].Output = 1
		e.Rounds = []int32{0, 3}
		e.BaseMargin = []float64{0, math.Copysign(0, -1), math.Copysign(0, -1)}
	})},

	{name: "softmax", e: multiclass(ir.Softmax), options: codegen.Options{Exact: true}},
	{name: "argmax", e: multiclass(ir.Argmax)},
	{name: "quantiles", e: multiclass(ir.Sort)},
	{name: "expectiles", e: multiclass(ir.Gaps)},
	{name: "hinge", e: with(ir.MustParse("(f0<0 -1 1)", "(f0<1 1 -1)"), func(e *ir.Ensemble) { e.Link = ir.Step })},

	// The sum depends on where it starts.
	{name: "baselast", e: with(ir.MustParse("16777216", "(f0<1 1 -1)", "-16777216"), func(e *ir.Ensemble) {
		e.BaseMargin, e.BaseLast, e.Link = []float64{float64(float32(0.1))}, true, ir.Exp
	})},

	{name: "linear", e: with(ir.MustParse("(f1<1 [0 0] [0 0])"), func(e *ir.Ensemble) {
		e.Trees, e.Rounds = nil, nil
		e.BaseMargin = []float64{0.5, math.Inf(1)}
		e.Linear = &ir.Linear{Weights: []float64{float64(float32(0.1)), 3, math.Copysign(0, -1), math.Inf(1)}, Bias: []float64{float64(float32(0.7)), math.Inf(-1)}}
	})},

	{name: "empty", e: with(ir.MustParse("(f2<1 1 2)"), func(e *ir.Ensemble) {
		e.Trees, e.Rounds, e.BaseMargin = nil, nil, []float64{math.Copysign(0, -1)}
	})},

	{name: "numbers", e: with(ir.MustParse(
		"(f0<+Inf 1 2)", "(f0<+Inf? 1 2)", "(f0<-Inf 1 2)", "(f0<-Inf? 1 2)", "(f1<-0 1 2)", "(f1<1e-45? -1e-45 1e-45)", "(f1<-1e-45 1 2)",
		"(f2<3.4028235e+38 +Inf 1)", "(f2<-3.4028235e+38? -Inf 1)", "(f0<0.1 -0 1)", "-0", "1.1754944e-38",
	), func(e *ir.Ensemble) { e.BaseMargin[0] = math.Copysign(0, -1) })},

	{name: "parts", e: ir.MustParse(deep(0, 4), deep(16, 5)), options: codegen.Options{MaxFuncNodes: 7}},

	// The plainest form, which takes the compiler least.
	{name: "plain", e: ir.MustParse(deep(0, 3), "(f1<-2.5? 1 2)", "(f2{-1:3,5:} 1 2)", "(f0<-Inf 1 2)"), options: codegen.Options{MaxMemory: 1}},

	// A pass merged the leaves of a tree, Leaf still tells them apart.
	{name: "collapsed", e: ir.MustParse("3", "(f0<2 1 2)"), options: codegen.Options{Leaves: ir.MustParse("(f0<1? 3#5 3#7)", "(f0<2 1 2)")}},

	// A pass removed trees that add nothing, Leaf still knows them.
	{name: "removed", e: ir.MustParse("(f0<2 1 2)"), options: codegen.Options{Leaves: ir.MustParse("0", "(f0<2 1 2)", "(f0<1? 0#5 -0#7)")}},

	// Trees and subtrees that are the same share functions: within a tree, with a tree
	// that comes later, with one that adds to another output.
	{name: "shared", e: with(ir.MustParse(
		"(f3<1 "+deep(0, 3)+" (f3<2 "+deep(0, 3)+" (f4<2? 99 98)))", "(f3<3 7 "+deep(0, 3)+")", deep(0, 3), "(f3<3 7 "+deep(0, 3)+")", "(f0<1 1 2)", "(f0<1 1 2)",
	), func(e *ir.Ensemble) {
		e.Outputs, e.BaseMargin = 2, []float64{0, 1}
		e.Trees[3].Nodes, e.Trees[3].Output = e.Trees[1].Nodes, 1
		e.Trees[5].Nodes, e.Trees[5].Output = e.Trees[4].Nodes, 1
	}), options: codegen.Options{MaxMemory: 1}},

	// Leaf vectors are held once, whatever tree they are in.
	{name: "sharedvectors", e: with(ir.MustParse(
		"(f0<1 [1 2] (f1<1 [3 4] [1 2]))", "(f2<1 [3 4] (f3<1 [1 2] [3 -0]))", "(f3<2 [1 2] (f1<0? [3 0] [1 2]))", "(f3<2 [1 2] (f1<0? [3 0] [1 2]))",
	), func(e *ir.Ensemble) { e.Trees[3].Nodes, e.Trees[3].Vectors = e.Trees[2].Nodes, e.Trees[2].Vectors })},

	// Few of many features are used: keys leave out the others.
	{name: "wide", e: ir.MustParse("(f1500<2 (f3<1? 1 2) (f1500<3? 4 5))")},

	{name: "names", e: oddNames()},

	// float64 throughout: thresholds that float32 does not have, sets, vectors.
	{name: "double", e: doubles(
		"(f0<0.1 [0.1 0.2] (f1{1:2,1e300:}? [0.3 -0] [1e-310 4]))", "(f1<-0.30000000000000004? [1 2] (f0<0.1? [3 4] [5 6]))",
		"(f2{0:1,2:3,4:5,6:7,8:9.5,11:12}? [1 -1] (f2<5e-324 [2 -2] [3 -3]))",
	), options: codegen.Options{Exact: true}},

	{name: "classifier", e: twoClasses(), options: codegen.Options{Exact: true}},
	{name: "scaled", e: ridge()},
}

// doubles is ir.MustParse for float64.
func doubles(trees ...string) *ir.Ensemble {
	e, err := ir.ParseAs(ir.Double, ir.Double, trees...)
	if err != nil {
		panic(err)
	}
	return e
}

// twoClasses returns an ensemble of two classes with answers, and with features that
// do not take every value.
func twoClasses() *ir.Ensemble {
	e := doubles("(f0<0.1 -0.25 1)", "(f1{-1:1} 0.5 (f2<1.5 -1 0.75))")
	e.Task, e.BaseMargin = ir.Classification, []float64{-0.1}
	e.Features = []ir.Feature{
		{Name: "age", Refuses: ir.Missing | ir.Infinite | ir.TooLarge},
		{Name: "city", Type: ir.Categorical, Categories: []string{"Rome", "Paris"}, Open: true},
		{Name: "label", Type: ir.Categorical, Categories: []string{"a", "b"}},
		{Name: "size", Accepts: []float64{1, 2.5}},
	}
	e.Post = []ir.Stage{
		{Code: ir.StageExpit, Args: []int32{0}, Width: 1, A: 1},
		{Code: ir.StageComplement, Args: []int32{1}, Width: 2},
		{Code: ir.StagePositive, Args: []int32{0}, Width: 1},
	}
	e.Answers = []ir.Answer{
		{Name: "proba", Vector: 2}, {Name: "decision", Vector: 0},
		{Name: "label", Vector: 3, Labels: []ir.Labels{{Texts: []string{"no", "yes"}}}},
	}
	e.Source = ir.Source{File: "classifier.pkl", Trainer: "scikit-learn", Version: "1.6.1", Container: "pickle"}
	return e
}

// ridge returns a linear model over columns of float32 rows.
func ridge() *ir.Ensemble {
	e := ir.MustParse("(f3<1 1 2)")
	e.Sum = ir.Double
	e.Trees, e.Rounds = nil, nil
	e.Features[2].Name = "$in @home"
	e.Columns = []ir.Column{
		{Feature: 0, Ops: []ir.Op{{Code: ir.OpFill, A: 1.5}, {Code: ir.OpSub, A: 0.1}, {Code: ir.OpDiv, A: 3}, {Code: ir.OpRound}}},
		{Feature: 1, Ops: []ir.Op{{Code: ir.OpEqual, A: 2}}},
		{Feature: 1, Ops: []ir.Op{{Code: ir.OpLookup, Keys: []float64{0, 1, 5}, Values: []float64{0.25, -1, math.Inf(1)}, A: 0.5, B: math.NaN()}, {Code: ir.OpFill}}},
		{Feature: 2, Ops: []ir.Op{{Code: ir.OpClip, A: -1, B: 4}, {Code: ir.OpBin, Keys: []float64{-0.5, 0.5, 3}}, {Code: ir.OpMul, A: math.Copysign(0, -1)}, {Code: ir.OpDiv}}},
		{Feature: 3},
	}
	e.Linear = &ir.Linear{Weights: []float64{0.5, -1, 0.1, 2, 1e-3}, Bias: []float64{0.1}}
	e.Post = []ir.Stage{{Code: ir.StageMultiply, Args: []int32{0}, Width: 1, A: 2}}
	e.Answers = []ir.Answer{{Name: "predict", Vector: 1}}
	return e
}

// with returns e after a change.
func with(e *ir.Ensemble, change func(*ir.Ensemble)) *ir.Ensemble {
	change(e)
	return e
}

// cover sets the covers of a tree's nodes.
func cover(t *ir.Tree, covers ...float32) {
	for i, c := range covers {
		t.Nodes[i].Cover = c
	}
}

// multiclass returns an ensemble of three outputs.
func multiclass(l ir.Link) *ir.Ensemble {
	e := ir.MustParse("(f0<0 -1 0.5)", "(f0<1 0.25 2)", "(f1<2? 0.75 -0.5)", "(f1<0 1 0.5)", "(f1<1 -1 1)", "(f0<1 1 -Inf)")
	e.Outputs, e.BaseMargin, e.Link = 3, []float64{0.5, 0.25, 0}, l
	for i := range e.Trees {
		e.Trees[i].Output = int32(i % 3)
	}
	return e
}

// deep returns the text of a complete tree with leaves first, first+1, …
func deep(first, depth int) string {
	if depth == 0 {
		return strconv.Itoa(first)
	}
	return fmt.Sprintf("(f%d<%d %s %s)", depth%3, first*7%11, deep(first, depth-1), deep(first+1<<(depth-1), depth-1))
}

// oddNames returns an ensemble with names that are no Go identifiers, or are taken.
func oddNames() *ir.Ensemble {
	e := ir.MustParse("(f0<1 (f1<2 1 2) (f10{1:2} 3 4))", "(f9<3 5 6)", "(f11{0:1}? 7 8)")
	list := []string{
		"monthly_fee", "Monthly Fee", "monthly-fee2", "größe", "年齢", "type", "predict", "2nd % of @x", "!?", "a\nb // c", "city", "row",
	}
	e.Features = nil
	for _, n := range list {
		e.Features = append(e.Features, ir.Feature{Name: n})
	}
	e.Features[1].Type = ir.Int
	e.Features[2].Type = ir.Bool
	e.Features[10].Type, e.Features[10].Categories = ir.Categorical, []string{"New York", "new-york", "", "München", "Missing", "a\"b\n@math.Inf"}
	e.Features[11].Type, e.Features[11].Categories = ir.Categorical, []string{"x", "x"}
	e.Features[9].Type = ir.Categorical
	e.Source = ir.Source{File: "odd\nname.json", Objective: "reg:squarederror"}
	return e
}
