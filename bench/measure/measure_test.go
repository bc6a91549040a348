package measure_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hew/bench/measure"
	"hew/predict"
)

// calls records the ranges of rows that a loop asked for.
type calls struct {
	sync.Mutex
	perRow  []int64
	longest int
	pause   time.Duration
}

func (c *calls) call(begin, end int) {
	time.Sleep(c.pause)
	c.Lock()
	defer c.Unlock()
	for i := begin; i < end; i++ {
		c.perRow[i]++
	}
	c.longest = max(c.longest, end-begin)
}

func TestLoopCountsRows(t *testing.T) {
	for _, s := range []measure.Spec{{1, 1}, {1, 2}, {7, 1}, {64, 2}, {100, 3}, {4096, 1}, {4096, 2}} {
		c := &calls{perRow: make([]int64, 1000)}
		sample, err := measure.Loop(1000, s, 2*time.Millisecond, c.call)
		require.NoError(t, err)
		var total int64
		low, high := c.perRow[0], c.perRow[0]
		for _, n := range c.perRow {
			total += n
			low, high = min(low, n), max(high, n)
		}
		require.Equal(t, total, sample.Rows, s)
		require.GreaterOrEqual(t, sample.Nanos, int64(2*time.Millisecond), s)
		require.Equal(t, min(s.Batch, 1000/s.Threads+1000%s.Threads), c.longest, s)
		if s.Threads == 1 {
			require.Equal(t, low, high, "whole passes only: %v", s)
		}
	}
}

func TestLoopMakesOnePassHoweverSlow(t *testing.T) {
	c := &calls{perRow: make([]int64, 40), pause: time.Millisecond}
	sample, err := measure.Loop(40, measure.Spec{Batch: 4, Threads: 1}, 0, c.call)
	require.NoError(t, err)
	require.EqualValues(t, 40, sample.Rows)
	require.GreaterOrEqual(t, sample.NanosPerRow(), 250e3)
}

func TestLoopRefuses(t *testing.T) {
	for _, s := range []measure.Spec{{0, 1}, {1, 0}, {1, 5}} {
		_, err := measure.Loop(4, s, 0, func(int, int) { t.Error("called") })
		require.Error(t, err, s)
	}
}

// An engine that starts goroutines has no more processors than it is said to have.
func TestLoopBoundsProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	for threads, want := range map[int]int{1: 1, 2: 2, 3: 2} {
		_, err := measure.Loop(10, measure.Spec{Batch: 1, Threads: threads}, 0, func(int, int) {
			assert.Equal(t, want, runtime.GOMAXPROCS(0))
		})
		require.NoError(t, err)
		require.Equal(t, 2, runtime.GOMAXPROCS(0))
	}
}

func TestSlice(t *testing.T) {
	p := predict.Predictor{Info: predict.Info{NumFeatures: 3, NumOutputs: 2}}
	p.Predict = func(dst, x predict.Values) {
		if dst.Len()*3 != x.Len()*2 || x.Len() == 0 || dst.Type() != p.Output || x.Type() != p.Input {
			panic("shape or type")
		}
	}
	for _, p.Input = range []predict.Type{predict.Float32, predict.Float64} {
		for _, p.Output = range []predict.Type{predict.Float32, predict.Float64} {
			for _, s := range []measure.Spec{{1, 1}, {64, 2}} {
				sample, err := measure.Slice(p, predict.MakeValues(p.Input, 300), s, 0)
				require.NoError(t, err)
				require.LessOrEqual(t, sample.Rows, int64(100))
				require.Positive(t, sample.Rows)
			}
		}
	}
	_, err := measure.Slice(p, predict.MakeValues(predict.Float64, 301), measure.Spec{Batch: 1, Threads: 1}, 0)
	require.EqualError(t, err, "301 values are no rows of 3 features")
}

func TestSliceDoesNotAllocateInTheLoop(t *testing.T) {
	p := predict.Predictor{Info: predict.Info{NumFeatures: 1, NumOutputs: 1}, Predict: func(dst, x predict.Values) { copy(dst.F32, x.F32) }}
	x := predict.MakeValues(predict.Float32, 4096)
	allocs := func(d time.Duration) float64 {
		return testing.AllocsPerRun(3, func() {
			_, err := measure.Slice(p, x, measure.Spec{Batch: 1, Threads: 1}, d)
			require.NoError(t, err)
		})
	}
	require.InDelta(t, allocs(0), allocs(5*time.Millisecond), 4, "more passes, not more allocations")
}
