package compile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// engines returns every engine for e: interp, table, and simd at each level of this
// processor.
func engines(t *testing.T, e *ir.Ensemble) []*compile.Engine {
	t.Helper()
	ref, err := compile.NewEngine(e, "interp", kernel.Generic)
	require.NoError(t, err)
	all := []*compile.Engine{ref}
	for _, cpu := range compile.Levels(kernel.ThisCPU()) {
		g, err := compile.NewEngine(e, "auto", cpu)
		require.NoError(t, err)
		all = append(all, g)
	}
	return all
}

// callSizes are numbers of rows in a call: one, few, around powers of two where
// blocked engines change their path, and many.
var callSizes = []int{1, 2, 63, 64, 65, 500, 4097}

// Every engine gives the trainer's own numbers for every recorded row, in calls of
// any size.
func TestEnginesOnGoldenCases(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(goldenCases, "*", "case.json"))
	require.NoError(t, err)
	require.Len(t, dirs, 151)
	for _, file := range dirs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			c := readCase(t, dir)
			var base predict.Values
			if _, err := os.Stat(filepath.Join(dir, "base_margin.npy")); err == nil {
				base = predict.ValuesOf(readArray(t, dir, "base_margin").Float32s())
			}
			for i, g := range engines(t, c.e) {
				if c.e.Linear == nil && len(c.e.Trees) > 0 && i > 0 {
					require.NotEqual(t, "interp", g.Name)
				}
				for _, n := range callSizes {
					wantTrained(t, g, &c, base, n)
				}
			}
		})
	}
}

// wantTrained requires the trainer's answers from g, in calls of n rows. The
// recorded rows come again and again, until there are n and each was there.
func wantTrained(t *testing.T, g *compile.Engine, c *trained, base predict.Values, n int) {
	e := c.e
	rows, width := c.rows.Len()/len(e.Features), e.Width()
	for first := 0; first < rows; first += n {
		name := fmt.Sprintf("%s, %d rows from %d", g.Name, n, first)
		x, a := cycleValues(c.rows, len(e.Features), first, n), newAnswers(e, n)
		if base.Len() == 0 {
			g.Margin(a.margin, x)
			g.Predict(a.predict, x)
			wantBits(t, name+": predict", cycleValues(c.answers.predict, width, first, n), a.predict)
		} else {
			g.MarginFrom(a.margin, x, cycleValues(base, e.Outputs, first, n))
		}
		wantBits(t, name+": margin", cycleValues(c.answers.margin, e.Outputs, first, n), a.margin)
		if c.hasLeaf && len(e.Trees) > 0 {
			g.Leaf(a.leaf, x)
			wantLeaves(t, name+": leaf", cycle(c.answers.leaf, len(e.Trees), first, n), a.leaf)
		}
		require.False(t, t.Failed())
	}
}

// cycle returns n rows of values, width each, from the first one on; after the last
// one comes row 0.
func cycle[T any](values []T, width, first, n int) []T {
	rows := len(values) / width
	all := make([]T, 0, n*width)
	for i := range n {
		at := (first + i) % rows * width
		all = append(all, values[at:at+width]...)
	}
	return all
}

func cycleValues(v predict.Values, width, first, n int) predict.Values {
	if v.F64 != nil {
		return predict.ValuesOf(cycle(v.F64, width, first, n))
	}
	return predict.ValuesOf(cycle(v.F32, width, first, n))
}

// Engines agree on random ensembles of every kind, whose passes merge leaves and
// remove trees, and on base margins for each row.
func TestEnginesOnRandomEnsembles(t *testing.T) {
	for seed := range uint64(150) {
		e := nodiff.Shape{Trees: 12, Depth: 8, Redundant: seed%3 == 2}.Ensemble(seed)
		wantReferences(t, fmt.Sprint("seed ", seed), e, nodiff.Rows(e, 300, seed), engines(t, e))
	}
}

// The same for ensembles of all pairs of types, with columns, which are folded or
// not, and with stages.
func TestEnginesOnRandomPipelines(t *testing.T) {
	folded := 0
	for seed := range uint64(300) {
		s := nodiff.Shape{Trees: 12, Depth: 6, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2)}
		s.Columns, s.Answers, s.Redundant = seed%3 > 0, seed%5 > 0, seed%7 > 3
		e := s.Ensemble(seed)
		all := engines(t, e)
		for _, cpu := range compile.Levels(kernel.ThisCPU()) {
			g, err := compile.NewEngine(e, "auto", cpu, "fold")
			require.NoError(t, err)
			all = append(all, g)
		}
		for _, g := range all {
			if g.Name != "interp" && e.Columns != nil {
				folded++
			}
		}
		wantReferences(t, fmt.Sprintf("%+v, seed %d", s, seed), e, nodiff.Rows(e, 400, seed), all)
	}
	require.Greater(t, folded, 500)
}

// wantReferences requires the reference's answers about x from engines, and its
// margins from the base margins of each row.
func wantReferences(t *testing.T, name string, e *ir.Ensemble, x predict.Values, all []*compile.Engine) {
	ref, rows := interp.New(e), x.Len()/len(e.Features)
	a, b := newAnswers(e, rows), newAnswers(e, rows)
	base := predict.MakeValues(a.margin.Type(), a.margin.Len())
	for i := range base.Len() {
		base.Set(i, x.At(i%x.Len()))
	}
	ref.Typed().MarginFrom(a.margin, x, base)
	for _, g := range all {
		d := nodiff.Compare(ref, g.Predictor("random"), x)
		require.True(t, d.OK(), "%s, %s: %v", name, g.Name, d)
		require.Equal(t, rows*len(e.Trees), d.Leaf.Compared)
		g.MarginFrom(b.margin, x, base)
		wantBits(t, name+", "+g.Name, a.margin, b.margin)
	}
}

// A call allocates nothing, whatever the link or the stages make of the margins.
func TestEnginesAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools forget")
	}
	for _, link := range []ir.Link{ir.SigmoidClamped, ir.Softmax, ir.Argmax} {
		e := ir.MustParse("(f0<0.5? [1 0.25 3] (f1{2:4,7:} [-1 0.25 2] [0 0 0.5]))")
		e.Link = link
		wantNoAllocations(t, link.String(), e, engines(t, e))
	}
	for seed := range uint64(120) {
		s := nodiff.Shape{Trees: 5, Depth: 4, Input: ir.Precision(seed % 2), Sum: ir.Double, Columns: seed%3 == 0, Answers: true}
		if e := s.Ensemble(seed); len(e.Trees) > 0 {
			g, err := compile.NewEngine(e, "auto", kernel.ThisCPU(), "fold")
			require.NoError(t, err)
			wantNoAllocations(t, fmt.Sprintf("%+v, seed %d", s, seed), e, []*compile.Engine{g})
		}
	}
}

func wantNoAllocations(t *testing.T, name string, e *ir.Ensemble, all []*compile.Engine) {
	for _, g := range all {
		for _, n := range []int{1, 64, 500} {
			x, a := predict.MakeValues(predict.Type(e.Input.String()), n*len(e.Features)), newAnswers(e, n)
			g.Leaf(a.leaf, x) // what is made once
			allocs := testing.AllocsPerRun(20, func() {
				g.Margin(a.margin, x)
				g.Predict(a.predict, x)
				for i, v := range a.named {
					g.Answer(i, v, a.margin, x)
				}
				g.Leaf(a.leaf, x)
			})
			require.Zero(t, allocs, "%s, %s, %d rows", name, g.Name, n)
		}
	}
}

func TestNewEngine(t *testing.T) {
	e := ir.MustParse("(f0<0.5? 1 2)")
	avx2 := kernel.CPU{AVX2: true}
	for _, c := range []struct {
		engine string
		cpu    kernel.CPU
		want   string
	}{
		{"auto", kernel.Generic, "table"},
		{"auto", avx2, "simd avx2"},
		{"interp", avx2, "interp"},
		{"table", avx2, "table"},
		{"simd", avx2, "simd avx2"},
	} {
		if c.cpu == avx2 && !kernel.ThisCPU().AVX2 {
			continue
		}
		p, err := compile.Predictor(e, "stump", c.engine, c.cpu)
		require.NoError(t, err)
		require.Equal(t, c.want, p.Source.Engine)
		require.True(t, p.Source.Exact)
		require.Equal(t, "stump", p.Name)
		require.NotNil(t, p.Leaf)
	}
	for engine, want := range map[string]string{
		"simd":  "engine simd needs AVX2 or AVX-512, which this processor lacks or HEW_CPU withholds; use table or auto",
		"tabel": `unknown engine "tabel" (did you mean "table"?)`,
		"":      `unknown engine "" (want one of auto, interp, table, simd)`,
	} {
		_, err := compile.NewEngine(e, engine, kernel.Generic)
		require.EqualError(t, err, want)
		require.ErrorAs(t, err, new(compile.OptionError))
	}
}

// What has no trees is for the reference: auto says why, table does not pretend.
func TestEngineForLinearModels(t *testing.T) {
	linear := ir.MustParse("(f0<0.5? 1 2)")
	linear.Trees, linear.Rounds = nil, nil
	linear.Linear = &ir.Linear{Weights: []float64{1}, Bias: []float64{0}}
	g, err := compile.NewEngine(linear, "auto", kernel.ThisCPU())
	require.NoError(t, err)
	require.Equal(t, "interp", g.Name)
	require.Equal(t, "a linear model has no trees", g.Why)
	_, err = compile.NewEngine(linear, "table", kernel.ThisCPU())
	require.EqualError(t, err, "engine table: a linear model has no trees; use interp, or auto")
	require.Equal(t, []string{"branch"}, compile.Strategies(linear))
	lines, err := compile.EnginePlan(linear, kernel.ThisCPU())
	require.NoError(t, err)
	require.Equal(t, []string{"engine interp: a linear model has no trees"}, lines)
}

func TestLevels(t *testing.T) {
	avx2, all := kernel.CPU{AVX2: true}, kernel.CPU{AVX2: true, AVX512: true, VBMI: true}
	require.Equal(t, []kernel.CPU{kernel.Generic}, compile.Levels(kernel.Generic))
	require.Equal(t, []kernel.CPU{kernel.Generic, avx2}, compile.Levels(avx2))
	require.Equal(t, []kernel.CPU{kernel.Generic, avx2, all}, compile.Levels(all))
}
