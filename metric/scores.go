package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A mean is the weighted mean of what the units add, perhaps with a root.
type mean struct {
	loss, weight []float64
	root         bool
}

func (s *mean) Units() int { return len(s.loss) }

func (s *mean) Value(count []float64) float64 {
	sum, total := 0.0, 0.0
	for i, l := range s.loss {
		w := s.weight[i]
		if count != nil {
			w *= count[i]
		}
		if w > 0 { // an infinite loss of a row that does not count is none
			sum += w * l
			total += w
		}
	}
	if s.root {
		return math.Sqrt(sum / total)
	}
	return sum / total
}

// averaged judges by the mean of a loss.
func averaged(loss rowLoss) func(*Metric, *Data, []float64, int) (Scores, error) {
	return func(m *Metric, d *Data, p []float64, width int) (Scores, error) {
		s, err := meanOf(m, loss, d, p, width)
		return s, err
	}
}

// rooted judges by the root of the mean of a loss.
func rooted(loss rowLoss) func(*Metric, *Data, []float64, int) (Scores, error) {
	return func(m *Metric, d *Data, p []float64, width int) (Scores, error) {
		s, err := meanOf(m, loss, d, p, width)
		s.root = true
		return s, err
	}
}

func meanOf(m *Metric, loss rowLoss, d *Data, p []float64, width int) (*mean, error) {
	want := max(len(m.at), 1)
	if m.Takes == Number && m.def.several && width != want {
		return &mean{}, fmt.Errorf("%d parameters for %d predicted values per row", want, width)
	}
	if m.Takes != Chances && !m.def.several && width != 1 {
		return &mean{}, fmt.Errorf("%d predicted values per row, one is judged", width)
	}
	s := &mean{loss: make([]float64, len(d.Label)), weight: d.weights()}
	for i, y := range d.Label {
		if m.Takes == Chances && int(y) >= width {
			return s, fmt.Errorf("row %d: label %v of %d classes, which count from 0", i+1, y, width)
		}
		s.loss[i] = loss(m.at, y, p[i*width:(i+1)*width])
	}
	if slices.Max(s.weight) == 0 {
		return s, errNoWeight
	}
	return s, nil
}

// weights returns the weight of each row.
func (d *Data) weights() []float64 {
	if d.Weight != nil {
		return d.Weight
	}
	return slices.Repeat([]float64{1}, len(d.Label))
}

// An auc is the area under the ROC curve: the share of pairs, one row of each class,
// that are in the right order.
type auc struct {
	order  []int  // rows by ascending prediction
	last   []bool // whether the prediction of order[i] is another than that of order[i+1]
	label  []float64
	weight []float64
}

func judgeAUC(_ *Metric, d *Data, p []float64, width int) (Scores, error) {
	if width != 1 {
		return nil, fmt.Errorf("%d predicted values per row, one is judged", width)
	}
	s := &auc{order: make([]int, len(p)), last: make([]bool, len(p)), label: d.Label, weight: d.weights()}
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortStableFunc(s.order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	for i := range s.order {
		s.last[i] = i+1 == len(p) || p[s.order[i]] != p[s.order[i+1]]
	}
	if math.IsNaN(s.Value(nil)) {
		return nil, fmt.Errorf("rows of both classes are needed")
	}
	return s, nil
}

func (s *auc) Units() int { return len(s.order) }

func (s *auc) Value(count []float64) float64 {
	right, zeros, ones := 0.0, 0.0, 0.0 // of the rows before those that tie
	tiedZeros, tiedOnes := 0.0, 0.0
	for at, i := range s.order {
		w := s.weight[i]
		if count != nil {
			w *= count[i]
		}
		if s.label[i] == 0 {
			tiedZeros += w
		} else {
			tiedOnes += w
		}
		if s.last[at] {
			right += tiedOnes * (zeros + tiedZeros/2)
			zeros, ones = zeros+tiedZeros, ones+tiedOnes
			tiedZeros, tiedOnes = 0, 0
		}
	}
	return right / (zeros * ones)
}

// judgeNDCG judges each query, which is a unit.
func judgeNDCG(m *Metric, d *Data, p []float64, width int) (Scores, error) {
	switch {
	case d.Query == nil:
		return nil, fmt.Errorf("rankings are judged by query: say which rows belong together")
	case width != 1:
		return nil, fmt.Errorf("%d predicted values per row, one is judged", width)
	}
	s := &mean{}
	weights := d.weights()
	for _, rows := range Queries(d.Query) {
		w := weights[rows[0]]
		for _, i := range rows {
			if weights[i] != w {
				return nil, fmt.Errorf("rows %d and %d of one query have the weights %v and %v; a query has one weight", rows[0]+1, i+1, w, weights[i])
			}
		}
		s.loss = append(s.loss, ndcg(d.Label, p, rows, m.at[0]))
		s.weight = append(s.weight, w)
	}
	if slices.Max(s.weight) == 0 {
		return nil, errNoWeight
	}
	return s, nil
}

// Queries returns the rows of each query, in the order in which they appear.
func Queries(query []int) [][]int {
	place := map[int]int{}
	var all [][]int
	for i, q := range query {
		at, ok := place[q]
		if !ok {
			at = len(all)
			place[q] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], i)
	}
	return all
}

// ndcg returns the gain of the first k of the given rows, as predicted, in units of
// the best there is. Rows that tie share their places: each gets the mean gain.
func ndcg(label, p []float64, rows []int, k float64) float64 {
	gain := func(i int) float64 { return math.Exp2(label[i]) - 1 }
	order := slices.Clone(rows)
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(label[b], label[a]) })
	best := 0.0
	for at, i := range order {
		best += gain(i) * discount(at, k)
	}
	if best == 0 {
		return 1 // no order of such rows is wrong
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a, b)) })
	got := 0.0
	for begin := 0; begin < len(order); {
		end, gains, discounts := begin, 0.0, 0.0
		for ; end < len(order) && p[order[end]] == p[order[begin]]; end++ {
			gains += gain(order[end])
			discounts += discount(end, k)
		}
		if end == begin { // NaN equals nothing
			return math.NaN()
		}
		got += gains / float64(end-begin) * discounts
		begin = end
	}
	return got / best
}

// discount is what a place, counted from 0, is worth.
func discount(place int, k float64) float64 {
	if float64(place) >= k {
		return 0
	}
	return 1 / math.Log2(float64(place)+2)
}
