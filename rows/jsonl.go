package rows

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"hew/predict"
)

// readJSONL reads a row per line: an object, of which every feature is a
// member, or an array by position. Null is missing; NaN, Infinity and
// -Infinity, as Python's json module writes them, are numbers too.
func readJSONL(r io.Reader, o Options) (*Table, error) {
	t := &Table{NumFeatures: len(o.Features), X: predict.MakeValues(o.Type, 0)}
	d := jsonRows{options: o, columns: newColumns(o.Features, &o)}
	lines := newLines(r)
	for line := 1; lines.Scan(); line++ {
		if word, _ := nextWord(lines.Bytes()); len(word) == 0 {
			continue
		}
		if err := d.scan(lines.Bytes()); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		t.NumFeatures = len(d.columns)
		row := t.grow()
		for i, value := range d.values {
			f := d.places[i]
			if f == dropped {
				continue
			}
			c := &d.columns[f]
			v, err := c.json(value)
			if row.Set(f, v); err != nil {
				return nil, fmt.Errorf("line %d, column %s: %w", line, quote(c.name), err)
			}
		}
	}
	return t, lines.Err()
}

// jsonRows takes lines apart and finds the feature of each value. It matches
// names only where they are not those of the line before, in the same order.
type jsonRows struct {
	options Options
	columns []column // of the features, as soon as they are known

	keys   []string // of this row, if it is an object
	values [][]byte // of this row, as they stand in the text

	object bool     // whether places are those of an object
	placed []string // the keys that places are for
	places []int    // the feature of each value; nil before the first row
}

// scan takes a row apart.
func (d *jsonRows) scan(line []byte) error {
	s := jsonScanner{text: line}
	d.keys, d.values = d.keys[:0], d.values[:0]
	open := s.next()
	if open != '{' && open != '[' {
		return errors.New("a row is one JSON object or array on a line of its own")
	}
	closing := open + 2 // of both kinds in ASCII
	for more := !s.skip(closing); more; {
		if open == '{' {
			key, err := s.key(d.placed, len(d.keys))
			if err != nil {
				return err
			}
			d.keys = append(d.keys, key)
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		d.values = append(d.values, value)
		if more = s.skip(','); !more && !s.skip(closing) {
			return s.unexpected()
		}
	}
	if !s.skip(0) {
		return s.unexpected()
	}
	return d.place(open == '{')
}

// place finds the features of the values.
func (d *jsonRows) place(object bool) (err error) {
	if d.places != nil && d.object == object && len(d.values) == len(d.places) && slices.Equal(d.keys, d.placed) {
		return nil
	}
	var features []predict.Feature
	if object {
		d.places, features, err = match(d.keys, d.options)
	} else {
		d.places = inOrder(len(d.values))
		features, err = byPosition(len(d.values), d.options)
	}
	if err != nil {
		return err
	}
	d.object, d.placed = object, slices.Clone(d.keys)
	if d.options.Features == nil {
		d.options.Features = features
		d.columns = newColumns(features, &d.options)
	}
	return nil
}

// json reads a value as it stands in JSON.
func (c *column) json(raw []byte) (float64, error) {
	switch string(raw) {
	case "null", "NaN":
		return nan, nil
	case "true":
		return c.boolean(true)
	case "false":
		return c.boolean(false)
	case "Infinity":
		return c.number(math.Inf(1))
	case "-Infinity":
		return c.number(math.Inf(-1))
	}
	switch first := raw[0]; {
	case first == '"':
		s, err := unquote(raw)
		if err != nil {
			return 0, err
		}
		return c.text(s)
	case first != '-' && (first < '0' || first > '9'):
		return 0, fmt.Errorf("%s is not JSON", quote(string(raw)))
	case c.codes != nil:
		return c.category(string(raw))
	}
	v, ok := c.parse(string(raw))
	if !ok {
		return 0, fmt.Errorf("%s is not a number", quote(string(raw)))
	}
	return v, nil
}

// A jsonScanner reads the tokens of one line.
type jsonScanner struct {
	text []byte
	at   int
}

// next reads the next byte that is not blank; at the end of the line it is 0.
func (s *jsonScanner) next() byte {
	for s.at < len(s.text) {
		b := s.text[s.at]
		s.at++
		if !isBlank(b) {
			return b
		}
	}
	s.at = len(s.text) + 1
	return 0
}

// skip passes over b if it comes next.
func (s *jsonScanner) skip(b byte) bool {
	at := s.at
	if s.next() == b {
		return true
	}
	s.at = at
	return false
}

// unexpected is the error about what comes next.
func (s *jsonScanner) unexpected() error {
	s.at = min(s.at, len(s.text))
	if s.next() == 0 {
		return errors.New("the line ends within a JSON value")
	}
	return fmt.Errorf("column %d: unexpected %s", s.at, quote(string(s.text[s.at-1:])))
}

// key reads the key of a member and its colon. The key is mostly guess[i],
// which then saves an allocation.
func (s *jsonScanner) key(guess []string, i int) (string, error) {
	if !s.skip('"') {
		return "", s.unexpected()
	}
	raw, err := s.quoted()
	if err != nil {
		return "", err
	}
	if !s.skip(':') {
		return "", s.unexpected()
	}
	if i < len(guess) && string(raw[1:len(raw)-1]) == guess[i] {
		return guess[i], nil
	}
	return unquote(raw)
}

// value reads one value and returns its text.
func (s *jsonScanner) value() ([]byte, error) {
	if s.skip('"') {
		return s.quoted()
	}
	if s.skip('{') || s.skip('[') {
		return nil, errors.New("nested objects and arrays are no values of a feature")
	}
	start := s.at
	for start < len(s.text) && isBlank(s.text[start]) {
		start++
	}
	n := bytes.IndexAny(s.text[start:], ",]} \t\r")
	if n < 0 {
		n = len(s.text) - start
	}
	if n == 0 {
		return nil, s.unexpected()
	}
	s.at = start + n
	return s.text[start:s.at], nil
}

// quoted reads text after its opening quote and returns it with both.
func (s *jsonScanner) quoted() ([]byte, error) {
	start := s.at - 1
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return s.text[start:s.at], nil
		}
	}
	return nil, errors.New("the line ends within text")
}

// unquote returns what JSON text stands for.
func unquote(raw []byte) (string, error) {
	if !bytes.ContainsRune(raw, '\\') {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// writeJSONL writes an object per row. A missing value is null; an infinite one
// is Infinity or -Infinity, which strict readers of JSON refuse.
func writeJSONL(w io.Writer, o *Output) error {
	keys := make([][]byte, len(o.Columns))
	for i, name := range o.Columns {
		keys[i] = append(appendJSONText(nil, name), ':')
	}
	b := bufio.NewWriterSize(w, 1<<16)
	at := 0
	for range o.rows() {
		line := b.AvailableBuffer()
		for i, key := range keys {
			line = append(line, "{,"[min(i, 1)])
			line = append(line, key...)
			switch {
			case o.Float32 != nil:
				line = appendJSONNumber(line, float64(o.Float32[at]), 32)
			case o.Float64 != nil:
				line = appendJSONNumber(line, o.Float64[at], 64)
			case o.Int64 != nil:
				line = strconv.AppendInt(line, o.Int64[at], 10)
			case o.Bool != nil:
				line = strconv.AppendBool(line, o.Bool[at])
			default:
				line = appendJSONText(line, o.Text[at])
			}
			at++
		}
		b.Write(append(line, "}\n"...))
	}
	return b.Flush()
}

func appendJSONNumber(line []byte, v float64, bits int) []byte {
	switch {
	case v != v:
		return append(line, "null"...)
	case math.IsInf(v, 1):
		return append(line, "Infinity"...)
	case math.IsInf(v, -1):
		return append(line, "-Infinity"...)
	}
	return appendNumber(line, v, bits)
}

func appendJSONText(line []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // text has always a JSON form
	}
	return append(line, text...)
}
