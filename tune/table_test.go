package tune_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/tune"
)

// recorded is a run of four candidates, as records are made.
func recorded() []tune.Record {
	none, some := 0.0, 0.0125
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	speed := func(single, batch float64) *tune.Speed {
		return &tune.Speed{Engine: "simd avx2", Batch: 4096, Rounds: 7, NsSingle: single, SingleMin: 0.99 * single, SingleMax: 1.2 * single,
			NsBatch: batch, BatchMin: 0.99 * batch, BatchMax: 1.1 * batch, BitEqual: true}
	}
	return []tune.Record{
		{Kind: "tune", Model: "churn", CPU: "a CPU", Time: at, Origin: "unpruned", Trees: 500, Nodes: 27168, Columns: 28, Bytes: 130726,
			Search: &tune.Judgement{Metric: "auc", Rows: 500, Value: 0.8},
			Judge:  &tune.Judgement{Metric: "auc", Rows: 1500, Value: 0.8125}, Speed: speed(630, 79.2), Front: true},
		{Kind: "tune", Model: "churn", CPU: "a CPU", Time: at, Prune: "truncate=100,min-cover=24", Quantize: "leaves=int8", Origin: "combined",
			Trees: 100, Nodes: 1568, Columns: 27, Bytes: 8768, Certified: []float64{23.4}, MarginChange: []float64{3.97}, ClassChange: &some,
			Search: &tune.Judgement{Metric: "auc", Rows: 500, Value: 0.795, Increase: 0.025},
			Judge:  &tune.Judgement{Metric: "auc", Rows: 1500, Value: 0.8, Increase: 1. / 15, Samples: 2000, Low: 0.02, High: 0.11}, Speed: speed(204, 30.8), Front: true,
			Rejected: "the loss may be up to +11.00%, +0.10% allowed"},
		{Kind: "tune", Model: "churn", CPU: "a CPU", Time: at, Quantize: "leaves=f16", Origin: "single",
			Trees: 500, Nodes: 27168, Columns: 28, Bytes: 103171, Certified: []float64{0.004}, MarginChange: []float64{0.000125}, ClassChange: &none,
			Judge: &tune.Judgement{Metric: "auc", Rows: 1500, Value: 0.8125, Samples: 2000, Low: -0.00001, High: 0.00002}, Speed: speed(628, 78.9), Front: true, Chosen: true},
		{Kind: "tune", Model: "churn", CPU: "a CPU", Time: at, Prune: "truncate=400", Origin: "single", Trees: 400, Nodes: 22370, Columns: 28, Bytes: 109645,
			Certified: []float64{1}, MarginChange: []float64{0.5}, Search: &tune.Judgement{Metric: "auc", Rows: 500, Value: 0.8}, Rejected: "not judged: others near it were"},
	}
}

const wantTable = `churn, auc on 1,500 rows; loss against the unpruned model, with its 95% interval
   auc     loss                               trees  nodes   bytes    ns/row       ns/row by 4,096  margins   certified  settings
   0.8125  –       –                          500    27,168  131 kB   630          79.2             –         –          unpruned
*  0.8125  0%      -0.001% to +0.002%, noise  500    27,168  103 kB   628 (same)   78.9 (same)      0.000125  0.004      --quantize leaves=f16
   0.8     +6.67%  +2.00% to +11.00%          100    1,568   8.77 kB  204 (3.09×)  30.8 (2.57×)     3.97      23.4       --prune truncate=100,min-cover=24 --quantize leaves=int8
`

func table(t *testing.T, records []tune.Record) string {
	var b bytes.Buffer
	require.NoError(t, tune.Table(&b, records))
	return b.String()
}

func TestTable(t *testing.T) {
	require.Equal(t, wantTable, table(t, recorded()))

	unmeasured := recorded()
	for i := range unmeasured {
		unmeasured[i].Speed = nil
		unmeasured[i].Binary = 4_500_000
	}
	require.Contains(t, table(t, unmeasured), "bytes    binary  margins ")
	require.Contains(t, table(t, unmeasured), "131 kB   4.5 MB  – ")
}

func TestRecordsRoundTrip(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, tune.Write(&b, recorded()))
	require.Equal(t, 4, strings.Count(b.String(), "\n"))
	var got []tune.Record
	for d := json.NewDecoder(&b); d.More(); {
		var r tune.Record
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&r))
		got = append(got, r)
	}
	require.Equal(t, recorded(), got)
}
