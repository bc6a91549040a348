package rows

import (
	"fmt"
	"io"
)

// An Output is an array to write: what a predictor made of the rows.
// One of the slices of values is not nil and holds its values, row-major.
type Output struct {
	// Columns are the names of the columns, at least one. A .npy has none.
	Columns []string

	// Shape is the array's own shape, for .npy: the trainer gives (rows) where
	// it has one value per row and (rows, columns) or more dimensions
	// otherwise. Its first number is the rows.
	Shape []int

	Float32 []float32
	Float64 []float64
	Int64   []int64
	Bool    []bool
	Text    []string

	// TextWidth is the number of characters of the widest text that there can be:
	// .npy has texts of one width.
	TextWidth int
}

// Writable returns an error if Write cannot write files of that name.
func Writable(name string) error {
	_, err := writerOf(name)
	return err
}

// writerOf finds the format of a file to write by its name.
func writerOf(name string) (*fileFormat, error) {
	f, err := formatOf(name, "")
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: format not known by its name: write .csv, .npy, .jsonl or .parquet", name)
	case f.write == nil:
		return nil, fmt.Errorf("%s: %s files are only read: write .csv, .npy, .jsonl or .parquet", name, f.name)
	}
	return f, nil
}

// Write writes o in the format that the name says: .csv, .npy, .jsonl or
// .parquet; "" and "-" stand for standard output and CSV. Numbers come
// back from each with the same bits, except that .csv and .jsonl have one NaN only.
func Write(name string, w io.Writer, o Output) error {
	f, err := writerOf(name)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		panic("rows: " + err.Error())
	}
	if err := f.write(w, &o); err != nil {
		return fmt.Errorf("%s: %w", shown(name, "standard output"), err)
	}
	return nil
}

// rows returns the number of rows.
func (o *Output) rows() int { return o.Shape[0] }

// check finds an Output that its maker got wrong.
func (o *Output) check() error {
	kinds := 0
	for _, set := range []bool{o.Float32 != nil, o.Float64 != nil, o.Int64 != nil, o.Bool != nil, o.Text != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return fmt.Errorf("an output of %d kinds of values, not one", kinds)
	}
	if len(o.Shape) == 0 || len(o.Columns) == 0 {
		return fmt.Errorf("an output without shape or columns")
	}
	cells := 1
	for _, n := range o.Shape {
		cells *= n
	}
	if n := len(o.Float32) + len(o.Float64) + len(o.Int64) + len(o.Bool) + len(o.Text); n != cells || n != o.rows()*len(o.Columns) {
		return fmt.Errorf("an output of %d values for shape %v and %d columns", n, o.Shape, len(o.Columns))
	}
	return nil
}
