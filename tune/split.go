package tune

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"hew/internal/lossy"
	"hew/metric"
	"hew/predict"
)

// Rows are observations: rows of features with what was observed about them.
type Rows struct {
	X           predict.Values // rows × features, of the ensemble's type Input
	NumFeatures int
	metric.Data
}

// Len returns the number of rows.
func (r *Rows) Len() int { return len(r.Label) }

// Parts are rows for three purposes that must not mix.
type Parts struct {
	Fit    Rows // passes look at these: reduced-error, trees, refit, thresholds by weight
	Search Rows // settings are compared on these while the search goes on
	Judge  Rows // nothing was fitted on these or chosen by them before they judge
}

// FitData returns the rows to fit on as passes take them.
func (p *Parts) FitData() *lossy.Data { return p.Fit.lossy() }

// What shares of the rows the parts get: a judge of more rows sees smaller
// differences.
const (
	fitShare    = 0.3
	searchShare = 0.3
)

// minPart is the smallest number of rows, or queries, of a part. With fewer, every
// interval would hold everything.
const minPart = 20

// Split divides the rows of one file.
func Split(r *Rows, classes bool, seed uint64) (Parts, error) {
	parts := r.split(classes, seed, fitShare, searchShare, 1-fitShare-searchShare)
	p := Parts{parts[0], parts[1], parts[2]}
	return p, p.check()
}

// SplitWith divides rows into those to fit on and those to search by; the judge's
// rows are others.
func SplitWith(r, judge *Rows, classes bool, seed uint64) (Parts, error) {
	parts := r.split(classes, seed, 0.5, 0.5)
	p := Parts{parts[0], parts[1], *judge}
	return p, p.check()
}

func (p *Parts) check() error {
	for _, part := range []struct {
		purpose string
		rows    *Rows
	}{{"to fit on", &p.Fit}, {"to search by", &p.Search}, {"to judge by", &p.Judge}} {
		n, of := part.rows.Len(), "rows"
		if part.rows.Query != nil {
			n, of = len(metric.Queries(part.rows.Query)), "queries"
		}
		if n < minPart {
			return fmt.Errorf("%d %s %s; %d are the least: give more rows", n, of, part.purpose, minPart)
		}
	}
	return nil
}

// split divides r by shares, which add up to 1, at random. Each class is divided by
// the same shares, and a query is not divided.
func (r *Rows) split(classes bool, seed uint64, shares ...float64) []Rows {
	random := rand.New(rand.NewPCG(seed, 1))
	places := make([][]int, len(shares))
	for _, units := range r.strata(classes) {
		random.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
		end, before := 0.0, 0
		for part, share := range shares {
			end += share * float64(len(units))
			upTo := int(end + 0.5 + random.Float64()*1e-9)
			if part == len(shares)-1 {
				upTo = len(units)
			}
			for _, rows := range units[before:upTo] {
				places[part] = append(places[part], rows...)
			}
			before = upTo
		}
	}
	parts := make([]Rows, len(shares))
	for i := range parts {
		slices.Sort(places[i])
		parts[i] = r.take(places[i])
	}
	return parts
}

// strata returns the rows that are to be divided by equal shares: those of each
// class, or all of them. A row is a unit, or a query.
func (r *Rows) strata(classes bool) [][][]int {
	switch {
	case r.Query != nil:
		return [][][]int{metric.Queries(r.Query)}
	case !classes:
		return [][][]int{units(r.Label, func(float64) bool { return true })}
	}
	labels := slices.Clone(r.Label)
	slices.SortFunc(labels, cmp.Compare)
	var strata [][][]int
	for _, y := range slices.Compact(labels) {
		strata = append(strata, units(r.Label, func(l float64) bool { return l == y }))
	}
	return strata
}

// units returns the rows with the labels that are wanted, each by itself.
func units(label []float64, wanted func(float64) bool) [][]int {
	var all [][]int
	for i, y := range label {
		if wanted(y) {
			all = append(all, []int{i})
		}
	}
	return all
}

// take returns the rows at the given places.
func (r *Rows) take(places []int) Rows {
	f := r.NumFeatures
	t := Rows{X: predict.MakeValues(r.X.Type(), len(places)*f), NumFeatures: f}
	t.Label = pick(r.Label, places)
	t.Weight = pick(r.Weight, places)
	t.Query = pick(r.Query, places)
	for i, at := range places {
		copy(t.X.Slice(i*f, (i+1)*f).F32, r.X.Slice(at*f, (at+1)*f).F32)
		copy(t.X.Slice(i*f, (i+1)*f).F64, r.X.Slice(at*f, (at+1)*f).F64)
	}
	return t
}

func pick[T any](values []T, places []int) []T {
	if values == nil {
		return nil
	}
	picked := make([]T, len(places))
	for i, at := range places {
		picked[i] = values[at]
	}
	return picked
}

// lossy returns the rows as passes take them.
func (r *Rows) lossy() *lossy.Data {
	return &lossy.Data{X: r.X.Float64s(), Y: r.Label, Weight: r.Weight, Query: r.Query}
}
