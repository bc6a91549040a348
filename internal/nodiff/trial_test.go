package nodiff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/predict"
)

// run puts p on trial with rows that the reference of e answers for.
func run(ref *interp.Engine, p predict.Predictor, x predict.Values) (alone, batches nodiff.Diff, trials int) {
	for t := range nodiff.Trials(ref, p.Info, x) {
		t.Alone(&alone, nodiff.Singly(p))
		t.Batches(&batches, p)
		trials++
	}
	return alone, batches, trials
}

// The reference passes: every row alone, and all of them, with some a second time,
// in batches of each size.
func TestTrials(t *testing.T) {
	const all = 2 + 63 + 64 + 65 + 500 + 4097
	for _, rows := range []int{1, 10, all, all + 1, 3 * all} {
		e := nodiff.Ensemble(uint64(rows), 8, 5)
		p, sizes := predictor(e), map[int]int{}
		margin := p.Margin
		p.Margin = func(dst, x predict.Values) {
			sizes[x.Len()/len(e.Features)]++
			margin(dst, x)
		}
		alone, batches, trials := run(interp.New(e), p, nodiff.Rows(e, rows, 1))
		require.True(t, alone.OK() && batches.OK(), "%v, %v", alone, batches)
		require.Equal(t, (rows+all-1)/all, trials)
		require.Equal(t, rows, alone.Rows)
		require.Equal(t, trials*all, batches.Rows)
		require.Equal(t, rows*e.Outputs, alone.Margin.Compared)
		require.Equal(t, batches.Rows*len(e.Trees), batches.Leaf.Compared)
		require.Equal(t, map[int]int{1: rows, 2: trials, 63: trials, 64: trials, 65: trials, 500: trials, 4097: trials}, sizes)
	}
}

// A wrong answer is found where it is given, and called by the number of its row,
// also where the rows come again.
func TestTrialsFindMistakes(t *testing.T) {
	e := stump(7, 0.25)
	x := nodiff.Rows(e, 100, 1)
	x.F32[2*77], x.F32[2*77+1] = 1234, 1
	for _, wrong := range []func(n int) bool{
		func(n int) bool { return n == 1 },
		func(n int) bool { return n == 64 },
		func(n int) bool { return n == 4097 },
	} {
		p := predictor(e)
		margin := p.Margin
		p.Margin = func(dst, x predict.Values) {
			margin(dst, x)
			for i := range dst.F32 {
				if x.F32[2*i] == 1234 && wrong(len(dst.F32)) {
					dst.F32[i]++
				}
			}
		}
		alone, batches, _ := run(interp.New(e), p, x)
		require.Equal(t, !wrong(1), alone.OK())
		require.Equal(t, wrong(1), batches.OK())
		first := batches.Margin.First
		if wrong(1) {
			first = alone.Margin.First
		}
		require.Equal(t, 77, first.Row)
	}
}

// Rows with very many features do not fill the memory.
func TestTrialsOfWideRows(t *testing.T) {
	e := stump(7, 0.25)
	for len(e.Features) < 100_000 {
		e.Features = append(e.Features, e.Features[0])
	}
	var fresh []int
	for trial := range nodiff.Trials(interp.New(e), predictor(e).Info, predict.MakeValues(predict.Float32, 120*len(e.Features))) {
		fresh = append(fresh, trial.Fresh())
	}
	require.Equal(t, []int{100, 20}, fresh)
}

// A trial of wide rows has fewer of them.
func TestBatches(t *testing.T) {
	for features, want := range map[int][]int{
		28:         {2, 63, 64, 65, 500, 4097},
		3000:       {2, 63, 64, 65, 500, 2639},
		70_000:     {2, 63, 64, 13},
		20_000_000: {1},
	} {
		require.Equal(t, want, nodiff.Batches(features))
	}
}
