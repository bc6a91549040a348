package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench"
	"hew/bench/measure"
	"hew/bench/worker"
	"hew/predict"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// TestMain makes the test binary a worker for TestRemote.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("HEW_BENCH_TEST_WORKER") != "" {
		os.Exit(worker.Main([]predict.Predictor{double(nil)}))
	}
	os.Exit(m.Run())
}

// double is a predictor of one feature; spoil changes its margins after the fact.
func double(spoil func(margins []float32)) predict.Predictor {
	p := predict.Predictor{Info: predict.Info{NumFeatures: 1, NumOutputs: 1, NumMargins: 1, NumTrees: 1}}
	p.Margin = func(dst, x predict.Values) {
		for i, v := range x.F32 {
			dst.F32[i] = 2 * v
		}
		if spoil != nil {
			spoil(dst.F32)
		}
	}
	p.Predict = func(dst, x predict.Values) { copy(dst.F32, x.F32) }
	p.Leaf = func(dst []int32, x predict.Values) { clear(dst) }
	return p
}

// thirds is a predictor of float64 with answers: the margin is the feature by
// three, the answers are the margin, and the feature and a class.
func thirds(spoil func(answer int, dst predict.Values)) predict.Predictor {
	p := predict.Predictor{Info: predict.Info{
		NumFeatures: 1, NumOutputs: 1, NumMargins: 1, Input: predict.Float64, Output: predict.Float64,
		Answers: []predict.Answer{{Name: "score", Width: 1}, {Name: "label", Width: 2}},
	}}
	p.Margin = func(dst, x predict.Values) {
		for i, v := range x.F64 {
			dst.F64[i] = v / 3
		}
	}
	p.Predict = p.Margin
	p.Answer = func(i int, dst, margins, x predict.Values) {
		for r, v := range margins.F64 {
			if i == 0 {
				dst.F64[r] = v
			} else {
				dst.F64[2*r], dst.F64[2*r+1] = x.F64[r], 1
			}
		}
		if spoil != nil {
			spoil(i, dst)
		}
	}
	return p
}

func ascending(n int) predict.Values { return rising(predict.Float32, n) }

func rising(t predict.Type, n int) predict.Values {
	x := predict.MakeValues(t, n)
	for i := range n {
		x.Set(i, float64(i))
	}
	return x
}

func plan(x predict.Values) bench.Plan {
	return bench.Plan{
		Model: "m", X: x, Features: 1, Batches: []int{1, 64}, Threads: []int{1, 2}, Rounds: bench.MinRounds,
	}
}

// Engines of float64 are compared by all of their bits, and in all of their
// answers. A foreign engine may compute in float32.
func TestRunOfAnswers(t *testing.T) {
	x := rising(predict.Float64, bench.MinRows)
	spoiled := func(answer, at int, by float64) bench.Engine {
		return bench.Local("spoiled", thirds(func(i int, dst predict.Values) {
			if i == answer {
				dst.F64[at] += by
			}
		}), x)
	}
	foreign := bench.Engine{Name: "theirs", Foreign: true, Measure: bench.Local("", thirds(nil), x).Measure,
		Score: func() (bench.Outputs, error) {
			o := bench.Outputs{Margin: predict.MakeValues(predict.Float32, x.Len())}
			for i := range x.Len() {
				o.Margin.Set(i, x.At(i)/3)
			}
			return o, nil
		}}
	p := plan(x)
	p.Batches, p.Threads = []int{64}, []int{1}
	records, err := bench.Run(t.Context(), p, []bench.Engine{
		bench.Local("ref", thirds(nil), x), spoiled(0, 6, 0x1p-51), spoiled(1, 13, 1), spoiled(2, 0, 1), foreign,
	})
	require.NoError(t, err)
	for i, want := range []int{0, 1, 1, 0, 2730} { // of three numbers, one third is exact
		require.Equal(t, want, records[i].DifferRows, i)
		require.Equal(t, want == 0, records[i].BitEqual)
	}
	require.InDelta(t, 4e-5, records[4].MaxDiff, 4e-5)
	require.Positive(t, records[4].MaxDiff)

	mute, narrow := thirds(nil), thirds(nil)
	mute.Answers = nil
	narrow.Output = predict.Float32
	narrow.Margin = func(dst, x predict.Values) {}
	narrow.Predict, narrow.Answer = narrow.Margin, func(int, predict.Values, predict.Values, predict.Values) {}
	for want, other := range map[string]predict.Predictor{
		"engine other: 0 answers where the reference gives 2":                mute,
		"engine other: margins of float32 where the reference gives float64": narrow,
	} {
		_, err := bench.Run(t.Context(), p, []bench.Engine{bench.Local("ref", thirds(nil), x), bench.Local("other", other, x)})
		require.EqualError(t, err, want)
	}
}

func TestRun(t *testing.T) {
	x := ascending(5000)
	x.Set(17, math.NaN())
	wrong := bench.Local("wrong", double(func(m []float32) {
		if len(m) == 5000 {
			m[3] += 0.5
			m[4] = float32(math.Inf(1))
		}
	}), x)
	nan := bench.Local("nan", double(func(m []float32) {
		if len(m) == 5000 {
			m[17] = math.Float32frombits(0xffc12345)
		}
	}), x)
	foreign := bench.Local("theirs", double(func(m []float32) {
		if len(m) == 5000 {
			m[9] -= 0.25
		}
	}), x)
	foreign.Foreign = true
	nan.Build = &bench.Build{Seconds: 1}

	var turns []string
	engines := []bench.Engine{bench.Local("ref", double(nil), x), wrong, nan, foreign}
	for i, e := range engines {
		engines[i].Measure = func(s measure.Spec, d time.Duration) (measure.Sample, error) {
			turns = append(turns, e.Name)
			return e.Measure(s, d)
		}
	}
	last := 0
	p := plan(x)
	p.Progress = func(done, total int) {
		require.Equal(t, last+1, done)
		require.Equal(t, 6*4*4, total)
		last = done
	}
	records, err := bench.Run(t.Context(), p, engines)
	require.NoError(t, err)
	require.Equal(t, 6*4*4, last)
	require.Len(t, records, 4*4)
	require.Equal(t, []string{"ref", "wrong", "nan", "theirs"}, turns[:4])
	require.Equal(t, []string{"wrong", "nan", "theirs", "ref"}, turns[16:20], "another engine begins each round")

	for i, r := range records {
		require.Equal(t, []string{"ref", "wrong", "nan", "theirs"}[i%4], r.Engine)
		require.Equal(t, []int{1, 1, 64, 64}[i/4], r.Batch)
		require.Equal(t, []int{1, 2, 1, 2}[i/4], r.Threads)
		require.Equal(t, []bool{true, false, true, false}[i%4], r.BitEqual)
		require.Equal(t, []int{0, 2, 0, 1}[i%4], r.DifferRows)
		require.Equal(t, []float64{0, math.MaxFloat64, 0, 0.25}[i%4], r.MaxDiff)
		require.Equal(t, i%4 == 3, r.Foreign)
		require.Equal(t, "ref", r.Reference)
		require.Equal(t, 5000, r.Rows)
		require.Equal(t, i%4 == 2, r.Build != nil)
		require.Positive(t, r.NsMin)
		require.LessOrEqual(t, r.NsMin, r.NsPerRow)
		require.LessOrEqual(t, r.NsPerRow, r.NsMax)
	}
}

func TestRunTakesTheMedian(t *testing.T) {
	x := ascending(bench.MinRows)
	e := bench.Local("e", double(nil), x)
	nanos := []int64{1e6, 50, 10, 40, 20, 30} // the first warms up
	e.Measure = func(measure.Spec, time.Duration) (measure.Sample, error) {
		n := nanos[0]
		nanos = nanos[1:]
		return measure.Sample{Rows: 10, Nanos: n}, nil
	}
	p := plan(x)
	p.Batches, p.Threads = []int{1}, []int{1}
	records, err := bench.Run(t.Context(), p, []bench.Engine{e})
	require.NoError(t, err)
	require.Equal(t, []float64{1, 3, 5}, []float64{records[0].NsMin, records[0].NsPerRow, records[0].NsMax})
}

func TestRemote(t *testing.T) {
	t.Setenv("HEW_BENCH_TEST_WORKER", "1")
	exe, err := os.Executable()
	require.NoError(t, err)
	c, err := worker.Start(exe)
	require.NoError(t, err)
	x := ascending(bench.MinRows)
	remote, err := bench.Remote("remote", c, 0, x)
	require.NoError(t, err)
	records, err := bench.Run(t.Context(), plan(x), []bench.Engine{bench.Local("ref", double(nil), x), remote})
	require.NoError(t, err)
	for _, r := range records {
		require.True(t, r.BitEqual, r.Engine)
		require.Positive(t, r.NsMin)
	}
	require.NoError(t, c.Close())
	_, err = bench.Run(t.Context(), plan(x), []bench.Engine{remote})
	require.ErrorContains(t, err, "engine remote: worker bench.test: closed")
}

func TestRunRefuses(t *testing.T) {
	x := ascending(bench.MinRows)
	ref := bench.Local("ref", double(nil), x)
	for want, c := range map[string]struct {
		spoil   func(p *bench.Plan)
		engines []bench.Engine
	}{
		"4095 distinct rows, want at least 4096: few rows flatter code with branches": {
			func(p *bench.Plan) { p.X = predict.ValuesOf(append(ascending(bench.MinRows-1).F32, 7, 7, 7)) }, []bench.Engine{ref}},
		"4 rounds, want at least 5":                                     {func(p *bench.Plan) { p.Rounds = 4 }, []bench.Engine{ref}},
		"4096 values are no rows of 3 features":                         {func(p *bench.Plan) { p.Features = 3 }, []bench.Engine{ref}},
		"nothing to measure: 0 engines, 2 batch sizes, 2 thread counts": {nil, nil},
		"engine short: 5 margins where the reference gives 4096":        {nil, []bench.Engine{ref, bench.Local("short", double(nil), x.Slice(0, 5))}},
		"engine mute: neither margins nor predictions": {nil, []bench.Engine{ref, {Name: "mute", Foreign: true,
			Score: func() (bench.Outputs, error) { return bench.Outputs{}, nil }}}},
		"engine dead: gone": {nil, []bench.Engine{ref, {Name: "dead", Score: func() (bench.Outputs, error) { return bench.Outputs{}, errors.New("gone") }}}},
		"engine ref, batch 0, threads 1: cannot measure 4096 rows in batches of 0 by 1 threads": {
			func(p *bench.Plan) { p.Batches = []int{0} }, []bench.Engine{ref}},
	} {
		p := plan(x)
		if c.spoil != nil {
			c.spoil(&p)
		}
		_, err := bench.Run(t.Context(), p, c.engines)
		require.EqualError(t, err, want)
	}
}

// records are what the table of TestTable is made from.
func records() []bench.Record {
	timing := func(engine string, batch int, ns float64, t bench.Timing) bench.Record {
		t.Batch, t.Threads, t.NsPerRow, t.NsMin, t.NsMax, t.Rows, t.Reference = batch, 1, ns, ns-ns/8, ns+ns/4, 4096, "interp"
		return bench.Record{Model: "churn.json", Engine: engine, CPU: "some processor", Timing: &t}
	}
	equal := bench.Timing{BitEqual: true}
	foreign := bench.Timing{Foreign: true, DifferRows: 4000, MaxDiff: 2.4e-7}
	wrong := bench.Timing{DifferRows: 3, MaxDiff: 0.5}
	branch := timing("branch", 4096, 95.25, equal)
	branch.Build = &bench.Build{Seconds: 12.34, PeakBytes: 812_000_000, ArtifactBytes: 5_120_000}
	return []bench.Record{
		timing("interp", 1, 30000, equal), timing("leaves", 1, 29000, foreign), timing("branch", 1, 1900, equal), timing("wrong", 1, 10, wrong),
		timing("interp", 4096, 30000, equal), branch, timing("wrong", 4096, 10, wrong),
		{Model: "other.ubj", Engine: "rest", CPU: "some processor", Load: &bench.Load{
			Connections: 32, BatchRows: 1, Requests: 43210, PerSecond: 21000.4, P50: 1.234, P95: 2.5, P99: 13.99}},
		{Model: "other.ubj", Engine: "grpc", CPU: "some processor", Load: &bench.Load{
			Connections: 8, Rate: 200, BatchRows: 64, Requests: 1000, PerSecond: 199.7, P50: 0.25, P95: 0.4, P99: 0.6,
			Errors: 2, FirstError: "row 3: prediction 1, want 2"}},
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	require.NoError(t, bench.Table(&b, records()))
	const golden = "testdata/table.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o666))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

// With several foreign engines a column says how an engine does against the
// fastest of them that is called alike.
func TestTableOfPeers(t *testing.T) {
	all := records()[:7]
	for batch, ns := range map[int]float64{1: 3800, 4096: 190.5} {
		r := all[1]
		timing := *r.Timing
		r.Engine, r.Timing = "peer", &timing
		timing.Batch, timing.NsPerRow = batch, ns
		all = append(all, r)
	}
	slow := all[1]
	slow.Engine = "slow peer"
	var b strings.Builder
	require.NoError(t, bench.Table(&b, append(all, slow)))
	require.Contains(t, b.String(), "vs leaves  vs best peer  vs interp  bits")
	var speedups [][]string
	for line := range strings.Lines(b.String()) {
		if cells := strings.Fields(line); len(cells) == 9 && cells[0] == "branch" {
			speedups = append(speedups, cells[5:8])
		}
	}
	require.Equal(t, [][]string{{"15.3×", "2.00×", "15.8×"}, {"–", "2.00×", "315×"}}, speedups)
}

func TestRecordsAsJSON(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, bench.Write(&b, records()))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, len(records()))
	require.JSONEq(t, `{"model":"churn.json","engine":"branch","cpu":"some processor","time":"0001-01-01T00:00:00Z",
		"batch":4096,"threads":1,"ns_per_row":95.25,"ns_per_row_min":83.34375,"ns_per_row_max":119.0625,"rounds":0,"rows":4096,
		"reference":"interp","foreign":false,"bit_equal":true,"differing_rows":0,"max_diff":0,
		"build_seconds":12.34,"build_peak_bytes":812000000,"artifact_bytes":5120000}`, lines[5])
	require.JSONEq(t, `{"model":"other.ubj","engine":"grpc","cpu":"some processor","time":"0001-01-01T00:00:00Z",
		"connections":8,"rate":200,"rows_per_request":64,"requests":1000,"requests_per_s":199.7,"p50_ms":0.25,"p95_ms":0.4,"p99_ms":0.6,
		"errors":2,"first_error":"row 3: prediction 1, want 2"}`, lines[8])
	for i, line := range lines {
		var r bench.Record
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		require.Equal(t, records()[i], r, "a record is read back as it was")
	}
}

// Whoever interrupts a run does not wait for its end.
func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	x := ascending(bench.MinRows)
	p := plan(x)
	p.Progress = func(done, _ int) { cancel(errors.New("enough")) }
	_, err := bench.Run(ctx, p, []bench.Engine{bench.Local("ref", double(nil), x)})
	require.EqualError(t, err, "enough")
}
