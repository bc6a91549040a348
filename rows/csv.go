package rows

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"hew/predict"
)

// readCSV reads comma-separated values as RFC 4180 has them, with LF or CRLF
// and perhaps a byte order mark. Empty lines are skipped, as pandas does.
func readCSV(r io.Reader, o Options) (*Table, error) {
	c := csv.NewReader(newText(r))
	c.ReuseRecord = true
	c.FieldsPerRecord = -1 // checked here, for a better message
	if o.NoHeader {
		return readRecords(c, nil, nil, o)
	}
	header, err := c.Read()
	if err == io.EOF {
		return nil, errors.New("no header line: the file is empty")
	}
	if err != nil {
		return nil, csvError(err)
	}
	places, features, err := match(slices.Clone(header), o)
	if err != nil {
		return nil, err
	}
	o.Features = features
	return readRecords(c, places, newColumns(features, &o), o)
}

// readRecords reads the rows after the header. Without one, places is nil and
// the first row tells how many columns there are.
func readRecords(c *csv.Reader, places []int, columns []column, o Options) (*Table, error) {
	t := &Table{NumFeatures: len(o.Features), X: predict.MakeValues(o.Type, 0)}
	for {
		record, err := c.Read()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		if places == nil {
			features, err := byPosition(len(record), o)
			if err != nil {
				return nil, err
			}
			places, columns, t.NumFeatures = inOrder(len(record)), newColumns(features, &o), len(features)
		}
		if len(record) != len(places) {
			line, _ := c.FieldPos(0)
			return nil, fmt.Errorf("line %d: %s, expected %d", line, count(len(record), "cell"), len(places))
		}
		row := t.grow()
		for i, s := range record {
			f := places[i]
			if f == dropped {
				continue
			}
			v, err := columns[f].cell(s)
			if row.Set(f, v); err != nil {
				line, _ := c.FieldPos(i)
				return nil, fmt.Errorf("line %d, column %s: %w", line, quote(columns[f].name), err)
			}
		}
	}
}

// csvError is a syntax error in the form of our own.
func csvError(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d: %w", e.Line, e.Err)
	}
	return err
}

// writeCSV writes a header and the rows. A missing value is nan rather than an
// empty cell: a line of one empty cell is an empty line, which readers skip.
func writeCSV(w io.Writer, o *Output) error {
	b := bufio.NewWriterSize(w, 1<<16)
	line := b.AvailableBuffer()
	for i, name := range o.Columns {
		line = appendCell(separate(line, i), name)
	}
	b.Write(append(line, '\n'))
	at := 0
	for range o.rows() {
		line = b.AvailableBuffer()
		for i := range o.Columns {
			line = separate(line, i)
			switch {
			case o.Float32 != nil:
				line = appendFloat(line, float64(o.Float32[at]), 32)
			case o.Float64 != nil:
				line = appendFloat(line, o.Float64[at], 64)
			case o.Int64 != nil:
				line = strconv.AppendInt(line, o.Int64[at], 10)
			case o.Bool != nil:
				line = append(line, pythonBool(o.Bool[at])...)
			default:
				line = appendCell(line, o.Text[at])
			}
			at++
		}
		b.Write(append(line, '\n'))
	}
	return b.Flush()
}

// separate puts a comma in front of every cell but the first.
func separate(line []byte, i int) []byte {
	if i == 0 {
		return line
	}
	return append(line, ',')
}

// appendCell writes text, in quotes if it needs them. Empty text does, so that
// a line of it alone is not an empty line.
func appendCell(line []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") {
		return append(line, s...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(s, `"`, `""`)...)
	return append(line, '"')
}

// appendFloat writes v as pandas.read_csv reads it.
func appendFloat(line []byte, v float64, bits int) []byte {
	switch {
	case v != v:
		return append(line, "nan"...)
	case math.IsInf(v, 1):
		return append(line, "inf"...)
	case math.IsInf(v, -1):
		return append(line, "-inf"...)
	}
	return appendNumber(line, v, bits)
}

// pythonBool is a truth value as Python writes it.
func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
