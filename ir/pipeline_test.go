package ir_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/ir"
)

// pipeline returns an ensemble with a column, stages and answers.
func pipeline() *ir.Ensemble {
	e := ir.MustParse("(f0<0.5 [1 0] [0.25 0.75])", "(f1<1 [0.5 0.5] [0 1])")
	e.Input, e.Sum = ir.Double, ir.Double
	e.Columns = []ir.Column{
		{Feature: 1, Ops: []ir.Op{{Code: ir.OpSub, A: 2.5}, {Code: ir.OpRound}}},
		{Feature: 0, Ops: []ir.Op{{Code: ir.OpLookup, Keys: []float64{0, 1}, Values: []float64{1, 0}, A: -1, B: math.NaN()}}},
	}
	e.Post = []ir.Stage{
		{Code: ir.StageDivide, Args: []int32{0}, A: 2, Width: 2},
		{Code: ir.StageFirst, Args: []int32{1}, Width: 1},
		{Code: ir.StageDerive, Columns: []ir.Column{{Feature: 1}}, Width: 1},
		{Code: ir.StageAffine, Args: []int32{1, 3}, Weights: []float64{1, 2, 3, 4}, Width: 1},
	}
	e.Answers = []ir.Answer{
		{Name: "proba", Vector: 1},
		{Name: "label", Vector: 2, Labels: []ir.Labels{{Texts: []string{"no", "yes"}}}},
	}
	return e
}

func TestPipelineVerify(t *testing.T) {
	require.NoError(t, pipeline().Verify())
	require.Equal(t, 2, pipeline().Width())
	require.True(t, pipeline().NeedsRow())
	require.Nil(t, pipeline().Answer("score"))
	for want, spoil := range map[string]func(e *ir.Ensemble){
		"column 0: feature 2 out of range [0, 2)":                   func(e *ir.Ensemble) { e.Columns[0].Feature = 2 },
		"column 1: operation 0, lookup: 1 values for 2 keys":        func(e *ir.Ensemble) { e.Columns[1].Ops[0].Values = []float64{1} },
		"column 1: operation 0, lookup: key 1 does not ascend":      func(e *ir.Ensemble) { e.Columns[1].Ops[0].Keys = []float64{1, 1} },
		"column 0: operation 0, sub: constant is NaN":               func(e *ir.Ensemble) { e.Columns[0].Ops[0].A = math.NaN() },
		"stage 1, first: argument 2 is not a vector before it":      func(e *ir.Ensemble) { e.Post[1].Args[0] = 2 },
		"stage 0, divide: width 3, want 2":                          func(e *ir.Ensemble) { e.Post[0].Width = 3 },
		"stage 3, affine: 3 weights, want 4":                        func(e *ir.Ensemble) { e.Post[3].Weights = []float64{1, 2, 3} },
		"stage 2, derive: column 0: feature -1 out of range [0, 2)": func(e *ir.Ensemble) { e.Post[2].Columns[0].Feature = -1 },
		"answer proba is vector 5 of 5":                             func(e *ir.Ensemble) { e.Answers[0].Vector = 5 },
		`two answers named "proba", or one without a name`:          func(e *ir.Ensemble) { e.Answers[1].Name = "proba" },
		"answer label has 2 lists of labels for 1 numbers":          func(e *ir.Ensemble) { e.Answers[1].Labels = make([]ir.Labels, 2) },
		"stages without answers":                                    func(e *ir.Ensemble) { e.Answers = nil },
		"tree 1, node 0: feature 7 out of range [0, 2)":             func(e *ir.Ensemble) { e.Trees[1].Nodes[0].Feature = 7 },
		"both link exp and answers":                                 func(e *ir.Ensemble) { e.Link, e.Sum = ir.Exp, ir.Single },
	} {
		e := pipeline()
		e.Trees[1].Nodes = append([]ir.Node(nil), e.Trees[1].Nodes...)
		spoil(e)
		require.EqualError(t, e.Verify(), want)
	}
}

func TestPipelineText(t *testing.T) {
	var b strings.Builder
	require.NoError(t, pipeline().Print(&b))
	require.Contains(t, b.String(), `column 0: f1, sub 2.5, round
column 1: f0, lookup -1 NaN of [0 1] to [1 0]
vector 1: divide v0 by 2: 2
vector 2: first v1: 1
vector 3: derive; f1: 1
vector 4: affine v1 v3 with [1 2 3 4]: 1
answer proba: vector 1
answer label: vector 2
`)
}
