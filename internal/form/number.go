package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"hew/ir"
)

// Numbers are numbers of one type: float64 or, if it is said before they are read or
// written, float32.
type Numbers struct {
	Values []float64
	Single bool
}

// Of returns numbers of a type.
func Of(p ir.Precision, values []float64) Numbers { return Numbers{values, p == ir.Single} }

// IsZero reports whether there are no numbers, which is not an empty list of them.
func (n Numbers) IsZero() bool { return n.Values == nil }

// MarshalJSON writes an array.
func (n Numbers) MarshalJSON() ([]byte, error) {
	if n.Values == nil {
		return []byte("null"), nil
	}
	b := make([]byte, 0, 2+12*len(n.Values))
	b = append(b, '[')
	for i, v := range n.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(b, v, n.Single)
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads an array.
func (n *Numbers) UnmarshalJSON(data []byte) error {
	values, err := elements(data, func(token []byte) (float64, error) { return parseNumber(token, n.Single) })
	n.Values = values
	return err
}

// Lists are lists of numbers of one type.
type Lists struct {
	Lists  [][]float64
	Single bool
}

// IsZero reports whether there are none.
func (l Lists) IsZero() bool { return l.Lists == nil }

// MarshalJSON writes an array of arrays.
func (l Lists) MarshalJSON() ([]byte, error) {
	all := make([]Numbers, len(l.Lists))
	for i, values := range l.Lists {
		all[i] = Numbers{values, l.Single}
	}
	return json.Marshal(all)
}

// UnmarshalJSON reads an array of arrays.
func (l *Lists) UnmarshalJSON(data []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	if all != nil {
		l.Lists = make([][]float64, 0, len(all))
	}
	for i, raw := range all {
		n := Numbers{Single: l.Single}
		if err := n.UnmarshalJSON(raw); err != nil {
			return fmt.Errorf("list %d: %w", i, err)
		}
		l.Lists = append(l.Lists, n.Values)
	}
	return nil
}

// A Number is a float64 number.
type Number float64

// IsZero reports whether n is +0.
func (n Number) IsZero() bool { return math.Float64bits(float64(n)) == 0 }

// MarshalJSON writes a number.
func (n Number) MarshalJSON() ([]byte, error) {
	return appendNumber(nil, float64(n), false), nil
}

// UnmarshalJSON reads a number.
func (n *Number) UnmarshalJSON(data []byte) error {
	v, err := parseNumber(data, false)
	*n = Number(v)
	return err
}

// Ints are integers.
type Ints []int32

// MarshalJSON writes an array.
func (n Ints) MarshalJSON() ([]byte, error) {
	if n == nil {
		return []byte("null"), nil
	}
	b := make([]byte, 0, 2+4*len(n))
	b = append(b, '[')
	for i, v := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(v), 10)
	}
	return append(b, ']'), nil
}

// UnmarshalJSON reads an array.
func (n *Ints) UnmarshalJSON(data []byte) error {
	values, err := elements(data, func(token []byte) (int32, error) {
		v, err := strconv.ParseInt(string(token), 10, 32)
		if err != nil {
			return 0, fmt.Errorf("%.40s is not a 32-bit integer", token)
		}
		return int32(v), nil
	})
	*n = values
	return err
}

// elements returns the elements of an array in valid JSON, null being none.
func elements[T any](data []byte, parse func([]byte) (T, error)) ([]T, error) {
	if string(data) == "null" {
		return nil, nil
	}
	if data[0] != '[' {
		return nil, errors.New("not an array")
	}
	rest := bytes.TrimSpace(data[1 : len(data)-1])
	values := make([]T, 0, bytes.Count(rest, []byte{','})+1)
	for len(rest) > 0 {
		token := rest
		if i := bytes.IndexByte(rest, ','); i >= 0 {
			token, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		v, err := parse(bytes.TrimSpace(token))
		if err != nil {
			return nil, fmt.Errorf("place %d: %w", len(values), err)
		}
		values = append(values, v)
	}
	return values, nil
}

// bitsOf returns the size of a type.
func bitsOf(single bool) int {
	if single {
		return 32
	}
	return 64
}

func appendNumber(b []byte, v float64, single bool) []byte {
	switch {
	case v != v:
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	case v == 0 && math.Signbit(v):
		return append(b, "-0.0"...) // many take -0 for an integer
	}
	return strconv.AppendFloat(b, v, 'g', -1, bitsOf(single))
}

// parseNumber reads a number as one of its type, rounded once.
func parseNumber(token []byte, single bool) (float64, error) {
	switch string(token) {
	case `"NaN"`:
		return math.NaN(), nil
	case `"Infinity"`:
		return math.Inf(1), nil
	case `"-Infinity"`:
		return math.Inf(-1), nil
	}
	// What follows is a token of valid JSON; ParseFloat takes more than numbers.
	if len(token) == 0 || token[0] != '-' && token[0]-'0' > 9 {
		return 0, fmt.Errorf("%.40s is not a number", token)
	}
	v, err := strconv.ParseFloat(string(token), bitsOf(single))
	if err != nil {
		return 0, fmt.Errorf("%.40s is not a float%d number", token, bitsOf(single))
	}
	return v, nil
}
