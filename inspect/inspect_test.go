package inspect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/inspect"
	"hew/ir"
)

const want = `model      a.json (xgboost 3.2.0 json)
sha256     ab
objective  count:poisson, regression, link exp
outputs    1, base margin -Inf
trees      2 in 2 rounds (best: 0), depth <= 2
nodes      6, 4 leaves
splits     2, 1 of them categorical
missing    left in 1 splits, right in 1
features   4, 2 used
plan       walk it
warning    careful

feature  type   splits  thresholds  categories
f0       float  1       1           
f1       float  0       0           
f2       float  0       0           
f3       float  1       3           
`

func ensemble() *ir.Ensemble {
	e := ir.MustParse("(f0<0.5? -0.25 (f3{2:4,7:} 1 0.5))", "1")
	e.Link, e.BestRound, e.BaseMargin[0] = ir.Exp, 0, math.Inf(-1)
	e.Source = ir.Source{
		File: "a.json", SHA256: "ab", Trainer: "xgboost", Version: "3.2.0", Container: "json",
		Booster: "gbtree", Objective: "count:poisson", Warnings: []string{"careful"},
	}
	return e
}

func TestPrint(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, inspect.Describe(ensemble(), []string{"walk it"}).Print(&b))
	require.Equal(t, want, b.String())
}

// JSON has no infinities, and a float32 stands in its shortest form.
func TestJSON(t *testing.T) {
	e := ensemble()
	data, err := json.Marshal(inspect.Describe(e, nil))
	require.NoError(t, err)
	require.Contains(t, string(data), `"base_margin":["-Inf"]`)
	require.Contains(t, string(data), `"best_round":0`)
	e.BaseMargin[0], e.BestRound = float64(float32(0.1)), -1
	data, err = json.Marshal(inspect.Describe(e, nil))
	require.NoError(t, err)
	require.Contains(t, string(data), `"base_margin":[0.1]`)
	require.NotContains(t, string(data), "best_round")
}

// A wide model does not flood the terminal.
func TestPrintManyFeatures(t *testing.T) {
	e := ensemble()
	for len(e.Features) < 1000 {
		e.Features = append(e.Features, ir.Feature{Name: fmt.Sprintf("g%d", len(e.Features)), Type: ir.Categorical, Categories: make([]string, 20)})
	}
	var b bytes.Buffer
	require.NoError(t, inspect.Describe(e, nil).Print(&b))
	require.Less(t, bytes.Count(b.Bytes(), []byte("\n")), 60)
	require.Contains(t, b.String(), "… and 960 more (--json lists all)")
	require.Contains(t, b.String(), "… (20)")
}

const wantPiped = `model      p.joblib (scikit-learn 1.9.0 joblib)
sha256     cd
objective  RandomForestClassifier, classification
types      features are compared in float64, sums are float64
outputs    2, base margin 0, 0
pipeline   3 columns computed from features, all folded: 3 thresholds of columns become 5 of features, 1 splits become sets
stage      v1 = divide v0 by 2: 2
stage      v2 = first v1: 1
answer     proba, 2 per row
answer     label, 1 per row of text: no, yes
trees      2 in 2 rounds, depth <= 2
nodes      8, 5 leaves (vectors)
splits     3, 1 of them categorical
missing    left in 3 splits, right in 0
features   3, 2 used
warning    careful

feature  type         splits  thresholds  categories          refuses
age      float        2       2                               infinite, too large
city     categorical  1       3           a, b, c, or others  all but 0, 1, 2
spare    float        0       0                               
`

// piped is a forest behind a scaler and a one-hot encoder.
func piped() *ir.Ensemble {
	e := ir.MustParse("(f0<0.5? [1 0] (f1<0.5 [0 1] [0.5 0.5]))", "(f2<3 [1 0] [0 1])")
	e.Input, e.Sum, e.Task = ir.Double, ir.Double, ir.Classification
	e.Features = []ir.Feature{
		{Name: "age", Refuses: ir.Infinite | ir.TooLarge},
		{Name: "city", Type: ir.Categorical, Categories: []string{"a", "b", "c"}, Open: true, Accepts: []float64{0, 1, 2}},
		{Name: "spare"},
	}
	e.Columns = []ir.Column{
		{Feature: 0, Ops: []ir.Op{{Code: ir.OpSub, A: 38}, {Code: ir.OpDiv, A: 2}, {Code: ir.OpRound}}},
		{Feature: 1, Ops: []ir.Op{{Code: ir.OpEqual, A: 1}}},
		{Feature: 0, Ops: []ir.Op{{Code: ir.OpFill, A: 2}}},
	}
	e.Post = []ir.Stage{{Code: ir.StageDivide, Args: []int32{0}, Width: 2, A: 2}, {Code: ir.StageFirst, Args: []int32{1}, Width: 1}}
	e.Answers = []ir.Answer{{Name: "proba", Vector: 1}, {Name: "label", Vector: 2, Labels: []ir.Labels{{Texts: []string{"no", "yes"}}}}}
	e.Source = ir.Source{
		File: "p.joblib", SHA256: "cd", Trainer: "scikit-learn", Version: "1.9.0", Container: "joblib",
		Booster: "RandomForestClassifier", Objective: "RandomForestClassifier", Warnings: []string{"careful"},
	}
	return e
}

func TestPrintPipeline(t *testing.T) {
	e := piped()
	require.NoError(t, e.Verify())
	var b bytes.Buffer
	require.NoError(t, inspect.Describe(e, nil).Print(&b))
	require.Equal(t, wantPiped, b.String())
	require.Len(t, e.Columns, 3, "the ensemble stays as it is")
}

func TestJSONPipeline(t *testing.T) {
	e := piped()
	data, err := json.Marshal(inspect.Describe(e, nil))
	require.NoError(t, err)
	for _, part := range []string{
		`"input":"float64","output":"float64"`,
		`"pipeline":{"columns":["age: sub 38, div 2, round","city: equal 1","age: fill 2"],"before":{"thresholds":3,"sets":0},"after":{"thresholds":5,"sets":1}}`,
		`"stages":["v1 = divide v0 by 2: 2","v2 = first v1: 1"]`,
		`"answers":[{"name":"proba","width":2},{"name":"label","width":1,"labels":[{"type":"text","texts":["no","yes"]}]}]`,
		`"refuses":["infinite","too large"]`,
		`"open":true,"splits":1,"thresholds":3,"accepts":[0,1,2]`,
	} {
		require.Contains(t, string(data), part)
	}
	require.NotContains(t, string(data), `"stay"`)
}

// A linear model computes its columns for each row.
func TestPrintLinearPipeline(t *testing.T) {
	e := piped()
	e.Trees, e.Rounds = nil, nil
	e.Linear = &ir.Linear{Weights: []float64{1, 1, 0, 2, 0, 0}, Bias: []float64{0, 0}}
	require.NoError(t, e.Verify())
	var b bytes.Buffer
	require.NoError(t, inspect.Describe(e, nil).Print(&b))
	require.Contains(t, b.String(), "\npipeline   3 columns computed from features, for each row\ncolumn     age: sub 38, div 2, round\ncolumn     city: equal 1\n")
	require.Contains(t, b.String(), "\nfeatures   3, 2 used\n")
}
