// Package rows reads and writes files of rows: CSV, .npy, libsvm, JSON lines and Parquet.
//
// Reading gives a Table, float32 or float64 values in the column order of the model with
// NaN for what is missing. Columns with names (CSV with a header, objects in
// JSON lines, Parquet) may stand in any order and are matched to the model's
// features by name; columns without names (CSV without a header, arrays in
// JSON lines, .npy, libsvm) are taken by position. Nothing is guessed: a column
// that is no feature, a feature without a column and a category that the model
// was not trained with are errors that say where.
//
// A decimal number becomes the nearest float32 in one step, so that a float32
// in its shortest form comes back with the same bits. Python reads it to float64
// first and rounds again; the two differ by one float32 where the text lies
// within half a float64 of the middle between two float32, as 7.038531e-26 does.
// A model of float64 features gets the nearest float64, as Python reads it. What
// decides is the type of the features alone, not whose model it is.
// A number too large becomes infinite, as in a cast. A float64 or an integer in a
// file is rounded once, to the nearest even.
//
// How a feature reads what it finds:
//
//   - a number, or true and false as 1 and 0;
//   - a categorical feature whose categories the model knows: the text of the
//     category, or a number equal to it (80.0 is the category "80"). XGBoost
//     encodes a data frame with the same rule and refuses the same categories
//     (dmlc/xgboost:src/encoder/ordinal.h). In .npy and libsvm, which hold
//     numbers only, it is the category's code instead. A text that is none of
//     them has the code -1 where the model allows it;
//   - a categorical feature without known categories: its code, as given;
//   - missing: NaN, null, and in CSV the cells that pandas.read_csv takes for
//     missing: the empty cell, #N/A, #N/A N/A, #NA, -1.#IND, -1.#QNAN, -NaN,
//     -nan, 1.#IND, 1.#QNAN, <NA>, N/A, NA, NULL, NaN, None, n/a, nan, null.
//     A cell that is the text of a known category is that category.
//
// A table is held in memory whole, NumRows × NumFeatures × 4 or 8 bytes, beside the
// text of one line (CSV, JSON lines, libsvm) or the bytes of the file (Parquet). A
// value that the model refuses, as its trainer does, is an error.
package rows

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"hew/internal/nearest"
	"hew/predict"
)

// Options tells how to read a file. The zero value reads a file whose columns
// are not known, by the format that its name says.
type Options struct {
	// Format is csv, npy, libsvm, jsonl or parquet; "" goes by the name.
	Format string

	// Features are the columns of the model. Without them the columns of the
	// file are taken as they are, as numbers.
	Features []predict.Feature

	// Extra is how many of Features, the last ones, are no features of the model but
	// labels and the like. In a file without names they stand behind the features.
	Extra int

	// Type is the type of the values; "" is float32.
	Type predict.Type

	// NoHeader says that a CSV file starts with its first row: columns are
	// taken by position.
	NoHeader bool

	// Drop names columns that are not features and are left out, such as the
	// label. A name that the file does not have is no error.
	Drop []string

	// Missing is a value that also stands for a missing one, if not nil. It is
	// compared in the type of the values and with codes of categories too, as
	// XGBoost's DMatrix(missing=…) does.
	Missing *float64
}

// A Table holds rows.
type Table struct {
	NumRows     int
	NumFeatures int
	X           predict.Values // NumRows × NumFeatures, row-major; NaN is missing
}

// A fileFormat is one way to write rows down.
type fileFormat struct {
	name       string
	extensions []string
	read       func(io.Reader, Options) (*Table, error)
	write      func(io.Writer, *Output) error // nil if the format cannot hold an Output
}

// formats lists what the package knows; the first one is for standard input and output.
var formats = []fileFormat{
	{"csv", []string{".csv"}, readCSV, writeCSV},
	{"npy", []string{".npy"}, readNPY, writeNPY},
	{"libsvm", []string{".svm", ".libsvm"}, readLibSVM, nil},
	{"jsonl", []string{".jsonl", ".ndjson"}, readJSONL, writeJSONL},
	{"parquet", []string{".parquet"}, readParquet, writeParquet},
}

// File reads the rows of a file. Errors start with its path.
func File(path string, o Options) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(path, f, o)
}

// Read reads the rows in r. The name, "" or "-" for standard input, gives the
// format unless o.Format does; standard input is CSV. Errors start with it.
func Read(name string, r io.Reader, o Options) (*Table, error) {
	f, err := formatOf(name, o.Format)
	if err != nil {
		return nil, err
	}
	t, err := f.read(r, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown(name, "standard input"), err)
	}
	if o.Missing != nil {
		blank(t.X.F32, *o.Missing)
		blank(t.X.F64, *o.Missing)
	}
	if err := t.refused(o.Features); err != nil {
		return nil, fmt.Errorf("%s: %w", shown(name, "standard input"), err)
	}
	return t, nil
}

// blank makes the values equal to v missing.
func blank[T predict.Number](values []T, v float64) {
	for i, x := range values {
		if x == T(v) {
			values[i] = T(nan)
		}
	}
}

// formatOf finds a format by what was asked for or, without that, by the name.
func formatOf(name, asked string) (*fileFormat, error) {
	if asked == "" && (name == "" || name == "-") {
		return &formats[0], nil
	}
	ext := strings.ToLower(filepath.Ext(name))
	var names, extensions []string
	for i := range formats {
		f := &formats[i]
		if f.name == asked {
			return f, nil
		}
		names = append(names, f.name)
		for _, e := range f.extensions {
			if asked == "" && e == ext {
				return f, nil
			}
			extensions = append(extensions, e)
		}
	}
	if asked != "" {
		return nil, fmt.Errorf("unknown format %q%s: use %s", asked, nearest.Hint(asked, names), orList(names))
	}
	return nil, fmt.Errorf("%s: format not known by its name: use %s, or say the format", name, orList(extensions))
}

// shown is a file's name as messages show it.
func shown(name, standard string) string {
	if name == "" || name == "-" {
		return standard
	}
	return name
}

// orList joins words as in "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

var nan = math.NaN()

// refused reports the first value that the trainer would refuse.
func (t *Table) refused(features []predict.Feature) error {
	choosy := make([]int, 0, len(features)) // those that refuse some value
	for j := range features {
		if f := &features[j]; f.Refuses() {
			choosy = append(choosy, j)
		}
	}
	if len(choosy) == 0 {
		return nil
	}
	for i := range t.NumRows {
		row := t.X.Slice(i*t.NumFeatures, (i+1)*t.NumFeatures)
		for _, j := range choosy {
			f, v := &features[j], row.At(j)
			if f.Takes(v) {
				continue
			}
			if why := f.Refused(v); why != "" {
				return fmt.Errorf("row %d, column %s: %s", i+1, quote(f.Name), why)
			}
		}
	}
	return nil
}
