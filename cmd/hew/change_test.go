package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/ir"
)

// A loss of 0 that stays does not rise, and one that comes up is no share of 0.
func TestChangeOfNoLoss(t *testing.T) {
	before, after := ir.MustParse("(f0<1 -1 2)"), ir.MustParse("(f0<1 -1 -2)")
	for _, e := range []*ir.Ensemble{before, after} {
		e.Source.Objective, e.Task, e.Link = "binary:hinge", ir.Classification, ir.Step
	}
	rows := &lossy.Data{X: []float64{0, 5}, Y: []float64{0, 1}}
	var same, worse strings.Builder
	require.NoError(t, newChange(before, before, rows).print(&same))
	require.Contains(t, same.String(), "0 → 0, loss +0.00%")
	require.NoError(t, newChange(before, after, rows).print(&worse))
	require.Contains(t, worse.String(), "0 → 0.5, loss +Inf%")
}
