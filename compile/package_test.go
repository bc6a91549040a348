package compile_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/codegen"
	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/predict"
)

func TestPackage(t *testing.T) {
	e := sample()
	files, report, err := compile.Package(e, compile.Options{Package: "sample"})
	require.NoError(t, err)
	require.Equal(t, sample(), e, "the ensemble stays as it is")
	require.Equal(t, "branch", report.Strategy)
	require.True(t, report.Exact)
	require.Equal(t, 8, report.After.Nodes)
	require.Equal(t, len(files), report.Source.Files)
	require.Positive(t, report.Source.CompileMemory)
	total := 0
	for _, f := range files {
		total += len(f.Data)
	}
	require.EqualValues(t, total, report.Source.Bytes)

	again, _, err := compile.Package(e, compile.Options{Package: "sample", Strategy: "branch"})
	require.NoError(t, err)
	require.Equal(t, files, again, "same input, same bytes")
}

func TestPackageErrors(t *testing.T) {
	for want, o := range map[string]compile.Options{
		`package name "" is not a Go identifier`:                               {},
		`package name "func" is not a Go identifier`:                           {Package: "func"},
		`package name "a-b" is not a Go identifier`:                            {Package: "a-b"},
		`package name "_" is not a Go identifier`:                              {Package: "_"},
		`package name "main" cannot be imported; choose another`:               {Package: "main"},
		`package name "churn_test" is reserved for tests; choose another`:      {Package: "churn_test"},
		`unknown strategy "brunch" (did you mean "branch"?)`:                   {Package: "p", Strategy: "brunch"},
		`unknown strategy "interpreted" (want one of auto, branch)`:            {Package: "p", Strategy: "interpreted"},
		`strategy "simd" is not available in this version; use branch or auto`: {Package: "p", Strategy: "simd"},
		`maximum compile memory -1 is negative`:                                {Package: "p", MaxMemory: -1},
		`unknown pass "ded" (did you mean "dead"?)`:                            {Package: "p", PrintAfter: "ded"},
	} {
		files, _, err := compile.Package(sample(), o)
		require.EqualError(t, err, want, want)
		require.Nil(t, files)
	}
	_, _, err := compile.Package(sample(), compile.Options{Package: "p", MaxMemory: 1000})
	require.ErrorContains(t, err, "compiling 2 trees of 8 nodes takes about ")
	require.ErrorContains(t, err, "more than the 1 kB allowed")
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
	_, free, err := compile.Package(e, compile.Options{Package: "p"})
	require.NoError(t, err)
	limit := free.Source.CompileMemory * 3 / 4
	_, bound, err := compile.Package(e, compile.Options{Package: "p", MaxMemory: limit})
	require.NoError(t, err)
	require.LessOrEqual(t, bound.Source.CompileMemory, limit)
}

func TestInfo(t *testing.T) {
	e := sample()
	e.Features[1] = ir.Feature{Name: "color", Type: ir.Categorical, Categories: []string{"red", "blue"}}
	e.Link, e.Task, e.Classes = ir.Sigmoid, ir.Classification, []string{"stays", "leaves"}
	e.Source = ir.Source{File: "churn.ubj", SHA256: "9f2c", Trainer: "xgboost", Version: "3.2.0", Container: "ubjson", Objective: "binary:logistic"}
	want := predict.Info{
		Name: "churn", Version: "1",
		NumFeatures: 2, NumOutputs: 1, NumMargins: 1, NumTrees: 2,
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
	p.Predict(y, []float32{0, 0, float32(math.NaN()), 9})
	require.Equal(t, []float32{1.25, 2.875}, y)

	e.Trees, e.Rounds = nil, nil
	require.Nil(t, compile.Interp(e, "sample").Leaf)
}
