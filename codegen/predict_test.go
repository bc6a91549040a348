package codegen_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/codegen"
	"hew/codegen/testdata/golden/argmax"
	"hew/codegen/testdata/golden/baselast"
	"hew/codegen/testdata/golden/classifier"
	"hew/codegen/testdata/golden/collapsed"
	"hew/codegen/testdata/golden/double"
	"hew/codegen/testdata/golden/empty"
	"hew/codegen/testdata/golden/expectiles"
	"hew/codegen/testdata/golden/hinge"
	"hew/codegen/testdata/golden/linear"
	"hew/codegen/testdata/golden/missing"
	"hew/codegen/testdata/golden/names"
	"hew/codegen/testdata/golden/numbers"
	"hew/codegen/testdata/golden/parts"
	"hew/codegen/testdata/golden/plain"
	"hew/codegen/testdata/golden/quantiles"
	"hew/codegen/testdata/golden/removed"
	"hew/codegen/testdata/golden/scaled"
	"hew/codegen/testdata/golden/sets"
	"hew/codegen/testdata/golden/shared"
	"hew/codegen/testdata/golden/sharedvectors"
	"hew/codegen/testdata/golden/softmax"
	"hew/codegen/testdata/golden/stump"
	"hew/codegen/testdata/golden/vectors"
	"hew/codegen/testdata/golden/wide"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/predict"
)

// predictors are the generated packages. The numbers are features, outputs,
// margins and trees.
var predictors = map[string]predict.Predictor{
	"argmax":        predictor(argmax.NumFeatures, argmax.NumOutputs, argmax.NumMargins, argmax.NumTrees, argmax.Predict, argmax.Margin, argmax.Leaf),
	"baselast":      predictor(baselast.NumFeatures, baselast.NumOutputs, baselast.NumMargins, baselast.NumTrees, baselast.Predict, baselast.Margin, baselast.Leaf),
	"classifier":    answering(predictor(classifier.NumFeatures, classifier.NumOutputs, classifier.NumMargins, classifier.NumTrees, classifier.Predict, classifier.Margin, classifier.Leaf), classifier.AnswerFrom, 2, 1, 1),
	"collapsed":     predictor(collapsed.NumFeatures, collapsed.NumOutputs, collapsed.NumMargins, collapsed.NumTrees, collapsed.Predict, collapsed.Margin, collapsed.Leaf),
	"double":        predictor(double.NumFeatures, double.NumOutputs, double.NumMargins, double.NumTrees, double.Predict, double.Margin, double.Leaf),
	"empty":         predictor(empty.NumFeatures, empty.NumOutputs, empty.NumMargins, empty.NumTrees, empty.Predict, empty.Margin, nil),
	"expectiles":    predictor(expectiles.NumFeatures, expectiles.NumOutputs, expectiles.NumMargins, expectiles.NumTrees, expectiles.Predict, expectiles.Margin, expectiles.Leaf),
	"hinge":         predictor(hinge.NumFeatures, hinge.NumOutputs, hinge.NumMargins, hinge.NumTrees, hinge.Predict, hinge.Margin, hinge.Leaf),
	"linear":        predictor(linear.NumFeatures, linear.NumOutputs, linear.NumMargins, linear.NumTrees, linear.Predict, linear.Margin, nil),
	"missing":       predictor(missing.NumFeatures, missing.NumOutputs, missing.NumMargins, missing.NumTrees, missing.Predict, missing.Margin, missing.Leaf),
	"names":         predictor(names.NumFeatures, names.NumOutputs, names.NumMargins, names.NumTrees, names.Predict, names.Margin, names.Leaf),
	"numbers":       predictor(numbers.NumFeatures, numbers.NumOutputs, numbers.NumMargins, numbers.NumTrees, numbers.Predict, numbers.Margin, numbers.Leaf),
	"parts":         predictor(parts.NumFeatures, parts.NumOutputs, parts.NumMargins, parts.NumTrees, parts.Predict, parts.Margin, parts.Leaf),
	"plain":         predictor(plain.NumFeatures, plain.NumOutputs, plain.NumMargins, plain.NumTrees, plain.Predict, plain.Margin, plain.Leaf),
	"quantiles":     predictor(quantiles.NumFeatures, quantiles.NumOutputs, quantiles.NumMargins, quantiles.NumTrees, quantiles.Predict, quantiles.Margin, quantiles.Leaf),
	"removed":       predictor(removed.NumFeatures, removed.NumOutputs, removed.NumMargins, removed.NumTrees, removed.Predict, removed.Margin, removed.Leaf),
	"scaled":        answering(predictor(scaled.NumFeatures, scaled.NumOutputs, scaled.NumMargins, scaled.NumTrees, scaled.Predict, scaled.Margin, nil), scaled.AnswerFrom, 1),
	"sets":          predictor(sets.NumFeatures, sets.NumOutputs, sets.NumMargins, sets.NumTrees, sets.Predict, sets.Margin, sets.Leaf),
	"shared":        predictor(shared.NumFeatures, shared.NumOutputs, shared.NumMargins, shared.NumTrees, shared.Predict, shared.Margin, shared.Leaf),
	"softmax":       predictor(softmax.NumFeatures, softmax.NumOutputs, softmax.NumMargins, softmax.NumTrees, softmax.Predict, softmax.Margin, softmax.Leaf),
	"stump":         predictor(stump.NumFeatures, stump.NumOutputs, stump.NumMargins, stump.NumTrees, stump.Predict, stump.Margin, stump.Leaf),
	"vectors":       predictor(vectors.NumFeatures, vectors.NumOutputs, vectors.NumMargins, vectors.NumTrees, vectors.Predict, vectors.Margin, vectors.Leaf),
	"sharedvectors": predictor(sharedvectors.NumFeatures, sharedvectors.NumOutputs, sharedvectors.NumMargins, sharedvectors.NumTrees, sharedvectors.Predict, sharedvectors.Margin, sharedvectors.Leaf),
	"wide":          predictor(wide.NumFeatures, wide.NumOutputs, wide.NumMargins, wide.NumTrees, wide.Predict, wide.Margin, wide.Leaf),
}

func predictor[In, Out predict.Number](features, outputs, margins, trees int, p, m func(dst []Out, x []In), l func(dst []int32, x []In)) predict.Predictor {
	q := predict.Predictor{
		Info: predict.Info{Name: "golden", NumFeatures: features, NumOutputs: outputs, NumMargins: margins, NumTrees: trees,
			Input: predict.TypeOf[In](), Output: predict.TypeOf[Out]()},
		Predict: func(dst, x predict.Values) { p(predict.SliceOf[Out](dst), predict.SliceOf[In](x)) },
		Margin:  func(dst, x predict.Values) { m(predict.SliceOf[Out](dst), predict.SliceOf[In](x)) },
	}
	if l != nil {
		q.Leaf = func(dst []int32, x predict.Values) { l(dst, predict.SliceOf[In](x)) }
	}
	return q
}

// answering returns p with answers of the given widths.
func answering[In, Out predict.Number](p predict.Predictor, from func(i int, dst, margins []Out, x []In), widths ...int) predict.Predictor {
	for _, w := range widths {
		p.Answers = append(p.Answers, predict.Answer{Width: w})
	}
	p.Answer = func(i int, dst, margins, x predict.Values) {
		from(i, predict.SliceOf[Out](dst), predict.SliceOf[Out](margins), predict.SliceOf[In](x))
	}
	return p
}

// TestPredictors runs the generated packages beside the reference evaluator.
func TestPredictors(t *testing.T) {
	require.Len(t, predictors, len(goldenCases))
	for _, c := range goldenCases {
		p, ok := predictors[c.name]
		require.True(t, ok, c.name)
		require.Equal(t, []int{len(c.e.Features), c.e.Width(), c.e.Outputs, len(c.reference().Trees)},
			[]int{p.NumFeatures, p.NumOutputs, p.NumMargins, p.NumTrees}, c.name)
		rows := 4000
		if len(c.e.Features) > 100 {
			rows = 400
		}
		d := nodiff.Compare(interp.New(c.reference()), p, nodiff.Rows(c.reference(), rows, 7))
		require.True(t, d.OK(), "%s: %v", c.name, d)
	}
}

// TestByHand holds what the reference evaluator could get wrong as well.
func TestByHand(t *testing.T) {
	nan := float32(math.NaN())
	below := math.Nextafter32(1, 0)
	for _, c := range []struct {
		f       func(dst, x []float32)
		x, want []float32
	}{
		{stump.Margin, []float32{below / 2, 0.5, nan}, []float32{-0.75, 0.5, 0.5}},
		{missing.Margin, []float32{1, 0, 0, nan, 0, nan, 1.5, nan, -4}, []float32{3.2, 3.1, 3.4}},
		{hinge.Predict, []float32{-1, 0, 1, nan}, []float32{0, 1, 0, 0}},
		{baselast.Margin, []float32{below, 1}, []float32{0.1, -0.9}},
	} {
		dst := make([]float32, len(c.want))
		c.f(dst, c.x)
		require.Equal(t, c.want, dst)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	for name, p := range predictors {
		for _, rows := range []int{1, 5, 300} {
			x := predict.MakeValues(p.Input, rows*p.NumFeatures)
			dst, m := predict.MakeValues(p.Output, rows*p.NumOutputs), predict.MakeValues(p.Output, rows*p.NumMargins)
			leaf := make([]int32, rows*p.NumTrees)
			n := testing.AllocsPerRun(10, func() {
				p.Predict(dst, x)
				p.Margin(m, x)
				if p.Answer != nil {
					p.Answer(0, dst, m, x)
				}
				if p.Leaf != nil {
					p.Leaf(leaf, x)
				}
			})
			require.Zero(t, n, "%s, %d rows", name, rows)
		}
	}
}

func TestLengthsThatDoNotFit(t *testing.T) {
	require.PanicsWithValue(t, "softmax: 3 values in x, not a multiple of 2", func() { softmax.Predict(make([]float32, 3), make([]float32, 3)) })
	require.PanicsWithValue(t, "softmax: 5 values in dst, not 2 × 3 for the rows in x", func() { softmax.Margin(make([]float32, 5), make([]float32, 4)) })
	require.PanicsWithValue(t, "argmax: 3 values in dst, not 2 × 1 for the rows in x", func() { argmax.Predict(make([]float32, 3), make([]float32, 4)) })
	require.PanicsWithValue(t, "softmax: 1 values in dst, not 2 × 6 for the rows in x", func() { softmax.Leaf(make([]int32, 1), make([]float32, 4)) })
	require.NotPanics(t, func() { softmax.Predict(nil, nil) })
}

func TestRow(t *testing.T) {
	r := names.Row{MonthlyFee: 0.5, MonthlyFee2: 2, City: names.CityMünchen, Row: names.Row2Missing, X年齢: 7}
	var x [names.NumFeatures]names.Input
	r.Vector(&x)
	require.True(t, x[11] != x[11])
	x[11] = 0
	require.Equal(t, [names.NumFeatures]float32{0: 0.5, 1: 2, 4: 7, 10: 3}, x)
	require.Equal(t, float32(2+5+7), r.Predict())

	city, err := names.ParseCity("new-york")
	require.NoError(t, err)
	require.Equal(t, names.CityNewYork2, city)
	require.Equal(t, "new-york", city.String())
	require.Equal(t, "category 17", names.City(17).String())
	_, err = names.ParseCity("Rome")
	require.EqualError(t, err, `unknown category "Rome" of city`)

	rows := softmax.Row{F0: 0.5, F1: 1}
	y := rows.Predict()
	want := make([]float32, 3)
	softmax.Predict(want, []float32{0.5, 1})
	require.Equal(t, want, y[:])
}

// An open feature takes any text.
func TestOpenRow(t *testing.T) {
	city, err := classifier.ParseCity("Oslo")
	require.NoError(t, err)
	require.Equal(t, classifier.CityOther, city)
	for c, want := range map[classifier.City]float64{city: -1, classifier.CityRome: 0, classifier.CityParis: 1, classifier.CityMissing: math.NaN()} {
		r := classifier.Row{City: c}
		var x [classifier.NumFeatures]classifier.Input
		r.Vector(&x)
		require.InDelta(t, want, x[1], 0)
	}
	_, err = classifier.ParseLabel2("c")
	require.EqualError(t, err, `unknown category "c" of label`)
}

// Answers have functions of their own, for any number of rows.
func TestAnswers(t *testing.T) {
	x := []float64{0, -1, 0, 1, 1, 1, 0, 1}
	decision, label, proba := make([]float64, 2), make([]int32, 2), make([]float64, 4)
	classifier.Decision(decision, x)
	classifier.Label(label, x)
	classifier.Predict(proba, x)
	require.Equal(t, []float64{0.15000000000000002, -0.09999999999999998}, decision)
	require.Equal(t, []int32{1, 0}, label)
	require.Equal(t, 1-proba[1], proba[0])
	require.Equal(t, 1/(1+math.Exp(-decision[0])), proba[1])
	classifier.Decision(nil, nil)
	classifier.Label(nil, nil)
	require.PanicsWithValue(t, "classifier: 1 values in dst, not 2 × 1 for the rows in x", func() { classifier.Label(label[:1], x) })
	require.Zero(t, testing.AllocsPerRun(10, func() { classifier.Label(label, x) }))
}

func TestMeta(t *testing.T) {
	require.Equal(t, classifier.Feature{Name: "age", Type: "float", Refuses: "missing, infinite, too large"}, classifier.Meta.Features[0])
	require.Equal(t, classifier.Answer{Name: "label", Width: 1, Labels: []classifier.Labels{{Texts: []string{"no", "yes"}, Type: "text"}}}, classifier.Meta.Answers[2])

	require.Equal(t, "stump.json", stump.Meta.File)
	require.Equal(t, "xgboost 3.2.0 json", stump.Meta.Format)
	require.Equal(t, "classification", stump.Meta.Task)
	require.Equal(t, []string{"dead", "collapse"}, stump.Meta.Passes)
	require.True(t, stump.Meta.Exact)
	require.Equal(t, "a\"b\n@math.Inf", names.Meta.Features[10].Categories[5])
	require.Equal(t, "a\nb // c", names.Meta.Features[9].Name)
}

func branch(e *ir.Ensemble, name string) ([]codegen.File, error) {
	return codegen.Branch(e, codegen.Options{Package: name})
}

// TestOptions holds the errors of Branch and the names of its files.
func TestOptions(t *testing.T) {
	e := ir.MustParse("(f0<1 1 2)")
	for name, want := range map[string]string{
		"": `package name "" is not a Go identifier`, "a-b": `package name "a-b" is not a Go identifier`, "func": `package name "func" is not a Go identifier`,
		"main": `package name "main" cannot be imported; choose another`,
	} {
		_, err := branch(e, name)
		require.EqualError(t, err, want)
	}
	for name, want := range map[string]string{"churn": "churn.go", "row": "predict.go", "Engine": "predict.go", "tanh": "predict.go", "churn_linux": "predict.go", "churn_test": "predict.go"} {
		files, err := branch(e, name)
		require.NoError(t, err)
		require.Equal(t, want, files[0].Name)
	}
	e.Outputs = 0
	_, err := branch(e, "churn")
	require.EqualError(t, err, "0 outputs, want at least one")
}

// A bound on memory takes effect where the default form needs more.
func TestEstimateMemory(t *testing.T) {
	e := ir.MustParse(deep(0, 10), deep(0, 10), deep(0, 10))
	free := codegen.EstimateMemory(e, codegen.Options{Package: "p"})
	least := codegen.EstimateMemory(e, codegen.Options{Package: "p", MaxMemory: 1})
	require.Less(t, least, free)
	for bound := least; bound < free; bound += (free - least) / 8 {
		got := codegen.EstimateMemory(e, codegen.Options{Package: "p", MaxMemory: bound})
		require.LessOrEqual(t, got, bound)
		require.GreaterOrEqual(t, got, least)
	}
	more := codegen.EstimateMemory(ir.MustParse(deep(0, 11), deep(0, 11)), codegen.Options{Package: "p"})
	require.Greater(t, more, free)
}

// The compiler would inline trees of one split, twice: many of them take the form
// that forbids it.
func TestManyStumps(t *testing.T) {
	e := ir.MustParse(slices.Repeat([]string{"(f0<1 1 2)"}, 8000)...)
	files, err := branch(e, "p")
	require.NoError(t, err)
	for _, f := range files {
		if f.Name == "trees_000.go" {
			require.Contains(t, string(f.Data), "\n//go:noinline\nfunc tree0(x *keys) float32 {\n\tif x[0] < ")
		}
	}
	require.Less(t, codegen.EstimateMemory(e, codegen.Options{Package: "p"}), int64(1<<30))
}

// A Row of very many fields would take the compiler minutes.
func TestManyFeatures(t *testing.T) {
	for features, want := range map[int]bool{5_000: true, 5_001: false} {
		e := ir.MustParse(fmt.Sprintf("(f%d<1 1 2)", features-1))
		files, err := branch(e, "p")
		require.NoError(t, err)
		require.Equal(t, want, slices.ContainsFunc(files, func(f codegen.File) bool { return f.Name == "row.go" }))
	}
}

// The test of the package has names too.
func TestFeatureNamedLikeATest(t *testing.T) {
	e := ir.MustParse("(f0{1:2} 1 2)")
	e.Features[0] = ir.Feature{Name: "benchmark row", Type: ir.Categorical, Categories: []string{"a", "b"}}
	files, err := branch(e, "p")
	require.NoError(t, err)
	i := slices.IndexFunc(files, func(f codegen.File) bool { return f.Name == "row.go" })
	require.Contains(t, string(files[i].Data), "type BenchmarkRow2 int32")
}

// Leaf numbers come from another ensemble of as many trees or more.
func TestLeaves(t *testing.T) {
	e, more := ir.MustParse("1", "2"), ir.MustParse("(f0<1 1 1)")
	_, err := codegen.Branch(e, codegen.Options{Package: "p", Leaves: more})
	require.EqualError(t, err, "leaf numbers of 1 trees over 1 features for 2 trees over 1 features")
	e, more = ir.MustParse("1"), ir.MustParse("(f0<1 1 1)", "2")
	more.Columns = []ir.Column{{}}
	_, err = codegen.Branch(e, codegen.Options{Package: "p", Leaves: more})
	require.EqualError(t, err, "leaf numbers of trees over 1 columns for trees over 0")
}

// Subtrees that are the same are printed once, in every form; package compile runs such
// code.
func TestSharedSubtrees(t *testing.T) {
	for _, memory := range []int64{0, 1} {
		shared := 0
		for seed := range uint64(60) {
			e := nodiff.Shape{Trees: 6, Depth: 6, Full: true, Redundant: true}.Ensemble(seed)
			files, err := codegen.Branch(e, codegen.Options{Package: "p", MaxMemory: memory})
			require.NoError(t, err)
			shared += strings.Count(text(files), ", and not only there.\n")
		}
		require.Greater(t, shared, 20, "%d", memory)
	}
	memory := func(second string) int64 {
		e := ir.MustParse("(f3<1 "+deep(0, 3)+" 9)", "(f3<2 "+second+" 9)")
		return codegen.EstimateMemory(e, codegen.Options{Package: "p", MaxMemory: 1})
	}
	require.Less(t, memory(deep(0, 3)), memory(deep(100, 3)))
}

// text returns all files of Go.
func text(files []codegen.File) string {
	var b strings.Builder
	for _, f := range files {
		if strings.HasSuffix(f.Name, ".go") {
			b.Write(f.Data)
		}
	}
	return b.String()
}

// The base margin is added to a sum of nothing, so that its sign may change.
func TestBaseLastWithoutTrees(t *testing.T) {
	e := ir.MustParse("(f0<1 1 2)")
	e.Trees, e.Rounds, e.BaseMargin = nil, nil, []float64{math.Copysign(0, -1)}
	for last, want := range map[bool]string{false: "{negZero}", true: "{0}"} {
		e.BaseLast = last
		files, err := branch(e, "p")
		require.NoError(t, err)
		require.Contains(t, string(files[0].Data), "var base = [NumMargins]float32"+want)
	}
}

func BenchmarkBranch(b *testing.B) {
	var trees []string
	for i := range 500 {
		trees = append(trees, deep(i, 6))
	}
	e := ir.MustParse(trees...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := branch(e, "p"); err != nil {
			b.Fatal(err)
		}
	}
}
