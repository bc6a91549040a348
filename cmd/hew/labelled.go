package main

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

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
	f.StringVar(&l.label, "label", "", "column of the labels: numbers, or the names of classes; behind the features in a file without names")
	f.StringVar(&l.weight, "weight", "", "column of the weights of rows; in a file without names, behind the labels [all weigh the same]")
	f.StringVar(&l.query, "query", "", "column of the number of the query that a row of a ranking belongs to; in a file without names, the last")
}

// read reads a file of rows with labels for e. Labels and weights are rounded to the
// type of the model's rows, as features are.
func (l *labelFlags) read(cmd *cobra.Command, in *rowFlags, name string, e *ir.Ensemble) (*lossy.Data, error) {
	if l.label == "" {
		return nil, usagef("the rows of %s need labels: say with --label which column holds them", name)
	}
	if err := l.checkPositions(in, name); err != nil {
		return nil, err
	}
	info := compile.Info(e, "")
	features := slices.Clone(info.Features)
	label, classes := labelOf(e, l.label), map[float64]float64(nil)
	if strings.EqualFold(filepath.Ext(name), ".npy") {
		classes = classNumbers(&label)
	}
	for _, column := range []string{l.label, l.weight, l.query} {
		switch {
		case column == "":
		case slices.ContainsFunc(features, func(f predict.Feature) bool { return f.Name == column }):
			return nil, usagef("column %q is a feature of the model, or named twice", column)
		case column == l.label:
			features = append(features, label)
		default:
			features = append(features, predict.Feature{Name: column, Type: "float", RefusesMissing: true, RefusesInfinite: true})
		}
	}
	table, err := in.readAs(cmd, name, rows.Options{Features: features, Extra: len(features) - len(info.Features), Type: info.Input})
	if err != nil {
		return nil, err
	}
	d, err := l.take(table, name, len(info.Features))
	if err != nil || classes == nil {
		return d, err
	}
	return d, toClasses(d.Y, classes, name)
}

// checkPositions refuses what looks like the position of a column in a file whose columns
// have no names, and a file that has no columns.
func (l *labelFlags) checkPositions(in *rowFlags, name string) error {
	extension := strings.ToLower(filepath.Ext(name))
	if extension == ".svm" || extension == ".libsvm" {
		return usagef("%s: labels are read from columns, which a %s file has not: use CSV, JSON lines, Parquet or .npy", name, extension)
	}
	if !in.noHeader && extension != ".npy" {
		return nil
	}
	for _, column := range []string{l.label, l.weight, l.query} {
		if _, err := strconv.Atoi(column); err == nil {
			return usagef("%s has no names for column %s: columns are taken in the order features, label, weight, query, and only the names of --label, --weight and --query say which of these there are", name, column)
		}
	}
	return nil
}

// toClasses replaces labels by the indices of their classes.
func toClasses(labels []float64, classes map[float64]float64, name string) error {
	for i, y := range labels {
		class, ok := classes[y]
		if !ok {
			known := slices.Sorted(maps.Keys(classes))
			return fmt.Errorf("%s: row %d: label %v is none of the classes %v", name, i+1, y, known)
		}
		labels[i] = class
	}
	return nil
}

// classNumbers returns the index of each class by its label, if all labels are numbers,
// and makes the column one of numbers: a .npy file, which holds codes for text, has the
// labels themselves then. It returns nil otherwise.
func classNumbers(label *predict.Feature) map[float64]float64 {
	classes := map[float64]float64{}
	for i, text := range label.Categories {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil
		}
		classes[v], classes[float64(float32(v))] = float64(i), float64(i)
	}
	if len(classes) == 0 {
		return nil
	}
	label.Type, label.Categories = "float", nil
	return classes
}

// readAny reads a file of rows for e: with labels if their column is named, and without
// otherwise.
func (l *labelFlags) readAny(cmd *cobra.Command, in *rowFlags, name string, e *ir.Ensemble) (*lossy.Data, error) {
	switch {
	case l.label != "":
		return l.read(cmd, in, name, e)
	case l.weight != "" || l.query != "":
		return nil, usagef("--weight and --query are about rows with labels: say with --label which column of %s holds them", name)
	}
	table, err := in.read(cmd, name, e)
	if err != nil {
		return nil, err
	}
	return &lossy.Data{X: table.X.Float64s()}, nil
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
