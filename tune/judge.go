package tune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"hew/bench"
	"hew/compile"
	"hew/ir"
	"hew/metric"
	"hew/predict"
)

// A judge compares candidates with the unpruned model on some rows.
type judge struct {
	m      metric.Metric
	rows   *Rows
	base   metric.Scores
	margin predict.Values // of the unpruned model
	class  []float64      // that it predicts; nil for numbers
}

// A verdict is what a judge saw of one candidate.
type verdict struct {
	Judgement
	marginChange []float64
	classChange  *float64
	scores       metric.Scores
}

func newJudge(m metric.Metric, rows *Rows, v *Variant) (*judge, error) {
	j := &judge{m: m, rows: rows, margin: margins(v, rows)}
	if metric.NumClasses(v.Ensemble) > 0 {
		j.class = metric.PredictedClasses(v.Ensemble, j.margin, rows.X)
	}
	var err error
	j.base, err = j.scores(v.Ensemble, j.margin)
	return j, err
}

func margins(v *Variant, rows *Rows) predict.Values {
	p := &v.Predictor
	out := predict.MakeValues(p.Output, rows.Len()*p.NumMargins)
	p.Margin(out, rows.X)
	return out
}

// scores judges predictions; a metric that is no finite number is an error.
func (j *judge) scores(e *ir.Ensemble, margin predict.Values) (metric.Scores, error) {
	p, width := j.m.Predictions(e, margin, j.rows.X)
	scores, err := j.m.Judge(&j.rows.Data, p, width)
	if err != nil {
		return nil, err
	}
	if v := scores.Value(nil); math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("the %s of these predictions is %v, with which nothing compares", j.m.Name, v)
	}
	return scores, nil
}

// self judges the unpruned model.
func (j *judge) self() *Judgement {
	return &Judgement{Metric: j.m.Name, Smaller: j.m.Smaller, Rows: j.rows.Len(), Value: j.base.Value(nil)}
}

// look judges a variant, without an interval.
func (j *judge) look(v *Variant) (*verdict, error) {
	margin := margins(v, j.rows)
	scores, err := j.scores(v.Ensemble, margin)
	if err != nil {
		return nil, err
	}
	value := scores.Value(nil)
	seen := &verdict{
		Judgement: Judgement{
			Metric: j.m.Name, Smaller: j.m.Smaller, Rows: j.rows.Len(), Value: value,
			Increase: increase(j.m.Loss(j.base.Value(nil)), j.m.Loss(value)),
		},
		marginChange: bench.Finite(compile.Moved(j.margin, margin, v.Ensemble.Outputs)),
		scores:       scores,
	}
	if j.class != nil {
		changed := share(j.class, metric.PredictedClasses(v.Ensemble, margin, j.rows.X))
		seen.classChange = &changed
	}
	return seen, nil
}

// increase returns how much larger a loss is than that before, relative to it. JSON
// has no infinity: the largest number stands for it, and for what is no number.
func increase(before, after float64) float64 {
	d := (after - before) / math.Abs(before)
	switch {
	case after == before:
		return 0
	case d != d || d > math.MaxFloat64:
		return math.MaxFloat64
	}
	return max(d, -math.MaxFloat64)
}

// share returns the share of the values that differ.
func share(a, b []float64) float64 {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// A bootstrap says how many samples are taken: as many as some number of draws allow,
// and no more than quantiles need.
type bootstrap struct {
	draws       float64
	least, most int
}

var (
	roughly = bootstrap{2e7, 40, 120}   // of each candidate, in the search: a tenth of a second
	finally = bootstrap{4e8, 200, 2000} // of all finalists together: a few seconds
)

func (b bootstrap) samples(n int) int { return min(max(int(b.draws/float64(n)), b.least), b.most) }

// intervals completes verdicts with the bootstrap's intervals. A sample draws as
// many rows, or queries, as there are, with replacement; all candidates and the
// unpruned model are judged by the same ones.
func (j *judge) intervals(verdicts []*verdict, b bootstrap, seed uint64) {
	if len(verdicts) == 0 {
		return
	}
	n := j.base.Units()
	samples := b.samples(n * (len(verdicts) + 1))
	increases := make([][]float64, len(verdicts))
	for i := range increases {
		increases[i] = make([]float64, samples)
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			count := make([]float64, n)
			for s := w; s < samples; s += workers {
				draw(count, rand.New(rand.NewPCG(seed, uint64(s))))
				before := j.m.Loss(j.base.Value(count))
				for i, v := range verdicts {
					increases[i][s] = increase(before, j.m.Loss(v.scores.Value(count)))
				}
			}
		})
	}
	wg.Wait()
	for i, v := range verdicts {
		slices.Sort(increases[i])
		v.Samples = samples
		v.Low, v.High = increases[i][samples/40], increases[i][samples-1-samples/40]
	}
}

// draw counts how often each unit is drawn.
func draw(count []float64, random *rand.Rand) {
	clear(count)
	for range count {
		count[random.IntN(len(count))]++
	}
}
