package quantize

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rounding gives the nearest number of the narrow type, of two the even one: it is tried
// at, just below and just above every number of the type and every middle of two.
func TestHalf(t *testing.T) {
	for name, c := range map[string]struct {
		round func(float64) float64
		value func(uint16) float64
		inf   uint16
	}{
		"f16":  {toF16, valueF16, 0x7c00},
		"bf16": {toBF16, func(b uint16) float64 { return float64(math.Float32frombits(uint32(b) << 16)) }, 0x7f80},
	} {
		for b := range c.inf {
			low, high := c.value(b), c.value(b+1)
			if b+1 == c.inf { // where the next number would be
				high = 2*low - c.value(b-1)
			}
			even := low
			if b&1 == 1 {
				even = c.value(b + 1)
			}
			middle := low + (high-low)/2
			for _, sign := range []float64{1, -1} {
				require.Equal(t, sign*low, c.round(sign*low), "%s %v", name, low)
				require.Equal(t, sign*even, c.round(sign*middle), "%s %v", name, middle)
				require.Equal(t, sign*low, c.round(sign*math.Nextafter(middle, 0)), "%s below %v", name, middle)
				require.Equal(t, sign*c.value(b+1), c.round(sign*math.Nextafter(middle, math.Inf(1))), "%s above %v", name, middle)
			}
		}
		require.Equal(t, math.Inf(1), c.round(math.Inf(1)))
		require.Equal(t, math.Inf(-1), c.round(-math.MaxFloat64))
		require.True(t, math.Signbit(c.round(math.Copysign(0, -1))))
		require.True(t, math.IsNaN(c.round(math.NaN())))
	}
}

// valueF16 is IEEE 754's definition.
func valueF16(b uint16) float64 {
	fraction, exponent := float64(b&0x3ff), int(b>>10&0x1f)
	switch exponent {
	case 0:
		return math.Ldexp(fraction, -24)
	case 31:
		return math.Inf(1)
	}
	return math.Ldexp(1024+fraction, exponent-25)
}

// cluster is near the best division, which takes longer to find.
func TestCluster(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	sum, count := 0.0, 0
	for range 400 {
		n := 5 + r.IntN(60)
		points, weights := make([]float64, n), make([]float64, n)
		for i := range points {
			points[i] = float64(i)
			if r.IntN(3) == 0 {
				points[i] = float64(i) + 5*r.Float64()*float64(r.IntN(4))
			}
			if i > 0 {
				points[i] = max(points[i], points[i-1])
			}
			weights[i] = math.Exp(2 * r.NormFloat64())
			if r.IntN(6) == 0 {
				weights[i] = 0
			}
		}
		limit := 2 + r.IntN(n-2)
		by := cluster(points, weights, limit)
		used, cost := map[int]bool{}, 0.0
		for i, c := range by {
			used[c] = true
			require.Equal(t, c, by[c])
			cost += weights[i] * math.Abs(points[i]-points[c])
		}
		require.LessOrEqual(t, len(used), limit)
		best := bestCost(points, weights, limit)
		require.GreaterOrEqual(t, cost, best*(1-1e-9))
		if best > 0 {
			require.Less(t, cost, best*2)
			sum += cost / best
			count++
		}
	}
	t.Logf("cost against the best: %.3f", sum/float64(count))
	require.Greater(t, count, 100)
	require.Less(t, sum/float64(count), 1.05)
}

// bestCost tries all divisions, by dynamic programming.
func bestCost(points, weights []float64, limit int) float64 {
	n := len(points)
	cost := func(first, end int) float64 {
		best := math.Inf(1)
		for m := first; m < end; m++ {
			sum := 0.0
			for i := first; i < end; i++ {
				sum += weights[i] * math.Abs(points[i]-points[m])
			}
			best = min(best, sum)
		}
		return best
	}
	costs := make([][]float64, n)
	for first := range costs {
		costs[first] = make([]float64, n+1)
		for end := first + 1; end <= n; end++ {
			costs[first][end] = cost(first, end)
		}
	}
	best := make([]float64, n+1)
	for i := range best {
		best[i] = math.Inf(1)
	}
	best[0] = 0
	for range limit {
		next := make([]float64, n+1)
		for end := range next {
			next[end] = best[end]
			for first := range end {
				next[end] = min(next[end], best[first]+costs[first][end])
			}
		}
		best = next
	}
	return best[n]
}
