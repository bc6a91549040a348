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
	x               predict.Values
	margin, predict predict.Values
	named           []predict.Values // of each of Info.Answers
	leaf            []int32
	rows            int
	first, of       int // row i is (first + i) mod of among all rows
}

// askRows is the number of rows that a goroutine asks about at a time.
const askRows = 256

// ask has the reference evaluate the rows in x, on all processors. A row's margins
// are computed once: its predictions and answers come from them.
func ask(ref *interp.Engine, info predict.Info, x predict.Values) *answers {
	n := x.Len() / info.NumFeatures
	a := &answers{
		x: x, rows: n, of: max(n, 1),
		margin:  predict.MakeValues(info.Output, n*info.NumMargins),
		predict: predict.MakeValues(info.Output, n*info.NumOutputs),
		leaf:    make([]int32, n*info.NumTrees),
	}
	for _, named := range info.Answers {
		a.named = append(a.named, predict.MakeValues(info.Output, n*named.Width))
	}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for begin := 0; begin < n; begin += askRows {
		slots <- struct{}{}
		wg.Go(func() {
			a.ask(ref.Typed(), info, begin, min(begin+askRows, n))
			<-slots
		})
	}
	wg.Wait()
	return a
}

// ask has the reference evaluate rows [begin, end).
func (a *answers) ask(ref interp.Typed, info predict.Info, begin, end int) {
	x := part(a.x, begin, end, info.NumFeatures)
	margin := part(a.margin, begin, end, info.NumMargins)
	ref.Margin(margin, x)
	ref.Answer(0, part(a.predict, begin, end, info.NumOutputs), margin, x)
	for i, named := range a.named {
		ref.Answer(i, part(named, begin, end, info.Answers[i].Width), margin, x)
	}
	if info.NumTrees > 0 {
		ref.Leaf(a.leaf[begin*info.NumTrees:end*info.NumTrees], x)
	}
}

// part returns rows [begin, end) of values that have width for each row.
func part(values predict.Values, begin, end, width int) predict.Values {
	return values.Slice(begin*width, end*width)
}

// compare scores the rows of a with p, in calls of the given numbers of rows by
// turns, and adds the outcome to d.
func (a *answers) compare(d *Diff, p predict.Predictor, calls []int) {
	for begin, call := 0, 0; begin < a.rows; call++ {
		end := min(begin+calls[call%len(calls)], a.rows)
		a.compareCall(d, p, begin, end)
		d.Rows += end - begin
		begin = end
	}
}

// compareCall scores rows [begin, end) with p by one call of each function.
func (a *answers) compareCall(d *Diff, p predict.Predictor, begin, end int) {
	n, x := end-begin, part(a.x, begin, end, p.NumFeatures)
	number := func(i int) int { return (a.first + begin + i) % a.of }
	margin := part(a.margin, begin, end, p.NumMargins)

	d.Margin.compare(number, p.NumMargins, results(p.Output, n*p.NumMargins, func(dst predict.Values) { p.Margin(dst, x) }), margin)
	d.Predict.compare(number, p.NumOutputs, results(p.Output, n*p.NumOutputs, func(dst predict.Values) { p.Predict(dst, x) }),
		part(a.predict, begin, end, p.NumOutputs))
	for i, named := range a.named {
		w := p.Answers[i].Width
		got := results(p.Output, n*w, func(dst predict.Values) { p.Answer(i, dst, margin, x) })
		d.Answers.compare(number, w, got, part(named, begin, end, w))
	}
	if p.Leaf == nil {
		return
	}
	got := make([]int32, n*p.NumTrees)
	for i := range got {
		got[i] = math.MinInt32 // no leaf has this number
	}
	p.Leaf(got, x)
	d.Leaf.compareLeaves(number, p.NumTrees, got, a.leaf[begin*p.NumTrees:end*p.NumTrees])
}
