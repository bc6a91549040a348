package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkCost times calls of few and many rows both ways and reports how much
// longer the way that the estimate chooses takes than the better one, at worst,
// and from how many rows on blocks are better.
func BenchmarkCost(b *testing.B) {
	for _, s := range []modelShape{
		{features: 28, outputs: 1, trees: 100, leaves: 15, full: true, bounds: 100, depth: 4},
		{features: 28, outputs: 1, trees: 500, leaves: 53, full: true, bounds: 200, depth: 6},
		{features: 54, outputs: 7, trees: 700, leaves: 65, full: true, bounds: 100, depth: 8},
		{features: 28, outputs: 1, trees: 1000, leaves: 220, full: true, bounds: 254, depth: 8},
		{features: 28, outputs: 1, trees: 500, leaves: 63, full: true, bounds: 254, depth: 15},
		{features: 28, outputs: 1, trees: 10, leaves: 8, full: true, bounds: 10, depth: 3},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		m := randomModel(s, r)
		x := randomRows[float32](m, 512, r)
		for _, cpu := range testLevels() {
			e, err := New[float32, float32](m, cpu)
			require.NoError(b, err)
			b.Run(fmt.Sprintf("trees=%d/leaves=%d/%v", s.trees, s.leaves, e.cpuName(cpu)), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
				for range b.N {
					reportCost(b, e, x)
				}
			})
		}
	}
}

func (e *Engine[In, Out]) cpuName(cpu CPU) string {
	name := cpu.String()
	if cpu.VBMI {
		name += "+vbmi"
	}
	if cpu.GFNI {
		name += "+gfni"
	}
	return name
}

func reportCost(b *testing.B, e *Engine[float32, float32], x []float32) {
	dst := make([]float32, e.lanes*e.outputs)
	worst, crossing := 1.0, 0
	for n := 1; n <= e.lanes; n = n + n/2 + n%2 {
		to, from := dst[:n*e.outputs], x[:n*e.features]
		one := fastest(func() { e.oneByOne(to, from, nil) })
		all := fastest(func() { e.block(to, from, nil, n) })
		chosen := all
		if n < e.cost.few {
			chosen = one
		}
		worst = max(worst, chosen/min(one, all))
		if crossing == 0 && all < one {
			crossing = n
		}
	}
	b.ReportMetric(worst, "worst/best")
	b.ReportMetric(float64(crossing), "crossing")
	b.ReportMetric(float64(e.cost.few), "few")
}

func fastest(f func()) float64 {
	best := time.Hour
	for range 9 {
		start := time.Now()
		for range 8 {
			f()
		}
		best = min(best, time.Since(start))
	}
	return float64(best)
}
