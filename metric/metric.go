// Package metric judges predictions by what was observed.
//
// A Metric is named, as in "logloss" or "ndcg@10". Its Judge looks at the rows once
// and gives Scores, from which the value of any sample of the rows follows fast: a
// bootstrap asks for thousands of them. All arithmetic is float64.
//
// Names and definitions are those of XGBoost's evaluation metrics
// (dmlc/xgboost:src/metric) where it has one, and of scikit-learn's sklearn.metrics
// for the rest; where the two differ about a case, the doc of a metric says which one
// it follows.
package metric

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hew/internal/nearest"
)

// A Metric is a way to judge predictions.
type Metric struct {
	Name  string // as it was asked for, with its parameters: "ndcg@10"
	Doc   string // what it is, in a line
	Takes Input  // what it judges

	// Smaller says that smaller values are better.
	Smaller bool

	at  []float64 // parameters
	def *definition
}

// An Input is what a metric judges: what it makes of a row.
type Input uint8

// The inputs.
const (
	Number  Input = iota // the predicted number; for several quantiles, one for each
	Chance               // the probability of the second of two classes
	Chances              // the probability of each class
	Class                // the index of the predicted class
	Order                // a number by which rows are ordered
)

func (i Input) String() string {
	return [...]string{"numbers", "probabilities", "probabilities", "classes", "scores"}[i]
}

// Data are what was observed.
type Data struct {
	Label  []float64 // a number, or the index of a class
	Weight []float64 // one per row; nil if all weigh the same
	Query  []int     // the query that a row belongs to, of a ranking; nil otherwise
}

// Scores are judged rows.
type Scores interface {
	// Units returns the number of what a sample is drawn from: rows, or queries.
	Units() int

	// Value returns the metric of a sample that holds unit i count[i] times; nil
	// stands for once each. It may be NaN or infinite, as for a sample of one class
	// only where two are compared.
	Value(count []float64) float64
}

// A definition is what a metric is, whatever its parameters.
type definition struct {
	name    string
	takes   Input
	smaller bool
	doc     string

	// What stands after "@": the parameter's name, "" for none; the number taken if
	// nothing stands there, and whether there is one; and which numbers are allowed.
	param  string
	preset float64
	optional,
	several bool
	allowed func(v float64) bool

	label func(y float64) error // reports a label that makes no sense; nil takes all
	judge func(m *Metric, d *Data, p []float64, width int) (Scores, error)
}

// Names returns the names of all metrics, with their parameters.
func Names() []string {
	names := make([]string, len(definitions))
	for i, d := range definitions {
		names[i] = d.name
		switch {
		case d.optional:
			names[i] += "[@" + d.param + "]"
		case d.param != "":
			names[i] += "@" + d.param
		}
	}
	return names
}

// Named returns the metric of a name.
func Named(name string) (Metric, error) {
	base, after, given := strings.Cut(name, "@")
	var known []string
	for i := range definitions {
		d := &definitions[i]
		known = append(known, d.name)
		if d.name == base {
			at, err := d.parameters(after, given)
			if err != nil {
				return Metric{}, fmt.Errorf("metric %q: %w", name, err)
			}
			return Metric{Name: name, Doc: d.doc, Takes: d.takes, Smaller: d.smaller, at: at, def: d}, nil
		}
	}
	return Metric{}, fmt.Errorf("unknown metric %q%s", name,
		cmp.Or(nearest.Hint(base, known), "; there are "+strings.Join(Names(), ", ")))
}

// parameters reads what stands after "@".
func (d *definition) parameters(text string, given bool) ([]float64, error) {
	switch {
	case !given && d.param != "" && !d.optional:
		return nil, fmt.Errorf("say which %s, as in %s@0.9", d.param, d.name)
	case !given && d.param != "":
		return []float64{d.preset}, nil
	case given && d.param == "":
		return nil, fmt.Errorf("%s has no parameter", d.name)
	case !given:
		return nil, nil
	}
	var at []float64
	for word := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil || !d.allowed(v) || len(at) > 0 && !d.several {
			return nil, fmt.Errorf("%q is not a %s", text, d.param)
		}
		at = append(at, v)
	}
	return at, nil
}

// Judge judges predictions, width values per row, row-major. Labels and weights that
// make no sense are errors.
func (m Metric) Judge(d *Data, p []float64, width int) (Scores, error) {
	n := len(d.Label)
	switch {
	case n == 0:
		return nil, errors.New("no rows to judge by")
	case len(p) != n*width:
		return nil, fmt.Errorf("%d predictions for %d rows of %d", len(p), n, width)
	case d.Weight != nil && len(d.Weight) != n:
		return nil, fmt.Errorf("%d weights for %d rows", len(d.Weight), n)
	case d.Query != nil && len(d.Query) != n:
		return nil, fmt.Errorf("%d queries for %d rows", len(d.Query), n)
	}
	for i, y := range d.Label {
		if err := m.checkLabel(y); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", m.Name, i+1, err)
		}
	}
	for i, w := range d.Weight {
		if !(w >= 0) || w > 1e300 {
			return nil, fmt.Errorf("row %d: weight %v is not a number from 0 on", i+1, w)
		}
	}
	s, err := m.def.judge(&m, d, p, width)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	return s, nil
}

func (m Metric) checkLabel(y float64) error {
	if y != y || y-y != 0 {
		return fmt.Errorf("label %v", y)
	}
	if m.def.label == nil {
		return nil
	}
	return m.def.label(y)
}

// Loss returns a value of the metric as a loss, of which 0 is the best that there
// is: the value itself, or 1 minus it if larger values are better. (The best
// poisson-, gamma- and tweedie-nloglik depends on the labels; the deviances of the
// same names start at 0.)
func (m Metric) Loss(value float64) float64 {
	if m.Smaller {
		return value
	}
	return 1 - value
}

// Ranks reports whether the metric needs queries.
func (m Metric) Ranks() bool { return m.def.name == "ndcg" }
