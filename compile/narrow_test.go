package compile_test

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/load"
	"hew/quantize"
)

// toGrid rounds leaves and base margins to multiples of a power of two, of which no leaf
// is more than limit. Leaves beyond 64 become 64.
func toGrid(e *ir.Ensemble, limit float64) {
	most := 0.0
	eachLeaf(e, func(v *float64) {
		*v = min(max(*v, -64), 64)
		most = max(most, math.Abs(*v))
	})
	unit := math.Exp2(math.Ceil(math.Log2(max(most, 1e-9) / limit)))
	round := func(v *float64) { *v = 0 + math.RoundToEven(min(max(*v, -64), 64)/unit)*unit }
	eachLeaf(e, round)
	for k := range e.BaseMargin {
		round(&e.BaseMargin[k])
	}
}

func eachLeaf(e *ir.Ensemble, f func(v *float64)) {
	for i := range e.Trees {
		t := &e.Trees[i]
		for j := range t.Nodes {
			if n := &t.Nodes[j]; n.IsLeaf() && t.Vectors == nil {
				f(&n.Value)
			}
		}
		for j := range t.Vectors {
			f(&t.Vectors[j])
		}
	}
}

const narrowModel = "xgboost-3.2-realistic-binary-higgs-500x6"

// narrowEnsemble returns the Higgs model with leaves of a kind.
func narrowEnsemble(t testing.TB, leaves string) *ir.Ensemble {
	e, err := load.File(filepath.Join(goldenCases, narrowModel, "model.ubj"))
	require.NoError(t, err)
	if leaves == "" {
		return e
	}
	o, err := quantize.Parse("leaves=" + leaves)
	require.NoError(t, err)
	for _, p := range o.Passes() {
		_, err := p.Run(e, nil)
		require.NoError(t, err)
	}
	return e
}

// TestNarrowLeaves has kernels recognise leaves that are narrow, add them as integers,
// and encode them in fewer bytes.
func TestNarrowLeaves(t *testing.T) {
	bytes := map[string]int{}
	for _, leaves := range []string{"", "f16", "bf16", "int16", "int8", "int8,scale=tree", "fixed"} {
		t.Run(leaves, func(t *testing.T) {
			e := narrowEnsemble(t, leaves)
			m, err := compile.Tables(e)
			require.NoError(t, err)
			bytes[leaves] = len(m.Encode())
			t.Logf("%d bytes", bytes[leaves])
			wide := nodiff.Rows64(e, 1500, 1)
			x, want := make([]float32, len(wide)), make([]float64, 1500)
			for i, v := range wide {
				x[i] = float32(v)
			}
			interp.New(e).Margin64(want, wide)
			for _, cpu := range compile.Levels(kernel.ThisCPU()) {
				k, err := kernel.New[float32, float32](m, cpu)
				require.NoError(t, err)
				exact := leaves != "" && !strings.HasSuffix(leaves, "f16")
				if cpu.AVX2 && exact {
					require.Contains(t, k.Describe(), "integers")
				} else {
					require.NotContains(t, k.Describe(), "integers")
				}
				for _, rows := range []int{1, 2, 63, 64, 65, 500, 1500} {
					got := make([]float32, rows)
					k.Margin(got, x[:rows*len(e.Features)])
					for i, v := range got {
						require.Equal(t, math.Float32bits(float32(want[i])), math.Float32bits(v))
					}
				}
			}
		})
	}
	require.Less(t, bytes["int16"], bytes[""]*4/5)
	require.Less(t, bytes["int8"], bytes[""]*7/10)
	require.Less(t, bytes["f16"], bytes[""]*4/5)
	require.Less(t, bytes["bf16"], bytes[""]*4/5)
	require.Less(t, bytes["fixed"], bytes[""]*9/10)
}

// BenchmarkNarrow times models with leaves of all kinds in one interleaved run, at each
// level of this processor, with sums of both types.
func BenchmarkNarrow(b *testing.B) {
	kinds := []string{"", "f16", "int16", "int8", "int8,scale=tree", "fixed"}
	for _, cpu := range compile.Levels(kernel.ThisCPU()) {
		b.Run(fmt.Sprintf("sum=float32/cpu=%v", cpu), func(b *testing.B) { benchmarkNarrow[float32](b, kinds, cpu) })
		b.Run(fmt.Sprintf("sum=float64/cpu=%v", cpu), func(b *testing.B) { benchmarkNarrow[float64](b, kinds, cpu) })
	}
}

func benchmarkNarrow[Out kernel.Float](b *testing.B, kinds []string, cpu kernel.CPU) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const rows = 4096
	engines, x := []*kernel.Engine[float32, Out]{}, []float32(nil)
	for _, kind := range kinds {
		e := narrowEnsemble(b, kind)
		m, err := compile.Tables(e)
		require.NoError(b, err)
		k, err := kernel.New[float32, Out](m, cpu)
		require.NoError(b, err)
		engines = append(engines, k)
		if x == nil {
			for _, v := range nodiff.Rows64(e, rows, 1) {
				x = append(x, float32(v))
			}
		}
	}
	dst, width := make([]Out, rows), len(x)/rows
	single, batch := make([]time.Duration, len(kinds)), make([]time.Duration, len(kinds))
	for b.Loop() {
		for i, k := range engines {
			start := time.Now()
			for r := range rows / 8 {
				k.Margin(dst[:1], x[r*width:(r+1)*width])
			}
			single[i] = least(single[i], time.Since(start))
			start = time.Now()
			k.Margin(dst, x)
			batch[i] = least(batch[i], time.Since(start))
		}
	}
	for i, kind := range kinds {
		if kind == "" {
			kind = "kept"
		}
		b.ReportMetric(float64(single[i].Nanoseconds())/(rows/8), kind+"-ns/single")
		b.ReportMetric(float64(batch[i].Nanoseconds())/rows, kind+"-ns/row")
	}
}

// least returns the lesser of a, if there is one, and b.
func least(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}
