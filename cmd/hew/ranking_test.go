package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/bench"
	"hew/internal/nodiff"
	"hew/load"
)

// Ranking is a part of scoring, and of no call that runs branch code.
func TestRankingIsTold(t *testing.T) {
	e, err := load.File(filepath.Join("../../testdata/golden-xgboost/xgboost-3.2-realistic-binary-higgs-500x6/model.ubj"))
	require.NoError(t, err)
	parts := func(strategy string, rows int) []bench.Part {
		r, err := newRanking(e, &compileFlags{strategy: strategy}, nodiff.Rows(e, 512, 1))
		require.NoError(t, err)
		record := bench.Record{Load: &bench.Load{BatchRows: rows, Parts: []bench.Part{{Name: "parse", Mean: 1}, {Name: "score", Mean: 2}}}}
		require.NoError(t, r.split(&record))
		return record.Parts
	}
	require.Equal(t, []bench.Part{{Name: "parse", Mean: 1}, {Name: "score", Mean: 2}}, parts("branch", 64))
	for _, rows := range []int{1, 64} {
		got := parts("simd", rows)
		require.Len(t, got, 3)
		require.Equal(t, "rank", got[1].Name)
		require.Positive(t, got[1].Mean)
		require.Less(t, got[1].Mean, 1.0)
		require.InDelta(t, 2, got[1].Mean+got[2].Mean, 1e-9)
	}
}
