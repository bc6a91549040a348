package save_test

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/ir"
	"hew/load"
	"hew/save"
)

// requireRoundTrip writes e in hew's own form, reads it again and compares all of it.
func requireRoundTrip(t *testing.T, e *ir.Ensemble) {
	t.Helper()
	var b, c bytes.Buffer
	require.NoError(t, save.JSON(&b, e))
	require.NoError(t, save.JSON(&c, e))
	require.Equal(t, b.Bytes(), c.Bytes(), "the same ensemble gives the same bytes")
	again, err := load.Read("again.json", &b)
	require.NoError(t, err)
	require.Equal(t, "hew", again.Source.Container)
	require.Equal(t, "again.json", again.Source.File)
	want := *e
	want.Source.Container, want.Source.File, want.Source.SHA256 = "hew", again.Source.File, again.Source.SHA256
	requireBits(t, &want, again)
	require.Equal(t, &want, again)
}

// requireBits compares the numbers that Equal does not tell apart: ±0.
func requireBits(t *testing.T, want, got *ir.Ensemble) {
	requireSameBits(t, want.BaseMargin, got.BaseMargin)
	for i := range want.Sets {
		requireSameBits(t, want.Sets[i], got.Sets[i])
	}
	if want.Linear != nil {
		requireSameBits(t, want.Linear.Weights, got.Linear.Weights)
	}
	for i := range want.Trees {
		requireSameBits(t, want.Trees[i].Vectors, got.Trees[i].Vectors)
		for j := range want.Trees[i].Nodes {
			w, g := &want.Trees[i].Nodes[j], &got.Trees[i].Nodes[j]
			requireSameBits(t, []float64{w.Value, w.Threshold}, []float64{g.Value, g.Threshold})
		}
	}
	requireSameOps(t, want.Columns, got.Columns)
	for i := range want.Post {
		requireSameOps(t, want.Post[i].Columns, got.Post[i].Columns)
	}
}

// requireSameOps compares constants, and takes NaN, which is not equal to itself, away.
func requireSameOps(t *testing.T, want, got []ir.Column) {
	for i := range want {
		for j := range want[i].Ops {
			w, g := &want[i].Ops[j], &got[i].Ops[j]
			requireSameBits(t, []float64{w.A, w.B}, []float64{g.A, g.B})
			*w, *g = withoutNaN(*w), withoutNaN(*g)
		}
	}
}

func requireSameBits(t *testing.T, want, got []float64) {
	require.Len(t, got, len(want))
	for i := range want {
		if want[i] != want[i] && got[i] != got[i] {
			continue
		}
		if math.Float64bits(want[i]) != math.Float64bits(got[i]) {
			t.Fatalf("%v became %v", want[i], got[i])
		}
	}
}

func withoutNaN(o ir.Op) ir.Op {
	if o.A != o.A {
		o.A = 0
	}
	if o.B != o.B {
		o.B = 0
	}
	return o
}

func TestGoldenJSON(t *testing.T) {
	n := 0
	for _, pattern := range []string{"golden-xgboost/*/model.*", "golden-sklearn/*/model.*", "golden-wrapped/*/model.*"} {
		files, err := filepath.Glob(filepath.Join("../testdata", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			e, err := load.File(file)
			require.NoError(t, err)
			t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) { requireRoundTrip(t, e) })
			n++
		}
	}
	require.Greater(t, n, 380)
}

// shapes are of random ensembles of all kinds.
var shapes = []nodiff.Shape{
	{Trees: 8, Depth: 5},
	{Trees: 4, Depth: 4, Input: ir.Double},
	{Trees: 4, Depth: 4, Sum: ir.Double},
	{Trees: 6, Depth: 5, Input: ir.Double, Sum: ir.Double, Columns: true, Answers: true},
	{Trees: 6, Depth: 5, Columns: true},
	{Trees: 6, Depth: 5, Sum: ir.Double, Answers: true},
}

func TestRandomJSON(t *testing.T) {
	for seed := range uint64(100) {
		for _, s := range shapes {
			e := s.Ensemble(seed)
			if seed%3 == 0 {
				e.Source.Warnings, e.Source.Changes, e.Source.Bound = []string{"a <b> & \u2028"}, []string{}, slices.Repeat([]float64{0.1}, e.Outputs)
				e.Features[0].Refuses, e.Features[0].Accepts = ir.Missing|ir.TooLarge, []float64{}
				e.Features[0].Open = true
			}
			requireRoundTrip(t, e)
		}
	}
}

func TestJSONRefuses(t *testing.T) {
	e := nodiff.Ensemble(1, 2, 2)
	e.Features[0].Name = "a\xff"
	require.ErrorContains(t, save.JSON(&bytes.Buffer{}, e), `the feature name "a\xff" is not UTF-8`)
	require.ErrorContains(t, save.JSON(&bytes.Buffer{}, &ir.Ensemble{}), "no features")
}

// A file is what the documentation of the form says, so that others can read it.
func TestJSONText(t *testing.T) {
	e, err := ir.Parse("(f0<0.1?\n  -0\n  (f1{2:4,7:}\n    +Inf\n    0.5#9))")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, save.JSON(&b, e))
	require.Equal(t, `{"hew":1,"input":"float32","sum":"float32","features":[{"name":"f0","type":"float"},{"name":"f1","type":"float"}],`+
		`"sets":[[2,4,7]],"outputs":1,"base_margin":[0],"link":"identity","task":"regression","rounds":[0,1],
"trees":[
{"output":0,"feature":[0,-1,1,-1,-1],"left":[1,-1,3,-1,-1],"right":[2,-1,4,-1,-1],"default_left":[1,0,0,0,0],`+
		`"threshold":[0.1,0,0,0,0],"set":[-1,-1,0,-1,-1],"value":[0,-0.0,0,"Infinity",0.5],"id":[0,1,2,3,9]}]}
`, b.String())
}
