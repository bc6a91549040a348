package skops

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of a JSON document.
const (
	maxDepth   = 1000    // a value of the model takes about four levels
	maxInteger = 4096    // digits
	maxValues  = 1 << 24 // of all documents of a file; a tree takes about 500
)

// An object is an object of JSON, in the order of the file.
type object struct {
	keys   []string
	values []any
}

// get returns the value of a key, the last one if there are several, or nil.
func (o *object) get(key string) any {
	for i := len(o.keys) - 1; i >= 0; i-- {
		if o.keys[i] == key {
			return o.values[i]
		}
	}
	return nil
}

// text returns the text of a key, or "".
func (o *object) text(key string) string {
	s, _ := o.get(key).(string)
	return s
}

// A decoder reads JSON as Python's json writes it, with NaN and Infinity and with
// integers of any size. Values are nil, bool, int64, *big.Int, float64, string, []any
// and *object.
type decoder struct {
	data  []byte
	pos   int
	left  int               // values that may still be made
	names map[string]string // texts that have been seen, of which there are few
}

func newDecoder() decoder { return decoder{left: maxValues, names: map[string]string{}} }

// decode reads a document.
func (d *decoder) decode(data []byte) (any, error) {
	d.data, d.pos = data, 0
	v, err := d.value(maxDepth)
	if d.peek(); err == nil && d.pos < len(d.data) {
		err = errors.New("text after the end of the document")
	}
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", d.pos, err)
	}
	return v, nil
}

// peek skips white space and returns the next byte, or 0 at the end.
func (d *decoder) peek() byte {
	for d.pos < len(d.data) {
		c := d.data[d.pos]
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		d.pos++
	}
	return 0
}

var errValue = errors.New("a JSON value is expected")

func (d *decoder) value(depth int) (any, error) {
	if d.left--; d.left < 0 {
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	if depth == 0 {
		return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	switch c := d.peek(); {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		return d.string()
	case c == '-' || '0' <= c && c <= '9':
		return d.number()
	}
	for _, word := range words {
		if bytes.HasPrefix(d.data[d.pos:], []byte(word.text)) {
			d.pos += len(word.text)
			return word.value, nil
		}
	}
	return nil, errValue
}

var words = []struct {
	text  string
	value any
}{
	{"null", nil}, {"true", true}, {"false", false}, {"NaN", math.NaN()}, {"Infinity", math.Inf(1)},
}

func (d *decoder) object(depth int) (any, error) {
	o := &object{}
	d.pos++
	for d.peek() != '}' {
		if len(o.keys) > 0 {
			if d.peek() != ',' {
				return nil, errors.New("a comma or the end of an object is expected")
			}
			d.pos++
		}
		if d.peek() != '"' {
			return nil, errors.New("a key is expected")
		}
		key, err := d.string()
		if err != nil {
			return nil, err
		}
		if d.peek() != ':' {
			return nil, errors.New("a colon is expected")
		}
		d.pos++
		v, err := d.value(depth - 1)
		if err != nil {
			return nil, err
		}
		o.keys, o.values = append(o.keys, key), append(o.values, v)
	}
	d.pos++
	return o, nil
}

func (d *decoder) array(depth int) (any, error) {
	a := []any{}
	d.pos++
	for d.peek() != ']' {
		if len(a) > 0 {
			if d.peek() != ',' {
				return nil, errors.New("a comma or the end of an array is expected")
			}
			d.pos++
		}
		v, err := d.value(depth - 1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	d.pos++
	return a, nil
}

// number reads a number. What has neither a point nor an exponent is an integer.
func (d *decoder) number() (any, error) {
	start := d.pos
	integer := true
	for d.pos++; d.pos < len(d.data); d.pos++ {
		c := d.data[d.pos]
		if c == '.' || c == 'e' || c == 'E' {
			integer = false
		} else if c != '-' && c != '+' && (c < '0' || c > '9') {
			break
		}
	}
	s := string(d.data[start:d.pos])
	if s == "-" && bytes.HasPrefix(d.data[d.pos:], []byte("Infinity")) {
		d.pos += len("Infinity")
		return math.Inf(-1), nil
	}
	if integer {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		if n, ok := new(big.Int).SetString(s, 10); ok && len(s) <= maxInteger {
			return n, nil
		}
		return nil, fmt.Errorf("%.40q is no number", s)
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, fmt.Errorf("%.40q is no number", s)
	}
	return x, nil
}

// string reads a string.
func (d *decoder) string() (string, error) {
	d.pos++
	rest := d.data[d.pos:]
	for n, c := range rest {
		switch {
		case c == '"':
			d.pos += n + 1
			return d.intern(rest[:n])
		case c == '\\':
			d.pos += n
			return d.escaped(append([]byte(nil), rest[:n]...))
		case c < ' ':
			return "", errors.New("a control character in a string")
		}
	}
	d.pos = len(d.data)
	return "", errors.New("a string has no end")
}

// intern returns the text of b, the same string for the same short text.
func (d *decoder) intern(b []byte) (string, error) {
	if s, ok := d.names[string(b)]; ok {
		return s, nil
	}
	if !utf8.Valid(b) {
		return "", errors.New("a string is not valid UTF-8")
	}
	s := string(b)
	if len(s) <= 32 && len(d.names) < 1<<12 {
		d.names[s] = s
	}
	return s, nil
}

var jsonEscapes = map[byte]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escaped reads the rest of a string, from the first backslash on.
func (d *decoder) escaped(out []byte) (string, error) {
	for d.pos < len(d.data) {
		c := d.data[d.pos]
		d.pos++
		switch {
		case c == '"':
			return d.intern(out)
		case c < ' ':
			return "", errors.New("a control character in a string")
		case c != '\\':
			out = append(out, c)
			continue
		}
		if d.pos == len(d.data) {
			break
		}
		c = d.data[d.pos]
		d.pos++
		if c == 'u' {
			r, err := d.rune()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		e, ok := jsonEscapes[c]
		if !ok {
			return "", fmt.Errorf("\\%c is no escape", c)
		}
		out = append(out, e)
	}
	return "", errors.New("a string has no end")
}

// rune reads the digits of an escape, and the second half of a pair.
func (d *decoder) rune() (rune, error) {
	r, err := d.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if bytes.HasPrefix(d.data[d.pos:], []byte(`\u`)) {
		d.pos += 2
		low, err := d.hex()
		if err != nil {
			return 0, err
		}
		if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
			return whole, nil
		}
	}
	return 0, errors.New("half of a pair of characters")
}

func (d *decoder) hex() (rune, error) {
	if len(d.data)-d.pos < 4 {
		return 0, errors.New("a string has no end")
	}
	n, err := strconv.ParseUint(string(d.data[d.pos:d.pos+4]), 16, 16)
	if err != nil {
		return 0, errors.New("an escape without four digits")
	}
	d.pos += 4
	return rune(n), nil
}
