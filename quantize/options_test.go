package quantize_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hew/ir"
	"hew/quantize"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]quantize.Options{
		"":                            {},
		"thresholds=f16":              {Thresholds: quantize.F16},
		"merge=0.001":                 {Merge: 1e-3},
		"thresholds=uint16":           {Thresholds: quantize.Uint16},
		"leaves=fixed":                {Leaves: quantize.Fixed},
		"leaves=int8,scale=tree":      {Leaves: quantize.Int8, TreeScale: true},
		"thresholds=bf16,leaves=bf16": {Thresholds: quantize.BF16, Leaves: quantize.BF16},
		"merge=0.25,thresholds=uint8,leaves=int16,scale=tree": {Thresholds: quantize.Uint8, Merge: 0.25, Leaves: quantize.Int16, TreeScale: true},
	} {
		o, err := quantize.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, o, text)
		require.Equal(t, text, o.String())
	}
	o, err := quantize.Parse("scale=ensemble,leaves=f16,merge=1e-3,thresholds=uint8")
	require.NoError(t, err)
	require.Equal(t, "merge=0.001,thresholds=uint8,leaves=f16", o.String())
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"threshold=f16":              `unknown quantization "threshold" (did you mean "thresholds"?)`,
		"leaves=f16,":                `unknown quantization "" (want one of merge, thresholds, leaves, scale)`,
		"thresholds=uint9":           `thresholds: unknown format "uint9" (did you mean "uint8"?)`,
		"thresholds=fixed":           `thresholds: unknown format "fixed" (want one of f16, bf16, uint8, uint16)`,
		"leaves=uint8":               `leaves: unknown format "uint8" (did you mean "int8"?)`,
		"leaves":                     `leaves: unknown format "" (want one of f16, bf16, int16, int8, fixed)`,
		"leaves=f16,leaves=f16":      `leaves is given twice`,
		"merge=0":                    `merge: "0" is not a number between 0 and 1, the share of a feature's range of thresholds`,
		"merge=1":                    `merge: "1" is not a number between 0 and 1, the share of a feature's range of thresholds`,
		"merge=NaN":                  `merge: "NaN" is not a number between 0 and 1, the share of a feature's range of thresholds`,
		"leaves=int8,scale=per-tree": `scale: unknown scale "per-tree" (want one of ensemble, tree)`,
	} {
		_, err := quantize.Parse(text)
		require.EqualError(t, err, want, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("merge=0.25,thresholds=uint8,leaves=int16,scale=tree")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := quantize.Parse(text)
		if err != nil {
			return
		}
		again, err := quantize.Parse(o.String())
		require.NoError(t, err)
		require.Equal(t, o, again)
	})
}

func TestCheck(t *testing.T) {
	linear := ir.MustParse("1")
	linear.Trees, linear.Rounds, linear.Linear = nil, nil, &ir.Linear{Weights: []float64{1}, Bias: []float64{0}}
	require.NoError(t, quantize.Options{}.Check(linear, false))
	for _, c := range []struct {
		options string
		e       *ir.Ensemble
		want    string
	}{
		{"thresholds=f16", linear, "a linear model has no thresholds and no leaves to quantize"},
		{"scale=tree,leaves=f16", ir.MustParse("1"), "scale=tree: only leaves=int8 and leaves=int16 have a scale to choose"},
		{"scale=tree,leaves=fixed", ir.MustParse("1"), "scale=tree: sums of fixed leaves are exact because all trees share one scale"},
		{"thresholds=f16", ir.MustParse("(f0<1 1 (f0<70000 1 2))"), "thresholds=f16: tree 0, node 2: threshold 70000 is beyond the range of f16; use bf16"},
		{"leaves=f16", ir.MustParse("1", "(f0<1 1 -65520)"), "leaves=f16: tree 1, node 2: leaf -65520 is beyond the range of f16; use bf16"},
		{"leaves=bf16", ir.MustParse("3.4028235e38"), "leaves=bf16: tree 0, node 0: leaf 3.4028234663852886e+38 is beyond the range of bf16"},
		{"leaves=int8", ir.MustParse("3.4028235e38"), "leaves=int8: tree 0, node 0: leaf 3.4028234663852886e+38 is beyond the range of int8"},
		{"leaves=int16", ir.MustParse("(f0<1 1 +Inf)"), "leaves=int16: tree 0, node 2: leaf +Inf has no place among scaled integers; use f16 or bf16"},
	} {
		err := parse(t, c.options).Check(c.e, false)
		require.EqualError(t, err, c.want, c.options)
		for _, p := range parse(t, c.options).Passes() {
			_, err := p.Run(c.e.Clone(), nil)
			if c.e.Linear == nil && !parse(t, c.options).TreeScale {
				require.Error(t, err, c.options)
			}
		}
	}
	infinite := ir.MustParse("1")
	infinite.BaseMargin[0] = -1 / zero
	require.EqualError(t, parse(t, "leaves=fixed").Check(infinite, false), "leaves=fixed: base margin -Inf of output 0 has no place on a grid")
	require.EqualError(t, quantize.Options{Thresholds: quantize.Fixed}.Check(ir.MustParse("1"), false), "thresholds=fixed: a format of leaves")
	require.EqualError(t, quantize.Options{Leaves: quantize.Uint8}.Check(ir.MustParse("1"), false), "leaves=uint8: a format of thresholds")
	require.NoError(t, parse(t, "thresholds=f16,leaves=bf16").Check(ir.MustParse("(f0<+Inf 1 -Inf)"), false))
}

var zero = 0.0

func TestPasses(t *testing.T) {
	var names []string
	for _, p := range parse(t, "leaves=int8,thresholds=uint8,merge=0.1").Passes() {
		names = append(names, p.Name)
		require.NotEmpty(t, p.Doc)
	}
	require.Equal(t, []string{"merge", "thresholds", "leaves"}, names)
	require.Empty(t, quantize.Options{}.Passes())
}
