package rows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"hew/predict"
)

// indexColumn is how pandas names the columns of a frame's index, which are no
// features.
var indexColumn = regexp.MustCompile(`^__index_level_\d+__$`)

// readParquet reads a Parquet file, with columns of numbers, truth values and,
// for categories, text. Nulls are missing.
func readParquet(r io.Reader, o Options) (t *Table, err error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if err := checkFooter(data); err != nil {
		return nil, err
	}
	// parquet-go indexes beyond slices in some damaged files (TestParquetDamaged).
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, fmt.Errorf("damaged Parquet file: %v", p)
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, err
	}
	header := make([]string, 0, len(file.Root().Columns()))
	for _, c := range file.Root().Columns() {
		header = append(header, c.Name())
		if indexColumn.MatchString(c.Name()) {
			o.Drop = append(o.Drop[:len(o.Drop):len(o.Drop)], c.Name())
		}
	}
	places, features, err := match(header, o)
	if err != nil {
		return nil, err
	}
	if t, err = newTable(file.NumRows(), len(features), len(data), o.Type); err != nil {
		return nil, err
	}
	columns := newColumns(features, &o)
	for i, c := range file.Root().Columns() {
		f := places[i]
		if f == dropped {
			continue
		}
		if err := t.fill(f, file, c, &columns[f]); err != nil {
			return nil, fmt.Errorf("column %s: %w", quote(c.Name()), err)
		}
	}
	return t, nil
}

// checkFooter looks at the end of the file, where the length of its metadata
// stands: parquet-go makes room for what it says, up to 4 GiB.
func checkFooter(data []byte) error {
	const magic = "PAR1"
	n := len(data) - 4 - len(magic)
	if n < len(magic) || string(data[n+4:]) != magic {
		return errors.New("not a Parquet file, or not all of one")
	}
	if length := binary.LittleEndian.Uint32(data[n:]); int64(length) > int64(n-len(magic)) {
		return fmt.Errorf("metadata of %d bytes in a Parquet file of %d", length, len(data))
	}
	return nil
}

// newTable makes room for the rows that a file claims. A column of one value
// takes no space in a file however long it is: a file may claim 256 MiB of rows,
// or 1000 times its own size.
func newTable(rows int64, features, size int, t predict.Type) (*Table, error) {
	most := max(64<<20, 250*int64(size)) // values
	if rows < 0 || rows > most/max(int64(features), 1) {
		return nil, fmt.Errorf("%d rows of %s in %d bytes", rows, count(features, "feature"), size)
	}
	return &Table{NumRows: int(rows), NumFeatures: features, X: predict.MakeValues(t, int(rows)*features)}, nil
}

// fill reads one column of the file into feature f.
func (t *Table) fill(f int, file *parquet.File, leaf *parquet.Column, c *column) error {
	convert, err := converter(leaf, c)
	if err != nil {
		return err
	}
	row := 0
	for _, group := range file.RowGroups() {
		if row, err = t.fillRows(f, row, group.ColumnChunks()[leaf.Index()], convert); err != nil {
			return err
		}
	}
	if row < t.NumRows {
		return fmt.Errorf("%s, the file has %s", count(row, "value"), count(t.NumRows, "row"))
	}
	return nil
}

// fillRows reads one chunk of a column into feature f from the given row on,
// and returns the row after the last.
func (t *Table) fillRows(f, row int, chunk parquet.ColumnChunk, convert func(parquet.Value) (float64, error)) (int, error) {
	values := parquet.NewColumnChunkValueReader(chunk)
	defer values.Close()
	buffer := make([]parquet.Value, 1024)
	for {
		n, end := values.ReadValues(buffer)
		if row+n > t.NumRows {
			return row, fmt.Errorf("more values than the file has rows, %d", t.NumRows)
		}
		for _, v := range buffer[:n] {
			at := row*t.NumFeatures + f
			row++
			if v.IsNull() {
				t.X.Set(at, nan)
				continue
			}
			x, err := convert(v)
			if t.X.Set(at, x); err != nil {
				return row, fmt.Errorf("row %d: %w", row, err)
			}
		}
		switch {
		case end == io.EOF:
			return row, nil
		case end != nil:
			return row, end
		case n == 0:
			return row, io.ErrNoProgress
		}
	}
}

// converter tells how to read the values of a column that are not null.
func converter(leaf *parquet.Column, c *column) (func(parquet.Value) (float64, error), error) {
	if !leaf.Leaf() || leaf.Repeated() {
		return nil, errors.New("nested values are not supported")
	}
	unsigned := false
	if logical := leaf.Type().LogicalType(); logical != nil {
		switch l := logical.Value.(type) {
		case *format.IntType:
			unsigned = !l.IsSigned
		case nil, *format.StringType, *format.EnumType, *format.NullType:
		default:
			return nil, fmt.Errorf("values of type %s are not supported: write numbers, truth values or text", l)
		}
	}
	switch kind := leaf.Type().Kind(); kind {
	case parquet.Boolean:
		return func(v parquet.Value) (float64, error) { return c.boolean(v.Boolean()) }, nil
	case parquet.Int32:
		if unsigned {
			return func(v parquet.Value) (float64, error) { return c.number(float64(v.Uint32())) }, nil
		}
		return func(v parquet.Value) (float64, error) { return c.number(float64(v.Int32())) }, nil
	case parquet.Int64:
		return int64Converter(c, unsigned), nil
	case parquet.Float:
		return func(v parquet.Value) (float64, error) { return c.number(float64(v.Float())) }, nil
	case parquet.Double:
		return func(v parquet.Value) (float64, error) { return c.number(v.Double()) }, nil
	case parquet.ByteArray:
		return func(v parquet.Value) (float64, error) { return c.text(string(v.ByteArray())) }, nil
	default:
		return nil, fmt.Errorf("values of type %s are not supported: write numbers, truth values or text", kind)
	}
}

// int64Converter rounds an integer once: by way of float64 it could be twice.
func int64Converter(c *column, unsigned bool) func(parquet.Value) (float64, error) {
	return func(v parquet.Value) (float64, error) {
		switch {
		case c.codes != nil && unsigned:
			return c.category(strconv.FormatUint(v.Uint64(), 10))
		case c.codes != nil:
			return c.category(strconv.FormatInt(v.Int64(), 10))
		case unsigned:
			if c.double {
				return float64(v.Uint64()), nil
			}
			return float64(float32(v.Uint64())), nil
		case c.double:
			return float64(v.Int64()), nil
		}
		return float64(float32(v.Int64())), nil
	}
}

// writeParquet writes a column of numbers, booleans or texts for each of o.
func writeParquet(w io.Writer, o *Output) error {
	leaf := parquet.Leaf(parquet.FloatType)
	value := func(at int) parquet.Value { return parquet.FloatValue(o.Float32[at]) }
	switch {
	case o.Float64 != nil:
		leaf = parquet.Leaf(parquet.DoubleType)
		value = func(at int) parquet.Value { return parquet.DoubleValue(o.Float64[at]) }
	case o.Int64 != nil:
		leaf = parquet.Leaf(parquet.Int64Type)
		value = func(at int) parquet.Value { return parquet.Int64Value(o.Int64[at]) }
	case o.Bool != nil:
		leaf = parquet.Leaf(parquet.BooleanType)
		value = func(at int) parquet.Value { return parquet.BooleanValue(o.Bool[at]) }
	case o.Text != nil:
		leaf = parquet.String()
		value = func(at int) parquet.Value { return parquet.ByteArrayValue([]byte(o.Text[at])) }
	}
	schema := ordered{fields: make([]parquet.Field, len(o.Columns))}
	for i, name := range o.Columns {
		schema.fields[i] = field{leaf, name}
	}
	file := parquet.NewGenericWriter[any](w, parquet.NewSchema("rows", schema))
	row := make(parquet.Row, len(o.Columns))
	at := 0
	for range o.rows() {
		for i := range row {
			row[i] = value(at).Level(0, 0, i)
			at++
		}
		if _, err := file.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
	}
	return file.Close()
}

// ordered is a parquet.Group whose columns stand in the order given, not in
// that of their names.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o ordered) Fields() []parquet.Field { return o.fields }

// A field is a named column.
type field struct {
	parquet.Node
	name string
}

func (f field) Name() string { return f.name }

// Value is for rows that are Go structs, which there are none of here.
func (f field) Value(base reflect.Value) reflect.Value { return base }
