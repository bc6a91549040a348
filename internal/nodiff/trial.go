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
func Trials(ref *interp.Engine, info predict.Info, x predict.Values) iter.Seq[*Trial] {
	rows := 0
	for _, n := range Batches(info.NumFeatures) {
		rows += n
	}
	return func(yield func(*Trial) bool) {
		n := x.Len() / info.NumFeatures
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
func cycle(values, x predict.Values, n int) predict.Values {
	if values.Len() == n {
		return values
	}
	return predict.Values{F32: cycled(values.F32, x.F32, n), F64: cycled(values.F64, x.F64, n)}
}

func cycled[F float](values, x []F, n int) []F {
	if len(x) == 0 {
		return nil
	}
	all := append(make([]F, 0, n), values...)
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
	each := func(rows int, f func(i int)) {
		for i := range rows {
			f(i)
		}
	}
	row := func(x predict.Values, i int) predict.Values { return part(x, i, i+1, p.NumFeatures) }
	one.Predict = func(dst, x predict.Values) {
		each(x.Len()/p.NumFeatures, func(i int) { p.Predict(part(dst, i, i+1, p.NumOutputs), row(x, i)) })
	}
	one.Margin = func(dst, x predict.Values) {
		each(x.Len()/p.NumFeatures, func(i int) { p.Margin(part(dst, i, i+1, p.NumMargins), row(x, i)) })
	}
	if p.Answer != nil {
		one.Answer = func(a int, dst, margins, x predict.Values) {
			w := p.Answers[a].Width
			each(x.Len()/p.NumFeatures, func(i int) {
				p.Answer(a, part(dst, i, i+1, w), part(margins, i, i+1, p.NumMargins), row(x, i))
			})
		}
	}
	if p.Leaf != nil {
		one.Leaf = func(dst []int32, x predict.Values) {
			each(x.Len()/p.NumFeatures, func(i int) { p.Leaf(dst[i*p.NumTrees:(i+1)*p.NumTrees], row(x, i)) })
		}
	}
	return one
}

// Batches scores the rows in batches of every size and adds the outcome to d.
func (t *Trial) Batches(d *Diff, p predict.Predictor) {
	t.compare(d, p, BatchSizes[:])
}
