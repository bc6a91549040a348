package nodiff

import (
	"math"
	"runtime"
	"sync"

	"hew/interp"
	"hew/predict"
)

// answers are rows and what the reference evaluator says about them.
type answers struct {
	x               []float32
	margin, predict []float32
	leaf            []int32
	rows            int
	first, of       int // row i is (first + i) mod of among all rows
}

// askRows is the number of rows that a goroutine asks about at a time.
const askRows = 256

// ask has the reference evaluate the rows in x, on all processors. A row's margins
// are computed once: its predictions are the link of them.
func ask(ref *interp.Engine, info predict.Info, x []float32) *answers {
	n := len(x) / info.NumFeatures
	a := &answers{
		x: x, rows: n, of: max(n, 1),
		margin:  make([]float32, n*info.NumMargins),
		predict: make([]float32, n*info.NumOutputs),
		leaf:    make([]int32, n*info.NumTrees),
	}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for begin := 0; begin < n; begin += askRows {
		slots <- struct{}{}
		wg.Go(func() {
			end := min(begin+askRows, n)
			x := part(x, begin, end, info.NumFeatures)
			margin := part(a.margin, begin, end, info.NumMargins)
			ref.Margin(margin, x)
			ref.Transform(part(a.predict, begin, end, info.NumOutputs), margin)
			if info.NumTrees > 0 {
				ref.Leaf(part(a.leaf, begin, end, info.NumTrees), x)
			}
			<-slots
		})
	}
	wg.Wait()
	return a
}

// part returns rows [begin, end) of values that have width for each row.
func part[T any](values []T, begin, end, width int) []T { return values[begin*width : end*width] }

// compare scores the rows of a with p, in calls of the given numbers of rows by
// turns, and adds the outcome to d.
func (a *answers) compare(d *Diff, p predict.Predictor, calls []int) {
	for begin, call := 0, 0; begin < a.rows; call++ {
		end := min(begin+calls[call%len(calls)], a.rows)
		n, x := end-begin, part(a.x, begin, end, p.NumFeatures)
		number := func(i int) int { return (a.first + begin + i) % a.of }

		d.Margin.compare(number, p.NumMargins, results(n*p.NumMargins, x, p.Margin), part(a.margin, begin, end, p.NumMargins))
		d.Predict.compare(number, p.NumOutputs, results(n*p.NumOutputs, x, p.Predict), part(a.predict, begin, end, p.NumOutputs))
		if p.Leaf != nil {
			got := make([]int32, n*p.NumTrees)
			for i := range got {
				got[i] = math.MinInt32 // no leaf has this number
			}
			p.Leaf(got, x)
			d.Leaf.compareLeaves(number, p.NumTrees, got, part(a.leaf, begin, end, p.NumTrees))
		}
		d.Rows += n
		begin = end
	}
}
