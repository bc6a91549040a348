package nodiff

import (
	"iter"

	"hew/interp"
	"hew/predict"
)

// BatchSizes are the numbers of rows of the batches of a trial: around powers of two
// where blocked engines change their path, few and many.
var BatchSizes = [...]int{2, 63, 64, 65, 500, 4097}

// trialValues bounds the values in the rows of one trial.
const trialValues = 10_000_000

// Batches returns BatchSizes, or what fits a trial of very wide rows.
func Batches(features int) []int {
	var sizes []int
	for left, i := max(1, trialValues/features), 0; left > 0 && i < len(BatchSizes); i++ {
		n := min(BatchSizes[i], left)
		sizes = append(sizes, n)
		left -= n
	}
	return sizes
}

// A Trial holds some of the rows of a comparison with what the reference evaluator
// says about them, to try any number of predictors on.
type Trial struct {
	*answers
	fresh int // rows that no earlier trial had
}

// Trials returns the rows in x as trials, one at a time, for predictors of the
// shape of info; x has at least one row. Each trial has enough rows for a batch of
// every size in Batches: where x ends, it begins again.
func Trials(ref *interp.Engine, info predict.Info, x []float32) iter.Seq[*Trial] {
	rows := 0
	for _, n := range Batches(info.NumFeatures) {
		rows += n
	}
	return func(yield func(*Trial) bool) {
		n := len(x) / info.NumFeatures
		for first := 0; first < n; first += rows {
			fresh := min(rows, n-first)
			t := &Trial{ask(ref, info, cycle(part(x, first, first+fresh, info.NumFeatures), x, rows*info.NumFeatures)), fresh}
			t.first, t.of = first, n
			if !yield(t) {
				return
			}
		}
	}
}

// cycle returns values followed by x, as often as it takes, n in all.
func cycle(values, x []float32, n int) []float32 {
	if len(values) == n {
		return values
	}
	all := append(make([]float32, 0, n), values...)
	for len(all) < n {
		all = append(all, x[:min(len(x), n-len(all))]...)
	}
	return all
}

// Fresh returns the number of rows that no earlier trial had.
func (t *Trial) Fresh() int { return t.fresh }

// Alone scores the fresh rows with a predictor that makes a call for each, as Singly
// returns it, and adds the outcome to d.
func (t *Trial) Alone(d *Diff, singly predict.Predictor) {
	a := *t.answers
	a.rows = t.fresh
	a.compare(d, singly, []int{t.fresh})
}

// Singly returns p with functions that score each row by a call of its own.
func Singly(p predict.Predictor) predict.Predictor {
	one := p
	one.Predict = func(dst, x []float32) { each(dst, x, p.NumFeatures, p.NumOutputs, p.Predict) }
	one.Margin = func(dst, x []float32) { each(dst, x, p.NumFeatures, p.NumMargins, p.Margin) }
	if p.Leaf != nil {
		one.Leaf = func(dst []int32, x []float32) { each(dst, x, p.NumFeatures, p.NumTrees, p.Leaf) }
	}
	return one
}

func each[T any](dst []T, x []float32, features, width int, f func(dst []T, x []float32)) {
	for i := range len(x) / features {
		f(part(dst, i, i+1, width), part(x, i, i+1, features))
	}
}

// Batches scores the rows in batches of every size and adds the outcome to d.
func (t *Trial) Batches(d *Diff, p predict.Predictor) {
	t.compare(d, p, BatchSizes[:])
}
