package xgboost

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonDocument reads the JSON dialect of XGBoost (dmlc/xgboost:src/common/json.cc).
// Unlike XGBoost it takes integers for floats, as other tools write them, and all
// escapes that JSON has.
type jsonDocument struct {
	source
	key     []byte // of the object being read
	scratch []byte // of the string being read
}

func newJSON(r io.Reader) *jsonDocument {
	return &jsonDocument{source: newSource(r)}
}

// maxToken bounds the length of numbers and literals.
const maxToken = 512

// next returns the next byte that is not white space, without consuming it.
func (d *jsonDocument) next() (byte, error) {
	for {
		for d.pos < d.lim {
			c := d.buf[d.pos]
			if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return c, nil
			}
			d.pos++
		}
		if !d.fill(1) {
			return 0, d.ended()
		}
	}
}

// expect consumes c, which must come next; what says what it begins or does.
func (d *jsonDocument) expect(c byte, what string) error {
	got, err := d.next()
	if err != nil {
		return err
	}
	if got != c {
		return d.fail("found %s instead of %s", describe(got), what)
	}
	d.pos++
	return nil
}

// describe names the value or sign that begins with c.
func describe(c byte) string {
	switch {
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "a string"
	case c == '-' || c-'0' <= 9:
		return "a number"
	case c == 'n':
		return "null"
	case c == 't' || c == 'f':
		return "a truth value"
	}
	return strconv.QuoteRune(rune(c))
}

func (d *jsonDocument) object(field func(key []byte) error) error {
	if err := d.expect('{', "an object"); err != nil {
		return err
	}
	c, err := d.next()
	if err != nil {
		return err
	}
	if c == '}' {
		d.pos++
		return nil
	}
	for {
		key, err := d.readString(d.key[:0], "a key", maxKey)
		if err != nil {
			return err
		}
		d.key = key
		if err := d.expect(':', "a colon"); err != nil {
			return err
		}
		if err := field(key); err != nil {
			return err
		}
		if more, err := d.more('}'); !more {
			return err
		}
	}
}

func (d *jsonDocument) array(element func() error) error {
	if empty, err := d.open(); empty || err != nil {
		return err
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if more, err := d.more(']'); !more {
			return err
		}
	}
}

// open consumes the start of an array, and its end if it is empty.
func (d *jsonDocument) open() (empty bool, err error) {
	if err := d.expect('[', "an array"); err != nil {
		return false, err
	}
	c, err := d.next()
	if err == nil && c == ']' {
		d.pos++
		return true, nil
	}
	return false, err
}

// more consumes the comma before a further element or member, or the given end.
func (d *jsonDocument) more(end byte) (bool, error) {
	c, err := d.next()
	switch {
	case err != nil:
		return false, err
	case c == ',':
		d.pos++
		return true, nil
	case c == end:
		d.pos++
		return false, nil
	}
	return false, d.fail("found %s instead of a comma or '%c'", describe(c), end)
}

func (d *jsonDocument) text() (string, error) {
	c, err := d.next()
	if err != nil {
		return "", err
	}
	switch c {
	case '"':
		d.scratch, err = d.readString(d.scratch[:0], "a string", -1)
		return string(d.scratch), err
	case '{', '[', 'n':
		return "", d.fail("found %s instead of a string", describe(c))
	}
	token, err := d.token()
	if err == nil && !isNumber(token) && string(token) != "true" && string(token) != "false" {
		return "", d.fail("found %q instead of a string", token)
	}
	d.pos += len(token)
	return string(token), err
}

// readString appends the string that comes next to dst. A limit of -1 is none.
func (d *jsonDocument) readString(dst []byte, what string, limit int) ([]byte, error) {
	if err := d.expect('"', what); err != nil {
		return dst, err
	}
	for {
		if !d.fill(1) {
			return dst, d.ended()
		}
		window := d.buf[d.pos:d.lim]
		if i := bytes.IndexByte(window, '"'); i >= 0 {
			window = window[:i]
		}
		if i := bytes.IndexByte(window, '\\'); i >= 0 {
			window = window[:i]
		}
		dst = append(dst, window...)
		d.pos += len(window)
		if limit >= 0 && len(dst) > limit {
			return dst, d.fail("%s is longer than %d bytes", what, limit)
		}
		if d.pos == d.lim {
			continue
		}
		d.pos++
		if d.buf[d.pos-1] == '"' {
			if !utf8.Valid(dst) {
				return dst, d.fail("%s is not UTF-8", what)
			}
			return dst, nil
		}
		var err error
		if dst, err = d.escape(dst); err != nil {
			return dst, err
		}
	}
}

// escape appends the character that the escape sequence after a backslash means.
func (d *jsonDocument) escape(dst []byte) ([]byte, error) {
	if !d.fill(1) {
		return dst, d.ended()
	}
	c := d.buf[d.pos]
	d.pos++
	switch c {
	case '"', '\\', '/':
		return append(dst, c), nil
	case 'b':
		return append(dst, '\b'), nil
	case 'f':
		return append(dst, '\f'), nil
	case 'n':
		return append(dst, '\n'), nil
	case 'r':
		return append(dst, '\r'), nil
	case 't':
		return append(dst, '\t'), nil
	case 'u':
		r, err := d.hex4()
		if err != nil || !utf16.IsSurrogate(r) {
			return utf8.AppendRune(dst, r), err
		}
		if d.fill(2) && d.buf[d.pos] == '\\' && d.buf[d.pos+1] == 'u' {
			d.pos += 2
			low, err := d.hex4()
			return utf8.AppendRune(dst, utf16.DecodeRune(r, low)), err
		}
		return dst, d.fail("half a surrogate pair")
	}
	d.pos--
	return dst, d.fail("unknown escape %q", c)
}

func (d *jsonDocument) hex4() (rune, error) {
	if !d.fill(4) {
		return 0, d.ended()
	}
	v, err := strconv.ParseUint(string(d.buf[d.pos:d.pos+4]), 16, 16)
	if err != nil {
		return 0, d.fail("%q is not a hexadecimal number", d.buf[d.pos:d.pos+4])
	}
	d.pos += 4
	return rune(v), nil
}

// token returns the number or literal that comes next, without consuming it.
func (d *jsonDocument) token() ([]byte, error) {
	if _, err := d.next(); err != nil {
		return nil, err
	}
	d.fill(maxToken + 1)
	window := d.buf[d.pos:d.lim]
	for i, c := range window {
		switch c {
		case ',', ']', '}', ':', '"', '[', '{', ' ', '\n', '\t', '\r':
			if i == 0 {
				return nil, d.fail("found %s instead of a number", describe(c))
			}
			return window[:i], nil
		}
		if i == maxToken {
			return nil, d.fail("number longer than %d bytes", maxToken)
		}
	}
	return nil, d.ended() // a document does not end with a number
}

// scanWindow is how much of the file the loops over numbers want in the window;
// a number that reaches the end of it is read with more care.
const scanWindow = 64

func (d *jsonDocument) floats(dst []float32) ([]float32, error) {
	if empty, err := d.open(); empty || err != nil {
		return dst, err
	}
	for {
		d.fill(scanWindow)
		window, i := d.buf[:d.lim], d.pos
		for i+scanWindow <= len(window) {
			f, n := scanFloat(window[i : i+scanWindow])
			if n == 0 || window[i+n] != ',' {
				break
			}
			dst = append(dst, f)
			i += n + 1
		}
		d.pos = i
		token, err := d.token()
		if err != nil {
			return dst, err
		}
		f, ok := parseFloat(token)
		if !ok {
			return dst, d.fail("%q is not a float32 number", token)
		}
		d.pos += len(token)
		dst = append(dst, f)
		if more, err := d.more(']'); !more {
			return dst, err
		}
	}
}

func (d *jsonDocument) ints(dst []int32) ([]int32, error) {
	if empty, err := d.open(); empty || err != nil {
		return dst, err
	}
	for {
		d.fill(scanWindow)
		window, i := d.buf[:d.lim], d.pos
		for i+scanWindow <= len(window) {
			v, n := scanInt(window[i : i+scanWindow])
			if n == 0 || window[i+n] != ',' {
				break
			}
			dst = append(dst, v)
			i += n + 1
		}
		d.pos = i
		v, err := d.readInt()
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
		if more, err := d.more(']'); !more {
			return dst, err
		}
	}
}

// readInt reads an integer or a truth value; XGBoost wrote default_left as truth values
// up to 1.5.
func (d *jsonDocument) readInt() (int32, error) {
	token, err := d.token()
	if err != nil {
		return 0, err
	}
	var v int64
	switch string(token) {
	case "true":
		v = 1
	case "false":
	default:
		if v, err = strconv.ParseInt(string(token), 10, 32); err != nil {
			return 0, d.fail("%q is not a 32-bit integer", token)
		}
	}
	d.pos += len(token)
	return int32(v), nil
}

func (d *jsonDocument) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, nested(d)
	}
	c, err := d.next()
	if err != nil {
		return nil, err
	}
	switch c {
	case '{':
		return readObject(d, depth)
	case '[':
		return readArray(d, depth)
	case '"':
		return d.text()
	}
	token, err := d.token()
	if err != nil {
		return nil, err
	}
	d.pos += len(token)
	switch string(token) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if v, err := strconv.ParseInt(string(token), 10, 64); err == nil {
		return v, nil
	}
	if f, ok := parseFloat(token); ok {
		return f, nil
	}
	d.pos -= len(token)
	return nil, d.fail("%q is not a value", token)
}

// skip keeps a stack of the brackets that are open, without recursion.
func (d *jsonDocument) skip() error {
	var open [maxDepth]byte // the closing brackets
	depth := 0
	for {
		c, err := d.next()
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			if depth == maxDepth {
				return d.fail("nested deeper than %d", maxDepth)
			}
			open[depth] = c + 2 // } and ] in ASCII
			depth++
			d.pos++
			if empty, err := d.enter(open[depth-1]); err != nil {
				return err
			} else if !empty {
				continue
			}
			depth--
		case '"':
			err = d.skipString()
		default:
			err = d.skipToken()
		}
		if err != nil {
			return err
		}
		for {
			if depth == 0 {
				return nil
			}
			more, err := d.more(open[depth-1])
			if err != nil {
				return err
			}
			if more {
				if open[depth-1] == '}' {
					err = d.skipKey()
				} else {
					d.skipNumbers()
				}
				if err != nil {
					return err
				}
				break
			}
			depth--
		}
	}
}

// enter goes to the first value of an object or array that is skipped, or consumes
// its end if it is empty.
func (d *jsonDocument) enter(end byte) (empty bool, err error) {
	c, err := d.next()
	if err != nil {
		return false, err
	}
	if c == end {
		d.pos++
		return true, nil
	}
	if end == '}' {
		return false, d.skipKey()
	}
	d.skipNumbers()
	return false, nil
}

func (d *jsonDocument) skipKey() error {
	if err := d.skipString(); err != nil {
		return err
	}
	return d.expect(':', "a colon")
}

func (d *jsonDocument) skipString() error {
	if err := d.expect('"', "a string"); err != nil {
		return err
	}
	for {
		if !d.fill(1) {
			return d.ended()
		}
		i := bytes.IndexAny(d.buf[d.pos:d.lim], `"\`)
		if i < 0 {
			d.pos = d.lim
			continue
		}
		d.pos += i + 1
		if d.buf[d.pos-1] == '"' {
			return nil
		}
		if err := d.discard(1); err != nil {
			return err
		}
	}
}

func (d *jsonDocument) skipToken() error {
	token, err := d.token()
	if err != nil {
		return err
	}
	switch string(token) {
	case "true", "false", "null":
	default:
		if _, ok := parseFloat(token); !ok && !isNumber(token) {
			return d.fail("%q is not a value", token)
		}
	}
	d.pos += len(token)
	return nil
}

// skipNumbers goes ahead in an array, to the last value of it that is in the window,
// if it holds neither strings nor brackets up to there. It does not look at the
// numbers, which nobody asks for.
func (d *jsonDocument) skipNumbers() {
	// A short look ahead keeps the work linear where the array holds other things.
	window := d.buf[d.pos:min(d.lim, d.pos+4096)]
	if i := bytes.IndexByte(window, ']'); i >= 0 {
		window = window[:i]
	}
	for _, c := range [3]byte{'"', '[', '{'} {
		if bytes.IndexByte(window, c) >= 0 {
			return
		}
	}
	d.pos += bytes.LastIndexByte(window, ',') + 1
}

func (d *jsonDocument) end() error {
	for {
		for d.pos < d.lim {
			switch d.buf[d.pos] {
			case ' ', '\n', '\t', '\r':
				d.pos++
			default:
				return d.fail("text after the end of the model")
			}
		}
		if !d.fill(1) {
			break
		}
	}
	if d.err != io.EOF {
		return d.ended()
	}
	return nil
}
