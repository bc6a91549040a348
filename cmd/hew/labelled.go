package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"hew/compile"
	"hew/internal/lossy"
	"hew/ir"
	"hew/predict"
	"hew/rows"
)

// labelFlags name the columns of a file of rows that are no features.
type labelFlags struct {
	label, weight, query string
}

func (l *labelFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.label, "label", "", "column of the labels: numbers, or the names of classes")
	f.StringVar(&l.weight, "weight", "", "column of the weights of rows [all weigh the same]")
	f.StringVar(&l.query, "query", "", "column that says, for a ranking, to which query a row belongs")
}

// read reads a file of rows with labels for e. Labels and weights are rounded to the
// type of the model's rows, as features are.
func (l *labelFlags) read(cmd *cobra.Command, in *rowFlags, name string, e *ir.Ensemble) (*lossy.Data, error) {
	if l.label == "" {
		return nil, usagef("the rows of %s need labels: say with --label which column holds them", name)
	}
	info := compile.Info(e, "")
	features := slices.Clone(info.Features)
	for _, column := range []string{l.label, l.weight, l.query} {
		switch {
		case column == "":
		case slices.ContainsFunc(features, func(f predict.Feature) bool { return f.Name == column }):
			return nil, usagef("column %q is a feature of the model, or named twice", column)
		case column == l.label:
			features = append(features, labelOf(e, column))
		default:
			features = append(features, predict.Feature{Name: column, Type: "float", RefusesMissing: true, RefusesInfinite: true})
		}
	}
	table, err := in.readAs(cmd, name, rows.Options{Features: features, Type: info.Input})
	if err != nil {
		return nil, err
	}
	return l.take(table, name, len(info.Features))
}

// readAny reads a file of rows for e: with labels if their column is named, and without
// otherwise.
func (l *labelFlags) readAny(cmd *cobra.Command, name string, e *ir.Ensemble) (*lossy.Data, error) {
	if l.label != "" {
		return l.read(cmd, &rowFlags{}, name, e)
	}
	table, err := (&rowFlags{}).read(cmd, name, e)
	if err != nil {
		return nil, err
	}
	return &lossy.Data{X: widened(table.X)}, nil
}

// widened returns values as float64.
func widened(v predict.Values) []float64 {
	wide := make([]float64, v.Len())
	for i := range wide {
		wide[i] = v.At(i)
	}
	return wide
}

// labelOf describes the column of labels: the classes of e by their names, if they have
// some, or numbers.
func labelOf(e *ir.Ensemble, name string) predict.Feature {
	f := predict.Feature{Name: name, Type: "float", RefusesMissing: true, RefusesInfinite: true}
	if e.Task == ir.Classification && len(e.Classes) > 0 {
		f.Type, f.Categories = "categorical", e.Classes
	}
	return f
}

// take separates the columns behind the features.
func (l *labelFlags) take(table *rows.Table, name string, features int) (*lossy.Data, error) {
	d := &lossy.Data{}
	for i := range table.NumRows {
		row := table.X.Slice(i*table.NumFeatures, (i+1)*table.NumFeatures)
		for j := range features {
			d.X = append(d.X, row.At(j))
		}
		d.Y = append(d.Y, row.At(features))
		next := features + 1
		if l.weight != "" {
			w := row.At(next)
			if w < 0 {
				return nil, fmt.Errorf("%s: row %d, column %q: a weight of %v", name, i+1, l.weight, w)
			}
			d.Weight = append(d.Weight, w)
			next++
		}
		if l.query != "" {
			q := row.At(next)
			if q != math.Trunc(q) || math.Abs(q) > 1<<53 {
				return nil, fmt.Errorf("%s: row %d, column %q: query %v is no whole number", name, i+1, l.query, q)
			}
			d.Query = append(d.Query, int(q))
		}
	}
	if len(d.Y) == 0 {
		return nil, fmt.Errorf("%s: no rows", name)
	}
	return d, nil
}
