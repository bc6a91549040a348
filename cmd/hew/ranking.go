package main

import (
	"io"
	"slices"
	"time"

	"hew/bench"
	"hew/bench/measure"
	"hew/compile"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// A ranking tells how much of a predictor's time goes into ranking features. A server
// cannot: the two follow each other within a hundred nanoseconds. It is measured in this
// process, on the engine that the server's code is the same as.
type ranking struct {
	predictor  predict.Predictor
	rank       func(x predict.Values) // nil if nothing is ranked, or columns are computed before
	x          predict.Values
	branchRows int // calls of up to so many rows rank nothing
	known      map[int]float64
}

func newRanking(e *ir.Ensemble, flags *compileFlags, x predict.Values) (*ranking, error) {
	o, err := flags.options("", io.Discard)
	if err != nil {
		return nil, err
	}
	o.PrintAfter = ""
	r := &ranking{x: x, known: map[int]float64{}}
	if r.branchRows, err = compile.BranchRows(e, o); err != nil {
		return nil, err
	}
	g, err := compile.NewEngine(e, "auto", kernel.ThisCPU(), flags.without()...)
	if err != nil {
		return nil, err
	}
	r.predictor, r.rank = g.Predictor("ranking"), g.Ranks()
	return r, nil
}

// What share of a call's time ranking takes is measured in so many slices of each.
const (
	rankRounds = 7
	rankSlice  = 5 * time.Millisecond
)

// share returns the share of the time of a call with a number of rows, or 0 if nothing
// is known.
func (r *ranking) share(rows int) (float64, error) {
	if r.rank == nil || rows <= r.branchRows {
		return 0, nil
	}
	if s, ok := r.known[rows]; ok {
		return s, nil
	}
	width := r.predictor.NumFeatures
	spec := measure.Spec{Batch: rows, Threads: 1}
	var shares []float64
	for range rankRounds {
		part, err := measure.Loop(r.x.Len()/width, spec, rankSlice, func(begin, end int) { r.rank(r.x.Slice(begin*width, end*width)) })
		if err != nil {
			return 0, err
		}
		whole, err := measure.Slice(r.predictor, r.x, spec, rankSlice)
		if err != nil {
			return 0, err
		}
		shares = append(shares, part.NanosPerRow()/whole.NanosPerRow())
	}
	slices.Sort(shares)
	r.known[rows] = min(shares[rankRounds/2], 1)
	return r.known[rows], nil
}

// split divides the part "score" of a record into "rank" and "score".
func (r *ranking) split(record *bench.Record) error {
	i := slices.IndexFunc(record.Parts, func(p bench.Part) bool { return p.Name == "score" })
	if i < 0 {
		return nil
	}
	share, err := r.share(record.BatchRows)
	if err != nil || share == 0 {
		return err
	}
	score := record.Parts[i].Mean
	record.Parts[i].Mean = score * (1 - share)
	record.Parts = slices.Insert(record.Parts, i, bench.Part{Name: "rank", Mean: score * share})
	return nil
}
