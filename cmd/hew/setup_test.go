package main

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/ir"
)

// A pass without a bound can be recorded: JSON has no infinity.
func TestInfiniteBound(t *testing.T) {
	e := ir.MustParse("(f0<1 1 2)")
	steps := []compile.Step{{Pass: "trees", Bound: []float64{math.Inf(1)}, Moved: []float64{math.Inf(1)}}}
	r, err := setupOf("m.json", e, e, steps, compile.Options{})
	require.NoError(t, err)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(text), "1.7976931348623157e+308")
	require.True(t, math.IsInf(steps[0].Bound[0], 1), "the report keeps its own")
}
