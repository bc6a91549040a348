package compile_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/codegen"
	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/load"
	"hew/predict"
)

func TestPackage(t *testing.T) {
	e := sample()
	files, report, err := compile.Package(e, compile.Options{Package: "sample"})
	require.NoError(t, err)
	require.Equal(t, sample(), e, "the ensemble stays as it is")
	require.Equal(t, "simd", report.Strategy)
	require.True(t, report.Exact)
	require.Equal(t, 8, report.After.Nodes)
	require.Equal(t, len(files), report.Source.Files)
	require.Positive(t, report.Source.CompileMemory)
	total := 0
	for _, f := range files {
		total += len(f.Data)
	}
	require.EqualValues(t, total, report.Source.Bytes)

	again, _, err := compile.Package(e, compile.Options{Package: "sample", Strategy: "auto"})
	require.NoError(t, err)
	require.Equal(t, files, again, "same input, same bytes")
}

// Each strategy says what it is, and why, where the user looks first.
func TestStrategies(t *testing.T) {
	linear := with(sample(), func(e *ir.Ensemble) {
		e.Trees, e.Rounds = nil, nil
		e.Linear = &ir.Linear{Weights: []float64{1, 2}, Bias: []float64{3}}
	})
	empty := with(sample(), func(e *ir.Ensemble) { e.Trees, e.Rounds = nil, nil })
	for _, c := range []struct {
		e              *ir.Ensemble
		strategy, want string
	}{
		{sample(), "branch", "branch"},
		{sample(), "table", "table ("},
		{sample(), "simd", "simd ("},
		{sample(), "auto", "simd (up to 16 rows: branch, which takes about "},
		{ir.MustParse(slices.Repeat([]string{"(f0<1 (f1<2 1 2) 3)"}, 200)...), "auto", "simd (" + fastest(t)},
		{linear, "auto", "branch (a linear model has no trees)"},
		{linear, "branch", "branch"},
		{empty, "auto", "branch (there are no trees)"},
		{ir.MustParse("1", "2"), "auto", "branch (there are no splits)"},
		{ir.MustParse("1", "2"), "simd", "simd ("},
	} {
		files, report, err := compile.Package(c.e, compile.Options{Package: "sample", Strategy: c.strategy})
		require.NoError(t, err)
		name, _, _ := strings.Cut(c.want, " ")
		require.Equal(t, name, report.Strategy)
		require.Contains(t, string(files[0].Data), "\n// strategy:  "+c.want)
		assembly := slices.ContainsFunc(files, func(f codegen.File) bool { return filepath.Ext(f.Name) == ".s" })
		require.Equal(t, name == "simd", assembly, c.strategy)
	}
	for _, strategy := range []string{"table", "simd"} {
		_, _, err := compile.Package(linear, compile.Options{Package: "sample", Strategy: strategy})
		require.EqualError(t, err, "strategy "+strategy+": a linear model has no trees; use branch or auto")
		_, _, err = compile.Package(empty, compile.Options{Package: "sample", Strategy: strategy})
		require.EqualError(t, err, "strategy "+strategy+": there are no trees; use branch or auto")
	}
}

// Leaf numbers need tables of their own only where a pass has merged leaves.
func TestLeavesOfTables(t *testing.T) {
	for text, want := range map[string]bool{"(f0<1 (f0<2 1 2) 3)": false, "(f0<1 1 1)": true} {
		files, _, err := compile.Package(ir.MustParse(text), compile.Options{Package: "p", Strategy: "table"})
		require.NoError(t, err)
		require.Equal(t, want, slices.ContainsFunc(files, func(f codegen.File) bool { return f.Name == "leaf.bin" }), text)
	}
}

// fastest returns what an engine says of itself on a processor that has all.
func fastest(t *testing.T) string {
	t.Helper()
	m, err := compile.Tables(ir.MustParse(slices.Repeat([]string{"(f0<1 (f1<2 1 2) 3)"}, 200)...))
	require.NoError(t, err)
	e, err := kernel.New[float32, float32](m, kernel.CPU{AVX2: true, AVX512: true, VBMI: true, GFNI: true})
	require.NoError(t, err)
	return e.Describe()
}

// with returns e after a change.
func with(e *ir.Ensemble, change func(*ir.Ensemble)) *ir.Ensemble {
	change(e)
	return e
}

func TestPackageErrors(t *testing.T) {
	for want, o := range map[string]compile.Options{
		`package name "" is not a Go identifier`:                                 {},
		`package name "func" is not a Go identifier`:                             {Package: "func"},
		`package name "a-b" is not a Go identifier`:                              {Package: "a-b"},
		`package name "_" is not a Go identifier`:                                {Package: "_"},
		`package name "main" cannot be imported; choose another`:                 {Package: "main"},
		`package name "churn_test" is reserved for tests; choose another`:        {Package: "churn_test"},
		`unknown strategy "brunch" (did you mean "branch"?)`:                     {Package: "p", Strategy: "brunch"},
		`unknown strategy "interpreted" (want one of auto, branch, table, simd)`: {Package: "p", Strategy: "interpreted"},
		`maximum compile memory -1 is negative`:                                  {Package: "p", MaxMemory: -1},
		`unknown pass "ded" (did you mean "dead"?)`:                              {Package: "p", PrintAfter: "ded"},
	} {
		files, _, err := compile.Package(sample(), o)
		require.EqualError(t, err, want, want)
		require.Nil(t, files)
	}
	for _, strategy := range []string{"branch", "table"} {
		_, _, err := compile.Package(sample(), compile.Options{Package: "p", Strategy: strategy, MaxMemory: 1000})
		require.ErrorContains(t, err, "strategy "+strategy+": compiling 3 trees of 8 nodes takes about ")
		require.ErrorContains(t, err, "of memory, more than the 1 kB allowed; raise the limit")
	}
}

// The file of golden rows stays small however wide the model is.
func TestGoldenRowsAreBounded(t *testing.T) {
	e := sample()
	for len(e.Features) < 5000 {
		e.Features = append(e.Features, ir.Feature{Name: fmt.Sprintf("f%d", len(e.Features))})
	}
	files, _, err := compile.Package(e, compile.Options{Package: "wide"})
	require.NoError(t, err)
	i := slices.IndexFunc(files, func(f codegen.File) bool { return f.Name == "testdata/golden.bin" })
	require.GreaterOrEqual(t, i, 0)
	require.Less(t, len(files[i].Data), 100_000)
	require.Greater(t, len(files[i].Data), 80_000)
}

// A tight memory bound takes a plainer form that needs less.
func TestMaxMemory(t *testing.T) {
	e, err := load.File(filepath.Join(goldenCases, "xgboost-3.2-realistic-regression-300x6", "model.ubj"))
	require.NoError(t, err)
	_, free, err := compile.Package(e, compile.Options{Package: "p", Strategy: "branch"})
	require.NoError(t, err)
	limit := free.Source.CompileMemory * 3 / 4
	_, bound, err := compile.Package(e, compile.Options{Package: "p", Strategy: "branch", MaxMemory: limit})
	require.NoError(t, err)
	require.LessOrEqual(t, bound.Source.CompileMemory, limit)
}

// Strategy auto keeps a bound that branch code can keep, if an engine cannot.
func TestMaxMemoryOfAuto(t *testing.T) {
	e, err := load.File(filepath.Join(goldenCases, "xgboost-3.2-binary-logistic-higgs", "model.json"))
	require.NoError(t, err)
	for limit, want := range map[int64]string{
		0:           "simd",
		110_000_000: "simd",
		90_000_000:  "branch",
	} {
		files, report, err := compile.Package(e, compile.Options{Package: "p", MaxMemory: limit})
		require.NoError(t, err)
		require.Equal(t, want, report.Strategy)
		if limit > 0 {
			require.LessOrEqual(t, report.Source.CompileMemory, limit)
		}
		if want == "branch" {
			require.Contains(t, string(files[0].Data), "branch (compiling an engine takes more memory than 90 MB)")
		}
	}
	_, _, err = compile.Package(e, compile.Options{Package: "p", MaxMemory: 1_000_000})
	require.ErrorContains(t, err, "strategy simd: compiling 40 trees")
}

// Branch code for few rows is left out where it would spell out huge sets.
func TestHugeSets(t *testing.T) {
	e := ir.MustParse("(f0{1:2}? 1 2)")
	require.Contains(t, planned(t, e), "strategy simd: up to 16 rows: branch")
	e.Sets[0] = make(ir.Set, 1_000_000)
	for i := range e.Sets[0] {
		e.Sets[0][i] = float64(i)
	}
	require.Contains(t, planned(t, e), "strategy simd: single rows: ")
}

// What Plan says is what Package does, after the passes.
func TestPlan(t *testing.T) {
	for _, e := range []*ir.Ensemble{
		sample(),
		ir.MustParse("(f0<1 2 2)"), // no splits are left
		ir.MustParse(slices.Repeat([]string{"(f0<1 1 2)"}, 90)...), // too many for branch code
		with(ir.MustParse(slices.Repeat([]string{"(f0<1 (f0<2 1 3) 2)"}, 90)...), func(e *ir.Ensemble) {
			for i := 1; i < len(e.Trees); i++ {
				e.Trees[i].Nodes[1].Threshold = 2 // dead
			}
		}),
	} {
		files, report, err := compile.Package(e, compile.Options{Package: "p"})
		require.NoError(t, err)
		why, ok := strings.CutPrefix(planned(t, e), "strategy "+report.Strategy+": ")
		require.True(t, ok)
		require.Contains(t, string(files[0].Data), "\n// strategy:  "+report.Strategy+" ("+why+")\n")
	}
}

// planned returns the line of Plan about the strategy.
func planned(t *testing.T, e *ir.Ensemble) string {
	t.Helper()
	lines := compile.Plan(e)
	return lines[len(lines)-1]
}

func TestInfo(t *testing.T) {
	e := sample()
	e.Features[1] = ir.Feature{Name: "color", Type: ir.Categorical, Categories: []string{"red", "blue"}}
	e.Link, e.Task, e.Classes = ir.Sigmoid, ir.Classification, []string{"stays", "leaves"}
	e.Source = ir.Source{File: "churn.ubj", SHA256: "9f2c", Trainer: "xgboost", Version: "3.2.0", Container: "ubjson", Objective: "binary:logistic"}
	want := predict.Info{
		Name: "churn", Version: "1",
		NumFeatures: 2, NumOutputs: 1, NumMargins: 1, NumTrees: 4,
		Input: predict.Float32, Output: predict.Float32,
		Features: []predict.Feature{{Name: "f0", Type: "float"}, {Name: "color", Type: "categorical", Categories: []string{"red", "blue"}}},
		Task:     "classification", Classes: []string{"stays", "leaves"},
		Source: predict.Source{File: "churn.ubj", SHA256: "9f2c", Format: "xgboost 3.2.0 ubjson", Objective: "binary:logistic"},
	}
	require.Equal(t, want, compile.Info(e, "churn"))

	e.Source.Version = ""
	require.Equal(t, "xgboost ubjson", compile.Info(e, "churn").Source.Format)

	e.Outputs, e.Link = 3, ir.Argmax
	info := compile.Info(e, "churn")
	require.Equal(t, []int{3, 1}, []int{info.NumMargins, info.NumOutputs})
}

func TestInterp(t *testing.T) {
	e := sample()
	p := compile.Interp(e, "sample")
	require.Equal(t, "interp", p.Source.Engine)
	require.True(t, p.Source.Exact)
	require.True(t, nodiff.Compare(interp.New(e), p, nodiff.Rows(e, 100, 1)).OK())
	y := []float32{0, 0}
	p.Predict(predict.ValuesOf(y), predict.ValuesOf([]float32{0, 0, float32(math.NaN()), 9}))
	require.Equal(t, []float32{1.5, 2.75}, y)

	e.Trees, e.Rounds = nil, nil
	require.Nil(t, compile.Interp(e, "sample").Leaf)
}
