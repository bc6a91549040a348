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
			var base []float32
			if _, err := os.Stat(filepath.Join(dir, "base_margin.npy")); err == nil {
				base = readArray(t, dir, "base_margin").Float32s()
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
func wantTrained(t *testing.T, g *compile.Engine, c *trained, base []float32, n int) {
	e := c.e
	rows, width := len(c.rows)/len(e.Features), e.Link.Width(e.Outputs)
	for first := 0; first < rows; first += n {
		name := fmt.Sprintf("%s, %d rows from %d", g.Name, n, first)
		x := cycle(c.rows, len(e.Features), first, n)
		margin, predict := make([]float32, n*e.Outputs), make([]float32, n*width)
		if base == nil {
			g.Margin(margin, x)
			g.Predict(predict, x)
			wantBits(t, name+": predict", cycle(c.answers.predict, width, first, n), predict)
		} else {
			g.MarginFrom(margin, x, cycle(base, e.Outputs, first, n))
		}
		wantBits(t, name+": margin", cycle(c.answers.margin, e.Outputs, first, n), margin)
		if c.hasLeaf && len(e.Trees) > 0 {
			leaf := make([]int32, n*len(e.Trees))
			g.Leaf(leaf, x)
			wantLeaves(t, name+": leaf", cycle(c.answers.leaf, len(e.Trees), first, n), leaf)
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

// Engines agree on random ensembles of every kind, whose passes merge leaves, and
// on base margins for each row.
func TestEnginesOnRandomEnsembles(t *testing.T) {
	for seed := range uint64(150) {
		e := nodiff.Ensemble(seed, 12, 8)
		x, ref := nodiff.Rows(e, 300, seed), interp.New(e)
		base := cycle(x, 1, 0, 300*e.Outputs)
		want, got := make([]float32, len(base)), make([]float32, len(base))
		ref.MarginFrom(want, x, base)
		for _, g := range engines(t, e) {
			d := nodiff.Compare(ref, g.Predictor("random"), x)
			require.True(t, d.OK(), "seed %d, %s: %v", seed, g.Name, d)
			require.Equal(t, 300*len(e.Trees), d.Leaf.Compared)
			g.MarginFrom(got, x, base)
			wantBits(t, fmt.Sprint("seed ", seed, ", ", g.Name), want, got)
		}
	}
}

// A call allocates nothing, whatever the link makes of the margins.
func TestEnginesAllocateNothing(t *testing.T) {
	for _, link := range []ir.Link{ir.SigmoidClamped, ir.Softmax, ir.Argmax} {
		e := ir.MustParse("(f0<0.5? [1 0.25 3] (f1{2:4,7:} [-1 0.25 2] [0 0 0.5]))")
		e.Link = link
		for _, g := range engines(t, e) {
			for _, n := range []int{1, 64, 500} {
				x, dst := make([]float32, n*len(e.Features)), make([]float32, n*link.Width(e.Outputs))
				leaf := make([]int32, n*len(e.Trees))
				g.Leaf(leaf, x) // what is made once
				allocs := testing.AllocsPerRun(20, func() {
					g.Predict(dst, x)
					g.Leaf(leaf, x)
				})
				require.Zero(t, allocs, "%s, %v, %d rows", g.Name, link, n)
			}
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
