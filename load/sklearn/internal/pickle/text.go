package pickle

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"hew/load/sklearn/internal/record"
)

// Numbers and text, which protocol 0 writes as lines.

// line returns the bytes up to the end of the line.
func (p *parser) line() ([]byte, error) {
	n := bytes.IndexByte(p.data[p.pos:], '\n')
	if n < 0 {
		return nil, errShort
	}
	b := p.data[p.pos : p.pos+n]
	p.pos += n + 1
	return b, nil
}

// decimal reads the index of a memo entry.
func (p *parser) decimal() (uint64, error) {
	b, err := p.line()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(b), 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no index of a memo entry", b)
	}
	return n, nil
}

// textInt reads an integer, or one of the two spellings of booleans.
func (p *parser) textInt(op byte) (record.Value, error) {
	b, err := p.line()
	if err != nil {
		return nil, err
	}
	if op == 'I' && (string(b) == "00" || string(b) == "01") {
		return b[1] == '1', nil
	}
	s := string(bytes.TrimSuffix(b, []byte("L")))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	n, ok := (*big.Int)(nil), false
	if len(s) <= maxLong {
		n, ok = new(big.Int).SetString(s, 10)
	}
	if !ok {
		return nil, fmt.Errorf("%.40q is no integer", b)
	}
	return n, nil
}

func (p *parser) textFloat() (record.Value, error) {
	b, err := p.line()
	if err != nil {
		return nil, err
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, fmt.Errorf("%.40q is no number", b)
	}
	return x, nil
}

// long reads an integer of any size in two's complement.
func (p *parser) long(op byte) (record.Value, error) {
	size := 1
	if op == 0x8b {
		size = 4
	}
	b, err := p.counted(size)
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0:
		return int64(0), nil
	case len(b) > maxLong:
		return nil, fmt.Errorf("an integer of %d bytes is not supported", len(b))
	}
	negative := b[len(b)-1] >= 0x80
	if len(b) <= 8 {
		var n uint64
		for i, c := range b {
			n |= uint64(c) << (8 * i)
		}
		if negative {
			n |= ^uint64(0) << (8*len(b) - 1)
		}
		return int64(n), nil
	}
	b = slices.Clone(b)
	slices.Reverse(b)
	n := new(big.Int).SetBytes(b)
	if negative {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return n.Int64(), nil
	}
	return n, nil
}

// viewSize is from where on text is a view of the file. Only the bytes of arrays
// that protocol 2 writes as text are that long; names are not, and shall not keep
// the file in memory.
const viewSize = 1 << 12

// unicode reads text behind its length of n bytes.
func (p *parser) unicode(n int) (record.Value, error) {
	b, err := p.counted(n)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(b) {
		return nil, errors.New("text is not valid UTF-8")
	}
	if len(b) >= viewSize {
		return unsafe.String(&b[0], len(b)), nil // nobody writes to the file's bytes
	}
	return string(b), nil
}

// oldString returns a str of Python 2, which is text or bytes.
func oldString(b []byte) record.Value {
	if utf8.Valid(b) {
		return string(b)
	}
	return b
}

// textString reads a str of Python 2 as its repr.
func (p *parser) textString() (record.Value, error) {
	b, err := p.line()
	if err != nil {
		return nil, err
	}
	if len(b) < 2 || b[0] != b[len(b)-1] || b[0] != '\'' && b[0] != '"' {
		return nil, fmt.Errorf("%.40q is no quoted text", b)
	}
	b = b[1 : len(b)-1]
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		if b[0] != '\\' {
			out, b = append(out, b[0]), b[1:]
			continue
		}
		c, rest, ok := unescape(b)
		if !ok {
			return nil, fmt.Errorf("%.40q is no escape in text", b)
		}
		out, b = append(out, c...), rest
	}
	return oldString(out), nil
}

var escapes = map[byte]string{
	'\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// unescape decodes the escape at the start of b and returns what follows it.
func unescape(b []byte) (c string, rest []byte, ok bool) {
	if len(b) < 2 {
		return "", nil, false
	}
	digits, base := 0, 16
	switch {
	case b[1] == 'x':
		digits = 2
		b = b[2:]
	case '0' <= b[1] && b[1] <= '7':
		base, b = 8, b[1:]
		for digits < min(3, len(b)) && '0' <= b[digits] && b[digits] <= '7' {
			digits++
		}
	default:
		c, ok = escapes[b[1]]
		return c, b[2:], ok
	}
	if len(b) < digits {
		return "", nil, false
	}
	n, err := strconv.ParseUint(string(b[:digits]), base, 16)
	return string([]byte{byte(n)}), b[digits:], err == nil && n < 256
}

// textUnicode reads text in the encoding raw-unicode-escape: Latin-1 with escapes
// for what is beyond it.
func (p *parser) textUnicode() (record.Value, error) {
	b, err := p.line()
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	for len(b) > 0 {
		digits := 0
		if len(b) > 1 && b[0] == '\\' {
			digits = map[byte]int{'u': 4, 'U': 8}[b[1]]
		}
		if digits == 0 {
			out.WriteRune(rune(b[0]))
			b = b[1:]
			continue
		}
		if len(b) < 2+digits {
			return nil, fmt.Errorf("%.40q is no escape in text", b)
		}
		n, err := strconv.ParseUint(string(b[2:2+digits]), 16, 32)
		if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return nil, fmt.Errorf("%.40q is no character", b[:2+digits])
		}
		out.WriteRune(rune(n))
		b = b[2+digits:]
	}
	return out.String(), nil
}
