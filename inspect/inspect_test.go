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
