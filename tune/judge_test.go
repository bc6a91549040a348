package tune

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/metric"
)

// scored judges predictions of label by the root of the mean squared error.
func scored(t *testing.T, m metric.Metric, label, pred []float64) metric.Scores {
	s, err := m.Judge(&metric.Data{Label: label}, pred, 1)
	require.NoError(t, err)
	return s
}

func normal(random *rand.Rand, n int, at, deviation float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = at + deviation*random.NormFloat64()
	}
	return x
}

// TestIntervalsCover: of two predictions that are equally bad but for chance, the
// interval of the difference holds 0 in about 95 of 100 cases, and of two of which one
// is worse it does not.
func TestIntervalsCover(t *testing.T) {
	m, err := metric.Named("rmse")
	require.NoError(t, err)
	noise, worse := 0, 0
	const trials, rows = 200, 300
	for trial := range uint64(trials) {
		random := rand.New(rand.NewPCG(trial, 7))
		label := normal(random, rows, 0, 1)
		j := &judge{m: m, base: scored(t, m, label, normal(random, rows, 0, 0.5))}
		of := func(pred []float64) *verdict {
			v := &verdict{scores: scored(t, m, label, pred)}
			v.Increase = increase(j.base.Value(nil), v.scores.Value(nil))
			return v
		}
		same, bad := of(normal(random, rows, 0, 0.5)), of(normal(random, rows, 0.5, 1.5))
		j.intervals([]*verdict{same, bad}, finally, trial)
		for _, v := range []*verdict{same, bad} {
			require.LessOrEqual(t, v.Low, v.Increase)
			require.GreaterOrEqual(t, v.High, v.Increase)
		}
		if same.Noise() {
			noise++
		}
		if bad.Low > 0 {
			worse++
		}
	}
	require.InDelta(t, 0.95, float64(noise)/trials, 0.045)
	require.Equal(t, trials, worse)
}

// TestIntervalOfNothing: a candidate that predicts the same differs by exactly 0.
func TestIntervalOfNothing(t *testing.T) {
	m, err := metric.Named("auc")
	require.NoError(t, err)
	label, pred := []float64{0, 1, 1, 0, 1, 0, 1}, []float64{0.1, 0.3, 0.2, 0.25, 0.9, 0.5, 0.3}
	j := &judge{m: m, base: scored(t, m, label, pred)}
	v := &verdict{scores: scored(t, m, label, pred)}
	j.intervals([]*verdict{v}, finally, 1)
	require.Zero(t, v.Low)
	require.Equal(t, 2000, v.Samples)
}

// TestSamples: what a bootstrap draws does not depend on the number of processors, and
// depends on the seed.
func TestSamples(t *testing.T) {
	m, err := metric.Named("mae")
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 1))
	label := normal(random, 100, 0, 1)
	j := &judge{m: m, base: scored(t, m, label, normal(random, 100, 0, 1))}
	pred := normal(random, 100, 0, 1)
	bounds := func(seed uint64) [2]float64 {
		v := &verdict{scores: scored(t, m, label, pred)}
		j.intervals([]*verdict{v}, roughly, seed)
		return [2]float64{v.Low, v.High}
	}
	require.Equal(t, bounds(1), bounds(1))
	require.NotEqual(t, bounds(1), bounds(2))

	require.Equal(t, 2000, finally.samples(1000))
	require.Equal(t, 400, finally.samples(1e6))
	require.Equal(t, 200, finally.samples(1e9))
}

func TestIncrease(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range [][3]float64{
		{2, 3, 0.5}, {2, 1, -0.5}, {2, 2, 0}, {-2, -1, 0.5}, {0, 0, 0},
		{0, 1, math.MaxFloat64}, {1, inf, math.MaxFloat64}, {1, nan, math.MaxFloat64}, {inf, inf, 0}, {inf, 1, math.MaxFloat64},
	} {
		require.Equal(t, c[2], increase(c[0], c[1]), "%v", c)
	}
}

// made returns a record with what is compared; times are per row, in rounds that
// differ by 2 %.
func made(increase, high float64, bytes int64, single, batch float64) *Record {
	return &Record{Bytes: bytes, Judge: &Judgement{Increase: increase, High: high}, Speed: &Speed{
		NsSingle: single, SingleMin: 0.98 * single, NsBatch: batch, BatchMin: 0.98 * batch}}
}

func TestBetter(t *testing.T) {
	r := made(0.01, 0.02, 1000, 100, 10)
	for name, c := range map[string]struct {
		other         *Record
		better, worse bool
	}{
		"equal":                  {made(0.01, 0.02, 1000, 100, 10), false, false},
		"a little slower":        {made(0.01, 0.02, 1000, 102, 10.2), false, false},
		"slower":                 {made(0.01, 0.02, 1000, 110, 10), true, false},
		"faster":                 {made(0.01, 0.02, 1000, 100, 9), false, true},
		"larger":                 {made(0.01, 0.02, 1001, 101, 9.9), true, false},
		"hardly less loss":       {made(0.00995, 0.01995, 1000, 100, 10), false, false},
		"smaller, as accurate":   {made(0.01005, 0.02005, 999, 100, 10), false, true},
		"less certain":           {made(0.01, 0.03, 1000, 100, 10), true, false},
		"less loss, but slower":  {made(0.005, 0.01, 1000, 200, 10), false, false},
		"smaller, less accurate": {made(0.02, 0.03, 10, 100, 10), false, false},
	} {
		require.Equal(t, c.better, better(r, c.other), name)
		require.Equal(t, c.worse, better(c.other, r), name)
	}
}

func TestChoose(t *testing.T) {
	records := map[string]*Record{
		"fast":     made(0.001, 0.002, 1000, 50, 5),
		"faster":   made(0.02, 0.03, 100, 40, 4),
		"small":    made(0.002, 0.003, 500, 50.5, 5.05),
		"accurate": made(-0.001, 0.001, 2000, 100, 10),
		"tiny":     made(0.004, 0.005, 50, 150, 15),
		"unpruned": made(0, 0, 4000, 200, 20),
	}
	for _, c := range []struct {
		want string
		Constraints
	}{
		{"small", Constraints{MaxLoss: 0.01}},
		{"fast", Constraints{MaxLoss: 0.0025}},
		{"accurate", Constraints{MaxLoss: 0.001}},
		{"unpruned", Constraints{MaxLoss: 0}},
		{"faster", Constraints{MaxLoss: -1}},
		{"accurate", Constraints{MaxLoss: -1, Accurate: true}},
		{"fast", Constraints{MaxLoss: -1, MaxBytes: 1500, Accurate: true}},
		{"small", Constraints{MaxLoss: -1, MaxBytes: 999, Accurate: true}},
		{"faster", Constraints{MaxLoss: -1, MaxNs: 45}},
		{"", Constraints{MaxLoss: 0.01, MaxNs: 45}},
		{"", Constraints{MaxLoss: -1, MaxBytes: 49}},
	} {
		var all []*finalist
		for _, name := range []string{"unpruned", "fast", "faster", "small", "tiny", "accurate"} {
			r := *records[name]
			r.Model = name
			all = append(all, &finalist{point: &point{record: r}})
		}
		p := Plan{Constraints: c.Constraints}
		require.Equal(t, c.want != "", p.choose(all), "%+v", c)
		for _, f := range all {
			require.Equal(t, f.record.Model == c.want, f.record.Chosen, "%+v: %s", c, f.record.Model)
		}
	}
}
