package prune_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/ir"
)

// total is the loss of e on rows, from margins that are summed anew each time. It knows
// three losses.
func total(e *ir.Ensemble, d *lossy.Data) float64 {
	wide := e.Clone()
	wide.Sum = ir.Double
	m, k, sum := margins(wide, d.X), e.Outputs, 0.0
	for r, y := range d.Y {
		w := 1.0
		if d.Weight != nil {
			w = d.Weight[r]
		}
		switch e.Source.Objective {
		case "reg:squarederror":
			sum += w * (m[r] - y) * (m[r] - y) / 2
		case "binary:logistic":
			sum += w * (math.Log1p(math.Exp(m[r])) - y*m[r])
		case "multi:softprob":
			z := 0.0
			for _, v := range m[r*k : (r+1)*k] {
				z += math.Exp(v)
			}
			sum += w * (math.Log(z) - m[r*k+int(y)])
		default:
			panic(e.Source.Objective)
		}
	}
	return sum
}

// fitCases calls do with small ensembles and rows for each of three losses, vector leaves,
// sets and weights among them.
func fitCases(t *testing.T, trees, rows int, do func(e *ir.Ensemble, d *lossy.Data)) {
	t.Helper()
	for seed := range uint64(60) {
		outputs := 1 + int(seed%3/2)*2
		e := nodiff.Shape{Trees: trees, Depth: 4, Outputs: outputs, Sum: ir.Double}.Ensemble(seed)
		if e.Linear != nil || len(e.Trees) < 2 {
			continue
		}
		tame(e)
		e.Source.Objective = []string{"reg:squarederror", "binary:logistic", "multi:softprob"}[seed%3]
		if e.Task = ir.Regression; outputs > 1 {
			e.Task = ir.Classification
		}
		d := &lossy.Data{X: nodiff.Rows64(e, rows, seed)}
		for r := range rows {
			d.Y = append(d.Y, float64((r*7+int(seed))%max(outputs, 2)))
			if seed%4 == 0 {
				d.Weight = append(d.Weight, float64(r%3))
			}
		}
		do(e, d)
	}
}

// Reduced error makes the leaves that trying each split one after the other makes, each
// time with the loss of all rows from scratch.
func TestReducedErrorIsThatOfTrials(t *testing.T) {
	merged, kept := 0, 0
	fitCases(t, 5, 60, func(e *ir.Ensemble, d *lossy.Data) {
		got, _ := apply(t, e, "reduced-error", d)
		want := e.Clone()
		for i := range want.Trees {
			for j := len(want.Trees[i].Nodes) - 1; j >= 0; j-- {
				if want.Trees[i].Nodes[j].IsLeaf() {
					continue
				}
				tried := want.Clone()
				makeLeaf(tried, e, i, j)
				if total(tried, d) <= total(want, d) {
					want = tried
					merged++
				} else {
					kept++
				}
			}
		}
		require.InDeltaSlice(t, margins(want, d.X), margins(got, d.X), 1e-9)
		require.LessOrEqual(t, total(got, d), total(e, d)+1e-9)
	})
	require.Greater(t, merged, 100)
	require.Greater(t, kept, 100)
}

// makeLeaf makes a leaf of node j of tree i of e: the mean, by cover, of the leaves below it
// in the tree as it was.
func makeLeaf(e, before *ir.Ensemble, i, j int) {
	t := &before.Trees[i]
	width := 1
	if t.Vectors != nil {
		width = e.Outputs
	}
	sum, plain := make([]float64, width), make([]float64, width)
	least, most := slices.Repeat([]float64{math.Inf(1)}, width), slices.Repeat([]float64{math.Inf(-1)}, width)
	cover, count := 0.0, 0.0
	var visit func(j int32)
	visit = func(j int32) {
		n := &t.Nodes[j]
		if !n.IsLeaf() {
			visit(n.Left)
			visit(n.Right)
			return
		}
		v := []float64{n.Value}
		if t.Vectors != nil {
			v = t.Vectors[int(n.Vector)*width:][:width]
		}
		for k := range v {
			sum[k], plain[k] = sum[k]+v[k]*float64(n.Cover), plain[k]+v[k]
			least[k], most[k] = min(least[k], v[k]), max(most[k], v[k])
		}
		cover, count = cover+float64(n.Cover), count+1
	}
	visit(int32(j))
	for k := range sum {
		if sum[k] /= cover; cover == 0 {
			sum[k] = plain[k] / count
		}
		sum[k] = min(max(sum[k], least[k]), most[k])
	}
	leaf := ir.Node{Feature: ir.NoFeature, Set: ir.NoSet}
	if now := &e.Trees[i]; now.Vectors != nil {
		leaf.Vector = int32(len(now.Vectors) / width)
		now.Vectors = append(now.Vectors, sum...)
	} else {
		leaf.Value = sum[0]
	}
	e.Trees[i].Nodes[j] = leaf
}

// Of few trees, those are dropped that trying each one says.
func TestTreesAreThoseOfTrials(t *testing.T) {
	dropped := 0
	fitCases(t, 8, 60, func(e *ir.Ensemble, d *lossy.Data) {
		e.Rounds = []int32{0}
		for i := range e.Trees {
			e.Rounds = append(e.Rounds, int32(i+1))
		}
		count := min(3, len(e.Trees)-1)
		got, _ := apply(t, e, fmt.Sprint("trees=", count), d)
		want := e
		for range count {
			best, least := -1, math.Inf(1)
			for i := range want.Trees {
				if l := total(withoutTree(want, i), d); l < least-1e-9 {
					best, least = i, l
				}
			}
			want = withoutTree(want, best)
		}
		require.Equal(t, margins(want, d.X), margins(got, d.X))
		require.Len(t, got.Trees, len(e.Trees)-count)
		require.Equal(t, e.NumRounds(), got.NumRounds(), "some are empty now")
		require.LessOrEqual(t, len(got.Sets), len(e.Sets))
		dropped += len(e.Sets) - len(got.Sets)
	})
	require.Greater(t, dropped, 10, "sets")
}

func withoutTree(e *ir.Ensemble, i int) *ir.Ensemble {
	c := e.Clone()
	c.Trees = slices.Delete(c.Trees, i, i+1)
	return c
}

// Of many trees only a few are tried at each step. What is lost to trying all of them is
// small beside what dropping costs.
func TestShortlist(t *testing.T) {
	e, _ := apply(t, golden(t)["xgboost-3.2-realistic-binary-higgs-500x6"], "truncate=60", nil)
	d := &lossy.Data{X: nodiff.Rows64(e, 200, 1)}
	p := make([]float64, len(d.X)/len(e.Features))
	for r, m := range margins(e, d.X) {
		p[r] = 1 / (1 + math.Exp(-m))
		d.Y = append(d.Y, math.Round(math.Mod(p[r]*1000, 1)*0.4+p[r]*0.6))
	}
	exact := e.Clone()
	for range 10 {
		best, least := -1, math.Inf(1)
		for i := range exact.Trees {
			if l := total(withoutTree(exact, i), d); l < least {
				best, least = i, l
			}
		}
		exact = withoutTree(exact, best)
	}
	got, _ := apply(t, e, "trees=10", d)
	require.Len(t, got.Trees, len(e.Trees)-10)
	full, want, have := total(e, d), total(exact, d), total(got, d)
	t.Log(full, want, have)
	require.InDelta(t, want, have, 0.05*math.Abs(want-full))
}

// No small change of a leaf makes what refit minimises smaller.
func TestRefitIsAMinimum(t *testing.T) {
	moved := 0
	fitCases(t, 5, 60, func(e *ir.Ensemble, d *lossy.Data) {
		const ridge = 2
		got, _ := apply(t, e, "refit=2", d)
		objective := func(c *ir.Ensemble) float64 {
			sum := total(c, d)
			for _, v := range values(e, c) {
				sum += ridge / 2 * (*v.now - v.old) * (*v.now - v.old)
			}
			return sum
		}
		least, before := objective(got), objective(e)
		require.LessOrEqual(t, least, before)
		for _, v := range values(e, got) {
			if *v.now != v.old {
				moved++
			}
			at := *v.now
			for _, step := range []float64{-0.01, 0.01} {
				*v.now = at + step
				require.Greater(t, objective(got), least-1e-4*(before-least)-1e-6, "%s from %v to %v", e.Source.Objective, before, least)
			}
			*v.now = at
		}
	})
	require.Greater(t, moved, 300)
}

// A value is that of a leaf, before and after.
type value struct {
	now *float64
	old float64
}

// values returns those of all leaves.
func values(before, after *ir.Ensemble) []value {
	var all []value
	for i := range after.Trees {
		b, a := &before.Trees[i], &after.Trees[i]
		for j := range a.Vectors {
			all = append(all, value{&a.Vectors[j], b.Vectors[j]})
		}
		for j := range a.Nodes {
			if a.Vectors == nil && a.Nodes[j].IsLeaf() {
				all = append(all, value{&a.Nodes[j].Value, b.Nodes[j].Value})
			}
		}
	}
	return all
}

// A strong penalty keeps the leaves; leaves that no row reaches stay in any case.
func TestRefitPenalty(t *testing.T) {
	e := ir.MustParse("(f0<1 1 (f0<2 2 3))")
	e.Source.Objective = "reg:squarederror"
	d := &lossy.Data{X: []float64{0, 0, 1.5}, Y: []float64{5, 6, 7}, Weight: []float64{1, 3, 2}}
	weak, _ := apply(t, e, "refit=1e-9", d)
	require.Equal(t, "(f0<1 5.75 (f0<2 7 3))", text(weak))
	strong, _ := apply(t, e, "refit=1e12", d)
	require.Equal(t, text(e), text(strong))
	some, c := apply(t, e, "refit=4", d)
	require.Equal(t, "(f0<1 3.375 (f0<2 3.6666667 3))", text(some)) // (4·1 + 4·5.75) / 8, (4·2 + 2·7) / 6
	require.Zero(t, c.Low[0])
	require.InDelta(t, 2.375, c.High[0], 1e-12)
}
