package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"hew/predict"
)

// readLibSVM reads lines of the form
//
//	label[:weight] [qid:n] index:value index:value … # comment
//
// as XGBoost does (dmlc/dmlc-core:src/data/libsvm_parser.h): an index counts
// from 0, because indexing_mode is 0 unless the URI says otherwise; a feature
// that is not on the line is missing, one with the value 0 is not; label,
// weight and qid are passed over; the order of the indices is free.
//
// It differs in three things. An index that stands twice and an index without
// value are errors, a line with nothing but a comment is no row, and a value
// becomes the nearest float32, where XGBoost's own parser is one off for a few
// values in a hundred.
func readLibSVM(r io.Reader, o Options) (*Table, error) {
	if o.Features == nil {
		return nil, errors.New("libsvm rows do not tell the number of features")
	}
	t := &Table{NumFeatures: len(o.Features), X: predict.MakeValues(o.Type, 0)}
	number := column{double: o.Type == predict.Float64}
	set := make([]int, len(o.Features)) // the last row that has the feature, from 1
	lines := newLines(r)
	for line := 1; lines.Scan(); line++ {
		text, _, _ := bytes.Cut(lines.Bytes(), []byte("#"))
		label, rest := nextWord(text)
		if len(label) == 0 {
			continue
		}
		if err := checkLabel(label); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if word, after := nextWord(rest); bytes.HasPrefix(word, []byte("qid:")) {
			rest = after
		}
		row := t.grow()
		for i := range row.Len() {
			row.Set(i, nan)
		}
		for {
			var pair []byte
			if pair, rest = nextWord(rest); len(pair) == 0 {
				break
			}
			i, v, err := number.pair(pair, row.Len())
			if err == nil && set[i] == t.NumRows {
				err = fmt.Errorf("index %d stands there twice", i)
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", line, err)
			}
			row.Set(i, v)
			set[i] = t.NumRows
		}
	}
	return t, lines.Err()
}

// nextWord cuts the first word off a line; it is empty at the end.
func nextWord(b []byte) (word, rest []byte) {
	start := 0
	for start < len(b) && isBlank(b[start]) {
		start++
	}
	end := start
	for end < len(b) && !isBlank(b[end]) {
		end++
	}
	return b[start:end], b[end:]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// checkLabel accepts the label or label:weight that a line starts with.
func checkLabel(word []byte) error {
	label, weight, weighted := bytes.Cut(word, []byte(":"))
	_, ok := parseNumber(string(label), 64)
	if ok && weighted {
		_, ok = parseNumber(string(weight), 64)
	}
	if !ok {
		return fmt.Errorf("label %s is not a number", quote(string(word)))
	}
	return nil
}

// pair reads index:value.
func (c *column) pair(word []byte, features int) (int, float64, error) {
	index, value, ok := bytes.Cut(word, []byte(":"))
	if !ok {
		return 0, 0, fmt.Errorf("%s is not index:value", quote(string(word)))
	}
	i, err := strconv.ParseUint(string(index), 10, 63)
	if err != nil {
		return 0, 0, fmt.Errorf("index %s is not a whole number", quote(string(index)))
	}
	if i >= uint64(features) {
		return 0, 0, fmt.Errorf("index %d out of range [0, %d): indices count from 0", i, features)
	}
	v, ok := c.parse(string(value))
	if !ok {
		return 0, 0, fmt.Errorf("value %s of index %d is not a number", quote(string(value)), i)
	}
	return int(i), v, nil
}
