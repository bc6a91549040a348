package tune_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/metric"
	"hew/predict"
	"hew/tune"
)

// numbered returns n rows of two features, of which the first is the row's number, as
// are its weight and its query, by tens. A third of them are of class 1, and a tenth
// of class 2.
func numbered(n int) *tune.Rows {
	r := &tune.Rows{X: predict.MakeValues(predict.Float32, 2*n), NumFeatures: 2, Data: metric.Data{Query: make([]int, n)}}
	for i := range n {
		r.X.F32[2*i], r.X.F32[2*i+1] = float32(i), -1
		y := 0.0
		switch {
		case i%10 == 9:
			y = 2
		case i%3 == 0:
			y = 1
		}
		r.Label = append(r.Label, y)
		r.Weight = append(r.Weight, float64(i))
		r.Query[i] = i / 10
	}
	return r
}

// numbers returns the numbers of the rows of a part, and requires that what belongs to
// a row stayed with it.
func numbers(t *testing.T, part, of *tune.Rows) []int {
	var all []int
	for i := range part.Len() {
		n := int(part.X.At(2 * i))
		require.Equal(t, -1.0, part.X.At(2*i+1))
		require.Equal(t, of.Label[n], part.Label[i])
		require.Equal(t, of.Weight[n], part.Weight[i])
		if of.Query != nil {
			require.Equal(t, of.Query[n], part.Query[i])
		}
		all = append(all, n)
	}
	require.True(t, slices.IsSorted(all))
	return all
}

// requireDivided requires that each row is in one part, and returns the rows of each.
func requireDivided(t *testing.T, of *tune.Rows, parts ...*tune.Rows) [][]int {
	var each [][]int
	var all []int
	for _, p := range parts {
		each = append(each, numbers(t, p, of))
		all = append(all, each[len(each)-1]...)
	}
	slices.Sort(all)
	require.Len(t, all, of.Len())
	require.Len(t, slices.Compact(all), of.Len())
	return each
}

func TestSplit(t *testing.T) {
	r := numbered(1000)
	r.Query = nil
	for _, classes := range []bool{false, true} {
		p, err := tune.Split(r, classes, 1)
		require.NoError(t, err)
		each := requireDivided(t, r, &p.Fit, &p.Search, &p.Judge)
		require.InDelta(t, 300, p.Fit.Len(), 2)
		require.InDelta(t, 300, p.Search.Len(), 2)

		again, err := tune.Split(r, classes, 1)
		require.NoError(t, err)
		require.Equal(t, p, again)
		other, err := tune.Split(r, classes, 2)
		require.NoError(t, err)
		require.NotEqual(t, each[0], numbers(t, &other.Fit, r))
	}
}

// TestSplitClasses: each part has its share of every class, to one row.
func TestSplitClasses(t *testing.T) {
	r := numbered(997)
	r.Query = nil
	count := func(r *tune.Rows, class float64) (n int) {
		for _, y := range r.Label {
			if y == class {
				n++
			}
		}
		return n
	}
	for seed := range uint64(20) {
		p, err := tune.Split(r, true, seed)
		require.NoError(t, err)
		for class := range 3 {
			of := float64(count(r, float64(class)))
			require.InDelta(t, 0.3*of, count(&p.Fit, float64(class)), 1)
			require.InDelta(t, 0.3*of, count(&p.Search, float64(class)), 1)
			require.InDelta(t, 0.4*of, count(&p.Judge, float64(class)), 1)
		}
	}
}

// TestSplitQueries: no query is in two parts.
func TestSplitQueries(t *testing.T) {
	r := numbered(2000)
	rand.New(rand.NewPCG(1, 1)).Shuffle(200, func(i, j int) { r.Query[i], r.Query[j] = r.Query[j], r.Query[i] }) // rows of a query apart
	p, err := tune.Split(r, false, 3)
	require.NoError(t, err)
	requireDivided(t, r, &p.Fit, &p.Search, &p.Judge)
	part := map[int]int{}
	for i, of := range []*tune.Rows{&p.Fit, &p.Search, &p.Judge} {
		for _, q := range of.Query {
			before, seen := part[q]
			require.True(t, !seen || before == i, "query %d", q)
			part[q] = i
		}
	}
	require.Len(t, part, 200)
}

func TestSplitWith(t *testing.T) {
	r, judge := numbered(500), numbered(200)
	p, err := tune.SplitWith(r, judge, false, 1)
	require.NoError(t, err)
	require.Equal(t, *judge, p.Judge)
	requireDivided(t, r, &p.Fit, &p.Search)
	require.InDelta(t, 250, p.Fit.Len(), 10)

	d := p.FitData()
	require.Len(t, d.X, 2*p.Fit.Len())
	require.Equal(t, p.Fit.X.At(4), d.X[4])
	require.Equal(t, p.Fit.Label, d.Y)
	require.Equal(t, p.Fit.Weight, d.Weight)
	require.Equal(t, p.Fit.Query, d.Query)
}

func TestSplitDouble(t *testing.T) {
	r := numbered(200)
	r.Query = nil
	wide := make([]float64, len(r.X.F32))
	for i, v := range r.X.F32 {
		wide[i] = float64(v)
	}
	r.X = predict.ValuesOf(wide)
	p, err := tune.Split(r, false, 1)
	require.NoError(t, err)
	require.Equal(t, predict.Float64, p.Fit.X.Type())
	requireDivided(t, r, &p.Fit, &p.Search, &p.Judge)
}

func TestSplitTooFew(t *testing.T) {
	few := numbered(50)
	few.Query = nil
	_, err := tune.Split(few, false, 1)
	require.EqualError(t, err, "15 rows to fit on; 20 are the least: give more rows")
	_, err = tune.Split(numbered(600), false, 1)
	require.EqualError(t, err, "18 queries to fit on; 20 are the least: give more rows")
	_, err = tune.SplitWith(numbered(500), few, false, 1)
	require.NoError(t, err)
	_, err = tune.SplitWith(numbered(500), numbered(100), false, 1)
	require.EqualError(t, err, "10 queries to judge by; 20 are the least: give more rows")
}
