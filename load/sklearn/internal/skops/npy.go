package skops

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hew/load/sklearn/internal/record"
)

const (
	npyMagic  = "\x93NUMPY"
	maxHeader = 1 << 16 // bytes
)

// readNPY reads an array in NumPy's .npy format, of numbers, text or records, as a
// view of data.
//
// Source: numpy/numpy:numpy/lib/_format_impl.py.
func readNPY(data []byte) (*record.Array, error) {
	header, data, err := splitNPY(data)
	if err != nil {
		return nil, err
	}
	p := &literals{text: header}
	v, err := p.value(8)
	if err != nil {
		return nil, fmt.Errorf("header of a .npy file: %w", err)
	}
	fields, ok := v.(map[string]any)
	if !ok || strings.TrimSpace(p.text) != "" {
		return nil, errors.New("the header of a .npy file is no dict")
	}
	d, err := npyDType(fields["descr"])
	if err != nil {
		return nil, err
	}
	shape, err := npyShape(fields["shape"])
	if err != nil {
		return nil, err
	}
	fortran, ok := fields["fortran_order"].(bool)
	if !ok {
		return nil, errors.New("the header of a .npy file has no fortran_order")
	}
	if d.Kind == 'O' {
		return nil, errors.New("a .npy file holds pickled objects, which skops never writes")
	}
	size, err := record.Size(d, shape)
	if err != nil {
		return nil, err
	}
	return record.NewArray(d, shape, fortran, data[:min(size, len(data))])
}

// splitNPY returns the header and the data.
func splitNPY(data []byte) (header string, rest []byte, err error) {
	if len(data) < 12 || string(data[:6]) != npyMagic {
		return "", nil, errors.New("an array is no .npy file")
	}
	start, n := 10, uint64(binary.LittleEndian.Uint16(data[8:]))
	switch data[6] {
	case 1:
	case 2, 3:
		start, n = 12, uint64(binary.LittleEndian.Uint32(data[8:]))
	default:
		return "", nil, fmt.Errorf("version %d of the .npy format is not supported", data[6])
	}
	if n > maxHeader {
		return "", nil, fmt.Errorf("a .npy file has a header of %d bytes", n)
	}
	if n > uint64(len(data)-start) {
		return "", nil, errors.New("a .npy file ends in its header")
	}
	end := start + int(n)
	return string(data[start:end]), data[end:len(data):len(data)], nil
}

// npyDType makes the dtype that a header describes: its short name, or a list of
// fields. A field without a name is padding.
func npyDType(v any) (*record.DType, error) {
	if name, ok := v.(string); ok {
		return record.ParseDType(name)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, errors.New("a .npy file has no dtype")
	}
	var fields []record.Field
	size := 0
	for _, item := range list {
		field, ok := item.([]any)
		if !ok || len(field) < 2 || len(field) > 3 {
			return nil, errors.New("a field of a .npy file is no name, dtype and shape")
		}
		name, ok := field[0].(string)
		if !ok {
			return nil, errors.New("a field of a .npy file has no name")
		}
		d, err := npyDType(field[1])
		if err != nil {
			return nil, err
		}
		if len(field) == 3 {
			shape, err := npyShape(field[2])
			if err != nil {
				return nil, err
			}
			if d, err = record.NewSubarray(d, shape); err != nil {
				return nil, err
			}
		}
		if name != "" {
			fields = append(fields, record.Field{Name: name, DType: d, Offset: size})
		}
		size += d.Size // at most 1<<24 each, and a header has at most 1<<16 bytes
	}
	return record.NewRecord(size, fields)
}

func npyShape(v any) ([]int, error) {
	list, ok := v.([]any)
	if !ok || len(list) > 64 {
		return nil, errors.New("a .npy file has no short shape")
	}
	var shape []int
	for _, item := range list {
		n, ok := item.(int)
		if !ok || n < 0 {
			return nil, errors.New("a .npy file has a dimension that is no number that is possible")
		}
		shape = append(shape, n)
	}
	return shape, nil
}

// A literals reads Python literals: text, integers, True, False, None, tuples and
// lists as []any, and dicts with text as keys.
type literals struct{ text string }

var errLiteral = errors.New("not a Python literal")

func (p *literals) value(depth int) (any, error) {
	if depth == 0 {
		return nil, errors.New("too many brackets")
	}
	p.text = strings.TrimLeft(p.text, " \t\r\n")
	for word, v := range map[string]any{"True": true, "False": false, "None": nil} {
		if rest, ok := strings.CutPrefix(p.text, word); ok {
			p.text = rest
			return v, nil
		}
	}
	if p.text == "" {
		return nil, errLiteral
	}
	switch c := p.text[0]; {
	case c == '\'' || c == '"':
		end := strings.IndexByte(p.text[1:], c)
		if end < 0 || strings.IndexByte(p.text[1:1+end], '\\') >= 0 {
			return nil, errLiteral
		}
		s := p.text[1 : 1+end]
		p.text = p.text[end+2:]
		return s, nil
	case c == '(':
		return p.sequence(')', depth)
	case c == '[':
		return p.sequence(']', depth)
	case c == '{':
		return p.dict(depth)
	}
	end := 0
	for end < len(p.text) && (p.text[end] == '-' || '0' <= p.text[end] && p.text[end] <= '9') {
		end++
	}
	n, err := strconv.Atoi(p.text[:end])
	if err != nil {
		return nil, errLiteral
	}
	p.text = strings.TrimPrefix(p.text[end:], "L") // Python 2 wrote 3L
	return n, nil
}

// more reports whether another item follows, and skips the comma before it or the
// bracket at the end.
func (p *literals) more(end byte, first bool) (bool, error) {
	p.text = strings.TrimLeft(p.text, " \t\r\n")
	if !first && strings.HasPrefix(p.text, ",") {
		p.text = strings.TrimLeft(p.text[1:], " \t\r\n")
		first = true
	}
	switch {
	case p.text == "":
		return false, errLiteral
	case p.text[0] == end:
		p.text = p.text[1:]
		return false, nil
	case !first:
		return false, errLiteral
	}
	return true, nil
}

func (p *literals) sequence(end byte, depth int) (any, error) {
	items := []any{}
	p.text = p.text[1:]
	for {
		more, err := p.more(end, len(items) == 0)
		if err != nil || !more {
			return items, err
		}
		v, err := p.value(depth - 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
}

func (p *literals) dict(depth int) (any, error) {
	d := map[string]any{}
	p.text = p.text[1:]
	for {
		more, err := p.more('}', len(d) == 0)
		if err != nil || !more {
			return d, err
		}
		key, err := p.value(depth - 1)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		p.text = strings.TrimLeft(p.text, " \t\r\n")
		if !ok || !strings.HasPrefix(p.text, ":") {
			return nil, errLiteral
		}
		p.text = p.text[1:]
		if d[name], err = p.value(depth - 1); err != nil {
			return nil, err
		}
	}
}
