package compile_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// lossyItems are settings of which some are drawn; "" is none of a line.
var lossyItems = struct{ prune, quantize [][]string }{
	prune: [][]string{
		{"", "", "truncate=1", "truncate=2"}, {"", "", "trees=1", "trees=50%"}, {"", "min-cover=1", "min-cover=20"},
		{"", "epsilon=1e-3", "epsilon=0.5"}, {"", "", "reduced-error"}, {"", "", "refit=1", "refit=100"},
	},
	quantize: [][]string{
		{"", "", "merge=0.001", "merge=0.1"}, {"", "thresholds=f16", "thresholds=bf16", "thresholds=uint8", "thresholds=uint16"},
		{"", "leaves=f16", "leaves=bf16", "leaves=int16", "leaves=int8", "leaves=fixed", "leaves=int8,scale=tree"},
	},
}

func drawItems(r *rand.Rand, lines [][]string) string {
	var items []string
	for _, line := range lines {
		if item := line[r.IntN(len(line))]; item != "" {
			items = append(items, item)
		}
	}
	return strings.Join(items, ",")
}

// transformed draws an ensemble, rows with labels and lossy passes, and returns whether
// these can be, after it has checked what they made: on rows around the thresholds of
// before and after, no margin is farther from where it was than is certified, by the passes
// one after the other and by all, and the engines give the reference's bits.
func transformed(t *testing.T, seed uint64) bool {
	r := rand.New(rand.NewPCG(seed, 7))
	e := nodiff.Shape{Trees: 12, Depth: 5, Sum: ir.Precision(seed % 2), Columns: seed%5 == 0}.Ensemble(seed)
	e.Source.Objective, e.Link, e.Task = "binary:logistic", ir.Identity, ir.Classification
	if e.Outputs > 1 {
		e.Source.Objective = "multi:softprob"
	}
	if seed%4 != 0 { // of values that a loss can be computed of
		eachLeaf(e, func(v *float64) { *v = min(max(*v, -3), 3) })
		for k := range e.BaseMargin {
			e.BaseMargin[k] = min(max(e.BaseMargin[k], -3), 3)
		}
	}
	d := &lossy.Data{X: nodiff.Rows64(e, 60, seed)}
	for i := range len(d.X) / len(e.Features) {
		d.Y = append(d.Y, float64((i*7+int(seed))%max(e.Outputs, 2)))
	}
	s, err := compile.ParseSettings(drawItems(r, lossyItems.prune), drawItems(r, lossyItems.quantize))
	require.NoError(t, err)
	require.NoError(t, e.Verify())
	before := e.Clone()
	if len(s.Passes()) == 0 {
		return false
	}
	s.Rows = nodiff.Rows64(before, nodiff.NumBoundaryRows(before)/2+100, seed+1)
	report, err := s.Transform(e, d)
	if err != nil {
		return false
	}
	require.NoError(t, e.Verify())
	for _, step := range report.Steps {
		for k := range step.Bound {
			require.LessOrEqual(t, step.Moved[k], step.Bound[k], "seed %d, %+v: pass %s", seed, s.Prune, step.Pass)
		}
	}
	rows := append(nodiff.Rows64(e, 200, seed+2), s.Rows...)
	for k, m := range moved(before, e, rows) {
		require.LessOrEqual(t, m, e.Source.Bound[k], "seed %d, output %d", seed, k)
	}
	g, err := compile.NewEngine(e, "auto", kernel.ThisCPU())
	require.NoError(t, err)
	diff := nodiff.Compare(interp.New(e), g.Predictor("lossy"), narrowed(rows, e.Input))
	require.True(t, diff.OK(), "seed %d: %v", seed, diff)
	return true
}

// moved returns how far each margin moves on some row.
func moved(before, after *ir.Ensemble, x []float64) []float64 {
	n := len(x) / len(before.Features)
	old, now := make([]float64, n*before.Outputs), make([]float64, n*after.Outputs)
	interp.New(before).Margin64(old, x)
	interp.New(after).Margin64(now, x)
	most := make([]float64, before.Outputs)
	for i := range old {
		if d := math.Abs(now[i] - old[i]); d == d {
			most[i%before.Outputs] = max(most[i%before.Outputs], d)
		} else if (old[i] == old[i] || now[i] == now[i]) && old[i] != now[i] {
			most[i%before.Outputs] = math.Inf(1)
		}
	}
	return most
}

func narrowed(x []float64, p ir.Precision) predict.Values {
	if p == ir.Double {
		return predict.ValuesOf(x)
	}
	narrow := make([]float32, len(x))
	for i, v := range x {
		narrow[i] = float32(v)
	}
	return predict.ValuesOf(narrow)
}

// TestCertificates has random lossy passes on random ensembles.
func TestCertificates(t *testing.T) {
	could := 0
	for seed := range uint64(400) {
		if transformed(t, seed) {
			could++
		}
	}
	require.Greater(t, could, 200)
	t.Logf("%d of 400", could)
}

func FuzzCertificates(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { transformed(t, seed) })
}
