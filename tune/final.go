package tune

import (
	"context"
	"fmt"
	"math"
	"slices"

	"hew/bench"
	"hew/internal/nodiff"
	"hew/interp"
)

// A finalist is a point that was judged and, if it is notable, measured. The first of
// several is the unpruned model.
type finalist struct {
	*point
	variant *Variant
	judged  place // by the judge's rows
}

// Of the front of the search, how many are judged, and how many of those are compared
// and measured.
const (
	mostJudged  = 48
	mostNotable = 16
)

// finalists makes points of the front of the search again, and judges them.
func (p *Plan) finalists(s *search, j *judge) []*finalist {
	base := &finalist{point: s.points[0], variant: s.base}
	base.record.Judge = j.self()
	on := s.front()
	kept := func(i int) bool { return p.broken(&on[i].record, on[i].record.Search) == "" }
	all := []*finalist{base}
	for _, i := range half(places(on), nil, mostJudged, kept) {
		all = append(all, &finalist{point: on[i]})
	}
	verdicts := make([]*verdict, len(all)-1)
	errs := make([]error, len(all)-1)
	concurrently(len(verdicts), func(i int) {
		f := all[i+1]
		if f.variant, errs[i] = p.Make(f.setting.candidate(), s.fit); errs[i] == nil {
			verdicts[i], errs[i] = j.look(f.variant)
		}
	})
	all, verdicts = judgeable(all, verdicts, errs)
	j.intervals(verdicts, finally, p.Seed)
	for i, v := range verdicts {
		f := all[i+1]
		r := &f.record
		r.Judge, r.MarginChange, r.ClassChange = &v.Judgement, v.marginChange, v.classChange
		f.judged = effectOf(r.Judge, r, &base.record).place(s.limit)
		r.Rejected = p.broken(r, r.Judge)
		if r.Judge.Increase > s.limit {
			r.Rejected = s.beyond(r.Judge)
		}
	}
	return all
}

// judgeable returns the finalists that the judge's rows say something about, with their
// verdicts. The others are rejected.
func judgeable(all []*finalist, verdicts []*verdict, errs []error) ([]*finalist, []*verdict) {
	left, told := all[:1:1], verdicts[:0]
	for i, f := range all[1:] {
		if errs[i] != nil {
			f.record.Rejected = errs[i].Error()
			continue
		}
		left, told = append(left, f), append(told, verdicts[i])
	}
	return left, told
}

// half returns the indices of at most n places, those in first among them: up to half
// of them are of the kind that is wanted.
func half(places []place, first []int, n int, wanted func(i int) bool) []int {
	return spread(places, spread(places, first, n/2, wanted), n, func(int) bool { return true })
}

// spread returns the indices of at most n places, those in first among them: of the
// others, as far as they are wanted, always the one that is farthest from all that
// were taken.
func spread(places []place, first []int, n int, wanted func(i int) bool) []int {
	taken := slices.Clone(first)
	for len(taken) < n {
		farthest, most := -1, math.Inf(-1)
		for i, p := range places {
			least := math.Inf(1)
			for _, j := range taken {
				least = min(least, distance(p, places[j]))
			}
			if !slices.Contains(taken, i) && wanted(i) && least > most {
				farthest, most = i, least
			}
		}
		if farthest < 0 {
			break
		}
		taken = append(taken, farthest)
	}
	slices.Sort(taken)
	return taken
}

func distance(p, q place) float64 {
	most := 0.0
	for i := range p {
		most = max(most, math.Abs(p[i]-q[i]))
	}
	return most
}

// broken says which constraint a candidate breaks, as far as it was judged and
// measured, or nothing.
func (p *Plan) broken(r *Record, j *Judgement) string {
	switch {
	case p.MaxLoss >= 0 && j != nil && j.High > p.MaxLoss:
		return fmt.Sprintf("the loss may be up to %s, %s allowed", percent(j.High), percent(p.MaxLoss))
	case p.MaxBytes > 0 && r.Bytes > p.MaxBytes:
		return fmt.Sprintf("%d bytes, %d allowed", r.Bytes, p.MaxBytes)
	case p.MaxNs > 0 && r.Speed != nil && r.Speed.NsSingle > p.MaxNs:
		return fmt.Sprintf("%s ns per row, %s allowed", bench.Nanos(r.Speed.NsSingle), bench.Nanos(p.MaxNs))
	}
	return ""
}

// percent returns a change as a percentage with its sign.
func percent(v float64) string {
	switch {
	case v == math.MaxFloat64:
		return "+∞"
	case v >= 1e3:
		return fmt.Sprintf("+%.2g times", v)
	case v == 0:
		return "0%"
	case math.Abs(v) < 1e-4:
		return fmt.Sprintf("%+.2g%%", 100*v)
	}
	return fmt.Sprintf("%+.2f%%", 100*v)
}

// measure takes times of finalists, the unpruned model first, all in one run.
func (p *Plan) measure(ctx context.Context, measured []*finalist) error {
	if p.Speed.Rounds == 0 {
		return nil
	}
	records, err := bench.Run(ctx, bench.Plan{
		Model: p.Model, X: p.Speed.X, Features: p.Parts.Judge.NumFeatures,
		Batches: []int{1, p.Speed.Batch}, Threads: []int{1}, Slice: p.Speed.Slice, Rounds: p.Speed.Rounds,
		Progress: p.Measuring,
	}, p.engines(measured))
	if err != nil {
		return err
	}
	for i, f := range measured {
		single, batch := records[i].Timing, records[len(measured)+i].Timing
		f.record.Speed = &Speed{
			Engine: f.variant.Predictor.Source.Engine, Batch: batch.Batch, Rounds: batch.Rounds,
			NsSingle: single.NsPerRow, SingleMin: single.NsMin, SingleMax: single.NsMax,
			NsBatch: batch.NsPerRow, BatchMin: batch.NsMin, BatchMax: batch.NsMax,
			BitEqual: nodiff.Compare(interp.New(f.variant.Ensemble), f.variant.Predictor, p.Parts.Judge.X).OK(),
		}
		if f.record.Rejected == "" {
			f.record.Rejected = p.broken(&f.record, f.record.Judge)
		}
		if !f.record.Speed.BitEqual {
			return fmt.Errorf("%s: the engine %s does not give the reference's bits", f.record.Settings(), f.record.Speed.Engine)
		}
	}
	return nil
}

// notable returns the finalists to compare: the unpruned model, and at most so many of
// those within the limit that no other is as good as.
func notable(all []*finalist, limit float64) []*finalist {
	within := slices.DeleteFunc(slices.Clone(all), func(f *finalist) bool { return f.record.Judge.Increase > limit })
	judged := func(all []*finalist) []place {
		places := make([]place, len(all))
		for i, f := range all {
			places[i] = f.judged
		}
		return places
	}
	on := within[:1:1]
	for _, i := range front(judged(within[1:])) {
		on = append(on, within[i+1])
	}
	var chosen []*finalist
	for _, i := range half(judged(on), []int{0}, mostNotable, func(i int) bool { return on[i].record.Rejected == "" }) {
		chosen = append(chosen, on[i])
	}
	return chosen
}

// engines returns the predictors of finalists for a run in which the first, the
// unpruned model, is the reference of all: its predictions are not theirs, so that
// they take part as engines that owe nobody the same bits.
func (p *Plan) engines(finalists []*finalist) []bench.Engine {
	var engines []bench.Engine
	for i, f := range finalists {
		e := bench.Local(f.record.Settings(), f.variant.Predictor, p.Speed.X)
		e.Foreign = i > 0
		score := e.Score
		e.Score = func() (bench.Outputs, error) {
			o, err := score()
			return bench.Outputs{Margin: o.Margin, Predict: o.Predict}, err
		}
		engines = append(engines, e)
	}
	return engines
}
