package quantize_test

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/quantize"
)

// lossyOptions are those that every ensemble is tried with.
var lossyOptions = []string{
	"thresholds=f16", "thresholds=bf16", "thresholds=uint8", "thresholds=uint16",
	"merge=1e-3", "merge=0.1", "merge=0.9",
	"leaves=f16", "leaves=bf16", "leaves=int16", "leaves=int8", "leaves=fixed", "leaves=int16,scale=tree", "leaves=int8,scale=tree",
	"merge=0.2,thresholds=bf16,leaves=int8",
}

func parse(t *testing.T, text string) quantize.Options {
	t.Helper()
	o, err := quantize.Parse(text)
	require.NoError(t, err, text)
	return o
}

// run returns e after the passes of o, and what they certify together.
func run(t *testing.T, e *ir.Ensemble, o quantize.Options, d *lossy.Data) (*ir.Ensemble, lossy.Change) {
	t.Helper()
	after, change := e.Clone(), lossy.None(e.Outputs)
	for _, p := range o.Passes() {
		require.False(t, p.NeedsRows)
		c, err := p.Run(after, d)
		require.NoError(t, err, p.Name)
		require.NoError(t, after.Verify(), p.Name)
		change = change.Plus(c)
	}
	return after, change
}

// tries counts what wantCertified saw, so that tests can tell whether they test anything.
type tries struct{ refused, certified, changed, finite int }

// wantCertified requires that no row, boundary rows before and after among them, changes
// by more than the passes of each of the options certify.
func (n *tries) wantCertified(t *testing.T, name string, e *ir.Ensemble, options []string, rows int) {
	t.Helper()
	for _, text := range options {
		o := parse(t, text)
		if err := o.Check(e, false); err != nil {
			n.refused++
			continue
		}
		after, c := run(t, e, o, nil)
		n.certified++
		x := append(nodiff.Rows64(e, rows, 1), nodiff.Rows64(after, rows, 2)...)
		n.wantWithin(t, name+" "+text, e, after, x, c)
	}
}

// wantWithin compares exact sums with c, and margins with lossy.Certified.
func (n *tries) wantWithin(t *testing.T, name string, e, after *ir.Ensemble, x []float64, c lossy.Change) {
	t.Helper()
	w, rows := len(e.Features), len(x)/len(e.Features)
	a, b := make([]float64, rows*e.Outputs), make([]float64, rows*e.Outputs)
	interp.New(e).Margin64(a, x)
	interp.New(after).Margin64(b, x)
	bounds := lossy.Certified(e, after, c)
	for i := range rows {
		exact := exactChange(e, after, x[i*w:(i+1)*w], c)
		for k := range e.Outputs {
			if exact[k] != nil {
				n.finite++
				if exact[k].Sign() != 0 {
					n.changed++
				}
				if exact[k].Cmp(big.NewFloat(c.Low[k])) < 0 || exact[k].Cmp(big.NewFloat(c.High[k])) > 0 {
					require.Fail(t, "beyond the certificate", "%s: row %v, output %d: %g is not in [%g, %g]", name, x[i*w:(i+1)*w], k, exact[k], c.Low[k], c.High[k])
				}
			}
			was, is := a[i*e.Outputs+k], b[i*e.Outputs+k]
			if d := math.Abs(is - was); !math.IsInf(was, 0) && !math.IsInf(is, 0) && d > bounds[k] {
				require.Fail(t, "beyond the bound", "%s: row %d, output %d: from %g to %g, bound %g", name, i, k, was, is, bounds[k])
			}
		}
	}
}

// exactChange returns the change of the margins of a row in exact arithmetic, nil for an
// output whose certificate is infinite.
func exactChange(e, after *ir.Ensemble, row []float64, c lossy.Change) []*big.Float {
	const bits = 2200 // enough for sums of float64 numbers of all sizes
	sums := make([]*big.Float, e.Outputs)
	add := func(k int, old, now float64) {
		if old != now && sums[k] != nil {
			sums[k].Add(sums[k], big.NewFloat(now))
			sums[k].Sub(sums[k], big.NewFloat(old))
		}
	}
	for k := range sums {
		if !math.IsInf(c.Low[k], 0) && !math.IsInf(c.High[k], 0) {
			sums[k] = new(big.Float).SetPrec(bits)
		}
		add(k, e.BaseMargin[k], after.BaseMargin[k])
	}
	columns := row
	if e.Columns != nil {
		columns = make([]float64, len(e.Columns))
		for j := range columns {
			columns[j] = interp.Column(&e.Columns[j], row)
			if e.Input == ir.Single {
				columns[j] = float64(float32(columns[j]))
			}
		}
	}
	for i := range e.Trees {
		old, now := &e.Trees[i], &after.Trees[i]
		m, n := &old.Nodes[leafOf(e, old, columns)], &now.Nodes[leafOf(after, now, columns)]
		if old.Vectors == nil {
			add(int(old.Output), m.Value, n.Value)
			continue
		}
		for k := range e.Outputs {
			add(k, old.Vectors[int(m.Vector)*e.Outputs+k], now.Vectors[int(n.Vector)*e.Outputs+k])
		}
	}
	return sums
}

func leafOf(e *ir.Ensemble, t *ir.Tree, row []float64) int32 {
	i := int32(0)
	for !t.Nodes[i].IsLeaf() {
		n := &t.Nodes[i]
		left := row[n.Feature] < n.Threshold
		switch x := row[n.Feature]; {
		case x != x:
			left = n.DefaultLeft
		case n.Set != ir.NoSet:
			left = e.Sets[n.Set].Contains(x)
		}
		i = n.Right
		if left {
			i = n.Left
		}
	}
	return i
}

// skipShort leaves out what takes seconds, and minutes under an emulator, and what is the
// same on every processor.
func skipShort(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
}

func TestCertifiedRandom(t *testing.T) {
	skipShort(t)
	var n tries
	for seed := range uint64(120) {
		p, q := ir.Precision(seed%2), ir.Precision(seed/2%2)
		for _, s := range []nodiff.Shape{
			{Trees: 8, Depth: 6, Input: p, Sum: q},
			{Trees: 20, Depth: 3, Features: 2, Thresholds: 40, Input: p, Sum: q},
			{Trees: 5, Depth: 5, Input: p, Sum: q, Columns: true},
		} {
			e := s.Ensemble(seed)
			if seed%3 > 0 {
				tame(e)
			}
			n.wantCertified(t, fmt.Sprintf("%+v, seed %d", s, seed), e, lossyOptions, 60)
		}
	}
	t.Logf("%+v", n)
	require.Greater(t, n.certified, 2000)
	require.Greater(t, n.finite, 200000)
	require.Greater(t, n.changed, 100000)
}

// tame leaves no number in e that a narrow format would not hold.
func tame(e *ir.Ensemble) {
	limit := func(v, most float64) float64 { return max(min(v, most), -most) }
	for i := range e.Trees {
		t := &e.Trees[i]
		for j := range t.Nodes {
			t.Nodes[j].Value = limit(t.Nodes[j].Value, 1000)
			t.Nodes[j].Threshold = limit(t.Nodes[j].Threshold, 60000)
		}
		for j := range t.Vectors {
			t.Vectors[j] = limit(t.Vectors[j], 1000)
		}
	}
	for k := range e.BaseMargin {
		e.BaseMargin[k] = limit(e.BaseMargin[k], 1000)
	}
}

// Many thresholds, so that uint8 has something to do.
func TestCertifiedManyThresholds(t *testing.T) {
	skipShort(t)
	var n tries
	for seed := range uint64(6) {
		s := nodiff.Shape{Trees: 30, Depth: 7, Features: 2, Thresholds: 2000, Outputs: 1 + int(seed)%2, Full: true, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2)}
		e := s.Ensemble(seed)
		tame(e)
		n.wantCertified(t, fmt.Sprintf("%+v, seed %d", s, seed), e, lossyOptions, 300)
	}
	t.Logf("%+v", n)
	require.Greater(t, n.changed, 20000)
}

func TestCertifiedGolden(t *testing.T) {
	skipShort(t)
	var n tries
	models := golden(t)
	for i, name := range slices.Sorted(maps.Keys(models)) { // a third of the options each
		var options []string
		for j := i % 3; j < len(lossyOptions); j += 3 {
			options = append(options, lossyOptions[j])
		}
		n.wantCertified(t, name, models[name], options, 20)
	}
	t.Logf("%+v", n)
	require.Greater(t, n.certified, 1500)
	require.Greater(t, n.changed, 80000)
}

// golden returns the recorded models of all trainers, linear ones aside.
func golden(t *testing.T) map[string]*ir.Ensemble {
	t.Helper()
	models := map[string]*ir.Ensemble{}
	for _, pattern := range []string{"golden-xgboost/*/model*", "golden-sklearn/*/model*"} {
		files, err := filepath.Glob("../testdata/" + pattern)
		require.NoError(t, err)
		require.Greater(t, len(files), 80)
		for _, file := range files {
			e, err := load.File(file)
			require.NoError(t, err, file)
			if e.Linear == nil {
				models[file] = e
			}
		}
	}
	return models
}
