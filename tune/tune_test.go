package tune_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench"
	"hew/internal/lossy"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/load"
	"hew/metric"
	"hew/predict"
	"hew/tune"
)

// models are golden models of each kind, and the metric that judges them.
var models = map[string]string{
	"golden-xgboost/xgboost-3.2-binary-logistic-higgs/model.json":         "logloss",
	"golden-xgboost/xgboost-3.2-multi-softprob-covtype/model.json":        "mlogloss",
	"golden-xgboost/xgboost-3.2-rank-ndcg-mslr/model.json":                "ndcg@5",
	"golden-xgboost/xgboost-2.1-count-poisson/model.json":                 "poisson-deviance",
	"golden-sklearn/sklearn-1.6-gb-classifier-binary/model.pkl":           "auc",
	"golden-sklearn/sklearn-1.9-hgb-regressor-absolute-error/model.skops": "mae",
}

const binary = "golden-xgboost/xgboost-3.2-binary-logistic-higgs/model.json"

func open(t testing.TB, name string) *ir.Ensemble {
	e, err := load.File(filepath.Join("../testdata", name))
	require.NoError(t, err)
	return e
}

// made returns n rows with labels that are what e predicts, but for chance.
func made(e *ir.Ensemble, n int) *tune.Rows {
	r := &tune.Rows{X: nodiff.Rows(e, n, 5), NumFeatures: len(e.Features)}
	margins := predict.MakeValues(predict.Float32, n*e.Outputs)
	if e.Sum == ir.Double {
		margins = predict.MakeValues(predict.Float64, n*e.Outputs)
	}
	interp.New(e).Typed().Margin(margins, r.X)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		m := margins.At(i * e.Outputs)
		switch k := metric.NumClasses(e); {
		case k > 2 || k == 2 && random.IntN(4) == 0:
			r.Label = append(r.Label, float64(random.IntN(k)))
		case k == 2:
			y := 0.0
			if m > 0 {
				y = 1
			}
			r.Label = append(r.Label, y)
		case e.Task == ir.Ranking:
			r.Label = append(r.Label, float64(random.IntN(5)))
			r.Query = append(r.Query, i/8)
		default:
			r.Label = append(r.Label, math.Abs(math.Round(m))+float64(random.IntN(3)))
		}
	}
	return r
}

// plan returns a plan for a golden model that tries n candidates and takes no times.
func plan(t testing.TB, name string, n int) tune.Plan {
	e := open(t, name)
	m, err := metric.Named(models[name])
	require.NoError(t, err)
	parts, err := tune.Split(made(e, 600), metric.NumClasses(e) > 0, 1)
	require.NoError(t, err)
	return tune.Plan{
		Model: "m", Parts: parts, Metric: m, Make: tune.MakerFor(e, "m", kernel.ThisCPU()),
		Candidates: n, Seed: 1, Constraints: tune.Constraints{MaxLoss: 0.01},
	}
}

// TestRun: for each kind of model, records say what is true.
func TestRun(t *testing.T) {
	for name := range models {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan(t, name, 45)
			records, err := tune.Run(t.Context(), p)
			require.NoError(t, err)
			requireRecords(t, &p, records)
			require.LessOrEqual(t, len(records), 46)
			require.Greater(t, len(records), 20)

			again, err := tune.Run(t.Context(), p)
			require.NoError(t, err)
			require.Equal(t, timeless(records), timeless(again), "the same rows and seed give the same records")
		})
	}
}

// timeless returns records without when they were made.
func timeless(records []tune.Record) []tune.Record {
	records = slices.Clone(records)
	for i := range records {
		records[i].Time = time.Time{}
	}
	return records
}

// requireRecords requires that records are as they are documented.
func requireRecords(t *testing.T, p *tune.Plan, records []tune.Record) {
	require.Equal(t, "unpruned", records[0].Settings())
	require.NotNil(t, records[0].Judge)
	chosen := 0
	seen := map[string]bool{}
	for _, r := range records {
		settings := r.Settings()
		require.False(t, seen[settings], "%s twice", settings)
		seen[settings] = true
		if len(r.MarginChange) > 0 {
			require.Len(t, r.Certified, len(r.MarginChange), settings)
		}
		for k, moved := range r.MarginChange {
			require.LessOrEqual(t, moved, r.Certified[k]*(1+1e-12), "%s: a margin moved farther than certified", settings)
		}
		if j := r.Judge; j != nil && j.Samples > 0 {
			require.LessOrEqual(t, j.Low, j.High, settings)
			require.Equal(t, p.Parts.Judge.Len(), j.Rows)
		}
		if r.Search != nil {
			require.Equal(t, p.Parts.Search.Len(), r.Search.Rows)
		}
		require.True(t, r.Front || r.Rejected != "", "%s: no reason why it is not on the front", settings)
		limit := 0.5
		if p.MaxLoss >= 0 {
			limit = max(0.05, 2*p.MaxLoss)
		}
		if r.Front || r.Chosen {
			require.LessOrEqual(t, r.Judge.Increase, limit, settings)
		}
		if r.Judge != nil && r.Judge.Increase > limit {
			require.Contains(t, r.Rejected, "nothing is looked for", settings)
		}
		if r.Chosen {
			chosen++
			require.True(t, r.Front, "%s is chosen, and not on the front", settings)
			require.True(t, r.Origin == "unpruned" || r.Judge.High <= p.MaxLoss || p.MaxLoss < 0, settings)
		}
	}
	require.Equal(t, 1, chosen)
	var b bytes.Buffer
	require.NoError(t, tune.Write(&b, records))
	for d := json.NewDecoder(&b); d.More(); {
		var r tune.Record
		require.NoError(t, d.Decode(&r))
		require.True(t, slices.ContainsFunc(records, func(s tune.Record) bool { return s.Settings() == r.Settings() }))
	}
}

// TestFitted: passes see the rows to fit on, and no other.
func TestFitted(t *testing.T) {
	p := plan(t, binary, 40)
	rows := map[string]string{}
	for purpose, part := range map[string]*tune.Rows{"fit": &p.Parts.Fit, "search": &p.Parts.Search, "judge": &p.Parts.Judge} {
		for i := range part.Len() {
			rows[rowText(part.X.Slice(i*part.NumFeatures, (i+1)*part.NumFeatures).F32)] = purpose
		}
	}
	var mu sync.Mutex
	seen, withRows := map[string]int{}, 0
	maker := p.Make
	p.Make = func(c tune.Candidate, d *lossy.Data) (*tune.Variant, error) {
		mu.Lock()
		defer mu.Unlock()
		if d != nil {
			withRows++
			width := p.Parts.Fit.NumFeatures
			for i := range d.Y {
				row := make([]float32, width)
				for j := range row {
					row[j] = float32(d.X[i*width+j])
				}
				seen[rows[rowText(row)]]++
			}
		}
		return maker(c, d)
	}
	_, err := tune.Run(t.Context(), p)
	require.NoError(t, err)
	require.Greater(t, withRows, 40)
	require.Equal(t, map[string]int{"fit": withRows * p.Parts.Fit.Len()}, seen)
}

func rowText(row []float32) string {
	b := make([]byte, 0, 4*len(row))
	for _, v := range row {
		bits := math.Float32bits(v)
		if v != v { // whichever NaN
			bits = 1<<32 - 1
		}
		b = append(b, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	return string(b)
}

// TestConstraints: what is chosen keeps to them, and if nothing does, all is said
// nevertheless.
func TestConstraints(t *testing.T) {
	p := plan(t, binary, 50)
	free, err := tune.Run(t.Context(), p)
	require.NoError(t, err)
	base := free[0].Bytes

	for _, c := range []tune.Constraints{
		{MaxLoss: 0}, {MaxLoss: 0.001}, {MaxLoss: 0.5}, {MaxLoss: -1},
		{MaxLoss: -1, MaxBytes: base / 2, Accurate: true}, {MaxLoss: 0.05, MaxBytes: base * 3 / 4},
	} {
		p.Constraints = c
		records, err := tune.Run(t.Context(), p)
		require.NoError(t, err, "%+v", c)
		requireRecords(t, &p, records)
		r := records[slices.IndexFunc(records, func(r tune.Record) bool { return r.Chosen })]
		require.True(t, c.MaxBytes == 0 || r.Bytes <= c.MaxBytes, "%+v", c)
	}
	for _, c := range []tune.Constraints{{MaxLoss: -1, MaxBytes: 10}, {MaxLoss: 0, MaxBytes: base / 100}} {
		p.Constraints = c
		records, err := tune.Run(t.Context(), p)
		require.ErrorIs(t, err, tune.ErrNothing)
		require.Greater(t, len(records), 20)
		require.False(t, slices.ContainsFunc(records, func(r tune.Record) bool { return r.Chosen }))
	}
}

// TestMeasured takes times, too.
func TestMeasured(t *testing.T) {
	p := plan(t, binary, 36)
	p.Speed = tune.Timing{Batch: 64, Slice: time.Millisecond, Rounds: 5, X: nodiff.Rows(open(t, binary), bench.MinRows+500, 2)}
	calls := 0
	p.Measuring = func(done, total int) { calls++ }
	p.MaxNs = 1e9
	records, err := tune.Run(t.Context(), p)
	require.NoError(t, err)
	requireRecords(t, &p, records)
	require.NotZero(t, calls)
	measured := 0
	for _, r := range records {
		if s := r.Speed; s != nil {
			measured++
			require.True(t, s.BitEqual)
			require.NotEmpty(t, s.Engine)
			for _, ns := range [][3]float64{{s.SingleMin, s.NsSingle, s.SingleMax}, {s.BatchMin, s.NsBatch, s.BatchMax}} {
				require.Greater(t, ns[0], 0.0)
				require.True(t, slices.IsSorted(ns[:]), "%v", ns)
			}
		}
		require.False(t, r.Front && r.Speed == nil, r.Settings())
	}
	require.Greater(t, measured, 3)
	require.LessOrEqual(t, measured, 16)

	p.MaxNs = 1e-3
	_, err = tune.Run(t.Context(), p)
	require.ErrorIs(t, err, tune.ErrNothing)
}

// TestCancelled: what was tried before the context ended is not lost.
func TestCancelled(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	p := plan(t, binary, 0)
	p.Progress = func(tried, proposed int) {
		if tried >= 8 {
			cancel(cause)
		}
	}
	records, err := tune.Run(ctx, p)
	require.ErrorIs(t, err, cause)
	require.Greater(t, len(records), 8)
	require.Less(t, len(records), 20)
	front := 0
	for _, r := range records[1:] {
		require.True(t, r.Front || r.Rejected != "", r.Settings())
		require.False(t, r.Chosen)
		if r.Front {
			front++
		}
	}
	require.NotZero(t, front)
	text := table(t, records)
	require.Contains(t, text, "m, logloss on 180 rows; ")
	require.Equal(t, front+3, strings.Count(text, "\n"))
}

// TestBudget: no time at all still judges the unpruned model.
func TestBudget(t *testing.T) {
	p := plan(t, binary, 0)
	p.Budget = time.Nanosecond
	records, err := tune.Run(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.True(t, records[0].Chosen)
}

func TestRunRefuses(t *testing.T) {
	p := plan(t, "golden-xgboost/xgboost-3.2-rank-ndcg-mslr/model.json", 1)
	p.Parts.Judge.Query = nil
	_, err := tune.Run(t.Context(), p)
	require.EqualError(t, err, "metric ndcg@5 judges the rows of a query together: say which column holds the query")

	p = plan(t, binary, 1)
	p.Parts.Search.Label[3] = 2
	_, err = tune.Run(t.Context(), p)
	require.EqualError(t, err, "the rows to search by: logloss: row 4: label 2 is not 0 or 1")

	p = plan(t, binary, 1)
	p.Metric, err = metric.Named("rmse")
	require.NoError(t, err)
	_, err = tune.Run(t.Context(), p)
	require.ErrorContains(t, err, "metric rmse does not fit binary:logistic: it judges numbers, and the model predicts one of 2 classes")

	e := open(t, binary)
	e.Trees, e.Rounds = nil, nil
	p = plan(t, binary, 1)
	p.Make = tune.MakerFor(e, "m", kernel.ThisCPU())
	_, err = tune.Run(t.Context(), p)
	require.ErrorContains(t, err, "the model has no trees: there is nothing to prune or to quantize")
}

// TestVariants: what a Maker returns evaluates the ensemble that it says, and not
// farther from the model than it says.
func TestVariants(t *testing.T) {
	e := open(t, binary)
	before := e.Clone()
	maker := tune.MakerFor(e, "m", kernel.ThisCPU())
	x := nodiff.Rows(e, 500, 9)
	for _, c := range []tune.Candidate{{}, {Prune: "truncate=2"}, {Quantize: "leaves=f16,thresholds=uint8"}, {Prune: "epsilon=0.1", Quantize: "leaves=int8"}} {
		v, err := maker(c, nil)
		require.NoError(t, err)
		require.True(t, nodiff.Compare(interp.New(v.Ensemble), v.Predictor, x).OK(), c)
		require.Equal(t, c == tune.Candidate{}, v.Bound == nil)
	}
	require.Equal(t, before, e, "the model itself does not change")
	for c, want := range map[tune.Candidate]string{
		{Prune: "reduced-error"}:  "prune: reduced-error needs rows with labels",
		{Prune: "truncate=1000"}:  "truncate=1000",
		{Prune: "x=1"}:            `--prune: unknown pruning "x"`,
		{Quantize: "leaves=int9"}: "--quantize: ",
	} {
		_, err := maker(c, nil)
		require.ErrorContains(t, err, want)
	}
}

// ofTwo returns a plan for a model whose predictions are a+1 and b+2, above 0, and
// which first trees alone give a and b.
func ofTwo(t *testing.T, a, b float64) tune.Plan {
	e := ir.MustParse(fmt.Sprintf("(f0<0 %v %v)", a, b), "(f0<0 1 2)")
	e.Source.Objective = "reg:squarederror"
	m, err := metric.Named("poisson-deviance")
	require.NoError(t, err)
	rows := &tune.Rows{NumFeatures: 1}
	x := make([]float32, 200)
	for i := range x {
		x[i] = float32(i%2) - 0.5
		rows.Label = append(rows.Label, float64(1+i%3))
	}
	rows.X = predict.ValuesOf(x)
	parts, err := tune.Split(rows, false, 1)
	require.NoError(t, err)
	return tune.Plan{
		Model: "m", Parts: parts, Metric: m, Make: tune.MakerFor(e, "m", kernel.ThisCPU()),
		Candidates: 40, Seed: 1, Constraints: tune.Constraints{MaxLoss: -1},
	}
}

// TestInfiniteMetric: of an infinite metric no increase can be told. A model that has one
// cannot be tuned, and a candidate that has one is refused.
func TestInfiniteMetric(t *testing.T) {
	_, err := tune.Run(t.Context(), ofTwo(t, -3, 1))
	require.ErrorContains(t, err, "the rows to search by: the poisson-deviance of these predictions is +Inf")

	p := ofTwo(t, -0.5, 1)
	records, err := tune.Run(t.Context(), p)
	require.NoError(t, err)
	requireRecords(t, &p, records)
	require.NoError(t, tune.Write(io.Discard, records))
	at := slices.IndexFunc(records, func(r tune.Record) bool { return r.Prune == "truncate=1" })
	require.Contains(t, records[at].Rejected, "is +Inf")

	// The rows of the search do not show it; the judge's do, and the others go on.
	p = ofTwo(t, -0.5, 1)
	for i := range p.Parts.Search.X.F32 {
		p.Parts.Search.X.F32[i], p.Parts.Search.Label[i] = 0.5, 1
	}
	records, err = tune.Run(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, tune.Write(io.Discard, records))
	require.True(t, slices.ContainsFunc(records, func(r tune.Record) bool {
		return r.Search != nil && !r.Front && strings.HasSuffix(r.Rejected, "is +Inf, with which nothing compares")
	}))
}
