package interp_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
)

var (
	nan  = float32(math.NaN())
	inf  = float32(math.Inf(1))
	zero = float32(math.Copysign(0, -1)) // -0
)

// margins returns the margins of rows given as one slice.
func margins(e *ir.Ensemble, x ...float32) []float32 {
	dst := make([]float32, len(x)/len(e.Features)*e.Outputs)
	interp.New(e).Margin(dst, x)
	return dst
}

// requireBits compares by bits, any NaN equal to any NaN.
func requireBits(t *testing.T, want, got []float32, msg ...any) {
	t.Helper()
	require.Len(t, got, len(want), msg...)
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) && (want[i] == want[i] || got[i] == got[i]) {
			require.Equal(t, want, got, msg...)
			require.FailNow(t, "signs of zero differ", "index %d of %v, want %v", i, got, want)
		}
	}
}

func TestSplits(t *testing.T) {
	below, above := math.Nextafter32(0.5, 0), math.Nextafter32(0.5, 1)
	for _, tt := range []struct {
		tree        string
		left, right []float32
	}{
		{"(f0<0.5 1 2)", []float32{below, -inf, 0}, []float32{0.5, above, inf, nan}},
		{"(f0<0.5? 1 2)", []float32{below, nan}, []float32{0.5}},
		{"(f0<-0 1 2)", []float32{-math.SmallestNonzeroFloat32}, []float32{0, zero}},
		{"(f0<+Inf 1 2)", []float32{math.MaxFloat32, -inf}, []float32{inf, nan}},
		{"(f0<-Inf? 1 2)", []float32{nan}, []float32{-inf, -math.MaxFloat32}},
		{"(f0{2:4,7:} 1 2)", []float32{2, 3, 3.5, 7, 1e30, inf}, []float32{1, 1.99, 4, 6, -2, -inf, nan}},
		{"(f0{2:4,7:}? 1 2)", []float32{nan, 2}, []float32{4}},
	} {
		e := ir.MustParse(tt.tree)
		for _, x := range tt.left {
			require.Equal(t, []float32{1}, margins(e, x), "%s of %v", tt.tree, x)
		}
		for _, x := range tt.right {
			require.Equal(t, []float32{2}, margins(e, x), "%s of %v", tt.tree, x)
		}
	}
}

func TestAccumulation(t *testing.T) {
	e := ir.MustParse("16777216", "1", "-16777216")
	e.BaseMargin = []float64{0.5}
	require.Equal(t, []float32{0}, margins(e, 0)) // 0.5 and 1 are lost in 2**24, in float32
	e.BaseLast = true
	require.Equal(t, []float32{0.5}, margins(e, 0))

	e = ir.MustParse("16777216", "1", "1")
	require.Equal(t, []float32{16777216}, margins(e, 0))
	e.BaseMargin = []float64{1}
	e.BaseLast = true
	require.Equal(t, []float32{16777216}, margins(e, 0))

	e = ir.MustParse("-0")
	requireBits(t, []float32{0}, margins(e, 0))
	e.BaseMargin = []float64{math.Copysign(0, -1)}
	requireBits(t, []float32{zero}, margins(e, 0))
	e.BaseLast = true
	requireBits(t, []float32{0}, margins(e, 0)) // the sum of the trees started at +0
}

// two returns an ensemble with two outputs: a scalar tree for each and one with
// vector leaves.
func two() *ir.Ensemble {
	e := ir.MustParse("(f0<1 1#11 2#12)", "(f1<1 10#3 20#4)", "(f0<2 0#7 0#8)")
	e.Outputs = 2
	e.BaseMargin = []float64{100, 200}
	e.Trees[1].Output = 1
	e.Trees[2].Vectors = []float64{-1, -2, -3, -4}
	e.Trees[2].Nodes[1].Vector = 1
	return e
}

func TestOutputs(t *testing.T) {
	e := two()
	require.NoError(t, e.Verify())
	m, x := interp.New(e), []float32{0, 0, 1, 5, 2, nan}
	require.Equal(t, []float32{98, 206, 99, 216, 101, 218}, margins(e, x...))

	dst := make([]float32, 6)
	m.MarginFrom(dst, x, []float32{0, 0, 1000, 0, 0, 1000})
	require.Equal(t, []float32{-2, 6, 999, 16, 1, 1018}, dst)

	leaves := make([]int32, 9)
	m.Leaf(leaves, x)
	require.Equal(t, []int32{11, 3, 7, 12, 4, 7, 12, 4, 8}, leaves)

	require.Equal(t, 4, m.PerTreeWidth())
	values := make([]float32, 12)
	m.PerTree(values, x)
	require.Equal(t, []float32{1, 10, -3, -4, 2, 20, -3, -4, 2, 20, -1, -2}, values)
}

func TestNoTrees(t *testing.T) {
	e := ir.MustParse()
	e.BaseMargin = []float64{0.25}
	m := interp.New(e)
	require.Equal(t, []float32{0.25, 0.25}, margins(e, 1, 2))
	m.Leaf(nil, []float32{1, 2})
	m.PerTree(nil, []float32{1, 2})
	require.Empty(t, margins(e))
}

func TestLinear(t *testing.T) {
	e := ir.MustParse()
	e.Features = append(e.Features, ir.Feature{Name: "f1"})
	e.Outputs, e.BaseMargin = 2, []float64{0.5, 1}
	e.Linear = &ir.Linear{Weights: []float64{2, -1, 3, 16777216}, Bias: []float64{4, 16777216}}
	require.NoError(t, e.Verify())
	require.Equal(t, []float32{4.5 + 2 + 6, 16777216 - 1 + 2*16777216}, margins(e, 1, 2))
	require.Equal(t, []float32{4.5 + 6, 3 * 16777216}, margins(e, nan, 2))
	require.Equal(t, []float32{4.5, 16777216}, margins(e, nan, nan)) // 16777216 + 1 rounds to even
	requireBits(t, []float32{inf, nan}, margins(e, inf, inf))

	// The product is rounded before it is added: fused, the sum would be
	// another number than 0.
	e = ir.MustParse()
	w := float64(1 + float32(1)/4096)
	e.Linear = &ir.Linear{Weights: []float64{w}, Bias: []float64{-float64(float32(w * w))}}
	require.Equal(t, []float32{0}, margins(e, float32(w)))
}

func TestLinks(t *testing.T) {
	bits := math.Float32frombits
	for _, tt := range []struct {
		link     ir.Link
		in, want []float32
	}{
		{ir.Identity, []float32{-1.5, nan, zero}, []float32{-1.5, nan, zero}},
		{ir.Sigmoid, []float32{0, -89, 89, nan, inf, -inf}, []float32{0.5, 0, 1, nan, 1, 0}},
		// 1/(e**88.7+1), the smallest that the clamped sigmoid gives.
		{ir.SigmoidClamped, []float32{0, -200, -88.7, 89, nan, -inf, inf},
			[]float32{0.5, bits(0x0020bd47), bits(0x0020bd47), 1, nan, bits(0x0020bd47), 1}},
		{ir.Exp, []float32{0, 1, 88.8, -104, nan}, []float32{1, math.E, inf, 0, nan}},
		{ir.Step, []float32{0, math.SmallestNonzeroFloat32, -1, nan, inf}, []float32{0, 1, 0, 0, 1}},
		{ir.Softmax, []float32{7}, []float32{1}},
		{ir.Softmax, []float32{1, 1, 1, 1}, []float32{0.25, 0.25, 0.25, 0.25}},
		{ir.Softmax, []float32{0, 200, -200}, []float32{0, 1, 0}},
		{ir.Softmax, []float32{0, nan}, []float32{nan, nan}},
		{ir.Softmax, []float32{inf, 0}, []float32{nan, nan}},
		{ir.Softmax, []float32{-inf, 0}, []float32{0, 1}},
		{ir.Argmax, []float32{1, 3, 3, 2}, []float32{1}},
		{ir.Argmax, []float32{nan, 3}, []float32{0}},
		{ir.Argmax, []float32{0, nan, 3}, []float32{2}},
		{ir.Sort, []float32{3, -1, 2, -inf}, []float32{-inf, -1, 2, 3}},
		{ir.Sort, []float32{0, zero, 0}, []float32{0, zero, 0}},
		{ir.Gaps, []float32{5}, []float32{5}},
		// As ExpectilePredTransformCpu, compiled by GCC 12, answers.
		{ir.Gaps, []float32{bits(0xc093703c), bits(0x3f107fa4), bits(0x410e6cd0), bits(0xc0e0e6fb)},
			[]float32{bits(0xc093703c), bits(0xc065eff6), bits(0x40a9e2c5), bits(0x40a9ea09)}},
		{ir.Gaps, []float32{bits(0x41a3118b), bits(0xc190bfb0), bits(0x416bef6f), bits(0x40094f36)},
			[]float32{bits(0x41a3118b), bits(0x41a3118c), bits(0x420c84a2), bits(0x42158ae6)}},
	} {
		e := ir.MustParse("0")
		e.Outputs, e.Link = len(tt.in), tt.link
		e.BaseMargin = make([]float64, e.Outputs)
		m := interp.New(e)
		dst := make([]float32, tt.link.Width(e.Outputs))
		m.Transform(dst, tt.in)
		requireBits(t, tt.want, dst, "%v of %v", tt.link, tt.in)

		for k, v := range tt.in { // Predict is Margin and then Transform
			e.BaseMargin[k] = float64(v)
		}
		interp.New(e).Predict(dst, make([]float32, 1))
		for k, w := range tt.want {
			require.True(t, dst[k] == w || w != w, "%v of %v", tt.link, tt.in)
		}
	}
}

func TestSoftmaxSumsInFloat64(t *testing.T) {
	// e**0 + 64 e**-17: each summand is less than half an ulp of 1 in float32.
	e := ir.MustParse("0")
	e.Outputs, e.Link = 65, ir.Softmax
	e.BaseMargin = make([]float64, e.Outputs)
	for k := 1; k < e.Outputs; k++ {
		e.BaseMargin[k] = -17
	}
	dst := make([]float32, e.Outputs)
	interp.New(e).Predict(dst, []float32{0})
	require.Less(t, dst[0], float32(1))
}

func TestLabel(t *testing.T) {
	for _, tt := range []struct {
		link ir.Link
		base []float64
		want []int32
	}{
		{ir.SigmoidClamped, []float64{0}, []int32{0}}, // 0.5 is not above 0.5
		{ir.SigmoidClamped, []float64{0.125}, []int32{1}},
		{ir.Identity, []float64{0.75}, []int32{1}},
		{ir.Identity, []float64{-1}, []int32{0}},
		{ir.Step, []float64{3}, []int32{1}},
		{ir.Softmax, []float64{1, 2, 2}, []int32{1}},
		{ir.Argmax, []float64{1, 2, 3}, []int32{2}},
		{ir.SigmoidClamped, []float64{-1, 1, 0}, []int32{0, 1, 0}}, // several labels
	} {
		e := ir.MustParse("0")
		e.Outputs, e.Link, e.BaseMargin = len(tt.base), tt.link, tt.base
		m := interp.New(e)
		require.Equal(t, len(tt.want), m.LabelWidth())
		dst := make([]int32, len(tt.want))
		for i := range dst {
			dst[i] = 9
		}
		m.Label(dst, []float32{0})
		require.Equal(t, tt.want, dst, "%v of %v", tt.link, tt.base)
	}
}

func TestPanics(t *testing.T) {
	m := interp.New(two())
	x, f, i := make([]float32, 4), func(n int) []float32 { return make([]float32, n) }, func(n int) []int32 { return make([]int32, n) }
	for name, call := range map[string]func(){
		"row":        func() { m.Margin(f(4), x[:3]) },
		"margin":     func() { m.Margin(f(3), x) },
		"long":       func() { m.Margin(f(6), x) },
		"predict":    func() { m.Predict(f(2), x) },
		"leaf":       func() { m.Leaf(i(5), x) },
		"base":       func() { m.MarginFrom(f(4), x, f(2)) },
		"per tree":   func() { m.PerTree(f(4), x) },
		"label":      func() { m.Label(i(2), x) },
		"transform":  func() { m.Transform(f(2), f(4)) },
		"transform3": func() { m.Transform(f(3), f(3)) },
	} {
		require.Panics(t, call, name)
	}
}

func TestNoAllocations(t *testing.T) {
	for seed := range uint64(40) {
		e := nodiff.Ensemble(seed, 6, 5)
		m, x := interp.New(e), nodiff.Rows(e, 8, 1).F32
		margin, predicted := make([]float32, 8*e.Outputs), make([]float32, 8*e.Link.Width(e.Outputs))
		leaves, perTree := make([]int32, 8*len(e.Trees)), make([]float32, 8*m.PerTreeWidth())
		require.Zero(t, testing.AllocsPerRun(3, func() {
			m.Margin(margin, x)
			m.MarginFrom(margin, x, margin)
			m.Predict(predicted, x)
			m.Leaf(leaves, x)
			m.PerTree(perTree, x)
			m.Transform(predicted, margin)
		}))
	}
}

// Numbers that float32 does not tell apart are apart in an ensemble that compares
// in float64, and its sums keep what float32 sums lose.
func TestFloat64(t *testing.T) {
	below, above := math.Nextafter(0.1, 0), math.Nextafter(0.1, 1)
	parse := func(input, sum ir.Precision, trees ...string) *interp.Engine {
		e, err := ir.ParseAs(input, sum, trees...)
		require.NoError(t, err)
		return interp.New(e)
	}
	margin := func(m *interp.Engine, x ...float64) []float64 {
		dst := make([]float64, len(x))
		m.Margin64(dst, x)
		return dst
	}
	x := []float64{below, 0.1, above, math.NaN()}
	for _, sum := range []ir.Precision{ir.Single, ir.Double} {
		require.Equal(t, []float64{1, 2, 2, 2}, margin(parse(ir.Double, sum, "(f0<0.1 1 2)"), x...))
		m := parse(ir.Double, sum, "(f0{0.1:0.1000000000000001}? 1 2)")
		require.Equal(t, []float64{2, 1, 1, 1}, margin(m, x...))
		leaves := make([]int32, 4)
		m.Leaf64(leaves, x)
		require.Equal(t, []int32{2, 1, 1, 1}, leaves)
	}
	require.Equal(t, []float64{0.30000000010000005}, margin(parse(ir.Single, ir.Double, "0.1", "0.2", "1e-10"), 0))
	require.Equal(t, []float64{float64(float32(0.1) + 0.2)}, margin(parse(ir.Single, ir.Single, "0.1", "0.2", "1e-10"), 0))

	// 1e300 + 1 − 1e300: the order of the additions shows.
	e, err := ir.ParseAs(ir.Single, ir.Double, "1", "-1e300")
	require.NoError(t, err)
	e.BaseMargin[0] = 1e300
	dst := []float64{7}
	interp.New(e).Margin64(dst, []float64{0})
	require.Equal(t, []float64{0}, dst)
	interp.New(e).MarginFrom64(dst, []float64{0}, []float64{1e280})
	require.Equal(t, []float64{1e280 - 1e300}, dst)
	e.BaseLast = true
	e.BaseMargin[0] = 2
	interp.New(e).MarginFrom64(dst, []float64{0}, []float64{1e300})
	require.Equal(t, []float64{0}, dst)

	l := &ir.Ensemble{
		Features: []ir.Feature{{Name: "a"}, {Name: "b"}}, Outputs: 1, BestRound: -1, BaseMargin: []float64{0.1}, Sum: ir.Double,
		Linear: &ir.Linear{Weights: []float64{0.1, 0.7}, Bias: []float64{0.3}},
	}
	require.NoError(t, l.Verify())
	interp.New(l).Margin64(dst, []float64{3, math.NaN()})
	product, w := 3.0, 0.1
	product *= w
	require.Equal(t, []float64{0.4 + product}, dst)
}

// For an ensemble that computes in float32 both families of methods agree.
func TestMargin64OfSingle(t *testing.T) {
	for seed := range uint64(100) {
		e := nodiff.Ensemble(seed, 8, 5)
		m, x := interp.New(e), nodiff.Rows(e, 60, seed).F32
		wide := nodiff.Rows64(e, 60, seed)
		want, got := make([]float32, 60*e.Outputs), make([]float64, 60*e.Outputs)
		compare := func() {
			t.Helper()
			narrow := make([]float32, len(got))
			for i, v := range got {
				narrow[i] = float32(v)
				require.True(t, v != v || float64(narrow[i]) == v)
			}
			requireBits(t, want, narrow)
		}
		m.Margin(want, x)
		m.Margin64(got, wide)
		compare()
		base, wideBase := make([]float32, len(want)), make([]float64, len(want))
		for i := range base {
			base[i] = float32(i) / 3
			wideBase[i] = float64(base[i])
		}
		m.MarginFrom(want, x, base)
		m.MarginFrom64(got, wide, wideBase)
		compare()
		leaves, leaves64 := make([]int32, 60*len(e.Trees)), make([]int32, 60*len(e.Trees))
		m.Leaf(leaves, x)
		m.Leaf64(leaves64, wide)
		require.Equal(t, leaves, leaves64)
	}
}

// Methods that take float32 values do not answer for ensembles of float64.
func TestFloat32MethodsRefuseFloat64(t *testing.T) {
	for _, p := range [][2]ir.Precision{{ir.Single, ir.Double}, {ir.Double, ir.Single}} {
		e, err := ir.ParseAs(p[0], p[1], "(f0<1 2 3)")
		require.NoError(t, err)
		m, x, dst := interp.New(e), []float32{0}, []float32{0}
		for name, f := range map[string]func(){
			"Margin":     func() { m.Margin(dst, x) },
			"MarginFrom": func() { m.MarginFrom(dst, x, x) },
			"Predict":    func() { m.Predict(dst, x) },
			"Transform":  func() { m.Transform(dst, x) },
			"PerTree":    func() { m.PerTree(dst, x) },
			"Leaf":       func() { m.Leaf([]int32{0}, x) },
			"Label":      func() { m.Label([]int32{0}, x) },
		} {
			require.Panics(t, f, name)
		}
	}
}
