// Package measure times a predictor from inside its process.
//
// It is linked into the programs that hew generates, so that generated code is
// timed without a pipe or a server in between, and by the same loop as every
// other engine.
package measure

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"hew/predict"
)

// A Spec is how an engine is called.
type Spec struct {
	Batch   int // rows per call; the last call of a pass may have fewer
	Threads int // goroutines, each with its own range of the rows; also processors, at most
}

// A Sample is what was timed in one slice of time.
type Sample struct {
	Rows  int64 // scored by all threads
	Nanos int64 // from the start until the last thread was done
}

// NanosPerRow returns the wall time per row of s.
func (s Sample) NanosPerRow() float64 { return float64(s.Nanos) / float64(s.Rows) }

// Slice scores the rows in x again and again for about d, as s says. The link
// is included: a call is one of p.Predict. Nothing in the timed loop allocates,
// as long as p.Predict does not.
func Slice(p predict.Predictor, x predict.Values, s Spec, d time.Duration) (Sample, error) {
	if p.NumFeatures < 1 || x.Len()%p.NumFeatures != 0 {
		return Sample{}, fmt.Errorf("%d values are no rows of %d features", x.Len(), p.NumFeatures)
	}
	rows := x.Len() / p.NumFeatures
	return Loop(rows, s, d, caller(&p, predict.MakeValues(p.Output, rows*p.NumOutputs), x))
}

// caller returns what scores a range of the rows in x. The types are told apart once:
// Values.Slice costs 10 ns more than a slice of one field, which would be felt with
// an engine that scores a row in a hundred.
func caller(p *predict.Predictor, dst, x predict.Values) func(begin, end int) {
	score, n, k := p.Predict, p.NumFeatures, p.NumOutputs
	switch {
	case dst.F64 == nil && x.F64 == nil:
		return func(begin, end int) {
			score(predict.Values{F32: dst.F32[begin*k : end*k]}, predict.Values{F32: x.F32[begin*n : end*n]})
		}
	case dst.F32 == nil && x.F32 == nil:
		return func(begin, end int) {
			score(predict.Values{F64: dst.F64[begin*k : end*k]}, predict.Values{F64: x.F64[begin*n : end*n]})
		}
	}
	return func(begin, end int) { score(dst.Slice(begin*k, end*k), x.Slice(begin*n, end*n)) }
}

// Loop is Slice for an engine that brings its own form of a row: call scores
// rows [begin, end). Several threads call it at once, with distinct rows.
//
// The rows are taken in turn, so that no branch predictor learns a handful of
// them. The loop ends after the pass over its rows in which the first thread
// exceeds d; a slow engine makes one whole pass, however long that takes. The
// other threads stop soon after, so that none idles while time is taken.
func Loop(rows int, s Spec, d time.Duration, call func(begin, end int)) (Sample, error) {
	if s.Batch < 1 || s.Threads < 1 || rows < s.Threads {
		return Sample{}, fmt.Errorf("cannot measure %d rows in batches of %d by %d threads", rows, s.Batch, s.Threads)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(min(s.Threads, runtime.GOMAXPROCS(0)))) // an engine may share a batch among goroutines
	l := loop{batch: s.Batch, limit: d, call: call}
	ready, begin := sync.WaitGroup{}, make(chan struct{})
	ready.Add(s.Threads)
	for t := range s.Threads {
		first, last := rows*t/s.Threads, rows*(t+1)/s.Threads
		l.threads.Go(func() {
			ready.Done()
			<-begin
			l.run(first, last)
		})
	}
	ready.Wait() // starting goroutines is not what is measured
	l.start = time.Now()
	close(begin)
	l.threads.Wait()
	return Sample{Rows: l.rows.Load(), Nanos: time.Since(l.start).Nanoseconds()}, nil
}

// A loop is one slice that runs.
type loop struct {
	batch   int
	limit   time.Duration
	call    func(begin, end int)
	start   time.Time
	threads sync.WaitGroup
	stop    atomic.Bool
	rows    atomic.Int64
}

// stride is about how many rows go by between two looks at the stop flag.
const stride = 64

// run scores rows [first, last) until the time is over.
func (l *loop) run(first, last int) {
	step := l.batch * max(1, stride/l.batch)
	done := 0
	defer func() { l.rows.Add(int64(done)) }()
	for {
		for i := first; i < last; {
			end := min(i+step, last)
			done += end - i
			for i < end {
				next := min(i+l.batch, end)
				l.call(i, next)
				i = next
			}
			if l.stop.Load() {
				return
			}
		}
		if time.Since(l.start) >= l.limit {
			l.stop.Store(true)
			return
		}
	}
}
