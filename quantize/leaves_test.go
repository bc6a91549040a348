package quantize_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/ir"
)

// values returns the values of e's leaves.
func values(e *ir.Ensemble) []float64 {
	var all []float64
	for i := range e.Trees {
		t := &e.Trees[i]
		all = append(all, t.Vectors...)
		for _, n := range t.Nodes {
			if n.IsLeaf() && t.Vectors == nil {
				all = append(all, n.Value)
			}
		}
	}
	return all
}

// unit returns the largest power of two that all values are integer multiples of.
func unit(values []float64) float64 {
	least := math.Inf(1)
	for _, v := range values {
		if v != 0 {
			frac, exponent := math.Frexp(math.Abs(v))
			bits := uint64(math.Ldexp(frac, 53))
			for bits&1 == 0 {
				bits >>= 1
				exponent++
			}
			least = min(least, math.Ldexp(1, exponent-53))
		}
	}
	return least
}

func largest(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		most = max(most, math.Abs(v))
	}
	return most
}

// The certificate is attained: features are independent, so that some row gets the least
// difference of each tree and another one the largest.
func TestLeaves(t *testing.T) {
	e := ir.MustParse("(f0<1 0.1 -100)", "(f1<1 0.25 3.0007)")
	old := values(e)
	for options, want := range map[string][]float64{
		"leaves=f16":              {0.0999755859375, -100, 0.25, 3},
		"leaves=bf16":             {0.10009765625, -100, 0.25, 3},
		"leaves=int8":             {0, -100, 0, 3},
		"leaves=int16":            {26.0 / 256, -100, 0.25, 3},
		"leaves=int8,scale=tree":  {0, -100, 0.25, 3},
		"leaves=int16,scale=tree": {26.0 / 256, -100, 0.25, 24582.0 / 8192},
		"leaves=fixed":            {13107.0 / 131072, -100, 0.25, 393308.0 / 131072},
	} {
		after, c := run(t, e, parse(t, options), nil)
		require.Equal(t, want, values(after), options)
		d := make([]float64, 4)
		for i := range d {
			d[i] = want[i] - old[i]
		}
		require.InDelta(t, min(d[0], d[1])+min(d[2], d[3]), c.Low[0], 1e-15, options)
		require.InDelta(t, max(d[0], d[1])+max(d[2], d[3]), c.High[0], 1e-15, options)
	}
}

// Leaves are integers of their size times one power of two, the smallest one that holds
// them, and the nearest such integers.
func TestScaledLeaves(t *testing.T) {
	for seed := range uint64(200) {
		s := nodiff.Shape{Trees: 6, Depth: 5, Sum: ir.Precision(seed % 2)}
		e := s.Ensemble(seed)
		tame(e)
		if e.Linear != nil {
			continue
		}
		for most, name := range map[float64]string{127: "int8", 32767: "int16"} {
			after, _ := run(t, e, parse(t, "leaves="+name), nil)
			wantScaled(t, fmt.Sprint(name, seed), e, values(e), values(after), most)
			after, _ = run(t, e, parse(t, "scale=tree,leaves="+name), nil)
			for i := range e.Trees {
				a, b := ir.Ensemble{Trees: e.Trees[i : i+1]}, ir.Ensemble{Trees: after.Trees[i : i+1]}
				wantScaled(t, fmt.Sprint(name, seed, i), e, values(&a), values(&b), most)
			}
		}
	}
}

func wantScaled(t *testing.T, name string, e *ir.Ensemble, before, after []float64, most float64) {
	t.Helper()
	big := largest(before)
	if big == 0 || e.Sum == ir.Single && big < 0x1p-120 {
		return
	}
	step := 1.0 // the smallest power of two at which the largest leaf fits
	for math.RoundToEven(big/step) > most {
		step *= 2
	}
	for math.RoundToEven(big/(step/2)) <= most {
		step /= 2
	}
	for i, v := range after {
		q := v / step
		require.Equal(t, math.Trunc(q), q, "%s: %v of unit %v", name, v, step)
		require.LessOrEqual(t, math.Abs(q), most, name)
		require.LessOrEqual(t, math.Abs(v-before[i]), step/2, name)
		require.False(t, v == 0 && math.Signbit(v), name)
	}
}

// With fixed leaves, every sum of leaves, one of each tree, and the base margin has the
// same bits, whatever the order and the grouping.
func TestFixedSumsAreAssociative(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for seed := range uint64(150) {
		s := nodiff.Shape{Trees: 30, Depth: 4, Sum: ir.Precision(seed % 2)}
		e := s.Ensemble(seed)
		if parse(t, "leaves=fixed").Check(e, false) != nil {
			tame(e)
		}
		if e.Linear != nil {
			continue
		}
		after, _ := run(t, e, parse(t, "leaves=fixed"), nil)
		for k := range after.Outputs {
			wantAssociative(t, r, after, k)
		}
	}
}

func wantAssociative(t *testing.T, r *rand.Rand, e *ir.Ensemble, k int) {
	t.Helper()
	for i := range 20 {
		// The largest leaf of each tree first, then random ones.
		terms := []float64{e.BaseMargin[k]}
		for t := range e.Trees {
			if values := outputLeaves(e, t, k); i == 0 && len(values) > 0 {
				terms = append(terms, largest(values))
			} else if len(values) > 0 {
				terms = append(terms, values[r.IntN(len(values))])
			}
		}
		want := sumInOrder(e.Sum, terms)
		for range 5 {
			r.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
			require.Equal(t, math.Float64bits(want), math.Float64bits(sumInOrder(e.Sum, terms)))
			require.Equal(t, math.Float64bits(want), math.Float64bits(sumInGroups(r, e.Sum, terms)))
		}
	}
}

// Sums of scaled leaves are associative too, as long as a grid is fine enough for all of
// them: base margins give way.
func TestScaledSumsAreAssociative(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for seed := range uint64(100) {
		e := nodiff.Shape{Trees: 30, Depth: 4, Sum: ir.Precision(seed % 2)}.Ensemble(seed)
		if tame(e); e.Linear != nil || len(e.Trees) == 0 || e.BaseLast {
			continue
		}
		for k := range e.BaseMargin {
			e.BaseMargin[k] = float64(float32(r.NormFloat64()))
		}
		for _, leaves := range []string{"leaves=int8", "leaves=int16"} {
			after, _ := run(t, e, parse(t, leaves), nil)
			for k := range after.Outputs {
				wantAssociative(t, r, after, k)
			}
		}
	}
}

func outputLeaves(e *ir.Ensemble, tree, k int) []float64 {
	t := &e.Trees[tree]
	one := ir.Ensemble{Trees: e.Trees[tree : tree+1]}
	switch {
	case t.Vectors == nil && int(t.Output) == k:
		return values(&one)
	case t.Vectors == nil:
		return nil
	}
	var all []float64
	for at := k; at < len(t.Vectors); at += e.Outputs {
		all = append(all, t.Vectors[at])
	}
	return all
}

func plus(p ir.Precision, a, b float64) float64 {
	if p == ir.Double {
		return a + b
	}
	return float64(float32(a) + float32(b))
}

func sumInOrder(p ir.Precision, terms []float64) float64 {
	sum := 0.0
	for _, v := range terms {
		sum = plus(p, sum, v)
	}
	return sum
}

// sumInGroups adds the terms as a random binary tree.
func sumInGroups(r *rand.Rand, p ir.Precision, terms []float64) float64 {
	if len(terms) == 1 {
		return terms[0]
	}
	at := 1 + r.IntN(len(terms)-1)
	return plus(p, sumInGroups(r, p, terms[:at]), sumInGroups(r, p, terms[at:]))
}

// The grid of fixed leaves is the finest one: the second leaf of the first tree is an odd
// multiple of its unit, and at half the unit the largest sum would be too large.
func TestFixedIsFinest(t *testing.T) {
	for _, c := range []struct {
		sum   ir.Precision
		trees []string
		base  float64
		unit  float64
	}{
		{ir.Single, []string{"(f0<1 1 0)"}, 0, 0x1p-24},
		{ir.Single, []string{"(f0<1 1 0)"}, 0x1p-24, 0x1p-23},
		{ir.Single, []string{"(f0<1 1 0)", "(f0<1 -1 0.1)"}, 0, 0x1p-23},
		{ir.Single, []string{"(f0<1 1 0)", "(f0<1 1 0.3)", "(f0<1 1 0.1)"}, 0.7, 0x1p-22},
		{ir.Single, []string{"(f0<1 1e-44 0)"}, 0, 0x1p-149},
		{ir.Double, []string{"(f0<1 1 0)"}, 0, 0x1p-53},
		{ir.Double, []string{"(f0<1 1 0)"}, 1, 0x1p-52},
	} {
		e := ir.MustParse(c.trees...)
		e.Sum, e.BaseMargin[0] = c.sum, c.base
		if c.sum == ir.Single {
			e.BaseMargin[0] = float64(float32(c.base))
		}
		e.Trees[0].Nodes[2].Value = 0.5 + c.unit
		if c.unit == 0x1p-149 {
			e.Trees[0].Nodes[2].Value = c.unit
		}
		after, change := run(t, e, parse(t, "leaves=fixed"), nil)
		old, now := append(values(e), e.BaseMargin[0]), append(values(after), after.BaseMargin[0])
		require.Equal(t, c.unit, unit(now), "%v", c.trees)
		for i, v := range now {
			require.LessOrEqual(t, math.Abs(v-old[i]), c.unit/2, "%v", c.trees)
		}
		require.LessOrEqual(t, max(-change.Low[0], change.High[0]), c.unit*2, "%v", c.trees)
	}
}

// The base margin goes to the grid too, and into the certificate.
func TestFixedBaseMargin(t *testing.T) {
	e := ir.MustParse("(f0<1 1048576 0)")
	e.BaseMargin[0] = 0.125
	after, c := run(t, e, parse(t, "leaves=fixed"), nil)
	require.Equal(t, []float64{0.125}, after.BaseMargin)
	require.Equal(t, lossy.None(1), c)

	e.BaseMargin[0] = 0.375 + 0x1p-20
	after, c = run(t, e, parse(t, "leaves=fixed"), nil)
	require.Equal(t, []float64{0.375}, after.BaseMargin)
	require.InDelta(t, -0x1p-20, c.Low[0], 1e-20)
	require.InDelta(t, -0x1p-20, c.High[0], 1e-20)
	require.Equal(t, 0.375+0x1p-20, e.BaseMargin[0]) // a clone keeps its own
}

// A base margin that the grid would take beyond the largest number is refused.
func TestLargestBaseMargin(t *testing.T) {
	e := ir.MustParse("(f0<1 3e38 3.4e38)")
	e.BaseMargin[0] = math.MaxFloat32
	o := parse(t, "leaves=fixed")
	require.ErrorContains(t, o.Check(e, false), "base margin 3.4028234663852886e+38 of output 0 is beyond the range of fixed")
}
