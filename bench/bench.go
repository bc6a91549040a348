// Package bench measures predictors and servers and renders what it measured.
//
// Speed is a ratio between engines in one run. Run therefore takes short slices
// of all engines in turn, so that what else the machine does falls on each of
// them alike, and it compares their outputs by bits in the same run. Records are
// what a run leaves; Table is made from records and from nothing else.
package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"hew/bench/measure"
	"hew/predict"
)

// MinRows is how many distinct rows a run needs. With few, a branch predictor
// learns the paths of each row, and branchy code looks several times faster than
// it is on rows that it has not seen.
const MinRows = 4096

// MinRounds is how many rounds a run needs for its median.
const MinRounds = 5

// A Plan says what a run measures. Each of Batches is combined with each of
// Threads.
type Plan struct {
	Model    string // for the records
	X        predict.Values
	Features int // values in a row of X
	Batches  []int
	Threads  []int
	Slice    time.Duration // per engine, batch, threads and round
	Rounds   int
	Progress func(done, total int) // called after each slice; may be nil
}

// Run measures the engines, all of which hold the rows of the plan, and compares
// each with the first: its outputs are the right ones. The records are ordered by
// batch, then threads, then engine. It ends early with the context.
func Run(ctx context.Context, p Plan, engines []Engine) ([]Record, error) {
	if err := p.check(engines); err != nil {
		return nil, err
	}
	verdicts, err := p.verdicts(engines)
	if err != nil {
		return nil, err
	}
	var specs []measure.Spec
	for _, b := range p.Batches {
		for _, t := range p.Threads {
			specs = append(specs, measure.Spec{Batch: b, Threads: t})
		}
	}
	times, err := p.measure(ctx, engines, specs)
	if err != nil {
		return nil, err
	}
	var records []Record
	for s, spec := range specs {
		for i, e := range engines {
			r, t := NewRecord(p.Model, e.Name), verdicts[i]
			slices.Sort(times[s][i])
			t.Batch, t.Threads = spec.Batch, spec.Threads
			t.NsMin, t.NsPerRow, t.NsMax = times[s][i][0], times[s][i][p.Rounds/2], times[s][i][p.Rounds-1]
			r.Timing, r.Build = &t, e.Build
			records = append(records, r)
		}
	}
	return records, nil
}

func (p *Plan) check(engines []Engine) error {
	switch {
	case p.Features < 1 || p.X.Len()%p.Features != 0:
		return fmt.Errorf("%d values are no rows of %d features", p.X.Len(), p.Features)
	case p.Rounds < MinRounds:
		return fmt.Errorf("%d rounds, want at least %d", p.Rounds, MinRounds)
	case len(engines) == 0 || len(p.Batches) == 0 || len(p.Threads) == 0:
		return fmt.Errorf("nothing to measure: %d engines, %d batch sizes, %d thread counts",
			len(engines), len(p.Batches), len(p.Threads))
	}
	if n := Distinct(p.X, p.Features); n < MinRows {
		return fmt.Errorf("%d distinct rows, want at least %d: few rows flatter code with branches", n, MinRows)
	}
	return nil
}

// Distinct returns the number of different rows in x, but no more than
// MinRows.
func Distinct(x predict.Values, features int) int {
	var key []byte
	seen := map[string]bool{}
	for i := 0; i < x.Len(); i += features {
		row := x.Slice(i, i+features)
		key, _ = binary.Append(key[:0], binary.LittleEndian, row.F32) // floats are of fixed size
		key, _ = binary.Append(key, binary.LittleEndian, row.F64)
		if seen[string(key)] = true; len(seen) == MinRows {
			break
		}
	}
	return len(seen)
}

// verdicts returns, for each engine, the part of its records that says whether it
// is right.
func (p *Plan) verdicts(engines []Engine) ([]Timing, error) {
	var want Outputs
	rows := p.X.Len() / p.Features
	verdicts := make([]Timing, len(engines))
	for i, e := range engines {
		got, err := e.Score()
		if i == 0 {
			want = got
		}
		if err == nil {
			err = want.checkShape(got, e.Foreign)
		}
		if err != nil {
			return nil, fmt.Errorf("engine %s: %w", e.Name, err)
		}
		t := Timing{Rounds: p.Rounds, Rows: rows, Reference: engines[0].Name, Foreign: e.Foreign}
		t.DifferRows, t.MaxDiff = compare(want, got, rows)
		t.BitEqual = t.DifferRows == 0
		verdicts[i] = t
	}
	return verdicts, nil
}

// measure returns the time per row in nanoseconds of each round, for each spec
// and engine. A round before the first warms up and does not count. Each round
// begins with another engine, so that none always follows the same one.
func (p *Plan) measure(ctx context.Context, engines []Engine, specs []measure.Spec) ([][][]float64, error) {
	times := make([][][]float64, len(specs))
	for s := range times {
		times[s] = make([][]float64, len(engines))
	}
	done, total := 0, (p.Rounds+1)*len(specs)*len(engines)
	for round := range p.Rounds + 1 {
		for s, spec := range specs {
			for k := range engines {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				i := (k + round) % len(engines)
				sample, err := engines[i].Measure(spec, p.Slice)
				if err != nil {
					return nil, fmt.Errorf("engine %s, batch %d, threads %d: %w", engines[i].Name, spec.Batch, spec.Threads, err)
				}
				if round > 0 {
					times[s][i] = append(times[s][i], sample.NanosPerRow())
				}
				if done++; p.Progress != nil {
					p.Progress(done, total)
				}
			}
		}
	}
	return times, nil
}
