// Package tune looks for the lossy passes that buy the most for the least accuracy.
//
// Run makes candidates, settings of prune and quantize, and compares them with the
// unpruned model. The rows are in three parts: passes that look at rows are fitted on
// the first, a search for the front of loss against size is steered by the second,
// and the third, by which nothing was fitted or chosen, judges what is on that front,
// with a bootstrap interval of the difference. Then those that matter are measured,
// all in one interleaved run, and what the constraints ask for is chosen.
//
// A Record per candidate tells all of it. The same rows, seed and number of candidates
// give the same candidates and judgements; times are what they are.
package tune

import (
	"context"
	"fmt"
	"time"

	"hew/bench"
	"hew/ir"
	"hew/metric"
	"hew/predict"
)

// A Plan says what to tune and how.
type Plan struct {
	Model  string // for the records
	Parts  Parts
	Metric metric.Metric
	Make   Maker

	Budget     time.Duration // of the search; 0: no limit
	Candidates int           // to try at most; 0: no limit
	Seed       uint64        // of the bootstrap

	Constraints

	Speed Timing

	// Progress is called after each few candidates of the search, with how many were
	// tried and how many are proposed, and Measuring while times are taken. Both may
	// be nil.
	Progress  func(tried, proposed int)
	Measuring func(done, total int)
}

// Constraints are what the chosen candidate must keep to.
type Constraints struct {
	// MaxLoss is the largest increase of the loss, relative to the unpruned model:
	// the interval of a candidate must lie below it as a whole. It is negative for no
	// limit.
	MaxLoss float64

	MaxBytes int64   // of the tables; 0: no limit
	MaxNs    float64 // of a single row; 0: no limit

	// Accurate chooses the least loss of what is allowed. Otherwise the fastest is
	// chosen.
	Accurate bool
}

// A Timing says how candidates are measured.
type Timing struct {
	Batch  int           // rows per call, beside one
	Slice  time.Duration // of one candidate
	Rounds int           // slices of each candidate, of which the median counts; 0: nothing is measured

	// X are rows to score, at least bench.MinRows different ones.
	X predict.Values
}

// ErrNothing is what Run returns, with the records, if no candidate keeps to the
// constraints.
var ErrNothing = fmt.Errorf("no candidate keeps to the constraints")

// Up to which increase of the loss the search looks: further, if the constraint does,
// and very far if there is none, because then others are to be met at any price.
const (
	mostInteresting = 0.05
	anyPrice        = 0.5
)

func (c *Constraints) interesting() float64 {
	if c.MaxLoss < 0 {
		return anyPrice
	}
	return max(mostInteresting, 2*c.MaxLoss)
}

// Run searches, judges, measures and chooses. The first record is the unpruned model's.
// If the context ends, what was tried so far is returned with its cause; its front is
// that of the search, and nothing is chosen.
func Run(ctx context.Context, p Plan) ([]Record, error) {
	start := time.Now()
	base, err := p.Make(Candidate{}, nil)
	if err != nil {
		return nil, err
	}
	if err := p.check(base.Ensemble); err != nil {
		return nil, err
	}
	steering, err := newJudge(p.Metric, &p.Parts.Search, base)
	if err != nil {
		return nil, fmt.Errorf("the rows to search by: %w", err)
	}
	final, err := newJudge(p.Metric, &p.Parts.Judge, base)
	if err != nil {
		return nil, fmt.Errorf("the rows to judge by: %w", err)
	}
	s := search{plan: &p, fit: p.Parts.FitData(), judge: steering, base: base, limit: p.interesting()}
	if p.Budget > 0 {
		s.until = start.Add(p.Budget)
	}
	if err := s.run(ctx); err != nil {
		s.interrupted()
		return s.records(), err
	}
	judged := p.finalists(&s, final)
	few := notable(judged, s.limit)
	err = p.measure(ctx, few)
	p.front(few)
	if err == nil && !p.choose(few) {
		err = ErrNothing
	}
	s.explain(judged)
	return s.records(), err
}

func (p *Plan) check(e *ir.Ensemble) error {
	switch {
	case len(e.Trees) == 0:
		return fmt.Errorf("the model has no trees: there is nothing to prune or to quantize")
	case p.Metric.Ranks() && p.Parts.Judge.Query == nil:
		return fmt.Errorf("metric %s judges the rows of a query together: say which column holds the query", p.Metric.Name)
	}
	return p.Metric.Check(e)
}

// record begins a record of a candidate; v is nil if it could not be made.
func (p *Plan) record(c Candidate, origin string, v *Variant) Record {
	now := bench.NewRecord(p.Model, "")
	r := Record{Kind: "tune", Model: p.Model, CPU: now.CPU, Time: now.Time, Prune: c.Prune, Quantize: c.Quantize, Origin: origin}
	if v != nil {
		r.Trees, r.Nodes, r.Columns, r.Bytes, r.Certified = v.Trees, v.Nodes, v.Columns, v.Bytes, bench.Finite(v.Bound)
	}
	return r
}

func (s *search) records() []Record {
	records := make([]Record, len(s.points))
	for i, p := range s.points {
		records[i] = p.record
	}
	return records
}
